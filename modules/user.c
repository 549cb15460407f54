/* modules/user.c - user accounts: through useradd, usermod, userdel, chage. */
#include <grp.h>
#include <math.h>
#include <pwd.h>
#include <shadow.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "modules/userdb.h"

static const char *const states[] = { "absent", "present", NULL };
static const char *const updates[] = { "always", "on_create", NULL };
struct params {
	const char *name, *comment, *seuser, *group, *shell, *home, *skeleton, *password, *state,
		*update_password, *umask;
	const char *login_class, *profile, *authorization, *role, *ssh_key_type, *ssh_key_file,
		*ssh_key_comment;
	const char *ssh_key_passphrase;
	struct hf_value *groups;
	int64_t uid, uid_min, uid_max, ssh_key_bits;
	int64_t password_expire_max, password_expire_min, password_expire_warn,
		password_expire_account_disable;
	double expires;
	int hidden, non_unique, append, create_home, move_home, system, force, remove, generate_ssh_key,
		password_lock, local;
};
#define ALIASES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define AT(field)    offsetof(struct params, field)
#define UNSET_NUMBER "-9223372036854775807"
enum { NO_NUMBER_BELOW = -1000000 };
static const struct hf_arg args[] = {
	{ "name", HF_ARG_STR, AT(name), .flags = HF_REQUIRED, .aliases = ALIASES("user") },
	{ "uid", HF_ARG_INT, AT(uid), .dflt = "-1" },
	{ "comment", HF_ARG_STR, AT(comment) },
	{ "hidden", HF_ARG_BOOL, AT(hidden), .flags = HF_REFUSED, .help = "macOS only" },
	{ "non_unique", HF_ARG_BOOL, AT(non_unique), .dflt = "no" },
	{ "seuser", HF_ARG_STR, AT(seuser) },
	{ "group", HF_ARG_STR, AT(group), .help = "primary group" },
	{ "groups", HF_ARG_LIST, AT(groups), .elements = HF_ARG_STR,
		.help = "further groups; all of them unless append" },
	{ "append", HF_ARG_BOOL, AT(append), .dflt = "no" },
	{ "shell", HF_ARG_STR, AT(shell) },
	{ "home", HF_ARG_PATH, AT(home) },
	{ "skeleton", HF_ARG_STR, AT(skeleton) },
	{ "password", HF_ARG_STR, AT(password), .flags = HF_NO_LOG, .help = "as crypt(3) makes it" },
	{ "state", HF_ARG_STR, AT(state), .dflt = "present", .choices = states },
	{ "create_home", HF_ARG_BOOL, AT(create_home), .dflt = "yes", .aliases = ALIASES("createhome") },
	{ "move_home", HF_ARG_BOOL, AT(move_home), .dflt = "no" },
	{ "system", HF_ARG_BOOL, AT(system), .dflt = "no" },
	{ "force", HF_ARG_BOOL, AT(force), .dflt = "no" },
	{ "remove", HF_ARG_BOOL, AT(remove), .dflt = "no", .help = "delete home and mail with the user" },
	{ "login_class", HF_ARG_STR, AT(login_class), .flags = HF_REFUSED, .help = "BSD only" },
	{ "generate_ssh_key", HF_ARG_BOOL, AT(generate_ssh_key), .dflt = "no" },
	{ "ssh_key_bits", HF_ARG_INT, AT(ssh_key_bits), .dflt = "0" },
	{ "ssh_key_type", HF_ARG_STR, AT(ssh_key_type), .dflt = "rsa" },
	{ "ssh_key_file", HF_ARG_PATH, AT(ssh_key_file) },
	{ "ssh_key_comment", HF_ARG_STR, AT(ssh_key_comment) },
	{ "ssh_key_passphrase", HF_ARG_STR, AT(ssh_key_passphrase), .flags = HF_NO_LOG },
	{ "update_password", HF_ARG_STR, AT(update_password), .dflt = "always", .choices = updates },
	{ "expires", HF_ARG_FLOAT, AT(expires), .dflt = UNSET_NUMBER,
		.help = "seconds since 1970; negative: never" },
	{ "password_lock", HF_ARG_BOOL, AT(password_lock) },
	{ "local", HF_ARG_BOOL, AT(local), .dflt = "no", .help = "look in /etc/passwd only" },
	{ "profile", HF_ARG_STR, AT(profile), .flags = HF_REFUSED, .help = "Solaris only" },
	{ "authorization", HF_ARG_STR, AT(authorization), .flags = HF_REFUSED, .help = "Solaris only" },
	{ "role", HF_ARG_STR, AT(role), .flags = HF_REFUSED, .help = "Solaris only" },
	{ "password_expire_max", HF_ARG_INT, AT(password_expire_max), .dflt = UNSET_NUMBER },
	{ "password_expire_min", HF_ARG_INT, AT(password_expire_min), .dflt = UNSET_NUMBER },
	{ "password_expire_warn", HF_ARG_INT, AT(password_expire_warn), .dflt = UNSET_NUMBER },
	{ "password_expire_account_disable", HF_ARG_INT, AT(password_expire_account_disable),
		.dflt = UNSET_NUMBER,
		.help = "days after the password's end until the account is closed; negative: never" },
	{ "uid_min", HF_ARG_INT, AT(uid_min), .dflt = "-1",
		.help = "lowest number for a new user, in place of that in login.defs" },
	{ "uid_max", HF_ARG_INT, AT(uid_max), .dflt = "-1",
		.help = "highest number for a new user, in place of that in login.defs" },
	{ "umask", HF_ARG_STR, AT(umask), .help = "of the home that is made" },
	{ .type = HF_ARG_END },
};

