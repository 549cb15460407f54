/* agent/child.h - a child of the supervisor that tells its story as JSON lines: a fork that runs a function,
 * or this program executed again in another role. Each line may be answered with one byte, for those who must
 * wait. Owns:  the child's own memory, freed after ended() was called. A child never outlives the supervisor.
 * Fails: only at the start; afterwards everything is told through ended(). */
#pragma once
#include <stdbool.h>
#include <systemd/sd-event.h>

#include "lib/base/error.h"
#include "lib/base/str.h"

enum { HF_CHILD_LINE_MAX = 8 << 20, HF_CHILD_SOCKET = 3 };

struct hf_child;
struct hf_child_spec {
	const char *name;                    /* for messages and the process list */
	int (*body)(int socket, void *data); /* forked: its return value is the exit status */
	const char *const *argv; /* executed instead when body is NULL; the socket is descriptor 3 */
	struct hf_str input;     /* written to the child first, as one line */
	uint64_t deadline_ms;    /* 0: none; its whole process group is ended then */
	int keep_fd;             /* one more descriptor a forked child keeps; -1: none */
	void (*line)(void *data, struct hf_child *c, struct hf_str line);
	/* status: exit status, or 128 + signal. The child is freed after this. */
	void (*ended)(void *data, struct hf_child *c, int status, bool timed_out);
	void *data;
};
HF_CHECK int hf_child_start(
	sd_event *loop, const struct hf_child_spec *spec, struct hf_child **ret, struct hf_error *err);
void hf_child_answer(struct hf_child *c, char byte);
/* One more line to a child that waits for it, and its deadline from now on. */
HF_CHECK int hf_child_give(
	struct hf_child *c, struct hf_str line, uint64_t deadline_ms, struct hf_error *err);
void hf_child_stop(struct hf_child *c, int signal); /* to its process group; ended() follows */
pid_t hf_child_pid(const struct hf_child *c);
/* What a forked role does first: own process group, dies with its parent, every descriptor but kept ones
 * closed. */
void hf_child_enter(pid_t parent, const int *kept, size_t n_kept);

/* The child's side: write a line and wait for its answer. */
HF_CHECK int hf_child_tell(int socket, struct hf_str line, struct hf_error *err);
HF_CHECK int hf_child_ask(int socket, struct hf_str line, char *ret_answer, struct hf_error *err);
