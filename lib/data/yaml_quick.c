#include "lib/data/yaml_quick.h"

#include "lib/base/scope.h"
#include "lib/data/unicode.h"
#include "lib/data/yaml.h"
#include "lib/data/yaml_scalar.h"

/* Well under libyaml's 1024 characters for a key, and under the reader's own depth: those bounds are its to
 * report. */
enum { KEY_BYTES_MAX = 1000, DEPTH_MAX = HF_YAML_DEPTH_MAX - 28, NO_LINE = -1 };

struct quick {
	struct hf_arena *arena;
	const char *file;
	const char *p, *end;               /* the cursor; the end of the text */
	const char *line_start, *line_end; /* of the cursor's line; line_end at its '\n' or the end */
	unsigned line;                     /* from 1 */
	int indent;      /* spaces in front of the line's content; NO_LINE behind the last */
	bool ascii, tab; /* the line: no byte beyond ASCII; a tab somewhere */
	bool started;    /* something, or the --- in front of it, was seen */
	bool bad;        /* libyaml must read this */
	int depth;
	size_t nodes;
	struct hf_buf text; /* the block scalar being read */
};

struct scalar {
	struct hf_str text;
	struct hf_pos pos;
	bool quoted;
};

static void give_up(struct quick *q)
{
	q->bad = true;
}

/* --- lines --- */

/* Characters that libyaml refuses or takes for line breaks: C1 controls, U+2028, U+2029, the BOM, U+FFFE,
 * U+FFFF. */
static bool text_ordinary(struct hf_str s)
{
	if (!hf_utf8_valid(s))
		return false;
	for (size_t i = 0; i < s.n;) {
		uint32_t point;
		i += hf_utf8_decode(s.p + i, s.n - i, &point);
		bool refused = point < 0xA0 ? point >= 0x7F || (point < 0x20 && point != '\t')
					    : point == 0x2028 || point == 0x2029 || point == 0xFEFF ||
						      point == 0xFFFE || point == 0xFFFF;
		if (refused)
			return false;
	}
	return true;
}

/* True when none of eight bytes is a control character, DEL or beyond ASCII. */
static bool word_plain(const char *p)
{
	const uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
	uint64_t w;
	memcpy(&w, p, sizeof(w));
	uint64_t del = w ^ (0x7F * ones);
	return (((w - 0x20 * ones) | w | (del - ones)) & tops) == 0;
}

/* The line at p becomes the cursor's line. */
static void line_enter(struct quick *q, const char *p)
{
	const char *eol = memchr(p, '\n', (size_t)(q->end - p));
	q->p = q->line_start = p;
	q->line_end = eol == NULL ? q->end : eol;
	q->ascii = true;
	q->tab = false;
	for (; q->line_end - p >= 8 && word_plain(p); p += 8)
		;
	for (; p < q->line_end && *p >= 0x20 && *p < 0x7F; p++)
		;
	if (p == q->line_end)
		return;
	struct hf_str line = { q->line_start, (size_t)(q->line_end - q->line_start) };
	q->tab = memchr(line.p, '\t', line.n) != NULL;
	for (size_t i = 0; i < line.n; i++)
		q->ascii = q->ascii && (unsigned char)line.p[i] < 0x80;
	if (!text_ordinary(line))
		give_up(q);
}

static const char *line_after(struct quick *q)
{
	q->line++;
	return q->line_end < q->end ? q->line_end + 1 : q->end;
}

static bool blank_at(const struct quick *q, const char *p)
{
	return p >= q->line_end || *p == ' ';
}

static const char *spaces_skip(const struct quick *q, const char *p)
{
	while (p < q->line_end && *p == ' ')
		p++;
	return p;
}

/* Nothing but a comment between p and the end of the line. p is not the first character of a word. */
static bool rest_empty(const struct quick *q, const char *p)
{
	const char *rest = spaces_skip(q, p);
	return rest == q->line_end || (*rest == '#' && (rest == q->line_start || rest[-1] == ' '));
}

/* "---" or "..." at the start of a line. */
static bool marker_at(const struct quick *q, const char *p)
{
	return q->line_end - p >= 3 && (memcmp(p, "---", 3) == 0 || memcmp(p, "...", 3) == 0) &&
	       blank_at(q, p + 3);
}

