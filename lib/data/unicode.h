/* lib/data/unicode.h - UTF-8 and the few character properties Python's str asks for. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/str.h"

/* Bytes used by the first character of s (n > 0). A malformed byte counts as one character, point U+DC80 +
 * (byte - 0x80), as Python's surrogateescape. */
size_t hf_utf8_decode(const char *s, size_t n, uint32_t *ret_point);
size_t hf_utf8_encode(uint32_t point, char out[4]); /* U+DC80 … U+DCFF give their byte back */
size_t hf_utf8_length(struct hf_str s);             /* code points */
bool hf_utf8_valid(struct hf_str s);
/* What iconv(3) calls an encoding of Python's: latin_1, u8, iso8859_15, 1252; "UTF-8-SIG" stays as it is. A
 * name that Python spells as iconv does comes back in capitals. Written to out, which is returned; a longer
 * name is cut off. */
enum { HF_ENCODING_MAX = 64 };
const char *hf_encoding_name(struct hf_str python, char out[HF_ENCODING_MAX]);
/* Text in a named encoding, as Python or iconv(3) call it, made UTF-8 in the arena; UTF-8 is left as it is,
 * valid or not. -HF_E_UNSUPPORTED: nobody knows the encoding; -HF_E_TEMPLATE: the bytes are none of it. */
HF_CHECK int hf_utf8_from(
	struct hf_arena *a, const char *encoding, struct hf_str *text, struct hf_error *err);
/* Byte offset of code point number index; s.n when past the end. */
size_t hf_utf8_offset(struct hf_str s, size_t index);
/* Python's str.isprintable() for one code point. */
bool hf_unicode_printable(uint32_t point);
