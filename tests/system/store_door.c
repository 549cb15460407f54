/* A store, asked by the tests: store_door URL OP [ARG …]; the answer is one JSON object on standard output.
 *   put KEY TEXT [create | match=ETAG]     get KEY [ETAG]     list PREFIX     remove KEY     head KEY…
 *   fill COUNT SIZE    writes COUNT values under bulk/ in one batch
 *   drain COUNT SIZE   reads them back in one batch, compares, counts progress calls */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "lib/data/json.h"
#include "lib/release/store.h"

enum { VALUE_MAX = 64 << 20 };

struct door {
	struct hf_arena *arena;
	struct hf_store *store;
	char **args;
	size_t n;
	struct hf_value *out;
};

static size_t progress_calls;

static int on_progress(void *data, size_t items, uint64_t bytes)
{
	progress_calls++;
	return 0;
}

static void put_text(struct door *d, const char *name, const char *text)
{
	hf_dict_put(d->out, name, hf_value_cstr(d->arena, text));
}

static int door_put(struct door *d, struct hf_error *err)
{
	struct hf_store_put item = { .key = d->args[0], .data = hf_str(d->args[1]) };
	if (d->n > 2 && strncmp(d->args[2], "match=", 6) == 0) {
		item.when = HF_PUT_MATCH;
		item.etag = d->args[2] + 6;
	} else if (d->n > 2) {
		item.when = HF_PUT_CREATE;
	}
	int rc = hf_store_put(d->store, &item, err);
	if (rc == 0)
		put_text(d, "etag", item.new_etag.text);
	return rc;
}

static int door_get(struct door *d, struct hf_error *err)
{
	hf_auto_buf out = hf_buf_init(VALUE_MAX);
	struct hf_store_get item = { .key = d->args[0],
		.out = &out,
		.fd = -1,
		.max = VALUE_MAX,
		.if_none_match = d->n > 1 ? d->args[1] : NULL };
	int rc = hf_store_get(d->store, &item, err);
	if (rc < 0)
		return rc;
	put_text(d, "etag", item.etag.text);
	hf_dict_put(d->out, "not_modified", hf_value_bool(d->arena, item.not_modified));
	hf_dict_put(d->out, "text", hf_value_str(d->arena, hf_buf_str(&out)));
	return 0;
}

static int door_list(struct door *d, struct hf_error *err)
{
	struct hf_store_entries entries;
	struct hf_value *keys = hf_value_list(d->arena);
	int rc = hf_store_list(d->arena, d->store, d->n > 0 ? d->args[0] : "", &entries, err);
	for (size_t i = 0; rc == 0 && i < entries.n; i++)
		hf_list_append(keys, hf_value_cstr(d->arena, entries.at[i].key));
	hf_dict_put(d->out, "keys", keys);
	return rc;
}

static int door_remove(struct door *d, struct hf_error *err)
{
	return hf_store_remove(d->store, d->args[0], err);
}

static int door_head(struct door *d, struct hf_error *err)
{
	struct hf_store_head *items = hf_new_array(d->arena, d->n, struct hf_store_head);
	struct hf_value *found = hf_value_list(d->arena);
	for (size_t i = 0; i < d->n; i++)
		items[i].key = d->args[i];
	int rc = hf_store_head_many(d->store, items, d->n, err);
	for (size_t i = 0; i < d->n; i++)
		hf_list_append(found, hf_value_int(d->arena, items[i].exists ? (int64_t)items[i].size : -1));
	hf_dict_put(d->out, "sizes", found);
	return rc;
}

static struct hf_str bulk_value(struct hf_arena *a, uint64_t i, uint64_t size)
{
	char *text = hf_alloc(a, size + 1);
	for (uint64_t at = 0; at < size; at++)
		text[at] = (char)('a' + (at + i * 7) % 26);
	return hf_strn(text, size);
}

static int door_fill(struct door *d, struct hf_error *err)
{
	uint64_t count = strtoull(d->args[0], NULL, 10), size = strtoull(d->args[1], NULL, 10);
	struct hf_store_put *items = hf_new_array(d->arena, count, struct hf_store_put);
	for (uint64_t i = 0; i < count; i++)
		items[i] = (struct hf_store_put){ .key = hf_sprintf(
							  d->arena, "bulk/%06llu", (unsigned long long)i),
			.data = bulk_value(d->arena, i, size) };
	return hf_store_put_many(d->store, items, count, err);
}

static int door_drain(struct door *d, struct hf_error *err)
{
	uint64_t count = strtoull(d->args[0], NULL, 10), size = strtoull(d->args[1], NULL, 10), wrong = 0;
	struct hf_store_get *items = hf_new_array(d->arena, count, struct hf_store_get);
	struct hf_buf *bufs = hf_new_array(d->arena, count, struct hf_buf);
	for (uint64_t i = 0; i < count; i++) {
		bufs[i] = hf_buf_init(size);
		items[i] = (struct hf_store_get){ .key = hf_sprintf(
							  d->arena, "bulk/%06llu", (unsigned long long)i),
			.out = &bufs[i],
			.fd = -1,
			.max = size };
	}
	int rc = hf_store_get_many(d->store, items, count, err);
	int64_t untried = 0;
	for (uint64_t i = 0; i < count; i++) {
		untried += items[i].result == 1;
		wrong += items[i].result == 0 &&
			 !hf_str_equal(hf_buf_str(&bufs[i]), bulk_value(d->arena, i, size));
		hf_buf_done(&bufs[i]);
	}
	hf_dict_put(d->out, "wrong", hf_value_int(d->arena, (int64_t)wrong));
	hf_dict_put(d->out, "untried", hf_value_int(d->arena, untried));
	return rc;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int least;
		int (*run)(struct door *d, struct hf_error *err);
	} ops[] = { { "put", 2, door_put }, { "get", 1, door_get }, { "list", 0, door_list },
		{ "remove", 1, door_remove }, { "head", 1, door_head }, { "fill", 2, door_fill },
		{ "drain", 2, door_drain } };
	const struct hf_store_options options = { .progress = on_progress };
	const struct hf_json_style style = HF_JSON_PYTHON;
	hf_auto_arena a = hf_arena_new();
	hf_auto_store store = NULL;
	hf_auto_buf text = hf_buf_init(HF_JSON_SIZE_MAX);
	struct hf_error err = { 0 };
	int rc = -HF_E_ARGUMENT;
	struct door d = { a, NULL, argv + 3, (size_t)(argc - 3), hf_value_dict(a) };
	if (argc < 3)
		return 2;
	uint64_t start = hf_time_monotonic_ms();
	for (size_t i = 0; i < HF_COUNT(ops); i++) {
		if (strcmp(ops[i].name, argv[2]) != 0 || argc - 3 < ops[i].least)
			continue;
		rc = hf_store_open(a, argv[1], &options, &store, &err);
		d.store = store;
		if (rc == 0)
			rc = ops[i].run(&d, &err);
	}
	if (rc < 0) {
		put_text(&d, "error", err.text);
		put_text(&d, "code", hf_code_name(err.code));
	}
	hf_dict_put(d.out, "ms", hf_value_int(a, (int64_t)(hf_time_monotonic_ms() - start)));
	hf_dict_put(d.out, "progress", hf_value_int(a, (int64_t)progress_calls));
	if (hf_json_write(&text, d.out, &style, &err) < 0)
		return 2;
	printf("%.*s\n", HF_STR_ARG(hf_buf_str(&text)));
	return 0;
}
