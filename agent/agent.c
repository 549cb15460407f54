#include "agent/agent.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/time.h"
#include "lib/data/json.h"

enum { ACCURACY_US = 100000, EXACT_US = 500 };

void hf_agent_fatal(const struct hf_error *err)
{
	hf_log(HF_LOG_ERROR, "cannot go on: %s", err->text);
	exit(1);
}

int hf_target_parse(const char *json, struct hf_target *ret, struct hf_error *err)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_value *v = NULL;
	int result = hf_json_parse(a, hf_str(json), "target", &v, err);
	if (result < 0)
		return result;
	*ret = (struct hf_target){
		.release = hf_dict_cstr(v, "release", NULL),
		.name = hf_dict_cstr(v, "name", ""),
		.entry = hf_dict_cstr(v, "entry", ""),
		.kind = hf_dict_cstr(v, "kind", "forward"),
		.reason = hf_dict_cstr(v, "reason", ""),
		.seq = hf_dict_int(v, "seq", 0),
		.issued = hf_dict_int(v, "issued", 0),
		.gates = hf_dict_get(v, "gates"),
		.rollout = hf_dict_get(v, "rollout"),
	};
	ret->arena = hf_take_arena(&a);
	return 0;
}

void hf_target_replace(struct hf_target *t, struct hf_target *with)
{
	hf_arena_free(t->arena);
	*t = *with;
	*with = (struct hf_target){ 0 };
}

bool hf_target_same(const struct hf_target *a, const struct hf_target *b)
{
	return a->release != NULL && b->release != NULL && strcmp(a->release, b->release) == 0;
}

sd_event_source *hf_timer_new(sd_event *loop, bool exact, sd_event_time_handler_t handler, void *data)
{
	sd_event_source *s = NULL;
	int r = sd_event_add_time(
		loop, &s, CLOCK_MONOTONIC, 0, exact ? EXACT_US : ACCURACY_US, handler, data);
	if (r >= 0)
		r = sd_event_source_set_enabled(s, SD_EVENT_OFF);
	if (r < 0) {
		struct hf_error err = { 0 };
		errno = -r;
		hf_fail_errno(&err, HF_E_IO, "timer");
		hf_agent_fatal(&err);
	}
	return s;
}

void hf_timer_set(sd_event_source *timer, uint64_t in_ms)
{
	sd_event_source_set_time(timer, (hf_time_monotonic_ms() + in_ms) * 1000);
	sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

void hf_timer_stop(sd_event_source *timer)
{
	sd_event_source_set_enabled(timer, SD_EVENT_OFF);
}
