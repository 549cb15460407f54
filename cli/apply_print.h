/* cli/apply_print.h - a run's events for people, in the lines Ansible's users know, or as JSON lines. */
#pragma once
#include "lib/data/value.h"

struct apply_print {
	bool jsonl, colour;
	int verbosity;
};
void apply_print_event(void *data, const struct hf_value *event);
