/* lib/engine/url.h - a URL taken apart as Python's urllib.parse.urlsplit() does it. */
#pragma once
#include "lib/base/error.h"
#include "lib/base/str.h"

/* Pieces borrow from the text, which is copied into the arena first; p NULL: Python's None. */
struct hf_url_parts {
	struct hf_str scheme, netloc, path, query, fragment, username, password, hostname;
	int port; /* -1: none */
};
HF_CHECK int hf_url_split(
	struct hf_arena *a, struct hf_str text, struct hf_url_parts *ret, struct hf_error *err);
