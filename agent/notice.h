/* agent/notice.h - what the cloud says will happen to this instance: a spot interruption or a recommendation
 * to leave, asked of IMDSv2 by a net role that stays while the instance can get one. The notice is stored
 * before it is acted upon; the drain hook runs once for a notice, and again if a kill came before its end. */
#pragma once
#include "agent/agent.h"

HF_CHECK int hf_notice_new(struct hf_agent *agent, struct hf_notice **ret, struct hf_error *err);
/* Where the machine is an instance that can get notices, and the configuration wants to know. */
void hf_notice_start(struct hf_notice *n);
void hf_notice_stop(struct hf_notice *n);
