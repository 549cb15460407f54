#include "lib/engine/playbook.h"

const struct hf_node *hf_node_up(const struct hf_node *n)
{
	n = n->parent;
	while (n != NULL && n->dynamic)
		n = n->parent;
	return n;
}

struct hf_value *hf_node_keyword(const struct hf_node *n, enum hf_keyword k)
{
	if (n->kw[k] != NULL || (hf_keyword_flags(k) & HF_KW_INHERITED) == 0)
		return n->kw[k];
	for (n = hf_node_up(n); n != NULL; n = hf_node_up(n)) {
		if (n->kw[k] != NULL)
			return n->kw[k];
	}
	return NULL;
}

size_t hf_node_collect(const struct hf_node *n, enum hf_keyword k, struct hf_value *out[HF_NODE_LEVELS_MAX])
{
	size_t count = 0;
	for (; n != NULL && count < HF_NODE_LEVELS_MAX; n = hf_node_up(n)) {
		if (n->kw[k] != NULL)
			out[count++] = n->kw[k];
	}
	for (size_t i = 0; i < count / 2; i++) {
		struct hf_value *swap = out[i];
		out[i] = out[count - 1 - i];
		out[count - 1 - i] = swap;
	}
	return count;
}
