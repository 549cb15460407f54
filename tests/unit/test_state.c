/* The state database between two pieces of work: it holds no memory that it would need only for the next. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/state.h"
#include "lib/base/scope.h"
#include "tests/unit/unit.h"

enum { ROWS = 500, ROUNDS = 3, IDLE_MAX = 64 << 10, WORK_MIN = 128 << 10 };

static struct hf_error err;

static void done(int result)
{
	if (result < 0)
		fail_msg("%s", err.text);
}

/* As a run's log is taken in: through a temporary table, in one go. */
static void work(struct hf_state *s, const char *word)
{
	done(hf_state_begin(s, &err));
	done(hf_state_exec(
		s, &err, "CREATE TEMP TABLE IF NOT EXISTS seen(key TEXT PRIMARY KEY, value TEXT)", ""));
	done(hf_state_exec(s, &err, "DELETE FROM seen", ""));
	for (int64_t i = 0; i < ROWS; i++)
		done(hf_state_exec(
			s, &err, "INSERT INTO seen VALUES(?1 || hex(zeroblob(100)), ?2)", "is", i, word));
	done(hf_state_exec(s, &err, "INSERT OR REPLACE INTO meta SELECT key, value FROM seen", ""));
	done(hf_state_commit(s, &err));
}

static int64_t number(struct hf_state *s, const char *sql, const char *word)
{
	int64_t n = -1;
	done(hf_state_number(s, &err, -1, &n, sql, "s", word));
	return n;
}

static void test_rest(void **state)
{
	hf_auto_arena a = hf_arena_new();
	char folder[] = "/tmp/hf-state-XXXXXX", text[16];
	assert_non_null(mkdtemp(folder));
	const char *path = hf_sprintf(a, "%s/state.db", folder);
	struct hf_state *s = NULL;
	done(hf_state_open(a, path, &s, &err));
	for (int i = 0; i < ROUNDS; i++) {
		snprintf(text, sizeof(text), "%d", i);
		work(s, text);
		int64_t busy = sqlite3_memory_used();
		hf_state_relax(s);
		int64_t idle = sqlite3_memory_used();
		if (busy < WORK_MIN || idle > IDLE_MAX)
			fail_msg("round %d: %lld bytes at work, %lld at rest", i, (long long)busy,
				(long long)idle);
		assert_int_equal(number(s, "SELECT count(*) FROM meta WHERE value=?", text), ROWS);
	}
	/* In the middle of something nothing of it is lost. */
	done(hf_state_begin(s, &err));
	done(hf_state_set(s, "open", "yes", &err));
	hf_state_relax(s);
	done(hf_state_commit(s, &err));
	assert_int_equal(number(s, "SELECT count(*) FROM meta WHERE value=?", "yes"), 1);
	hf_state_close(s);
	static const char *const ends[] = { "", "-wal", "-shm" };
	for (size_t i = 0; i < HF_COUNT(ends); i++)
		(void)unlink(hf_sprintf(a, "%s%s", path, ends[i]));
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	struct unit_list tests = { 0 };
	UNIT_ADD(&tests, test_rest);
	return unit_run(&tests);
}
