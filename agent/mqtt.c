#include "agent/mqtt.h"

#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <netdb.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "agent/memory.h"

enum {
	FLIGHT_MAX = 64,
	MISC_US = 5000000, /* keep-alive is counted in this grain */
	RELAX_ROUNDS = 12,
	WAIT_FIRST_MS = 500,
	WAIT_MAX_MS = 60000,
	CERTIFICATES_MAX = 1024,
	ADDRESS_CHARS = 128,
};

struct hf_mqtt {
	struct hf_mqtt_options o;
	sd_event *loop;
	struct mosquitto *client;
	sd_event_source *io, *misc, *again;
	SSL_CTX *tls;
	const char *will_topic;
	struct hf_str will;
	uint32_t wait_ms;
	unsigned address; /* which of the name's addresses is tried next */
	int protocol;
	unsigned rounds; /* of misc, since memory was given back */
	bool used;       /* the broker had something to say since then */
	bool taken;      /* another client connected with our client id */
	bool contested;  /* that was so a moment ago: two who throw each other out should not do it at full
			    speed */
	bool connected, dead; /* dead: to be taken down once libmosquitto's frames are left */
	char why[256];
	struct {
		int mid;
		uint32_t ticket;
		bool used;
	} flight[FLIGHT_MAX];
};

static int tls_fail(const char *what, struct hf_error *err)
{
	char text[256];
	ERR_error_string_n(ERR_get_error(), text, sizeof(text));
	return hf_fail(err, HF_E_NET, "TLS: %s: %s", what, text);
}

/* libmosquitto is given an address, so it would send that as the server's name; the name is what the
 * certificate and brokers with many names need. */
static void name_announce(const SSL *ssl, int where, int ret)
{
	if ((where & SSL_CB_HANDSHAKE_START) == 0)
		return;
	struct hf_mqtt *m = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	SSL_set_tlsext_host_name((SSL *)(uintptr_t)ssl, m->o.host);
}

static int authorities_add(SSL_CTX *tls, struct hf_str pem, struct hf_error *err)
{
	BIO *in = BIO_new_mem_buf(pem.p, (int)pem.n);
	int n = 0;
	for (X509 *x; n < CERTIFICATES_MAX && (x = PEM_read_bio_X509(in, NULL, NULL, NULL)) != NULL; n++) {
		X509_STORE_add_cert(SSL_CTX_get_cert_store(tls), x);
		X509_free(x);
	}
	BIO_free(in);
	ERR_clear_error();
	return n > 0 ? 0 : hf_fail(err, HF_E_NET, "TLS: the ca file holds no certificate");
}

static int identity_add(SSL_CTX *tls, struct hf_str cert, struct hf_str key, struct hf_error *err)
{
	BIO *in = BIO_new_mem_buf(cert.p, (int)cert.n), *key_in = BIO_new_mem_buf(key.p, (int)key.n);
	X509 *own = PEM_read_bio_X509(in, NULL, NULL, NULL);
	EVP_PKEY *private_key = PEM_read_bio_PrivateKey(key_in, NULL, NULL, NULL);
	int result = 0;
	if (own == NULL || private_key == NULL || SSL_CTX_use_certificate(tls, own) != 1 ||
		SSL_CTX_use_PrivateKey(tls, private_key) != 1)
		result = tls_fail("certificate and key of this host", err);
	int n = 0;
	for (X509 *x;
		result == 0 && n < CERTIFICATES_MAX && (x = PEM_read_bio_X509(in, NULL, NULL, NULL)) != NULL;
		n++)
		SSL_CTX_add0_chain_cert(tls, x);
	ERR_clear_error();
	X509_free(own);
	EVP_PKEY_free(private_key);
	BIO_free(in);
	BIO_free(key_in);
	return result;
}

int hf_mqtt_credentials(
	struct hf_mqtt *m, struct hf_str ca, struct hf_str cert, struct hf_str key, struct hf_error *err)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
	if (tls == NULL)
		return tls_fail("context", err);
	SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
	SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				      SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_app_data(tls, m);
	SSL_CTX_set_info_callback(tls, name_announce);
	X509_VERIFY_PARAM *p = SSL_CTX_get0_param(tls);
	X509_VERIFY_PARAM_set_hostflags(p, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	int named = X509_VERIFY_PARAM_set1_ip_asc(p, m->o.host) == 1 ||
		    X509_VERIFY_PARAM_set1_host(p, m->o.host, 0) == 1;
	ERR_clear_error();
	int result = named ? authorities_add(tls, ca, err) : tls_fail("name of the broker", err);
	if (result == 0 && cert.n > 0)
		result = identity_add(tls, cert, key, err);
	if (result < 0) {
		SSL_CTX_free(tls);
		return result;
	}
	SSL_CTX_free(m->tls);
	m->tls = tls;
	return 0;
}

