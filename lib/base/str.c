#include "lib/base/str.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

int hf_str_compare(struct hf_str a, struct hf_str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n == 0 ? 0 : memcmp(a.p, b.p, n);
	if (order != 0)
		return order;
	return (a.n > b.n) - (a.n < b.n);
}

bool hf_str_is_name(struct hf_str s)
{
	bool ok = s.n > 0 && !isdigit((unsigned char)s.p[0]);
	for (size_t i = 0; ok && i < s.n; i++)
		ok = isalnum((unsigned char)s.p[i]) || s.p[i] == '_';
	return ok;
}

bool hf_str_starts(struct hf_str s, const char *prefix)
{
	size_t n = strlen(prefix);
	return s.n >= n && memcmp(s.p, prefix, n) == 0;
}

bool hf_str_ends(struct hf_str s, const char *suffix)
{
	size_t n = strlen(suffix);
	return s.n >= n && memcmp(s.p + s.n - n, suffix, n) == 0;
}

static bool str_is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct hf_str hf_str_trim(struct hf_str s)
{
	while (s.n > 0 && str_is_space(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && str_is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

size_t hf_str_find(struct hf_str s, struct hf_str needle, size_t from)
{
	if (from > s.n || needle.n > s.n - from)
		return SIZE_MAX;
	if (needle.n == 0)
		return from;
	const char *hit = memmem(s.p + from, s.n - from, needle.p, needle.n);
	return hit == NULL ? SIZE_MAX : (size_t)(hit - s.p);
}

char *hf_str_dup(struct hf_arena *a, struct hf_str s)
{
	return hf_strndup(a, s.p, s.n);
}

bool hf_str_split(struct hf_str *rest, char separator, struct hf_str *ret_piece)
{
	if (rest->p == NULL)
		return false;
	const char *hit = rest->n == 0 ? NULL : memchr(rest->p, separator, rest->n);
	if (hit == NULL) {
		*ret_piece = *rest;
		*rest = (struct hf_str){ 0 };
		return true;
	}
	size_t n = (size_t)(hit - rest->p);
	*ret_piece = (struct hf_str){ rest->p, n };
	*rest = (struct hf_str){ hit + 1, rest->n - n - 1 };
	return true;
}

bool hf_str_to_uint64(struct hf_str s, uint64_t *ret)
{
	uint64_t value = 0;
	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9' || __builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, (uint64_t)(s.p[i] - '0'), &value))
			return false;
	}
	*ret = value;
	return true;
}

bool hf_str_to_int64(struct hf_str s, int64_t *ret)
{
	bool negative = s.n > 0 && s.p[0] == '-';
	bool sign = negative || (s.n > 0 && s.p[0] == '+');
	uint64_t magnitude;
	if (!hf_str_to_uint64((struct hf_str){ s.p + sign, s.n - sign }, &magnitude))
		return false;
	if (magnitude > (uint64_t)INT64_MAX + negative)
		return false;
	*ret = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
	return true;
}

static uint32_t hash_seed(void)
{
	static uint32_t seed;
	if (seed == 0) {
		if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t)sizeof(seed))
			seed = (uint32_t)(uintptr_t)&seed;
		seed |= 1;
	}
	return seed;
}

/* 1 to 7 bytes, each of them somewhere in the word: two overlapping halves, or first, middle and last. */
static inline uint64_t word_of(const unsigned char *s, size_t n)
{
	uint32_t low, high;
	if (n < 4)
		return (uint64_t)s[0] << 16 | (uint64_t)s[n / 2] << 8 | s[n - 1];
	memcpy(&low, s, 4);
	memcpy(&high, s + n - 4, 4);
	return (uint64_t)high << 32 | low;
}

uint32_t hf_hash_bytes(const void *p, size_t n)
{
	const unsigned char *s = p;
	uint64_t h = hash_seed() ^ (n * 0x9E3779B97F4A7C15ull);
	while (n >= 8) {
		uint64_t word;
		memcpy(&word, s, 8);
		h = (h ^ word) * 0xFF51AFD7ED558CCDull;
		h ^= h >> 32;
		s += 8;
		n -= 8;
	}
	if (n > 0) {
		h = (h ^ word_of(s, n)) * 0xFF51AFD7ED558CCDull;
	}
	h ^= h >> 29;
	h *= 0xC4CEB9FE1A85EC53ull;
	return (uint32_t)(h >> 32);
}

void hf_hex(const unsigned char *bytes, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[2 * n] = '\0';
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool hf_unhex(struct hf_str s, unsigned char *out, size_t n)
{
	if (s.n != 2 * n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int high = hex_digit(s.p[2 * i]), low = hex_digit(s.p[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		out[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

void hf_buf_done(struct hf_buf *b)
{
	free(b->p);
	*b = (struct hf_buf){ .max = b->max };
}

void hf_buf_clear(struct hf_buf *b)
{
	b->n = 0;
	b->failed = false;
	if (b->p != NULL)
		b->p[0] = '\0';
}

char *hf_buf_room(struct hf_buf *b, size_t n)
{
	if (n > b->max || b->n > b->max - n) {
		b->failed = true;
		return NULL;
	}
	if (b->size < b->n + n + 1) {
		size_t size = b->size < 64 ? 64 : b->size * 2;
		while (size < b->n + n + 1)
			size *= 2;
		b->p = hf_xrealloc(b->p, size);
		b->size = size;
	}
	return b->p + b->n;
}

void hf_buf_added(struct hf_buf *b, size_t n)
{
	b->n += n;
	b->p[b->n] = '\0';
}

void hf_buf_append(struct hf_buf *b, const void *p, size_t n)
{
	char *room = hf_buf_room(b, n);
	if (room == NULL)
		return;
	if (n > 0)
		memcpy(room, p, n);
	hf_buf_added(b, n);
}

void hf_buf_put(struct hf_buf *b, char c)
{
	hf_buf_append(b, &c, 1);
}

void hf_buf_puts(struct hf_buf *b, const char *s)
{
	hf_buf_append(b, s, strlen(s));
}

void hf_buf_vprintf(struct hf_buf *b, const char *format, va_list args)
{
	va_list again;
	va_copy(again, args);
	int n = vsnprintf(NULL, 0, format, again);
	va_end(again);
	char *room = n < 0 ? NULL : hf_buf_room(b, (size_t)n);
	if (room == NULL) {
		b->failed = true;
		return;
	}
	vsnprintf(room, (size_t)n + 1, format, args);
	hf_buf_added(b, (size_t)n);
}

void hf_buf_printf(struct hf_buf *b, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	hf_buf_vprintf(b, format, args);
	va_end(args);
}

int hf_buf_check(const struct hf_buf *b, const char *what, struct hf_error *err)
{
	if (b->failed)
		return hf_fail(err, HF_E_LIMIT, "%s is larger than %zu bytes", what, b->max);
	return 0;
}

struct hf_str hf_buf_dup(struct hf_arena *a, const struct hf_buf *b)
{
	return (struct hf_str){ hf_strndup(a, b->p == NULL ? "" : b->p, b->n), b->n };
}
