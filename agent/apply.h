/* agent/apply.h - the apply role: one run of the engine for the supervisor, then exit. Reads its job as one
 * JSON line from descriptor 3 and tells what happens there; everything that must survive it is first in the
 * run's log file. */
#pragma once

/* The exit status: 0 the run ended (whatever its outcome, told in the "end" line), 1 it could not. */
int hf_apply_main(void);
/* The same in a fork of the supervisor: a look at touched resources must not wait for the linker. A child
 * body (hf_child_spec). */
int hf_apply_body(int socket, void *data);
