/* `holdfast env graph`: who needs whom, for Graphviz, or drawn: a column for each step away from what needs
 * nothing, in the order of the file within a column. */
#include <stdio.h>
#include <string.h>

#include "cli/env.h"
#include "lib/base/scope.h"
#include "lib/net/xml.h"

enum { BOX_HEIGHT = 36, ROW = 52, COLUMN_GAP = 90, LETTER = 7, MARGIN = 20, TEXT_MAX = 4096 };

static void dot_print(const struct hf_environment *env)
{
	printf("digraph \"%s\" {\n\trankdir=RL;\n\tnode [shape=box, fontname=\"sans-serif\"];\n", env->name);
	for (size_t i = 0; i < env->resources.n; i++) {
		const struct hf_resource *r = &env->resources.at[i];
		printf("\t\"%s\" [label=\"%s\\n%s\"];\n", r->name, r->name, r->spec->type);
		for (size_t k = 0; k < r->depends.n; k++)
			printf("\t\"%s\" -> \"%s\";\n", r->name, env->resources.at[r->depends.at[k]].name);
	}
	printf("}\n");
}

struct box {
	size_t column, row;
};

struct layout {
	struct box *boxes;          /* of each resource */
	size_t *wide, *rows, *left; /* of each column: letters, boxes, where it begins */
	size_t columns, width, height;
};

static size_t longer(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* One column further than the last of what it needs; what it needs comes before it in the order. */
static void boxes_place(struct hf_arena *a, const struct hf_environment *env, struct layout *l)
{
	size_t n = env->resources.n;
	l->boxes = hf_new_array(a, n + 1, struct box);
	l->wide = hf_new_array(a, n + 1, size_t);
	l->rows = hf_new_array(a, n + 1, size_t);
	l->left = hf_new_array(a, n + 1, size_t);
	for (size_t i = 0; i < n; i++) {
		const struct hf_resource *r = &env->resources.at[env->order[i]];
		struct box *b = &l->boxes[env->order[i]];
		for (size_t k = 0; k < r->depends.n; k++)
			b->column = longer(b->column, l->boxes[r->depends.at[k]].column + 1);
		l->columns = longer(l->columns, b->column + 1);
		l->wide[b->column] =
			longer(l->wide[b->column], longer(strlen(r->name), strlen(r->spec->type)));
	}
	for (size_t i = 0; i < n; i++) {
		l->boxes[i].row = l->rows[l->boxes[i].column]++;
		l->height = longer(l->height, l->rows[l->boxes[i].column]);
	}
	l->width = MARGIN;
	for (size_t c = 0; c < l->columns; c++) {
		l->left[c] = l->width;
		l->width += l->wide[c] * LETTER + 2 * LETTER + COLUMN_GAP;
	}
	l->height = l->height * ROW + 2 * MARGIN;
}

static size_t top_of(const struct layout *l, size_t i)
{
	return MARGIN + l->boxes[i].row * ROW;
}

static size_t width_of(const struct layout *l, size_t i)
{
	return (l->wide[l->boxes[i].column] + 2) * LETTER;
}

static void text_print(size_t x, size_t y, const char *style, const char *text)
{
	hf_auto_buf out = hf_buf_init(TEXT_MAX);
	hf_xml_escape(&out, hf_str(text));
	printf("<text x=\"%zu\" y=\"%zu\"%s>%.*s</text>\n", x, y, style, HF_STR_ARG(hf_buf_str(&out)));
}

static void arrow_print(const struct layout *l, size_t from, size_t to)
{
	size_t x1 = l->left[l->boxes[from].column], y1 = top_of(l, from) + BOX_HEIGHT / 2;
	size_t x2 = l->left[l->boxes[to].column] + width_of(l, to), y2 = top_of(l, to) + BOX_HEIGHT / 2;
	size_t bend = COLUMN_GAP / 2;
	printf("<path d=\"M%zu %zu C%zu %zu %zu %zu %zu %zu\" marker-end=\"url(#arrow)\"/>\n", x1, y1,
		x1 - bend, y1, x2 + bend, y2, x2, y2);
}

static void svg_print(struct hf_arena *a, const struct hf_environment *env)
{
	struct layout l = { 0 };
	boxes_place(a, env, &l);
	printf("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%zu\" height=\"%zu\" "
	       "font-family=\"sans-serif\" font-size=\"12\">\n",
		l.width, l.height);
	printf("<title>%s</title>\n<defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" "
	       "markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\"><path d=\"M0 0L8 4L0 "
	       "8z\"/></marker></defs>\n",
		env->name);
	printf("<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n<g fill=\"none\" "
	       "stroke=\"#888\">\n");
	for (size_t i = 0; i < env->resources.n; i++)
		for (size_t k = 0; k < env->resources.at[i].depends.n; k++)
			arrow_print(&l, i, env->resources.at[i].depends.at[k]);
	printf("</g>\n");
	for (size_t i = 0; i < env->resources.n; i++) {
		const struct hf_resource *r = &env->resources.at[i];
		size_t x = l.left[l.boxes[i].column], y = top_of(&l, i);
		printf("<rect x=\"%zu\" y=\"%zu\" width=\"%zu\" height=\"%d\" rx=\"4\" fill=\"#eef3fa\" "
		       "stroke=\"#446\"/>\n",
			x, y, width_of(&l, i), BOX_HEIGHT);
		text_print(x + LETTER, y + 15, "", r->name);
		text_print(x + LETTER, y + 30, " fill=\"#667\"", r->spec->type);
	}
	printf("</svg>\n");
}

static int graph_run(struct cli_call *call)
{
	struct hf_environment *env;
	struct hf_error err = { 0 };
	if (env_read(call, &env, &err) < 0)
		return cli_fail(call, &err);
	if (cli_given(call, "svg"))
		svg_print(call->arena, env);
	else
		dot_print(env);
	return CLI_OK;
}

static const struct cli_option graph_options[] = {
	{ "var", 'e', "NAME=VALUE", "set a variable of the file; the value is YAML (repeatable)" },
	{ "svg", 0, NULL, "draw it" },
	{ NULL },
};
ENV_COMMAND(graph, graph_run, "print who needs whom, for Graphviz or as SVG", graph_options, "FILE", 1, 1);
