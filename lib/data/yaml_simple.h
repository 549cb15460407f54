/* lib/data/yaml_simple.h - the events of YAML of the simple kind, which nearly all playbooks are: ASCII, one
 * document of block mappings and sequences, scalars plain, quoted on one line or in blocks, flow sequences of
 * such scalars on one line. Its events are libyaml's, at a tenth of the instructions. Whatever is not sure to
 * be of that kind, and whatever is wrong, is left to libyaml: this reader knows no errors.
 * Owns: nothing; the events borrow the text that was scanned. */
#pragma once
#include "lib/base/arena.h"
#include "lib/data/yaml_event.h"

struct hf_yaml_simple_event {
	const char *p; /* a scalar as it is written, decoded when it is asked for */
	uint32_t n, line, column;
	uint8_t type;                    /* enum hf_yaml_event_type */
	uint8_t form;                    /* how a scalar is written */
	uint16_t indent : 14, chomp : 2; /* of a block scalar */
};

struct hf_yaml_simple {
	struct hf_yaml_simple_event *at;
	size_t n, room, next;
};

/* False: not of the simple kind, and what is in ret is of no use. */
bool hf_yaml_simple_scan(struct hf_arena *scratch, struct hf_str text, struct hf_yaml_simple *ret);
/* The next event, which there must be. Text that is not as it stands in the source is made in a, and kept. */
void hf_yaml_simple_next(struct hf_yaml_simple *s, struct hf_arena *a, struct hf_yaml_event *ret);
