#include "lib/data/yaml_scalar.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

#include "lib/base/scope.h"
#include "lib/data/yaml.h"

/* --- which kind a plain scalar is --- */

/* A cursor over the scalar; at the end it reads as NUL, which no rule accepts. */
struct cursor {
	const char *p, *end;
};

static char peek(const struct cursor *c)
{
	return c->p < c->end ? *c->p : '\0';
}

static bool skip_char(struct cursor *c, char wanted)
{
	if (c->p >= c->end || *c->p != wanted)
		return false;
	c->p++;
	return true;
}

static bool skip_any(struct cursor *c, const char *set)
{
	if (c->p >= c->end || *c->p == '\0' || strchr(set, *c->p) == NULL)
		return false;
	c->p++;
	return true;
}

static size_t skip_all(struct cursor *c, const char *set)
{
	size_t n = 0;
	while (skip_any(c, set))
		n++;
	return n;
}

static bool skip_digits(struct cursor *c, size_t least, size_t most)
{
	size_t n = 0;
	while (n < most && skip_any(c, "0123456789"))
		n++;
	return n >= least;
}

#define DIGITS  "0123456789"
#define DIGITS_ DIGITS "_"

static bool one_of(struct hf_str s, const char *const *words)
{
	for (; *words != NULL; words++)
		if (hf_str_is_word(s, *words))
			return true;
	return false;
}

/* (:[0-5]?[0-9])+ ; leaves the cursor behind the last part that fits */
static bool skip_sexagesimal(struct cursor *c)
{
	bool any = false;
	while (peek(c) == ':' && c->p + 1 < c->end && isdigit((unsigned char)c->p[1])) {
		c->p++;
		if (*c->p <= '5' && c->p + 1 < c->end && isdigit((unsigned char)c->p[1]))
			c->p++;
		c->p++;
		any = true;
	}
	return any;
}

static bool is_int(struct hf_str s)
{
	struct cursor c = { s.p, s.p + s.n };
	skip_any(&c, "+-");
	if (skip_char(&c, '0')) {
		if (c.p == c.end)
			return true;
		if (skip_char(&c, 'b'))
			return skip_all(&c, "01_") > 0 && c.p == c.end;
		if (skip_char(&c, 'x'))
			return skip_all(&c, DIGITS_ "abcdefABCDEF") > 0 && c.p == c.end;
		return skip_all(&c, "01234567_") > 0 && c.p == c.end;
	}
	if (!skip_any(&c, "123456789"))
		return false;
	skip_all(&c, DIGITS_);
	if (c.p == c.end)
		return true;
	return skip_sexagesimal(&c) && c.p == c.end;
}

static bool is_float(struct hf_str s)
{
	static const char *const words[] = { ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf",
		"-.Inf", "-.INF", ".nan", ".NaN", ".NAN", NULL };
	if (one_of(s, words))
		return true;
	struct cursor c = { s.p, s.p + s.n };
	bool sign = skip_any(&c, "+-");
	if (skip_char(&c, '.')) {
		if (sign || !skip_any(&c, DIGITS))
			return false;
		skip_all(&c, DIGITS_);
	} else {
		if (!skip_any(&c, DIGITS))
			return false;
		skip_all(&c, DIGITS_);
		bool parts = skip_sexagesimal(&c);
		if (!skip_char(&c, '.'))
			return false;
		skip_all(&c, DIGITS_);
		if (parts)
			return c.p == c.end;
	}
	if (skip_any(&c, "eE"))
		return skip_any(&c, "+-") && skip_all(&c, DIGITS) > 0 && c.p == c.end;
	return c.p == c.end;
}

static bool skip_time(struct cursor *c)
{
	if (!skip_any(c, "Tt") && skip_all(c, " \t") == 0)
		return false;
	if (!skip_digits(c, 1, 2) || !skip_char(c, ':') || !skip_digits(c, 2, 2) || !skip_char(c, ':') ||
		!skip_digits(c, 2, 2))
		return false;
	if (skip_char(c, '.'))
		skip_all(c, DIGITS);
	if (c->p == c->end)
		return true;
	skip_all(c, " \t");
	if (skip_char(c, 'Z'))
		return true;
	if (!skip_any(c, "+-") || !skip_digits(c, 1, 2))
		return false;
	return !skip_char(c, ':') || skip_digits(c, 2, 2);
}

