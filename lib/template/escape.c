#include "lib/base/scope.h"
#include "lib/base/vec.h"
#include "lib/template/lexer.h"
#include "lib/template/text.h"

/* Characters that people write as \N{…}; the whole list of Unicode's names would be larger than this engine.
 */
static const struct {
	const char *name;
	uint32_t point;
} named[] = {
	{ "BULLET", 0x2022 },
	{ "EM DASH", 0x2014 },
	{ "EN DASH", 0x2013 },
	{ "HORIZONTAL ELLIPSIS", 0x2026 },
	{ "NO-BREAK SPACE", 0xa0 },
	{ "DEGREE SIGN", 0xb0 },
	{ "COPYRIGHT SIGN", 0xa9 },
	{ "REGISTERED SIGN", 0xae },
	{ "EURO SIGN", 0x20ac },
	{ "SNOWMAN", 0x2603 },
	{ "CHECK MARK", 0x2713 },
	{ "BALLOT X", 0x2717 },
	{ "RIGHTWARDS ARROW", 0x2192 },
	{ "LEFTWARDS ARROW", 0x2190 },
	{ "GREEK SMALL LETTER ALPHA", 0x3b1 },
	{ "GREEK SMALL LETTER PI", 0x3c0 },
	{ "LATIN SMALL LETTER E WITH ACUTE", 0xe9 },
	{ "SPACE", 0x20 },
	{ "LATIN SMALL LETTER A", 'a' },
	{ "LATIN CAPITAL LETTER A", 'A' },
	{ "PILE OF POO", 0x1f4a9 },
	{ "SECTION SIGN", 0xa7 },
	{ "MICRO SIGN", 0xb5 },
	{ "LATIN SMALL LETTER SHARP S", 0xdf },
	{ "GRINNING FACE", 0x1f600 },
	{ "BLACK STAR", 0x2605 },
	{ "WHITE STAR", 0x2606 },
	{ "POUND SIGN", 0xa3 },
};

static int hex_value(struct hf_str raw, size_t at, size_t digits, uint32_t *ret)
{
	uint32_t value = 0;
	for (size_t i = 0; i < digits; i++) {
		char c = at + i < raw.n ? raw.p[at + i] : '\0';
		uint32_t digit =
			c >= '0' && c <= '9' ? (uint32_t)(c - '0') : (uint32_t)((c | 0x20) - 'a') + 10;
		if (digit > 15)
			return -1;
		value = value << 4 | digit;
	}
	*ret = value;
	return 0;
}

/* \xHH, \uHHHH, \UHHHHHHHH: at is behind the letter. */
static int escape_hex(struct hf_buf *out, struct hf_str raw, size_t *at, char letter)
{
	size_t digits = letter == 'x' ? 2 : letter == 'u' ? 4 : 8;
	uint32_t point;
	if (hex_value(raw, *at, digits, &point) < 0 || point > 0x10FFFF ||
		(point >= 0xD800 && point < 0xE000))
		return -1;
	hf_text_put(out, point);
	*at += digits;
	return 0;
}

static int escape_named(struct hf_buf *out, struct hf_str raw, size_t *at)
{
	size_t close = hf_str_find(raw, HF_STR("}"), *at);
	if (*at >= raw.n || raw.p[*at] != '{' || close == SIZE_MAX)
		return -1;
	struct hf_str name = { raw.p + *at + 1, close - *at - 1 };
	for (size_t i = 0; i < HF_COUNT(named); i++)
		if (strlen(named[i].name) == name.n && strncasecmp(named[i].name, name.p, name.n) == 0) {
			hf_text_put(out, named[i].point);
			*at = close + 1;
			return 0;
		}
	return -1;
}

static void escape_octal(struct hf_buf *out, struct hf_str raw, size_t *at)
{
	uint32_t point = 0;
	for (int i = 0; i < 3 && *at < raw.n && raw.p[*at] >= '0' && raw.p[*at] <= '7'; i++)
		point = point * 8 + (uint32_t)(raw.p[(*at)++] - '0');
	hf_text_put(out, point);
}

static int escape_one(struct hf_buf *out, struct hf_str raw, size_t *at)
{
	static const char letters[] = "ntrabfv\\'\"", meanings[] = "\n\t\r\a\b\f\v\\'\"";
	char c = raw.p[*at];
	if (c >= '0' && c <= '7') {
		escape_octal(out, raw, at);
		return 0;
	}
	++*at;
	if (c == 'x' || c == 'u' || c == 'U')
		return escape_hex(out, raw, at, c);
	if (c == 'N')
		return escape_named(out, raw, at);
	const char *which = c == '\0' ? NULL : strchr(letters, c);
	if (which != NULL)
		hf_buf_put(out, meanings[which - letters]);
	else if (c != '\n') {
		hf_buf_put(out, '\\');
		hf_buf_put(out, c);
	}
	return 0;
}

int hf_lex_unescape(
	struct hf_arena *a, struct hf_str raw, struct hf_pos pos, struct hf_str *ret, struct hf_error *err)
{
	hf_auto_buf out = hf_buf_init(raw.n * 4 + 4);
	for (size_t at = 0; at < raw.n;) {
		if (raw.p[at] != '\\') {
			hf_buf_put(&out, raw.p[at++]);
			continue;
		}
		if (++at >= raw.n)
			return hf_fail_at(err, HF_E_PARSE, pos, "\\ at end of string");
		if (escape_one(&out, raw, &at) < 0)
			return hf_fail_at(
				err, HF_E_PARSE, pos, "the string has a broken or unknown \\ escape");
	}
	*ret = hf_buf_dup(a, &out);
	return 0;
}
