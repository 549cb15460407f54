#include "agent/apply.h"

#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/child.h"
#include "agent/looks.h"
#include "agent/recall.h"
#include "agent/runlog.h"
#include "agent/undo.h"
#include "lib/base/fs.h"
#include "lib/base/log.h"
#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "modules/registry.h"

enum {
	JOB_MAX = 8 << 20,
	GROUPS_MAX = 128,
	RESULT_MAX = 256 << 10,
	ARGS_MAX = 8 << 10,
	BLOB_READ = 1 << 16,
	JOB_READ = 16 << 10
};

struct apply {
	struct hf_arena *arena;
	struct hf_value *job;
	struct hf_buf in; /* of the job's socket, read and not used yet */
	struct hf_run_options *options;
	struct hf_map places; /* "line file" of what the run is about */
	bool choosy;          /* it is not about everything */
	struct hf_runlog log;
	struct hf_recall *recall;
	const char *blobs;
	bool check, plan, tell, reboot; /* reboot: a task asked for it, the run stops here */
	const char *log_path;           /* of what is open in log */
	pid_t pid;
	struct hf_arena *pending_arena;
	struct hf_value *pending; /* a settled line that waits for its event */
	const char *message;      /* what failed, for people */
	unsigned recalled;
	struct hf_looks looks; /* of the task at work */
};

static volatile sig_atomic_t stop_asked;

static void on_term(int signal)
{
	stop_asked = 1;
}

static int line_tell(struct apply *ap, const struct hf_value *v, struct hf_error *err)
{
	hf_auto_buf b = hf_buf_init(HF_CHILD_LINE_MAX);
	struct hf_json_style style = HF_JSON_COMPACT;
	int result = hf_json_write(&b, v, &style, err);
	return result < 0 ? result : hf_child_tell(HF_CHILD_SOCKET, hf_buf_str(&b), err);
}

/* --- hooks --- */

/* A value that would make the line too long is left out: the task is then run again instead of recalled. */
static void put_bounded(struct hf_arena *a, struct hf_value *line, const char *key, const struct hf_value *v,
	size_t max, bool hide)
{
	hf_auto_buf b = hf_buf_init(max);
	struct hf_json_style style = HF_JSON_COMPACT;
	if (v == NULL || hf_json_write(&b, v, &style, NULL) < 0 || b.failed)
		return;
	struct hf_value *copy = hf_value_copy(a, v);
	hf_dict_put(line, key, hide && hf_value_has_secret(v) ? hf_value_cstr(a, "********") : copy);
}

static void put_cstr(struct hf_arena *a, struct hf_value *line, const char *key, const char *text)
{
	if (text != NULL)
		hf_dict_put(line, key, hf_value_cstr(a, text));
}

/* What the supervisor is told about a settled task waits for the task's event, which has the diff with
 * secrets hidden. */
static int pending_tell(struct apply *ap, const struct hf_value *event, struct hf_error *err)
{
	if (ap->pending == NULL)
		return 0;
	if (event != NULL) {
		put_bounded(ap->pending_arena, ap->pending, "diff", hf_dict_get(event, "diff"), RESULT_MAX,
			false);
		if (strcmp(hf_dict_cstr(event, "status", ""), "failed") == 0)
			put_cstr(ap->pending_arena, ap->pending, "msg", hf_dict_cstr(event, "msg", NULL));
	}
	int result = line_tell(ap, ap->pending, err);
	ap->pending = NULL;
	ap->pending_arena = hf_arena_free(ap->pending_arena);
	return result;
}

static void event_log(struct apply *ap, const struct hf_value *event)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_value *line = hf_value_dict(a);
	hf_dict_put(line, "k", hf_value_cstr(a, "event"));
	hf_dict_put(line, "event", hf_value_copy(a, event));
	/* For people who read the log: what decides is the settled line, whose failure is not passed over. */
	if (hf_runlog_add(&ap->log, line, false, NULL) < 0)
		hf_log(HF_LOG_WARNING, "an event could not be written to the run's log");
}

