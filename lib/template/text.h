/* lib/template/text.h - Python's view of text: white space, identifiers, character properties. Private to
 * lib/template. */
#pragma once
#include "lib/data/unicode.h"
#include "lib/data/value.h"

/* Bytes of the white space character s begins with; 0 when it begins with none. */
size_t hf_text_space(struct hf_str s);
/* Without white space at its left and right end. */
struct hf_str hf_text_strip(struct hf_str s, bool left, bool right);
/* Bytes of the run of \w characters s begins with. */
size_t hf_text_word(struct hf_str s);
bool hf_text_identifier(struct hf_str s); /* str.isidentifier() */
bool hf_text_ascii(struct hf_str s);
bool hf_point_alpha(uint32_t c);
bool hf_point_alnum(uint32_t c);
bool hf_point_space(uint32_t c);
bool hf_point_lower(uint32_t c);
bool hf_point_title(uint32_t c);
bool hf_point_upper(uint32_t c);
bool hf_point_digit(uint32_t c); /* str.isdigit() */
bool hf_point_decimal(uint32_t c, int *ret_digit);
/* Case of one character as 1 to 3 characters; returns how many. */
size_t hf_point_to_upper(uint32_t c, uint32_t out[3]);
size_t hf_point_to_lower(uint32_t c, uint32_t out[3]);
size_t hf_point_to_title(uint32_t c, uint32_t out[3]);
void hf_text_put(struct hf_buf *out, uint32_t c);
void hf_text_upper(struct hf_buf *out, struct hf_str s);
void hf_text_lower(struct hf_buf *out, struct hf_str s);
void hf_text_capitalize(struct hf_buf *out, struct hf_str s);
/* First point of s at byte at; moves at behind it. */
static inline uint32_t hf_text_next(struct hf_str s, size_t *at)
{
	uint32_t point = (unsigned char)s.p[*at];
	*at += point < 0x80 ? 1 : hf_utf8_decode(s.p + *at, s.n - *at, &point);
	return point;
}
