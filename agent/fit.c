#include "agent/fit.h"

#include "lib/base/scope.h"
#include "lib/data/json.h"

const char *hf_topic(struct hf_arena *a, const struct hf_config *c, const char *host, const char *leaf)
{
	return hf_sprintf(
		a, "hf/1/%s/%s/%s/%s", c->environment, c->fleet, host != NULL ? host : HF_TOPIC_ALL, leaf);
}

static bool prints_within(const struct hf_value *v, size_t max)
{
	hf_auto_buf b = hf_buf_init(max);
	struct hf_json_style style = HF_JSON_COMPACT;
	style.hide_secrets = true;
	return hf_json_write(&b, v, &style, NULL) == 0 && !b.failed;
}

static struct hf_value *text_cut(struct hf_arena *a, struct hf_value *v, size_t max)
{
	static const char more[] = "…";
	size_t n = max;
	if (v->u.string.n <= max || hf_is_secret(v))
		return v;
	while (n > 0 && ((unsigned char)v->u.string.p[n] & 0xc0) == 0x80) /* not inside a character */
		n--;
	hf_auto_buf b = hf_buf_init(max + sizeof(more));
	hf_buf_append(&b, v->u.string.p, n);
	hf_buf_puts(&b, more);
	return hf_value_str(a, hf_buf_str(&b));
}

static struct hf_value *value_cut(struct hf_arena *a, struct hf_value *v, size_t max)
{
	if (hf_is(v, HF_STRING))
		return text_cut(a, v, max);
	if (!hf_is(v, HF_DICT) && !hf_is(v, HF_LIST))
		return v;
	if (prints_within(v, max))
		return v;
	struct hf_value *cut = hf_value_dict(a);
	hf_dict_put(cut, "truncated", hf_value_bool(a, true));
	return cut;
}

struct hf_value *hf_fit(struct hf_arena *a, struct hf_value *body, size_t max)
{
	static const size_t most[] = { 16384, 4096, 1024, 256, 64, 16 };
	struct hf_value *cut = body;
	for (size_t i = 0; i < HF_COUNT(most) && !prints_within(cut, max); i++) {
		cut = hf_value_dict(a);
		HF_DICT_EACH (body, e)
			hf_dict_set(cut, hf_entry_key(e), value_cut(a, hf_entry_value(e), most[i]));
	}
	return cut;
}
