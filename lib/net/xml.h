/* lib/net/xml.h - the XML AWS answers with, as a bounded tree.
 * Owns:  nodes and text live in the arena given.
 * Fails: HF_E_PARSE with line and column, HF_E_LIMIT past a bound. A document type declaration is refused, so
 * there are no entities to expand. Attributes and name-space prefixes' meaning are dropped: no AWS answer
 * needs them. */
#pragma once
#include "lib/data/value.h"

enum { HF_XML_SIZE_MAX = 32 << 20, HF_XML_DEPTH_MAX = 64, HF_XML_NODES_MAX = 1000000 };

struct hf_xml {
	const char *name;
	const char *text; /* character data of the element itself, terminated; "" for none */
	struct hf_xml *child, *next;
};

HF_CHECK int hf_xml_parse(
	struct hf_arena *a, struct hf_str text, const char *what, struct hf_xml **ret, struct hf_error *err);
/* First child of that name; NULL when there is none or node is NULL. */
struct hf_xml *hf_xml_child(const struct hf_xml *node, const char *name);
/* Next sibling of the same name. */
struct hf_xml *hf_xml_again(const struct hf_xml *node);
/* "Error/Code" from node downwards; NULL when some step is missing. */
struct hf_xml *hf_xml_find(const struct hf_xml *node, const char *path);
const char *hf_xml_text(const struct hf_xml *node, const char *path, const char *fallback);
/* Text for a leaf; for the rest a dict, where a name that repeats becomes a list. */
struct hf_value *hf_xml_value(struct hf_arena *a, const struct hf_xml *node);
void hf_xml_escape(struct hf_buf *out, struct hf_str s);