/* The cursor goes to the first content of the lines from p on. */
static void content_from(struct quick *q, const char *p)
{
	while (p < q->end && !q->bad) {
		line_enter(q, p);
		const char *s = spaces_skip(q, p);
		if (s == q->line_end || *s == '#') {
			p = line_after(q);
			continue;
		}
		if (s == p && marker_at(q, s)) {
			if (q->started || *s == '.' || !rest_empty(q, s + 3))
				give_up(q);
			q->started = true;
			p = line_after(q);
			continue;
		}
		q->started = true;
		q->bad = q->bad || q->tab;
		q->p = s;
		q->indent = (int)(s - p);
		return;
	}
	q->p = q->line_start = q->line_end = q->end;
	q->indent = NO_LINE;
}

static void content_next(struct quick *q)
{
	content_from(q, line_after(q));
}

static struct hf_pos pos_at(const struct quick *q, const char *p)
{
	unsigned column = (unsigned)(p - q->line_start);
	if (!q->ascii)
		for (const char *c = q->line_start; c < p; c++)
			column -= ((unsigned char)*c & 0xC0) == 0x80;
	return (struct hf_pos){ q->file, q->line, column + 1 };
}

/* --- scalars of one line --- */

static struct hf_value *null_at(struct quick *q, struct hf_pos pos)
{
	return hf_value_at(hf_value_null(q->arena), pos);
}

/* A plain scalar in block context; the cursor goes behind its last character. */
static struct hf_str plain_read(struct quick *q)
{
	static const char never[] = "?:,[]{}#&*!|>'\"%@`";
	const char *start = q->p, *p = start;
	if (memchr(never, *p, sizeof(never)) != NULL || (*p == '-' && blank_at(q, p + 1)))
		give_up(q);
	for (; p < q->line_end; p++) {
		if (*p == ':' && blank_at(q, p + 1))
			break;
		if (*p == '#' && p > start && p[-1] == ' ')
			break;
	}
	while (p > start && p[-1] == ' ')
		p--;
	q->p = p;
	return hf_strn(start, (size_t)(p - start));
}

static struct hf_str single_quoted_read(struct quick *q)
{
	const char *start = ++q->p;
	bool doubled = false;
	const char *p = start;
	while ((p = memchr(p, '\'', (size_t)(q->line_end - p))) != NULL && p + 1 < q->line_end &&
		p[1] == '\'') {
		doubled = true;
		p += 2;
	}
	if (p == NULL) {
		give_up(q); /* goes on in the next line */
		return HF_STR("");
	}
	q->p = p + 1;
	struct hf_str raw = hf_strn(start, (size_t)(p - start));
	if (!doubled)
		return raw;
	char *out = hf_alloc(q->arena, raw.n);
	size_t n = 0;
	for (size_t i = 0; i < raw.n; i++) {
		out[n++] = raw.p[i];
		i += raw.p[i] == '\'';
	}
	return hf_strn(out, n);
}

/* The character that \c stands for; -1: not one of the simple ones. */
static int escape_value(char c)
{
	static const char names[] = "abtnvfre\"/\\ ", values[] = "\a\b\t\n\v\f\r\033\"/\\ ";
	const char *at = c == '\0' ? NULL : strchr(names, c);
	return at == NULL ? -1 : values[at - names];
}

static struct hf_str double_quoted_read(struct quick *q)
{
	const char *start = ++q->p, *p = start;
	bool escaped = false;
	for (; p < q->line_end && *p != '"'; p++)
		if (*p == '\\' && p + 1 < q->line_end) {
			escaped = true;
			p++;
		}
	if (p >= q->line_end) {
		give_up(q);
		return HF_STR("");
	}
	q->p = p + 1;
	struct hf_str raw = hf_strn(start, (size_t)(p - start));
	if (!escaped)
		return raw;
	char *out = hf_alloc(q->arena, raw.n);
	size_t n = 0;
	for (size_t i = 0; i < raw.n; i++) {
		int c = raw.p[i] == '\\' ? escape_value(raw.p[++i]) : raw.p[i];
		if (c == -1)
			give_up(q);
		out[n++] = (char)c;
	}
	return hf_strn(out, n);
}