/* The account as it is, and the commands that make it as wanted. */
struct account {
	bool exists;
	uint64_t uid, gid;
	const char *comment, *home, *shell, *password;
	int64_t expires, min, max, warn, inactive; /* days, as in /etc/shadow */
};
struct plan {
	struct account now;
	struct hf_words main, chage;
	bool make_home, make_key;
	const char *key_file;
};

static const char *field(const struct hf_value *fields, size_t i)
{
	return fields != NULL && hf_list_len(fields) > i ? hf_list_at(fields, i)->u.string.p : "";
}

static int64_t field_number(const struct hf_value *fields, size_t i)
{
	int64_t number;
	return hf_str_to_int64(hf_str(field(fields, i)), &number) ? number : -1;
}

static void account_read(struct hf_module_context *c, const struct params *p, struct account *ret)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_value *fields = hf_userdb_fields(a, "/etc/passwd", p->name);
	struct hf_value *shadow = hf_userdb_fields(a, "/etc/shadow", p->name);
	*ret = (struct account){
		.expires = -1, .min = -1, .max = -1, .warn = -1, .inactive = -1, .password = ""
	};
	if (fields != NULL) {
		ret->exists = true;
		ret->uid = (uint64_t)field_number(fields, 2);
		ret->gid = (uint64_t)field_number(fields, 3);
		ret->comment = field(fields, 4);
		ret->home = field(fields, 5);
		ret->shell = field(fields, 6);
	} else if (p->local != HF_YES) {
		const struct passwd *entry = getpwnam(p->name);
		ret->exists = entry != NULL;
		if (entry != NULL) {
			ret->uid = entry->pw_uid;
			ret->gid = entry->pw_gid;
			ret->comment = hf_strdup(a, entry->pw_gecos);
			ret->home = hf_strdup(a, entry->pw_dir);
			ret->shell = hf_strdup(a, entry->pw_shell);
		}
	}
	if (shadow != NULL) {
		ret->password = field(shadow, 1);
		ret->min = field_number(shadow, 3);
		ret->max = field_number(shadow, 4);
		ret->warn = field_number(shadow, 5);
		ret->inactive = field_number(shadow, 6);
		ret->expires = field_number(shadow, 7);
	}
}

/* By number or by name; false when there is no such group. */
static bool group_number(const char *group, uint64_t *ret)
{
	char *end;
	unsigned long number = strtoul(group, &end, 10);
	const struct group *entry = *end == '\0' && group[0] != '\0' ? getgrgid((gid_t)number) : NULL;
	if (entry == NULL)
		entry = getgrnam(group);
	if (entry == NULL)
		return false;
	*ret = entry->gr_gid;
	return true;
}

static const char *group_name(struct hf_arena *a, const char *group)
{
	uint64_t gid;
	const struct group *entry = group_number(group, &gid) ? getgrgid((gid_t)gid) : NULL;
	return entry == NULL ? group : hf_strdup(a, entry->gr_name);
}

