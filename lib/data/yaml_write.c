/* lib/data/yaml_write.c - PyYAML's dump of plain data through libyaml's emitter, as its CSafeDumper does; see
 * yaml.h. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <yaml.h>

#include "lib/base/scope.h"
#include "lib/data/yaml.h"
#include "lib/data/yaml_scalar.h"

/* A container met twice is written once and referred to afterwards. */
struct seen {
	unsigned times, number; /* number of its anchor; 0: none */
	bool written;
};

struct writer {
	yaml_emitter_t emitter;
	struct hf_buf *out;
	struct hf_arena *scratch;
	const struct hf_yaml_style *style;
	struct hf_map seen;
	unsigned anchors;
	int depth;
	struct hf_error *err;
};

static bool is_container(const struct hf_value *v)
{
	return hf_is_sequence(v) || v->type == HF_DICT || v->type == HF_SET;
}

static const void *identity(const struct hf_value *v)
{
	if (hf_is_sequence(v))
		return v->type == HF_TUPLE && hf_list_len(v) == 0 ? NULL : v->u.list;
	if (v->type == HF_DICT || v->type == HF_SET)
		return v->u.dict;
	return v->type == HF_DATE || v->type == HF_DATETIME ? (const void *)v->u.time : NULL;
}

static uint32_t pointer_hash(const void *key)
{
	return hf_hash_bytes(&key, sizeof(key));
}

static bool pointer_equal(const void *a, const void *b)
{
	return a == b;
}

static const struct hf_map_kind by_pointer = { pointer_hash, pointer_equal };

/* --- order --- */

static int keys_order(const struct hf_value *a, const struct hf_value *b, bool *ret_ordered)
{
	*ret_ordered = true;
	if (a->type == HF_STRING && b->type == HF_STRING)
		return hf_str_compare(a->u.string, b->u.string);
	const struct hf_value *both[2] = { a, b };
	double at[2] = { 0, 0 };
	for (int i = 0; i < 2; i++) {
		const struct hf_value *v = both[i];
		if (v->type == HF_INT)
			at[i] = (double)v->u.integer;
		else if (v->type == HF_BOOL)
			at[i] = v->u.boolean;
		else if (v->type == HF_FLOAT)
			at[i] = v->u.real;
		else
			*ret_ordered = false;
	}
	return at[0] < at[1] ? -1 : at[0] > at[1];
}

static bool entries_sort(const struct hf_map_entry **at, const struct hf_map_entry **spare, size_t n)
{
	if (n < 2)
		return true;
	size_t half = n / 2;
	bool ordered = true;
	if (!entries_sort(at, spare, half) || !entries_sort(at + half, spare, n - half))
		return false;
	for (size_t i = 0, j = half, k = 0; k < n; k++) {
		int order = i < half ? -1 : 1;
		if (i < half && j < n)
			order = keys_order(hf_entry_key(at[i]), hf_entry_key(at[j]), &ordered);
		if (!ordered)
			return false;
		spare[k] = order <= 0 ? at[i++] : at[j++];
	}
	memcpy(at, spare, n * sizeof(*at));
	return true;
}

/* Entries in the order they are written; like PyYAML, unsorted when the keys have no order among them. */
static const struct hf_map_entry **entries_of(struct writer *w, const struct hf_value *v)
{
	size_t n = 0, total = hf_dict_len(v);
	const struct hf_map_entry **at = hf_alloc(w->scratch, (3 * total + 1) * sizeof(*at));
	HF_DICT_EACH (v, e)
		at[n++] = e;
	memcpy(at + total, at, total * sizeof(*at));
	if (w->style->sort_keys && entries_sort(at + total, at + 2 * total, n))
		return at + total;
	return at;
}

