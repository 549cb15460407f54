/* `holdfast env types --reference`: the page of every AWS type, made of the files that are compiled in, so
 * that it cannot say anything else than what the program does. */
#include <stdio.h>
#include <string.h>

#include "cli/env.h"

static void property_row(
	struct hf_arena *a, const struct hf_spec *spec, const char *name, const struct hf_value *row)
{
	const struct hf_value *choices = hf_dict_get(row, "choices");
	printf("| `%s` | %s%s |", name, hf_dict_cstr(row, "type", "str"),
		hf_dict_bool(row, "required", false) ? ", required" : "");
	for (size_t i = 0; hf_is(choices, HF_LIST) && i < hf_list_len(choices); i++)
		printf("%s`%s`", i == 0 ? " " : ", ", hf_value_text(a, hf_list_at(choices, i)).p);
	if (spec->lookup)
		printf(" | |\n");
	else
		printf(" | %s%s |\n",
			hf_spec_updatable(spec, name) ? "changed in place" : "a change replaces",
			strcmp(hf_dict_cstr(row, "compare", ""), "none") == 0
				? "; AWS does not give it back: compared with what was applied"
				: "");
}

static void names_print(const char *title, const char *first, const struct hf_value *names)
{
	const char *comma = first == NULL ? "" : ", ";
	printf("\n%s: ", title);
	if (first != NULL)
		printf("`%s`", first);
	for (size_t i = 0; hf_is(names, HF_LIST) && i < hf_list_len(names); i++, comma = ", ")
		printf("%s`%s`", comma, hf_list_at(names, i)->u.string.p);
	if (hf_is(names, HF_DICT))
		HF_DICT_EACH (names, e) {
			printf("%s`%s`", comma, hf_entry_key(e)->u.string.p);
			comma = ", ";
		}
	printf("\n");
}

static void type_page(struct hf_arena *a, const struct hf_spec *spec)
{
	const struct hf_value *bootstrap = hf_dict_get(spec->doc, "bootstrap");
	printf("\n## %s\n\n%s.%s\n", spec->type, hf_dict_cstr(spec->doc, "summary", ""),
		spec->lookup ? " Looked up, under `data`, and never made." : "");
	if (hf_dict_len(spec->properties) > 0)
		printf("\n| property | type | choices | a change |\n|---|---|---|---|\n");
	HF_DICT_EACH (spec->properties, e) {
		property_row(a, spec, hf_entry_key(e)->u.string.p, hf_entry_value(e));
	}
	names_print("Outputs", spec->lookup ? NULL : "id", hf_dict_get(spec->read, "outputs"));
	if (!spec->lookup)
		printf("\nAn interrupted creation is repeated %s.%s%s\n",
			hf_dedupe_name(hf_spec_dedupe(spec)),
			bootstrap == NULL ? "" : " Its machines can join a fleet (`bootstrap`).",
			hf_dict_get(spec->doc, "empty") == NULL ? "" : " `force_destroy` empties it.");
	names_print("IAM actions", NULL, hf_dict_get(spec->doc, "actions"));
}

void env_reference_print(struct hf_arena *a, const struct hf_specs *specs)
{
	printf("# AWS types of environment files\n\n"
	       "Made of `provisioner/resources/*/*.yaml` by `holdfast env types --reference`. What the "
	       "columns\n"
	       "mean, and the rest of the file, is in provisioner.md.\n");
	for (size_t i = 0; i < hf_specs_count(specs); i++)
		type_page(a, hf_specs_at(specs, i));
}
