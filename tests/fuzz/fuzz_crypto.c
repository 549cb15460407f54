/* Keys, requests and certificates: what a host's files hold, and what a playbook writes into them. The first
 * byte says how the rest is read; binary forms of what modules read as PEM go in here without that. */
#include <openssl/x509.h>
#include <stdint.h>
#include <stdlib.h>

#include "lib/base/scope.h"
#include "modules/crypto.h"
#include "modules/csr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void certificate(struct hf_arena *a, struct hf_str text)
{
	struct hf_error err;
	struct hf_value *info = NULL;
	hf_auto_certificate x = NULL;
	if (hf_crypto_certificate(text, true, &x, &err) == 0 &&
		hf_crypto_certificate_info(a, x, true, &info, &err) == 0 && !hf_is(info, HF_DICT))
		abort();
}

static void request(struct hf_arena *a, struct hf_str text)
{
	struct hf_error err;
	struct hf_value *info = NULL;
	const unsigned char *at = (const unsigned char *)text.p;
	hf_auto_request x = d2i_X509_REQ(NULL, &at, (long)text.n);
	if (x != NULL && hf_crypto_request_info(a, x, true, &info, &err) == 0 && !hf_is(info, HF_DICT))
		abort();
	(void)hf_csr_describe(a, text);
}

static void key(struct hf_arena *a, struct hf_str text)
{
	const unsigned char *at = (const unsigned char *)text.p;
	hf_auto_key binary = d2i_AutoPrivateKey(NULL, &at, (long)text.n);
	hf_auto_key plain = hf_crypto_key_parse(text, NULL);
	hf_auto_key locked = hf_crypto_key_parse(text, "secret");
	const EVP_PKEY *const all[] = { binary, plain, locked };
	for (size_t i = 0; i < HF_COUNT(all); i++)
		if (all[i] != NULL)
			hf_crypto_put_key(a, hf_value_dict(a), all[i], true);
}

static void general_name(struct hf_arena *a, struct hf_str text)
{
	struct hf_error err;
	hf_auto_general_name name = NULL;
	if (hf_crypto_name_parse(hf_str_dup(a, text), "name", &name, &err) == 0)
		(void)hf_crypto_name_text(a, name);
}

static void distinguished_name(struct hf_arena *a, struct hf_str text)
{
	struct hf_error err;
	hf_auto_name some = X509_NAME_new();
	hf_auto_name one = X509_NAME_new();
	if (hf_crypto_dn_parse(some, hf_str_dup(a, text), false, 0, &err) == 0)
		(void)hf_crypto_name_pairs(a, some);
	if (hf_crypto_dn_parse(one, hf_str_dup(a, text), true, 0, &err) == 0 &&
		X509_NAME_entry_count(one) != 1)
		abort();
}

static void when(struct hf_arena *a, struct hf_str text)
{
	struct hf_error err;
	int64_t seconds;
	(void)!hf_crypto_time(hf_str_dup(a, text), "time", &seconds, &err);
}

/* Lines, each with the letter of its option in front. */
static void extensions(struct hf_arena *a, struct hf_str text)
{
	struct hf_csr_params p = { 0 };
	struct hf_value *point = hf_value_dict(a), *full = hf_value_list(a), *relative = hf_value_list(a);
	const struct {
		char letter;
		struct hf_value **list;
	} lists[] = { { 'a', &p.alt_name }, { 'k', &p.key_usage }, { 'e', &p.extended_usage },
		{ 'b', &p.basic_constraints }, { 'p', &p.permitted }, { 'x', &p.excluded },
		{ 'i', &p.authority_cert_issuer }, { 'f', &full }, { 'r', &relative } };
	const struct {
		char letter;
		const char **text;
	} words[] = { { 's', &p.subject_key_identifier }, { 'd', &p.authority_key_identifier },
		{ 'n', &p.authority_serial } };
	struct hf_str line;
	for (size_t i = 0; i < HF_COUNT(lists); i++)
		*lists[i].list = hf_value_list(a);
	while (hf_str_split(&text, '\n', &line)) {
		char letter = line.n > 0 ? line.p[0] : '\0';
		const char *rest = letter == '\0' ? "" : hf_str_dup(a, hf_strn(line.p + 1, line.n - 1));
		for (size_t i = 0; i < HF_COUNT(lists); i++)
			if (lists[i].letter == letter)
				hf_list_append(*lists[i].list, hf_value_cstr(a, rest));
		for (size_t i = 0; i < HF_COUNT(words); i++)
			if (words[i].letter == letter)
				*words[i].text = rest;
	}
	if (hf_list_len(full) > 0)
		hf_dict_put(point, "full_name", full);
	if (hf_list_len(relative) > 0)
		hf_dict_put(point, "relative_name", relative);
	p.crl_points = hf_value_list(a);
	if (hf_dict_len(point) > 0)
		hf_list_append(p.crl_points, point);
	p.alt_name_critical = p.must_staple = HF_YES;
	hf_auto_csr csr = { .a = a, .p = &p, .alt_name = p.alt_name };
	struct hf_error err;
	(void)!hf_csr_extensions(&csr, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const readers[])(struct hf_arena * a, struct hf_str text) = { certificate, request, key,
		general_name, distinguished_name, when, extensions };
	hf_auto_arena a = hf_arena_new();
	size_t which = size == 0 ? HF_COUNT(readers) : (size_t)data[0] - '0';
	if (which < HF_COUNT(readers))
		readers[which](a, hf_strn((const char *)data + 1, size - 1));
	return 0;
}
