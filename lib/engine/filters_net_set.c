/* lib/engine/filters_net_set.c - sets of addresses: usable_range, cidr_merge, reduce_on_network, vlan_parser.
 */
#include <stdlib.h>

#include "lib/base/scope.h"
#include "lib/engine/filters.h"
#include "lib/engine/ip.h"

static int network_read(struct hf_eval *e, const struct hf_value *v, const char *what, struct hf_ip *ret,
	struct hf_error *err)
{
	if (v->type == HF_STRING && hf_ip_parse(v->u.string, ret))
		return 0;
	return hf_fail(err, HF_E_TEMPLATE, "%s: '%s' is neither an address nor a network", what,
		hf_value_text(hf_eval_arena(e), v).p);
}

FILTER(usable_range)
{
	struct hf_arena *a = hf_eval_arena(e);
	struct hf_ip ip;
	int r = network_read(e, input, "usable_range", &ip, err);
	if (r < 0)
		return r;
	hf_ip_number first = hf_ip_first(&ip), last = hf_ip_last(&ip);
	if (ip.address != first)
		return hf_fail(err, HF_E_TEMPLATE, "usable_range: %s has host bits set", input->u.string.p);
	if (last - first >= FILTER_ITEMS_MAX)
		return hf_fail(err, HF_E_LIMIT, "usable_range: more than %d addresses", FILTER_ITEMS_MAX);
	struct hf_value *list = hf_value_list(a);
	size_t n = (size_t)(last - first) + 1;
	for (size_t i = 0; i < n; i++)
		hf_list_append(list, hf_value_cstr(a, hf_ip_text(a, ip.version, first + i)));
	*ret = hf_value_dict(a);
	hf_dict_put(*ret, "usable_ips", list);
	hf_dict_put(*ret, "number_of_ips", hf_value_int(a, (int64_t)n));
	return 0;
}

/* --- merging --- */

struct range {
	int version;
	hf_ip_number first, last;
};

static int range_order(const void *x, const void *y)
{
	const struct range *a = x, *b = y;
	if (a->version != b->version)
		return a->version - b->version;
	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	return a->last < b->last ? -1 : a->last > b->last;
}

static size_t ranges_join(struct range *at, size_t n)
{
	size_t kept = 0;
	for (size_t i = 0; i < n; i++) {
		struct range *top = kept == 0 ? NULL : &at[kept - 1];
		if (top != NULL && top->version == at[i].version &&
			(at[i].first <= top->last || at[i].first - 1 == top->last))
			top->last = at[i].last > top->last ? at[i].last : top->last;
		else
			at[kept++] = at[i];
	}
	return kept;
}

static struct hf_value *block_text(struct hf_arena *a, int version, hf_ip_number first, int prefix)
{
	return hf_value_cstr(a, hf_ip_network_text(a, version, first, prefix));
}

/* A range as the fewest networks, lowest first. */
static void range_split(struct hf_arena *a, struct range r, struct hf_value *into)
{
	int bits = r.version == 4 ? 32 : 128;
	for (;;) {
		int size = 0; /* in bits of host part */
		hf_ip_number last = r.first;
		while (size < bits) {
			hf_ip_number bit = (hf_ip_number)1 << size;
			if ((r.first & bit) != 0 || (last | bit) > r.last)
				break;
			last |= bit;
			size++;
		}
		hf_list_append(into, block_text(a, r.version, r.first, bits - size));
		if (last >= r.last)
			return;
		r.first = last + 1;
	}
}

static int range_span(
	struct hf_arena *a, const struct range *at, size_t n, struct hf_value **ret, struct hf_error *err)
{
	hf_ip_number low = at[0].first, high = at[0].last;
	int prefix = at[0].version == 4 ? 32 : 128;
	for (size_t i = 1; i < n; i++) {
		if (at[i].version != at[0].version)
			return hf_fail(err, HF_E_TEMPLATE, "cidr_merge: addresses of both versions");
		high = at[i].last > high ? at[i].last : high;
	}
	hf_ip_number block = 1;
	while (prefix > 0 && (low & ~(block - 1)) != (high & ~(block - 1))) {
		block <<= 1;
		prefix--;
	}
	*ret = block_text(a, at[0].version, prefix == 0 ? 0 : low & ~(block - 1), prefix);
	return 0;
}

