#include "modules/delegate.h"

/* Stands in change->state; the inner module's own state is put there while it runs. */
struct delegate {
	const struct hf_module *inner;
	void *params, *state;
};

int hf_delegate_check(struct hf_module_context *c, const struct hf_module *inner, const struct hf_value *args,
	struct hf_change *change, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct delegate *d = hf_new(a, struct delegate);
	d->inner = inner;
	d->params = hf_zalloc(a, inner->schema.size);
	int r = hf_schema_bind(a, &inner->schema, args, inner->name, d->params, NULL, err);
	if (r < 0)
		return r;
	r = inner->check(c, d->params, change, err);
	d->state = change->state;
	change->state = d;
	return r;
}

int hf_delegate_apply(struct hf_module_context *c, struct hf_change *change, struct hf_error *err)
{
	struct delegate *d = change->state;
	if (d->inner->apply == NULL)
		return 0;
	change->state = d->state;
	int r = d->inner->apply(c, d->params, change, err);
	change->state = d;
	return r;
}

int hf_delegate_undo(struct hf_module_context *c, const struct hf_change *change, struct hf_undo *undo,
	struct hf_error *err)
{
	const struct delegate *d = change->state;
	struct hf_change inner = *change;
	inner.state = d->state;
	if (d->inner->undo == NULL) {
		hf_undo_impossible(undo, "the module that did it cannot say how to go back");
		return 0;
	}
	return d->inner->undo(c, d->params, &inner, undo, err);
}

void hf_delegate_watch(struct hf_module_context *c, const struct hf_module *inner,
	const struct hf_value *args, struct hf_watches *w)
{
	struct hf_arena *a = hf_task_arena(c);
	void *params = hf_zalloc(a, inner->schema.size);
	if (inner->watch != NULL &&
		hf_schema_bind(a, &inner->schema, args, inner->name, params, NULL, NULL) == 0)
		inner->watch(c, params, w);
}
