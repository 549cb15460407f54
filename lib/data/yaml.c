#include "lib/data/yaml.h"

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/base/vec.h"
#include "lib/data/yaml_event.h"
#include "lib/data/yaml_scalar.h"

struct anchor {
	struct hf_value *value;
	size_t weight; /* nodes below it, aliases followed: so that aliases cannot multiply a document without
			  bound */
	bool open;     /* still being read */
};

struct pair {
	struct hf_value *key, *value;
};

struct reader {
	struct hf_arena *arena;
	struct hf_arena *scratch;
	HF_VEC(struct pair) pairs; /* of the mappings that are open, the innermost last; in scratch */
	const struct hf_yaml_options *options;
	const char *file;
	struct hf_yaml_events *events;
	struct hf_yaml_event event;
	struct hf_map anchors; /* name → struct anchor *, for one document */
	size_t nodes, aliases;
	int depth;
	unsigned unsafe; /* above 0 inside !unsafe */
	struct hf_error *err;
};

enum tag {
	TAG_NONE,
	TAG_STR,
	TAG_NULL,
	TAG_BOOL,
	TAG_INT,
	TAG_FLOAT,
	TAG_TIMESTAMP,
	TAG_BINARY,
	TAG_SEQ,
	TAG_MAP,
	TAG_SET,
	TAG_OMAP,
	TAG_PAIRS,
	TAG_MERGE,
	TAG_EQUALS,
	TAG_UNSAFE,
	TAG_VAULT,
};

static const struct tag_row {
	const char *name;
	enum tag tag;
	bool ansible; /* unknown to a plain loader */
} tag_rows[] = {
	{ "tag:yaml.org,2002:str", TAG_STR, false },
	{ "tag:yaml.org,2002:null", TAG_NULL, false },
	{ "tag:yaml.org,2002:bool", TAG_BOOL, false },
	{ "tag:yaml.org,2002:int", TAG_INT, false },
	{ "tag:yaml.org,2002:float", TAG_FLOAT, false },
	{ "tag:yaml.org,2002:timestamp", TAG_TIMESTAMP, false },
	{ "tag:yaml.org,2002:binary", TAG_BINARY, false },
	{ "tag:yaml.org,2002:seq", TAG_SEQ, false },
	{ "tag:yaml.org,2002:map", TAG_MAP, false },
	{ "tag:yaml.org,2002:set", TAG_SET, false },
	{ "tag:yaml.org,2002:omap", TAG_OMAP, false },
	{ "tag:yaml.org,2002:pairs", TAG_PAIRS, false },
	{ "tag:yaml.org,2002:merge", TAG_MERGE, false },
	{ "tag:yaml.org,2002:value", TAG_EQUALS, false },
	{ "tag:yaml.org,2002:python/unicode", TAG_STR, true },
	{ "tag:yaml.org,2002:python/dict", TAG_MAP, true },
	{ "!unsafe", TAG_UNSAFE, true },
	{ "!vault", TAG_VAULT, true },
	{ "!vault-encrypted", TAG_VAULT, true },
};

static struct hf_pos mark_pos(const struct reader *r, struct hf_yaml_mark mark)
{
	return (struct hf_pos){ r->file, mark.line + 1, mark.column + 1 };
}

static int event_fail(struct reader *r, struct hf_yaml_mark mark, const char *text)
{
	return hf_fail_at(r->err, HF_E_PARSE, mark_pos(r, mark), "%s", text);
}

/* Replaces r->event by the next one. */
static int next_event(struct reader *r)
{
	return hf_yaml_events_next(r->events, &r->event, r->err);
}

static int tag_find(struct reader *r, const char *name, struct hf_yaml_mark mark, enum tag *ret)
{
	*ret = TAG_NONE;
	if (name == NULL || strcmp(name, "!") == 0)
		return 0;
	bool plain = r->options != NULL && r->options->plain;
	for (size_t i = 0; i < HF_COUNT(tag_rows); i++)
		if (strcmp(name, tag_rows[i].name) == 0 && !(plain && tag_rows[i].ansible)) {
			*ret = tag_rows[i].tag;
			return 0;
		}
	return hf_fail_at(r->err, HF_E_PARSE, mark_pos(r, mark), "the tag \"%s\" is not known", name);
}

