#include "lib/data/yaml_simple.h"

enum {
	DEPTH_MAX = 64,
	KEY_MAX = 1000,      /* libyaml has 1024 */
	INDENT_MAX = 1000,   /* of a block scalar */
	BYTES_AN_EVENT = 32, /* a guess that is seldom too high; untouched room costs nothing */
	ROOM_MIN = 64,
	CHOMP_CLIP = 0,
	CHOMP_STRIP = 1,
	CHOMP_KEEP = 2
};

enum form { PLAIN, PLAIN_LINES, QUOTED, SINGLE, DOUBLE, LITERAL, FOLDED };

struct scan {
	const char *p, *end;    /* what is next, and where the text ends */
	const char *line, *eol; /* the line: its start, and its newline or the text's end */
	unsigned number;        /* of the line, from 0 */
	bool inside;            /* p is at something; else the line has not been looked at */
	int depth;
	struct hf_arena *arena;
	struct hf_yaml_simple *out;
};

/* --- lines --- */

static void line_at(struct scan *s, const char *p)
{
	s->line = s->p = p;
	s->inside = false;
	const char *newline = p == s->end ? NULL : memchr(p, '\n', (size_t)(s->end - p));
	s->eol = newline == NULL ? s->end : newline;
}

static void line_next(struct scan *s)
{
	s->number++;
	line_at(s, s->eol == s->end ? s->end : s->eol + 1);
}

static const char *spaces(const char *p, const char *end)
{
	while (p < end && *p == ' ')
		p++;
	return p;
}

static const char *trimmed(const char *from, const char *end)
{
	while (end > from && end[-1] == ' ')
		end--;
	return end;
}

static bool is_marker(const struct scan *s)
{
	return s->eol - s->line >= 3 && (memcmp(s->line, "---", 3) == 0 || memcmp(s->line, "...", 3) == 0);
}

/* To what comes next behind empty lines and comments; at the end s->inside stays false. */
static bool content_find(struct scan *s)
{
	while (!s->inside && s->line < s->end) {
		s->p = spaces(s->line, s->eol);
		if (s->p == s->eol || *s->p == '#')
			line_next(s);
		else if (is_marker(s))
			return false;
		else
			s->inside = true;
	}
	return true;
}

/* -1 at the end: less than any. */
static long column(const struct scan *s)
{
	return s->inside ? s->p - s->line : -1;
}

/* Behind a node: nothing, or a comment. */
static bool line_end(struct scan *s)
{
	const char *p = spaces(s->p, s->eol);
	if (p < s->eol && (*p != '#' || p == s->p))
		return false;
	line_next(s);
	return true;
}

/* c with white space or the end of the line behind it: tabs are not of the simple kind. */
static bool is_indicator(const char *p, const char *eol, char c)
{
	return p < eol && *p == c && (p + 1 == eol || p[1] == ' ');
}

/* --- events --- */

static void push(struct scan *s, const struct hf_yaml_simple_event *e)
{
	struct hf_yaml_simple *out = s->out;
	if (out->n == out->room) {
		struct hf_yaml_simple_event *wider = hf_alloc(s->arena, 2 * out->room * sizeof(*wider));
		memcpy(wider, out->at, out->n * sizeof(*wider));
		out->at = wider;
		out->room *= 2;
	}
	out->at[out->n++] = *e;
}

static struct hf_yaml_simple_event event_here(const struct scan *s, enum hf_yaml_event_type type)
{
	return (struct hf_yaml_simple_event){
		.p = s->p, .line = s->number, .column = (uint32_t)(s->p - s->line), .type = (uint8_t)type
	};
}

static void push_here(struct scan *s, enum hf_yaml_event_type type)
{
	struct hf_yaml_simple_event e = event_here(s, type);
	push(s, &e);
}

/* --- scalars --- */

/* Where plain text ends on this line; NULL: at something that is not of the simple kind. */
static const char *plain_end(const char *from, const char *eol)
{
	static const bool special[256] = { ['\t'] = true, [':'] = true, ['#'] = true };
	for (const char *p = from; p < eol; p++) {
		if (!special[(unsigned char)*p])
			continue;
		if (*p == '\t')
			return NULL;
		if (is_indicator(p, eol, ':') || (*p == '#' && p > from && p[-1] == ' '))
			return p;
	}
	return eol;
}

static bool plain_starts(const struct scan *s)
{
	return strchr("?:,[]{}#&*!|>'\"%@`\t", *s->p) == NULL && !is_indicator(s->p, s->eol, '-');
}