/* --- callbacks of libmosquitto: they only note; nothing is freed inside them --- */

static void on_connect(
	struct mosquitto *client, void *data, int code, int flags, const mosquitto_property *properties)
{
	struct hf_mqtt *m = data;
	if (code == 0) {
		m->connected = true;
		if (!m->contested)
			m->wait_ms = WAIT_FIRST_MS;
		m->o.up(m->o.data);
		return;
	}
	enum { V5_UNSUPPORTED = 0x84, V3_UNSUPPORTED = 1 };
	if (m->protocol == MQTT_PROTOCOL_V5 && (code == V5_UNSUPPORTED || code == V3_UNSUPPORTED))
		m->protocol = MQTT_PROTOCOL_V311;
	snprintf(m->why, sizeof(m->why), "the broker refused: %s",
		m->protocol == MQTT_PROTOCOL_V5 ? mosquitto_reason_string(code)
						: mosquitto_connack_string(code));
	m->dead = true;
}

static void on_disconnect(
	struct mosquitto *client, void *data, int code, const mosquitto_property *properties)
{
	struct hf_mqtt *m = data;
	if (m->why[0] == '\0')
		snprintf(m->why, sizeof(m->why), "connection lost: %s",
			code >= MQTT_RC_UNSPECIFIED ? mosquitto_reason_string(code)
						    : mosquitto_strerror(code));
	m->taken = m->protocol == MQTT_PROTOCOL_V5 && code == MQTT_RC_SESSION_TAKEN_OVER;
	m->contested = m->contested || m->taken;
	m->dead = true;
}

static void on_publish(
	struct mosquitto *client, void *data, int mid, int code, const mosquitto_property *properties)
{
	struct hf_mqtt *m = data;
	for (size_t i = 0; i < FLIGHT_MAX; i++)
		if (m->flight[i].used && m->flight[i].mid == mid) {
			m->flight[i].used = false;
			m->o.acked(m->o.data, m->flight[i].ticket);
			return;
		}
}

static void on_message(struct mosquitto *client, void *data, const struct mosquitto_message *msg,
	const mosquitto_property *properties)
{
	struct hf_mqtt *m = data;
	m->o.message(m->o.data, msg->topic, hf_strn(msg->payload, (size_t)msg->payloadlen));
}

/* --- connection --- */

static void client_drop(struct hf_mqtt *m)
{
	m->io = sd_event_source_disable_unref(m->io);
	if (m->misc != NULL)
		sd_event_source_set_enabled(m->misc, SD_EVENT_OFF);
	if (m->client != NULL)
		mosquitto_destroy(m->client);
	m->client = NULL;
	m->connected = m->dead = false;
	memset(m->flight, 0, sizeof(m->flight));
}

static uint32_t jitter(uint32_t ms)
{
	uint32_t r = 0;
	if (getrandom(&r, sizeof(r), GRND_NONBLOCK) < 0)
		r = ms; /* no randomness this early: the plain wait */
	return ms / 2 + r % (ms / 2 + 1);
}

static void fail_and_wait(struct hf_mqtt *m)
{
	char why[sizeof(m->why)];
	snprintf(why, sizeof(why), "%s", m->why);
	m->why[0] = '\0';
	client_drop(m);
	uint64_t now = 0;
	sd_event_now(m->loop, CLOCK_MONOTONIC, &now);
	sd_event_source_set_time(m->again, now + (uint64_t)jitter(m->wait_ms) * 1000);
	sd_event_source_set_enabled(m->again, SD_EVENT_ONESHOT);
	m->wait_ms = m->wait_ms * 2 > WAIT_MAX_MS ? WAIT_MAX_MS : m->wait_ms * 2;
	bool taken = m->taken;
	m->taken = false;
	m->o.down(m->o.data, why, taken);
}

