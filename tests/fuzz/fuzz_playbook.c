/* Everything a run reads before its first task: playbook, roles, imports, variables, inventory, ansible.cfg;
 * and lint, which also reads what is only included. The input is a folder: "=== path" lines begin its files,
 * what stands before the first one is site.yml. Nothing is run and templates reach nothing. */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/engine/lint.h"
#include "lib/engine/run.h"
#include "modules/registry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILES_MAX = 24, PATH_MAX_HERE = 80, DEPTH_MAX = 8 };

static char folder[] = "/tmp/fuzz-playbook-XXXXXX";

static void empty_folder(const char *path, unsigned depth)
{
	hf_auto_dir d = opendir(path);
	char child[4096];
	for (const struct dirent *e; d != NULL && depth < DEPTH_MAX && (e = readdir(d)) != NULL;) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		snprintf(child, sizeof(child), "%s/%s", path, e->d_name);
		if (unlink(child) < 0) {
			empty_folder(child, depth + 1);
			(void)rmdir(child);
		}
	}
}

static void leave(void)
{
	empty_folder(folder, 0);
	(void)rmdir(folder);
}

static void enter(void)
{
	static bool there;
	if (there)
		return;
	if (mkdtemp(folder) == NULL)
		abort();
	there = true;
	setenv("HOME", folder, 1);
	atexit(leave);
}

static bool fit(struct hf_str path)
{
	if (path.n == 0 || path.n > PATH_MAX_HERE || path.p[0] == '/' ||
		hf_str_find(path, HF_STR(".."), 0) != SIZE_MAX || memchr(path.p, '\0', path.n) != NULL)
		return false;
	unsigned depth = 0;
	for (size_t i = 0; i < path.n; i++)
		depth += path.p[i] == '/';
	return depth < DEPTH_MAX;
}

static void put(struct hf_arena *a, struct hf_str path, struct hf_str text)
{
	if (!fit(path))
		return;
	char *name = hf_str_dup(a, path);
	for (char *slash = strchr(name, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(name, 0755);
		*slash = '/';
	}
	hf_auto_fd fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd >= 0 && write(fd, text.p, text.n) < 0)
		abort();
}

static void unpack(struct hf_arena *a, struct hf_str all)
{
	struct hf_str path = HF_STR("site.yml"), line, rest = all;
	const char *begin = all.p;
	for (unsigned files = 0; files < FILES_MAX; files++) {
		const char *end = all.p + all.n;
		struct hf_str next = { 0 };
		while (hf_str_split(&rest, '\n', &line)) {
			if (!hf_str_starts(line, "=== "))
				continue;
			end = line.p;
			next = hf_strn(line.p + 4, line.n - 4);
			break;
		}
		put(a, path, hf_strn(begin, (size_t)(end - begin)));
		if (next.p == NULL)
			return;
		path = next;
		begin = next.p + next.n + (next.p + next.n < all.p + all.n);
	}
}

/* Programs that a file of the input could name: a password file may be one. */
static bool names_programs(struct hf_str all)
{
	return hf_str_find(all, HF_STR("bin/"), 0) != SIZE_MAX ||
	       hf_str_find(all, HF_STR("/dev"), 0) != SIZE_MAX ||
	       hf_str_find(all, HF_STR("/proc"), 0) != SIZE_MAX ||
	       hf_str_find(all, HF_STR("/sys"), 0) != SIZE_MAX;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_str all = { (const char *)data, size };
	if (size == 0 || names_programs(all))
		return 0;
	enter();
	empty_folder(folder, 0);
	hf_auto_fd home = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (home < 0 || chdir(folder) < 0)
		abort();
	hf_auto_arena a = hf_arena_new();
	unpack(a, all);
	static const char *const books[] = { "site.yml", NULL };
	static const char *const inventories[] = { "inv", NULL };
	static const char *const places[] = { ".", NULL };
	struct hf_run_options options = {
		.registry = &hf_modules,
		.playbooks = books,
		.inventories = hf_fs_exists("inv") ? inventories : NULL,
		.connection = "local",
		.no_lookups = true,
		.list_tasks = true,
		.list_tags = true,
		.list_hosts = true,
	};
	struct hf_run_summary summary;
	struct hf_error err;
	if (hf_run_playbooks(&options, &summary, &err) < 0 && err.text[0] == '\0')
		abort();
	struct hf_lint lint = { 0 };
	const struct hf_lint_options how = { .registry = &hf_modules, .paths = places, .all = true };
	if (hf_lint_run(a, &how, &lint, &err) < 0 && err.text[0] == '\0')
		abort();
	if (fchdir(home) < 0)
		abort();
	return 0;
}
