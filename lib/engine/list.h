/* lib/engine/list.h - private: --list-tasks, --list-tags, --list-hosts, --syntax-check as events. */
#pragma once
#include "lib/engine/state.h"

HF_CHECK int hf_list_plays(struct hf_run *run, struct hf_error *err);
