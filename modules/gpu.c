/* modules/gpu.c - holdfast.gpu: the GPUs as facts. */
#include "modules/gpu_nvml.h"

#include "lib/base/scope.h"
#include "modules/host.h"

struct params {
	const char *library;
	int64_t deadline_ms, count;
};
static const struct hf_arg args[] = {
	{ "library", HF_ARG_STR, offsetof(struct params, library), .dflt = HF_NVML_LIBRARY,
		.help = "NVML, by name or path" },
	{ "deadline_ms", HF_ARG_INT, offsetof(struct params, deadline_ms), .dflt = "3000",
		.help = "the driver has this long to answer" },
	{ "count", HF_ARG_INT, offsetof(struct params, count), .dflt = "0",
		.help = "fail unless this many GPUs answer; 0: any" },
	{ .type = HF_ARG_END },
};

/* Names of NVML's bits; the first ones are the clocks' ordinary life. */
static const struct {
	int64_t bit;
	const char *name;
} throttles[] = { { 0x1, "idle" }, { 0x2, "application clocks" }, { 0x4, "power cap" },
	{ 0x8, "hardware slowdown" }, { 0x10, "sync boost" }, { 0x20, "thermal" },
	{ 0x40, "hardware thermal" }, { 0x80, "power brake" }, { 0x100, "display clock" } };

static int64_t devices_complete(struct hf_arena *a, const struct hf_value *devices)
{
	int64_t answering = 0;
	for (size_t i = 0; devices != NULL && i < hf_list_len(devices); i++) {
		struct hf_value *d = hf_list_at(devices, i), *names = hf_value_list(a);
		int64_t mask = hf_dict_int(d, "throttle_mask", 0);
		for (size_t j = 0; j < HF_COUNT(throttles); j++)
			if ((mask & throttles[j].bit) != 0)
				hf_list_append(names, hf_value_cstr(a, throttles[j].name));
		hf_dict_put(d, "throttle", names);
		answering += hf_dict_bool(d, "answers", false);
	}
	return answering;
}

static int gpu_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct hf_value *facts = hf_value_dict(a), *gpu = NULL;
	struct hf_error why = { 0 };
	if (p->deadline_ms < 1 || p->deadline_ms > 600000)
		return hf_fail(err, HF_E_ARGUMENT, "deadline_ms must be from 1 to 600000");
	int result = hf_nvml_query(a, p->library, (unsigned)p->deadline_ms, &gpu, &why);
	if (result < 0) {
		gpu = hf_value_dict(a);
		hf_dict_put(gpu, "count", hf_value_int(a, 0));
		hf_dict_put(gpu, "devices", hf_value_list(a));
		hf_dict_put(gpu, "trouble", hf_value_cstr(a, why.text));
	}
	int64_t answering = devices_complete(a, hf_dict_get(gpu, "devices"));
	hf_dict_put(gpu, "answering", hf_value_int(a, answering));
	hf_dict_put(facts, "holdfast_gpu", gpu);
	hf_result_put(c, change, "ansible_facts", facts);
	if (p->count > 0 && result < 0)
		return hf_fail(err, HF_E_TASK, "%s", why.text);
	if (p->count > 0 && answering != p->count)
		return hf_fail(err, HF_E_TASK, "%lld GPUs answer, %lld are wanted", (long long)answering,
			(long long)p->count);
	return 0;
}

const struct hf_module hf_module_gpu = {
	.name = "gpu",
	.collection = "holdfast",
	.schema = { args, NULL, sizeof(struct params) },
	.flags = HF_MODULE_NO_RESOURCE | HF_MODULE_READ_ONLY,
	.check = gpu_check,
};
