/* modules/docker_container.c - containers of an engine: made, started, stopped, made anew when they differ,
 * removed. */
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/scope.h"
#include "modules/docker_container.h"

enum { REMOVAL_SECONDS = 600, TRIES_MAX = 3, WATCH_SECONDS = 60, FOREVER = 1000000000 };

static struct hf_value *part(const struct hf_value *v, const char *outer, const char *inner)
{
	const struct hf_value *o = hf_is(v, HF_DICT) ? hf_dict_get(v, outer) : NULL;
	return hf_is(o, HF_DICT) ? hf_dict_get(o, inner) : NULL;
}

static const char *id_of(const struct hf_value *container)
{
	return hf_dict_cstr(container, "Id", "");
}

static const char *status_of(const struct hf_value *container)
{
	const struct hf_value *v = part(container, "State", "Status");
	return hf_is(v, HF_STRING) ? v->u.string.p : "";
}

static bool state_is(const struct hf_value *container, const char *what)
{
	const struct hf_value *v = part(container, "State", what);
	return v != NULL && hf_value_truthy(v);
}

static void action(struct hf_container_job *j, const char *what, struct hf_value *value)
{
	struct hf_value *one = hf_value_dict(j->a);
	hf_dict_put(one, what, value);
	hf_list_append(j->actions, one);
	j->change->changed = true;
}

/* A call that touches, unless this only looks. */
static int touch(struct hf_container_job *j, const char *doing, const char *id, const char *path,
	const char *method, const struct hf_value *body, struct hf_error *err)
{
	if (j->look)
		return 0;
	int r = hf_docker_call(&j->d, method, path, body, NULL, err);
	return r < 0 ? hf_wrap(err, "Error %s container %s", doing, id) : 0;
}

static int inspect(struct hf_container_job *j, struct hf_value **container, struct hf_error *err)
{
	return j->look ? 0 : hf_docker_container(&j->d, id_of(*container), container, err);
}

/* The engine wants a paused container to run before it stops or goes. */
static int ended(struct hf_container_job *j, const char *doing, const char *id, const char *path,
	const char *method, struct hf_error *err)
{
	struct hf_error why;
	int r = 0;
	for (int i = 0; i <= TRIES_MAX; i++) {
		r = touch(j, doing, id, path, method, NULL, &why);
		if (r == 0 || strstr(why.text, "Unpause the container before stopping or killing") == NULL)
			break;
		r = touch(j, "unpausing", id, hf_sprintf(j->a, "/containers/%s/unpause", id), "POST", NULL,
			err);
		if (r < 0)
			return r;
	}
	if (r < 0 && err != NULL)
		*err = why;
	return r;
}

static int stop(struct hf_container_job *j, const char *id, struct hf_error *err)
{
	const char *signal = j->p->kill_signal;
	if (j->p->force_kill == HF_YES) {
		action(j, "killed", hf_value_cstr(j->a, id));
		return ended(j, "killing", id,
			hf_sprintf(j->a, "/containers/%s/kill%s%s", id, signal == NULL ? "" : "?signal=",
				signal == NULL ? "" : hf_docker_escape(j->a, signal)),
			"POST", err);
	}
	action(j, "stopped", hf_value_cstr(j->a, id));
	return ended(j, "stopping", id,
		j->p->stop_timeout > 0
			? hf_sprintf(j->a, "/containers/%s/stop?t=%lld", id, (long long)j->p->stop_timeout)
			: hf_sprintf(j->a, "/containers/%s/stop", id),
		"POST", err);
}

static int remove_it(struct hf_container_job *j, const char *id, bool force, struct hf_error *err)
{
	struct hf_error why;
	action(j, "removed", hf_value_cstr(j->a, id));
	int r = ended(j, "removing", id,
		hf_sprintf(j->a, "/containers/%s?v=%s&link=False&force=%s", id,
			j->p->keep_volumes == HF_YES ? "False" : "True", force ? "True" : "False"),
		"DELETE", &why);
	if (r == -HF_E_NOT_FOUND || (r < 0 && strstr(why.text, "is already in progress") != NULL))
		r = 0;
	if (r < 0 && err != NULL)
		*err = why;
	return r;
}

static const char *health_of(const struct hf_value *container)
{
	const struct hf_value *v = part(container, "State", "Health");
	return hf_is(v, HF_DICT) ? hf_dict_cstr(v, "Status", "none")
				 : "none"; /* no check: as good as healthy */
}

