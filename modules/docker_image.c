/* modules/docker_image.c - images of a container engine: built, loaded, pulled, tagged, pushed, kept as a
 * file, removed. */
#include "modules/docker_image.h"

#include <ctype.h>
#include <unistd.h>

#include "lib/base/scope.h"
#include "modules/docker_auth.h"

#define ALIASES(...) HF_DOCKER_ALIASES(__VA_ARGS__)
#define AT(field)    offsetof(struct hf_image_params, field)
static const struct hf_arg limit_args[] = {
	{ "memory", HF_ARG_STR, 0 },
	{ "memswap", HF_ARG_STR, 0 },
	{ "cpushares", HF_ARG_INT, 0 },
	{ "cpusetcpus", HF_ARG_STR, 0 },
	{ .type = HF_ARG_END },
};
static const struct hf_arg build_args[] = {
	{ "cache_from", HF_ARG_LIST, 0, .elements = HF_ARG_STR },
	{ "container_limits", HF_ARG_DICT, 0, .options = limit_args },
	{ "dockerfile", HF_ARG_STR, 0 },
	{ "http_timeout", HF_ARG_INT, 0 },
	{ "network", HF_ARG_STR, 0 },
	{ "nocache", HF_ARG_BOOL, 0, .dflt = "false" },
	{ "path", HF_ARG_PATH, 0, HF_REQUIRED },
	{ "pull", HF_ARG_BOOL, 0, .dflt = "false" },
	{ "rm", HF_ARG_BOOL, 0, .dflt = "true" },
	{ "args", HF_ARG_DICT, 0 },
	{ "use_config_proxy", HF_ARG_BOOL, 0 },
	{ "target", HF_ARG_STR, 0 },
	{ "etc_hosts", HF_ARG_DICT, 0 },
	{ "platform", HF_ARG_STR, 0 },
	{ "shm_size", HF_ARG_STR, 0 },
	{ "labels", HF_ARG_DICT, 0 },
	{ .type = HF_ARG_END },
};
static const struct hf_arg pull_args[] = {
	{ "platform", HF_ARG_STR, 0 },
	{ .type = HF_ARG_END },
};
static const struct hf_arg args[] = {
	{ "name", HF_ARG_STR, AT(name), HF_REQUIRED, .help = "Its name, with or without a tag, or its id." },
	{ "source", HF_ARG_STR, AT(source), .choices = ALIASES("build", "load", "pull", "local"),
		.help = "Where one that is not there comes from." },
	{ "build", HF_ARG_DICT, AT(build), .options = build_args,
		.help = "{path, dockerfile, args, target, pull, nocache, rm, cache_from, container_limits, "
			"etc_hosts, "
			"http_timeout, labels, network, platform, shm_size, use_config_proxy}" },
	{ "archive_path", HF_ARG_PATH, AT(archive_path), .help = "Keep it in this tar." },
	{ "load_path", HF_ARG_PATH, AT(load_path), .help = "The tar to load it from." },
	{ "force_source", HF_ARG_BOOL, AT(force_source), .dflt = "false",
		.help = "Build, load or pull it even if it is there." },
	{ "force_absent", HF_ARG_BOOL, AT(force_absent), .dflt = "false",
		.help = "Remove it with all its names." },
	{ "force_tag", HF_ARG_BOOL, AT(force_tag), .dflt = "false",
		.help = "Give it the name of repository even if another has it." },
	{ "pull", HF_ARG_DICT, AT(pull), .options = pull_args, .help = "{platform}" },
	{ "push", HF_ARG_BOOL, AT(push), .dflt = "false", .help = "Push it to its registry." },
	{ "repository", HF_ARG_STR, AT(repository), .help = "Another name for it, with or without a tag." },
	{ "state", HF_ARG_STR, AT(state), .dflt = "present", .choices = ALIASES("absent", "present"),
		.help = "What is wanted." },
	{ "tag", HF_ARG_STR, AT(tag), .dflt = "latest", .help = "Its tag, where name has none." },
	HF_DOCKER_ARGS(struct hf_image_params, docker),
	{ .type = HF_ARG_END },
};
static const struct hf_rule rules[] = {
	{ HF_RULE_IF, ALIASES("source"), .when = "state", .equals = "present" },
	{ HF_RULE_IF, ALIASES("build"), .when = "source", .equals = "build" },
	{ HF_RULE_IF, ALIASES("load_path"), .when = "source", .equals = "load" },
	HF_DOCKER_RULES,
	{ HF_RULE_END },
};
enum { WATCH_SECONDS = 60, TAG_MAX = 128 };

