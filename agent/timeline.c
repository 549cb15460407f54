#include "agent/timeline.h"

#include <time.h>

#include "agent/timeline_of.h"
#include "lib/base/fs.h"
#include "lib/base/time.h"
#include "lib/data/json.h"

/* Written by the user data when it begins; gone with the boot. */
#define BOOTSTRAP_MARK "/run/holdfast-boot/0"
enum { MARK_MAX = 64, MARKS_MAX = 4096 };
static const char key_marks[] = "timeline";

static struct hf_value *marks_load(const struct hf_agent *agent, struct hf_arena *a)
{
	const char *text = NULL;
	struct hf_value *v = NULL;
	HF_MUST(hf_state_get(agent->state, a, key_marks, &text, err));
	if (text != NULL)
		HF_MUST(hf_json_parse(a, hf_str(text), key_marks, &v, err));
	return v;
}

static void marks_store(struct hf_agent *agent, const struct hf_value *marks)
{
	hf_auto_buf b = hf_buf_init(MARKS_MAX);
	struct hf_json_style style = HF_JSON_COMPACT;
	HF_MUST(hf_json_write(&b, marks, &style, err));
	HF_MUST(hf_state_set(agent->state, key_marks, hf_buf_str(&b).p, err));
}

static int64_t boot_at(void)
{
	struct timespec up;
	if (clock_gettime(CLOCK_BOOTTIME, &up) < 0)
		return 0;
	return hf_time_now_ms() - ((int64_t)up.tv_sec * 1000 + up.tv_nsec / 1000000);
}

void hf_timeline_start(struct hf_agent *agent)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_str text = { 0 };
	int64_t began = 0;
	if (agent->installed.release != NULL || marks_load(agent, a) != NULL)
		return;
	struct hf_value *marks = hf_value_dict(a);
	hf_dict_put(marks, "boot_at", hf_value_int(a, boot_at()));
	if (hf_fs_read(a, BOOTSTRAP_MARK, MARK_MAX, &text, NULL) == 0 &&
		hf_str_to_int64(hf_str_trim(text), &began))
		hf_dict_put(marks, "bootstrap_at", hf_value_int(a, began * 1000));
	hf_dict_put(marks, "agent_at", hf_value_int(a, hf_time_now_ms()));
	marks_store(agent, marks);
}

void hf_timeline_mark(struct hf_agent *agent, const char *key)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_value *marks = marks_load(agent, a);
	if (marks == NULL || hf_dict_get(marks, "ready_at") != NULL)
		return;
	hf_dict_put(marks, key, hf_value_int(a, hf_time_now_ms()));
	marks_store(agent, marks);
}

void hf_timeline_fetched(struct hf_agent *agent, int64_t fetch_ms, int64_t verify_ms)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_value *marks = marks_load(agent, a);
	if (marks == NULL || hf_dict_get(marks, "ready_at") != NULL)
		return;
	hf_dict_put(marks, "fetch_ms", hf_value_int(a, fetch_ms));
	hf_dict_put(marks, "verify_ms", hf_value_int(a, verify_ms));
	marks_store(agent, marks);
}

struct hf_value *hf_timeline_value(const struct hf_agent *agent, struct hf_arena *a)
{
	return hf_timeline_of(a, marks_load(agent, a));
}
