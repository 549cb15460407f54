#include "agent/state.h"

#include <stdarg.h>
#include <stdio.h>

#include "lib/base/log.h"

/* Pages of 4 KB; the host's memory belongs to its work. */
#define PRAGMAS                                                                                              \
	"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-128; PRAGMA foreign_keys=ON; " \
	"PRAGMA temp_store=FILE; PRAGMA wal_autocheckpoint=200; PRAGMA journal_size_limit=1048576"

enum { BUSY_MS = 5000 };

struct hf_state {
	sqlite3 *db;
	int depth;
};

#define WATCH_INSERT(row)                                                                                    \
	"INSERT OR IGNORE INTO watch SELECT json_extract(value,'$.kind'), "                                  \
	"json_extract(value,'$.name'), " row ".id FROM json_each(CASE WHEN " row                             \
	".watches='' THEN '[]' ELSE " row ".watches END)"

/* Step n brings a database of version n to n + 1. Steps are never edited, only added. */
static const char *const steps[] = {
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;"
	"CREATE TABLE runs(id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, release TEXT, name "
	"TEXT, entry TEXT,"
	" seq INTEGER, reason TEXT, previous TEXT, phase TEXT, status TEXT NOT NULL, started INTEGER, ended "
	"INTEGER,"
	" ok INTEGER DEFAULT 0, changed INTEGER DEFAULT 0, failed INTEGER DEFAULT 0, skipped INTEGER DEFAULT "
	"0,"
	" recalled INTEGER DEFAULT 0, full INTEGER DEFAULT 0, undone INTEGER DEFAULT 0, partial INTEGER "
	"DEFAULT 0, message TEXT, spec TEXT, undo TEXT);"
	"CREATE TABLE ledger(id TEXT PRIMARY KEY, fingerprint TEXT, title TEXT, module TEXT, policy TEXT, "
	"file TEXT,"
	" line INTEGER, args TEXT, watches TEXT, notifies TEXT, status TEXT, result TEXT, release TEXT, run "
	"INTEGER,"
	" state TEXT DEFAULT 'ok', checked INTEGER, changed INTEGER, changed_by TEXT, streak INTEGER DEFAULT "
	"0,"
	" retry_at INTEGER DEFAULT 0, position INTEGER) WITHOUT ROWID;"
	"CREATE TABLE paths(path TEXT PRIMARY KEY, look TEXT, hash TEXT) WITHOUT ROWID;"
	"CREATE TABLE spool(seq INTEGER PRIMARY KEY AUTOINCREMENT, boot TEXT, n INTEGER, prio INTEGER, topic "
	"TEXT,"
	" flags INTEGER, key TEXT, body TEXT, acked INTEGER DEFAULT 0);"
	"CREATE INDEX spool_waiting ON spool(acked, seq);"
	"CREATE INDEX spool_prio ON spool(prio DESC, seq);"
	"CREATE TABLE quarantine(release TEXT PRIMARY KEY, seq INTEGER, reason TEXT, at INTEGER) WITHOUT "
	"ROWID;"
	"CREATE TABLE drift(id INTEGER PRIMARY KEY AUTOINCREMENT, t INTEGER, resource TEXT, title TEXT, "
	"class TEXT,"
	" action TEXT, actor TEXT, diff TEXT, run INTEGER);",
	/* From a touched thing to its resources without reading the ledger through. */
	"ALTER TABLE ledger ADD COLUMN needed INTEGER DEFAULT 1;"
	"CREATE INDEX ledger_place ON ledger(file, line);"
	"CREATE INDEX ledger_needed ON ledger(needed) WHERE needed<>0;"
	"CREATE INDEX ledger_state ON ledger(state);"
	"CREATE TABLE watch(kind TEXT, name TEXT, id TEXT, PRIMARY KEY(kind, name, id)) WITHOUT ROWID;"
	"CREATE INDEX watch_id ON watch(id);"
	"CREATE TRIGGER watch_new AFTER INSERT ON ledger BEGIN " WATCH_INSERT(
		"new") "; END;"
		       "CREATE TRIGGER watch_set AFTER UPDATE OF watches ON ledger WHEN old.watches IS NOT "
		       "new.watches BEGIN"
		       " DELETE FROM watch WHERE id=old.id; " WATCH_INSERT(
			       "new") "; END;"
				      "CREATE TRIGGER watch_gone AFTER DELETE ON ledger BEGIN DELETE FROM "
				      "watch WHERE id=old.id; END;"
				      "INSERT OR IGNORE INTO watch SELECT json_extract(j.value,'$.kind'), "
				      "json_extract(j.value,'$.name'), "
				      "ledger.id FROM ledger, json_each(ledger.watches) AS j WHERE "
				      "ledger.watches<>'';",
	/* What waits for AWS: sink is enum hf_sink. */
	"CREATE TABLE outbox(seq INTEGER PRIMARY KEY AUTOINCREMENT, sink INTEGER, t INTEGER, kind TEXT, body "
	"TEXT);"
	"CREATE INDEX outbox_sink ON outbox(sink, seq);",
	/* Which variables a resource came from. */
	"ALTER TABLE ledger ADD COLUMN variables TEXT DEFAULT '';",
	/* Why drift was not put right. */
	"ALTER TABLE drift ADD COLUMN message TEXT;",
};

