/* lib/engine/filters_time.c - strftime, to_datetime and now(). */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "lib/base/scope.h"
#include "lib/engine/filters.h"

enum { TIME_TEXT_MAX = 1 << 16 };

static int time_format(struct hf_arena *a, struct hf_str format, const struct tm *tm, struct hf_str *ret,
	struct hf_error *err)
{
	if (format.n == 0) {
		*ret = HF_STR("");
		return 0;
	}
	const char *text = hf_str_dup(a, format);
	for (size_t size = 256; size <= TIME_TEXT_MAX; size *= 4) {
		char *out = hf_zalloc(a, size);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		size_t n = strftime(out, size, text, tm);
#pragma GCC diagnostic pop
		if (n > 0 || size == TIME_TEXT_MAX) {
			*ret = hf_strn(out, n);
			return 0;
		}
	}
	return hf_fail(err, HF_E_LIMIT, "strftime: more than %d bytes", TIME_TEXT_MAX);
}

FILTER(strftime_filter)
{
	FILTER_ARGS(2, "second", "utc");
	struct hf_str format, out;
	struct tm tm;
	time_t at = time(NULL);
	struct hf_value *second = filter_arg(call, 0, "second");
	if (input->type != HF_STRING)
		return hf_fail(
			err, HF_E_TEMPLATE, "strftime() argument 1 must be str, not %s", hf_type_name(input));
	int r = hf_eval_text(e, input, &format, err);
	if (r < 0)
		return r;
	if (second != NULL) {
		double seconds = 0;
		char *end = NULL;
		if (second->type == HF_STRING)
			seconds = strtod(second->u.string.p, &end);
		else if (filter_number(second, "strftime", &seconds, err) < 0)
			end = (char *)(uintptr_t) "x";
		if ((end != NULL && (*end != '\0' || second->u.string.n == 0)) || !isfinite(seconds) ||
			fabs(seconds) > 1e15)
			return hf_fail(err, HF_E_TEMPLATE, "Invalid value for epoch value (%s)",
				hf_value_text(hf_eval_arena(e), second).p);
		at = (time_t)floor(seconds);
	}
	if ((filter_bool_arg(call, 1, "utc", false) ? gmtime_r(&at, &tm) : localtime_r(&at, &tm)) == NULL)
		return hf_fail(err, HF_E_TEMPLATE, "strftime: year out of range");
	r = time_format(hf_eval_arena(e), format, &tm, &out, err);
	return r < 0 ? r : filter_return_text(e, input, out, ret);
}

/* Python's %f, which C has not. */
static struct hf_str microseconds(struct hf_arena *a, struct hf_str format, long us)
{
	hf_auto_buf out = hf_buf_init(TIME_TEXT_MAX);
	for (size_t i = 0; i < format.n; i++) {
		bool pair = format.p[i] == '%' && i + 1 < format.n;
		if (pair && format.p[i + 1] == 'f')
			hf_buf_printf(&out, "%06ld", us);
		else
			hf_buf_add(&out, hf_strn(format.p + i, pair ? 2 : 1));
		i += pair;
	}
	return hf_buf_dup(a, &out);
}

int hf_filter_now(struct hf_eval *e, struct hf_value *input, const struct hf_call *call,
	struct hf_value **ret, struct hf_error *err)
{
	FILTER_ARGS(2, "utc", "fmt");
	struct timespec now;
	struct tm tm;
	clock_gettime(CLOCK_REALTIME, &now);
	if (filter_bool_arg(call, 0, "utc", false))
		gmtime_r(&now.tv_sec, &tm);
	else
		localtime_r(&now.tv_sec, &tm);
	const struct hf_value *format = filter_arg(call, 1, "fmt");
	if (format != NULL && hf_value_truthy(format)) {
		struct hf_str text, out;
		int r = filter_text_arg(e, call, 1, "fmt", NULL, &text, err);
		if (r == 0)
			text = microseconds(hf_eval_arena(e), text, now.tv_nsec / 1000);
		if (r == 0)
			r = time_format(hf_eval_arena(e), text, &tm, &out, err);
		return r < 0 ? r : filter_return_text(e, NULL, out, ret);
	}
	struct hf_value *v = hf_value_null(hf_eval_arena(e));
	v->type = HF_DATETIME;
	v->u.time = hf_new(hf_eval_arena(e), struct hf_time_value);
	*v->u.time = (struct hf_time_value){ .year = (int16_t)(tm.tm_year + 1900),
		.month = (uint8_t)(tm.tm_mon + 1),
		.day = (uint8_t)tm.tm_mday,
		.hour = (uint8_t)tm.tm_hour,
		.minute = (uint8_t)tm.tm_min,
		.second = (uint8_t)tm.tm_sec,
		.microsecond = (int32_t)(now.tv_nsec / 1000) };
	*ret = v;
	return 0;
}

