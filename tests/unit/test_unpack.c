/* Releases become folders whole or not at all; stores in a folder keep their promises; patterns match as
 * git's. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/release/ignore.h"
#include "lib/release/store.h"
#include "lib/release/unpack.h"
#include "tests/unit/release_kit.h"
#include "tests/unit/unit.h"

static struct hf_arena *arena;
static char folder[] = "/tmp/hf-unpack-XXXXXX";

static const char *below(const char *name)
{
	return hf_path_join(arena, folder, name);
}

static void write_file(const char *path, const char *text)
{
	struct hf_error err;
	assert_int_equal(hf_fs_mkdirs(hf_path_dir(arena, path), 0755, &err), 0);
	assert_int_equal(hf_fs_replace(path, hf_str(text), HF_FS_KEEP, &err), 0);
}

/* --- unpack --- */
struct unpack_row {
	const char *title, *path, *content; /* content: of the object; NULL: withheld */
	int64_t size;
	unsigned mode;
	enum hf_refusal want;
};
static const struct unpack_row unpacks[] = {
	{ "unpack: plain", "roles/a/x", "good", 4, 0644, HF_REFUSED_NOTHING },
	{ "unpack: executable", "bin/x", "good", 4, 0755, HF_REFUSED_NOTHING },
	{ "unpack: other bytes", "x", "evil", 4, 0644, HF_REFUSED_HASH_MISMATCH },
	{ "unpack: longer", "x", "good and more", 4, 0644, HF_REFUSED_SIZE_MISMATCH },
	{ "unpack: shorter", "x", "goo", 4, 0644, HF_REFUSED_SIZE_MISMATCH },
	{ "unpack: withheld", "x", NULL, 4, 0644, HF_REFUSED_MISSING_OBJECT },
	{ "unpack: upwards", "../x", "good", 4, 0644, HF_REFUSED_UNSAFE_PATH },
	{ "unpack: absolute", "/tmp/x", "good", 4, 0644, HF_REFUSED_UNSAFE_PATH },
	{ "unpack: setuid", "x", "good", 4, 04755, HF_REFUSED_UNSAFE_MODE },
	{ "unpack: world-writable", "x", "good", 4, 0666, HF_REFUSED_UNSAFE_MODE },
};

static void unpack_row(void **state)
{
	const struct unpack_row *r = *state;
	struct hf_error err;
	struct hf_file files[2] = { { "0", 4, hf_sha256(HF_STR("good")), 0644 },
		{ r->path, r->size, hf_sha256(HF_STR("good")), r->mode } };
	/* The first file is another object, so that a refusal comes after something was written. */
	files[0].sha256 = hf_sha256(HF_STR("zero"));
	struct hf_manifest m = { .entry = "0", .files = files, .n_files = 2 };
	struct hf_object_cache cache = { hf_sprintf(arena, "%s/objects-%s", folder, r->title) };
	const char *releases = hf_sprintf(arena, "%s/releases-%s", folder, r->title), *path = NULL;
	struct hf_digest release = hf_sha256(hf_str(r->title));
	write_file(hf_object_cache_path(arena, &cache, &files[0].sha256), "zero");
	if (r->content != NULL)
		write_file(hf_object_cache_path(arena, &cache, &files[1].sha256), r->content);
	enum hf_refusal refusal = HF_REFUSED_NOTHING;
	int result =
		hf_unpack(arena, &m, &release, releases, hf_object_cache_open, &cache, &path, &refusal, &err);
	assert_string_equal(hf_refusal_word(refusal), hf_refusal_word(r->want));
	assert_int_equal(result, r->want == HF_REFUSED_NOTHING ? 0 : -HF_E_TRUST);
	if (result < 0) {
		/* Nothing is left, not even the file that was good. */
		assert_int_equal(rmdir(releases), 0);
		return;
	}
	struct stat st;
	assert_int_equal(stat(hf_path_join(arena, path, r->path), &st), 0);
	assert_int_equal(st.st_mode & 07777, r->mode);
	assert_int_equal(hf_unpack_check(&m, path, &refusal, &err), 0);
	/* Again: the folder that is there is kept. */
	assert_int_equal(
		hf_unpack(arena, &m, &release, releases, hf_object_cache_open, &cache, &path, &refusal, &err),
		0);
	write_file(hf_path_join(arena, path, "added"), "x");
	assert_int_equal(hf_unpack_check(&m, path, &refusal, &err), -HF_E_TRUST);
	assert_int_equal(unlink(hf_path_join(arena, path, "added")), 0);
	write_file(hf_path_join(arena, path, "0"), "ZERO");
	assert_int_equal(hf_unpack_check(&m, path, &refusal, &err), -HF_E_TRUST);
	assert_int_equal(refusal, HF_REFUSED_HASH_MISMATCH);
	assert_int_equal(unlink(hf_path_join(arena, path, "0")), 0);
	assert_int_equal(hf_unpack_check(&m, path, &refusal, &err), -HF_E_TRUST);
	assert_int_equal(refusal, HF_REFUSED_MISSING_OBJECT);
}

