/* modules/parted.c - a disk's label and one of its partitions, through parted(8). */
#include <ctype.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <math.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/base/scope.h"
#include "modules/host.h"

/* A label lives in the first 34 blocks of 512 bytes and the last 33 (GPT); all others need less. */
enum { HEAD_BYTES = 34 * 512, TAIL_BYTES = 33 * 512, PARTS_MAX = 256, FIELDS_MAX = 8 };
static const int64_t NANOSECONDS = 1000000000;

static const char *const aligns[] = { "cylinder", "minimal", "none", "optimal", "undefined", NULL };
static const char *const units[] = { "B", "KB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB", "s", "%", "cyl",
	"chs", "compact", NULL };
static const char *const labels[] = { "aix", "amiga", "bsd", "dvh", "gpt", "loop", "mac", "msdos", "pc98",
	"sun", NULL };
static const char *const part_types[] = { "extended", "logical", "primary", NULL };
static const char *const states[] = { "absent", "info", "present", NULL };
struct params {
	const char *device, *align, *unit, *label, *part_type, *part_start, *part_end, *fs_type, *name,
		*state;
	int64_t number;
	struct hf_value *flags;
	enum hf_tristate resize;
};
#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define AT(field)  offsetof(struct params, field)
static const struct hf_arg args[] = {
	{ "device", HF_ARG_STR, AT(device), HF_REQUIRED, .help = "The disk, or a file that is one." },
	{ "align", HF_ARG_STR, AT(align), .dflt = "optimal", .choices = aligns,
		.help = "Where partitions may begin." },
	{ "number", HF_ARG_INT, AT(number), .help = "The partition; needed unless state is info." },
	{ "unit", HF_ARG_STR, AT(unit), .dflt = "KiB", .choices = units,
		.help = "Unit of what is returned." },
	{ "label", HF_ARG_STR, AT(label), .dflt = "msdos", .choices = labels,
		.help = "Kind of partition table. Another one than there is makes a new one, without "
			"partitions." },
	{ "part_type", HF_ARG_STR, AT(part_type), .dflt = "primary", .choices = part_types,
		.help = "Kind of a new partition; with gpt its name." },
	{ "part_start", HF_ARG_STR, AT(part_start), .dflt = "0%", .help = "Where it begins." },
	{ "part_end", HF_ARG_STR, AT(part_end), .dflt = "100%", .help = "Where it ends." },
	{ "fs_type", HF_ARG_STR, AT(fs_type), .help = "File system that shall come to it." },
	{ "name", HF_ARG_STR, AT(name), .help = "Its name (gpt, mac and others)." },
	{ "flags", HF_ARG_LIST, AT(flags), .elements = HF_ARG_STR, .help = "Flags it has, and no others." },
	{ "state", HF_ARG_STR, AT(state), .dflt = "info", .choices = states,
		.help = "Whether the partition shall be there; info only looks." },
	{ "resize", HF_ARG_BOOL, AT(resize), .dflt = "false", .help = "Move its end to part_end." },
	{ .type = HF_ARG_END },
};
static const struct hf_rule rules[] = {
	{ .kind = HF_RULE_IF, .when = "state", .equals = "present", .names = NAMES("number") },
	{ .kind = HF_RULE_IF, .when = "state", .equals = "absent", .names = NAMES("number") },
	{ HF_RULE_END },
};

struct work {
	struct hf_module_context *c;
	struct hf_arena *a;
	const struct params *p;
	struct hf_value *disk, *parts; /* as parted tells */
	const char *script;            /* first the table and the partition, in apply the rest as well */
	bool fix;                      /* parted knows --fix */
};

static const char *lower(struct hf_arena *a, struct hf_str text)
{
	char *copy = hf_str_dup(a, text);
	for (char *p = copy; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p | ' ');
	return copy;
}

static bool geometry(struct hf_arena *a, struct hf_str text, struct hf_value **ret)
{
	static const char *const keys[] = { "cylinder", "head", "sector" };
	struct hf_str part;
	int64_t n;
	*ret = hf_value_dict(a);
	for (size_t i = 0; i < HF_COUNT(keys); i++) {
		if (!hf_str_split(&text, ',', &part) || !hf_str_to_int64(part, &n))
			return false;
		hf_dict_put(*ret, keys[i], hf_value_int(a, n));
	}
	return text.n == 0;
}

