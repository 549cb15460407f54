/* The store in a bucket: s3://bucket/prefix on AWS or any server that speaks S3 (AWS_ENDPOINT_URL[_S3]).
 * Etags are the server's, conditional writes are its If-None-Match and If-Match. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "lib/base/vec.h"
#include "lib/net/s3.h"
#include "lib/release/store.h"

enum { TICK_MS = 200 };

struct s3_store {
	struct hf_store base;
	struct hf_arena *arena;
	const char *bucket;
	const char *prefix; /* "" or "some/where/" */
	struct hf_http *http;
	struct hf_credentials *credentials;
	struct hf_aws aws;
	struct hf_s3 *s3; /* NULL until the first use: finding the region may ask the network */
};

static struct s3_store *s3_store(struct hf_store *store)
{
	return (struct s3_store *)store;
}

static int s3_open(struct hf_arena *a, const char *url, const struct hf_store_options *options,
	struct hf_store **ret, struct hf_error *err)
{
	const char *bucket = url + strlen("s3://");
	size_t n = strcspn(bucket, "/");
	const char *prefix = bucket[n] == '/' ? bucket + n + 1 : "";
	if (n == 0)
		return hf_fail(err, HF_E_ARGUMENT, "store \"%s\": no bucket is named", url);
	if (*prefix != '\0' && !hf_store_key_valid(prefix))
		return hf_fail(err, HF_E_ARGUMENT, "store \"%s\": \"%s\" is no valid prefix", url, prefix);
	struct s3_store *s = hf_new(a, struct s3_store);
	s->arena = a;
	s->bucket = hf_strndup(a, bucket, n);
	s->prefix = *prefix == '\0' ? "" : hf_sprintf(a, "%s/", prefix);
	*ret = &s->base;
	return 0;
}

static void s3_close(struct hf_store *store)
{
	struct s3_store *s = s3_store(store);
	s->http = hf_http_free(s->http);
	s->credentials = hf_credentials_free(s->credentials);
	s->s3 = NULL;
}

static int store_ready(struct s3_store *s, struct hf_error *err)
{
	const struct hf_http_options options = { .parallel = s->base.options.parallel };
	if (s->s3 != NULL)
		return 0;
	int rc = s->http == NULL ? hf_aws_http_new(&hf_aws_io_process, &options, &s->http, err) : 0;
	if (rc < 0)
		return hf_wrap(err, "store %s", s->base.url);
	if (s->credentials == NULL)
		s->credentials = hf_credentials_new(&hf_aws_io_process);
	s->aws = (struct hf_aws){ s->http, s->credentials, 0 };
	rc = hf_s3_new(s->arena, &s->aws, &hf_aws_io_process, s->bucket, NULL, &s->s3, err);
	return rc < 0 ? hf_wrap(err, "store %s", s->base.url) : 0;
}

/* --- batches: a window of items at work, the next one started as one ends --- */

struct batch;
struct slot {
	struct batch *batch;
	size_t item;
	struct hf_http_transfer *transfer; /* NULL: free */
	int fd;                            /* opened for this item; -1 none */
	char hash[HF_SHA256_HEX];          /* the payload's, while it is started */
};

struct batch {
	struct s3_store *store;
	void *items;
	size_t n, next, finished;
	uint64_t bytes;
	struct slot *slots;
	size_t n_slots;
	int rc; /* the first failure */
	struct hf_error failure;
	/* Fill the request for an item; may open slot->fd. */
	int (*fill)(struct slot *slot, struct hf_s3_request *r, struct hf_error *err);
	/* Take an answer into the item; its result. */
	int (*take)(struct slot *slot, const struct hf_s3_answer *answer, const struct hf_error *failure,
		uint64_t *bytes, struct hf_error *err);
};

static const char *full_key(struct s3_store *s, struct hf_arena *a, const char *key)
{
	return hf_sprintf(a, "%s%s", s->prefix, key);
}

static void batch_fail(struct batch *b, int rc, const struct hf_error *failure)
{
	if (b->rc < 0)
		return;
	b->rc = rc;
	b->failure = *failure;
}

static void batch_done(const struct hf_s3_answer *answer, const struct hf_error *failure, void *data)
{
	struct slot *slot = data;
	struct batch *b = slot->batch;
	struct hf_error why = { 0 };
	uint64_t bytes = 0;
	slot->transfer = NULL;
	int rc = b->take(slot, answer, failure, &bytes, &why);
	hf_close_fd(&slot->fd);
	if (rc < 0)
		batch_fail(b, rc, &why);
	b->finished++;
	b->bytes += bytes;
}