static int anchor_open(struct reader *r, const char *name, struct hf_yaml_mark mark, struct anchor **ret)
{
	*ret = NULL;
	if (name == NULL)
		return 0;
	if (hf_map_get(&r->anchors, name) != NULL)
		return hf_fail_at(r->err, HF_E_PARSE, mark_pos(r, mark), "a second anchor \"%s\"", name);
	struct anchor *a = hf_new(r->arena, struct anchor);
	a->open = true;
	a->weight = r->nodes;
	hf_map_set(&r->anchors, hf_strdup(r->arena, name), a);
	*ret = a;
	return 0;
}

static void anchor_close(struct reader *r, struct anchor *a, struct hf_value *value)
{
	if (a == NULL)
		return;
	a->value = value;
	a->weight = r->nodes - a->weight;
	a->open = false;
}

static int alias_read(struct reader *r, struct hf_value **ret)
{
	struct hf_yaml_mark mark = r->event.mark;
	const char *name = r->event.anchor;
	const struct anchor *a = hf_map_get(&r->anchors, name);
	if (a == NULL)
		return hf_fail_at(
			r->err, HF_E_PARSE, mark_pos(r, mark), "no anchor \"%s\" before this alias", name);
	if (a->open)
		return hf_fail_at(r->err, HF_E_UNSUPPORTED, mark_pos(r, mark),
			"alias \"%s\" inside its own anchor", name);
	r->nodes += a->weight;
	if (++r->aliases > HF_YAML_ALIASES_MAX || r->nodes > HF_YAML_NODES_MAX)
		return hf_fail_at(r->err, HF_E_LIMIT, mark_pos(r, mark),
			"more than %d aliases or %d values with them", HF_YAML_ALIASES_MAX,
			HF_YAML_NODES_MAX);
	*ret = a->value;
	return 0;
}

/* --- scalars --- */

static struct hf_value *marked(struct hf_value *v, unsigned flags)
{
	v->flags |= (uint8_t)flags;
	return v;
}

static int scalar_kind(const struct hf_yaml_event *e, enum tag tag, struct hf_str text, enum yaml_kind *ret)
{
	static const enum yaml_kind kinds[] = { [TAG_STR] = YAML_STR,
		[TAG_NULL] = YAML_NULL,
		[TAG_BOOL] = YAML_BOOL,
		[TAG_INT] = YAML_INT,
		[TAG_FLOAT] = YAML_FLOAT,
		[TAG_TIMESTAMP] = YAML_TIMESTAMP,
		[TAG_MERGE] = YAML_MERGE,
		[TAG_EQUALS] = YAML_EQUALS };
	if (tag == TAG_NONE)
		*ret = e->implicit ? hf_yaml_scalar_kind(text) : YAML_STR;
	else if (tag <= TAG_TIMESTAMP || tag == TAG_MERGE || tag == TAG_EQUALS)
		*ret = kinds[tag];
	else
		return -1;
	return 0;
}

/* The value of a scalar with any tag but !unsafe and !vault. */
static int tagged_value(
	struct reader *r, enum tag tag, struct hf_str text, struct hf_value **ret, enum yaml_kind *ret_kind)
{
	if (tag == TAG_BINARY)
		return hf_yaml_scalar_binary(r->arena, text, ret, r->err);
	if (scalar_kind(&r->event, tag, text, ret_kind) < 0)
		return hf_fail(r->err, HF_E_PARSE, "this tag is not for a scalar");
	if (*ret_kind == YAML_STR && r->event.kept) {
		*ret = hf_value_borrow(r->arena, text);
		return 0;
	}
	if (*ret_kind != YAML_MERGE && *ret_kind != YAML_EQUALS)
		return hf_yaml_scalar_value(r->arena, *ret_kind, text, ret, r->err);
	*ret = hf_value_str(r->arena, text); /* a mapping may take it as a key; anybody else refuses it */
	return 0;
}

/* ret_kind tells a mapping that its key was a plain << or =. */
static int scalar_read(struct reader *r, struct hf_value **ret, enum yaml_kind *ret_kind)
{
	const struct hf_yaml_event *e = &r->event;
	struct hf_yaml_mark mark = e->mark;
	struct hf_str text = e->text;
	enum tag tag;
	int result = tag_find(r, e->tag, mark, &tag);
	if (result < 0)
		return result;
	enum yaml_kind kind = YAML_STR;
	struct hf_value *v = NULL;
	if (tag == TAG_UNSAFE || tag == TAG_VAULT)
		v = marked(hf_value_str(r->arena, text),
			tag == TAG_VAULT ? HF_VALUE_VAULT | HF_VALUE_SECRET : 0);
	else
		result = tagged_value(r, tag, text, &v, &kind);
	if (result < 0)
		return hf_error_set_pos(r->err, mark_pos(r, mark));
	if (e->quoted)
		marked(v, HF_VALUE_QUOTED);
	if (r->unsafe > 0 || tag == TAG_UNSAFE)
		marked(v, v->type == HF_STRING ? HF_VALUE_UNSAFE : 0);
	*ret = hf_value_at(v, mark_pos(r, mark));
	*ret_kind = kind;
	return 0;
}