/* "12.5MB", "40%", "1,2,3": a number and a unit; *ret_unit stays where there is none. */
static int size_parse(struct work *w, struct hf_str text, struct hf_value **ret, struct hf_str *ret_unit,
	struct hf_error *err)
{
	char *end;
	const char *start = hf_str_dup(w->a, text);
	double number = strtod(start, &end);
	if (hf_str_find(text, HF_STR(","), 0) != SIZE_MAX && geometry(w->a, text, ret)) {
		*ret_unit = HF_STR("chs");
		return 0;
	}
	size_t digits = strspn(start, "-0123456789."), blanks = strspn(start + digits, " ");
	struct hf_str unit = hf_str(start + digits + blanks);
	bool word = true;
	for (size_t i = 0; i < unit.n; i++)
		word = word && (isalnum((unsigned char)unit.p[i]) || strchr("_%", unit.p[i]) != NULL);
	if (end == start || end != start + digits || !word)
		return hf_fail(err, HF_E_TASK, "Error interpreting parted size output: '%s'", start);
	*ret = hf_value_float(w->a, number);
	if (unit.n > 0)
		*ret_unit = unit;
	return 0;
}

static int bound_check(struct work *w, const char *option, const char *text, struct hf_error *err)
{
	struct hf_value *size;
	struct hf_str unit = HF_STR("");
	int r = size_parse(w, hf_str(text), &size, &unit, err);
	for (size_t i = 0; r == 0 && units[i] != NULL; i++)
		if (hf_str_is(unit, units[i]))
			return 0;
	return r < 0 ? r
		     : hf_fail(err, HF_E_TASK,
			       "The argument '%s' doesn't respect required format."
			       "The size unit is case sensitive.",
			       option);
}

/* The fields of one line; parted ends it with a semicolon. */
static size_t fields_split(struct hf_str line, struct hf_str *ret)
{
	size_t n = 0;
	if (hf_str_ends(line, ";"))
		line.n--;
	for (size_t i = 0; i < FIELDS_MAX; i++)
		ret[i] = HF_STR("");
	while (n < FIELDS_MAX && hf_str_split(&line, ':', &ret[n]))
		n++;
	return n;
}

static struct hf_value *number(struct hf_arena *a, struct hf_str text)
{
	int64_t n = 0;
	(void)hf_str_to_int64(text, &n);
	return hf_value_int(a, n);
}

static int disk_parse(struct work *w, struct hf_str line, struct hf_str *unit, struct hf_error *err)
{
	struct hf_str f[FIELDS_MAX];
	struct hf_value *size;
	fields_split(line, f);
	int r = size_parse(w, f[1], &size, unit, err);
	w->disk = hf_value_dict(w->a);
	hf_dict_put(w->disk, "dev", hf_value_str(w->a, f[0]));
	hf_dict_put(w->disk, "size", r == 0 ? size : hf_value_null(w->a));
	hf_dict_put(w->disk, "unit", hf_value_cstr(w->a, lower(w->a, *unit)));
	hf_dict_put(w->disk, "table", hf_value_str(w->a, f[5]));
	hf_dict_put(w->disk, "model", hf_value_str(w->a, f[6]));
	hf_dict_put(w->disk, "logical_block", number(w->a, f[3]));
	hf_dict_put(w->disk, "physical_block", number(w->a, f[4]));
	return r;
}

static int chs_parse(struct work *w, struct hf_str line, struct hf_error *err)
{
	struct hf_str f[FIELDS_MAX], unit = HF_STR("");
	struct hf_value *size, *chs = hf_value_dict(w->a);
	fields_split(line, f);
	int r = size_parse(w, f[3], &size, &unit, err);
	if (r < 0)
		return r;
	hf_dict_put(chs, "cylinders", number(w->a, f[0]));
	hf_dict_put(chs, "heads", number(w->a, f[1]));
	hf_dict_put(chs, "sectors", number(w->a, f[2]));
	hf_dict_put(chs, "cyl_size", size);
	hf_dict_put(chs, "cyl_size_unit", hf_value_cstr(w->a, lower(w->a, unit)));
	hf_dict_put(w->disk, "chs_info", chs);
	return 0;
}

