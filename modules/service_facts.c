/* modules/service_facts.c - every service there is, under ansible_facts.services. */
#include <string.h>

#include "modules/systemd_bus.h"

struct params {
	int none;
};
static const struct hf_arg args[] = { { .type = HF_ARG_END } };

/* " [ + ]  cron" of service(8), which knows what counts as an answer of a script. */
static void script_add(struct hf_arena *a, struct hf_value *services, struct hf_str line)
{
	line = hf_str_trim(line);
	bool runs = hf_str_starts(line, "[ + ]");
	if (!runs && !hf_str_starts(line, "[ - ]"))
		return;
	const char *name = hf_str_dup(a, hf_str_trim(hf_strn(line.p + 5, line.n - 5)));
	struct hf_value *service = hf_value_dict(a);
	hf_dict_put(service, "name", hf_value_cstr(a, name));
	hf_dict_put(service, "state", hf_value_cstr(a, runs ? "running" : "stopped"));
	hf_dict_put(service, "source", hf_value_cstr(a, "sysv"));
	hf_dict_put(services, name, service);
}

static int scripts_add(struct hf_module_context *c, struct hf_value *services, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_words w = hf_words(a, "service", "--status-all", NULL);
	struct hf_proc_result ran;
	/* Where chkconfig or OpenRC keep the services, service(8) knows of none. */
	if (hf_proc_which(a, "service") == NULL || hf_proc_which(a, "chkconfig") != NULL ||
		hf_proc_which(a, "rc-status") != NULL)
		return 0;
	int r = hf_host_run(c, &w, NULL, &ran, err);
	if (r < 0 || (ran.status == 4 && !hf_fs_exists("/etc/init.d")))
		return r;
	if (ran.status != 0)
		hf_task_warn(c, "Unable to query 'service' tool (%d): %.*s", ran.status,
			HF_STR_ARG(hf_str_trim(ran.err)));
	struct hf_str rest = ran.out, line;
	while (hf_str_split(&rest, '\n', &line))
		script_add(a, services, line);
	return 0;
}

static int service_facts_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_value *services = hf_value_dict(a), *facts = hf_value_dict(a);
	(void)params;
	int r = scripts_add(c, services, err);
	if (r == 0 && hf_systemd_runs())
		r = hf_systemd_services(c, services, err);
	if (r < 0)
		return r;
	if (hf_dict_len(services) == 0) {
		change->skipped = true;
		hf_result_cstr(c, change, "msg",
			"Failed to find any services. This can be due to privileges or some other "
			"configuration issue.");
		return 0;
	}
	hf_dict_put(facts, "services", services);
	hf_result_put(c, change, "ansible_facts", facts);
	return 0;
}

const struct hf_module hf_module_service_facts = {
	.name = "service_facts",
	.collection = "ansible.builtin",
	.schema = { args, NULL, sizeof(struct params) },
	.flags = HF_MODULE_NO_RESOURCE | HF_MODULE_READ_ONLY,
	.check = service_facts_check,
};
