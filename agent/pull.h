/* agent/pull.h - asks the store for the channel's pointer and brings a new release onto the host, verified
 * whole. A forked child walks the trust path (lib/release/accept.h); bytes reach it through the net role
 * store, or straight from a file:// store. Every new trusted state is in the database before the child goes
 * on. */
#pragma once
#include "agent/agent.h"

HF_CHECK int hf_pull_new(struct hf_agent *agent, struct hf_pull **ret, struct hf_error *err);
void hf_pull_now(struct hf_pull *p);
bool hf_pull_stale(const struct hf_pull *p);          /* the store has not answered for several polls */
const char *hf_pull_trouble(const struct hf_pull *p); /* "" when the last poll went well */
int64_t hf_pull_last(const struct hf_pull *p);        /* when a poll went well last; 0: never */
bool hf_pull_busy(const struct hf_pull *p);
void hf_pull_stop(struct hf_pull *p);
/* Whether an installed release may be applied again: HF_E_TRUST when it was revoked. */
HF_CHECK int hf_pull_allowed(struct hf_agent *agent, const char *release, struct hf_error *err);