/* --- to_datetime: strptime as Python does it --- */

struct parse {
	const char *p;
	int year, month, day, hour, minute, second, microsecond, zone, yday;
	bool pm, twelve, has_zone, has_year;
};

static bool number(struct parse *t, int most_digits, int low, int high, int *ret)
{
	int n = 0, value = 0;
	for (; n < most_digits && isdigit((unsigned char)*t->p); n++) {
		int wider = value * 10 + (*t->p - '0');
		if (n > 0 && wider > high && most_digits == 2)
			break;
		value = wider;
		t->p++;
	}
	*ret = value;
	return n > 0 && value >= low && value <= high;
}

/* One of names, by its first size letters (0: whole), in any case. */
static bool word(struct parse *t, const char *const *names, int count, size_t size, int *ret)
{
	for (int i = 0; i < count; i++) {
		size_t n = size == 0 ? strlen(names[i]) : size;
		if (strncasecmp(t->p, names[i], n) == 0) {
			t->p += n;
			*ret = i;
			return true;
		}
	}
	return false;
}

static bool fraction(struct parse *t)
{
	int unit = 100000, n = 0;
	t->microsecond = 0;
	for (; n < 6 && isdigit((unsigned char)*t->p); n++, unit /= 10)
		t->microsecond += (*t->p++ - '0') * unit;
	return n > 0;
}

static bool zone_offset(struct parse *t)
{
	int hours, minutes;
	t->has_zone = true;
	if (*t->p == 'Z') {
		t->p++;
		return true;
	}
	if (*t->p != '+' && *t->p != '-')
		return false;
	int sign = *t->p++ == '-' ? -1 : 1;
	if (!number(t, 2, 0, 23, &hours))
		return false;
	t->p += *t->p == ':';
	if (!number(t, 2, 0, 59, &minutes))
		return false;
	t->zone = sign * (hours * 60 + minutes);
	return true;
}

static bool two_digit_year(struct parse *t)
{
	if (!number(t, 2, 0, 99, &t->year))
		return false;
	t->year += t->year <= 68 ? 2000 : 1900;
	return true;
}

static bool half_day(struct parse *t)
{
	static const char *const names[] = { "AM", "PM" };
	int which = 0;
	bool ok = word(t, names, 2, 0, &which);
	t->pm = ok && which == 1;
	return ok;
}

static bool directive(struct parse *t, char c)
{
	static const char *const months[] = { "January", "February", "March", "April", "May", "June", "July",
		"August", "September", "October", "November", "December" };
	static const char *const days[] = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday",
		"Saturday" };
	int which;
	switch (c) {
	case 'Y':
		return number(t, 4, 1, 9999, &t->year);
	case 'y':
		return two_digit_year(t);
	case 'm':
		return number(t, 2, 1, 12, &t->month);
	case 'd':
		return number(t, 2, 1, 31, &t->day);
	case 'H':
		return number(t, 2, 0, 23, &t->hour);
	case 'I':
		t->twelve = true;
		return number(t, 2, 1, 12, &t->hour);
	case 'M':
		return number(t, 2, 0, 59, &t->minute);
	case 'S':
		return number(t, 2, 0, 61, &t->second);
	case 'j':
		return number(t, 3, 1, 366, &t->yday);
	case 'f':
		return fraction(t);
	case 'z':
		return zone_offset(t);
	case 'p':
		return half_day(t);
	case 'B':
	case 'b':
		if (!word(t, months, 12, c == 'B' ? 0 : 3, &which))
			return false;
		t->month = which + 1;
		return true;
	case 'A':
	case 'a':
		return word(t, days, 7, c == 'A' ? 0 : 3, &which);
	case 'w':
		return number(t, 1, 0, 6, &which);
	case 'Z':
		if (strncmp(t->p, "UTC", 3) != 0 && strncmp(t->p, "GMT", 3) != 0)
			return false;
		t->p += 3;
		return true;
	case '%':
		return *t->p == '%' && t->p++ != NULL;
	default:
		return false;
	}
}

