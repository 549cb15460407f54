#include <ctype.h>
#include <math.h>
#include <stdlib.h>

#include "lib/base/scope.h"
#include "lib/data/schema_convert.h"
#include "modules/cmdline.h"
#include "modules/docker_container.h"

/* What options become before the engine sees them. Each takes what the playbook says and gives what is sent
 * and compared. */
enum { PARTS_MAX = 8, FILE_MAX = 4 << 20 };

static const char *text(struct hf_arena *a, const struct hf_value *v)
{
	return v == NULL || hf_is(v, HF_NULL) ? NULL : hf_value_text(a, v).p;
}

static const char *field(struct hf_arena *a, const struct hf_value *dict, const char *key)
{
	return text(a, hf_dict_get(dict, key));
}

/* "a:b:c" into at most max parts, the last one taking the rest. */
size_t hf_container_parts(struct hf_arena *a, const char *s, const char **ret, size_t max)
{
	size_t n = 0;
	if (s == NULL) /* a null in somebody's list */
		s = "";
	for (; n + 1 < max && strchr(s, ':') != NULL; n++) {
		size_t k = strcspn(s, ":");
		ret[n] = hf_strndup(a, s, k);
		s += k + 1;
	}
	ret[n++] = s;
	return n;
}

static int make_words(struct hf_container_job *j, const char *name, const struct hf_value *in,
	struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *out = hf_value_list(j->a);
	bool old = strcmp(j->p->command_handling, "compatibility") == 0, list = hf_is_sequence(in);
	const char *line = list ? "" : hf_value_text(j->a, in).p;
	char **words = NULL;
	size_t n = 0;
	(void)name;
	for (size_t i = 0; list && i < hf_list_len(in); i++) {
		const char *word = hf_value_text(j->a, hf_list_at(in, i)).p;
		line = hf_sprintf(j->a, "%s%s%s", line, i > 0 ? " " : "", word);
		if (!old)
			hf_list_append(out, hf_value_cstr(j->a, word));
	}
	int r = list && !old ? 0 : hf_cmdline_split(j->a, line, &words, &n, err);
	for (size_t i = 0; r == 0 && i < n; i++)
		hf_list_append(out, hf_value_cstr(j->a, words[i]));
	if (r == 0)
		*ret = old && hf_list_len(out) == 0 ? NULL : out;
	return r;
}

static int make_cpus(struct hf_container_job *j, const char *name, const struct hf_value *in,
	struct hf_value **ret, struct hf_error *err)
{
	(void)name;
	(void)err;
	*ret = hf_value_int(j->a, (int64_t)llrint(in->u.real * 1e9));
	return 0;
}

static int make_devices(struct hf_container_job *j, const char *name, const struct hf_value *in,
	struct hf_value **ret, struct hf_error *err)
{
	(void)name;
	(void)err;
	*ret = hf_value_list(j->a);
	for (size_t i = 0; i < hf_list_len(in); i++) {
		const char *p[PARTS_MAX];
		size_t n = hf_container_parts(j->a, text(j->a, hf_list_at(in, i)), p, 3);
		struct hf_value *one = hf_value_dict(j->a);
		hf_dict_put(one, "PathOnHost", hf_value_cstr(j->a, p[0]));
		hf_dict_put(one, "PathInContainer", hf_value_cstr(j->a, n > 1 ? p[1] : p[0]));
		hf_dict_put(one, "CgroupPermissions", hf_value_cstr(j->a, n > 2 ? p[2] : "rwm"));
		hf_list_append(*ret, one);
	}
	return 0;
}

static int bytes_of(struct hf_container_job *j, const char *name, const char *value, struct hf_value **ret,
	struct hf_error *err)
{
	return hf_docker_bytes(j->a, name, value, strcmp(name, "memory_swap") == 0, ret, err);
}

static int make_bytes(struct hf_container_job *j, const char *name, const struct hf_value *in,
	struct hf_value **ret, struct hf_error *err)
{
	return bytes_of(j, name, hf_value_text(j->a, in).p, ret, err);
}

