/* modules/gpu_health.c - holdfast.gpu.health: may jobs run here? One word, and why. */
#include <string.h>

#include "lib/base/scope.h"
#include "modules/gpu_kmsg.h"
#include "modules/gpu_nvml.h"
#include "modules/host.h"

enum { POLL_SECONDS = 60, HARDWARE_THROTTLE = 0x8 | 0x40 | 0x80 };
enum verdict { READY, DEGRADED, DRAIN };
static const char *const verdicts[] = { "ready", "degraded", "drain", NULL };
static const char *const never[] = { "degraded", "drain", "never", NULL };

struct params {
	const char *kmsg, *library, *ready_file;
	int64_t deadline_ms, count;
	struct hf_value *xids;
	const char *fail_on;
};
static const struct hf_arg args[] = {
	{ "kmsg", HF_ARG_STR, offsetof(struct params, kmsg), .dflt = "/dev/kmsg",
		.help = "the kernel's log" },
	{ "library", HF_ARG_STR, offsetof(struct params, library), .dflt = HF_NVML_LIBRARY,
		.help = "NVML, by name or path" },
	{ "deadline_ms", HF_ARG_INT, offsetof(struct params, deadline_ms), .dflt = "3000",
		.help = "the driver has this long to answer" },
	{ "count", HF_ARG_INT, offsetof(struct params, count), .dflt = "0",
		.help = "GPUs that must answer; 0: as many as there are" },
	{ "xids", HF_ARG_DICT, offsetof(struct params, xids),
		.help = "numbers with another severity: application, warning, fatal or ignored" },
	{ "ready_file", HF_ARG_STR, offsetof(struct params, ready_file), .dflt = "",
		.help = "a file that holds the word ready, degraded or drain" },
	{ "fail_on", HF_ARG_STR, offsetof(struct params, fail_on), .dflt = "drain", .choices = never,
		.help = "from which verdict on the task fails" },
	{ .type = HF_ARG_END },
};

struct health {
	struct hf_arena *a;
	enum verdict verdict;
	struct hf_value *reasons;
	struct hf_edit file;
	bool writes;
};

static void found(struct health *h, enum verdict verdict, const char *text)
{
	if (verdict > h->verdict)
		h->verdict = verdict;
	hf_list_append(h->reasons, hf_value_cstr(h->a, text));
}

static void events_judge(struct health *h, const struct hf_value *events)
{
	for (size_t i = 0; i < hf_list_len(events); i++) {
		const struct hf_value *e = hf_list_at(events, i);
		const char *severity = hf_dict_cstr(e, "severity", "");
		if (strcmp(severity, "application") == 0)
			continue; /* a job's own doing */
		found(h, strcmp(severity, "fatal") == 0 ? DRAIN : DEGRADED,
			hf_sprintf(h->a, "%s %lld on %s: %s", hf_dict_cstr(e, "kind", ""),
				(long long)hf_dict_int(e, "number", 0), hf_dict_cstr(e, "pci", "?"),
				hf_dict_cstr(e, "advice", "")));
	}
}

static void device_judge(struct health *h, const struct hf_value *d)
{
	long long index = (long long)hf_dict_int(d, "index", 0);
	int64_t errors = hf_dict_int(d, "ecc_uncorrected_volatile", 0);
	const struct {
		bool bad;
		enum verdict verdict;
		const char *what;
	} rows[] = {
		{ !hf_dict_bool(d, "answers", false), DRAIN, "does not answer" },
		{ errors > 0, DRAIN, "had memory errors that cannot be corrected" },
		{ hf_dict_bool(d, "remap_failed", false), DRAIN, "could not replace a row of memory" },
		{ hf_dict_bool(d, "remap_pending", false), DEGRADED,
			"replaces a row of memory at its next reset" },
		{ (hf_dict_int(d, "throttle_mask", 0) & HARDWARE_THROTTLE) != 0, DEGRADED,
			"is slowed down by its hardware" },
		{ hf_dict_int(d, "nvlinks_up", 0) < hf_dict_int(d, "nvlinks", 0) &&
				hf_dict_int(d, "nvlinks_up", 0) > 0,
			DEGRADED, "has links that are down" },
	};
	for (size_t i = 0; i < HF_COUNT(rows); i++)
		if (rows[i].bad) {
			found(h, rows[i].verdict, hf_sprintf(h->a, "GPU %lld %s", index, rows[i].what));
			if (i == 0)
				return; /* the rest was not answered */
		}
}

