#include "agent/net_unit.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "agent/net.h"
#include "agent/wire.h"
#include "lib/base/log.h"
#include "lib/base/scope.h"
#include "lib/data/json.h"

enum { HELLO_MAX = 8192, HELLO_S = 10 };

/* --- the supervisor's side --- */

static int hello_send(int socket, const struct hf_config *c, struct hf_error *err)
{
	hf_auto_arena a = hf_arena_new();
	hf_auto_buf out = hf_buf_init(HELLO_MAX);
	struct hf_json_style style = HF_JSON_COMPACT;
	struct hf_value *v = hf_value_dict(a);
	hf_dict_put(v, "host", hf_value_cstr(a, c->mqtt.host));
	hf_dict_put(v, "port", hf_value_int(a, c->mqtt.port));
	hf_dict_put(v, "keepalive", hf_value_int(a, c->mqtt.keepalive_s));
	hf_dict_put(v, "client", hf_value_cstr(a, c->mqtt.client_id != NULL ? c->mqtt.client_id : c->host));
	hf_dict_put(v, "tls", hf_value_bool(a, c->mqtt.ca != NULL));
	hf_dict_put(v, "user", hf_value_cstr(a, c->user));
	hf_dict_put(v, "log", hf_value_int(a, c->log_level));
	int result = hf_json_write(&out, v, &style, err);
	return result < 0 ? result : hf_wire_send(socket, HF_WIRE_HELLO, 0, hf_buf_str(&out), -1, err);
}

int hf_net_unit_ask(const struct hf_config *config, int *ret_socket, struct hf_error *err)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int n = snprintf(at.sun_path, sizeof(at.sun_path), "%s/net.sock", config->run_dir);
	if (n < 0 || (size_t)n >= sizeof(at.sun_path))
		return 1;
	hf_auto_fd fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return hf_fail_errno(err, HF_E_IO, "socket");
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		return errno == ENOENT || errno == ECONNREFUSED
			       ? 1
			       : hf_fail_errno(err, HF_E_NET, "ask for the net role at %s", at.sun_path);
	hf_wire_room(fd);
	int result = hello_send(fd, config, err);
	if (result < 0)
		return result;
	*ret_socket = hf_take_fd(&fd);
	return 0;
}

/* --- the unit's side --- */

/* The socket's mode lets in root alone; whoever made it for us may have thought otherwise. */
static bool from_root(int socket)
{
	struct ucred who;
	socklen_t size = sizeof(who);
	return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 && who.uid == 0;
}

static int hello_wait(int socket, struct hf_arena *a, struct hf_config *c, struct hf_error *err)
{
	hf_auto_buf in = hf_buf_init(2 * HF_WIRE_MAX);
	const struct timeval patience = { .tv_sec = HELLO_S }, forever = { 0 };
	struct hf_wire_message m;
	struct hf_value *v = NULL;
	setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	int result = hf_wire_receive(socket, &in, &m, err);
	setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &forever, sizeof(forever));
	if (result == 1 || (result == 0 && m.kind != HF_WIRE_HELLO))
		return hf_fail(err, HF_E_NET, "whoever asked for the net role did not say for what");
	if (result == 0)
		result = hf_json_parse(a, m.payload, "hello", &v, err);
	if (result < 0)
		return result;
	*c = (struct hf_config){ .user = hf_strdup(a, hf_dict_cstr(v, "user", "")),
		.host = hf_strdup(a, hf_dict_cstr(v, "client", "")),
		.log_level = (int)hf_dict_int(v, "log", HF_LOG_INFO),
		.mqtt = { .host = hf_strdup(a, hf_dict_cstr(v, "host", "")),
			.port = hf_dict_int(v, "port", 0),
			.keepalive_s = hf_dict_int(v, "keepalive", 0),
			.ca = hf_dict_bool(v, "tls", false) ? "" : NULL } };
	return 0;
}

int hf_net_unit_main(void)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_config config;
	struct hf_error err = { 0 };
	int socket = SD_LISTEN_FDS_START;
	if (sd_listen_fds(1) != 1 || sd_is_socket_unix(socket, SOCK_SEQPACKET, 0, NULL, 0) <= 0) {
		hf_log(HF_LOG_ERROR, "the net role is started by holdfastd-net.socket only");
		return 1;
	}
	int result = from_root(socket) ? hello_wait(socket, a, &config, &err)
				       : hf_fail(&err, HF_E_DENIED, "the net role serves root only");
	if (result == 0)
		result = hf_wire_send(
			socket, HF_WIRE_HERE, (uint32_t)getpid(), (struct hf_str){ 0 }, -1, &err);
	if (result < 0) {
		hf_log(HF_LOG_ERROR, "%s", err.text);
		return 1;
	}
	hf_log_init("holdfastd", (enum hf_log_level)config.log_level);
	/* The supervisor has ended, or is another one now: the end of this role too, and no failure. */
	(void)hf_net_main(&config, socket);
	return 0;
}
