/* lib/engine/filters_net.c - ipaddr and its relatives, as ansible.utils has them. */
#include <stdlib.h>

#include "lib/base/scope.h"
#include "lib/engine/filters.h"
#include "lib/engine/ip.h"

/* An answer to a query: a value, or nothing (None). */
struct query {
	struct hf_arena *arena;
	struct hf_ip ip;
	struct hf_value *value; /* as given */
	hf_ip_number first, last;
	bool many, network; /* many: more than two addresses; network: the text had a prefix */
};
typedef struct hf_value *(*answer)(const struct query *q);
/* Answers that are refusals. */
static struct hf_value not_network, not_peer;

static struct hf_value *text(const struct query *q, const char *s)
{
	return hf_value_cstr(q->arena, s);
}

static struct hf_value *address(const struct query *q, hf_ip_number n)
{
	return text(q, hf_ip_text(q->arena, q->ip.version, n));
}

static struct hf_value *with_prefix(const struct query *q, hf_ip_number n)
{
	return text(q, hf_ip_network_text(q->arena, q->ip.version, n, q->ip.prefix));
}

static bool single(const struct query *q)
{
	return q->first == q->last;
}

static struct hf_value *whole(const struct query *q)
{
	return with_prefix(q, q->ip.address);
}

static struct hf_value *q_default(const struct query *q)
{
	return q->network ? whole(q) : address(q, q->ip.address);
}

static struct hf_value *q_address(const struct query *q)
{
	bool has_broadcast = q->ip.version == 4 && q->last - q->first > 1;
	return single(q) || q->ip.address != q->first || !has_broadcast ? address(q, q->ip.address) : NULL;
}

static struct hf_value *q_address_prefix(const struct query *q)
{
	bool edge =
		q->many && (q->ip.address == q->first || (q->ip.version == 4 && q->ip.address == q->last));
	return edge ? hf_value_bool(q->arena, false) : whole(q);
}

static struct hf_value *q_host(const struct query *q)
{
	return single(q) || q->ip.address != q->first ? whole(q) : NULL;
}

static struct hf_value *q_ip_prefix(const struct query *q)
{
	bool two = q->last - q->first == 1;
	return two || (!single(q) && q->ip.address != q->first) ? whole(q) : NULL;
}

static struct hf_value *q_bool(const struct query *q)
{
	return hf_value_bool(q->arena, true);
}

static struct hf_value *q_broadcast(const struct query *q)
{
	return q->many ? (q->ip.version == 4 ? address(q, q->last) : text(q, "None")) : NULL;
}

static struct hf_value *q_hostmask(const struct query *q)
{
	return address(q, hf_ip_hostmask(&q->ip));
}

static hf_ip_number netmask(const struct query *q)
{
	hf_ip_number all = q->ip.version == 6 ? ~(hf_ip_number)0 : 0xFFFFFFFFu;
	return all & ~hf_ip_hostmask(&q->ip);
}

static struct hf_value *q_netmask(const struct query *q)
{
	return address(q, netmask(q));
}

static struct hf_value *pair(const struct query *q, hf_ip_number x, hf_ip_number y)
{
	return text(q, hf_sprintf(q->arena, "%s %s", hf_ip_text(q->arena, q->ip.version, x),
			       hf_ip_text(q->arena, q->ip.version, y)));
}

static struct hf_value *q_ip_netmask(const struct query *q)
{
	return q->last - q->first == 1 || (!single(q) && q->ip.address != q->first)
		       ? pair(q, q->ip.address, netmask(q))
		       : NULL;
}

static struct hf_value *q_network_netmask(const struct query *q)
{
	return pair(q, q->first, netmask(q));
}

static struct hf_value *q_network_wildcard(const struct query *q)
{
	return pair(q, q->first, hf_ip_hostmask(&q->ip));
}