/* In check mode an earlier task may only have told of making the groups of a new user; Ansible does not ask
 * then. */
static bool may_come(const struct hf_module_context *c, const struct params *p)
{
	return hf_task_check_mode(c) && getpwnam(p->name) == NULL;
}

/* The names of the groups asked for; the primary one is left out of a new user's list. */
static int groups_wanted(
	struct hf_module_context *c, const struct params *p, struct hf_value **ret, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_value *names = hf_value_list(a);
	for (size_t i = 0; i < hf_list_len(p->groups); i++) {
		const char *group = hf_str_dup(a, hf_str_trim(hf_value_text(a, hf_list_at(p->groups, i))));
		uint64_t gid;
		if (group[0] == '\0')
			continue;
		if (!group_number(group, &gid) && !may_come(c, p))
			return hf_fail(err, HF_E_TASK, "Group %s does not exist", group);
		if (!hf_list_has(names, group_name(a, group)))
			hf_list_append(names, hf_value_cstr(a, group_name(a, group)));
	}
	*ret = names;
	return 0;
}

static const char *joined(struct hf_arena *a, const struct hf_value *names)
{
	struct hf_buf text = hf_buf_init(HF_EDIT_MAX);
	for (size_t i = 0; i < hf_list_len(names); i++)
		hf_buf_printf(&text, "%s%s", i == 0 ? "" : ",", hf_list_at(names, i)->u.string.p);
	const char *out = hf_buf_dup(a, &text).p;
	hf_buf_done(&text);
	return out;
}

static void option(struct hf_words *w, const char *flag, const char *value)
{
	if (value == NULL)
		return;
	hf_words_add(w, flag);
	hf_words_add(w, value);
}

static bool expires_given(const struct params *p)
{
	return p->expires > (double)NO_NUMBER_BELOW * 1e9;
}

static const char *expires_text(struct hf_arena *a, double seconds)
{
	char text[32];
	struct tm tm;
	time_t t = (time_t)floor(seconds);
	if (seconds < 0)
		return "";
	gmtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d", &tm);
	return hf_strdup(a, text);
}

static int plan_new_groups(
	struct hf_module_context *c, const struct params *p, struct hf_words *w, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	uint64_t gid;
	if (p->group != NULL && !group_number(p->group, &gid) && !may_come(c, p))
		return hf_fail(err, HF_E_TASK, "Group %s does not exist", p->group);
	option(w, "-g", p->group);
	if (p->group == NULL && group_number(p->name, &gid))
		hf_words_add(w, "-N");
	if (p->groups == NULL || hf_list_len(p->groups) == 0)
		return 0;
	struct hf_value *names;
	int r = groups_wanted(c, p, &names, err);
	if (r == 0)
		option(w, "-G", joined(a, names));
	return r;
}

static void uid_option(struct hf_arena *a, const struct params *p, struct hf_words *w)
{
	option(w, "-u", hf_sprintf(a, "%lld", (long long)p->uid));
	if (p->non_unique == HF_YES)
		hf_words_add(w, "-o");
}

static int plan_create(
	struct hf_module_context *c, const struct params *p, struct hf_words *w, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	if (p->uid >= 0)
		uid_option(a, p, w);
	option(w, "-Z", p->seuser);
	int r = plan_new_groups(c, p, w, err);
	if (r < 0)
		return r;
	option(w, "-c", p->comment);
	option(w, "-d", p->home);
	option(w, "-s", p->shell);
	if (expires_given(p))
		option(w, "-e", expires_text(a, p->expires));
	if (p->password != NULL)
		option(w, "-p", p->password_lock == HF_YES ? hf_sprintf(a, "!%s", p->password) : p->password);
	hf_words_add(w, p->create_home == HF_YES ? "-m" : "-M");
	if (p->create_home == HF_YES) {
		option(w, "-k", p->skeleton);
		option(w, "-K", p->umask == NULL ? NULL : hf_sprintf(a, "UMASK=%s", p->umask));
	}
	if (p->system == HF_YES)
		hf_words_add(w, "-r");
	if (p->password_expire_account_disable > NO_NUMBER_BELOW)
		option(w, "-f", hf_sprintf(a, "%lld", (long long)p->password_expire_account_disable));
	if (p->uid_min >= 0)
		option(w, "-K", hf_sprintf(a, "UID_MIN=%lld", (long long)p->uid_min));
	if (p->uid_max >= 0)
		option(w, "-K", hf_sprintf(a, "UID_MAX=%lld", (long long)p->uid_max));
	return 0;
}

