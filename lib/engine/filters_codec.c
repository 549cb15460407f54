/* lib/engine/filters_codec.c - b64encode, b64decode, urldecode, urlsplit, to_uuid. */
#include <ctype.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "lib/base/scope.h"
#include "lib/data/unicode.h"
#include "lib/engine/filters.h"

/* --- base64 --- */

/* Text in another encoding; only those of which bytes and characters are one. */
static int encoding_known(struct hf_str name, bool *ret_utf8, struct hf_error *err)
{
	char known[HF_ENCODING_MAX];
	hf_encoding_name(name, known);
	*ret_utf8 = strcmp(known, "UTF-8") == 0 || strcmp(known, "US-ASCII") == 0;
	if (*ret_utf8 || strcmp(known, "ISO-8859-1") == 0)
		return 0;
	return hf_fail(err, HF_E_UNSUPPORTED,
		"the encoding '%.*s' is not supported: utf-8, ascii and latin-1 are", HF_STR_ARG(name));
}

/* UTF-16, as PowerShell's -EncodedCommand wants it. */
static bool encoding_wide(struct hf_str name, bool *ret_little, bool *ret_mark)
{
	static const struct {
		const char *name;
		bool little, mark;
	} rows[] = { { "UTF-16LE", true, false }, { "UTF-16BE", false, false }, { "UTF-16", true, true } };
	char known[HF_ENCODING_MAX];
	hf_encoding_name(name, known);
	for (size_t i = 0; i < HF_COUNT(rows); i++)
		if (strcmp(known, rows[i].name) == 0) {
			*ret_little = rows[i].little;
			*ret_mark = rows[i].mark;
			return true;
		}
	return false;
}

static void unit_add(struct hf_buf *out, uint32_t unit, bool little)
{
	hf_buf_put(out, (char)(little ? unit : unit >> 8));
	hf_buf_put(out, (char)(little ? unit >> 8 : unit));
}

static int text_encode(struct hf_str text, struct hf_str encoding, struct hf_buf *out, struct hf_error *err)
{
	bool utf8 = true, little = true, mark = false, wide = encoding_wide(encoding, &little, &mark);
	int r = wide ? 0 : encoding_known(encoding, &utf8, err);
	if (r < 0 || (utf8 && !wide)) {
		hf_buf_add(out, text);
		return r;
	}
	if (mark)
		unit_add(out, 0xFEFF, little);
	for (size_t i = 0; i < text.n;) {
		uint32_t point;
		i += hf_utf8_decode(text.p + i, text.n - i, &point);
		if (wide && point >= 0x10000) {
			unit_add(out, 0xD800 + ((point - 0x10000) >> 10), little);
			unit_add(out, 0xDC00 + ((point - 0x10000) & 0x3FF), little);
		} else if (wide) {
			unit_add(out, point, little);
		} else if (point > 0xFF) {
			return hf_fail(err, HF_E_TEMPLATE, "a character that latin-1 does not have");
		} else {
			hf_buf_put(out, (char)point);
		}
	}
	return 0;
}

/* A point of UTF-16; *i moves behind what it took beyond the first unit. */
static uint32_t wide_point(struct hf_str bytes, bool little, size_t *i)
{
	const unsigned char *p = (const unsigned char *)bytes.p + *i;
	uint32_t point = little ? p[0] | (uint32_t)p[1] << 8 : p[1] | (uint32_t)p[0] << 8;
	if (point < 0xD800 || point >= 0xDC00 || *i + 4 > bytes.n)
		return point;
	uint32_t low = little ? p[2] | (uint32_t)p[3] << 8 : p[3] | (uint32_t)p[2] << 8;
	*i += 2;
	return 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
}

static int text_decode(struct hf_str bytes, struct hf_str encoding, struct hf_buf *out, struct hf_error *err)
{
	bool utf8 = true, little = true, mark = false, wide = encoding_wide(encoding, &little, &mark);
	int r = wide ? 0 : encoding_known(encoding, &utf8, err);
	if (r < 0)
		return r;
	if (utf8 && !wide) {
		hf_buf_add(out, bytes);
		return hf_utf8_valid(bytes) ? 0
					    : hf_fail(err, HF_E_TEMPLATE, "the bytes are not valid UTF-8");
	}
	size_t width = wide ? 2 : 1;
	for (size_t i = 0; i + width <= bytes.n; i += width) {
		bool first = i == 0;
		uint32_t point = wide ? wide_point(bytes, little, &i) : (unsigned char)bytes.p[i];
		if (mark && first && point == 0xFEFF)
			continue;
		char text[4];
		hf_buf_append(out, text, hf_utf8_encode(point, text));
	}
	return 0;
}