void hf_image_action(struct hf_image_job *j, const char *text)
{
	hf_list_append(j->actions, hf_value_cstr(j->a, text));
	j->change->changed = true;
}

static const char *full_name(struct hf_arena *a, const char *name, const char *tag)
{
	return *tag == '\0' || hf_docker_is_id(name) ? name : hf_sprintf(a, "%s:%s", name, tag);
}

static const char *id_of(const struct hf_value *image)
{
	return hf_is(image, HF_DICT) ? hf_dict_cstr(image, "Id", "") : "";
}

static int find(struct hf_image_job *j, const char *name, const char *tag, struct hf_value **ret,
	struct hf_error *err)
{
	return hf_docker_image(&j->d, name, *tag == '\0' ? NULL : tag, ret, err);
}

/* --- present ------------------------------------------------------------------------------------------- */

static int source_build(struct hf_image_job *j, struct hf_error *err)
{
	const char *path = hf_dict_cstr(j->p->build, "path", "");
	if (hf_docker_is_id(j->name))
		return hf_fail(err, HF_E_TASK, "Image name must not be an image ID for source=build; got: %s",
			j->name);
	if (!hf_fs_is_dir(path))
		return hf_fail(err, HF_E_TASK,
			"Requested build path %s could not be found or you do not have access.", path);
	hf_image_action(
		j, hf_sprintf(j->a, "Built image %s from %s", full_name(j->a, j->name, j->tag), path));
	int r = j->look ? 0 : hf_image_build(j, err);
	return r < 0 || j->look ? r : find(j, j->name, j->tag, &j->image, err);
}

static int source_load(struct hf_image_job *j, struct hf_error *err)
{
	struct stat st;
	if (stat(j->p->load_path, &st) < 0 || !S_ISREG(st.st_mode))
		return hf_fail(err, HF_E_TASK, "Error loading image %s. Specified path %s does not exist.",
			j->name, j->p->load_path);
	hf_image_action(j, hf_sprintf(j->a, "Loaded image %s from %s", full_name(j->a, j->name, j->tag),
				   j->p->load_path));
	int r = j->look ? 0 : hf_image_load(j, err);
	return r < 0 || j->look ? r : find(j, j->name, j->tag, &j->image, err);
}

static int source_pull(struct hf_image_job *j, struct hf_error *err)
{
	const char *platform = j->p->pull == NULL ? NULL : hf_dict_cstr(j->p->pull, "platform", NULL);
	bool same;
	if (hf_docker_is_id(j->name))
		return hf_fail(err, HF_E_TASK, "Image name must not be an image ID for source=pull; got: %s",
			j->name);
	hf_image_action(j, hf_sprintf(j->a, "Pulled image %s:%s", j->name, j->tag));
	return j->look ? 0 : hf_docker_pull(&j->d, j->name, j->tag, platform, &j->image, &same, err);
}

static int source_local(struct hf_image_job *j, struct hf_error *err)
{
	return j->image != NULL ? 0
				: hf_fail(err, HF_E_TASK, "Cannot find the image %s locally.",
					  full_name(j->a, j->name, j->tag));
}

static int bring(struct hf_image_job *j, struct hf_error *err)
{
	static const struct {
		const char *source;
		int (*fn)(struct hf_image_job *j, struct hf_error *err);
	} sources[] = { { "build", source_build }, { "load", source_load }, { "pull", source_pull },
		{ "local", source_local } };
	const char *was = id_of(j->image);
	for (size_t i = 0; i < HF_COUNT(sources); i++) {
		if (!hf_same(sources[i].source, j->p->source))
			continue;
		int r = sources[i].fn(j, err);
		if (r < 0)
			return r;
	}
	if (!j->look && *was != '\0' && strcmp(was, id_of(j->image)) == 0)
		j->change->changed = false;
	hf_result_put(j->c, j->change, "image", j->image == NULL || j->look ? hf_value_dict(j->a) : j->image);
	return 0;
}

/* The archive as the last word on whether something changed, as the collection's module has it. While looking
 * what was found before still counts, or nothing would come of it. */
