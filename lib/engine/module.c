#include "lib/engine/module.h"

#include <string.h>

#include "lib/engine/args.h"

/* A name as written, and its last part with what stands in front. */
struct called {
	const char *whole, *last;
	size_t front; /* bytes before the last dot */
};

static bool same_word(const char *a, const char *b)
{
	return *a == *b && strcmp(a, b) == 0;
}

static bool is_called(const struct hf_module *m, const struct called *c)
{
	bool found = same_word(m->name, c->last);
	for (size_t i = 0; m->aliases != NULL && m->aliases[i] != NULL; i++) {
		if (same_word(m->aliases[i], c->whole))
			return true;
		/* A short alias also answers with the collection in front. */
		found = found || same_word(m->aliases[i], c->last);
	}
	return found && (c->front == 0 || (strncmp(c->whole, m->collection, c->front) == 0 &&
						  m->collection[c->front] == '\0'));
}

const struct hf_module *hf_module_find(const struct hf_module_registry *registry, const char *name)
{
	/* What ansible-core gave away to collections still answers to its old names: ansible.builtin.sysctl.
	 */
	const char *plain = hf_action_short(name);
	if (plain != name && !hf_action_is_known(plain))
		return NULL;
	const char *dot = strrchr(plain, '.');
	struct called c = { plain, dot == NULL ? plain : dot + 1, dot == NULL ? 0 : (size_t)(dot - plain) };
	for (size_t i = 0; registry->modules[i] != NULL; i++) {
		if (is_called(registry->modules[i], &c))
			return registry->modules[i];
	}
	return NULL;
}