static int scalar_text(const struct hf_value *v, struct hf_buf *out, struct hf_error *err)
{
	switch ((enum hf_type)v->type) {
	case HF_NULL:
		hf_buf_puts(out, "null");
		return 0;
	case HF_BOOL:
		hf_buf_puts(out, v->u.boolean ? "true" : "false");
		return 0;
	case HF_INT:
		hf_buf_printf(out, "%" PRId64, v->u.integer);
		return 0;
	case HF_BIGINT:
	case HF_STRING:
		hf_buf_add(out, v->u.string);
		return 0;
	case HF_FLOAT:
		if (isnan(v->u.real) || isinf(v->u.real)) {
			hf_buf_puts(out, isnan(v->u.real) ? ".nan" : v->u.real < 0 ? "-.inf" : ".inf");
			return 0;
		}
		hf_float_print(out, v->u.real);
		char *e = strchr(out->p, 'e');
		if (e != NULL && strchr(out->p, '.') == NULL) { /* 1e+16 would read back as text */
			size_t head = (size_t)(e - out->p);
			hf_auto_buf fixed = hf_buf_init(64);
			hf_buf_printf(&fixed, "%.*s.0%s", (int)head, out->p, e);
			hf_buf_clear(out);
			hf_buf_add(out, hf_buf_str(&fixed));
		}
		return 0;
	case HF_DATE:
	case HF_DATETIME:
		hf_value_print(out, v);
		return 0;
	case HF_UNDEFINED:
		return hf_fail(err, HF_E_UNDEFINED, "'%s' is undefined",
			v->u.string.p == NULL ? "value" : v->u.string.p);
	case HF_OMIT:
		hf_buf_puts(out, "__omit_place_holder__");
		return 0;
	case HF_BYTES:
	case HF_LIST:
	case HF_TUPLE:
	case HF_DICT:
	case HF_SET:
	case HF_TIMEDELTA:
	case HF_OBJECT:
		break;
	}
	return hf_fail(err, HF_E_ARGUMENT, "cannot represent an object of type %s", hf_type_name(v));
}

/* First pass: which containers appear twice, in the order PyYAML numbers them. */
static int value_count(struct writer *w, const struct hf_value *v, int depth)
{
	if (depth > HF_YAML_DEPTH_MAX)
		return hf_fail(w->err, HF_E_LIMIT, "YAML nested deeper than %d", HF_YAML_DEPTH_MAX);
	const void *id = identity(v);
	if (id != NULL) {
		struct seen *s = hf_map_get(&w->seen, id);
		if (s == NULL) {
			s = hf_new(w->scratch, struct seen);
			hf_map_set(&w->seen, id, s);
		}
		if (++s->times == 2)
			s->number = ++w->anchors;
		if (s->times > 1)
			return 0;
	}
	int r = 0;
	if (hf_is_sequence(v)) {
		for (size_t i = 0; i < hf_list_len(v) && r == 0; i++)
			r = value_count(w, hf_list_at(v, i), depth + 1);
	} else if (v->type == HF_DICT) {
		const struct hf_map_entry **entries = entries_of(w, v);
		for (size_t i = 0; i < hf_dict_len(v) && r == 0; i++) {
			r = value_count(w, hf_entry_key(entries[i]), depth + 1);
			if (r == 0)
				r = value_count(w, hf_entry_value(entries[i]), depth + 1);
		}
	}
	return r;
}

/* --- second pass: events --- */

static int emit(struct writer *w, yaml_event_t *event, int made)
{
	if (made && yaml_emitter_emit(&w->emitter, event))
		return 0;
	return hf_fail(w->err, HF_E_ARGUMENT, "cannot write YAML: %s",
		w->emitter.problem == NULL ? "not valid UTF-8" : w->emitter.problem);
}

#define TAG(name) (yaml_char_t *)(uintptr_t) "tag:yaml.org,2002:" name

static int text_emit(struct writer *w, const yaml_char_t *anchor, const char *tag, struct hf_str text,
	bool plain, bool quoted, yaml_scalar_style_t style)
{
	yaml_event_t event;
	int made = yaml_scalar_event_initialize(&event, anchor, (const yaml_char_t *)tag,
		(const yaml_char_t *)text.p, (int)text.n, plain, quoted, style);
	return emit(w, &event, made);
}

