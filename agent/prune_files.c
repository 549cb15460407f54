#include "agent/prune_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/digest.h"
#include "lib/base/fs.h"
#include "lib/base/scope.h"

enum { HEX = HF_SHA256_HEX - 1, LIST_MAX = 64 << 20 };
#define UNDO_LINE "{\"k\":\"undo\""

/* --- folders of <aa>/<sha256> --- */

typedef int (*entry_each)(void *data, const char *path, const char *name, struct hf_error *err);

static int folder_each(const char *path, entry_each each, void *data, struct hf_error *err)
{
	hf_auto_dir dir = opendir(path);
	struct dirent *e;
	int result = 0;
	if (dir == NULL)
		return errno == ENOENT ? 0 : hf_fail_errno(err, HF_E_IO, "open %s", path);
	/* What is not read here would be taken for what nothing names. */
	while (result == 0 && (errno = 0, e = readdir(dir)) != NULL) {
		hf_auto_arena a = hf_arena_new();
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			result = each(data, hf_path_join(a, path, e->d_name), e->d_name, err);
	}
	return result == 0 && errno != 0 ? hf_fail_errno(err, HF_E_IO, "read %s", path) : result;
}

struct sweep {
	struct hf_arena *arena;
	struct hf_map *known; /* name → itself */
	bool collect;         /* note what is there; otherwise remove what is not known */
};

static int file_entry(void *data, const char *path, const char *name, struct hf_error *err)
{
	struct sweep *s = data;
	if (s->collect) {
		char *kept = hf_strdup(s->arena, name);
		hf_map_set(s->known, kept, kept);
	} else if (hf_map_find(s->known, name) == NULL && unlink(path) < 0 && errno != ENOENT) {
		return hf_fail_errno(err, HF_E_IO, "remove %s", path);
	}
	return 0;
}

static int subfolder_entry(void *data, const char *path, const char *name, struct hf_error *err)
{
	return hf_fs_is_dir(path) ? folder_each(path, file_entry, data, err) : 0;
}

/* --- pre-images --- */

struct marks {
	struct hf_map *there;      /* what could go */
	struct hf_map *named;      /* what must stay */
	const struct hf_map *runs; /* whose logs are read */
};

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* Whatever reads like a name of ours is taken for one: too much is kept rather than too little. */
static void names_mark(struct marks *m, const char *text, size_t n)
{
	char name[HF_SHA256_HEX];
	for (size_t i = 0, run = 0; i <= n; i++) {
		if (i < n && is_hex(text[i])) {
			run++;
			continue;
		}
		if (run == HEX) {
			memcpy(name, text + i - HEX, HEX);
			name[HEX] = '\0';
			struct hf_map_entry *e = hf_map_find(m->there, name);
			if (e != NULL)
				hf_map_set(m->named, e->key, e->value);
		}
		run = 0;
	}
}

static int undo_lines(const char *path, struct marks *m, bool *ret_any, struct hf_error *err)
{
	hf_auto_file f = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;
	ssize_t n;
	if (f == NULL)
		return errno == ENOENT ? 0 : hf_fail_errno(err, HF_E_IO, "open %s", path);
	bool enough = false;
	while (!enough && (n = getline(&text, &size, f)) > 0) {
		if (strncmp(text, UNDO_LINE, strlen(UNDO_LINE)) != 0)
			continue;
		*ret_any = true;
		enough = m == NULL;
		if (!enough)
			names_mark(m, text, (size_t)n);
	}
	int result = enough || feof(f) ? 0 : hf_fail_errno(err, HF_E_IO, "read %s", path);
	free(text);
	return result;
}

int hf_prune_has_undo(const char *log, bool *ret, struct hf_error *err)
{
	*ret = false;
	return undo_lines(log, NULL, ret, err);
}

static int log_entry(void *data, const char *path, const char *name, struct hf_error *err)
{
	struct marks *m = data;
	hf_auto_arena a = hf_arena_new();
	bool any = false;
	if (hf_map_find(m->runs, hf_strndup(a, name, strcspn(name, "."))) == NULL)
		return 0;
	return undo_lines(path, m, &any, err);
}

int hf_prune_blobs(const char *state_dir, const struct hf_map *runs, struct hf_error *err)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_map there, named;
	hf_map_init_str(&there, a);
	hf_map_init_str(&named, a);
	struct sweep s = { a, &there, true };
	struct marks m = { &there, &named, runs };
	const char *blobs = hf_sprintf(a, "%s/blobs", state_dir);
	int result = folder_each(blobs, subfolder_entry, &s, err);
	if (result < 0 || there.live == 0)
		return result;
	result = folder_each(hf_sprintf(a, "%s/runs", state_dir), log_entry, &m, err);
	if (result < 0)
		return result;
	s = (struct sweep){ a, &named, false };
	return folder_each(blobs, subfolder_entry, &s, err);
}

/* --- objects --- */

struct lists {
	struct hf_arena *arena;
	struct hf_map named;
	bool missing; /* a release has none */
};

static int release_entry(void *data, const char *path, const char *name, struct hf_error *err)
{
	struct lists *l = data;
	struct hf_str text, line;
	if (strchr(name, '.') != NULL)
		return 0;
	int result = hf_fs_read(l->arena, hf_sprintf(l->arena, "%s.objects", path), LIST_MAX, &text, NULL);
	if (result < 0) {
		l->missing = true;
		return 0;
	}
	while (hf_str_split(&text, '\n', &line))
		if (line.n == HEX)
			hf_map_set(&l->named, hf_str_dup(l->arena, line), l);
	return 0;
}

int hf_prune_objects(const char *state_dir, struct hf_error *err)
{
	hf_auto_arena a = hf_arena_new();
	struct lists l = { .arena = a };
	hf_map_init_str(&l.named, a);
	int result = folder_each(hf_sprintf(a, "%s/releases", state_dir), release_entry, &l, err);
	if (result < 0 || l.missing)
		return result;
	struct sweep s = { a, &l.named, false };
	return folder_each(hf_sprintf(a, "%s/objects", state_dir), subfolder_entry, &s, err);
}