/* The scalar at the cursor, quoted or plain by read. */
static struct scalar scalar_read(struct quick *q, struct hf_str (*plain)(struct quick *q))
{
	struct scalar s = { .pos = pos_at(q, q->p), .quoted = *q->p == '"' || *q->p == '\'' };
	s.text = *q->p == '"' ? double_quoted_read(q) : *q->p == '\'' ? single_quoted_read(q) : plain(q);
	return s;
}

static struct hf_value *scalar_value(struct quick *q, const struct scalar *s)
{
	struct hf_value *v = NULL;
	enum yaml_kind kind = s->quoted ? YAML_STR : hf_yaml_scalar_kind(s->text);
	if (q->bad || ++q->nodes > HF_YAML_NODES_MAX ||
		hf_yaml_scalar_value(q->arena, kind, s->text, &v, NULL) < 0) {
		give_up(q);
		return NULL;
	}
	if (s->quoted)
		v->flags |= HF_VALUE_QUOTED;
	return hf_value_at(v, s->pos);
}

/* The cursor is behind a scalar: whether it is a key, leaving the cursor behind its colon, or stands alone.
 */
static bool key_follows(struct quick *q, const struct scalar *s)
{
	const char *p = spaces_skip(q, q->p);
	if (p < q->line_end && *p == ':' && blank_at(q, p + 1) && p - q->line_start < KEY_BYTES_MAX) {
		q->p = p + 1;
		return true;
	}
	if (!rest_empty(q, q->p) || (!s->quoted && s->text.n == 0))
		give_up(q);
	return false;
}

/* --- flow collections of one line --- */

static bool word_char(char c)
{
	return (unsigned char)c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '/';
}

static bool flow_plain_ends(const struct quick *q, const char *p)
{
	return p < q->line_end && (*p == ',' || *p == ']' || *p == '}' || (*p == ':' && blank_at(q, p + 1)));
}

static struct hf_str flow_plain_read(struct quick *q)
{
	const char *start = q->p, *p = start;
	if (!word_char(*p) && !(*p == '-' && p + 1 < q->line_end && word_char(p[1])))
		give_up(q);
	while (p < q->line_end && (word_char(*p) || (*p != '\0' && strchr("-+= ", *p) != NULL)))
		p++;
	if (!flow_plain_ends(q, p))
		give_up(q);
	while (p > start && p[-1] == ' ')
		p--;
	q->p = p;
	return hf_strn(start, (size_t)(p - start));
}

static struct hf_value *flow_read(struct quick *q);

static struct hf_value *flow_scalar(struct quick *q)
{
	if (q->p >= q->line_end)
		give_up(q);
	if (q->bad)
		return NULL;
	struct scalar s = scalar_read(q, flow_plain_read);
	return scalar_value(q, &s);
}

/* Takes c, and the spaces around it. */
static bool flow_take(struct quick *q, char c)
{
	const char *p = spaces_skip(q, q->p);
	if (p >= q->line_end || *p != c)
		return false;
	q->p = spaces_skip(q, p + 1);
	return true;
}

static struct hf_value *flow_item(struct quick *q)
{
	bool collection = q->p < q->line_end && (*q->p == '[' || *q->p == '{');
	return collection ? flow_read(q) : flow_scalar(q);
}

static void dict_add(struct quick *q, struct hf_value *dict, struct hf_value *key, struct hf_value *value)
{
	size_t before = hf_dict_len(dict);
	hf_dict_set(dict, key, value);
	if (hf_dict_len(dict) == before)
		give_up(q); /* given twice: worth a warning */
}

static void flow_entry(struct quick *q, struct hf_value *dict)
{
	const char *start = q->p;
	struct hf_value *key = flow_scalar(q), *value = NULL;
	const char *colon = spaces_skip(q, q->p);
	if (q->bad || colon + 1 >= q->line_end || *colon != ':' || colon[1] != ' ' ||
		colon - start > KEY_BYTES_MAX)
		give_up(q);
	if (q->bad)
		return;
	q->p = spaces_skip(q, colon + 1);
	value = flow_item(q);
	if (!q->bad)
		dict_add(q, dict, key, value);
}

