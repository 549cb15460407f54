/* modules/rpm_key.c - keys rpm trusts. */
#include <ctype.h>

#include "modules/cmdline.h"
#include "modules/host.h"
#include "modules/openpgp.h"
#include "modules/web.h"

static const char *const states[] = { "absent", "present", NULL };
struct params {
	const char *key, *state;
	struct hf_value *fingerprint;
	int validate_certs;
};
static const struct hf_arg args[] = {
	{ "key", HF_ARG_STR, offsetof(struct params, key), .flags = HF_REQUIRED,
		.help = "an address, a file or a key id" },
	{ "state", HF_ARG_STR, offsetof(struct params, state), .dflt = "present", .choices = states },
	{ "validate_certs", HF_ARG_BOOL, offsetof(struct params, validate_certs), .dflt = "yes" },
	{ "fingerprint", HF_ARG_LIST, offsetof(struct params, fingerprint), .elements = HF_ARG_STR },
	{ .type = HF_ARG_END },
};

struct state {
	const char *id;     /* last 8 digits, lower case: rpm's name for the key */
	struct hf_str data; /* .p NULL: only the id is known */
};

static int key_data(
	struct hf_module_context *c, const struct params *p, struct hf_str *ret, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	if (strstr(p->key, "://") == NULL && (!hf_fs_exists(p->key) || hf_fs_is_dir(p->key)))
		return hf_fail(err, HF_E_TASK, "Not a valid key %s", p->key);
	if (strstr(p->key, "://") == NULL)
		return hf_fs_read(a, p->key, HF_EDIT_MAX, ret, err);
	struct hf_web_request request = { .url = p->key,
		.method = "GET",
		.agent = "ansible-httpget",
		.timeout_s = 30,
		.follow = HF_WEB_FOLLOW_SAFE,
		.insecure = p->validate_certs == HF_NO };
	struct hf_web_response response;
	int r = hf_web_perform(a, &request, &response, err);
	if (r == 0 && response.status >= 300)
		r = hf_fail(err, HF_E_TASK, "failed to fetch key at %s , error was: HTTP Error %d: %s",
			p->key, response.status, response.reason);
	*ret = response.body;
	return r;
}

static int fingerprints_check(struct hf_arena *a, const struct params *p,
	const struct hf_openpgp_certs *certs, struct hf_error *err)
{
	for (size_t i = 0; p->fingerprint != NULL && i < hf_list_len(p->fingerprint); i++) {
		const char *want = hf_openpgp_id(a, hf_list_at(p->fingerprint, i)->u.string.p);
		for (size_t k = 0; want != NULL && k < certs->n; k++)
			if (hf_openpgp_has(&certs->at[k], want))
				return 0;
	}
	if (p->fingerprint == NULL || hf_list_len(p->fingerprint) == 0)
		return 0;
	return hf_fail(err, HF_E_TASK,
		"The specified fingerprint, '%s', does not match any key fingerprints in '%s'",
		hf_list_at(p->fingerprint, 0)->u.string.p, p->key);
}

static int key_read(
	struct hf_module_context *c, const struct params *p, struct state *s, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	const char *id = strchr(p->key, '/') != NULL ? NULL : hf_openpgp_id(a, p->key);
	if (id == NULL) {
		struct hf_openpgp_certs certs;
		int r = key_data(c, p, &s->data, err);
		if (r == 0)
			r = hf_openpgp_read(a, s->data, &certs, err);
		if (r == 0)
			r = fingerprints_check(a, p, &certs, err);
		if (r != 0)
			return r;
		id = certs.at[0].fingerprint;
	}
	size_t n = strlen(id);
	char *shorter = hf_strdup(a, n > 8 ? id + n - 8 : id);
	for (char *q = shorter; *q != '\0'; q++)
		*q = (char)tolower((unsigned char)*q);
	s->id = shorter;
	return 0;
}

