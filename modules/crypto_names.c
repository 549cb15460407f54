/* modules/crypto_names.c - names in certificates: distinguished ones, and the general ones of extensions. */
#include <arpa/inet.h>
#include <ctype.h>

#include "modules/crypto.h"

enum { NAME_SIZE_MAX = 1 << 16, IP4 = 4, IP6 = 16, COMMON_NAME_MAX = 64, OID_TEXT_MAX = 128 };

/* --- distinguished names ---------------------------------------------------------------------------- */
const char *hf_crypto_object_name(struct hf_arena *a, const ASN1_OBJECT *object, bool brief)
{
	int nid = OBJ_obj2nid(object);
	char text[OID_TEXT_MAX];
	if (nid != NID_undef)
		return brief ? OBJ_nid2sn(nid) : OBJ_nid2ln(nid);
	OBJ_obj2txt(text, sizeof(text), object, 1);
	return hf_strdup(a, text);
}

static struct hf_value *string_value(struct hf_arena *a, const ASN1_STRING *s)
{
	unsigned char *text = NULL;
	int n = ASN1_STRING_to_UTF8(&text, s);
	struct hf_value *v = hf_value_str(a, hf_strn((char *)text, n > 0 ? (size_t)n : 0));
	OPENSSL_free(text);
	return v;
}

struct hf_value *hf_crypto_name_pairs(struct hf_arena *a, const X509_NAME *name)
{
	struct hf_value *all = hf_value_list(a);
	for (int i = 0; i < X509_NAME_entry_count(name); i++) {
		const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
		struct hf_value *pair = hf_value_list(a);
		hf_list_append(pair,
			hf_value_cstr(a, hf_crypto_object_name(a, X509_NAME_ENTRY_get_object(entry), false)));
		hf_list_append(pair, string_value(a, X509_NAME_ENTRY_get_data(entry)));
		hf_list_append(all, pair);
	}
	return all;
}

/* The kind of string that a part of a name is written as. */
static int string_type(int nid)
{
	switch (nid) {
	case NID_countryName:
	case NID_jurisdictionCountryName:
	case NID_serialNumber:
	case NID_dnQualifier:
		return V_ASN1_PRINTABLESTRING;
	case NID_pkcs9_emailAddress:
	case NID_domainComponent:
		return V_ASN1_IA5STRING;
	default:
		return V_ASN1_UTF8STRING;
	}
}

