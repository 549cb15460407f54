#include "provisioner/engine.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "provisioner/resource.h"

const char *hf_action_name(enum hf_action action)
{
	static const char *const names[] = { [HF_NONE] = "none",
		[HF_CREATE] = "create",
		[HF_UPDATE] = "update",
		[HF_REPLACE] = "replace",
		[HF_DELETE] = "delete" };
	return names[action];
}

const char *hf_environment_state_url(struct hf_arena *a, const struct hf_environment *env)
{
	if (env->state != NULL)
		return env->state;
	char *real = realpath(env->path, NULL);
	const char *dir = hf_path_dir(a, real == NULL ? env->path : real);
	free(real);
	return hf_sprintf(a, "file://%s/.holdfast/%s", dir, env->name);
}

/* While every fiber waits: the network, and the lease. */
static int engine_pump(void *data, uint32_t wait_ms, struct hf_error *err)
{
	struct hf_engine *e = data;
	int rc = hf_state_keep(e->state, err);
	return rc < 0 ? rc : hf_http_turn(e->http, wait_ms, err);
}

/* Whose account this is: a file may allow some only. */
static int account_read(struct hf_engine *e, struct hf_error *err)
{
	const struct hf_spec spec = { .type = "sts.account",
		.service = hf_service_find(e->env->specs, "sts") };
	struct hf_value *operation = hf_value_dict(e->arena);
	struct reply reply;
	hf_dict_put(operation, "operation", hf_value_cstr(e->arena, "GetCallerIdentity"));
	int rc = engine_call(e, e->arena, &spec, operation, operation, &reply, err);
	if (rc < 0)
		return rc;
	const struct hf_value *found = hf_wire_at(e->arena, reply.doc, "GetCallerIdentityResult.Account");
	if (found == NULL)
		return hf_fail(err, HF_E_PARSE, "sts GetCallerIdentity: the answer names no account");
	e->account = hf_wire_text(e->arena, found);
	const struct hf_value *allowed = e->env->accounts;
	for (size_t i = 0; hf_is(allowed, HF_LIST) && i < hf_list_len(allowed); i++)
		if (strcmp(hf_wire_text(e->arena, hf_list_at(allowed, i)), e->account) == 0)
			return 0;
	if (allowed == NULL)
		return 0;
	return hf_fail(err, HF_E_DENIED,
		"%s: these credentials are of account %s, which is not in its accounts", e->env->path,
		e->account);
}

static int engine_connect(struct hf_engine *e, struct hf_error *err)
{
	const struct hf_http_options options = { .parallel = e->options.parallel };
	int rc = hf_aws_http_new(&hf_aws_io_process, &options, &e->http, err);
	if (rc < 0)
		return rc;
	e->credentials = hf_credentials_new(&hf_aws_io_process);
	e->aws = (struct hf_aws){ e->http, e->credentials, 0 };
	e->region = e->env->region;
	if (e->region == NULL)
		rc = hf_aws_region(e->arena, &hf_aws_io_process, &e->region, err);
	e->fibers = hf_fibers_new(engine_pump, e);
	return rc < 0 ? rc : account_read(e, err);
}

int hf_engine_open(struct hf_arena *a, struct hf_environment *env, const char *what,
	const struct hf_engine_options *options, struct hf_engine **ret, struct hf_error *err)
{
	struct hf_engine *e = hf_new(a, struct hf_engine);
	e->arena = a;
	e->env = env;
	hf_map_init_str(&e->endpoints, a);
	hf_map_init_str(&e->paces, a);
	if (options != NULL)
		e->options = *options;
	if (e->options.parallel == 0)
		e->options.parallel = HF_ENGINE_PARALLEL;
	int rc = hf_state_open(a, hf_environment_state_url(a, env), &e->state, err);
	if (rc == 0 && what != NULL)
		rc = hf_state_lock(e->state, what, err);
	e->started_ms = hf_time_monotonic_ms();
	if (rc == 0)
		rc = hf_state_load(e->state, err);
	if (rc < 0) {
		hf_engine_close(e);
		return rc;
	}
	*ret = e;
	return 0;
}

struct hf_engine *hf_engine_close(struct hf_engine *e)
{
	if (e == NULL)
		return NULL;
	hf_http_free(e->http); /* before the fibers: their stacks hold what its transfers point at */
	hf_fibers_free(e->fibers);
	hf_credentials_free(e->credentials);
	hf_state_close(e->state);
	return NULL;
}

int engine_ready(struct hf_engine *e, struct hf_error *err)
{
	return e->http == NULL ? engine_connect(e, err) : 0;
}

/* --- what templates may know of resources --- */

static const char *base_of(const struct hf_engine *e, const char *name, const struct hf_resource **ret)
{
	*ret = hf_environment_find(e->env, name);
	return *ret == NULL ? NULL : (*ret)->base;
}

void known_put(struct hf_engine *e, struct hf_value *known, const struct hf_state_doc *d)
{
	const struct hf_resource *r;
	struct hf_value *outputs = hf_dict_get(d->doc, "outputs");
	const char *base = base_of(e, d->name, &r);
	if (base == NULL || !hf_is(outputs, HF_DICT))
		return;
	if (r->each == NULL) {
		hf_dict_put(known, base, outputs);
		return;
	}
	struct hf_value *all = hf_dict_get(known, base);
	if (all == NULL) {
		all = hf_value_dict(e->arena);
		hf_dict_put(known, base, all);
	}
	hf_dict_put(all, hf_dict_cstr(r->each, "key", ""), outputs);
}

struct hf_value *known_all(struct hf_engine *e)
{
	struct hf_value *known = hf_value_dict(e->arena);
	for (size_t i = 0; i < hf_state_count(e->state); i++)
		if (hf_state_at(e->state, i)->doc != NULL)
			known_put(e, known, hf_state_at(e->state, i));
	return known;
}

struct hf_value *known_for(struct hf_engine *e, const struct hf_resource *r)
{
	struct hf_value *known = hf_value_dict(e->arena);
	for (size_t i = 0; i < r->depends.n; i++) {
		const struct hf_state_doc *d =
			hf_state_find(e->state, e->env->resources.at[r->depends.at[i]].name);
		if (d != NULL)
			known_put(e, known, d);
	}
	return known;
}

struct hf_value *pending_all(struct hf_engine *e)
{
	struct hf_value *pending = hf_value_dict(e->arena);
	for (size_t i = 0; i < e->env->resources.n; i++) {
		const struct hf_resource *r = &e->env->resources.at[i];
		const struct hf_state_doc *d = hf_state_find(e->state, r->name);
		if (d == NULL || hf_dict_get(d->doc, "outputs") == NULL)
			hf_dict_put(pending, r->base, hf_value_bool(e->arena, true));
	}
	return pending;
}

int hf_engine_outputs(struct hf_engine *e, struct hf_value **ret, struct hf_error *err)
{
	int rc = e->env->n_unexpanded > 0 ? engine_ready(e, err) : 0; /* which names there are is looked up */
	if (rc == 0 && e->env->n_unexpanded > 0)
		rc = engine_look_up(e, err);
	if (rc < 0)
		return rc;
	return hf_environment_outputs(e->arena, e->env, known_all(e), pending_all(e), ret, err);
}
