/* lib/engine/filters_xml_read.c - from_xml: a document as JSON text, in xmltodict's shape: "@name" for
 * attributes, "#text" for text beside them, a list where a name repeats. Declared entities are refused. */
#include <expat.h>

#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "lib/engine/filters.h"
#include "lib/template/text.h"

enum { XML_DEPTH_MAX = 100, XML_PIECES_MAX = 1000000 };

/* An element on its way: what is in it so far, or NULL. */
struct open {
	struct hf_value *item;
	struct hf_buf text;
};

struct reader {
	struct hf_arena *arena;
	XML_Parser parser;
	struct open open[XML_DEPTH_MAX + 1]; /* [0] is the document */
	size_t depth, pieces;
	const char *refusal;
};

static void refuse(struct reader *r, const char *why)
{
	r->refusal = r->refusal != NULL ? r->refusal : why;
	XML_StopParser(r->parser, XML_FALSE);
}

static void push(struct reader *r, struct hf_value **into, const char *name, struct hf_value *v)
{
	if (*into == NULL)
		*into = hf_value_dict(r->arena);
	struct hf_value *before = hf_dict_get(*into, name);
	if (before == NULL) {
		hf_dict_put(*into, name, v);
	} else if (before->type == HF_LIST) {
		hf_list_append(before, v);
	} else {
		struct hf_value *list = hf_value_list(r->arena);
		hf_list_append(list, before);
		hf_list_append(list, v);
		hf_dict_put(*into, name, list);
	}
}

static void XMLCALL on_start(void *data, const XML_Char *name HF_UNUSED, const XML_Char **attributes)
{
	struct reader *r = data;
	if (r->refusal != NULL)
		return;
	if (r->depth >= XML_DEPTH_MAX || ++r->pieces > XML_PIECES_MAX) {
		refuse(r, r->depth >= XML_DEPTH_MAX ? "nested too deep" : "too many elements");
		return;
	}
	struct open *o = &r->open[++r->depth];
	o->item = NULL;
	hf_buf_clear(&o->text);
	for (size_t i = 0; attributes[i] != NULL; i += 2)
		push(r, &o->item, hf_sprintf(r->arena, "@%s", attributes[i]),
			hf_value_cstr(r->arena, attributes[i + 1]));
}

static void XMLCALL on_end(void *data, const XML_Char *name)
{
	struct reader *r = data;
	if (r->refusal != NULL || r->depth == 0)
		return;
	struct open *o = &r->open[r->depth--];
	struct hf_str text = hf_text_strip(hf_buf_str(&o->text), true, true);
	struct hf_value *said = text.n > 0 ? hf_value_str(r->arena, text) : NULL;
	if (o->item != NULL && said != NULL)
		push(r, &o->item, "#text", said);
	struct hf_value *v = o->item != NULL ? o->item : said != NULL ? said : hf_value_null(r->arena);
	push(r, &r->open[r->depth].item, name, v);
}

static void XMLCALL on_text(void *data, const XML_Char *p, int n)
{
	struct reader *r = data;
	if (r->refusal == NULL)
		hf_buf_append(&r->open[r->depth].text, p, (size_t)n);
}

static void XMLCALL on_entity(void *data, const XML_Char *name HF_UNUSED, int parameter HF_UNUSED,
	const XML_Char *value HF_UNUSED, int length HF_UNUSED, const XML_Char *base HF_UNUSED,
	const XML_Char *system HF_UNUSED, const XML_Char *public HF_UNUSED,
	const XML_Char *notation HF_UNUSED)
{
	refuse(data, "entities are disabled");
}

static int read_document(struct reader *r, struct hf_str text, struct hf_error *err)
{
	r->parser = XML_ParserCreate("utf-8");
	if (r->parser == NULL)
		return hf_fail(err, HF_E_INTERNAL, "no XML parser");
	for (size_t i = 0; i <= XML_DEPTH_MAX; i++)
		r->open[i].text = hf_buf_init(FILTER_TEXT_MAX);
	XML_SetUserData(r->parser, r);
	XML_SetElementHandler(r->parser, on_start, on_end);
	XML_SetCharacterDataHandler(r->parser, on_text);
	XML_SetEntityDeclHandler(r->parser, on_entity);
	bool ok = XML_Parse(r->parser, text.p, (int)text.n, XML_TRUE) == XML_STATUS_OK;
	const char *why = r->refusal != NULL ? r->refusal : XML_ErrorString(XML_GetErrorCode(r->parser));
	unsigned long line = XML_GetCurrentLineNumber(r->parser);
	XML_ParserFree(r->parser);
	for (size_t i = 0; i <= XML_DEPTH_MAX; i++)
		hf_buf_done(&r->open[i].text);
	return ok && r->refusal == NULL
		       ? 0
		       : hf_fail(err, HF_E_TEMPLATE,
				 "Error when using plugin 'from_xml': Input Xml is not valid: line %lu: %s",
				 line, why);
}

FILTER(from_xml)
{
	FILTER_ARGS(1, "engine");
	struct hf_str engine;
	int r = filter_text_arg(e, call, 0, "engine", "xmltodict", &engine, err);
	if (r < 0)
		return r;
	if (!hf_str_is(engine, "xmltodict"))
		return hf_fail(err, HF_E_TEMPLATE,
			"Error when using plugin 'from_xml': engine: %.*s is not supported",
			HF_STR_ARG(engine));
	if (input->type != HF_STRING || input->u.string.n > FILTER_TEXT_MAX)
		return hf_fail(
			err, HF_E_TEMPLATE, "Error when using plugin 'from_xml': Input Xml is not valid");
	struct reader *reader = hf_new(hf_eval_arena(e), struct reader);
	reader->arena = hf_eval_arena(e);
	r = read_document(reader, input->u.string, err);
	hf_auto_buf out = hf_buf_init(FILTER_TEXT_MAX);
	if (r == 0)
		r = hf_json_write(&out, reader->open[0].item, &HF_JSON_PYTHON, err);
	return r < 0 ? r : filter_return_buf(e, input, &out, "JSON", ret, err);
}

const struct hf_callable_row hf_ansible_filters_xml_read[] = {
	{ "from_xml", from_xml, 0 },
	{ 0 },
};