static int bytes_emit(struct writer *w, struct hf_str bytes)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	hf_auto_buf text = hf_buf_init(bytes.n * 2 + 16);
	for (size_t i = 0; i < bytes.n; i += 3) {
		uint32_t bits = 0;
		size_t n = bytes.n - i < 3 ? bytes.n - i : 3;
		for (size_t k = 0; k < 3; k++)
			bits = bits << 8 | (k < n ? (unsigned char)bytes.p[i + k] : 0u);
		for (size_t k = 0; k < 4; k++)
			hf_buf_put(&text, k <= n ? alphabet[bits >> (18 - 6 * k) & 63] : '=');
		if ((i + 3) % 57 == 0 || i + 3 >= bytes.n)
			hf_buf_put(&text, '\n');
	}
	return text_emit(w, NULL, "tag:yaml.org,2002:binary", hf_buf_str(&text), false, false,
		YAML_LITERAL_SCALAR_STYLE);
}

/* PyYAML's tag of a value, and the kind a plain scalar of that tag resolves to. */
static const char *scalar_tag(const struct hf_value *v, enum yaml_kind *ret_kind)
{
	switch ((enum hf_type)v->type) {
	case HF_NULL:
		*ret_kind = YAML_NULL;
		return "tag:yaml.org,2002:null";
	case HF_BOOL:
		*ret_kind = YAML_BOOL;
		return "tag:yaml.org,2002:bool";
	case HF_INT:
	case HF_BIGINT:
		*ret_kind = YAML_INT;
		return "tag:yaml.org,2002:int";
	case HF_FLOAT:
		*ret_kind = YAML_FLOAT;
		return "tag:yaml.org,2002:float";
	case HF_DATE:
	case HF_DATETIME:
		*ret_kind = YAML_TIMESTAMP;
		return "tag:yaml.org,2002:timestamp";
	default:
		*ret_kind = YAML_STR;
		return "tag:yaml.org,2002:str";
	}
}

static int scalar_emit(struct writer *w, const struct hf_value *v, const yaml_char_t *anchor)
{
	if (v->type == HF_BYTES)
		return bytes_emit(w, v->u.string);
	hf_auto_buf text = hf_buf_init(SIZE_MAX / 4);
	int r = scalar_text(v, &text, w->err);
	if (r < 0)
		return r;
	enum yaml_kind kind;
	const char *tag = scalar_tag(v, &kind);
	bool plain = hf_yaml_scalar_kind(hf_buf_str(&text)) == kind;
	return text_emit(w, anchor, tag, hf_buf_str(&text), plain, kind == YAML_STR, YAML_ANY_SCALAR_STYLE);
}

/* default_flow_style=None: a container of nothing but plain scalars goes on one line. */
static bool flow_wanted(const struct writer *w, const struct hf_value *v)
{
	if (w->style->flow || !w->style->flow_leaves)
		return w->style->flow;
	if (hf_is_sequence(v)) {
		for (size_t i = 0; i < hf_list_len(v); i++)
			if (is_container(hf_list_at(v, i)) || hf_list_at(v, i)->type == HF_BYTES)
				return false;
		return true;
	}
	HF_DICT_EACH (v, e) {
		const struct hf_value *key = hf_entry_key(e), *value = hf_entry_value(e);
		if (is_container(key) || key->type == HF_BYTES)
			return false;
		if (value != NULL && (is_container(value) || value->type == HF_BYTES))
			return false;
	}
	return true;
}

static int node_emit(struct writer *w, const struct hf_value *v);

