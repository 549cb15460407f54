/* lib/engine/filters_mac.c - hardware addresses: hwaddr, macaddr, slaac, random_mac. */
#include <ctype.h>

#include "lib/base/scope.h"
#include "lib/engine/filters.h"
#include "lib/engine/ip.h"
#include "lib/engine/twister.h"

/* The ways to write 48 bits: groups and the digits each may have. */
static const struct {
	size_t groups, least, most;
	const char *separators; /* one of these, the same between all groups */
} shapes[] = {
	{ 6, 1, 2, ":-" },
	{ 3, 1, 4, ":-." },
	{ 2, 5, 6, ":-" },
	{ 1, 11, 12, "" },
};

static bool shape_read(struct hf_str s, size_t shape, uint64_t *ret)
{
	size_t at = 0, most = shapes[shape].most;
	char separator = '\0';
	*ret = 0;
	for (size_t group = 0; group < shapes[shape].groups; group++) {
		uint64_t n = 0;
		size_t digits = 0;
		if (group > 0) {
			char c = at < s.n ? s.p[at++] : '\0';
			if (c == '\0' || strchr(shapes[shape].separators, c) == NULL ||
				(group > 1 && c != separator))
				return false;
			separator = c;
		}
		for (; at < s.n && digits <= most && isxdigit((unsigned char)s.p[at]); at++, digits++) {
			int c = tolower((unsigned char)s.p[at]);
			n = n << 4 | (uint64_t)(isdigit(c) ? c - '0' : c - 'a' + 10);
		}
		if (digits < shapes[shape].least || digits > most)
			return false;
		*ret = *ret << (48 / shapes[shape].groups) | n;
	}
	return at == s.n;
}

static bool mac_read(const struct hf_value *v, uint64_t *ret)
{
	char digits[16]; /* an integer is the text of its digits, which are hexadecimal */
	int n = v->type == HF_INT && v->u.integer >= 0
			? snprintf(digits, sizeof(digits), "%lld", (long long)v->u.integer)
			: 0;
	if (n > 0 && n < 13) {
		*ret = strtoull(digits, NULL, 16);
		return true;
	}
	for (size_t i = 0; v->type == HF_STRING && i < HF_COUNT(shapes); i++)
		if (shape_read(v->u.string, i, ret))
			return true;
	return false;
}

static const struct dialect {
	const char *name;
	unsigned bits;  /* of a group */
	int digits;     /* at least */
	char separator; /* '\0': none */
	bool upper;
} dialects[] = {
	{ "bare", 48, 12, '\0', true },
	{ "cisco", 16, 4, '.', false },
	{ "eui48", 8, 2, '-', true },
	{ "linux", 8, 2, ':', false },
	{ "pgsql", 24, 6, ':', false },
	{ "postgresql", 24, 6, ':', false },
	{ "psql", 24, 6, ':', false },
	{ "unix", 8, 1, ':', false },
	{ "win", 8, 2, '-', true },
};

static int mac_print(struct hf_eval *e, const struct hf_value *input, uint64_t mac, const struct dialect *d,
	struct hf_value **ret, struct hf_error *err)
{
	hf_auto_buf out = hf_buf_init(64);
	for (unsigned left = 48; left > 0; left -= d->bits) {
		uint64_t group = mac >> (left - d->bits) & (((uint64_t)1 << d->bits) - 1);
		if (left < 48)
			hf_buf_put(&out, d->separator);
		if (d->upper)
			hf_buf_printf(&out, "%0*llX", d->digits, (unsigned long long)group);
		else
			hf_buf_printf(&out, "%0*llx", d->digits, (unsigned long long)group);
	}
	return filter_return_buf(e, input, &out, "hardware address", ret, err);
}