static struct hf_value *q_int(const struct query *q)
{
	const char *n = hf_ip_decimal(q->arena, q->ip.address);
	return q->network ? text(q, hf_sprintf(q->arena, "%s/%d", n, q->ip.prefix))
			  : hf_value_bigint(q->arena, hf_str(n));
}

static struct hf_value *q_net(const struct query *q)
{
	return !single(q) && q->ip.address == q->first ? with_prefix(q, q->first) : NULL;
}

static struct hf_value *q_network(const struct query *q)
{
	return address(q, q->first);
}

static struct hf_value *q_subnet(const struct query *q)
{
	return with_prefix(q, q->first);
}

static struct hf_value *q_prefix(const struct query *q)
{
	return hf_value_int(q->arena, q->ip.prefix);
}

static struct hf_value *q_size(const struct query *q)
{
	return hf_value_bigint(q->arena, hf_str(hf_ip_decimal(q->arena, q->last - q->first + 1)));
}

static struct hf_value *q_size_usable(const struct query *q)
{
	if (!q->network || single(q))
		return hf_value_int(q->arena, 0);
	hf_ip_number size = q->last - q->first + 1;
	return hf_value_bigint(q->arena, hf_str(hf_ip_decimal(q->arena, size == 2 ? 2 : size - 2)));
}

static struct hf_value *usable(const struct query *q, hf_ip_number n)
{
	if (!q->network)
		return &not_network;
	bool in = n >= q->first + q->many && n <= q->last - q->many; /* both ends of a /31 are usable */
	return !single(q) && in ? address(q, n) : NULL;
}

static struct hf_value *q_first_usable(const struct query *q)
{
	return usable(q, q->first + q->many);
}

static struct hf_value *q_last_usable(const struct query *q)
{
	return usable(q, q->last - q->many);
}

static struct hf_value *q_next_usable(const struct query *q)
{
	return usable(q, q->ip.address + 1);
}

static struct hf_value *q_previous_usable(const struct query *q)
{
	return usable(q, q->ip.address - 1);
}

static struct hf_value *q_range_usable(const struct query *q)
{
	if (!q->network)
		return &not_network;
	return single(q) ? NULL
			 : text(q, hf_sprintf(q->arena, "%s-%s",
					   hf_ip_text(q->arena, q->ip.version, q->first + q->many),
					   hf_ip_text(q->arena, q->ip.version, q->last - q->many)));
}

static struct hf_value *q_peer(const struct query *q)
{
	hf_ip_number size = q->last - q->first + 1;
	if (!q->network)
		return &not_network;
	if (size == 2)
		return address(q, q->ip.address ^ 1);
	return size == 4 && q->ip.address != q->first && q->ip.address != q->last
		       ? address(q, q->ip.address ^ 3)
		       : &not_peer;
}

static struct hf_value *q_type(const struct query *q)
{
	return text(q, single(q) || q->ip.address != q->first ? "address" : "network");
}

static struct hf_value *q_version(const struct query *q)
{
	return hf_value_int(q->arena, q->ip.version);
}

static struct hf_value *q_ipv4(const struct query *q)
{
	hf_ip_number high = q->ip.address >> 32;
	if (q->ip.version == 4)
		return q->value;
	if ((high != 0 && high != 0xFFFF) || q->ip.prefix < 96)
		return hf_value_bool(q->arena, false);
	return text(q, hf_ip_network_text(q->arena, 4, q->ip.address & 0xFFFFFFFFu, q->ip.prefix - 96));
}

static struct hf_value *q_ipv6(const struct query *q)
{
	return q->ip.version == 6
		       ? q->value
		       : text(q, hf_ip_network_text(q->arena, 6, q->ip.address | (hf_ip_number)0xFFFF << 32,
					 q->ip.prefix + 96));
}

static struct hf_value *q_wrap(const struct query *q)
{
	const char *ip = hf_ip_text(q->arena, q->ip.version, q->ip.address);
	if (q->ip.version == 4)
		return q->value;
	return text(q, q->network ? hf_sprintf(q->arena, "[%s]/%d", ip, q->ip.prefix)
				  : hf_sprintf(q->arena, "[%s]", ip));
}