static bool is_timestamp(struct hf_str s)
{
	struct cursor c = { s.p, s.p + s.n };
	if (!skip_digits(&c, 4, 4) || !skip_char(&c, '-'))
		return false;
	const char *month = c.p;
	if (!skip_digits(&c, 1, 2) || !skip_char(&c, '-') || !skip_digits(&c, 1, 2))
		return false;
	if (c.p == c.end)
		return c.p - month == 5; /* a bare date has two digits each */
	return skip_time(&c) && c.p == c.end;
}

enum yaml_kind hf_yaml_scalar_kind(struct hf_str s)
{
	static const char *const bools[] = { "yes", "Yes", "YES", "no", "No", "NO", "true", "True", "TRUE",
		"false", "False", "FALSE", "on", "On", "ON", "off", "Off", "OFF", NULL };
	static const char *const nulls[] = { "~", "null", "Null", "NULL", NULL };
	if (s.n == 0)
		return YAML_NULL;
	char c = s.p[0];
	if (c == '\0')
		return YAML_STR;
	if (strchr("yYnNtTfFoO~", c) != NULL)
		return s.n <= 5 && one_of(s, bools)   ? YAML_BOOL
		       : s.n <= 4 && one_of(s, nulls) ? YAML_NULL
						      : YAML_STR;
	if (strchr("+-." DIGITS, c) != NULL)
		return is_float(s)       ? YAML_FLOAT
		       : is_int(s)       ? YAML_INT
		       : is_timestamp(s) ? YAML_TIMESTAMP
					 : YAML_STR;
	if (hf_str_is(s, "<<"))
		return YAML_MERGE;
	return hf_str_is(s, "=") ? YAML_EQUALS : YAML_STR;
}

enum hf_type hf_yaml_resolve(struct hf_str plain)
{
	switch (hf_yaml_scalar_kind(plain)) {
	case YAML_NULL:
		return HF_NULL;
	case YAML_BOOL:
		return HF_BOOL;
	case YAML_INT:
		return HF_INT;
	case YAML_FLOAT:
		return HF_FLOAT;
	case YAML_TIMESTAMP:
		return plain.n > 10 ? HF_DATETIME : HF_DATE;
	case YAML_MERGE:
	case YAML_EQUALS:
		return HF_UNDEFINED;
	case YAML_STR:
		break;
	}
	return HF_STRING;
}

/* --- values --- */

static int bad_scalar(struct hf_error *err, const char *what, struct hf_str text)
{
	return hf_fail(
		err, HF_E_PARSE, "%s expected, not \"%.*s\"", what, (int)(text.n > 60 ? 60 : text.n), text.p);
}

/* text without '_' in lower case, terminated */
static char *without_marks(struct hf_arena *a, struct hf_str text)
{
	char *out = hf_alloc(a, text.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] != '_')
			out[n++] = (char)tolower((unsigned char)text.p[i]);
	out[n] = '\0';
	return out;
}

/* Digits of any length in a base, as decimal text: schoolbook, for the few numbers beyond 64 bits. */
enum { BIG_DIGITS_MAX = 4300 };
static int big_number(struct hf_arena *a, bool negative, const char *digits, unsigned base,
	struct hf_value **ret, struct hf_error *err)
{
	size_t n = strlen(digits), used = 1;
	if (n > BIG_DIGITS_MAX)
		return hf_fail(err, HF_E_LIMIT, "a number of more than %d digits", BIG_DIGITS_MAX);
	char *out = hf_zalloc(a, n * 2 + 3); /* least significant first */
	for (; *digits != '\0'; digits++) {
		char c = *digits;
		unsigned carry = c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a' + 10);
		for (size_t i = 0; i < used; i++) {
			carry += (unsigned)out[i] * base;
			out[i] = (char)(carry % 10);
			carry /= 10;
		}
		for (; carry > 0; carry /= 10)
			out[used++] = (char)(carry % 10);
	}
	char *text = hf_alloc(a, used + 2);
	size_t at = 0;
	if (negative && (used > 1 || out[0] != 0))
		text[at++] = '-';
	while (used > 0)
		text[at++] = (char)('0' + out[--used]);
	*ret = hf_value_bigint(a, hf_strn(text, at));
	return 0;
}

