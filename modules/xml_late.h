/* modules/xml_late.h - libxml2, loaded when a task edits XML. Call hf_xmldoc_ready() before any function of
 * it; xml_late.c lists those that may be called. */
#pragma once
#include "lib/base/error.h"

HF_CHECK int hf_xmldoc_ready(struct hf_error *err);
/* How many files documents have asked for; none is read. */
extern unsigned hf_xmldoc_denied;
