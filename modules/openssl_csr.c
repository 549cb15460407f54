/* modules/openssl_csr.c - a certificate signing request in a file. */
#include "modules/csr.h"

static const char *const states[] = { "absent", "present", NULL };
struct params {
	const char *path, *state;
	enum hf_tristate force, backup, return_content;
	struct hf_csr_params csr;
	struct hf_file_attr attr;
};
#define AT(field) offsetof(struct params, field)
static const struct hf_arg args[] = {
	{ "path", HF_ARG_PATH, AT(path), HF_REQUIRED, .help = "The file." },
	{ "state", HF_ARG_STR, AT(state), .dflt = "present", .choices = states,
		.help = "Whether it shall be there." },
	{ "force", HF_ARG_BOOL, AT(force), .dflt = "false", .help = "A new one in any case." },
	{ "backup", HF_ARG_BOOL, AT(backup), .dflt = "false", .help = "Keep a dated copy of the old one." },
	{ "return_content", HF_ARG_BOOL, AT(return_content), .dflt = "false",
		.help = "Return the request itself." },
	HF_CSR_ARGS(struct params, csr),
	HF_FILE_ATTR_ARGS(struct params, attr),
	{ .type = HF_ARG_END },
};
static const struct hf_rule rules[] = {
	HF_CSR_RULES,
	{ HF_RULE_IF, HF_CRYPTO_NAMES("privatekey_path", "privatekey_content"), .when = "state",
		.equals = "present", .any = true },
	{ HF_RULE_END },
};

/* A key that an earlier task would have made is not there in check mode. */
static bool key_awaited(struct hf_module_context *c, const struct params *p, const struct hf_crypto_file *f)
{
	return hf_task_check_mode(c) && (f->old.p == NULL || p->force == HF_YES) &&
	       p->csr.privatekey_path != NULL && !hf_fs_exists(p->csr.privatekey_path);
}

/* *ret_make: another one is to be written; f->text: that one. */
static int decide(struct hf_module_context *c, const struct params *p, struct hf_csr *csr,
	struct hf_crypto_file *f, bool *ret_make, struct hf_error *err)
{
	int r = hf_csr_begin(c, &p->csr, csr, err);
	*ret_make = r == 0 && key_awaited(c, p, f);
	if (r < 0 || f->absent || *ret_make)
		return r;
	r = hf_csr_prepare(csr, err);
	bool forced = p->force == HF_YES && hf_task_acts(c);
	*ret_make = r == 0 && (forced || f->old.p == NULL || !hf_csr_fits(csr, f->old));
	return *ret_make ? hf_csr_make(csr, &f->text, err) : r;
}

static int openssl_csr_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct hf_crypto_file *f = hf_new(a, struct hf_crypto_file);
	hf_auto_csr csr = { 0 };
	bool make = false;
	*f = (struct hf_crypto_file){
		.path = p->path, .attr = &p->attr, .absent = strcmp(p->state, "absent") == 0
	};
	change->state = f;
	int r = hf_crypto_file_open(c, change, p->backup == HF_YES, f, err);
	if (r == 0)
		r = decide(c, p, &csr, f, &make, err);
	if (r == 0)
		r = hf_crypto_file_look(c, change, make, f, err);
	if (r < 0)
		return r;
	struct hf_str now = f->absent ? (struct hf_str){ 0 } : f->text.p != NULL ? f->text : f->old;
	hf_csr_report(&csr, change);
	hf_result_cstr(c, change, "filename", p->path);
	if (p->return_content == HF_YES)
		hf_result_put(c, change, "csr", now.p == NULL ? hf_value_null(a) : hf_value_str(a, now));
	if (hf_task_diff(c))
		hf_change_diff_values(c, change, hf_csr_describe(a, f->old), hf_csr_describe(a, now));
	return 0;
}

static void openssl_csr_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	const struct params *p = params;
	(void)c;
	hf_watch_path(w, p->path);
	if (p->csr.privatekey_path != NULL)
		hf_watch_path(w, p->csr.privatekey_path);
}

const struct hf_module hf_module_openssl_csr = {
	.name = "openssl_csr",
	.collection = "community.crypto",
	.schema = { args, rules, sizeof(struct params) },
	.check = openssl_csr_check,
	.apply = hf_crypto_file_apply,
	.undo = hf_crypto_file_undo,
	.watch = openssl_csr_watch,
};
