/* modules/nmcli_settings.c - the options of nmcli, and what each is called in its command. */
#include "modules/nmcli.h"

static const char *const states[] = { "absent", "present", "up", "down", NULL };
static const char *const slave_types[] = { "bond", "bridge", "team", "ovs-port", NULL };
static const char *const methods4[] = { "auto", "link-local", "manual", "shared", "disabled", NULL };
static const char *const methods6[] = { "ignore", "auto", "dhcp", "link-local", "manual", "shared",
	"disabled", NULL };
const char *const hf_nmcli_privacies[] = { "disabled", "prefer-public-addr", "prefer-temp-addr", "unknown",
	NULL };
static const char *const addr_gen_modes[] = { "default", "default-or-eui64", "eui64", "stable-privacy",
	NULL };
static const char *const bond_modes[] = { "802.3ad", "active-backup", "balance-alb", "balance-rr",
	"balance-tlb", "balance-xor", "broadcast", NULL };
static const char *const runners[] = { "broadcast", "roundrobin", "activebackup", "loadbalance", "lacp",
	NULL };
static const char *const hwaddr_policies[] = { "same_all", "by_active", "only_active", NULL };
static const char *const transport_modes[] = { "datagram", "connected", NULL };
/* In the order of the bits below. */
const char *const hf_nmcli_types[] = { "bond", "bond-slave", "bridge", "bridge-slave", "dummy", "ethernet",
	"generic", "gre", "infiniband", "ipip", "sit", "team", "team-slave", "vlan", "vxlan", "wifi", "gsm",
	"macvlan", "wireguard", "vpn", "loopback", "ovs-interface", "ovs-bridge", "ovs-port", NULL };
#define AT(field)  offsetof(struct hf_nmcli_params, field)
#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define STRINGS(name, meaning)                                                                               \
	{                                                                                                    \
#name, HF_ARG_LIST, AT(name), .elements = HF_ARG_STR, .help = meaning                        \
	}
#define TEXT(name, meaning)                                                                                  \
	{                                                                                                    \
#name, HF_ARG_STR, AT(name), .help = meaning                                                 \
	}
#define NUMBER(name, usual, meaning)                                                                         \
	{                                                                                                    \
#name, HF_ARG_INT, AT(name), .dflt = usual, .help = meaning                                  \
	}
#define SWITCH(name, usual, meaning)                                                                         \
	{                                                                                                    \
#name, HF_ARG_BOOL, AT(name), .dflt = usual, .help = meaning                                 \
	}
#define REFUSED(name, type, why)                                                                             \
	{                                                                                                    \
		name, type, AT(unused), HF_REFUSED, .help = why                                              \
	}