static size_t characters(struct hf_str s)
{
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

static int length_check(int nid, struct hf_str value, struct hf_error *err)
{
	size_t n = characters(value), least = 1, most = NAME_SIZE_MAX;
	if (nid == NID_countryName || nid == NID_jurisdictionCountryName)
		least = most = 2;
	else if (nid == NID_commonName)
		most = COMMON_NAME_MAX;
	if (n >= least && n <= most)
		return 0;
	return hf_fail(err, HF_E_TASK, "Attribute's length must be >= %zu and <= %zu, but it was %zu", least,
		most, n);
}

int hf_crypto_name_add(X509_NAME *name, const char *type, struct hf_str value, int set, struct hf_error *err)
{
	ASN1_OBJECT *object = OBJ_txt2obj(type, 0);
	ERR_clear_error();
	if (object == NULL)
		return hf_fail(err, HF_E_TASK, "Cannot find OID for \"%s\"", type);
	int nid = OBJ_obj2nid(object), r = length_check(nid, value, err);
	X509_NAME_ENTRY *entry = r < 0 ? NULL
				       : X509_NAME_ENTRY_create_by_OBJ(NULL, object, string_type(nid),
						 (const unsigned char *)value.p, (int)value.n);
	if (r == 0 && (entry == NULL || X509_NAME_add_entry(name, entry, -1, set) != 1))
		r = hf_fail(err, HF_E_TASK, "%s: \"%.*s\" cannot be part of a name", type, HF_STR_ARG(value));
	X509_NAME_ENTRY_free(entry);
	ASN1_OBJECT_free(object);
	ERR_clear_error();
	return r;
}

/* A value up to separator: \, and \2c stand for a comma. NULL: a bad escape. */
static const char *value_unescape(const char *at, char separator, struct hf_buf *out)
{
	while (*at != '\0' && *at != separator) {
		unsigned char byte = (unsigned char)*at;
		if (*at == '\\' && isxdigit((unsigned char)at[1])) {
			if (!hf_unhex(hf_strn(at + 1, strnlen(at + 1, 2)), &byte, 1))
				return NULL;
			at += 2;
		} else if (*at == '\\' && at[1] != '\0') {
			byte = (unsigned char)*++at;
		}
		hf_buf_put(out, (char)byte);
		at++;
	}
	return at;
}

/* #0a1b: the bytes themselves. */
static const char *value_unhex(const char *at, struct hf_buf *out)
{
	unsigned char byte;
	for (; at[0] != '\0' && at[1] != '\0'; at += 2) {
		if (!hf_unhex(hf_strn(at, 2), &byte, 1))
			return NULL;
		hf_buf_put(out, (char)byte);
	}
	return at;
}

static int part_parse(
	X509_NAME *name, const char **at, char separator, bool whole, int set, struct hf_error *err)
{
	const char *type = *at + strspn(*at, " "), *end = type;
	char word[OID_TEXT_MAX];
	while (isalnum((unsigned char)*end) || *end == '.' || *end == '_')
		end++;
	size_t n = (size_t)(end - type);
	end += strspn(end, " ");
	if (n == 0 || n >= sizeof(word) || *end != '=')
		return hf_fail(err, HF_E_TASK, "cannot start part in \"%s\"", *at);
	memcpy(word, type, n);
	word[n] = '\0';
	end++;
	end += strspn(end, " ");
	hf_auto_buf value = hf_buf_init(NAME_SIZE_MAX);
	if (whole) {
		hf_buf_puts(&value, end);
		end += strlen(end);
	} else {
		end = *end == '#' ? value_unhex(end + 1, &value) : value_unescape(end, separator, &value);
	}
	if (end == NULL)
		return hf_fail(err, HF_E_TASK, "\"%s\" has a bad escape", *at);
	*at = end;
	int r = hf_buf_check(&value, "a part of a name", err);
	return r < 0 ? r : hf_crypto_name_add(name, word, hf_buf_str(&value), set, err);
}

int hf_crypto_dn_parse(X509_NAME *name, const char *text, bool whole, int set, struct hf_error *err)
{
	const char *at = text + strspn(text, " ");
	char separator = *at == '/' && !whole ? '/' : ',';
	at += separator == '/';
	while (whole || *at != '\0') {
		int r = part_parse(name, &at, separator, whole, set, err);
		if (r < 0)
			return hf_wrap(err, "Error while parsing %sdistinguished name \"%s\"",
				whole ? "relative " : "", text);
		if (*at == '\0')
			break;
		if (*at != separator || at[1] == '\0')
			return hf_fail(err, HF_E_TASK,
				"Error while parsing distinguished name \"%s\": unexpected end of string",
				text);
		at++;
	}
	return 0;
}

/* --- general names ---------------------------------------------------------------------------------- */
static int string_parse(GENERAL_NAME *name, int type, const char *text, struct hf_error *err)
{
	for (const char *at = text; *at != '\0'; at++)
		if ((unsigned char)*at >= 0x80)
			return hf_fail(
				err, HF_E_TASK, "only ASCII is supported: write other letters as xn--…");
	ASN1_IA5STRING *s = ASN1_IA5STRING_new();
	ASN1_STRING_set(s, text, -1);
	GENERAL_NAME_set0_value(name, type, s);
	return 0;
}

static int dns_parse(GENERAL_NAME *name, const char *text, struct hf_error *err)
{
	return string_parse(name, GEN_DNS, text, err);
}
static int email_parse(GENERAL_NAME *name, const char *text, struct hf_error *err)
{
	return string_parse(name, GEN_EMAIL, text, err);
}

/* The host of a URI is written in small letters. */
static int uri_parse(GENERAL_NAME *name, const char *text, struct hf_error *err)
{
	hf_auto_buf out = hf_buf_init(NAME_SIZE_MAX);
	hf_buf_puts(&out, text);
	char *host = hf_buf_check(&out, "a URI", err) < 0 ? NULL : strstr(out.p, "://");
	if (out.failed)
		return -HF_E_TASK;
	if (host != NULL) {
		char *end = host + 3 + strcspn(host + 3, "/?#");
		char *user = memrchr(host + 3, '@', (size_t)(end - host - 3));
		for (char *at = user != NULL ? user + 1 : host + 3; at < end; at++)
			*at = (char)tolower((unsigned char)*at);
	}
	return string_parse(name, GEN_URI, out.p == NULL ? "" : out.p, err);
}

static int mask_make(const char *text, int family, size_t n, unsigned char *mask)
{
	int64_t bits;
	if (hf_str_to_int64(hf_str(text), &bits)) {
		if (bits < 0 || bits > (int64_t)n * 8)
			return -1;
		for (size_t i = 0; i < n; i++) {
			int64_t left = bits - (int64_t)i * 8;
			mask[i] = left >= 8 ? 0xff : left <= 0 ? 0 : (unsigned char)(0xff << (8 - left));
		}
		return 0;
	}
	return family == AF_INET && inet_pton(AF_INET, text, mask) == 1 ? 0 : -1;
}

static int ip_parse(GENERAL_NAME *name, const char *text, struct hf_error *err)
{
	unsigned char bytes[2 * IP6];
	const char *slash = strchr(text, '/');
	char address[INET6_ADDRSTRLEN] = "";
	size_t length = slash == NULL ? strlen(text) : (size_t)(slash - text);
	if (length < sizeof(address))
		memcpy(address, text, length);
	int family = strchr(address, ':') != NULL ? AF_INET6 : AF_INET;
	size_t n = family == AF_INET ? IP4 : IP6;
	if (inet_pton(family, address, bytes) != 1)
		return hf_fail(err, HF_E_TASK, "'%s' does not appear to be an IPv4 or IPv6 %s", text,
			slash == NULL ? "address" : "network");
	if (slash != NULL && mask_make(slash + 1, family, n, bytes + n) < 0)
		return hf_fail(err, HF_E_TASK, "'%s' does not appear to be an IPv4 or IPv6 network", text);
	for (size_t i = 0; slash != NULL && i < n; i++)
		if ((bytes[i] & ~bytes[n + i]) != 0)
			return hf_fail(err, HF_E_TASK, "%s has host bits set", text);
	ASN1_OCTET_STRING *s = ASN1_OCTET_STRING_new();
	ASN1_OCTET_STRING_set(s, bytes, (int)(slash == NULL ? n : 2 * n));
	GENERAL_NAME_set0_value(name, GEN_IPADD, s);
	return 0;
}

static int rid_parse(GENERAL_NAME *name, const char *text, struct hf_error *err)
{
	ASN1_OBJECT *object = OBJ_txt2obj(text, 1);
	ERR_clear_error();
	if (object == NULL)
		return hf_fail(err, HF_E_TASK, "this is no object identifier");
	GENERAL_NAME_set0_value(name, GEN_RID, object);
	return 0;
}

/* "0c:4:61": each byte one or two digits; false when text is something else. */
static bool colons_parse(const char *text, struct hf_buf *out)
{
	while (*text != '\0') {
		unsigned char byte;
		char digits[3] = { '0', text[0], '\0' };
		bool two = isxdigit((unsigned char)text[1]) != 0;
		if (two)
			memcpy(digits, text, 2);
		if (!hf_unhex(hf_str(digits), &byte, 1))
			return false;
		text += two ? 2 : 1;
		if (*text != '\0' && *text++ != ':')
			return false;
		hf_buf_put(out, (char)byte);
	}
	return out->n > 0;
}

static int other_parse(GENERAL_NAME *name, const char *text, struct hf_error *err)
{
	const char *value = strchr(text, ';');
	char oid[OID_TEXT_MAX] = "";
	if (value == NULL)
		return hf_fail(err, HF_E_TASK,
			"otherName must be in the format \"otherName:<OID>;<ASN.1 OpenSSL Encoded String>\" "
			"or "
			"\"otherName:<OID>;<hex string>\"");
	if ((size_t)(value - text) < sizeof(oid))
		memcpy(oid, text, (size_t)(value - text));
	hf_auto_buf der = hf_buf_init(NAME_SIZE_MAX);
	const unsigned char *at;
	ASN1_TYPE *type = NULL;
	if (colons_parse(value + 1, &der)) {
		at = (const unsigned char *)der.p;
		type = d2i_ASN1_TYPE(NULL, &at, (long)der.n);
	} else {
		type = ASN1_generate_nconf(value + 1, NULL);
	}
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	bool ok = object != NULL && type != NULL && GENERAL_NAME_set0_othername(name, object, type) == 1;
	ERR_clear_error();
	if (ok)
		return 0;
	ASN1_OBJECT_free(object);
	ASN1_TYPE_free(type);
	return hf_fail(err, HF_E_TASK, "the value is neither a hex string nor one of OpenSSL's");
}

static int directory_parse(GENERAL_NAME *name, const char *text, struct hf_error *err)
{
	hf_auto_name written = X509_NAME_new();
	X509_NAME *turned = X509_NAME_new();
	int r = hf_crypto_dn_parse(written, text, false, 0, err);
	for (int i = X509_NAME_entry_count(written) - 1; r == 0 && i >= 0; i--)
		X509_NAME_add_entry(turned, X509_NAME_get_entry(written, i), -1, 0);
	if (r == 0)
		GENERAL_NAME_set0_value(name, GEN_DIRNAME, turned);
	else
		X509_NAME_free(turned);
	return r;
}

static const struct kind {
	const char *prefix;
	int type;
	int (*parse)(GENERAL_NAME *name, const char *text, struct hf_error *err);
} kinds[] = {
	{ "DNS:", GEN_DNS, dns_parse },
	{ "IP:", GEN_IPADD, ip_parse },
	{ "email:", GEN_EMAIL, email_parse },
	{ "URI:", GEN_URI, uri_parse },
	{ "RID:", GEN_RID, rid_parse },
	{ "otherName:", GEN_OTHERNAME, other_parse },
	{ "dirName:", GEN_DIRNAME, directory_parse },
};

int hf_crypto_name_parse(const char *text, const char *what, GENERAL_NAME **ret, struct hf_error *err)
{
	for (size_t i = 0; i < HF_COUNT(kinds); i++) {
		if (!hf_str_starts(hf_str(text), kinds[i].prefix))
			continue;
		hf_auto_general_name name = GENERAL_NAME_new();
		int r = kinds[i].parse(name, text + strlen(kinds[i].prefix), err);
		if (r < 0)
			return hf_wrap(err, "Cannot parse %s \"%s\"", what, text);
		*ret = name;
		name = NULL;
		return 0;
	}
	return hf_fail(err, HF_E_TASK, "Cannot parse %s \"%s\" (%s)", what, text,
		strchr(text, ':') == NULL ? "forgot \"DNS:\" prefix?"
					  : "potentially unsupported by cryptography backend");
}

static const char *ip_text(struct hf_arena *a, const ASN1_OCTET_STRING *s)
{
	const unsigned char *p = ASN1_STRING_get0_data(s);
	size_t size = (size_t)ASN1_STRING_length(s), n = size % IP6 == 0 ? IP6 : IP4;
	char text[INET6_ADDRSTRLEN] = "";
	unsigned bits = 0;
	if (size != n && size != 2 * n)
		return "";
	inet_ntop(n == IP4 ? AF_INET : AF_INET6, p, text, sizeof(text));
	if (size == n)
		return hf_strdup(a, text);
	for (size_t i = 0; i < n * 8 && (p[n + i / 8] & (0x80 >> (i % 8))) != 0; i++)
		bits++;
	return hf_sprintf(a, "%s/%u", text, bits);
}

static void value_escape(struct hf_buf *out, struct hf_str value)
{
	for (size_t i = 0; i < value.n; i++) {
		char c = value.p[i];
		bool edge = (i == 0 && (c == ' ' || c == '#')) || (i + 1 == value.n && c == ' ');
		if (c == '\0') {
			hf_buf_puts(out, "\\00");
			continue;
		}
		if (edge || strchr("\\,+<>;\"", c) != NULL)
			hf_buf_put(out, '\\');
		hf_buf_put(out, c);
	}
}

static const char *directory_text(struct hf_arena *a, const X509_NAME *name)
{
	hf_auto_buf out = hf_buf_init(NAME_SIZE_MAX);
	for (int i = X509_NAME_entry_count(name) - 1; i >= 0; i--) {
		const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
		hf_buf_printf(&out, "%s%s=", out.n > 0 ? "," : "",
			hf_crypto_object_name(a, X509_NAME_ENTRY_get_object(entry), true));
		value_escape(&out, string_value(a, X509_NAME_ENTRY_get_data(entry))->u.string);
	}
	return hf_buf_dup(a, &out).p;
}

static const char *other_text(struct hf_arena *a, const OTHERNAME *other)
{
	unsigned char *der = NULL;
	char oid[OID_TEXT_MAX];
	int n = i2d_ASN1_TYPE(other->value, &der);
	OBJ_obj2txt(oid, sizeof(oid), other->type_id, 1);
	const char *text = hf_sprintf(a, "%s;%s", oid, hf_crypto_colons(a, der, n > 0 ? (size_t)n : 0));
	OPENSSL_free(der);
	return text;
}

/* Names may hold any byte, zero too: what such a one is cut to would be another name. */
static struct hf_str prefixed(struct hf_arena *a, const char *prefix, struct hf_str text)
{
	size_t n = strlen(prefix);
	char *p = hf_alloc(a, n + text.n + 1);
	memcpy(p, prefix, n);
	memcpy(p + n, text.p, text.n);
	p[n + text.n] = '\0';
	return hf_strn(p, n + text.n);
}

struct hf_str hf_crypto_name_text(struct hf_arena *a, const GENERAL_NAME *name)
{
	int type;
	const void *value = GENERAL_NAME_get0_value(name, &type);
	const char *prefix = "";
	char oid[OID_TEXT_MAX];
	for (size_t i = 0; i < HF_COUNT(kinds); i++)
		if (kinds[i].type == type)
			prefix = kinds[i].prefix;
	switch (type) {
	case GEN_DNS:
	case GEN_EMAIL:
	case GEN_URI:
		return prefixed(a, prefix, string_value(a, value)->u.string);
	case GEN_IPADD:
		return prefixed(a, prefix, hf_str(ip_text(a, value)));
	case GEN_RID:
		OBJ_obj2txt(oid, sizeof(oid), value, 1);
		return prefixed(a, prefix, hf_str(oid));
	case GEN_DIRNAME:
		return prefixed(a, prefix, hf_str(directory_text(a, value)));
	case GEN_OTHERNAME:
		return prefixed(a, prefix, hf_str(other_text(a, value)));
	default:
		return HF_STR("unknown:");
	}
}
