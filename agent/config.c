#include "agent/config.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/log.h"
#include "lib/data/schema.h"
#include "lib/data/yaml.h"
#include "lib/release/window.h"

enum { NAME_MAX_BYTES = 64, HOST_NAME_BYTES = 256, AWS_SPOOL_BYTES = 8 << 20 };

const char *const hf_policy_names[] = { "report", "correct", "correct-in-window", NULL };
static const char *const watch_names[] = { "auto", "inotify", NULL };
static const char *const failure_names[] = { "undo", "keep", NULL };
static const char *const level_names[] = { "error", "warning", "notice", "info", "debug", NULL };
static const enum hf_log_level levels[] = { HF_LOG_ERROR, HF_LOG_WARNING, HF_LOG_NOTICE, HF_LOG_INFO,
	HF_LOG_DEBUG };

/* As written in the file; durations are text until hf_config_load() reads them. */
struct raw {
	const char *environment, *fleet, *host, *store, *trust, *trust_sha256, *state_dir, *run_dir, *user;
	int64_t min_root, min_epoch, min_seq;
	struct hf_value *roles, *windows, *mqtt, *aws, *drain;
	const char *poll, *splay, *sweep, *hash_sweep, *run_deadline, *gate_deadline, *store_timeout, *look;
	const char *allow_agent, *run_reports;
	int64_t debounce_ms, spool_bytes, spool_keep;
	int policy, on_failure, log_level, lookups, watch;
};

#define FIELD(member) offsetof(struct raw, member)
static const struct hf_arg args[] = {
	{ "environment", HF_ARG_STR, FIELD(environment), HF_REQUIRED,
		.help = "the environment this host is in; names its channel and its topics" },
	{ "fleet", HF_ARG_STR, FIELD(fleet), HF_REQUIRED, .help = "the fleet within the environment" },
	{ "host", HF_ARG_STR, FIELD(host),
		.help = "name in reports and inventory_hostname; the host's name if not given" },
	{ "roles", HF_ARG_LIST, FIELD(roles), .elements = HF_ARG_STR, .help = "more groups this host is in" },
	{ "store", HF_ARG_STR, FIELD(store), HF_REQUIRED, .help = "s3://bucket/prefix or file:///path" },
	{ "trust", HF_ARG_STR, FIELD(trust), .dflt = HF_SYSCONFDIR "/holdfast/root.json",
		.help = "the root document trust starts from" },
	{ "trust_sha256", HF_ARG_STR, FIELD(trust_sha256), .help = "the SHA-256 that document must have" },
	{ "min_root", HF_ARG_INT, FIELD(min_root),
		.help = "roots below this version are refused, even if all state is lost" },
	{ "min_epoch", HF_ARG_INT, FIELD(min_epoch),
		.help = "pointers of key epochs below this are refused" },
	{ "min_seq", HF_ARG_INT, FIELD(min_seq),
		.help = "pointers of min_epoch with lower numbers are refused" },
	{ "allow_agent", HF_ARG_STR, FIELD(allow_agent),
		.help = "this version of the agent may run although a newer one has run here" },
	{ "state_dir", HF_ARG_STR, FIELD(state_dir), .dflt = HF_STATEDIR,
		.help = "state, objects, releases, undo journal" },
	{ "run_dir", HF_ARG_STR, FIELD(run_dir), .dflt = "/run/holdfast",
		.help = "the local command socket" },
	{ "user", HF_ARG_STR, FIELD(user), .dflt = "holdfast", .help = "whom the net role becomes" },
	{ "poll", HF_ARG_STR, FIELD(poll), .dflt = "60s", .help = "how often the channel is asked" },
	{ "splay", HF_ARG_STR, FIELD(splay), .dflt = "10s",
		.help = "at most this much is added to each poll at random" },
	{ "store_timeout", HF_ARG_STR, FIELD(store_timeout), .dflt = "2m",
		.help = "the longest one document or object may take" },
	{ "policy", HF_ARG_ENUM, FIELD(policy), .dflt = "correct", .choices = hf_policy_names,
		.help = "what drift leads to where a task does not say" },
	{ "watch", HF_ARG_ENUM, FIELD(watch), .dflt = "auto", .choices = watch_names,
		.help = "auto: fanotify where it is allowed; inotify: that alone" },
	{ "windows", HF_ARG_LIST, FIELD(windows), .elements = HF_ARG_STR,
		.help = "when correct-in-window may correct: \"mon-fri 02:00-04:30 Europe/Berlin\"" },
	{ "on_failure", HF_ARG_ENUM, FIELD(on_failure), .dflt = "undo", .choices = failure_names,
		.help = "whether a release that fails or misses a gate is taken back" },
	{ "run_deadline", HF_ARG_STR, FIELD(run_deadline), .dflt = "2h",
		.help = "the longest a run may take" },
	{ "gate_deadline", HF_ARG_STR, FIELD(gate_deadline), .dflt = "2m",
		.help = "gates must hold by then" },
	{ "sweep", HF_ARG_STR, FIELD(sweep), .dflt = "10m",
		.help = "how often every watched thing is looked at" },
	{ "hash_sweep", HF_ARG_STR, FIELD(hash_sweep), .dflt = "6h",
		.help = "how often content is hashed as well" },
	{ "look", HF_ARG_STR, FIELD(look), .dflt = "0s",
		.help = "how often what nothing tells of is looked at; 0: as each kind asks" },
	{ "debounce_ms", HF_ARG_INT, FIELD(debounce_ms), .dflt = "3",
		.help = "events this close together are one" },
	{ "spool_bytes", HF_ARG_BYTES, FIELD(spool_bytes), .dflt = "32M",
		.help = "bound of the report spool" },
	{ "spool_keep", HF_ARG_INT, FIELD(spool_keep), .dflt = "1000",
		.help = "reports kept after the broker took them" },
	{ "lookups", HF_ARG_BOOL, FIELD(lookups), .dflt = "true",
		.help = "whether templates may look at files, the environment, the network and programs" },
	{ "log_level", HF_ARG_ENUM, FIELD(log_level), .dflt = "info", .choices = level_names },
	{ "mqtt", HF_ARG_DICT, FIELD(mqtt), .help = "the broker; without it reports stay in the spool" },
	{ "aws", HF_ARG_DICT, FIELD(aws),
		.help = "what is told to Systems Manager, CloudWatch, EventBridge" },
	{ "drain", HF_ARG_DICT, FIELD(drain), .help = "what to do when the cloud takes the instance back" },
	{ "run_reports", HF_ARG_STR, FIELD(run_reports),
		.help = "store that takes a whole report of every run: s3://bucket/prefix or file:///path" },
	{ .type = HF_ARG_END },
};
static const struct hf_schema schema = { args, NULL, sizeof(struct raw) };

