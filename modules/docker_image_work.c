#include "modules/docker_image.h"

#include <stdlib.h>

#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "modules/archive_late.h"
#include "modules/docker_auth.h"
#include "modules/docker_context.h"

enum { BLOCK_SIZE = 1 << 16, MANIFEST_MAX = 16 << 20, QUERY_MAX = 1 << 20, MEMBERS_MAX = 1000000 };

static const struct hf_value *build_get(const struct hf_image_job *j, const char *key)
{
	const struct hf_value *v = j->p->build == NULL ? NULL : hf_dict_get(j->p->build, key);
	return v == NULL || hf_is(v, HF_NULL) ? NULL : v;
}

/* --- building ------------------------------------------------------------------------------------------ */

static int size_take(struct hf_image_job *j, const struct hf_value *from, const char *key, const char *label,
	struct hf_value **ret, struct hf_error *err)
{
	const struct hf_value *v = hf_is(from, HF_DICT) ? hf_dict_get(from, key) : NULL;
	if (v == NULL || hf_is(v, HF_NULL))
		return 0;
	return hf_docker_bytes(j->a, label, hf_value_text(j->a, v).p, strcmp(key, "memswap") == 0, ret, err);
}

int hf_image_sizes(struct hf_image_job *j, struct hf_error *err)
{
	const struct hf_value *limits = build_get(j, "container_limits");
	int r = size_take(j, limits, "memory", "build.container_limits.memory", &j->memory, err);
	if (r == 0)
		r = size_take(j, limits, "memswap", "build.container_limits.memswap", &j->memswap, err);
	if (r == 0)
		r = size_take(j, j->p->build, "shm_size", "build.shm_size", &j->shm_size, err);
	return r;
}

static void query_text(struct hf_image_job *j, struct hf_buf *q, const char *key, const char *text)
{
	hf_buf_printf(q, "%s%s=%s", q->n == 0 ? "?" : "&", key, hf_docker_escape(j->a, text));
}

static void query_value(struct hf_image_job *j, struct hf_buf *q, const char *key, const struct hf_value *v)
{
	if (v == NULL)
		return;
	query_text(
		j, q, key, hf_is(v, HF_BOOL) ? (v->u.boolean ? "true" : "false") : hf_value_text(j->a, v).p);
}

static int query_json(struct hf_image_job *j, struct hf_buf *q, const char *key, const struct hf_value *v,
	struct hf_error *err)
{
	hf_auto_buf text = hf_buf_init(QUERY_MAX);
	bool empty = v == NULL || (hf_is(v, HF_DICT) && hf_dict_len(v) == 0) ||
		     (hf_is(v, HF_LIST) && hf_list_len(v) == 0);
	int r = empty ? 0 : hf_json_write(&text, v, &HF_JSON_COMPACT, err);
	if (r == 0 && !empty)
		query_text(j, q, key, hf_buf_dup(j->a, &text).p);
	return r;
}

