/* lib/base/arena.h - memory that lives as long as one unit of work: process, release, run or task.
 * Owns:  every byte handed out; freed at once by hf_arena_free() or back to a mark by hf_arena_reset().
 * Fails: never; when the system has no memory the process ends with a message. Not thread-safe. */
#pragma once
#include <stdarg.h>
#include <stddef.h>

#include "lib/base/attr.h"

struct hf_arena; /* opaque: its fields are in arena.c */

struct hf_arena *hf_arena_new(void) HF_RETURNS_NONNULL;
struct hf_arena *hf_arena_free(struct hf_arena *a); /* accepts NULL; returns NULL */

/* Memory is aligned for any type. hf_alloc() leaves it unset, hf_zalloc() zeroes it; size 0 is fine. */
void *hf_alloc(struct hf_arena *a, size_t size) HF_RETURNS_NONNULL;
void *hf_zalloc(struct hf_arena *a, size_t size) HF_RETURNS_NONNULL;
/* count * size, ending the process on overflow; zeroed. */
void *hf_alloc_array(struct hf_arena *a, size_t count, size_t size) HF_RETURNS_NONNULL;
#define hf_new(a, type)          ((type *)hf_zalloc((a), sizeof(type)))
#define hf_new_array(a, n, type) ((type *)hf_alloc_array((a), (n), sizeof(type)))

char *hf_strdup(struct hf_arena *a, const char *s);                               /* NULL stays NULL */
char *hf_strndup(struct hf_arena *a, const char *s, size_t n) HF_RETURNS_NONNULL; /* adds the terminator */
char *hf_sprintf(struct hf_arena *a, const char *format, ...) HF_PRINTF(2, 3);
char *hf_vsprintf(struct hf_arena *a, const char *format, va_list args) HF_PRINTF(2, 0);

/* A mark names the present fill; reset frees everything allocated since. */
struct hf_arena_mark {
	void *chunk;
	size_t used;
};
struct hf_arena_mark hf_arena_mark(struct hf_arena *a);
void hf_arena_reset(struct hf_arena *a, struct hf_arena_mark mark);
/* Bytes obtained from the system, for measuring. */
size_t hf_arena_size(const struct hf_arena *a);

/* malloc/realloc that end the process instead of returning NULL; only lib/base and hf_buf-like owners use
 * them. */
void *hf_xmalloc(size_t size) HF_RETURNS_NONNULL;
void *hf_xrealloc(void *p, size_t size) HF_RETURNS_NONNULL;