static struct hf_value *q_revdns(const struct query *q)
{
	hf_auto_buf out = hf_buf_init(256);
	hf_ip_number n = q->ip.address;
	for (int i = 0; i < (q->ip.version == 4 ? 4 : 32); i++, n >>= q->ip.version == 4 ? 8 : 4)
		hf_buf_printf(&out, q->ip.version == 4 ? "%u." : "%x.",
			(unsigned)(n & (q->ip.version == 4 ? 0xFFu : 0xFu)));
	hf_buf_puts(&out, q->ip.version == 4 ? "in-addr.arpa." : "ip6.arpa.");
	return text(q, hf_buf_str(&out).p);
}

#define Q_RANGE(name, condition)                                                                             \
	static struct hf_value *name(const struct query *q)                                                  \
	{                                                                                                    \
		return (condition) ? q->value : NULL;                                                        \
	}
Q_RANGE(q_private, !hf_ip_global(&q->ip))
Q_RANGE(q_loopback, hf_ip_in(&q->ip, HF_IP_LOOPBACK))
Q_RANGE(q_multicast, hf_ip_in(&q->ip, HF_IP_MULTICAST))
Q_RANGE(q_unicast, !hf_ip_in(&q->ip, HF_IP_MULTICAST))
Q_RANGE(q_link_local, hf_ip_in(&q->ip, HF_IP_LINK_LOCAL))
Q_RANGE(q_public, hf_ip_global(&q->ip) && !hf_ip_in(&q->ip, HF_IP_MULTICAST))

static struct hf_value *q_6to4(const struct query *q)
{
	unsigned n = (unsigned)q->ip.address;
	if (q->ip.version == 6)
		return q->ip.address >> 112 == 0x2002 && (!q->network || q->ip.address != q->first)
			       ? q->value
			       : hf_value_bool(q->arena, false);
	if (!single(q) && q->ip.address == q->first)
		return hf_value_bool(q->arena, false);
	if (hf_ip_global(&q->ip) && hf_ip_in(&q->ip, HF_IP_MULTICAST))
		return hf_value_bool(q->arena, false);
	return text(q, hf_sprintf(q->arena, "2002:%04x:%04x::1/48", n >> 16, n & 0xFFFF));
}

static const struct {
	const char *name;
	answer fn;
} queries[] = {
	{ "", q_default },
	{ "6to4", q_6to4 },
	{ "address", q_address },
	{ "address/prefix", q_address_prefix },
	{ "bool", q_bool },
	{ "broadcast", q_broadcast },
	{ "cidr", whole },
	{ "first_usable", q_first_usable },
	{ "gateway", q_address_prefix },
	{ "gw", q_address_prefix },
	{ "host", q_host },
	{ "host/prefix", q_address_prefix },
	{ "hostmask", q_hostmask },
	{ "hostnet", q_address_prefix },
	{ "int", q_int },
	{ "ip", q_address },
	{ "ip/prefix", q_ip_prefix },
	{ "ip_netmask", q_ip_netmask },
	{ "ipv4", q_ipv4 },
	{ "v4", q_ipv4 },
	{ "ipv6", q_ipv6 },
	{ "v6", q_ipv6 },
	{ "last_usable", q_last_usable },
	{ "link-local", q_link_local },
	{ "lo", q_loopback },
	{ "loopback", q_loopback },
	{ "multicast", q_multicast },
	{ "net", q_net },
	{ "netmask", q_netmask },
	{ "network", q_network },
	{ "network/prefix", q_subnet },
	{ "network_id", q_network },
	{ "network_netmask", q_network_netmask },
	{ "network_wildcard", q_network_wildcard },
	{ "next_usable", q_next_usable },
	{ "peer", q_peer },
	{ "prefix", q_prefix },
	{ "previous_usable", q_previous_usable },
	{ "private", q_private },
	{ "public", q_public },
	{ "range_usable", q_range_usable },
	{ "revdns", q_revdns },
	{ "router", q_address_prefix },
	{ "size", q_size },
	{ "size_usable", q_size_usable },
	{ "subnet", q_subnet },
	{ "type", q_type },
	{ "unicast", q_unicast },
	{ "version", q_version },
	{ "wildcard", q_hostmask },
	{ "wrap", q_wrap },
};