static bool plain_read(struct scan *s, struct hf_yaml_simple_event *e)
{
	const char *end = plain_starts(s) ? plain_end(s->p, s->eol) : NULL;
	if (end == NULL)
		return false;
	e->form = PLAIN;
	s->p = trimmed(e->p, end);
	e->n = (uint32_t)(s->p - e->p);
	return e->n > 0;
}

/* What more lines, indented deeper, add to plain text that ended with its line. */
static bool plain_more(struct scan *s, struct hf_yaml_simple_event *e, long indent)
{
	while (spaces(s->p, s->eol) == s->eol) {
		struct scan ahead = *s;
		do
			line_next(&ahead);
		while (ahead.line < ahead.end && spaces(ahead.line, ahead.eol) == ahead.eol);
		const char *from = spaces(ahead.line, ahead.eol);
		if (ahead.line == ahead.end || from - ahead.line <= indent || *from == '#')
			return true;
		const char *end = plain_end(from, ahead.eol);
		if (end == NULL || is_indicator(end, ahead.eol, ':'))
			return false;
		*s = ahead;
		s->p = trimmed(from, end);
		e->form = PLAIN_LINES;
		e->n = (uint32_t)(s->p - e->p);
	}
	return true;
}

static char escaped(char c)
{
	static const char pairs[] = "n\nt\tr\r\"\"\\\\//";
	for (size_t i = 0; i + 1 < sizeof(pairs); i += 2)
		if (pairs[i] == c)
			return pairs[i + 1];
	return '\0';
}

/* In either quotes, which close on the same line. */
static bool quoted_read(struct scan *s, struct hf_yaml_simple_event *e)
{
	char quote = *s->p;
	e->p++;
	e->form = QUOTED;
	for (s->p++; s->p < s->eol; s->p++) {
		bool again = s->p + 1 < s->eol && s->p[1] == '\'';
		if (quote == '"' && *s->p == '\\') {
			e->form = DOUBLE;
			s->p++;
			if (s->p == s->eol || escaped(*s->p) == '\0')
				return false;
		} else if (quote == '\'' && *s->p == quote && again) {
			e->form = SINGLE;
			s->p++;
		} else if (*s->p == quote) {
			e->n = (uint32_t)(s->p++ - e->p);
			return true;
		}
	}
	return false;
}

/* A scalar that stands on this line; leaves s->p behind it. */
static bool scalar_read(struct scan *s, struct hf_yaml_simple_event *e)
{
	*e = event_here(s, HF_YAML_SCALAR);
	return *s->p == '"' || *s->p == '\'' ? quoted_read(s, e) : plain_read(s, e);
}

/* How far a block scalar is indented that does not say so: as its first line that is not empty, and no less
 * than the emptiest before. 0: a tab is in the way. */
static long block_indent(const struct scan *s, long indent)
{
	long widest = indent + 1;
	for (struct scan ahead = *s; ahead.line < ahead.end; line_next(&ahead)) {
		const char *p = spaces(ahead.line, ahead.eol);
		if (p - ahead.line > widest)
			widest = p - ahead.line;
		if (p < ahead.eol && *p == '\t')
			return 0;
		if (p < ahead.eol)
			break;
	}
	return widest;
}

static bool block_lines(struct scan *s, long indent)
{
	while (s->line < s->end) {
		const char *p = spaces(s->line, s->eol);
		if (p < s->eol && p - s->line < indent)
			return *p != '\t';
		line_next(s);
	}
	return true;
}

/* The indicators behind | or >; ret_given: the indentation they give, or 0. */
static bool block_header(struct scan *s, struct hf_yaml_simple_event *e, long *ret_given)
{
	*ret_given = 0;
	for (s->p++; s->p < s->eol && *s->p != ' '; s->p++) {
		if ((*s->p == '-' || *s->p == '+') && e->chomp == CHOMP_CLIP)
			e->chomp = *s->p == '-' ? CHOMP_STRIP : CHOMP_KEEP;
		else if (*s->p >= '1' && *s->p <= '9' && *ret_given == 0)
			*ret_given = *s->p - '0';
		else
			return false;
	}
	return line_end(s);
}

