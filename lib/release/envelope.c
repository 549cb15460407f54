#include "lib/release/envelope.h"

#include <string.h>

#include "lib/release/base64.h"

static const struct {
	const char *type, *name;
	size_t max;
} kinds[HF_DOC_KINDS] = {
	[HF_DOC_ROOT] = { "application/vnd.holdfast.root.v1+json", "root", HF_ROOT_MAX },
	[HF_DOC_RELEASE] = { "application/vnd.holdfast.release.v1+json", "release", HF_RELEASE_MAX },
	[HF_DOC_POINTER] = { "application/vnd.holdfast.pointer.v1+json", "pointer", HF_POINTER_MAX },
	[HF_DOC_LOG] = { "application/vnd.holdfast.log.v1+json", "log entry", HF_LOG_MAX },
};

const char *hf_document_type(enum hf_document kind)
{
	return kinds[kind].type;
}

const char *hf_document_name(enum hf_document kind)
{
	return kinds[kind].name;
}

size_t hf_document_max(enum hf_document kind)
{
	return kinds[kind].max;
}

/* What is left to read. Every step takes from the front or leaves all as it was. */
static bool take(struct hf_str *rest, const char *literal)
{
	size_t n = strlen(literal);
	if (rest->n < n || memcmp(rest->p, literal, n) != 0)
		return false;
	rest->p += n;
	rest->n -= n;
	return true;
}

/* Up to and without the next quote. */
static bool take_text(struct hf_str *rest, struct hf_str *ret)
{
	const char *quote = rest->n == 0 ? NULL : memchr(rest->p, '"', rest->n);
	if (quote == NULL)
		return false;
	*ret = hf_strn(rest->p, (size_t)(quote - rest->p));
	rest->p += ret->n;
	rest->n -= ret->n;
	return true;
}

static bool take_signature(struct hf_str *rest, struct hf_signature *ret)
{
	struct hf_str id, sig;
	if (!take(rest, "{\"keyid\":\"") || !take_text(rest, &id) || !take(rest, "\",\"sig\":\"") ||
		!take_text(rest, &sig) || !take(rest, "\"}"))
		return false;
	size_t n = hf_base64_size(sig);
	if (n == 0 || n > sizeof(ret->bytes)) /* also when it has no size at all */
		return false;
	ret->n = n;
	return hf_digest_parse(id, &ret->key_id) && hf_base64_decode(sig, ret->bytes);
}

static bool take_signatures(struct hf_str *rest, struct hf_envelope *e)
{
	if (!take(rest, "\",\"signatures\":["))
		return false;
	e->n = 0;
	while (!take(rest, "]}")) {
		if (e->n == HF_SIGNATURES_MAX || (e->n > 0 && !take(rest, ",")) ||
			!take_signature(rest, &e->signatures[e->n]))
			return false;
		e->n++;
	}
	return take(rest, "\n") && rest->n == 0;
}

static bool take_type(struct hf_str *rest, struct hf_str *ret)
{
	return take(rest, "{\"payloadType\":\"") && take_text(rest, ret) && take(rest, "\",\"payload\":\"");
}

enum hf_document hf_envelope_kind(struct hf_str bytes)
{
	struct hf_str type;
	unsigned kind = 0;
	if (!take_type(&bytes, &type))
		return HF_DOC_KINDS;
	while (kind < HF_DOC_KINDS && !hf_str_is(type, kinds[kind].type))
		kind++;
	return (enum hf_document)kind;
}

int hf_envelope_scan(struct hf_arena *a, struct hf_str bytes, enum hf_document kind, struct hf_envelope *ret,
	enum hf_refusal *ret_refusal, struct hf_error *err)
{
	const char *name = kinds[kind].name;
	if (bytes.n > kinds[kind].max)
		return hf_refuse(ret_refusal, err, HF_REFUSED_TOO_LARGE,
			"%s of %zu bytes, at most %zu are allowed", name, bytes.n, kinds[kind].max);
	enum hf_document says = hf_envelope_kind(bytes);
	if (says == HF_DOC_KINDS)
		return hf_refuse(ret_refusal, err, HF_REFUSED_BAD_ENVELOPE, "%s is no signed envelope", name);
	if (says != kind)
		return hf_refuse(ret_refusal, err, HF_REFUSED_WRONG_KIND, "%s where a %s is wanted",
			kinds[says].name, name);
	struct hf_str rest = bytes, type, text;
	size_t size = SIZE_MAX;
	if (take_type(&rest, &type) && take_text(&rest, &text))
		size = hf_base64_size(text);
	if (size == SIZE_MAX)
		return hf_refuse(
			ret_refusal, err, HF_REFUSED_BAD_ENVELOPE, "%s: its payload is no base64", name);
	unsigned char *payload = hf_alloc(a, size + 1);
	payload[size] = '\0';
	if (!hf_base64_decode(text, payload))
		return hf_refuse(
			ret_refusal, err, HF_REFUSED_BAD_ENVELOPE, "%s: its payload is no base64", name);
	if (!take_signatures(&rest, ret))
		return hf_refuse(
			ret_refusal, err, HF_REFUSED_BAD_ENVELOPE, "%s: its signatures are malformed", name);
	for (size_t i = 0; i < ret->n; i++)
		for (size_t k = 0; k < i; k++)
			if (hf_digest_equal(&ret->signatures[i].key_id, &ret->signatures[k].key_id))
				return hf_refuse(ret_refusal, err, HF_REFUSED_DUPLICATE_SIGNATURE,
					"%s: signatures %zu and %zu are by one key", name, k + 1, i + 1);
	ret->kind = kind;
	ret->payload = hf_strn((const char *)payload, size);
	return 0;
}

struct hf_str hf_envelope_pae(struct hf_arena *a, enum hf_document kind, struct hf_str payload)
{
	const char *type = kinds[kind].type;
	const char *head = hf_sprintf(a, "DSSEv1 %zu %s %zu ", strlen(type), type, payload.n);
	size_t n = strlen(head);
	char *p = hf_alloc(a, n + payload.n + 1);
	memcpy(p, head, n);
	memcpy(p + n, payload.p, payload.n);
	p[n + payload.n] = '\0';
	return hf_strn(p, n + payload.n);
}

void hf_envelope_write(struct hf_buf *out, const struct hf_envelope *e)
{
	hf_buf_printf(out, "{\"payloadType\":\"%s\",\"payload\":\"", kinds[e->kind].type);
	hf_base64_encode(out, e->payload);
	hf_buf_puts(out, "\",\"signatures\":[");
	for (size_t i = 0; i < e->n; i++) {
		char hex[HF_SHA256_HEX];
		const struct hf_signature *s = &e->signatures[i];
		hf_buf_printf(out, "%s{\"keyid\":\"%s\",\"sig\":\"", i == 0 ? "" : ",",
			hf_digest_hex(&s->key_id, hex));
		hf_base64_encode(out, hf_strn((const char *)s->bytes, s->n));
		hf_buf_puts(out, "\"}");
	}
	hf_buf_puts(out, "]}\n");
}
