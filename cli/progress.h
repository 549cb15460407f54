/* cli/progress.h - one line on a terminal that says a long task is still at work: after two seconds without a
 * line of the run's own, "task 12 of 40 … 3 s", written anew each second and erased before anything else is
 * printed. A thread of its own waits, since the run may be inside any module; it only writes to the terminal.
 * Fails: never. Where no thread is to be had there is no such line. */
#pragma once
#include <stdbool.h>

/* True when standard output is a terminal that can erase a line. */
bool progress_possible(void);
/* Nothing is shown until progress_show(). */
void progress_start(void);
/* The run is at text; elapsed time counts from now. */
void progress_show(const char *text);
/* Around whatever else is printed; calls may not be nested. */
void progress_lock(void);
void progress_unlock(void);
/* Until the next progress_show(): a question stands on the terminal, or the run is over. */
void progress_hide(void);
void progress_stop(void);