/* | or >, in a node indented by indent. */
static bool block_read(struct scan *s, long indent)
{
	struct hf_yaml_simple_event e = event_here(s, HF_YAML_SCALAR);
	long given;
	e.form = *s->p == '|' ? LITERAL : FOLDED;
	if (!block_header(s, &e, &given))
		return false;
	long width = given > 0 ? indent + given : block_indent(s, indent);
	if (width <= 0 || width > INDENT_MAX)
		return false;
	e.indent = (uint16_t)width & 0x3fff;
	e.p = s->line;
	if (!block_lines(s, width))
		return false;
	e.n = (uint32_t)(s->line - e.p);
	push(s, &e);
	return true;
}

/* --- flow collections --- */

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* To what comes next in a flow collection, which lines and comments may be in front of. */
static bool flow_space(struct scan *s)
{
	for (;;) {
		const char *from = s->p;
		s->p = spaces(from, s->eol);
		if (s->p < s->eol && *s->p != '#')
			return true;
		if (s->p < s->eol && s->p == from && from > s->line)
			return false;
		line_next(s);
		if (s->line == s->end || is_marker(s))
			return false;
	}
}

static bool flow_plain(struct scan *s, struct hf_yaml_simple_event *e)
{
	const char *p = s->p;
	bool word = is_word(*p) || strchr("/.~$", *p) != NULL;
	if (!word && !(p + 1 < s->eol && *p == '-' && is_word(p[1])))
		return false;
	for (p++; p < s->eol && strchr(",]}", *p) == NULL && !is_indicator(p, s->eol, ':'); p++) {
		bool inner = *p == ':' && p + 1 < s->eol && (is_word(p[1]) || p[1] == '/');
		if (!inner && strchr("[{?:#&*!|>'\"%@`\\\t", *p) != NULL)
			return false;
	}
	e->form = PLAIN;
	s->p = trimmed(e->p, p);
	e->n = (uint32_t)(s->p - e->p);
	return true;
}

static bool flow_scalar(struct scan *s)
{
	struct hf_yaml_simple_event e = event_here(s, HF_YAML_SCALAR);
	if (!(*s->p == '"' || *s->p == '\'' ? quoted_read(s, &e) : flow_plain(s, &e)))
		return false;
	push(s, &e);
	return true;
}

static bool flow_key(struct scan *s)
{
	const char *from = s->p;
	if (!flow_scalar(s) || s->p - from > KEY_MAX)
		return false;
	s->p = spaces(s->p, s->eol);
	if (!is_indicator(s->p, s->eol, ':'))
		return false;
	s->p++;
	return flow_space(s);
}

static bool flow_read(struct scan *s);

static bool flow_items(struct scan *s, bool list)
{
	char close = list ? ']' : '}';
	bool more = *s->p != close;
	while (more) {
		if (!list && !flow_key(s))
			return false;
		if (!(*s->p == '[' || *s->p == '{' ? flow_read(s) : flow_scalar(s)) || !flow_space(s))
			return false;
		more = *s->p == ',';
		if (!more && *s->p != close)
			return false;
		s->p += more;
		if (more && !flow_space(s))
			return false;
	}
	return true;
}

/* [a, 'b', [c]], {d: "e"} */
static bool flow_read(struct scan *s)
{
	bool list = *s->p == '[';
	if (++s->depth > DEPTH_MAX)
		return false;
	push_here(s, list ? HF_YAML_SEQUENCE : HF_YAML_MAPPING);
	s->p++;
	if (!flow_space(s) || !flow_items(s, list))
		return false;
	push_here(s, list ? HF_YAML_SEQUENCE_END : HF_YAML_MAPPING_END);
	s->p++;
	s->depth--;
	return true;
}

/* --- block collections --- */

static bool node_read(struct scan *s, long indent, bool fresh);

/* To what follows "-" or ":", at s->p - 1, on this line or on the next; ret_same: on this line. */
static bool value_find(struct scan *s, bool *ret_same)
{
	s->p = spaces(s->p, s->eol);
	*ret_same = s->p < s->eol && *s->p != '#';
	if (*ret_same)
		return true;
	line_next(s);
	return content_find(s);
}

static void push_empty(struct scan *s, struct hf_yaml_simple_event here)
{
	here.p = "";
	push(s, &here);
}

/* At "-". shared: at the column of the mapping whose value it is. */
static bool sequence_read(struct scan *s, bool shared)
{
	long at = column(s);
	push_here(s, HF_YAML_SEQUENCE);
	do {
		bool same;
		s->p++;
		struct hf_yaml_simple_event here = event_here(s, HF_YAML_SCALAR);
		if (!value_find(s, &same))
			return false;
		if (!same && column(s) <= at)
			push_empty(s, here);
		else if (!node_read(s, at, true))
			return false;
		if (!content_find(s))
			return false;
	} while (column(s) == at && is_indicator(s->p, s->eol, '-'));
	push_here(s, HF_YAML_SEQUENCE_END);
	return column(s) < at || (shared && column(s) == at);
}

