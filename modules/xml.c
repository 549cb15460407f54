/* modules/xml.c - parts of an XML file or text: looked up, set, added, removed. What is done to the tree and
 * in which order is lxml's, which playbooks have been written against. */
#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "modules/file_content.h"
#include "modules/host.h"
#include "modules/xml_edit.h"

enum { XML_ABSENT, XML_PRESENT };

static const char *const states[] = { "absent", "present", NULL };
static const char *const contents[] = { "attribute", "text", NULL };
static const char *const input_types[] = { "xml", "yaml", NULL };
struct params {
	const char *path, *xmlstring, *xpath, *content, *input_type;
	struct hf_value *namespaces, *value, *attribute, *add_children, *set_children;
	int state;
	enum hf_tristate count, print_match, pretty_print, backup, strip_cdata_tags, insertbefore,
		insertafter;
};
#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define AT(field)  offsetof(struct params, field)
static const struct hf_arg args[] = {
	{ "path", HF_ARG_PATH, AT(path), .aliases = NAMES("dest", "file"),
		.help = "The file, which must be there." },
	{ "xmlstring", HF_ARG_STR, AT(xmlstring), .help = "A document instead of a file." },
	{ "xpath", HF_ARG_STR, AT(xpath), .help = "What it is about." },
	{ "namespaces", HF_ARG_DICT, AT(namespaces), .dflt = "{}",
		.help = "Prefixes of xpath and their namespaces." },
	{ "state", HF_ARG_ENUM, AT(state), .dflt = "present", .choices = states, .aliases = NAMES("ensure"),
		.help = "Whether what xpath names shall be there." },
	{ "attribute", HF_ARG_RAW, AT(attribute), .help = "Attribute that gets value." },
	{ "value", HF_ARG_RAW, AT(value), .help = "Text of the element or of the attribute." },
	{ "add_children", HF_ARG_LIST, AT(add_children), .help = "Elements to add." },
	{ "set_children", HF_ARG_LIST, AT(set_children), .help = "Elements to have, and no others." },
	{ "count", HF_ARG_BOOL, AT(count), .dflt = "false", .help = "Return how many there are." },
	{ "print_match", HF_ARG_BOOL, AT(print_match), .dflt = "false", .help = "Return where they are." },
	{ "pretty_print", HF_ARG_BOOL, AT(pretty_print), .dflt = "false",
		.help = "Write it with line breaks and indentation." },
	{ "content", HF_ARG_STR, AT(content), .choices = contents, .help = "Return texts or attributes." },
	{ "input_type", HF_ARG_STR, AT(input_type), .dflt = "yaml", .choices = input_types,
		.help = "How children are written." },
	{ "backup", HF_ARG_BOOL, AT(backup), .dflt = "false", .help = "Keep a dated copy of the old file." },
	{ "strip_cdata_tags", HF_ARG_BOOL, AT(strip_cdata_tags), .dflt = "false",
		.help = "Write CDATA sections as plain text." },
	{ "insertbefore", HF_ARG_BOOL, AT(insertbefore), .dflt = "false",
		.help = "Add before the first element found." },
	{ "insertafter", HF_ARG_BOOL, AT(insertafter), .dflt = "false",
		.help = "Add behind the last element found." },
	{ .type = HF_ARG_END },
};
static const struct hf_rule rules[] = {
	{ HF_RULE_EXCLUSIVE,
		NAMES("add_children", "content", "count", "print_match", "set_children", "value") },
	{ HF_RULE_EXCLUSIVE, NAMES("path", "xmlstring") },
	{ HF_RULE_EXCLUSIVE, NAMES("insertbefore", "insertafter") },
	{ HF_RULE_ONE_OF, NAMES("path", "xmlstring") },
	{ HF_RULE_ONE_OF, NAMES("add_children", "content", "count", "pretty_print", "print_match",
				  "set_children", "value") },
	{ HF_RULE_BY, NAMES("xpath"), .when = "add_children" },
	{ HF_RULE_BY, NAMES("value"), .when = "attribute" },
	{ HF_RULE_BY, NAMES("xpath"), .when = "content" },
	{ HF_RULE_BY, NAMES("xpath"), .when = "set_children" },
	{ HF_RULE_BY, NAMES("xpath"), .when = "value" },
	{ HF_RULE_IF, NAMES("xpath"), .when = "count", .equals = "true" },
	{ HF_RULE_IF, NAMES("xpath"), .when = "print_match", .equals = "true" },
	{ HF_RULE_IF, NAMES("xpath"), .when = "insertbefore", .equals = "true" },
	{ HF_RULE_IF, NAMES("xpath"), .when = "insertafter", .equals = "true" },
	{ HF_RULE_END },
};

