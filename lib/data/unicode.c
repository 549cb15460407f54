#include "lib/data/unicode.h"

#include <ctype.h>
#include <iconv.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/error.h"
#include "lib/data/unicode_printable.h"

/* Bytes a well-formed character starting with this byte has; 0: none starts so. */
static size_t lead_width(unsigned char lead)
{
	if (lead < 0x80)
		return 1;
	if (lead < 0xC2 || lead > 0xF4)
		return 0;
	return lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

size_t hf_utf8_decode(const char *s, size_t n, uint32_t *ret_point)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)s;
	size_t width = lead_width(p[0]);
	uint32_t point = width <= 1 ? p[0] : p[0] & (0xFFu >> (width + 1));
	*ret_point = width == 1 ? p[0] : 0xDC00u + p[0];
	if (width <= 1 || width > n)
		return 1;
	for (size_t i = 1; i < width; i++) {
		if ((p[i] & 0xC0) != 0x80)
			return 1;
		point = point << 6 | (p[i] & 0x3Fu);
	}
	if (point < least[width] || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000))
		return 1;
	*ret_point = point;
	return width;
}

size_t hf_utf8_encode(uint32_t point, char out[4])
{
	if (point < 0x80 || (point >= 0xDC80 && point <= 0xDCFF)) {
		out[0] = (char)(point & 0xFF);
		return 1;
	}
	if (point < 0x800) {
		out[0] = (char)(0xC0 | point >> 6);
		out[1] = (char)(0x80 | (point & 0x3F));
		return 2;
	}
	if (point < 0x10000) {
		out[0] = (char)(0xE0 | point >> 12);
		out[1] = (char)(0x80 | (point >> 6 & 0x3F));
		out[2] = (char)(0x80 | (point & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | point >> 18);
	out[1] = (char)(0x80 | (point >> 12 & 0x3F));
	out[2] = (char)(0x80 | (point >> 6 & 0x3F));
	out[3] = (char)(0x80 | (point & 0x3F));
	return 4;
}

size_t hf_utf8_length(struct hf_str s)
{
	size_t length = 0;
	uint32_t point;
	for (size_t i = 0; i < s.n; length++)
		i += (unsigned char)s.p[i] < 0x80 ? 1 : hf_utf8_decode(s.p + i, s.n - i, &point);
	return length;
}

bool hf_utf8_valid(struct hf_str s)
{
	uint32_t point;
	for (size_t i = 0; i < s.n;) {
		uint64_t eight;
		if (s.n - i >= sizeof(eight)) {
			memcpy(&eight, s.p + i, sizeof(eight));
			if ((eight & 0x8080808080808080) == 0) {
				i += sizeof(eight);
				continue;
			}
		}
		i += hf_utf8_decode(s.p + i, s.n - i, &point);
		if (point >= 0xDC80 && point <= 0xDCFF)
			return false;
	}
	return true;
}

size_t hf_utf8_offset(struct hf_str s, size_t index)
{
	size_t i = 0;
	uint32_t point;
	while (index-- > 0 && i < s.n)
		i += (unsigned char)s.p[i] < 0x80 ? 1 : hf_utf8_decode(s.p + i, s.n - i, &point);
	return i;
}

bool hf_unicode_printable(uint32_t point)
{
	if (point < 0x7F)
		return point >= 0x20;
	size_t low = 0, high = HF_COUNT(unicode_unprintable) / 2;
	while (low < high) { /* the first range that does not end before point */
		size_t middle = (low + high) / 2;
		if (unicode_unprintable[middle * 2 + 1] < point)
			low = middle + 1;
		else
			high = middle;
	}
	return low == HF_COUNT(unicode_unprintable) / 2 || point < unicode_unprintable[low * 2];
}

/* Python's aliases that iconv does not know, in the form encoding_plain() gives. */
static const char *const encoding_aliases[][2] = { { "UTF8", "UTF-8" }, { "U8", "UTF-8" }, { "UTF", "UTF-8" },
	{ "CP65001", "UTF-8" }, { "LATIN-1", "ISO-8859-1" }, { "LATIN1", "ISO-8859-1" },
	{ "LATIN", "ISO-8859-1" }, { "L1", "ISO-8859-1" }, { "ISO8859", "ISO-8859-1" },
	{ "ISO8859-1", "ISO-8859-1" }, { "CP8859", "ISO-8859-1" }, { "CP819", "ISO-8859-1" },
	{ "LATIN9", "ISO-8859-15" }, { "L9", "ISO-8859-15" }, { "ASCII", "US-ASCII" },
	{ "CP646", "US-ASCII" }, { "UTF16", "UTF-16" }, { "U16", "UTF-16" }, { "UTF-16-LE", "UTF-16LE" },
	{ "UTF-16-BE", "UTF-16BE" }, { "UTF32", "UTF-32" }, { "U32", "UTF-32" }, { "UTF-32-LE", "UTF-32LE" },
	{ "UTF-32-BE", "UTF-32BE" }, { "MAC-ROMAN", "MACINTOSH" }, { "MACROMAN", "MACINTOSH" },
	{ "ISO2022-JP", "ISO-2022-JP" }, { "ISO2022-KR", "ISO-2022-KR" } };

/* Letters are capitals, what stands between words is one -; a number alone is a code page. */
static void encoding_plain(struct hf_str name, char out[HF_ENCODING_MAX])
{
	size_t n = 0;
	bool number = name.n > 0;
	for (size_t i = 0; i < name.n; i++)
		number = number && isdigit((unsigned char)name.p[i]);
	if (number)
		n = (size_t)(stpcpy(out, "CP") - out);
	for (size_t i = 0; i < name.n && n < HF_ENCODING_MAX - 1; i++) {
		unsigned char c = (unsigned char)name.p[i];
		if (isalnum(c) || c == '.')
			out[n++] = (char)toupper(c);
		else if (n > 0 && out[n - 1] != '-')
			out[n++] = '-';
	}
	out[n] = '\0';
}

const char *hf_encoding_name(struct hf_str python, char out[HF_ENCODING_MAX])
{
	encoding_plain(python, out);
	for (size_t i = 0; i < HF_COUNT(encoding_aliases); i++)
		if (strcmp(out, encoding_aliases[i][0]) == 0)
			return memcpy(out, encoding_aliases[i][1], strlen(encoding_aliases[i][1]) + 1);
	return out;
}

int hf_utf8_from(struct hf_arena *a, const char *encoding, struct hf_str *text, struct hf_error *err)
{
	enum { WIDEST = 4 }; /* bytes of UTF-8 for one of any encoding */
	char known[HF_ENCODING_MAX];
	hf_encoding_name(hf_str(encoding), known);
	if (strcmp(known, "UTF-8-SIG") == 0 && hf_str_starts(*text, "\xEF\xBB\xBF"))
		*text = hf_strn(text->p + 3, text->n - 3);
	if (hf_str_starts(hf_str(known), "UTF-8"))
		return 0;
	iconv_t converter = iconv_open("UTF-8", known);
	if (converter == (iconv_t)-1)
		return hf_fail(err, HF_E_UNSUPPORTED, "unknown encoding: %s", encoding);
	size_t left = text->n, room = text->n * WIDEST;
	char *out = hf_alloc(a, room + 1), *at = out, *in = (char *)(uintptr_t)text->p;
	bool whole = iconv(converter, &in, &left, &at, &room) != (size_t)-1;
	iconv_close(converter);
	if (!whole)
		return hf_fail(err, HF_E_TEMPLATE, "the file is no %s text", encoding);
	*at = '\0';
	*text = hf_strn(out, (size_t)(at - out));
	return 0;
}