static int archive(struct hf_image_job *j, struct hf_error *err)
{
	const char *tag = *j->tag == '\0' ? "latest" : j->tag, *name = full_name(j->a, j->name, tag), *why;
	struct hf_value *image;
	int r = find(j, j->name, tag, &image, err);
	if (r < 0 || image == NULL)
		return r;
	r = hf_image_archived(j, name, id_of(image), &why, err);
	if (r < 0)
		return r;
	if (!j->look)
		j->change->changed = why != NULL;
	if (why != NULL)
		hf_image_action(j, why);
	hf_result_put(j->c, j->change, "image", image);
	return why == NULL || j->look ? 0 : hf_image_save(j, name, err);
}

static int push(struct hf_image_job *j, const char *name, const char *tag, struct hf_error *err)
{
	const char *registry, *rest;
	struct hf_value *image;
	bool there = false;
	if (hf_docker_is_id(name))
		return hf_fail(err, HF_E_TASK, "Cannot push an image ID: %s", name);
	if (*tag == '\0')
		hf_docker_tag_split(j->a, name, &name, &tag);
	tag = tag == NULL ? "latest" : tag;
	hf_docker_registry(j->a, name, &registry, &rest);
	bool before = j->change->changed;
	hf_image_action(j, hf_sprintf(j->a, "Pushed image %s to %s/%s:%s", j->name, registry, rest, tag));
	int r = find(j, name, tag, &image, err);
	if (r == 0 && j->look && image != NULL && !before)
		r = hf_image_pushed(j, name, tag, image, &there, err);
	if (r == 0 && there)
		j->change->changed = false;
	return r < 0 || j->look ? r : hf_image_push(j, name, tag, registry, rest, err);
}

/* image: what has the name now, or NULL; afterwards, what it stands for. */
static int name_give(struct hf_image_job *j, const char *repo, const char *tag, struct hf_value **image,
	struct hf_error *err)
{
	const char *name = full_name(j->a, j->name, j->tag);
	bool before = j->change->changed;
	struct hf_value *ours;
	int r = find(j, j->name, j->tag, &ours, err);
	if (r < 0)
		return r;
	hf_image_action(j, hf_sprintf(j->a, "Tagged image %s to %s:%s", name, repo, tag));
	if (*image != NULL && strcmp(id_of(*image), id_of(ours)) == 0)
		j->change->changed = j->look && before;
	if (j->look)
		return 0;
	r = hf_docker_call(&j->d, "POST",
		hf_sprintf(j->a, "/images/%s/tag?tag=%s&repo=%s&force=true", hf_docker_escape(j->a, name),
			hf_docker_escape(j->a, tag), hf_docker_escape(j->a, repo)),
		NULL, NULL, err);
	if (r < 0)
		return hf_wrap(err, "Error: failed to tag image");
	r = find(j, repo, tag, image, err);
	if (r == 0 && *image != NULL)
		hf_result_put(j->c, j->change, "image", *image);
	return r;
}

/* The name that repository asks for; false: it asks for none. */
static bool other_name(const struct hf_image_job *j, const char **ret_repo, const char **ret_tag)
{
	const char *text = j->p->repository;
	if (text == NULL || *text == '\0')
		return false;
	hf_docker_tag_split(j->a, text, ret_repo, ret_tag);
	if (*ret_tag == NULL)
		*ret_tag = *j->tag != '\0' ? j->tag : "latest";
	return true;
}

static int tag_put(struct hf_image_job *j, const char *repo, const char *tag, struct hf_error *err)
{
	struct hf_value *image;
	int r = find(j, repo, tag, &image, err);
	if (r == 0 && (image == NULL || j->p->force_tag == HF_YES))
		r = name_give(j, repo, tag, &image, err);
	return r == 0 && j->p->push == HF_YES ? push(j, repo, tag, err) : r;
}

static int present(struct hf_image_job *j, struct hf_error *err)
{
	const char *repo, *tag;
	int r = find(j, j->name, j->tag, &j->image, err);
	if (r == 0 && (j->image == NULL || (j->p->force_source == HF_YES && hf_task_acts(j->c))))
		r = bring(j, err);
	else if (r == 0)
		hf_result_put(j->c, j->change, "image", j->image);
	if (r == 0 && j->p->archive_path != NULL)
		r = archive(j, err);
	if (r == 0 && other_name(j, &repo, &tag))
		return tag_put(j, repo, tag, err);
	return r == 0 && j->p->push == HF_YES ? push(j, j->name, j->tag, err) : r;
}

