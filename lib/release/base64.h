/* lib/release/base64.h - base64 with one spelling for every value: standard alphabet, padded, spare bits
 * zero. */
#pragma once
#include <stdbool.h>

#include "lib/base/str.h"

/* Bytes text would decode to; SIZE_MAX when its length is no multiple of four. */
size_t hf_base64_size(struct hf_str text);
/* out holds hf_base64_size(text) bytes. False for any other spelling. */
bool hf_base64_decode(struct hf_str text, unsigned char *out);
void hf_base64_encode(struct hf_buf *out, struct hf_str bytes);
