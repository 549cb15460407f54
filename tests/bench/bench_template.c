/* tests/bench/bench_template.c - how often per CPU second a compiled template renders, and a condition
 * evaluates. usage: bench_template [COUNT]     prints renders/s, evaluations/s, bytes of one render */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/base/scope.h"
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

static int fail(const struct hf_error *err)
{
	char text[HF_ERROR_TEXT_MAX + 64];
	fprintf(stderr, "bench_template: %s\n", hf_error_print(err, text, sizeof(text)));
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	long count = argc > 1 ? strtol(argv[1], NULL, 10) : 1000000;
	hf_auto_arena kept = hf_arena_new();
	hf_auto_arena scratch = hf_arena_new();
	hf_auto_buf out = hf_buf_init(1 << 20);
	struct hf_error err = { 0 };
	struct hf_template_env env = { .trim_blocks = true };
	struct hf_template *t, *when;
	if (hf_template_compile(kept, &env, HF_STR(source), "bench", &t, &err) < 0 ||
		hf_template_compile_expression(kept, &env, HF_STR(condition), "when", true, &when, &err) < 0)
		return fail(&err);
	struct hf_render how = { .arena = scratch, .env = &env, .variables = variables(kept) };
	hf_alloc(scratch, 1);
	struct hf_arena_mark mark = hf_arena_mark(scratch);
	double start = cpu_seconds();
	for (long i = 0; i < count; i++) {
		hf_buf_clear(&out);
		if (hf_template_render(t, &how, &out, NULL, &err) < 0)
			return fail(&err);
		hf_arena_reset(scratch, mark);
	}
	double renders = (double)count / (cpu_seconds() - start);
	start = cpu_seconds();
	for (long i = 0; i < count; i++) {
		struct hf_value *v;
		if (hf_template_evaluate(when, &how, &v, &err) < 0)
			return fail(&err);
		hf_arena_reset(scratch, mark);
	}
	double evaluations = (double)count / (cpu_seconds() - start);
	printf("%.0f renders/s, %.0f conditions/s, %zu bytes\n", renders, evaluations, out.n);
	return EXIT_SUCCESS;
}
