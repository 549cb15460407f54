/* cli/apply_print.h - a run's events for people, in the lines Ansible's users know, or as JSON lines. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/data/value.h"

struct apply_print {
	bool jsonl, colour;
	bool terminal;              /* somebody watches: durations, and the line of progress.h */
	bool hide_skipped, hide_ok; /* display_skipped_hosts, display_ok_hosts */
	int verbosity;
	int64_t hosts; /* of the play */
	uint64_t started_ms;
	/* files brought in since the last line: shown together for all hosts */
	struct hf_arena *arena;
	struct hf_value *included;
	struct hf_arena *kept;
	struct hf_value *warned; /* tasks' warnings that were shown: each once, as Ansible does */
};
/* Who runs, for who asked for more; config: the ansible.cfg that is followed, NULL: none. */
void apply_print_versions(const struct apply_print *p, const char *config);
void apply_print_flush(struct apply_print *p);
/* Flushes, and gives back what was kept. */
void apply_print_done(struct apply_print *p);
void apply_print_event(void *data, const struct hf_value *event);
