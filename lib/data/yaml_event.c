#include "lib/data/yaml_event.h"

#include <yaml.h>

#include "lib/data/yaml_simple.h"

struct hf_yaml_events {
	struct hf_arena *arena;
	const char *file;
	bool is_simple;
	struct hf_yaml_simple simple;
	yaml_parser_t parser;
	yaml_event_t event;
	bool have_event;
};

struct hf_yaml_events *hf_yaml_events_open(
	struct hf_arena *a, struct hf_arena *scratch, const char *file, struct hf_str text, bool libyaml)
{
	struct hf_yaml_events *s = hf_new(scratch, struct hf_yaml_events);
	s->arena = a;
	s->file = file;
	s->is_simple = !libyaml && hf_yaml_simple_scan(scratch, text, &s->simple);
	if (s->is_simple)
		return s;
	if (!yaml_parser_initialize(&s->parser))
		return NULL;
	yaml_parser_set_input_string(
		&s->parser, (const unsigned char *)(text.p == NULL ? "" : text.p), text.n);
	return s;
}

static int parser_fail(const struct hf_yaml_events *s, struct hf_error *err)
{
	const yaml_parser_t *p = &s->parser;
	struct hf_pos pos = { s->file, (unsigned)p->problem_mark.line + 1,
		(unsigned)p->problem_mark.column + 1 };
	const char *problem = p->problem == NULL ? "not valid YAML" : p->problem;
	if (p->error == YAML_READER_ERROR)
		return hf_fail_at(err, HF_E_PARSE, (struct hf_pos){ s->file, (unsigned)p->mark.line + 1, 0 },
			"%s (byte %zu, #x%04X)", problem, p->problem_offset, (unsigned)p->problem_value);
	if (p->context != NULL)
		return hf_fail_at(err, HF_E_PARSE, pos, "%s %s (from line %zu)", p->context, problem,
			p->context_mark.line + 1);
	return hf_fail_at(err, HF_E_PARSE, pos, "%s", problem);
}

static void scalar_take(const yaml_event_t *e, struct hf_yaml_event *ret)
{
	ret->text = hf_strn((const char *)e->data.scalar.value, e->data.scalar.length);
	ret->tag = (const char *)e->data.scalar.tag;
	ret->anchor = (const char *)e->data.scalar.anchor;
	ret->implicit = e->data.scalar.plain_implicit;
	ret->quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
}

static void event_take(const yaml_event_t *e, struct hf_yaml_event *ret)
{
	static const enum hf_yaml_event_type types[] = {
		[YAML_STREAM_START_EVENT] = HF_YAML_STREAM_START,
		[YAML_STREAM_END_EVENT] = HF_YAML_STREAM_END,
		[YAML_DOCUMENT_START_EVENT] = HF_YAML_DOCUMENT_START,
		[YAML_DOCUMENT_END_EVENT] = HF_YAML_DOCUMENT_END,
		[YAML_ALIAS_EVENT] = HF_YAML_ALIAS,
		[YAML_SCALAR_EVENT] = HF_YAML_SCALAR,
		[YAML_SEQUENCE_START_EVENT] = HF_YAML_SEQUENCE,
		[YAML_SEQUENCE_END_EVENT] = HF_YAML_SEQUENCE_END,
		[YAML_MAPPING_START_EVENT] = HF_YAML_MAPPING,
		[YAML_MAPPING_END_EVENT] = HF_YAML_MAPPING_END,
	};
	*ret = (struct hf_yaml_event){ .type = types[e->type],
		.mark = { (unsigned)e->start_mark.line, (unsigned)e->start_mark.column } };
	if (e->type == YAML_SCALAR_EVENT) {
		scalar_take(e, ret);
	} else if (e->type == YAML_ALIAS_EVENT) {
		ret->anchor = (const char *)e->data.alias.anchor;
	} else if (e->type == YAML_SEQUENCE_START_EVENT) {
		ret->tag = (const char *)e->data.sequence_start.tag;
		ret->anchor = (const char *)e->data.sequence_start.anchor;
	} else if (e->type == YAML_MAPPING_START_EVENT) {
		ret->tag = (const char *)e->data.mapping_start.tag;
		ret->anchor = (const char *)e->data.mapping_start.anchor;
	}
}

int hf_yaml_events_next(struct hf_yaml_events *s, struct hf_yaml_event *ret, struct hf_error *err)
{
	if (s->is_simple) {
		hf_yaml_simple_next(&s->simple, s->arena, ret);
		return 0;
	}
	if (s->have_event)
		yaml_event_delete(&s->event);
	s->have_event = yaml_parser_parse(&s->parser, &s->event) != 0;
	if (!s->have_event)
		return parser_fail(s, err);
	event_take(&s->event, ret);
	return 0;
}

void hf_yaml_events_close(struct hf_yaml_events *s)
{
	if (s->is_simple)
		return;
	if (s->have_event)
		yaml_event_delete(&s->event);
	yaml_parser_delete(&s->parser);
}