static int make_rates(struct hf_container_job *j, const char *name, const struct hf_value *in,
	struct hf_value **ret, struct hf_error *err)
{
	int r = 0;
	*ret = hf_value_list(j->a);
	for (size_t i = 0; r == 0 && i < hf_list_len(in); i++) {
		struct hf_value *one = hf_value_dict(j->a), *rate = NULL;
		const char *value = field(j->a, hf_list_at(in, i), "rate");
		r = bytes_of(j, name, value == NULL ? "" : value, &rate, err);
		if (r < 0)
			break;
		hf_dict_put(one, "Path", hf_dict_get(hf_list_at(in, i), "path"));
		hf_dict_put(one, "Rate", rate);
		hf_list_append(*ret, one);
	}
	return r;
}

static int make_requests(struct hf_container_job *j, const char *name, const struct hf_value *in,
	struct hf_value **ret, struct hf_error *err)
{
	static const char *const keys[][2] = { { "Driver", "driver" }, { "Count", "count" },
		{ "DeviceIDs", "device_ids" }, { "Capabilities", "capabilities" }, { "Options", "options" } };
	(void)name;
	(void)err;
	*ret = hf_value_list(j->a);
	for (size_t i = 0; i < hf_list_len(in); i++) {
		struct hf_value *one = hf_value_dict(j->a);
		for (size_t k = 0; k < HF_COUNT(keys); k++) {
			struct hf_value *v = hf_dict_get(hf_list_at(in, i), keys[k][1]);
			hf_dict_put(one, keys[k][0], v == NULL ? hf_value_null(j->a) : v);
		}
		hf_list_append(*ret, one);
	}
	return 0;
}

static int env_file_read(struct hf_container_job *j, struct hf_value *env, struct hf_error *err)
{
	struct hf_str all, line;
	if (j->p->env_file == NULL)
		return 0;
	int r = hf_fs_read(j->a, j->p->env_file, FILE_MAX, &all, err);
	while (r == 0 && all.n > 0 && hf_str_split(&all, '\n', &line)) {
		if (line.n > 0 && line.p[0] == '#')
			continue;
		line = hf_str_trim(line);
		const char *sign = line.n == 0 ? NULL : memchr(line.p, '=', line.n);
		if (line.n > 0 && sign == NULL)
			return hf_fail(err, HF_E_TASK, "Invalid line in environment file %s:\n%.*s",
				j->p->env_file, HF_STR_ARG(line));
		if (sign != NULL)
			hf_dict_put(env, hf_strndup(j->a, line.p, (size_t)(sign - line.p)),
				hf_value_str(j->a, hf_strn(sign + 1, (size_t)(line.p + line.n - sign - 1))));
	}
	return r;
}

static struct hf_value *joined(struct hf_arena *a, const struct hf_value *dict, const char *between)
{
	struct hf_value *out = hf_value_list(a);
	HF_DICT_EACH (dict, e)
		hf_list_append(
			out, hf_value_cstr(a, hf_sprintf(a, "%s%s%s", hf_value_text(a, hf_entry_key(e)).p,
						      between, hf_value_text(a, hf_entry_value(e)).p)));
	return out;
}

static int make_env(struct hf_container_job *j, const char *name, const struct hf_value *in,
	struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *env = hf_value_dict(j->a);
	int r = env_file_read(j, env, err);
	(void)name;
	if (r == 0 && hf_is(in, HF_DICT)) {
		HF_DICT_EACH (in, e) {
			const char *key = hf_value_text(j->a, hf_entry_key(e)).p;
			if (!hf_is(hf_entry_value(e), HF_STRING))
				return hf_fail(err, HF_E_TASK,
					"Non-string value found for env option. Ambiguous env options must "
					"be wrapped in "
					"quotes to avoid them being interpreted. Key: %s",
					key);
			hf_dict_put(env, key, hf_entry_value(e));
		}
	}
	*ret = joined(j->a, env, "=");
	return r;
}

static int make_hosts(struct hf_container_job *j, const char *name, const struct hf_value *in,
	struct hf_value **ret, struct hf_error *err)
{
	(void)name;
	(void)err;
	*ret = joined(j->a, in, ":");
	return 0;
}

