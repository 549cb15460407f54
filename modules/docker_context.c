#include "modules/docker_context.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/digest.h"
#include "lib/base/scope.h"
#include "lib/base/vec.h"
#include "modules/archive_late.h"

/* PATTERN_MAX bounds how deep the stars of one go. */
enum {
	BLOCK_SIZE = 1 << 16,
	IGNORE_MAX = 1 << 20,
	PATTERN_MAX = 4096,
	STEPS_MAX = 1 << 20,
	NAMES_MAX = 1000000
};

/* A line of .dockerignore. */
struct pattern {
	const char *text;
	size_t depth; /* its components */
	bool exception;
};

struct member {
	const char *name, *path;
	struct stat st;
};

struct context {
	struct hf_arena *a;
	HF_VEC(struct pattern) patterns;
	HF_VEC(struct member) members;
};

/* --- .dockerignore --- */

/* A class as in [a-z] and [!a]: without its brackets. */
static bool class_has(const char *p, const char *end, char c)
{
	bool not = *p == '!', in = false;
	for (p += not ; p < end; p++) {
		bool range = p + 2 < end && p[1] == '-';
		in = in || (range ? c >= p[0] && c <= p[2] : c == *p);
		p += range ? 2 : 0;
	}
	return in != not ;
}

static const char *class_end(const char *p)
{
	p += *p == '!';
	return *p == '\0' ? NULL : strchr(p + 1, ']');
}

static bool glob(const char *p, const char *s, size_t *steps);

/* p is at a star: two of them go over folders, one stays in its own. */
static bool stars(const char *p, const char *s, size_t *steps)
{
	bool deep = p[1] == '*';
	const char *rest = p + 1 + deep + (deep && p[2] == '/');
	if (deep && *rest == '\0')
		return true;
	for (const char *at = s;; at++) {
		bool here = !deep || at == s || at[-1] == '/';
		if (here && glob(rest, at, steps))
			return true;
		if (*at == '\0' || (!deep && *at == '/'))
			return false;
	}
}

/* steps bounds what a pattern of many stars would cost. */
static bool glob(const char *p, const char *s, size_t *steps)
{
	for (; *p != '\0'; p++, s++) {
		if (++*steps > STEPS_MAX)
			return false;
		if (*p == '*')
			return stars(p, s, steps);
		const char *end = *p == '[' ? class_end(p + 1) : NULL;
		if (*s == '\0' || (end != NULL && !class_has(p + 1, end, *s)))
			return false;
		if (end != NULL)
			p = end;
		else if (*p == '?' ? *s == '/' : *p != *s)
			return false;
	}
	return *s == '\0';
}

static void pattern_add(struct context *c, const char *line)
{
	struct pattern made = { .exception = *line == '!' };
	struct hf_str rest = hf_str_trim(hf_str(line + made.exception)), part;
	const char **parts = hf_new_array(c->a, rest.n + 1, const char *);
	const char *text = "";
	while (rest.n > 0) {
		hf_str_split(&rest, '/', &part);
		if (hf_str_is(part, "..") && made.depth > 0)
			made.depth--;
		else if (part.n > 0 && !hf_str_is(part, ".") && !hf_str_is(part, ".."))
			parts[made.depth++] = hf_str_dup(c->a, part);
	}
	for (size_t i = 0; i < made.depth; i++)
		text = hf_sprintf(c->a, "%s%s%s", text, i > 0 ? "/" : "", parts[i]);
	made.text = text;
	if (made.depth > 0)
		*hf_vec_push(c->a, &c->patterns) = made;
}

/* The first n components of a path; NULL where it has no more than these. */
static const char *prefix(struct hf_arena *a, const char *name, size_t n)
{
	const char *end = name;
	for (size_t i = 0; i < n; i++) {
		const char *slash = strchr(end, '/');
		if (slash == NULL)
			return NULL;
		end = slash + 1;
	}
	return hf_strndup(a, name, (size_t)(end - name) - 1);
}