static void cache_missing(void **state)
{
	struct hf_error err;
	struct hf_file files[3] = { { "a", 4, hf_sha256(HF_STR("good")), 0644 },
		{ "b", 4, hf_sha256(HF_STR("miss")), 0644 }, { "c", 4, hf_sha256(HF_STR("miss")), 0644 } };
	struct hf_manifest m = { .entry = "a", .files = files, .n_files = 3 };
	struct hf_object_cache cache = { below("cache") };
	write_file(hf_object_cache_path(arena, &cache, &files[0].sha256), "good");
	size_t *index = NULL, n = 0;
	assert_int_equal(hf_object_cache_missing(arena, &cache, &m, &index, &n, &err), 0);
	assert_int_equal(n, 1);
	assert_int_equal(index[0], 1);
}

/* --- keys of a store --- */
struct key_row {
	const char *title, *key;
	bool good;
};
static const struct key_row keys[] = {
	{ "key: plain", "root/1.json", true },
	{ "key: upwards", "../x", false },
	{ "key: upwards inside", "a/../x", false },
	{ "key: absolute", "/x", false },
	{ "key: hidden", "a/.lock", false },
	{ "key: empty", "", false },
	{ "key: slash at the end", "a/", false },
	{ "key: two slashes", "a//b", false },
	{ "key: a blank", "a b", false },
	{ "key: a backslash", "a\\b", false },
	{ "key: newline", "a\nb", false },
};

static void key_row(void **state)
{
	const struct key_row *r = *state;
	hf_auto_arena a = hf_arena_new();
	struct hf_error err;
	hf_auto_store store = NULL;
	hf_auto_buf out = hf_buf_init(100);
	assert_int_equal(hf_store_key_valid(r->key), r->good);
	assert_int_equal(hf_store_open(a, hf_sprintf(a, "file://%s", folder), NULL, &store, &err), 0);
	struct hf_store_get get = { .key = r->key, .out = &out, .max = 100 };
	assert_int_equal(hf_store_get(store, &get, &err), r->good ? -HF_E_NOT_FOUND : -HF_E_ARGUMENT);
}

static void store_conditions(void **state)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_error err;
	hf_auto_store store = NULL;
	hf_auto_buf out = hf_buf_init(100);
	assert_int_equal(hf_store_open(a, hf_sprintf(a, "file://%s/store", folder), NULL, &store, &err), 0);
	struct hf_store_put put = { .key = "a/b", .data = HF_STR("one"), .fd = -1, .when = HF_PUT_CREATE };
	assert_int_equal(hf_store_put(store, &put, &err), 0);
	assert_int_equal(hf_store_put(store, &put, &err), -HF_E_CONFLICT);
	struct hf_etag first = put.new_etag;
	put.when = HF_PUT_MATCH;
	put.etag = first.text;
	put.data = HF_STR("two");
	assert_int_equal(hf_store_put(store, &put, &err), 0);
	put.etag = first.text;
	assert_int_equal(hf_store_put(store, &put, &err), -HF_E_CONFLICT);
	struct hf_store_get get = {
		.key = "a/b", .out = &out, .max = 100, .if_none_match = put.new_etag.text
	};
	struct hf_etag now = put.new_etag;
	get.if_none_match = first.text;
	assert_int_equal(hf_store_get(store, &get, &err), 0);
	assert_false(get.not_modified);
	assert_string_equal(out.p, "two");
	now = get.etag;
	get.if_none_match = now.text;
	assert_int_equal(hf_store_get(store, &get, &err), 0);
	assert_true(get.not_modified);
	get.if_none_match = NULL;
	get.max = 2;
	assert_int_equal(hf_store_get(store, &get, &err), -HF_E_LIMIT);
	struct hf_digest other = hf_sha256(HF_STR("other"));
	struct hf_store_put checked = { .key = "c", .data = HF_STR("x"), .fd = -1, .sha256 = &other };
	assert_int_equal(hf_store_put(store, &checked, &err), -HF_E_CONFLICT);
	struct hf_store_entries entries;
	assert_int_equal(hf_store_list(a, store, "a/", &entries, &err), 0);
	assert_int_equal(entries.n, 1);
	assert_int_equal(hf_store_remove(store, "a/b", &err), 0);
	assert_int_equal(hf_store_remove(store, "a/b", &err), 0);
	assert_int_equal(hf_store_list(a, store, "", &entries, &err), 0);
	assert_int_equal(entries.n, 0);
}

