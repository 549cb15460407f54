/* lib/release/window.h - maintenance windows: "mon-fri 02:00-04:30 Europe/Berlin"; days and zone may be left
 * out. A window is a span of the wall clock of its zone, so it moves with summer time. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/error.h"

/* A maintenance window: days is a bit set (bit 0 Monday), from and to are minutes of the day in zone; to may
 * be smaller than from: the window then ends on the next day. */
struct hf_window {
	unsigned days;
	int from, to;
	const char *zone; /* IANA name; NULL: the host's */
};

HF_CHECK int hf_window_parse(
	struct hf_arena *a, const char *text, struct hf_window *ret, struct hf_error *err);
bool hf_window_open(const struct hf_window *w, int64_t now);