/* Until the container is gone, or its health is `good`. */
static int wait_for(struct hf_container_job *j, const char *id, bool health, double seconds,
	struct hf_value **ret, struct hf_error *err)
{
	double waited = 0, delay = 0.1;
	for (;;) {
		struct hf_value *now = NULL;
		int r = hf_docker_container(&j->d, id, &now, err);
		if (r < 0 || (now == NULL && !health))
			return r;
		if (now == NULL)
			return hf_fail(err, HF_E_TASK,
				"Encontered vanished container while waiting for container \"%s\"", id);
		const char *state = health ? health_of(now) : status_of(now);
		*ret = now;
		if (health && (hf_same(state, "healthy") || hf_same(state, "none")))
			return 0;
		if (strcmp(state, "removing") != 0 && strcmp(state, "starting") != 0 &&
			strcmp(state, "unhealthy") != 0)
			return hf_fail(err, HF_E_TASK,
				"Encontered unexpected state \"%s\" while waiting for container \"%s\"",
				state, id);
		if (waited >= seconds)
			return hf_fail(err, HF_E_TASK,
				"Timeout of %g seconds exceeded while waiting for container \"%s\"", seconds,
				id);
		usleep((useconds_t)(delay * 1e6));
		waited += delay;
		delay = delay * 1.1 > 10 ? 10 : delay * 1.1;
	}
}

static double removal_seconds(const struct hf_container_job *j)
{
	return j->p->removal_wait_timeout > 0 ? j->p->removal_wait_timeout : REMOVAL_SECONDS;
}

static int create(
	struct hf_container_job *j, const char *image, struct hf_value **container, struct hf_error *err)
{
	struct hf_value *body = hf_container_create_body(j, image), *told = NULL, *warnings;
	action(j, "created", hf_value_cstr(j->a, "Created container"));
	hf_dict_put(hf_list_at(j->actions, hf_list_len(j->actions) - 1), "create_parameters", body);
	*container = NULL;
	if (j->look)
		return 0;
	int r = hf_docker_call(&j->d, "POST",
		hf_sprintf(j->a, "/containers/create?name=%s", hf_docker_escape(j->a, j->p->name)), body,
		&told, err);
	if (r < 0)
		return hf_wrap(err, "Error creating container");
	warnings = hf_is(told, HF_DICT) ? hf_dict_get(told, "Warnings") : NULL;
	for (size_t i = 0; hf_is(warnings, HF_LIST) && i < hf_list_len(warnings); i++)
		hf_task_warn(j->c, "Docker warning: %s", hf_value_text(j->a, hf_list_at(warnings, i)).p);
	return hf_docker_container(&j->d, hf_is(told, HF_DICT) ? id_of(told) : "", container, err);
}

/* --- the image
 * -------------------------------------------------------------------------------------------- */

static const char *pull_when(const struct hf_container_job *j)
{
	const struct hf_value *v = j->p->pull;
	const char *word = v == NULL ? "missing" : hf_value_text(j->a, v).p;
	return strcmp(word, "True") == 0 ? "always" : strcmp(word, "False") == 0 ? "missing" : word;
}

static int pull(struct hf_container_job *j, const char *name, const char *tag, struct hf_value **image,
	struct hf_error *err)
{
	bool same = false, was = j->change->changed;
	bool always = strcmp(j->p->pull_check_mode_behavior, "always") == 0;
	int r = 0;
	if (j->look && *image != NULL && !always) {
		j->change->unknown = !hf_task_check_mode(j->c); /* only pulling tells */
		return 0;
	}
	if (!j->look)
		r = hf_docker_pull(&j->d, name, tag, NULL, image, &same, err);
	action(j, "pulled_image", hf_value_cstr(j->a, hf_sprintf(j->a, "%s:%s", name, tag)));
	j->change->changed = !same || was;
	return r;
}