static int plan_groups(
	struct hf_module_context *c, const struct params *p, struct hf_words *w, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_value *names, *have = hf_userdb_groups(a, p->name);
	int r = groups_wanted(c, p, &names, err);
	if (r < 0)
		return r;
	bool missing = false, surplus = false;
	for (size_t i = 0; i < hf_list_len(names); i++)
		missing = missing || !hf_list_has(have, hf_list_at(names, i)->u.string.p);
	for (size_t i = 0; i < hf_list_len(have); i++)
		surplus = surplus || !hf_list_has(names, hf_list_at(have, i)->u.string.p);
	if (!missing && (p->append == HF_YES || !surplus))
		return 0;
	if (p->append == HF_YES)
		hf_words_add(w, "-a");
	option(w, "-G", joined(a, names));
	return 0;
}

static void plan_password(
	struct hf_module_context *c, const struct params *p, const struct account *now, struct hf_words *w)
{
	bool locked = now->password[0] == '!';
	const char *bare = now->password + strspn(now->password, "!");
	if (p->password != NULL && strcmp(p->update_password, "always") == 0 &&
		strcmp(bare, p->password + strspn(p->password, "!")) != 0) {
		option(w, "-p",
			p->password_lock == HF_YES ? hf_sprintf(hf_task_arena(c), "!%s", p->password)
						   : p->password);
		return;
	}
	if (p->password_lock == HF_YES && !locked)
		hf_words_add(w, "-L");
	else if (p->password_lock == HF_NO && locked)
		hf_words_add(w, "-U");
}

static void plan_expires(
	struct hf_module_context *c, const struct params *p, const struct account *now, struct hf_words *w)
{
	int64_t days = p->expires < 0 ? -1 : (int64_t)floor(p->expires) / 86400;
	if (expires_given(p) && days != now->expires)
		option(w, "-e", expires_text(hf_task_arena(c), p->expires));
	int64_t close = p->password_expire_account_disable < 0 ? -1 : p->password_expire_account_disable;
	if (p->password_expire_account_disable > NO_NUMBER_BELOW && close != now->inactive)
		option(w, "-f", hf_sprintf(hf_task_arena(c), "%lld", (long long)close));
}

static int plan_modify(struct hf_module_context *c, const struct params *p, const struct account *now,
	struct hf_words *w, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	uint64_t gid;
	if (p->uid >= 0 && now->uid != (uint64_t)p->uid)
		uid_option(a, p, w);
	if (p->group != NULL && !group_number(p->group, &gid))
		return hf_fail(err, HF_E_TASK, "Group %s does not exist", p->group);
	if (p->group != NULL && gid != now->gid)
		option(w, "-g", hf_sprintf(a, "%llu", (unsigned long long)gid));
	int r = p->groups == NULL ? 0 : plan_groups(c, p, w, err);
	if (r < 0)
		return r;
	const char *const texts[][3] = { { "-c", p->comment, now->comment }, { "-d", p->home, now->home },
		{ "-s", p->shell, now->shell } };
	for (size_t i = 0; i < HF_COUNT(texts); i++)
		if (texts[i][1] != NULL && strcmp(texts[i][1], texts[i][2]) != 0)
			option(w, texts[i][0], texts[i][1]);
	if (p->home != NULL && strcmp(p->home, now->home) != 0 && p->move_home == HF_YES)
		hf_words_add(w, "-m");
	plan_expires(c, p, now, w);
	plan_password(c, p, now, w);
	return 0;
}

static void plan_chage(
	struct hf_module_context *c, const struct params *p, const struct account *now, struct hf_words *w)
{
	const struct {
		int64_t want, have;
		const char *flag;
	} rows[] = { { p->password_expire_min, now->min, "-m" }, { p->password_expire_max, now->max, "-M" },
		{ p->password_expire_warn, now->warn, "-W" } };
	*w = hf_words(hf_task_arena(c), "chage", NULL);
	for (size_t i = 0; i < HF_COUNT(rows); i++)
		if (rows[i].want > NO_NUMBER_BELOW && rows[i].want != rows[i].have)
			option(w, rows[i].flag, hf_sprintf(w->arena, "%lld", (long long)rows[i].want));
}

