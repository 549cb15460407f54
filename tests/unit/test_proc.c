/* What a program writes just before it ends is not lost, however long this one is kept from looking. */
#include <poll.h>
#include <time.h>

#include "lib/base/proc.h"
#include "lib/base/scope.h"
#include "tests/unit/unit.h"

enum { PUT_OFF_MS = 300 };

static const struct row {
	const char *title;
	const char *script;
	const char *out, *err;
} rows[] = {
	{ "output", "sleep 0.05; echo text", "text\n", "" },
	{ "errors", "sleep 0.05; echo text >&2", "", "text\n" },
	{ "both", "sleep 0.05; echo a; echo b >&2", "a\n", "b\n" },
	{ "somebody else holds the pipe", "sleep 5 & sleep 0.05; echo text", "text\n", "" },
};

/* In place of the C library's: where there is nothing to read, the program gets as far as it will before that
 * is said. So it goes on a busy host. */
int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	const struct timespec none = { 0 }, put_off = { .tv_nsec = PUT_OFF_MS * 1000000L };
	int ready = ppoll(fds, n, &none, NULL);
	(void)timeout;
	if (ready == 0)
		nanosleep(&put_off, NULL);
	return ready;
}

static void proc_row(void **state)
{
	const struct row *r = *state;
	hf_auto_arena a = hf_arena_new();
	struct hf_error err = { 0 };
	struct hf_proc_result result;
	const char *const argv[] = { "/bin/sh", "-c", r->script, NULL };
	struct hf_proc_spec spec = { .argv = argv, .umask = HF_PROC_KEEP_UMASK };
	assert_int_equal(hf_proc_run(a, &spec, &result, &err), 0);
	assert_int_equal(result.status, 0);
	assert_string_equal(hf_str_dup(a, result.out), r->out);
	assert_string_equal(hf_str_dup(a, result.err), r->err);
}

int main(void)
{
	UNIT_ROWS(tests, rows, proc_row);
	return UNIT_RUN(tests);
}