static int image_find(struct hf_container_job *j, struct hf_value **image, struct hf_error *err)
{
	const char *name = j->p->image, *tag = NULL, *when = pull_when(j);
	*image = NULL;
	if (name == NULL)
		return 0;
	if (!hf_docker_is_id(name))
		hf_docker_tag_split(j->a, name, &name, &tag);
	int r = hf_docker_image(&j->d, name, tag == NULL ? "latest" : tag, image, err);
	if (r < 0)
		return r;
	if (hf_docker_is_id(name))
		return *image != NULL ? 0 : hf_fail(err, HF_E_TASK, "Cannot find image with ID %s", name);
	tag = tag == NULL ? "latest" : tag;
	if (*image == NULL && strcmp(when, "never") == 0)
		return hf_fail(
			err, HF_E_TASK, "Cannot find image with name %s:%s, and pull=never", name, tag);
	bool again = strcmp(when, "always") == 0 && hf_task_acts(j->c);
	return *image != NULL && !again ? 0 : pull(j, name, tag, image, err);
}

/* What counts as the container's defaults: the image wanted, or the one it has. */
static int comparison_image(struct hf_container_job *j, const struct hf_value *container,
	struct hf_value **image, struct hf_error *err)
{
	if (container == NULL ||
		(j->p->image != NULL && strcmp(j->p->image_comparison, "current-image") != 0))
		return 0;
	return hf_docker_image(&j->d, hf_dict_cstr(container, "Image", ""), NULL, image, err);
}

static bool image_differs(
	struct hf_container_job *j, const struct hf_value *container, const struct hf_value *image)
{
	const struct hf_value *named = part(container, "Config", "Image");
	const char *id = image == NULL ? NULL : hf_dict_cstr(image, "Id", NULL);
	const char *has = hf_is(named, HF_STRING) ? named->u.string.p : "";
	bool other = id != NULL && !hf_same(id, hf_dict_cstr(container, "Image", ""));
	if (strcmp(hf_dict_cstr(j->comparisons, "image", "strict"), "strict") != 0)
		return false;
	if (other)
		hf_container_note(j, "image", hf_dict_get(image, "Id"), hf_dict_get(container, "Image"));
	if (j->p->image == NULL || !hf_same(j->p->image_name_mismatch, "recreate") ||
		hf_same(has, j->p->image))
		return other;
	hf_container_note(j, "image_name", hf_value_cstr(j->a, j->p->image), named);
	return true;
}

/* --- networks
 * --------------------------------------------------------------------------------------------- */

static int connect_it(struct hf_container_job *j, const char *id, const struct hf_value *network, bool again,
	struct hf_error *err)
{
	const char *name = hf_dict_cstr(network, "name", ""), *net = hf_dict_cstr(network, "id", "");
	struct hf_value *body = hf_value_dict(j->a), *off = hf_value_dict(j->a);
	int r = 0;
	hf_dict_put(off, "Container", hf_value_cstr(j->a, id));
	hf_dict_put(body, "Container", hf_value_cstr(j->a, id));
	hf_dict_put(body, "EndpointConfig", hf_dict_get(network, "endpoint"));
	if (again) {
		action(j, "removed_from_network", hf_value_cstr(j->a, name));
		r = touch(j, "disconnecting from its network", id,
			hf_sprintf(j->a, "/networks/%s/disconnect", net), "POST", off, err);
	}
	action(j, "added_to_network", hf_value_cstr(j->a, name));
	return r < 0 ? r
		     : touch(j, "connecting to a network", id, hf_sprintf(j->a, "/networks/%s/connect", net),
			       "POST", body, err);
}

static int networks_join(struct hf_container_job *j, const char *id, const struct hf_value *has,
	bool *touched, struct hf_error *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < hf_list_len(j->networks); i++) {
		const struct hf_value *one = hf_list_at(j->networks, i), *is = NULL;
		const char *name = hf_dict_cstr(one, "name", "");
		if (hf_is(has, HF_DICT))
			is = hf_dict_get(has, name);
		if (is != NULL && hf_container_contains(is, hf_dict_get(one, "endpoint")))
			continue;
		hf_container_note(j, hf_sprintf(j->a, "network.%s", name), one, is);
		r = connect_it(j, id, one, is != NULL, err);
		*touched = true;
	}
	return r;
}

static bool network_wanted(const struct hf_container_job *j, const char *name)
{
	for (size_t i = 0; j->networks != NULL && i < hf_list_len(j->networks); i++)
		if (hf_same(hf_dict_cstr(hf_list_at(j->networks, i), "name", ""), name))
			return true;
	return false;
}

