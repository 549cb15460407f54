#include "modules/file_label.h"

#include <errno.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "lib/base/scope.h"

enum { LABEL_MAX = 1024, LABEL_PARTS = 4 };

static bool label_enabled(void)
{
	static int known = -1; /* a kernel has it from the start or not at all */
	if (known < 0)
		known = access("/sys/fs/selinux/enforce", F_OK) == 0;
	return known != 0;
}

const char *hf_file_label_get(struct hf_arena *a, const char *path)
{
	char label[LABEL_MAX];
	if (!label_enabled())
		return NULL;
	ssize_t n = lgetxattr(path, "security.selinux", label, sizeof(label) - 1);
	if (n <= 0)
		return NULL;
	return hf_strndup(a, label, strnlen(label, (size_t)n));
}

/* The policy's own label for a path, part by part; only asked for where the playbook says "_default". */
static int label_default(
	struct hf_module_context *c, const char *path, const char **ret, struct hf_error *err)
{
	const char *const argv[] = { "matchpathcon", "-n", path, NULL };
	struct hf_str out;
	if (hf_proc_output(hf_task_arena(c), argv, &out, err) < 0)
		return hf_wrap(err, "the default SELinux label of %s", path);
	*ret = hf_str_dup(hf_task_arena(c), hf_str_trim(out));
	return 0;
}

/* Cuts "user:role:type:level" in place; the level may itself hold colons. */
static void label_split(char *label, const char *parts[LABEL_PARTS])
{
	for (int i = 0; i < LABEL_PARTS; i++) {
		parts[i] = label;
		char *colon = label == NULL || i == LABEL_PARTS - 1 ? NULL : strchr(label, ':');
		if (colon != NULL)
			*colon++ = '\0';
		label = colon;
	}
}

static bool label_asked(const char *const asked[LABEL_PARTS])
{
	return asked[0] != NULL || asked[1] != NULL || asked[2] != NULL || asked[3] != NULL;
}

/* The label path shall have: its own with the parts that were asked for. */
static int label_want(struct hf_module_context *c, const char *path, const char *now,
	const char *const asked[LABEL_PARTS], const char **ret, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	const char *parts[LABEL_PARTS], *fallback[LABEL_PARTS] = { NULL }, *policy = NULL;
	label_split(hf_strdup(a, now), parts);
	for (int i = 0; i < LABEL_PARTS; i++) {
		bool dflt = asked[i] != NULL && strcmp(asked[i], "_default") == 0;
		if (dflt && policy == NULL) {
			if (label_default(c, path, &policy, err) < 0)
				return -HF_E_TASK;
			label_split(hf_strdup(a, policy), fallback);
		}
		if (asked[i] != NULL)
			parts[i] = dflt ? fallback[i] : asked[i];
	}
	*ret = hf_sprintf(a, "%s:%s:%s%s%s", parts[0], parts[1], parts[2], parts[3] != NULL ? ":" : "",
		parts[3] != NULL ? parts[3] : "");
	return 0;
}

int hf_file_label_sync(struct hf_module_context *c, const char *path, const struct hf_file_attr *attr,
	const struct hf_file_diff *diff, bool touch, bool *changed, struct hf_error *err)
{
	const char *asked[LABEL_PARTS] = { attr->seuser, attr->serole, attr->setype, attr->selevel };
	struct hf_arena *a = hf_task_arena(c);
	if (!label_asked(asked) || !label_enabled())
		return 0;
	const char *now = hf_file_label_get(a, path), *want;
	if (now == NULL)
		return hf_fail(err, HF_E_TASK, "failed to retrieve selinux context of %s", path);
	int result = label_want(c, path, now, asked, &want, err);
	if (result < 0)
		return result;
	if (strcmp(want, now) == 0)
		return 0;
	*changed = true;
	if (diff != NULL && diff->before != NULL) {
		hf_dict_put(diff->before, "secontext", hf_value_cstr(a, now));
		hf_dict_put(diff->after, "secontext", hf_value_cstr(a, want));
	}
	if (touch && lsetxattr(path, "security.selinux", want, strlen(want) + 1, 0) < 0)
		return hf_fail_errno(err, HF_E_TASK, "invalid selinux context: %s", want);
	return 0;
}