static void plan_key(struct hf_module_context *c, const struct params *p, const char *home, struct plan *plan)
{
	struct hf_arena *a = hf_task_arena(c);
	const char *file =
		p->ssh_key_file != NULL ? p->ssh_key_file : hf_sprintf(a, ".ssh/id_%s", p->ssh_key_type);
	plan->key_file = hf_path_join(a, home, file);
	bool there = hf_fs_exists(plan->key_file) || hf_fs_exists(hf_sprintf(a, "%s.pub", plan->key_file));
	plan->make_key = p->generate_ssh_key == HF_YES && (!there || (p->force == HF_YES && hf_task_acts(c)));
}

static void report(struct hf_module_context *c, const struct params *p, const struct plan *plan,
	struct hf_change *change)
{
	struct hf_arena *a = hf_task_arena(c);
	struct account now;
	account_read(c, p, &now);
	hf_result_cstr(c, change, "name", p->name);
	hf_result_cstr(c, change, "state", p->state);
	if (p->password != NULL)
		hf_result_cstr(c, change, "password", "NOT_LOGGING_PASSWORD");
	if (!now.exists || strcmp(p->state, "absent") == 0)
		return;
	hf_result_int(c, change, "uid", (int64_t)now.uid);
	hf_result_int(c, change, "group", (int64_t)now.gid);
	hf_result_cstr(c, change, "comment", now.comment);
	hf_result_cstr(c, change, "home", now.home);
	hf_result_cstr(c, change, "shell", now.shell);
	if (plan->now.exists) {
		hf_result_bool(c, change, "append", p->append == HF_YES);
		hf_result_bool(c, change, "move_home", p->move_home == HF_YES);
	} else {
		hf_result_bool(c, change, "system", p->system == HF_YES);
		hf_result_bool(c, change, "create_home", p->create_home == HF_YES);
	}
	if (p->groups != NULL)
		hf_result_cstr(c, change, "groups", joined(a, p->groups));
	struct hf_str key;
	if (p->generate_ssh_key == HF_YES && plan->key_file != NULL &&
		hf_fs_read(a, hf_sprintf(a, "%s.pub", plan->key_file), HF_EDIT_MAX, &key, NULL) == 0) {
		hf_result_cstr(c, change, "ssh_key_file", plan->key_file);
		hf_result_put(c, change, "ssh_public_key", hf_value_str(a, hf_str_trim(key)));
	}
}

static int plan_make(
	struct hf_module_context *c, const struct params *p, struct plan *plan, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	const struct account *now = &plan->now;
	if (strcmp(p->state, "absent") == 0) {
		plan->main = hf_words(a, "userdel", NULL);
		if (now->exists && p->force == HF_YES)
			hf_words_add(&plan->main, "-f");
		if (now->exists && p->remove == HF_YES)
			hf_words_add(&plan->main, "-r");
		if (now->exists)
			hf_words_add(&plan->main, p->name);
		return 0;
	}
	plan->main = hf_words(a, now->exists ? "usermod" : "useradd", NULL);
	int r = now->exists ? plan_modify(c, p, now, &plan->main, err) : plan_create(c, p, &plan->main, err);
	if (r < 0)
		return r;
	if (plan->main.n > 1 || !now->exists)
		hf_words_add(&plan->main, p->name);
	const char *home = p->home != NULL ? p->home
			   : now->exists   ? now->home
					   : hf_sprintf(a, "/home/%s", p->name);
	plan->make_home = p->create_home == HF_YES && !hf_fs_exists(home);
	plan_chage(c, p, now, &plan->chage);
	plan_key(c, p, home, plan);
	return 0;
}