/* A number is an address of its own; version 0: 4 first. */
static bool value_parse(struct hf_arena *a, const struct hf_value *v, int version, struct hf_ip *ret)
{
	struct hf_str s = hf_value_text(a, v);
	hf_ip_number number = 0;
	size_t digits = strspn(s.p, "0123456789");
	if (digits == 0 || digits > 38 || (digits < s.n && s.p[digits] != '/'))
		return hf_ip_parse(s, ret);
	for (size_t i = 0; i < digits; i++)
		number = number * 10 + (unsigned)(s.p[i] - '0');
	int chosen = version != 0 ? version : number <= UINT32_MAX ? 4 : 6;
	*ret = (struct hf_ip){ chosen, number, chosen == 4 ? 32 : 128, false };
	if (digits < s.n) { /* number/prefix */
		int64_t prefix;
		if (!hf_str_to_int64(hf_str(s.p + digits + 1), &prefix) || prefix < 0 ||
			prefix > hf_ip_bits(ret))
			return false;
		ret->prefix = (int)prefix;
		ret->has_prefix = true;
	}
	return chosen == 6 || number <= UINT32_MAX;
}

/* A query that is a number counts addresses from the start of the network, or from its end. */
static int nth_query(const struct query *q, struct hf_str query, struct hf_value **ret, struct hf_error *err)
{
	int64_t n;
	char *end;
	double real = strtod(query.p, &end);
	if (query.n > 0 && *end == '\0' && real == real && !hf_str_to_int64(query, &n)) {
		*ret = single(q) ? q_default(q) : hf_value_bool(q->arena, false);
		return 0;
	}
	if (!hf_str_to_int64(query, &n))
		return hf_fail(err, HF_E_TEMPLATE, "ipaddr: unknown filter type: %.*s", HF_STR_ARG(query));
	hf_ip_number size = q->last - q->first;
	if (single(q))
		*ret = q_default(q);
	else if ((n < 0 ? (hf_ip_number)-n - 1 : (hf_ip_number)n) > size)
		*ret = hf_value_bool(q->arena, false);
	else
		*ret = with_prefix(q, n < 0 ? q->last - ((hf_ip_number)-n - 1) : q->first + (hf_ip_number)n);
	return 0;
}

static int ip_query(struct hf_arena *a, struct hf_value *v, struct hf_str name, int version,
	struct hf_value **ret, struct hf_error *err)
{
	struct query q = { .arena = a, .value = v };
	struct hf_ip other;
	*ret = hf_value_bool(a, false);
	if (!hf_value_truthy(v) || v->type == HF_BOOL || !value_parse(a, v, version, &q.ip) ||
		(version != 0 && q.ip.version != version))
		return 0;
	q.first = hf_ip_first(&q.ip);
	q.last = hf_ip_last(&q.ip);
	q.many = q.last - q.first > 1;
	q.network = q.ip.has_prefix;
	if (hf_value_text(a, v).n == strspn(hf_value_text(a, v).p, "0123456789"))
		q.value = whole(&q); /* a number is the address it stands for */
	struct hf_value *found = NULL;
	for (size_t i = 0; i < HF_COUNT(queries); i++)
		if (hf_str_is(name, queries[i].name)) {
			found = queries[i].fn(&q);
			if (found == &not_network || found == &not_peer)
				return hf_fail(err, HF_E_TEMPLATE,
					found == &not_network ? "Not a network address"
							      : "Not a point-to-point network");
			*ret = found == NULL ? hf_value_null(a) : found;
			return 0;
		}
	if (hf_ip_parse(name, &other)) {
		*ret = hf_ip_contains(&other, &q.ip) ? v : hf_value_null(a);
		return 0;
	}
	return nth_query(&q, name, ret, err);
}