static void batch_start(struct batch *b, struct slot *slot)
{
	hf_auto_arena scratch = hf_arena_new();
	struct hf_error why = { 0 };
	struct hf_s3_request r = {
		.deadline_ms = b->store->base.options.timeout_ms, .body_fd = -1, .to_fd = -1
	};
	slot->item = b->next++;
	int rc = b->fill(slot, &r, &why);
	if (rc == 0) {
		r.key = full_key(b->store, scratch, r.key);
		slot->transfer = hf_s3_start(b->store->s3, &r, batch_done, slot, &why);
		rc = slot->transfer == NULL ? -(int)why.code : 0;
	}
	if (rc == 0)
		return;
	hf_close_fd(&slot->fd);
	uint64_t bytes = 0;
	struct hf_error told = { 0 };
	int result = b->take(slot, NULL, &why, &bytes, &told); /* records the failure in the item */
	batch_fail(b, result < 0 ? result : rc, result < 0 ? &told : &why);
	b->finished++;
}

static void batch_cancel(struct batch *b)
{
	for (size_t i = 0; i < b->n_slots; i++) {
		if (b->slots[i].transfer != NULL)
			hf_http_cancel(b->slots[i].transfer);
		b->slots[i].transfer = NULL;
		hf_close_fd(&b->slots[i].fd);
	}
}

static int batch_turn(struct batch *b, uint64_t *tick, struct hf_error *err)
{
	const struct hf_store_options *o = &b->store->base.options;
	size_t before = b->finished;
	for (size_t i = 0; i < b->n_slots && b->next < b->n && b->rc == 0; i++)
		if (b->slots[i].transfer == NULL)
			batch_start(b, &b->slots[i]);
	int rc = hf_http_turn(b->store->http, TICK_MS, err);
	if (rc < 0)
		return rc;
	uint64_t now = hf_time_monotonic_ms();
	if (o->progress == NULL || (b->finished == before && now - *tick < TICK_MS))
		return 0;
	*tick = now;
	if (o->progress(o->data, b->finished, b->bytes) < 0)
		return hf_fail(err, HF_E_CANCELLED, "stopped");
	return 0;
}

/* After a failure nothing new is started, but what is under way may end: a write would otherwise be in doubt.
 */
static int batch_run(struct batch *b, struct hf_error *err)
{
	struct s3_store *s = b->store;
	int rc = store_ready(s, err);
	if (rc < 0)
		return rc;
	hf_auto_arena scratch = hf_arena_new();
	b->n_slots = b->n < s->base.options.parallel ? b->n : s->base.options.parallel;
	b->slots = hf_new_array(scratch, b->n_slots, struct slot);
	for (size_t i = 0; i < b->n_slots; i++)
		b->slots[i] = (struct slot){ .batch = b, .fd = -1 };
	uint64_t tick = hf_time_monotonic_ms();
	while (hf_http_active(s->http) > 0 || (b->next < b->n && b->rc == 0)) {
		rc = batch_turn(b, &tick, err);
		if (rc < 0) {
			batch_cancel(b);
			return rc;
		}
	}
	if (b->rc < 0 && err != NULL)
		*err = b->failure;
	return b->rc < 0 ? hf_wrap(err, "store %s", s->base.url) : 0;
}

static void etag_set(const struct hf_s3_answer *answer, struct hf_etag *ret)
{
	_Static_assert(sizeof(answer->etag) == sizeof(ret->text), "an etag fits");
	memcpy(ret->text, answer->etag, sizeof(ret->text));
}

/* --- get --- */

static int get_fill(struct slot *slot, struct hf_s3_request *r, struct hf_error *err)
{
	const struct hf_store_get *item = (const struct hf_store_get *)slot->batch->items + slot->item;
	r->what = HF_S3_GET;
	r->key = item->key;
	r->if_none_match = item->if_none_match;
	r->to_file = item->out == NULL;
	r->to_fd = item->fd;
	r->max = item->max == 0 ? 1 : item->max; /* 0 would be S3's default */
	return 0;
}

