/* tests/bench/bench_template.c - how often per CPU second a compiled template renders, a cached condition is
 * evaluated and a value of a playbook is templated. templates.py runs it beside Python.
 * usage: bench_template [COUNT]     prints one line of JSON: template, condition and value per CPU second,
 * the bytes of one render, peak_kb. bench_template --show prints what is measured, as JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "lib/engine/templar.h"
#include "lib/template/template.h"

static const char source[] = "# T00000 managed file, do not edit\n"
			     "[service]\n"
			     "name = {{ app.name }}\n"
			     "listen = 0.0.0.0:{{ app.port }}\n"
			     "workers = {{ app.workers }}\n"
			     "{% if app.tls %}\n"
			     "tls = on\n"
			     "tls_cert = /etc/ssl/{{ app.name }}.pem\n"
			     "{% else %}\n"
			     "tls = off\n"
			     "{% endif %}\n"
			     "\n"
			     "[upstream]\n"
			     "{% for s in app.servers %}\n"
			     "{% if s.backup %}\n"
			     "server {{ s.host }}:{{ s.port }} weight={{ s.weight }} backup\n"
			     "{% else %}\n"
			     "server {{ s.host }}:{{ s.port }} weight={{ s.weight }}\n"
			     "{% endif %}\n"
			     "{% endfor %}\n";
static const char condition[] = "app.tls and app.workers > 1 and app.name is defined and 'app' in app.name";

static const char value[] = "{{ app.name | upper }}:{{ app.port | int + 1 }} {{ app.servers | "
			    "map(attribute='host') | join(',') }}";

static struct hf_value *variables(struct hf_arena *a)
{
	struct hf_value *all = hf_value_dict(a), *app = hf_value_dict(a), *servers = hf_value_list(a);
	for (int i = 0; i < 5; i++) {
		struct hf_value *s = hf_value_dict(a);
		hf_dict_put(s, "host", hf_value_cstr(a, hf_sprintf(a, "10.1.1.%d", i + 1)));
		hf_dict_put(s, "port", hf_value_int(a, 9000 + i));
		hf_dict_put(s, "weight", hf_value_int(a, 10 - i));
		hf_dict_put(s, "backup", hf_value_bool(a, i >= 3));
		hf_list_append(servers, s);
	}
	hf_dict_put(app, "name", hf_value_cstr(a, "app00001"));
	hf_dict_put(app, "port", hf_value_int(a, 8001));
	hf_dict_put(app, "workers", hf_value_int(a, 2));
	hf_dict_put(app, "tls", hf_value_bool(a, true));
	hf_dict_put(app, "servers", servers);
	hf_dict_put(all, "app", app);
	return all;
}

static double cpu_seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The kernel's high-water mark; rusage would count what the parent had before exec. */
static long peak_kb(void)
{
	char line[256];
	long kb = 0;
	FILE *f = fopen("/proc/self/status", "re");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, "VmHWM:", 6) == 0)
			kb = strtol(line + 6, NULL, 10);
	if (f != NULL)
		fclose(f);
	return kb;
}

static int fail(const struct hf_error *err)
{
	char text[HF_ERROR_TEXT_MAX + 64];
	fprintf(stderr, "bench_template: %s\n", hf_error_print(err, text, sizeof(text)));
	return EXIT_FAILURE;
}

static int variable(void *data, struct hf_str name, struct hf_value **ret, struct hf_error *err)
{
	(void)err;
	struct hf_value key = { .type = HF_STRING, .u.string = name };
	*ret = hf_dict_find(data, &key);
	return 0;
}

/* What is measured, for templates.py to measure the same in Python. */
static int show(struct hf_arena *a, struct hf_error *err)
{
	struct hf_value *all = hf_value_dict(a);
	hf_auto_buf out = hf_buf_init(1 << 20);
	hf_dict_put(all, "template", hf_value_cstr(a, source));
	hf_dict_put(all, "condition", hf_value_cstr(a, condition));
	hf_dict_put(all, "value", hf_value_cstr(a, value));
	hf_dict_put(all, "variables", variables(a));
	if (hf_json_write(&out, all, &HF_JSON_PRETTY, err) < 0)
		return fail(err);
	printf("%s\n", out.p);
	return EXIT_SUCCESS;
}

struct bench {
	struct hf_arena *kept, *scratch;
	struct hf_arena_mark mark;
	struct hf_template *template, *when;
	struct hf_render how;
	struct hf_templar *templar;
	struct hf_value *text;
	struct hf_buf out;
};

static int render_once(struct bench *b, struct hf_error *err)
{
	hf_buf_clear(&b->out);
	return hf_template_render(b->template, &b->how, &b->out, NULL, err);
}

static int evaluate_once(struct bench *b, struct hf_error *err)
{
	struct hf_value *v;
	return hf_template_evaluate(b->when, &b->how, &v, err);
}

static int value_once(struct bench *b, struct hf_error *err)
{
	struct hf_value *v;
	return hf_templar_value(b->templar, b->scratch, b->text, NULL, &v, err);
}

static int measure(struct bench *b, int (*once)(struct bench *, struct hf_error *), long count,
	double *ret_rate, struct hf_error *err)
{
	double start = cpu_seconds();
	for (long i = 0; i < count; i++) {
		int r = once(b, err);
		if (r < 0)
			return r;
		hf_arena_reset(b->scratch, b->mark);
	}
	*ret_rate = (double)count / (cpu_seconds() - start);
	return 0;
}

int main(int argc, char **argv)
{
	hf_auto_arena kept = hf_arena_new();
	hf_auto_arena scratch = hf_arena_new();
	struct hf_error err = { 0 };
	if (argc > 1 && strcmp(argv[1], "--show") == 0)
		return show(kept, &err);
	long count = argc > 1 ? strtol(argv[1], NULL, 10) : 1000000;
	struct hf_template_env env = { .trim_blocks = true };
	struct hf_value *vars = variables(kept);
	const struct hf_templar_source asked = { .data = vars, .variable = variable };
	struct bench b = { .kept = kept,
		.scratch = scratch,
		.how = { .arena = scratch, .env = &env, .variables = vars },
		.templar = hf_templar_new(kept, &asked),
		.text = hf_value_cstr(kept, value),
		.out = hf_buf_init(1 << 20) };
	double rates[3] = { 0 };
	int r = hf_template_compile(kept, &env, HF_STR(source), "bench", &b.template, &err);
	if (r == 0)
		r = hf_template_compile_expression(
			kept, &env, HF_STR(condition), "when", true, &b.when, &err);
	hf_alloc(scratch, 1);
	b.mark = hf_arena_mark(scratch);
	if (r == 0)
		r = measure(&b, render_once, count, &rates[0], &err);
	if (r == 0)
		r = measure(&b, evaluate_once, count, &rates[1], &err);
	if (r == 0)
		r = measure(&b, value_once, count / 4 + 1, &rates[2], &err);
	if (r < 0)
		return fail(&err);
	printf("{\"template\": %.0f, \"condition\": %.0f, \"value\": %.0f, \"bytes\": %zu, \"peak_kb\": "
	       "%ld}\n",
		rates[0], rates[1], rates[2], b.out.n, peak_kb());
	hf_buf_done(&b.out);
	return EXIT_SUCCESS;
}
