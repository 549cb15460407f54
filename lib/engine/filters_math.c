/* lib/engine/filters_math.c - log, pow, root. */
#include <math.h>

#include "lib/engine/filters.h"

static int argument_number(const struct hf_call *call, const char *name, const char *what, double fallback,
	double *ret, struct hf_error *err)
{
	const struct hf_value *v = hf_call_arg(call, 0, name);
	*ret = fallback;
	return v == NULL ? 0 : filter_number(v, what, ret, err);
}

static int return_float(
	struct hf_eval *e, double d, const char *what, struct hf_value **ret, struct hf_error *err)
{
	if (isnan(d) || isinf(d))
		return hf_fail(err, HF_E_TEMPLATE, "%s: math domain or range error", what);
	*ret = hf_value_float(hf_eval_arena(e), d);
	return 0;
}

FILTER(logarithm)
{
	FILTER_ARGS(1, "base");
	double x, base;
	int r = filter_number(input, "log()", &x, err);
	if (r == 0)
		r = argument_number(call, "base", "log()", M_E, &base, err);
	if (r < 0)
		return r;
	if (x <= 0 || base <= 0 || base == 1)
		return hf_fail(err, HF_E_TEMPLATE, "math domain error");
	return return_float(e,
		base == 10  ? log10(x)
		: base == 2 ? log(x) / log(2)
			    : log(x) / log(base),
		"log", ret, err);
}

FILTER(power)
{
	FILTER_ARGS(1, "y");
	double x, y;
	int r = filter_number(input, "pow()", &x, err);
	if (r == 0)
		r = argument_number(call, "y", "pow()", NAN, &y, err);
	return r < 0 ? r : return_float(e, pow(x, y), "pow", ret, err);
}

FILTER(root)
{
	FILTER_ARGS(1, "base");
	double x, base;
	int r = filter_number(input, "root()", &x, err);
	const struct hf_value *given = hf_call_arg(call, 0, "base");
	if (r == 0 && given != NULL && given->type == HF_STRING)
		r = hf_fail(err, HF_E_TEMPLATE, "root() can only be used on numbers");
	if (r == 0)
		r = argument_number(call, "base", "root()", 2, &base, err);
	if (r == 0 && base == 0)
		r = hf_fail(err, HF_E_TEMPLATE, "float division by zero");
	if (r < 0)
		return r;
	return return_float(e, base == 2 ? sqrt(x) : pow(x, 1.0 / base), "root", ret, err);
}

const struct hf_callable_row hf_ansible_filters_math[] = {
	{ "log", logarithm, 0 },
	{ "pow", power, 0 },
	{ "root", root, 0 },
	{ 0 },
};
