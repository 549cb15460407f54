#include "lib/engine/regex.h"

#include <time.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "lib/base/scope.h"
#include "lib/data/unicode.h"
#include "lib/engine/regex_translate.h"

struct hf_regex {
	pcre2_code *code;
	pcre2_match_data *data;
	struct hf_str pattern; /* owned */
	unsigned flags;        /* as asked for */
	uint32_t groups;       /* without group 0 */
	unsigned users;        /* the cache counts as one */
	uint64_t used;         /* when, by the cache's clock */
};

static struct {
	struct hf_regex *at[HF_REGEX_CACHE_MAX];
	size_t n;
	uint64_t clock;
	pcre2_match_context *limits;
	pcre2_compile_context *syntax;
} cache;

void hf_regex_put(struct hf_regex *re)
{
	if (re == NULL || --re->users > 0)
		return;
	pcre2_match_data_free(re->data);
	pcre2_code_free(re->code);
	free((void *)(uintptr_t)re->pattern.p);
	free(re);
}

static void contexts_make(void)
{
	if (cache.limits != NULL)
		return;
	cache.limits = pcre2_match_context_create(NULL);
	cache.syntax = pcre2_compile_context_create(NULL);
	pcre2_set_match_limit(cache.limits, HF_REGEX_STEPS_MAX);
	pcre2_set_depth_limit(cache.limits, HF_REGEX_DEPTH_MAX);
	pcre2_set_heap_limit(cache.limits, HF_REGEX_HEAP_KB);
	pcre2_set_newline(cache.syntax, PCRE2_NEWLINE_LF);
}

static uint32_t compile_options(unsigned flags)
{
	uint32_t options = PCRE2_NEVER_BACKSLASH_C | PCRE2_ALT_CIRCUMFLEX;
	if (!(flags & HF_REGEX_BYTES))
		options |= PCRE2_UTF | PCRE2_MATCH_INVALID_UTF;
	if (!(flags & (HF_REGEX_BYTES | HF_REGEX_ASCII)))
		options |= PCRE2_UCP;
	if (flags & HF_REGEX_IGNORECASE)
		options |= PCRE2_CASELESS;
	if (flags & HF_REGEX_MULTILINE)
		options |= PCRE2_MULTILINE;
	if (flags & HF_REGEX_DOTALL)
		options |= PCRE2_DOTALL;
	return options;
}

static int regex_compile(struct hf_str pattern, unsigned asked, struct hf_regex **ret, struct hf_error *err)
{
	if (!(asked & HF_REGEX_BYTES) && !hf_utf8_valid(pattern))
		return hf_fail(err, HF_E_ARGUMENT, "a regular expression that is not UTF-8");
	unsigned flags = asked;
	hf_auto_buf text = hf_buf_init((size_t)HF_REGEX_PATTERN_MAX * 8);
	int r = hf_regex_translate(pattern, &flags, &text, err);
	if (r < 0)
		return r;
	contexts_make();
	int code;
	PCRE2_SIZE at;
	pcre2_code *compiled = pcre2_compile(
		(PCRE2_SPTR)hf_buf_str(&text).p, text.n, compile_options(flags), &code, &at, cache.syntax);
	if (compiled == NULL) {
		PCRE2_UCHAR why[200];
		pcre2_get_error_message(code, why, sizeof(why));
		return hf_fail(err, HF_E_ARGUMENT, "bad regular expression '%.*s': %s",
			(int)(pattern.n > 200 ? 200 : pattern.n), pattern.p, (char *)why);
	}
	struct hf_regex *re = hf_xmalloc(sizeof(*re));
	*re = (struct hf_regex){ .code = compiled, .flags = asked, .users = 1 };
	char *copy = hf_xmalloc(pattern.n + 1);
	memcpy(copy, pattern.p, pattern.n);
	copy[pattern.n] = '\0';
	re->pattern = hf_strn(copy, pattern.n);
	re->data = pcre2_match_data_create_from_pattern(compiled, NULL);
	pcre2_pattern_info(compiled, PCRE2_INFO_CAPTURECOUNT, &re->groups);
	*ret = re;
	return 0;
}

static void cache_add(struct hf_regex *re)
{
	size_t place = cache.n;
	if (cache.n < HF_REGEX_CACHE_MAX) {
		cache.n++;
	} else {
		place = 0;
		for (size_t i = 1; i < cache.n; i++)
			if (cache.at[i]->used < cache.at[place]->used)
				place = i;
		hf_regex_put(cache.at[place]);
	}
	cache.at[place] = re;
	re->users++;
}

int hf_regex_get(struct hf_str pattern, unsigned flags, struct hf_regex **ret, struct hf_error *err)
{
	if (pattern.p == NULL)
		pattern = HF_STR("");
	cache.clock++;
	for (size_t i = 0; i < cache.n; i++) {
		struct hf_regex *re = cache.at[i];
		if (re->flags == flags && hf_str_equal(re->pattern, pattern)) {
			re->users++;
			re->used = cache.clock;
			*ret = re;
			return 0;
		}
	}
	struct hf_regex *re = NULL;
	int r = regex_compile(pattern, flags, &re, err);
	if (r < 0)
		return r;
	re->used = cache.clock;
	cache_add(re);
	*ret = re;
	return 0;
}

unsigned hf_regex_groups(const struct hf_regex *re)
{
	return re->groups;
}

