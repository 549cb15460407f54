/* agent/window.h - maintenance windows: "mon-fri 02:00-04:30 Europe/Berlin"; days and zone may be left out.
 * A window is a span of the wall clock of its zone, so it moves with summer time. */
#pragma once
#include "agent/config.h"

HF_CHECK int hf_window_parse(
	struct hf_arena *a, const char *text, struct hf_window *ret, struct hf_error *err);
bool hf_window_open(const struct hf_window *w, int64_t now);
