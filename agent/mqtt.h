/* agent/mqtt.h - one connection to the broker on the caller's loop, through libmosquitto without threads.
 * Every connection is a new client object: what was in flight belongs to the caller, who sends it again.
 * Owns:  socket, TLS context, timers. Fails: at the start only; later troubles come through down(). */
#pragma once
#include <stdbool.h>
#include <systemd/sd-event.h>

#include "lib/base/error.h"
#include "lib/base/str.h"

struct hf_mqtt;
struct hf_mqtt_options {
	const char *host, *client_id;
	int port, keepalive_s;
	bool tls;
	void (*up)(void *data);
	void (*down)(void *data, const char *why, bool taken); /* taken: by a client with our id */
	void (*acked)(void *data, uint32_t ticket);
	void (*message)(void *data, const char *topic, struct hf_str body);
	void *data;
};
HF_CHECK int hf_mqtt_new(struct hf_arena *a, sd_event *loop, const struct hf_mqtt_options *options,
	struct hf_mqtt **ret, struct hf_error *err);
/* PEM text; used from the next connection on. Empty cert: none. */
HF_CHECK int hf_mqtt_credentials(
	struct hf_mqtt *m, struct hf_str ca, struct hf_str cert, struct hf_str key, struct hf_error *err);
void hf_mqtt_will(
	struct hf_mqtt *m, struct hf_arena *a, struct hf_str topic, struct hf_str body); /* retained, QoS 1 */
/* Now, and again with growing, jittered waits whenever the connection is lost. */
void hf_mqtt_connect(struct hf_mqtt *m);
void hf_mqtt_reconnect(struct hf_mqtt *m); /* with new credentials */
/* QoS 1 messages are answered through acked(ticket); QoS 0 ones at once. Fails when not connected. */
HF_CHECK int hf_mqtt_publish(struct hf_mqtt *m, uint32_t ticket, const char *topic, struct hf_str body,
	bool retain, bool qos1, struct hf_error *err);
HF_CHECK int hf_mqtt_subscribe(struct hf_mqtt *m, const char *topic, struct hf_error *err);
void hf_mqtt_bye(struct hf_mqtt *m); /* orderly: the will is not sent */