static const struct hf_arg route4_args[] = {
	{ "ip", HF_ARG_STR, 0, HF_REQUIRED },
	{ "next_hop", HF_ARG_STR, 0 },
	{ "metric", HF_ARG_INT, 0 },
	{ "table", HF_ARG_INT, 0 },
	{ "tos", HF_ARG_INT, 0 },
	{ "cwnd", HF_ARG_INT, 0 },
	{ "mtu", HF_ARG_INT, 0 },
	{ "onlink", HF_ARG_BOOL, 0 },
	{ .type = HF_ARG_END },
};
static const struct hf_arg route6_args[] = {
	{ "ip", HF_ARG_STR, 0, HF_REQUIRED },
	{ "next_hop", HF_ARG_STR, 0 },
	{ "metric", HF_ARG_INT, 0 },
	{ "table", HF_ARG_INT, 0 },
	{ "cwnd", HF_ARG_INT, 0 },
	{ "mtu", HF_ARG_INT, 0 },
	{ "onlink", HF_ARG_BOOL, 0 },
	{ .type = HF_ARG_END },
};
static const struct hf_arg macvlan_args[] = {
	{ "mode", HF_ARG_INT, 0, HF_REQUIRED },
	{ "parent", HF_ARG_STR, 0, HF_REQUIRED },
	{ "promiscuous", HF_ARG_BOOL, 0 },
	{ "tap", HF_ARG_BOOL, 0 },
	{ .type = HF_ARG_END },
};
const struct hf_arg hf_nmcli_args[] = {
	{ "conn_name", HF_ARG_STR, AT(conn_name), HF_REQUIRED, .help = "The connection." },
	{ "state", HF_ARG_STR, AT(state), HF_REQUIRED, .choices = states,
		.help = "up and down act each time they are run." },
	{ "type", HF_ARG_STR, AT(type), .choices = hf_nmcli_types,
		.help = "What it is; wifi, gsm, wireguard and vpn are refused." },
	TEXT(ifname, "The interface; that of the connection's name if it is new."),
	SWITCH(autoconnect, "true", "Come up by itself."),
	SWITCH(conn_reload, "false", "Read the connections' files before up and down, and after a change."),
	TEXT(master, "The connection that it belongs to."),
	{ "slave_type", HF_ARG_STR, AT(slave_type), .choices = slave_types, .help = "What master is." },
	STRINGS(ip4, "Addresses, 10.0.0.7/24; without a length, of one host."),
	TEXT(gw4, "The gateway."),
	SWITCH(gw4_ignore_auto, "false", "Take no routes from DHCP."),
	STRINGS(routes4, "Routes, as nmcli writes them."),
	{ "routes4_extended", HF_ARG_LIST, AT(routes4_extended), .elements = HF_ARG_DICT,
		.options = route4_args,
		.help = "Routes: {ip, next_hop, metric, table, tos, cwnd, mtu, onlink}" },
	NUMBER(route_metric4, NULL, "Metric of its routes."),
	STRINGS(routing_rules4, "Rules of routing."),
	SWITCH(never_default4, "false", "Never the default route."),
	STRINGS(dns4, "Name servers."),
	STRINGS(dns4_search, "Domains to search."),
	STRINGS(dns4_options, "Options of the resolver."),
	SWITCH(dns4_ignore_auto, "false", "Take no name servers from DHCP."),
	{ "method4", HF_ARG_STR, AT(method4), .choices = methods4, .help = "manual with ip4." },
	SWITCH(may_fail4, "true", "Up without an address of IPv4 too."),
	TEXT(dhcp_client_id, "Name sent to the DHCP server."),
	STRINGS(ip6, "Addresses, 2001:db8::7/64."),
	TEXT(gw6, "The gateway."),
	SWITCH(gw6_ignore_auto, "false", "Take no routes from advertisements."),
	STRINGS(routes6, "Routes, as nmcli writes them."),
	{ "routes6_extended", HF_ARG_LIST, AT(routes6_extended), .elements = HF_ARG_DICT,
		.options = route6_args, .help = "Routes: {ip, next_hop, metric, table, cwnd, mtu, onlink}" },
	NUMBER(route_metric6, NULL, "Metric of its routes."),
	STRINGS(dns6, "Name servers."),
	STRINGS(dns6_search, "Domains to search."),
	STRINGS(dns6_options, "Options of the resolver."),
	SWITCH(dns6_ignore_auto, "false", "Take no name servers from advertisements."),
	{ "method6", HF_ARG_STR, AT(method6), .choices = methods6, .help = "manual with ip6." },
	{ "ip_privacy6", HF_ARG_STR, AT(ip_privacy6), .choices = hf_nmcli_privacies,
		.help = "Temporary addresses." },
	{ "addr_gen_mode6", HF_ARG_STR, AT(addr_gen_mode6), .choices = addr_gen_modes,
		.help = "How addresses are made." },
	NUMBER(mtu, NULL, "Largest packet."),
	TEXT(mac, "Address of the hardware to take."),
	TEXT(zone, "Zone of the firewall."),
	{ "mode", HF_ARG_STR, AT(mode), .dflt = "balance-rr", .choices = bond_modes, .help = "Of a bond." },
	NUMBER(miimon, NULL, "Of a bond: milliseconds between looks at the links."),
	NUMBER(downdelay, NULL, "Of a bond: milliseconds."),
	NUMBER(updelay, NULL, "Of a bond: milliseconds."),
	TEXT(xmit_hash_policy, "Of a bond."),
	NUMBER(arp_interval, NULL, "Of a bond: milliseconds."),
	TEXT(arp_ip_target, "Of a bond: whom to ask."),
	TEXT(primary, "Of a bond: the interface to prefer."),
	SWITCH(stp, "true", "Of a bridge: spanning tree."),
	NUMBER(priority, "128", "Of a bridge."),
	NUMBER(slavepriority, "32", "Of a bridge's port."),
	NUMBER(forwarddelay, "15", "Of a bridge: seconds."),
	NUMBER(hellotime, "2", "Of a bridge: seconds."),
	NUMBER(maxage, "20", "Of a bridge: seconds."),
	NUMBER(ageingtime, "300", "Of a bridge: seconds."),
	SWITCH(hairpin, "false", "Of a bridge's port: send back where it came from."),
	NUMBER(path_cost, "100", "Of a bridge's port."),
	{ "runner", HF_ARG_STR, AT(runner), .dflt = "roundrobin", .choices = runners, .help = "Of a team." },
	{ "runner_hwaddr_policy", HF_ARG_STR, AT(runner_hwaddr_policy), .choices = hwaddr_policies,
		.help = "Of a team whose runner is activebackup." },
	SWITCH(runner_fast_rate, NULL, "Of a team whose runner is lacp."),
	NUMBER(vlanid, NULL, "Of a VLAN."),
	TEXT(vlandev, "Of a VLAN: the interface it is on."),
	TEXT(flags, "Of a VLAN."),
	TEXT(ingress, "Of a VLAN: priorities of what comes in."),
	TEXT(egress, "Of a VLAN: priorities of what goes out."),
	NUMBER(vxlan_id, NULL, "Of a VXLAN."),
	TEXT(vxlan_local, "Of a VXLAN."),
	TEXT(vxlan_remote, "Of a VXLAN."),
	{ "ip_tunnel_dev", HF_ARG_STR, AT(tunnel_dev), .help = "Of a tunnel: the interface it is on." },
	{ "ip_tunnel_local", HF_ARG_STR, AT(tunnel_local), .help = "Of a tunnel." },
	{ "ip_tunnel_remote", HF_ARG_STR, AT(tunnel_remote), .help = "Of a tunnel." },
	{ "ip_tunnel_input_key", HF_ARG_STR, AT(input_key), HF_NO_LOG, .help = "Of a gre tunnel." },
	{ "ip_tunnel_output_key", HF_ARG_STR, AT(output_key), HF_NO_LOG, .help = "Of a gre tunnel." },
	{ "macvlan", HF_ARG_DICT, AT(macvlan), .options = macvlan_args,
		.help = "{mode, parent, promiscuous, tap}" },
	{ "transport_mode", HF_ARG_STR, AT(transport_mode), .choices = transport_modes,
		.help = "Of InfiniBand." },
	SWITCH(ignore_unsupported_suboptions, "false", "No effect: it is about wifi."),
	REFUSED("ssid", HF_ARG_STR, "wifi is not supported"),
	REFUSED("wifi", HF_ARG_DICT, "wifi is not supported"),
	REFUSED("wifi_sec", HF_ARG_DICT, "wifi is not supported"),
	REFUSED("gsm", HF_ARG_DICT, HF_NMCLI_SECRETS),
	REFUSED("wireguard", HF_ARG_DICT, HF_NMCLI_SECRETS),
	REFUSED("vpn", HF_ARG_DICT, HF_NMCLI_SECRETS),
	{ .type = HF_ARG_END },
};
/* What nmcli calls an option, for which types; the order is that of the command. */
static const struct setting {
	const char *key, *option;
	unsigned types;
} settings[] = {
	{ "connection.autoconnect", "autoconnect", ANY },
	{ "connection.zone", "zone", ANY },
	{ "ipv4.addresses", "ip4", WITH_IP },
	{ "ipv4.dhcp-client-id", "dhcp_client_id", WITH_IP },
	{ "ipv4.dns", "dns4", WITH_IP },
	{ "ipv4.dns-search", "dns4_search", WITH_IP },
	{ "ipv4.dns-options", "dns4_options", WITH_IP },
	{ "ipv4.ignore-auto-dns", "dns4_ignore_auto", WITH_IP },
	{ "ipv4.gateway", "gw4", WITH_IP },
	{ "ipv4.ignore-auto-routes", "gw4_ignore_auto", WITH_IP },
	{ "ipv4.routes", "routes4", WITH_IP },
	{ "ipv4.route-metric", "route_metric4", WITH_IP },
	{ "ipv4.routing-rules", "routing_rules4", WITH_IP },
	{ "ipv4.never-default", "never_default4", WITH_IP },
	{ "ipv4.method", "method4", WITH_IP },
	{ "ipv4.may-fail", "may_fail4", WITH_IP },
	{ "ipv6.addresses", "ip6", WITH_IP },
	{ "ipv6.dns", "dns6", WITH_IP },
	{ "ipv6.dns-search", "dns6_search", WITH_IP },
	{ "ipv6.dns-options", "dns6_options", WITH_IP },
	{ "ipv6.ignore-auto-dns", "dns6_ignore_auto", WITH_IP },
	{ "ipv6.gateway", "gw6", WITH_IP },
	{ "ipv6.ignore-auto-routes", "gw6_ignore_auto", WITH_IP },
	{ "ipv6.routes", "routes6", WITH_IP },
	{ "ipv6.route-metric", "route_metric6", WITH_IP },
	{ "ipv6.method", "method6", WITH_IP },
	{ "ipv6.ip6-privacy", "ip_privacy6", WITH_IP },
	{ "ipv6.addr-gen-mode", "addr_gen_mode6", WITH_IP },
	{ "bridge.mac-address", "mac", BRIDGE },
	{ "802-3-ethernet.cloned-mac-address", "mac", ANY & ~BRIDGE },
	{ "802-3-ethernet.mtu", "mtu", WITH_MTU & ~INFINIBAND },
	{ "infiniband.mtu", "mtu", INFINIBAND },
	{ "connection.master", "master", WITH_MASTER },
	{ "connection.slave-type", "slave_type", WITH_MASTER },
	{ "arp-interval", "arp_interval", BOND },
	{ "arp-ip-target", "arp_ip_target", BOND },
	{ "downdelay", "downdelay", BOND },
	{ "miimon", "miimon", BOND },
	{ "mode", "mode", BOND },
	{ "primary", "primary", BOND },
	{ "updelay", "updelay", BOND },
	{ "xmit_hash_policy", "xmit_hash_policy", BOND },
	{ "bridge.ageing-time", "ageingtime", BRIDGE },
	{ "bridge.forward-delay", "forwarddelay", BRIDGE },
	{ "bridge.hello-time", "hellotime", BRIDGE },
	{ "bridge.max-age", "maxage", BRIDGE },
	{ "bridge.priority", "priority", BRIDGE },
	{ "bridge.stp", "stp", BRIDGE },
	{ "team.runner", "runner", TEAM },
	{ "team.runner-hwaddr-policy", "runner_hwaddr_policy", TEAM },
	{ "team.runner-fast-rate", "runner_fast_rate", TEAM },
	{ "bridge-port.path-cost", "path_cost", BRIDGE_SLAVE },
	{ "bridge-port.hairpin-mode", "hairpin", BRIDGE_SLAVE },
	{ "bridge-port.priority", "slavepriority", BRIDGE_SLAVE },
	{ "ip-tunnel.local", "ip_tunnel_local", TUNNEL },
	{ "ip-tunnel.mode", "type", TUNNEL },
	{ "ip-tunnel.parent", "ip_tunnel_dev", TUNNEL },
	{ "ip-tunnel.remote", "ip_tunnel_remote", TUNNEL },
	{ "ip-tunnel.input-key", "ip_tunnel_input_key", GRE },
	{ "ip-tunnel.output-key", "ip_tunnel_output_key", GRE },
	{ "vlan.id", "vlanid", VLAN },
	{ "vlan.parent", "vlandev", VLAN },
	{ "vlan.flags", "flags", VLAN },
	{ "vlan.ingress", "ingress", VLAN },
	{ "vlan.egress", "egress", VLAN },
	{ "vxlan.id", "vxlan_id", VXLAN },
	{ "vxlan.local", "vxlan_local", VXLAN },
	{ "vxlan.remote", "vxlan_remote", VXLAN },
	{ "infiniband.transport-mode", "transport_mode", INFINIBAND },
};

