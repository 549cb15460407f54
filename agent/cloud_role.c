#include "agent/cloud_role.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/child.h"
#include "agent/cloud_body.h"
#include "agent/sandbox.h"
#include "lib/base/curl_late.h"
#include "lib/base/log.h"
#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "lib/net/aws_json.h"
#include "lib/net/imds.h"
#include "lib/release/store.h"

struct role {
	struct hf_cloud_job *job;
	struct hf_arena *arena;
	int socket;
	int *files; /* descriptors of the whole reports, opened while files could be */
	struct hf_aws aws;
	const char *instance, *region; /* NULL: not known yet */
};

static const struct hf_aws_io *io(void)
{
	return &hf_aws_io_process;
}

static int call(struct role *r, const char *service, const char *target, struct hf_value *body,
	struct hf_value **ret, const char **ret_code, struct hf_error *err)
{
	r->region = r->region != NULL ? r->region : r->job->config->aws.region;
	int result = r->region == NULL ? hf_aws_region(r->arena, io(), &r->region, err) : 0;
	const struct hf_aws_json one = {
		.service = service, .target = target, .region = r->region, .body = body
	};
	return result < 0 ? result : hf_aws_json_call(&r->aws, r->arena, io(), &one, ret, ret_code, err);
}

/* --- destinations
 * ---------------------------------------------------------------------------------------------------------
 */

/* The group and the stream come into being with the first report. One that is there already is as good. */
static int stream_make(struct role *r, bool group, struct hf_error *err)
{
	const struct hf_config *c = r->job->config;
	struct hf_value *body = hf_value_dict(r->arena), *answer;
	const char *code = "";
	hf_dict_put(body, "logGroupName", hf_value_cstr(r->arena, c->aws.log_group));
	if (!group)
		hf_dict_put(body, "logStreamName", hf_value_cstr(r->arena, c->host));
	int result = call(r, "logs", group ? "Logs_20140328.CreateLogGroup" : "Logs_20140328.CreateLogStream",
		body, &answer, &code, err);
	return strcmp(code, "ResourceAlreadyExistsException") == 0 ? 0 : result;
}

static int logs_put(struct role *r, struct hf_value *body, struct hf_error *err)
{
	static const char *const put = "Logs_20140328.PutLogEvents";
	struct hf_value *answer;
	const char *code = "";
	struct hf_error first = { 0 };
	int result = call(r, "logs", put, body, &answer, &code, err);
	if (result == 0 || strcmp(code, "ResourceNotFoundException") != 0)
		return result;
	if (stream_make(r, false, &first) < 0 &&
		((result = stream_make(r, true, err)) < 0 || (result = stream_make(r, false, err)) < 0))
		return result;
	return call(r, "logs", put, body, &answer, &code, err);
}

static int send_logs(struct role *r, struct hf_error *err)
{
	int result = 0;
	for (size_t at = 0; at < r->job->logs.n && result == 0;)
		result = logs_put(r, hf_cloud_logs(r->arena, r->job->config, &r->job->logs, &at), err);
	return result;
}

/* The answer is a success even where entries of it are none. */
static int events_check(const struct hf_value *answer, struct hf_error *err)
{
	const struct hf_value *entries = hf_dict_get(answer, "Entries");
	if (hf_dict_int(answer, "FailedEntryCount", 0) == 0)
		return 0;
	for (size_t i = 0; hf_is(entries, HF_LIST) && i < hf_list_len(entries); i++)
		if (hf_dict_get(hf_list_at(entries, i), "ErrorCode") != NULL)
			return hf_fail(err, HF_E_NET, "AWSEvents.PutEvents: %s: %s",
				hf_dict_cstr(hf_list_at(entries, i), "ErrorCode", ""),
				hf_dict_cstr(hf_list_at(entries, i), "ErrorMessage", ""));
	return hf_fail(err, HF_E_NET, "AWSEvents.PutEvents: some entries failed");
}

static int send_events(struct role *r, struct hf_error *err)
{
	int result = 0;
	for (size_t at = 0; at < r->job->events.n && result == 0;) {
		struct hf_value *answer = NULL;
		const char *code = "";
		result = call(r, "events", "AWSEvents.PutEvents",
			hf_cloud_events(r->arena, r->job->config, &r->job->events, &at), &answer, &code, err);
		if (result == 0)
			result = events_check(answer, err);
	}
	return result;
}

static int instance_find(struct role *r, struct hf_error *err)
{
	hf_auto_imds imds = NULL;
	struct hf_str text = { 0 };
	r->instance = r->instance != NULL ? r->instance : r->job->config->aws.instance;
	if (r->instance != NULL)
		return 0;
	int result = hf_imds_new(io(), &imds, err);
	if (result == 0)
		result = hf_imds_get(imds, r->arena, "meta-data/instance-id", &text, err);
	if (result < 0)
		return hf_wrap(err, "which instance this is (give aws: instance)");
	r->instance = hf_str_dup(r->arena, hf_str_trim(text));
	return 0;
}

static int send_managed(
	struct role *r, const char *target, const char *key, struct hf_value *body, struct hf_error *err)
{
	struct hf_value *answer;
	const char *code = "";
	int result = instance_find(r, err);
	if (result < 0)
		return result;
	hf_dict_put(body, key, hf_value_cstr(r->arena, r->instance));
	return call(r, "ssm", target, body, &answer, &code, err);
}