struct work {
	struct hf_module_context *c;
	struct hf_arena *a;
	const struct params *p;
	struct hf_change *change;
	struct hf_xmldoc x;
	const char *real, *backup;
	struct hf_str source, before, after; /* before: to compare with */
};

static int matches_print(struct work *w, struct hf_error *err)
{
	struct hf_xmldoc_found f;
	const char *xpath = w->p->xpath;
	int r = hf_xmldoc_find(&w->x, NULL, xpath, &f, err);
	if (r == 0 && f.type != XPATH_NODESET)
		r = hf_fail(err, HF_E_TASK, "selector '%s' gives no nodes", xpath);
	struct hf_value *list = hf_value_list(w->a);
	for (size_t i = 0; r == 0 && i < f.n; i++) {
		hf_auto_free char *path = NULL;
		if (!hf_xmldoc_is_child(f.at[i]))
			return hf_fail(err, HF_E_TASK, "selector '%s' gives what is no element", xpath);
		path = (char *)xmlGetNodePath(f.at[i]);
		hf_list_append(list, hf_value_cstr(w->a, path == NULL ? "" : path));
	}
	hf_auto_buf text = hf_buf_init(HF_XMLDOC_SIZE_MAX);
	if (r == 0)
		r = hf_json_write(&text, list, &HF_JSON_PYTHON, err);
	if (r == 0)
		hf_result_cstr(w->c, w->change, "msg",
			hf_sprintf(w->a, "selector '%s' match: %s", xpath, hf_buf_str(&text).p));
	hf_result_put(w->c, w->change, "matches", hf_value_list(w->a));
	return r;
}

static int matches_count(struct work *w, struct hf_error *err)
{
	struct hf_xmldoc_found f;
	int r = hf_xmldoc_find(&w->x, NULL, hf_sprintf(w->a, "count(/%s)", w->p->xpath), &f, err);
	if (r < 0)
		return r;
	hf_result_int(w->c, w->change, "count", (int64_t)f.number);
	hf_result_cstr(w->c, w->change, "msg", hf_sprintf(w->a, "found %lld nodes", (long long)f.number));
	return 0;
}

static struct hf_value *attributes_of(struct work *w, xmlNodePtr node)
{
	struct hf_value *all = hf_value_dict(w->a);
	for (const xmlAttr *at = node->type == XML_ELEMENT_NODE ? node->properties : NULL; at != NULL;
		at = at->next) {
		const char *value = NULL, *name = hf_xmldoc_tag(&w->x, at->name, at->ns);
		if (hf_xmldoc_attribute(&w->x, node, name, NULL, &value, NULL) == 0 && value != NULL)
			hf_dict_put(all, name, hf_value_cstr(w->a, value));
	}
	return all;
}

static int contents_return(struct work *w, struct hf_error *err)
{
	struct hf_xmldoc_found f;
	bool text = strcmp(w->p->content, "text") == 0, node;
	int r = hf_xmldoc_find(&w->x, NULL, w->p->xpath, &f, err);
	if (r == 0)
		r = hf_xmldoc_is_node(&f, &node, err);
	if (r == 0 && !node)
		r = hf_fail(err, HF_E_TASK, "Xpath %s does not reference a node!", w->p->xpath);
	struct hf_value *list = hf_value_list(w->a);
	for (size_t i = 0; r == 0 && i < f.n; i++) {
		struct hf_value *one = hf_value_dict(w->a);
		if (f.at[i]->type != XML_ELEMENT_NODE)
			return hf_fail(err, HF_E_TASK, "Xpath %s gives what is no element", w->p->xpath);
		const char *said = hf_xmldoc_text(&w->x, f.at[i]);
		hf_dict_put(one, hf_xmldoc_tag(&w->x, f.at[i]->name, f.at[i]->ns),
			!text          ? attributes_of(w, f.at[i])
			: said == NULL ? hf_value_null(w->a)
				       : hf_value_cstr(w->a, said));
		hf_list_append(list, one);
	}
	if (r < 0)
		return r;
	hf_result_int(w->c, w->change, "msg", (int64_t)f.n);
	hf_result_int(w->c, w->change, "count", (int64_t)f.n);
	hf_result_put(w->c, w->change, "matches", list);
	return 0;
}

