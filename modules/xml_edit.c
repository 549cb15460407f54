#include "modules/xml_edit.h"

#include "lib/engine/regex.h"
#include "modules/host.h"

enum { DEPTH_MAX = 64 };

typedef HF_VEC(xmlNodePtr) node_list;

int hf_xmldoc_is_node(const struct hf_xmldoc_found *f, bool *ret, struct hf_error *err)
{
	*ret = false;
	if (f->type == XPATH_NODESET) {
		*ret = f->n > 0 && hf_xmldoc_is_child(f->at[0]);
		return 0;
	}
	if (f->type == XPATH_STRING || !f->truth)
		return 0;
	return hf_fail(err, HF_E_TASK, "'%s' object is not subscriptable",
		f->type == XPATH_BOOLEAN ? "bool" : "float");
}

static int node_there(struct hf_xmldoc *x, xmlNodePtr at, const char *xpath, bool *ret, struct hf_error *err)
{
	struct hf_xmldoc_found f;
	*ret = false;
	int r = hf_xmldoc_find(x, at, xpath, &f, err);
	return r < 0 ? r : hf_xmldoc_is_node(&f, ret, err);
}

static int delete_one(struct hf_xmldoc *x, const char *xpath, xmlNodePtr node, struct hf_error *err)
{
	struct hf_xmldoc_found now;
	int r = hf_xmldoc_find(x, NULL, xpath, &now, err);
	if (r < 0)
		return r;
	if (now.n == 0)
		return hf_fail(err, HF_E_TASK, "Impossible error");
	bool attribute = now.at[0]->type == XML_ATTRIBUTE_NODE, child = hf_xmldoc_is_child(now.at[0]);
	if ((!attribute && !child) || attribute != (node->type == XML_ATTRIBUTE_NODE))
		return hf_fail(err, HF_E_TASK, "what is found is neither an element nor an attribute");
	if (child && (node->parent == NULL || node->parent->type != XML_ELEMENT_NODE))
		return hf_fail(err, HF_E_TASK, "'NoneType' object has no attribute 'remove'");
	hf_xmldoc_remove(x, node);
	return 0;
}

int hf_xmldoc_delete(struct hf_xmldoc *x, const char *xpath, struct hf_error *err)
{
	struct hf_xmldoc_found f;
	int r = hf_xmldoc_find(x, NULL, xpath, &f, err);
	if (r == 0 && f.type != XPATH_NODESET)
		r = hf_fail(err, HF_E_TASK, "the expression gives no nodes");
	for (size_t i = 0; r == 0 && i < f.n; i++)
		r = delete_one(x, xpath, f.at[i], err);
	return r < 0 ? hf_wrap(err, "Couldn't delete xpath target: %s", xpath) : 0;
}

/* --- children
 * ------------------------------------------------------------------------------------------------- */
static int nodes_make(struct hf_xmldoc *x, const struct hf_value *children, bool markup, unsigned depth,
	node_list *ret, struct hf_error *err);

static int text_only(const struct hf_value *v, const char **ret, struct hf_error *err)
{
	if (v->type != HF_STRING)
		return hf_fail(
			err, HF_E_TASK, "Argument must be bytes or unicode, got '%s'", hf_type_name(v));
	*ret = v->u.string.p;
	return 0;
}

/* {attribute: text, _: children} */
static int node_attributes(struct hf_xmldoc *x, xmlNodePtr node, const struct hf_value *dict, unsigned depth,
	struct hf_error *err)
{
	int r = 0;
	HF_DICT_EACH (dict, e) {
		struct hf_str name = hf_value_text(x->arena, hf_entry_key(e));
		const char *text = NULL;
		if (r < 0 || hf_str_is(name, "_"))
			continue;
		r = text_only(hf_entry_value(e), &text, err);
		if (r == 0)
			r = hf_xmldoc_attribute(x, node, name.p, text, NULL, err);
	}
	const struct hf_value *below = hf_dict_get(dict, "_");
	node_list kids = { 0 };
	if (r < 0 || below == NULL || below->type == HF_NULL)
		return r;
	if (below->type != HF_LIST)
		return hf_fail(
			err, HF_E_TASK, "Invalid children type: %s, must be list.", hf_type_name(below));
	r = nodes_make(x, below, false, depth + 1, &kids, err);
	for (size_t i = 0; r == 0 && i < kids.n; i++)
		hf_xmldoc_place(x, node, NULL, kids.at[i]);
	return r;
}

