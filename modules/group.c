/* modules/group.c - groups. */
#include <grp.h>
#include <string.h>

#include "modules/userdb.h"

static const char *const states[] = { "absent", "present", NULL };
struct params {
	const char *name, *state;
	int64_t gid, gid_min, gid_max;
	int force, system, local, non_unique;
};
#define AT(field) offsetof(struct params, field)
static const struct hf_arg args[] = {
	{ "name", HF_ARG_STR, AT(name), .flags = HF_REQUIRED },
	{ "gid", HF_ARG_INT, AT(gid), .dflt = "-1" },
	{ "state", HF_ARG_STR, AT(state), .dflt = "present", .choices = states },
	{ "force", HF_ARG_BOOL, AT(force), .dflt = "no",
		.help = "delete it even when it is a user's primary group" },
	{ "system", HF_ARG_BOOL, AT(system), .dflt = "no" },
	{ "local", HF_ARG_BOOL, AT(local), .dflt = "no", .help = "look in /etc/group only" },
	{ "non_unique", HF_ARG_BOOL, AT(non_unique), .dflt = "no" },
	{ "gid_min", HF_ARG_INT, AT(gid_min), .dflt = "-1",
		.help = "lowest number for a new group, in place of that in login.defs" },
	{ "gid_max", HF_ARG_INT, AT(gid_max), .dflt = "-1",
		.help = "highest number for a new group, in place of that in login.defs" },
	{ .type = HF_ARG_END },
};

/* The group's number; -1 when there is none. local: directories are not asked. */
static int64_t gid_of(struct hf_module_context *c, const struct params *p)
{
	struct hf_value *fields = hf_userdb_fields(hf_task_arena(c), "/etc/group", p->name);
	int64_t gid = -1;
	if (fields != NULL && hf_list_len(fields) > 2 &&
		hf_str_to_int64(hf_list_at(fields, 2)->u.string, &gid))
		return gid;
	const struct group *entry = p->local == HF_YES ? NULL : getgrnam(p->name);
	return entry == NULL ? -1 : (int64_t)entry->gr_gid;
}

static void report(struct hf_module_context *c, const struct params *p, struct hf_change *change)
{
	int64_t gid = gid_of(c, p);
	hf_result_cstr(c, change, "name", p->name);
	hf_result_cstr(c, change, "state", p->state);
	if (gid < 0)
		return;
	hf_result_bool(c, change, "system", p->system == HF_YES);
	hf_result_int(c, change, "gid", gid);
}

/* Both ends of the numbers that groupadd chooses from. */
static void range_add(struct hf_words *w, const struct params *p)
{
	const struct {
		const char *key;
		int64_t number;
	} ends[] = { { "GID_MIN", p->gid_min }, { "GID_MAX", p->gid_max } };
	for (size_t i = 0; i < HF_COUNT(ends); i++)
		if (ends[i].number >= 0) {
			hf_words_add(w, "-K");
			hf_words_addf(w, "%s=%lld", ends[i].key, (long long)ends[i].number);
		}
}

/* Options that need or exclude one another. */
static int together_check(const struct params *p, struct hf_error *err)
{
	if (p->non_unique == HF_YES && p->gid < 0)
		return hf_fail(
			err, HF_E_TASK, "non_unique is True but all of the following are missing: gid");
	if (p->force == HF_YES && p->local == HF_YES)
		return hf_fail(err, HF_E_TASK,
			"force is not a valid option for local, force=True and local=True are mutually "
			"exclusive");
	if (p->local == HF_YES && (p->gid_min >= 0 || p->gid_max >= 0))
		return hf_fail(err, HF_E_TASK, "'gid_%s' can not be used with 'local'",
			p->gid_min >= 0 ? "min" : "max");
	return 0;
}

static int group_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	int64_t gid = gid_of(c, p);
	bool present = strcmp(p->state, "present") == 0;
	int r = together_check(p, err);
	if (r < 0)
		return r;
	change->changed = present ? gid < 0 || (p->gid >= 0 && gid != p->gid) : gid >= 0;
	report(c, p, change);
	if (change->changed) {
		struct hf_value *before = hf_value_dict(a), *after = hf_value_dict(a);
		hf_dict_put(before, "state", hf_value_cstr(a, gid < 0 ? "absent" : "present"));
		hf_dict_put(after, "state", hf_value_cstr(a, p->state));
		if (gid >= 0)
			hf_dict_put(before, "gid", hf_value_int(a, gid));
		if (present && p->gid >= 0)
			hf_dict_put(after, "gid", hf_value_int(a, p->gid));
		hf_change_diff_values(c, change, before, after);
	}
	return 0;
}

static int group_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_words w = { .arena = hf_task_arena(c) };
	bool present = strcmp(p->state, "present") == 0;
	hf_words_add(&w, !present ? "groupdel" : gid_of(c, p) < 0 ? "groupadd" : "groupmod");
	if (!present && p->force == HF_YES)
		hf_words_add(&w, "-f");
	if (present && p->gid >= 0) {
		hf_words_add(&w, "-g");
		hf_words_addf(&w, "%lld", (long long)p->gid);
		if (p->non_unique == HF_YES)
			hf_words_add(&w, "-o");
	}
	if (strcmp(w.at[0], "groupadd") == 0) {
		if (p->system == HF_YES)
			hf_words_add(&w, "-r");
		range_add(&w, p);
	}
	hf_words_add(&w, p->name);
	int r = hf_host_output(c, &w, NULL, err);
	report(c, p, change);
	if (r == 0 && !present) { /* what is gone has neither */
		hf_dict_remove(change->result, "gid");
		hf_dict_remove(change->result, "system");
	}
	return r;
}

static int group_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct params *p = params;
	(void)change;
	(void)err;
	hf_userdb_save(c, undo, "group", p->name, NULL);
	return 0;
}

static void group_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	(void)c;
	(void)params;
	hf_watch_users(w);
}

const struct hf_module hf_module_group = {
	.name = "group",
	.collection = "ansible.builtin",
	.schema = { args, NULL, sizeof(struct params) },
	.check = group_check,
	.apply = group_apply,
	.undo = group_undo,
	.restore = hf_userdb_restore,
	.watch = group_watch,
};