static struct hf_value *flags_split(struct hf_arena *a, struct hf_str text)
{
	struct hf_value *list = hf_value_list(a);
	struct hf_str flag;
	while (text.n > 0 && hf_str_split(&text, ',', &flag))
		hf_list_append(list, hf_value_str(a, hf_str_trim(flag)));
	return list;
}

static int part_parse(struct work *w, struct hf_str line, struct hf_str unit, struct hf_error *err)
{
	struct hf_str f[FIELDS_MAX], ignored = HF_STR("");
	struct hf_value *one = hf_value_dict(w->a), *begin, *end, *size = hf_value_cstr(w->a, "");
	bool chs = hf_str_is(unit, "chs");
	fields_split(line, f);
	int r = size_parse(w, f[1], &begin, &ignored, err);
	if (r == 0)
		r = size_parse(w, f[2], &end, &ignored, err);
	if (r == 0 && !chs)
		r = size_parse(w, f[3], &size, &ignored, err);
	if (r < 0)
		return r;
	const struct hf_str *rest = chs ? &f[3] : &f[4];
	hf_dict_put(one, "num", number(w->a, f[0]));
	hf_dict_put(one, "begin", begin);
	hf_dict_put(one, "end", end);
	hf_dict_put(one, "size", size);
	hf_dict_put(one, "fstype", hf_value_str(w->a, rest[0]));
	hf_dict_put(one, "name", hf_value_str(w->a, rest[1]));
	hf_dict_put(one, "flags", flags_split(w->a, rest[2]));
	hf_dict_put(one, "unit", hf_value_cstr(w->a, lower(w->a, unit)));
	hf_list_append(w->parts, one);
	return 0;
}

static int disk_read(struct work *w, struct hf_error *err)
{
	static const char *const plain[] = { "LC_ALL=C", "LANG=C", NULL };
	struct hf_words words =
		hf_words(w->a, "parted", "-s", "-m", w->p->device, "--", "unit", w->p->unit, "print", NULL);
	struct hf_proc_result ran;
	struct hf_str line, unit = hf_str(w->p->unit);
	int r = hf_host_run(w->c, &words, plain, &ran, err);
	if (r == 0 && ran.status != 0 &&
		hf_str_find(ran.err, HF_STR("unrecognised disk label"), 0) == SIZE_MAX)
		r = hf_fail(err, HF_E_TASK, "Error while getting device information with parted script: '%s'",
			hf_words_line(&words));
	w->disk = hf_value_dict(w->a);
	w->parts = hf_value_list(w->a);
	size_t at = 0, first = 2;
	while (r == 0 && hf_str_split(&ran.out, '\n', &line)) {
		if (hf_str_trim(line).n == 0)
			continue;
		if (at == 1) {
			r = disk_parse(w, line, &unit, err);
			first += hf_str_is(unit, "cyl") || hf_str_is(unit, "chs");
		} else if (at == 2 && first == 3) {
			r = chs_parse(w, line, err);
		} else if (at >= first) {
			r = at > PARTS_MAX ? hf_fail(err, HF_E_LIMIT, "more than %d partitions", PARTS_MAX)
					   : part_parse(w, line, unit, err);
		}
		at++;
	}
	return r;
}

static const struct hf_value *part_find(const struct work *w)
{
	for (size_t i = 0; i < hf_list_len(w->parts); i++)
		if (hf_dict_int(hf_list_at(w->parts, i), "num", 0) == w->p->number)
			return hf_list_at(w->parts, i);
	return NULL;
}

static double bytes_of(double size, struct hf_str unit)
{
	static const char *const si[] = { "B", "KB", "MB", "GB", "TB" }, *const iec[] = { "KiB", "MiB", "GiB",
		"TiB" };
	for (size_t i = 0; i < HF_COUNT(si); i++)
		if (hf_str_is(unit, si[i]))
			return trunc(size * pow(1000, (double)i));
	for (size_t i = 0; i < HF_COUNT(iec); i++)
		if (hf_str_is(unit, iec[i]))
			return trunc(size * pow(1024, (double)i + 1));
	bool vague = hf_str_is(unit, "compact") || hf_str_is(unit, "cyl") || hf_str_is(unit, "chs");
	return trunc(vague ? size * 1e6 : size);
}