/* As Ansible's check_password_encrypted(): text that no crypt(3) made would lock the account's owner out. */
static bool password_hashed(struct hf_arena *a, const char *password)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./=";
	static const struct {
		const char *method;
		size_t hash; /* bytes */
	} known[] = { { "1", 22 }, { "5", 43 }, { "6", 86 }, { "y", 43 } };
	static const char *const disabled[] = { "*", "!", "*************" };
	for (size_t i = 0; i < HF_COUNT(disabled); i++)
		if (strcmp(password, disabled[i]) == 0)
			return true;
	const char *first = strchr(password, '$'), *last = strrchr(password, '$');
	if (strpbrk(password, ":*!") != NULL || first == last || last[1 + strspn(last + 1, letters)] != '\0')
		return false;
	const char *method = hf_strndup(a, first + 1, strcspn(first + 1, "$"));
	for (size_t i = 0; i < HF_COUNT(known); i++)
		if (strcmp(method, known[i].method) == 0 && strlen(last + 1) != known[i].hash)
			return false;
	return true;
}

/* What only useradd itself knows. */
static int local_check(const struct params *p, struct hf_error *err)
{
	const char *given = p->umask != NULL  ? "umask"
			    : p->uid_min >= 0 ? "uid_min"
			    : p->uid_max >= 0 ? "uid_max"
					      : NULL;
	return p->local != HF_YES || given == NULL
		       ? 0
		       : hf_fail(err, HF_E_TASK, "'%s' can not be used with 'local'", given);
}

static int user_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct plan *plan = hf_new(a, struct plan);
	change->state = plan;
	if (p->password != NULL && p->password[0] != '\0' && !password_hashed(a, p->password))
		hf_task_warn(c,
			"The input password appears not to have been hashed. The 'password' argument must be "
			"encrypted for this module to work properly.");
	account_read(c, p, &plan->now);
	int r = local_check(p, err);
	if (r == 0)
		r = plan_make(c, p, plan, err);
	if (r < 0)
		return r;
	change->changed = plan->main.n > 1 || plan->chage.n > 1 || plan->make_home || plan->make_key;
	report(c, p, plan, change);
	if (change->changed) {
		struct hf_value *before = hf_value_dict(a), *after = hf_value_dict(a);
		hf_dict_put(before, "state", hf_value_cstr(a, plan->now.exists ? "present" : "absent"));
		hf_dict_put(after, "state", hf_value_cstr(a, p->state));
		hf_change_diff_values(c, change, before, after);
	}
	return 0;
}

/* What useradd -m would have made, for an account whose home is gone. */
static int home_make(struct hf_module_context *c, const struct params *p, struct hf_error *err)
{
	struct account now;
	struct stat st;
	account_read(c, p, &now);
	if (!now.exists || hf_fs_exists(now.home))
		return 0;
	const char *skeleton = p->skeleton != NULL ? p->skeleton : "/etc/skel";
	int r = hf_fs_mkdirs(hf_path_dir(hf_task_arena(c), now.home), 0755, err);
	if (r < 0)
		return r;
	struct hf_words copy = hf_words(hf_task_arena(c), "cp", "-r", "--", skeleton, now.home, NULL);
	if (hf_fs_is_dir(skeleton))
		r = hf_host_output(c, &copy, NULL, err);
	else
		r = hf_fs_mkdirs(now.home, 0755, err);
	char *end;
	unsigned long mask = p->umask == NULL ? 022 : strtoul(p->umask, &end, 8);
	struct hf_words own = hf_words(hf_task_arena(c), "chown", "-R",
		hf_sprintf(hf_task_arena(c), "%llu:%llu", (unsigned long long)now.uid,
			(unsigned long long)now.gid),
		now.home, NULL);
	if (r == 0)
		r = hf_host_output(c, &own, NULL, err);
	if (r == 0 && stat(now.home, &st) == 0 && chmod(now.home, 0777 & ~(mode_t)mask) < 0)
		r = hf_fail_errno(err, HF_E_IO, "chmod %s", now.home);
	return r;
}

