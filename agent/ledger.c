#include "agent/ledger.h"

#include <fcntl.h>

#include "agent/runlog.h"
#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "lib/data/json.h"

enum { COLUMN_MAX = 1 << 20, WRITE_AT = 64 << 10, RECALL_MAX = 256 << 20 };

static int column_print(
	const struct hf_value *line, const char *key, struct hf_buf *out, struct hf_error *err)
{
	const struct hf_value *v = hf_dict_get(line, key);
	struct hf_json_style style = HF_JSON_COMPACT;
	return v == NULL ? 0 : hf_json_write(out, v, &style, err);
}

int hf_ledger_looks_store(struct hf_state *s, const struct hf_value *looks, struct hf_error *err)
{
	int result = 0;
	if (!hf_is(looks, HF_DICT))
		return 0;
	HF_DICT_EACH (looks, e) {
		const struct hf_value *pair = hf_entry_value(e);
		if (!hf_is(pair, HF_LIST) || hf_list_len(pair) < 2)
			continue;
		result = hf_state_exec(s, err,
			"INSERT INTO paths(path,look,hash) VALUES(?,?,?)"
			" ON CONFLICT(path) DO UPDATE SET look=excluded.look, hash=excluded.hash",
			"sss", hf_entry_key(e)->u.string.p, hf_list_at(pair, 0)->u.string.p,
			hf_list_at(pair, 1)->u.string.p);
		if (result < 0)
			return result;
	}
	return result;
}

int hf_ledger_settled(struct hf_state *s, const struct hf_value *line, int64_t run, const char *release,
	int64_t position, struct hf_error *err)
{
	static const char *const keys[] = { "args", "watches", "notifies", "result", "variables" };
	struct hf_buf columns[HF_COUNT(keys)];
	int result = 0;
	if (hf_dict_bool(line, "handler", false))
		return 0;
	for (size_t i = 0; i < HF_COUNT(keys); i++) {
		columns[i] = hf_buf_init(COLUMN_MAX);
		if (result == 0)
			result = column_print(line, keys[i], &columns[i], err);
	}
	const char *status = hf_dict_cstr(line, "status", "");
	bool changed = strcmp(status, "changed") == 0;
	int64_t now = hf_time_now();
	if (result == 0)
		result = hf_state_exec(s, err,
			"INSERT INTO "
			"ledger(id,fingerprint,title,module,policy,file,line,args,watches,notifies,status,"
			"result,release,"
			"run,state,checked,changed,position,variables) "
			"VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,'ok',?15,?16,?17,?18)"
			" ON CONFLICT(id) DO UPDATE SET "
			"fingerprint=?2,title=?3,module=?4,policy=?5,file=?6,line=?7,args=?8,watches=?9,"
			"notifies=?10,status=?11,result=?12,release=?13,run=?14,state='ok',checked=?15,"
			"changed=CASE WHEN ?16>0 THEN ?16 ELSE changed END, changed_by=CASE WHEN ?16>0 THEN "
			"NULL ELSE changed_by END, position=CASE WHEN ?17>=0 THEN "
			"?17 ELSE position END, variables=?18",
			"ssssssitttstsiiiit", hf_dict_cstr(line, "id", ""), hf_dict_cstr(line, "fp", ""),
			hf_dict_cstr(line, "title", ""), hf_dict_cstr(line, "module", ""),
			hf_dict_cstr(line, "policy", NULL), hf_dict_cstr(line, "file", NULL),
			hf_dict_int(line, "line", 0), hf_buf_str(&columns[0]), hf_buf_str(&columns[1]),
			hf_buf_str(&columns[2]), status, hf_buf_str(&columns[3]), release, run, now,
			changed ? now : 0, position, hf_buf_str(&columns[4]));
	if (result == 0)
		result = hf_ledger_looks_store(s, hf_dict_get(line, "looks"), err);
	for (size_t i = 0; i < HF_COUNT(keys); i++)
		hf_buf_done(&columns[i]);
	return result;
}

