#include "agent/spool.h"

#include <stdlib.h>

#include "agent/fit.h"
#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "lib/data/json.h"

/* What a row costs beside its text, counted so that the bound is one of disk, not of payload. */
enum { ROW_OVERHEAD = 200, BOOT_CHARS = 12, DROP_ROUNDS_MAX = 1000000 };
#define ROW_BYTES "length(body)+length(topic)+200"

struct slot {
	int64_t seq; /* 0: free */
	uint32_t ticket;
};

struct hf_spool {
	struct hf_state *state;
	const char *host;
	struct hf_spool_limits limits;
	hf_spool_sender sender;
	void *data;
	hf_spool_observer observer; /* NULL: nobody */
	void *observer_data;
	char boot[BOOT_CHARS + 1];
	int64_t last, bytes, dropped;
	int64_t cursor; /* rows up to here were handed to the sender since the last connection */
	uint32_t ticket;
	struct slot flight[HF_SPOOL_WINDOW];
	int64_t acked[HF_SPOOL_WINDOW *
		      4]; /* acknowledged, not yet noted: forgetting them costs a duplicate only */
	size_t n_acked;
};

/* The kernel's name for this start of the machine. Where /proc is hidden every start of the agent counts as
 * one. */
static void boot_name(char out[BOOT_CHARS + 1])
{
	hf_auto_arena a = hf_arena_new();
	struct hf_str text = { 0 };
	size_t n = 0;
	if (hf_fs_read(a, "/proc/sys/kernel/random/boot_id", 64, &text, NULL) < 0)
		text = hf_str(hf_sprintf(a, "%012llx", (unsigned long long)hf_time_now_ms()));
	for (size_t i = 0; i < text.n && n < BOOT_CHARS; i++)
		if (text.p[i] != '-' && text.p[i] != '\n')
			out[n++] = text.p[i];
	out[n] = '\0';
}

static int bytes_count(struct hf_spool *s, struct hf_error *err)
{
	return hf_state_number(
		s->state, err, 0, &s->bytes, "SELECT CAST(total(" ROW_BYTES ") AS INTEGER) FROM spool", "");
}

static int counters_load(struct hf_spool *s, struct hf_error *err)
{
	hf_auto_arena a = hf_arena_new();
	const char *boot = NULL, *last = NULL, *dropped = NULL;
	int result;
	if ((result = hf_state_get(s->state, a, "spool.boot", &boot, err)) < 0 ||
		(result = hf_state_get(s->state, a, "spool.last", &last, err)) < 0 ||
		(result = hf_state_get(s->state, a, "spool.dropped", &dropped, err)) < 0 ||
		(result = bytes_count(s, err)) < 0)
		return result;
	if (boot != NULL && strcmp(boot, s->boot) == 0 && last != NULL)
		(void)hf_str_to_int64(hf_str(last), &s->last);
	if (dropped != NULL)
		(void)hf_str_to_int64(hf_str(dropped), &s->dropped);
	return 0;
}

int hf_spool_open(struct hf_arena *a, struct hf_state *state, const char *host, struct hf_spool_limits limits,
	hf_spool_sender sender, void *data, struct hf_spool **ret, struct hf_error *err)
{
	struct hf_spool *s = hf_new(a, struct hf_spool);
	*s = (struct hf_spool){
		.state = state, .host = host, .limits = limits, .sender = sender, .data = data
	};
	boot_name(s->boot);
	int result = counters_load(s, err);
	if (result < 0)
		return result;
	*ret = s;
	return 0;
}

void hf_spool_observe(struct hf_spool *s, hf_spool_observer observer, void *data)
{
	s->observer = observer;
	s->observer_data = data;
}

static int number_set(struct hf_spool *s, const char *key, int64_t n, struct hf_error *err)
{
	char text[32];
	snprintf(text, sizeof(text), "%lld", (long long)n);
	return hf_state_set(s->state, key, text, err);
}

struct victim {
	int64_t seq, size, acked;
	int64_t told; /* how many dropped ones its body tells of, which nobody will read */
};

/* The count that body_print() put behind the kind; 0: none. */
static int64_t told_in(const char *head)
{
	static const char kind[] = "\"kind\":\"", count[] = "\",\"dropped\":";
	const char *at = head == NULL ? NULL : strstr(head, kind);
	at = at == NULL ? NULL : strchr(at + sizeof(kind) - 1, '"');
	if (at == NULL || strncmp(at, count, sizeof(count) - 1) != 0)
		return 0;
	return strtoll(at + sizeof(count) - 1, NULL, 10);
}

static int victim_row(void *data, sqlite3_stmt *row, struct hf_error *err)
{
	*(struct victim *)data = (struct victim){ sqlite3_column_int64(row, 0), sqlite3_column_int64(row, 1),
		sqlite3_column_int64(row, 2), told_in(hf_state_text(row, 3)) };
	return 1;
}