FILTER(cidr_merge)
{
	FILTER_ARGS(1, "action");
	struct hf_arena *a = hf_eval_arena(e);
	struct hf_value *list = NULL;
	struct hf_str action;
	struct hf_ip ip;
	int r = filter_text_arg(e, call, 0, "action", "merge", &action, err);
	if (r == 0)
		r = filter_listed(e, input, &list, err);
	if (r < 0)
		return r;
	bool span = hf_str_is(action, "span");
	if (!span && !hf_str_is(action, "merge"))
		return hf_fail(err, HF_E_TEMPLATE, "cidr_merge: invalid action '%s'", action.p);
	size_t n = hf_list_len(list);
	struct range *at = hf_new_array(a, n + 1, struct range);
	for (size_t i = 0; i < n; i++) {
		r = network_read(e, hf_list_at(list, i), "cidr_merge", &ip, err);
		if (r < 0)
			return r;
		at[i] = (struct range){ ip.version, hf_ip_first(&ip), hf_ip_last(&ip) };
	}
	if (n == 1) { /* as it was given, with its host bits */
		struct hf_value *one = block_text(a, ip.version, ip.address, ip.prefix);
		*ret = span ? one : hf_value_list(a);
		if (!span)
			hf_list_append(*ret, one);
		return 0;
	}
	if (n > 1)
		qsort(at, n, sizeof(*at), range_order);
	*ret = span ? hf_value_null(a) : hf_value_list(a);
	if (span)
		return n == 0 ? 0 : range_span(a, at, n, ret, err);
	n = ranges_join(at, n);
	for (size_t i = 0; i < n; i++)
		range_split(a, at[i], *ret);
	return 0;
}

/* --- being inside --- */

/* First and last address as ansible.utils compares them, without the version: both 0 for what is no
 * address. */
struct bounds {
	hf_ip_number first, last;
};

static struct bounds bounds_of(struct hf_eval *e, const struct hf_value *v, bool usable)
{
	struct hf_ip ip;
	if (v == NULL || hf_is_sequence(v) || v->type == HF_DICT || !filter_network(e, v, &ip))
		return (struct bounds){ 0, 0 };
	hf_ip_number first = hf_ip_first(&ip), last = hf_ip_last(&ip), more = last - first;
	if (usable && more > 1)
		return (struct bounds){ first + 1, last - 1 };
	if (usable)
		return (struct bounds){ first, last };
	if (more > 1)
		return (struct bounds){ first, last };
	return (struct bounds){ first, first };
}

static bool inside(struct bounds outer, struct bounds inner)
{
	return inner.first >= outer.first && inner.first <= outer.last && inner.last >= outer.first &&
	       inner.last <= outer.last;
}

static int inside_filter(struct hf_eval *e, struct hf_value *input, const struct hf_call *call, bool usable,
	struct hf_value **ret, struct hf_error *err)
{
	FILTER_ARGS(1, "test");
	const struct hf_value *other = hf_call_arg(call, 0, "test");
	if (other == NULL || other->type == HF_NULL || input->type == HF_NULL)
		return hf_fail(err, HF_E_TEMPLATE, "two addresses or networks expected");
	*ret = hf_value_bool(
		hf_eval_arena(e), inside(bounds_of(e, input, usable), bounds_of(e, other, false)));
	return 0;
}

FILTER(network_in_usable)
{
	return inside_filter(e, input, call, true, ret, err);
}

FILTER(network_in_network)
{
	return inside_filter(e, input, call, false, ret, err);
}

FILTER(reduce_on_network)
{
	FILTER_ARGS(1, "network");
	struct hf_value *list = NULL;
	const struct hf_value *network = filter_arg(call, 0, "network");
	int r = filter_items(e, input, &list, err);
	if (r < 0)
		return r;
	if (network == NULL)
		return hf_fail(err, HF_E_TEMPLATE, "reduce_on_network needs a network");
	struct bounds outer = bounds_of(e, network, false);
	*ret = hf_value_list(hf_eval_arena(e));
	for (size_t i = 0; r == 0 && i < hf_list_len(list); i++) {
		struct hf_value *v = hf_list_at(list, i);
		if (v->type == HF_UNDEFINED)
			r = hf_eval_undefined(e, v, err);
		else if (inside(outer, bounds_of(e, v, false)))
			hf_list_append(
				*ret, hf_value_str(hf_eval_arena(e), hf_value_text(hf_eval_arena(e), v)));
	}
	return r;
}

