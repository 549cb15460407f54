#include "agent/outbox.h"

#include <stdio.h>

#include "lib/base/time.h"
#include "lib/base/vec.h"

enum { ROW_OVERHEAD = 100, DROP_ROUNDS_MAX = 100000 };

const char *const hf_sink_names[] = { "logs", "events", "compliance", "inventory", "reports", NULL };

/* The sum is kept in a row of meta, so that a put need not read the queue through. */
static int number_get(struct hf_state *s, const char *key, int64_t *ret, struct hf_error *err)
{
	return hf_state_number(
		s, err, 0, ret, "SELECT CAST(value AS INTEGER) FROM meta WHERE key=?", "s", key);
}

static int number_set(struct hf_state *s, const char *key, int64_t n, struct hf_error *err)
{
	char text[32];
	snprintf(text, sizeof(text), "%lld", (long long)n);
	return hf_state_set(s, key, text, err);
}

static int make_room(struct hf_state *s, int64_t bound, int64_t *bytes, struct hf_error *err)
{
	int64_t dropped = 0, before = *bytes, seq = 0, size = 0;
	int result = number_get(s, "outbox.dropped", &dropped, err);
	for (int i = 0; i < DROP_ROUNDS_MAX && result == 0 && *bytes > bound; i++) {
		if ((result = hf_state_number(s, err, 0, &seq, "SELECT min(seq) FROM outbox", "")) < 0 ||
			seq == 0)
			break;
		if ((result = hf_state_number(s, err, 0, &size,
			     "SELECT length(CAST(body AS BLOB)) FROM outbox WHERE seq=?", "i", seq)) < 0 ||
			(result = hf_state_exec(s, err, "DELETE FROM outbox WHERE seq=?", "i", seq)) < 0)
			break;
		*bytes -= size + ROW_OVERHEAD;
		dropped++;
	}
	if (result == 0 && *bytes != before)
		result = number_set(s, "outbox.dropped", dropped, err);
	return result;
}

static int row_add(struct hf_state *s, int64_t bound, enum hf_sink sink, const char *kind, struct hf_str body,
	struct hf_error *err)
{
	int64_t bytes = 0;
	int result = number_get(s, "outbox.bytes", &bytes, err);
	if (result < 0)
		return result;
	bytes += (int64_t)body.n + ROW_OVERHEAD;
	if ((result = make_room(s, bound, &bytes, err)) < 0)
		return result;
	result = hf_state_exec(s, err, "INSERT INTO outbox(sink,t,kind,body) VALUES(?,?,?,?)", "iist",
		(int64_t)sink, hf_time_now_ms(), kind, body);
	return result < 0 ? result : number_set(s, "outbox.bytes", bytes, err);
}

int hf_outbox_put(struct hf_state *s, int64_t bound, enum hf_sink sink, bool once, const char *kind,
	struct hf_str body, struct hf_error *err)
{
	int64_t waiting = 0;
	int result = once ? hf_outbox_waiting(s, sink, &waiting, err) : 0;
	if (result < 0 || waiting > 0)
		return result;
	if ((result = hf_state_begin(s, err)) < 0)
		return result;
	if ((result = row_add(s, bound, sink, kind, body, err)) == 0)
		return hf_state_commit(s, err);
	hf_state_abandon(s);
	return result;
}

struct take {
	struct hf_arena *arena;
	struct hf_outbox_rows *rows;
	size_t most, left;
};

static int take_row(void *data, sqlite3_stmt *row, struct hf_error *err)
{
	struct take *t = data;
	size_t n = (size_t)sqlite3_column_bytes(row, 3);
	if (t->rows->n == t->most || (t->rows->n > 0 && n > t->left))
		return 1;
	t->left -= n < t->left ? n : t->left;
	*hf_vec_push(t->arena, t->rows) = (struct hf_outbox_row){ .seq = sqlite3_column_int64(row, 0),
		.t_ms = sqlite3_column_int64(row, 1),
		.kind = hf_strdup(t->arena, hf_state_text(row, 2)),
		.body = { hf_strndup(t->arena, hf_state_text(row, 3), n), n } };
	return 0;
}

int hf_outbox_take(struct hf_state *s, struct hf_arena *a, enum hf_sink sink, size_t most, size_t bytes,
	struct hf_outbox_rows *ret, struct hf_error *err)
{
	struct take t = { a, ret, most, bytes };
	return hf_state_query(s, err, take_row, &t,
		"SELECT seq,t,kind,body FROM outbox WHERE sink=? ORDER BY seq LIMIT ?", "ii", (int64_t)sink,
		(int64_t)most);
}

int hf_outbox_done(struct hf_state *s, enum hf_sink sink, int64_t seq, struct hf_error *err)
{
	int64_t left = 0;
	int result = hf_state_begin(s, err);
	if (result < 0)
		return result;
	if ((result = hf_state_exec(
		     s, err, "DELETE FROM outbox WHERE sink=? AND seq<=?", "ii", (int64_t)sink, seq)) == 0 &&
		(result = hf_state_number(s, err, 0, &left,
			 "SELECT CAST(total(length(CAST(body AS BLOB))+100) AS INTEGER) FROM outbox", "")) ==
			0 &&
		(result = number_set(s, "outbox.bytes", left, err)) == 0)
		return hf_state_commit(s, err);
	hf_state_abandon(s);
	return result;
}

int hf_outbox_waiting(struct hf_state *s, enum hf_sink sink, int64_t *ret, struct hf_error *err)
{
	return hf_state_number(
		s, err, 0, ret, "SELECT count(*) FROM outbox WHERE sink=?", "i", (int64_t)sink);
}

int hf_outbox_dropped(struct hf_state *s, int64_t *ret, struct hf_error *err)
{
	return number_get(s, "outbox.dropped", ret, err);
}