static int ip_filter(struct hf_eval *e, struct hf_value *input, const struct hf_call *call, int version,
	struct hf_value **ret, struct hf_error *err)
{
	struct hf_arena *a = hf_eval_arena(e);
	struct hf_str name;
	const struct hf_value *query = hf_call_arg(call, 0, "query");
	int r = query != NULL && query->type == HF_NULL
			? hf_fail(err, HF_E_TEMPLATE, "ipaddr: the query is None")
			: filter_text_arg(e, call, 0, "query", "", &name, err);
	if (r < 0)
		return r;
	if (input->type != HF_STRING && input->type != HF_INT && input->type != HF_BOOL &&
		input->type != HF_BIGINT && !hf_is_sequence(input))
		return hf_fail(err, HF_E_TEMPLATE, "ipaddr: a string, a number or a list expected, not %s",
			hf_type_name(input));
	if (!hf_is_sequence(input))
		return ip_query(a, input, name, version, ret, err);
	struct hf_value *list = hf_value_list(a), *item = NULL;
	for (size_t i = 0; i < hf_list_len(input); i++) {
		r = ip_query(a, hf_list_at(input, i), name, version, &item, err);
		if (r < 0)
			return r;
		if (hf_value_truthy(item))
			hf_list_append(list, item);
	}
	*ret = list;
	return 0;
}

FILTER(ipaddr)
{
	FILTER_ARGS(3, "query", "version", "alias");
	int64_t version;
	int r = filter_int_arg(call, 1, "version", 0, &version, err);
	return r < 0 ? r : ip_filter(e, input, call, (int)version, ret, err);
}

FILTER(ipv4)
{
	return ip_filter(e, input, call, 4, ret, err);
}

FILTER(ipv6)
{
	return ip_filter(e, input, call, 6, ret, err);
}

/* What is given beside the value is not looked at; what is no address stays. */
FILTER(ipwrap)
{
	struct hf_arena *a = hf_eval_arena(e);
	struct hf_value *list = hf_value_list(a), *item = NULL;
	bool many = hf_is_sequence(input);
	int r = call->kwargs != NULL && hf_dict_len(call->kwargs) > 0
			? hf_fail(err, HF_E_TEMPLATE, "ipwrap takes no arguments")
			: 0;
	if (r == 0 && !many && input->type != HF_STRING && input->type != HF_BOOL)
		r = hf_fail(
			err, HF_E_TEMPLATE, "Unrecognized type %s for ipwrap filter", hf_type_name(input));
	for (size_t i = 0; r == 0 && i < (many ? hf_list_len(input) : 1); i++) {
		struct hf_value *v = many ? hf_list_at(input, i) : input;
		r = ip_query(a, v, HF_STR(""), 0, &item, err);
		if (r == 0 && hf_value_truthy(item))
			r = ip_query(a, many ? v : item, HF_STR("wrap"), 0, &item, err);
		else
			item = v;
		hf_list_append(list, item);
	}
	*ret = many ? list : item;
	return r;
}

/* The network of a value, by its text; false as a value when there is none. */
bool filter_network(struct hf_eval *e, const struct hf_value *v, struct hf_ip *ret)
{
	return v != NULL && value_parse(hf_eval_arena(e), v, 0, ret);
}