/* At [ or {; the cursor goes behind the closing bracket and the spaces after it. */
static struct hf_value *flow_read(struct quick *q)
{
	bool mapping = *q->p == '{';
	char close = mapping ? '}' : ']';
	struct hf_value *v = mapping ? hf_value_dict(q->arena) : hf_value_list(q->arena);
	hf_value_at(v, pos_at(q, q->p));
	if (++q->depth > DEPTH_MAX || ++q->nodes > HF_YAML_NODES_MAX)
		give_up(q);
	flow_take(q, *q->p);
	if (!q->bad && !flow_take(q, close))
		do {
			if (mapping)
				flow_entry(q, v);
			else
				hf_list_append(v, flow_item(q));
		} while (!q->bad && flow_take(q, ','));
	else
		close = '\0';
	if (!q->bad && close != '\0' && !flow_take(q, close))
		give_up(q);
	q->depth--;
	return v;
}

/* --- block scalars: libyaml's rules for indentation, folding and the breaks at the end --- */

struct block {
	int indent; /* 0: to be found */
	char chomp; /* '-', '+' or '\0' */
	bool folded, break_before, blank_before;
	size_t breaks; /* empty lines since */
};

/* Where the spaces end that are indentation: all, while it is not known yet. */
static const char *block_indent_skip(struct quick *q, const struct block *b, const char *p)
{
	const char *s = p, *known = b->indent == 0 ? q->line_end : p + b->indent;
	while (s < q->line_end && s < known && *s == ' ')
		s++;
	if (s < q->line_end && s < known && *s == '\t')
		give_up(q);
	return s;
}

/* Takes empty lines and settles the indentation; the cursor's line is then the one that stopped it. */
static void block_breaks(struct quick *q, struct block *b, int parent)
{
	int widest = parent + 1 > 1 ? parent + 1 : 1;
	const char *p = q->p;
	for (; p < q->end && !q->bad; p = line_after(q)) {
		line_enter(q, p);
		const char *s = block_indent_skip(q, b, p);
		if (s - p > widest)
			widest = (int)(s - p);
		if (s < q->line_end || q->line_end == q->end)
			break;
		b->breaks++;
	}
	q->p = p;
	if (b->indent == 0)
		b->indent = widest;
}

static void newlines_add(struct quick *q, size_t n)
{
	for (; n > 0; n--)
		hf_buf_put(&q->text, '\n');
}

static bool block_line_is_content(const struct quick *q, const struct block *b)
{
	if (q->end - q->p <= b->indent)
		return false;
	for (int i = 0; i < b->indent; i++)
		if (q->p[i] != ' ')
			return false;
	return true;
}

static void block_line(struct quick *q, struct block *b)
{
	const char *start = q->p + b->indent;
	bool blank = start < q->line_end && (*start == ' ' || *start == '\t');
	if (b->break_before && b->folded && !b->blank_before && !blank) {
		if (b->breaks == 0)
			hf_buf_put(&q->text, ' ');
	} else if (b->break_before) {
		hf_buf_put(&q->text, '\n');
	}
	newlines_add(q, b->breaks);
	hf_buf_append(&q->text, start, (size_t)(q->line_end - start));
	b->breaks = 0;
	b->blank_before = blank;
	b->break_before = q->line_end < q->end;
}

static bool block_header(struct quick *q, struct block *b)
{
	const char *p = q->p;
	b->folded = *p++ == '>';
	if (p < q->line_end && (*p == '-' || *p == '+'))
		b->chomp = *p++;
	return blank_at(q, p) && rest_empty(q, p);
}

static struct hf_value *block_read(struct quick *q, int parent)
{
	struct block b = { 0 };
	struct scalar s = { .pos = pos_at(q, q->p), .quoted = true };
	if (!block_header(q, &b) || q->line_end == q->end) {
		give_up(q);
		return NULL;
	}
	hf_buf_clear(&q->text);
	q->p = line_after(q);
	block_breaks(q, &b, parent);
	while (!q->bad && block_line_is_content(q, &b)) {
		block_line(q, &b);
		q->p = line_after(q);
		block_breaks(q, &b, parent);
	}
	if (b.chomp != '-' && b.break_before)
		hf_buf_put(&q->text, '\n');
	if (b.chomp == '+')
		newlines_add(q, b.breaks);
	if (q->text.failed)
		give_up(q);
	s.text = hf_buf_str(&q->text);
	struct hf_value *v = scalar_value(q, &s);
	content_from(q, q->p);
	return v;
}

/* --- block collections. Each leaves the cursor at the next line's content. --- */

static struct hf_value *sequence_read(struct quick *q, int indent, bool indentless);
static struct hf_value *mapping_read(struct quick *q, int indent, const struct scalar *first);

