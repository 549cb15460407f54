/* lib/engine/filters.h - the tables of Ansible's filters and tests, and what their files share.
 * A filter is a row in the table of its file; templar_env.c adds the full names. */
#pragma once
#include "lib/engine/templar_internal.h"

struct filter_table {
	const struct hf_callable_row *rows;
	const char *const *prefixes; /* of full names, NULL-terminated; may be NULL */
	bool only_full;              /* the short name is not known (collections) */
};
extern const struct filter_table hf_filter_tables[], hf_test_tables[]; /* end with rows NULL */

extern const struct hf_callable_row hf_ansible_filters_text[], hf_ansible_filters_path[],
	hf_ansible_filters_data[], hf_ansible_filters_dict[], hf_ansible_filters_hash[],
	hf_ansible_filters_math[], hf_ansible_filters_random[], hf_ansible_filters_time[],
	hf_ansible_filters_url[], hf_ansible_filters_net[], hf_ansible_filters_json_query[],
	hf_ansible_filters_regex[], hf_ansible_filters_codec[], hf_ansible_filters_set[],
	hf_ansible_filters_general[], hf_ansible_filters_utils[], hf_ansible_filters_net_set[],
	hf_ansible_filters_mac[], hf_ansible_filters_mac_general[], hf_ansible_filters_dict_general[],
	hf_ansible_filters_xml[], hf_ansible_filters_vault[], hf_ansible_filters_xml_read[],
	hf_ansible_filters_unicode[], hf_ansible_filters_keys[];
extern const struct hf_callable_row hf_ansible_tests_core[], hf_ansible_tests_file[], hf_ansible_tests_net[],
	hf_ansible_tests_uri[], hf_ansible_tests_version[];

int hf_filter_now(struct hf_eval *e, struct hf_value *input, const struct hf_call *call,
	struct hf_value **ret, struct hf_error *err);
int hf_filter_undef(struct hf_eval *e, struct hf_value *input, const struct hf_call *call,
	struct hf_value **ret, struct hf_error *err);

/* The head of every filter. */
#define FILTER(name)                                                                                         \
	static int name(struct hf_eval *e, struct hf_value *input, const struct hf_call *call,               \
		struct hf_value **ret, struct hf_error *err)

/* Arguments, by position or name. */
/* str(v); "" when not given is what fallback says. */
HF_CHECK int filter_text_arg(struct hf_eval *e, const struct hf_call *call, size_t position, const char *name,
	const char *fallback, struct hf_str *ret, struct hf_error *err);
HF_CHECK int filter_int_arg(const struct hf_call *call, size_t position, const char *name, int64_t fallback,
	int64_t *ret, struct hf_error *err);
/* As Python's indexes: an integer or a boolean, nothing that only looks like one. */
HF_CHECK int filter_index_arg(const struct hf_call *call, size_t position, const char *name, int64_t fallback,
	int64_t *ret, struct hf_error *err);
bool filter_bool_arg(
	const struct hf_call *call, size_t position, const char *name, bool fallback); /* truth of it */
/* The argument, unless it was not given or is null. */
struct hf_value *filter_arg(const struct hf_call *call, size_t position, const char *name);
/* names: NULL-terminated; as hf_call_check(). */
#define FILTER_ARGS(max, ...)                                                                                \
	do {                                                                                                 \
		static const char *const names_[] = { __VA_ARGS__, NULL };                                   \
		int checked_ = hf_call_check(call, __func__, max, names_, err);                              \
		if (checked_ < 0)                                                                            \
			return checked_;                                                                     \
	} while (0)

/* Items of anything that can be iterated, as a list. */
HF_CHECK int filter_items(struct hf_eval *e, struct hf_value *v, struct hf_value **ret, struct hf_error *err);
/* As an argument of type list: text is split at commas, a number is the one item. */
HF_CHECK int filter_listed(
	struct hf_eval *e, struct hf_value *v, struct hf_value **ret, struct hf_error *err);
/* Ansible's boolean words. */
bool filter_truth(const struct hf_value *v);
/* A number as a double; HF_E_TEMPLATE for anything else. */
HF_CHECK int filter_number(const struct hf_value *v, const char *what, double *ret, struct hf_error *err);
/* Result text made of what was in input: marks pass on. */
int filter_return_text(
	struct hf_eval *e, const struct hf_value *input, struct hf_str text, struct hf_value **ret);
int filter_return_buf(struct hf_eval *e, const struct hf_value *input, const struct hf_buf *text,
	const char *what, struct hf_value **ret, struct hf_error *err);
/* Parts of filters that others use too. */
HF_CHECK int filter_base64_decode(struct hf_str text, struct hf_buf *out, struct hf_error *err);
/* levels < 0: all. */
HF_CHECK int filter_flatten(struct hf_value *list, int64_t levels, bool skip_nulls, int depth,
	struct hf_value *out, struct hf_error *err);
/* One CSV record off *text, as a list of fields; quotes as in RFC 4180. */
struct hf_value *filter_csv_record(struct hf_arena *a, struct hf_str *text, char delimiter);
struct hf_twister;
HF_CHECK int filter_random_seed(const struct hf_value *seed, struct hf_twister *t, struct hf_error *err);
struct hf_ip;
bool filter_network(
	struct hf_eval *e, const struct hf_value *v, struct hf_ip *ret); /* an address, network or number */
bool filter_contains(const struct hf_value *list, const struct hf_value *item);
enum { FILTER_TEXT_MAX = 64 << 20, FILTER_ITEMS_MAX = 2000000 };