static int subnet_number(struct hf_eval *e, struct hf_ip v, const struct hf_value *query,
	struct hf_value **ret, struct hf_error *err)
{
	struct hf_ip outer;
	bool ok = filter_network(e, query, &outer) && outer.prefix <= v.prefix;
	int bits = hf_ip_bits(&v), outside = bits - (ok ? outer.prefix : 0);
	hf_ip_number a = hf_ip_first(&v), b = ok ? hf_ip_first(&outer) : 0;
	if (!ok ||
		(outside < 128 && a >> outside != b >> outside)) /* versions are not compared there either */
		return hf_fail(err, HF_E_TEMPLATE, "ipsubnet: the address is not in the subnet %s",
			hf_value_text(hf_eval_arena(e), query).p);
	hf_ip_number mask = outside < 128 ? ((hf_ip_number)1 << outside) - 1 : ~(hf_ip_number)0;
	hf_ip_number n = bits - v.prefix < 128 ? (a & mask) >> (bits - v.prefix) : 0;
	return filter_return_text(e, NULL, hf_str(hf_ip_decimal(hf_eval_arena(e), n + 1)), ret);
}

/* Of the networks around an address, widest first, number index. 1: found, 0: none, <0: Python's index error.
 */
static int around(struct hf_ip *v, int64_t prefix, int64_t index, bool given, struct hf_error *err)
{
	int64_t bits = hf_ip_bits(v), count = v->prefix - prefix;
	if (given && (index > bits + 1 - index || index < prefix - bits))
		return 0;
	index = index < 0 ? index + count : index;
	if (index < 0 || index >= count)
		return hf_fail(err, HF_E_TEMPLATE, "ipsubnet: list index out of range");
	v->prefix = (int)(prefix + index);
	v->address = hf_ip_first(v);
	return 1;
}

static int subnet_text(
	struct hf_eval *e, const struct hf_ip *v, hf_ip_number first, int prefix, struct hf_value **ret)
{
	return filter_return_text(
		e, NULL, hf_str(hf_ip_network_text(hf_eval_arena(e), v->version, first, prefix)), ret);
}

/* How many networks of that prefix there are in v; or, with an index, one of them. */
static int subnet_part(struct hf_eval *e, const struct hf_ip *v, int64_t prefix, const int64_t *index,
	struct hf_value **ret, struct hf_error *err)
{
	if (prefix < v->prefix) { /* a part of one network is there, and no other */
		if (index == NULL)
			return hf_fail(err, HF_E_TEMPLATE, "Requested subnet size of %lld is invalid",
				(long long)prefix);
		return *index != 0 ? 0 : subnet_text(e, v, hf_ip_first(v), (int)prefix, ret);
	}
	if (prefix - v->prefix > 127)
		return hf_fail(err, HF_E_LIMIT, "ipsubnet: more networks than can be counted here");
	hf_ip_number count = (hf_ip_number)1 << (prefix - v->prefix);
	if (index == NULL)
		return filter_return_text(e, NULL, hf_str(hf_ip_decimal(hf_eval_arena(e), count)), ret);
	hf_ip_number which = *index < 0 ? count - (hf_ip_number) - *index : (hf_ip_number)*index;
	if (which >= count)
		return 0;
	hf_ip_number offset = which == 0 ? 0 : which << (hf_ip_bits(v) - prefix);
	return subnet_text(e, v, hf_ip_first(v) + offset, (int)prefix, ret);
}

FILTER(ipsubnet)
{
	FILTER_ARGS(2, "query", "index");
	struct hf_arena *a = hf_eval_arena(e);
	struct hf_ip v;
	const struct hf_value *query = filter_arg(call, 0, "query"), *place = filter_arg(call, 1, "index");
	int64_t prefix, index = 0;
	*ret = hf_value_bool(a, false);
	if (input->type == HF_NULL)
		return hf_fail(err, HF_E_TEMPLATE, "ipsubnet: no value");
	if (hf_is_sequence(input) || !filter_network(e, input, &v))
		return 0;
	bool is_address = v.prefix == hf_ip_bits(&v);
	if (query == NULL || !hf_value_truthy(query))
		return subnet_text(e, &v, hf_ip_first(&v), v.prefix, ret);
	if (!hf_str_to_int64(hf_value_text(a, query), &prefix))
		return subnet_number(e, v, query, ret, err);
	int r = filter_int_arg(call, 1, "index", 0, &index, err);
	if (r < 0 || prefix < 0 || prefix > hf_ip_bits(&v))
		return r;
	if (!is_address)
		return subnet_part(e, &v, prefix, place == NULL ? NULL : &index, ret, err);
	r = around(&v, prefix, index, place != NULL, err);
	return r <= 0 ? r : subnet_text(e, &v, v.address, v.prefix, ret);
}

