/* modules/apt_get.c - the programs of apt, and the locks they take. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "modules/apt.h"

#define POLICY_RC_D "/usr/sbin/policy-rc.d"

static const char *const apt_env[] = { "DEBIAN_FRONTEND=noninteractive", "DEBIAN_PRIORITY=critical",
	"LANG=C.UTF-8", "LC_ALL=C.UTF-8", "LC_MESSAGES=C.UTF-8", "LC_CTYPE=C.UTF-8", NULL };

/* --- locks -------------------------------------------------------------------------------------------------
 */
static const char *const locks[] = { "/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock",
	"/var/cache/apt/archives/lock", "/var/lib/apt/lists/lock" };

/* Process that holds the lock on path; 0 when nobody does. */
static pid_t lock_holder(const char *path)
{
	hf_auto_fd fd = open(path, O_RDWR | O_CLOEXEC);
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	if (fd < 0 || fcntl(fd, F_GETLK, &lock) < 0 || lock.l_type == F_UNLCK)
		return 0;
	return lock.l_pid == 0 ? -1 : lock.l_pid; /* a process outside this namespace has no number here */
}

static const char *process_name(struct hf_arena *a, pid_t pid)
{
	struct hf_str text;
	if (pid <= 0 || hf_fs_read(a, hf_sprintf(a, "/proc/%d/comm", (int)pid), 256, &text, NULL) < 0)
		return "another system's";
	return hf_str_dup(a, hf_str_trim(text));
}

int hf_apt_wait(struct hf_module_context *c, int64_t seconds, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	uint64_t end = hf_time_monotonic_ms() + (uint64_t)(seconds > 0 ? seconds : 0) * 1000;
	bool told = false;
	for (;;) {
		const char *held = NULL;
		pid_t holder = 0;
		for (size_t i = 0; held == NULL && i < HF_COUNT(locks); i++)
			if ((holder = lock_holder(locks[i])) != 0)
				held = locks[i];
		if (held == NULL)
			return 0;
		if (hf_time_monotonic_ms() >= end)
			return hf_fail(err, HF_E_BUSY,
				"Failed to lock apt for exclusive operation: %s is held by process %d (%s)",
				held, (int)holder, process_name(a, holder));
		if (!told)
			hf_task_warn(c, "waiting for %s, held by process %d (%s)", held, (int)holder,
				process_name(a, holder));
		told = true;
		nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
	}
}

/* --- apt-get -----------------------------------------------------------------------------------------------
 */
static void options_add(struct hf_words *w, const struct hf_apt_options *o, const char *operation)
{
	struct hf_str rest = hf_str(o->dpkg_options == NULL ? "" : o->dpkg_options), one;
	while (rest.n > 0 && hf_str_split(&rest, ',', &one)) {
		hf_words_add(w, "-o");
		hf_words_addf(w, "Dpkg::Options::=--%.*s", HF_STR_ARG(one));
	}
	const struct {
		bool on;
		const char *word;
	} rows[] = { { o->only_upgrade, "--only-upgrade" }, { o->fixed, "--fix-broken" },
		{ o->force, "--force-yes" }, { o->autoremove, "--auto-remove" },
		{ o->fail_on_autoremove, "--no-remove" }, { o->purge, "--purge" },
		{ o->allow_unauthenticated, "--allow-unauthenticated" },
		{ o->allow_downgrade, "--allow-downgrades" },
		{ o->allow_change_held_packages, "--allow-change-held-packages" } };
	for (size_t i = 0; i < HF_COUNT(rows); i++)
		if (rows[i].on)
			hf_words_add(w, rows[i].word);
	if (o->install_recommends != HF_UNSET) {
		hf_words_add(w, "-o");
		hf_words_addf(
			w, "APT::Install-Recommends=%s", o->install_recommends == HF_YES ? "yes" : "no");
	}
	if (o->default_release != NULL && strcmp(operation, "remove") != 0) {
		hf_words_add(w, "-t");
		hf_words_add(w, o->default_release);
	}
}

/* policy-rc.d tells maintainer scripts whether services may be started; what was there comes back afterwards.
 */
struct policy {
	bool set, existed;
	struct hf_str content;
	mode_t mode;
};