/* Does the tree differ, blank text aside? Compared as lxml's objectify reads it. */
static int tree_text(struct hf_arena *a, struct hf_str text, struct hf_str *ret, struct hf_error *err)
{
	struct hf_xmldoc plain;
	int r = hf_xmldoc_open(a, text, true, true, &plain, err);
	if (r < 0)
		return r;
	r = hf_xmldoc_print(&plain, false, false, ret, err);
	hf_xmldoc_close(&plain);
	return r;
}

static int tree_changed(struct work *w, bool *ret, struct hf_error *err)
{
	struct hf_str now, plain, old;
	int r = hf_xmldoc_print(&w->x, false, false, &now, err);
	if (r == 0)
		r = tree_text(w->a, now, &plain, err);
	if (r == 0)
		r = tree_text(w->a, w->before, &old, err);
	if (r == 0)
		*ret = !hf_str_equal(plain, old);
	return r;
}

static struct hf_value *actions(struct work *w)
{
	const struct params *p = w->p;
	struct hf_value *d = hf_value_dict(w->a);
	hf_dict_put(d, "xpath", p->xpath == NULL ? hf_value_null(w->a) : hf_value_cstr(w->a, p->xpath));
	hf_dict_put(d, "namespaces", p->namespaces == NULL ? hf_value_dict(w->a) : p->namespaces);
	hf_dict_put(d, "state", hf_value_cstr(w->a, states[p->state]));
	return d;
}

static int diff_show(struct work *w, struct hf_error *err)
{
	struct hf_str before = HF_STR(""), after = HF_STR("");
	struct hf_xmldoc old;
	if (!hf_task_diff(w->c))
		return 0;
	int r = hf_xmldoc_open(
		w->a, w->source, w->p->pretty_print == HF_YES, w->p->strip_cdata_tags == HF_YES, &old, err);
	if (r < 0)
		return r;
	r = hf_xmldoc_print(&old, true, true, &before, err);
	hf_xmldoc_close(&old);
	if (r == 0)
		r = hf_xmldoc_print(&w->x, true, true, &after, err);
	if (r == 0)
		hf_change_diff(w->c, w->change, w->p->path, before, w->p->path, after);
	return r;
}

static int finish(struct work *w, struct hf_error *err)
{
	const struct params *p = w->p;
	bool changed = false;
	hf_result_put(w->c, w->change, "actions", actions(w));
	int r = tree_changed(w, &changed, err);
	if (r == 0)
		r = hf_xmldoc_print(&w->x, true, p->pretty_print == HF_YES, &w->after, err);
	if (r == 0 && changed)
		r = diff_show(w, err);
	if (r < 0)
		return r;
	w->change->changed = changed;
	if (p->xmlstring != NULL && *p->xmlstring != '\0')
		hf_result_put(w->c, w->change, "xmlstring", hf_value_str(w->a, w->after));
	return 0;
}

/* Nothing but pretty_print: the bytes count. A given text always counts as changed. */
static int make_pretty(struct work *w, struct hf_error *err)
{
	int r = hf_xmldoc_print(&w->x, true, true, &w->after, err);
	if (r < 0)
		return r;
	w->change->changed = w->real == NULL || !hf_str_equal(w->after, w->source);
	if (w->real == NULL)
		hf_result_put(w->c, w->change, "xmlstring", hf_value_str(w->a, w->after));
	else if (w->change->changed)
		hf_change_diff(w->c, w->change, w->p->path, w->source, w->p->path, w->after);
	return 0;
}

