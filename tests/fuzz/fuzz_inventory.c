/* Inventories as INI, YAML and lists, and patterns over them. The first line is the pattern, the rest the
 * file. */
#include <stdint.h>
#include <stdlib.h>

#include "lib/base/scope.h"
#include "lib/data/yaml.h"
#include "lib/engine/inventory.h"
#include "lib/engine/inventory_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(struct hf_inventory *v, struct hf_arena *a, struct hf_str pattern)
{
	struct hf_hosts found = { 0 };
	struct hf_error err;
	hf_inventory_settle(v);
	if (hf_inventory_match(v, hf_str_dup(a, pattern), &found, NULL, &err) < 0)
		found.n = 0;
	for (size_t i = 0; i < found.n; i++)
		if (hf_inventory_groups_of(v, found.at[i]).n == 0 && !found.at[i]->implicit)
			abort(); /* whoever is named is in a group, if only in `all` */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_error err;
	struct hf_str rest = { (const char *)data, size }, pattern = HF_STR("");
	struct hf_value *doc, *names;
	(void)hf_str_split(&rest, '\n', &pattern);
	struct hf_inventory *v = hf_inventory_new(a);
	if (hf_inventory_read_ini(v, "hosts", rest, &err) == 0)
		look(v, a, pattern);
	v = hf_inventory_new(a);
	if (hf_yaml_parse(a, rest, "hosts.yml", NULL, &doc, &err) == 0 &&
		hf_inventory_read_yaml(v, doc, &err) == 0)
		look(v, a, pattern);
	if (hf_inventory_expand(a, pattern, &names, &err) == 0 && hf_list_len(names) > HF_HOSTS_MAX)
		abort();
	return 0;
}
