/* agent/turn.h - whether this host may begin the release its channel names: rollouts, and halts. */
#pragma once
#include "agent/agent.h"

struct hf_turn_answer {
	bool now;
	int64_t at;       /* when it may be otherwise; 0: nobody knows */
	const char *text; /* why not now, for people; in the arena given */
};
/* Of what the channel names. Who has nothing installed, and who is to go back, does not wait for a rollout.
 */
void hf_turn_ask(const struct hf_agent *agent, struct hf_arena *a, struct hf_turn_answer *ret);
/* A rollout this host does not understand is nobody's turn: the sentence that says why; NULL: it is good. */
const char *hf_turn_trouble(struct hf_arena *a, const struct hf_target *t);
