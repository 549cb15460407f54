/* modules/facts/network.c - interfaces, addresses and routes, asked of the kernel over rtnetlink: no program
 * is run. */
#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "modules/facts/facts.h"

enum { NETLINK_BUFFER = 32768, NETLINK_READS_MAX = 4096, ATTRIBUTES_MAX = 64 };

struct network {
	struct hf_facts *f;
	struct hf_value *interfaces; /* by name */
	struct hf_value *default4, *default6;
	struct hf_value *all4, *all6;
	struct hf_value *local4, *local6;
};

struct attributes {
	const struct rtattr *at[ATTRIBUTES_MAX];
};

static void attributes_read(struct attributes *set, const struct rtattr *first, size_t n)
{
	*set = (struct attributes){ 0 };
	int left = (int)n;
	for (const struct rtattr *r = first; RTA_OK(r, left); r = RTA_NEXT(r, left))
		if (r->rta_type < ATTRIBUTES_MAX)
			set->at[r->rta_type] = r;
}

static const char *address_text(struct network *net, int family, const struct rtattr *attribute)
{
	char text[INET6_ADDRSTRLEN];
	if (attribute == NULL || inet_ntop(family, RTA_DATA(attribute), text, sizeof(text)) == NULL)
		return NULL;
	return hf_strdup(net->f->a, text);
}

typedef void (*message_visit)(struct network *net, const struct nlmsghdr *message);

/* Send one request and hand every answer to visit. */
static void netlink_ask(struct network *net, const struct nlmsghdr *request, message_visit visit)
{
	hf_auto_fd fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0 || send(fd, request, request->nlmsg_len, 0) < 0)
		return;
	struct timeval patience = { .tv_sec = 2 };
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0)
		return;
	bool dump = (request->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
	char *buffer = hf_alloc(net->f->a, NETLINK_BUFFER);
	for (int i = 0; i < NETLINK_READS_MAX; i++) {
		ssize_t n = recv(fd, buffer, NETLINK_BUFFER, 0);
		if (n <= 0)
			return;
		size_t left = (size_t)n;
		const struct nlmsghdr *m = (const void *)buffer;
		while (left >= sizeof(*m) && m->nlmsg_len >= sizeof(*m) && m->nlmsg_len <= left) {
			if (m->nlmsg_type == NLMSG_DONE || m->nlmsg_type == NLMSG_ERROR)
				return;
			visit(net, m);
			size_t step = NLMSG_ALIGN((size_t)m->nlmsg_len);
			if (step >= left)
				break;
			left -= step;
			m = (const void *)((const char *)m + step);
		}
		if (!dump)
			return;
	}
}

static struct hf_value *interface_get(struct network *net, const char *name)
{
	struct hf_value *interface = hf_dict_get(net->interfaces, name);
	if (interface == NULL) {
		interface = hf_value_dict(net->f->a);
		hf_dict_put(net->interfaces, name, interface);
	}
	return interface;
}

static void list_push(struct hf_value *dict, const char *key, struct hf_value *item)
{
	struct hf_value *list = hf_dict_get(dict, key);
	if (list == NULL) {
		list = hf_value_list(dict->u.dict->map.arena);
		hf_dict_put(dict, key, list);
	}
	hf_list_append(list, item);
}

/* What default_ipv4 and default_ipv6 repeat of their interface. */
static void default_fill(struct network *net, struct hf_value *defaults, const struct hf_value *interface)
{
	const char *mac = hf_dict_cstr(interface, "macaddress", "");
	hf_dict_text(defaults, "macaddress", mac[0] != '\0' ? mac : "00:00:00:00:00:00");
	hf_dict_put(defaults, "mtu", hf_value_int(net->f->a, hf_dict_int(interface, "mtu", 0)));
	hf_dict_text(defaults, "type", hf_dict_cstr(interface, "type", "unknown"));
}

static const char *ipv4_text(struct hf_facts *f, uint32_t host_order)
{
	struct in_addr in = { htonl(host_order) };
	char text[INET_ADDRSTRLEN];
	return hf_strdup(f->a, inet_ntop(AF_INET, &in, text, sizeof(text)));
}

