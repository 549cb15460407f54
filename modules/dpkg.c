#include "modules/dpkg.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/fs.h"
#include "lib/base/map.h"
#include "lib/base/scope.h"
#include "lib/base/vec.h"

#define STATUS_PATH "/var/lib/dpkg/status"
#define STATES_PATH "/var/lib/apt/extended_states"

/* The table of this process and the file it was read from. */
static struct cache {
	struct hf_arena *arena;
	struct hf_dpkg db;
	struct hf_map index;
	const char *path;
	struct stat st;
} cache;

static void status_take(struct hf_dpkg_package *p, char *value)
{
	char *state = strrchr(value, ' '), *end = strchr(value, ' ');
	if (state == NULL)
		return;
	p->installed = strcmp(state, " installed") == 0 || strncmp(state, " triggers", 9) == 0;
	p->config_files = strcmp(state, " config-files") == 0;
	*end = '\0';
	p->want = value;
}

/* One stanza's field, "Name: value", of which most are none of ours. The line is cut in place: the text
 * belongs to the cache. */
static void field_take(struct hf_dpkg_package *p, char *line, size_t n)
{
	const struct {
		struct hf_str name; /* with the colon */
		const char **place; /* NULL: the state */
	} rows[] = { { HF_STR("Package:"), &p->name }, { HF_STR("Architecture:"), &p->arch },
		{ HF_STR("Version:"), &p->version }, { HF_STR("Section:"), &p->section },
		{ HF_STR("Provides:"), &p->provides }, { HF_STR("Status:"), NULL } };
	for (size_t i = 0; i < HF_COUNT(rows); i++) {
		if (rows[i].name.n > n || rows[i].name.p[0] != line[0] ||
			memcmp(rows[i].name.p, line, rows[i].name.n) != 0)
			continue;
		line[n] = '\0'; /* the text is terminated: its end may be written too */
		char *value = line + rows[i].name.n;
		value += strspn(value, " \t");
		if (rows[i].place == NULL)
			status_take(p, value);
		else
			*rows[i].place = value;
	}
}

static char *line_end(char *line, char *end)
{
	char *stop = memchr(line, '\n', (size_t)(end - line));
	return stop == NULL ? end : stop;
}

static int status_parse(struct cache *k, char *text, size_t n, struct hf_error *err)
{
	HF_VEC(struct hf_dpkg_package) list = { 0 };
	struct hf_dpkg_package p = { 0 };
	char *end = text + n;
	for (char *line = text; line < end;) {
		char *stop = line_end(line, end);
		bool last = stop == end, blank = stop == line;
		if (!blank)
			field_take(&p, line, (size_t)(stop - line));
		if ((blank || last || stop + 1 == end) && p.name != NULL) {
			if (list.n >= HF_DPKG_PACKAGES_MAX)
				return hf_fail(err, HF_E_LIMIT, "%s: more than %d packages", k->path,
					HF_DPKG_PACKAGES_MAX);
			*hf_vec_push(k->arena, &list) = p;
			p = (struct hf_dpkg_package){ 0 };
		}
		line = stop + 1;
	}
	k->db.at = list.at;
	k->db.n = list.n;
	return 0;
}