static int make_texts(struct hf_container_job *j, const char *name, const struct hf_value *in,
	struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *out = hf_value_dict(j->a);
	(void)name;
	(void)err;
	HF_DICT_EACH (in, e)
		hf_dict_put(out, hf_value_text(j->a, hf_entry_key(e)).p,
			hf_value_str(j->a, hf_value_text(j->a, hf_entry_value(e))));
	*ret = out;
	return 0;
}

static int make_labels(struct hf_container_job *j, const char *name, const struct hf_value *in,
	struct hf_value **ret, struct hf_error *err)
{
	HF_DICT_EACH (in, e)
		if (hf_is(hf_entry_value(e), HF_BOOL) || hf_is(hf_entry_value(e), HF_FLOAT))
			return hf_fail(err, HF_E_TASK,
				"The value %s for '%s' of labels is not a string or something than can be "
				"safely "
				"converted to a string!",
				hf_value_text(j->a, hf_entry_value(e)).p,
				hf_value_text(j->a, hf_entry_key(e)).p);
	return make_texts(j, name, in, ret, err);
}

/* "1h2m3s4ms5us" in nanoseconds. */
static int duration(const char *s, int64_t *ret, struct hf_error *err)
{
	static const struct {
		const char *unit;
		int64_t ns;
	} units[] = { { "h", 3600000000000 }, { "ms", 1000000 }, { "m", 60000000000 }, { "us", 1000 },
		{ "s", 1000000000 } };
	int64_t total = 0;
	for (const char *p = s; *p != '\0';) {
		char *end;
		int64_t n = strtoll(p, &end, 10);
		size_t i = 0;
		while (end != p && i < HF_COUNT(units) &&
			strncmp(end, units[i].unit, strlen(units[i].unit)) != 0)
			i++;
		if (end == p || !isdigit((unsigned char)*p) || i == HF_COUNT(units))
			return hf_fail(err, HF_E_TASK, "Invalid time duration - %s", s);
		total += n * units[i].ns;
		p = end + strlen(units[i].unit);
	}
	*ret = total;
	return 0;
}

static struct hf_value *health_test(struct hf_arena *a, const struct hf_value *test)
{
	struct hf_value *out = hf_value_list(a);
	if (!hf_is_sequence(test)) {
		hf_list_append(out, hf_value_cstr(a, "CMD-SHELL"));
		hf_list_append(out, hf_value_str(a, hf_value_text(a, test)));
		return out;
	}
	for (size_t i = 0; i < hf_list_len(test); i++)
		hf_list_append(out, hf_value_str(a, hf_value_text(a, hf_list_at(test, i))));
	return out;
}

static int make_healthcheck(struct hf_container_job *j, const char *name, const struct hf_value *in,
	struct hf_value **ret, struct hf_error *err)
{
	static const char *const times[][2] = { { "Interval", "interval" }, { "Timeout", "timeout" },
		{ "StartPeriod", "start_period" }, { "StartInterval", "start_interval" } };
	struct hf_value *out = hf_value_dict(j->a);
	const struct hf_value *test = hf_dict_get(in, "test");
	bool any = test != NULL && hf_value_truthy(test);
	int r = 0;
	(void)name;
	if (any)
		hf_dict_put(out, "Test", health_test(j->a, test));
	else if (!hf_dict_bool(in, "test_cli_compatible", false) || (test != NULL && !hf_is(test, HF_NULL)))
		hf_dict_put(out, "Test", hf_text_list(j->a, "NONE", NULL));
	for (size_t i = 0; r == 0 && i < HF_COUNT(times); i++) {
		const char *value = field(j->a, in, times[i][1]);
		int64_t ns = 0;
		if (value == NULL)
			continue;
		r = duration(value, &ns, err);
		if (r == 0 && ns != 0)
			hf_dict_put(out, times[i][0], hf_value_int(j->a, ns));
	}
	if (hf_dict_int(in, "retries", 0) != 0)
		hf_dict_put(out, "Retries", hf_value_int(j->a, hf_dict_int(in, "retries", 0)));
	*ret = out;
	return r;
}

