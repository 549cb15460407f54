/* lib/engine/filters_vault.c - vault, unvault: envelopes made and opened inside templates. */
#include "lib/base/scope.h"
#include "lib/data/unicode.h"
#include "lib/engine/filters.h"

static bool is_text(const struct hf_value *v)
{
	return v->type == HF_STRING || v->type == HF_BYTES;
}

/* The secret, and the label, which was once called vaultid. */
static int secret_read(struct hf_eval *e, const struct hf_call *call, size_t label_at, size_t old_label_at,
	struct hf_str *ret_secret, const char **ret_label, struct hf_error *err)
{
	const struct hf_value *secret = hf_call_arg(call, 0, "secret");
	const struct hf_value *label = hf_call_arg(call, label_at, "vault_id");
	const struct hf_value *old = filter_arg(call, old_label_at, "vaultid");
	if (secret == NULL)
		return hf_fail(err, HF_E_TEMPLATE, "missing required argument 'secret'");
	if (!is_text(secret))
		return hf_fail(err, HF_E_TEMPLATE,
			"Secret passed is required to be a string, instead we got: %s", hf_type_name(secret));
	*ret_secret = secret->u.string;
	if (old != NULL &&
		(label == NULL || (hf_is(label, HF_STRING) && hf_str_is(label->u.string, "filter_default"))))
		label = old;
	if (label == NULL)
		*ret_label = "filter_default";
	else
		*ret_label = hf_value_truthy(label) ? hf_value_text(hf_eval_arena(e), label).p : NULL;
	return 0;
}

FILTER(vault)
{
	FILTER_ARGS(5, "secret", "salt", "vault_id", "wrap_object", "vaultid");
	struct hf_str secret, text, salt = { 0 };
	const char *label;
	int r = secret_read(e, call, 2, 4, &secret, &label, err);
	if (r < 0)
		return r;
	if (!is_text(input))
		return hf_fail(err, HF_E_TEMPLATE, "Can only vault strings, instead we got: %s",
			hf_type_name(input));
	if (hf_str_starts(input->u.string, "$ANSIBLE_VAULT"))
		return hf_fail(err, HF_E_TEMPLATE, "Unable to encrypt: input is already encrypted");
	const struct hf_value *given = filter_arg(call, 1, "salt");
	if (given != NULL && !hf_value_truthy(given))
		return hf_fail(
			err, HF_E_TEMPLATE, "Unable to encrypt: Empty or invalid salt passed to encrypt()");
	if (given != NULL)
		salt = given->type == HF_BYTES ? given->u.string : hf_value_text(hf_eval_arena(e), given);
	r = hf_vault_encrypt(hf_eval_arena(e), input->u.string, secret, label, (const unsigned char *)salt.p,
		salt.n, &text, err);
	if (r < 0)
		return r;
	/* wrap_object: without secrets of its own Ansible's object is the envelope's text. No secret any
	 * more. */
	(void)filter_bool_arg(call, 3, "wrap_object", false);
	*ret = hf_value_str(hf_eval_arena(e), text);
	return 0;
}

FILTER(unvault)
{
	FILTER_ARGS(3, "secret", "vault_id", "vaultid");
	struct hf_str secret, text = input->u.string;
	const char *label;
	int r = secret_read(e, call, 1, 2, &secret, &label, err);
	if (r < 0)
		return r;
	if (!is_text(input))
		return hf_fail(err, HF_E_TEMPLATE,
			"Vault should be in the form of a string, instead we got: %s", hf_type_name(input));
	hf_auto_arena scratch = hf_arena_new();
	struct hf_vault *secrets = hf_vault_new(scratch);
	hf_vault_add(secrets, label, secret);
	bool sealed = hf_str_starts(text, "$ANSIBLE_VAULT");
	if (sealed && hf_vault_decrypt(hf_eval_arena(e), secrets, text, &text, err) < 0) {
		r = hf_wrap(err, "Unable to decrypt");
		err->code = HF_E_TEMPLATE;
		return r < 0 ? -HF_E_TEMPLATE : r;
	}
	if (sealed && !hf_utf8_valid(text))
		return hf_fail(err, HF_E_TEMPLATE, "Unable to decrypt: the text is not valid UTF-8");
	r = filter_return_text(e, input, text, ret);
	if (r == 0 && sealed)
		(*ret)->flags |= HF_VALUE_SECRET;
	return r;
}

const struct hf_callable_row hf_ansible_filters_vault[] = {
	{ "vault", vault, 0 },
	{ "unvault", unvault, 0 },
	{ 0 },
};
