#include "lib/engine/twister.h"

#include <stdlib.h>
#include <sys/random.h>

#include <openssl/evp.h>

#include "lib/base/scope.h"

enum { N = 624, M = 397 };

static void seed_word(struct hf_twister *t, uint32_t seed)
{
	t->state[0] = seed;
	for (uint32_t i = 1; i < N; i++)
		t->state[i] = 1812433253u * (t->state[i - 1] ^ (t->state[i - 1] >> 30)) + i;
	t->at = N;
}

static void seed_words(struct hf_twister *t, const uint32_t *key, size_t n)
{
	uint32_t *s = t->state, i = 1;
	seed_word(t, 19650218u);
	t->system = false;
	for (size_t k = 0, j = 0; k < (n > N ? n : N); k++) {
		s[i] = (s[i] ^ ((s[i - 1] ^ (s[i - 1] >> 30)) * 1664525u)) + key[j] + (uint32_t)j;
		j = j + 1 == n ? 0 : j + 1;
		if (++i == N) {
			s[0] = s[N - 1];
			i = 1;
		}
	}
	for (size_t k = 0; k < N - 1; k++) {
		s[i] = (s[i] ^ ((s[i - 1] ^ (s[i - 1] >> 30)) * 1566083941u)) - i;
		if (++i == N) {
			s[0] = s[N - 1];
			i = 1;
		}
	}
	s[0] = 0x80000000u;
}

void hf_twister_system(struct hf_twister *t)
{
	t->system = true;
}

void hf_twister_seed_int(struct hf_twister *t, uint64_t magnitude)
{
	const uint32_t words[2] = { (uint32_t)magnitude, (uint32_t)(magnitude >> 32) };
	seed_words(t, words, words[1] != 0 ? 2 : 1);
}

/* The text and its SHA-512 behind it, read as one large number. */
void hf_twister_seed_text(struct hf_twister *t, struct hf_str text)
{
	unsigned char digest[64];
	EVP_Digest(text.n == 0 ? "" : text.p, text.n, digest, NULL, EVP_sha512(), NULL);
	hf_auto_arena a = hf_arena_new();
	size_t total = text.n + sizeof(digest), words = (total + 3) / 4;
	uint32_t *key = hf_new_array(a, words + 1, uint32_t);
	for (size_t i = 0; i < total; i++) { /* i counts from the least significant byte */
		size_t at = total - 1 - i;
		unsigned char byte = at < text.n ? (unsigned char)text.p[at] : digest[at - text.n];
		key[i / 4] |= (uint32_t)byte << (i % 4 * 8);
	}
	while (words > 1 && key[words - 1] == 0)
		words--;
	seed_words(t, key, words);
}

static uint32_t word_next(struct hf_twister *t)
{
	if (t->system) {
		uint32_t word = 0;
		if (getrandom(&word, sizeof(word), 0) != (ssize_t)sizeof(word))
			abort(); /* cannot happen for so few bytes */
		return word;
	}
	uint32_t *s = t->state;
	if (t->at == N) {
		for (int k = 0; k < N; k++) {
			uint32_t y = (s[k] & 0x80000000u) | (s[(k + 1) % N] & 0x7fffffffu);
			s[k] = s[(k + M) % N] ^ (y >> 1) ^ ((y & 1u) ? 0x9908b0dfu : 0u);
		}
		t->at = 0;
	}
	uint32_t y = s[t->at++];
	y ^= y >> 11;
	y ^= (y << 7) & 0x9d2c5680u;
	y ^= (y << 15) & 0xefc60000u;
	return y ^ (y >> 18);
}

static uint64_t bits_next(struct hf_twister *t, unsigned bits)
{
	if (bits <= 32)
		return word_next(t) >> (32 - bits);
	uint64_t low = word_next(t);
	return low | (uint64_t)(word_next(t) >> (64 - bits)) << 32;
}

uint64_t hf_twister_below(struct hf_twister *t, uint64_t n)
{
	unsigned bits = 0;
	for (uint64_t rest = n; rest > 0; rest >>= 1)
		bits++;
	uint64_t r;
	do /* at least every second draw fits */
		r = bits_next(t, bits);
	while (r >= n);
	return r;
}