/* Is its end elsewhere than part_end says? */
static int end_differs(struct work *w, const struct hf_value *part, bool *ret, struct hf_error *err)
{
	const struct hf_value *end = hf_dict_get(part, "end"), *disk = hf_dict_get(w->disk, "size");
	struct hf_value *want;
	struct hf_str unit = hf_str(w->p->unit);
	int r = size_parse(w, hf_str(w->p->part_end), &want, &unit, err);
	if (r < 0)
		return r;
	if (end->type != HF_FLOAT || want->type != HF_FLOAT || disk->type != HF_FLOAT)
		return hf_fail(err, HF_E_TASK, "resize needs another unit than chs");
	double size = want->u.real;
	if (hf_str_is(unit, "%")) {
		size = trunc(trunc(disk->u.real) * size / 100);
		unit = hf_str(w->p->unit);
	}
	*ret = bytes_of(end->u.real, hf_str(w->p->unit)) != bytes_of(size, unit);
	return 0;
}

/* The label, the partition and its end. */
static int table_script(struct work *w, struct hf_error *err)
{
	const struct params *p = w->p;
	const char *script = "";
	const struct hf_value *part = part_find(w);
	bool relabel = strcmp(hf_dict_cstr(w->disk, "table", ""), p->label) != 0, moved = false;
	if (relabel)
		script = hf_sprintf(w->a, "mklabel %s ", p->label);
	if (relabel || part == NULL)
		script = hf_sprintf(w->a, "%smkpart %s %s%s%s %s ", script, p->part_type,
			p->fs_type == NULL ? "" : p->fs_type, p->fs_type == NULL ? "" : " ", p->part_start,
			p->part_end);
	if (*script != '\0')
		script = hf_sprintf(w->a, "unit %s %s", p->unit, script);
	if (p->resize == HF_YES && part != NULL) {
		int r = end_differs(w, part, &moved, err);
		if (r < 0)
			return r;
	}
	if (moved)
		script = hf_sprintf(w->a, "%sresizepart %lld %s ", script, (long long)p->number, p->part_end);
	w->script = script;
	return 0;
}

/* What is missing in `there` of `wanted` is switched on or off. */
static void flags_script(const struct work *w, struct hf_buf *out, const struct hf_value *wanted,
	const struct hf_value *there, const char *word)
{
	for (size_t i = 0; wanted != NULL && i < hf_list_len(wanted); i++) {
		const char *flag = hf_value_text(w->a, hf_list_at(wanted, i)).p;
		if (there == NULL || !hf_list_has(there, flag))
			hf_buf_printf(out, "set %lld %s %s ", (long long)w->p->number, flag, word);
	}
}

/* Name and flags; part NULL: it is a new one. */
static const char *label_script(const struct work *w, const struct hf_value *part)
{
	const struct params *p = w->p;
	const struct hf_value *now = part == NULL ? NULL : hf_dict_get(part, "flags");
	hf_auto_buf out = hf_buf_init(1 << 16);
	if (p->name != NULL && (part == NULL || strcmp(hf_dict_cstr(part, "name", ""), p->name) != 0))
		hf_buf_printf(&out, "name %lld '\"%s\"' ", (long long)p->number, p->name);
	if (p->flags != NULL && hf_list_len(p->flags) > 0) {
		struct hf_value *flags = hf_value_shallow(w->a, p->flags);
		if (hf_list_has(flags, "esp") && !hf_list_has(flags, "boot"))
			hf_list_append(flags, hf_value_cstr(w->a, "boot"));
		flags_script(w, &out, flags, now, "on");
		flags_script(w, &out, now, flags, "off");
	}
	return out.n == 0 ? "" : hf_sprintf(w->a, "unit %s %s", p->unit, out.p);
}

static int parted_run(struct work *w, const char *script, struct hf_error *err)
{
	struct hf_words words = hf_words(w->a, "parted", "-s", NULL);
	if (*script == '\0')
		return 0;
	if (w->fix)
		hf_words_add(&words, "-f");
	hf_words_add(&words, "-m");
	if (strcmp(w->p->align, "undefined") != 0) {
		hf_words_add(&words, "-a");
		hf_words_add(&words, w->p->align);
	}
	hf_words_add(&words, w->p->device);
	hf_words_add(&words, "--");
	int r = hf_words_split(&words, script, err);
	if (r == 0)
		r = hf_host_output(w->c, &words, NULL, err);
	return r < 0 ? hf_wrap(err, "Error while running parted script") : 0;
}

