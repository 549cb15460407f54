#include "modules/xml_tree.h"

#include <libxml/parser.h>
#include <libxml/xpathInternals.h>
#include <stdlib.h>

#include "lib/base/scope.h"
#include "modules/xml_late.h"

enum { DEPTH_MAX = 512, MESSAGE_MAX = 400 };

#define X(text) ((const xmlChar *)(text))
#define C(text) ((const char *)(text))

/* libxml2's sentence without its line end. */
static const char *said(struct hf_arena *a, const xmlError *e, const char *otherwise)
{
	struct hf_str text = hf_str_trim(hf_str(e->message == NULL ? otherwise : e->message));
	if (text.n > MESSAGE_MAX)
		text.n = MESSAGE_MAX;
	return e->line > 0 ? hf_sprintf(a, "%.*s, line %d, column %d", HF_STR_ARG(text), e->line, e->int2)
			   : hf_str_dup(a, text);
}

static int parse(struct hf_arena *a, struct hf_str text, int options, xmlDocPtr *ret, struct hf_error *err)
{
	int r = hf_xmldoc_ready(err);
	if (r < 0)
		return r;
	if (text.n > HF_XMLDOC_SIZE_MAX)
		return hf_fail(err, HF_E_LIMIT, "the document is larger than %d bytes", HF_XMLDOC_SIZE_MAX);
	unsigned denied = hf_xmldoc_denied;
	xmlParserCtxtPtr ctx = xmlNewParserCtxt();
	if (ctx == NULL)
		return hf_fail(err, HF_E_INTERNAL, "libxml2 gives no parser");
	*ret = xmlCtxtReadMemory(ctx, text.p, (int)text.n, NULL, NULL,
		options | XML_PARSE_NOENT | XML_PARSE_NONET | XML_PARSE_BIG_LINES | XML_PARSE_NOERROR |
			XML_PARSE_NOWARNING);
	r = *ret == NULL ? hf_fail(err, HF_E_PARSE, "%s", said(a, &ctx->lastError, "not well formed")) : 0;
	xmlFreeParserCtxt(ctx);
	if (r == 0 && hf_xmldoc_denied != denied) {
		xmlFreeDoc(*ret);
		*ret = NULL;
		r = hf_fail(err, HF_E_PARSE, "it takes an entity from another file, which is not read");
	}
	return r;
}

int hf_xmldoc_open(struct hf_arena *a, struct hf_str text, bool no_blanks, bool no_cdata,
	struct hf_xmldoc *ret, struct hf_error *err)
{
	*ret = (struct hf_xmldoc){ .arena = a };
	return parse(a, text, (no_blanks ? XML_PARSE_NOBLANKS : 0) | (no_cdata ? XML_PARSE_NOCDATA : 0),
		&ret->doc, err);
}

void hf_xmldoc_close(struct hf_xmldoc *x)
{
	for (size_t i = 0; i < x->out.n; i++)
		if (x->out.at[i]->parent == NULL)
			xmlFreeNode(x->out.at[i]);
	if (x->doc != NULL)
		xmlFreeDoc(x->doc);
	for (size_t i = 0; i < x->old.n; i++)
		xmlFreeNs(x->old.at[i]);
	*x = (struct hf_xmldoc){ 0 };
}

static void dump(struct hf_buf *out, xmlDocPtr doc, xmlNodePtr node, bool pretty)
{
	xmlBufferPtr b = xmlBufferCreate();
	if (b != NULL && xmlNodeDump(b, doc, node, 0, pretty) >= 0)
		hf_buf_append(out, b->content, b->use);
	else
		out->failed = true;
	if (b != NULL)
		xmlBufferFree(b);
}

int hf_xmldoc_print(
	struct hf_xmldoc *x, bool declaration, bool pretty, struct hf_str *ret, struct hf_error *err)
{
	hf_auto_buf out = hf_buf_init(HF_XMLDOC_SIZE_MAX);
	const xmlNode *root = xmlDocGetRootElement(x->doc);
	bool behind = false;
	if (declaration)
		hf_buf_printf(&out, "<?xml version='%s' encoding='UTF-8'?>\n",
			x->doc->version == NULL ? "1.0" : C(x->doc->version));
	for (xmlNodePtr n = x->doc->children; n != NULL; n = n->next) {
		if (behind && pretty)
			hf_buf_put(&out, '\n');
		dump(&out, x->doc, n, pretty);
		behind = behind || n == root;
		if (!behind && (pretty || n->type == XML_DTD_NODE))
			hf_buf_put(&out, '\n');
	}
	if (pretty)
		hf_buf_put(&out, '\n');
	*ret = hf_buf_dup(x->arena, &out);
	return hf_buf_check(&out, "the document", err);
}