int hf_regex_group_number(const struct hf_regex *re, struct hf_str name)
{
	char text[64];
	if (name.n >= sizeof(text))
		return -1;
	memcpy(text, name.p, name.n);
	text[name.n] = '\0';
	int number = pcre2_substring_number_from_name(re->code, (PCRE2_SPTR)text);
	return number > 0 ? number : -1;
}

struct hf_value *hf_regex_names(struct hf_arena *a, const struct hf_regex *re)
{
	uint32_t count, size;
	PCRE2_SPTR table;
	pcre2_pattern_info(re->code, PCRE2_INFO_NAMECOUNT, &count);
	pcre2_pattern_info(re->code, PCRE2_INFO_NAMEENTRYSIZE, &size);
	pcre2_pattern_info(re->code, PCRE2_INFO_NAMETABLE, &table);
	struct hf_value *names = hf_value_dict(a);
	for (uint32_t number = 1; number <= re->groups; number++) /* in order of their groups */
		for (uint32_t i = 0; i < count; i++) {
			PCRE2_SPTR entry = table + (size_t)i * size;
			if (((uint32_t)entry[0] << 8 | entry[1]) == number)
				hf_dict_put(names, (const char *)entry + 2, hf_value_int(a, number));
		}
	return names;
}

static int match_fail(int code, struct hf_error *err)
{
	PCRE2_UCHAR why[200];
	pcre2_get_error_message(code, why, sizeof(why));
	bool limit = code == PCRE2_ERROR_MATCHLIMIT || code == PCRE2_ERROR_DEPTHLIMIT ||
		     code == PCRE2_ERROR_HEAPLIMIT;
	return hf_fail(
		err, limit ? HF_E_LIMIT : HF_E_ARGUMENT, "matching a regular expression: %s", (char *)why);
}

static int match_at(struct hf_arena *a, const struct hf_regex *re, struct hf_str subject, size_t from,
	uint32_t options, struct hf_regex_match *ret, struct hf_error *err)
{
	if (subject.p == NULL)
		subject = HF_STR("");
	int code = pcre2_match(
		re->code, (PCRE2_SPTR)subject.p, subject.n, from, options, re->data, cache.limits);
	if (code == PCRE2_ERROR_NOMATCH) {
		*ret = (struct hf_regex_match){ .subject = subject };
		return 0;
	}
	if (code < 0)
		return match_fail(code, err);
	unsigned groups = re->groups + 1;
	const PCRE2_SIZE *at = pcre2_get_ovector_pointer(re->data);
	size_t *copy = hf_alloc(a, groups * 2 * sizeof(*copy));
	for (unsigned i = 0; i < groups * 2; i++)
		copy[i] = at[i] == PCRE2_UNSET ? SIZE_MAX : at[i];
	*ret = (struct hf_regex_match){ true, copy[0], copy[1], subject, groups, copy };
	return 0;
}

int hf_regex_exec(struct hf_arena *a, const struct hf_regex *re, struct hf_str subject, size_t from,
	enum hf_regex_how how, struct hf_regex_match *ret, struct hf_error *err)
{
	static const uint32_t options[] = { [HF_REGEX_SEARCH] = 0,
		[HF_REGEX_MATCH] = PCRE2_ANCHORED,
		[HF_REGEX_FULLMATCH] = PCRE2_ANCHORED | PCRE2_ENDANCHORED };
	return match_at(a, re, subject, from, options[how], ret, err);
}

struct hf_str hf_regex_group(const struct hf_regex_match *m, unsigned number)
{
	if (number >= m->groups || m->at[(size_t)2 * number] == SIZE_MAX)
		return (struct hf_str){ 0 };
	size_t start = m->at[(size_t)2 * number], end = m->at[(size_t)2 * number + 1];
	return hf_strn(m->subject.p + start, end > start ? end - start : 0);
}

/* Processor time of this thread, in microseconds. */
static uint64_t work_now(void)
{
	struct timespec t = { 0 };
	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Each match has a bound of its own; all those of one text together have this one. The cheap clock says
 * whether it is worth asking the exact one. */
struct work {
	time_t started;
	uint64_t used;
};

static struct work work_start(void)
{
	struct timespec t = { 0 };
	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (struct work){ t.tv_sec, work_now() };
}

static int work_check(const struct work *w, struct hf_error *err)
{
	struct timespec t = { 0 };
	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	if (t.tv_sec - w->started < 2 || work_now() - w->used < (uint64_t)HF_REGEX_SECONDS_MAX * 1000000)
		return 0;
	return hf_fail(err, HF_E_LIMIT, "a regular expression took more than %d seconds over one text",
		HF_REGEX_SECONDS_MAX);
}

int hf_regex_each(struct hf_arena *a, const struct hf_regex *re, struct hf_str subject, hf_regex_found found,
	void *data, struct hf_error *err)
{
	size_t from = 0;
	const struct work work = work_start();
	bool must_advance = false; /* Python: no empty match where the last one, also empty, ended */
	while (from <= subject.n) {
		struct hf_regex_match m;
		int r = match_at(a, re, subject, from, must_advance ? PCRE2_NOTEMPTY_ATSTART : 0, &m, err);
		if (r == 0)
			r = work_check(&work, err);
		if (r < 0 || !m.found)
			return r;
		r = found(data, &m, err);
		if (r != 0)
			return r < 0 ? r : 0;
		from = m.end;
		must_advance = m.start == m.end;
	}
	return 0;
}
