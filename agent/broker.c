#include "agent/broker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "agent/fit.h"
#include "agent/net.h"
#include "agent/net_unit.h"
#include "agent/pull.h"
#include "agent/report.h"
#include "agent/wire.h"
#include "lib/base/digest.h"
#include "lib/base/fs.h"
#include "lib/base/log.h"
#include "lib/base/time.h"
#include "lib/data/json.h"

enum {
	PEM_MAX = 48 << 10,
	RESTART_MS = 1000,
	RESTART_MAX_MS = 60000,
	STOP_WAIT_MS = 2000,
	TROUBLE_MAX = 256,
	STEADY_MS = 60000,
	ALARM_EVERY_MS = 60000,
	LOSSES_MAX = 3,
	LOSSES_WITHIN_MS = 60000
};
enum alarm_kind { ALARM_BAD_HINT, ALARM_LINK_UNSTABLE, ALARM_KINDS };

struct hf_broker {
	struct hf_agent *agent;
	int socket;
	pid_t pid;          /* 0: none, or one that has not said so yet */
	bool child_of_ours; /* not a unit of its own */
	bool connected, stopping;
	sd_event_source *io, *child, *again;
	struct hf_buf in;
	uint32_t wait_ms;
	uint64_t started_ms;
	struct hf_digest credentials;
	char trouble[TROUBLE_MAX];
	unsigned losses; /* of connections that stood, since losses_since_ms */
	uint64_t losses_since_ms;
	uint64_t alarmed_ms[ALARM_KINDS]; /* 0: never */
};

static void send_or_log(struct hf_broker *b, enum hf_wire_kind kind, struct hf_str payload)
{
	struct hf_error err = { 0 };
	if (b->socket >= 0 && hf_wire_send(b->socket, kind, 0, payload, -1, &err) < 0)
		hf_log(HF_LOG_WARNING, "%s", err.text);
}

static int credentials_read(struct hf_broker *b, struct hf_buf *out, struct hf_error *err)
{
	const struct hf_config_mqtt *m = &b->agent->config.mqtt;
	const char *const files[] = { m->ca, m->cert, m->key };
	struct hf_str text[HF_COUNT(files)] = { { 0 } };
	uint32_t lengths[HF_COUNT(files)];
	hf_auto_arena a = hf_arena_new();
	for (size_t i = 0; i < HF_COUNT(files); i++) {
		int result = files[i] == NULL ? 0 : hf_fs_read(a, files[i], PEM_MAX, &text[i], err);
		if (result < 0)
			return result;
		lengths[i] = (uint32_t)text[i].n;
	}
	hf_buf_append(out, lengths, sizeof(lengths));
	for (size_t i = 0; i < HF_COUNT(files); i++)
		hf_buf_add(out, text[i]);
	return hf_buf_check(out, "certificates", err);
}

static int credentials_send(struct hf_broker *b, bool only_new, struct hf_error *err)
{
	hf_auto_buf out = hf_buf_init(HF_WIRE_MAX);
	int result = b->agent->config.mqtt.ca == NULL ? 1 : credentials_read(b, &out, err);
	if (result != 0)
		return result < 0 ? result : 0;
	struct hf_digest now = hf_sha256(hf_buf_str(&out));
	if (only_new && hf_digest_equal(&now, &b->credentials))
		return 0;
	b->credentials = now;
	result = hf_wire_send(b->socket, HF_WIRE_TLS, only_new ? 1 : 0, hf_buf_str(&out), -1, err);
	return result < 0 ? result : 1;
}

static void connect_send(struct hf_broker *b)
{
	hf_auto_buf will = hf_buf_init(HF_WIRE_MAX);
	hf_auto_arena a = hf_arena_new();
	char when[HF_TIME_TEXT];
	hf_buf_printf(&will,
		"%s\n{\"v\":1,\"host\":\"%s\",\"boot\":\"%s\",\"t\":\"%s\",\"kind\":\"link\",\"s\":\"off\"}",
		hf_report_topic(b->agent, a, "link"), b->agent->config.host, hf_spool_boot(b->agent->spool),
		hf_time_print(hf_time_now(), when));
	send_or_log(b, HF_WIRE_CONNECT, hf_buf_str(&will));
}

