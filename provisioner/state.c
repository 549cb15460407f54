#include "provisioner/state.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "lib/data/json.h"

enum { LEASE_DOC_MAX = 4096, HOST_MAX = 256, BOOT_MAX = 64 };

struct hf_state {
	struct hf_arena *arena;
	struct hf_store *store;
	struct {
		struct hf_state_doc **at;
		size_t n, room;
	} docs;
	struct hf_map index;
	struct hf_etag lease; /* "" : not held */
	const char *what;
	int64_t fence, renewed;
};

int hf_state_open(struct hf_arena *a, const char *url, struct hf_state **ret, struct hf_error *err)
{
	struct hf_state *s = hf_new(a, struct hf_state);
	s->arena = a;
	hf_map_init_str(&s->index, a);
	int rc = hf_store_open(a, url, NULL, &s->store, err);
	if (rc < 0)
		return hf_wrap(err, "state");
	*ret = s;
	return 0;
}

/* --- the lease --- */

static const char *boot_id(struct hf_arena *a)
{
	struct hf_str text;
	if (hf_fs_read(a, "/proc/sys/kernel/random/boot_id", BOOT_MAX, &text, NULL) < 0)
		return "";
	return hf_str_dup(a, hf_str_trim(text));
}

/* When the process began, in ticks since boot: a number may be used again, the pair not. */
static const char *process_start(struct hf_arena *a, int64_t pid)
{
	struct hf_str text, piece;
	if (hf_fs_read(a, hf_sprintf(a, "/proc/%lld/stat", (long long)pid), LEASE_DOC_MAX, &text, NULL) < 0)
		return "";
	const char *end = memrchr(text.p, ')', text.n);
	if (end == NULL)
		return "";
	struct hf_str rest = hf_strn(end + 1, text.n - (size_t)(end + 1 - text.p));
	for (int field = 2; hf_str_split(&rest, ' ', &piece); field++)
		if (field == 22)
			return hf_str_dup(a, piece);
	return "";
}

static struct hf_value *lease_make(struct hf_state *s, struct hf_arena *a, int64_t seconds)
{
	char host[HOST_MAX] = "";
	gethostname(host, sizeof(host) - 1);
	struct hf_value *v = hf_value_dict(a);
	hf_dict_put(v, "what", hf_value_cstr(a, s->what));
	hf_dict_put(v, "host", hf_value_cstr(a, host));
	hf_dict_put(v, "boot", hf_value_cstr(a, boot_id(a)));
	hf_dict_put(v, "pid", hf_value_int(a, getpid()));
	hf_dict_put(v, "start", hf_value_cstr(a, process_start(a, getpid())));
	hf_dict_put(v, "expires", hf_value_int(a, hf_time_now() + seconds));
	hf_dict_put(v, "fence", hf_value_int(a, s->fence));
	return v;
}

/* Its time is over, or its process is known to be dead: same boot of the same machine, and no such process.
 */
static bool lease_over(struct hf_arena *a, const struct hf_value *v)
{
	if (hf_dict_int(v, "expires", 0) <= hf_time_now())
		return true;
	int64_t pid = hf_dict_int(v, "pid", 0);
	const char *boot = hf_dict_cstr(v, "boot", "");
	if (boot[0] == '\0' || strcmp(boot, boot_id(a)) != 0 || pid <= 0)
		return false;
	if (kill((pid_t)pid, 0) < 0 && errno == ESRCH)
		return true;
	return strcmp(process_start(a, pid), hf_dict_cstr(v, "start", "")) != 0;
}

static int lease_write(struct hf_state *s, const struct hf_value *v, const char *old, struct hf_error *err)
{
	const struct hf_json_style style = HF_JSON_PRETTY;
	hf_auto_buf text = hf_buf_init(LEASE_DOC_MAX);
	int rc = hf_json_write(&text, v, &style, err);
	if (rc < 0)
		return rc;
	struct hf_store_put put = {
		.key = "lease.json",
		.data = hf_buf_str(&text),
		.fd = -1,
		.when = old == NULL ? HF_PUT_CREATE : HF_PUT_MATCH,
		.etag = old,
	};
	rc = hf_store_put(s->store, &put, err);
	if (rc == 0) {
		s->lease = put.new_etag;
		s->renewed = hf_time_now();
	}
	return rc;
}

