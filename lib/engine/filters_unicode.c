/* lib/engine/filters_unicode.c - unicode_normalize: NFC, NFD, NFKC, NFKD through libunistring, which libcurl
 * brings along; it is loaded when the filter is first used. */
#include <stdlib.h>

#include "lib/base/late.h"
#include "lib/engine/filters.h"

/* As uninorm.h declares them; the forms are tables of the library. */
static uint8_t *(*u8_normalize)(const void *form, const uint8_t *s, size_t n, uint8_t *room, size_t *ret_n);
static const void *nfc, *nfd, *nfkc, *nfkd;
static const struct hf_late_function functions[] = { { "u8_normalize", (void *)&u8_normalize },
	{ "uninorm_nfc", (void *)&nfc }, { "uninorm_nfd", (void *)&nfd }, { "uninorm_nfkc", (void *)&nfkc },
	{ "uninorm_nfkd", (void *)&nfkd } };

static const struct {
	const char *name;
	const void **table;
} forms[] = { { "NFC", &nfc }, { "NFD", &nfd }, { "NFKC", &nfkc }, { "NFKD", &nfkd } };

static int library_ready(struct hf_error *err)
{
	static const char *const names[] = { "libunistring.so.2",
		"libunistring.so.5" }; /* of 2010, of 2022 */
	static bool loaded;
	struct hf_error why;
	for (size_t i = 0; i < HF_COUNT(names); i++)
		if (hf_late_load(names[i], functions, HF_COUNT(functions), &loaded, &why) == 0)
			return 0;
	return hf_fail(err, HF_E_UNSUPPORTED, "unicode_normalize needs libunistring: %s", why.text);
}

FILTER(unicode_normalize)
{
	FILTER_ARGS(1, "form");
	struct hf_str form, text = input->u.string;
	const void **table = NULL;
	int r = filter_text_arg(e, call, 0, "form", "NFC", &form, err);
	if (r < 0)
		return r;
	if (input->type != HF_STRING)
		return hf_fail(err, HF_E_TEMPLATE, "%s is not a valid input type", hf_type_name(input));
	for (size_t i = 0; i < HF_COUNT(forms); i++)
		if (hf_str_is(form, forms[i].name))
			table = forms[i].table;
	if (table == NULL)
		return hf_fail(err, HF_E_TEMPLATE, "%.*s is not a valid form", HF_STR_ARG(form));
	r = library_ready(err);
	if (r < 0 || text.n == 0)
		return r < 0 ? r : filter_return_text(e, input, text, ret);
	size_t n = 0;
	uint8_t *out = u8_normalize(*table, (const uint8_t *)text.p, text.n, NULL, &n);
	if (out == NULL)
		return hf_fail(err, HF_E_TEMPLATE, "unicode_normalize: the text is not valid UTF-8");
	text = hf_strn(hf_strndup(hf_eval_arena(e), (const char *)out, n), n);
	free(out);
	return filter_return_text(e, input, text, ret);
}

const struct hf_callable_row hf_ansible_filters_unicode[] = {
	{ "unicode_normalize", unicode_normalize, 0 },
	{ 0 },
};