static void link_send(struct hf_broker *b, const char *word)
{
	hf_auto_buf p = hf_buf_init(HF_WIRE_MAX);
	hf_auto_arena a = hf_arena_new();
	char when[HF_TIME_TEXT];
	hf_buf_put(&p, HF_SPOOL_RETAIN);
	hf_buf_printf(&p,
		"%s\n{\"v\":1,\"host\":\"%s\",\"boot\":\"%s\",\"last\":%lld,\"t\":\"%s\",\"kind\":\"link\","
		"\"s\":\"%s\"}",
		hf_report_topic(b->agent, a, "link"), b->agent->config.host, hf_spool_boot(b->agent->spool),
		(long long)hf_spool_last(b->agent->spool), hf_time_print(hf_time_now(), when), word);
	send_or_log(b, HF_WIRE_PUBLISH, hf_buf_str(&p));
}

static void on_up(struct hf_broker *b)
{
	hf_auto_arena a = hf_arena_new();
	const struct hf_config *c = &b->agent->config;
	b->connected = true;
	b->trouble[0] = '\0';
	hf_log(HF_LOG_NOTICE, "connected to the broker %s:%lld", c->mqtt.host, (long long)c->mqtt.port);
	send_or_log(b, HF_WIRE_SUBSCRIBE, hf_str(hf_report_topic(b->agent, a, "hint")));
	send_or_log(b, HF_WIRE_SUBSCRIBE, hf_str(hf_topic(a, c, NULL, "hint")));
	link_send(b, "on");
	HF_MUST(hf_spool_drain(b->agent->spool, err));
}

/* Whoever reaches the broker can cause these: one alarm of a kind in a while is enough. */
static void alarm_now_and_then(struct hf_broker *b, enum alarm_kind kind, const char *text)
{
	static const char *const words[ALARM_KINDS] = { "bad-hint", "link-unstable" };
	uint64_t now = hf_time_monotonic_ms();
	if (b->alarmed_ms[kind] != 0 && now - b->alarmed_ms[kind] < ALARM_EVERY_MS)
		return;
	b->alarmed_ms[kind] = now;
	hf_report_alarm(b->agent, words[kind], words[kind], "%s", text);
}

/* Brokers need not say why they close a connection; one that is thrown out again and again shares its client
 * id. */
static void loss_count(struct hf_broker *b, bool taken)
{
	uint64_t now = hf_time_monotonic_ms();
	if (b->losses == 0 || now - b->losses_since_ms > LOSSES_WITHIN_MS) {
		b->losses = 0;
		b->losses_since_ms = now;
	}
	if (b->connected)
		b->losses++;
	if (taken || b->losses >= LOSSES_MAX)
		alarm_now_and_then(b, ALARM_LINK_UNSTABLE,
			taken ? "another client connected to the broker with this host's client id"
			      : "the broker drops this host again and again: another client may use its "
				"client id");
}

static void on_down(struct hf_broker *b, struct hf_str why, bool taken)
{
	loss_count(b, taken);
	if (b->connected || b->trouble[0] == '\0')
		hf_log(HF_LOG_WARNING, "no broker: %.*s; reports wait in the spool", HF_STR_ARG(why));
	b->connected = false;
	snprintf(b->trouble, sizeof(b->trouble), "%.*s", HF_STR_ARG(why));
	hf_spool_disconnected(b->agent->spool);
	hf_broker_renew(b); /* a certificate that is refused may have a successor already */
}

/* {"resend":[boot,from,to]} */
static void resend(struct hf_broker *b, const struct hf_value *list)
{
	if (!hf_is(list, HF_LIST) || hf_list_len(list) != 3 || !hf_is(hf_list_at(list, 0), HF_STRING) ||
		!hf_is(hf_list_at(list, 1), HF_INT) || !hf_is(hf_list_at(list, 2), HF_INT)) {
		hf_log(HF_LOG_WARNING, "a resend request that is none was dropped");
		return;
	}
	int64_t n = 0;
	HF_MUST(hf_spool_resend(b->agent->spool, hf_list_at(list, 0)->u.string.p,
		hf_list_at(list, 1)->u.integer, hf_list_at(list, 2)->u.integer, &n, err));
	hf_log(HF_LOG_INFO, "%lld reports are sent again, as asked", (long long)n);
	HF_MUST(hf_spool_drain(b->agent->spool, err));
}