/* --- what is wanted --------------------------------------------------------------------------------- */
unsigned hf_nmcli_type_bit(const char *name)
{
	for (unsigned i = 0; hf_nmcli_types[i] != NULL; i++)
		if (strcmp(hf_nmcli_types[i], name) == 0)
			return 1U << i;
	return 0;
}

static struct hf_value *with_length(struct hf_nmcli *w, const struct hf_value *list, const char *length)
{
	struct hf_value *out = hf_value_list(w->a);
	for (size_t i = 0; i < hf_list_len(list); i++) {
		const char *text = hf_list_at(list, i)->u.string.p;
		hf_list_append(out,
			hf_value_cstr(w->a,
				strchr(text, '/') != NULL ? text : hf_sprintf(w->a, "%s%s", text, length)));
	}
	return out;
}

/* "10.0.0.0/8 10.0.0.1 5 table=3": address, next hop, metric, and the rest by name. */
const char *hf_nmcli_route(struct hf_nmcli *w, const struct hf_value *route)
{
	static const char *const first[] = { "ip", "next_hop", "metric" };
	static const char *const rest[] = { "cwnd", "mtu", "onlink", "table", "tos" };
	hf_auto_buf text = hf_buf_init(HF_NMCLI_TEXT_MAX);
	for (size_t i = 0; i < HF_COUNT(first); i++) {
		const struct hf_value *v = hf_dict_get(route, first[i]);
		if (v != NULL && !hf_is(v, HF_NULL))
			hf_buf_printf(&text, "%s%s", i > 0 ? " " : "", hf_value_text(w->a, v).p);
	}
	for (size_t i = 0; i < HF_COUNT(rest); i++) {
		const struct hf_value *v = hf_dict_get(route, rest[i]);
		if (v == NULL || hf_is(v, HF_NULL))
			continue;
		const char *word =
			hf_is(v, HF_BOOL) ? hf_value_truthy(v) ? "true" : "false" : hf_value_text(w->a, v).p;
		hf_buf_printf(&text, " %s=%s", rest[i], word);
	}
	return hf_buf_dup(w->a, &text).p;
}

