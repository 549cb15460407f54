#include "modules/xml_late.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>

#include "lib/base/late.h"

#define XML_SONAME "libxml2.so.2"

/* Every function of libxml2 we call: result, name, parameters, arguments. */
#define XML_PARSE(F)                                                                                         \
	F(xmlParserCtxtPtr, xmlNewParserCtxt, (void), ())                                                    \
	F(xmlDocPtr, xmlCtxtReadMemory,                                                                      \
		(xmlParserCtxtPtr c, const char *text, int n, const char *url, const char *encoding,         \
			int options),                                                                        \
		(c, text, n, url, encoding, options))                                                        \
	F(int, xmlValidateNCName, (const xmlChar *name, int space), (name, space))

#define XML_TREE(F)                                                                                          \
	F(xmlNodePtr, xmlDocGetRootElement, (const xmlDoc *doc), (doc))                                      \
	F(xmlNodePtr, xmlNewDocNode,                                                                         \
		(xmlDocPtr doc, xmlNsPtr ns, const xmlChar *name, const xmlChar *content),                   \
		(doc, ns, name, content))                                                                    \
	F(xmlNodePtr, xmlNewDocText, (const xmlDoc *doc, const xmlChar *content), (doc, content))            \
	F(xmlNodePtr, xmlDocCopyNode, (xmlNodePtr node, xmlDocPtr doc, int recursive),                       \
		(node, doc, recursive))                                                                      \
	F(xmlNodePtr, xmlAddChild, (xmlNodePtr parent, xmlNodePtr child), (parent, child))                   \
	F(xmlNodePtr, xmlAddPrevSibling, (xmlNodePtr at, xmlNodePtr node), (at, node))                       \
	F(xmlNsPtr, xmlNewNs, (xmlNodePtr node, const xmlChar *href, const xmlChar *prefix),                 \
		(node, href, prefix))                                                                        \
	F(xmlNsPtr, xmlSearchNs, (xmlDocPtr doc, xmlNodePtr node, const xmlChar *prefix),                    \
		(doc, node, prefix))                                                                         \
	F(xmlNsPtr, xmlSearchNsByHref, (xmlDocPtr doc, xmlNodePtr node, const xmlChar *href),                \
		(doc, node, href))                                                                           \
	F(xmlAttrPtr, xmlSetNsProp,                                                                          \
		(xmlNodePtr node, xmlNsPtr ns, const xmlChar *name, const xmlChar *value),                   \
		(node, ns, name, value))                                                                     \
	F(xmlChar *, xmlGetNsProp, (const xmlNode *node, const xmlChar *name, const xmlChar *href),          \
		(node, name, href))                                                                          \
	F(xmlChar *, xmlGetNoNsProp, (const xmlNode *node, const xmlChar *name), (node, name))               \
	F(xmlChar *, xmlGetNodePath, (const xmlNode *node), (node))

#define XML_PRINT(F)                                                                                         \
	F(xmlBufferPtr, xmlBufferCreate, (void), ())                                                         \
	F(int, xmlNodeDump, (xmlBufferPtr out, xmlDocPtr doc, xmlNodePtr node, int level, int format),       \
		(out, doc, node, level, format))

#define XML_XPATH(F)                                                                                         \
	F(xmlXPathContextPtr, xmlXPathNewContext, (xmlDocPtr doc), (doc))                                    \
	F(int, xmlXPathRegisterNs, (xmlXPathContextPtr c, const xmlChar *prefix, const xmlChar *uri),        \
		(c, prefix, uri))                                                                            \
	F(xmlXPathCompExprPtr, xmlXPathCtxtCompile, (xmlXPathContextPtr c, const xmlChar *text), (c, text))  \
	F(xmlXPathObjectPtr, xmlXPathCompiledEval, (xmlXPathCompExprPtr e, xmlXPathContextPtr c), (e, c))    \
	F(int, xmlXPathCastToBoolean, (xmlXPathObjectPtr o), (o))

/* What gives nothing back. */
#define XML_VOID(F)                                                                                          \
	F(xmlFreeParserCtxt, (xmlParserCtxtPtr c), (c))                                                      \
	F(xmlFreeDoc, (xmlDocPtr doc), (doc))                                                                \
	F(xmlFreeNode, (xmlNodePtr node), (node))                                                            \
	F(xmlFreeNs, (xmlNsPtr ns), (ns))                                                                    \
	F(xmlUnlinkNode, (xmlNodePtr node), (node))                                                          \
	F(xmlSetTreeDoc, (xmlNodePtr node, xmlDocPtr doc), (node, doc))                                      \
	F(xmlBufferFree, (xmlBufferPtr b), (b))                                                              \
	F(xmlXPathFreeContext, (xmlXPathContextPtr c), (c))                                                  \
	F(xmlXPathFreeCompExpr, (xmlXPathCompExprPtr e), (e))                                                \
	F(xmlXPathFreeObject, (xmlXPathObjectPtr o), (o))                                                    \
	F(xmlSetGenericErrorFunc, (void *data, xmlGenericErrorFunc f), (data, f))                            \
	F(xmlSetExternalEntityLoader, (xmlExternalEntityLoader f), (f))

#define DEFINE(result, name, parameters, arguments)                                                          \
	static result(*late_##name) parameters;                                                              \
	result name parameters                                                                               \
	{                                                                                                    \
		return late_##name arguments;                                                                \
	}
#define DEFINE_VOID(name, parameters, arguments)                                                             \
	static void(*late_##name) parameters;                                                                \
	void name parameters                                                                                 \
	{                                                                                                    \
		late_##name arguments;                                                                       \
	}

XML_PARSE(DEFINE)
XML_TREE(DEFINE)
XML_PRINT(DEFINE)
XML_XPATH(DEFINE)
XML_VOID(DEFINE_VOID)

#define ROW(result, name, ...) { #name, (void *)&late_##name },
#define ROW_VOID(name, ...)    { #name, (void *)&late_##name },

/* Errors are read from the parser; nothing is printed. */
static void silent(void *data, const char *format, ...)
{
	(void)data;
	(void)format;
}

unsigned hf_xmldoc_denied;

/* A document names no files for us to read. */
static xmlParserInputPtr nothing(const char *url, const char *id, xmlParserCtxtPtr ctx)
{
	(void)url;
	(void)id;
	(void)ctx;
	hf_xmldoc_denied++;
	return NULL;
}

int hf_xmldoc_ready(struct hf_error *err)
{
	static const struct hf_late_function functions[] = { XML_PARSE(ROW) XML_TREE(ROW) XML_PRINT(ROW)
			XML_XPATH(ROW) XML_VOID(ROW_VOID) };
	static bool loaded;
	bool first = !loaded;
	int r = hf_late_load(XML_SONAME, functions, HF_COUNT(functions), &loaded, err);
	if (r == 0 && first) {
		xmlSetGenericErrorFunc(NULL, silent);
		xmlSetExternalEntityLoader(nothing);
	}
	return r;
}
