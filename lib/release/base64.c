#include "lib/release/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t hf_base64_size(struct hf_str text)
{
	if (text.n % 4 != 0)
		return SIZE_MAX;
	size_t n = text.n / 4 * 3;
	for (size_t i = 1; i <= 2 && n > 0 && text.p[text.n - i] == '='; i++)
		n--;
	return n;
}

static int digit_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool hf_base64_decode(struct hf_str text, unsigned char *out)
{
	size_t size = hf_base64_size(text);
	if (size == SIZE_MAX)
		return false;
	size_t digits = text.n - (text.n / 4 * 3 - size); /* without the padding */
	uint32_t bits = 0;
	unsigned held = 0;
	for (size_t i = 0; i < digits; i++) {
		int value = digit_value(text.p[i]);
		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
		held += 6;
		if (held >= 8) {
			held -= 8;
			*out++ = (unsigned char)(bits >> held);
			bits &= (1u << held) - 1;
		}
	}
	return bits == 0;
}

void hf_base64_encode(struct hf_buf *out, struct hf_str bytes)
{
	char *p = hf_buf_room(out, (bytes.n + 2) / 3 * 4);
	if (p == NULL)
		return;
	char *start = p;
	for (size_t i = 0; i < bytes.n; i += 3) {
		uint32_t group = 0;
		for (size_t k = 0; k < 3; k++)
			group = group << 8 | (i + k < bytes.n ? (unsigned char)bytes.p[i + k] : 0u);
		for (unsigned k = 0; k < 4; k++)
			*p++ = i + k > bytes.n ? '=' : alphabet[group >> (18 - 6 * k) & 63];
	}
	hf_buf_added(out, (size_t)(p - start));
}
