/* lib/data/value_print.c - values as Python's str() and repr() show them; declared in value.h. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/scope.h"
#include "lib/data/unicode.h"
#include "lib/data/value.h"

enum { PRINT_DEPTH_MAX = 200 };

void hf_float_print(struct hf_buf *out, double d)
{
	if (isnan(d) || isinf(d)) {
		hf_buf_puts(out, isnan(d) ? "nan" : d < 0 ? "-inf" : "inf");
		return;
	}
	char text[64];
	int precision = 1;
	do /* the fewest digits that read back the same */
		snprintf(text, sizeof(text), "%.*e", precision - 1, d);
	while (strtod(text, NULL) != d && ++precision <= 17);
	int exponent = atoi(strchr(text, 'e') + 1); /* NOLINT: our own text */
	if (exponent < -4 || exponent >= 16) {
		char *e = strchr(text, 'e');
		hf_buf_append(out, text, (size_t)(e - text));
		hf_buf_printf(out, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
		return;
	}
	int decimals = precision - 1 - exponent;
	snprintf(text, sizeof(text), "%.*f", decimals < 1 ? 1 : decimals, d);
	hf_buf_puts(out, text);
}

static void repr_escape(struct hf_buf *out, uint32_t point)
{
	if (point == '\n' || point == '\r' || point == '\t')
		hf_buf_puts(out, point == '\n' ? "\\n" : point == '\r' ? "\\r" : "\\t");
	else
		hf_buf_printf(out,
			point < 0x100     ? "\\x%02x"
			: point < 0x10000 ? "\\u%04x"
					  : "\\U%08x",
			point);
}

static bool repr_plain(uint32_t point, bool unicode)
{
	return point < 0x80 ? point >= 0x20 && point != 0x7f : unicode && hf_unicode_printable(point);
}

static void repr_bytes(struct hf_buf *out, struct hf_str s, bool unicode)
{
	bool double_quotes = s.n > 0 && memchr(s.p, '\'', s.n) != NULL && memchr(s.p, '"', s.n) == NULL;
	char quote = double_quotes ? '"' : '\'';
	hf_buf_put(out, quote);
	for (size_t i = 0, width; i < s.n; i += width) {
		uint32_t point = (unsigned char)s.p[i];
		width = unicode ? hf_utf8_decode(s.p + i, s.n - i, &point) : 1;
		if (point == (unsigned char)quote || point == '\\')
			hf_buf_printf(out, "\\%c", (char)point);
		else if (repr_plain(point, unicode))
			hf_buf_append(out, s.p + i, width);
		else
			repr_escape(out, point);
	}
	hf_buf_put(out, quote);
}

static void zone_print(struct hf_buf *out, const struct hf_time_value *t)
{
	if (t->has_zone)
		hf_buf_printf(out, "%c%02d:%02d", t->zone_minutes < 0 ? '-' : '+', abs(t->zone_minutes) / 60,
			abs(t->zone_minutes) % 60);
}

static void time_print(struct hf_buf *out, const struct hf_value *v)
{
	const struct hf_time_value *t = v->u.time;
	hf_buf_printf(out, "%04d-%02d-%02d", t->year, t->month, t->day);
	if (v->type == HF_DATE)
		return;
	hf_buf_printf(out, " %02d:%02d:%02d", t->hour, t->minute, t->second);
	if (t->microsecond != 0)
		hf_buf_printf(out, ".%06d", t->microsecond);
	zone_print(out, t);
}

static void time_repr(struct hf_buf *out, const struct hf_value *v)
{
	const struct hf_time_value *t = v->u.time;
	hf_buf_printf(out, "datetime.%s(%d, %d, %d", v->type == HF_DATE ? "date" : "datetime", t->year,
		t->month, t->day);
	if (v->type == HF_DATETIME) {
		hf_buf_printf(out, ", %d, %d", t->hour, t->minute);
		if (t->second != 0 || t->microsecond != 0)
			hf_buf_printf(out, ", %d", t->second);
		if (t->microsecond != 0)
			hf_buf_printf(out, ", %d", t->microsecond);
		if (t->has_zone && t->zone_minutes == 0)
			hf_buf_puts(out, ", tzinfo=datetime.timezone.utc");
		else if (t->has_zone)
			hf_buf_printf(out, ", tzinfo=datetime.timezone(datetime.timedelta(seconds=%d))",
				t->zone_minutes * 60);
	}
	hf_buf_put(out, ')');
}

static void timedelta_print(struct hf_buf *out, int64_t microseconds)
{
	int64_t day = INT64_C(86400000000);
	int64_t days = microseconds / day, rest = microseconds % day;
	if (rest < 0) {
		days--;
		rest += day;
	}
	if (days != 0)
		hf_buf_printf(out, "%" PRId64 " day%s, ", days, days == 1 || days == -1 ? "" : "s");
	int64_t seconds = rest / 1000000;
	hf_buf_printf(
		out, "%" PRId64 ":%02" PRId64 ":%02" PRId64, seconds / 3600, seconds / 60 % 60, seconds % 60);
	if (rest % 1000000 != 0)
		hf_buf_printf(out, ".%06" PRId64, rest % 1000000);
}

