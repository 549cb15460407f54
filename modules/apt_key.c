/* modules/apt_key.c - keys apt trusts, in the files apt reads: neither apt-key nor gpg is needed. */
#include <stdlib.h>

#include "lib/base/scope.h"
#include "modules/host.h"
#include "modules/openpgp.h"
#include "modules/web.h"

static const char *const states[] = { "absent", "present", NULL };
struct params {
	const char *id, *data, *file, *keyring, *url, *keyserver, *state;
	int validate_certs;
};
#define ALIASES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define AT(field)    offsetof(struct params, field)
static const struct hf_arg args[] = {
	{ "id", HF_ARG_STR, AT(id) },
	{ "data", HF_ARG_STR, AT(data) },
	{ "file", HF_ARG_PATH, AT(file) },
	{ "keyring", HF_ARG_PATH, AT(keyring) },
	{ "url", HF_ARG_STR, AT(url) },
	{ "keyserver", HF_ARG_STR, AT(keyserver) },
	{ "state", HF_ARG_STR, AT(state), .dflt = "present", .choices = states },
	{ "validate_certs", HF_ARG_BOOL, AT(validate_certs), .dflt = "yes" },
	{ .type = HF_ARG_END },
};
static const struct hf_rule rules[] = {
	{ HF_RULE_EXCLUSIVE, ALIASES("data", "file", "keyserver", "url") },
	{ HF_RULE_END },
};
#define TRUSTED       "/etc/apt/trusted.gpg"
#define TRUSTED_PARTS "/etc/apt/trusted.gpg.d"
enum { PARTS_MAX = 1000 };

struct files { /* grown by hf_vec_push() */
	struct hf_edit *at;
	size_t n, room;
};
struct state {
	struct files files;    /* that change */
	struct hf_value *keys; /* fingerprints trusted now */
};

static int key_fetch(struct hf_module_context *c, const struct params *p, const char *id, struct hf_str *ret,
	struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	const char *url = p->url;
	if (p->keyserver != NULL) {
		const char *host =
			strstr(p->keyserver, "://") == NULL ? p->keyserver : strstr(p->keyserver, "://") + 3;
		bool plain =
			strncmp(p->keyserver, "hkp://", 6) == 0 || strncmp(p->keyserver, "http://", 7) == 0;
		url = hf_sprintf(a, "%s://%s/pks/lookup?op=get&options=mr&search=0x%s",
			plain ? "http" : "https", host, id);
	}
	struct hf_web_request request = { .url = url,
		.method = "GET",
		.agent = "ansible-httpget",
		.timeout_s = 30,
		.follow = HF_WEB_FOLLOW_SAFE,
		.insecure = p->validate_certs == HF_NO };
	struct hf_web_response response;
	int r = hf_web_perform(a, &request, &response, err);
	if (r < 0)
		return hf_wrap(err, "error getting key id from url: %s", url);
	if (response.status >= 300)
		return hf_fail(err, HF_E_TASK, "Failed to download key at %s: HTTP Error %d: %s", url,
			response.status, response.reason);
	*ret = response.body;
	return 0;
}

static int key_bytes(struct hf_module_context *c, const struct params *p, const char *id, struct hf_str *ret,
	struct hf_error *err)
{
	if (p->data != NULL) {
		*ret = hf_str(p->data);
		return 0;
	}
	if (p->file != NULL)
		return hf_fs_read(hf_task_arena(c), p->file, HF_EDIT_MAX, ret, err);
	return key_fetch(c, p, id, ret, err);
}

