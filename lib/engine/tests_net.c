/* lib/engine/tests_net.c - what an address is, as the tests of ansible.utils say. */
#include <ctype.h>
#include <netdb.h>
#include <sys/socket.h>

#include "lib/engine/filters.h"
#include "lib/engine/ip.h"

enum kind {
	IS_IP,
	IS_IPV4,
	IS_IPV6,
	IS_ADDRESS,
	IS_ADDRESS4,
	IS_ADDRESS6,
	IS_NETMASK,
	IS_HOSTMASK,
	IS_MAPPED,
	IS_6TO4,
	IS_TEREDO,
	IS_LOOPBACK,
	IS_MULTICAST,
	IS_PRIVATE,
	IS_PUBLIC,
	IS_RESERVED,
	IS_UNSPECIFIED,
};

/* ipaddress.ip_network() in strict mode, or ip_address(): bits behind the prefix must be 0. */
static bool parse(const struct hf_value *v, struct hf_ip *ip)
{
	return v->type == HF_STRING && hf_ip_parse(v->u.string, ip) &&
	       (ip->prefix == hf_ip_bits(ip) || ip->address == hf_ip_first(ip));
}

static bool mask_is(const struct hf_ip *ip, bool host)
{
	hf_ip_number mask = host ? ip->address : ~ip->address & 0xFFFFFFFFu;
	return ip->version == 4 && !ip->has_prefix && (mask & (mask + 1)) == 0;
}

static bool shape_is(const struct hf_ip *ip, enum kind kind)
{
	switch (kind) {
	case IS_IP:
		return true;
	case IS_IPV4:
		return ip->version == 4;
	case IS_IPV6:
		return ip->version == 6;
	case IS_ADDRESS:
		return !ip->has_prefix;
	case IS_ADDRESS4:
		return ip->version == 4 && !ip->has_prefix;
	case IS_ADDRESS6:
		return ip->version == 6 && !ip->has_prefix;
	case IS_NETMASK:
	case IS_HOSTMASK:
		return mask_is(ip, kind == IS_HOSTMASK);
	case IS_MAPPED:
		return ip->version == 6 && ip->address >> 32 == 0xFFFF;
	case IS_6TO4:
		return ip->version == 6 && ip->address >> 112 == 0x2002;
	case IS_TEREDO:
		return ip->version == 6 && ip->address >> 96 == 0x20010000;
	default:
		return false;
	}
}

static bool is_public(const struct hf_ip *ip)
{
	struct hf_ip mapped = { 4, ip->address & UINT32_MAX, 32, false };
	return !ip->has_prefix && hf_ip_global(shape_is(ip, IS_MAPPED) ? &mapped : ip);
}

static int none_refuse(const struct hf_value *v, struct hf_error *err)
{
	return v != NULL && v->type == HF_NULL ? hf_fail(err, HF_E_TEMPLATE, "an address expected, not None")
					       : 0;
}

static int kind_test(struct hf_eval *e, const struct hf_value *input, enum kind kind, struct hf_value **ret,
	struct hf_error *err)
{
	if (none_refuse(input, err) < 0)
		return -HF_E_TEMPLATE;
	struct hf_ip ip;
	bool yes = parse(input, &ip);
	static const enum hf_ip_range ranges[] = { [IS_LOOPBACK] = HF_IP_LOOPBACK,
		[IS_MULTICAST] = HF_IP_MULTICAST,
		[IS_PRIVATE] = HF_IP_PRIVATE,
		[IS_RESERVED] = HF_IP_RESERVED,
		[IS_UNSPECIFIED] = HF_IP_UNSPECIFIED };
	if (yes && (kind == IS_PUBLIC || kind == IS_PRIVATE))
		yes = !ip.has_prefix && is_public(&ip) == (kind == IS_PUBLIC);
	else if (yes)
		yes = kind < IS_LOOPBACK ? shape_is(&ip, kind) : hf_ip_in(&ip, ranges[kind]);
	*ret = hf_value_bool(hf_eval_arena(e), yes);
	return 0;
}

#define KIND_TEST(name, kind)                                                                                \
	FILTER(name)                                                                                         \
	{                                                                                                    \
		return kind_test(e, input, kind, ret, err);                                                  \
	}
KIND_TEST(t_ip, IS_IP)
KIND_TEST(t_ipv4, IS_IPV4)
KIND_TEST(t_ipv6, IS_IPV6)
KIND_TEST(t_address, IS_ADDRESS)
KIND_TEST(t_address4, IS_ADDRESS4)
KIND_TEST(t_address6, IS_ADDRESS6)
KIND_TEST(t_netmask, IS_NETMASK)
KIND_TEST(t_hostmask, IS_HOSTMASK)
KIND_TEST(t_mapped, IS_MAPPED)
KIND_TEST(t_6to4, IS_6TO4)
KIND_TEST(t_teredo, IS_TEREDO)
KIND_TEST(t_loopback, IS_LOOPBACK)
KIND_TEST(t_multicast, IS_MULTICAST)
KIND_TEST(t_private, IS_PRIVATE)
KIND_TEST(t_public, IS_PUBLIC)
KIND_TEST(t_reserved, IS_RESERVED)
KIND_TEST(t_unspecified, IS_UNSPECIFIED)