static bool left_out(struct context *c, const char *name)
{
	bool out = false;
	for (size_t i = 0; i < c->patterns.n; i++) {
		const struct pattern *p = &c->patterns.at[i];
		const char *above = prefix(c->a, name, p->depth);
		size_t steps = 0;
		bool fits = glob(p->text, name, &steps) || (above != NULL && glob(p->text, above, &steps));
		if (fits)
			out = !p->exception;
	}
	return out;
}

static bool exception_below(const struct context *c, const char *name)
{
	for (size_t i = 0; i < c->patterns.n; i++)
		if (c->patterns.at[i].exception && strncmp(c->patterns.at[i].text, name, strlen(name)) == 0)
			return true;
	return false;
}

static int ignore_read(struct context *c, const char *path, struct hf_buf *kept, struct hf_error *err)
{
	const char *file = hf_path_join(c->a, path, ".dockerignore");
	struct hf_str text, line;
	if (!hf_fs_exists(file))
		return 0;
	int r = hf_fs_read(c->a, file, IGNORE_MAX, &text, err);
	while (r == 0 && text.n > 0) {
		hf_str_split(&text, '\n', &line);
		line = hf_str_trim(line);
		if (line.n == 0 || line.p[0] == '#')
			continue;
		if (line.n > PATTERN_MAX)
			return hf_fail(
				err, HF_E_LIMIT, "%s: a pattern of more than %d bytes", file, PATTERN_MAX);
		pattern_add(c, hf_str_dup(c->a, line));
		hf_buf_printf(kept, "%.*s\n", HF_STR_ARG(line));
	}
	return r;
}

/* --- the folder --- */

struct walk {
	struct context *c;
	const char *skipped; /* a folder that is left out with everything in it */
};

static int entry_take(
	void *data, const char *path, const char *relative, const struct stat *st, struct hf_error *err)
{
	struct walk *w = data;
	struct context *c = w->c;
	size_t n = w->skipped == NULL ? 0 : strlen(w->skipped);
	if (n > 0 && strncmp(relative, w->skipped, n) == 0 && relative[n] == '/')
		return 0;
	bool out = left_out(c, relative);
	if (out && S_ISDIR(st->st_mode) && !exception_below(c, relative))
		w->skipped = hf_strdup(c->a, relative);
	if (out || S_ISSOCK(st->st_mode))
		return 0;
	if (c->members.n == NAMES_MAX)
		return hf_fail(err, HF_E_LIMIT, "%s: more than %d files to build from", path, NAMES_MAX);
	*hf_vec_push(c->a, &c->members) = (struct member){
		.name = hf_strdup(c->a, relative), .path = hf_strdup(c->a, path), .st = *st
	};
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	return strcmp(x->name, y->name);
}

/* --- the tar --- */

static int data_write(struct archive *out, const char *path, struct hf_error *err)
{
	hf_auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char block[BLOCK_SIZE];
	ssize_t n;
	if (fd < 0)
		return hf_fail(err, HF_E_TASK, "Can not read file in context: %s", path);
	while ((n = read(fd, block, sizeof(block))) > 0)
		if (archive_write_data(out, block, (size_t)n) < 0)
			return hf_fail(err, HF_E_TASK, "%s: %s", path, archive_error_string(out));
	return n == 0 ? 0 : hf_fail_errno(err, HF_E_TASK, "read %s", path);
}

/* text: the bytes of a file that is not in the folder; .p NULL: m's own. */
static int member_write(struct archive *out, const struct member *m, struct hf_str text, struct hf_error *err)
{
	hf_auto_archive_entry e = archive_entry_new();
	char target[PATH_MAX];
	bool file = S_ISREG(m->st.st_mode);
	archive_entry_copy_stat(e, &m->st);
	archive_entry_unset_atime(e);
	archive_entry_unset_ctime(e);
	archive_entry_unset_birthtime(e);
	archive_entry_set_nlink(e, 1);
	archive_entry_copy_pathname(e, m->name);
	if (S_ISLNK(m->st.st_mode)) {
		ssize_t n = readlink(m->path, target, sizeof(target) - 1);
		target[n > 0 ? n : 0] = '\0';
		archive_entry_copy_symlink(e, target);
	}
	if (!file)
		archive_entry_set_size(e, 0);
	if (archive_write_header(out, e) < ARCHIVE_WARN)
		return hf_fail(err, HF_E_TASK, "%s: %s", m->name, archive_error_string(out));
	if (file && text.p == NULL)
		return data_write(out, m->path, err);
	if (file && text.n > 0 && archive_write_data(out, text.p, text.n) < 0)
		return hf_fail(err, HF_E_TASK, "%s: %s", m->name, archive_error_string(out));
	return 0;
}

