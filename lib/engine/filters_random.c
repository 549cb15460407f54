/* lib/engine/filters_random.c - random and shuffle, with Python's numbers for a seed. */
#include <math.h>
#include <string.h>

#include "lib/engine/filters.h"
#include "lib/engine/twister.h"

/* HF_E_TEMPLATE for seeds Python would hash in its own way. */
int filter_random_seed(const struct hf_value *seed, struct hf_twister *t, struct hf_error *err)
{
	if (seed == NULL || seed->type == HF_NULL) {
		hf_twister_system(t);
		return 0;
	}
	if (seed->type == HF_STRING || seed->type == HF_BYTES)
		hf_twister_seed_text(t, seed->u.string);
	else if (seed->type == HF_INT || seed->type == HF_BOOL) {
		int64_t n = seed->type == HF_INT ? seed->u.integer : seed->u.boolean;
		hf_twister_seed_int(t, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
	} else if (seed->type == HF_FLOAT && seed->u.real == trunc(seed->u.real) &&
		   fabs(seed->u.real) < 0x1p53) {
		hf_twister_seed_int(t, (uint64_t)fabs(seed->u.real));
	} else {
		return hf_fail(err, HF_E_TEMPLATE, "a %s cannot be a seed here: give a string or an integer",
			hf_type_name(seed));
	}
	return 0;
}

static int random_range(struct hf_eval *e, int64_t start, int64_t end, int64_t step, struct hf_twister *t,
	struct hf_value **ret, struct hf_error *err)
{
	__int128 width = (__int128)end - start, n;
	n = step > 0 ? (width + step - 1) / step : (width + step + 1) / step;
	if ((step > 0 && width <= 0) || (step < 0 && width >= 0) || n <= 0)
		return hf_fail(err, HF_E_TEMPLATE, "empty range for random");
	*ret = hf_value_int(hf_eval_arena(e), start + step * (int64_t)hf_twister_below(t, (uint64_t)n));
	return 0;
}

/* Below an integer that 64 bits cannot hold: digits are drawn until they are below it. */
static int random_digits(struct hf_eval *e, struct hf_str below, struct hf_twister *t, struct hf_value **ret,
	struct hf_error *err)
{
	if (below.p[0] == '-')
		return hf_fail(err, HF_E_TEMPLATE, "empty range for random");
	if (!t->system)
		return hf_fail(err, HF_E_TEMPLATE, "random with a seed takes integers of 64 bits");
	char *digits = hf_strndup(hf_eval_arena(e), below.p, below.n);
	do {
		digits[0] = (char)('0' + hf_twister_below(t, (uint64_t)(below.p[0] - '0') + 1));
		for (size_t i = 1; i < below.n; i++)
			digits[i] = (char)('0' + hf_twister_below(t, 10));
	} while (memcmp(digits, below.p, below.n) >= 0); /* half the draws are below it, or more */
	size_t zeros = strspn(digits, "0");
	zeros -= zeros == below.n;
	*ret = hf_value_bigint(hf_eval_arena(e), hf_strn(digits + zeros, below.n - zeros));
	return 0;
}

static int random_item(struct hf_eval *e, struct hf_value *input, struct hf_twister *t, struct hf_value **ret,
	struct hf_error *err)
{
	struct hf_value *list = NULL;
	if (input->type == HF_FLOAT || input->type == HF_NULL || input->type == HF_BIGINT ||
		input->type == HF_DICT)
		return hf_fail(err, HF_E_TEMPLATE, "random can only be used on sequences and integers");
	int r = filter_items(e, input, &list, err);
	if (r < 0)
		return r;
	if (hf_list_len(list) == 0)
		return hf_fail(err, HF_E_TEMPLATE, "Cannot choose from an empty sequence");
	*ret = hf_list_at(list, hf_twister_below(t, hf_list_len(list)));
	return 0;
}

FILTER(random_filter)
{
	FILTER_ARGS(3, "start", "step", "seed");
	struct hf_twister t;
	int64_t start, step;
	int r = filter_random_seed(hf_call_arg(call, 2, "seed"), &t, err);
	if (r == 0)
		r = filter_int_arg(call, 0, "start", 0, &start, err);
	if (r == 0)
		r = filter_int_arg(call, 1, "step", 1, &step, err);
	if (r < 0)
		return r;
	if (input->type == HF_INT || input->type == HF_BOOL)
		return random_range(e, start, input->type == HF_INT ? input->u.integer : input->u.boolean,
			step == 0 ? 1 : step, &t, ret, err);
	if (input->type == HF_BIGINT && start == 0 && (step == 0 || step == 1))
		return random_digits(e, input->u.string, &t, ret, err);
	if (start != 0 || filter_arg(call, 1, "step") != NULL)
		return hf_fail(err, HF_E_TEMPLATE, "start and step can only be used with integer values");
	return random_item(e, input, &t, ret, err);
}

FILTER(shuffle)
{
	FILTER_ARGS(1, "seed");
	struct hf_twister t;
	struct hf_value *list = NULL;
	const struct hf_value *seed = filter_arg(call, 0, "seed");
	int r = filter_random_seed(seed != NULL && hf_value_truthy(seed) ? seed : NULL, &t, err);
	if (r < 0)
		return r;
	if (filter_items(e, input, &list, NULL) < 0) { /* what is no list comes back as it is */
		*ret = input;
		return 0;
	}
	list = hf_value_shallow(hf_eval_arena(e), list);
	list->type = HF_LIST;
	for (size_t i = hf_list_len(list); i > 1; i--) {
		size_t j = hf_twister_below(&t, i);
		struct hf_value *kept = list->u.list->at[i - 1];
		list->u.list->at[i - 1] = list->u.list->at[j];
		list->u.list->at[j] = kept;
	}
	*ret = list;
	return 0;
}

const struct hf_callable_row hf_ansible_filters_random[] = {
	{ "random", random_filter, 0 },
	{ "shuffle", shuffle, 0 },
	{ 0 },
};
