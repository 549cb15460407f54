/* lib/base/path.c - path names as text; declared in fs.h. */
#include "lib/base/fs.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A normalised path under construction. Below floor bytes ".." cannot climb: the root, or leading ".."s. */
struct normal {
	char *out;
	size_t used, floor;
	bool absolute;
};

static void normal_push(struct normal *n, const char *name, size_t length)
{
	if (n->used > 0 && n->out[n->used - 1] != '/')
		n->out[n->used++] = '/';
	memcpy(n->out + n->used, name, length);
	n->used += length;
}

static void normal_climb(struct normal *n)
{
	if (n->used > n->floor) {
		while (n->used > n->floor && n->out[n->used - 1] != '/')
			n->used--;
		if (n->used > n->floor)
			n->used--;
	} else if (!n->absolute) {
		normal_push(n, "..", 2);
		n->floor = n->used;
	}
}

char *hf_path_normalize(struct hf_arena *a, const char *path)
{
	struct normal n = { .out = hf_alloc(a, strlen(path) + 2), .absolute = path[0] == '/' };
	if (n.absolute)
		n.out[n.used++] = '/';
	if (n.absolute && path[1] == '/' && path[2] != '/') /* POSIX: exactly two may mean something else */
		n.out[n.used++] = '/';
	n.floor = n.used;
	for (const char *p = path; *p != '\0';) {
		p += strspn(p, "/");
		size_t length = strcspn(p, "/");
		struct hf_str name = { p, length };
		if (hf_str_is(name, ".."))
			normal_climb(&n);
		else if (length > 0 && !hf_str_is(name, "."))
			normal_push(&n, p, length);
		p += length;
	}
	if (n.used == 0)
		n.out[n.used++] = '.';
	n.out[n.used] = '\0';
	return n.out;
}

char *hf_path_join(struct hf_arena *a, const char *dir, const char *name)
{
	size_t n = strlen(dir);
	if (name[0] == '/' || n == 0)
		return hf_strdup(a, name);
	return hf_sprintf(a, dir[n - 1] == '/' ? "%s%s" : "%s/%s", dir, name);
}

const char *hf_path_base(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash == NULL ? path : slash + 1;
}

char *hf_path_dir(struct hf_arena *a, const char *path)
{
	const char *slash = strrchr(path, '/');
	if (slash == NULL)
		return hf_strdup(a, ".");
	if (slash == path)
		return hf_strdup(a, "/");
	return hf_strndup(a, path, (size_t)(slash - path));
}

const char *hf_path_expand_user(struct hf_arena *a, const char *path, const char *home)
{
	if (path[0] != '~')
		return path;
	size_t n = strcspn(path, "/");
	if (n > 1)
		home = NULL;
	else if (home == NULL)
		home = getenv("HOME");
	if (home == NULL) {
		const struct passwd *user =
			n == 1 ? getpwuid(getuid()) : getpwnam(hf_strndup(a, path + 1, n - 1));
		if (user == NULL)
			return path;
		home = user->pw_dir;
	}
	size_t keep = strlen(home);
	while (keep > 0 && home[keep - 1] == '/')
		keep--;
	const char *full = hf_sprintf(a, "%.*s%s", (int)keep, home, path + n);
	return full[0] == '\0' ? "/" : full;
}