static int networks_purge(struct hf_container_job *j, const char *id, const struct hf_value *has,
	bool *touched, struct hf_error *err)
{
	int r = 0;
	HF_DICT_EACH (has, e) {
		const char *name = hf_value_text(j->a, hf_entry_key(e)).p;
		struct hf_value *body = hf_value_dict(j->a);
		if (r < 0 || network_wanted(j, name))
			continue;
		hf_container_note(j, hf_sprintf(j->a, "network.%s", name), NULL, hf_entry_value(e));
		action(j, "removed_from_network", hf_value_cstr(j->a, name));
		hf_dict_put(body, "Container", hf_value_cstr(j->a, id));
		r = touch(j, "disconnecting from its network", id,
			hf_sprintf(j->a, "/networks/%s/disconnect", hf_docker_escape(j->a, name)), "POST",
			body, err);
		*touched = true;
	}
	return r;
}

static int networks_sync(
	struct hf_container_job *j, struct hf_value **container, bool created, struct hf_error *err)
{
	const char *mode = hf_dict_cstr(j->comparisons, "networks", "allow_more_present");
	const struct hf_value *has = part(*container, "NetworkSettings", "Networks");
	bool touched = false, given = j->networks != NULL;
	bool purge = j->p->purge_networks == HF_YES || (given && hf_same(mode, "strict"));
	int r = 0;
	if (given && (created || !hf_same(mode, "ignore")))
		r = networks_join(j, id_of(*container), has, &touched, err);
	if (r == 0 && purge && hf_is(has, HF_DICT))
		r = networks_purge(j, id_of(*container), has, &touched, err);
	return r == 0 && touched ? inspect(j, container, err) : r;
}

/* --- running
 * ---------------------------------------------------------------------------------------------- */

/* detach=false: its end, its status and what it said. */
static int end_await(struct hf_container_job *j, struct hf_value **container, struct hf_error *err)
{
	struct hf_value *told = NULL, *output = NULL;
	const char *id = id_of(*container);
	int r = hf_docker_call(&j->d, "POST", hf_sprintf(j->a, "/containers/%s/wait", id), NULL, &told, err);
	int64_t status = r == 0 && hf_is(told, HF_DICT) ? hf_dict_int(told, "StatusCode", -1) : -1;
	if (r == 0)
		hf_result_int(j->c, j->change, "status", status);
	if (r == 0 && j->p->auto_remove == HF_YES)
		output = hf_value_cstr(j->a, "Cannot retrieve result as auto_remove is enabled");
	else if (r == 0)
		r = hf_docker_output(&j->d, *container, &output, err);
	if (r == 0 && j->p->cleanup == HF_YES)
		r = remove_it(j, id, true, err);
	if (r == 0)
		r = hf_docker_container(&j->d, id, container, err);
	if (r < 0)
		return r;
	if (*container == NULL)
		*container = hf_value_dict(j->a);
	hf_dict_put(*container, "Output", output);
	hf_result_put(j->c, j->change, "container", *container);
	return status == 0 ? 0 : hf_fail(err, HF_E_TASK, "%s", hf_value_text(j->a, output).p);
}

static int start(struct hf_container_job *j, struct hf_value **container, struct hf_error *err)
{
	const char *id = id_of(*container);
	hf_container_note(j, "running", hf_value_bool(j->a, true), hf_value_bool(j->a, false));
	action(j, "started", hf_value_cstr(j->a, id));
	int r = touch(j, "starting", id, hf_sprintf(j->a, "/containers/%s/start", id), "POST", NULL, err);
	if (r < 0 || j->look)
		return r;
	bool waits = hf_task_given(j->c, "detach") && j->p->detach == HF_NO;
	return waits ? end_await(j, container, err) : inspect(j, container, err);
}

static int restart(struct hf_container_job *j, struct hf_value **container, struct hf_error *err)
{
	const char *id = id_of(*container);
	hf_container_note(j, "restarted", hf_value_bool(j->a, true), hf_value_bool(j->a, false));
	action(j, "restarted", hf_value_cstr(j->a, id));
	int r = touch(j, "restarting", id,
		hf_sprintf(j->a, "/containers/%s/restart?t=%lld", id,
			(long long)(j->p->stop_timeout > 0 ? j->p->stop_timeout : 10)),
		"POST", NULL, err);
	return r < 0 ? r : inspect(j, container, err);
}