static void plan_tell(struct apply *ap, const struct hf_value *event)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_value *line = hf_value_dict(a), *copy = hf_value_copy(a, event);
	hf_dict_remove(copy, "result");
	hf_dict_put(line, "k", hf_value_cstr(a, "planned"));
	hf_dict_put(line, "event", copy);
	if (line_tell(ap, line, NULL) < 0)
		stop_asked = 1; /* whoever asked has gone */
}

static void on_event(void *data, const struct hf_value *event)
{
	struct apply *ap = data;
	const char *status = hf_dict_cstr(event, "status", "");
	if (strcmp(hf_dict_cstr(event, "type", ""), "task") != 0)
		return;
	if (ap->plan)
		plan_tell(ap, event);
	if (pending_tell(ap, event, NULL) < 0)
		stop_asked = 1; /* the supervisor has gone: it resumes the run with a new apply role */
	bool failed = strcmp(status, "failed") == 0 || strcmp(status, "unreachable") == 0;
	if (failed && hf_dict_get(event, "item") == NULL)
		ap->message = hf_sprintf(ap->arena, "%s: %s", hf_dict_cstr(event, "task", "a task"),
			hf_dict_cstr(event, "msg", "failed"));
	if (!ap->check && (failed || strcmp(status, "changed") == 0))
		event_log(ap, event);
}

/* A task under become runs in a child of the engine's: what it notes in memory is lost, so it goes to the
 * log. */
static int seen_note(struct apply *ap, const struct hf_resource *r, struct hf_error *err)
{
	if (getpid() == ap->pid) {
		hf_recall_seen(ap->recall, r);
		return 0;
	}
	hf_auto_arena a = hf_arena_new();
	struct hf_value *line = hf_value_dict(a);
	hf_dict_put(line, "k", hf_value_cstr(a, "seen"));
	hf_dict_put(line, "row", hf_recall_seen_row(a, r));
	return ap->check ? 0 : hf_runlog_add(&ap->log, line, false, err);
}

static int on_recall(void *data, struct hf_arena *a, const struct hf_resource *r, struct hf_value **ret,
	struct hf_error *err)
{
	struct apply *ap = data;
	int result = seen_note(ap, r, err);
	if (result < 0)
		return result;
	*ret = hf_recall_answer(ap->recall, a, r);
	if (*ret != NULL) {
		ap->recalled++;
		hf_looks_done(&ap->looks); /* how things were before another task says nothing of this one */
	} else {
		hf_looks_before(&ap->looks, r->watches);
	}
	return 0;
}

static int found_tell(
	struct apply *ap, const struct hf_resource *r, const struct hf_value *diff, struct hf_error *err)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_value *found = hf_value_dict(a);
	put_cstr(a, found, "k", "found");
	put_cstr(a, found, "id", r->id);
	put_cstr(a, found, "module", r->module);
	put_bounded(a, found, "diff", diff, RESULT_MAX, false);
	return line_tell(ap, found, err);
}

static void on_differs(void *data, const struct hf_resource *r, const struct hf_value *diff)
{
	struct apply *ap = data;
	if (ap->tell && found_tell(ap, r, diff, NULL) < 0)
		stop_asked = 1; /* the supervisor has gone */
}

static int on_journal(
	void *data, const struct hf_resource *r, const struct hf_value *record, struct hf_error *err)
{
	struct apply *ap = data;
	hf_auto_arena a = hf_arena_new();
	struct hf_value *line = hf_value_dict(a);
	hf_dict_put(line, "k", hf_value_cstr(a, "undo"));
	hf_dict_put(line, "id", hf_value_cstr(a, r->id));
	hf_dict_put(line, "title", hf_value_cstr(a, r->title));
	hf_dict_put(line, "record", hf_value_copy(a, record));
	int result = hf_runlog_add(&ap->log, line, true, err);
	if (result < 0 || !ap->tell || r->unknown)
		return result;
	return found_tell(ap, r, NULL, err);
}