struct raw_mqtt {
	const char *host, *ca, *cert, *key, *client_id, *keepalive;
	int64_t port;
};
#define MQTT(member) offsetof(struct raw_mqtt, member)
static const struct hf_arg mqtt_args[] = {
	{ "host", HF_ARG_STR, MQTT(host), HF_REQUIRED },
	{ "port", HF_ARG_INT, MQTT(port), .dflt = "8883" },
	{ "ca", HF_ARG_STR, MQTT(ca), .help = "certificates the broker's must lead to" },
	{ "cert", HF_ARG_STR, MQTT(cert), .help = "this host's certificate" },
	{ "key", HF_ARG_STR, MQTT(key), .help = "its private key" },
	{ "client_id", HF_ARG_STR, MQTT(client_id) },
	{ "keepalive", HF_ARG_STR, MQTT(keepalive), .dflt = "60s" },
	{ .type = HF_ARG_END },
};
static const char *const cert_names[] = { "cert", "key", NULL };
static const struct hf_rule mqtt_rules[] = { { HF_RULE_TOGETHER, cert_names }, { HF_RULE_END } };
static const struct hf_schema mqtt_schema = { mqtt_args, mqtt_rules, sizeof(struct raw_mqtt) };

struct raw_aws {
	const char *region, *instance, *log_group, *name_space, *event_bus;
	int64_t spool_bytes;
	int compliance, inventory;
};
#define AWS(member) offsetof(struct raw_aws, member)
static const struct hf_arg aws_args[] = {
	{ "region", HF_ARG_STR, AWS(region) },
	{ "instance", HF_ARG_STR, AWS(instance), .help = "i-… or mi-…; asked of the instance if not given" },
	{ "compliance", HF_ARG_BOOL, AWS(compliance), .dflt = "false",
		.help = "every resource as Custom:Holdfast compliance" },
	{ "inventory", HF_ARG_BOOL, AWS(inventory), .dflt = "false",
		.help = "release and state as Custom:Holdfast inventory" },
	{ "log_group", HF_ARG_STR, AWS(log_group), .help = "CloudWatch log group for reports and metrics" },
	{ "namespace", HF_ARG_STR, AWS(name_space), .dflt = "Holdfast", .help = "of the metrics" },
	{ "event_bus", HF_ARG_STR, AWS(event_bus), .help = "EventBridge bus that is told of drift" },
	{ "spool_bytes", HF_ARG_BYTES, AWS(spool_bytes), .dflt = "8M",
		.help = "bound of what waits for AWS on disk" },
	{ .type = HF_ARG_END },
};
static const struct hf_schema aws_schema = { aws_args, NULL, sizeof(struct raw_aws) };

