/* modules/delegate.h - a module that hands its task to another one: package to apt, service to systemd. */
#pragma once
#include "modules/host.h"

/* Bind args by inner's table and run its check; apply, undo and watch then go the same way. what: for
 * messages. */
HF_CHECK int hf_delegate_check(struct hf_module_context *c, const struct hf_module *inner,
	const struct hf_value *args, struct hf_change *change, struct hf_error *err);
HF_CHECK int hf_delegate_apply(struct hf_module_context *c, struct hf_change *change, struct hf_error *err);
HF_CHECK int hf_delegate_undo(struct hf_module_context *c, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err);
void hf_delegate_watch(struct hf_module_context *c, const struct hf_module *inner,
	const struct hf_value *args, struct hf_watches *w);
