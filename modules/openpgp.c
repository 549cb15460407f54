#include "modules/openpgp.h"

#include <ctype.h>
#include <string.h>

#include "lib/base/digest.h"
#include "lib/base/scope.h"
#include "lib/base/vec.h"

enum { KEY_BYTES_MAX = 16 << 20, TAG_PUBLIC = 6, TAG_SUBKEY = 14, ID_DIGITS_MAX = 40 };
#define ARMOR_BEGIN "-----BEGIN PGP PUBLIC KEY BLOCK-----"
#define ARMOR_END   "-----END PGP PUBLIC KEY BLOCK-----"

bool hf_openpgp_armored(struct hf_str data)
{
	return hf_str_find(data, HF_STR(ARMOR_BEGIN), 0) != SIZE_MAX;
}

static int base64_digit(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c == '\0' ? NULL : strchr(digits, c);
	return at == NULL ? -1 : (int)(at - digits);
}

/* The body of one armour block: after its headers, up to '=' (the checksum, which gpgv will see again). */
static void armor_body(struct hf_str block, struct hf_buf *out)
{
	struct hf_str line;
	bool body = false;
	unsigned bits = 0, count = 0;
	while (hf_str_split(&block, '\n', &line)) {
		line = hf_str_trim(line);
		if (!body && line.n == 0)
			body = true;
		if (!body || (line.n > 0 && line.p[0] == '='))
			continue;
		for (size_t i = 0; i < line.n; i++) {
			int digit = base64_digit(line.p[i]);
			if (digit < 0)
				continue;
			bits = bits << 6 | (unsigned)digit;
			count += 6;
			if (count >= 8) {
				count -= 8;
				hf_buf_put(out, (char)(bits >> count & 0xff));
			}
		}
	}
}

static struct hf_str dearmor(struct hf_arena *a, struct hf_str data)
{
	hf_auto_buf out = hf_buf_init(KEY_BYTES_MAX);
	for (size_t from = 0; (from = hf_str_find(data, HF_STR(ARMOR_BEGIN), from)) != SIZE_MAX;) {
		from += strlen(ARMOR_BEGIN) + 1;
		size_t end = hf_str_find(data, HF_STR(ARMOR_END), from);
		end = end == SIZE_MAX ? data.n : end;
		if (from < end)
			armor_body(hf_strn(data.p + from, end - from), &out);
	}
	return hf_buf_dup(a, &out);
}

struct packet {
	int tag;
	struct hf_str body, whole;
};

/* Old and new packet headers (RFC 4880 4.2); partial lengths do not occur in keys. */
static bool packet_next(struct hf_str *rest, struct packet *ret)
{
	const unsigned char *p = (const unsigned char *)rest->p;
	size_t n = rest->n, head, length;
	if (n < 3 || (p[0] & 0x80) == 0)
		return false;
	if ((p[0] & 0x40) != 0) {
		ret->tag = p[0] & 0x3f;
		if (p[1] < 192) {
			head = 2;
			length = p[1];
		} else if (p[1] < 224) {
			head = 3;
			length = ((size_t)(p[1] - 192) << 8) + p[2] + 192;
		} else if (p[1] == 255 && n >= 6) {
			head = 6;
			length = (size_t)p[2] << 24 | (size_t)p[3] << 16 | (size_t)p[4] << 8 | p[5];
		} else {
			return false;
		}
	} else {
		int kind = p[0] & 3;
		ret->tag = p[0] >> 2 & 0xf;
		head = kind == 0 ? 2 : kind == 1 ? 3 : 5;
		if (kind == 3 || n < head)
			return false;
		length = 0;
		for (size_t i = 1; i < head; i++)
			length = length << 8 | p[i];
	}
	if (length > n - head)
		return false;
	ret->body = hf_strn(rest->p + head, length);
	ret->whole = hf_strn(rest->p, head + length);
	*rest = hf_strn(rest->p + head + length, n - head - length);
	return true;
}

/* Version 4: SHA-1 over 0x99, the length and the body. */
static const char *fingerprint(struct hf_arena *a, struct hf_str body)
{
	char hex[HF_DIGEST_HEX_MAX];
	if (body.n < 1 || body.p[0] != 4)
		return NULL;
	char *bytes = hf_alloc(a, body.n + 3);
	bytes[0] = (char)0x99;
	bytes[1] = (char)(body.n >> 8 & 0xff);
	bytes[2] = (char)(body.n & 0xff);
	memcpy(bytes + 3, body.p, body.n);
	if (hf_hash_hex("sha1", hf_strn(bytes, body.n + 3), hex, NULL) < 0)
		return NULL;
	for (char *p = hex; *p != '\0'; p++)
		*p = (char)toupper((unsigned char)*p);
	return hf_strdup(a, hex);
}

int hf_openpgp_read(
	struct hf_arena *a, struct hf_str data, struct hf_openpgp_certs *ret, struct hf_error *err)
{
	struct hf_str rest = hf_openpgp_armored(data) ? dearmor(a, data) : data;
	struct hf_openpgp_certs certs = { 0 };
	struct packet packet;
	while (packet_next(&rest, &packet)) {
		bool primary = packet.tag == TAG_PUBLIC;
		if (!primary && certs.n == 0)
			return hf_fail(
				err, HF_E_PARSE, "an OpenPGP key does not start with a public key packet");
		struct hf_openpgp_cert *cert = primary ? hf_vec_push(a, &certs) : &certs.at[certs.n - 1];
		if (primary) {
			cert->bytes = hf_strn(packet.whole.p, 0);
			cert->fingerprints = hf_value_list(a);
			cert->fingerprint = "";
		}
		cert->bytes.n += packet.whole.n;
		const char *print = primary || packet.tag == TAG_SUBKEY ? fingerprint(a, packet.body) : NULL;
		if (print != NULL)
			hf_list_append(cert->fingerprints, hf_value_cstr(a, print));
		if (primary && print != NULL)
			cert->fingerprint = print;
	}
	if (certs.n == 0)
		return hf_fail(err, HF_E_PARSE, "there is no OpenPGP public key in it");
	*ret = certs;
	return 0;
}

const char *hf_openpgp_id(struct hf_arena *a, const char *text)
{
	char out[ID_DIGITS_MAX + 1];
	size_t n = 0;
	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		text += 2;
	for (; *text != '\0'; text++) {
		if (*text == ' ')
			continue;
		if (!isxdigit((unsigned char)*text) || n >= ID_DIGITS_MAX)
			return NULL;
		out[n++] = (char)toupper((unsigned char)*text);
	}
	return n == 8 || n == 16 || n == ID_DIGITS_MAX ? hf_strndup(a, out, n) : NULL;
}

bool hf_openpgp_has(const struct hf_openpgp_cert *cert, const char *id)
{
	for (size_t i = 0; i < hf_list_len(cert->fingerprints); i++)
		if (hf_str_ends(hf_list_at(cert->fingerprints, i)->u.string, id))
			return true;
	return false;
}