struct import {
	struct hf_state *state;
	const char *release;
	int64_t run, position;
};

static int seen_ready(struct hf_state *s, struct hf_error *err)
{
	int result = hf_state_exec(s, err,
		"CREATE TEMP TABLE IF NOT EXISTS seen(id TEXT PRIMARY KEY, position INTEGER, file TEXT, line "
		"INTEGER, needed INTEGER)",
		"");
	return result < 0 ? result : hf_state_exec(s, err, "DELETE FROM seen", "");
}

static int seen_add(struct hf_state *s, const struct hf_value *row, int64_t position, struct hf_error *err)
{
	if (!hf_is(row, HF_LIST) || hf_list_len(row) != 4 || !hf_is(hf_list_at(row, 0), HF_STRING) ||
		!hf_is(hf_list_at(row, 1), HF_STRING) || !hf_is(hf_list_at(row, 2), HF_INT) ||
		!hf_is(hf_list_at(row, 3), HF_INT))
		return hf_fail(err, HF_E_INTERNAL, "a run's log names what it saw in a form that is none");
	return hf_state_exec(s, err,
		"INSERT OR REPLACE INTO seen(id,position,file,line,needed) VALUES(?,?,?,?,?)", "sisii",
		hf_list_at(row, 0)->u.string.p, position, hf_list_at(row, 1)->u.string.p,
		hf_list_at(row, 2)->u.integer, hf_list_at(row, 3)->u.integer);
}

/* Resources the run did not come across belong to an older release. One that was recalled may stand at
 * another place of the new one. */
static int unseen_forget(struct hf_state *s, const struct hf_value *seen, struct hf_error *err)
{
	int result = 0;
	for (size_t i = 0; i < hf_list_len(seen) && result == 0; i++)
		result = seen_add(s, hf_list_at(seen, i), (int64_t)i, err);
	if (result == 0)
		result =
			hf_state_exec(s, err, "DELETE FROM ledger WHERE id NOT IN (SELECT id FROM seen)", "");
	if (result == 0)
		result = hf_state_exec(s, err,
			"UPDATE ledger SET position=seen.position, file=seen.file, line=seen.line, "
			"needed=seen.needed FROM seen WHERE seen.id=ledger.id",
			"");
	return result;
}

static int import_line(
	void *data, struct hf_arena *a, const char *kind, struct hf_value *line, struct hf_error *err)
{
	struct import *i = data;
	if (strcmp(kind, "settled") == 0)
		return hf_ledger_settled(i->state, line, i->run, i->release, i->position++, err);
	if (strcmp(kind, "seen") == 0)
		return seen_add(i->state, hf_dict_get(line, "row"), i->position++, err);
	const struct hf_value *seen = hf_dict_get(line, "seen");
	if (strcmp(kind, "end") == 0 && hf_is(seen, HF_LIST) && hf_dict_int(line, "exit", 1) == 0 &&
		!hf_dict_bool(line, "cancelled", false))
		return unseen_forget(i->state, seen, err);
	return 0;
}

int hf_ledger_import(
	struct hf_state *s, const char *log, int64_t run, const char *release, struct hf_error *err)
{
	struct import i = { s, release, run, 0 };
	int result = hf_state_begin(s, err);
	if (result == 0)
		result = seen_ready(s, err);
	if (result == 0)
		result = hf_runlog_read(log, import_line, &i, err);
	if (result == 0)
		result = hf_state_commit(s, err);
	if (result < 0)
		hf_state_abandon(s);
	return result;
}

struct recall_file {
	int fd;
	struct hf_buf text;
};

static int recall_row(void *data, sqlite3_stmt *row, struct hf_error *err)
{
	struct recall_file *f = data;
	const char *result = hf_state_text(row, 4);
	hf_buf_printf(&f->text,
		"{\"id\":\"%s\",\"fp\":\"%s\",\"state\":\"%s\",\"status\":\"%s\",\"result\":%s}\n",
		hf_state_text(row, 0), hf_state_text(row, 1), hf_state_text(row, 2), hf_state_text(row, 3),
		*result == '\0' ? "null" : result);
	if (f->text.n < WRITE_AT)
		return 0;
	int status = hf_buf_check(&f->text, "the recall file", err);
	if (status == 0)
		status = hf_fs_write_all(f->fd, hf_buf_str(&f->text), err);
	hf_buf_clear(&f->text);
	return status;
}

