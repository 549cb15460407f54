/* provisioner/fiber.h - many sequences of calls at once, each written as if it were alone. One thread: a
 * fiber runs until it waits, then another goes on. Owns: stacks and bookkeeping, until hf_fibers_free(). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

enum { HF_FIBER_STACK = 1 << 20, HF_FIBERS_MAX = 256 };

struct hf_fibers;
struct hf_fiber;

/* pump: called when every fiber waits; blocks for wait_ms at most and wakes whom it can. <0 ends
 * hf_fibers_run(). */
struct hf_fibers *hf_fibers_new(int (*pump)(void *data, uint32_t wait_ms, struct hf_error *err), void *data);
struct hf_fibers *hf_fibers_free(struct hf_fibers *f); /* accepts NULL; returns NULL */
static inline void hf_fibers_close(struct hf_fibers **f)
{
	*f = hf_fibers_free(*f);
}
#define hf_auto_fibers HF_CLEANUP(hf_fibers_close) struct hf_fibers *

/* HF_E_LIMIT past HF_FIBERS_MAX at once. */
HF_CHECK int hf_fiber_start(struct hf_fibers *f, void (*run)(void *data), void *data, struct hf_error *err);
size_t hf_fibers_alive(const struct hf_fibers *f);
/* Until no fiber is left. When pump fails the fibers that wait never go on. */
HF_CHECK int hf_fibers_run(struct hf_fibers *f, struct hf_error *err);

/* Inside a fiber. */
struct hf_fiber *hf_fiber_self(struct hf_fibers *f); /* NULL outside */
void hf_fiber_wait(struct hf_fibers *f);             /* until somebody wakes it */
void hf_fiber_sleep(struct hf_fibers *f, uint32_t ms);
void hf_fiber_wake(struct hf_fiber *fiber);