/* A store somebody else writes: its links lead nowhere outside. */
static void store_links(void **state)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_error err;
	hf_auto_store store = NULL;
	hf_auto_buf out = hf_buf_init(100);
	write_file(below("secret"), "secret");
	write_file(below("links/plain"), "x");
	assert_int_equal(symlink("../secret", below("links/file")), 0);
	assert_int_equal(symlink("..", below("links/up")), 0);
	assert_int_equal(hf_store_open(a, hf_sprintf(a, "file://%s/links", folder), NULL, &store, &err), 0);
	static const char *const names[] = { "file", "up/secret" };
	for (size_t i = 0; i < HF_COUNT(names); i++) {
		struct hf_store_get get = { .key = names[i], .out = &out, .max = 100 };
		assert_true(hf_store_get(store, &get, &err) < 0);
		assert_int_equal(out.n, 0);
	}
}

/* --- patterns --- */
struct glob_row {
	const char *title, *pattern, *path;
	bool want;
};
static const struct glob_row globs[] = {
	{ "glob: star", "*.pyc", "a.pyc", true },
	{ "glob: star stops at slashes", "*.pyc", "a/b.pyc", false },
	{ "glob: question mark", "?.c", "ab.c", false },
	{ "glob: set", "[a-c].c", "b.c", true },
	{ "glob: negated set", "[!a-c].c", "b.c", false },
	{ "glob: folders before", "**/x", "a/b/x", true },
	{ "glob: no folder before", "**/x", "x", true },
	{ "glob: all below", "a/**", "a/b/c", true },
	{ "glob: all below, not itself", "a/**", "a", false },
	{ "glob: folders between", "a/**/z", "a/b/c/z", true },
	{ "glob: none between", "a/**/z", "a/z", true },
	{ "glob: other end", "a/**/z", "a/b/y", false },
	{ "glob: many stars", "**/**/**/**/z", "a/b/c/d/e/f/y", false },
};

static void glob_row(void **state)
{
	const struct glob_row *r = *state;
	assert_int_equal(hf_ignore_glob(r->pattern, r->path), r->want);
}

static const struct CMUnitTest singles[] = {
	{ "cache: what is missing, each object once", cache_missing, NULL, NULL, NULL },
	{ "store: conditions", store_conditions, NULL, NULL, NULL },
	{ "store: links that leave it", store_links, NULL, NULL, NULL },
};

#define ADD_ROWS(rows, check)                                                                                \
	for (size_t i = 0; i < HF_COUNT(rows); i++)                                                          \
		tests[n++] = (struct CMUnitTest)                                                             \
		{                                                                                            \
			(rows)[i].title, check, NULL, NULL, (void *)(uintptr_t) & (rows)[i]                  \
		}

int main(void)
{
	struct CMUnitTest tests[HF_COUNT(unpacks) + HF_COUNT(keys) + HF_COUNT(globs) + HF_COUNT(singles)];
	size_t n = 0;
	struct hf_error err;
	arena = hf_arena_new();
	if (mkdtemp(folder) == NULL)
		return 1;
	ADD_ROWS(unpacks, unpack_row);
	ADD_ROWS(keys, key_row);
	ADD_ROWS(globs, glob_row);
	for (size_t i = 0; i < HF_COUNT(singles); i++)
		tests[n++] = singles[i];
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	if (hf_fs_remove_tree(folder, &err) < 0)
		failed++;
	hf_arena_free(arena);
	return failed;
}