/* container:NAME → container:ID */
static int make_joined(struct hf_container_job *j, const char *name, const struct hf_value *in,
	struct hf_value **ret, struct hf_error *err)
{
	const char *s = hf_value_text(j->a, in).p;
	struct hf_value *found = NULL;
	int r = 0;
	(void)name;
	*ret = hf_value_cstr(j->a, s);
	if (strncmp(s, "container:", 10) != 0)
		return 0;
	r = hf_docker_container(&j->d, s + 10, &found, err);
	if (r == 0 && found == NULL)
		hf_task_warn(j->c, "Cannot find a container with name or ID \"%s\"", s + 10);
	if (found != NULL)
		*ret = hf_value_cstr(j->a, hf_sprintf(j->a, "container:%s", hf_dict_cstr(found, "Id", "")));
	return r;
}

static int make_links(struct hf_container_job *j, const char *name, const struct hf_value *in,
	struct hf_value **ret, struct hf_error *err)
{
	(void)name;
	(void)err;
	*ret = hf_value_list(j->a);
	for (size_t i = 0; i < hf_list_len(in); i++) {
		const char *p[PARTS_MAX];
		size_t n = hf_container_parts(j->a, text(j->a, hf_list_at(in, i)), p, 2);
		hf_list_append(*ret, hf_value_cstr(j->a, hf_sprintf(j->a, "/%s:/%s/%s", p[0], j->p->name,
								 n > 1 ? p[1] : p[0])));
	}
	return 0;
}

static int make_mac(struct hf_container_job *j, const char *name, const struct hf_value *in,
	struct hf_value **ret, struct hf_error *err)
{
	char *s = hf_strdup(j->a, hf_value_text(j->a, in).p);
	(void)name;
	(void)err;
	for (char *p = s; *p != '\0'; p++)
		*p = *p == '-' ? ':' : *p;
	*ret = hf_value_cstr(j->a, s);
	return 0;
}

static int make_tmpfs(struct hf_container_job *j, const char *name, const struct hf_value *in,
	struct hf_value **ret, struct hf_error *err)
{
	(void)name;
	(void)err;
	*ret = hf_value_dict(j->a);
	for (size_t i = 0; i < hf_list_len(in); i++) {
		const char *p[PARTS_MAX];
		size_t n = hf_container_parts(j->a, text(j->a, hf_list_at(in, i)), p, 2);
		hf_dict_put(*ret, p[0], hf_value_cstr(j->a, n > 1 ? p[1] : ""));
	}
	return 0;
}

static int make_ulimits(struct hf_container_job *j, const char *name, const struct hf_value *in,
	struct hf_value **ret, struct hf_error *err)
{
	(void)name;
	*ret = hf_value_list(j->a);
	for (size_t i = 0; i < hf_list_len(in); i++) {
		const char *p[PARTS_MAX];
		size_t n = hf_container_parts(j->a, text(j->a, hf_list_at(in, i)), p, PARTS_MAX);
		struct hf_value *one = hf_value_dict(j->a);
		char *end = NULL;
		if (n < 2 || n > 3)
			return hf_fail(err, HF_E_TASK, "ulimits: '%s' is not NAME:SOFT[:HARD]",
				text(j->a, hf_list_at(in, i)));
		hf_dict_put(one, "Name", hf_value_cstr(j->a, p[0]));
		hf_dict_put(one, "Soft", hf_value_int(j->a, strtoll(p[1], &end, 10)));
		hf_dict_put(one, "Hard", hf_value_int(j->a, strtoll(p[n - 1], &end, 10)));
		hf_list_append(*ret, one);
	}
	return 0;
}

/* --- mounts
 * -------------------------------------------------------------------------------- */

