/* lib/base/str.h - byte strings: hf_str borrows, hf_buf builds.
 * Owns:  hf_buf owns malloc'ed bytes until hf_buf_done(); hf_str owns nothing.
 * Fails: a buffer never grows past the maximum given at init. Appending past it changes nothing and marks the
 * buffer failed; callers may append freely and test hf_buf_check() once at the end. */
#pragma once
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/error.h"

struct hf_str {
	const char *p; /* not terminated unless said so */
	size_t n;
};

#define HF_STR(literal) ((struct hf_str){ (literal), sizeof(literal) - 1 })
/* For printf: "%.*s", HF_STR_ARG(s) */
#define HF_STR_ARG(s) (int)(s).n, (s).p

static inline struct hf_str hf_str(const char *s)
{
	return (struct hf_str){ s, s == NULL ? 0 : strlen(s) };
}
static inline struct hf_str hf_strn(const char *s, size_t n)
{
	return (struct hf_str){ s, n };
}
static inline bool hf_str_equal(struct hf_str a, struct hf_str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
static inline bool hf_str_is(struct hf_str a, const char *b)
{
	return hf_str_equal(a, hf_str(b));
}
/* The same for a search among many words, most of which differ at once. */
static inline bool hf_str_is_word(struct hf_str a, const char *word)
{
	return a.n > 0 && a.p[0] == word[0] && hf_str_is(a, word);
}
int hf_str_compare(struct hf_str a, struct hf_str b); /* bytewise, as memcmp */
bool hf_str_starts(struct hf_str s, const char *prefix);
bool hf_str_ends(struct hf_str s, const char *suffix);
bool hf_str_is_name(struct hf_str s); /* of a variable: ASCII letters, digits and "_", no digit in front */
struct hf_str hf_str_trim(struct hf_str s); /* ASCII white space at both ends */
/* First place of needle at or after from; SIZE_MAX when there is none. */
size_t hf_str_find(struct hf_str s, struct hf_str needle, size_t from);
char *hf_str_dup(struct hf_arena *a, struct hf_str s) HF_RETURNS_NONNULL;
/* Cut the next piece up to separator off *rest; false when nothing is left. "a,,b" gives "a", "", "b". */
bool hf_str_split(struct hf_str *rest, char separator, struct hf_str *ret_piece);
/* Decimal, whole string, no sign for the unsigned form. False when it is not a number or does not fit. */
bool hf_str_to_int64(struct hf_str s, int64_t *ret);
bool hf_str_to_uint64(struct hf_str s, uint64_t *ret);
uint32_t hf_hash_bytes(const void *p, size_t n); /* seeded per process */
void hf_hex(const unsigned char *bytes, size_t n, char *out /* 2n + 1 */);
/* Lower-case or upper-case digits; false unless s is exactly 2n of them. */
bool hf_unhex(struct hf_str s, unsigned char *out, size_t n);

struct hf_buf {
	char *p; /* always terminated once anything was appended; NULL before */
	size_t n, size, max;
	bool failed;
};

static inline struct hf_buf hf_buf_init(size_t max)
{
	return (struct hf_buf){ .max = max };
}
void hf_buf_done(struct hf_buf *b);
void hf_buf_clear(struct hf_buf *b); /* length 0, memory kept, failed reset */
void hf_buf_append(struct hf_buf *b, const void *p, size_t n);
void hf_buf_put(struct hf_buf *b, char c);
void hf_buf_puts(struct hf_buf *b, const char *s);
void hf_buf_printf(struct hf_buf *b, const char *format, ...) HF_PRINTF(2, 3);
void hf_buf_vprintf(struct hf_buf *b, const char *format, va_list args) HF_PRINTF(2, 0);
static inline void hf_buf_add(struct hf_buf *b, struct hf_str s)
{
	hf_buf_append(b, s.p, s.n);
}
static inline struct hf_str hf_buf_str(const struct hf_buf *b)
{
	return (struct hf_str){ b->p == NULL ? "" : b->p, b->n };
}
/* Make room for n more bytes; returns where they go, NULL when over the maximum. Commit with hf_buf_added().
 */
char *hf_buf_room(struct hf_buf *b, size_t n);
void hf_buf_added(struct hf_buf *b, size_t n);
/* -HF_E_LIMIT "WHAT is larger than N bytes" if something did not fit. */
HF_CHECK int hf_buf_check(const struct hf_buf *b, const char *what, struct hf_error *err);
/* Copy into the arena, terminated. */
struct hf_str hf_buf_dup(struct hf_arena *a, const struct hf_buf *b);