/* At ":" in a mapping at that column. */
static bool pair_value(struct scan *s, long at)
{
	bool same;
	s->p++;
	struct hf_yaml_simple_event here = event_here(s, HF_YAML_SCALAR);
	if (!value_find(s, &same))
		return false;
	if (same)
		return node_read(s, at, false);
	if (column(s) > at)
		return node_read(s, at, true);
	if (column(s) == at && is_indicator(s->p, s->eol, '-'))
		return sequence_read(s, true);
	push_empty(s, here);
	return true;
}

/* To the ":" behind a key that has been read. */
static bool key_ends(struct scan *s)
{
	s->p = spaces(s->p, s->eol);
	return is_indicator(s->p, s->eol, ':');
}

/* At the ":" behind its first key. */
static bool mapping_read(struct scan *s, struct hf_yaml_simple_event key)
{
	long at = key.column;
	struct hf_yaml_simple_event start = key;
	start.type = HF_YAML_MAPPING;
	push(s, &start);
	for (;;) {
		if (key.n > KEY_MAX || s->p - s->line - key.column > KEY_MAX)
			return false;
		push(s, &key);
		if (!pair_value(s, at) || !content_find(s))
			return false;
		if (column(s) != at)
			break;
		if (!scalar_read(s, &key) || !key_ends(s))
			return false;
	}
	push_here(s, HF_YAML_MAPPING_END);
	return column(s) < at;
}

/* indent: the column of the collection it is in. fresh: a collection may begin here, that is, not behind a
 * key on the same line. */
static bool node_inner(struct scan *s, long indent, bool fresh)
{
	if (is_indicator(s->p, s->eol, '-'))
		return fresh && sequence_read(s, false);
	if (*s->p == '|' || *s->p == '>')
		return block_read(s, indent);
	if (*s->p == '[' || *s->p == '{')
		return flow_read(s) && line_end(s);
	struct hf_yaml_simple_event e;
	if (!scalar_read(s, &e))
		return false;
	const char *behind = s->p;
	if (key_ends(s))
		return fresh && mapping_read(s, e);
	s->p = behind;
	if (e.form == PLAIN && !plain_more(s, &e, indent))
		return false;
	push(s, &e);
	return line_end(s);
}

static bool node_read(struct scan *s, long indent, bool fresh)
{
	if (++s->depth > DEPTH_MAX)
		return false;
	bool result = node_inner(s, indent, fresh);
	s->depth--;
	return result;
}

/* --- the text --- */

static bool all_simple(struct hf_str text)
{
	static const uint64_t ones = UINT64_MAX / 255, high = ones << 7;
	size_t i = 0;
	for (; i + sizeof(uint64_t) <= text.n; i += sizeof(uint64_t)) {
		uint64_t w;
		memcpy(&w, text.p + i, sizeof(w));
		if (((w | (w + ones)) & high) != 0)
			return false; /* not ASCII, or DEL */
		if (((w - ones * ' ') & ~w & high) == 0)
			continue;
		for (size_t k = i; k < i + sizeof(w); k++)
			if (text.p[k] < ' ' && text.p[k] != '\n' && text.p[k] != '\t')
				return false;
	}
	for (; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];
		if ((c < ' ' && c != '\n' && c != '\t') || c >= 0x7f)
			return false;
	}
	return true;
}

/* Over comments and one line of "---". */
static bool document_start(struct scan *s)
{
	while (s->line < s->end && (spaces(s->line, s->eol) == s->eol || *s->line == '#'))
		line_next(s);
	if (s->eol - s->line >= 3 && memcmp(s->line, "---", 3) == 0 && spaces(s->line + 3, s->eol) == s->eol)
		line_next(s);
	return content_find(s) && s->inside;
}