/* After every call into libmosquitto: listen for what it wants, or take a dead client down. */
static void settle(struct hf_mqtt *m, int code)
{
	if (m->client == NULL)
		return;
	if (code != MOSQ_ERR_SUCCESS && !m->dead) {
		snprintf(m->why, sizeof(m->why), "%s", mosquitto_strerror(code));
		m->dead = true;
	}
	if (m->dead) {
		fail_and_wait(m);
		return;
	}
	uint32_t want = EPOLLIN | (mosquitto_want_write(m->client) ? EPOLLOUT : 0);
	sd_event_source_set_io_events(m->io, want);
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct hf_mqtt *m = data;
	int code = MOSQ_ERR_SUCCESS;
	enum { PACKETS_MAX = 16 };
	m->used = true;
	if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
		code = mosquitto_loop_read(m->client, PACKETS_MAX);
	if (code == MOSQ_ERR_SUCCESS && !m->dead && mosquitto_want_write(m->client))
		code = mosquitto_loop_write(m->client, PACKETS_MAX);
	settle(m, code);
	return 0;
}

static int on_misc(sd_event_source *source, uint64_t now, void *data)
{
	struct hf_mqtt *m = data;
	if (m->connected && m->contested) {
		m->contested = false;
		m->wait_ms = WAIT_FIRST_MS;
	}
	if (m->client != NULL)
		settle(m, mosquitto_loop_misc(m->client));
	if (++m->rounds >= RELAX_ROUNDS || m->used) {
		m->rounds = 0;
		m->used = false;
		hf_memory_relax();
	}
	sd_event_source_set_time(source, now + MISC_US);
	sd_event_source_set_enabled(source, m->client != NULL ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
	return 0;
}

/* One address of the broker a try, in turn. Waiting for the name server stops nothing but this role. */
static bool address_resolve(struct hf_mqtt *m, char out[ADDRESS_CHARS])
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG }, *all = NULL;
	int code = getaddrinfo(m->o.host, NULL, &hints, &all);
	if (code != 0) {
		snprintf(m->why, sizeof(m->why), "name %s: %s", m->o.host, gai_strerror(code));
		return false;
	}
	unsigned n = 0;
	for (struct addrinfo *i = all; i != NULL; i = i->ai_next)
		n++;
	struct addrinfo *chosen = all;
	for (unsigned i = m->address++ % n; i > 0; i--)
		chosen = chosen->ai_next;
	code = getnameinfo(chosen->ai_addr, chosen->ai_addrlen, out, ADDRESS_CHARS, NULL, 0, NI_NUMERICHOST);
	freeaddrinfo(all);
	if (code != 0)
		snprintf(m->why, sizeof(m->why), "address of %s: %s", m->o.host, gai_strerror(code));
	return code == 0;
}

static int client_make(struct hf_mqtt *m)
{
	m->client = mosquitto_new(m->o.client_id, true, m);
	if (m->client == NULL)
		return MOSQ_ERR_NOMEM;
	mosquitto_int_option(m->client, MOSQ_OPT_PROTOCOL_VERSION, m->protocol);
	mosquitto_connect_v5_callback_set(m->client, on_connect);
	mosquitto_disconnect_v5_callback_set(m->client, on_disconnect);
	mosquitto_publish_v5_callback_set(m->client, on_publish);
	mosquitto_message_v5_callback_set(m->client, on_message);
	int code = MOSQ_ERR_SUCCESS;
	if (m->o.tls) {
		mosquitto_int_option(m->client, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0);
		code = mosquitto_void_option(m->client, MOSQ_OPT_SSL_CTX, m->tls);
	}
	if (code == MOSQ_ERR_SUCCESS && m->will_topic != NULL)
		code = mosquitto_will_set(m->client, m->will_topic, (int)m->will.n, m->will.p, 1, true);
	return code;
}

static int on_again(sd_event_source *source, uint64_t now, void *data)
{
	struct hf_mqtt *m = data;
	char address[ADDRESS_CHARS];
	client_drop(m);
	if (!address_resolve(m, address)) {
		fail_and_wait(m);
		return 0;
	}
	int code = client_make(m);
	if (code == MOSQ_ERR_SUCCESS)
		code = mosquitto_connect_async(m->client, address, m->o.port, m->o.keepalive_s);
	int fd = m->client == NULL ? -1 : mosquitto_socket(m->client);
	if (code == MOSQ_ERR_SUCCESS &&
		(fd < 0 || sd_event_add_io(m->loop, &m->io, fd, EPOLLIN | EPOLLOUT, on_io, m) < 0))
		code = MOSQ_ERR_ERRNO;
	if (code != MOSQ_ERR_SUCCESS) {
		if (m->why[0] == '\0')
			snprintf(m->why, sizeof(m->why), "%s: %s", address, mosquitto_strerror(code));
		fail_and_wait(m);
		return 0;
	}
	sd_event_source_set_time(m->misc, now + MISC_US);
	sd_event_source_set_enabled(m->misc, SD_EVENT_ONESHOT);
	return 0;
}