struct hf_str hf_xmldoc_node_text(struct hf_xmldoc *x, xmlNodePtr node)
{
	hf_auto_buf out = hf_buf_init(HF_XMLDOC_SIZE_MAX);
	xmlNodePtr copy = xmlDocCopyNode(node, x->doc, 1);
	if (copy == NULL)
		return HF_STR("");
	dump(&out, x->doc, copy, false);
	xmlFreeNode(copy);
	return hf_buf_dup(x->arena, &out);
}

static int expression_failed(struct hf_xmldoc *x, xmlXPathContextPtr ctx, struct hf_error *err)
{
	return hf_fail(err, HF_E_PARSE, "%s", said(x->arena, &ctx->lastError, "Invalid expression"));
}

int hf_xmldoc_compile(struct hf_xmldoc *x, const char *text, struct hf_error *err)
{
	xmlXPathContextPtr ctx = xmlXPathNewContext(x->doc);
	xmlXPathCompExprPtr e = xmlXPathCtxtCompile(ctx, X(text));
	int r = e == NULL ? expression_failed(x, ctx, err) : 0;
	xmlXPathFreeCompExpr(e);
	xmlXPathFreeContext(ctx);
	return r;
}

static int namespaces_register(struct hf_xmldoc *x, xmlXPathContextPtr ctx, struct hf_error *err)
{
	if (x->namespaces == NULL)
		return 0;
	HF_DICT_EACH (x->namespaces, e) {
		struct hf_str prefix = hf_value_text(x->arena, hf_entry_key(e));
		struct hf_str uri = hf_value_text(x->arena, hf_entry_value(e));
		if (prefix.n == 0)
			return hf_fail(err, HF_E_TASK, "empty namespace prefix is not supported in XPath");
		if (xmlXPathRegisterNs(ctx, X(prefix.p), X(uri.p)) != 0)
			return hf_fail(err, HF_E_TASK, "namespace prefix %s cannot be used", prefix.p);
	}
	return 0;
}

static int found_take(
	struct hf_xmldoc *x, xmlXPathObjectPtr o, struct hf_xmldoc_found *ret, struct hf_error *err)
{
	*ret = (struct hf_xmldoc_found){ .type = o->type, .number = o->floatval };
	if (o->type == XPATH_NODESET && o->nodesetval != NULL) {
		ret->n = (size_t)o->nodesetval->nodeNr;
		ret->at = hf_new_array(x->arena, ret->n + 1, xmlNodePtr);
		for (size_t i = 0; i < ret->n; i++)
			ret->at[i] = o->nodesetval->nodeTab[i];
	}
	for (size_t i = 0; i < ret->n; i++)
		if (ret->at[i]->type == XML_NAMESPACE_DECL)
			return hf_fail(err, HF_E_TASK, "expressions that give namespaces are not supported");
	ret->truth = xmlXPathCastToBoolean(o) == 1;
	return 0;
}

int hf_xmldoc_find(struct hf_xmldoc *x, xmlNodePtr node, const char *text, struct hf_xmldoc_found *ret,
	struct hf_error *err)
{
	xmlXPathContextPtr ctx = xmlXPathNewContext(x->doc);
	if (ctx == NULL)
		return hf_fail(err, HF_E_INTERNAL, "libxml2 gives no context for an expression");
	ctx->node = node == NULL ? xmlDocGetRootElement(x->doc) : node;
	int r = namespaces_register(x, ctx, err);
	xmlXPathCompExprPtr e = r == 0 ? xmlXPathCtxtCompile(ctx, X(text)) : NULL;
	xmlXPathObjectPtr o = e == NULL ? NULL : xmlXPathCompiledEval(e, ctx);
	if (r == 0 && o == NULL)
		r = expression_failed(x, ctx, err);
	if (r == 0)
		r = found_take(x, o, ret, err);
	xmlXPathFreeObject(o);
	xmlXPathFreeCompExpr(e);
	xmlXPathFreeContext(ctx);
	return r;
}