static void address4(
	struct network *net, const struct ifaddrmsg *m, const struct attributes *set, const char *device)
{
	struct hf_facts *f = net->f;
	const char *address = address_text(net, AF_INET, set->at[IFA_LOCAL]);
	const char *peer = address_text(net, AF_INET, set->at[IFA_ADDRESS]);
	const char *broadcast = address_text(net, AF_INET, set->at[IFA_BROADCAST]);
	const char *label = set->at[IFA_LABEL] == NULL ? device : RTA_DATA(set->at[IFA_LABEL]);
	if (address == NULL)
		return;
	unsigned prefix = peer != NULL && strcmp(peer, address) != 0 ? 32 : m->ifa_prefixlen;
	uint32_t bits, mask = prefix == 0 ? 0 : 0xffffffffU << (32 - prefix);
	memcpy(&bits, RTA_DATA(set->at[IFA_LOCAL]), sizeof(bits));
	const char *const rows[][2] = { { "address", address },
		{ "broadcast", broadcast == NULL ? "" : broadcast }, { "netmask", ipv4_text(f, mask) },
		{ "network", ipv4_text(f, ntohl(bits) & mask) },
		{ "prefix", hf_sprintf(f->a, "%u", prefix) } };
	struct hf_value *entry = hf_value_dict(f->a), *interface = interface_get(net, label);
	for (size_t i = 0; i < HF_COUNT(rows); i++)
		hf_dict_text(entry, rows[i][0], rows[i][1]);
	bool secondary = (m->ifa_flags & IFA_F_SECONDARY) != 0;
	if (!secondary && hf_dict_get(interface, "ipv4") == NULL)
		hf_dict_put(interface, "ipv4", entry);
	else
		list_push(interface, "ipv4_secondaries", entry);
	if (secondary && strcmp(label, device) != 0)
		list_push(interface_get(net, device), "ipv4_secondaries", entry);
	if (strcmp(hf_dict_cstr(net->default4, "address", ""), address) == 0) {
		for (size_t i = 1; i < HF_COUNT(rows); i++)
			hf_dict_text(net->default4, rows[i][0], rows[i][1]);
		default_fill(net, net->default4, interface_get(net, device));
		hf_dict_text(net->default4, "alias", label);
	}
	if (strncmp(address, "127.", 4) != 0)
		hf_list_append(net->all4, hf_value_cstr(f->a, address));
}

static void address6(
	struct network *net, const struct ifaddrmsg *m, const struct attributes *set, const char *device)
{
	struct hf_facts *f = net->f;
	const struct rtattr *own = set->at[IFA_LOCAL] != NULL ? set->at[IFA_LOCAL] : set->at[IFA_ADDRESS];
	const char *address = address_text(net, AF_INET6, own);
	if (address == NULL)
		return;
	const char *scope = m->ifa_scope == RT_SCOPE_UNIVERSE ? "global"
			    : m->ifa_scope == RT_SCOPE_LINK   ? "link"
			    : m->ifa_scope == RT_SCOPE_HOST   ? "host"
							      : "site";
	const char *prefix = hf_sprintf(f->a, "%u", m->ifa_prefixlen);
	struct hf_value *entry = hf_value_dict(f->a), *interface = interface_get(net, device);
	hf_dict_text(entry, "address", address);
	hf_dict_text(entry, "prefix", prefix);
	hf_dict_text(entry, "scope", scope);
	list_push(interface, "ipv6", entry);
	if (strcmp(hf_dict_cstr(net->default6, "address", ""), address) == 0) {
		hf_dict_text(net->default6, "prefix", prefix);
		hf_dict_text(net->default6, "scope", scope);
		default_fill(net, net->default6, interface);
	}
	if (strcmp(address, "::1") != 0)
		hf_list_append(net->all6, hf_value_cstr(f->a, address));
}

static void address_visit(struct network *net, const struct nlmsghdr *message)
{
	if (message->nlmsg_type != RTM_NEWADDR)
		return;
	const struct ifaddrmsg *m = NLMSG_DATA(message);
	struct attributes set;
	char device[IF_NAMESIZE];
	attributes_read(&set, IFA_RTA(m), IFA_PAYLOAD(message));
	if (if_indextoname(m->ifa_index, device) == NULL)
		return;
	if (m->ifa_family == AF_INET)
		address4(net, m, &set, device);
	else if (m->ifa_family == AF_INET6)
		address6(net, m, &set, device);
}

/* Routes of type local: what this host answers for itself. */
static void local_visit(struct network *net, const struct nlmsghdr *message)
{
	if (message->nlmsg_type != RTM_NEWROUTE)
		return;
	const struct rtmsg *m = NLMSG_DATA(message);
	struct attributes set;
	attributes_read(&set, RTM_RTA(m), RTM_PAYLOAD(message));
	const char *address = address_text(net, m->rtm_family, set.at[RTA_DST]);
	if (m->rtm_type != RTN_LOCAL || m->rtm_table != RT_TABLE_LOCAL || address == NULL)
		return;
	unsigned full = m->rtm_family == AF_INET ? 32 : 128;
	if (m->rtm_dst_len != full)
		address = hf_sprintf(net->f->a, "%s/%u", address, m->rtm_dst_len);
	hf_list_append(
		m->rtm_family == AF_INET ? net->local4 : net->local6, hf_value_cstr(net->f->a, address));
}