static int send_compliance(struct role *r, struct hf_error *err)
{
	return send_managed(r, "AmazonSSM.PutComplianceItems", "ResourceId", r->job->compliance, err);
}

static int send_inventory(struct role *r, struct hf_error *err)
{
	return send_managed(r, "AmazonSSM.PutInventory", "InstanceId", r->job->inventory, err);
}

/* A key holds the hash of what lies there: one that exists already is our own earlier try. */
static int send_reports(struct role *r, struct hf_error *err)
{
	enum { TIMEOUT_MS = 60000 };
	const struct hf_outbox_rows *rows = &r->job->reports;
	hf_auto_store store = NULL;
	int result = hf_store_open(r->arena, r->job->config->run_reports,
		&(struct hf_store_options){ .timeout_ms = TIMEOUT_MS }, &store, err);
	for (size_t i = 0; i < rows->n && result == 0; i++) {
		struct stat st;
		if (r->files[i] < 0 || fstat(r->files[i], &st) < 0)
			continue; /* pushed out for room before it could be sent */
		struct hf_store_put put = { .key = rows->at[i].kind,
			.fd = r->files[i],
			.size = (uint64_t)st.st_size,
			.when = HF_PUT_CREATE };
		if ((result = hf_store_put(store, &put, err)) == -HF_E_CONFLICT)
			result = 0;
	}
	return result;
}

static int (*const senders[HF_SINKS])(struct role *r, struct hf_error *err) = {
	[HF_SINK_LOGS] = send_logs,
	[HF_SINK_EVENTS] = send_events,
	[HF_SINK_COMPLIANCE] = send_compliance,
	[HF_SINK_INVENTORY] = send_inventory,
	[HF_SINK_REPORTS] = send_reports,
};

/* --- the role
 * ------------------------------------------------------------------------------------------------------- */

static int tell(
	struct role *r, enum hf_sink sink, int result, const struct hf_error *why, struct hf_error *err)
{
	struct hf_value *line = hf_value_dict(r->arena);
	hf_auto_buf b = hf_buf_init(HF_CHILD_LINE_MAX);
	struct hf_json_style style = HF_JSON_COMPACT;
	hf_dict_put(line, "k", hf_value_cstr(r->arena, result < 0 ? "failed" : "done"));
	hf_dict_put(line, "sink", hf_value_cstr(r->arena, hf_sink_names[sink]));
	if (result < 0) {
		hf_dict_put(line, "text", hf_value_cstr(r->arena, why->text));
		hf_dict_put(line, "hopeless",
			hf_value_bool(r->arena, result == -HF_E_ARGUMENT || result == -HF_E_LIMIT));
	}
	result = hf_json_write(&b, line, &style, err);
	return result < 0 ? result : hf_child_tell(r->socket, hf_buf_str(&b), err);
}

static int sink_serve(struct role *r, enum hf_sink sink, struct hf_error *err)
{
	struct hf_error why = { 0 };
	int result = senders[sink](r, &why);
	return tell(r, sink, result, &why, err);
}

/* Reports into a folder need no network and no other user; everything else is done without rights. */
static bool in_folder(const struct hf_config *c)
{
	return c->run_reports != NULL && hf_str_starts(hf_str(c->run_reports), "file://");
}

static int client_make(struct role *r, struct hf_error *err)
{
	const char *missing = NULL;
	const struct hf_http_options options = { 0 };
	int result = hf_curl_ready(err); /* behind the sandbox no library can be opened */
	if (result == 0)
		result = hf_sandbox_enter(HF_SANDBOX_STORE, r->job->config->user, &missing, err);
	if (result == 0)
		result = hf_aws_http_new(io(), &options, &r->aws.http, err);
	r->aws.credentials = hf_credentials_new(io());
	return result;
}

static int serve(struct role *r, struct hf_error *err)
{
	struct hf_cloud_job *job = r->job;
	bool folder = in_folder(job->config);
	int result = 0;
	r->files = hf_new_array(r->arena, job->reports.n, int);
	for (size_t i = 0; i < job->reports.n; i++)
		r->files[i] = open(job->reports.at[i].body.p, O_RDONLY | O_CLOEXEC);
	if (folder && job->want[HF_SINK_REPORTS])
		result = sink_serve(r, HF_SINK_REPORTS, err);
	job->want[HF_SINK_REPORTS] = job->want[HF_SINK_REPORTS] && !folder;
	bool more = false;
	for (int i = 0; i < HF_SINKS; i++)
		more = more || job->want[i];
	if (result == 0 && more)
		result = client_make(r, err);
	for (int i = 0; i < HF_SINKS && result == 0; i++)
		if (job->want[i])
			result = sink_serve(r, (enum hf_sink)i, err);
	return result;
}

int hf_cloud_role_body(int socket, struct hf_cloud_job *job)
{
	struct role r = { .job = job, .arena = job->arena, .socket = socket };
	struct hf_error err = { 0 };
	if (serve(&r, &err) == 0)
		return 0;
	hf_log(HF_LOG_ERROR, "aws role: %s", err.text);
	return 1;
}
