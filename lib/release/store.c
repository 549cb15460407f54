#include "lib/release/store.h"

#include <string.h>

static const struct hf_store_kind *const kinds[] = { &hf_store_file, &hf_store_s3 };

int hf_store_open(struct hf_arena *a, const char *url, const struct hf_store_options *options,
	struct hf_store **ret, struct hf_error *err)
{
	const char *colon = strstr(url, "://");
	if (colon == NULL)
		return hf_fail(err, HF_E_ARGUMENT,
			"store \"%s\" is not a URL: write s3://bucket/prefix or file:///path", url);
	struct hf_store_options full = { 0 };
	if (options != NULL)
		full = *options;
	if (full.parallel == 0)
		full.parallel = HF_STORE_PARALLEL;
	if (full.timeout_ms == 0)
		full.timeout_ms = HF_STORE_TIMEOUT_MS;
	size_t n = strlen(url);
	while (n > (size_t)(colon - url) + 3 && url[n - 1] == '/')
		n--;
	const char *bare = hf_strndup(a, url, n);
	for (size_t i = 0; i < HF_COUNT(kinds); i++) {
		if (!hf_str_equal(hf_strn(url, (size_t)(colon - url)), hf_str(kinds[i]->scheme)))
			continue;
		struct hf_store *store = NULL;
		int result = kinds[i]->open(a, bare, &full, &store, err);
		if (result < 0)
			return result;
		store->kind = kinds[i];
		store->url = bare;
		store->options = full;
		*ret = store;
		return 0;
	}
	return hf_fail(err, HF_E_UNSUPPORTED, "store \"%s\": no kind of store is named \"%.*s\"", url,
		(int)(colon - url), url);
}

struct hf_store *hf_store_close(struct hf_store *store)
{
	if (store != NULL && store->kind->close != NULL)
		store->kind->close(store);
	return NULL;
}

static bool key_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("_-=+@.", c) != NULL);
}

bool hf_store_key_valid(const char *key)
{
	bool first = true; /* of a component: a leading dot would make "..", hidden and temporary files */
	size_t n = 0;
	for (; key[n] != '\0'; n++) {
		if (n >= HF_STORE_KEY_MAX)
			return false;
		if (key[n] == '/' ? first : !key_char(key[n]) || (first && key[n] == '.'))
			return false;
		first = key[n] == '/';
	}
	return n > 0 && !first;
}

static int key_check(const char *key, struct hf_error *err)
{
	if (!hf_store_key_valid(key))
		return hf_fail(err, HF_E_ARGUMENT, "\"%s\" is no valid key of a store", key);
	return 0;
}

int hf_store_get_many(struct hf_store *store, struct hf_store_get *items, size_t n, struct hf_error *err)
{
	for (size_t i = 0; i < n; i++) {
		items[i].result = 1;
		int result = key_check(items[i].key, err);
		if (result < 0)
			return result;
	}
	return store->kind->get(store, items, n, err);
}

int hf_store_get(struct hf_store *store, struct hf_store_get *item, struct hf_error *err)
{
	return hf_store_get_many(store, item, 1, err);
}

int hf_store_put_many(struct hf_store *store, struct hf_store_put *items, size_t n, struct hf_error *err)
{
	for (size_t i = 0; i < n; i++) {
		items[i].result = 1;
		int result = key_check(items[i].key, err);
		if (result < 0)
			return result;
	}
	return store->kind->put(store, items, n, err);
}

int hf_store_put(struct hf_store *store, struct hf_store_put *item, struct hf_error *err)
{
	return hf_store_put_many(store, item, 1, err);
}

int hf_store_head_many(struct hf_store *store, struct hf_store_head *items, size_t n, struct hf_error *err)
{
	for (size_t i = 0; i < n; i++) {
		items[i].result = 1;
		int result = key_check(items[i].key, err);
		if (result < 0)
			return result;
	}
	return store->kind->head(store, items, n, err);
}

static bool prefix_valid(const char *prefix)
{
	if (*prefix == '\0')
		return true;
	char probe[HF_STORE_KEY_MAX + 2];
	size_t n = strlen(prefix);
	if (n >= HF_STORE_KEY_MAX)
		return false;
	memcpy(probe, prefix, n);
	/* "a/" and "a/b" are both prefixes of keys: one more letter makes either a key. */
	probe[n] = 'x';
	probe[n + 1] = '\0';
	return hf_store_key_valid(probe);
}

int hf_store_list(struct hf_arena *a, struct hf_store *store, const char *prefix,
	struct hf_store_entries *ret, struct hf_error *err)
{
	if (!prefix_valid(prefix))
		return hf_fail(err, HF_E_ARGUMENT, "\"%s\" is no valid prefix of keys", prefix);
	return store->kind->list(a, store, prefix, ret, err);
}

int hf_store_remove(struct hf_store *store, const char *key, struct hf_error *err)
{
	int result = key_check(key, err);
	return result < 0 ? result : store->kind->remove(store, key, err);
}
