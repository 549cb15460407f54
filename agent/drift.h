/* agent/drift.h - from "something touched it" to a checked, repaired or reported resource. */
#pragma once
#include "agent/agent.h"
#include "agent/watch.h"

HF_CHECK int hf_drift_new(struct hf_agent *agent, struct hf_drift **ret, struct hf_error *err);
void hf_drift_start(struct hf_drift *d);   /* watch what the ledger names, then look at everything once */
void hf_drift_rewatch(struct hf_drift *d); /* the ledger has changed */
/* name NULL: everything of that kind. actor NULL: unknown. */
void hf_drift_touched(struct hf_drift *d, enum hf_thing kind, const char *name, const char *actor);
void hf_drift_lost(
	struct hf_drift *d, const char *why); /* events were lost: a full sweep follows, and is reported */
void hf_drift_sweep(struct hf_drift *d, bool hash);
/* Called by work.c while no run is at work: starts a drift run when resources wait to be looked at. */
bool hf_drift_due(struct hf_drift *d);
void hf_drift_window(struct hf_drift *d);           /* to be asked now and then: one may have opened */
bool hf_drift_busy(const struct hf_drift *d);       /* a drift run is at work */
bool hf_drift_correcting(const struct hf_drift *d); /* and it corrects */
void hf_drift_resume(struct hf_drift *d); /* a pause has ended: what was held back is looked at now */
