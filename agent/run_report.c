#include "agent/run_report.h"

#include "agent/job.h"
#include "agent/runlog.h"
#include "lib/base/digest.h"
#include "lib/base/fs.h"
#include "lib/data/json.h"

enum { TAIL = 64, LINE_MAX_BYTES = 256 << 10 };

struct story {
	struct hf_buf text;
	const char *phase;
	bool first, cut;
};

static void member_copy(
	struct hf_arena *a, struct hf_value *to, const struct hf_value *from, const char *key, const char *as)
{
	struct hf_value *v = hf_dict_get(from, key);
	if (v != NULL)
		hf_dict_put(to, as, hf_value_copy(a, v));
}

/* What is told of a line; NULL: nothing. */
static struct hf_value *line_tell(struct hf_arena *a, const char *kind, const struct hf_value *line)
{
	static const char *const settled[] = { "id", "title", "module", "status", "file", "line", "handler" };
	static const char *const event[] = { "task", "module", "item", "status", "changed", "ms", "msg",
		"diff" };
	static const char *const undone[] = { "id", "title", "impossible", "reason" };
	static const struct {
		const char *kind;
		const char *const *keys;
		size_t n;
	} kinds[] = { { "settled", settled, HF_COUNT(settled) }, { "event", event, HF_COUNT(event) },
		{ "undone", undone, HF_COUNT(undone) } };
	const struct hf_value *from = strcmp(kind, "event") == 0 ? hf_dict_get(line, "event") : line;
	for (size_t i = 0; i < HF_COUNT(kinds); i++) {
		if (strcmp(kind, kinds[i].kind) != 0 || !hf_is(from, HF_DICT))
			continue;
		struct hf_value *out = hf_value_dict(a);
		for (size_t k = 0; k < kinds[i].n; k++)
			member_copy(a, out, from, kinds[i].keys[k], kinds[i].keys[k]);
		return out;
	}
	return NULL;
}

static int on_line(
	void *data, struct hf_arena *a, const char *kind, struct hf_value *line, struct hf_error *err)
{
	struct story *s = data;
	struct hf_json_style style = HF_JSON_COMPACT;
	style.hide_secrets = true;
	struct hf_value *told = line_tell(a, kind, line);
	if (told == NULL || s->cut)
		return 0;
	hf_dict_put(told, "k", hf_value_cstr(a, kind));
	hf_dict_put(told, "phase", hf_value_cstr(a, s->phase));
	hf_auto_buf b = hf_buf_init(LINE_MAX_BYTES);
	if (hf_json_write(&b, told, &style, err) < 0 || b.failed ||
		s->text.n + b.n + TAIL > HF_RUN_REPORT_MAX) {
		s->cut = true;
		return 0;
	}
	hf_buf_puts(&s->text, s->first ? "\n" : ",\n");
	hf_buf_add(&s->text, hf_buf_str(&b));
	s->first = false;
	return 0;
}

static int story_write(struct hf_agent *agent, struct hf_arena *a, int64_t run, const struct hf_value *row,
	struct story *s, struct hf_error *err)
{
	static const char *const phases[] = { "undo", "apply", "revert", "restore", "drift" };
	struct hf_json_style style = HF_JSON_COMPACT;
	int result = hf_json_write(&s->text, row, &style, err);
	if (result < 0)
		return result;
	s->text.n--; /* its "}" comes at the end */
	hf_buf_printf(&s->text, ",\"v\":1,\"host\":\"%s\",\"boot\":\"%s\",\"lines\":[", agent->config.host,
		hf_spool_boot(agent->spool));
	for (size_t i = 0; i < HF_COUNT(phases) && result == 0; i++) {
		s->phase = phases[i];
		result = hf_runlog_read(hf_job_log(agent, a, run, phases[i]), on_line, s, err);
	}
	hf_buf_printf(&s->text, "\n],\"cut\":%s}\n", s->cut ? "true" : "false");
	return result < 0 ? result : hf_buf_check(&s->text, "the report of a run", err);
}

int hf_run_report_write(struct hf_agent *agent, struct hf_arena *a, int64_t run, const struct hf_value *row,
	struct hf_run_report *ret, struct hf_error *err)
{
	struct story s = { .text = hf_buf_init(HF_RUN_REPORT_MAX), .first = true };
	const struct hf_config *c = &agent->config;
	char *hex = hf_alloc(a, HF_SHA256_HEX);
	int result = story_write(agent, a, run, row, &s, err);
	if (result == 0) {
		struct hf_digest d = hf_sha256(hf_buf_str(&s.text));
		hf_digest_hex(&d, hex);
		const char *name = hf_sprintf(a, "%lld-%s", (long long)run, hex);
		const struct hf_fs_attr attr = { 0600, HF_KEEP_UID, HF_KEEP_GID, false };
		*ret = (struct hf_run_report){ .path = hf_sprintf(a, "%s/reports/%s", c->state_dir, name),
			.key = hf_sprintf(a, "%s/%s/%s/%s.json", c->environment, c->fleet, c->host, name),
			.sha256 = hex,
			.size = (int64_t)s.text.n };
		result = hf_fs_replace(ret->path, hf_buf_str(&s.text), attr, err);
	}
	hf_buf_done(&s.text);
	return result;
}
