#include "agent/first.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "agent/report.h"
#include "lib/base/log.h"

/* What a sentence contains, or the word of a refusal, and the code that stands for it; the first row that
 * fits counts. */
static const struct {
	const char *word, *text, *code, *phase;
} rows[] = {
	{ "wrong-environment", NULL, "HF-B12", "trust" },
	{ "unknown-environment", NULL, "HF-B12", "trust" },
	{ "wrong-fleet", NULL, "HF-B12", "trust" },
	{ "expired-pointer", NULL, "HF-B09", "trust" },
	{ "expired-root", NULL, "HF-B09", "trust" },
	{ "bad-signature", NULL, "HF-B11", "trust" },
	{ "", "no credentials", "HF-B02", "identity" },
	{ "", "couldn't resolve module", "HF-B19", "converge" },
	{ "", "resolve host", "HF-B03", "network" },
	{ "", "certificate has expired", "HF-B06", "network" },
	{ "", "ertificate", "HF-B05", "network" },
	{ "", "Skew", "HF-B07", "network" },
	{ "", "No space left", "HF-B13", "install" },
	{ "", "Read-only file system", "HF-B14", "install" },
	{ "", "HTTP ", "HF-B08", "network" },
	{ "", "403", "HF-B08", "network" },
	{ "", "onnect", "HF-B04", "network" },
	{ "", "nreachable", "HF-B04", "network" },
};

static const char *phase_of(const char *refusal, const char *text, const char **ret_code)
{
	for (size_t i = 0; i < HF_COUNT(rows); i++) {
		bool fits = rows[i].text == NULL ? strcmp(rows[i].word, refusal) == 0
						 : *refusal == '\0' && strstr(text, rows[i].text) != NULL;
		if (fits) {
			*ret_code = rows[i].code;
			return rows[i].phase;
		}
	}
	*ret_code = *refusal != '\0' ? "HF-B11" : "HF-B20";
	return *refusal != '\0' ? "trust" : "converge";
}

/* A file of YAML that cannot be read names its place and says what was expected. */
static bool is_yaml(const char *text)
{
	static const char *const marks[] = { ".yml:", ".yaml:" };
	for (size_t i = 0; i < HF_COUNT(marks); i++)
		if (strstr(text, marks[i]) != NULL && strstr(text, "resolve module") == NULL)
			return true;
	return false;
}

static void console_say(const char *line)
{
	hf_auto_fd fd = open("/dev/console", O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0)
		(void)!write(fd, line, strlen(line)); /* a host without a console has the journal */
}

void hf_first_failed(struct hf_agent *agent, const char *refusal, const char *text)
{
	hf_auto_arena a = hf_arena_new();
	const char *code, *phase = phase_of(refusal, text, &code), *said = NULL;
	if (agent->installed.release != NULL)
		return;
	if (strcmp(code, "HF-B20") == 0 && is_yaml(text))
		code = "HF-B18";
	const char *line = hf_sprintf(a, "holdfast: %s %s", code, text);
	HF_MUST(hf_state_get(agent->state, a, "first.said", &said, err));
	if (said != NULL && strcmp(said, line) == 0)
		return;
	HF_MUST(hf_state_set(agent->state, "first.said", line, err));
	hf_log(HF_LOG_ERROR, "%s %s", code, text);
	console_say(hf_sprintf(a, "%s\n", line));
	struct hf_value *body = hf_value_dict(a);
	hf_dict_put(body, "alarm", hf_value_cstr(a, "bootstrap"));
	hf_dict_put(body, "code", hf_value_cstr(a, code));
	hf_dict_put(body, "phase", hf_value_cstr(a, phase));
	hf_dict_put(body, "message", hf_value_cstr(a, text));
	struct hf_report r = { .topic = hf_report_topic(agent, a, "alarm"),
		.kind = "alarm",
		.flags = HF_SPOOL_QOS1,
		.prio = HF_PRIO_ALARM,
		.body = body };
	HF_MUST(hf_spool_put(agent->spool, &r, err));
	HF_MUST(hf_spool_drain(agent->spool, err));
}
