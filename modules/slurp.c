#include <fcntl.h>

#include "lib/base/scope.h"
#include "modules/host.h"

enum { SLURP_MAX = 64 << 20 };

struct params {
	const char *src;
};

static const char *const src_aliases[] = { "path", NULL };
static const struct hf_arg args[] = {
	{ "src", HF_ARG_PATH, offsetof(struct params, src), HF_REQUIRED, .aliases = src_aliases,
		.help = "File to read, at most 64 MiB." },
	{ .type = HF_ARG_END },
};

static const char *slurp_reason(struct hf_arena *a, int errnum, const char *path)
{
	if (errnum == ENOENT)
		return hf_sprintf(a, "file not found: %s", path);
	if (errnum == EACCES)
		return hf_sprintf(a, "file is not readable: %s", path);
	if (errnum == EISDIR)
		return hf_sprintf(a, "source is a directory and must be a file: %s", path);
	return hf_sprintf(a, "unable to slurp file: [Errno %d] %s: '%s'", errnum, strerror(errnum), path);
}

static int slurp_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct hf_str data;
	struct stat st;
	hf_auto_fd fd = open(p->src, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int errnum = fd < 0 ? errno : fstat(fd, &st) == 0 && S_ISDIR(st.st_mode) ? EISDIR : 0;
	if (errnum != 0)
		return hf_fail(err, HF_E_TASK, "%s", slurp_reason(a, errnum, p->src));
	if (hf_fs_read_fd(a, fd, SLURP_MAX, &data, err) < 0)
		return hf_wrap(err, "%s", p->src);
	hf_result_put(c, change, "content", hf_value_borrow(a, hf_host_base64(a, data)));
	hf_result_cstr(c, change, "source", p->src);
	hf_result_cstr(c, change, "encoding", "base64");
	return 0;
}

const struct hf_module hf_module_slurp = {
	.name = "slurp",
	.collection = "ansible.builtin",
	.schema = { args, NULL, sizeof(struct params) },
	.flags = HF_MODULE_READ_ONLY | HF_MODULE_NO_RESOURCE,
	.check = slurp_check,
};