/* The engine's part of a mount that its type has, from rows of {ours, theirs}. */
static int mount_type_options(struct hf_container_job *j, const struct hf_value *in, const char *type,
	struct hf_value *out, struct hf_error *err)
{
	static const char *const rows[][4] = { { "propagation", "bind", "BindOptions", "Propagation" },
		{ "no_copy", "volume", "VolumeOptions", "NoCopy" },
		{ "labels", "volume", "VolumeOptions", "Labels" },
		{ "volume_driver", "volume", "VolumeOptions", "DriverConfig" },
		{ "volume_options", "volume", "VolumeOptions", NULL },
		{ "tmpfs_size", "tmpfs", "TmpfsOptions", "SizeBytes" },
		{ "tmpfs_mode", "tmpfs", "TmpfsOptions", "Mode" } };
	struct hf_value *own = hf_value_dict(j->a);
	int r = 0;
	for (size_t i = 0; r == 0 && i < HF_COUNT(rows); i++) {
		struct hf_value *v = hf_dict_get(in, rows[i][0]), *made = v;
		if (v == NULL || hf_is(v, HF_NULL))
			continue;
		if (strcmp(rows[i][1], type) != 0)
			return hf_fail(err, HF_E_TASK,
				"%s cannot be specified for mount \"%s\" of type \"%s\" (needs type \"%s\")",
				rows[i][0], field(j->a, in, "target"), type, rows[i][1]);
		char *end;
		if (strcmp(rows[i][0], "labels") == 0)
			made = hf_docker_texts(j->a, v);
		else if (strcmp(rows[i][0], "tmpfs_size") == 0)
			r = bytes_of(j, "tmpfs_size", hf_value_text(j->a, v).p, &made, err);
		else if (strcmp(rows[i][0], "tmpfs_mode") == 0)
			made = hf_value_int(j->a, strtol(hf_value_text(j->a, v).p, &end, 8));
		else if (strcmp(rows[i][0], "volume_driver") == 0) {
			made = hf_value_dict(j->a);
			hf_dict_put(made, "Name", v);
			if (field(j->a, in, "volume_options") != NULL)
				hf_dict_put(made, "Options",
					hf_docker_texts(j->a, hf_dict_get(in, "volume_options")));
		}
		if (rows[i][3] != NULL && hf_value_truthy(made))
			hf_dict_put(own, rows[i][3], made);
		if (hf_dict_len(own) > 0)
			hf_dict_put(out, rows[i][2], own);
	}
	return r;
}

static int make_mounts(struct hf_container_job *j, const char *name, const struct hf_value *in,
	struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *seen = hf_value_dict(j->a);
	int r = 0;
	(void)name;
	*ret = hf_value_list(j->a);
	for (size_t i = 0; r == 0 && i < hf_list_len(in); i++) {
		const struct hf_value *one = hf_list_at(in, i);
		const char *target = field(j->a, one, "target"), *type = field(j->a, one, "type");
		struct hf_value *out = hf_value_dict(j->a), *v;
		if (hf_dict_get(seen, target) != NULL)
			return hf_fail(err, HF_E_TASK,
				"The mount point \"%s\" appears twice in the mounts option", target);
		if (field(j->a, one, "source") == NULL && strcmp(type, "tmpfs") != 0 &&
			strcmp(type, "volume") != 0)
			return hf_fail(err, HF_E_TASK,
				"source must be specified for mount \"%s\" of type \"%s\"", target, type);
		hf_dict_put(seen, target, hf_value_null(j->a));
		hf_dict_put(out, "Target", hf_value_cstr(j->a, target));
		v = hf_dict_get(one, "source");
		hf_dict_put(out, "Source", v == NULL ? hf_value_null(j->a) : v);
		hf_dict_put(out, "Type", hf_value_cstr(j->a, type));
		v = hf_dict_get(one, "read_only");
		hf_dict_put(out, "ReadOnly", v == NULL ? hf_value_null(j->a) : v);
		if (field(j->a, one, "consistency") != NULL)
			hf_dict_put(out, "Consistency", hf_dict_get(one, "consistency"));
		r = mount_type_options(j, one, type, out, err);
		hf_list_append(*ret, out);
	}
	return r;
}

/* --- the table
 * ---------------------------------------------------------------------------------------------- */

