/* agent/state.h - the supervisor's SQLite database: one writer, WAL, every commit synced to disk.
 * Owns:  the connection; text given to row callbacks is valid during the call only.
 * Fails: HF_E_IO with SQLite's own words. Schema changes are numbered steps, applied once, in order. */
#pragma once
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/str.h"

struct hf_state;

HF_CHECK int hf_state_open(struct hf_arena *a, const char *path, struct hf_state **ret, struct hf_error *err);
struct hf_state *hf_state_close(struct hf_state *s); /* accepts NULL; returns NULL */

/* types: one letter an argument: s const char * (NULL allowed), i int64_t, t struct hf_str. */
HF_CHECK int hf_state_exec(struct hf_state *s, struct hf_error *err, const char *sql, const char *types, ...);
/* A row callback reads columns with sqlite3_column_…(); it returns 0 to go on, 1 to stop, < 0 to fail with
 * err. */
typedef int (*hf_state_row)(void *data, sqlite3_stmt *row, struct hf_error *err);
HF_CHECK int hf_state_query(struct hf_state *s, struct hf_error *err, hf_state_row each, void *data,
	const char *sql, const char *types, ...);
/* The first column of the first row as a number; fallback when there is no row. */
HF_CHECK int hf_state_number(struct hf_state *s, struct hf_error *err, int64_t fallback, int64_t *ret,
	const char *sql, const char *types, ...);
int64_t hf_state_last_id(const struct hf_state *s);
int64_t hf_state_changes(const struct hf_state *s);
/* Rows written since the database was opened: while it stays the same, so does what is stored. */
int64_t hf_state_writes(const struct hf_state *s);

/* Begin and commit nest: only the outermost pair speaks to the database. */
HF_CHECK int hf_state_begin(struct hf_state *s, struct hf_error *err);
HF_CHECK int hf_state_commit(struct hf_state *s, struct hf_error *err);
bool hf_state_open_changes(const struct hf_state *s); /* between begin and commit */
void hf_state_abandon(struct hf_state *s);            /* roll back whatever is open */

/* Small named values. *ret is NULL when there is no such key. */
HF_CHECK int hf_state_get(
	struct hf_state *s, struct hf_arena *a, const char *key, const char **ret, struct hf_error *err);
HF_CHECK int hf_state_set(struct hf_state *s, const char *key, const char *value, struct hf_error *err);
/* Give memory back to the system. */
void hf_state_relax(struct hf_state *s);
/* Column text, "" for NULL; valid until the next step. */
const char *hf_state_text(sqlite3_stmt *row, int column);