bool hf_yaml_simple_scan(struct hf_arena *scratch, struct hf_str text, struct hf_yaml_simple *ret)
{
	if (text.n == 0 || !all_simple(text))
		return false;
	struct scan s = { .end = text.p + text.n, .arena = scratch, .out = ret };
	*ret = (struct hf_yaml_simple){ .room = ROOM_MIN + text.n / BYTES_AN_EVENT };
	ret->at = hf_alloc(scratch, ret->room * sizeof(*ret->at));
	line_at(&s, text.p);
	push_here(&s, HF_YAML_STREAM_START);
	push_here(&s, HF_YAML_DOCUMENT_START);
	size_t root = ret->n;
	if (!document_start(&s) || !node_read(&s, -1, true) || !content_find(&s) || s.inside)
		return false;
	push_here(&s, HF_YAML_DOCUMENT_END);
	push_here(&s, HF_YAML_STREAM_END);
	return ret->at[root].type != HF_YAML_SCALAR; /* those have rules of their own */
}

/* --- the text of scalars --- */

static char *put(char *out, char c, size_t times)
{
	memset(out, c, times);
	return out + times;
}

static char *put_text(char *out, const char *from, const char *end)
{
	memcpy(out, from, (size_t)(end - from));
	return out + (end - from);
}

/* A line break is a space, n of them are n - 1. */
static char *put_lines(char *out, const char *p, const char *end)
{
	size_t breaks = 0;
	while (p < end) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		const char *eol = newline == NULL ? end : newline;
		p = spaces(p, eol);
		const char *stop = trimmed(p, eol);
		if (stop > p) {
			out = breaks == 1 ? put(out, ' ', 1) : put(out, '\n', breaks > 0 ? breaks - 1 : 0);
			out = put_text(out, p, stop);
			breaks = 0;
		}
		breaks++;
		p = newline == NULL ? end : newline + 1;
	}
	return out;
}

static char *put_quoted(char *out, const char *p, const char *end, char escape)
{
	for (; p < end; p++) {
		bool pair = *p == escape;
		p += pair;
		*out++ = pair && escape == '\\' ? escaped(*p) : *p;
	}
	return out;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct block {
	char *out;
	size_t empty; /* lines since the last that was not */
	bool folded;
	bool ended;  /* there was one before, with its newline */
	bool deeper; /* which was indented further */
};

/* A line that is not empty. A break between two that are not indented further is a space where it is folded,
 * and nothing where empty lines follow, which stand for themselves. */
static void put_line(struct block *b, const char *p, const char *eol)
{
	bool fold = b->folded && !b->deeper && !is_blank(*p);
	if (b->ended && !(fold && b->empty > 0))
		*b->out++ = fold ? ' ' : '\n';
	b->out = put(b->out, '\n', b->empty);
	b->out = put_text(b->out, p, eol);
	b->deeper = is_blank(*p);
	b->empty = 0;
}

static char *put_block(char *out, const struct hf_yaml_simple_event *e)
{
	const char *p = e->p, *end = p + e->n;
	struct block b = { .out = out, .folded = e->form == FOLDED };
	while (p < end) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		const char *eol = newline == NULL ? end : newline;
		const char *text = spaces(p, eol - p < e->indent ? eol : p + e->indent);
		if (text < eol) {
			put_line(&b, text, eol);
			b.ended = newline != NULL;
		} else {
			b.empty += newline != NULL;
		}
		p = newline == NULL ? end : newline + 1;
	}
	if (b.ended && e->chomp != CHOMP_STRIP)
		*b.out++ = '\n';
	return e->chomp == CHOMP_KEEP ? put(b.out, '\n', b.empty) : b.out;
}

void hf_yaml_simple_next(struct hf_yaml_simple *s, struct hf_arena *a, struct hf_yaml_event *ret)
{
	const struct hf_yaml_simple_event *e = &s->at[s->next++];
	*ret = (struct hf_yaml_event){ .type = e->type, .mark = { e->line, e->column } };
	if (e->type != HF_YAML_SCALAR)
		return;
	ret->text = hf_strn(e->p, e->n);
	ret->implicit = e->form <= PLAIN_LINES;
	ret->quoted = e->form > PLAIN_LINES;
	if (e->form == PLAIN || e->form == QUOTED)
		return;
	char *text = hf_alloc(a, (size_t)e->n + 2),
	     *out; /* a last line without a newline, and the terminator */
	if (e->form == PLAIN_LINES)
		out = put_lines(text, e->p, e->p + e->n);
	else if (e->form == SINGLE || e->form == DOUBLE)
		out = put_quoted(text, e->p, e->p + e->n, e->form == SINGLE ? '\'' : '\\');
	else
		out = put_block(text, e);
	*out = '\0';
	ret->text = hf_strn(text, (size_t)(out - text));
	ret->kept = true;
}
