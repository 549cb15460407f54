#include "lib/release/rollout.h"

#include <string.h>

#include "lib/base/scope.h"
#include "lib/data/schema.h"

enum { AFTER_MAX_S = 366 * 86400, PARTS = 100000 };

struct raw {
	struct hf_value *canary, *waves, *windows;
	const char *soak;
	int64_t budget, concurrency;
};
#define FIELD(member) offsetof(struct raw, member)
static const struct hf_arg args[] = {
	{ "canary", HF_ARG_DICT, FIELD(canary), .help = "hosts, percent: who goes first" },
	{ "waves", HF_ARG_LIST, FIELD(waves), .elements = HF_ARG_DICT,
		.help = "percent, after: who goes when" },
	{ "soak", HF_ARG_STR, FIELD(soak), .help = "between one wave and the next" },
	{ "windows", HF_ARG_LIST, FIELD(windows), .elements = HF_ARG_STR, .help = "when releases may begin" },
	{ "budget", HF_ARG_INT, FIELD(budget), .help = "hosts that may fail" },
	{ "concurrency", HF_ARG_INT, FIELD(concurrency), .help = "hosts at work" },
	{ .type = HF_ARG_END },
};
static const struct hf_schema schema = { args, NULL, sizeof(struct raw) };

struct raw_group {
	struct hf_value *hosts;
	double percent;
	const char *after;
};
#define GROUP(member) offsetof(struct raw_group, member)
static const struct hf_arg canary_args[] = {
	{ "hosts", HF_ARG_LIST, GROUP(hosts), .elements = HF_ARG_STR },
	{ "percent", HF_ARG_FLOAT, GROUP(percent), .dflt = "0" },
	{ .type = HF_ARG_END },
};
static const struct hf_arg wave_args[] = {
	{ "percent", HF_ARG_FLOAT, GROUP(percent), HF_REQUIRED },
	{ "after", HF_ARG_STR, GROUP(after) },
	{ .type = HF_ARG_END },
};
static const struct hf_schema canary_schema = { canary_args, NULL, sizeof(struct raw_group) };
static const struct hf_schema wave_schema = { wave_args, NULL, sizeof(struct raw_group) };

static int span_parse(const char *what, const char *text, int64_t *ret, struct hf_error *err)
{
	static const struct {
		char letter;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	struct hf_str s = hf_str(text);
	int64_t unit = 1, n;
	for (size_t i = 0; i < HF_COUNT(units) && s.n > 1; i++)
		if (s.p[s.n - 1] == units[i].letter) {
			unit = units[i].seconds;
			s.n--;
			break;
		}
	if (!hf_str_to_int64(s, &n) || n < 0 || n > AFTER_MAX_S / unit)
		return hf_fail(
			err, HF_E_ARGUMENT, "%s: \"%s\" is no time span such as 90s, 12h or 3d", what, text);
	*ret = n * unit;
	return 0;
}

static int group_read(struct hf_arena *a, const struct hf_schema *s, const struct hf_value *v,
	const char *what, struct raw_group *ret, struct hf_error *err)
{
	if (!hf_is(v, HF_DICT))
		return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(v), "%s must be a mapping", what);
	int result = hf_schema_bind(a, s, v, what, ret, NULL, err);
	if (result < 0)
		return result;
	if (!(ret->percent >= 0 && ret->percent <= 100))
		return hf_fail_at(
			err, HF_E_ARGUMENT, hf_value_pos(v), "%s: percent must be within 0 and 100", what);
	return 0;
}

static int wave_read(struct hf_arena *a, const struct hf_value *v, struct hf_rollout *r, struct hf_error *err)
{
	size_t i = r->n_waves;
	struct raw_group g = { 0 };
	int64_t after = r->soak_s * (int64_t)(i + 1);
	int result = group_read(a, &wave_schema, v, "waves", &g, err);
	if (result == 0 && g.after != NULL)
		result = span_parse("waves: after", g.after, &after, err);
	if (result < 0)
		return result;
	if (g.after == NULL && r->soak_s == 0)
		return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(v),
			"waves: say after how long, with \"after\" or for all with \"soak\"");
	if (i > 0 && (g.percent <= r->waves[i - 1].percent || after <= r->waves[i - 1].after_s))
		return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(v),
			"waves: each must be later than the one before and take more of the fleet");
	r->waves[i].percent = g.percent;
	r->waves[i].after_s = after;
	r->n_waves++;
	return 0;
}