static void report(struct work *w, struct hf_change *change, const char *script)
{
	hf_result_put(w->c, change, "disk", w->disk);
	hf_result_put(w->c, change, "partitions", w->parts);
	hf_result_put(w->c, change, "script", hf_value_str(w->a, hf_str_trim(hf_str(script))));
}

/* "parted (GNU parted) 3.5" */
static int version_read(struct work *w, struct hf_error *err)
{
	struct hf_words words = hf_words(w->a, "parted", "--version", NULL);
	struct hf_str out, line = HF_STR("");
	int major = 0, minor = 0, patch = 0;
	if (hf_proc_which(w->a, "parted") == NULL)
		return hf_fail(err, HF_E_TASK, "Failed to find required executable \"parted\"");
	int r = hf_host_output(w->c, &words, &out, err);
	if (r < 0)
		return r;
	(void)hf_str_split(&out, '\n', &line);
	const char *text = hf_str_dup(w->a, hf_str_trim(line)), *blank = strrchr(text, ' ');
	if (blank == NULL || sscanf(blank, "%d.%d.%d", &major, &minor, &patch) < 2)
		return hf_fail(err, HF_E_TASK, "Failed to get parted version.");
	w->fix = major > 3 || (major == 3 && (minor > 4 || (minor == 4 && patch >= 64)));
	return 0;
}

static int arguments_check(struct work *w, struct hf_error *err)
{
	const struct params *p = w->p;
	int r = version_read(w, err);
	if (r == 0 && hf_task_given(w->c, "number") && p->number < 1)
		r = hf_fail(err, HF_E_TASK, "The partition number must be greater then 0.");
	if (r == 0)
		r = bound_check(w, "part_start", p->part_start, err);
	if (r == 0)
		r = bound_check(w, "part_end", p->part_end, err);
	return r < 0 ? r : disk_read(w, err);
}

static int parted_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct work *w = hf_new(hf_task_arena(c), struct work);
	*w = (struct work){ .c = c, .a = hf_task_arena(c), .p = p, .script = "" };
	change->state = w;
	int r = arguments_check(w, err);
	if (r < 0)
		return r;
	bool info = strcmp(p->state, "info") == 0;
	const struct hf_value *part = part_find(w);
	const char *rest = "";
	if (strcmp(p->state, "present") == 0) {
		r = table_script(w, err);
		rest = r < 0 ? "" : label_script(w, *w->script == '\0' ? part : NULL);
	} else if (!info && part != NULL) {
		w->script = hf_sprintf(w->a, "rm %lld ", (long long)p->number);
	}
	change->changed = *w->script != '\0' || *rest != '\0';
	if (r == 0)
		report(w, change,
			info ? hf_sprintf(w->a, "unit '%s' print ", p->unit)
			     : hf_sprintf(w->a, "%s%s", w->script, rest));
	return r;
}

static int parted_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	struct work *w = change->state;
	const struct params *p = params;
	const char *rest = "";
	(void)c;
	int r = parted_run(w, w->script, err);
	if (r == 0)
		r = disk_read(w, err);
	if (r == 0 && strcmp(p->state, "present") == 0) {
		const struct hf_value *part = part_find(w);
		rest = part == NULL ? "" : label_script(w, part);
		r = parted_run(w, rest, err);
	}
	if (r == 0 && *rest != '\0')
		r = disk_read(w, err);
	if (r < 0) {
		change->changed = false;
		hf_dict_remove(change->result, "disk");
		hf_dict_remove(change->result, "partitions");
		hf_dict_remove(change->result, "script");
		return r;
	}
	report(w, change, hf_sprintf(w->a, "%s%s", w->script, rest));
	return 0;
}

/* --- the way back: the blocks that hold the table
 * ------------------------------------------------------------- */
static int blocks_open(const char *device, int flags, int *ret_fd, off_t *ret_tail, struct hf_error *err)
{
	*ret_fd = open(device, flags | O_CLOEXEC);
	off_t size = *ret_fd < 0 ? -1 : lseek(*ret_fd, 0, SEEK_END);
	if (size < 0)
		return hf_fail_errno(err, HF_E_IO, "%s", device);
	*ret_tail = size > HEAD_BYTES + TAIL_BYTES ? size - TAIL_BYTES : HEAD_BYTES;
	return 0;
}

