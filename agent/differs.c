#include "agent/differs.h"

#include <string.h>

#include "lib/base/scope.h"
#include "lib/data/json.h"

enum { TEXT_MAX = 2 << 20, DEPTH_MAX = 8 };

/* Whole lines that both begin with, or end with, are nobody's difference. */
static void ends_strip(struct hf_str *one, struct hf_str *other)
{
	size_t least = one->n < other->n ? one->n : other->n, same = 0, line = 0;
	while (same < least && one->p[same] == other->p[same])
		if (one->p[same++] == '\n')
			line = same;
	*one = hf_strn(one->p + line, one->n - line);
	*other = hf_strn(other->p + line, other->n - line);
	least = one->n < other->n ? one->n : other->n;
	for (same = line = 0; same < least && one->p[one->n - 1 - same] == other->p[other->n - 1 - same];
		same++)
		if (one->p[one->n - 1 - same] == '\n')
			line = same;
	one->n -= line;
	other->n -= line;
}

static struct hf_value *core(struct hf_arena *a, const struct hf_value *v, int depth)
{
	if (hf_is(v, HF_LIST) && depth < DEPTH_MAX) {
		struct hf_value *list = hf_value_list(a);
		for (size_t i = 0; i < hf_list_len(v); i++)
			hf_list_append(list, core(a, hf_list_at(v, i), depth + 1));
		return list;
	}
	struct hf_value *copy = hf_value_copy(a, v);
	const struct hf_value *before = hf_is(v, HF_DICT) ? hf_dict_get(v, "before") : NULL,
			      *after = before == NULL ? NULL : hf_dict_get(v, "after");
	if (!hf_is(before, HF_STRING) || !hf_is(after, HF_STRING))
		return copy;
	struct hf_str one = before->u.string, other = after->u.string;
	ends_strip(&one, &other);
	hf_dict_put(copy, "before", hf_value_str(a, one));
	hf_dict_put(copy, "after", hf_value_str(a, other));
	return copy;
}

bool hf_differs_same(const struct hf_value *one, const struct hf_value *other)
{
	hf_auto_arena a = hf_arena_new();
	hf_auto_buf first = hf_buf_init(TEXT_MAX);
	hf_auto_buf second = hf_buf_init(TEXT_MAX);
	if (one == NULL || other == NULL)
		return one == other;
	return hf_json_write(&first, core(a, one, 0), &HF_JSON_COMPACT, NULL) == 0 &&
	       hf_json_write(&second, core(a, other, 0), &HF_JSON_COMPACT, NULL) == 0 && !first.failed &&
	       !second.failed && hf_str_is(hf_buf_str(&first), hf_buf_str(&second).p);
}