static bool is_text(const xmlNode *n)
{
	return n->type == XML_TEXT_NODE || n->type == XML_CDATA_SECTION_NODE;
}

const char *hf_xmldoc_text(struct hf_xmldoc *x, const xmlNode *element)
{
	hf_auto_buf out = hf_buf_init(HF_XMLDOC_SIZE_MAX);
	bool any = false;
	for (const xmlNode *n = element->children; n != NULL && is_text(n); n = n->next) {
		any = true;
		if (n->content != NULL)
			hf_buf_puts(&out, C(n->content));
	}
	return any ? hf_buf_dup(x->arena, &out).p : NULL;
}

static int text_valid(const char *text, struct hf_error *err)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' && *text != '\t' && *text != '\n' && *text != '\r')
			return hf_fail(err, HF_E_TASK,
				"All strings must be XML compatible: Unicode or ASCII, no NULL bytes or "
				"control characters");
	return 0;
}

/* Noted once, to be freed if it is in no place at the end. */
static void keep(struct hf_xmldoc *x, xmlNodePtr node)
{
	if (node->_private == NULL)
		*hf_vec_push(x->arena, &x->out) = node;
	node->_private = x->arena;
}

static void take_out(struct hf_xmldoc *x, xmlNodePtr node)
{
	xmlUnlinkNode(node);
	keep(x, node);
}

int hf_xmldoc_set_text(struct hf_xmldoc *x, xmlNodePtr element, const char *text, struct hf_error *err)
{
	int r = text == NULL ? 0 : text_valid(text, err);
	if (r < 0)
		return r;
	while (element->children != NULL && is_text(element->children))
		take_out(x, element->children);
	if (text == NULL)
		return 0;
	xmlNodePtr node = xmlNewDocText(x->doc, X(text));
	if (element->children == NULL)
		xmlAddChild(element, node);
	else
		xmlAddPrevSibling(element->children, node);
	return 0;
}

const char *hf_xmldoc_tag(struct hf_xmldoc *x, const xmlChar *name, const xmlNs *ns)
{
	return ns == NULL || ns->href == NULL ? hf_strdup(x->arena, C(name))
					      : hf_sprintf(x->arena, "{%s}%s", C(ns->href), C(name));
}

bool hf_xmldoc_is_child(const xmlNode *n)
{
	return n->type == XML_ELEMENT_NODE || n->type == XML_COMMENT_NODE || n->type == XML_PI_NODE ||
	       n->type == XML_ENTITY_REF_NODE;
}

xmlNodePtr hf_xmldoc_child_at(const xmlNode *parent, size_t at)
{
	for (xmlNodePtr n = parent->children; n != NULL; n = n->next)
		if (hf_xmldoc_is_child(n) && at-- == 0)
			return n;
	return NULL;
}

size_t hf_xmldoc_children(const xmlNode *parent)
{
	size_t n = 0;
	for (const xmlNode *c = parent->children; c != NULL; c = c->next)
		n += hf_xmldoc_is_child(c);
	return n;
}

bool hf_xmldoc_has_tail(const xmlNode *node)
{
	for (const xmlNode *n = node->next; n != NULL && is_text(n); n = n->next)
		if (n->content != NULL && n->content[0] != '\0')
			return true;
	return false;
}

/* "{uri}name" in two. */
static int name_split(struct hf_xmldoc *x, const char *name, const char *what, const char **ret_uri,
	const char **ret_local, struct hf_error *err)
{
	const char *end = name[0] == '{' ? strchr(name, '}') : NULL;
	*ret_uri = end == NULL ? NULL : hf_strndup(x->arena, name + 1, (size_t)(end - name - 1));
	*ret_local = end == NULL ? name : end + 1;
	return xmlValidateNCName(X(*ret_local), 0) == 0
		       ? 0
		       : hf_fail(err, HF_E_TASK, "Invalid %s name '%s'", what, name);
}

/* A prefix nobody on the way up uses for something else. */
static xmlNsPtr ns_make(struct hf_xmldoc *x, xmlNodePtr node, const char *uri)
{
	for (unsigned i = 0; i < DEPTH_MAX; i++) {
		const char *prefix = hf_sprintf(x->arena, "ns%u", i);
		if (xmlSearchNs(x->doc, node, X(prefix)) == NULL)
			return xmlNewNs(node, X(uri), X(prefix));
	}
	return NULL;
}