static int edit(struct work *w, struct hf_error *err)
{
	const struct params *p = w->p;
	struct hf_xmldoc *x = &w->x;
	if (p->state == XML_ABSENT)
		return p->xpath == NULL ? hf_fail(err, HF_E_TASK, "Couldn't delete xpath target: None")
					: hf_xmldoc_delete(x, p->xpath, err);
	if (p->set_children != NULL)
		return hf_xmldoc_set_children(
			x, p->xpath, p->set_children, strcmp(p->input_type, "xml") == 0, err);
	if (p->add_children != NULL && hf_list_len(p->add_children) > 0)
		return hf_xmldoc_add_children(x, p->xpath, p->add_children, strcmp(p->input_type, "xml") == 0,
			p->insertbefore == HF_YES  ? HF_XMLDOC_BEFORE
			: p->insertafter == HF_YES ? HF_XMLDOC_BEHIND
						   : HF_XMLDOC_INSIDE,
			err);
	if (p->value != NULL && p->value->type != HF_NULL)
		return hf_xmldoc_set_value(x, p->xpath, p->attribute, p->value, err);
	return hf_xmldoc_ensure(x, p->xpath, err);
}

static int work_do(struct work *w, struct hf_error *err)
{
	const struct params *p = w->p;
	int r = 0;
	if (p->xpath != NULL && hf_xmldoc_compile(&w->x, p->xpath, err) < 0)
		return hf_fail(err, HF_E_TASK, "Syntax error in xpath expression: %s (%s)", p->xpath,
			hf_strdup(w->a, err->text));
	if (p->print_match == HF_YES)
		r = matches_print(w, err);
	else if (p->count == HF_YES)
		r = matches_count(w, err);
	else if (p->content != NULL)
		r = contents_return(w, err);
	else if (p->state == XML_PRESENT && p->xpath == NULL)
		return p->pretty_print == HF_YES ? make_pretty(w, err)
						 : hf_fail(err, HF_E_TASK, "Don't know what to do");
	else
		r = edit(w, err);
	return r < 0 ? r : finish(w, err);
}

static int source_read(struct work *w, struct hf_error *err)
{
	const struct params *p = w->p;
	struct stat st;
	w->source = hf_str(p->xmlstring);
	if (p->xmlstring != NULL && *p->xmlstring != '\0')
		return 0;
	if (p->path == NULL || stat(p->path, &st) < 0 || !S_ISREG(st.st_mode))
		return hf_fail(err, HF_E_TASK, "The target XML source '%s' does not exist.",
			p->path == NULL ? "None" : p->path);
	w->real = hf_file_realpath(w->a, p->path);
	return hf_fs_read(w->a, p->path, HF_XMLDOC_SIZE_MAX, &w->source, err);
}

static int xml_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct work *w = hf_new(hf_task_arena(c), struct work);
	*w = (struct work){ .c = c, .a = hf_task_arena(c), .p = p, .change = change };
	change->state = w;
	int r = source_read(w, err);
	if (r < 0)
		return r;
	r = hf_xmldoc_open(
		w->a, w->source, p->pretty_print == HF_YES, p->strip_cdata_tags == HF_YES, &w->x, err);
	if (r < 0)
		return hf_wrap(
			err, "Error while parsing document: %s", w->real == NULL ? "xml_string" : p->path);
	w->x.namespaces = p->namespaces;
	r = hf_xmldoc_print(&w->x, false, false, &w->before, err);
	if (r == 0)
		r = work_do(w, err);
	hf_xmldoc_close(&w->x);
	if (change->changed && w->real != NULL && p->backup == HF_YES)
		w->backup = hf_file_backup_name(w->a, p->path);
	return r == 0 || err->code == HF_E_TASK ? r
						: hf_fail(err, HF_E_TASK, "%s", hf_strdup(w->a, err->text));
}

static int xml_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct work *w = change->state;
	struct hf_file_attr none = { 0 };
	(void)params;
	if (w->real == NULL)
		return 0;
	struct hf_file_content f = { .path = w->real, .data = w->after, .attr = &none, .backup = w->backup };
	return hf_file_content_write(c, change, &f, err);
}

static int xml_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct work *w = change->state;
	(void)c;
	(void)params;
	int r = w->real == NULL ? 0 : hf_undo_file(undo, w->real, err);
	return r < 0 || w->backup == NULL ? r : hf_undo_file(undo, w->backup, err);
}

static void xml_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	const struct params *p = params;
	(void)c;
	if (p->path != NULL)
		hf_watch_path(w, p->path);
}

const struct hf_module hf_module_xml = {
	.name = "xml",
	.collection = "community.general",
	.schema = { args, rules, sizeof(struct params) },
	.check = xml_check,
	.apply = xml_apply,
	.undo = xml_undo,
	.watch = xml_watch,
};
