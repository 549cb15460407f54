#include <string.h>

#include "lib/engine/inventory_read.h"

static int read_hosts(
	struct hf_inventory *v, struct hf_group *g, const struct hf_value *hosts, struct hf_error *err)
{
	if (hf_is(hosts, HF_NULL))
		return 0;
	if (!hf_is(hosts, HF_DICT))
		return hf_fail_at(err, HF_E_PARSE, hf_value_pos(hosts),
			"Invalid \"hosts\" entry for \"%s\" group, requires a dictionary", g->name);
	HF_DICT_EACH (hosts, e) {
		struct hf_value *names = NULL;
		const struct hf_value *vars = hf_entry_value(e);
		int r = hf_inventory_expand(v->arena, hf_value_text(v->arena, hf_entry_key(e)), &names, err);
		if (r < 0)
			return hf_error_set_pos(err, hf_value_pos(hf_entry_key(e)));
		if (!hf_is(vars, HF_NULL) && !hf_is(vars, HF_DICT))
			return hf_fail_at(err, HF_E_PARSE, hf_value_pos(vars),
				"variables of a host must be a dictionary");
		for (size_t i = 0; i < hf_list_len(names); i++) {
			struct hf_host *h = hf_inventory_host(v, hf_list_at(names, i)->u.string.p);
			hf_inventory_join(v, g, h);
			if (hf_is(vars, HF_DICT)) {
				HF_DICT_EACH (vars, x)
					hf_dict_set(h->vars, hf_entry_key(x), hf_entry_value(x));
			}
		}
	}
	return 0;
}

static int read_group(struct hf_inventory *v, const char *name, const struct hf_value *ds, unsigned depth,
	struct hf_error *err);

static int read_children(struct hf_inventory *v, struct hf_group *g, const struct hf_value *children,
	unsigned depth, struct hf_error *err)
{
	if (hf_is(children, HF_NULL))
		return 0;
	if (!hf_is(children, HF_DICT))
		return hf_fail_at(err, HF_E_PARSE, hf_value_pos(children),
			"Invalid \"children\" entry for \"%s\" group, requires a dictionary", g->name);
	HF_DICT_EACH (children, e) {
		const char *child = hf_value_text(v->arena, hf_entry_key(e)).p;
		int r = read_group(v, child, hf_entry_value(e), depth + 1, err);
		if (r < 0)
			return r;
		hf_inventory_nest(v, g, hf_inventory_group(v, child));
	}
	return 0;
}

static int read_vars(struct hf_group *g, const struct hf_value *vars, struct hf_error *err)
{
	if (hf_is(vars, HF_NULL))
		return 0;
	if (!hf_is(vars, HF_DICT))
		return hf_fail_at(err, HF_E_PARSE, hf_value_pos(vars),
			"Invalid \"vars\" entry for \"%s\" group, requires a dictionary", g->name);
	HF_DICT_EACH (vars, e)
		hf_dict_set(g->vars, hf_entry_key(e), hf_entry_value(e));
	g->priority = hf_dict_int(g->vars, "ansible_group_priority", g->priority);
	return 0;
}

static int read_group(struct hf_inventory *v, const char *name, const struct hf_value *ds, unsigned depth,
	struct hf_error *err)
{
	struct hf_group *g = hf_inventory_group(v, name);
	if (hf_is(ds, HF_NULL))
		return 0;
	if (!hf_is(ds, HF_DICT))
		return hf_fail_at(err, HF_E_PARSE, hf_value_pos(ds),
			"Invalid group entry for \"%s\", requires a dictionary", name);
	if (depth > HF_GROUP_DEPTH_MAX)
		return hf_fail_at(err, HF_E_LIMIT, hf_value_pos(ds), "groups are nested too deeply");
	HF_DICT_EACH (ds, e) {
		const char *key = hf_value_text(v->arena, hf_entry_key(e)).p;
		int r;
		if (strcmp(key, "hosts") == 0)
			r = read_hosts(v, g, hf_entry_value(e), err);
		else if (strcmp(key, "children") == 0)
			r = read_children(v, g, hf_entry_value(e), depth, err);
		else if (strcmp(key, "vars") == 0)
			r = read_vars(g, hf_entry_value(e), err);
		else
			r = hf_fail_at(err, HF_E_PARSE, hf_value_pos(hf_entry_key(e)),
				"unexpected key '%s' in group '%s'; hosts, children and vars are known", key,
				name);
		if (r < 0)
			return r;
	}
	return 0;
}

int hf_inventory_read_yaml(struct hf_inventory *v, const struct hf_value *doc, struct hf_error *err)
{
	if (hf_is(doc, HF_NULL))
		return 0;
	if (!hf_is(doc, HF_DICT))
		return hf_fail_at(err, HF_E_PARSE, hf_value_pos(doc),
			"a YAML inventory must be a dictionary of groups");
	if (hf_dict_get(doc, "plugin") != NULL)
		return hf_fail_at(
			err, HF_E_UNSUPPORTED, hf_value_pos(doc), "inventory plugins are not supported");
	HF_DICT_EACH (doc, e) {
		int r = read_group(v, hf_value_text(v->arena, hf_entry_key(e)).p, hf_entry_value(e), 0, err);
		if (r < 0)
			return r;
	}
	return 0;
}