/* One keyring: its keys are noted; those that match id are taken out of it when drop. */
static int keyring_look(struct hf_module_context *c, struct state *s, const char *path, const char *id,
	bool drop, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_edit file;
	struct hf_openpgp_certs certs;
	int r = hf_edit_open(c, path, 0644, &file, err);
	if (r < 0 || file.before.n == 0 || hf_openpgp_read(a, file.before, &certs, NULL) < 0)
		return r;
	hf_auto_buf out = hf_buf_init(HF_EDIT_MAX);
	bool hit = false;
	for (size_t i = 0; i < certs.n; i++) {
		bool match = id != NULL && hf_openpgp_has(&certs.at[i], id);
		for (size_t k = 0; k < hf_list_len(certs.at[i].fingerprints); k++)
			hf_list_append(s->keys, hf_list_at(certs.at[i].fingerprints, k));
		hit = hit || match;
		if (!match)
			hf_buf_add(&out, certs.at[i].bytes);
	}
	if (!drop || !hit)
		return 0;
	file.remove = out.n == 0;
	hf_edit_set(c, &file, &out);
	*hf_vec_push(a, &s->files) = file;
	return 0;
}

static int keyrings_look(struct hf_module_context *c, const struct params *p, struct state *s, const char *id,
	bool drop, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	s->keys = hf_value_list(a);
	if (p->keyring != NULL)
		return keyring_look(c, s, p->keyring, id, drop, err);
	int r = keyring_look(c, s, TRUSTED, id, drop, err);
	hf_auto_dir dir = opendir(TRUSTED_PARTS);
	for (int i = 0; r == 0 && dir != NULL && i < PARTS_MAX; i++) {
		struct dirent *entry = readdir(dir);
		if (entry == NULL)
			break;
		struct hf_str name = hf_str(entry->d_name);
		if (hf_str_ends(name, ".gpg") || hf_str_ends(name, ".asc"))
			r = keyring_look(c, s, hf_path_join(a, TRUSTED_PARTS, entry->d_name), id, drop, err);
	}
	return r;
}

static bool keys_have(const struct hf_value *keys, const char *id)
{
	for (size_t i = 0; i < hf_list_len(keys); i++)
		if (hf_str_ends(hf_list_at(keys, i)->u.string, id))
			return true;
	return false;
}

/* The last digits of each: eight where the task names a key by so few, as gpg's list with short numbers. */
static struct hf_value *keys_shown(struct hf_arena *a, const struct hf_value *keys, bool shorter)
{
	struct hf_value *out = hf_value_list(a);
	for (size_t i = 0; i < hf_list_len(keys); i++) {
		struct hf_str key = hf_list_at(keys, i)->u.string;
		size_t n = shorter ? 8 : 16;
		hf_list_append(out, hf_value_cstr(a, key.p + (key.n > n ? key.n - n : 0)));
	}
	return out;
}

/* given: what the task says of the key; without it the key's own long number stands for it. */
static void report(struct hf_module_context *c, const char *given, const char *id, const struct state *s,
	struct hf_change *change)
{
	size_t n = strlen(id);
	const char *longer = n > 16 ? id + n - 16 : id;
	hf_result_cstr(c, change, "id", given != NULL ? given : longer);
	hf_result_cstr(c, change, "key_id", given != NULL ? id : longer);
	hf_result_cstr(c, change, "short_id", n > 8 ? id + n - 8 : id);
	hf_result_cstr(c, change, "fp", longer);
	hf_result_put(c, change, "before", keys_shown(hf_task_arena(c), s->keys, given != NULL && n == 8));
}

/* Every certificate of the data that is not trusted yet goes to the end of the keyring. */
static int plan_add(struct hf_module_context *c, const struct params *p, struct state *s, struct hf_str data,
	const char *id, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_openpgp_certs certs;
	struct hf_edit file;
	bool wanted = id == NULL;
	int r = hf_openpgp_read(a, data, &certs, err);
	if (r == 0)
		r = hf_edit_open(c, p->keyring != NULL ? p->keyring : TRUSTED, 0644, &file, err);
	if (r < 0)
		return r;
	hf_auto_buf out = hf_buf_init(HF_EDIT_MAX);
	struct hf_openpgp_certs old;
	if (file.before.n > 0 && hf_openpgp_armored(file.before) &&
		hf_openpgp_read(a, file.before, &old, NULL) == 0)
		for (size_t i = 0; i < old.n; i++)
			hf_buf_add(&out, old.at[i].bytes);
	else
		hf_buf_add(&out, file.before);
	for (size_t i = 0; i < certs.n; i++) {
		wanted = wanted || hf_openpgp_has(&certs.at[i], id);
		if (!keys_have(s->keys, certs.at[i].fingerprint))
			hf_buf_add(&out, certs.at[i].bytes);
	}
	if (!wanted)
		return hf_fail(err, HF_E_TASK,
			"apt-key did not return an error, but failed to add the key (check that the id is "
			"correct and *not* a subkey)");
	hf_edit_set(c, &file, &out);
	*hf_vec_push(a, &s->files) = file;
	return 0;
}