static int state_fail(struct hf_state *s, const char *what, struct hf_error *err)
{
	return hf_fail(err, HF_E_IO, "state database: %s: %s", what, sqlite3_errmsg(s->db));
}

static int run_text(struct hf_state *s, const char *sql, struct hf_error *err)
{
	if (sqlite3_exec(s->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return state_fail(s, "statement", err);
	return 0;
}

static int migrate(struct hf_state *s, struct hf_error *err)
{
	int64_t version = 0;
	int result = hf_state_number(s, err, 0, &version, "PRAGMA user_version", "");
	if (result < 0)
		return result;
	if (version > (int64_t)HF_COUNT(steps))
		return hf_fail(err, HF_E_UNSUPPORTED,
			"state database: version %lld is newer than this program knows (%zu)",
			(long long)version, HF_COUNT(steps));
	for (size_t i = (size_t)version; i < HF_COUNT(steps); i++) {
		char mark[64];
		snprintf(mark, sizeof(mark), "PRAGMA user_version=%zu", i + 1);
		if ((result = hf_state_begin(s, err)) < 0 || (result = run_text(s, steps[i], err)) < 0 ||
			(result = run_text(s, mark, err)) < 0 || (result = hf_state_commit(s, err)) < 0)
			return result;
	}
	return 0;
}

int hf_state_open(struct hf_arena *a, const char *path, struct hf_state **ret, struct hf_error *err)
{
	struct hf_state *s = hf_new(a, struct hf_state);
	sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 512, 32);
	sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	if (sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) != SQLITE_OK) {
		int result = hf_fail(err, HF_E_IO, "state database %s: %s", path, sqlite3_errmsg(s->db));
		hf_state_close(s);
		return result;
	}
	sqlite3_busy_timeout(s->db, BUSY_MS);
	int result = run_text(s, PRAGMAS, err);
	if (result == 0)
		result = migrate(s, err);
	if (result < 0) {
		hf_state_close(s);
		return result;
	}
	*ret = s;
	return 0;
}

struct hf_state *hf_state_close(struct hf_state *s)
{
	if (s != NULL && s->db != NULL) {
		sqlite3_close(s->db);
		s->db = NULL;
	}
	return NULL;
}

static int prepare(struct hf_state *s, const char *sql, const char *types, va_list args, sqlite3_stmt **ret,
	struct hf_error *err)
{
	sqlite3_stmt *st = NULL;
	if (sqlite3_prepare_v2(s->db, sql, -1, &st, NULL) != SQLITE_OK)
		return state_fail(s, "prepare", err);
	int status = SQLITE_OK;
	for (int i = 0; types[i] != '\0' && status == SQLITE_OK; i++) {
		if (types[i] == 'i') {
			status = sqlite3_bind_int64(st, i + 1, va_arg(args, int64_t));
		} else if (types[i] == 't') {
			struct hf_str t = va_arg(args, struct hf_str);
			status = sqlite3_bind_text(st, i + 1, t.p, (int)t.n, SQLITE_TRANSIENT);
		} else {
			status = sqlite3_bind_text(
				st, i + 1, va_arg(args, const char *), -1, SQLITE_TRANSIENT);
		}
	}
	if (status != SQLITE_OK) {
		sqlite3_finalize(st);
		return state_fail(s, "bind", err);
	}
	*ret = st;
	return 0;
}

static int step_rows(
	struct hf_state *s, sqlite3_stmt *st, hf_state_row each, void *data, struct hf_error *err)
{
	int status, result = 0;
	while (result == 0 && (status = sqlite3_step(st)) != SQLITE_DONE) {
		if (status != SQLITE_ROW)
			result = state_fail(s, "step", err);
		else if (each != NULL)
			result = each(data, st, err);
	}
	sqlite3_finalize(st);
	return result < 0 ? result : 0;
}