static int node_of_dict(struct hf_xmldoc *x, const struct hf_value *dict, unsigned depth, xmlNodePtr *ret,
	struct hf_error *err)
{
	if (hf_dict_len(dict) != 1)
		return hf_fail(err, HF_E_TASK, "Can only create children from hashes with one key");
	HF_DICT_EACH (dict, e) {
		const struct hf_value *v = hf_entry_value(e);
		const char *name = hf_value_text(x->arena, hf_entry_key(e)).p, *text = NULL;
		int r = v->type == HF_DICT || v->type == HF_NULL ? 0 : text_only(v, &text, err);
		if (r == 0)
			r = hf_xmldoc_element(x, name, text, ret, err);
		return r == 0 && v->type == HF_DICT ? node_attributes(x, *ret, v, depth, err) : r;
	}
	return 0;
}

static int node_make(struct hf_xmldoc *x, const struct hf_value *child, bool markup, unsigned depth,
	xmlNodePtr *ret, struct hf_error *err)
{
	if (markup) {
		if (hf_xmldoc_fragment(x, hf_value_text(x->arena, child), ret, err) < 0)
			return hf_wrap(err, "Error while parsing child element");
		return 0;
	}
	if (child->type == HF_STRING)
		return hf_xmldoc_element(x, child->u.string.p, NULL, ret, err);
	if (child->type == HF_DICT)
		return node_of_dict(x, child, depth, ret, err);
	return hf_fail(err, HF_E_TASK,
		"Invalid child type: <class '%s'>. Children must be either strings or hashes.",
		hf_type_name(child));
}

static int nodes_make(struct hf_xmldoc *x, const struct hf_value *children, bool markup, unsigned depth,
	node_list *ret, struct hf_error *err)
{
	if (depth > DEPTH_MAX)
		return hf_fail(err, HF_E_LIMIT, "more than %d elements inside each other", DEPTH_MAX);
	for (size_t i = 0; i < hf_list_len(children); i++) {
		xmlNodePtr node = NULL;
		int r = node_make(x, hf_list_at(children, i), markup, depth, &node, err);
		if (r < 0)
			return r;
		*hf_vec_push(x->arena, ret) = node;
	}
	return 0;
}

static bool children_differ(struct hf_xmldoc *x, const xmlNode *parent, const struct hf_str *texts, size_t n)
{
	if (hf_xmldoc_children(parent) != n)
		return true;
	for (size_t i = 0; i < n; i++) {
		xmlNodePtr child = hf_xmldoc_child_at(parent, i);
		if (hf_xmldoc_has_tail(child) || !hf_str_equal(hf_xmldoc_node_text(x, child), texts[i]))
			return true;
	}
	return false;
}

int hf_xmldoc_set_children(struct hf_xmldoc *x, const char *xpath, const struct hf_value *children,
	bool markup, struct hf_error *err)
{
	struct hf_xmldoc_found f;
	node_list kids = { 0 };
	int r = hf_xmldoc_find(x, NULL, xpath, &f, err);
	if (r == 0)
		r = nodes_make(x, children, markup, 0, &kids, err);
	if (r < 0)
		return r;
	struct hf_str *texts = hf_new_array(x->arena, kids.n + 1, struct hf_str);
	for (size_t i = 0; i < kids.n; i++)
		texts[i] = hf_xmldoc_node_text(x, kids.at[i]);
	for (size_t i = 0; i < f.n; i++) {
		xmlNodePtr parent = f.at[i], old;
		if (parent->type != XML_ELEMENT_NODE)
			return hf_fail(err, HF_E_TASK, "Xpath %s gives what is no element", xpath);
		if (!children_differ(x, parent, texts, kids.n))
			continue;
		while ((old = hf_xmldoc_child_at(parent, 0)) != NULL)
			hf_xmldoc_remove(x, old);
		for (size_t k = 0; k < kids.n; k++)
			hf_xmldoc_place(x, parent, NULL, kids.at[k]);
	}
	return 0;
}

static int children_beside(struct hf_xmldoc *x, const struct hf_xmldoc_found *f, const node_list *kids,
	bool behind, struct hf_error *err)
{
	xmlNodePtr target = f->at[behind ? f->n - 1 : 0], parent = f->at[0]->parent, before = target;
	if (parent == NULL || parent->type != XML_ELEMENT_NODE || target->parent == NULL)
		return hf_fail(err, HF_E_TASK, "nothing can stand beside the root element");
	/* the place is a number among the target's siblings, used below the first one's parent */
	size_t at = 0;
	while (hf_xmldoc_child_at(target->parent, at) != target)
		at++;
	before = hf_xmldoc_child_at(parent, at + behind);
	for (size_t i = 0; i < kids->n; i++)
		hf_xmldoc_place(x, parent, before, kids->at[i]);
	return 0;
}