static int absent(struct hf_image_job *j, struct hf_error *err)
{
	const char *name = full_name(j->a, j->name, j->tag);
	struct hf_value *told = hf_value_dict(j->a);
	int r = find(j, j->name, j->tag, &j->image, err);
	if (r < 0 || j->image == NULL)
		return r;
	if (!j->look)
		r = hf_docker_call(&j->d, "DELETE",
			hf_sprintf(j->a, "/images/%s?force=%s", hf_docker_escape(j->a, name),
				j->p->force_absent == HF_YES ? "true" : "false"),
			NULL, NULL, err);
	if (r == -HF_E_NOT_FOUND)
		r = 0; /* it went meanwhile */
	if (r < 0)
		return hf_wrap(err, "Error removing image %s", name);
	hf_image_action(j, hf_sprintf(j->a, "Removed image %s", name));
	hf_dict_put(told, "state", hf_value_cstr(j->a, "Deleted"));
	hf_result_put(j->c, j->change, "image", told);
	return 0;
}

/* --- the module ---------------------------------------------------------------------------------------- */

static bool tag_valid(const char *tag)
{
	size_t n = strlen(tag);
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)tag[i]) && tag[i] != '_' &&
			(i == 0 || (tag[i] != '.' && tag[i] != '-')))
			return false;
	return n <= TAG_MAX;
}

static int arguments_agree(struct hf_image_job *j, struct hf_error *err)
{
	const struct hf_image_params *p = j->p;
	if (!tag_valid(p->tag))
		return hf_fail(err, HF_E_TASK, "\"%s\" is not a valid docker tag!", p->tag);
	if (p->repository != NULL && hf_docker_is_id(p->repository))
		return hf_fail(
			err, HF_E_TASK, "`repository` must not be an image ID; got: %s", p->repository);
	if (p->repository == NULL && p->push == HF_YES && hf_docker_is_id(j->name))
		return hf_fail(err, HF_E_TASK,
			"Cannot push an image by ID; specify `repository` to tag and push the image with ID "
			"%s instead",
			j->name);
	return hf_image_sizes(j, err);
}

static int job_open(struct hf_module_context *c, const struct hf_image_params *p, struct hf_image_job *j,
	struct hf_error *err)
{
	const char *tag = NULL;
	j->c = c;
	j->a = hf_task_arena(c);
	j->p = p;
	j->name = p->name;
	j->tag = p->tag;
	if (!hf_docker_is_id(p->name))
		hf_docker_tag_split(j->a, p->name, &j->name, &tag);
	if (tag != NULL)
		j->tag = tag;
	return hf_docker_open(c, &p->docker, &j->d, err);
}

static int flow(struct hf_module_context *c, const struct hf_image_params *p, struct hf_change *change,
	bool look, struct hf_error *err)
{
	struct hf_image_job j = { .change = change, .look = look };
	change->changed = false;
	int r = job_open(c, p, &j, err);
	if (r < 0)
		return r;
	j.actions = hf_value_list(j.a);
	hf_result_put(c, change, "image", hf_value_dict(j.a));
	r = arguments_agree(&j, err);
	if (r == 0)
		r = strcmp(p->state, "absent") == 0 ? absent(&j, err) : present(&j, err);
	if (r < 0)
		change->changed = false;
	else
		hf_result_put(c, change, "actions", j.actions);
	return r;
}

static int docker_image_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	return flow(c, params, change, true, err);
}

static int docker_image_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	return flow(c, params, change, false, err);
}

/* What a name stands for, so that it can stand for it again. */
static int name_remember(
	struct hf_image_job *j, const char *name, const char *tag, struct hf_undo *undo, struct hf_error *err)
{
	struct hf_value *was;
	int r = find(j, name, tag, &was, err);
	if (r == 0)
		hf_undo_step(undo, hf_docker_undo_step(&j->d, "image", full_name(j->a, name, tag), was));
	return r;
}

static int absent_undo(struct hf_image_job *j, struct hf_undo *undo, struct hf_error *err)
{
	struct hf_value *was;
	int r = find(j, j->name, j->tag, &was, err);
	if (r < 0 || was == NULL)
		return r;
	const struct hf_value *names = hf_dict_get(was, "RepoTags"), *held = hf_dict_get(was, "RepoDigests");
	bool whole = j->p->force_absent == HF_YES || !hf_is(names, HF_LIST) || hf_list_len(names) < 2;
	if (whole && (!hf_is(held, HF_LIST) || hf_list_len(held) == 0)) {
		hf_undo_impossible(
			undo, "an image that was never in a registry cannot be had again once it is removed");
		return 0;
	}
	hf_undo_step(undo, hf_docker_undo_step(&j->d, "image",
				   hf_docker_is_id(j->name) ? "" : full_name(j->a, j->name, j->tag), was));
	return 0;
}

