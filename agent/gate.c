#include "agent/gate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/child.h"
#include "agent/store_wire.h"
#include "lib/base/fs.h"
#include "lib/base/proc.h"
#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "lib/data/json.h"
#include "lib/release/document.h"
#include "modules/gpu_nvml.h"

enum {
	ARGV_MAX = 256,
	COMMAND_MS = 60000,
	AGAIN_MS = 500,
	CONNECT_MS = 2000,
	POINTER_MAX = 1 << 20,
	OUTPUT_MAX = 64 << 10
};

static int command_hold(struct hf_arena *a, const struct hf_value *v, struct hf_error *err)
{
	const char *argv[ARGV_MAX + 1] = { "/bin/sh", "-c", NULL };
	if (hf_is(v, HF_LIST)) {
		size_t n = hf_list_len(v);
		if (n == 0 || n > ARGV_MAX)
			return hf_fail(err, HF_E_ARGUMENT, "a command of %zu words", n);
		for (size_t i = 0; i < n; i++)
			argv[i] = hf_value_text(a, hf_list_at(v, i)).p;
		argv[n] = NULL;
	} else {
		argv[2] = hf_value_text(a, v).p;
		argv[3] = NULL;
	}
	struct hf_proc_spec spec = {
		.argv = argv, .timeout_ms = COMMAND_MS, .max_output = OUTPUT_MAX, .umask = HF_PROC_KEEP_UMASK
	};
	struct hf_proc_result r;
	int result = hf_proc_run(a, &spec, &r, err);
	if (result < 0)
		return result;
	if (r.timed_out || r.status != 0)
		return hf_fail(
			err, HF_E_TASK, "exit status %d%s", r.status, r.timed_out ? " (too slow)" : "");
	return 0;
}

/* A listener on this host; the gate child is the one part of the agent that connects, to loopback only. */
static int port_hold(struct hf_arena *a, const struct hf_value *v, struct hf_error *err)
{
	int64_t port = hf_is(v, HF_INT) ? v->u.integer : 0;
	if (port < 1 || port > 65535)
		return hf_fail(err, HF_E_ARGUMENT, "no port");
	hf_auto_fd fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	if (fd < 0)
		return hf_fail_errno(err, HF_E_IO, "socket");
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS)
		return hf_fail_errno(err, HF_E_NET, "connect");
	struct pollfd p = { fd, POLLOUT, 0 };
	int problem = 0;
	socklen_t size = sizeof(problem);
	if (poll(&p, 1, CONNECT_MS) <= 0)
		return hf_fail(err, HF_E_TIMEOUT, "nobody answers");
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &size);
	errno = problem;
	return problem == 0 ? 0 : hf_fail_errno(err, HF_E_NET, "connect");
}

static int file_hold(struct hf_arena *a, const struct hf_value *v, struct hf_error *err)
{
	const char *path = hf_value_text(a, v).p;
	return hf_fs_exists(path) ? 0 : hf_fail(err, HF_E_NOT_FOUND, "no such file");
}

static int gpu_hold(struct hf_arena *a, const struct hf_value *v, struct hf_error *err)
{
	struct hf_value *gpu = NULL;
	int64_t n = 0, want = hf_is(v, HF_INT) ? v->u.integer : 1;
	int result = hf_nvml_query(a, NULL, HF_NVML_DEADLINE_MS, &gpu, err);
	if (result < 0)
		return result;
	const struct hf_value *devices = hf_dict_get(gpu, "devices");
	for (size_t i = 0; i < hf_list_len(devices); i++)
		n += hf_dict_bool(hf_list_at(devices, i), "answers", false);
	return n >= want ? 0
			 : hf_fail(err, HF_E_TASK, "%lld GPUs answer, %lld are wanted", (long long)n,
				   (long long)want);
}

static int import_hold(struct hf_arena *a, const struct hf_value *v, struct hf_error *err)
{
	const char *const argv[] = { "python3", "-c", hf_sprintf(a, "import %s", hf_value_text(a, v).p),
		NULL };
	return hf_proc_output(a, argv, NULL, err);
}

static const struct {
	const char *key;
	int (*hold)(struct hf_arena *a, const struct hf_value *v, struct hf_error *err);
} kinds[] = { { "command", command_hold }, { "port", port_hold }, { "file", file_hold }, { "gpu", gpu_hold },
	{ "import", import_hold } };

static int gate_hold(struct hf_arena *a, const struct hf_value *gate, struct hf_error *err)
{
	if (!hf_is(gate, HF_DICT))
		return hf_fail(err, HF_E_ARGUMENT, "a gate must be a mapping");
	for (size_t i = 0; i < HF_COUNT(kinds); i++) {
		const struct hf_value *v = hf_dict_get(gate, kinds[i].key);
		if (v == NULL)
			continue;
		int result = kinds[i].hold(a, v, err);
		return result == 0 ? 0 : hf_wrap(err, "gate %s", hf_dict_cstr(gate, "name", kinds[i].key));
	}
	return hf_fail(err, HF_E_UNSUPPORTED, "a gate of no known kind (command, port, file, gpu, import)");
}

/* A release that cuts the host off from its store could never be taken back by the fleet. */
static int store_hold(struct hf_arena *a, const struct hf_config *config, struct hf_error *err)
{
	hf_auto_store store = NULL;
	hf_auto_buf out = hf_buf_init(POINTER_MAX);
	int result = hf_store_wire_open(a, config, &store, err);
	if (result == 0) {
		struct hf_store_get g = { .key = hf_pointer_key(a, config->environment, config->fleet),
			.out = &out,
			.fd = -1,
			.max = POINTER_MAX };
		result = hf_store_get(store, &g, err);
	}
	return result == 0 ? 0 : hf_wrap(err, "gate store");
}

static int all_hold(const struct hf_gate_job *job, struct hf_error *err)
{
	hf_auto_arena a = hf_arena_new();
	size_t n = hf_is(job->gates, HF_LIST) ? hf_list_len(job->gates) : 0;
	for (size_t i = 0; i < n; i++) {
		int result = gate_hold(a, hf_list_at(job->gates, i), err);
		if (result < 0)
			return result;
	}
	return store_hold(a, job->config, err);
}

int hf_gate_body(int socket, void *data)
{
	const struct hf_gate_job *job = data;
	uint64_t deadline = hf_time_monotonic_ms() + job->deadline_ms;
	struct hf_error err = { 0 };
	int result;
	while ((result = all_hold(job, &err)) < 0 && hf_time_monotonic_ms() + AGAIN_MS < deadline)
		usleep(AGAIN_MS * 1000);
	hf_auto_arena a = hf_arena_new();
	hf_auto_buf b = hf_buf_init(HF_CHILD_LINE_MAX);
	struct hf_value *v = hf_value_dict(a);
	struct hf_json_style style = HF_JSON_COMPACT;
	hf_dict_put(v, "k", hf_value_cstr(a, "gates"));
	hf_dict_put(v, "ok", hf_value_bool(a, result == 0));
	hf_dict_put(v, "text", hf_value_cstr(a, result == 0 ? "" : err.text));
	if (hf_json_write(&b, v, &style, NULL) < 0)
		return 1;
	return hf_child_tell(socket, hf_buf_str(&b), NULL) < 0 ? 1 : 0;
}