/* In check mode a key that is named is told of and not fetched: that is for when it is added, as with
 * Ansible. */
static bool key_comes_later(
	const struct hf_module_context *c, const struct params *p, const struct state *s, const char *id)
{
	return hf_task_check_mode(c) && p->id != NULL && p->data == NULL && p->file == NULL &&
	       !keys_have(s->keys, id);
}

/* data: what was read to find the id; nothing where the id was given. */
static int key_plan(struct hf_module_context *c, const struct params *p, struct state *s, struct hf_str data,
	const char *id, struct hf_error *err)
{
	int r = data.p == NULL ? key_bytes(c, p, id, &data, err) : 0;
	return r < 0 ? r : plan_add(c, p, s, data, p->id == NULL ? NULL : id, err);
}

static int apt_key_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct state *s = hf_new(a, struct state);
	struct hf_str data = { NULL, 0 };
	struct hf_openpgp_certs certs;
	const char *id = p->id == NULL ? NULL : hf_openpgp_id(a, p->id);
	bool absent = strcmp(p->state, "absent") == 0;
	int r = 0;
	change->state = s;
	if (p->id != NULL && id == NULL)
		return hf_fail(err, HF_E_TASK, "Invalid key_id");
	if (id == NULL && p->keyserver != NULL)
		return hf_fail(err, HF_E_TASK, "Missing key_id, required with keyserver.");
	if (id == NULL) {
		r = key_bytes(c, p, NULL, &data, err);
		if (r == 0)
			r = hf_openpgp_read(a, data, &certs, err);
		if (r < 0)
			return r;
		id = certs.at[0].fingerprint;
	}
	r = keyrings_look(c, p, s, id, absent, err);
	if (r < 0)
		return r;
	report(c, p->id, id, s, change);
	change->changed = !absent && key_comes_later(c, p, s, id);
	if (change->changed)
		return 0;
	if (!absent && !keys_have(s->keys, id))
		r = key_plan(c, p, s, data, id, err);
	change->changed = s->files.n > 0;
	return r;
}

static int apt_key_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	const struct state *s = change->state;
	int r = 0;
	for (size_t i = 0; r == 0 && i < s->files.n; i++)
		r = hf_edit_write(&s->files.at[i], err);
	struct state after = { 0 };
	if (r == 0)
		r = keyrings_look(c, params, &after, NULL, false, err);
	const char *id = p->id == NULL ? NULL : hf_openpgp_id(hf_task_arena(c), p->id);
	bool shorter = id != NULL && strlen(id) == 8;
	if (r == 0)
		hf_result_put(c, change, "after", keys_shown(hf_task_arena(c), after.keys, shorter));
	return r;
}

static int apt_key_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct state *s = change->state;
	int r = 0;
	(void)c;
	(void)params;
	for (size_t i = 0; r == 0 && i < s->files.n; i++)
		r = hf_edit_undo(undo, &s->files.at[i], err);
	return r;
}

static void apt_key_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	const struct params *p = params;
	(void)c;
	hf_watch_path(w, p->keyring != NULL ? p->keyring : TRUSTED);
	hf_watch_tree(w, TRUSTED_PARTS);
}

const struct hf_module hf_module_apt_key = {
	.name = "apt_key",
	.collection = "ansible.builtin",
	.schema = { args, rules, sizeof(struct params) },
	.flags = HF_MODULE_NO_DIFF,
	.check = apt_key_check,
	.apply = apt_key_apply,
	.undo = apt_key_undo,
	.watch = apt_key_watch,
};
