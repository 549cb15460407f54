/* cli/require.h - roles and collections that requirements.yml names (Ansible Galaxy's format) become part of
 * a release. `release lock` finds out what each is at the moment and writes requirements.lock; `build` and
 * `push` fetch just that and refuse anything else. What lies in the tree already counts as it is.
 * Owns:  one folder in TMPDIR, removed by require_done(); the rest is in the arena. */
#pragma once
#include "lib/base/digest.h"
#include "lib/base/vec.h"
#include "lib/data/value.h"
#include "lib/release/tree.h"

enum require_kind { REQUIRE_ROLE, REQUIRE_COLLECTION };
enum require_type { REQUIRE_GIT, REQUIRE_URL, REQUIRE_FILE, REQUIRE_DIR, REQUIRE_GALAXY };
enum { REQUIRE_MAX = 1000, REQUIRE_FILE_MAX = 4 << 20 };
#define REQUIRE_LOCK "requirements.lock"

/* One thing as it was asked for, and what that is. */
struct requirement {
	enum require_kind kind;
	enum require_type type;
	const char *name;    /* web, or acme.net; NULL until a collection has been looked at */
	const char *source;  /* URL or path; of galaxy: the name there */
	const char *below;   /* folder inside a repository ("repo.git#/sub"); "" */
	const char *version; /* as asked for; "" */
	const char *server;  /* of galaxy: the server's URL; NULL: the one configured */
	bool needed;         /* something else needs it, not the file itself */
	struct hf_pos pos;
	/* Pins, as far as the type has them. */
	const char *resolved; /* galaxy: the version chosen */
	const char *url;      /* galaxy: where that lies */
	const char *commit, *sha256, *tree;
	const char *folder; /* where it was put */
};
struct requirements {
	struct requirement *at;
	size_t n, room;
};

struct require {
	struct hf_arena *arena;
	const char *folder; /* the tree */
	const char *base;   /* what relative paths start from */
	const char *temp;   /* NULL until something is fetched */
	const char *galaxy; /* server; NULL: none */
	unsigned number;    /* of folders made in temp */
	struct requirements wanted;
};

/* requirements.yml, roles/requirements.yml, collections/requirements.yml of the tree, includes followed; what
 * the tree holds already and collections whose modules are built in are left out. */
HF_CHECK int require_read(struct require *r, struct hf_error *err);
/* One file in either format, or a value of it; every role or collection goes into r->wanted. */
HF_CHECK int require_role_add(struct require *r, const struct hf_value *v, bool needed, struct hf_error *err);
HF_CHECK int require_collection_add(
	struct require *r, const struct hf_value *v, bool needed, struct hf_error *err);

HF_CHECK int require_lock_read(struct require *r, struct requirements *ret, struct hf_error *err);
HF_CHECK int require_lock_write(struct require *r, const struct requirements *locked, struct hf_error *err);

/* Puts q into a folder of its own. Pins that q has must hold; those it lacks are filled in. */
HF_CHECK int require_fetch(struct require *r, struct requirement *q, struct hf_error *err);
/* Fills in url, resolved and sha256 of what a Galaxy server has. */
HF_CHECK int require_galaxy_find(struct require *r, struct requirement *q, struct hf_error *err);
/* GET into memory, or into a file. */
HF_CHECK int require_get(struct require *r, const char *url, struct hf_str *ret, struct hf_error *err);
HF_CHECK int require_download(const char *url, const char *path, struct hf_error *err);
/* Files, folders and links that stay inside; anything else in the archive is refused. */
HF_CHECK int require_unpack(const char *archive, const char *folder, struct hf_error *err);
HF_CHECK int require_copy(struct hf_arena *a, const char *from, const char *to, struct hf_error *err);
/* One hash over names, modes, contents and links. */
HF_CHECK int require_tree_hash(
	struct hf_arena *a, const char *folder, const char **ret, struct hf_error *err);
const char *require_new_path(struct require *r, const char *what);
/* "role web", "collection acme.net": for messages. */
const char *require_title(struct hf_arena *a, const struct requirement *q);
const char *require_place(struct hf_arena *a, const struct requirement *q); /* roles/web … */

/* Of hf_tree_options: a view of folder with everything that the lock pins. data: struct require. */
HF_CHECK int require_view(
	void *data, struct hf_arena *a, const char *folder, struct hf_tree_view *ret, struct hf_error *err);
void require_done(struct require *r);
