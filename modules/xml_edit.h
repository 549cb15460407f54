/* modules/xml_edit.h - what the xml module does to a document. */
#pragma once
#include "modules/xml_tree.h"

enum hf_xmldoc_where { HF_XMLDOC_INSIDE, HF_XMLDOC_BEFORE, HF_XMLDOC_BEHIND };

/* Is the first thing found an element? What is no list of nodes and not false is an error. */
HF_CHECK int hf_xmldoc_is_node(const struct hf_xmldoc_found *f, bool *ret, struct hf_error *err);
HF_CHECK int hf_xmldoc_delete(struct hf_xmldoc *x, const char *xpath, struct hf_error *err);
/* children: texts, or dicts {name: text or attributes}; markup: texts are XML. */
HF_CHECK int hf_xmldoc_set_children(struct hf_xmldoc *x, const char *xpath, const struct hf_value *children,
	bool markup, struct hf_error *err);
HF_CHECK int hf_xmldoc_add_children(struct hf_xmldoc *x, const char *xpath, const struct hf_value *children,
	bool markup, enum hf_xmldoc_where where, struct hf_error *err);
/* Make what xpath names where it is not there yet. */
HF_CHECK int hf_xmldoc_ensure(struct hf_xmldoc *x, const char *xpath, struct hf_error *err);
HF_CHECK int hf_xmldoc_set_value(struct hf_xmldoc *x, const char *xpath, const struct hf_value *attribute,
	const struct hf_value *value, struct hf_error *err);
