/* agent/sweep.h - every watched path that does not look as its task left it: by what stat tells, or by
 * content. A sweep by stat asks the database only about paths that somebody touched: of the others it keeps
 * 64 bits each of what stat told when they last looked as stored, for as long as nothing is written to the
 * database. Owns: that table, a few dozen bytes a path. */
#pragma once
#include "agent/state.h"

struct hf_sweep;
typedef void (*hf_sweep_found)(void *data, const char *path);

struct hf_sweep *hf_sweep_new(struct hf_arena *a, struct hf_state *state) HF_RETURNS_NONNULL;
void hf_sweep_done(struct hf_sweep *s);
HF_CHECK int hf_sweep_by_stat(struct hf_sweep *s, hf_sweep_found found, void *data, struct hf_error *err);
/* Tells systemd's watchdog now and then that it is at work. */
HF_CHECK int hf_sweep_by_content(struct hf_sweep *s, hf_sweep_found found, void *data, struct hf_error *err);
