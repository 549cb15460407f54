#include "agent/cloud_body.h"

#include <stdio.h>

#include "lib/base/digest.h"
#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "lib/data/json.h"

enum { EMF_HEAD_MAX = 4096, TITLE_MAX = 500, ID_MAX = 100, DETAIL_MAX = 256, ITEM_OVERHEAD = 200 };

static void put(struct hf_value *d, struct hf_arena *a, const char *key, const char *text)
{
	hf_dict_put(d, key, hf_value_cstr(a, text == NULL ? "" : text));
}

/* --- CloudWatch Logs, embedded metric format
 * ---------------------------------------------------------------------------- */

/* Numbers of a report that are metrics: members of its body, or counted by its being there. */
static const struct {
	const char *kind, *names[5];
	const char *count; /* one more with the value 1 */
} metrics[] = {
	{ "state", { "resources", "drifted", "contended", NULL }, NULL },
	{ "run", { "ok", "changed", "failed", "skipped", NULL }, "runs" },
	{ "drift", { NULL }, "drifts" },
	{ "alarm", { NULL }, "alarms" },
};

static void metric(struct hf_buf *b, const char *name, bool *first)
{
	hf_buf_printf(b, "%s{\"Name\":\"%s\",\"Unit\":\"Count\"}", *first ? "" : ",", name);
	*first = false;
}

/* The members of the report follow those that make it a metric. */
static const char *emf_print(struct hf_arena *a, const struct hf_config *c, const struct hf_outbox_row *row)
{
	hf_auto_buf b = hf_buf_init(EMF_HEAD_MAX + row->body.n);
	const char *count = NULL;
	bool first = true;
	hf_buf_printf(&b,
		"{\"_aws\":{\"Timestamp\":%lld,\"CloudWatchMetrics\":[{\"Namespace\":\"%s\",\"Dimensions\":[["
		"\"environment\",\"fleet\"],[\"environment\",\"fleet\",\"host\"]],\"Metrics\":[",
		(long long)row->t_ms, c->aws.name_space);
	for (size_t i = 0; i < HF_COUNT(metrics); i++) {
		if (strcmp(metrics[i].kind, row->kind) != 0)
			continue;
		for (size_t j = 0; metrics[i].names[j] != NULL; j++)
			metric(&b, metrics[i].names[j], &first);
		if ((count = metrics[i].count) != NULL)
			metric(&b, count, &first);
	}
	hf_buf_printf(&b, "]}]},\"environment\":\"%s\",\"fleet\":\"%s\",", c->environment, c->fleet);
	if (count != NULL)
		hf_buf_printf(&b, "\"%s\":1,", count);
	hf_buf_append(&b, row->body.p + 1, row->body.n - 1); /* without its "{" */
	return hf_buf_dup(a, &b).p;
}

struct hf_value *hf_cloud_logs(
	struct hf_arena *a, const struct hf_config *c, const struct hf_outbox_rows *rows, size_t *at)
{
	struct hf_value *request = hf_value_dict(a), *events = hf_value_list(a);
	size_t bytes = 0, first = *at;
	int64_t latest = 0;
	for (; *at < rows->n; (*at)++) {
		const struct hf_outbox_row *row = &rows->at[*at];
		const char *message = emf_print(a, c, row);
		size_t more = strlen(message) + HF_LOGS_EVENT_OVERHEAD;
		/* A clock that was set back must not put events out of order. */
		int64_t t = row->t_ms < latest ? latest : row->t_ms;
		if (*at > first &&
			(bytes + more > HF_LOGS_BYTES_MAX || t - rows->at[first].t_ms > HF_LOGS_SPAN_MS))
			break;
		struct hf_value *event = hf_value_dict(a);
		hf_dict_put(event, "timestamp", hf_value_int(a, t));
		put(event, a, "message", message);
		hf_list_append(events, event);
		bytes += more;
		latest = t;
	}
	put(request, a, "logGroupName", c->aws.log_group);
	put(request, a, "logStreamName", c->host);
	hf_dict_put(request, "logEvents", events);
	return request;
}

/* --- EventBridge
 * -------------------------------------------------------------------------------------------------------- */

struct hf_value *hf_cloud_events(
	struct hf_arena *a, const struct hf_config *c, const struct hf_outbox_rows *rows, size_t *at)
{
	struct hf_value *request = hf_value_dict(a), *entries = hf_value_list(a);
	size_t bytes = 0, first = *at;
	for (; *at < rows->n && *at - first < HF_EVENTS_MAX; (*at)++) {
		const struct hf_outbox_row *row = &rows->at[*at];
		const char *detail = hf_sprintf(a, "{\"environment\":\"%s\",\"fleet\":\"%s\",%.*s",
			c->environment, c->fleet, (int)row->body.n - 1, row->body.p + 1);
		size_t more = strlen(detail) + 2 * DETAIL_MAX;
		if (*at > first && bytes + more > HF_EVENTS_BYTES_MAX)
			break;
		struct hf_value *entry = hf_value_dict(a);
		hf_dict_put(entry, "Time", hf_value_int(a, row->t_ms / 1000));
		put(entry, a, "Source", "holdfast");
		put(entry, a, "DetailType", "Holdfast Drift");
		put(entry, a, "Detail", detail);
		put(entry, a, "EventBusName", c->aws.event_bus);
		hf_list_append(entries, entry);
		bytes += more;
	}
	hf_dict_put(request, "Entries", entries);
	return request;
}