/* --- collections --- */

static int node_read(struct reader *r, struct hf_value **ret, enum yaml_kind *ret_kind);

/* As node_read(), for places where << and = have no meaning. */
static int value_read(struct reader *r, struct hf_value **ret)
{
	enum yaml_kind kind;
	struct hf_yaml_mark mark = r->event.mark;
	int result = node_read(r, ret, &kind);
	if (result == 0 && (kind == YAML_MERGE || kind == YAML_EQUALS))
		return hf_fail_at(r->err, HF_E_PARSE, mark_pos(r, mark),
			"\"%s\" stands for no value; quote it to mean the text", (*ret)->u.string.p);
	return result;
}

/* !!omap and !!pairs: each item a mapping of one key, which becomes a tuple. */
static int pairs_convert(struct reader *r, struct hf_value *list, struct hf_yaml_mark mark)
{
	for (size_t i = 0; i < hf_list_len(list); i++) {
		struct hf_value *item = hf_list_at(list, i);
		if (!hf_is(item, HF_DICT) || hf_dict_len(item) != 1)
			return event_fail(r, mark, "an ordered map is a list of mappings of one key each");
		struct hf_value *tuple = hf_value_tuple(r->arena);
		HF_DICT_EACH (item, e) {
			hf_list_append(tuple, hf_entry_key(e));
			hf_list_append(tuple, hf_entry_value(e));
		}
		list->u.list->at[i] = tuple;
	}
	return 0;
}

static int sequence_items(struct reader *r, struct hf_value *list)
{
	int result = next_event(r);
	while (result == 0 && r->event.type != HF_YAML_SEQUENCE_END) {
		struct hf_value *item = NULL;
		result = value_read(r, &item);
		if (result == 0) {
			hf_list_append(list, item);
			result = next_event(r);
		}
	}
	return result;
}

static int sequence_read(struct reader *r, struct hf_value **ret)
{
	struct hf_yaml_mark mark = r->event.mark;
	enum tag tag;
	struct anchor *anchor;
	int result = tag_find(r, r->event.tag, mark, &tag);
	if (result == 0)
		result = anchor_open(r, r->event.anchor, mark, &anchor);
	if (result < 0)
		return result;
	if (tag != TAG_NONE && tag != TAG_SEQ && tag != TAG_OMAP && tag != TAG_PAIRS && tag != TAG_UNSAFE)
		return event_fail(r, mark, "this tag is not for a list");
	struct hf_value *list = hf_value_at(hf_value_list(r->arena), mark_pos(r, mark));
	r->unsafe += tag == TAG_UNSAFE;
	result = sequence_items(r, list);
	r->unsafe -= tag == TAG_UNSAFE;
	if (result == 0 && (tag == TAG_OMAP || tag == TAG_PAIRS))
		result = pairs_convert(r, list, mark);
	anchor_close(r, anchor, list);
	*ret = list;
	return result;
}

static int merge_one(
	struct reader *r, const struct hf_value *from, struct hf_yaml_mark mark, struct hf_value *into)
{
	if (!hf_is(from, HF_DICT))
		return event_fail(r, mark, "only mappings can be merged with <<");
	HF_DICT_EACH (from, e)
		hf_dict_set(into, hf_entry_key(e), hf_entry_value(e));
	return 0;
}

/* The value of a << key. Of a list of maps the first wins, so it goes in last. */
static int merge_read(struct reader *r, struct hf_value *into)
{
	struct hf_value *from = NULL;
	struct hf_yaml_mark mark = r->event.mark;
	int result = value_read(r, &from);
	if (result < 0)
		return result;
	if (!hf_is(from, HF_LIST))
		return merge_one(r, from, mark, into);
	for (size_t i = hf_list_len(from); result == 0 && i > 0; i--)
		result = merge_one(r, hf_list_at(from, i - 1), mark, into);
	return result;
}

