/* modules/service_facts.c - every service there is, under ansible_facts.services. */
#include <string.h>

#include "lib/base/scope.h"
#include "modules/systemd_bus.h"

struct params {
	int none;
};
static const struct hf_arg args[] = { { .type = HF_ARG_END } };
enum { SCRIPTS_MAX = 10000 };

static void scripts_add(struct hf_module_context *c, struct hf_value *services)
{
	struct hf_arena *a = hf_task_arena(c);
	hf_auto_dir dir = opendir("/etc/init.d");
	for (int i = 0; dir != NULL && i < SCRIPTS_MAX; i++) {
		struct dirent *entry = readdir(dir);
		if (entry == NULL)
			break;
		if (entry->d_name[0] == '.' || strcmp(entry->d_name, "README") == 0)
			continue;
		struct hf_words w = hf_words(a, "service", entry->d_name, "status", NULL);
		struct hf_proc_result ran;
		bool runs = hf_host_run(c, &w, NULL, &ran, NULL) == 0 && ran.status == 0;
		struct hf_value *service = hf_value_dict(a);
		hf_dict_put(service, "name", hf_value_cstr(a, entry->d_name));
		hf_dict_put(service, "state", hf_value_cstr(a, runs ? "running" : "stopped"));
		hf_dict_put(service, "source", hf_value_cstr(a, "sysv"));
		hf_dict_put(services, entry->d_name, service);
	}
}

static int service_facts_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_value *services = hf_value_dict(a), *facts = hf_value_dict(a);
	(void)params;
	if (hf_systemd_runs()) {
		int r = hf_systemd_services(c, services, err);
		if (r < 0)
			return r;
	} else {
		scripts_add(c, services);
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