FILTER(b64encode)
{
	FILTER_ARGS(1, "encoding");
	struct hf_str text = input->u.string, encoding;
	int r = input->type == HF_BYTES ? 0 : hf_eval_text(e, input, &text, err);
	if (r == 0)
		r = filter_text_arg(e, call, 0, "encoding", "utf-8", &encoding, err);
	if (r < 0)
		return r;
	hf_auto_buf raw = hf_buf_init(FILTER_TEXT_MAX / 4), out = hf_buf_init(FILTER_TEXT_MAX);
	r = text_encode(text, encoding, &raw, err);
	if (r == 0)
		r = hf_buf_check(&raw, "text to encode", err);
	char *room = r == 0 ? hf_buf_room(&out, raw.n / 3 * 4 + 8) : NULL;
	if (room == NULL)
		return r < 0 ? r : hf_buf_check(&out, "base64", err);
	int n = EVP_EncodeBlock((unsigned char *)room, (const unsigned char *)hf_buf_str(&raw).p, (int)raw.n);
	hf_buf_added(&out, (size_t)n);
	return filter_return_buf(e, input, &out, "base64", ret, err);
}

/* As base64.b64decode(validate=False): what is not of the alphabet is skipped; padding must be right. */
int filter_base64_decode(struct hf_str text, struct hf_buf *out, struct hf_error *err)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t bits = 0;
	unsigned have = 0, padding = 0;
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		if (c == '=') {
			if (have >= 2 && ++padding + have >= 4)
				break;
			continue;
		}
		const char *at = c == '\0' ? NULL : strchr(alphabet, c);
		if (at == NULL)
			continue;
		padding = 0;
		bits = bits << 6 | (uint32_t)(at - alphabet);
		if (++have == 4) {
			char three[3] = { (char)(bits >> 16), (char)(bits >> 8), (char)bits };
			hf_buf_append(out, three, 3);
			have = 0;
		}
	}
	if (have > 0 && (have == 1 || have + padding < 4))
		return hf_fail(err, HF_E_TEMPLATE, "Incorrect padding");
	if (have >= 2)
		hf_buf_put(out, (char)(have == 2 ? bits >> 4 : bits >> 10));
	if (have == 3)
		hf_buf_put(out, (char)(bits >> 2));
	return 0;
}

FILTER(b64decode)
{
	FILTER_ARGS(1, "encoding");
	struct hf_str text = input->u.string, encoding;
	int r = input->type == HF_BYTES ? 0 : hf_eval_text(e, input, &text, err);
	if (r == 0)
		r = filter_text_arg(e, call, 0, "encoding", "utf-8", &encoding, err);
	if (r < 0)
		return r;
	hf_auto_buf raw = hf_buf_init(FILTER_TEXT_MAX), out = hf_buf_init(FILTER_TEXT_MAX);
	r = filter_base64_decode(text, &raw, err);
	if (r == 0)
		r = text_decode(hf_buf_str(&raw), encoding, &out, err);
	return r < 0 ? r : filter_return_buf(e, input, &out, "text", ret, err);
}

/* --- UUID --- */

static bool uuid_read(struct hf_str text, unsigned char out[16])
{
	char hex[32];
	size_t n = 0;
	if (hf_str_starts(text, "urn:uuid:"))
		text = hf_strn(text.p + 9, text.n - 9);
	for (size_t i = 0; i < text.n; i++) {
		if (strchr("-{}", text.p[i]) != NULL && text.p[i] != '\0')
			continue;
		if (n == sizeof(hex))
			return false;
		hex[n++] = text.p[i];
	}
	return n == sizeof(hex) && hf_unhex(hf_strn(hex, n), out, 16);
}

FILTER(to_uuid)
{
	FILTER_ARGS(1, "namespace");
	struct hf_str text, space;
	unsigned char bytes[16], digest[EVP_MAX_MD_SIZE];
	int r = hf_eval_text(e, input, &text, err);
	if (r == 0)
		r = filter_text_arg(
			e, call, 0, "namespace", "361E6D51-FAEC-444A-9079-341386DA8E2E", &space, err);
	if (r < 0)
		return r;
	if (!uuid_read(space, bytes))
		return hf_fail(err, HF_E_TEMPLATE, "Invalid value '%.*s' for 'namespace'", HF_STR_ARG(space));
	hf_auto_buf whole = hf_buf_init(FILTER_TEXT_MAX), out = hf_buf_init(64);
	hf_buf_append(&whole, bytes, sizeof(bytes));
	hf_buf_add(&whole, text);
	if (EVP_Digest(hf_buf_str(&whole).p, whole.n, digest, NULL, EVP_sha1(), NULL) != 1)
		return hf_fail(err, HF_E_INTERNAL, "no SHA-1 in this OpenSSL");
	digest[6] = (unsigned char)((digest[6] & 0x0F) | 0x50);
	digest[8] = (unsigned char)((digest[8] & 0x3F) | 0x80);
	for (size_t i = 0; i < 16; i++)
		hf_buf_printf(&out, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", digest[i]);
	return filter_return_buf(e, input, &out, "uuid", ret, err);
}

const struct hf_callable_row hf_ansible_filters_codec[] = {
	{ "b64encode", b64encode, 0 },
	{ "b64decode", b64decode, 0 },
	{ "to_uuid", to_uuid, 0 },
	{ 0 },
};
