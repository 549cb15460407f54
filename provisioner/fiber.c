#include "provisioner/fiber.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "lib/base/arena.h"
#include "lib/base/time.h"

enum { PUMP_MS = 250 };

struct hf_fiber {
	struct hf_fibers *all;
	ucontext_t context;
	void *stack;
	void (*run)(void *data);
	void *data;
	bool used, ready;
	uint64_t due_ms; /* monotonic; 0: sleeps for nobody */
};

struct hf_fibers {
	struct hf_arena *arena;
	int (*pump)(void *data, uint32_t wait_ms, struct hf_error *err);
	void *data;
	ucontext_t main;
	struct hf_fiber *self;
	struct hf_fiber *at[HF_FIBERS_MAX];
	size_t n, alive;
};

struct hf_fibers *hf_fibers_new(int (*pump)(void *data, uint32_t wait_ms, struct hf_error *err), void *data)
{
	struct hf_arena *arena = hf_arena_new();
	struct hf_fibers *f = hf_new(arena, struct hf_fibers);
	f->arena = arena;
	f->pump = pump;
	f->data = data;
	return f;
}

struct hf_fibers *hf_fibers_free(struct hf_fibers *f)
{
	for (size_t i = 0; f != NULL && i < f->n; i++)
		munmap(f->at[i]->stack, HF_FIBER_STACK);
	if (f != NULL)
		hf_arena_free(f->arena);
	return NULL;
}

/* makecontext() passes ints only: the pointer comes in two halves. */
static void fiber_main(unsigned high, unsigned low)
{
	struct hf_fiber *fiber = (struct hf_fiber *)((uintptr_t)high << 32 | low);
	fiber->run(fiber->data);
	fiber->used = false;
	fiber->all->alive--;
}

/* One that is done, else a new one with a stack. */
static int fiber_take(struct hf_fibers *f, struct hf_fiber **ret, struct hf_error *err)
{
	for (size_t i = 0; i < f->n; i++)
		if (!f->at[i]->used) {
			*ret = f->at[i];
			return 0;
		}
	if (f->n == HF_FIBERS_MAX)
		return hf_fail(err, HF_E_LIMIT, "more than %d things at once", HF_FIBERS_MAX);
	void *stack = mmap(NULL, HF_FIBER_STACK, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
	if (stack == MAP_FAILED)
		return hf_fail_errno(err, HF_E_IO, "memory for a stack");
	mprotect(stack, 4096, PROT_NONE); /* an overflow is a crash, not a corruption */
	*ret = f->at[f->n++] = hf_new(f->arena, struct hf_fiber);
	(*ret)->stack = stack;
	return 0;
}

/* Apart from taking one: getcontext() returns like setjmp() and must not find a variable half changed. */
static void fiber_lay(struct hf_fibers *f, struct hf_fiber *fiber)
{
	getcontext(&fiber->context);
	fiber->context.uc_stack.ss_sp = fiber->stack;
	fiber->context.uc_stack.ss_size = HF_FIBER_STACK;
	fiber->context.uc_link = &f->main;
	uintptr_t p = (uintptr_t)fiber;
	makecontext(&fiber->context, (void (*)(void))fiber_main, 2, (unsigned)(p >> 32),
		(unsigned)(p & 0xFFFFFFFFu));
}

int hf_fiber_start(struct hf_fibers *f, void (*run)(void *data), void *data, struct hf_error *err)
{
	struct hf_fiber *fiber = NULL;
	int result = fiber_take(f, &fiber, err);
	if (result < 0)
		return result;
	fiber->all = f;
	fiber->run = run;
	fiber->data = data;
	fiber->used = fiber->ready = true;
	fiber->due_ms = 0;
	fiber_lay(f, fiber);
	f->alive++;
	return 0;
}

size_t hf_fibers_alive(const struct hf_fibers *f)
{
	return f->alive;
}

struct hf_fiber *hf_fiber_self(struct hf_fibers *f)
{
	return f->self;
}

void hf_fiber_wait(struct hf_fibers *f)
{
	struct hf_fiber *self = f->self;
	self->ready = false;
	swapcontext(&self->context, &f->main);
}

void hf_fiber_sleep(struct hf_fibers *f, uint32_t ms)
{
	f->self->due_ms = hf_time_monotonic_ms() + ms;
	hf_fiber_wait(f);
	f->self->due_ms = 0;
}

void hf_fiber_wake(struct hf_fiber *fiber)
{
	fiber->ready = true;
}

/* Run every ready fiber once; false when none was. */
static bool run_ready(struct hf_fibers *f)
{
	bool any = false;
	uint64_t now = hf_time_monotonic_ms();
	for (size_t i = 0; i < f->n; i++) {
		struct hf_fiber *fiber = f->at[i];
		if (!fiber->used || !(fiber->ready || (fiber->due_ms != 0 && fiber->due_ms <= now)))
			continue;
		any = fiber->ready = true;
		f->self = fiber;
		swapcontext(&f->main, &fiber->context);
		f->self = NULL;
	}
	return any;
}

static uint32_t next_wait(const struct hf_fibers *f)
{
	uint64_t now = hf_time_monotonic_ms(), due = now + PUMP_MS;
	for (size_t i = 0; i < f->n; i++)
		if (f->at[i]->used && f->at[i]->due_ms != 0 && f->at[i]->due_ms < due)
			due = f->at[i]->due_ms;
	return due > now ? (uint32_t)(due - now) : 0;
}

int hf_fibers_run(struct hf_fibers *f, struct hf_error *err)
{
	while (f->alive > 0) {
		if (run_ready(f))
			continue;
		int rc = f->pump(f->data, next_wait(f), err);
		if (rc < 0)
			return rc;
	}
	return 0;
}