static struct hf_value *routes(struct hf_nmcli *w, struct hf_value *plain, const struct hf_value *extended)
{
	if (plain != NULL || extended == NULL)
		return plain;
	struct hf_value *out = hf_value_list(w->a);
	for (size_t i = 0; i < hf_list_len(extended); i++)
		hf_list_append(out, hf_value_cstr(w->a, hf_nmcli_route(w, hf_list_at(extended, i))));
	return out;
}

static const char *method(const struct hf_nmcli *w, const char *given, const struct hf_value *addresses)
{
	if (given != NULL)
		return given;
	if (addresses != NULL && hf_list_len(addresses) > 0)
		return "manual";
	return (w->type & (DUMMY | MACVLAN)) != 0 ? "disabled" : NULL;
}

static struct hf_value *text_value(struct hf_nmcli *w, const char *text)
{
	return text == NULL ? NULL : hf_value_cstr(w->a, text);
}

bool hf_nmcli_given(const struct hf_nmcli *w, const char *option)
{
	return hf_task_given(w->c, option) && !hf_task_null(w->c, option);
}

/* What an option gives as it stands; NULL: nothing. */
static struct hf_value *plain_value(struct hf_nmcli *w, const char *option)
{
	const struct hf_arg *arg = hf_schema_find(hf_nmcli_args, option);
	const char *at = (const char *)w->p + arg->offset;
	bool given = hf_nmcli_given(w, option);
	if (arg->type == HF_ARG_LIST)
		return *(struct hf_value *const *)(const void *)at;
	if (arg->type == HF_ARG_BOOL) {
		enum hf_tristate b = *(const enum hf_tristate *)(const void *)at;
		return b == HF_UNSET ? NULL : text_value(w, b == HF_YES ? "yes" : "no");
	}
	if (arg->type == HF_ARG_INT)
		return !given && arg->dflt == NULL
			       ? NULL
			       : text_value(w, hf_sprintf(w->a, "%lld",
						       (long long)*(const int64_t *)(const void *)at));
	return text_value(w, *(const char *const *)(const void *)at);
}