/* Arguments of the build: the user's, and the proxies' where these are asked for. */
static int arguments_make(struct hf_image_job *j, struct hf_value **ret, struct hf_error *err)
{
	const struct hf_value *given = build_get(j, "args"), *proxies = build_get(j, "use_config_proxy");
	struct hf_value *out = hf_value_dict(j->a), *more = NULL;
	if (given != NULL)
		HF_DICT_EACH (given, e)
			hf_dict_set(out, hf_entry_key(e),
				hf_value_str(j->a, hf_value_text(j->a, hf_entry_value(e))));
	int r = proxies != NULL && hf_value_truthy(proxies) ? hf_docker_proxies(&j->d, &more, err) : 0;
	if (more != NULL)
		HF_DICT_EACH (more, e)
			if (hf_dict_find(out, hf_entry_key(e)) == NULL)
				hf_dict_set(out, hf_entry_key(e), hf_entry_value(e));
	*ret = out;
	return r;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void hosts_put(struct hf_image_job *j, struct hf_buf *q)
{
	const struct hf_value *v = build_get(j, "etc_hosts");
	const struct hf_value *hosts = v == NULL ? NULL : hf_docker_texts(j->a, v);
	size_t n = 0, room = hosts == NULL ? 0 : hf_dict_len(hosts);
	const char **lines = hf_new_array(j->a, room + 1, const char *);
	if (hosts != NULL)
		HF_DICT_EACH (hosts, e)
			lines[n++] = hf_sprintf(j->a, "%s:%s", hf_value_text(j->a, hf_entry_key(e)).p,
				hf_value_text(j->a, hf_entry_value(e)).p);
	qsort(lines, n, sizeof(*lines), by_text);
	for (size_t i = 0; i < n; i++)
		query_text(j, q, "extrahosts", lines[i]);
}

static int query_make(struct hf_image_job *j, const char *dockerfile, const char **ret, struct hf_error *err)
{
	static const struct {
		const char *key, *option;
	} plain[] = { { "nocache", "nocache" }, { "rm", "rm" }, { "forcerm", "rm" }, { "pull", "pull" },
		{ "target", "target" }, { "networkmode", "network" }, { "platform", "platform" } };
	const struct hf_value *limits = build_get(j, "container_limits"), *labels = build_get(j, "labels");
	struct hf_value *arguments = NULL;
	hf_auto_buf q = hf_buf_init(QUERY_MAX);
	query_text(j, &q, "t", *j->tag == '\0' ? j->name : hf_sprintf(j->a, "%s:%s", j->name, j->tag));
	query_text(j, &q, "q", "false");
	for (size_t i = 0; i < HF_COUNT(plain); i++)
		query_value(j, &q, plain[i].key, build_get(j, plain[i].option));
	if (dockerfile != NULL)
		query_text(j, &q, "dockerfile", dockerfile);
	query_value(j, &q, "memory", j->memory);
	query_value(j, &q, "memswap", j->memswap);
	for (size_t i = 0; limits != NULL && i < 2; i++) {
		const char *key = i == 0 ? "cpushares" : "cpusetcpus";
		const struct hf_value *v = hf_dict_get(limits, key);
		query_value(j, &q, key, v == NULL || hf_is(v, HF_NULL) ? NULL : v);
	}
	query_value(j, &q, "shmsize", j->shm_size);
	hosts_put(j, &q);
	int r = arguments_make(j, &arguments, err);
	if (r == 0)
		r = query_json(j, &q, "buildargs", arguments, err);
	if (r == 0)
		r = query_json(j, &q, "cachefrom", build_get(j, "cache_from"), err);
	if (r == 0)
		r = query_json(j, &q, "labels", labels == NULL ? NULL : hf_docker_texts(j->a, labels), err);
	if (r == 0)
		r = hf_buf_check(&q, "the build's options", err);
	if (r == 0)
		*ret = hf_sprintf(j->a, "/build%s", hf_buf_dup(j->a, &q).p);
	return r;
}

/* What the engine said, line by line. */
static struct hf_value *lines_of(struct hf_image_job *j, const struct hf_value *events)
{
	struct hf_value *out = hf_value_list(j->a);
	for (size_t i = 0; i < hf_list_len(events); i++) {
		const struct hf_value *one = hf_list_at(events, i);
		const char *text = hf_is(one, HF_DICT) ? hf_dict_cstr(one, "stream", "") : "";
		if (*text == '\0' && hf_is(one, HF_DICT))
			text = hf_dict_cstr(one, "status", "");
		struct hf_str rest = hf_str(text), line;
		while (rest.n > 0 && hf_str_split(&rest, '\n', &line)) {
			if (line.n > 0 && line.p[line.n - 1] == '\r')
				line.n--;
			hf_list_append(out, hf_value_str(j->a, line));
		}
	}
	return out;
}

static const char *joined(struct hf_image_job *j, const struct hf_value *lines)
{
	hf_auto_buf out = hf_buf_init(HF_PROC_OUTPUT_MAX);
	for (size_t i = 0; i < hf_list_len(lines); i++) {
		if (i > 0)
			hf_buf_put(&out, '\n');
		hf_buf_add(&out, hf_list_at(lines, i)->u.string);
	}
	return hf_buf_dup(j->a, &out).p;
}

static int build_told(struct hf_image_job *j, const struct hf_value *events, struct hf_error *err)
{
	struct hf_value *lines = lines_of(j, events);
	for (size_t i = 0; i < hf_list_len(events); i++) {
		const struct hf_value *one = hf_list_at(events, i);
		const char *error = hf_is(one, HF_DICT) ? hf_dict_cstr(one, "error", NULL) : NULL;
		const struct hf_value *detail = error == NULL ? NULL : hf_dict_get(one, "errorDetail");
		if (error == NULL)
			continue;
		hf_auto_buf logs = hf_buf_init(HF_PROC_OUTPUT_MAX);
		hf_value_repr(&logs, lines);
		const char *shown = hf_buf_dup(j->a, &logs).p;
		if (!hf_is(detail, HF_DICT))
			return hf_fail(err, HF_E_TASK, "Error building %s - message: %s, logs: %s", j->name,
				error, shown);
		const struct hf_value *code = hf_dict_get(detail, "code");
		return hf_fail(err, HF_E_TASK, "Error building %s - code: %s, message: %s, logs: %s", j->name,
			code == NULL ? "None" : hf_value_text(j->a, code).p,
			hf_dict_cstr(detail, "message", "None"), shown);
	}
	hf_result_cstr(j->c, j->change, "stdout", joined(j, lines));
	return 0;
}

int hf_image_build(struct hf_image_job *j, struct hf_error *err)
{
	struct hf_fs_temp temp;
	const char *dockerfile = hf_dict_cstr(j->p->build, "dockerfile", NULL), *name = NULL;
	struct hf_docker_send send = { .method = "POST", .headers = hf_value_dict(j->a) };
	const struct hf_value *seconds = build_get(j, "http_timeout");
	struct hf_value *events;
	int r = hf_fs_temp_open(j->a, "/tmp/holdfast-build", &temp, err);
	if (r < 0)
		return r;
	send.upload = temp.path;
	send.timeout_s = hf_is(seconds, HF_INT) ? seconds->u.integer : 0;
	hf_dict_put(send.headers, "Content-Type", hf_value_cstr(j->a, "application/tar"));
	r = hf_docker_context(j->a, hf_dict_cstr(j->p->build, "path", ""), dockerfile, temp.fd, &name, err);
	if (r == 0)
		r = query_make(j, name, &send.path, err);
	if (r == 0)
		r = hf_docker_auth_all(&j->d, &send.headers, err);
	if (r == 0)
		r = hf_docker_send(&j->d, &send, &events, err);
	hf_fs_temp_discard(&temp);
	return r < 0 ? r : build_told(j, events, err);
}

/* --- loading and keeping as a file --------------------------------------------------------------------- */

static const char *names_told(struct hf_image_job *j, const char **names, size_t n, const char *quote)
{
	const char *out = "";
	qsort(names, n, sizeof(*names), by_text);
	for (size_t i = 0; i < n; i++)
		out = hf_sprintf(j->a, "%s%s%s%s%s", out, i > 0 ? ", " : "", quote, names[i], quote);
	return out;
}

static int loaded_agree(struct hf_image_job *j, const struct hf_value *lines, struct hf_error *err)
{
	bool id = hf_docker_is_id(j->name), found = false;
	const char *wanted = id ? j->name : hf_sprintf(j->a, "%s:%s", j->name, j->tag);
	const char **all = hf_new_array(j->a, hf_list_len(lines) + 1, const char *);
	size_t n = 0;
	for (size_t i = 0; i < hf_list_len(lines); i++) {
		struct hf_str line = hf_list_at(lines, i)->u.string;
		bool by_id = hf_str_starts(line, "Loaded image ID:");
		if (!by_id && !hf_str_starts(line, "Loaded image:"))
			continue;
		const char *name = hf_str_dup(j->a, hf_str_trim(hf_str(strchr(line.p, ':') + 1)));
		found = found || (by_id == id && strcmp(name, wanted) == 0);
		all[n++] = name;
	}
	if (n == 0)
		return hf_fail(err, HF_E_TASK, "Detected no loaded images. Archive potentially corrupt?");
	if (!found)
		return hf_fail(err, HF_E_TASK, "The archive did not contain image '%s'. Instead, found %s.",
			wanted, names_told(j, all, n, "'"));
	size_t others = 0;
	for (size_t i = 0; i < n; i++)
		if (strcmp(all[i], wanted) != 0)
			all[others++] = all[i];
	if (others > 0)
		hf_task_warn(j->c, "The archive contained more images than specified: %s",
			names_told(j, all, others, "'"));
	return 0;
}

int hf_image_load(struct hf_image_job *j, struct hf_error *err)
{
	const struct hf_docker_send send = {
		.method = "POST", .path = "/images/load", .upload = j->p->load_path
	};
	struct hf_value *events;
	int r = hf_docker_send(&j->d, &send, &events, err);
	if (r < 0)
		return hf_wrap(err, "Error loading image %s", j->name);
	struct hf_value *lines = lines_of(j, events);
	r = loaded_agree(j, lines, err);
	if (r < 0)
		hf_result_cstr(j->c, j->change, "stdout", joined(j, lines));
	return r;
}

int hf_image_save(struct hf_image_job *j, const char *name, struct hf_error *err)
{
	struct hf_fs_temp temp;
	int r = hf_fs_temp_open(j->a, j->p->archive_path, &temp, err);
	if (r < 0)
		return hf_wrap(err, "Error writing image archive %s", j->p->archive_path);
	const struct hf_docker_send send = { .method = "GET",
		.path = hf_sprintf(j->a, "/images/%s/get", hf_docker_escape(j->a, name)),
		.into = temp.path };
	r = hf_docker_send(&j->d, &send, NULL, err);
	if (r == 0)
		return hf_fs_temp_commit(&temp, HF_FS_KEEP, err);
	hf_fs_temp_discard(&temp);
	return hf_wrap(err, "Error getting image %s", name);
}

/* The one entry of manifest.json in an image's tar; *ret NULL: it cannot be had. */
static int manifest_read(struct hf_image_job *j, const struct hf_value **ret, struct hf_error *err)
{
	struct archive_entry *e;
	struct hf_value *all = NULL;
	char block[BLOCK_SIZE];
	la_ssize_t n;
	*ret = NULL;
	int r = hf_archive_ready(err);
	if (r < 0)
		return r;
	hf_auto_buf text = hf_buf_init(MANIFEST_MAX);
	hf_auto_archive_reader in = archive_read_new();
	archive_read_support_filter_all(in);
	archive_read_support_format_tar(in);
	if (archive_read_open_filename(in, j->p->archive_path, BLOCK_SIZE) != ARCHIVE_OK)
		return 0;
	for (size_t i = 0; i < MEMBERS_MAX && archive_read_next_header(in, &e) >= ARCHIVE_WARN; i++) {
		if (!hf_same(archive_entry_pathname(e), "manifest.json"))
			continue;
		while ((n = archive_read_data(in, block, sizeof(block))) > 0)
			hf_buf_append(&text, block, (size_t)n);
		break;
	}
	struct hf_error why;
	if (text.failed || hf_json_loads(j->a, hf_buf_dup(j->a, &text), &all, &why) < 0 ||
		!hf_is(all, HF_LIST) || hf_list_len(all) != 1 || !hf_is(hf_list_at(all, 0), HF_DICT))
		return 0;
	const struct hf_value *one = hf_list_at(all, 0);
	if (hf_dict_cstr(one, "Config", NULL) != NULL && hf_is(hf_dict_get(one, "RepoTags"), HF_LIST))
		*ret = one;
	return 0;
}

int hf_image_archived(
	struct hf_image_job *j, const char *name, const char *id, const char **ret, struct hf_error *err)
{
	const char *begin = hf_sprintf(j->a, "Archived image %s to %s,", name, j->p->archive_path);
	const struct hf_value *one;
	struct stat st;
	if (stat(j->p->archive_path, &st) < 0 || !S_ISREG(st.st_mode)) {
		*ret = hf_sprintf(j->a, "%s since none present", begin);
		return 0;
	}
	int r = manifest_read(j, &one, err);
	if (r < 0)
		return r;
	if (one == NULL) {
		*ret = hf_sprintf(j->a, "%s overwriting an unreadable archive file", begin);
		return 0;
	}
	const char *config = hf_dict_cstr(one, "Config", ""), *dot = strrchr(config, '.');
	const char *theirs = dot == NULL ? config : hf_strndup(j->a, config, (size_t)(dot - config));
	const struct hf_value *tags = hf_dict_get(one, "RepoTags");
	const char *shown = "";
	theirs += strncmp(theirs, "blobs/sha256/", 13) == 0 ? 13 : 0;
	for (size_t i = 0; i < hf_list_len(tags); i++)
		shown = hf_sprintf(
			j->a, "%s%s%s", shown, i > 0 ? ", " : "", hf_value_text(j->a, hf_list_at(tags, i)).p);
	bool same = strncmp(id, "sha256:", 7) == 0 && strcmp(id + 7, theirs) == 0 && hf_list_len(tags) == 1 &&
		    strcmp(shown, name) == 0;
	*ret = same ? NULL
		    : hf_sprintf(j->a, "%s overwriting archive with image %s named %s", begin, theirs, shown);
	return 0;
}

/* --- the registry -------------------------------------------------------------------------------------- */

int hf_image_pushed(struct hf_image_job *j, const char *name, const char *tag, const struct hf_value *image,
	bool *ret, struct hf_error *err)
{
	const struct hf_value *held = hf_dict_get(image, "RepoDigests"), *descriptor;
	struct hf_docker_send send = { .method = "GET",
		.path = hf_sprintf(j->a, "/distribution/%s/json",
			hf_docker_escape(j->a, hf_sprintf(j->a, "%s:%s", name, tag))),
		.timeout_s = j->p->docker.timeout };
	struct hf_value *told;
	struct hf_error why;
	*ret = false;
	if (!hf_is(held, HF_LIST) || hf_list_len(held) == 0)
		return 0;
	int r = hf_docker_auth(&j->d, name, &send.headers, err);
	if (r < 0 || hf_docker_send(&j->d, &send, &told, &why) < 0 || hf_list_len(told) == 0)
		return r; /* not known: it would be pushed */
	descriptor =
		hf_is(hf_list_at(told, 0), HF_DICT) ? hf_dict_get(hf_list_at(told, 0), "Descriptor") : NULL;
	const char *digest = hf_is(descriptor, HF_DICT) ? hf_dict_cstr(descriptor, "digest", "") : "";
	*ret = hf_list_has(held, hf_sprintf(j->a, "%s@%s", name, digest));
	return 0;
}

static int push_refused(const char *registry, const char *rest, const char *tag, const char *name,
	const struct hf_error *why, struct hf_error *err)
{
	if (strstr(why->text, "unauthorized") == NULL)
		return hf_fail(err, HF_E_TASK, "Error pushing image %s: %s", name, why->text);
	if (strstr(why->text, "authentication required") != NULL)
		return hf_fail(err, HF_E_TASK,
			"Error pushing image %s/%s:%s - %s. Try logging into %s first.", registry, rest, tag,
			why->text, registry);
	return hf_fail(err, HF_E_TASK, "Error pushing image %s/%s:%s - %s. Does the repository exist?",
		registry, rest, tag, why->text);
}

int hf_image_push(struct hf_image_job *j, const char *name, const char *tag, const char *registry,
	const char *rest, struct hf_error *err)
{
	struct hf_docker_send send = { .method = "POST",
		.path = hf_sprintf(j->a, "/images/%s/push?tag=%s", hf_docker_escape(j->a, name),
			hf_docker_escape(j->a, tag)) };
	struct hf_value *events = NULL, *image = NULL, *status = hf_value_null(j->a);
	struct hf_error why;
	bool changed = false;
	int r = hf_docker_auth(&j->d, name, &send.headers, err);
	if (r < 0)
		return r;
	r = hf_docker_send(&j->d, &send, &events, &why);
	for (size_t i = 0; r == 0 && i < hf_list_len(events); i++) {
		const struct hf_value *one = hf_list_at(events, i);
		const struct hf_value *detail = hf_is(one, HF_DICT) ? hf_dict_get(one, "errorDetail") : NULL;
		const char *text = hf_is(one, HF_DICT) ? hf_dict_cstr(one, "status", NULL) : NULL;
		if (hf_is(detail, HF_DICT))
			r = hf_fail(&why, HF_E_TASK, "%s", hf_dict_cstr(detail, "message", ""));
		status = text == NULL ? hf_value_null(j->a) : hf_value_cstr(j->a, text);
		changed = changed || hf_same(text, "Pushing");
	}
	if (r < 0)
		return push_refused(registry, rest, tag, name, &why, err);
	j->change->changed = changed;
	r = hf_docker_image(&j->d, name, tag, &image, err);
	if (r < 0)
		return r;
	image = image == NULL ? hf_value_dict(j->a) : image;
	hf_dict_put(image, "push_status", status);
	hf_result_put(j->c, j->change, "image", image);
	return 0;
}