static int usable_step(struct hf_eval *e, struct hf_value *input, const struct hf_call *call, int sign,
	struct hf_value **ret, struct hf_error *err)
{
	FILTER_ARGS(1, "offset");
	struct hf_ip v;
	int64_t offset;
	int r = filter_arg(call, 0, "offset") == NULL || input->type == HF_NULL
			? hf_fail(err, HF_E_TEMPLATE, "an address and an offset expected")
			: filter_int_arg(call, 0, "offset", 1, &offset, err);
	if (r < 0)
		return r;
	if (hf_is_sequence(input) || !filter_network(e, input, &v)) {
		*ret = hf_value_bool(hf_eval_arena(e), false);
		return 0;
	}
	*ret = hf_value_null(hf_eval_arena(e));
	__int128 at = (__int128)v.address + sign * (__int128)offset;
	hf_ip_number first = hf_ip_first(&v), last = hf_ip_last(&v), edge = last - first > 1;
	if (at < 0 && v.version == 4)
		return hf_fail(err, HF_E_TEMPLATE, "an address below the first");
	if (last == first || (hf_ip_number)at < first + edge || (hf_ip_number)at > last - edge)
		return 0;
	return filter_return_text(
		e, input, hf_str(hf_ip_text(hf_eval_arena(e), v.version, (hf_ip_number)at)), ret);
}

FILTER(next_nth_usable)
{
	return usable_step(e, input, call, 1, ret, err);
}

FILTER(previous_nth_usable)
{
	return usable_step(e, input, call, -1, ret, err);
}

/* --- VLANs --- */

enum { VLAN_MAX = 4094 };

static void vlan_add(struct hf_eval *e, struct hf_value *lines, struct hf_buf *line, const char *what,
	int64_t first_max, int64_t other_max)
{
	int64_t max = hf_list_len(lines) == 0 ? first_max : other_max;
	if ((int64_t)(line->n + strlen(what) + (line->n > 0)) > max) {
		hf_list_append(lines, hf_value_str(hf_eval_arena(e), hf_buf_str(line)));
		hf_buf_clear(line);
	}
	if (line->n > 0)
		hf_buf_put(line, ',');
	hf_buf_puts(line, what);
}

/* Numbers as a switch writes them: "100,1688,3002-3005", in lines no longer than wanted. */
FILTER(vlan_parser)
{
	FILTER_ARGS(2, "first_line_len", "other_line_len");
	struct hf_arena *a = hf_eval_arena(e);
	struct hf_value *list = NULL;
	int64_t first_max, other_max;
	int r = filter_int_arg(call, 0, "first_line_len", 48, &first_max, err);
	if (r == 0)
		r = filter_int_arg(call, 1, "other_line_len", 44, &other_max, err);
	if (r == 0)
		r = filter_items(e, input, &list, err);
	if (r < 0)
		return r;
	bool *seen = hf_new_array(a, VLAN_MAX + 2, bool);
	for (size_t i = 0; i < hf_list_len(list); i++) {
		const struct hf_value *v = hf_list_at(list, i);
		if (v->type != HF_INT || v->u.integer < 1 || v->u.integer > VLAN_MAX)
			return hf_fail(err, HF_E_TEMPLATE, "Valid VLAN range is 1-%d", VLAN_MAX);
		seen[v->u.integer] = true;
	}
	hf_auto_buf line = hf_buf_init((size_t)VLAN_MAX * 8);
	*ret = hf_value_list(a);
	for (int i = 1; i <= VLAN_MAX; i++) {
		int end = i;
		while (seen[i] && seen[end + 1])
			end++;
		if (seen[i])
			vlan_add(e, *ret, &line,
				end - i < 2 ? hf_sprintf(a, "%d", i) : hf_sprintf(a, "%d-%d", i, end),
				first_max, other_max);
		i = end - i < 2 ? i : end;
	}
	if (line.n > 0)
		hf_list_append(*ret, hf_value_str(a, hf_buf_str(&line)));
	return 0;
}

const struct hf_callable_row hf_ansible_filters_net_set[] = {
	{ "usable_range", usable_range, 0 },
	{ "cidr_merge", cidr_merge, 0 },
	{ "reduce_on_network", reduce_on_network, 0 },
	{ "network_in_usable", network_in_usable, 0 },
	{ "network_in_network", network_in_network, 0 },
	{ "next_nth_usable", next_nth_usable, 0 },
	{ "previous_nth_usable", previous_nth_usable, 0 },
	{ "vlan_parser", vlan_parser, 0 },
	{ 0 },
};