#define RECALL_SELECT "SELECT id,fingerprint,state,status,result FROM ledger"

int hf_ledger_recall_write(
	struct hf_state *s, const char *path, const struct hf_value *places, struct hf_error *err)
{
	hf_auto_fd fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct recall_file f = { fd, hf_buf_init(RECALL_MAX) };
	if (fd < 0)
		return hf_fail_errno(err, HF_E_IO, "open %s", path);
	int result = 0;
	if (places == NULL)
		result = hf_state_query(s, err, recall_row, &f, RECALL_SELECT, "");
	else
		result = hf_state_query(s, err, recall_row, &f, RECALL_SELECT " WHERE needed<>0", "");
	for (size_t i = 0; places != NULL && result == 0 && i < hf_list_len(places); i++)
		result = hf_state_query(s, err, recall_row, &f, RECALL_SELECT " WHERE file=? AND line=?",
			"si", hf_dict_cstr(hf_list_at(places, i), "file", ""),
			hf_dict_int(hf_list_at(places, i), "line", 0));
	if (result == 0)
		result = hf_buf_check(&f.text, "the recall file", err);
	if (result == 0)
		result = hf_fs_write_all(fd, hf_buf_str(&f.text), err);
	hf_buf_done(&f.text);
	return result;
}

int hf_ledger_state_set(struct hf_state *s, const char *id, const char *state, struct hf_error *err)
{
	return hf_state_exec(
		s, err, "UPDATE ledger SET state=?, checked=? WHERE id=?", "sis", state, hf_time_now(), id);
}

struct each {
	hf_ledger_each each;
	void *data;
};

#define ROW_SELECT                                                                                           \
	"SELECT ledger.id,title,module,policy,state,watches,streak,retry_at,changed,file,line FROM ledger"

static int each_row(void *data, sqlite3_stmt *row, struct hf_error *err)
{
	struct each *e = data;
	struct hf_ledger_row r = { .id = hf_state_text(row, 0),
		.title = hf_state_text(row, 1),
		.module = hf_state_text(row, 2),
		.policy = hf_state_text(row, 3),
		.state = hf_state_text(row, 4),
		.watches = hf_state_text(row, 5),
		.streak = sqlite3_column_int64(row, 6),
		.retry_at = sqlite3_column_int64(row, 7),
		.changed = sqlite3_column_int64(row, 8),
		.file = hf_state_text(row, 9),
		.line = sqlite3_column_int64(row, 10) };
	return e->each(e->data, &r, err);
}

int hf_ledger_list(struct hf_state *s, hf_ledger_each each, void *data, struct hf_error *err)
{
	struct each e = { each, data };
	return hf_state_query(s, err, each_row, &e, ROW_SELECT " ORDER BY position", "");
}

int hf_ledger_find(struct hf_state *s, const char *id, hf_ledger_each each, void *data, struct hf_error *err)
{
	struct each e = { each, data };
	return hf_state_query(s, err, each_row, &e, ROW_SELECT " WHERE ledger.id=?", "s", id);
}

int hf_ledger_watching(struct hf_state *s, const char *kind, const char *name, hf_ledger_each each,
	void *data, struct hf_error *err)
{
	struct each e = { each, data };
	if (name == NULL)
		return hf_state_query(s, err, each_row, &e,
			ROW_SELECT " WHERE ledger.id IN (SELECT id FROM watch WHERE kind=?)", "s", kind);
	return hf_state_query(s, err, each_row, &e,
		ROW_SELECT " WHERE ledger.id IN (SELECT id FROM watch WHERE kind=? AND name=?)", "ss", kind,
		name);
}