static bool dash_at(const struct quick *q)
{
	return q->p < q->line_end && *q->p == '-' && blank_at(q, q->p + 1);
}

/* The node at the cursor, inside a collection at indentation parent. nests: a collection in block style may
 * start here, which it may not behind a key on the same line. */
static struct hf_value *node_read(struct quick *q, int parent, bool nests)
{
	int column = (int)(q->p - q->line_start);
	struct hf_value *v;
	if (nests && dash_at(q))
		return sequence_read(q, column, false);
	if (*q->p == '|' || *q->p == '>')
		return block_read(q, parent);
	if (*q->p == '[' || *q->p == '{') {
		v = flow_read(q);
		if (!rest_empty(q, q->p))
			give_up(q);
	} else {
		struct scalar s = scalar_read(q, plain_read);
		if (!q->bad && key_follows(q, &s)) {
			if (nests)
				return mapping_read(q, column, &s);
			give_up(q);
		}
		v = scalar_value(q, &s);
	}
	if (!q->bad)
		content_next(q);
	if (q->indent > parent)
		give_up(q); /* a scalar that goes on, or an error */
	return v;
}

/* What follows a dash or a colon at the cursor; indentless: a list may stand at the mapping's own
 * indentation. */
static struct hf_value *entry_read(struct quick *q, int indent, bool dash)
{
	struct hf_pos pos = pos_at(q, q->p);
	if (!rest_empty(q, q->p)) {
		q->p = spaces_skip(q, q->p);
		return node_read(q, indent, dash);
	}
	content_next(q);
	if (q->bad)
		return NULL;
	if (q->indent > indent)
		return node_read(q, indent, true);
	if (!dash && q->indent == indent && dash_at(q))
		return sequence_read(q, indent, true);
	q->nodes++;
	return null_at(q, pos);
}

static struct hf_value *sequence_read(struct quick *q, int indent, bool indentless)
{
	struct hf_value *list = hf_value_at(hf_value_list(q->arena), pos_at(q, q->p));
	if (++q->depth > DEPTH_MAX || ++q->nodes > HF_YAML_NODES_MAX)
		give_up(q);
	while (!q->bad) {
		q->p++;
		hf_list_append(list, entry_read(q, indent, true));
		if (q->bad || q->indent < indent)
			break;
		if (q->indent == indent && dash_at(q))
			continue;
		if (q->indent > indent || !indentless)
			give_up(q);
		break;
	}
	q->depth--;
	return list;
}

/* The cursor is behind the first key's colon. */
static struct hf_value *mapping_read(struct quick *q, int indent, const struct scalar *first)
{
	struct hf_value *dict = hf_value_at(hf_value_dict(q->arena), first->pos);
	struct scalar name = *first;
	if (++q->depth > DEPTH_MAX || ++q->nodes > HF_YAML_NODES_MAX)
		give_up(q);
	while (!q->bad) {
		struct hf_value *key = scalar_value(q, &name);
		struct hf_value *value = q->bad ? NULL : entry_read(q, indent, false);
		if (q->bad)
			break;
		dict_add(q, dict, key, value);
		if (q->indent < indent)
			break;
		if (q->indent > indent)
			give_up(q);
		if (!q->bad)
			name = scalar_read(q, plain_read);
		if (!q->bad && !key_follows(q, &name))
			give_up(q);
	}
	q->depth--;
	return dict;
}

struct hf_value *hf_yaml_quick(struct hf_arena *a, struct hf_str text, const char *file)
{
	struct quick q = { .arena = a,
		.file = file,
		.end = text.p + text.n,
		.line = 1,
		.text = hf_buf_init(HF_YAML_SIZE_MAX) };
	struct hf_arena_mark mark = hf_arena_mark(a);
	struct hf_value *v = NULL;
	if (text.n == 0 || text.n > HF_YAML_SIZE_MAX)
		return NULL;
	content_from(&q, text.p);
	if (!q.bad && q.indent != NO_LINE)
		v = node_read(&q, NO_LINE, true);
	hf_buf_done(&q.text);
	if (v != NULL && !q.bad && q.indent == NO_LINE && (v->type == HF_DICT || v->type == HF_LIST))
		return v;
	hf_arena_reset(a, mark);
	return NULL;
}