static int blob_copy(int from, int to, struct hf_error *err)
{
	char block[BLOB_READ];
	for (;;) {
		ssize_t n = read(from, block, sizeof(block));
		if (n < 0)
			return hf_fail_errno(err, HF_E_IO, "read a pre-image");
		if (n == 0)
			return 0;
		int result = hf_fs_write_all(to, hf_strn(block, (size_t)n), err);
		if (result < 0)
			return result;
	}
}

static int on_save(void *data, int fd, struct hf_digest *ret, struct hf_error *err)
{
	struct apply *ap = data;
	hf_auto_arena a = hf_arena_new();
	char hex[HF_SHA256_HEX];
	int result = hf_sha256_fd(fd, UINT64_MAX, ret, NULL, err);
	if (result < 0)
		return result;
	hf_digest_hex(ret, hex);
	const char *dir = hf_sprintf(a, "%s/%.2s", ap->blobs, hex), *path = hf_sprintf(a, "%s/%s", dir, hex);
	if (hf_fs_exists(path))
		return 0;
	struct hf_fs_temp temp;
	struct hf_fs_attr attr = { 0600, HF_KEEP_UID, HF_KEEP_GID, true };
	if (lseek(fd, 0, SEEK_SET) < 0)
		return hf_fail_errno(err, HF_E_IO, "rewind a pre-image");
	if ((result = hf_fs_mkdirs(dir, 0700, err)) < 0 ||
		(result = hf_fs_temp_open(a, path, &temp, err)) < 0)
		return result;
	if ((result = blob_copy(fd, temp.fd, err)) == 0)
		result = hf_fs_temp_commit(&temp, attr, err);
	hf_fs_temp_discard(&temp);
	return result;
}

static int on_settled(void *data, const struct hf_resource *r, const char *status,
	const struct hf_value *result, struct hf_error *err)
{
	struct apply *ap = data;
	hf_auto_arena a = hf_arena_new();
	struct hf_value *line = hf_value_dict(a);
	bool changed = strcmp(status, "changed") == 0;
	put_cstr(a, line, "k", "settled");
	put_cstr(a, line, "id", r->id);
	put_cstr(a, line, "fp", r->fingerprint);
	put_cstr(a, line, "title", r->title);
	put_cstr(a, line, "module", r->module);
	put_cstr(a, line, "policy", r->policy);
	put_cstr(a, line, "file", r->pos.file);
	put_cstr(a, line, "status", status);
	hf_dict_put(line, "line", hf_value_int(a, r->pos.line));
	hf_dict_put(line, "handler", hf_value_bool(a, r->handler));
	put_bounded(a, line, "args", r->args, ARGS_MAX, true);
	struct hf_value *watches = hf_looks_watches(a, r->watches);
	put_bounded(a, line, "watches", watches, RESULT_MAX, false);
	put_bounded(a, line, "notifies", r->notifies, ARGS_MAX, false);
	put_bounded(a, line, "variables", r->variables, ARGS_MAX, false);
	put_bounded(a, line, "result", result, RESULT_MAX, false);
	/* A module that failed may have come half the way. */
	bool touched = !ap->check && (changed || strcmp(status, "failed") == 0);
	hf_dict_put(line, "looks", hf_looks_after(&ap->looks, a, watches, touched));
	ap->reboot = ap->reboot || (changed && strcmp(r->module, "reboot") == 0);
	/* Of a drift run the supervisor's own record counts, and a sweep finds what a power cut leaves. */
	int done = ap->check ? 0 : hf_runlog_add(&ap->log, line, changed && !ap->tell, err);
	if (done < 0 || !ap->tell)
		return done;
	if (getpid() != ap->pid)
		return line_tell(ap, line, err);
	if ((done = pending_tell(ap, NULL, err)) == 0) {
		ap->pending = line;
		ap->pending_arena = hf_take_arena(&a);
	}
	return done;
}

static bool on_cancelled(void *data)
{
	return stop_asked != 0 || ((const struct apply *)data)->reboot;
}

/* --- the job --- */

