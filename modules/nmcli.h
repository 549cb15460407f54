/* modules/nmcli.h - a connection of NetworkManager on its way: options, what is wanted, what there is.
 * Owns:  everything lives in the task's arena. */
#pragma once
#include <ctype.h>
#include <stdlib.h>

#include "lib/base/scope.h"
#include "modules/commands.h"

/* More than one word of a command may hold: a list that is too long fails there, and is not cut here. */
enum { HF_NMCLI_TEXT_MAX = 1 << 20 };
#define HF_NMCLI_SECRETS                                                                                     \
	"its secrets would stand in a command line; write the connection's file and reload it"

/* The kinds of connection, in the order of hf_nmcli_types. */
enum {
	BOND = 1 << 0,
	BOND_SLAVE = 1 << 1,
	BRIDGE = 1 << 2,
	BRIDGE_SLAVE = 1 << 3,
	DUMMY = 1 << 4,
	ETHERNET = 1 << 5,
	GENERIC = 1 << 6,
	GRE = 1 << 7,
	INFINIBAND = 1 << 8,
	IPIP = 1 << 9,
	SIT = 1 << 10,
	TEAM = 1 << 11,
	TEAM_SLAVE = 1 << 12,
	VLAN = 1 << 13,
	VXLAN = 1 << 14,
	WIFI = 1 << 15,
	GSM = 1 << 16,
	MACVLAN = 1 << 17,
	WIREGUARD = 1 << 18,
	VPN = 1 << 19,
	LOOPBACK = 1 << 20,
	OVS_INTERFACE = 1 << 21,
	OVS_BRIDGE = 1 << 22,
	OVS_PORT = 1 << 23,
	TUNNEL = GRE | IPIP | SIT,
	ANY = (1 << 24) - 1,
	REFUSED_TYPES = WIFI | GSM | WIREGUARD | VPN,
	/* Those that have addresses, an MTU, or may belong to another. */
	WITH_IP = BOND | BRIDGE | DUMMY | ETHERNET | GENERIC | INFINIBAND | TUNNEL | TEAM | VLAN | MACVLAN |
		  LOOPBACK | OVS_INTERFACE,
	WITH_MTU = BOND | BOND_SLAVE | DUMMY | ETHERNET | INFINIBAND | TEAM_SLAVE | VLAN,
	WITH_MASTER = ETHERNET | BRIDGE | BOND | VLAN | TEAM | BOND_SLAVE | BRIDGE_SLAVE | TEAM_SLAVE |
		      INFINIBAND | OVS_PORT | OVS_INTERFACE,
};

struct hf_nmcli_params {
	const char *conn_name, *state, *type, *ifname, *master, *slave_type, *zone, *mac, *gw4, *gw6,
		*method4, *method6, *dhcp_client_id, *ip_privacy6, *addr_gen_mode6, *mode, *xmit_hash_policy,
		*arp_ip_target, *primary, *runner, *runner_hwaddr_policy, *vlandev, *flags, *ingress, *egress,
		*vxlan_local, *vxlan_remote, *tunnel_dev, *tunnel_local, *tunnel_remote, *input_key,
		*output_key, *transport_mode, *unused;
	struct hf_value *ip4, *ip6, *routes4, *routes6, *routes4_extended, *routes6_extended, *routing_rules4,
		*dns4, *dns4_search, *dns4_options, *dns6, *dns6_search, *dns6_options, *macvlan;
	int64_t route_metric4, route_metric6, mtu, miimon, downdelay, updelay, arp_interval, priority,
		slavepriority, forwarddelay, hellotime, maxage, ageingtime, path_cost, vlanid, vxlan_id;
	enum hf_tristate autoconnect, conn_reload, gw4_ignore_auto, gw6_ignore_auto, dns4_ignore_auto,
		dns6_ignore_auto, never_default4, may_fail4, stp, hairpin, runner_fast_rate,
		ignore_unsupported_suboptions;
};
extern const struct hf_arg hf_nmcli_args[];
extern const char *const hf_nmcli_types[];
unsigned hf_nmcli_type_bit(const char *name);
extern const char *const hf_nmcli_privacies[];

struct hf_nmcli_pair {
	const char *key;
	struct hf_value *value; /* text, or a list of texts */
};
struct hf_nmcli {
	struct hf_commands m; /* the first: hf_commands_undo() finds it there */
	struct hf_module_context *c;
	struct hf_arena *a;
	const struct hf_nmcli_params *p;
	unsigned type; /* one bit; 0: not known */
	const char *type_name;
	HF_VEC(struct hf_nmcli_pair) wanted;
	struct hf_value *now; /* key: text, list or null; NULL: there is no such connection */
	bool down_first;
};

/* Fills wanted, in the order of the command. */
void hf_nmcli_want(struct hf_nmcli *w);
/* Named, and not with null. */
bool hf_nmcli_given(const struct hf_nmcli *w, const char *option);
/* Is the value of this key a list? */
bool hf_nmcli_is_list(const char *key);
/* A route as the options write it: {ip, next_hop, metric, table …} */
const char *hf_nmcli_route(struct hf_nmcli *w, const struct hf_value *route);
/* Fills now. */
HF_CHECK int hf_nmcli_look(struct hf_nmcli *w, struct hf_error *err);
/* "2 (auto)" is 2. */
struct hf_str hf_nmcli_number(struct hf_str text);