static int lists_read(struct hf_arena *a, const struct raw *raw, struct hf_rollout *r, struct hf_error *err)
{
	size_t waves = raw->waves == NULL ? 0 : hf_list_len(raw->waves),
	       windows = raw->windows == NULL ? 0 : hf_list_len(raw->windows);
	if (waves > HF_ROLLOUT_WAVES || windows > HF_ROLLOUT_WINDOWS)
		return hf_fail(err, HF_E_ARGUMENT, "rollout: more than %d waves or %d windows",
			(int)HF_ROLLOUT_WAVES, (int)HF_ROLLOUT_WINDOWS);
	for (size_t i = 0; i < waves; i++) {
		int result = wave_read(a, hf_list_at(raw->waves, i), r, err);
		if (result < 0)
			return result;
	}
	for (; r->n_windows < windows; r->n_windows++) {
		const struct hf_value *v = hf_list_at(raw->windows, r->n_windows);
		int result = hf_window_parse(a, hf_value_text(a, v).p, &r->windows[r->n_windows], err);
		if (result < 0)
			return hf_error_set_pos(err, hf_value_pos(v));
	}
	return 0;
}

/* Both bound how many hosts a bad release may reach while somebody watches. Where time alone lets hosts
 * begin, whether or not anybody does, nobody would hold that bound. */
static int bound_check(const struct hf_value *v, const struct hf_rollout *r, struct hf_error *err)
{
	static const char *const words[] = { "budget", "concurrency" };
	if (r->budget < 0 || r->concurrency < 0)
		return hf_fail(err, HF_E_ARGUMENT, "rollout: budget and concurrency count hosts");
	for (size_t i = 0; i < HF_COUNT(words); i++) {
		const struct hf_value *said = hf_dict_get(v, words[i]);
		if (said == NULL)
			continue;
		if (!r->canary)
			return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(said),
				"rollout: %s asks for canary: without one every host begins at once",
				words[i]);
		if (r->n_waves > 0 || r->soak_s > 0)
			return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(said),
				"rollout: %s cannot be held where waves or soak let hosts begin by the "
				"clock; "
				"without these the next pointer does",
				words[i]);
	}
	return 0;
}

int hf_rollout_parse(
	struct hf_arena *a, const struct hf_value *v, struct hf_rollout *ret, struct hf_error *err)
{
	struct raw raw = { 0 };
	struct raw_group canary = { 0 };
	struct hf_rollout r = { 0 };
	int result = hf_schema_bind(a, &schema, v, "rollout", &raw, NULL, err);
	if (result == 0 && raw.soak != NULL)
		result = span_parse("rollout: soak", raw.soak, &r.soak_s, err);
	if (result == 0 && raw.canary != NULL)
		result = group_read(a, &canary_schema, raw.canary, "canary", &canary, err);
	if (result == 0)
		result = lists_read(a, &raw, &r, err);
	if (result < 0)
		return result;
	r.canary = raw.canary != NULL;
	r.hosts = canary.hosts;
	r.percent = canary.percent;
	r.budget = raw.budget;
	r.concurrency = raw.concurrency;
	*ret = r;
	return bound_check(v, &r, err);
}

double hf_rollout_place(const char *release, const char *host)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_digest d = hf_sha256(hf_str(hf_sprintf(a, "%s %s", release, host)));
	uint64_t n = 0;
	for (size_t i = 0; i < sizeof(n); i++)
		n = n << 8 | d.bytes[i];
	return (double)(n % PARTS) * 100 / PARTS;
}

static bool is_canary(const struct hf_rollout *r, const char *host, double place)
{
	for (size_t i = 0; r->hosts != NULL && i < hf_list_len(r->hosts); i++)
		if (hf_str_is(hf_list_at(r->hosts, i)->u.string, host))
			return true;
	return place < r->percent;
}

/* Seconds after the pointer was issued; -1: never by this one. */
static int64_t due_after(const struct hf_rollout *r, const char *release, const char *host)
{
	double place = hf_rollout_place(release, host);
	if ((!r->canary && r->n_waves == 0) || is_canary(r, host, place))
		return 0;
	for (size_t i = 0; i < r->n_waves; i++)
		if (place < r->waves[i].percent)
			return r->waves[i].after_s;
	return r->n_waves == 0 && r->soak_s > 0 ? r->soak_s : -1;
}

struct hf_turn hf_rollout_turn(
	const struct hf_rollout *r, const char *release, const char *host, int64_t issued, int64_t now)
{
	int64_t after = due_after(r, release, host);
	bool open = r->n_windows == 0;
	if (after < 0)
		return (struct hf_turn){ HF_TURN_POINTER, 0 };
	if (after > 0 && now < issued + after) /* the first do not wait for a clock that is behind */
		return (struct hf_turn){ HF_TURN_WAVE, issued + after };
	for (size_t i = 0; i < r->n_windows && !open; i++)
		open = hf_window_open(&r->windows[i], now);
	return (struct hf_turn){ open ? HF_TURN_NOW : HF_TURN_WINDOW, 0 };
}
