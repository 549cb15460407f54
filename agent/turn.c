#include "agent/turn.h"

#include "lib/base/time.h"
#include "lib/release/rollout.h"

static int rollout_read(
	struct hf_arena *a, const struct hf_target *t, struct hf_rollout *ret, struct hf_error *err)
{
	*ret = (struct hf_rollout){ 0 };
	return hf_is(t->rollout, HF_DICT) ? hf_rollout_parse(a, t->rollout, ret, err) : 0;
}

const char *hf_turn_trouble(struct hf_arena *a, const struct hf_target *t)
{
	struct hf_rollout r;
	struct hf_error err = { 0 };
	return rollout_read(a, t, &r, &err) < 0 ? hf_strdup(a, err.text) : NULL;
}

static void rollout_ask(const struct hf_agent *agent, struct hf_arena *a, struct hf_turn_answer *ret)
{
	const struct hf_target *t = &agent->target;
	struct hf_rollout r;
	struct hf_error err = { 0 };
	char at[HF_TIME_TEXT];
	ret->now = false;
	if (rollout_read(a, t, &r, &err) < 0) {
		ret->text = hf_sprintf(a, "its rollout is not understood: %s", err.text);
		return;
	}
	struct hf_turn turn = hf_rollout_turn(&r, t->release, agent->config.host, t->issued, hf_time_now());
	switch (turn.kind) {
	case HF_TURN_NOW:
		ret->now = true;
		break;
	case HF_TURN_WAVE:
		ret->at = turn.at;
		ret->text = hf_sprintf(a, "its wave comes at %s", hf_time_print(turn.at, at));
		break;
	case HF_TURN_WINDOW:
		ret->text = "it may begin when a window of its rollout opens";
		break;
	case HF_TURN_POINTER:
		ret->text = "others go first; a newer pointer says when it is this host's turn";
		break;
	}
}

void hf_turn_ask(const struct hf_agent *agent, struct hf_arena *a, struct hf_turn_answer *ret)
{
	const char *halted = NULL;
	*ret = (struct hf_turn_answer){ .now = true };
	HF_MUST(hf_state_get(agent->state, a, "halted", &halted, err));
	if (halted != NULL) {
		ret->now = false;
		ret->text = hf_sprintf(a, "the channel is halted: %s", halted);
	} else if (agent->installed.release != NULL && strcmp(agent->target.kind, "forward") == 0) {
		rollout_ask(agent, a, ret);
	}
}
