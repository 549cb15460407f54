/* lib/engine/regex.h - Python's `re` over PCRE2: its syntax, its replacement templates, its rules for empty
 * matches. Owns:  compiled patterns are shared through a bounded cache of this process; give each one back
 * with hf_regex_put() (hf_auto_regex does). Results live in the arena given. Fails: HF_E_ARGUMENT for a
 * pattern or template that Python would refuse too, HF_E_LIMIT when matching takes more than
 *        HF_REGEX_STEPS_MAX steps or HF_REGEX_HEAP_KB memory. Not thread-safe. */
#pragma once
#include "lib/data/value.h"

enum hf_regex_flags {
	HF_REGEX_IGNORECASE = 1 << 0,
	HF_REGEX_MULTILINE = 1 << 1,
	HF_REGEX_DOTALL = 1 << 2,
	HF_REGEX_VERBOSE = 1 << 3,
	HF_REGEX_ASCII = 1 << 4,
	HF_REGEX_BYTES = 1 << 5, /* pattern and subject are bytes, as b'' in Python (lineinfile) */
};
enum {
	HF_REGEX_STEPS_MAX = 20000000,
	HF_REGEX_DEPTH_MAX = 1000000,
	HF_REGEX_SECONDS_MAX = 10, /* of processor time, over all matches in one text */
	HF_REGEX_HEAP_KB = 262144,
	HF_REGEX_CACHE_MAX = 128
};

struct hf_regex;
HF_CHECK int hf_regex_get(struct hf_str pattern, unsigned flags, struct hf_regex **ret, struct hf_error *err);
void hf_regex_put(struct hf_regex *re); /* accepts NULL */
static inline void hf_regex_put_auto(struct hf_regex **re)
{
	hf_regex_put(*re);
}
#define hf_auto_regex HF_CLEANUP(hf_regex_put_auto) struct hf_regex *

unsigned hf_regex_groups(const struct hf_regex *re);                      /* without group 0 */
int hf_regex_group_number(const struct hf_regex *re, struct hf_str name); /* -1: no such group */
/* Groups that have names, as a dict {name: number}. */
struct hf_value *hf_regex_names(struct hf_arena *a, const struct hf_regex *re);

enum hf_regex_how { HF_REGEX_SEARCH, HF_REGEX_MATCH, HF_REGEX_FULLMATCH };
struct hf_regex_match {
	bool found;
	size_t start, end;
	struct hf_str subject;
	unsigned groups;  /* including group 0 */
	const size_t *at; /* start and end of each group; SIZE_MAX: took no part */
};
HF_CHECK int hf_regex_exec(struct hf_arena *a, const struct hf_regex *re, struct hf_str subject, size_t from,
	enum hf_regex_how how, struct hf_regex_match *ret, struct hf_error *err);
/* p is NULL when the group took no part. */
struct hf_str hf_regex_group(const struct hf_regex_match *m, unsigned number);

/* Calls found for every match from left to right as re.finditer(); found returns 0 to go on, 1 to stop, <0 to
 * fail. */
typedef int (*hf_regex_found)(void *data, const struct hf_regex_match *m, struct hf_error *err);
HF_CHECK int hf_regex_each(struct hf_arena *a, const struct hf_regex *re, struct hf_str subject,
	hf_regex_found found, void *data, struct hf_error *err);
/* re.sub(); count 0: all. ret_count may be NULL. */
HF_CHECK int hf_regex_sub(struct hf_arena *a, const struct hf_regex *re, struct hf_str subject,
	struct hf_str replacement, size_t count, struct hf_str *ret, size_t *ret_count, struct hf_error *err);
/* match.expand(replacement), appended. */
HF_CHECK int hf_regex_expand(const struct hf_regex *re, const struct hf_regex_match *m,
	struct hf_str replacement, struct hf_buf *out, struct hf_error *err);
/* re.findall(): list of strings, or of tuples when the pattern has more than one group. */
HF_CHECK int hf_regex_findall(struct hf_arena *a, const struct hf_regex *re, struct hf_str subject,
	struct hf_value **ret, struct hf_error *err);
/* re.split(); max 0: all. */
HF_CHECK int hf_regex_split(struct hf_arena *a, const struct hf_regex *re, struct hf_str subject, size_t max,
	struct hf_value **ret, struct hf_error *err);
/* re.escape() */
struct hf_str hf_regex_escape(struct hf_arena *a, struct hf_str text);
