#include "modules/file_flags.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>

#include "lib/base/scope.h"

/* Flags of inodes in the order lsattr prints them; `name` is Ansible's word for the letter. */
static const struct flag {
	unsigned bit;
	char letter;
	bool settable;
	const char *name;
} flags[] = {
	{ FS_SECRM_FL, 's', true, "zero" },
	{ FS_UNRM_FL, 'u', true, "undelete" },
	{ FS_SYNC_FL, 'S', true, "synchronous" },
	{ FS_DIRSYNC_FL, 'D', true, "dirsync" },
	{ FS_IMMUTABLE_FL, 'i', true, "immutable" },
	{ FS_APPEND_FL, 'a', true, "append" },
	{ FS_NODUMP_FL, 'd', true, "nodump" },
	{ FS_NOATIME_FL, 'A', true, "noatime" },
	{ FS_COMPR_FL, 'c', true, "compressed" },
	{ FS_ENCRYPT_FL, 'E', false, "encrypted" },
	{ FS_JOURNAL_DATA_FL, 'j', true, "journalled" },
	{ FS_INDEX_FL, 'I', false, "indexed" },
	{ FS_NOTAIL_FL, 't', true, "notail" },
	{ FS_TOPDIR_FL, 'T', true, "blockroot" },
	{ FS_EXTENT_FL, 'e', false, "extents" },
	{ FS_NOCOW_FL, 'C', true, "nocow" },
	{ FS_DAX_FL, 'x', true, NULL },
	{ FS_CASEFOLD_FL, 'F', true, NULL },
	{ FS_INLINE_DATA_FL, 'N', false, "inline" },
	{ FS_PROJINHERIT_FL, 'P', true, NULL },
	{ FS_VERITY_FL, 'V', false, NULL },
	{ FS_NOCOMP_FL, 'm', true, NULL },
};

static int flags_read(const char *path, unsigned *ret, unsigned *ret_version)
{
	hf_auto_fd fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
		errno = EOPNOTSUPP; /* on a device the same number may mean another request */
		return -1;
	}
	int value = 0, version = 0;
	if (ioctl(fd, FS_IOC_GETFLAGS, &value) < 0)
		return -1;
	if (ret_version != NULL && ioctl(fd, FS_IOC_GETVERSION, &version) < 0)
		return -1;
	*ret = (unsigned)value;
	if (ret_version != NULL)
		*ret_version = (unsigned)version;
	return 0;
}

static int flags_write(const char *path, unsigned value)
{
	hf_auto_fd fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	int word = (int)value;
	return fd < 0 ? -1 : ioctl(fd, FS_IOC_SETFLAGS, &word);
}

static const char *flags_text(struct hf_arena *a, unsigned value)
{
	char text[HF_COUNT(flags) + 1];
	size_t n = 0;
	for (size_t i = 0; i < HF_COUNT(flags); i++)
		if ((value & flags[i].bit) != 0)
			text[n++] = flags[i].letter;
	return hf_strndup(a, text, n);
}

static int flags_parse(const char *letters, unsigned *ret, struct hf_error *err)
{
	unsigned value = 0;
	for (const char *p = letters; *p != '\0'; p++) {
		size_t i = 0;
		while (i < HF_COUNT(flags) && flags[i].letter != *p)
			i++;
		if (i == HF_COUNT(flags))
			return hf_fail(err, HF_E_TASK, "chattr failed: there is no file flag \"%c\"", *p);
		value |= flags[i].bit;
	}
	*ret = value;
	return 0;
}

int hf_file_flags_sync(struct hf_module_context *c, const char *path, const char *spec,
	const struct hf_file_diff *diff, bool touch, bool *changed, struct hf_error *err)
{
	char operator= '=';
	if (*spec == '+' || *spec == '-' || *spec == '=')
		operator= * spec++;
	unsigned asked = 0, now = 0;
	int result = flags_parse(spec, &asked, err);
	if (result < 0)
		return result;
	if (flags_read(path, &now, NULL) < 0)
		return hf_fail_errno(err, HF_E_TASK, "chattr failed: read flags of %s", path);
	unsigned fixed = 0;
	for (size_t i = 0; i < HF_COUNT(flags); i++)
		fixed |= flags[i].settable ? 0 : flags[i].bit;
	unsigned want = operator== '+' ? now | asked : operator== '-' ? now & ~asked : asked |(now &fixed);
	if (want == now)
		return 0;
	*changed = true;
	struct hf_arena *a = hf_task_arena(c);
	if (diff != NULL && diff->before != NULL) {
		hf_dict_put(diff->before, "attributes", hf_value_cstr(a, flags_text(a, now)));
		hf_dict_put(
			diff->after, "attributes", hf_value_cstr(a, hf_sprintf(a, "%c%s", operator, spec)));
	}
	if (touch && flags_write(path, want) < 0)
		return hf_fail_errno(err, HF_E_TASK, "chattr failed: set flags of %s", path);
	return 0;
}

bool hf_file_flags_get(struct hf_arena *a, const char *path, const char **ret_letters,
	struct hf_value **ret_names, const char **ret_version)
{
	unsigned value, version;
	if (flags_read(path, &value, &version) < 0)
		return false;
	*ret_letters = flags_text(a, value);
	*ret_names = hf_value_list(a);
	*ret_version = hf_sprintf(a, "%u", version);
	for (size_t i = 0; i < HF_COUNT(flags); i++)
		if ((value & flags[i].bit) != 0 && flags[i].name != NULL)
			hf_list_append(*ret_names, hf_value_cstr(a, flags[i].name));
	return true;
}
