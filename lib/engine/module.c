#include "lib/engine/module.h"

#include <string.h>

#include "lib/engine/args.h"

static bool is_called(const struct hf_module *m, const char *name)
{
	if (strcmp(m->name, name) == 0)
		return true;
	size_t n = strlen(m->collection);
	if (strncmp(name, m->collection, n) == 0 && name[n] == '.' && strcmp(name + n + 1, m->name) == 0)
		return true;
	for (size_t i = 0; m->aliases != NULL && m->aliases[i] != NULL; i++) {
		if (strcmp(m->aliases[i], name) == 0)
			return true;
		/* A short alias also answers with the collection in front. */
		if (strncmp(name, m->collection, n) == 0 && name[n] == '.' &&
			strcmp(name + n + 1, m->aliases[i]) == 0)
			return true;
	}
	return false;
}

const struct hf_module *hf_module_find(const struct hf_module_registry *registry, const char *name)
{
	const char *plain = strncmp(name, "ansible.legacy.", 15) == 0 ? hf_action_short(name) : name;
	for (size_t i = 0; registry->modules[i] != NULL; i++) {
		if (is_called(registry->modules[i], plain))
			return registry->modules[i];
	}
	return NULL;
}