static struct hf_value *block_take(struct hf_arena *a, int fd, off_t at, size_t n)
{
	unsigned char *bytes = hf_zalloc(a, n);
	char *text = hf_zalloc(a, n * 2 + 1);
	ssize_t got = pread(fd, bytes, n, at);
	size_t used = got < 0 ? 0 : (size_t)got;
	while (used > 0 && bytes[used - 1] == 0) /* the rest is zeros */
		used--;
	hf_hex(bytes, used, text);
	return hf_value_cstr(a, text);
}

static int parted_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	hf_auto_fd fd = -1;
	off_t tail = 0;
	(void)change;
	if (strcmp(p->part_type, "logical") == 0 ||
		(strcmp(p->state, "absent") == 0 && p->number > 4 &&
			hf_same(hf_dict_cstr(((struct work *)change->state)->disk, "table", ""), "msdos"))) {
		hf_undo_impossible(undo, "logical partitions have their tables all over the disk");
		return 0;
	}
	int r = blocks_open(p->device, O_RDONLY, &fd, &tail, err);
	if (r < 0)
		return r;
	struct hf_value *step = hf_step(c, "table");
	hf_dict_put(step, "device", hf_value_cstr(a, p->device));
	hf_dict_put(step, "head", block_take(a, fd, 0, HEAD_BYTES));
	hf_dict_put(step, "tail", block_take(a, fd, tail, TAIL_BYTES));
	struct stat st;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		hf_dict_put(
			step, "mtime", hf_value_int(a, st.st_mtim.tv_sec * NANOSECONDS + st.st_mtim.tv_nsec));
	hf_undo_step(undo, step);
	return 0;
}

static int block_put(struct hf_arena *a, int fd, off_t at, size_t n, const char *text, struct hf_error *err)
{
	unsigned char *bytes = hf_zalloc(a, n);
	struct hf_str hex = hf_str(text);
	off_t end = lseek(fd, 0, SEEK_END);
	if (hex.n > n * 2 || !hf_unhex(hex, bytes, hex.n / 2))
		return hf_fail(err, HF_E_PARSE, "the record of the partition table is damaged");
	if (end >= 0 && at + (off_t)n > end)
		n = at < end ? (size_t)(end - at) : 0;
	return pwrite(fd, bytes, n, at) == (ssize_t)n ? 0 : hf_fail_errno(err, HF_E_IO, "write the table");
}

static int parted_restore(struct hf_module_context *c, const struct hf_value *step, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	hf_auto_fd fd = -1;
	struct stat st;
	off_t tail = 0;
	int r = blocks_open(hf_step_text(step, "device"), O_RDWR, &fd, &tail, err);
	if (r == 0)
		r = block_put(a, fd, 0, HEAD_BYTES, hf_step_text(step, "head"), err);
	if (r == 0)
		r = block_put(a, fd, tail, TAIL_BYTES, hf_step_text(step, "tail"), err);
	if (r == 0 && (fsync(fd) < 0 || fstat(fd, &st) < 0))
		r = hf_fail_errno(err, HF_E_IO, "write the table");
	int64_t mtime = hf_dict_int(step, "mtime", -1);
	const struct timespec times[] = { { .tv_nsec = UTIME_OMIT },
		{ .tv_sec = mtime / NANOSECONDS, .tv_nsec = mtime % NANOSECONDS } };
	if (r == 0 && mtime >= 0 && futimens(fd, times) < 0)
		r = hf_fail_errno(err, HF_E_IO, "set the time");
	if (r == 0 && S_ISBLK(st.st_mode) && ioctl(fd, BLKRRPART) < 0)
		r = hf_fail_errno(err, HF_E_IO, "tell the kernel of the table that is back");
	return r;
}

static void parted_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	(void)c;
	(void)params;
	hf_watch_poll(w, 300);
}

const struct hf_module hf_module_parted = {
	.name = "parted",
	.collection = "community.general",
	.schema = { args, rules, sizeof(struct params) },
	.flags = HF_MODULE_NO_DIFF,
	.check = parted_check,
	.apply = parted_apply,
	.undo = parted_undo,
	.restore = parted_restore,
	.watch = parted_watch,
};