static int lease_busy(const struct hf_state *s, const struct hf_value *v, struct hf_error *err)
{
	char until[HF_TIME_TEXT];
	return hf_fail(err, HF_E_BUSY,
		"%s is being worked on: %s by process %lld on %s, until %s at the latest", s->store->url,
		hf_dict_cstr(v, "what", "?"), (long long)hf_dict_int(v, "pid", 0),
		hf_dict_cstr(v, "host", "?"), hf_time_print(hf_dict_int(v, "expires", 0), until));
}

int hf_state_lock(struct hf_state *s, const char *what, struct hf_error *err)
{
	hf_auto_arena scratch = hf_arena_new();
	hf_auto_buf text = hf_buf_init(LEASE_DOC_MAX);
	struct hf_store_get get = { .key = "lease.json", .out = &text, .fd = -1, .max = LEASE_DOC_MAX };
	struct hf_error why = { 0 };
	struct hf_value *old = NULL;
	s->what = hf_strdup(s->arena, what);
	int rc = hf_store_get(s->store, &get, &why);
	if (rc < 0 && rc != -HF_E_NOT_FOUND) {
		if (err != NULL)
			*err = why;
		return hf_wrap(err, "lock");
	}
	if (rc == 0) {
		rc = hf_json_parse(scratch, hf_buf_str(&text), "lease.json", &old, err);
		if (rc < 0)
			return hf_wrap(err, "lock");
		if (!hf_is(old, HF_DICT))
			return hf_fail(err, HF_E_PARSE, "lock: lease.json is no JSON object");
		if (!lease_over(scratch, old))
			return lease_busy(s, old, err);
	}
	s->fence = old == NULL ? 1 : hf_dict_int(old, "fence", 0) + 1;
	rc = lease_write(
		s, lease_make(s, scratch, HF_LEASE_SECONDS), old == NULL ? NULL : get.etag.text, err);
	if (rc == -HF_E_CONFLICT)
		return hf_fail(
			err, HF_E_BUSY, "%s: somebody else took the lock this very moment", s->store->url);
	return rc < 0 ? hf_wrap(err, "lock") : 0;
}

int hf_state_keep(struct hf_state *s, struct hf_error *err)
{
	if (s->lease.text[0] == '\0' || hf_time_now() - s->renewed < HF_LEASE_SECONDS / 2)
		return 0;
	hf_auto_arena scratch = hf_arena_new();
	const struct hf_etag old = s->lease;
	int rc = lease_write(s, lease_make(s, scratch, HF_LEASE_SECONDS), old.text, err);
	return rc < 0 ? hf_wrap(err, "the lock was lost") : 0;
}

struct hf_state *hf_state_close(struct hf_state *s)
{
	if (s == NULL)
		return NULL;
	if (s->lease.text[0] != '\0') { /* a failure only means that others wait until it expires */
		hf_auto_arena scratch = hf_arena_new();
		const struct hf_etag old = s->lease;
		struct hf_error ignored;
		if (lease_write(s, lease_make(s, scratch, 0), old.text, &ignored) < 0)
			s->lease.text[0] = '\0';
	}
	s->store = hf_store_close(s->store);
	return NULL;
}

/* --- documents --- */

static const char *key_of(struct hf_arena *a, const char *name)
{
	return hf_sprintf(a, "resources/%s.json", name);
}

struct hf_state_doc *hf_state_make(struct hf_state *s, const char *name)
{
	struct hf_state_doc *d = hf_state_find(s, name);
	if (d != NULL)
		return d;
	d = hf_map_get(&s->index, name); /* one that was removed keeps its place */
	if (d == NULL) {
		d = hf_new(s->arena, struct hf_state_doc);
		d->name = hf_strdup(s->arena, name);
		hf_map_set(&s->index, d->name, d);
		*hf_vec_push(s->arena, &s->docs) = d;
	}
	d->doc = hf_value_dict(s->arena);
	d->etag.text[0] = '\0';
	return d;
}