static int get_take(struct slot *slot, const struct hf_s3_answer *answer, const struct hf_error *failure,
	uint64_t *bytes, struct hf_error *err)
{
	struct hf_store_get *item = (struct hf_store_get *)slot->batch->items + slot->item;
	if (failure != NULL) {
		*err = *failure;
		return item->result = -(int)failure->code;
	}
	if (answer->size > item->max)
		return item->result = hf_fail(err, HF_E_LIMIT, "\"%s\" is larger than %llu bytes", item->key,
			       (unsigned long long)item->max);
	etag_set(answer, &item->etag);
	item->not_modified = answer->not_modified;
	if (answer->not_modified && item->etag.text[0] == '\0' &&
		strlen(item->if_none_match) < sizeof(item->etag.text))
		strncpy(item->etag.text, item->if_none_match, sizeof(item->etag.text) - 1);
	item->size = answer->not_modified ? 0 : answer->size;
	*bytes = item->size;
	item->result = 0;
	if (item->out != NULL && !item->not_modified) {
		hf_buf_add(item->out, answer->body);
		item->result = hf_buf_check(item->out, item->key, err);
	}
	return item->result;
}

static int s3_get(struct hf_store *store, struct hf_store_get *items, size_t n, struct hf_error *err)
{
	struct batch b = {
		.store = s3_store(store), .items = items, .n = n, .fill = get_fill, .take = get_take
	};
	return batch_run(&b, err);
}

/* --- put --- */

static int put_fill(struct slot *slot, struct hf_s3_request *r, struct hf_error *err)
{
	const struct hf_store_put *item = (const struct hf_store_put *)slot->batch->items + slot->item;
	r->what = HF_S3_PUT;
	r->key = item->key;
	r->if_none_match = item->when == HF_PUT_CREATE ? "*" : NULL;
	r->if_match = item->when == HF_PUT_MATCH ? item->etag : NULL;
	if (item->when == HF_PUT_MATCH && (item->etag == NULL || item->etag[0] == '\0'))
		return hf_fail(err, HF_E_ARGUMENT, "\"%s\": no etag to match", item->key);
	r->body = item->data;
	if (item->data.p != NULL)
		return 0;
	r->body_fd = item->fd;
	r->body_size = item->size;
	if (item->sha256 != NULL) /* signed with what it must be: the server refuses other bytes */
		r->payload_hash = hf_digest_hex(item->sha256, slot->hash);
	if (item->fd < 0) {
		slot->fd = open(item->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW);
		if (slot->fd < 0)
			return hf_fail_errno(
				err, errno == ENOENT ? HF_E_NOT_FOUND : HF_E_IO, "open %s", item->path);
		r->body_fd = slot->fd;
	}
	struct stat st;
	if (fstat(r->body_fd, &st) < 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size != item->size)
		return hf_fail(err, HF_E_IO, "\"%s\": the file does not have %llu bytes", item->key,
			(unsigned long long)item->size);
	return 0;
}

static int put_take(struct slot *slot, const struct hf_s3_answer *answer, const struct hf_error *failure,
	uint64_t *bytes, struct hf_error *err)
{
	struct hf_store_put *item = (struct hf_store_put *)slot->batch->items + slot->item;
	if (failure != NULL) {
		*err = *failure;
		return item->result = -(int)failure->code;
	}
	etag_set(answer, &item->new_etag);
	*bytes = item->data.p != NULL ? item->data.n : item->size;
	return item->result = 0;
}

/* A write whose answer was lost is sent again and then refused by its own first success: whoever finds just
 * the bytes it wanted there has won. */
static int put_doubtful(struct s3_store *s, struct hf_store_put *item, struct hf_error *err)
{
	hf_auto_arena scratch = hf_arena_new();
	struct hf_s3_answer answer;
	const struct hf_s3_request r = {
		.what = HF_S3_GET,
		.key = full_key(s, scratch, item->key),
		.max = item->data.n + 1,
		.deadline_ms = s->base.options.timeout_ms,
	};
	struct hf_error why = { 0 };
	if (hf_s3_fetch(s->s3, scratch, &r, &answer, &why) < 0 || !hf_str_equal(answer.body, item->data))
		return -HF_E_CONFLICT; /* err keeps the 412 */
	etag_set(&answer, &item->new_etag);
	return item->result = 0;
}

struct doubt {
	struct batch batch; /* first: slots point at it */
	bool *doubtful;
};