static int paused_sync(struct hf_container_job *j, struct hf_value **container, struct hf_error *err)
{
	bool pause = j->p->paused == HF_YES;
	const char *id = id_of(*container);
	if (j->p->paused == HF_UNSET || hf_dict_get(*container, "State") == NULL ||
		state_is(*container, "Paused") == pause)
		return 0;
	hf_container_note(j, "paused", hf_value_bool(j->a, pause), hf_value_bool(j->a, !pause));
	action(j, "set_paused", hf_value_bool(j->a, pause));
	int r = touch(j, pause ? "pausing" : "unpausing", id,
		hf_sprintf(j->a, "/containers/%s/%s", id, pause ? "pause" : "unpause"), "POST", NULL, err);
	return r < 0 ? r : inspect(j, container, err);
}

static int running_sync(struct hf_container_job *j, struct hf_value **container, struct hf_error *err)
{
	bool starts = strcmp(j->p->state, "started") == 0 || strcmp(j->p->state, "healthy") == 0;
	bool running = state_is(*container, "Running");
	int r = 0;
	if (starts && !running)
		r = start(j, container, err);
	else if (starts && j->p->restart == HF_YES && hf_task_acts(j->c))
		r = restart(j, container, err);
	else if (strcmp(j->p->state, "stopped") == 0 && running) {
		hf_container_note(j, "running", hf_value_bool(j->a, false), hf_value_bool(j->a, true));
		r = stop(j, id_of(*container), err);
		r = r < 0 ? r : inspect(j, container, err);
	}
	return r == 0 && starts ? paused_sync(j, container, err) : r;
}

/* --- the whole
 * -------------------------------------------------------------------------------------------- */

static int create_new(struct hf_container_job *j, struct hf_value **container, struct hf_error *err)
{
	struct hf_value *gone = NULL;
	if (j->p->image == NULL)
		return hf_fail(err, HF_E_TASK, "Cannot create container when image is not specified!");
	hf_container_note(j, "exists", hf_value_bool(j->a, true), hf_value_bool(j->a, false));
	int r = 0;
	if (*container != NULL && !j->look)
		r = wait_for(j, id_of(*container), false, removal_seconds(j), &gone, err);
	return r < 0 ? r : create(j, j->p->image, container, err);
}

static int labels_agree(struct hf_container_job *j, const struct hf_value *image, struct hf_error *err)
{
	const struct hf_value *labels = part(image, "Config", "Labels"),
			      *wanted = hf_dict_get(j->values, "labels");
	if (strcmp(j->p->image_label_mismatch, "fail") != 0 || wanted == NULL || !hf_is(labels, HF_DICT) ||
		strcmp(hf_dict_cstr(j->comparisons, "labels", ""), "strict") != 0)
		return 0;
	HF_DICT_EACH (labels, e)
		if (hf_dict_find(wanted, hf_entry_key(e)) == NULL)
			return hf_fail(err, HF_E_TASK,
				"Some labels should be removed but are present in the base image. You can "
				"set "
				"image_label_mismatch to 'ignore' to ignore this error. Labels: \"%s\"",
				hf_value_text(j->a, hf_entry_key(e)).p);
	return 0;
}

static int recreate(struct hf_container_job *j, struct hf_value **container, struct hf_error *err)
{
	const char *id = id_of(*container);
	const char *image = j->p->image != NULL ? j->p->image : hf_dict_cstr(*container, "Image", NULL);
	struct hf_value *gone = NULL;
	int r = state_is(*container, "Running") ? stop(j, id, err) : 0;
	if (r == 0)
		r = remove_it(j, id, false, err);
	if (r == 0 && !j->look)
		r = wait_for(j, id, false, removal_seconds(j), &gone, err);
	return r < 0 ? r : create(j, image, container, err);
}

static int limits_sync(struct hf_container_job *j, struct hf_value **container, const struct hf_value *image,
	struct hf_error *err)
{
	struct hf_value *body = hf_container_update_body(j);
	const char *id = id_of(*container);
	if (!hf_container_differs(j, *container, image, true) || hf_dict_len(body) == 0)
		return 0;
	action(j, "updated", hf_value_cstr(j->a, id));
	int r = touch(j, "updating", id, hf_sprintf(j->a, "/containers/%s/update", id), "POST", body, err);
	return r < 0 ? r : inspect(j, container, err);
}

