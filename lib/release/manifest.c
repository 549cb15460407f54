#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "lib/release/document.h"
#include "lib/release/fields.h"

struct raw_manifest {
	struct hf_manifest manifest;
	struct hf_value *files;
};
#define MANIFEST(member) offsetof(struct raw_manifest, manifest.member)
static const struct hf_field manifest_fields[] = {
	{ "name", HF_FIELD_TEXT, MANIFEST(name) },
	{ "created", HF_FIELD_TIME, MANIFEST(created) },
	{ "entry", HF_FIELD_TEXT, MANIFEST(entry) },
	{ "files", HF_FIELD_LIST, offsetof(struct raw_manifest, files) },
	{ "gates", HF_FIELD_LIST, MANIFEST(gates) },
	{ "min_agent", HF_FIELD_TEXT, MANIFEST(min_agent) },
	{ .type = HF_FIELD_END },
};
struct raw_file {
	struct hf_file file;
	const char *mode;
};
static const struct hf_field file_fields[] = {
	{ "path", HF_FIELD_TEXT, offsetof(struct raw_file, file.path) },
	{ "size", HF_FIELD_NUMBER, offsetof(struct raw_file, file.size) },
	{ "sha256", HF_FIELD_DIGEST, offsetof(struct raw_file, file.sha256) },
	{ "mode", HF_FIELD_TEXT, offsetof(struct raw_file, mode) },
	{ .type = HF_FIELD_END },
};

/* "a" before "a/b": then "a" would be both a file and a folder. Sorted bytewise, but "a-b" comes between the
 * two. */
static bool folder_of_other(const struct hf_manifest *m, const char *path)
{
	char folder[HF_PATH_MAX + 1];
	size_t n = strlen(path);
	memcpy(folder, path, n + 1);
	while (n > 0) {
		if (folder[n] == '/') {
			folder[n] = '\0';
			if (hf_manifest_find(m, folder) != NULL)
				return true;
		}
		n--;
	}
	return false;
}

static int read_file(struct hf_arena *a, const struct hf_value *v, struct hf_file *ret,
	enum hf_refusal *ret_refusal, struct hf_error *err)
{
	struct raw_file raw = { 0 };
	int result = hf_fields_bind(a, v, file_fields, "a file of the release", &raw, ret_refusal, err);
	if (result == 0)
		result = hf_file_path_check(hf_str(raw.file.path), ret_refusal, err);
	if (result < 0)
		return result;
	if (strcmp(raw.mode, "0644") != 0 && strcmp(raw.mode, "0755") != 0)
		return hf_refuse(ret_refusal, err, HF_REFUSED_UNSAFE_MODE, "file \"%s\" has mode %s",
			raw.file.path, raw.mode);
	if (raw.file.size > HF_FILE_SIZE_MAX)
		return hf_refuse(ret_refusal, err, HF_REFUSED_TOO_LARGE, "file \"%s\" has %lld bytes",
			raw.file.path, (long long)raw.file.size);
	*ret = raw.file;
	ret->mode = raw.mode[1] == '7' ? 0755 : 0644;
	return 0;
}

static int read_files(struct hf_arena *a, const struct hf_value *list, struct hf_manifest *m,
	enum hf_refusal *ret_refusal, struct hf_error *err)
{
	size_t n = hf_list_len(list);
	if (n == 0 || n > HF_FILES_MAX)
		return hf_refuse(ret_refusal, err, HF_REFUSED_BAD_DOCUMENT,
			"release of %zu files: 1 to %d are allowed", n, HF_FILES_MAX);
	struct hf_file *at = hf_new_array(a, n, struct hf_file);
	int64_t total = 0;
	for (size_t i = 0; i < n; i++) {
		int result = read_file(a, hf_list_at(list, i), &at[i], ret_refusal, err);
		if (result < 0)
			return result;
		if (i > 0 && strcmp(at[i - 1].path, at[i].path) >= 0)
			return hf_refuse(ret_refusal, err, HF_REFUSED_BAD_DOCUMENT,
				"release: files are not sorted, or \"%s\" stands twice", at[i].path);
		total += at[i].size;
		if (total > HF_RELEASE_SIZE_MAX)
			return hf_refuse(ret_refusal, err, HF_REFUSED_TOO_LARGE,
				"release: its files are too large together");
	}
	m->files = at;
	m->n_files = n;
	for (size_t i = 0; i < n; i++)
		if (folder_of_other(m, at[i].path))
			return hf_refuse(ret_refusal, err, HF_REFUSED_UNSAFE_PATH,
				"file \"%s\": a part of its path is a file too", at[i].path);
	return 0;
}

int hf_manifest_parse(struct hf_arena *a, struct hf_str payload, struct hf_manifest *ret,
	enum hf_refusal *ret_refusal, struct hf_error *err)
{
	struct raw_manifest raw = { 0 };
	int result = hf_fields_parse(a, payload, manifest_fields, "release", &raw, ret_refusal, err);
	if (result == 0)
		result = read_files(a, raw.files, &raw.manifest, ret_refusal, err);
	if (result < 0)
		return result;
	if (hf_manifest_find(&raw.manifest, raw.manifest.entry) == NULL)
		return hf_refuse(ret_refusal, err, HF_REFUSED_BAD_DOCUMENT,
			"release: its entry \"%s\" is none of its files", raw.manifest.entry);
	*ret = raw.manifest;
	return 0;
}

static int path_compare(const void *key, const void *file)
{
	return strcmp(key, ((const struct hf_file *)file)->path);
}

const struct hf_file *hf_manifest_find(const struct hf_manifest *m, const char *path)
{
	return bsearch(path, m->files, m->n_files, sizeof(*m->files), path_compare);
}

int64_t hf_manifest_size(const struct hf_manifest *m)
{
	int64_t total = 0;
	for (size_t i = 0; i < m->n_files; i++)
		total += m->files[i].size;
	return total;
}

int hf_manifest_write(struct hf_buf *out, const struct hf_manifest *m, struct hf_error *err)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_value *v = hf_value_dict(a), *files = hf_value_list(a);
	for (size_t i = 0; i < m->n_files; i++) {
		struct hf_value *file = hf_value_dict(a);
		hf_dict_put(file, "path", hf_value_cstr(a, m->files[i].path));
		hf_dict_put(file, "size", hf_value_int(a, m->files[i].size));
		hf_fields_put_digest(a, file, "sha256", &m->files[i].sha256);
		hf_dict_put(file, "mode", hf_value_cstr(a, m->files[i].mode == 0755 ? "0755" : "0644"));
		hf_list_append(files, file);
	}
	hf_dict_put(v, "name", hf_value_cstr(a, m->name));
	hf_fields_put_time(a, v, "created", m->created);
	hf_dict_put(v, "entry", hf_value_cstr(a, m->entry));
	hf_dict_put(v, "files", files);
	hf_dict_put(v, "gates", m->gates != NULL ? m->gates : hf_value_list(a));
	hf_dict_put(v, "min_agent", hf_value_cstr(a, m->min_agent));
	return hf_json_write(out, v, &HF_JSON_COMPACT, err);
}
