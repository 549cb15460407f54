#include "cli/doc.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "cli/command.h"
#include "lib/base/scope.h"
#include "modules/registry.h"

/* `holdfast doc`: a module's manual page, readable on a terminal. */
enum { TEXT_MAX = 16 << 20, WIDTH_DEFAULT = 100, WIDTH_MIN = 40, WIDTH_MAX = 120 };

static const struct cli_option options[] = {
	{ "json", 0, NULL, "the module's table of options as JSON" },
	{ "markdown", 0, NULL, "the page as it is written" },
	{ "table", 0, NULL,
		"every module and option, whether it works, and what check, diff, undo and watch do" },
	{ 0 },
};

struct view {
	unsigned width;
	bool colour, code;
};

static const char *page_find(const char *name)
{
	for (const char *at = cli_pages; *at != '\0';) {
		const char *text = at + strlen(at) + 1;
		if (strcmp(at, name) == 0)
			return text;
		at = text + strlen(text) + 1;
	}
	return NULL;
}

static unsigned terminal_width(void)
{
	struct winsize size;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return WIDTH_DEFAULT;
	return size.ws_col < WIDTH_MIN ? WIDTH_MIN : size.ws_col > WIDTH_MAX ? WIDTH_MAX : size.ws_col;
}

/* Columns a piece of text takes: bytes that continue a character take none. */
static size_t columns(struct hf_str s)
{
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

static void wrapped(const struct view *v, unsigned indent, struct hf_str text)
{
	struct hf_str word;
	size_t at = 0;
	while (text.n > 0 && hf_str_split(&text, ' ', &word)) {
		if (word.n == 0)
			continue;
		if (at > 0 && at + 1 + columns(word) > v->width) {
			putchar('\n');
			at = 0;
		}
		printf("%*s%.*s", at == 0 ? (int)indent : 1, "", HF_STR_ARG(word));
		at += (at == 0 ? indent : 1) + columns(word);
	}
	putchar('\n');
}

/* Cells of "| a | b |"; a bar that belongs to a cell is written \\|. */
static size_t cells_split(struct hf_arena *a, struct hf_str line, struct hf_str *cells, size_t max)
{
	size_t n = 0;
	for (size_t i = 1; i < line.n && n < max; i++) {
		hf_auto_buf cell = hf_buf_init(TEXT_MAX);
		for (; i < line.n && line.p[i] != '|'; i++) {
			if (line.p[i] == '\\' && i + 1 < line.n && line.p[i + 1] == '|')
				i++;
			hf_buf_put(&cell, line.p[i]);
		}
		cells[n++] = hf_str_trim(hf_buf_dup(a, &cell));
	}
	return n;
}

/* A row of options: its name and type on one line, the meaning below. */
static void table_row(struct hf_arena *a, const struct view *v, struct hf_str line)
{
	struct hf_str cells[4] = { HF_STR(""), HF_STR(""), HF_STR(""), HF_STR("") };
	if (hf_str_starts(line, "|---") || hf_str_starts(line, "| option "))
		return;
	if (cells_split(a, line, cells, 4) < 4) {
		wrapped(v, 2, line);
		return;
	}
	const char *required = hf_str_is(cells[2], "required") ? "" : "default ";
	printf("  %s%.*s%s (%.*s%s%s%.*s)\n", v->colour ? "\033[1m" : "", HF_STR_ARG(cells[0]),
		v->colour ? "\033[0m" : "", HF_STR_ARG(cells[1]), cells[2].n > 0 ? ", " : "",
		cells[2].n > 0 ? required : "", HF_STR_ARG(cells[2]));
	if (cells[3].n > 0)
		wrapped(v, 6, cells[3]);
}

static void page_line(struct hf_arena *a, struct view *v, struct hf_str line)
{
	if (hf_str_starts(line, "```")) {
		v->code = !v->code;
	} else if (v->code) {
		printf("    %.*s\n", HF_STR_ARG(line));
	} else if (hf_str_starts(line, "#")) {
		size_t n = strspn(line.p, "# ");
		printf("%s%.*s%s\n", v->colour ? "\033[1m" : "", (int)(line.n - n), line.p + n,
			v->colour ? "\033[0m" : "");
	} else if (hf_str_starts(line, "|")) {
		table_row(a, v, line);
	} else if (line.n == 0) {
		putchar('\n');
	} else {
		wrapped(v, hf_str_starts(line, "- ") ? 0 : 2, line);
	}
}

static int page_show(struct cli_call *call, const char *text)
{
	struct view v = { .width = terminal_width(), .colour = cli_colour(STDOUT_FILENO) };
	struct hf_str rest = hf_str(text), line;
	if (cli_given(call, "markdown")) {
		fputs(text, stdout);
		return CLI_OK;
	}
	while (rest.n > 0 && hf_str_split(&rest, '\n', &line))
		page_line(call->arena, &v, line);
	return CLI_OK;
}

static int doc_run(struct cli_call *call)
{
	if (cli_given(call, "table")) {
		hf_auto_buf out = hf_buf_init(TEXT_MAX);
		struct hf_error err;
		cli_doc_table(&out);
		if (hf_buf_check(&out, "the table", &err) < 0)
			return cli_fail(call, &err);
		fputs(out.p, stdout);
		return CLI_OK;
	}
	if (call->n_arguments == 0)
		return cli_usage(call, "name a module; `holdfast modules` lists them");
	const struct hf_module *m = hf_module_find(&hf_modules, call->arguments[0]);
	const char *text = m == NULL ? NULL : page_find(m->name);
	if (m == NULL)
		return cli_usage(call, "there is no module %s", call->arguments[0]);
	if (cli_given(call, "json"))
		return cli_modules_json(call);
	if (text == NULL)
		return cli_usage(call, "module %s has no page", m->name);
	return page_show(call, text);
}

const struct cli_command cli_command_doc = {
	.name = "doc",
	.summary = "show a module's manual page",
	.arguments = "[MODULE]",
	.options = options,
	.max_arguments = 1,
	.run = doc_run,
};
