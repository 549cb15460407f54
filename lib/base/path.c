/* lib/base/path.c - path names as text; declared in fs.h. */
#include "lib/base/fs.h"

#include <string.h>

char *hf_path_normalize(struct hf_arena *a, const char *path)
{
	size_t n = strlen(path);
	char *out = hf_alloc(a, n + 2);
	size_t used = 0, floor = 0;
	if (path[0] == '/') {
		out[used++] = '/';
		if (path[1] == '/' && path[2] != '/') /* POSIX: exactly two slashes may mean something else */
			out[used++] = '/';
		floor = used;
	}
	size_t ups = 0; /* leading ".." kept in a relative path */
	for (const char *p = path; *p != '\0';) {
		p += strspn(p, "/");
		size_t k = strcspn(p, "/");
		if (k == 2 && p[0] == '.' && p[1] == '.' && (used > floor + ups * 3 || floor > 0)) {
			while (used > floor && out[used - 1] != '/')
				used--;
			if (used > floor)
				used--;
		} else if (k > 0 && !(k == 1 && p[0] == '.')) {
			if (k == 2 && p[0] == '.' && p[1] == '.')
				ups++;
			if (used > floor)
				out[used++] = '/';
			memcpy(out + used, p, k);
			used += k;
		}
		p += k;
	}
	if (used == 0)
		out[used++] = '.';
	out[used] = '\0';
	return out;
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
