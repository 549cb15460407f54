#include "agent/net.h"

#include <stdlib.h>
#include <unistd.h>

#include "agent/mqtt.h"
#include "agent/sandbox.h"
#include "agent/wire.h"
#include "lib/base/log.h"
#include "lib/base/scope.h"

struct net {
	struct hf_arena *arena;
	sd_event *loop;
	struct hf_mqtt *mqtt;
	int socket;
	struct hf_buf in;
};

static void tell(struct net *n, enum hf_wire_kind kind, uint32_t id, struct hf_str payload)
{
	if (hf_wire_send(n->socket, kind, id, payload, -1, NULL) < 0)
		sd_event_exit(
			n->loop, 1); /* the supervisor has gone, or stopped listening: it starts a new role */
}

static void on_up(void *data)
{
	tell(data, HF_WIRE_UP, 0, (struct hf_str){ 0 });
}

static void on_down(void *data, const char *why, bool taken)
{
	tell(data, HF_WIRE_DOWN, taken ? 1 : 0, hf_str(why));
}

static void on_acked(void *data, uint32_t ticket)
{
	tell(data, HF_WIRE_ACK, ticket, (struct hf_str){ 0 });
}

static void on_message(void *data, const char *topic, struct hf_str body)
{
	enum { HINT_MAX = 4096 };
	struct net *n = data;
	if (body.n > HINT_MAX || strlen(topic) > HF_WIRE_TOPIC_MAX)
		return; /* nothing we asked for is that long */
	hf_auto_buf b = hf_buf_init(HF_WIRE_MAX);
	hf_buf_printf(&b, "%s\n", topic);
	hf_buf_add(&b, body);
	tell(n, HF_WIRE_MESSAGE, 0, hf_buf_str(&b));
}

static int credentials_take(struct net *n, struct hf_str p, struct hf_error *err)
{
	uint32_t lengths[3];
	if (p.n < sizeof(lengths))
		return hf_fail(err, HF_E_INTERNAL, "credentials are cut short");
	memcpy(lengths, p.p, sizeof(lengths));
	if ((uint64_t)lengths[0] + lengths[1] + lengths[2] + sizeof(lengths) != p.n)
		return hf_fail(err, HF_E_INTERNAL, "credentials do not add up");
	const char *at = p.p + sizeof(lengths);
	return hf_mqtt_credentials(n->mqtt, hf_strn(at, lengths[0]), hf_strn(at + lengths[0], lengths[1]),
		hf_strn(at + lengths[0] + lengths[1], lengths[2]), err);
}

static int publish(struct net *n, const struct hf_wire_message *m, struct hf_error *err)
{
	struct hf_str rest = m->payload, topic;
	if (rest.n < 2)
		return hf_fail(err, HF_E_INTERNAL, "an empty publication");
	int flags = rest.p[0];
	rest = hf_strn(rest.p + 1, rest.n - 1);
	hf_str_split(&rest, '\n', &topic);
	hf_auto_arena a = hf_arena_new();
	return hf_mqtt_publish(
		n->mqtt, m->id, hf_str_dup(a, topic), rest, (flags & 1) != 0, (flags & 2) != 0, err);
}

static int dispatch(struct net *n, const struct hf_wire_message *m, struct hf_error *err)
{
	struct hf_str rest = m->payload, topic = { 0 };
	hf_auto_arena a = hf_arena_new();
	switch (m->kind) {
	case HF_WIRE_TLS: {
		int result = credentials_take(n, m->payload, err);
		if (result == 0 && m->id != 0)
			hf_mqtt_reconnect(n->mqtt);
		return result;
	}
	case HF_WIRE_CONNECT:
		hf_str_split(&rest, '\n', &topic);
		hf_mqtt_will(n->mqtt, n->arena, topic, rest);
		hf_mqtt_connect(n->mqtt);
		return 0;
	case HF_WIRE_PUBLISH:
		/* Not connected: the supervisor learns through DOWN and sends it again. */
		if (publish(n, m, err) < 0)
			hf_log(HF_LOG_DEBUG, "report waits: %s", err->text);
		return 0;
	case HF_WIRE_SUBSCRIBE:
		return hf_mqtt_subscribe(n->mqtt, hf_str_dup(a, m->payload), err);
	case HF_WIRE_BYE:
		hf_mqtt_bye(n->mqtt);
		sd_event_exit(n->loop, 0);
		return 0;
	case HF_WIRE_NONE:
	case HF_WIRE_HELLO:
	case HF_WIRE_HERE:
	case HF_WIRE_UP:
	case HF_WIRE_DOWN:
	case HF_WIRE_ACK:
	case HF_WIRE_MESSAGE:
	case HF_WIRE_GET:
	case HF_WIRE_RUN:
	case HF_WIRE_GOT:
		break;
	}
	return hf_fail(err, HF_E_INTERNAL, "message kind %d is not for the net role", (int)m->kind);
}

static int on_wire(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct net *n = data;
	struct hf_wire_message m;
	struct hf_error err = { 0 };
	int result = hf_wire_receive(n->socket, &n->in, &m, &err);
	if (result == 0) {
		result = dispatch(n, &m, &err);
		hf_close_fd(&m.fd); /* none of these messages carries one */
		if (result < 0)
			hf_log(HF_LOG_ERROR, "net: %s", err.text);
		result = result == -HF_E_NET || result == -HF_E_BUSY ? 0 : result;
	}
	if (n->in.size > HF_WIRE_TOPIC_MAX * 64)
		hf_buf_done(&n->in);
	if (result < 0)
		sd_event_exit(n->loop, 1);
	return 0;
}

int hf_net_main(const struct hf_config *config, int socket)
{
	struct net n = { .arena = hf_arena_new(), .socket = socket, .in = hf_buf_init(2 * HF_WIRE_MAX) };
	struct hf_error err = { 0 };
	const char *missing = NULL;
	const struct hf_config_mqtt *m = &config->mqtt;
	struct hf_mqtt_options options = { .host = m->host,
		.port = (int)m->port,
		.keepalive_s = (int)m->keepalive_s,
		.client_id = m->client_id != NULL ? m->client_id : config->host,
		.tls = m->ca != NULL,
		.up = on_up,
		.down = on_down,
		.acked = on_acked,
		.message = on_message,
		.data = &n };
	if (hf_sandbox_enter(HF_SANDBOX_MQTT, config->user, &missing, &err) < 0) {
		hf_log(HF_LOG_ERROR, "%s", err.text);
		return 1;
	}
	if (missing != NULL)
		hf_log(HF_LOG_NOTICE, "this kernel has no %s: the net role goes without", missing);
	if (sd_event_new(&n.loop) < 0 || hf_mqtt_new(n.arena, n.loop, &options, &n.mqtt, &err) < 0 ||
		sd_event_add_io(n.loop, NULL, socket, EPOLLIN, on_wire, &n) < 0) {
		hf_log(HF_LOG_ERROR, "net role cannot start: %s", err.text);
		return 1;
	}
	int status = sd_event_loop(n.loop);
	hf_buf_done(&n.in);
	hf_arena_free(n.arena);
	return status < 0 ? 1 : status;
}