/* rpm keeps each key as a package gpg-pubkey-<id>-<date>. */
static int key_package(struct hf_module_context *c, const char *id, const char **ret, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_words w = hf_words(a, "rpm", "-q", "gpg-pubkey", NULL);
	struct hf_proc_result ran;
	const char *head = hf_sprintf(a, "gpg-pubkey-%s-", id);
	struct hf_str line;
	*ret = NULL;
	int r = hf_host_run(c, &w, NULL, &ran, err);
	while (r == 0 && hf_str_split(&ran.out, '\n', &line))
		if (hf_str_starts(line, head))
			*ret = hf_str_dup(a, hf_str_trim(line));
	return r;
}

static int rpm_key_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct state *s = hf_new(hf_task_arena(c), struct state);
	const char *package;
	bool present = strcmp(p->state, "present") == 0;
	change->state = s;
	if (hf_proc_which(hf_task_arena(c), "rpm") == NULL)
		return hf_fail(err, HF_E_TASK, "Failed to find required executable \"rpm\" in paths");
	int r = key_read(c, p, s, err);
	if (r == 0)
		r = key_package(c, s->id, &package, err);
	if (r < 0)
		return r;
	change->changed = present != (package != NULL);
	if (present && package == NULL && s->data.p == NULL)
		return hf_fail(err, HF_E_TASK, "When importing a key, a valid file must be given");
	return 0;
}

static int key_import(struct hf_module_context *c, struct hf_str data, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	char *dir;
	int r = hf_cmdline_temp_dir(a, "rpm-key", &dir, err);
	if (r < 0)
		return r;
	const char *path = hf_sprintf(a, "%s/key", dir);
	struct hf_fs_attr attr = HF_FS_KEEP;
	attr.mode = 0600;
	struct hf_words w = hf_words(a, "rpm", "--import", path, NULL);
	r = hf_fs_replace(path, data, attr, err);
	if (r == 0)
		r = hf_host_output(c, &w, NULL, err);
	struct hf_error second;
	int removed = hf_fs_remove_tree(dir, r == 0 ? err : &second);
	return r == 0 ? removed : r;
}

static int key_erase(struct hf_module_context *c, const char *id, struct hf_error *err)
{
	const char *package;
	int r = key_package(c, id, &package, err);
	if (r < 0 || package == NULL)
		return r;
	struct hf_words w = hf_words(hf_task_arena(c), "rpm", "--erase", "--allmatches", package, NULL);
	return hf_host_output(c, &w, NULL, err);
}

static int rpm_key_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	const struct state *s = change->state;
	return strcmp(p->state, "present") == 0 ? key_import(c, s->data, err) : key_erase(c, s->id, err);
}

static int rpm_key_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct params *p = params;
	const struct state *s = change->state;
	struct hf_arena *a = hf_task_arena(c);
	(void)err;
	if (strcmp(p->state, "present") == 0) {
		struct hf_value *step = hf_step(c, "erase");
		hf_dict_put(step, "id", hf_value_cstr(a, s->id));
		hf_undo_step(undo, step);
		return 0;
	}
	struct hf_words w = hf_words(a, "rpm", "-q", "--queryformat", "%{DESCRIPTION}", NULL);
	const char *package;
	struct hf_str text;
	int r = key_package(c, s->id, &package, err);
	if (r == 0 && package != NULL) {
		hf_words_add(&w, package);
		r = hf_host_output(c, &w, &text, err);
	}
	if (r == 0 && package != NULL) {
		struct hf_value *step = hf_step(c, "import");
		hf_dict_put(step, "key", hf_value_str(a, text));
		hf_undo_step(undo, step);
	}
	return r;
}

static int rpm_key_restore(struct hf_module_context *c, const struct hf_value *step, struct hf_error *err)
{
	if (strcmp(hf_step_text(step, "what"), "erase") == 0)
		return key_erase(c, hf_step_text(step, "id"), err);
	return key_import(c, hf_str(hf_step_text(step, "key")), err);
}

static void rpm_key_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	(void)c;
	(void)params;
	hf_watch_packages(w);
}

const struct hf_module hf_module_rpm_key = {
	.name = "rpm_key",
	.collection = "ansible.builtin",
	.schema = { args, NULL, sizeof(struct params) },
	.flags = HF_MODULE_NO_DIFF,
	.check = rpm_key_check,
	.apply = rpm_key_apply,
	.undo = rpm_key_undo,
	.restore = rpm_key_restore,
	.watch = rpm_key_watch,
};