static int duplicate(struct reader *r, const struct hf_value *key, struct hf_yaml_mark start)
{
	hf_auto_buf text = hf_buf_init(HF_ERROR_TEXT_MAX);
	hf_value_print(&text, key);
	if (r->options != NULL && r->options->strict)
		return hf_fail_at(r->err, HF_E_PARSE, hf_value_pos(key), "the key \"%s\" is given twice",
			hf_buf_str(&text).p);
	if (r->options != NULL && r->options->warning != NULL) {
		const char *message = hf_sprintf(r->arena,
			"While constructing a mapping from %s, line %u, column %u, found a duplicate dict "
			"key (%s). Using last "
			"defined value only.",
			r->file, start.line + 1, start.column + 1, hf_buf_str(&text).p);
		r->options->warning(r->options->data, hf_value_pos(key), message);
	}
	return 0;
}

/* Reads up to the end of the mapping. Merged keys go straight into dict; own keys are kept apart, since they
 * win and stand behind the merged ones wherever the << was. */
static int mapping_pairs(struct reader *r, struct hf_value *dict, bool *ret_merged)
{
	int result = next_event(r);
	while (result == 0 && r->event.type != HF_YAML_MAPPING_END) {
		struct pair p = { 0 };
		enum yaml_kind kind = YAML_STR;
		struct hf_yaml_mark mark = r->event.mark;
		result = node_read(r, &p.key, &kind);
		if (result == 0 && !hf_value_hashable(p.key))
			result = hf_fail_at(r->err, HF_E_PARSE, mark_pos(r, mark),
				"a %s cannot be a key; a value that starts with {{ needs quotes around it",
				hf_type_name(p.key));
		if (result == 0)
			result = next_event(r);
		if (result < 0)
			return result;
		if (kind == YAML_MERGE) {
			*ret_merged = true;
			result = merge_read(r, dict);
		} else {
			result = value_read(r, &p.value);
			*hf_vec_push(r->scratch, &r->pairs) = p;
		}
		if (result == 0)
			result = next_event(r);
	}
	return result;
}

static int mapping_fill(struct reader *r, struct hf_value *dict, struct hf_yaml_mark start)
{
	size_t first = r->pairs.n;
	bool merged = false;
	int result = mapping_pairs(r, dict, &merged);
	if (result < 0)
		return result;
	struct hf_value *seen = merged ? hf_value_set(r->arena) : dict;
	for (size_t i = first; result == 0 && i < r->pairs.n; i++) {
		const struct pair *own = &r->pairs.at[i];
		uint32_t before = seen->u.dict->map.live;
		if (merged)
			hf_dict_set(seen, own->key, NULL);
		hf_dict_set(dict, own->key, own->value);
		if (seen->u.dict->map.live == before)
			result = duplicate(r, own->key, start);
	}
	r->pairs.n = first;
	return result;
}

static int mapping_convert(struct reader *r, enum tag tag, struct hf_yaml_mark mark, struct hf_value **dict)
{
	if (tag == TAG_SET) {
		struct hf_value *set = hf_value_at(hf_value_set(r->arena), hf_value_pos(*dict));
		HF_DICT_EACH (*dict, e)
			hf_dict_set(set, hf_entry_key(e), NULL);
		*dict = set;
	}
	return 0;
}

static int mapping_read(struct reader *r, struct hf_value **ret)
{
	struct hf_yaml_mark mark = r->event.mark;
	enum tag tag;
	struct anchor *anchor;
	int result = tag_find(r, r->event.tag, mark, &tag);
	if (result == 0)
		result = anchor_open(r, r->event.anchor, mark, &anchor);
	if (result < 0)
		return result;
	if (tag != TAG_NONE && tag != TAG_MAP && tag != TAG_SET && tag != TAG_UNSAFE)
		return event_fail(r, mark, "this tag is not for a mapping");
	struct hf_value *dict = hf_value_at(hf_value_dict(r->arena), mark_pos(r, mark));
	r->unsafe += tag == TAG_UNSAFE;
	result = mapping_fill(r, dict, mark);
	r->unsafe -= tag == TAG_UNSAFE;
	if (result == 0)
		result = mapping_convert(r, tag, mark, &dict);
	anchor_close(r, anchor, dict);
	*ret = dict;
	return result;
}

