#include <string.h>

#include "lib/base/scope.h"
#include "lib/engine/state.h"

bool hf_host_active(const struct hf_host *h)
{
	const struct hf_host_vars *v = h->run;
	return !v->failed && !v->failing && !v->unreachable && !v->ended && !v->ended_role;
}

static struct hf_hosts active_of(struct hf_run *run, const struct hf_hosts *hosts)
{
	struct hf_hosts out = { 0 };
	for (size_t i = 0; i < hosts->n; i++) {
		if (hf_host_active(hosts->at[i]))
			*hf_vec_push(run->arena, &out) = hosts->at[i];
	}
	return out;
}

/* --- roles --- */

static const char *role_key(struct hf_run *run, const struct hf_host *h, const struct hf_role *role)
{
	return hf_sprintf(run->arena, "%u|%s|%s", run->play->node.id, h->name, role->identity);
}

/* A role runs once a play and host with the same parameters, unless it allows duplicates. */
static struct hf_hosts role_hosts(
	struct hf_run *run, const struct hf_role *role, const struct hf_hosts *hosts)
{
	struct hf_hosts out = { 0 };
	for (size_t i = 0; i < hosts->n; i++) {
		if (!hf_host_active(hosts->at[i]))
			continue;
		if (role->allow_duplicates ||
			hf_map_get(&run->roles_done, role_key(run, hosts->at[i], role)) == NULL)
			*hf_vec_push(run->arena, &out) = hosts->at[i];
	}
	return out;
}

static void role_done(struct hf_run *run, const struct hf_node *n, const struct hf_hosts *hosts)
{
	for (size_t i = 0; i < hosts->n; i++) {
		hosts->at[i]->run->ended_role = false;
		if (hf_host_active(hosts->at[i]))
			hf_map_set(&run->roles_done, role_key(run, hosts->at[i], n->role), hosts->at[i]);
	}
}

/* --- blocks --- */

static struct hf_hosts take_failing(struct hf_run *run, const struct hf_hosts *hosts)
{
	struct hf_hosts out = { 0 };
	for (size_t i = 0; i < hosts->n; i++) {
		struct hf_host_vars *v = hosts->at[i]->run;
		if (v->failing && !v->unreachable && !v->failed) {
			v->failing = false;
			*hf_vec_push(run->arena, &out) = hosts->at[i];
		}
	}
	return out;
}

static int run_rescue(
	struct hf_run *run, const struct hf_node *n, const struct hf_hosts *hosts, struct hf_error *err)
{
	struct hf_hosts failed = take_failing(run, hosts);
	if (failed.n == 0)
		return 0;
	return hf_exec_play_nodes(run, &n->rescue, &failed, err);
}

static int run_always(
	struct hf_run *run, const struct hf_node *n, const struct hf_hosts *hosts, struct hf_error *err)
{
	struct hf_hosts failing = take_failing(run, hosts);
	unsigned cleared = run->errors_cleared;
	int r = hf_exec_play_nodes(run, &n->always, hosts, err);
	for (size_t i = 0; cleared == run->errors_cleared && i < failing.n; i++)
		failing.at[i]->run->failing = true;
	return r;
}

static int run_block(
	struct hf_run *run, const struct hf_node *n, const struct hf_hosts *hosts, struct hf_error *err)
{
	struct hf_hosts in = n->role_end ? role_hosts(run, n->role, hosts) : active_of(run, hosts);
	if (in.n == 0)
		return 0;
	for (size_t i = 0; n->rescue.n > 0 && i < in.n; i++)
		in.at[i]->run->rescue_depth++;
	int r = hf_exec_play_nodes(run, &n->body, &in, err);
	for (size_t i = 0; n->rescue.n > 0 && i < in.n; i++)
		in.at[i]->run->rescue_depth--;
	if (r == 0 && n->rescue.n > 0)
		r = run_rescue(run, n, &in, err);
	if (r == 0 && n->always.n > 0)
		r = run_always(run, n, &in, err);
	if (r == 0 && n->role_end)
		role_done(run, n, &in);
	return r;
}

int hf_exec_play_nodes(
	struct hf_run *run, const struct hf_nodes *nodes, const struct hf_hosts *hosts, struct hf_error *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < nodes->n && !run->play_over; i++) {
		const struct hf_node *n = nodes->at[i];
		r = n->kind == HF_NODE_TASK ? hf_exec_task(run, n, hosts, err)
					    : run_block(run, n, hosts, err);
	}
	return r;
}