/* A hint has no authority: it makes the next poll come now, and asks for reports again. Nothing else. */
static void on_hint(struct hf_broker *b, struct hf_str payload)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_str rest = payload, topic;
	struct hf_value *v = NULL;
	struct hf_error err = { 0 };
	hf_str_split(&rest, '\n', &topic);
	if (hf_json_parse(a, rest, "hint", &v, &err) < 0 || !hf_is(v, HF_DICT)) {
		alarm_now_and_then(b, ALARM_BAD_HINT, "a hint that is none was dropped");
		return;
	}
	HF_DICT_EACH (v, e) {
		const char *key = hf_entry_key(e)->u.string.p;
		if (strcmp(key, "seq") != 0 && strcmp(key, "poll") != 0 && strcmp(key, "resend") != 0) {
			alarm_now_and_then(b, ALARM_BAD_HINT,
				"a hint asked for more than a look at the store; it was dropped");
			return;
		}
	}
	if (hf_dict_get(v, "resend") != NULL)
		resend(b, hf_dict_get(v, "resend"));
	if (hf_dict_int(v, "seq", 0) > b->agent->target.seq || hf_dict_get(v, "poll") != NULL)
		hf_pull_now(b->agent->pull);
}

static void dispatch(struct hf_broker *b, const struct hf_wire_message *m)
{
	if (m->kind == HF_WIRE_HERE && !b->child_of_ours)
		b->pid = (pid_t)m->id;
	else if (m->kind == HF_WIRE_UP)
		on_up(b);
	else if (m->kind == HF_WIRE_DOWN)
		on_down(b, m->payload, m->id != 0);
	else if (m->kind == HF_WIRE_ACK && m->id != 0)
		HF_MUST(hf_spool_acked(b->agent->spool, m->id, err));
	else if (m->kind == HF_WIRE_MESSAGE)
		on_hint(b, m->payload);
}

static void role_ended(struct hf_broker *b, const char *how, int status)
{
	b->io = sd_event_source_disable_unref(b->io);
	b->child = sd_event_source_disable_unref(b->child);
	hf_close_fd(&b->socket);
	b->pid = 0;
	if (b->stopping)
		return;
	on_down(b, HF_STR("the net role ended"), false);
	hf_log(HF_LOG_WARNING, "the net role ended (%s %d): it is started again", how, status);
	if (hf_time_monotonic_ms() - b->started_ms > STEADY_MS)
		b->wait_ms = RESTART_MS;
	hf_timer_set(b->again, b->wait_ms);
	b->wait_ms = b->wait_ms * 2 > RESTART_MAX_MS ? RESTART_MAX_MS : b->wait_ms * 2;
}

static int on_wire(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct hf_broker *b = data;
	enum { ROUNDS_MAX = 64 };
	struct hf_wire_message m;
	int result = 0;
	for (int i = 0; i < ROUNDS_MAX && (result = hf_wire_receive(b->socket, &b->in, &m, NULL)) == 0; i++) {
		dispatch(b, &m);
		hf_close_fd(&m.fd); /* none of these messages carries one */
	}
	hf_buf_done(&b->in);
	if (result < 0 && !b->child_of_ours)
		role_ended(b, "as a unit, process", (int)b->pid);
	else if (result < 0) /* it has gone: its exit is handled by on_child() */
		sd_event_source_set_enabled(b->io, SD_EVENT_OFF);
	return 0;
}

static int on_child(sd_event_source *source, const siginfo_t *info, void *data)
{
	role_ended(data, info->si_code == CLD_EXITED ? "status" : "signal", info->si_status);
	return 0;
}

static int child_start(struct hf_broker *b, struct hf_error *err)
{
	int pair[2];
	int result = hf_wire_pair(true, pair, err);
	if (result < 0)
		return result;
	pid_t self = getpid(), pid = fork();
	if (pid == 0) {
		hf_child_enter(self, (const int[]){ pair[1] }, 1);
		unsetenv("NOTIFY_SOCKET");
		_exit(hf_net_main(&b->agent->config, pair[1]));
	}
	close(pair[1]);
	b->socket = pair[0];
	b->pid = pid;
	if (pid < 0 || sd_event_add_child(b->agent->loop, &b->child, pid, WEXITED, on_child, b) < 0)
		return hf_fail_errno(err, HF_E_IO, "start the net role");
	return 0;
}