static int policy_set(
	struct hf_module_context *c, int64_t status, struct policy *policy, struct hf_error *err)
{
	struct stat st;
	struct hf_arena *a = hf_task_arena(c);
	if (status < 0)
		return 0;
	policy->existed = lstat(POLICY_RC_D, &st) == 0;
	if (policy->existed) {
		int r = hf_fs_read(a, POLICY_RC_D, HF_EDIT_MAX, &policy->content, err);
		if (r < 0)
			return r;
		policy->mode = st.st_mode & 07777;
	}
	struct hf_fs_attr attr = HF_FS_KEEP;
	attr.mode = 0755;
	policy->set = true;
	return hf_fs_replace(
		POLICY_RC_D, hf_str(hf_sprintf(a, "#!/bin/sh\nexit %d\n", (int)status)), attr, err);
}

static int policy_unset(const struct policy *policy, struct hf_error *err)
{
	struct hf_fs_attr attr = HF_FS_KEEP;
	if (!policy->set)
		return 0;
	attr.mode = policy->mode;
	if (policy->existed)
		return hf_fs_replace(POLICY_RC_D, policy->content, attr, err);
	if (unlink(POLICY_RC_D) < 0 && errno != ENOENT)
		return hf_fail_errno(err, HF_E_IO, "remove %s", POLICY_RC_D);
	return 0;
}

int hf_apt_get(struct hf_module_context *c, const struct hf_apt_options *o, const char *operation,
	const struct hf_words *packages, bool simulate, struct hf_proc_result *ret, struct hf_error *err)
{
	struct hf_words w = hf_words(hf_task_arena(c), "apt-get", "-y", NULL);
	options_add(&w, o, operation);
	if (simulate)
		hf_words_add(&w, "--simulate");
	else
		hf_words_addf(&w, "-oDPkg::Lock::Timeout=%lld",
			(long long)(o->lock_timeout > 0 ? o->lock_timeout : 0));
	hf_words_add(&w, operation);
	if (strcmp(operation, "upgrade") == 0)
		hf_words_add(&w, "--with-new-pkgs");
	for (size_t i = 0; packages != NULL && i < packages->n; i++)
		hf_words_add(&w, packages->at[i]);
	int r = simulate ? 0 : hf_apt_wait(c, o->lock_timeout, err);
	if (r < 0)
		return r;
	struct policy policy = { 0 };
	r = simulate ? 0 : policy_set(c, o->policy_rc_d, &policy, err);
	*ret = (struct hf_proc_result){ .out = HF_STR(""), .err = HF_STR("") };
	if (r == 0)
		r = hf_host_run(c, &w, apt_env, ret, err);
	struct hf_error later = { 0 };
	int back = policy_unset(&policy, &later);
	if (r == 0 && ret->status != 0)
		r = hf_fail(err, HF_E_TASK, "'%s' failed: %.*s", hf_words_line(&w), HF_STR_ARG(ret->err));
	return r == 0 && back < 0 ? hf_fail(err, later.code, "%s", later.text) : r;
}

int64_t hf_apt_cache_time(void)
{
	static const char *const places[] = { "/var/lib/apt/periodic/update-success-stamp",
		"/var/lib/apt/lists" };
	struct stat st;
	for (size_t i = 0; i < HF_COUNT(places); i++)
		if (stat(places[i], &st) == 0)
			return st.st_mtim.tv_sec;
	return 0;
}

/* apt-get's complaints as python-apt words them: "E:one, W:two". */
static const char *complaints(struct hf_arena *a, struct hf_str said)
{
	hf_auto_buf out = hf_buf_init(HF_EDIT_MAX);
	struct hf_str line;
	while (said.n > 0 && hf_str_split(&said, '\n', &line)) {
		line = hf_str_trim(line);
		if (line.n == 0)
			continue;
		bool marked = hf_str_starts(line, "E: ") || hf_str_starts(line, "W: ");
		hf_buf_printf(&out, "%s", out.n == 0 ? "" : ", ");
		if (marked)
			hf_buf_printf(&out, "%c:%.*s", line.p[0], (int)line.n - 3, line.p + 3);
		else
			hf_buf_printf(&out, "%.*s", HF_STR_ARG(line));
	}
	return hf_buf_dup(a, &out).p;
}

