#include "cli/ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "lib/data/json.h"

#define SOCKET_PATH "/run/holdfast/ctl.sock"
enum { ANSWER_MAX = 64 << 20, REQUEST_MAX = 64 << 10, PATIENCE_S = 30 };

static int agent_connect(const char *path, int *ret, struct hf_error *err)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = PATIENCE_S };
	if (strlen(path) >= sizeof(at.sun_path))
		return hf_fail(err, HF_E_ARGUMENT, "socket path %s is too long", path);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	hf_auto_fd fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return hf_fail_errno(err, HF_E_IO, "socket");
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		return hf_fail_errno(
			err, errno == EACCES ? HF_E_DENIED : HF_E_NOT_FOUND, "no agent answers at %s", path);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	*ret = hf_take_fd(&fd);
	return 0;
}

static enum hf_code code_find(const char *name)
{
	for (int i = HF_OK; i <= HF_E_INTERNAL; i++)
		if (strcmp(hf_code_name((enum hf_code)i), name) == 0)
			return (enum hf_code)i;
	return HF_E_INTERNAL;
}

int cli_ask(const struct cli_call *call, const char *name, struct hf_value *request, struct hf_value **ret,
	struct hf_error *err)
{
	struct hf_arena *a = call->arena;
	const char *env = getenv("HOLDFAST_SOCKET");
	const char *path = cli_value(call, "socket", env != NULL ? env : SOCKET_PATH);
	hf_auto_fd fd = -1;
	hf_auto_buf out = hf_buf_init(REQUEST_MAX);
	struct hf_json_style style = HF_JSON_COMPACT;
	struct hf_str text;
	struct hf_value *answer = NULL, *full = request != NULL ? request : hf_value_dict(a);
	hf_dict_put(full, "command", hf_value_cstr(a, name));
	int result = hf_json_write(&out, full, &style, err);
	hf_buf_put(&out, '\n');
	if (result == 0)
		result = hf_buf_check(&out, "the request", err);
	if (result < 0 || (result = agent_connect(path, &fd, err)) < 0 ||
		(result = hf_fs_write_all(fd, hf_buf_str(&out), err)) < 0 ||
		(result = hf_fs_read_fd(a, fd, ANSWER_MAX, &text, err)) < 0 ||
		(result = hf_json_loads(a, text, &answer, err)) < 0)
		return result;
	if (hf_dict_get(answer, "error") != NULL)
		return hf_fail(err, code_find(hf_dict_cstr(answer, "code", "")), "%s",
			hf_dict_cstr(answer, "error", ""));
	*ret = answer;
	return 0;
}

int cli_ask_print_json(const struct cli_call *call, const struct hf_value *v)
{
	hf_auto_buf b = hf_buf_init(ANSWER_MAX);
	struct hf_json_style style = HF_JSON_PRETTY;
	struct hf_error err = { 0 };
	if (hf_json_write(&b, v, &style, &err) < 0)
		return cli_fail(call, &err);
	printf("%s\n", hf_buf_str(&b).p);
	return CLI_OK;
}

const char *cli_ask_ago(struct hf_arena *a, int64_t then)
{
	static const struct {
		int64_t seconds;
		const char *unit;
	} units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "min" }, { 1, "s" } };
	int64_t past = hf_time_now() - then;
	for (size_t i = 0; i < HF_COUNT(units); i++)
		if (past >= 2 * units[i].seconds || units[i].seconds == 1)
			return hf_sprintf(a, "%lld %s ago",
				(long long)(past < 0 ? 0 : past / units[i].seconds), units[i].unit);
	return "now";
}

static void text_indent(const char *sign, const char *text)
{
	struct hf_str rest = hf_str(text), line;
	while (hf_str_split(&rest, '\n', &line))
		if (line.n > 0 || rest.n > 0)
			printf("    %s%.*s\n", sign, HF_STR_ARG(line));
}

static void value_indent(const char *sign, const struct hf_value *v)
{
	hf_auto_buf b = hf_buf_init(ANSWER_MAX);
	struct hf_json_style style = HF_JSON_PRETTY;
	if (v == NULL || v->type == HF_NULL)
		return;
	if (v->type == HF_STRING)
		text_indent(sign, v->u.string.p);
	else if (hf_json_write(&b, v, &style, NULL) == 0)
		text_indent(sign, hf_buf_str(&b).p);
}

void cli_ask_print_diff(const struct hf_value *diff)
{
	if (hf_is(diff, HF_LIST)) {
		for (size_t i = 0; i < hf_list_len(diff); i++)
			cli_ask_print_diff(hf_list_at(diff, i));
	} else if (hf_is(diff, HF_DICT)) {
		const char *header =
			hf_dict_cstr(diff, "before_header", hf_dict_cstr(diff, "after_header", NULL));
		if (header != NULL)
			printf("    %s\n", header);
		if (hf_dict_get(diff, "prepared") != NULL)
			value_indent("", hf_dict_get(diff, "prepared"));
		value_indent("- ", hf_dict_get(diff, "before"));
		value_indent("+ ", hf_dict_get(diff, "after"));
	}
}
