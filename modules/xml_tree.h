/* modules/xml_tree.h - a document as Python's lxml sees it: an element has text (before its first child) and
 * a tail (behind it), names are written {namespace}name. Owns:  the document and everything taken out of it,
 * until hf_xmldoc_close(). */
#pragma once
#include <libxml/tree.h>
#include <libxml/xpath.h>

#include "lib/base/vec.h"
#include "lib/data/value.h"

enum { HF_XMLDOC_SIZE_MAX = 64 << 20 };

struct hf_xmldoc {
	struct hf_arena *arena;
	xmlDocPtr doc;
	const struct hf_value *namespaces; /* dict prefix: uri */
	HF_VEC(xmlNodePtr) out;            /* taken out of the tree or not in it yet */
	HF_VEC(xmlNsPtr) old;              /* declarations nobody uses any longer */
};

/* What an expression gave. */
struct hf_xmldoc_found {
	xmlXPathObjectType type;
	xmlNodePtr *at; /* in the arena */
	size_t n;
	bool truth;
	double number;
};

HF_CHECK int hf_xmldoc_open(struct hf_arena *a, struct hf_str text, bool no_blanks, bool no_cdata,
	struct hf_xmldoc *ret, struct hf_error *err);
void hf_xmldoc_close(struct hf_xmldoc *x);

/* The whole document. declaration: with <?xml …?> as lxml writes it. */
HF_CHECK int hf_xmldoc_print(
	struct hf_xmldoc *x, bool declaration, bool pretty, struct hf_str *ret, struct hf_error *err);
/* One element with the namespaces it needs. */
struct hf_str hf_xmldoc_node_text(struct hf_xmldoc *x, xmlNodePtr node);

/* Is text an expression at all? */
HF_CHECK int hf_xmldoc_compile(struct hf_xmldoc *x, const char *text, struct hf_error *err);
/* Evaluated at node; NULL: at the root element. */
HF_CHECK int hf_xmldoc_find(struct hf_xmldoc *x, xmlNodePtr node, const char *text,
	struct hf_xmldoc_found *ret, struct hf_error *err);

/* Text before the first child: NULL where there is none. */
const char *hf_xmldoc_text(struct hf_xmldoc *x, const xmlNode *element);
HF_CHECK int hf_xmldoc_set_text(
	struct hf_xmldoc *x, xmlNodePtr element, const char *text, struct hf_error *err);
/* Name as {namespace}name. */
const char *hf_xmldoc_tag(struct hf_xmldoc *x, const xmlChar *name, const xmlNs *ns);
/* Elements, comments and instructions are what lxml calls children. */
bool hf_xmldoc_is_child(const xmlNode *node);
xmlNodePtr hf_xmldoc_child_at(const xmlNode *parent, size_t at); /* NULL: fewer */
size_t hf_xmldoc_children(const xmlNode *parent);
bool hf_xmldoc_has_tail(const xmlNode *node);

/* A new element, in no place yet. name: {namespace}name or name. */
HF_CHECK int hf_xmldoc_element(
	struct hf_xmldoc *x, const char *name, const char *text, xmlNodePtr *ret, struct hf_error *err);
/* text NULL: the attribute is not set but looked for; its value or NULL in *ret_old. */
HF_CHECK int hf_xmldoc_attribute(struct hf_xmldoc *x, xmlNodePtr element, const char *name, const char *value,
	const char **ret_old, struct hf_error *err);
/* The root of another document's text, copied into this one. */
HF_CHECK int hf_xmldoc_fragment(
	struct hf_xmldoc *x, struct hf_str text, xmlNodePtr *ret, struct hf_error *err);
/* At the end of parent, or before the sibling given; taken out of where it was. */
void hf_xmldoc_place(struct hf_xmldoc *x, xmlNodePtr parent, xmlNodePtr before, xmlNodePtr node);
/* With its tail. */
void hf_xmldoc_remove(struct hf_xmldoc *x, xmlNodePtr node);