static void route_visit(struct network *net, const struct nlmsghdr *message)
{
	if (message->nlmsg_type != RTM_NEWROUTE)
		return;
	const struct rtmsg *m = NLMSG_DATA(message);
	struct hf_value *defaults = m->rtm_family == AF_INET ? net->default4 : net->default6;
	struct attributes set;
	attributes_read(&set, RTM_RTA(m), RTM_PAYLOAD(message));
	if (m->rtm_type != RTN_UNICAST || set.at[RTA_OIF] == NULL)
		return;
	unsigned index;
	char device[IF_NAMESIZE];
	memcpy(&index, RTA_DATA(set.at[RTA_OIF]), sizeof(index));
	const char *gateway = address_text(net, m->rtm_family, set.at[RTA_GATEWAY]);
	const char *source = address_text(net, m->rtm_family, set.at[RTA_PREFSRC]);
	if (gateway != NULL)
		hf_dict_text(defaults, "gateway", gateway);
	if (if_indextoname(index, device) != NULL)
		hf_dict_text(defaults, "interface", device);
	if (source != NULL)
		hf_dict_text(defaults, "address", source);
}

/* Which way to the world: Ansible asks for the route to two well-known addresses; nothing is sent there. */
static void defaults_ask(struct network *net, int family, const char *address)
{
	struct {
		struct nlmsghdr header;
		struct rtmsg message;
		struct rtattr attribute;
		unsigned char bytes[16];
	} request = { 0 };
	size_t size = family == AF_INET ? 4 : 16;
	request.header.nlmsg_type = RTM_GETROUTE;
	request.header.nlmsg_flags = NLM_F_REQUEST;
	request.message.rtm_family = (unsigned char)family;
	request.message.rtm_dst_len = (unsigned char)(size * 8);
	request.message.rtm_flags = RTM_F_LOOKUP_TABLE;
	request.attribute.rta_type = RTA_DST;
	request.attribute.rta_len = (unsigned short)RTA_LENGTH(size);
	request.header.nlmsg_len = (uint32_t)(NLMSG_LENGTH(sizeof(struct rtmsg)) + RTA_LENGTH(size));
	if (inet_pton(family, address, request.bytes) == 1)
		netlink_ask(net, &request.header, route_visit);
}

static void dump_ask(struct network *net, uint16_t type, int family, message_visit visit)
{
	struct {
		struct nlmsghdr header;
		union {
			struct ifaddrmsg address;
			struct rtmsg route;
		} body;
	} request = { 0 };
	request.header.nlmsg_type = type;
	request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	request.header.nlmsg_len =
		NLMSG_LENGTH(type == RTM_GETADDR ? sizeof(struct ifaddrmsg) : sizeof(struct rtmsg));
	request.body.route.rtm_family = (unsigned char)family;
	netlink_ask(net, &request.header, visit);
}

static const char *interface_type(const char *code)
{
	static const char *const types[][2] = { { "1", "ether" }, { "32", "infiniband" }, { "512", "ppp" },
		{ "772", "loopback" }, { "65534", "tunnel" } };
	for (size_t i = 0; i < HF_COUNT(types); i++)
		if (strcmp(types[i][0], code) == 0)
			return types[i][1];
	return "unknown";
}

static void interface_bridge(struct hf_facts *f, struct hf_value *interface, const char *path)
{
	if (!hf_fs_exists(hf_sprintf(f->a, "%s/bridge", path)))
		return;
	const char *stp = hf_facts_file(f, "%s/bridge/stp_state", path);
	hf_dict_text(interface, "type", "bridge");
	hf_dict_put(interface, "interfaces", hf_facts_names(f, hf_sprintf(f->a, "%s/brif", path)));
	hf_dict_put(interface, "id", hf_facts_file_value(f, "", "%s/bridge/bridge_id", path));
	hf_dict_put(interface, "stp", hf_value_bool(f->a, stp != NULL && strcmp(stp, "1") == 0));
}

static void interface_bond(struct hf_facts *f, struct hf_value *interface, const char *path)
{
	static const char *const words[] = { "mode", "miimon", "lacp_rate" };
	if (!hf_fs_exists(hf_sprintf(f->a, "%s/bonding", path)))
		return;
	struct hf_value *slaves = hf_value_list(f->a);
	const char *names = hf_facts_file(f, "%s/bonding/slaves", path);
	struct hf_str rest = hf_str(names == NULL ? "" : names), name;
	while (rest.n > 0 && hf_str_split(&rest, ' ', &name))
		hf_list_append(slaves, hf_value_str(f->a, name));
	hf_dict_text(interface, "type", "bonding");
	hf_dict_put(interface, "slaves", slaves);
	for (size_t i = 0; i < HF_COUNT(words); i++) {
		const char *text = hf_facts_file(f, "%s/bonding/%s", path, words[i]);
		hf_dict_text(
			interface, words[i], text == NULL ? "" : hf_strndup(f->a, text, strcspn(text, " ")));
	}
	const char *primary = hf_facts_file(f, "%s/bonding/primary", path);
	if (primary != NULL)
		hf_dict_text(interface, "primary", primary);
}

