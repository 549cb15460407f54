#include "lib/template/arith.h"
#include "lib/template/eval.h"

enum { FOLD_TEXT_MAX = 4096 };

static bool constants(const struct nodes *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->at[i]->kind != N_CONST)
			return false;
	return true;
}

static bool plain(const struct node *n)
{
	return n->kind == N_CONST && n->u.constant->type != HF_OBJECT;
}

static bool foldable(const struct node *n)
{
	switch ((int)n->kind) {
	case N_NOT:
	case N_NEGATE:
	case N_PLUS:
		return plain(n->u.pair.left);
	case N_ARITH:
		return n->op != OP_MUL && n->op != OP_POW && n->op != OP_MOD && plain(n->u.pair.left) &&
		       plain(n->u.pair.right);
	case N_TUPLE: /* cannot be changed afterwards, unlike a list */
		return constants(&n->u.list);
	case N_COMPARE:
		for (size_t i = 0; i < n->u.compare.n; i++)
			if (!plain(n->u.compare.at[i].value))
				return false;
		return plain(n->u.compare.first);
	default:
		return false;
	}
}

void hf_fold(struct hf_arena *a, const struct hf_template_env *env, struct node *n)
{
	if (!foldable(n))
		return;
	struct hf_render how = { .arena = a, .env = env };
	struct hf_eval e = { .arena = a, .env = env, .how = &how, .steps = FOLD_TEXT_MAX };
	struct hf_template none = { 0 };
	struct frame frame = { .template = &none };
	e.frame = &frame;
	struct hf_value *v;
	if (hf_eval_node(&e, n, &v, NULL) < 0) /* fails again, with its message, when it is reached */
		return;
	n->kind = N_CONST;
	n->u.constant = v;
}