FILTER(ipmath)
{
	FILTER_ARGS(1, "amount");
	struct hf_ip v;
	const struct hf_value *amount = hf_call_arg(call, 0, "amount");
	if (!hf_is(amount, HF_INT) && !hf_is(amount, HF_BOOL))
		return hf_fail(err, HF_E_TEMPLATE, "You must pass an integer for arithmetic");
	if (input->type != HF_STRING || !hf_ip_parse(input->u.string, &v))
		return hf_fail(err, HF_E_TEMPLATE, "You must pass a valid IP address");
	int64_t by = amount->type == HF_BOOL ? amount->u.boolean : amount->u.integer;
	hf_ip_number n = v.address + (hf_ip_number)(__int128)by;
	bool wraps = by < 0 ? n > v.address : n < v.address;
	if (wraps || (v.version == 4 && n > UINT32_MAX))
		return hf_fail(err, HF_E_TEMPLATE, "result outside valid IP address boundary!");
	return filter_return_text(e, input, hf_str(hf_ip_text(hf_eval_arena(e), v.version, n)), ret);
}

FILTER(ip4_hex)
{
	FILTER_ARGS(1, "delimiter");
	struct hf_str delimiter;
	struct hf_ip v;
	hf_auto_buf out = hf_buf_init(256);
	int r = filter_text_arg(e, call, 0, "delimiter", "", &delimiter, err);
	if (r < 0)
		return r;
	if (input->type != HF_STRING || strchr(input->u.string.p, '.') == NULL ||
		!filter_network(e, input, &v) || v.version != 4 || v.has_prefix || delimiter.n > 16)
		return hf_fail(err, HF_E_TEMPLATE, "ip4_hex: not an IPv4 address");
	for (int i = 3; i >= 0; i--) {
		hf_buf_printf(&out, "%02x", (unsigned)(v.address >> (8 * i) & 0xFF));
		if (i > 0)
			hf_buf_add(&out, delimiter);
	}
	return filter_return_buf(e, input, &out, "hex", ret, err);
}

FILTER(nthhost)
{
	FILTER_ARGS(1, "query");
	struct hf_ip v;
	int64_t n;
	const struct hf_value *query = filter_arg(call, 0, "query");
	bool number = query != NULL && filter_int_arg(call, 0, "query", 0, &n, NULL) == 0;
	int r = input->type == HF_NULL ? hf_fail(err, HF_E_TEMPLATE, "nthhost: no value") : 0;
	*ret = hf_value_bool(hf_eval_arena(e), false);
	if (r < 0 || !number || query->type == HF_BOOL || hf_is_sequence(input) ||
		!filter_network(e, input, &v))
		return r;
	hf_ip_number size = hf_ip_last(&v) - hf_ip_first(&v),
		     back = n < 0 ? (hf_ip_number)-n - 1 : (hf_ip_number)n;
	if (back > size)
		return 0;
	hf_ip_number at = n < 0 ? hf_ip_last(&v) - back : hf_ip_first(&v) + back;
	return filter_return_text(e, input, hf_str(hf_ip_text(hf_eval_arena(e), v.version, at)), ret);
}

const struct hf_callable_row hf_ansible_filters_net[] = {
	{ "ipaddr", ipaddr, 0 },
	{ "ipv4", ipv4, 0 },
	{ "ipv6", ipv6, 0 },
	{ "ipwrap", ipwrap, 0 },
	{ "ipsubnet", ipsubnet, 0 },
	{ "ipmath", ipmath, 0 },
	{ "ip4_hex", ip4_hex, 0 },
	{ "nthhost", nthhost, 0 },
	{ 0 },
};