static struct hf_value *slave_value(struct hf_nmcli *w)
{
	unsigned t = w->type;
	if (w->p->slave_type != NULL)
		return text_value(w, w->p->slave_type);
	return text_value(w, (t & BOND_SLAVE) != 0     ? "bond"
			     : (t & BRIDGE_SLAVE) != 0 ? "bridge"
			     : (t & TEAM_SLAVE) != 0   ? "team"
						       : NULL);
}

/* An MTU that nobody asks for is the interface's own, which 0 stands for. */
static struct hf_value *mtu_value(struct hf_nmcli *w, const char *key)
{
	if (hf_nmcli_given(w, "mtu"))
		return plain_value(w, "mtu");
	bool untold = w->p->type == NULL && w->type == ETHERNET; /* left alone, as by Ansible */
	return !untold && w->now != NULL && hf_dict_get(w->now, key) != NULL ? text_value(w, "0") : NULL;
}

static struct hf_value *value_of(struct hf_nmcli *w, const struct setting *s)
{
	const struct hf_nmcli_params *p = w->p;
	bool six = hf_str_ends(hf_str(s->option), "6");
	struct hf_value *addresses = six ? p->ip6 : p->ip4;
	if (strcmp(s->option, six ? "ip6" : "ip4") == 0)
		return addresses == NULL ? NULL : with_length(w, addresses, six ? "/128" : "/32");
	if (strcmp(s->option, six ? "routes6" : "routes4") == 0)
		return six ? routes(w, p->routes6, p->routes6_extended)
			   : routes(w, p->routes4, p->routes4_extended);
	if (strcmp(s->option, six ? "method6" : "method4") == 0)
		return text_value(w, method(w, six ? p->method6 : p->method4, addresses));
	if (strcmp(s->option, "slave_type") == 0)
		return slave_value(w);
	if (strcmp(s->option, "type") == 0)
		return text_value(w, w->type_name);
	return strcmp(s->option, "mtu") == 0 ? mtu_value(w, s->key) : plain_value(w, s->option);
}

