#include "lib/net/xml.h"

#include <expat.h>

#include "lib/base/scope.h"

struct reader {
	struct hf_arena *arena;
	XML_Parser parser;
	struct hf_xml *open[HF_XML_DEPTH_MAX], *last[HF_XML_DEPTH_MAX]; /* last: youngest child of open[i] */
	struct hf_buf text[HF_XML_DEPTH_MAX];
	size_t depth, nodes;
	struct hf_xml *root;
	const char *refusal;
	enum hf_code code;
};

static void refuse(struct reader *r, enum hf_code code, const char *why)
{
	if (r->refusal == NULL) {
		r->refusal = why;
		r->code = code;
	}
	XML_StopParser(r->parser, XML_FALSE);
}

static void XMLCALL on_start(void *data, const XML_Char *name, const XML_Char **attributes)
{
	struct reader *r = data;
	if (r->refusal != NULL)
		return;
	if (r->depth >= HF_XML_DEPTH_MAX) {
		refuse(r, HF_E_LIMIT, "nested too deep");
		return;
	}
	if (++r->nodes > HF_XML_NODES_MAX) {
		refuse(r, HF_E_LIMIT, "too many elements");
		return;
	}
	struct hf_xml *node = hf_new(r->arena, struct hf_xml);
	node->name = hf_strdup(r->arena, name);
	node->text = "";
	if (r->depth == 0) {
		r->root = node;
	} else {
		struct hf_xml *elder = r->last[r->depth - 1];
		*(elder == NULL ? &r->open[r->depth - 1]->child : &elder->next) = node;
		r->last[r->depth - 1] = node;
	}
	r->open[r->depth] = node;
	r->last[r->depth] = NULL;
	hf_buf_clear(&r->text[r->depth]);
	r->depth++;
}

static void XMLCALL on_end(void *data, const XML_Char *name)
{
	struct reader *r = data;
	if (r->refusal != NULL || r->depth == 0)
		return;
	r->depth--;
	if (r->text[r->depth].n > 0)
		r->open[r->depth]->text = hf_buf_dup(r->arena, &r->text[r->depth]).p;
}

static void XMLCALL on_text(void *data, const XML_Char *p, int n)
{
	struct reader *r = data;
	if (r->refusal == NULL && r->depth > 0)
		hf_buf_append(&r->text[r->depth - 1], p, (size_t)n);
}

static void XMLCALL on_doctype(
	void *data, const XML_Char *name, const XML_Char *system, const XML_Char *public, int internal)
{
	refuse(data, HF_E_PARSE, "a document type declaration is not accepted");
}

static int reader_run(struct reader *r, struct hf_str text, const char *what, struct hf_error *err)
{
	XML_SetUserData(r->parser, r);
	XML_SetElementHandler(r->parser, on_start, on_end);
	XML_SetCharacterDataHandler(r->parser, on_text);
	XML_SetStartDoctypeDeclHandler(r->parser, on_doctype);
	if (XML_Parse(r->parser, text.p, (int)text.n, 1) == XML_STATUS_OK && r->refusal == NULL &&
		r->root != NULL)
		return 0;
	const char *why = r->refusal;
	if (why == NULL)
		why = XML_ErrorString(XML_GetErrorCode(r->parser));
	return hf_fail(err, r->refusal == NULL ? HF_E_PARSE : r->code, "%s: XML line %lu column %lu: %s",
		what, (unsigned long)XML_GetCurrentLineNumber(r->parser),
		(unsigned long)XML_GetCurrentColumnNumber(r->parser) + 1, why == NULL ? "no element" : why);
}

int hf_xml_parse(
	struct hf_arena *a, struct hf_str text, const char *what, struct hf_xml **ret, struct hf_error *err)
{
	if (text.n > HF_XML_SIZE_MAX)
		return hf_fail(err, HF_E_LIMIT, "%s: more than %d bytes of XML", what, HF_XML_SIZE_MAX);
	hf_auto_arena scratch = hf_arena_new();
	struct reader *r = hf_new(scratch, struct reader);
	r->arena = a;
	for (size_t i = 0; i < HF_XML_DEPTH_MAX; i++)
		r->text[i] = hf_buf_init(HF_XML_SIZE_MAX);
	r->parser = XML_ParserCreate(NULL);
	if (r->parser == NULL)
		return hf_fail(err, HF_E_INTERNAL, "expat has no memory");
	int rc = reader_run(r, text, what, err);
	XML_ParserFree(r->parser);
	for (size_t i = 0; i < HF_XML_DEPTH_MAX; i++)
		hf_buf_done(&r->text[i]);
	if (rc == 0)
		*ret = r->root;
	return rc;
}

struct hf_xml *hf_xml_child(const struct hf_xml *node, const char *name)
{
	if (node == NULL)
		return NULL;
	for (struct hf_xml *c = node->child; c != NULL; c = c->next)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

struct hf_xml *hf_xml_again(const struct hf_xml *node)
{
	for (struct hf_xml *c = node->next; c != NULL; c = c->next)
		if (strcmp(c->name, node->name) == 0)
			return c;
	return NULL;
}

struct hf_xml *hf_xml_find(const struct hf_xml *node, const char *path)
{
	struct hf_str rest = hf_str(path), step;
	while (node != NULL && hf_str_split(&rest, '/', &step)) {
		const struct hf_xml *c = node->child;
		while (c != NULL && !hf_str_is(step, c->name))
			c = c->next;
		node = c;
	}
	return (struct hf_xml *)(uintptr_t)node;
}

const char *hf_xml_text(const struct hf_xml *node, const char *path, const char *fallback)
{
	const struct hf_xml *found = hf_xml_find(node, path);
	return found == NULL ? fallback : found->text;
}

struct hf_value *hf_xml_value(struct hf_arena *a, const struct hf_xml *node)
{
	if (node->child == NULL)
		return hf_value_cstr(a, node->text);
	struct hf_value *dict = hf_value_dict(a);
	for (const struct hf_xml *c = node->child; c != NULL; c = c->next) {
		struct hf_value *value = hf_xml_value(a, c), *old = hf_dict_get(dict, c->name);
		if (hf_is(old, HF_LIST)) { /* an element itself is never a list */
			hf_list_append(old, value);
		} else if (old != NULL) {
			struct hf_value *list = hf_value_list(a);
			hf_list_append(list, old);
			hf_list_append(list, value);
			hf_dict_put(dict, c->name, list);
		} else {
			hf_dict_put(dict, c->name, value);
		}
	}
	return dict;
}

void hf_xml_escape(struct hf_buf *out, struct hf_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c == '&')
			hf_buf_puts(out, "&amp;");
		else if (c == '<')
			hf_buf_puts(out, "&lt;");
		else if (c == '>')
			hf_buf_puts(out, "&gt;");
		else if (c == '"')
			hf_buf_puts(out, "&quot;");
		else if (c == '\r')
			hf_buf_puts(out, "&#13;");
		else
			hf_buf_put(out, s.p[i]);
	}
}