int hf_xmldoc_add_children(struct hf_xmldoc *x, const char *xpath, const struct hf_value *children,
	bool markup, enum hf_xmldoc_where where, struct hf_error *err)
{
	struct hf_xmldoc_found f;
	node_list kids = { 0 };
	bool node;
	int r = hf_xmldoc_find(x, NULL, xpath, &f, err);
	if (r == 0)
		r = hf_xmldoc_is_node(&f, &node, err);
	if (r < 0 || !node)
		return r;
	r = nodes_make(x, children, markup, 0, &kids, err);
	if (r < 0)
		return r;
	if (where != HF_XMLDOC_INSIDE)
		return children_beside(x, &f, &kids, where == HF_XMLDOC_BEHIND, err);
	for (size_t i = 0; i < f.n; i++)
		for (size_t k = 0; f.at[i]->type == XML_ELEMENT_NODE && k < kids.n; k++)
			hf_xmldoc_place(x, f.at[i], NULL, kids.at[k]);
	return 0;
}

/* --- what is not there yet
 * ------------------------------------------------------------------------------------ */
#define IDENT  "[a-zA-Z-][a-zA-Z0-9_\\-\\.]*"
#define NAME   IDENT "|" IDENT ":" IDENT
#define QUOTED "('(?:.*)'|\"(?:.*)\")"

/* The last step of an expression: what is to be made below the rest of it. */
struct step {
	const char *parent;
	enum { STEP_ELEMENT, STEP_ATTRIBUTE, STEP_WITH, STEP_TEXT } kind;
	const char *name, *value; /* value of STEP_WITH: its conditions */
};
static const struct {
	const char *pattern;
	int kind;
	unsigned name, value; /* groups; 0: none */
} forms[] = {
	{ "^(.*)/(" NAME ")$", STEP_ELEMENT, 2, 0 },
	{ "^(.*)/(" NAME ")/text\\(\\)=" QUOTED "$", STEP_ELEMENT, 2, 3 },
	{ "^(.*)/(@(?:" NAME "))$", STEP_ATTRIBUTE, 2, 0 },
	{ "^(.*)/(@(?:" NAME "))=" QUOTED "$", STEP_ATTRIBUTE, 2, 3 },
	{ "^(.*)/(" NAME ")\\[(.*)\\]$", STEP_WITH, 2, 3 },
	{ "^(.*)/text\\(\\)=" QUOTED "$", STEP_TEXT, 0, 2 },
};

static int step_split(
	struct hf_xmldoc *x, const char *xpath, struct step *ret, bool *found, struct hf_error *err)
{
	struct hf_str text = hf_str_trim(hf_str(xpath));
	*found = false;
	for (size_t i = 0; !*found && i < HF_COUNT(forms); i++) {
		hf_auto_regex re = NULL;
		struct hf_regex_match m;
		int r = hf_regex_get(hf_str(forms[i].pattern), 0, &re, err);
		if (r == 0)
			r = hf_regex_exec(x->arena, re, text, 0, HF_REGEX_MATCH, &m, err);
		if (r < 0)
			return r;
		if (!m.found)
			continue;
		*found = true;
		struct hf_str name = hf_regex_group(&m, forms[i].name);
		struct hf_str value = hf_regex_group(&m, forms[i].value);
		if (forms[i].kind != STEP_WITH && forms[i].value != 0)
			value = hf_strn(value.p + 1, value.n - 2);
		ret->kind = forms[i].kind;
		ret->parent = hf_str_dup(x->arena, hf_regex_group(&m, 1));
		ret->name = forms[i].name == 0 ? "" : hf_str_dup(x->arena, name);
		ret->value = forms[i].value == 0 ? NULL : hf_str_dup(x->arena, value);
	}
	return 0;
}

/* prefix:name to {namespace}name */
static int name_resolve(struct hf_xmldoc *x, const char *name, const char **ret, struct hf_error *err)
{
	const char *colon = strchr(name, ':');
	*ret = name;
	if (colon == NULL)
		return 0;
	const char *prefix = hf_strndup(x->arena, name, (size_t)(colon - name));
	const struct hf_value *uri = x->namespaces == NULL ? NULL : hf_dict_get(x->namespaces, prefix);
	if (uri == NULL)
		return hf_fail(err, HF_E_TASK, "'%s'", prefix);
	*ret = hf_sprintf(x->arena, "{%s}%s", hf_value_text(x->arena, uri).p, colon + 1);
	return 0;
}

static int ensure(
	struct hf_xmldoc *x, xmlNodePtr at, const char *xpath, unsigned depth, struct hf_error *err);

static int conditions_make(
	struct hf_xmldoc *x, xmlNodePtr node, const char *conditions, unsigned depth, struct hf_error *err)
{
	struct hf_str rest = hf_str(conditions), separator = HF_STR(" and ");
	for (bool more = true; more;) {
		size_t end = hf_str_find(rest, separator, 0);
		more = end != SIZE_MAX;
		struct hf_str one = hf_str_trim(more ? hf_strn(rest.p, end) : rest);
		int r = ensure(x, node, hf_sprintf(x->arena, "./%.*s", HF_STR_ARG(one)), depth + 1, err);
		if (r < 0)
			return r;
		if (more)
			rest = hf_strn(rest.p + end + separator.n, rest.n - end - separator.n);
	}
	return 0;
}