static void repr_at_depth(struct hf_buf *out, const struct hf_value *v, int depth);

static void sequence_repr(struct hf_buf *out, const struct hf_value *v, int depth)
{
	bool tuple = v->type == HF_TUPLE;
	hf_buf_put(out, tuple ? '(' : '[');
	for (size_t i = 0; i < v->u.list->n && !out->failed; i++) {
		if (i > 0)
			hf_buf_puts(out, ", ");
		repr_at_depth(out, v->u.list->at[i], depth + 1);
	}
	hf_buf_puts(out, tuple ? (v->u.list->n == 1 ? ",)" : ")") : "]");
}

static void mapping_repr(struct hf_buf *out, const struct hf_value *v, int depth)
{
	if (v->type == HF_SET && hf_dict_len(v) == 0) {
		hf_buf_puts(out, "set()");
		return;
	}
	bool first = true;
	hf_buf_put(out, '{');
	HF_DICT_EACH (v, e) {
		if (out->failed)
			return;
		if (!first)
			hf_buf_puts(out, ", ");
		first = false;
		repr_at_depth(out, e->key, depth + 1);
		if (v->type == HF_SET)
			continue;
		hf_buf_puts(out, ": ");
		repr_at_depth(out, e->value, depth + 1);
	}
	hf_buf_put(out, '}');
}

static void scalar_print(struct hf_buf *out, const struct hf_value *v)
{
	switch ((enum hf_type)v->type) {
	case HF_NULL:
		hf_buf_puts(out, "None");
		break;
	case HF_BOOL:
		hf_buf_puts(out, v->u.boolean ? "True" : "False");
		break;
	case HF_INT:
		hf_buf_printf(out, "%" PRId64, v->u.integer);
		break;
	case HF_BIGINT:
	case HF_STRING:
		hf_buf_add(out, v->u.string);
		break;
	case HF_FLOAT:
		hf_float_print(out, v->u.real);
		break;
	case HF_DATE:
	case HF_DATETIME:
		time_print(out, v);
		break;
	case HF_TIMEDELTA:
		timedelta_print(out, v->u.integer);
		break;
	case HF_OMIT:
		hf_buf_puts(out, "__omit_place_holder__");
		break;
	case HF_OBJECT:
		if (v->u.object->kind->print != NULL)
			v->u.object->kind->print(v->u.object, out);
		else
			hf_buf_printf(out, "<%s object>", hf_type_name(v));
		break;
	case HF_UNDEFINED:
	case HF_BYTES:
	case HF_LIST:
	case HF_TUPLE:
	case HF_DICT:
	case HF_SET:
		break; /* undefined prints as nothing; containers go through repr */
	}
}

static void repr_at_depth(struct hf_buf *out, const struct hf_value *v, int depth)
{
	if (depth > PRINT_DEPTH_MAX) { /* a container that holds itself */
		hf_buf_puts(out, "...");
		return;
	}
	switch ((enum hf_type)v->type) {
	case HF_STRING:
		if (v->flags & HF_VALUE_MARKUP)
			hf_buf_puts(out, "Markup(");
		repr_bytes(out, v->u.string, true);
		if (v->flags & HF_VALUE_MARKUP)
			hf_buf_put(out, ')');
		break;
	case HF_OMIT:
		hf_buf_puts(out, "'__omit_place_holder__'");
		break;
	case HF_BYTES:
		hf_buf_put(out, 'b');
		repr_bytes(out, v->u.string, false);
		break;
	case HF_LIST:
	case HF_TUPLE:
		sequence_repr(out, v, depth);
		break;
	case HF_DICT:
	case HF_SET:
		mapping_repr(out, v, depth);
		break;
	case HF_UNDEFINED:
		hf_buf_puts(out, "Undefined");
		break;
	case HF_DATE:
	case HF_DATETIME:
		time_repr(out, v);
		break;
	case HF_NULL:
	case HF_BOOL:
	case HF_INT:
	case HF_BIGINT:
	case HF_FLOAT:
	case HF_TIMEDELTA:
	case HF_OBJECT:
		scalar_print(out, v);
		break;
	}
}

void hf_value_repr(struct hf_buf *out, const struct hf_value *v)
{
	repr_at_depth(out, v, 0);
}

void hf_value_print(struct hf_buf *out, const struct hf_value *v)
{
	if (v->type == HF_BYTES || hf_is_sequence(v) || v->type == HF_DICT || v->type == HF_SET)
		repr_at_depth(out, v, 0);
	else
		scalar_print(out, v);
}

struct hf_str hf_value_text(struct hf_arena *a, const struct hf_value *v)
{
	if (v->type == HF_STRING)
		return v->u.string;
	hf_auto_buf out = hf_buf_init(SIZE_MAX / 4);
	hf_value_print(&out, v);
	return hf_buf_dup(a, &out);
}