static int mac_query(struct hf_eval *e, struct hf_value *input, const struct hf_call *call, const char *what,
	struct hf_value **ret, struct hf_error *err)
{
	struct hf_str query;
	uint64_t mac;
	int r = filter_text_arg(e, call, 0, "query", "", &query, err);
	if (r < 0)
		return r;
	bool known = mac_read(input, &mac), empty = query.n == 0, is_bool = hf_str_is(query, "bool");
	if (!known && !empty && !is_bool)
		return hf_fail(err, HF_E_TEMPLATE, "%s: not a hardware address: %s", what,
			hf_value_text(hf_eval_arena(e), input).p);
	*ret = hf_value_null(hf_eval_arena(e));
	if (!known)
		return 0;
	if (empty || is_bool) {
		/* The argument is of type text: a number comes back as one. */
		*ret = empty ? hf_value_taint(hf_eval_arena(e),
				       hf_value_str(hf_eval_arena(e), hf_value_text(hf_eval_arena(e), input)),
				       input)
			     : hf_value_bool(hf_eval_arena(e), true);
		return 0;
	}
	if (hf_str_is(query, "int")) {
		*ret = hf_value_int(hf_eval_arena(e), (int64_t)mac);
		return 0;
	}
	for (size_t i = 0; i < HF_COUNT(dialects); i++)
		if (hf_str_is(query, dialects[i].name))
			return mac_print(e, input, mac, &dialects[i], ret, err);
	return hf_fail(err, HF_E_TEMPLATE, "%s: unknown filter type: %s", what, query.p);
}

FILTER(hwaddr)
{
	FILTER_ARGS(2, "query", "alias");
	return mac_query(e, input, call, "hwaddr", ret, err);
}

FILTER(macaddr)
{
	FILTER_ARGS(1, "query");
	return mac_query(e, input, call, "macaddr", ret, err);
}

/* The address a host gives itself in an IPv6 network from its hardware address (RFC 4862). */
FILTER(slaac)
{
	FILTER_ARGS(1, "query");
	struct hf_ip ip;
	uint64_t mac;
	const struct hf_value *query = filter_arg(call, 0, "query");
	*ret = hf_value_bool(hf_eval_arena(e), false);
	if (input->type != HF_STRING || !hf_ip_parse(input->u.string, &ip) || ip.version != 6 ||
		query == NULL || !mac_read(query, &mac))
		return 0;
	uint64_t interface = (mac >> 24 << 40 | (uint64_t)0xFFFE << 24 | (mac & 0xFFFFFF)) ^ (uint64_t)2
												     << 56;
	return filter_return_text(
		e, input, hf_str(hf_ip_text(hf_eval_arena(e), 6, hf_ip_first(&ip) + interface)), ret);
}

enum { MAC_BYTES = 6 };

/* How many bytes a prefix like "52:54:00" has; 0: it is none. */
static size_t prefix_bytes(struct hf_str s)
{
	struct hf_str part;
	size_t n = 0;
	while (hf_str_split(&s, ':', &part)) {
		if (part.n < 2 || !isxdigit((unsigned char)part.p[0]) || !isxdigit((unsigned char)part.p[1]))
			return 0;
		n++;
	}
	return n < MAC_BYTES ? n : 0;
}

FILTER(random_mac)
{
	FILTER_ARGS(1, "seed");
	static const uint64_t least = 0x1000000000, most = 0xFFFFFFFFFF;
	struct hf_twister t;
	int r = filter_random_seed(filter_arg(call, 0, "seed"), &t, err);
	if (r < 0)
		return r;
	size_t have = input->type == HF_STRING ? prefix_bytes(input->u.string) : 0;
	if (have == 0)
		return hf_fail(err, HF_E_TEMPLATE,
			"Invalid value (%s) for random_mac: one to five bytes in hex, separated by colons",
			hf_value_text(hf_eval_arena(e), input).p);
	hf_auto_buf out = hf_buf_init(input->u.string.n + 32);
	for (size_t i = 0; i < input->u.string.n; i++)
		hf_buf_put(&out, (char)tolower((unsigned char)input->u.string.p[i]));
	/* The first digits of the number, as many as are missing. */
	char *digits = hf_sprintf(hf_eval_arena(e), "%010llx",
		(unsigned long long)(least + hf_twister_below(&t, most - least + 1)));
	for (size_t i = 0; i < MAC_BYTES - have; i++) {
		hf_buf_put(&out, ':');
		hf_buf_add(&out, hf_strn(digits + 2 * i, 2));
	}
	return filter_return_buf(e, input, &out, "hardware address", ret, err);
}

const struct hf_callable_row hf_ansible_filters_mac[] = {
	{ "hwaddr", hwaddr, 0 },
	{ "macaddr", macaddr, 0 },
	{ "slaac", slaac, 0 },
	{ 0 },
};

const struct hf_callable_row hf_ansible_filters_mac_general[] = {
	{ "random_mac", random_mac, 0 },
	{ 0 },
};