static int step_make(struct hf_xmldoc *x, const struct hf_xmldoc_found *parents, const struct step *s,
	unsigned depth, struct hf_error *err)
{
	const char *name = NULL, *text = s->kind == STEP_ELEMENT ? s->value : NULL;
	xmlNodePtr node = NULL;
	int r = s->kind == STEP_TEXT ? 0 : name_resolve(x, s->name + (s->kind == STEP_ATTRIBUTE), &name, err);
	if (r == 0 && (s->kind == STEP_ELEMENT || s->kind == STEP_WITH))
		r = hf_xmldoc_element(x, name, hf_same(text, "") ? NULL : text, &node, err);
	for (size_t i = 0; r == 0 && i < parents->n; i++) {
		xmlNodePtr parent = parents->at[i];
		if (parent->type != XML_ELEMENT_NODE)
			return hf_fail(err, HF_E_TASK, "an element can only be made inside another");
		if (node != NULL)
			hf_xmldoc_place(x, parent, NULL, node);
		if (s->kind == STEP_WITH)
			r = conditions_make(x, node, s->value, depth, err);
		else if (s->kind == STEP_TEXT)
			r = hf_xmldoc_set_text(x, parent, s->value, err);
		else if (s->kind == STEP_ATTRIBUTE)
			r = hf_xmldoc_attribute(x, parent, name, s->value == NULL ? "" : s->value, NULL, err);
	}
	return r;
}

static int ensure(struct hf_xmldoc *x, xmlNodePtr at, const char *xpath, unsigned depth, struct hf_error *err)
{
	struct step s = { 0 };
	struct hf_xmldoc_found parents;
	bool found = false, there = false;
	int r = depth > DEPTH_MAX ? hf_fail(err, HF_E_LIMIT, "more than %d steps", DEPTH_MAX)
				  : step_split(x, xpath, &s, &found, err);
	if (r < 0)
		return r;
	if (!found)
		return hf_fail(err, HF_E_TASK, "Can't process Xpath %s in order to spawn nodes!", xpath);
	r = node_there(x, at, s.parent, &there, err);
	if (r == 0 && !there)
		r = ensure(x, at, s.parent, depth + 1, err);
	if (r == 0)
		r = node_there(x, at, s.parent, &there, err);
	if (r == 0 && there)
		r = hf_xmldoc_find(x, at, s.parent, &parents, err);
	return r == 0 && there ? step_make(x, &parents, &s, depth, err) : r;
}

int hf_xmldoc_ensure(struct hf_xmldoc *x, const char *xpath, struct hf_error *err)
{
	bool there;
	int r = node_there(x, NULL, xpath, &there, err);
	return r < 0 || there ? r : ensure(x, NULL, xpath, 0, err);
}

static int value_put(
	struct hf_xmldoc *x, xmlNodePtr node, const char *attribute, const char *value, struct hf_error *err)
{
	const char *old = NULL;
	if (node->type != XML_ELEMENT_NODE)
		return hf_fail(err, HF_E_TASK, "only an element has a value");
	if (attribute == NULL) {
		old = hf_xmldoc_text(x, node);
		return old != NULL && strcmp(old, value) == 0 ? 0 : hf_xmldoc_set_text(x, node, value, err);
	}
	return hf_xmldoc_attribute(x, node, attribute, value, NULL, err);
}

int hf_xmldoc_set_value(struct hf_xmldoc *x, const char *xpath, const struct hf_value *attribute,
	const struct hf_value *value, struct hf_error *err)
{
	struct hf_xmldoc_found f;
	const char *text = NULL, *name = NULL;
	bool node = false;
	if (hf_xmldoc_ensure(x, xpath, err) < 0)
		return hf_wrap(err, "Xpath %s causes a failure", xpath);
	int r = hf_xmldoc_find(x, NULL, xpath, &f, err);
	if (r == 0)
		r = hf_xmldoc_is_node(&f, &node, err);
	if (r == 0 && !node)
		r = hf_fail(err, HF_E_TASK, "Xpath %s does not reference a node!", xpath);
	if (r == 0)
		r = text_only(value, &text, err);
	if (r == 0 && attribute != NULL && hf_value_truthy(attribute))
		r = name_resolve(x, hf_value_text(x->arena, attribute).p, &name, err);
	for (size_t i = 0; r == 0 && i < f.n; i++)
		r = value_put(x, f.at[i], name, text, err);
	return r;
}
