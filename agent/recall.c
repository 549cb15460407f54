#include "agent/recall.h"

#include "agent/runlog.h"
#include "lib/base/vec.h"

struct entry {
	const char *fingerprint, *status, *state;
	struct hf_value *result;
};

struct hf_recall {
	struct hf_arena *arena;
	struct hf_map ledger, settled, touched;
	bool drift;
	HF_VEC(struct hf_resource) seen; /* id, pos and needed only */
};

static struct entry *entry_new(struct hf_arena *a, const struct hf_value *line)
{
	struct entry *e = hf_new(a, struct entry);
	struct hf_value *result = hf_dict_get(line, "result");
	*e = (struct entry){ .fingerprint = hf_strdup(a, hf_dict_cstr(line, "fp", "")),
		.status = hf_strdup(a, hf_dict_cstr(line, "status", "")),
		.state = hf_strdup(a, hf_dict_cstr(line, "state", "ok")),
		.result = hf_is(result, HF_DICT) ? hf_value_copy(a, result) : NULL };
	return e;
}

static int ledger_line(
	void *data, struct hf_arena *a, const char *kind, struct hf_value *line, struct hf_error *err)
{
	struct hf_recall *r = data;
	hf_map_set(&r->ledger, hf_strdup(r->arena, hf_dict_cstr(line, "id", "")), entry_new(r->arena, line));
	return 0;
}

static int log_line(
	void *data, struct hf_arena *a, const char *kind, struct hf_value *line, struct hf_error *err)
{
	struct hf_recall *r = data;
	if (strcmp(kind, "settled") == 0)
		hf_map_set(&r->settled, hf_strdup(r->arena, hf_dict_cstr(line, "id", "")),
			entry_new(r->arena, line));
	return 0;
}

int hf_recall_load(
	struct hf_arena *a, const struct hf_recall_options *o, struct hf_recall **ret, struct hf_error *err)
{
	struct hf_recall *r = hf_new(a, struct hf_recall);
	r->arena = a;
	hf_map_init_str(&r->ledger, a);
	hf_map_init_str(&r->settled, a);
	hf_map_init_str(&r->touched, a);
	r->drift = o->touched != NULL;
	for (size_t i = 0; r->drift && i < hf_list_len(o->touched); i++)
		hf_map_set(&r->touched, hf_value_text(a, hf_list_at(o->touched, i)).p, r);
	int result = o->ledger == NULL ? 0 : hf_runlog_read(o->ledger, ledger_line, r, err);
	if (result == 0 && o->log != NULL)
		result = hf_runlog_read(o->log, log_line, r, err);
	if (result == 0)
		*ret = r;
	return result;
}

/* The stored result as a task gives it that found nothing to do. */
static struct hf_value *unchanged(struct hf_arena *a, const struct entry *e)
{
	struct hf_value *v = hf_value_copy(a, e->result);
	hf_dict_put(v, "changed", hf_value_bool(a, false));
	hf_dict_remove(v, "diff");
	return v;
}

static bool good(const struct entry *e)
{
	return e->result != NULL && (strcmp(e->status, "ok") == 0 || strcmp(e->status, "changed") == 0);
}

struct hf_value *hf_recall_answer(struct hf_recall *r, struct hf_arena *a, const struct hf_resource *resource)
{
	const struct entry *e = hf_map_get(&r->settled, resource->id);
	if (e != NULL && good(e))
		return hf_value_copy(a, e->result);
	if (resource->handler)
		return NULL;
	e = hf_map_get(&r->ledger, resource->id);
	if (e == NULL || !good(e))
		return NULL;
	if (r->drift)
		return hf_map_find(&r->touched, resource->id) != NULL ? NULL : unchanged(a, e);
	if (strcmp(e->fingerprint, resource->fingerprint) != 0 || strcmp(e->state, "ok") != 0)
		return NULL;
	return unchanged(a, e);
}

void hf_recall_seen(struct hf_recall *r, const struct hf_resource *resource)
{
	struct hf_pos pos = resource->pos;
	/* The run's own text goes with the run, and this outlives it; neighbours mostly share a file. */
	const char *last = r->seen.n > 0 ? r->seen.at[r->seen.n - 1].pos.file : NULL;
	if (pos.file != NULL)
		pos.file = last != NULL && strcmp(last, pos.file) == 0 ? last : hf_strdup(r->arena, pos.file);
	*hf_vec_push(r->arena, &r->seen) = (struct hf_resource){
		.id = hf_strdup(r->arena, resource->id), .pos = pos, .needed = resource->needed
	};
}

struct hf_value *hf_recall_seen_row(struct hf_arena *a, const struct hf_resource *resource)
{
	struct hf_value *row = hf_value_list(a);
	hf_list_append(row, hf_value_cstr(a, resource->id));
	hf_list_append(row, hf_value_cstr(a, resource->pos.file == NULL ? "" : resource->pos.file));
	hf_list_append(row, hf_value_int(a, resource->pos.line));
	hf_list_append(row, hf_value_int(a, resource->needed));
	return row;
}

struct hf_value *hf_recall_seen_list(struct hf_recall *r, struct hf_arena *a)
{
	struct hf_value *list = hf_value_list(a);
	for (size_t i = 0; i < r->seen.n; i++)
		hf_list_append(list, hf_recall_seen_row(a, &r->seen.at[i]));
	return list;
}
