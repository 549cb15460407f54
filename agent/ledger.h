/* agent/ledger.h - the resources of the installed release as the last run left them: rows of the tables
 * ledger and paths. Fails: HF_E_IO from the database or a run's log. */
#pragma once
#include "agent/state.h"
#include "lib/data/value.h"

/* Take over what a run's log says was settled, and forget resources that a complete run no longer saw. */
HF_CHECK int hf_ledger_import(
	struct hf_state *s, const char *log, int64_t run, const char *release, struct hf_error *err);
/* One settled line of a drift run; handlers are no resources and are passed over. */
HF_CHECK int hf_ledger_settled(struct hf_state *s, const struct hf_value *line, int64_t run,
	const char *release, int64_t position, struct hf_error *err);
/* What the apply role may recall, a JSON line a resource. places: list of {file, line}: only what stands
 * there and what others may ask about; NULL: everything. */
HF_CHECK int hf_ledger_recall_write(
	struct hf_state *s, const char *path, const struct hf_value *places, struct hf_error *err);
HF_CHECK int hf_ledger_state_set(struct hf_state *s, const char *id, const char *state, struct hf_error *err);
/* The looks of a settled line become what later events are measured by. */
HF_CHECK int hf_ledger_looks_store(struct hf_state *s, const struct hf_value *looks, struct hf_error *err);

struct hf_ledger_row {
	const char *id, *title, *module, *policy, *state, *watches;
	int64_t streak, retry_at, changed, line;
	const char *file;
};
/* policy is "" when the playbook gives none. each() as hf_state_row; text is valid during the call. */
typedef int (*hf_ledger_each)(void *data, const struct hf_ledger_row *row, struct hf_error *err);
HF_CHECK int hf_ledger_list(struct hf_state *s, hf_ledger_each each, void *data, struct hf_error *err);
HF_CHECK int hf_ledger_find(
	struct hf_state *s, const char *id, hf_ledger_each each, void *data, struct hf_error *err);
/* Those that watch the thing; name NULL: any of that kind. */
HF_CHECK int hf_ledger_watching(struct hf_state *s, const char *kind, const char *name, hf_ledger_each each,
	void *data, struct hf_error *err);
