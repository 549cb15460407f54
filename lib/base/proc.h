/* lib/base/proc.h - run a program: no shell, own process group, deadline, bounded output.
 * Owns:  output lives in the arena. No descriptor but 0, 1, 2 reaches the child.
 * Fails: HF_E_NOT_FOUND / HF_E_IO when the program cannot be started. A program that ran and failed is not an
 * error: look at status. Past its deadline the whole process group gets SIGTERM, then SIGKILL after a grace
 * second. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/error.h"
#include "lib/base/str.h"

struct hf_proc_spec {
	const char *const *argv; /* argv[0] with a slash is of dir, else sought in PATH of env (or ours) */
	const char *const *env;  /* NULL: ours */
	const char *dir;         /* NULL: ours */
	struct hf_str input;     /* to standard input; empty: /dev/null */
	bool inherit_output;     /* standard output and error stay ours; nothing is captured */
	bool merge_output;       /* standard error goes where standard output goes */
	uint32_t timeout_ms;     /* 0: none */
	size_t max_output;       /* per stream; 0: HF_PROC_OUTPUT_MAX */
	bool set_user;           /* become uid/gid with groups of user_name */
	uid_t uid;
	gid_t gid;
	const char *user_name; /* for initgroups; NULL: no supplementary groups */
	mode_t umask;          /* HF_PROC_KEEP_UMASK: ours */
};
#define HF_PROC_KEEP_UMASK ((mode_t)-1)
enum { HF_PROC_OUTPUT_MAX = 64 << 20 };

struct hf_proc_result {
	int status; /* exit status, or 128 + signal */
	int signal; /* 0 or the signal that ended it */
	bool timed_out;
	bool truncated; /* output beyond the bound was read and dropped */
	struct hf_str out, err;
	uint64_t ms;
};

HF_CHECK int hf_proc_run(struct hf_arena *a, const struct hf_proc_spec *spec, struct hf_proc_result *ret,
	struct hf_error *err);
/* The usual case: NULL-terminated argv, 120 s, output captured; fails with HF_E_IO and the first line of
 * stderr when the status is not 0. ret_out may be NULL. */
HF_CHECK int hf_proc_output(
	struct hf_arena *a, const char *const *argv, struct hf_str *ret_out, struct hf_error *err);
/* Full path of a program as execvp would find it in PATH plus /usr/sbin:/sbin:/usr/local/sbin; NULL if there
 * is none. */
char *hf_proc_which(struct hf_arena *a, const char *name);