static int subnet_test(struct hf_eval *e, const struct hf_value *outer, const struct hf_value *inner,
	struct hf_value **ret, struct hf_error *err)
{
	if (none_refuse(outer, err) < 0 || none_refuse(inner, err) < 0)
		return -HF_E_TEMPLATE;
	struct hf_ip x, y;
	bool yes = outer != NULL && inner != NULL && parse(outer, &x) && parse(inner, &y) &&
		   hf_ip_contains(&x, &y);
	*ret = hf_value_bool(hf_eval_arena(e), yes);
	return 0;
}

FILTER(t_in_network)
{
	return subnet_test(e, hf_call_arg(call, 0, "network_b"), input, ret, err);
}

FILTER(t_supernet_of)
{
	return subnet_test(e, input, hf_call_arg(call, 0, "network_b"), ret, err);
}

static int count_test(struct hf_eval *e, struct hf_value *input, const struct hf_call *call, bool exactly_one,
	struct hf_value **ret, struct hf_error *err)
{
	const struct hf_value *list = hf_call_arg(call, 0, "networks");
	size_t n = 0;
	if (list == NULL || !hf_is_sequence(list))
		return hf_fail(err, HF_E_TEMPLATE, "a list of networks expected");
	for (size_t i = 0; i < hf_list_len(list); i++) {
		if (hf_list_at(list, i)->type == HF_UNDEFINED)
			return hf_eval_undefined(e, hf_list_at(list, i), err);
		if (subnet_test(e, hf_list_at(list, i), input, ret, err) < 0)
			return -HF_E_TEMPLATE;
		n += (*ret)->u.boolean;
	}
	*ret = hf_value_bool(hf_eval_arena(e), exactly_one ? n == 1 : n > 0);
	return 0;
}

FILTER(t_in_any)
{
	return count_test(e, input, call, false, ret, err);
}

FILTER(t_in_one)
{
	return count_test(e, input, call, true, ret, err);
}

/* aa:bb:cc:dd:ee:ff, aa-bb-…, aabb.ccdd.eeff, aabbccddeeff */
FILTER(t_mac)
{
	size_t digits = 0, group = 0;
	char separator = '\0';
	bool ok = true;
	if (input->type != HF_STRING)
		return hf_fail(err, HF_E_TEMPLATE, "mac: text expected, not %s", hf_type_name(input));
	for (size_t i = 0; ok && i < input->u.string.n; i++) {
		char c = input->u.string.p[i];
		if (isxdigit((unsigned char)c)) {
			digits++;
			continue;
		}
		size_t wanted = c == '.' ? 4 : 2;
		ok = (c == ':' || c == '-' || c == '.') && (separator == '\0' || c == separator) &&
		     digits - group == wanted;
		separator = c;
		group = digits;
	}
	ok = ok && digits == 12 && (separator == '\0' || digits - group == (separator == '.' ? 4u : 2u));
	*ret = hf_value_bool(hf_eval_arena(e), ok);
	return 0;
}

/* A name that has an address, or an address that has a name, as the system's resolver says. */
FILTER(t_resolvable)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST }, *found = NULL;
	char name[NI_MAXHOST];
	struct hf_str host;
	int r = hf_eval_text(e, input, &host, err);
	if (r < 0)
		return r;
	bool numeric = getaddrinfo(host.p, NULL, &hints, &found) == 0;
	bool yes = numeric && getnameinfo(found->ai_addr, found->ai_addrlen, name, sizeof(name), NULL, 0,
				      NI_NAMEREQD) == 0;
	if (!numeric) {
		hints.ai_flags = 0;
		yes = getaddrinfo(host.p, NULL, &hints, &found) == 0;
	}
	if (found != NULL)
		freeaddrinfo(found);
	*ret = hf_value_bool(hf_eval_arena(e), yes);
	return 0;
}

const struct hf_callable_row hf_ansible_tests_net[] = {
	{ "ip", t_ip, 0 },
	{ "ipv4", t_ipv4, 0 },
	{ "ipv6", t_ipv6, 0 },
	{ "ip_address", t_address, 0 },
	{ "ipv4_address", t_address4, 0 },
	{ "ipv6_address", t_address6, 0 },
	{ "ipv4_netmask", t_netmask, 0 },
	{ "ipv4_hostmask", t_hostmask, 0 },
	{ "ipv6_ipv4_mapped", t_mapped, 0 },
	{ "ipv6_sixtofour", t_6to4, 0 },
	{ "ipv6_teredo", t_teredo, 0 },
	{ "loopback", t_loopback, 0 },
	{ "multicast", t_multicast, 0 },
	{ "private", t_private, 0 },
	{ "public", t_public, 0 },
	{ "reserved", t_reserved, 0 },
	{ "unspecified", t_unspecified, 0 },
	{ "in_network", t_in_network, 0 },
	{ "subnet_of", t_in_network, 0 },
	{ "supernet_of", t_supernet_of, 0 },
	{ "in_any_network", t_in_any, 0 },
	{ "in_one_network", t_in_one, 0 },
	{ "mac", t_mac, 0 },
	{ "resolvable", t_resolvable, HF_REACHES_OUT },
	{ 0 },
};