int hf_state_exec(struct hf_state *s, struct hf_error *err, const char *sql, const char *types, ...)
{
	va_list args;
	sqlite3_stmt *st = NULL;
	va_start(args, types);
	int result = prepare(s, sql, types, args, &st, err);
	va_end(args);
	return result < 0 ? result : step_rows(s, st, NULL, NULL, err);
}

int hf_state_query(struct hf_state *s, struct hf_error *err, hf_state_row each, void *data, const char *sql,
	const char *types, ...)
{
	va_list args;
	sqlite3_stmt *st = NULL;
	va_start(args, types);
	int result = prepare(s, sql, types, args, &st, err);
	va_end(args);
	return result < 0 ? result : step_rows(s, st, each, data, err);
}

static int number_row(void *data, sqlite3_stmt *row, struct hf_error *err)
{
	if (sqlite3_column_type(row, 0) != SQLITE_NULL)
		*(int64_t *)data = sqlite3_column_int64(row, 0);
	return 1;
}

int hf_state_number(struct hf_state *s, struct hf_error *err, int64_t fallback, int64_t *ret, const char *sql,
	const char *types, ...)
{
	va_list args;
	sqlite3_stmt *st = NULL;
	int64_t number = fallback;
	va_start(args, types);
	int result = prepare(s, sql, types, args, &st, err);
	va_end(args);
	if (result < 0 || (result = step_rows(s, st, number_row, &number, err)) < 0)
		return result;
	*ret = number;
	return 0;
}

int64_t hf_state_last_id(const struct hf_state *s)
{
	return sqlite3_last_insert_rowid(s->db);
}

int64_t hf_state_changes(const struct hf_state *s)
{
	return sqlite3_changes(s->db);
}

int64_t hf_state_writes(const struct hf_state *s)
{
	return sqlite3_total_changes(s->db);
}

int hf_state_begin(struct hf_state *s, struct hf_error *err)
{
	if (s->depth == 0) {
		int result = run_text(s, "BEGIN IMMEDIATE", err);
		if (result < 0)
			return result;
	}
	s->depth++;
	return 0;
}

int hf_state_commit(struct hf_state *s, struct hf_error *err)
{
	if (s->depth == 0)
		return hf_fail(err, HF_E_INTERNAL, "commit without begin");
	if (--s->depth > 0)
		return 0;
	int result = run_text(s, "COMMIT", err);
	if (result < 0)
		(void)sqlite3_exec(
			s->db, "ROLLBACK", NULL, NULL, NULL); /* the commit's own error is the one to tell */
	return result;
}

bool hf_state_open_changes(const struct hf_state *s)
{
	return s->depth > 0;
}

void hf_state_abandon(struct hf_state *s)
{
	if (s->depth > 0)
		(void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	s->depth = 0;
}

struct text_want {
	struct hf_arena *a;
	const char *text;
};

static int text_row(void *data, sqlite3_stmt *row, struct hf_error *err)
{
	struct text_want *w = data;
	if (sqlite3_column_type(row, 0) != SQLITE_NULL)
		w->text = hf_strdup(w->a, hf_state_text(row, 0));
	return 1;
}

int hf_state_get(
	struct hf_state *s, struct hf_arena *a, const char *key, const char **ret, struct hf_error *err)
{
	struct text_want w = { a, NULL };
	int result = hf_state_query(s, err, text_row, &w, "SELECT value FROM meta WHERE key=?", "s", key);
	if (result < 0)
		return result;
	*ret = w.text;
	return 0;
}

int hf_state_set(struct hf_state *s, const char *key, const char *value, struct hf_error *err)
{
	if (value == NULL)
		return hf_state_exec(s, err, "DELETE FROM meta WHERE key=?", "s", key);
	return hf_state_exec(s, err,
		"INSERT INTO meta(key,value) VALUES(?,?) ON CONFLICT(key) DO UPDATE SET value=excluded.value",
		"ss", key, value);
}

void hf_state_relax(struct hf_state *s)
{
	/* Pages of temporary tables are never clean and so never given back: a change of this setting drops
	 * the tables. Whoever uses one makes it where it is not there. */
	if (sqlite3_exec(s->db, "PRAGMA temp_store=MEMORY; PRAGMA temp_store=FILE", NULL, NULL, NULL) !=
		SQLITE_OK)
		hf_log(HF_LOG_DEBUG, "state database: temporary tables stay: %s", sqlite3_errmsg(s->db));
	sqlite3_db_release_memory(s->db);
}

const char *hf_state_text(sqlite3_stmt *row, int column)
{
	const unsigned char *text = sqlite3_column_text(row, column);
	return text == NULL ? "" : (const char *)text;
}