struct raw_drain {
	const char *command, *deadline, *every;
	int notices, rebalance;
};
#define DRAIN(member) offsetof(struct raw_drain, member)
static const char *const notices_names[] = { "auto", "always", "never", NULL };
static const char *const rebalance_names[] = { "degraded", "drain", "ignore", NULL };
static const struct hf_arg drain_args[] = {
	{ "command", HF_ARG_STR, DRAIN(command), .help = "for /bin/sh, when the instance is to be left" },
	{ "deadline", HF_ARG_STR, DRAIN(deadline), .dflt = "90s", .help = "the longest it may take" },
	{ "notices", HF_ARG_ENUM, DRAIN(notices), .dflt = "auto", .choices = notices_names,
		.help = "auto: asked for on spot instances" },
	{ "rebalance", HF_ARG_ENUM, DRAIN(rebalance), .dflt = "degraded", .choices = rebalance_names,
		.help = "what a recommendation to leave leads to" },
	{ "every", HF_ARG_STR, DRAIN(every), .dflt = "5s",
		.help = "how often the instance service is asked" },
	{ .type = HF_ARG_END },
};
static const struct hf_schema drain_schema = { drain_args, NULL, sizeof(struct raw_drain) };

static int duration_read(const char *name, const char *text, int64_t *ret, struct hf_error *err)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	struct hf_str s = hf_str(text);
	int64_t factor = 1, n;
	for (size_t i = 0; i < HF_COUNT(units) && s.n > 1; i++)
		if (s.p[s.n - 1] == units[i].unit) {
			factor = units[i].seconds;
			s.n--;
			break;
		}
	if (!hf_str_to_int64(s, &n) || n < 0 || n > 366LL * 86400)
		return hf_fail(
			err, HF_E_ARGUMENT, "%s: \"%s\" is no duration: write 90s, 5m, 2h or 1d", name, text);
	*ret = n * factor;
	return 0;
}

static int durations_read(const struct raw *r, struct hf_config *c, struct hf_error *err)
{
	const struct {
		const char *name, *text;
		int64_t *ret;
	} all[] = {
		{ "poll", r->poll, &c->poll_s },
		{ "splay", r->splay, &c->splay_s },
		{ "sweep", r->sweep, &c->sweep_s },
		{ "hash_sweep", r->hash_sweep, &c->hash_sweep_s },
		{ "run_deadline", r->run_deadline, &c->run_deadline_s },
		{ "gate_deadline", r->gate_deadline, &c->gate_deadline_s },
		{ "store_timeout", r->store_timeout, &c->store_timeout_s },
		{ "look", r->look, &c->look_s },
	};
	for (size_t i = 0; i < HF_COUNT(all); i++) {
		int result = duration_read(all[i].name, all[i].text, all[i].ret, err);
		if (result < 0)
			return result;
	}
	return 0;
}

/* Environment, fleet and host are levels of a topic and parts of a key: nothing but letters, digits, ".",
 * "_", "-". */
static int name_check(const char *what, const char *name, struct hf_error *err)
{
	size_t n = strlen(name);
	bool good = n > 0 && n <= NAME_MAX_BYTES && name[0] != '.';
	for (size_t i = 0; good && i < n; i++)
		good = (name[i] >= 'a' && name[i] <= 'z') || (name[i] >= 'A' && name[i] <= 'Z') ||
		       (name[i] >= '0' && name[i] <= '9') || strchr("._-", name[i]) != NULL;
	if (!good)
		return hf_fail(err, HF_E_ARGUMENT,
			"%s \"%s\" may have up to %d letters, digits, \".\", \"_\" and \"-\"", what, name,
			NAME_MAX_BYTES);
	return 0;
}

static const char *own_name(struct hf_arena *a)
{
	char name[HOST_NAME_BYTES] = "";
	if (gethostname(name, sizeof(name) - 1) < 0 || name[0] == '\0')
		return "localhost";
	return hf_strdup(a, name);
}

