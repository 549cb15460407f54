/* lib/release/gc.c - removes releases nobody may need and objects no release needs; declared in manage.h. */
#include <string.h>

#include "lib/base/map.h"
#include "lib/base/scope.h"
#include "lib/base/vec.h"
#include "lib/release/manage.h"

struct gc {
	struct hf_arena *arena;
	struct hf_store *store;
	const struct hf_roots *roots;
	const struct hf_gc_options *options;
	struct hf_map releases; /* hex → any: they stay */
	struct hf_map objects;  /* key → any: they stay */
	struct hf_gc_report report;
	enum hf_refusal *refusal;
};

static void keep(struct gc *g, const struct hf_digest *release)
{
	char hex[HF_SHA256_HEX];
	hf_digest_hex(release, hex);
	if (hf_map_find(&g->releases, hex) == NULL)
		hf_map_set(&g->releases, hf_strdup(g->arena, hex), g);
}

static int keep_channels(struct gc *g, struct hf_error *err)
{
	struct hf_channels channels;
	int result = hf_channels_read(g->arena, g->store, g->roots, &channels, err);
	for (size_t i = 0; result == 0 && i < channels.n; i++) {
		const struct hf_channel *c = &channels.at[i];
		if (c->refusal != HF_REFUSED_NOTHING)
			return hf_refuse(g->refusal, err, c->refusal,
				"pointer %s/%s (%s): nothing is removed", c->environment, c->fleet, c->why);
		keep(g, &c->pointer.release);
		if (c->pointer.has_previous)
			keep(g, &c->pointer.previous);
	}
	return result;
}

static int keep_logged(struct gc *g, struct hf_error *err)
{
	const struct hf_root *root = g->roots->trust.root;
	for (size_t i = 0; i < root->n_deploy; i++) {
		struct hf_log_entries entries;
		int result = hf_log_read(g->arena, g->store, g->roots, root->deploy[i].environment,
			g->options->keep_log, &entries, g->refusal, err);
		if (result < 0)
			return result;
		for (size_t k = 0; k < entries.n; k++) {
			struct hf_digest release;
			if (hf_digest_parse(
				    hf_str(hf_dict_cstr(entries.at[k].details, "release", "")), &release))
				keep(g, &release);
		}
	}
	return 0;
}

static bool young(const struct gc *g, const struct hf_store_entry *e)
{
	return e->modified + g->options->keep_seconds > g->options->now;
}

/* What a release that stays needs, stays. */
static int keep_objects_of(struct gc *g, const struct hf_digest *release, struct hf_error *err)
{
	hf_auto_arena scratch = hf_arena_new();
	struct hf_manifest m;
	enum hf_refusal refusal = HF_REFUSED_NOTHING;
	int result = hf_release_read(scratch, g->store, g->roots, release, &m, NULL, &refusal, err);
	if (result < 0) {
		if (g->refusal != NULL)
			*g->refusal = refusal;
		return hf_wrap(err, "nothing is removed");
	}
	for (size_t i = 0; i < m.n_files; i++) {
		char key[HF_OBJECT_KEY_SIZE];
		hf_object_key(&m.files[i].sha256, key);
		if (hf_map_find(&g->objects, key) == NULL)
			hf_map_set(&g->objects, hf_strdup(g->arena, key), g);
	}
	return 0;
}

/* Documents first: what is left of a cut-off collection is objects without a release, never the other way
 * round. */
static int sweep_releases(struct gc *g, struct hf_error *err)
{
	struct hf_store_entries entries;
	HF_VEC(const char *) old = { 0 };
	int result = hf_store_list(g->arena, g->store, "releases/", &entries, err);
	for (size_t i = 0; result == 0 && i < entries.n; i++) {
		struct hf_str hex = hf_str(entries.at[i].key + strlen("releases/"));
		struct hf_digest release;
		if (!hf_str_ends(hex, ".json") || !hf_digest_parse(hf_strn(hex.p, hex.n - 5), &release))
			return hf_fail(err, HF_E_PARSE, "\"%s\" is no release: nothing is removed",
				entries.at[i].key);
		char *name = hf_strndup(g->arena, hex.p, hex.n - 5);
		if (hf_map_find(&g->releases, name) == NULL && !young(g, &entries.at[i])) {
			*hf_vec_push(g->arena, &old) = entries.at[i].key;
			continue;
		}
		result = keep_objects_of(g, &release, err);
		g->report.releases_kept++;
	}
	for (size_t i = 0; result == 0 && i < old.n; i++) {
		if (!g->options->dry_run)
			result = hf_store_remove(g->store, old.at[i], err);
		g->report.releases_removed++;
	}
	return result;
}

static int sweep_objects(struct gc *g, struct hf_error *err)
{
	struct hf_store_entries entries;
	int result = hf_store_list(g->arena, g->store, "objects/", &entries, err);
	for (size_t i = 0; result == 0 && i < entries.n; i++) {
		if (hf_map_find(&g->objects, entries.at[i].key) != NULL || young(g, &entries.at[i])) {
			g->report.objects_kept++;
			continue;
		}
		if (!g->options->dry_run)
			result = hf_store_remove(g->store, entries.at[i].key, err);
		g->report.objects_removed++;
		g->report.bytes_removed += entries.at[i].size;
	}
	return result;
}

int hf_gc(struct hf_arena *a, struct hf_store *store, const struct hf_roots *roots,
	const struct hf_gc_options *options, struct hf_gc_report *ret, enum hf_refusal *ret_refusal,
	struct hf_error *err)
{
	struct gc g = {
		.arena = a, .store = store, .roots = roots, .options = options, .refusal = ret_refusal
	};
	hf_map_init_str(&g.releases, a);
	hf_map_init_str(&g.objects, a);
	for (size_t i = 0; i < roots->trust.root->n_revoked; i++)
		keep(&g, &roots->trust.root->revoked[i].release);
	int result = keep_channels(&g, err);
	if (result == 0)
		result = keep_logged(&g, err);
	if (result == 0)
		result = sweep_releases(&g, err);
	if (result == 0)
		result = sweep_objects(&g, err);
	if (result == 0)
		*ret = g.report;
	return result;
}