int hf_apt_update(struct hf_module_context *c, int64_t retries, int64_t delay_max, int64_t lock_timeout,
	struct hf_error *err)
{
	struct hf_words w =
		hf_words(hf_task_arena(c), "apt-get", "-q", "update", "-oAPT::Update::Error-Mode=any", NULL);
	struct hf_proc_result ran = { .err = HF_STR("unknown reason") };
	for (int64_t i = 0; i < retries; i++) {
		int r = hf_apt_wait(c, lock_timeout, err);
		if (r == 0)
			r = hf_host_run(c, &w, apt_env, &ran, err);
		if (r < 0)
			return r;
		if (ran.status == 0)
			return 0;
		int64_t delay = i < 10 ? (int64_t)1 << i : delay_max;
		if (i + 1 < retries)
			nanosleep(
				&(struct timespec){ .tv_sec = delay > delay_max ? delay_max : delay }, NULL);
	}
	return hf_fail(
		err, HF_E_TASK, "Failed to update apt cache: %s", complaints(hf_task_arena(c), ran.err));
}

/* --- what apt says --- */
static struct hf_value *policy_entry(struct hf_arena *a, struct hf_value *table, struct hf_str name)
{
	struct hf_value *entry = hf_value_dict(a);
	hf_dict_put(entry, "candidate", hf_value_null(a));
	hf_dict_put(entry, "versions", hf_value_list(a));
	hf_dict_put(table, hf_str_dup(a, name), entry);
	return entry;
}

/* "name:", "  Candidate: v", then " *** v prio" or "     v prio" with lines of origins, deeper, between. */
static void policy_line(
	struct hf_arena *a, struct hf_value *table, struct hf_value **entry, struct hf_str line)
{
	struct hf_str text = hf_str_trim(line);
	if (line.n > 1 && line.p[0] != ' ' && line.p[line.n - 1] == ':') {
		*entry = policy_entry(a, table, hf_strn(line.p, line.n - 1));
		return;
	}
	if (*entry == NULL)
		return;
	if (hf_str_starts(text, "Candidate: ")) {
		struct hf_str version = hf_strn(text.p + 11, text.n - 11);
		if (!hf_str_is(version, "(none)"))
			hf_dict_put(*entry, "candidate", hf_value_str(a, version));
		return;
	}
	bool row = line.n > 5 &&
		   (hf_str_starts(line, " *** ") || (hf_str_starts(line, "     ") && line.p[5] != ' '));
	struct hf_str rest = hf_strn(line.p + 5, row ? line.n - 5 : 0), version;
	if (row && hf_str_split(&rest, ' ', &version))
		hf_list_append(hf_dict_get(*entry, "versions"), hf_value_str(a, version));
}

int hf_apt_policy(struct hf_module_context *c, const struct hf_words *names, const char *release,
	struct hf_value **ret, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_words w = hf_words(a, "apt-cache", NULL);
	if (release != NULL)
		hf_words_addf(&w, "-oAPT::Default-Release=%s", release);
	hf_words_add(&w, "policy");
	for (size_t i = 0; i < names->n; i++)
		hf_words_add(&w, names->at[i]);
	struct hf_value *table = hf_value_dict(a), *entry = NULL;
	struct hf_str out, line;
	int r = names->n == 0 ? 0 : hf_host_output(c, &w, &out, err);
	if (r < 0)
		return r;
	while (names->n > 0 && hf_str_split(&out, '\n', &line))
		policy_line(a, table, &entry, line);
	*ret = table;
	return 0;
}

static bool line_counts(struct hf_str line)
{
	size_t n = 0;
	while (n < line.n && line.p[n] >= '0' && line.p[n] <= '9')
		n++;
	return n > 0 && hf_str_starts(hf_strn(line.p + n, line.n - n), " upgraded");
}

struct hf_str hf_apt_prepared(struct hf_str out)
{
	struct hf_str rest = out, line;
	const char *start = out.p, *end = out.p + out.n;
	while (hf_str_split(&rest, '\n', &line)) {
		if (hf_str_is(line, "Reading state information..."))
			start = line.p + line.n + 1;
		if (line_counts(line)) {
			end = line.p + line.n;
			break;
		}
	}
	return start <= end ? hf_strn(start, (size_t)(end - start)) : HF_STR("");
}

bool hf_apt_nothing(struct hf_str out)
{
	return hf_str_find(out, HF_STR("\n0 upgraded, 0 newly installed, 0 to remove"), 0) != SIZE_MAX ||
	       hf_str_starts(out, "0 upgraded, 0 newly installed, 0 to remove");
}