/* It is a level of topics in policies of brokers, and AWS IoT Core's are of this length at most. */
static int client_id_check(const struct hf_value *mqtt, const char *id, struct hf_error *err)
{
	size_t n = id == NULL ? 1 : strlen(id);
	bool good = n > 0 && n <= HF_CLIENT_ID_MAX;
	for (size_t i = 0; id != NULL && good && i < n; i++)
		good = (unsigned char)id[i] > ' ' && (unsigned char)id[i] < 0x7f &&
		       strchr("/+#$", id[i]) == NULL;
	if (!good)
		return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(mqtt),
			"mqtt: client_id may have up to %d visible ASCII characters, none of them \"/\", "
			"\"+\", \"#\", \"$\"",
			HF_CLIENT_ID_MAX);
	return 0;
}

static int mqtt_read(struct hf_arena *a, const struct raw *r, struct hf_config *c, struct hf_error *err)
{
	if (r->mqtt == NULL)
		return 0;
	struct raw_mqtt m = { 0 };
	int result = hf_schema_bind(a, &mqtt_schema, r->mqtt, "mqtt", &m, NULL, err);
	if (result < 0)
		return result;
	struct hf_config_mqtt *out = &c->mqtt;
	*out = (struct hf_config_mqtt){ .host = m.host,
		.port = m.port,
		.ca = m.ca,
		.cert = m.cert,
		.key = m.key,
		.client_id = m.client_id };
	int refused = client_id_check(r->mqtt, m.client_id, err);
	if (refused < 0)
		return refused;
	if (m.port < 1 || m.port > 65535)
		return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(r->mqtt), "mqtt: port %lld is none",
			(long long)m.port);
	bool loopback = strcmp(m.host, "localhost") == 0 || strncmp(m.host, "127.", 4) == 0 ||
			strcmp(m.host, "::1") == 0;
	if (m.ca == NULL && !loopback)
		return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(r->mqtt),
			"mqtt: a broker elsewhere is spoken to with TLS only: give ca");
	return duration_read("mqtt: keepalive", m.keepalive, &out->keepalive_s, err);
}

static int aws_read(struct hf_arena *a, const struct raw *r, struct hf_config *c, struct hf_error *err)
{
	struct raw_aws w = { 0 };
	c->aws.spool_bytes = AWS_SPOOL_BYTES; /* of whole reports, which need no section of AWS's */
	if (r->aws == NULL)
		return 0;
	int result = hf_schema_bind(a, &aws_schema, r->aws, "aws", &w, NULL, err);
	if (result < 0)
		return result;
	if (w.spool_bytes < 1 << 20)
		return hf_fail_at(
			err, HF_E_ARGUMENT, hf_value_pos(r->aws), "aws: spool_bytes must be at least 1M");
	c->aws = (struct hf_config_aws){ .region = w.region,
		.instance = w.instance,
		.log_group = w.log_group,
		.name_space = w.name_space,
		.event_bus = w.event_bus,
		.compliance = w.compliance != 0,
		.inventory = w.inventory != 0,
		.spool_bytes = w.spool_bytes };
	return 0;
}

static int drain_read(struct hf_arena *a, const struct raw *r, struct hf_config *c, struct hf_error *err)
{
	struct raw_drain d = { 0 };
	int result = hf_schema_bind(
		a, &drain_schema, r->drain != NULL ? r->drain : hf_value_dict(a), "drain", &d, NULL, err);
	if (result < 0)
		return result;
	c->drain = (struct hf_config_drain){
		.command = d.command, .notices = d.notices, .rebalance = d.rebalance
	};
	if ((result = duration_read("drain: deadline", d.deadline, &c->drain.deadline_s, err)) < 0 ||
		(result = duration_read("drain: every", d.every, &c->drain.every_s, err)) < 0)
		return result;
	return c->drain.deadline_s < 1 || c->drain.every_s < 1
		       ? hf_fail(err, HF_E_ARGUMENT, "drain: deadline and every must be at least 1s")
		       : 0;
}