/* A unit of its own where systemd offers one, else a child; what goes wrong with the unit is no reason to
 * end. */
static int role_start(struct hf_broker *b, struct hf_error *err)
{
	struct hf_error why = { 0 };
	int result = hf_net_unit_ask(&b->agent->config, &b->socket, &why);
	if (result < 0)
		hf_log(HF_LOG_WARNING, "%s: the agent starts it itself", why.text);
	b->child_of_ours = result != 0;
	if (result == 0) {
		fcntl(b->socket, F_SETFL, O_NONBLOCK);
		b->pid = 0;
	} else if ((result = child_start(b, err)) < 0) {
		return result;
	}
	if (sd_event_add_io(b->agent->loop, &b->io, b->socket, EPOLLIN, on_wire, b) < 0)
		return hf_fail_errno(err, HF_E_IO, "start the net role");
	return 0;
}

int hf_broker_start(struct hf_broker *b, struct hf_error *err)
{
	b->started_ms = hf_time_monotonic_ms();
	int result = role_start(b, err);
	if (result == 0 && (result = credentials_send(b, false, err)) < 0)
		return hf_wrap(err, "certificates for the broker");
	if (result < 0)
		return result;
	connect_send(b);
	return 0;
}

static int on_again(sd_event_source *source, uint64_t now, void *data)
{
	HF_MUST(hf_broker_start(data, err));
	return 0;
}

int hf_broker_new(struct hf_agent *agent, struct hf_broker **ret, struct hf_error *err)
{
	struct hf_broker *b = hf_new(agent->arena, struct hf_broker);
	*b = (struct hf_broker){
		.agent = agent, .socket = -1, .in = hf_buf_init(2 * HF_WIRE_MAX), .wait_ms = RESTART_MS
	};
	b->again = hf_timer_new(agent->loop, false, on_again, b);
	*ret = b;
	return 0;
}

int hf_broker_send(void *data, uint32_t slot, int flags, const char *topic, struct hf_str body)
{
	struct hf_agent *agent = data;
	struct hf_broker *b = agent->broker;
	if (b == NULL || !b->connected || b->socket < 0)
		return 1;
	hf_auto_buf p = hf_buf_init(HF_WIRE_MAX);
	hf_buf_put(&p, (char)flags);
	hf_buf_printf(&p, "%s\n", topic);
	hf_buf_add(&p, body);
	return hf_wire_send(b->socket, HF_WIRE_PUBLISH, slot, hf_buf_str(&p), -1, NULL) < 0 ? 1 : 0;
}

bool hf_broker_connected(const struct hf_broker *b)
{
	return b != NULL && b->connected;
}

const char *hf_broker_trouble(const struct hf_broker *b)
{
	return b->trouble;
}

pid_t hf_broker_pid(const struct hf_broker *b)
{
	return b->pid;
}

void hf_broker_renew(struct hf_broker *b)
{
	struct hf_error err = { 0 };
	int result = b->socket < 0 ? 0 : credentials_send(b, true, &err);
	if (result < 0)
		hf_log(HF_LOG_WARNING, "certificates for the broker: %s; the old ones stay in use", err.text);
	else if (result > 0)
		hf_log(HF_LOG_NOTICE, "certificates were renewed: connecting again");
}

static bool role_gone(const struct hf_broker *b)
{
	struct pollfd p = { .fd = b->socket };
	if (b->child_of_ours)
		return waitpid(b->pid, NULL, WNOHANG) != 0;
	return poll(&p, 1, 0) == 1 && (p.revents & POLLHUP) != 0;
}

void hf_broker_stop(struct hf_broker *b)
{
	if (b == NULL || b->socket < 0)
		return;
	b->stopping = true;
	link_send(b, "bye");
	send_or_log(b, HF_WIRE_BYE, (struct hf_str){ 0 });
	for (int waited = 0; waited < STOP_WAIT_MS; waited += 10) {
		if (role_gone(b))
			return;
		usleep(10000);
	}
	if (!b->child_of_ours)
		return; /* it ends with the connection */
	kill(b->pid, SIGKILL);
	waitpid(b->pid, NULL, 0);
}