/* One line of the socket; a second one may come much later. */
static int line_read(struct apply *ap, struct hf_value **ret, struct hf_error *err)
{
	char *end;
	while ((end = ap->in.n == 0 ? NULL : memchr(ap->in.p, '\n', ap->in.n)) == NULL) {
		char *room = hf_buf_room(&ap->in, JOB_READ);
		ssize_t n = room == NULL ? -1 : read(HF_CHILD_SOCKET, room, JOB_READ);
		if (n <= 0)
			return hf_fail(err, HF_E_CANCELLED, "no job came");
		hf_buf_added(&ap->in, (size_t)n);
	}
	size_t n = (size_t)(end - ap->in.p);
	struct hf_str text = hf_strn(hf_strndup(ap->arena, ap->in.p, n), n);
	memmove(ap->in.p, end + 1, ap->in.n - n - 1);
	ap->in.n -= n + 1;
	int result = hf_json_parse(ap->arena, text, "job", ret, err);
	if (result == 0 && !hf_is(*ret, HF_DICT))
		result = hf_fail(err, HF_E_INTERNAL, "a job must be an object");
	return result;
}

static const char *const *groups_list(struct apply *ap)
{
	const struct hf_value *list = hf_dict_get(ap->job, "groups");
	size_t n = list == NULL ? 0 : hf_list_len(list);
	const char **all = hf_new_array(ap->arena, n + 1, const char *);
	for (size_t i = 0; i < n; i++)
		all[i] = hf_value_text(ap->arena, hf_list_at(list, i)).p;
	return all;
}

static int recall_prepare(struct apply *ap, struct hf_error *err)
{
	const struct hf_value *touched = hf_dict_get(ap->job, "touched");
	const char *log = hf_dict_cstr(ap->job, "log", NULL);
	struct hf_recall_options o = { .ledger = hf_dict_cstr(ap->job, "recall", NULL),
		.log = ap->check ? NULL : log,
		.touched = hf_is(touched, HF_LIST) ? touched : NULL };
	int result = hf_recall_load(ap->arena, &o, &ap->recall, err);
	if (o.ledger != NULL)
		unlink(o.ledger);
	return result;
}

static int unsettled_take_back(struct apply *ap, struct hf_error *err)
{
	struct hf_run_hooks hooks = { .data = ap, .save = on_save };
	struct hf_undo_job job = { .registry = &hf_modules,
		.hooks = &hooks,
		.blobs = ap->blobs,
		.own_log = hf_dict_cstr(ap->job, "log", "") };
	return hf_undo_unsettled(ap->arena, &job, err);
}

static const char *place_key(struct hf_arena *a, int64_t line, const char *file)
{
	return hf_sprintf(a, "%lld %s", (long long)line, file == NULL ? "" : file);
}

static void places_take(struct apply *ap)
{
	const struct hf_value *list = hf_dict_get(ap->job, "places");
	hf_map_init_str(&ap->places, ap->arena);
	ap->choosy = hf_is(list, HF_LIST);
	for (size_t i = 0; ap->choosy && i < hf_list_len(list); i++)
		hf_map_set(&ap->places,
			place_key(ap->arena, hf_dict_int(hf_list_at(list, i), "line", 0),
				hf_dict_cstr(hf_list_at(list, i), "file", "")),
			ap);
}

static bool on_wanted(void *data, struct hf_pos pos)
{
	struct apply *ap = data;
	hf_auto_arena a = hf_arena_new();
	return !ap->choosy || hf_map_find(&ap->places, place_key(a, pos.line, pos.file)) != NULL;
}

/* What the run is about, when it was not said at once. */
static int job_complete(struct apply *ap, struct hf_error *err)
{
	struct hf_value *rest = NULL;
	if (!hf_dict_bool(ap->job, "later", false))
		return 0;
	int result = line_read(ap, &rest, err);
	if (result < 0)
		return result;
	HF_DICT_EACH (rest, e)
		hf_dict_set(ap->job, hf_entry_key(e), hf_entry_value(e));
	hf_dict_remove(ap->job, "later");
	return 0;
}

