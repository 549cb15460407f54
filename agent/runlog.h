/* agent/runlog.h - <state_dir>/runs/<run>.jsonl: what a run did, a JSON line each, written by the apply role
 * before it tells anybody. Kinds: undo (durable before the change), settled, undone, event, end. The torn
 * last line of a kill is cut off when the file is opened again. Fails: HF_E_IO; HF_E_LIMIT past
 * HF_RUNLOG_MAX. */
#pragma once
#include "lib/data/value.h"

enum { HF_RUNLOG_MAX = 512 << 20, HF_RUNLOG_LINE_MAX = 8 << 20 };

struct hf_runlog {
	int fd;
};
HF_CHECK int hf_runlog_open(const char *path, struct hf_runlog *ret, struct hf_error *err);
void hf_runlog_close(struct hf_runlog *l);
HF_CHECK int hf_runlog_add(
	struct hf_runlog *l, const struct hf_value *line, bool durable, struct hf_error *err);
/* Each line in order; line and arena live during the call. A file that is not there has none. */
typedef int (*hf_runlog_line)(
	void *data, struct hf_arena *a, const char *kind, struct hf_value *line, struct hf_error *err);
HF_CHECK int hf_runlog_read(const char *path, hf_runlog_line each, void *data, struct hf_error *err);
