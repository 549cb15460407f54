/* agent/broker.h - the supervisor's end of MQTT: starts the net role, feeds it from the spool, hears hints.
 * A net role that dies is started again; what it had not acknowledged is sent again. */
#pragma once
#include "agent/agent.h"

HF_CHECK int hf_broker_new(struct hf_agent *agent, struct hf_broker **ret, struct hf_error *err);
HF_CHECK int hf_broker_start(struct hf_broker *b, struct hf_error *err);
/* The spool's sender; data is the struct hf_agent. */
int hf_broker_send(void *data, uint32_t slot, int flags, const char *topic, struct hf_str body);
bool hf_broker_connected(const struct hf_broker *b);
const char *hf_broker_trouble(const struct hf_broker *b); /* "" when connected */
pid_t hf_broker_pid(const struct hf_broker *b);
/* Looks whether certificate files changed; reconnects when they did. */
void hf_broker_renew(struct hf_broker *b);
/* Leave the broker in order: link says bye instead of the will. */
void hf_broker_stop(struct hf_broker *b);