static int lists_read(struct hf_arena *a, const struct raw *r, struct hf_config *c, struct hf_error *err)
{
	size_t n = r->roles == NULL ? 0 : hf_list_len(r->roles);
	if (n > HF_ROLES_MAX)
		return hf_fail(err, HF_E_LIMIT, "roles: more than %d", HF_ROLES_MAX);
	for (size_t i = 0; i < n; i++)
		c->roles[i] = hf_value_text(a, hf_list_at(r->roles, i)).p;
	n = r->windows == NULL ? 0 : hf_list_len(r->windows);
	if (n > HF_WINDOWS_MAX)
		return hf_fail(err, HF_E_LIMIT, "windows: more than %d", HF_WINDOWS_MAX);
	for (size_t i = 0; i < n; i++) {
		const struct hf_value *v = hf_list_at(r->windows, i);
		int result = hf_window_parse(a, hf_value_text(a, v).p, &c->windows[i], err);
		if (result < 0)
			return hf_error_set_pos(err, hf_value_pos(v));
	}
	c->n_windows = n;
	return 0;
}

static int config_check(const struct hf_config *c, struct hf_error *err)
{
	const char *const names[][2] = { { "environment", c->environment }, { "fleet", c->fleet },
		{ "host", c->host } };
	for (size_t i = 0; i < HF_COUNT(names); i++) {
		int result = name_check(names[i][0], names[i][1], err);
		if (result < 0)
			return result;
	}
	if (strcmp(c->host, HF_TOPIC_ALL) == 0)
		return hf_fail(err, HF_E_ARGUMENT,
			"host \"%s\": that word stands for all hosts of a fleet in topics", c->host);
	if (c->poll_s < 1 || c->sweep_s < 1 || c->hash_sweep_s < 1 || c->run_deadline_s < 1 ||
		c->store_timeout_s < 1)
		return hf_fail(err, HF_E_ARGUMENT,
			"poll, sweep, hash_sweep, run_deadline and store_timeout must be at least 1s");
	if (c->debounce_ms < 0 || c->debounce_ms > 60000)
		return hf_fail(err, HF_E_ARGUMENT, "debounce_ms must be within 0 and 60000");
	if (c->spool_bytes < 1 << 20 || c->spool_keep < 0)
		return hf_fail(err, HF_E_ARGUMENT, "spool_bytes must be at least 1M, spool_keep at least 0");
	return 0;
}

static int config_bind(
	struct hf_arena *a, const struct hf_value *doc, struct hf_config *c, struct hf_error *err)
{
	if (!hf_is(doc, HF_DICT))
		return hf_fail(err, HF_E_ARGUMENT, "must be a mapping of keys to values");
	struct raw r = { 0 };
	int result = hf_schema_bind(a, &schema, doc, "configuration", &r, NULL, err);
	if (result < 0)
		return result;
	c->environment = r.environment;
	c->fleet = r.fleet;
	c->host = r.host != NULL ? r.host : own_name(a);
	c->store = r.store;
	c->trust = r.trust;
	c->trust_sha256 = r.trust_sha256;
	c->min_root = r.min_root;
	c->min_epoch = r.min_epoch;
	c->min_seq = r.min_seq;
	c->allow_agent = r.allow_agent;
	c->state_dir = r.state_dir;
	c->run_dir = r.run_dir;
	c->user = r.user;
	c->policy = r.policy;
	c->inotify = r.watch != 0;
	c->on_failure = r.on_failure;
	c->debounce_ms = r.debounce_ms;
	c->spool_bytes = r.spool_bytes;
	c->spool_keep = r.spool_keep;
	c->log_level = (int)levels[r.log_level];
	c->lookups = r.lookups != 0;
	c->run_reports = r.run_reports;
	if ((result = durations_read(&r, c, err)) < 0 || (result = lists_read(a, &r, c, err)) < 0 ||
		(result = mqtt_read(a, &r, c, err)) < 0 || (result = aws_read(a, &r, c, err)) < 0 ||
		(result = drain_read(a, &r, c, err)) < 0)
		return result;
	return config_check(c, err);
}

int hf_config_load(struct hf_arena *a, const char *path, struct hf_config *ret, struct hf_error *err)
{
	struct hf_config c = { .path = hf_strdup(a, path) };
	struct hf_yaml_options strict = { .plain = true, .strict = true };
	struct hf_value *doc = NULL;
	int result = hf_yaml_load(a, path, &strict, &doc, err);
	if (result < 0)
		return result;
	if (config_bind(a, doc, &c, err) < 0)
		return err != NULL && err->pos.file != NULL ? -(int)err->code : hf_wrap(err, "%s", path);
	*ret = c;
	return 0;
}

bool hf_config_window_open(const struct hf_config *c, int64_t now)
{
	for (size_t i = 0; i < c->n_windows; i++)
		if (hf_window_open(&c->windows[i], now))
			return true;
	return false;
}