static int log_open(struct apply *ap, struct hf_error *err)
{
	const char *path = hf_dict_cstr(ap->job, "log", "");
	if (ap->log_path != NULL && strcmp(ap->log_path, path) == 0)
		return 0;
	hf_runlog_close(&ap->log);
	ap->log_path = path;
	return hf_runlog_open(path, &ap->log, err);
}

static int job_begin(struct apply *ap, struct hf_error *err)
{
	ap->plan = strcmp(hf_dict_cstr(ap->job, "mode", ""), "plan") == 0;
	ap->check = ap->plan || strcmp(hf_dict_cstr(ap->job, "mode", ""), "check") == 0;
	ap->tell = hf_dict_bool(ap->job, "tell", false);
	if (ap->options != NULL) {
		ap->options->check = ap->check;
		ap->options->plan = ap->plan;
		ap->options->go_on = hf_is(hf_dict_get(ap->job, "touched"), HF_LIST);
	}
	/* Where modules/reboot.c asks; empty: not in this run. */
	if (setenv("HOLDFAST_REBOOT_REQUEST", hf_dict_cstr(ap->job, "reboot", ""), 1) < 0)
		return hf_fail_errno(err, HF_E_INTERNAL, "environment");
	return log_open(ap, err);
}

static int on_loaded(void *data, struct hf_run_options *options, struct hf_error *err)
{
	struct apply *ap = data;
	ap->options = options;
	/* The log it will most likely be is there before it is needed. */
	int result = hf_dict_get(ap->job, "log") == NULL ? 0 : log_open(ap, err);
	if (result == 0)
		result = job_complete(ap, err);
	if (result == 0)
		result = job_begin(ap, err);
	if (result == 0)
		result = recall_prepare(ap, err);
	places_take(ap);
	return result < 0 || ap->check ? result : unsettled_take_back(ap, err);
}

static int engine_run(struct apply *ap, struct hf_run_summary *ret, struct hf_error *err)
{
	const char *tree = hf_dict_cstr(ap->job, "tree", ""), *entry = hf_dict_cstr(ap->job, "entry", "");
	const char *const playbooks[] = { hf_path_join(ap->arena, tree, entry), NULL };
	struct hf_run_hooks hooks = { .data = ap,
		.loaded = on_loaded,
		.wanted = on_wanted,
		.event = on_event,
		.recall = on_recall,
		.differs = on_differs,
		.journal = on_journal,
		.save = on_save,
		.settled = on_settled,
		.cancelled = on_cancelled };
	struct hf_run_options o = { .registry = &hf_modules,
		.playbooks = playbooks,
		.groups = groups_list(ap),
		.host_name = hf_dict_cstr(ap->job, "host", NULL),
		.check = ap->check,
		.diff = true,
		.watches = true,
		.no_lookups = !hf_dict_bool(ap->job, "lookups", true),
		.deadline_s = (uint32_t)hf_dict_int(ap->job, "deadline", 0),
		.hooks = &hooks };
	if (chdir(tree) < 0)
		return hf_fail_errno(err, HF_E_IO, "release folder %s", tree);
	int result = hf_run_playbooks(&o, ret, err);
	ap->options = NULL;
	return result;
}

static int end_tell(struct apply *ap, struct hf_value *line, struct hf_error *err)
{
	int told = pending_tell(ap, NULL, err);
	if (told < 0)
		return told;
	put_cstr(ap->arena, line, "k", "end");
	hf_dict_put(line, "cancelled", hf_value_bool(ap->arena, stop_asked != 0 || ap->reboot));
	hf_dict_put(line, "reboot", hf_value_bool(ap->arena, ap->reboot));
	hf_dict_put(line, "recalled", hf_value_int(ap->arena, ap->recalled));
	put_cstr(ap->arena, line, "message", ap->message);
	int result = ap->check ? 0 : hf_runlog_add(&ap->log, line, true, err);
	return result < 0 ? result : line_tell(ap, line, err);
}