static void interface_facts(struct network *net, const char *device)
{
	struct hf_facts *f = net->f;
	const char *path = hf_sprintf(f->a, "/sys/class/net/%s", device);
	if (!hf_fs_is_dir(path))
		return;
	struct hf_value *interface = interface_get(net, device);
	const char *mac = hf_facts_file(f, "%s/address", path), *mtu = hf_facts_file(f, "%s/mtu", path);
	const char *state = hf_facts_file(f, "%s/operstate", path), *type = hf_facts_file(f, "%s/type", path);
	const char *speed = hf_facts_file(f, "%s/speed", path), *flags = hf_facts_file(f, "%s/flags", path);
	const char *module = hf_facts_link(f, hf_sprintf(f->a, "%s/device/driver/module", path));
	const char *pci = hf_facts_link(f, hf_sprintf(f->a, "%s/device", path));
	hf_dict_text(interface, "device", device);
	if (mac != NULL && strcmp(mac, "00:00:00:00:00:00") != 0)
		hf_dict_text(interface, "macaddress", mac);
	if (mtu != NULL)
		hf_dict_put(interface, "mtu", hf_value_int(f->a, strtoll(mtu, NULL, 10)));
	if (state != NULL)
		hf_dict_put(interface, "active", hf_value_bool(f->a, strcmp(state, "down") != 0));
	if (module != NULL)
		hf_dict_text(interface, "module", module);
	if (type != NULL)
		hf_dict_text(interface, "type", interface_type(type));
	interface_bridge(f, interface, path);
	interface_bond(f, interface, path);
	if (pci != NULL)
		hf_dict_text(interface, "pciid", pci);
	if (speed != NULL)
		hf_dict_put(interface, "speed", hf_value_int(f->a, strtoll(speed, NULL, 10)));
	if (flags != NULL)
		hf_dict_put(interface, "promisc",
			hf_value_bool(f->a, (strtoull(flags, NULL, 16) & IFF_PROMISC) != 0));
}

static void interfaces_put(struct network *net)
{
	struct hf_value *names = hf_value_list(net->f->a);
	HF_DICT_EACH (net->interfaces, e) {
		char *name = hf_strdup(net->f->a, hf_entry_key(e)->u.string.p);
		for (char *p = name; *p != '\0'; p++)
			if (*p == ':')
				*p = '_';
		hf_list_append(names, hf_value_cstr(net->f->a, name));
		hf_facts_put(net->f, name, hf_entry_value(e));
	}
	hf_facts_put(net->f, "interfaces", names);
}

void hf_facts_network(struct hf_facts *f)
{
	struct hf_arena *a = f->a;
	struct network net = { .f = f,
		.interfaces = hf_value_dict(a),
		.default4 = hf_value_dict(a),
		.default6 = hf_value_dict(a),
		.all4 = hf_value_list(a),
		.all6 = hf_value_list(a),
		.local4 = hf_value_list(a),
		.local6 = hf_value_list(a) };
	struct hf_value *devices = hf_facts_names(f, "/sys/class/net");
	for (size_t i = 0; i < hf_list_len(devices); i++)
		interface_facts(&net, hf_list_at(devices, i)->u.string.p);
	defaults_ask(&net, AF_INET, "8.8.8.8");
	defaults_ask(&net, AF_INET6, "2404:6800:400a:800::1012");
	dump_ask(&net, RTM_GETADDR, AF_UNSPEC, address_visit);
	dump_ask(&net, RTM_GETROUTE, AF_INET, local_visit);
	dump_ask(&net, RTM_GETROUTE, AF_INET6, local_visit);
	interfaces_put(&net);
	hf_facts_put(f, "default_ipv4", net.default4);
	hf_facts_put(f, "default_ipv6", net.default6);
	hf_facts_put(f, "all_ipv4_addresses", net.all4);
	hf_facts_put(f, "all_ipv6_addresses", net.all6);
	struct hf_value *local = hf_value_dict(a);
	hf_dict_put(local, "ipv4", net.local4);
	hf_dict_put(local, "ipv6", net.local6);
	hf_facts_put(f, "locally_reachable_ips", local);
}