static int extra_write(struct archive *out, const char *name, struct hf_str text, struct hf_error *err)
{
	struct member m = { .name = name, .path = name };
	m.st.st_mode = S_IFREG | 0644;
	m.st.st_size = (off_t)text.n;
	return member_write(out, &m, text, err);
}

/* Where the user's Dockerfile is: *ret_outside its path, where that is not in the folder. */
static const char *dockerfile_place(
	struct hf_arena *a, const char *path, const char *dockerfile, const char **ret_outside)
{
	*ret_outside = NULL;
	if (dockerfile == NULL || *dockerfile == '\0')
		return NULL;
	const char *root = hf_path_normalize(a, path),
		   *full = hf_path_normalize(a, hf_path_join(a, path, dockerfile));
	size_t n = strlen(root);
	if (strncmp(full, root, n) == 0 && (full[n] == '/' || strcmp(root, "/") == 0))
		return *dockerfile == '/' ? full + n + 1 : dockerfile;
	*ret_outside = full;
	struct hf_digest digest = hf_sha256(hf_str(full));
	char hex[HF_SHA256_HEX];
	return hf_sprintf(a, ".dockerfile.%.40s", hf_digest_hex(&digest, hex));
}

static int all_write(struct context *c, struct archive *out, const char *name, const char *outside,
	struct hf_str ignore, struct hf_error *err)
{
	struct hf_str text = HF_STR("");
	int r = outside == NULL ? 0 : hf_fs_read(c->a, outside, IGNORE_MAX, &text, err);
	for (size_t i = 0; r == 0 && i < c->members.n; i++) {
		const struct member *m = &c->members.at[i];
		if (outside == NULL || strcmp(m->name, ".dockerignore") != 0)
			r = member_write(out, m, (struct hf_str){ 0 }, err);
	}
	if (r < 0 || outside == NULL)
		return r;
	const char *lines = hf_sprintf(c->a, "%.*s%s", HF_STR_ARG(ignore), name);
	r = extra_write(out, ".dockerignore", hf_str(lines), err);
	return r < 0 ? r : extra_write(out, name, text, err);
}

int hf_docker_context(struct hf_arena *a, const char *path, const char *dockerfile, int fd,
	const char **ret_dockerfile, struct hf_error *err)
{
	struct context c = { .a = a };
	struct walk walk = { .c = &c };
	const char *outside;
	hf_auto_buf ignore = hf_buf_init(2 * IGNORE_MAX);
	const char *name = dockerfile_place(a, path, dockerfile, &outside);
	int r = hf_archive_ready(err);
	if (r == 0)
		r = ignore_read(&c, path, &ignore, err);
	if (r < 0)
		return r;
	if (ignore.n == 0)
		hf_buf_puts(&ignore, ".dockerignore\n");
	pattern_add(&c, hf_sprintf(a, "!%s", name == NULL ? "Dockerfile" : name));
	pattern_add(&c, "!.dockerignore");
	r = hf_fs_walk(path, entry_take, &walk, err);
	if (r < 0)
		return r;
	if (c.members.n > 0)
		qsort(c.members.at, c.members.n, sizeof(*c.members.at), by_name);
	hf_auto_archive_writer out = archive_write_new();
	archive_write_set_format_pax_restricted(out);
	if (archive_write_open_fd(out, fd) != ARCHIVE_OK)
		return hf_fail(err, HF_E_TASK, "%s", archive_error_string(out));
	r = all_write(&c, out, name, outside, hf_buf_dup(a, &ignore), err);
	if (r == 0 && archive_write_close(out) != ARCHIVE_OK)
		r = hf_fail(err, HF_E_TASK, "%s", archive_error_string(out));
	if (r == 0)
		*ret_dockerfile = name;
	return r;
}