static int sequence_emit(struct writer *w, const struct hf_value *v, const yaml_char_t *anchor)
{
	yaml_event_t event;
	int made = yaml_sequence_start_event_initialize(&event, anchor, TAG("seq"), 1,
		flow_wanted(w, v) ? YAML_FLOW_SEQUENCE_STYLE : YAML_BLOCK_SEQUENCE_STYLE);
	int r = emit(w, &event, made);
	for (size_t i = 0; i < hf_list_len(v) && r == 0; i++)
		r = node_emit(w, hf_list_at(v, i));
	return r < 0 ? r : emit(w, &event, yaml_sequence_end_event_initialize(&event));
}

static int mapping_emit(struct writer *w, const struct hf_value *v, const yaml_char_t *anchor)
{
	static const struct hf_value null = { .type = HF_NULL };
	yaml_event_t event;
	bool set = v->type == HF_SET;
	int made = yaml_mapping_start_event_initialize(&event, anchor, set ? TAG("set") : TAG("map"), !set,
		flow_wanted(w, v) ? YAML_FLOW_MAPPING_STYLE : YAML_BLOCK_MAPPING_STYLE);
	int r = emit(w, &event, made);
	const struct hf_map_entry **entries = entries_of(w, v);
	for (size_t i = 0; i < hf_dict_len(v) && r == 0; i++) {
		r = node_emit(w, hf_entry_key(entries[i]));
		if (r == 0)
			r = node_emit(w, set ? &null : hf_entry_value(entries[i]));
	}
	return r < 0 ? r : emit(w, &event, yaml_mapping_end_event_initialize(&event));
}

static int node_emit(struct writer *w, const struct hf_value *v)
{
	const void *id = identity(v);
	struct seen *s = id == NULL ? NULL : hf_map_get(&w->seen, id);
	char anchor[24] = "";
	if (w->out->failed)
		return hf_buf_check(w->out, "YAML text", w->err);
	if (s != NULL && s->number != 0) {
		snprintf(anchor, sizeof(anchor), "id%03u", s->number);
		if (s->written) {
			yaml_event_t event;
			return emit(
				w, &event, yaml_alias_event_initialize(&event, (const yaml_char_t *)anchor));
		}
		s->written = true;
	}
	const yaml_char_t *name = anchor[0] == '\0' ? NULL : (const yaml_char_t *)anchor;
	if (hf_is_sequence(v))
		return sequence_emit(w, v, name);
	return is_container(v) ? mapping_emit(w, v, name) : scalar_emit(w, v, name);
}

static int document_emit(struct writer *w, const struct hf_value *v)
{
	yaml_event_t event;
	int r = emit(w, &event, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING));
	if (r == 0)
		r = emit(w, &event,
			yaml_document_start_event_initialize(
				&event, NULL, NULL, NULL, !w->style->explicit_start));
	if (r == 0)
		r = node_emit(w, v);
	if (r == 0)
		r = emit(w, &event, yaml_document_end_event_initialize(&event, !w->style->explicit_end));
	return r < 0 ? r : emit(w, &event, yaml_stream_end_event_initialize(&event));
}

static int output_take(void *data, unsigned char *bytes, size_t n)
{
	hf_buf_append(data, bytes, n);
	return 1;
}

int hf_yaml_write(
	struct hf_buf *out, const struct hf_value *v, const struct hf_yaml_style *style, struct hf_error *err)
{
	hf_auto_arena scratch = hf_arena_new();
	struct writer w = { .out = out, .scratch = scratch, .style = style, .err = err };
	if (!yaml_emitter_initialize(&w.emitter))
		return hf_fail(err, HF_E_INTERNAL, "no memory for the YAML emitter");
	yaml_emitter_set_output(&w.emitter, output_take, out);
	yaml_emitter_set_indent(&w.emitter, style->indent);
	yaml_emitter_set_width(&w.emitter, style->width);
	yaml_emitter_set_unicode(&w.emitter, style->unicode);
	hf_map_init(&w.seen, scratch, &by_pointer);
	int r = value_count(&w, v, 0);
	if (r == 0)
		r = document_emit(&w, v);
	yaml_emitter_delete(&w.emitter);
	return r < 0 ? r : hf_buf_check(out, "YAML text", err);
}