/* Acknowledged reports go first, then the oldest of the lowest priority; the latter are counted. */
static int make_room(struct hf_spool *s, int64_t more, struct hf_error *err)
{
	static const char *const choose[] = {
		"SELECT seq," ROW_BYTES ",1,'' FROM spool WHERE acked=1 ORDER BY seq LIMIT 1",
		"SELECT seq," ROW_BYTES ",0,body FROM spool ORDER BY prio DESC, seq LIMIT 1",
	};
	size_t stage = 0;
	for (int i = 0; i < DROP_ROUNDS_MAX && stage < HF_COUNT(choose) && s->bytes + more > s->limits.bytes;
		i++) {
		struct victim v = { 0 };
		int result = hf_state_query(s->state, err, victim_row, &v, choose[stage], "");
		if (result < 0)
			return result;
		if (v.seq == 0) {
			stage++;
			continue;
		}
		if ((result = hf_state_exec(s->state, err, "DELETE FROM spool WHERE seq=?", "i", v.seq)) < 0)
			return result;
		s->bytes -= v.size;
		s->dropped += v.acked ? 0 : 1 + v.told;
	}
	return number_set(s, "spool.dropped", s->dropped, err);
}

static int body_print(
	struct hf_spool *s, const struct hf_report *r, int64_t n, struct hf_buf *out, struct hf_error *err)
{
	char when[HF_TIME_TEXT + 8];
	int64_t ms = hf_time_now_ms();
	hf_time_print(ms / 1000, when);
	hf_buf_printf(out,
		"{\"v\":1,\"host\":\"%s\",\"boot\":\"%s\",\"n\":%lld,\"t\":\"%.19s.%03dZ\",\"kind\":\"%s\"",
		s->host, s->boot, (long long)n, when, (int)(ms % 1000), r->kind);
	if (s->dropped > 0)
		hf_buf_printf(out, ",\"dropped\":%lld", (long long)s->dropped);
	struct hf_buf rest = hf_buf_init(HF_REPORT_MAX);
	struct hf_json_style style = HF_JSON_COMPACT;
	style.hide_secrets = true;
	hf_auto_arena a = hf_arena_new();
	int result =
		hf_json_write(&rest, hf_fit(a, r->body, HF_REPORT_MAX - HF_REPORT_HEAD_MAX), &style, err);
	struct hf_str text = hf_buf_str(&rest);
	if (result == 0 && text.n > 2) {
		hf_buf_put(out, ',');
		hf_buf_append(out, text.p + 1, text.n - 1);
	} else {
		hf_buf_put(out, '}');
	}
	hf_buf_done(&rest);
	return result < 0 ? result : hf_buf_check(out, "a report", err);
}

/* The waiting report that this one supersedes, 0 when there is none; *ret_n is its number, kept. */
static int superseded_find(
	struct hf_spool *s, const struct hf_report *r, int64_t *ret_seq, int64_t *ret_n, struct hf_error *err)
{
	struct victim v = { 0 };
	int result = r->key == NULL
			     ? 0
			     : hf_state_query(s->state, err, victim_row, &v,
				       "SELECT seq,n,0,body FROM spool WHERE acked=0 AND seq>? AND key=? "
				       "AND boot=? ORDER BY seq DESC LIMIT 1",
				       "iss", s->cursor, r->key, s->boot);
	*ret_seq = v.seq;
	*ret_n = v.size;
	s->dropped += v.told;
	return result;
}

static int row_store(struct hf_spool *s, const struct hf_report *r, int64_t seq, int64_t n,
	struct hf_str body, struct hf_error *err)
{
	int result;
	if (seq != 0) {
		result = hf_state_exec(s->state, err, "UPDATE spool SET body=?, prio=? WHERE seq=?", "tii",
			body, (int64_t)r->prio, seq);
		return result < 0 ? result : number_set(s, "spool.dropped", s->dropped, err);
	}
	if ((result = make_room(s, (int64_t)(body.n + strlen(r->topic)) + ROW_OVERHEAD, err)) < 0 ||
		(result = hf_state_exec(s->state, err,
			 "INSERT INTO spool(boot,n,prio,topic,flags,key,body) VALUES(?,?,?,?,?,?,?)",
			 "siisist", s->boot, n, (int64_t)r->prio, r->topic, (int64_t)r->flags, r->key,
			 body)) < 0 ||
		(result = number_set(s, "spool.last", n, err)) < 0 ||
		(result = hf_state_set(s->state, "spool.boot", s->boot, err)) < 0)
		return result;
	s->bytes += (int64_t)(body.n + strlen(r->topic)) + ROW_OVERHEAD;
	return 0;
}

int hf_spool_put(struct hf_spool *s, const struct hf_report *r, struct hf_error *err)
{
	int64_t seq = 0, n = 0;
	int result = hf_state_begin(s->state, err);
	if (result < 0)
		return result;
	int64_t last = s->last, dropped = s->dropped, bytes = s->bytes;
	hf_auto_buf body = hf_buf_init(HF_REPORT_MAX);
	if ((result = superseded_find(s, r, &seq, &n, err)) == 0) {
		if (seq == 0)
			n = ++s->last;
		if ((result = body_print(s, r, n, &body, err)) == 0) {
			s->dropped = 0; /* told in this body */
			result = row_store(s, r, seq, n, hf_buf_str(&body), err);
			if (result == 0 && s->observer != NULL)
				s->observer(s->observer_data, r->kind, hf_buf_str(&body));
		}
	}
	if (result == 0 && (result = hf_state_commit(s->state, err)) == 0)
		return 0;
	hf_state_abandon(s->state);
	s->last = last;
	s->dropped = dropped;
	s->bytes = bytes;
	return result;
}

