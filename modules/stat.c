#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/digest.h"
#include "lib/base/scope.h"
#include "lib/engine/module.h"
#include "modules/accounts.h"
#include "modules/file_attr.h"
#include "modules/file_flags.h"

/* stat: everything about one path, changing nothing. */
struct params {
	const char *path, *algorithm;
	enum hf_tristate follow, checksum, mime, attributes;
};

static const char *const path_aliases[] = { "dest", "name", NULL };
static const char *const mime_aliases[] = { "mime", "mime_type", "mime-type", NULL };
static const char *const attribute_aliases[] = { "attr", "attributes", NULL };
static const char *const algorithm_aliases[] = { "checksum", "checksum_algo", NULL };
static const char *const algorithms[] = { "md5", "sha1", "sha224", "sha256", "sha384", "sha512", NULL };

static const struct hf_arg args[] = {
	{ "path", HF_ARG_PATH, offsetof(struct params, path), HF_REQUIRED, .aliases = path_aliases,
		.help = "What to look at." },
	{ "follow", HF_ARG_BOOL, offsetof(struct params, follow), .dflt = "false",
		.help = "Look at what a link leads to." },
	{ "get_checksum", HF_ARG_BOOL, offsetof(struct params, checksum), .dflt = "true",
		.help = "Hash the content of a regular file." },
	{ "get_mime", HF_ARG_BOOL, offsetof(struct params, mime), .dflt = "true", .aliases = mime_aliases,
		.help = "Ask file(1), where it is installed, for the kind of content." },
	{ "get_attributes", HF_ARG_BOOL, offsetof(struct params, attributes), .dflt = "true",
		.aliases = attribute_aliases, .help = "Read the flags lsattr(1) shows." },
	{ "checksum_algorithm", HF_ARG_STR, offsetof(struct params, algorithm), .dflt = "sha1",
		.choices = algorithms, .aliases = algorithm_aliases, .help = "Hash for get_checksum." },
	{ .type = HF_ARG_END },
};

struct look {
	struct hf_module_context *c;
	struct hf_arena *a;
	const struct params *p;
	struct hf_value *out;
	struct stat st;
};

static void put_bool(struct look *l, const char *key, bool b)
{
	hf_dict_put(l->out, key, hf_value_bool(l->a, b));
}

static void put_int(struct look *l, const char *key, int64_t number)
{
	hf_dict_put(l->out, key, hf_value_int(l->a, number));
}

static void put_text(struct look *l, const char *key, const char *text)
{
	hf_dict_put(l->out, key, text == NULL ? hf_value_null(l->a) : hf_value_cstr(l->a, text));
}

static void put_time(struct look *l, const char *key, const struct timespec *t)
{
	hf_dict_put(l->out, key, hf_value_float(l->a, (double)t->tv_sec + 1e-9 * (double)t->tv_nsec));
}

static void stat_kind(struct look *l)
{
	static const struct {
		const char *key;
		mode_t kind;
	} kinds[] = { { "isdir", S_IFDIR }, { "ischr", S_IFCHR }, { "isblk", S_IFBLK }, { "isreg", S_IFREG },
		{ "isfifo", S_IFIFO }, { "islnk", S_IFLNK }, { "issock", S_IFSOCK } };
	static const struct {
		const char *key;
		mode_t bit;
	} bits[] = { { "wusr", S_IWUSR }, { "rusr", S_IRUSR }, { "xusr", S_IXUSR }, { "wgrp", S_IWGRP },
		{ "rgrp", S_IRGRP }, { "xgrp", S_IXGRP }, { "woth", S_IWOTH }, { "roth", S_IROTH },
		{ "xoth", S_IXOTH }, { "isuid", S_ISUID }, { "isgid", S_ISGID } };
	for (size_t i = 0; i < HF_COUNT(kinds); i++)
		put_bool(l, kinds[i].key, (l->st.st_mode & S_IFMT) == kinds[i].kind);
	for (size_t i = 0; i < HF_COUNT(bits); i++)
		put_bool(l, bits[i].key, (l->st.st_mode & bits[i].bit) != 0);
}

static void stat_numbers(struct look *l)
{
	const struct stat *st = &l->st;
	put_bool(l, "exists", true);
	put_text(l, "path", l->p->path);
	put_text(l, "mode", hf_sprintf(l->a, "%04o", (unsigned)(st->st_mode & 07777)));
	put_int(l, "uid", st->st_uid);
	put_int(l, "gid", st->st_gid);
	put_int(l, "size", st->st_size);
	put_int(l, "inode", (int64_t)st->st_ino);
	put_int(l, "dev", (int64_t)st->st_dev);
	put_int(l, "nlink", (int64_t)st->st_nlink);
	put_time(l, "atime", &st->st_atim);
	put_time(l, "mtime", &st->st_mtim);
	put_time(l, "ctime", &st->st_ctim);
	put_int(l, "blocks", st->st_blocks);
	put_int(l, "block_size", st->st_blksize);
	put_int(l, "device_type", (int64_t)st->st_rdev);
	put_bool(l, "readable", access(l->p->path, R_OK) == 0);
	put_bool(l, "writeable", access(l->p->path, W_OK) == 0);
	put_bool(l, "executable", access(l->p->path, X_OK) == 0);
	bool known;
	const char *name = hf_accounts_user(l->a, st->st_uid, &known);
	if (known)
		put_text(l, "pw_name", name);
	name = hf_accounts_group(l->a, st->st_gid, &known);
	if (known)
		put_text(l, "gr_name", name);
}

