#include "agent/notice_role.h"

#include <stdio.h>
#include <time.h>

#include "agent/child.h"
#include "agent/sandbox.h"
#include "lib/base/curl_late.h"
#include "lib/base/log.h"
#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "lib/net/imds.h"

enum { LINE_MAX_BYTES = 4096 };

struct heard {
	const char *kind, *action, *time;
};

/* 0: there is one; 1: there is none. */
static int document_get(struct hf_imds *imds, struct hf_arena *a, const char *path, struct hf_value **ret,
	struct hf_error *err)
{
	struct hf_str text = { 0 };
	int result = hf_imds_get(imds, a, path, &text, err);
	if (result == -HF_E_NOT_FOUND)
		return 1;
	if (result == 0)
		result = hf_json_parse(a, text, path, ret, err);
	return result < 0 ? result : hf_is(*ret, HF_DICT) ? 0 : 1;
}

static int ask(struct hf_imds *imds, struct hf_arena *a, struct heard *ret, struct hf_error *err)
{
	struct hf_value *v = NULL;
	*ret = (struct heard){ "none", "", "" };
	int result = document_get(imds, a, "meta-data/spot/instance-action", &v, err);
	if (result == 0)
		*ret = (struct heard){ "interruption", hf_dict_cstr(v, "action", ""),
			hf_dict_cstr(v, "time", "") };
	else if (result == 1 &&
		 (result = document_get(imds, a, "meta-data/events/recommendations/rebalance", &v, err)) == 0)
		*ret = (struct heard){ "rebalance", "", hf_dict_cstr(v, "noticeTime", "") };
	return result < 0 ? result : 0;
}

/* The line that tells it; "" when it cannot be written. */
static const char *line_of(struct hf_arena *a, const struct heard *h)
{
	hf_auto_buf b = hf_buf_init(LINE_MAX_BYTES);
	struct hf_json_style style = HF_JSON_COMPACT;
	struct hf_value *v = hf_value_dict(a);
	hf_dict_put(v, "k", hf_value_cstr(a, "notice"));
	hf_dict_put(v, "kind", hf_value_cstr(a, h->kind));
	hf_dict_put(v, "action", hf_value_cstr(a, h->action));
	hf_dict_put(v, "time", hf_value_cstr(a, h->time));
	return hf_json_write(&b, v, &style, NULL) < 0 || b.failed ? "" : hf_str_dup(a, hf_buf_str(&b));
}

/* Only spot instances are interrupted; others need not be asked about every few seconds. */
static int can_come(struct hf_imds *imds, const struct hf_config *c, bool *ret, struct hf_error *err)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_str life = { 0 };
	*ret = c->drain.notices == HF_NOTICES_ALWAYS;
	if (*ret)
		return 0;
	int result = hf_imds_get(imds, a, "meta-data/instance-life-cycle", &life, err);
	*ret = result == 0 && hf_str_is(hf_str_trim(life), "spot");
	return result == -HF_E_NOT_FOUND ? 0 : result;
}

static int watch(struct hf_imds *imds, const struct hf_config *c, int socket, struct hf_error *err)
{
	const struct timespec wait = { .tv_sec = c->drain.every_s };
	char told[LINE_MAX_BYTES] = "";
	bool answered = true;
	for (;;) {
		hf_auto_arena a = hf_arena_new();
		struct heard h;
		struct hf_error why = { 0 };
		if (ask(imds, a, &h, &why) < 0) {
			if (answered)
				hf_log(HF_LOG_WARNING, "notices: %s", why.text);
			answered = false;
		} else {
			const char *line = line_of(a, &h);
			answered = true;
			if (*line != '\0' && strcmp(line, told) != 0) {
				int result = hf_child_tell(socket, hf_str(line), err);
				if (result < 0)
					return result;
				snprintf(told, sizeof(told), "%s", line);
			}
		}
		nanosleep(&wait, NULL);
	}
}

int hf_notice_role_body(int socket, const struct hf_config *c)
{
	hf_auto_imds imds = NULL;
	struct hf_error err = { 0 };
	const char *missing = NULL;
	bool comes = false;
	int result = hf_curl_ready(&err); /* behind the sandbox no library can be opened */
	if (result == 0)
		result = hf_sandbox_enter(HF_SANDBOX_STORE, c->user, &missing, &err);
	if (result == 0)
		result = hf_imds_new(&hf_aws_io_process, &imds, &err);
	if (result == 0)
		result = can_come(imds, c, &comes, &err);
	if (result == 0)
		result = comes ? watch(imds, c, socket, &err)
			       : hf_child_tell(socket, HF_STR("{\"k\":\"never\"}"), &err);
	if (result < 0)
		hf_log(HF_LOG_WARNING, "notices: %s", err.text);
	return result < 0;
}
