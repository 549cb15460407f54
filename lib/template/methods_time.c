/* lib/template/methods_time.c - methods of date, datetime and timedelta; declared in methods.h. */
#include <time.h>

#include "lib/base/scope.h"
#include "lib/template/method.h"

enum { TIME_TEXT_MAX = 4096 };

static struct tm broken_down(const struct hf_time_value *t)
{
	struct tm tm = { .tm_year = t->year - 1900,
		.tm_mon = t->month - 1,
		.tm_mday = t->day,
		.tm_hour = t->hour,
		.tm_min = t->minute,
		.tm_sec = t->second };
	timegm(&tm); /* fills the day of the week and of the year */
	return tm;
}

METHOD(strftime)
{
	struct hf_str format;
	char out[TIME_TEXT_MAX];
	int r = hf_method_argument(e, call, 0, "strftime", &format, err);
	if (r < 0)
		return r;
	struct tm tm = broken_down(input->u.time);
	hf_auto_buf text = hf_buf_init(TIME_TEXT_MAX);
	for (size_t i = 0; i < format.n; i++) { /* %f is Python's own */
		if (format.p[i] == '%' && i + 1 < format.n && format.p[i + 1] == 'f') {
			hf_buf_printf(&text, "%06d", input->u.time->microsecond);
			i++;
		} else {
			hf_buf_put(&text, format.p[i]);
			if (format.p[i] == '%' && i + 1 < format.n)
				hf_buf_put(&text, format.p[++i]);
		}
	}
	r = hf_buf_check(&text, "time format", err);
	if (r < 0)
		return r;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	size_t n = format.n == 0 ? 0 : strftime(out, sizeof(out), hf_buf_str(&text).p, &tm);
#pragma GCC diagnostic pop
	*ret = hf_value_str(hf_eval_arena(e), hf_strn(out, n));
	return 0;
}

METHOD(isoformat)
{
	char *text = hf_str_dup(hf_eval_arena(e), hf_value_text(hf_eval_arena(e), input));
	if (input->type == HF_DATETIME)
		text[10] = 'T';
	*ret = hf_value_cstr(hf_eval_arena(e), text);
	return 0;
}

METHOD(isoweekday)
{
	int day = broken_down(input->u.time).tm_wday;
	*ret = hf_value_int(hf_eval_arena(e), day == 0 ? 7 : day);
	return 0;
}

METHOD(weekday)
{
	*ret = hf_value_int(hf_eval_arena(e), (broken_down(input->u.time).tm_wday + 6) % 7);
	return 0;
}

/* A datetime without a zone is local time, as in Python. */
METHOD(timestamp)
{
	struct tm tm = broken_down(input->u.time);
	tm.tm_isdst = -1;
	time_t seconds = input->u.time->has_zone ? timegm(&tm) - (time_t)input->u.time->zone_minutes * 60
						 : mktime(&tm);
	*ret = hf_value_float(hf_eval_arena(e), (double)seconds + input->u.time->microsecond / 1e6);
	return 0;
}

METHOD(date)
{
	struct hf_value *v = hf_value_copy(hf_eval_arena(e), input);
	*v->u.time = (struct hf_time_value){
		.year = input->u.time->year, .month = input->u.time->month, .day = input->u.time->day
	};
	v->type = HF_DATE;
	*ret = v;
	return 0;
}

METHOD(total_seconds)
{
	*ret = hf_value_float(hf_eval_arena(e), (double)input->u.integer / 1e6);
	return 0;
}

const struct hf_callable_row hf_methods_date[] = {
	{ "isoformat", method_isoformat, 0 },
	{ "isoweekday", method_isoweekday, 0 },
	{ "strftime", method_strftime, 0 },
	{ "weekday", method_weekday, 0 },
	{ 0 },
};

const struct hf_callable_row hf_methods_datetime[] = {
	{ "date", method_date, 0 },
	{ "isoformat", method_isoformat, 0 },
	{ "isoweekday", method_isoweekday, 0 },
	{ "strftime", method_strftime, 0 },
	{ "timestamp", method_timestamp, 0 },
	{ "weekday", method_weekday, 0 },
	{ 0 },
};

const struct hf_callable_row hf_methods_timedelta[] = {
	{ "total_seconds", method_total_seconds, 0 },
	{ 0 },
};