struct drain {
	struct hf_spool *s;
	size_t free_slot;
	bool full;
};

static size_t slot_free(const struct hf_spool *s)
{
	size_t i = 0;
	while (i < HF_SPOOL_WINDOW && s->flight[i].seq != 0)
		i++;
	return i;
}

static bool in_flight(const struct hf_spool *s, int64_t seq)
{
	for (size_t i = 0; i < HF_SPOOL_WINDOW; i++)
		if (s->flight[i].seq == seq)
			return true;
	return false;
}

static int send_row(void *data, sqlite3_stmt *row, struct hf_error *err)
{
	struct hf_spool *s = data;
	int64_t seq = sqlite3_column_int64(row, 0);
	size_t free_slot = slot_free(s);
	if (free_slot == HF_SPOOL_WINDOW)
		return 1;
	if (!in_flight(s, seq)) {
		struct hf_str body = { hf_state_text(row, 3), (size_t)sqlite3_column_bytes(row, 3) };
		uint32_t ticket = ++s->ticket;
		if (s->sender(s->data, ticket, sqlite3_column_int(row, 2), hf_state_text(row, 1), body) != 0)
			return 1;
		s->flight[free_slot] = (struct slot){ seq, ticket };
	}
	s->cursor = seq;
	return 0;
}

int hf_spool_drain(struct hf_spool *s, struct hf_error *err)
{
	/* Nothing is sent that is not on disk: after a power cut its number would be given out again. */
	if (slot_free(s) == HF_SPOOL_WINDOW || hf_state_open_changes(s->state))
		return 0;
	return hf_state_query(s->state, err, send_row, s,
		"SELECT seq,topic,flags,body FROM spool WHERE acked=0 AND seq>? ORDER BY seq LIMIT 64", "i",
		s->cursor);
}

static int acked_flush(struct hf_spool *s, struct hf_error *err)
{
	int result = hf_state_begin(s->state, err);
	for (size_t i = 0; i < s->n_acked && result == 0; i++)
		result = hf_state_exec(
			s->state, err, "UPDATE spool SET acked=1 WHERE seq=?", "i", s->acked[i]);
	if (result == 0)
		result = hf_state_exec(s->state, err,
			"DELETE FROM spool WHERE acked=1 AND seq <= (SELECT max(seq) FROM spool) - ?", "i",
			s->limits.keep);
	if (result == 0 && hf_state_changes(s->state) > 0)
		result = bytes_count(s, err);
	if (result == 0 && (result = hf_state_commit(s->state, err)) == 0) {
		s->n_acked = 0;
		return 0;
	}
	hf_state_abandon(s->state);
	return result;
}

int hf_spool_acked(struct hf_spool *s, uint32_t ticket, struct hf_error *err)
{
	bool busy = false;
	for (size_t i = 0; i < HF_SPOOL_WINDOW; i++) {
		if (s->flight[i].seq != 0 && s->flight[i].ticket == ticket) {
			s->acked[s->n_acked++] = s->flight[i].seq;
			s->flight[i].seq = 0;
		}
		busy = busy || s->flight[i].seq != 0;
	}
	if (s->n_acked > 0 && (!busy || s->n_acked == HF_COUNT(s->acked))) {
		int result = acked_flush(s, err);
		if (result < 0)
			return result;
	}
	return hf_spool_drain(s, err);
}

void hf_spool_disconnected(struct hf_spool *s)
{
	memset(s->flight, 0, sizeof(s->flight));
	s->cursor = 0;
}

int hf_spool_resend(
	struct hf_spool *s, const char *boot, int64_t from, int64_t to, int64_t *ret_n, struct hf_error *err)
{
	struct victim v = { 0 };
	int result = s->n_acked > 0 ? acked_flush(s, err) : 0;
	if (result < 0 ||
		(result = hf_state_query(s->state, err, victim_row, &v,
			 "SELECT min(seq),count(*),0,'' FROM spool WHERE boot=? AND n BETWEEN ? AND ?", "sii",
			 boot, from, to)) < 0)
		return result;
	if (v.size > 0 && (result = hf_state_exec(s->state, err,
				   "UPDATE spool SET acked=0 WHERE boot=? AND n BETWEEN ? AND ?", "sii", boot,
				   from, to)) < 0)
		return result;
	if (v.size > 0 && v.seq <= s->cursor)
		s->cursor = v.seq - 1;
	*ret_n = v.size;
	return 0;
}

const char *hf_spool_boot(const struct hf_spool *s)
{
	return s->boot;
}

int64_t hf_spool_last(const struct hf_spool *s)
{
	return s->last;
}

int hf_spool_waiting(struct hf_spool *s, int64_t *ret, struct hf_error *err)
{
	return hf_state_number(s->state, err, 0, ret, "SELECT count(*) FROM spool WHERE acked=0", "");
}