/* --- Systems Manager
 * -------------------------------------------------------------------------------------------------------- */

static const char *cut(struct hf_arena *a, const char *text, size_t max)
{
	size_t n = text == NULL ? 0 : strlen(text);
	if (n <= max)
		return n == 0 ? "-" : text;
	while (max > 0 && ((unsigned char)text[max] & 0xc0) == 0x80)
		max--; /* never in the middle of a character */
	return hf_strndup(a, text, max);
}

static struct hf_value *item_make(struct hf_arena *a, const char *id, const char *title, bool good)
{
	struct hf_value *item = hf_value_dict(a);
	put(item, a, "Id", cut(a, id, ID_MAX));
	put(item, a, "Title", cut(a, title, TITLE_MAX));
	put(item, a, "Severity", good ? "INFORMATIONAL" : "HIGH");
	put(item, a, "Status", good ? "COMPLIANT" : "NON_COMPLIANT");
	return item;
}

static struct hf_value *resource_item(struct hf_arena *a, const struct hf_cloud_resource *r)
{
	bool good = strcmp(r->state, "ok") == 0;
	struct hf_value *item = item_make(a, r->id, r->title, good), *details = hf_value_dict(a);
	put(details, a, "State", r->state);
	put(details, a, "Module", cut(a, r->module, DETAIL_MAX));
	if (!good && r->actor != NULL && *r->actor != '\0')
		put(details, a, "Actor", cut(a, r->actor, DETAIL_MAX));
	hf_dict_put(item, "Details", details);
	return item;
}

static const char *content_hash(struct hf_arena *a, const struct hf_value *v)
{
	hf_auto_buf b = hf_buf_init(HF_JSON_SIZE_MAX);
	struct hf_json_style style = HF_JSON_COMPACT;
	char *hex = hf_alloc(a, HF_SHA256_HEX);
	/* Names what is sent; a text that cannot be printed is refused where it is sent. */
	if (hf_json_write(&b, v, &style, NULL) < 0)
		hf_buf_clear(&b);
	struct hf_digest d = hf_sha256(hf_buf_str(&b));
	return hf_digest_hex(&d, hex);
}

struct hf_value *hf_cloud_compliance(
	struct hf_arena *a, const struct hf_cloud_resources *items, const char *run, int64_t now)
{
	struct hf_value *request = hf_value_dict(a), *summary = hf_value_dict(a), *list = hf_value_list(a);
	size_t bytes = 0, i = 0;
	for (; i < items->n && i < HF_COMPLIANCE_ITEMS_MAX && bytes < HF_COMPLIANCE_BYTES_MAX; i++) {
		const struct hf_cloud_resource *r = &items->at[i];
		hf_list_append(list, resource_item(a, r));
		bytes += strlen(r->id) + strlen(r->title) + strlen(r->module) + ITEM_OVERHEAD;
	}
	if (i < items->n || items->n == 0) {
		bool good = i == items->n || strcmp(items->at[i].state, "ok") == 0;
		hf_list_append(
			list, item_make(a, "rest", hf_sprintf(a, "%zu more resources", items->n - i), good));
	}
	hf_dict_put(summary, "ExecutionTime", hf_value_int(a, now));
	put(summary, a, "ExecutionId", cut(a, run, ID_MAX));
	put(summary, a, "ExecutionType", "holdfast");
	put(request, a, "ResourceType", "ManagedInstance");
	put(request, a, "ComplianceType", "Custom:Holdfast");
	hf_dict_put(request, "ExecutionSummary", summary);
	hf_dict_put(request, "Items", list);
	put(request, a, "ItemContentHash", content_hash(a, list));
	put(request, a, "UploadType", "COMPLETE");
	return request;
}

struct hf_value *hf_cloud_inventory(struct hf_arena *a, struct hf_value *content, int64_t now)
{
	struct hf_value *request = hf_value_dict(a), *item = hf_value_dict(a), *rows = hf_value_list(a),
			*items = hf_value_list(a);
	char when[HF_TIME_TEXT];
	hf_list_append(rows, content);
	put(item, a, "TypeName", "Custom:Holdfast");
	put(item, a, "SchemaVersion", "1.0");
	put(item, a, "CaptureTime", hf_time_print(now, when));
	put(item, a, "ContentHash", content_hash(a, rows));
	hf_dict_put(item, "Content", rows);
	hf_list_append(items, item);
	hf_dict_put(request, "Items", items);
	return request;
}