static void index_build(struct cache *k)
{
	hf_map_init_str(&k->index, k->arena);
	k->db.index = &k->index;
	for (size_t i = k->db.n; i-- > 0;) {
		struct hf_dpkg_package *p = &k->db.at[i];
		p->version = p->version == NULL ? "" : p->version;
		p->arch = p->arch == NULL ? "all" : p->arch;
		p->section = p->section == NULL ? "" : p->section;
		p->want = p->want == NULL ? "" : p->want;
		p->next = hf_map_get(&k->index, p->name);
		hf_map_set(&k->index, p->name, p);
	}
	const struct hf_dpkg_package *own = hf_map_get(&k->index, "dpkg");
	k->db.architecture = own == NULL ? "amd64" : own->arch;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

int hf_dpkg_load(const char *path, const struct hf_dpkg **ret, struct hf_error *err)
{
	struct stat st;
	path = path == NULL ? STATUS_PATH : path;
	if (stat(path, &st) < 0)
		return hf_fail_errno(
			err, errno == ENOENT ? HF_E_NOT_FOUND : HF_E_IO, "dpkg's database %s", path);
	if (cache.arena != NULL && strcmp(cache.path, path) == 0 && same_file(&st, &cache.st)) {
		*ret = &cache.db;
		return 0;
	}
	cache.arena = hf_arena_free(cache.arena);
	struct cache k = { .arena = hf_arena_new(), .st = st };
	k.path = hf_strdup(k.arena, path);
	struct hf_str text;
	int r = hf_fs_read(k.arena, path, HF_DPKG_STATUS_MAX, &text, err);
	if (r == 0) /* the text is ours alone, just read into our arena */
		r = status_parse(&k, (char *)(uintptr_t)text.p, text.n, err);
	if (r < 0) {
		hf_arena_free(k.arena);
		return r;
	}
	cache = k;
	index_build(&cache);
	*ret = &cache.db;
	return 0;
}

/* The packages of apt's file that bear its mark. */
static struct {
	struct hf_arena *arena;
	struct hf_map names;
	struct stat st;
} automatic;

static void automatic_read(struct hf_str text)
{
	struct hf_str line, name = { 0 };
	while (hf_str_split(&text, '\n', &line)) {
		if (line.n == 0)
			name.n = 0;
		else if (hf_str_starts(line, "Package: "))
			name = hf_strn(line.p + 9, line.n - 9);
		else if (name.n > 0 && hf_str_starts(line, "Auto-Installed: 1"))
			hf_map_set(&automatic.names, hf_str_dup(automatic.arena, name), &automatic);
	}
}

bool hf_dpkg_automatic(const char *name)
{
	struct stat st;
	if (stat(STATES_PATH, &st) < 0)
		return false;
	if (automatic.arena == NULL || !same_file(&st, &automatic.st)) {
		hf_auto_arena scratch = hf_arena_new();
		struct hf_str text;
		automatic.arena = hf_arena_free(automatic.arena);
		if (hf_fs_read(scratch, STATES_PATH, HF_DPKG_STATUS_MAX, &text, NULL) < 0)
			return false;
		automatic.arena = hf_arena_new();
		automatic.st = st;
		hf_map_init_str(&automatic.names, automatic.arena);
		automatic_read(text);
	}
	return hf_map_get(&automatic.names, name) != NULL;
}

const struct hf_dpkg_package *hf_dpkg_find(const struct hf_dpkg *db, const char *name)
{
	char plain[256];
	const char *colon = strchr(name, ':');
	size_t n = colon == NULL ? strlen(name) : (size_t)(colon - name);
	if (n >= sizeof(plain))
		return NULL;
	memcpy(plain, name, n);
	plain[n] = '\0';
	const struct hf_dpkg_package *first = hf_map_get(db->index, plain);
	const char *arch = colon == NULL || strcmp(colon, ":native") == 0 ? db->architecture : colon + 1;
	for (const struct hf_dpkg_package *p = first; p != NULL; p = p->next)
		if (strcmp(p->arch, arch) == 0 || strcmp(p->arch, "all") == 0)
			return p;
	return colon != NULL && strcmp(arch, "any") != 0 ? NULL : first;
}

/* "a, b (= 1.2), c:any" */
static bool provides_names(const char *provides, const char *name)
{
	size_t n = strlen(name);
	for (const char *p = provides; *p != '\0'; p += strcspn(p, ","), p += *p == ',') {
		p += strspn(p, " \n\t");
		if (strncmp(p, name, n) == 0 && (p[n] == '\0' || strchr(" ,(:", p[n]) != NULL))
			return true;
	}
	return false;
}

const struct hf_dpkg_package *hf_dpkg_provider(const struct hf_dpkg *db, const char *name)
{
	for (size_t i = 0; i < db->n; i++) {
		const struct hf_dpkg_package *p = &db->at[i];
		if (p->installed && p->provides != NULL && provides_names(p->provides, name))
			return p;
	}
	return NULL;
}

/* '~' before the end, the end before letters, letters before the rest. */
static int order_of(char c)
{
	if (c == '~')
		return -1;
	if (c == '\0' || isdigit((unsigned char)c))
		return 0;
	return isalpha((unsigned char)c) ? c : c + 256;
}

static bool digit_at(struct hf_str s, size_t i)
{
	return i < s.n && isdigit((unsigned char)s.p[i]);
}

/* Compare and pass what comes before the next digits. */
static int words_compare(struct hf_str a, struct hf_str b, size_t *i, size_t *k)
{
	while ((*i < a.n && !digit_at(a, *i)) || (*k < b.n && !digit_at(b, *k))) {
		int d = order_of(*i < a.n ? a.p[*i] : '\0') - order_of(*k < b.n ? b.p[*k] : '\0');
		if (d != 0)
			return d;
		++*i;
		++*k;
	}
	return 0;
}

/* Compare and pass digits as a number of any length. */
static int digits_compare(struct hf_str a, struct hf_str b, size_t *i, size_t *k)
{
	int first = 0;
	while (*i < a.n && a.p[*i] == '0')
		++*i;
	while (*k < b.n && b.p[*k] == '0')
		++*k;
	for (; digit_at(a, *i) && digit_at(b, *k); ++*i, ++*k)
		if (first == 0)
			first = a.p[*i] - b.p[*k];
	if (digit_at(a, *i))
		return 1;
	return digit_at(b, *k) ? -1 : first;
}

static int part_compare(struct hf_str a, struct hf_str b)
{
	size_t i = 0, k = 0;
	while (i < a.n || k < b.n) {
		int d = words_compare(a, b, &i, &k);
		if (d == 0)
			d = digits_compare(a, b, &i, &k);
		if (d != 0)
			return d;
	}
	return 0;
}

struct version {
	long epoch;
	struct hf_str upstream, revision;
};

static struct version version_split(const char *text)
{
	struct version v = { 0 };
	const char *colon = strchr(text, ':');
	if (colon != NULL) {
		v.epoch = strtol(text, NULL, 10);
		text = colon + 1;
	}
	const char *dash = strrchr(text, '-');
	v.upstream = dash == NULL ? hf_str(text) : hf_strn(text, (size_t)(dash - text));
	v.revision = dash == NULL ? HF_STR("") : hf_str(dash + 1);
	return v;
}

int hf_dpkg_compare(const char *a, const char *b)
{
	struct version x = version_split(a), y = version_split(b);
	if (x.epoch != y.epoch)
		return x.epoch < y.epoch ? -1 : 1;
	int d = part_compare(x.upstream, y.upstream);
	return d != 0 ? d : part_compare(x.revision, y.revision);
}
