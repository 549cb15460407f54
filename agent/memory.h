/* agent/memory.h - give idle memory back: what the heap does not use, the stack of deep calls, and code that
 * was needed for what is done. */
#pragma once

/* For the long-lived roles, when they go idle. Code comes back from the page cache when it is called again.
 */
void hf_memory_relax(void);