static int sexagesimal(
	struct hf_arena *a, bool negative, const char *text, struct hf_value **ret, struct hf_error *err)
{
	int64_t total = 0;
	for (const char *p = text; *p != '\0';) {
		char *end;
		long long part = strtoll(p, &end, 10);
		if (end == p || (*end != ':' && *end != '\0') || total > INT64_MAX / 100 || part > INT32_MAX)
			return bad_scalar(err, "an integer", hf_str(text));
		total = total * 60 + part;
		p = *end == ':' ? end + 1 : end;
	}
	*ret = hf_value_int(a, negative ? -total : total);
	return 0;
}

/* What stands before the digits; *p moves behind it. */
static unsigned base_take(char **p)
{
	if ((*p)[0] != '0' || (*p)[1] == '\0')
		return 10;
	char mark = (*p)[1];
	*p += mark == 'b' || mark == 'x' || mark == 'o' ? 2 : 1;
	return mark == 'b' ? 2 : mark == 'x' ? 16 : 8;
}

static int int_value(struct hf_arena *a, struct hf_str text, struct hf_value **ret, struct hf_error *err)
{
	char *p = without_marks(a, hf_str_trim(text));
	bool negative = *p == '-';
	if (*p == '-' || *p == '+')
		p++;
	if (strchr(p, ':') != NULL && *p != '0')
		return sexagesimal(a, negative, p, ret, err);
	static const char *const digits[] = {
		[2] = "01", [8] = "01234567", [10] = DIGITS, [16] = DIGITS "abcdef"
	};
	unsigned base = base_take(&p);
	if (*p == '\0' || strspn(p, digits[base]) != strlen(p))
		return bad_scalar(err, "an integer", text);
	if (strlen(p) <= 15) {
		long long small = strtoll(p, NULL, (int)base);
		*ret = hf_value_int(a, negative ? -small : small);
		return 0;
	}
	return big_number(a, negative, p, base, ret, err);
}

static int float_value(struct hf_arena *a, struct hf_str text, struct hf_value **ret, struct hf_error *err)
{
	char *p = without_marks(a, hf_str_trim(text));
	double sign = *p == '-' ? -1 : 1, total = 0;
	if (*p == '-' || *p == '+')
		p++;
	if (strcmp(p, ".inf") == 0 || strcmp(p, ".nan") == 0) {
		*ret = hf_value_float(a, strcmp(p, ".inf") == 0 ? sign * INFINITY : NAN);
		return 0;
	}
	do {
		char *end;
		if (strspn(p, DIGITS ".eE+-") != strcspn(p, ":"))
			return bad_scalar(err, "a number", text);
		double part = strtod(p, &end);
		if (end == p || (*end != ':' && *end != '\0'))
			return bad_scalar(err, "a number", text);
		total = total * 60 + part;
		p = *end == ':' ? end + 1 : end;
	} while (*p != '\0');
	*ret = hf_value_float(a, sign * total);
	return 0;
}

static unsigned take_number(const char **p)
{
	unsigned n = 0;
	for (; isdigit((unsigned char)**p); ++*p)
		n = n * 10 + (unsigned)(**p - '0');
	return n;
}

static bool date_exists(unsigned year, unsigned month, unsigned day)
{
	static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	if (year < 1 || month < 1 || month > 12 || day < 1)
		return false;
	bool leap = month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	return day <= days[month - 1] + (leap ? 1u : 0u);
}

/* What follows the date; p is known to match the timestamp rule. */
static bool time_part(const char *p, struct hf_time_value *t)
{
	p += strspn(p, "Tt \t");
	unsigned hour = take_number(&p);
	p++;
	unsigned minute = take_number(&p);
	p++;
	unsigned second = take_number(&p);
	if (hour > 23 || minute > 59 || second > 59)
		return false;
	t->hour = (uint8_t)hour;
	t->minute = (uint8_t)minute;
	t->second = (uint8_t)second;
	if (*p == '.') {
		int32_t unit = 100000;
		for (p++; isdigit((unsigned char)*p); p++, unit /= 10)
			t->microsecond += (*p - '0') * unit;
	}
	p += strspn(p, " \t");
	if (*p == '\0')
		return true;
	t->has_zone = true;
	if (*p == 'Z')
		return true;
	int sign = *p++ == '-' ? -1 : 1;
	unsigned hours = take_number(&p), minutes = 0;
	if (*p == ':') {
		p++;
		minutes = take_number(&p);
	}
	t->zone_minutes = sign * (int)(hours * 60 + minutes);
	return hours * 60 + minutes < 24 * 60;
}