/* file(1) answers for these without opening anything, so neither do we start it. */
static const char *mime_special(const struct look *l)
{
	switch (l->st.st_mode & S_IFMT) {
	case S_IFDIR:
		return "inode/directory";
	case S_IFCHR:
		return "inode/chardevice";
	case S_IFBLK:
		return "inode/blockdevice";
	case S_IFIFO:
		return "inode/fifo";
	case S_IFSOCK:
		return "inode/socket";
	case S_IFREG:
		return l->st.st_size == 0 ? "inode/x-empty" : NULL;
	default:
		return "inode/symlink";
	}
}

static void stat_mime(struct look *l)
{
	struct stat self;
	const char *type = "unknown", *charset = "unknown";
	const char *program = hf_proc_which(l->a, "file");
	bool followed = l->p->follow == HF_YES && lstat(l->p->path, &self) == 0 && S_ISLNK(self.st_mode);
	bool broken = S_ISLNK(l->st.st_mode) && !hf_fs_exists(l->p->path); /* file(1) has no charset for it */
	const char *special = followed ? "inode/symlink" : mime_special(l);
	struct hf_str out = HF_STR("");
	if (program != NULL && special != NULL && !broken) {
		type = special;
		charset = "binary";
	} else if (program != NULL && !broken) {
		const char *const argv[] = { program, "--mime-type", "--mime-encoding", l->p->path, NULL };
		struct hf_error ignored; /* whatever file(1) fails at, the answer is "unknown" */
		if (hf_proc_output(l->a, argv, &out, &ignored) < 0)
			out = HF_STR("");
	}
	char *answer = hf_str_dup(l->a, out), *colon = strrchr(answer, ':');
	char *semicolon = colon != NULL ? strchr(colon, ';') : NULL,
	     *equals = semicolon != NULL ? strchr(semicolon, '=') : NULL;
	if (equals != NULL) {
		type = hf_str_dup(l->a, hf_str_trim(hf_strn(colon + 1, (size_t)(semicolon - colon - 1))));
		charset = hf_str_dup(l->a, hf_str_trim(hf_str(equals + 1)));
	}
	put_text(l, "mimetype", type);
	put_text(l, "charset", charset);
}

static void stat_attributes(struct look *l)
{
	const char *letters = "", *version = NULL;
	struct hf_value *names = hf_value_list(l->a);
	if (!S_ISLNK(l->st.st_mode) && !hf_file_flags_get(l->a, l->p->path, &letters, &names, &version))
		names = hf_value_list(l->a);
	put_text(l, "version", version);
	put_text(l, "attr_flags", letters);
	hf_dict_put(l->out, "attributes", names);
}

static int stat_content(struct look *l, struct hf_error *err)
{
	char hex[HF_DIGEST_HEX_MAX];
	if (l->p->checksum != HF_YES || !S_ISREG(l->st.st_mode) || access(l->p->path, R_OK) < 0)
		return 0;
	int result = hf_hash_file_hex(l->p->algorithm, l->p->path, hex, err);
	if (result == 0)
		put_text(l, "checksum", hex);
	return result;
}

static int stat_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct look l = { .c = c, .a = a, .p = p, .out = hf_value_dict(a) };
	hf_result_put(c, change, "stat", l.out);
	if ((p->follow == HF_YES ? stat(p->path, &l.st) : lstat(p->path, &l.st)) < 0) {
		if (errno != ENOENT)
			hf_dict_remove(change->result, "stat");
		if (errno != ENOENT)
			return hf_fail(err, HF_E_TASK, "%s", strerror(errno));
		put_bool(&l, "exists", false);
		return 0;
	}
	stat_numbers(&l);
	stat_kind(&l);
	if (S_ISLNK(l.st.st_mode)) {
		char target[PATH_MAX];
		ssize_t n = readlink(p->path, target, sizeof(target));
		put_text(&l, "lnk_source", hf_file_realpath(a, p->path));
		put_text(&l, "lnk_target", n < 0 ? NULL : hf_strndup(a, target, (size_t)n));
	}
	int result = stat_content(&l, err);
	if (result < 0)
		return result;
	if (p->mime == HF_YES)
		stat_mime(&l);
	if (p->attributes == HF_YES)
		stat_attributes(&l);
	return 0;
}

const struct hf_module hf_module_stat = {
	.name = "stat",
	.collection = "ansible.builtin",
	.schema = { args, NULL, sizeof(struct params) },
	.flags = HF_MODULE_READ_ONLY | HF_MODULE_NO_RESOURCE,
	.check = stat_check,
};