#define AT(field) offsetof(struct hf_container_params, field)
const struct hf_container_row hf_container_rows[] = {
#define X(name, type, where, key, kind, update, make, elements, sub, help, more)                             \
	{ #name, HF_ARG_##type, AT(name), HF_CONTAINER_##where, key, HF_COMPARE_##kind, update, make },
#include "modules/docker_options.def"
#undef X
	{ .option = NULL },
};
static struct hf_value *given_value(struct hf_container_job *j, const struct hf_container_row *row)
{
	const void *at = (const char *)j->p + row->offset;
	if (!hf_task_given(j->c, row->option))
		return NULL;
	if (row->type == HF_ARG_STR)
		return *(const char *const *)at == NULL ? NULL
							: hf_value_cstr(j->a, *(const char *const *)at);
	if (row->type == HF_ARG_INT)
		return hf_value_int(j->a, *(const int64_t *)at);
	if (row->type == HF_ARG_FLOAT)
		return hf_value_float(j->a, *(const double *)at);
	if (row->type == HF_ARG_BOOL)
		return *(const enum hf_tristate *)at == HF_UNSET
			       ? NULL
			       : hf_value_bool(j->a, *(const enum hf_tristate *)at == HF_YES);
	struct hf_value *v = *(struct hf_value *const *)at;
	return v == NULL || hf_is(v, HF_NULL) ? NULL : v;
}

/* One of networks as the engine wants an endpoint. */
static int endpoint_make(
	struct hf_container_job *j, const struct hf_value *one, struct hf_value **ret, struct hf_error *err)
{
	static const char *const fields[][2] = { { "ipv4_address", "IPv4Address" },
		{ "ipv6_address", "IPv6Address" } };
	struct hf_value *end = hf_value_dict(j->a), *ipam = hf_value_dict(j->a), *links = hf_value_list(j->a);
	struct hf_value *aliases = hf_dict_get(one, "aliases"), *in = hf_dict_get(one, "links"), *mac = NULL;
	int r = 0;
	for (size_t k = 0; k < HF_COUNT(fields); k++)
		if (field(j->a, one, fields[k][0]) != NULL)
			hf_dict_put(ipam, fields[k][1], hf_dict_get(one, fields[k][0]));
	for (size_t k = 0; hf_is(in, HF_LIST) && k < hf_list_len(in); k++) {
		const char *p[2];
		size_t n = hf_container_parts(j->a, text(j->a, hf_list_at(in, k)), p, 2);
		hf_list_append(links, hf_value_cstr(j->a, hf_sprintf(j->a, "%s:%s", p[0], p[n - 1])));
	}
	if (aliases != NULL && hf_value_truthy(aliases))
		hf_dict_put(end, "Aliases", aliases);
	if (hf_list_len(links) > 0)
		hf_dict_put(end, "Links", links);
	if (field(j->a, one, "mac_address") != NULL) {
		r = make_mac(j, "", hf_dict_get(one, "mac_address"), &mac, err);
		hf_dict_put(end, "MacAddress", mac);
	}
	if (hf_dict_len(ipam) > 0)
		hf_dict_put(end, "IPAMConfig", ipam);
	*ret = end;
	return r;
}

static int networks_make(struct hf_container_job *j, struct hf_error *err)
{
	const struct hf_value *in = j->p->networks;
	int r = 0;
	if (!hf_task_given(j->c, "networks") || in == NULL)
		return 0;
	j->networks = hf_value_list(j->a);
	for (size_t i = 0; r == 0 && i < hf_list_len(in); i++) {
		struct hf_value *made = hf_value_dict(j->a), *end = NULL, *network = NULL;
		const char *name = field(j->a, hf_list_at(in, i), "name");
		r = endpoint_make(j, hf_list_at(in, i), &end, err);
		if (r == 0)
			r = hf_docker_network(&j->d, name, &network, err);
		if (r < 0)
			return r;
		if (network == NULL)
			return hf_fail(err, HF_E_TASK,
				"Parameter error: network named %s could not be found. Does it exist?", name);
		hf_dict_put(made, "name", hf_value_cstr(j->a, name));
		hf_dict_put(made, "endpoint", end);
		hf_dict_put(made, "id", hf_dict_get(network, "Id"));
		hf_list_append(j->networks, made);
	}
	if (hf_list_len(j->networks) > 0 && j->p->networks_cli_compatible == HF_YES &&
		hf_dict_get(j->values, "network_mode") == NULL)
		hf_dict_put(j->values, "network_mode", hf_dict_get(hf_list_at(j->networks, 0), "name"));
	return r;
}

static const char *known_option(const char *name)
{
	static const char *const others[] = { "image", "networks", "env_file", NULL };
	const struct hf_arg *arg = hf_schema_find(hf_container_args, name);
	for (size_t i = 0; arg != NULL && hf_container_rows[i].option != NULL; i++)
		if (strcmp(hf_container_rows[i].option, arg->name) == 0)
			return arg->name;
	for (size_t i = 0; others[i] != NULL; i++)
		if (strcmp(others[i], name) == 0)
			return name;
	return NULL;
}

static bool mode_known(const char *mode, bool more)
{
	return hf_same(mode, "strict") || hf_same(mode, "ignore") ||
	       (more && hf_same(mode, "allow_more_present"));
}

/* "*": every option that is compared, and networks where they are given. */
static int comparisons_all(struct hf_container_job *j, struct hf_value *mode, struct hf_error *err)
{
	if (mode == NULL)
		return 0;
	const char *word = text(j->a, mode);
	if (word == NULL || !mode_known(word, false))
		return hf_fail(err, HF_E_TASK,
			"The wildcard can only be used with comparison modes 'strict' and 'ignore'!");
	for (size_t i = 0; hf_container_rows[i].option != NULL; i++)
		hf_dict_put(j->comparisons, hf_container_rows[i].option, mode);
	hf_dict_put(j->comparisons, "image", mode);
	if (hf_task_given(j->c, "networks"))
		hf_dict_put(j->comparisons, "networks", mode);
	return 0;
}

static int comparisons_make(struct hf_container_job *j, struct hf_error *err)
{
	const struct hf_value *in = j->p->comparisons;
	j->comparisons = hf_value_dict(j->a);
	if (j->p->ignore_image == HF_YES)
		hf_dict_put(j->comparisons, "image", hf_value_cstr(j->a, "ignore"));
	if (j->p->purge_networks == HF_YES)
		hf_dict_put(j->comparisons, "networks", hf_value_cstr(j->a, "strict"));
	if (in == NULL)
		return 0;
	int r = comparisons_all(j, hf_dict_get(in, "*"), err);
	HF_DICT_EACH (in, e) {
		const char *key = text(j->a, hf_entry_key(e)), *mode = text(j->a, hf_entry_value(e));
		key = key == NULL ? "None" : key;
		mode = mode == NULL ? "None" : mode;
		const char *name = known_option(key);
		if (r < 0 || strcmp(key, "*") == 0)
			continue;
		if (name == NULL)
			return hf_fail(
				err, HF_E_TASK, "Unknown module option '%s' in comparisons dict!", key);
		if (!mode_known(mode, true))
			return hf_fail(err, HF_E_TASK, "Unknown comparison mode '%s'!", mode);
		hf_dict_put(j->comparisons, name, hf_entry_value(e));
	}
	return r;
}

/* env_file without env. */
static int env_of_file(struct hf_container_job *j, struct hf_error *err)
{
	struct hf_value *env = NULL;
	if (j->p->env_file == NULL || hf_dict_get(j->values, "env") != NULL)
		return 0;
	int r = make_env(j, "env", NULL, &env, err);
	if (r == 0)
		hf_dict_put(j->values, "env", env);
	return r;
}

/* Made together with others, in docker_ports.c. */
static bool apart(const struct hf_container_row *row)
{
	return row->where == HF_CONTAINER_OWN &&
	       (strcmp(row->option, "volumes") == 0 || strstr(row->option, "ed_ports") != NULL);
}

int hf_container_values(struct hf_container_job *j, struct hf_error *err)
{
	int r = comparisons_make(j, err);
	j->values = hf_value_dict(j->a);
	for (size_t i = 0; r == 0 && hf_container_rows[i].option != NULL; i++) {
		const struct hf_container_row *row = &hf_container_rows[i];
		struct hf_value *in = given_value(j, row), *out = in;
		if (in == NULL || apart(row))
			continue;
		if (row->make != NULL)
			r = row->make(j, row->option, in, &out, err);
		if (r == 0 && out != NULL)
			hf_dict_put(j->values, row->option, out);
	}
	if (r == 0)
		r = env_of_file(j, err);
	if (r == 0 && hf_task_given(j->c, "volumes") && j->p->volumes != NULL)
		r = hf_container_volumes(j, j->p->volumes, err);
	if (r == 0)
		r = hf_container_ports(j, err);
	return r == 0 ? networks_make(j, err) : r;
}