static int put_take_conditional(struct slot *slot, const struct hf_s3_answer *answer,
	const struct hf_error *failure, uint64_t *bytes, struct hf_error *err)
{
	struct doubt *d = (struct doubt *)slot->batch;
	const struct hf_store_put *item = (const struct hf_store_put *)d->batch.items + slot->item;
	int rc = put_take(slot, answer, failure, bytes, err);
	d->doubtful[slot->item] = rc == -HF_E_CONFLICT && answer != NULL && answer->attempts > 1 &&
				  item->when != HF_PUT_ALWAYS && item->data.p != NULL;
	return d->doubtful[slot->item] ? 0 : rc; /* decided when the batch has ended */
}

static int s3_put(struct hf_store *store, struct hf_store_put *items, size_t n, struct hf_error *err)
{
	struct s3_store *s = s3_store(store);
	hf_auto_arena scratch = hf_arena_new();
	struct doubt d = {
		{ .store = s, .items = items, .n = n, .fill = put_fill, .take = put_take_conditional },
		hf_new_array(scratch, n, bool),
	};
	int rc = batch_run(&d.batch, err);
	for (size_t i = 0; i < n; i++) {
		if (!d.doubtful[i] || put_doubtful(s, &items[i], err) == 0 || rc < 0)
			continue;
		rc = hf_fail(err, HF_E_CONFLICT, "store %s: \"%s\" was changed by somebody else", store->url,
			items[i].key);
	}
	return rc;
}

/* --- head, list, remove --- */

static int head_fill(struct slot *slot, struct hf_s3_request *r, struct hf_error *err)
{
	r->what = HF_S3_HEAD;
	r->key = ((const struct hf_store_head *)slot->batch->items + slot->item)->key;
	return 0;
}

static int head_take(struct slot *slot, const struct hf_s3_answer *answer, const struct hf_error *failure,
	uint64_t *bytes, struct hf_error *err)
{
	struct hf_store_head *item = (struct hf_store_head *)slot->batch->items + slot->item;
	item->exists = failure == NULL;
	item->size = failure == NULL ? answer->size : 0;
	item->result = 0;
	if (failure == NULL || failure->code == HF_E_NOT_FOUND)
		return 0;
	*err = *failure;
	return item->result = -(int)failure->code;
}

static int s3_head(struct hf_store *store, struct hf_store_head *items, size_t n, struct hf_error *err)
{
	struct batch b = {
		.store = s3_store(store), .items = items, .n = n, .fill = head_fill, .take = head_take
	};
	return batch_run(&b, err);
}

static int s3_list(struct hf_arena *a, struct hf_store *store, const char *prefix,
	struct hf_store_entries *ret, struct hf_error *err)
{
	struct s3_store *s = s3_store(store);
	struct hf_s3_objects objects;
	struct hf_store_entries entries = { 0 };
	int rc = store_ready(s, err);
	if (rc < 0)
		return rc;
	rc = hf_s3_list(s->s3, a, full_key(s, a, prefix), HF_STORE_LIST_MAX, &objects, err);
	if (rc < 0)
		return hf_wrap(err, "list %s", store->url);
	size_t skip = strlen(s->prefix);
	for (size_t i = 0; i < objects.n; i++) {
		const struct hf_s3_object *o = &objects.at[i];
		if (strlen(o->key) <= skip || !hf_store_key_valid(o->key + skip))
			continue; /* a folder marker, or somebody else's object: it can be no key of ours */
		*hf_vec_push(a, &entries) = (struct hf_store_entry){ o->key + skip, o->size, o->modified };
	}
	*ret = entries;
	return 0;
}

static int s3_remove(struct hf_store *store, const char *key, struct hf_error *err)
{
	struct s3_store *s = s3_store(store);
	hf_auto_arena scratch = hf_arena_new();
	struct hf_s3_answer answer;
	int rc = store_ready(s, err);
	if (rc < 0)
		return rc;
	const struct hf_s3_request r = { .what = HF_S3_DELETE,
		.key = full_key(s, scratch, key),
		.deadline_ms = store->options.timeout_ms };
	rc = hf_s3_fetch(s->s3, scratch, &r, &answer, err);
	return rc < 0 ? hf_wrap(err, "store %s", store->url) : 0;
}

const struct hf_store_kind hf_store_s3 = {
	.scheme = "s3",
	.open = s3_open,
	.close = s3_close,
	.get = s3_get,
	.put = s3_put,
	.head = s3_head,
	.list = s3_list,
	.remove = s3_remove,
};