static void driver_judge(struct health *h, const struct params *p, struct hf_value **ret)
{
	struct hf_error why = { 0 };
	int result = hf_nvml_query(h->a, p->library, (unsigned)p->deadline_ms, ret, &why);
	if (result == -HF_E_NOT_FOUND && p->count == 0)
		return; /* no driver, and none was asked for */
	if (result < 0) {
		found(h, DRAIN, why.text);
		return;
	}
	const struct hf_value *devices = hf_dict_get(*ret, "devices");
	int64_t answering = 0;
	for (size_t i = 0; i < hf_list_len(devices); i++) {
		device_judge(h, hf_list_at(devices, i));
		answering += hf_dict_bool(hf_list_at(devices, i), "answers", false);
	}
	if (p->count > 0 && answering != p->count)
		found(h, DRAIN,
			hf_sprintf(h->a, "%lld GPUs answer, %lld are wanted", (long long)answering,
				(long long)p->count));
}

static int file_check(struct hf_module_context *c, const struct params *p, struct hf_change *change,
	struct health *h, struct hf_error *err)
{
	if (*p->ready_file == '\0')
		return 0;
	int result = hf_edit_open(c, p->ready_file, 0644, &h->file, err);
	if (result < 0)
		return result;
	hf_auto_buf out = hf_buf_init(HF_EDIT_MAX);
	hf_buf_printf(&out, "%s\n", verdicts[h->verdict]);
	if (!hf_str_equal(h->file.before, hf_buf_str(&out))) {
		h->writes = true;
		hf_edit_set(c, &h->file, &out);
	}
	hf_edit_describe(c, change, &h->file);
	return 0;
}

static const char *reasons_text(const struct health *h)
{
	const char *text = verdicts[h->verdict];
	for (size_t i = 0; i < hf_list_len(h->reasons); i++)
		text = hf_sprintf(h->a, "%s%s %s", text, i == 0 ? ":" : ";",
			hf_value_text(h->a, hf_list_at(h->reasons, i)).p);
	return text;
}

static int verdict_tell(const struct params *p, const struct health *h, struct hf_error *err)
{
	bool fails = (strcmp(p->fail_on, "degraded") == 0 && h->verdict >= DEGRADED) ||
		     (strcmp(p->fail_on, "drain") == 0 && h->verdict == DRAIN);
	return fails ? hf_fail(err, HF_E_TASK, "%s", reasons_text(h)) : 0;
}

static int gpu_health_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct health *h = hf_new(a, struct health);
	struct hf_value *gpu = NULL;
	struct hf_str log = { 0 };
	*h = (struct health){ .a = a, .reasons = hf_value_list(a) };
	change->state = h;
	if (p->deadline_ms < 1 || p->deadline_ms > 600000)
		return hf_fail(err, HF_E_ARGUMENT, "deadline_ms must be from 1 to 600000");
	int result = hf_kmsg_read(a, p->kmsg, &log, err);
	if (result < 0)
		return result;
	struct hf_value *events = hf_kmsg_events(a, log, p->xids);
	events_judge(h, events);
	driver_judge(h, p, &gpu);
	hf_result_cstr(c, change, "verdict", verdicts[h->verdict]);
	hf_result_put(c, change, "reasons", h->reasons);
	hf_result_put(c, change, "events", events);
	if (gpu != NULL)
		hf_result_put(c, change, "gpus", gpu);
	result = file_check(c, p, change, h, err);
	/* Where a file is to be written first, apply tells the verdict. */
	return result < 0 || (h->writes && !hf_task_check_mode(c)) ? result : verdict_tell(p, h, err);
}

static int gpu_health_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	struct health *h = change->state;
	(void)c;
	int result = hf_edit_write(&h->file, err);
	return result < 0 ? result : verdict_tell(params, h, err);
}

static int gpu_health_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	struct health *h = change->state;
	(void)c;
	(void)params;
	return hf_edit_undo(undo, &h->file, err);
}

static void gpu_health_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	(void)c;
	(void)params;
	hf_watch_poll(w, POLL_SECONDS);
}

static const char *const aliases[] = { "holdfast.gpu.health", NULL };
const struct hf_module hf_module_gpu_health = {
	.name = "gpu_health",
	.collection = "holdfast",
	.aliases = aliases,
	.schema = { args, NULL, sizeof(struct params) },
	.flags = HF_MODULE_NO_DIFF,
	.check = gpu_health_check,
	.apply = gpu_health_apply,
	.undo = gpu_health_undo,
	.watch = gpu_health_watch,
};
