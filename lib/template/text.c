#include "lib/template/text.h"

#include <locale.h>
#include <pthread.h>
#include <wctype.h>

/* Unicode's properties come from the C library's UTF-8 locale, which Debian, Ubuntu and Amazon Linux always
 * have. */
static locale_t unicode_locale;
static pthread_once_t unicode_once = PTHREAD_ONCE_INIT;

static void unicode_open(void)
{
	unicode_locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

/* (locale_t)0 when the system has no such locale: then only ASCII letters have case. */
static locale_t unicode(void)
{
	pthread_once(&unicode_once, unicode_open);
	return unicode_locale;
}

bool hf_point_space(uint32_t c)
{
	if (c < 0x80)
		return c == ' ' || (c >= 9 && c <= 13) || (c >= 0x1c && c <= 0x1f);
	return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
	       c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

bool hf_point_decimal(uint32_t c, int *ret_digit)
{
	/* First of each run of ten decimal digits. */
	static const uint32_t zeros[] = { 0x30, 0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6,
		0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0, 0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946,
		0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0,
		0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x104a0, 0x10d30, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0,
		0x11450, 0x114d0, 0x11650, 0x116c0, 0x11730, 0x118e0, 0x11950, 0x11c50, 0x11d50, 0x11da0,
		0x16a60, 0x16ac0, 0x16b50, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0,
		0x1e950, 0x1fbf0 };
	for (size_t i = 0; i < HF_COUNT(zeros) && zeros[i] <= c; i++)
		if (c - zeros[i] < 10) {
			*ret_digit = (int)(c - zeros[i]);
			return true;
		}
	return false;
}

bool hf_point_digit(uint32_t c)
{
	int digit;
	if (c == 0xb2 || c == 0xb3 || c == 0xb9 || c == 0x2070 || (c >= 0x2074 && c <= 0x2079) ||
		(c >= 0x2080 && c <= 0x2089) || (c >= 0x2460 && c <= 0x2468) || (c >= 0x1369 && c <= 0x1371))
		return true;
	return hf_point_decimal(c, &digit);
}

bool hf_point_alpha(uint32_t c)
{
	if (c < 0x80)
		return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
	int digit;
	return unicode() != (locale_t)0 && iswalpha_l((wint_t)c, unicode()) && !hf_point_decimal(c, &digit) &&
	       !(c >= 0x2160 && c <= 0x2188) && !(c >= 0x300 && c <= 0x36f);
}

bool hf_point_alnum(uint32_t c)
{
	if (c < 0x80)
		return hf_point_alpha(c) || (c >= '0' && c <= '9');
	/* numeric characters that are neither letters nor digits: fractions, Roman numerals, circled numbers
	 */
	return hf_point_alpha(c) || hf_point_digit(c) || (c >= 0xbc && c <= 0xbe) ||
	       (c >= 0x2150 && c <= 0x2189) || (c >= 0x2460 && c <= 0x249b) || (c >= 0x24ea && c <= 0x24ff) ||
	       (c >= 0x2776 && c <= 0x2793);
}

/* Digraphs with a capital first letter are neither upper nor lower case. */
bool hf_point_title(uint32_t c)
{
	return c == 0x1c5 || c == 0x1c8 || c == 0x1cb || c == 0x1f2;
}

bool hf_point_upper(uint32_t c)
{
	if (c < 0x80)
		return c >= 'A' && c <= 'Z';
	if (hf_point_title(c))
		return false;
	return unicode() != (locale_t)0 && iswupper_l((wint_t)c, unicode());
}

bool hf_point_lower(uint32_t c)
{
	if (c < 0x80)
		return c >= 'a' && c <= 'z';
	if (c == 0xaa || c == 0xba)
		return true;
	if (hf_point_title(c))
		return false;
	return unicode() != (locale_t)0 && iswlower_l((wint_t)c, unicode());
}

/* Characters whose upper case is several characters; title: the last are lower case. */
static const struct {
	uint32_t from, upper[3], title[3];
} wide_cases[] = {
	{ 0xdf, { 'S', 'S' }, { 'S', 's' } },
	{ 0x149, { 0x2bc, 'N' }, { 0x2bc, 'N' } },
	{ 0x1f0, { 'J', 0x30c }, { 'J', 0x30c } },
	{ 0x390, { 0x399, 0x308, 0x301 }, { 0x399, 0x308, 0x301 } },
	{ 0x3b0, { 0x3a5, 0x308, 0x301 }, { 0x3a5, 0x308, 0x301 } },
	{ 0x587, { 0x535, 0x552 }, { 0x535, 0x582 } },
	{ 0x1c4, { 0x1c4 }, { 0x1c5 } },
	{ 0x1c5, { 0x1c4 }, { 0x1c5 } },
	{ 0x1c7, { 0x1c7 }, { 0x1c8 } },
	{ 0x1c8, { 0x1c7 }, { 0x1c8 } },
	{ 0x1ca, { 0x1ca }, { 0x1cb } },
	{ 0x1cb, { 0x1ca }, { 0x1cb } },
	{ 0x1f1, { 0x1f1 }, { 0x1f2 } },
	{ 0x1f2, { 0x1f1 }, { 0x1f2 } },
	{ 0x1c6, { 0x1c4 }, { 0x1c5 } },
	{ 0x1c9, { 0x1c7 }, { 0x1c8 } },
	{ 0x1cc, { 0x1ca }, { 0x1cb } },
	{ 0x1f3, { 0x1f1 }, { 0x1f2 } },
	{ 0xfb00, { 'F', 'F' }, { 'F', 'f' } },
	{ 0xfb01, { 'F', 'I' }, { 'F', 'i' } },
	{ 0xfb02, { 'F', 'L' }, { 'F', 'l' } },
	{ 0xfb03, { 'F', 'F', 'I' }, { 'F', 'f', 'i' } },
	{ 0xfb04, { 'F', 'F', 'L' }, { 'F', 'f', 'l' } },
	{ 0xfb05, { 'S', 'T' }, { 'S', 't' } },
	{ 0xfb06, { 'S', 'T' }, { 'S', 't' } },
};

static size_t case_of(uint32_t c, bool title, uint32_t out[3])
{
	if (c < 0x80) {
		out[0] = c >= 'a' && c <= 'z' ? c - 32 : c;
		return 1;
	}
	for (size_t i = 0; i < HF_COUNT(wide_cases); i++)
		if (wide_cases[i].from == c) {
			const uint32_t *points = title ? wide_cases[i].title : wide_cases[i].upper;
			size_t n = 0;
			for (; n < 3 && points[n] != 0; n++)
				out[n] = points[n];
			return n;
		}
	out[0] = unicode() == (locale_t)0 ? c : (uint32_t)towupper_l((wint_t)c, unicode());
	return 1;
}

size_t hf_point_to_upper(uint32_t c, uint32_t out[3])
{
	return case_of(c, false, out);
}

size_t hf_point_to_title(uint32_t c, uint32_t out[3])
{
	return case_of(c, true, out);
}

size_t hf_point_to_lower(uint32_t c, uint32_t out[3])
{
	if (c == 0x130) { /* capital I with dot above */
		out[0] = 'i';
		out[1] = 0x307;
		return 2;
	}
	if (c < 0x80)
		out[0] = c >= 'A' && c <= 'Z' ? c + 32 : c;
	else
		out[0] = unicode() == (locale_t)0 ? c : (uint32_t)towlower_l((wint_t)c, unicode());
	return 1;
}

void hf_text_put(struct hf_buf *out, uint32_t c)
{
	char bytes[4];
	hf_buf_append(out, bytes, hf_utf8_encode(c, bytes));
}

static void points_put(struct hf_buf *out, const uint32_t *points, size_t n)
{
	for (size_t i = 0; i < n; i++)
		hf_text_put(out, points[i]);
}

void hf_text_upper(struct hf_buf *out, struct hf_str s)
{
	uint32_t points[3];
	for (size_t i = 0; i < s.n;)
		points_put(out, points, hf_point_to_upper(hf_text_next(s, &i), points));
}

void hf_text_lower(struct hf_buf *out, struct hf_str s)
{
	uint32_t points[3];
	bool letter_before = false;
	for (size_t i = 0; i < s.n;) {
		uint32_t c = hf_text_next(s, &i);
		size_t after = i;
		bool final_sigma =
			c == 0x3a3 && letter_before && (i >= s.n || !hf_point_alpha(hf_text_next(s, &after)));
		letter_before = hf_point_alpha(c);
		if (final_sigma)
			hf_text_put(out, 0x3c2);
		else
			points_put(out, points, hf_point_to_lower(c, points));
	}
}

void hf_text_capitalize(struct hf_buf *out, struct hf_str s)
{
	if (s.n == 0)
		return;
	uint32_t points[3];
	size_t i = 0;
	uint32_t c = hf_text_next(s, &i);
	points_put(out, points, hf_point_to_title(c, points));
	hf_text_lower(out, hf_strn(s.p + i, s.n - i));
}

size_t hf_text_space(struct hf_str s)
{
	if (s.n == 0)
		return 0;
	if ((unsigned char)s.p[0] < 0x80)
		return hf_point_space((unsigned char)s.p[0]);
	size_t at = 0;
	return hf_point_space(hf_text_next(s, &at)) ? at : 0;
}

struct hf_str hf_text_strip(struct hf_str s, bool left, bool right)
{
	size_t width;
	while (left && (width = hf_text_space(s)) > 0)
		s = hf_strn(s.p + width, s.n - width);
	while (right && s.n > 0) {
		size_t start = s.n - 1;
		while (start > 0 && ((unsigned char)s.p[start] & 0xC0) == 0x80)
			start--;
		if (hf_text_space(hf_strn(s.p + start, s.n - start)) != s.n - start)
			break;
		s.n = start;
	}
	return s;
}

/* Bytes of letters, digits and underscores at the start of s, as far as they are ASCII. */
static size_t ascii_word(struct hf_str s)
{
	size_t n = 0;
	while (n < s.n && ((s.p[n] >= 'a' && s.p[n] <= 'z') || (s.p[n] >= 'A' && s.p[n] <= 'Z') ||
				  (s.p[n] >= '0' && s.p[n] <= '9') || s.p[n] == '_'))
		n++;
	return n;
}

size_t hf_text_word(struct hf_str s)
{
	size_t end = ascii_word(s);
	for (size_t at = end; at < s.n; end = at) {
		uint32_t c = hf_text_next(s, &at);
		bool mark = c >= 0x300 && c <= 0x36f; /* combining marks continue an identifier */
		if (c != '_' && !hf_point_alnum(c) && !mark)
			break;
	}
	return end;
}

bool hf_text_identifier(struct hf_str s)
{
	if (s.n == 0)
		return false;
	if (ascii_word(s) == s.n)
		return s.p[0] < '0' || s.p[0] > '9';
	size_t at = 0;
	uint32_t first = hf_text_next(s, &at);
	if (first != '_' && !hf_point_alpha(first) && !(first >= 0x2160 && first <= 0x2188))
		return false;
	int digit;
	while (at < s.n) {
		uint32_t c = hf_text_next(s, &at);
		if (c != '_' && !hf_point_alpha(c) && !hf_point_decimal(c, &digit) &&
			!(c >= 0x300 && c <= 0x36f))
			return false;
	}
	return true;
}

bool hf_text_ascii(struct hf_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	return true;
}
