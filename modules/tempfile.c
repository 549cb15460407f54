#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "lib/base/scope.h"
#include "modules/file_attr.h"

/* tempfile: a new file or directory with a name nobody has. */
enum { TEMP_FILE, TEMP_DIRECTORY };
enum { RANDOM_LETTERS = 8 };

struct params {
	const char *path, *prefix, *suffix;
	int state;
};

static const char *const states[] = { "file", "directory", NULL };
static const struct hf_arg args[] = {
	{ "state", HF_ARG_ENUM, offsetof(struct params, state), .dflt = "file", .choices = states,
		.help = "What to make." },
	{ "path", HF_ARG_PATH, offsetof(struct params, path), .help = "Where; TMPDIR or /tmp without it." },
	{ "prefix", HF_ARG_STR, offsetof(struct params, prefix), .dflt = "ansible.",
		.help = "Start of the name." },
	{ "suffix", HF_ARG_STR, offsetof(struct params, suffix), .dflt = "", .help = "End of the name." },
	{ .type = HF_ARG_END },
};

/* The name is chosen before anything is made, so that the way back is known by then. */
static int tempfile_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	unsigned char bytes[RANDOM_LETTERS];
	char word[RANDOM_LETTERS + 1] = "";
	const char *dir = p->path != NULL ? p->path : getenv("TMPDIR");
	if (dir == NULL || *dir == '\0')
		dir = "/tmp";
	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return hf_fail_errno(err, HF_E_IO, "random bytes");
	for (size_t i = 0; i < RANDOM_LETTERS; i++)
		word[i] = letters[bytes[i] % (sizeof(letters) - 1)];
	change->state = hf_path_join(a, dir, hf_sprintf(a, "%s%s%s", p->prefix, word, p->suffix));
	change->changed = true;
	change->unknown = true;
	return 0;
}

static int tempfile_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	const char *path = change->state;
	int done = -1;
	if (p->state == TEMP_DIRECTORY) {
		done = mkdir(path, 0700);
	} else {
		hf_auto_fd fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		done = fd < 0 ? -1 : 0;
	}
	change->changed = done == 0;
	if (done < 0)
		return hf_fail(err, HF_E_TASK, "[Errno %d] %s: '%s'", errno, strerror(errno), path);
	hf_result_cstr(c, change, "path", path);
	return hf_file_attr_done(c, change, 0);
}

static int tempfile_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	if (p->state == TEMP_FILE)
		return hf_undo_file(undo, change->state, err);
	/* Whatever is in a directory made here by then came after it. */
	struct hf_value *step = hf_value_dict(a);
	hf_dict_put(step, "remove", hf_value_cstr(a, change->state));
	hf_undo_step(undo, step);
	return 0;
}

static int tempfile_restore(struct hf_module_context *c, const struct hf_value *step, struct hf_error *err)
{
	const char *path = hf_dict_cstr(step, "remove", NULL);
	if (path == NULL)
		return hf_fail(err, HF_E_PARSE, "the step names no directory");
	return hf_fs_remove_tree(path, err);
}

const struct hf_module hf_module_tempfile = {
	.name = "tempfile",
	.collection = "ansible.builtin",
	.schema = { args, NULL, sizeof(struct params) },
	.flags = HF_MODULE_NO_CHECK | HF_MODULE_NO_RESOURCE,
	.check = tempfile_check,
	.apply = tempfile_apply,
	.undo = tempfile_undo,
	.restore = tempfile_restore,
};