static void want(struct hf_nmcli *w, const char *key, struct hf_value *value)
{
	struct hf_nmcli_pair *pair = value == NULL ? NULL : hf_vec_push(w->a, &w->wanted);
	if (pair != NULL)
		*pair = (struct hf_nmcli_pair){ key, value };
}

void hf_nmcli_want(struct hf_nmcli *w)
{
	const struct hf_nmcli_params *p = w->p;
	const char *ifname = p->ifname != NULL ? p->ifname : w->now == NULL ? p->conn_name : NULL;
	want(w, "connection.interface-name", text_value(w, ifname));
	for (size_t i = 0; i < HF_COUNT(settings); i++) {
		const struct setting *s = &settings[i];
		bool address = hf_str_starts(hf_str(s->key), "ipv"),
		     enslaved = p->master != NULL && (w->type & OVS_INTERFACE) == 0;
		if ((s->types & w->type) != 0 && !(address && enslaved))
			want(w, s->key, value_of(w, s));
	}
	if ((w->type & MACVLAN) == 0 || p->macvlan == NULL)
		return;
	for (size_t i = 0; macvlan_args[i].type != HF_ARG_END; i++) {
		const struct hf_value *v = hf_dict_get(p->macvlan, macvlan_args[i].name);
		if (v != NULL && !hf_is(v, HF_NULL))
			want(w, hf_sprintf(w->a, "macvlan.%s", macvlan_args[i].name),
				text_value(w, hf_is(v, HF_BOOL) ? hf_value_truthy(v) ? "yes" : "no"
								: hf_value_text(w->a, v).p));
	}
}

bool hf_nmcli_is_list(const char *key)
{
	static const char *const names[] = { "ip4", "ip6", "dns4", "dns6", "dns4_search", "dns6_search",
		"dns4_options", "dns6_options", "routes4", "routes6", "routing_rules4" };
	for (size_t i = 0; i < HF_COUNT(settings); i++)
		for (size_t k = 0; strcmp(settings[i].key, key) == 0 && k < HF_COUNT(names); k++)
			if (strcmp(settings[i].option, names[k]) == 0)
				return true;
	return false;
}