static int docker_image_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct hf_image_params *p = params;
	struct hf_image_job j = { 0 };
	const char *repo, *tag;
	(void)change;
	int r = job_open(c, p, &j, err);
	if (r < 0 || strcmp(p->state, "absent") == 0)
		return r < 0 ? r : absent_undo(&j, undo, err);
	r = name_remember(&j, j.name, j.tag, undo, err);
	if (r == 0 && other_name(&j, &repo, &tag))
		r = name_remember(&j, repo, tag, undo, err);
	if (r == 0 && p->archive_path != NULL)
		r = hf_undo_file(undo, p->archive_path, err);
	if (r == 0 && p->push == HF_YES)
		hf_undo_impossible(undo, "what was pushed stays in the registry");
	return r;
}

/* The names an image had come back to it; one that is gone is pulled by its digest. */
static int names_back(struct hf_docker *d, const struct hf_value *was, const char *name, struct hf_error *err)
{
	const struct hf_value *names = hf_dict_get(was, "RepoTags"), *held = hf_dict_get(was, "RepoDigests");
	struct hf_value *there, *pulled;
	const char *repo, *tag;
	bool same;
	int r = hf_docker_image(d, id_of(was), NULL, &there, err);
	if (r == 0 && there == NULL) {
		if (!hf_is(held, HF_LIST) || hf_list_len(held) == 0)
			return hf_fail(err, HF_E_TASK, "image %s is no longer there", id_of(was));
		hf_docker_tag_split(d->a, hf_list_at(held, 0)->u.string.p, &repo, &tag);
		r = hf_docker_pull(d, repo, tag, NULL, &pulled, &same, err);
	}
	for (size_t i = 0; r == 0 && hf_is(names, HF_LIST) && i < hf_list_len(names); i++) {
		if (there != NULL && *name != '\0' && !hf_same(name, hf_list_at(names, i)->u.string.p))
			continue; /* its other names were not touched */
		hf_docker_tag_split(d->a, hf_list_at(names, i)->u.string.p, &repo, &tag);
		r = hf_docker_call(d, "POST",
			hf_sprintf(d->a, "/images/%s/tag?tag=%s&repo=%s", id_of(was),
				hf_docker_escape(d->a, tag == NULL ? "latest" : tag),
				hf_docker_escape(d->a, repo)),
			NULL, NULL, err);
	}
	return r;
}

static int docker_image_restore(
	struct hf_module_context *c, const struct hf_value *step, struct hf_error *err)
{
	const struct hf_docker_options options = {
		.docker_host = hf_step_text(step, "host"), .api_version = "auto", .timeout = 60
	};
	const char *name = hf_step_text(step, "name");
	const struct hf_value *was = hf_dict_get(step, "was");
	struct hf_docker d;
	struct hf_value *now = NULL;
	int r = hf_docker_open(c, &options, &d, err);
	if (r == 0 && *name != '\0')
		r = hf_docker_image(&d, name, NULL, &now, err);
	if (r < 0 || strcmp(id_of(now), id_of(was)) == 0)
		return r < 0 || *name != '\0' ? r : names_back(&d, was, name, err);
	if (hf_is(was, HF_DICT))
		return names_back(&d, was, name, err);
	return hf_docker_call(
		&d, "DELETE", hf_sprintf(d.a, "/images/%s", hf_docker_escape(d.a, name)), NULL, NULL, err);
}

static void docker_image_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	const struct hf_image_params *p = params;
	(void)c;
	hf_watch_poll(w, WATCH_SECONDS);
	if (p->archive_path != NULL)
		hf_watch_path(w, p->archive_path);
}

/* Where it was before it had a collection of its own. */
static const char *const aliases[] = { "community.general.docker_image", NULL };

const struct hf_module hf_module_docker_image = {
	.name = "docker_image",
	.collection = "community.docker",
	.aliases = aliases,
	.schema = { args, rules, sizeof(struct hf_image_params) },
	.flags = HF_MODULE_NO_DIFF,
	.check = docker_image_check,
	.apply = docker_image_apply,
	.undo = docker_image_undo,
	.restore = docker_image_restore,
	.watch = docker_image_watch,
};
