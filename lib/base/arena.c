#include "lib/base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_FIRST_CHUNK = 4096, ARENA_MAX_CHUNK = 1 << 20, ARENA_ALIGN = 16 };

struct chunk {
	struct chunk *previous;
	size_t size; /* of data[], in whole ARENA_ALIGN */
	_Alignas(ARENA_ALIGN) unsigned char data[];
};

struct hf_arena {
	unsigned char *next; /* where the next allocation goes */
	size_t left;         /* behind next, in whole ARENA_ALIGN */
	struct chunk *top;
	size_t total;
};

static HF_NORETURN void arena_out_of_memory(size_t size)
{
	fprintf(stderr, "holdfast: out of memory (%zu bytes)\n", size);
	abort();
}

void *hf_xmalloc(size_t size)
{
	void *p = malloc(size ? size : 1);
	if (p == NULL)
		arena_out_of_memory(size);
	return p;
}

void *hf_xrealloc(void *p, size_t size)
{
	void *q = realloc(p, size ? size : 1);
	if (q == NULL)
		arena_out_of_memory(size);
	return q;
}

struct hf_arena *hf_arena_new(void)
{
	struct hf_arena *a = hf_xmalloc(sizeof(*a));
	*a = (struct hf_arena){ 0 };
	return a;
}

struct hf_arena *hf_arena_free(struct hf_arena *a)
{
	if (a == NULL)
		return NULL;
	hf_arena_reset(a, (struct hf_arena_mark){ 0 });
	free(a);
	return NULL;
}

static inline size_t rounded(size_t size)
{
#ifdef HF_SANITIZERS
	return size; /* with a chunk of its own each: the sanitizer then sees every overrun */
#endif
	return (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
}

static void arena_grow(struct hf_arena *a, size_t need)
{
	size_t size = a->top == NULL ? ARENA_FIRST_CHUNK : a->top->size * 2;
	if (size > ARENA_MAX_CHUNK)
		size = ARENA_MAX_CHUNK;
#ifdef HF_SANITIZERS
	size = 0;
#endif
	if (size < need)
		size = need;
	size = rounded(size);
	struct chunk *c = hf_xmalloc(sizeof(*c) + size);
	c->previous = a->top;
	c->size = size;
	a->next = c->data;
	a->left = size;
	a->top = c;
	a->total += sizeof(*c) + size;
}

static void *take(struct hf_arena *a, size_t size)
{
	size_t whole = rounded(size);
	void *p = a->next;
	a->next += whole;
	a->left -= whole;
	return p;
}

static HF_NOINLINE void *alloc_slow(struct hf_arena *a, size_t size)
{
	if (size > SIZE_MAX / 2)
		arena_out_of_memory(size);
	arena_grow(a, size ? size : 1);
	return take(a, size ? size : 1);
}

void *hf_alloc(struct hf_arena *a, size_t size)
{
#ifdef HF_SANITIZERS
	return alloc_slow(a, size);
#endif
	if (__builtin_expect(size > a->left, 0))
		return alloc_slow(a, size);
	return take(a, size);
}

void *hf_zalloc(struct hf_arena *a, size_t size)
{
	return memset(hf_alloc(a, size), 0, size);
}

void *hf_alloc_array(struct hf_arena *a, size_t count, size_t size)
{
	size_t total;
	if (__builtin_mul_overflow(count, size, &total))
		arena_out_of_memory(SIZE_MAX);
	return hf_zalloc(a, total);
}

char *hf_strndup(struct hf_arena *a, const char *s, size_t n)
{
	char *p = hf_alloc(a, n + 1);
	if (n > 0)
		memcpy(p, s, n);
	p[n] = '\0';
	return p;
}

char *hf_strdup(struct hf_arena *a, const char *s)
{
	return s == NULL ? NULL : hf_strndup(a, s, strlen(s));
}

char *hf_vsprintf(struct hf_arena *a, const char *format, va_list args)
{
	va_list again;
	va_copy(again, args);
	/* Into what is left of the chunk: most texts fit, and are then made once. */
	char *p = (char *)a->next;
	int n = vsnprintf(p, a->left, format, again);
	va_end(again);
	if (n >= 0 && (size_t)n < a->left)
		return take(a, (size_t)n + 1);
	p = hf_alloc(a, n < 0 ? 1 : (size_t)n + 1);
	if (n < 0)
		*p = '\0';
	else
		vsnprintf(p, (size_t)n + 1, format, args);
	return p;
}

char *hf_sprintf(struct hf_arena *a, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *p = hf_vsprintf(a, format, args);
	va_end(args);
	return p;
}

struct hf_arena_mark hf_arena_mark(struct hf_arena *a)
{
	return (struct hf_arena_mark){ a->top, a->top == NULL ? 0 : (size_t)(a->next - a->top->data) };
}

void hf_arena_reset(struct hf_arena *a, struct hf_arena_mark mark)
{
	while (a->top != mark.chunk) {
		struct chunk *c = a->top;
		a->top = c->previous;
		a->total -= sizeof(*c) + c->size;
		free(c);
	}
	a->next = a->top == NULL ? NULL : a->top->data + mark.used;
	a->left = a->top == NULL ? 0 : a->top->size - mark.used;
}

size_t hf_arena_size(const struct hf_arena *a)
{
	return a->total;
}
