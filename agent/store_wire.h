/* agent/store_wire.h - a store for readers that may not use the network: requests go to a net role that may
 * do nothing else. The role is forked on open and ends with the store. Only reading is offered. */
#pragma once
#include "agent/config.h"
#include "lib/release/store.h"

/* For file:// the store itself is opened: no network is involved. */
HF_CHECK int hf_store_wire_open(
	struct hf_arena *a, const struct hf_config *config, struct hf_store **ret, struct hf_error *err);