static int doc_read(
	struct hf_state *s, const char *name, const struct hf_store_get *get, struct hf_error *err)
{
	struct hf_value *v;
	int rc = hf_json_parse(s->arena, hf_buf_str(get->out), get->key, &v, err);
	if (rc < 0)
		return rc;
	if (!hf_is(v, HF_DICT) || hf_dict_int(v, "version", 0) != HF_STATE_VERSION)
		return hf_fail(
			err, HF_E_PARSE, "%s is not a state of version %d", get->key, HF_STATE_VERSION);
	struct hf_state_doc *d = hf_state_make(s, name);
	d->doc = v;
	d->etag = get->etag;
	return 0;
}

int hf_state_load(struct hf_state *s, struct hf_error *err)
{
	hf_auto_arena scratch = hf_arena_new();
	struct hf_store_entries entries;
	int rc = hf_store_list(scratch, s->store, "resources/", &entries, err);
	if (rc < 0)
		return rc == -HF_E_NOT_FOUND ? 0 : hf_wrap(err, "state");
	struct hf_store_get *gets = hf_new_array(scratch, entries.n, struct hf_store_get);
	struct hf_buf *texts = hf_new_array(scratch, entries.n, struct hf_buf);
	for (size_t i = 0; i < entries.n; i++) {
		texts[i] = hf_buf_init(HF_STATE_DOC_MAX);
		gets[i] = (struct hf_store_get){
			.key = entries.at[i].key, .out = &texts[i], .fd = -1, .max = HF_STATE_DOC_MAX
		};
	}
	rc = hf_store_get_many(s->store, gets, entries.n, err);
	for (size_t i = 0; i < entries.n; i++) {
		struct hf_str name = hf_str(entries.at[i].key);
		if (rc == 0 && hf_str_ends(name, ".json") && hf_str_starts(name, "resources/"))
			rc = doc_read(s, hf_strndup(scratch, name.p + 10, name.n - 15), &gets[i], err);
		hf_buf_done(&texts[i]);
	}
	return rc < 0 ? hf_wrap(err, "state") : 0;
}

struct hf_state_doc *hf_state_find(const struct hf_state *s, const char *name)
{
	struct hf_state_doc *d = hf_map_get(&s->index, name);
	return d == NULL || d->doc == NULL ? NULL : d;
}

size_t hf_state_count(const struct hf_state *s)
{
	return s->docs.n;
}

struct hf_state_doc *hf_state_at(const struct hf_state *s, size_t i)
{
	return s->docs.at[i];
}

int hf_state_put(struct hf_state *s, struct hf_state_doc *d, struct hf_error *err)
{
	const struct hf_json_style style = HF_JSON_PRETTY;
	hf_auto_arena scratch = hf_arena_new();
	hf_auto_buf text = hf_buf_init(HF_STATE_DOC_MAX);
	int rc = hf_state_keep(s, err); /* after a long sleep somebody else may hold the lock */
	if (rc < 0)
		return rc;
	hf_dict_put(d->doc, "version", hf_value_int(s->arena, HF_STATE_VERSION));
	rc = hf_json_write(&text, d->doc, &style, err);
	if (rc == 0)
		rc = hf_buf_check(&text, d->name, err);
	if (rc < 0)
		return hf_wrap(err, "state of %s", d->name);
	struct hf_store_put put = {
		.key = key_of(scratch, d->name),
		.data = hf_buf_str(&text),
		.fd = -1,
		.when = d->etag.text[0] == '\0' ? HF_PUT_CREATE : HF_PUT_MATCH,
		.etag = d->etag.text,
	};
	rc = hf_store_put(s->store, &put, err);
	if (rc < 0)
		return hf_wrap(err, "state of %s", d->name);
	d->etag = put.new_etag;
	return 0;
}

int hf_state_remove(struct hf_state *s, struct hf_state_doc *d, struct hf_error *err)
{
	hf_auto_arena scratch = hf_arena_new();
	int rc = hf_store_remove(s->store, key_of(scratch, d->name), err);
	if (rc < 0)
		return hf_wrap(err, "state of %s", d->name);
	d->doc = NULL;
	d->etag.text[0] = '\0';
	return 0;
}
