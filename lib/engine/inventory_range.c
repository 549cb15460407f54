#include "lib/engine/inventory_read.h"

#include <ctype.h>

struct range {
	struct hf_str head, begin, end, tail;
	int64_t step;
};

static bool find_range(struct hf_str s, struct range *ret)
{
	size_t open = hf_str_find(s, HF_STR("["), 0);
	size_t close = open == SIZE_MAX ? SIZE_MAX : hf_str_find(s, HF_STR("]"), open);
	if (close == SIZE_MAX)
		return false;
	struct hf_str inner = hf_strn(s.p + open + 1, close - open - 1), parts[3];
	size_t n = 0;
	while (n < 3 && hf_str_split(&inner, ':', &parts[n]))
		n++;
	if (n < 2)
		return false;
	ret->head = hf_strn(s.p, open);
	ret->tail = hf_strn(s.p + close + 1, s.n - close - 1);
	ret->begin = parts[0].n == 0 ? HF_STR("0") : parts[0];
	ret->end = parts[1];
	ret->step = 1;
	return parts[1].n > 0 && (n < 3 || (hf_str_to_int64(parts[2], &ret->step) && ret->step > 0));
}

static int expand_numbers(struct hf_arena *a, const struct range *r, int64_t from, int64_t to,
	struct hf_value *out, struct hf_error *err)
{
	for (int64_t i = from; i <= to; i += r->step) {
		int width = r->begin.n > 1 && r->begin.p[0] == '0' ? (int)r->begin.n : 0;
		struct hf_value *names = NULL;
		int result = hf_inventory_expand(a,
			hf_str(hf_sprintf(a, "%.*s%0*lld%.*s", HF_STR_ARG(r->head), width, (long long)i,
				HF_STR_ARG(r->tail))),
			&names, err);
		if (result < 0)
			return result;
		for (size_t n = 0; n < hf_list_len(names); n++)
			hf_list_append(out, hf_list_at(names, n));
		if (hf_list_len(out) > HF_HOSTS_MAX)
			return hf_fail(
				err, HF_E_LIMIT, "a host range names more than %d hosts", HF_HOSTS_MAX);
	}
	return 0;
}

static int expand_letters(
	struct hf_arena *a, const struct range *r, struct hf_value *out, struct hf_error *err)
{
	for (int c = r->begin.p[0]; c <= r->end.p[0]; c += (int)r->step) {
		struct hf_value *names = NULL;
		int result = hf_inventory_expand(a,
			hf_str(hf_sprintf(a, "%.*s%c%.*s", HF_STR_ARG(r->head), c, HF_STR_ARG(r->tail))),
			&names, err);
		if (result < 0)
			return result;
		for (size_t n = 0; n < hf_list_len(names); n++)
			hf_list_append(out, hf_list_at(names, n));
	}
	return 0;
}

int hf_inventory_expand(
	struct hf_arena *a, struct hf_str pattern, struct hf_value **ret_names, struct hf_error *err)
{
	struct hf_value *out = hf_value_list(a);
	struct range range;
	int64_t from, to;
	int r = 0;
	if (!find_range(pattern, &range))
		hf_list_append(out, hf_value_str(a, pattern));
	else if (hf_str_to_int64(range.begin, &from) && hf_str_to_int64(range.end, &to))
		r = expand_numbers(a, &range, from, to, out, err);
	else if (range.begin.n == 1 && range.end.n == 1 && isalpha((unsigned char)range.begin.p[0]))
		r = expand_letters(a, &range, out, err);
	else
		return hf_fail(err, HF_E_PARSE, "host range '%.*s' is not valid", HF_STR_ARG(pattern));
	if (r == 0)
		*ret_names = out;
	return r;
}