static int run_mode(struct apply *ap, struct hf_error *err)
{
	struct hf_run_summary s = { 0 };
	struct hf_error failure = { 0 };
	char text[HF_ERROR_TEXT_MAX];
	struct hf_arena *a = ap->arena;
	struct hf_value *line = hf_value_dict(a);
	if (engine_run(ap, &s, &failure) < 0) {
		s.exit_status = s.exit_status != 0 ? s.exit_status : 4;
		ap->message = hf_strdup(a, hf_error_print(&failure, text, sizeof(text)));
	}
	/* What cannot be read is told when it is known whom to tell about which run. */
	int result = job_complete(ap, err);
	if (result == 0)
		result = job_begin(ap, err);
	if (result < 0)
		return result;
	const struct {
		const char *key;
		int64_t n;
	} numbers[] = { { "ok", s.ok }, { "changed", s.changed }, { "failed", s.failed + s.unreachable },
		{ "skipped", s.skipped }, { "exit", s.exit_status } };
	for (size_t i = 0; i < HF_COUNT(numbers); i++)
		hf_dict_put(line, numbers[i].key, hf_value_int(a, numbers[i].n));
	if (ap->recall != NULL)
		hf_dict_put(line, "seen", hf_recall_seen_list(ap->recall, a));
	return end_tell(ap, line, err);
}

static int undo_mode(struct apply *ap, struct hf_error *err)
{
	struct hf_run_hooks hooks = { .data = ap, .save = on_save };
	struct hf_undo_job job = { .registry = &hf_modules,
		.hooks = &hooks,
		.blobs = ap->blobs,
		.log = &ap->log,
		.own_log = hf_dict_cstr(ap->job, "log", ""),
		.runs = hf_dict_get(ap->job, "undo") };
	struct hf_value *failures = hf_value_list(ap->arena), *line = hf_value_dict(ap->arena);
	int64_t undone = 0;
	int result = hf_undo_runs(ap->arena, &job, failures, &undone, err);
	if (result < 0)
		return result;
	hf_dict_put(line, "undone", hf_value_int(ap->arena, undone));
	hf_dict_put(line, "impossible", failures);
	hf_dict_put(line, "exit", hf_value_int(ap->arena, 0));
	return end_tell(ap, line, err);
}

static int apply_run(struct apply *ap, struct hf_error *err)
{
	int result = line_read(ap, &ap->job, err);
	if (result < 0)
		return result;
	ap->blobs = hf_dict_cstr(ap->job, "blobs", "");
	if (strcmp(hf_dict_cstr(ap->job, "mode", ""), "undo") != 0)
		return run_mode(ap, err);
	result = job_begin(ap, err);
	return result < 0 ? result : undo_mode(ap, err);
}

int hf_apply_main(void)
{
	struct apply ap = {
		.arena = hf_arena_new(), .log = { -1 }, .pid = getpid(), .in = hf_buf_init(JOB_MAX)
	};
	struct hf_error err = { 0 };
	char text[HF_ERROR_TEXT_MAX];
	struct sigaction term = { .sa_handler = on_term, .sa_flags = SA_RESTART };
	sigaction(SIGTERM, &term, NULL);
	fcntl(HF_CHILD_SOCKET, F_SETFD, FD_CLOEXEC);
	umask(022);
	int result = apply_run(&ap, &err);
	if (result < 0)
		hf_log(HF_LOG_ERROR, "apply: %s", hf_error_print(&err, text, sizeof(text)));
	hf_runlog_close(&ap.log);
	hf_buf_done(&ap.in);
	hf_arena_free(ap.pending_arena);
	hf_looks_done(&ap.looks);
	hf_arena_free(ap.arena);
	return result < 0 ? 1 : 0;
}

int hf_apply_body(int socket, void *data)
{
	enum { HEAP_STEP = 32 << 20 };
	/* The supervisor gives back every page at once; a run that lives for milliseconds should not. */
	mallopt(M_MMAP_THRESHOLD, HEAP_STEP);
	mallopt(M_TRIM_THRESHOLD, HEAP_STEP);
	mallopt(M_TOP_PAD, 1 << 20);
	if (socket != HF_CHILD_SOCKET) {
		if (dup2(socket, HF_CHILD_SOCKET) < 0)
			return 1;
		close(socket);
	}
	return hf_apply_main();
}
