#include "lib/release/ignore.h"

#include <fnmatch.h>

#include "lib/base/vec.h"

enum { GLOB_DEPTH_MAX = 8 /* "**" parts of one pattern */, PART_MAX = 256 };

struct pattern {
	const char *glob;
	bool negated, folder_only, anchored;
};
struct hf_ignore {
	HF_VEC(struct pattern) patterns;
};

int hf_ignore_parse(struct hf_arena *a, struct hf_str text, struct hf_ignore **ret, struct hf_error *err)
{
	struct hf_ignore *ignore = hf_new(a, struct hf_ignore);
	struct hf_str line;
	while (hf_str_split(&text, '\n', &line)) {
		while (line.n > 0 && (line.p[line.n - 1] == '\r' || line.p[line.n - 1] == ' '))
			line.n--;
		if (line.n == 0 || line.p[0] == '#')
			continue;
		if (ignore->patterns.n == HF_IGNORE_PATTERNS_MAX)
			return hf_fail(err, HF_E_LIMIT, ".holdfastignore has more than %d patterns",
				HF_IGNORE_PATTERNS_MAX);
		struct pattern p = { 0 };
		if (line.p[0] == '!') {
			p.negated = true;
			line = hf_strn(line.p + 1, line.n - 1);
		}
		if (line.n > 0 && line.p[line.n - 1] == '/') {
			p.folder_only = true;
			line.n--;
		}
		p.anchored = hf_str_find(line, HF_STR("/"), 0) != SIZE_MAX;
		if (line.n > 0 && line.p[0] == '/')
			line = hf_strn(line.p + 1, line.n - 1);
		p.glob = hf_strndup(a, line.p, line.n);
		if (*p.glob != '\0')
			*hf_vec_push(a, &ignore->patterns) = p;
	}
	*ret = ignore;
	return 0;
}

/* Cuts the first part off; *rest is NULL when that was the last. False when the part is too long to be a
 * name. */
static bool part_take(const char **rest, char *part, size_t size)
{
	size_t n = strcspn(*rest, "/");
	if (n >= size)
		return false;
	memcpy(part, *rest, n);
	part[n] = '\0';
	*rest = (*rest)[n] == '/' ? *rest + n + 1 : NULL;
	return true;
}

/* Part by part; NULL is the end of either. A part "**" stands for any number of folders, at the end for
 * everything below. */
static bool glob_from(const char *pattern, const char *path, int depth)
{
	char want[PART_MAX], have[PART_MAX];
	while (pattern != NULL) {
		if (!part_take(&pattern, want, sizeof(want)))
			return false;
		if (strcmp(want, "**") == 0) {
			if (pattern == NULL || depth == GLOB_DEPTH_MAX)
				return path != NULL;
			for (; path != NULL; path = strchr(path, '/') == NULL ? NULL : strchr(path, '/') + 1)
				if (glob_from(pattern, path, depth + 1))
					return true;
			return false;
		}
		if (path == NULL || !part_take(&path, have, sizeof(have)) || fnmatch(want, have, 0) != 0)
			return false;
	}
	return path == NULL;
}

bool hf_ignore_glob(const char *pattern, const char *path)
{
	return glob_from(pattern, path, 0);
}

bool hf_ignore_match(const struct hf_ignore *ignore, const char *path, bool is_folder)
{
	if (ignore == NULL)
		return false;
	const char *slash = strrchr(path, '/');
	const char *base = slash == NULL ? path : slash + 1;
	for (size_t i = ignore->patterns.n; i-- > 0;) {
		const struct pattern *p = &ignore->patterns.at[i];
		if (p->folder_only && !is_folder)
			continue;
		if (hf_ignore_glob(p->glob, p->anchored ? path : base))
			return !p->negated;
	}
	return false;
}
