/* modules/nmcli_look.c - a connection as nmcli shows it. */
#include "modules/nmcli.h"

enum { LINES_MAX = 10000 };

/* --- what there is ---------------------------------------------------------------------------------- */
static bool is_routes(const char *key)
{
	return strcmp(key, "ipv4.routes") == 0 || strcmp(key, "ipv6.routes") == 0;
}

/* The next run of bytes that are, or are not, among set. */
static struct hf_str run_of(struct hf_str *text, const char *set, bool among)
{
	size_t n = 0;
	while (n < text->n && (strchr(set, text->p[n]) != NULL) == among)
		n++;
	struct hf_str run = hf_strn(text->p, n);
	*text = hf_strn(text->p + n, text->n - n);
	return run;
}

/* "{ ip = 10.0.0.0/8, nh = 10.0.0.1, mt = 5, table=3 }" as the options write it. */
static const char *route_shown(struct hf_nmcli *w, struct hf_str text)
{
	struct hf_value *route = hf_value_dict(w->a);
	while (text.n > 0) {
		(void)run_of(&text, " ,{}=", true);
		struct hf_str name = run_of(&text, " ,{}=", false);
		(void)run_of(&text, " ", true);
		if (name.n == 0 || text.n == 0 || text.p[0] != '=')
			continue;
		(void)run_of(&text, " =", true);
		const char *key = hf_str_is(name, "nh")   ? "next_hop"
				  : hf_str_is(name, "mt") ? "metric"
							  : hf_str_dup(w->a, name);
		hf_dict_put(route, key, hf_value_str(w->a, run_of(&text, " ,}", false)));
	}
	return hf_nmcli_route(w, route);
}

static struct hf_value *list_shown(struct hf_nmcli *w, const char *key, struct hf_str text)
{
	struct hf_value *list = hf_value_list(w->a);
	struct hf_str piece;
	while (hf_str_split(&text, is_routes(key) ? ';' : ',', &piece)) {
		piece = hf_str_trim(piece);
		hf_list_append(list, is_routes(key) ? hf_value_cstr(w->a, route_shown(w, piece))
						    : hf_value_str(w->a, piece));
	}
	return list;
}

/* "2 (auto)" is 2. */
struct hf_str hf_nmcli_number(struct hf_str text)
{
	size_t n = text.n > 0 && text.p[0] == '-', digits = n;
	while (n < text.n && isdigit((unsigned char)text.p[n]))
		n++;
	if (n == digits || n + 3 > text.n || text.p[n] != ' ' || text.p[n + 1] != '(' ||
		text.p[text.n - 1] != ')')
		return text;
	for (size_t i = n + 2; i < text.n - 1; i++)
		if (!isalnum((unsigned char)text.p[i]) && text.p[i] != '_')
			return text;
	return hf_strn(text.p, n);
}

static void bond_options_shown(struct hf_nmcli *w, struct hf_str text)
{
	static const char *const dashed[] = { "arp_interval", "arp_ip_target" };
	struct hf_str option, name;
	while (hf_str_split(&text, ',', &option)) {
		if (!hf_str_split(&option, '=', &name))
			continue;
		char *key = hf_str_dup(w->a, name);
		for (size_t i = 0; i < HF_COUNT(dashed); i++)
			if (strcmp(key, dashed[i]) == 0)
				for (char *at = key; *at != '\0'; at++)
					*at = *at == '_' ? '-' : *at;
		hf_dict_put(w->now, key, hf_value_str(w->a, option));
	}
}

static void line_shown(struct hf_nmcli *w, struct hf_str line)
{
	struct hf_str name;
	if (!hf_str_split(&line, ':', &name))
		return;
	const char *key = hf_str_dup(w->a, hf_str_trim(name));
	struct hf_str text = hf_str_trim(line);
	if (hf_str_is(text, "--"))
		hf_dict_put(w->now, key, hf_nmcli_is_list(key) ? hf_value_list(w->a) : hf_value_null(w->a));
	else if (strcmp(key, "bond.options") == 0)
		bond_options_shown(w, text);
	else if (hf_nmcli_is_list(key))
		hf_dict_put(w->now, key, list_shown(w, key, text));
	else
		hf_dict_put(w->now, key, hf_value_str(w->a, hf_nmcli_number(text)));
}

/* Names end at an unescaped colon or the line; \: and \\ stand for themselves. */
static const char *name_shown(struct hf_nmcli *w, struct hf_str line)
{
	hf_auto_buf name = hf_buf_init(HF_NMCLI_TEXT_MAX);
	for (size_t i = 0; i < line.n; i++) {
		i += line.p[i] == '\\' && i + 1 < line.n;
		hf_buf_put(&name, line.p[i]);
	}
	return hf_buf_dup(w->a, &name).p;
}

int hf_nmcli_look(struct hf_nmcli *w, struct hf_error *err)
{
	struct hf_words list = hf_words(w->a, "nmcli", "--fields", "name", "--terse", "con", "show", NULL);
	struct hf_words show =
		hf_words(w->a, "nmcli", "--show-secrets", "con", "show", w->p->conn_name, NULL);
	struct hf_str out, line;
	bool there = false;
	int r = hf_commands_need(w->c, "nmcli", err);
	if (r == 0)
		r = hf_host_output(w->c, &list, &out, err);
	while (r == 0 && !there && hf_str_split(&out, '\n', &line))
		there = hf_str_is(line, w->p->conn_name) || strcmp(name_shown(w, line), w->p->conn_name) == 0;
	if (r < 0 || !there)
		return r;
	w->now = hf_value_dict(w->a);
	if (strcmp(w->p->state, "present") != 0)
		return 0;
	r = hf_host_output(w->c, &show, &out, err);
	for (int i = 0; r == 0 && i < LINES_MAX && hf_str_split(&out, '\n', &line); i++)
		line_shown(w, line);
	return r;
}