int hf_xmldoc_element(
	struct hf_xmldoc *x, const char *name, const char *text, xmlNodePtr *ret, struct hf_error *err)
{
	const char *uri, *local;
	int r = name_split(x, name, "tag", &uri, &local, err);
	if (r < 0)
		return r;
	*ret = xmlNewDocNode(x->doc, NULL, X(local), NULL);
	keep(x, *ret);
	if (uri != NULL)
		(*ret)->ns = ns_make(x, *ret, uri);
	return text == NULL ? 0 : hf_xmldoc_set_text(x, *ret, text, err);
}

int hf_xmldoc_attribute(struct hf_xmldoc *x, xmlNodePtr element, const char *name, const char *value,
	const char **ret_old, struct hf_error *err)
{
	const char *uri, *local;
	xmlNsPtr ns = NULL;
	int r = name_split(x, name, "attribute", &uri, &local, err);
	if (r == 0 && value != NULL)
		r = text_valid(value, err);
	if (r < 0)
		return r;
	if (ret_old != NULL) {
		xmlChar *old = uri == NULL ? xmlGetNoNsProp(element, X(local))
					   : xmlGetNsProp(element, X(local), X(uri));
		*ret_old = hf_strdup(x->arena, C(old));
		free(old);
	}
	if (value == NULL)
		return 0;
	if (uri != NULL) {
		ns = xmlSearchNsByHref(x->doc, element, X(uri));
		if (ns == NULL || ns->prefix == NULL) /* an attribute has no default namespace */
			ns = ns_make(x, element, uri);
	}
	xmlSetNsProp(element, ns, X(local), X(value));
	return 0;
}

int hf_xmldoc_fragment(struct hf_xmldoc *x, struct hf_str text, xmlNodePtr *ret, struct hf_error *err)
{
	xmlDocPtr other;
	int r = parse(x->arena, text, XML_PARSE_NOCDATA, &other, err);
	if (r < 0)
		return r;
	*ret = xmlDocCopyNode(xmlDocGetRootElement(other), x->doc, 1);
	keep(x, *ret);
	xmlFreeDoc(other);
	return 0;
}

static void ns_replace(xmlNodePtr node, const xmlNs *from, xmlNsPtr to, unsigned depth)
{
	if (node->type != XML_ELEMENT_NODE || depth > DEPTH_MAX)
		return;
	if (node->ns == from)
		node->ns = to;
	for (xmlAttrPtr a = node->properties; a != NULL; a = a->next)
		if (a->ns == from && to->prefix != NULL)
			a->ns = to;
	for (xmlNodePtr n = node->children; n != NULL; n = n->next)
		ns_replace(n, from, to, depth + 1);
}

static bool ns_used_by_attribute(const xmlNode *node, const xmlNs *ns, unsigned depth)
{
	if (node->type != XML_ELEMENT_NODE || depth > DEPTH_MAX)
		return false;
	for (const xmlAttr *a = node->properties; a != NULL; a = a->next)
		if (a->ns == ns)
			return true;
	for (const xmlNode *n = node->children; n != NULL; n = n->next)
		if (ns_used_by_attribute(n, ns, depth + 1))
			return true;
	return false;
}

/* What the place already declares need not be declared again. */
static void ns_tidy(struct hf_xmldoc *x, xmlNodePtr node)
{
	xmlNsPtr *at = &node->nsDef;
	while (*at != NULL) {
		xmlNsPtr old = *at, same = xmlSearchNsByHref(x->doc, node->parent, old->href);
		if (same == NULL || (same->prefix == NULL && ns_used_by_attribute(node, old, 0))) {
			at = &old->next;
			continue;
		}
		ns_replace(node, old, same, 0);
		*at = old->next;
		old->next = NULL;
		*hf_vec_push(x->arena, &x->old) = old;
	}
}

void hf_xmldoc_place(struct hf_xmldoc *x, xmlNodePtr parent, xmlNodePtr before, xmlNodePtr node)
{
	xmlUnlinkNode(node);
	if (before == NULL)
		xmlAddChild(parent, node);
	else
		xmlAddPrevSibling(before, node);
	ns_tidy(x, node);
}

void hf_xmldoc_remove(struct hf_xmldoc *x, xmlNodePtr node)
{
	if (node->type != XML_ATTRIBUTE_NODE)
		while (node->next != NULL && is_text(node->next))
			take_out(x, node->next);
	take_out(x, node);
}