/* --- undo --- */
int hf_apt_undo(struct hf_module_context *c, struct hf_undo *undo, struct hf_error *err)
{
	const struct hf_dpkg *db;
	int r = hf_dpkg_load(NULL, &db, err);
	if (r == 0)
		r = hf_undo_file(undo, "/var/lib/apt/extended_states", err);
	if (r < 0)
		return r;
	struct hf_arena *a = hf_task_arena(c);
	hf_auto_buf text = hf_buf_init(HF_EDIT_MAX);
	for (size_t i = 0; i < db->n; i++) {
		const struct hf_dpkg_package *p = &db->at[i];
		if (p->installed || p->config_files)
			hf_buf_printf(&text, "%s:%s %s\n", p->name, p->arch, p->installed ? p->version : "-");
	}
	r = hf_buf_check(&text, "the list of packages", err);
	if (r < 0)
		return r;
	struct hf_value *step = hf_step(c, "packages");
	hf_dict_put(step, "packages", hf_value_str(a, hf_buf_str(&text)));
	hf_undo_step(undo, step);
	return 0;
}

static const char *package_word(struct hf_arena *a, const struct hf_dpkg *db, const struct hf_dpkg_package *p)
{
	bool plain = strcmp(p->arch, "all") == 0 || strcmp(p->arch, db->architecture) == 0;
	return plain ? p->name : hf_sprintf(a, "%s:%s", p->name, p->arch);
}

/* One line "name:arch version" of the snapshot: what must come back. */
static void restore_line(struct hf_arena *a, const struct hf_dpkg *db, struct hf_str line,
	struct hf_value *before, struct hf_words *words)
{
	const char *blank = memchr(line.p, ' ', line.n);
	if (blank == NULL)
		return;
	const char *full = hf_strndup(a, line.p, (size_t)(blank - line.p));
	const char *version = hf_strndup(a, blank + 1, line.n - (size_t)(blank - line.p) - 1);
	const char *colon = strrchr(full, ':'), *arch = colon == NULL ? "all" : colon + 1;
	bool native = strcmp(arch, "all") == 0 || strcmp(arch, db->architecture) == 0;
	const char *word = native ? hf_strndup(a, full, strcspn(full, ":")) : full;
	const struct hf_dpkg_package *p = hf_dpkg_find(db, word);
	bool same = p != NULL && p->installed && strcmp(p->version, version) == 0;
	hf_dict_put(before, full, hf_value_cstr(a, version));
	if (!same && strcmp(version, "-") != 0)
		hf_words_addf(words, "%s=%s", word, version);
}

/* Words for one apt-get transaction: "name-" goes, "name=version" comes or changes; gone: leftovers to purge.
 */
static void restore_plan(struct hf_arena *a, const struct hf_dpkg *db, const struct hf_value *snapshot,
	struct hf_words *words, struct hf_words *gone)
{
	struct hf_value *before = hf_value_dict(a);
	struct hf_str rest = snapshot->u.string, line;
	while (hf_str_split(&rest, '\n', &line))
		restore_line(a, db, line, before, words);
	for (size_t i = 0; i < db->n; i++) {
		const struct hf_dpkg_package *p = &db->at[i];
		const char *was = hf_dict_cstr(before, hf_sprintf(a, "%s:%s", p->name, p->arch), NULL);
		if (p->installed && (was == NULL || strcmp(was, "-") == 0))
			hf_words_addf(words, "%s-", package_word(a, db, p));
		if ((p->installed || p->config_files) && was == NULL)
			hf_words_add(gone, package_word(a, db, p));
	}
}

int hf_apt_restore(struct hf_module_context *c, const struct hf_value *step, struct hf_error *err)
{
	const struct hf_value *snapshot = hf_dict_get(step, "packages");
	const struct hf_dpkg *db;
	int r = hf_dpkg_load(NULL, &db, err);
	if (r < 0)
		return r;
	if (!hf_is(snapshot, HF_STRING))
		return hf_fail(err, HF_E_INTERNAL, "the undo record names no packages");
	struct hf_arena *a = hf_task_arena(c);
	struct hf_words words = { .arena = a }, gone = { .arena = a };
	restore_plan(a, db, snapshot, &words, &gone);
	struct hf_apt_options o = { .dpkg_options = "force-confdef,force-confold",
		.install_recommends = HF_NO,
		.allow_downgrade = true,
		.allow_change_held_packages = true,
		.lock_timeout = 300,
		.policy_rc_d = -1 };
	struct hf_proc_result ran;
	if (words.n > 0)
		r = hf_apt_get(c, &o, "install", &words, false, &ran, err);
	if (r < 0)
		return hf_wrap(err, "put packages back");
	return gone.n == 0 ? 0 : hf_apt_get(c, &o, "purge", &gone, false, &ran, err);
}