static const char *composite(char c)
{
	return c == 'T'               ? "%H:%M:%S"
	       : c == 'D' || c == 'x' ? "%m/%d/%y"
	       : c == 'X'             ? "%H:%M:%S"
	       : c == 'R'             ? "%H:%M"
	       : c == 'F'             ? "%Y-%m-%d"
	       : c == 'c'             ? "%a %b %d %H:%M:%S %Y"
				      : NULL;
}

static bool parse_by(struct parse *t, const char *format, int depth)
{
	for (const char *f = format; *f != '\0'; f++) {
		if (isspace((unsigned char)*f)) {
			if (!isspace((unsigned char)*t->p))
				return false;
			while (isspace((unsigned char)*t->p))
				t->p++;
			while (isspace((unsigned char)f[1]))
				f++;
		} else if (*f == '%' && f[1] != '\0') {
			const char *longer = depth == 0 ? composite(f[1]) : NULL;
			f++;
			if (longer != NULL ? !parse_by(t, longer, 1) : !directive(t, *f))
				return false;
		} else if (tolower((unsigned char)*t->p++) != tolower((unsigned char)*f)) {
			return false;
		}
	}
	return true;
}

static int month_days(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return days[month - 1] + (month == 2 && leap);
}

FILTER(to_datetime)
{
	FILTER_ARGS(1, "format");
	struct hf_arena *a = hf_eval_arena(e);
	struct hf_str format;
	int r = filter_text_arg(e, call, 0, "format", "%Y-%m-%d %H:%M:%S", &format, err);
	if (r < 0)
		return r;
	if (input->type != HF_STRING)
		return hf_fail(
			err, HF_E_TEMPLATE, "strptime() argument 1 must be str, not %s", hf_type_name(input));
	struct parse t = { .p = hf_str_dup(a, input->u.string), .year = 1900, .month = 1, .day = 1 };
	bool ok = parse_by(&t, hf_str_dup(a, format), 0);
	if (ok && t.yday > 0)
		for (t.month = 1, t.day = t.yday; t.month < 12 && t.day > month_days(t.year, t.month);
			t.month++)
			t.day -= month_days(t.year, t.month);
	if (!ok || t.second > 59 || t.day > month_days(t.year, t.month))
		return hf_fail(err, HF_E_TEMPLATE, "time data '%.*s' does not match format '%.*s'",
			HF_STR_ARG(input->u.string), HF_STR_ARG(format));
	if (*t.p != '\0')
		return hf_fail(err, HF_E_TEMPLATE, "unconverted data remains: %s", t.p);
	if (t.twelve)
		t.hour = t.hour % 12 + (t.pm ? 12 : 0);
	struct hf_value *v = hf_value_null(a);
	v->type = HF_DATETIME;
	v->u.time = hf_new(a, struct hf_time_value);
	*v->u.time = (struct hf_time_value){ .year = (int16_t)t.year,
		.month = (uint8_t)t.month,
		.day = (uint8_t)t.day,
		.hour = (uint8_t)t.hour,
		.minute = (uint8_t)t.minute,
		.second = (uint8_t)t.second,
		.microsecond = t.microsecond,
		.has_zone = t.has_zone,
		.zone_minutes = t.zone };
	*ret = v;
	return 0;
}

const struct hf_callable_row hf_ansible_filters_time[] = {
	{ "strftime", strftime_filter, 0 },
	{ "to_datetime", to_datetime, 0 },
	{ 0 },
};