/* A container there is, or a new one; *created: it is new. */
static int make_sure(struct hf_container_job *j, struct hf_value **container, const struct hf_value *image,
	const struct hf_value *compared, bool *created, struct hf_error *err)
{
	*created = true;
	if (*container == NULL || strcmp(status_of(*container), "removing") == 0)
		return create_new(j, container, err);
	int r = labels_agree(j, compared, err);
	bool other = hf_container_differs(j, *container, compared, false);
	if (other)
		(void)hf_container_differs(j, *container, compared, true);
	other |= image_differs(j, *container, image) || (j->p->recreate == HF_YES && hf_task_acts(j->c));
	if (r == 0 && other)
		return recreate(j, container, err);
	*created = false;
	return r;
}

static int present(struct hf_container_job *j, struct hf_value **container, struct hf_error *err)
{
	struct hf_value *image = NULL, *compared = NULL;
	bool created = false;
	int r = hf_container_values(j, err);
	if (r == 0)
		r = hf_docker_container(&j->d, j->p->name, container, err);
	if (r == 0)
		r = image_find(j, &image, err);
	compared = image;
	if (r == 0)
		r = comparison_image(j, *container, &compared, err);
	if (r == 0)
		r = make_sure(j, container, image, compared, &created, err);
	if (r < 0 || *container == NULL)
		return r;
	r = limits_sync(j, container, created ? image : compared, err);
	if (r == 0)
		r = networks_sync(j, container, created, err);
	if (r == 0)
		r = running_sync(j, container, err);
	double most = j->p->healthy_wait_timeout > 0 ? j->p->healthy_wait_timeout : FOREVER;
	if (r == 0 && strcmp(j->p->state, "healthy") == 0 && !j->look)
		r = wait_for(j, id_of(*container), true, most, container, err);
	return r;
}

static int absent(struct hf_container_job *j, struct hf_value **container, struct hf_error *err)
{
	int r = hf_docker_container(&j->d, j->p->name, container, err);
	if (r < 0 || *container == NULL)
		return r;
	hf_container_note(j, "exists", hf_value_bool(j->a, false), hf_value_bool(j->a, true));
	const char *id = id_of(*container);
	r = state_is(*container, "Running") ? stop(j, id, err) : 0;
	if (r == 0)
		r = remove_it(j, id, false, err);
	return r;
}

static int flow(struct hf_module_context *c, const struct hf_container_params *p, struct hf_change *change,
	bool look, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_container_job j = { .c = c,
		.a = a,
		.p = p,
		.change = change,
		.look = look,
		.actions = hf_value_list(a),
		.differences = hf_value_list(a),
		.before = hf_value_dict(a),
		.after = hf_value_dict(a) };
	struct hf_value *container = NULL;
	if (strcmp(p->container_default_behavior, "compatibility") == 0)
		return hf_fail(err, HF_E_UNSUPPORTED,
			"container_default_behavior: compatibility is not done; name the defaults that are "
			"wanted");
	int r = hf_docker_open(c, &p->docker, &j.d, err);
	bool gone = strcmp(p->state, "absent") == 0;
	if (r == 0)
		r = gone ? absent(&j, &container, err) : present(&j, &container, err);
	if (r < 0) { /* of one that ended badly its start was a change */
		change->changed = hf_dict_get(change->result, "status") != NULL;
		return r;
	}
	if (hf_task_check_mode(c) || p->docker.debug == HF_YES)
		hf_result_put(c, change, "actions", j.actions);
	if (!gone && container != NULL)
		hf_result_put(c, change, "container", container);
	if (look && hf_task_diff(c))
		hf_change_diff_values(c, change, j.before, j.after);
	return 0;
}

static int docker_container_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	return flow(c, params, change, true, err);
}

static int docker_container_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	change->changed = false;
	return flow(c, params, change, false, err);
}

static int docker_container_undo(struct hf_module_context *c, const void *params,
	const struct hf_change *change, struct hf_undo *undo, struct hf_error *err)
{
	const struct hf_container_params *p = params;
	struct hf_docker d;
	struct hf_value *was = NULL;
	int r = hf_docker_open(c, &p->docker, &d, err);
	(void)change;
	if (r == 0)
		r = hf_docker_container(&d, p->name, &was, err);
	if (r == 0)
		hf_undo_step(undo, hf_docker_undo_step(&d, "container", p->name, was));
	return r;
}