static int timestamp_value(
	struct hf_arena *a, struct hf_str text, struct hf_value **ret, struct hf_error *err)
{
	if (!is_timestamp(text) &&
		!(text.n >= 8 && text.n <= 10 && hf_yaml_scalar_kind(text) == YAML_TIMESTAMP))
		return bad_scalar(err, "a timestamp", text);
	const char *p = hf_str_dup(a, text);
	struct hf_time_value *t = hf_new(a, struct hf_time_value);
	unsigned year = take_number(&p);
	p++;
	unsigned month = take_number(&p);
	p++;
	unsigned day = take_number(&p);
	if (!date_exists(year, month, day))
		return bad_scalar(err, "a date that exists", text);
	t->year = (int16_t)year;
	t->month = (uint8_t)month;
	t->day = (uint8_t)day;
	bool bare = *p == '\0';
	if (!bare && !time_part(p, t))
		return bad_scalar(err, "a time of day that exists", text);
	struct hf_value *v = hf_value_null(a);
	v->type = bare ? HF_DATE : HF_DATETIME;
	v->u.time = t;
	*ret = v;
	return 0;
}

static int bool_value(struct hf_arena *a, struct hf_str text, struct hf_value **ret, struct hf_error *err)
{
	static const char *const yes[] = { "yes", "true", "on", NULL };
	static const char *const no[] = { "no", "false", "off", NULL };
	struct hf_str lower = hf_str(without_marks(a, text));
	bool is_true = one_of(lower, yes);
	if (!is_true && !one_of(lower, no))
		return bad_scalar(err, "a boolean", text);
	*ret = hf_value_bool(a, is_true);
	return 0;
}

int hf_yaml_scalar_value(struct hf_arena *a, enum yaml_kind kind, struct hf_str text, struct hf_value **ret,
	struct hf_error *err)
{
	switch (kind) {
	case YAML_STR:
		*ret = hf_value_str(a, text);
		return 0;
	case YAML_NULL:
		*ret = hf_value_null(a);
		return 0;
	case YAML_BOOL:
		return bool_value(a, text, ret, err);
	case YAML_INT:
		return int_value(a, text, ret, err);
	case YAML_FLOAT:
		return float_value(a, text, ret, err);
	case YAML_TIMESTAMP:
		return timestamp_value(a, text, ret, err);
	case YAML_MERGE:
	case YAML_EQUALS:
		break;
	}
	return hf_fail(
		err, HF_E_PARSE, "\"%.*s\" stands for no value; quote it to mean the text", HF_STR_ARG(text));
}

int hf_yaml_scalar_binary(struct hf_arena *a, struct hf_str text, struct hf_value **ret, struct hf_error *err)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	hf_auto_buf out = hf_buf_init(text.n + 4);
	uint32_t bits = 0;
	unsigned have = 0, padding = 0;
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		if ((unsigned char)c >= 0x80)
			return hf_fail(err, HF_E_PARSE, "!!binary holds something that is not ASCII");
		const char *at = c == '\0' ? NULL : strchr(alphabet, c);
		if (at == NULL) {
			padding += c == '=';
			continue;
		}
		if (padding >= 2 && have == 0)
			break;
		bits = bits << 6 | (uint32_t)(at - alphabet);
		if (++have == 4) {
			char three[3] = { (char)(bits >> 16), (char)(bits >> 8), (char)bits };
			hf_buf_append(&out, three, 3);
			have = 0;
		}
	}
	if (have == 1 || (have > 1 && padding + have < 4))
		return hf_fail(err, HF_E_PARSE, "!!binary is not valid base64");
	if (have == 2) {
		hf_buf_put(&out, (char)(bits >> 4));
	} else if (have == 3) {
		hf_buf_put(&out, (char)(bits >> 10));
		hf_buf_put(&out, (char)(bits >> 2));
	}
	*ret = hf_value_bytes(a, hf_buf_str(&out));
	return 0;
}
