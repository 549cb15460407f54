#include <string.h>

#include "lib/engine/state.h"

/* What Ansible's PlayContext.update_vars() adds while a task is under way: how its host is reached, by every
 * name that a variable may give it, where no variable does. Nothing is reached here; playbooks print these.
 */

enum part { CONNECTION, COMPRESSION, EXECUTABLE, ADDRESS, USER, PORT, PASSWORD, PIPELINING, TIMEOUT, KEY };

static const struct {
	const char *name, *other; /* other: another name of the same, asked first */
	enum part part;
} rows[] = {
	{ "ansible_connection", NULL, CONNECTION },
	{ "ansible_host", "ansible_ssh_host", ADDRESS },
	{ "ansible_module_compression", NULL, COMPRESSION },
	{ "ansible_password", "ansible_ssh_pass", PASSWORD },
	{ "ansible_pipelining", "ansible_ssh_pipelining", PIPELINING },
	{ "ansible_port", "ansible_ssh_port", PORT },
	{ "ansible_private_key_file", "ansible_ssh_private_key_file", KEY },
	{ "ansible_shell_executable", NULL, EXECUTABLE },
	{ "ansible_ssh_host", "ansible_host", ADDRESS },
	{ "ansible_ssh_pass", "ansible_password", PASSWORD },
	{ "ansible_ssh_pipelining", "ansible_pipelining", PIPELINING },
	{ "ansible_ssh_port", "ansible_port", PORT },
	{ "ansible_ssh_private_key_file", "ansible_private_key_file", KEY },
	{ "ansible_ssh_timeout", "ansible_timeout", TIMEOUT },
	{ "ansible_ssh_user", "ansible_user", USER },
	{ "ansible_timeout", "ansible_ssh_timeout", TIMEOUT },
	{ "ansible_user", "ansible_ssh_user", USER },
};

void hf_connection_note(struct hf_task *t)
{
	struct hf_connection *c = hf_new(t->arena, struct hf_connection);
	struct hf_value *user = NULL;
	struct hf_error ignored;
	c->address = t->host->implicit ? "127.0.0.1" : t->host->name;
	if (t->delegate != NULL) {
		const struct hf_value *given = hf_dict_get(t->delegate->run->inventory, "ansible_host");
		c->address = given == NULL ? t->delegate->name : hf_value_text(t->arena, given).p;
	}
	/* A user that cannot be said yet fails nothing: nobody logs in. */
	if (hf_task_keyword(t, HF_KW_remote_user, &user, &ignored) == 0 && user != NULL &&
		!hf_is(user, HF_NULL))
		c->user = hf_value_text(t->arena, user).p;
	t->scope.connection = c;
}

static struct hf_value *value_of(struct hf_scope *s, enum part part)
{
	enum { TIMEOUT_DEFAULT_S = 10 };
	switch (part) {
	case CONNECTION:
		return hf_value_cstr(s->arena, "local");
	case COMPRESSION:
		return hf_value_cstr(s->arena, "ZIP_DEFLATED");
	case EXECUTABLE:
		return hf_value_cstr(s->arena, "/bin/sh");
	case ADDRESS:
		return hf_value_cstr(s->arena, s->connection->address);
	case USER:
		return s->connection->user == NULL ? NULL : hf_value_cstr(s->arena, s->connection->user);
	case PIPELINING:
		return hf_value_bool(s->arena, false);
	case TIMEOUT:
		return hf_value_int(s->arena, TIMEOUT_DEFAULT_S);
	default:
		return NULL;
	}
}

static struct hf_value *of_layers(struct hf_scope *s, const char *name)
{
	struct hf_value *v = name == NULL ? NULL : hf_dict_get(s->run->extra, name);
	for (size_t i = 0; name != NULL && v == NULL && i < s->n_layers; i++)
		v = hf_dict_get(s->layers[i], name);
	return v;
}

struct hf_value *hf_connection_lookup(struct hf_scope *s, struct hf_str name)
{
	if (s->connection == NULL || !hf_str_starts(name, "ansible_"))
		return NULL;
	for (size_t i = 0; i < HF_COUNT(rows); i++) {
		if (!hf_str_is(name, rows[i].name))
			continue;
		/* What the host says of itself is not true of the one it delegates to. */
		struct hf_value *given = s->delegate != NULL ? NULL : of_layers(s, rows[i].other);
		return given != NULL ? given : value_of(s, rows[i].part);
	}
	return NULL;
}

void hf_connection_names(const struct hf_scope *s, struct hf_arena *a, struct hf_value *set)
{
	for (size_t i = 0; s->connection != NULL && i < HF_COUNT(rows); i++) {
		if (rows[i].part != PORT && rows[i].part != PASSWORD && rows[i].part != KEY &&
			(rows[i].part != USER || s->connection->user != NULL))
			hf_dict_put(set, rows[i].name, hf_value_null(a));
	}
}
