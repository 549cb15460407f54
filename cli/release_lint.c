/* What holdfast lint says of a release, before it is one. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "cli/release.h"
#include "lib/base/fs.h"
#include "lib/engine/lint.h"
#include "modules/registry.h"

enum { SHOWN_MAX = 20 };

/* In a view the playbook is a link, and what lies beside it is looked for beside its target. */
static void view_paths(struct hf_arena *a, const char *folder, struct hf_lint_options *o)
{
	const char *more = getenv("ANSIBLE_ROLES_PATH");
	struct stat st;
	if (lstat(o->paths[0], &st) < 0 || !S_ISLNK(st.st_mode))
		return;
	o->roles_path =
		hf_sprintf(a, "%s/roles%s%s", folder, more == NULL ? "" : ":", more == NULL ? "" : more);
	o->collections_path = hf_path_join(a, folder, "collections");
}

int release_lint(struct hf_arena *a, const char *folder, const char *entry, struct hf_error *err)
{
	const char *paths[] = { hf_path_join(a, folder, entry), NULL };
	struct hf_lint_options o = { .registry = &hf_modules, .paths = paths };
	view_paths(a, folder, &o);
	struct hf_lint found = { 0 };
	size_t sure = 0, maybe = 0;
	int result = hf_lint_run(a, &o, &found, err);
	for (size_t i = 0; result == 0 && i < found.units.n; i++)
		for (size_t k = 0; k < found.units.at[i]->findings.n; k++) {
			const struct hf_lint_seen *s = &found.units.at[i]->findings.at[k];
			sure += s->sure && !s->finding->note;
			maybe += !s->sure && !s->finding->note;
			if (s->sure && !s->finding->note && sure <= SHOWN_MAX)
				fprintf(stderr, "holdfast: %s:%u:%u: %s: %s\n", s->finding->pos.file,
					s->finding->pos.line, s->finding->pos.column, s->finding->kind,
					s->finding->text);
		}
	if (result < 0)
		return result;
	if (sure > 0)
		return hf_fail(err, HF_E_UNSUPPORTED,
			"%s is sure to stumble over %zu thing%s that holdfast cannot run (named above; "
			"holdfast "
			"lint shows all; --no-lint builds it all the same)",
			entry, sure, sure == 1 ? "" : "s");
	if (maybe > 0)
		fprintf(stderr,
			"holdfast: %s may stumble over %zu thing%s, where reached: holdfast lint shows "
			"them\n",
			entry, maybe, maybe == 1 ? "" : "s");
	return 0;
}