static int key_make(
	struct hf_module_context *c, const struct params *p, const struct plan *plan, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct account now;
	char host[256] = "localhost";
	account_read(c, p, &now);
	const char *folder = hf_path_dir(a, plan->key_file);
	if (!hf_fs_exists(folder)) {
		int r = hf_fs_mkdirs(folder, 0700, err);
		if (r < 0)
			return r;
		if (chown(folder, (uid_t)now.uid, (gid_t)now.gid) < 0)
			return hf_fail_errno(err, HF_E_IO, "chown %s", folder);
	}
	if (gethostname(host, sizeof(host) - 1) < 0)
		return hf_fail_errno(err, HF_E_IO, "gethostname");
	if (hf_fs_exists(plan->key_file) && unlink(plan->key_file) < 0)
		return hf_fail_errno(err, HF_E_IO, "remove %s", plan->key_file);
	struct hf_words w = hf_words(a, "ssh-keygen", "-q", "-t", p->ssh_key_type, NULL);
	if (p->ssh_key_bits > 0)
		option(&w, "-b", hf_sprintf(a, "%lld", (long long)p->ssh_key_bits));
	option(&w, "-C",
		p->ssh_key_comment != NULL ? p->ssh_key_comment
					   : hf_sprintf(a, "ansible-generated on %s", host));
	option(&w, "-f", plan->key_file);
	option(&w, "-N", p->ssh_key_passphrase != NULL ? p->ssh_key_passphrase : "");
	int r = hf_host_output(c, &w, NULL, err);
	const char *pub = hf_sprintf(a, "%s.pub", plan->key_file);
	if (r == 0 && (chown(plan->key_file, (uid_t)now.uid, (gid_t)now.gid) < 0 ||
			      chown(pub, (uid_t)now.uid, (gid_t)now.gid) < 0))
		r = hf_fail_errno(err, HF_E_IO, "chown %s", plan->key_file);
	return r;
}

static int user_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct plan *plan = change->state;
	int r = 0;
	if (p->home != NULL && plan->make_home)
		r = hf_fs_mkdirs(hf_path_dir(hf_task_arena(c), p->home), 0755, err);
	if (r == 0 && plan->main.n > 1)
		r = hf_host_output(c, &plan->main, NULL, err);
	if (r == 0 && plan->make_home)
		r = home_make(c, p, err);
	if (r == 0 && plan->make_key)
		r = key_make(c, p, plan, err);
	if (r == 0 && plan->chage.n > 1) {
		hf_words_add(&plan->chage, p->name);
		r = hf_host_output(c, &plan->chage, NULL, err);
	}
	report(c, p, plan, change);
	if (r == 0 && strcmp(p->state, "absent") == 0) {
		hf_result_bool(c, change, "force", p->force == HF_YES);
		hf_result_bool(c, change, "remove", p->remove == HF_YES);
	}
	return r;
}

/* The home this task deletes, makes or moves to. */
static const char *home_of(struct hf_arena *a, const struct params *p, const struct plan *plan, bool absent)
{
	if (plan->now.exists && (absent || p->home == NULL))
		return plan->now.home;
	return p->home != NULL ? p->home : hf_sprintf(a, "/home/%s", p->name);
}

static int homes_save(const struct params *p, const struct plan *plan, const char *home, bool absent,
	struct hf_undo *undo, struct hf_error *err)
{
	bool moves =
		!absent && p->move_home == HF_YES && plan->now.exists && strcmp(plan->now.home, home) != 0;
	if (absent && p->remove == HF_YES && hf_fs_exists(home))
		return hf_undo_tree(undo, home, err);
	return moves ? hf_undo_tree(undo, plan->now.home, err) : 0;
}

static int user_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct params *p = params;
	const struct plan *plan = change->state;
	struct hf_arena *a = hf_task_arena(c);
	bool absent = strcmp(p->state, "absent") == 0;
	const char *home = home_of(a, p, plan, absent);
	bool safe = home[0] == '/' && home[strspn(home, "/")] != '\0';
	bool made = safe && !absent && (plan->make_home || p->move_home == HF_YES) && !hf_fs_exists(home);
	int r = safe ? homes_save(p, plan, home, absent, undo, err) : 0;
	if (r == 0 && plan->make_key && !plan->make_home)
		r = hf_undo_tree(undo, hf_path_dir(a, plan->key_file), err);
	hf_userdb_save(c, undo, "user", p->name, made ? home : NULL);
	return r;
}

static void user_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	(void)c;
	(void)params;
	hf_watch_users(w);
}

const struct hf_module hf_module_user = {
	.name = "user",
	.collection = "ansible.builtin",
	.schema = { args, NULL, sizeof(struct params) },
	.check = user_check,
	.apply = user_apply,
	.undo = user_undo,
	.restore = hf_userdb_restore,
	.watch = user_watch,
};