/* The node that starts with r->event; leaves r->event at the node's last event. */
static int node_read(struct reader *r, struct hf_value **ret, enum yaml_kind *ret_kind)
{
	*ret_kind = YAML_STR;
	if (r->event.type == HF_YAML_ALIAS)
		return alias_read(r, ret);
	struct hf_yaml_mark mark = r->event.mark;
	if (++r->nodes > HF_YAML_NODES_MAX)
		return hf_fail_at(
			r->err, HF_E_LIMIT, mark_pos(r, mark), "more than %d values", HF_YAML_NODES_MAX);
	if (r->depth >= HF_YAML_DEPTH_MAX)
		return hf_fail_at(
			r->err, HF_E_LIMIT, mark_pos(r, mark), "nested deeper than %d", HF_YAML_DEPTH_MAX);
	int result;
	r->depth++;
	if (r->event.type == HF_YAML_SCALAR) {
		struct anchor *anchor;
		result = anchor_open(r, r->event.anchor, mark, &anchor);
		if (result == 0)
			result = scalar_read(r, ret, ret_kind);
		if (result == 0)
			anchor_close(r, anchor, *ret);
	} else if (r->event.type == HF_YAML_SEQUENCE) {
		result = sequence_read(r, ret);
	} else {
		result = mapping_read(r, ret);
	}
	r->depth--;
	return result;
}

/* --- documents --- */

/* r->event is a document start; on return it is the event behind the document's end. */
static int document_read(struct reader *r, struct hf_value **ret)
{
	hf_map_init_str(&r->anchors, r->arena);
	int result = next_event(r);
	if (result == 0)
		result = value_read(r, ret);
	if (result == 0)
		result = next_event(r); /* document end */
	return result == 0 ? next_event(r) : result;
}

static int stream_read(struct reader *r, bool all, struct hf_value **ret)
{
	struct hf_value *documents = hf_value_list(r->arena);
	int result = next_event(r); /* stream start */
	if (result == 0)
		result = next_event(r);
	while (result == 0 && r->event.type != HF_YAML_STREAM_END) {
		struct hf_value *document = NULL;
		if (!all && hf_list_len(documents) == 1)
			return event_fail(r, r->event.mark, "expected a single document, but found another");
		result = document_read(r, &document);
		if (result == 0)
			hf_list_append(documents, document);
	}
	if (result < 0)
		return result;
	if (all)
		*ret = documents;
	else
		*ret = hf_list_len(documents) == 1
			       ? hf_list_at(documents, 0)
			       : hf_value_at(hf_value_null(r->arena), (struct hf_pos){ r->file, 1, 1 });
	return 0;
}

static int yaml_read(struct hf_arena *a, struct hf_str text, const char *name,
	const struct hf_yaml_options *options, bool all, struct hf_value **ret, struct hf_error *err)
{
	if (text.n > HF_YAML_SIZE_MAX)
		return hf_fail(err, HF_E_LIMIT, "%s: YAML larger than %d bytes", name, HF_YAML_SIZE_MAX);
	hf_auto_arena scratch = hf_arena_new();
	struct reader r = {
		.arena = a, .scratch = scratch, .options = options, .file = hf_strdup(a, name), .err = err
	};
	r.events = hf_yaml_events_open(a, scratch, r.file, text, options != NULL && options->libyaml);
	if (r.events == NULL)
		return hf_fail(err, HF_E_INTERNAL, "%s: no memory for the YAML parser", name);
	struct hf_value *value = NULL;
	int result = stream_read(&r, all, &value);
	hf_yaml_events_close(r.events);
	if (result == 0)
		*ret = value;
	return result;
}

int hf_yaml_parse(struct hf_arena *a, struct hf_str text, const char *name,
	const struct hf_yaml_options *options, struct hf_value **ret, struct hf_error *err)
{
	return yaml_read(a, text, name, options, false, ret, err);
}

int hf_yaml_parse_all(struct hf_arena *a, struct hf_str text, const char *name,
	const struct hf_yaml_options *options, struct hf_value **ret, struct hf_error *err)
{
	return yaml_read(a, text, name, options, true, ret, err);
}

int hf_yaml_load(struct hf_arena *a, const char *path, const struct hf_yaml_options *options,
	struct hf_value **ret, struct hf_error *err)
{
	struct hf_str text = { 0 };
	hf_auto_arena scratch = hf_arena_new();
	int result = hf_fs_read(scratch, path, HF_YAML_SIZE_MAX, &text, err);
	return result < 0 ? result : hf_yaml_parse(a, text, path, options, ret, err);
}