int hf_mqtt_new(struct hf_arena *a, sd_event *loop, const struct hf_mqtt_options *options,
	struct hf_mqtt **ret, struct hf_error *err)
{
	struct hf_mqtt *m = hf_new(a, struct hf_mqtt);
	enum { ACCURACY_US = 1000000, EXACT_US = 1000 };
	*m = (struct hf_mqtt){
		.o = *options, .loop = loop, .wait_ms = WAIT_FIRST_MS, .protocol = MQTT_PROTOCOL_V5
	};
	mosquitto_lib_init();
	int r = sd_event_add_time(loop, &m->again, CLOCK_MONOTONIC, 0, EXACT_US, on_again, m);
	if (r >= 0)
		r = sd_event_source_set_enabled(m->again, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_add_time(loop, &m->misc, CLOCK_MONOTONIC, 0, ACCURACY_US, on_misc, m);
	if (r >= 0)
		r = sd_event_source_set_enabled(m->misc, SD_EVENT_OFF);
	if (r < 0)
		return hf_fail(err, HF_E_IO, "timers of the MQTT connection: %s", strerror(-r));
	*ret = m;
	return 0;
}

void hf_mqtt_will(struct hf_mqtt *m, struct hf_arena *a, struct hf_str topic, struct hf_str body)
{
	m->will_topic = hf_str_dup(a, topic);
	m->will = hf_strn(hf_str_dup(a, body), body.n);
}

void hf_mqtt_connect(struct hf_mqtt *m)
{
	sd_event_source_set_time(m->again, 0);
	sd_event_source_set_enabled(m->again, SD_EVENT_ONESHOT);
}

void hf_mqtt_reconnect(struct hf_mqtt *m)
{
	if (m->client == NULL)
		return;
	mosquitto_disconnect(m->client);
	snprintf(m->why, sizeof(m->why), "certificates were renewed");
	m->dead = true;
	m->wait_ms = WAIT_FIRST_MS;
	settle(m, MOSQ_ERR_SUCCESS);
}

int hf_mqtt_publish(struct hf_mqtt *m, uint32_t ticket, const char *topic, struct hf_str body, bool retain,
	bool qos1, struct hf_error *err)
{
	size_t i = 0;
	while (i < FLIGHT_MAX && m->flight[i].used)
		i++;
	if (!m->connected || i == FLIGHT_MAX)
		return hf_fail(err, HF_E_BUSY, "not connected");
	int mid = 0;
	int code = mosquitto_publish(m->client, &mid, topic, (int)body.n, body.p, qos1 ? 1 : 0, retain);
	m->flight[i].mid = mid;
	m->flight[i].ticket = ticket;
	m->flight[i].used = code == MOSQ_ERR_SUCCESS && qos1;
	if (code == MOSQ_ERR_SUCCESS && !qos1)
		m->o.acked(m->o.data, ticket);
	settle(m, code);
	return code == MOSQ_ERR_SUCCESS ? 0 : hf_fail(err, HF_E_NET, "publish: %s", mosquitto_strerror(code));
}

int hf_mqtt_subscribe(struct hf_mqtt *m, const char *topic, struct hf_error *err)
{
	if (!m->connected)
		return hf_fail(err, HF_E_BUSY, "not connected");
	int code = mosquitto_subscribe(m->client, NULL, topic, 1);
	settle(m, code);
	return code == MOSQ_ERR_SUCCESS ? 0
					: hf_fail(err, HF_E_NET, "subscribe: %s", mosquitto_strerror(code));
}

void hf_mqtt_bye(struct hf_mqtt *m)
{
	enum { TRIES = 20 };
	if (m->client == NULL || !m->connected)
		return;
	mosquitto_disconnect(m->client);
	for (int i = 0; i < TRIES && mosquitto_want_write(m->client); i++)
		if (mosquitto_loop_write(m->client, 1) != MOSQ_ERR_SUCCESS)
			break;
}