/* The container as it was: made again from what inspecting it told, unless it is still the same one. */
static int rebuild(struct hf_container_job *j, const struct hf_value *was, struct hf_error *err)
{
	struct hf_value *body = hf_value_shallow(j->a, hf_dict_get(was, "Config")), *told = NULL;
	struct hf_value *networks = part(was, "NetworkSettings", "Networks"),
			*networking = hf_value_dict(j->a);
	const char *id;
	hf_dict_put(networking, "EndpointsConfig", networks == NULL ? hf_value_dict(j->a) : networks);
	hf_dict_put(body, "HostConfig", hf_dict_get(was, "HostConfig"));
	hf_dict_put(body, "NetworkingConfig", networking);
	const char *name = hf_dict_cstr(was, "Name", j->p->name);
	int r = hf_docker_call(&j->d, "POST",
		hf_sprintf(j->a, "/containers/create?name=%s",
			hf_docker_escape(j->a, name[0] == '/' ? name + 1 : name)),
		body, &told, err);
	if (r < 0)
		return r;
	id = id_of(told);
	if (state_is(was, "Running"))
		r = touch(j, "starting", id, hf_sprintf(j->a, "/containers/%s/start", id), "POST", NULL, err);
	if (r == 0 && state_is(was, "Paused"))
		r = touch(j, "pausing", id, hf_sprintf(j->a, "/containers/%s/pause", id), "POST", NULL, err);
	return r;
}

static int restore_state(struct hf_container_job *j, const struct hf_value *was, const struct hf_value *now,
	struct hf_error *err)
{
	const char *id = id_of(now);
	int r = 0;
	if (state_is(was, "Paused") != state_is(now, "Paused") && state_is(now, "Running"))
		r = touch(j, "pausing", id,
			hf_sprintf(
				j->a, "/containers/%s/%s", id, state_is(was, "Paused") ? "pause" : "unpause"),
			"POST", NULL, err);
	if (r == 0 && state_is(was, "Running") != state_is(now, "Running"))
		r = touch(j, "starting or stopping", id,
			hf_sprintf(
				j->a, "/containers/%s/%s", id, state_is(was, "Running") ? "start" : "stop"),
			"POST", NULL, err);
	return r;
}

static int docker_container_restore(
	struct hf_module_context *c, const struct hf_value *step, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_change scratch = { .result = hf_value_dict(a) };
	const struct hf_container_params p = { .name = hf_step_text(step, "name"),
		.keep_volumes = HF_YES,
		.docker = {
			.docker_host = hf_step_text(step, "host"), .api_version = "auto", .timeout = 60 } };
	struct hf_container_job j = {
		.c = c, .a = a, .p = &p, .change = &scratch, .actions = hf_value_list(a)
	};
	const struct hf_value *was = hf_dict_get(step, "was");
	struct hf_value *now = NULL;
	int r = hf_docker_open(c, &p.docker, &j.d, err);
	if (r == 0)
		r = hf_docker_container(&j.d, p.name, &now, err);
	if (r < 0)
		return r;
	bool there = hf_is(was, HF_DICT);
	bool same = there && now != NULL && hf_same(id_of(was), id_of(now)) &&
		    hf_value_equal(hf_dict_get(was, "HostConfig"), hf_dict_get(now, "HostConfig")) &&
		    hf_container_contains(now, hf_dict_get(was, "NetworkSettings"));
	if (there && now != NULL && hf_same(id_of(was), id_of(now)) && same)
		return restore_state(&j, was, now, err);
	if (now != NULL)
		r = remove_it(&j, id_of(now), true, err);
	return r == 0 && there ? rebuild(&j, was, err) : r;
}

static void docker_container_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	(void)c;
	(void)params;
	hf_watch_poll(w, WATCH_SECONDS);
}

/* Where it was before it had a collection of its own. */
static const char *const aliases[] = { "community.general.docker_container", NULL };

const struct hf_module hf_module_docker_container = {
	.name = "docker_container",
	.collection = "community.docker",
	.aliases = aliases,
	.schema = { hf_container_args, hf_container_rules, sizeof(struct hf_container_params) },
	.check = docker_container_check,
	.apply = docker_container_apply,
	.undo = docker_container_undo,
	.restore = docker_container_restore,
	.watch = docker_container_watch,
};
