/* lib/release/names.c - keys of a store, and the names and versions that documents carry; declared in
 * document.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/data/unicode.h"
#include "lib/release/document.h"

const char *hf_object_key(const struct hf_digest *sha256, char out[HF_OBJECT_KEY_SIZE])
{
	char hex[HF_SHA256_HEX];
	hf_digest_hex(sha256, hex);
	snprintf(out, HF_OBJECT_KEY_SIZE, "objects/%.2s/%s", hex, hex);
	return out;
}

const char *hf_release_key(const struct hf_digest *release, char out[HF_RELEASE_KEY_SIZE])
{
	char hex[HF_SHA256_HEX];
	snprintf(out, HF_RELEASE_KEY_SIZE, "releases/%s.json", hf_digest_hex(release, hex));
	return out;
}

char *hf_root_key_name(struct hf_arena *a, int64_t version)
{
	return hf_sprintf(a, "root/%lld.json", (long long)version);
}

char *hf_pointer_key(struct hf_arena *a, const char *environment, const char *fleet)
{
	return hf_sprintf(a, "channels/%s/%s.json", environment, fleet);
}

char *hf_log_key(struct hf_arena *a, const char *environment, int64_t n)
{
	return hf_sprintf(a, "log/%s/%lld.json", environment, (long long)n);
}

bool hf_channel_name_valid(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t n = strlen(name);
	return n > 0 && n <= HF_NAME_MAX && strspn(name, letters) == n && name[0] != '-' && name[0] != '_';
}

int hf_version_compare(const char *a, const char *b)
{
	while (*a != '\0' || *b != '\0') {
		char *after_a, *after_b;
		unsigned long x = strtoul(a, &after_a, 10), y = strtoul(b, &after_b, 10);
		if (x != y)
			return x < y ? -1 : 1;
		/* What follows the numbers ("-rc1") does not order versions; a dot leads to the next number.
		 */
		a = *after_a == '.' ? after_a + 1 : "";
		b = *after_b == '.' ? after_b + 1 : "";
	}
	return 0;
}

static const char *path_fault(struct hf_str path)
{
	struct hf_str rest = path, part;
	if (path.n == 0 || path.n > HF_PATH_MAX)
		return "its length";
	for (size_t i = 0; i < path.n; i++)
		if ((unsigned char)path.p[i] < 0x20 || path.p[i] == 0x7f || path.p[i] == '\\')
			return "a control character or a backslash";
	if (path.p[path.n - 1] == '/')
		return "a slash at the end";
	while (hf_str_split(&rest, '/', &part)) {
		if (part.n == 0)
			return path.p[0] == '/' ? "it is absolute" : "an empty part";
		if (part.n > HF_PATH_PART_MAX)
			return "a part that is too long";
		if (hf_str_is(part, ".") || hf_str_is(part, ".."))
			return "\".\" or \"..\"";
	}
	return hf_utf8_valid(path) ? NULL : "bytes that are not UTF-8";
}

int hf_file_path_check(struct hf_str path, enum hf_refusal *ret_refusal, struct hf_error *err)
{
	const char *fault = path_fault(path);
	if (fault == NULL)
		return 0;
	char shown[HF_PATH_PART_MAX];
	size_t n = path.n < sizeof(shown) - 1 ? path.n : sizeof(shown) - 1;
	for (size_t i = 0; i < n; i++)
		shown[i] = path.p[i] >= 0x20 && path.p[i] < 0x7f ? path.p[i] : '?';
	shown[n] = '\0';
	return hf_refuse(ret_refusal, err, HF_REFUSED_UNSAFE_PATH, "file \"%s\": %s", shown, fault);
}
