#include "agent/store_wire.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "agent/child.h"
#include "agent/sandbox.h"
#include "agent/wire.h"
#include "lib/base/curl_late.h"
#include "lib/base/fs.h"
#include "lib/base/log.h"
#include "lib/base/scope.h"

enum { BATCH_MAX = 64, GET_HEAD = sizeof(uint64_t), VALUE_MAX = 64 << 20 };

struct wire_store {
	struct hf_store store;
	int socket;
	pid_t pid;
	struct hf_buf in;
};

struct got {
	int32_t result;
	uint32_t not_modified;
	uint64_t size;
};

/* --- the net role --- */

struct batch {
	struct hf_arena *arena;
	struct hf_store_get at[BATCH_MAX];
	uint32_t ids[BATCH_MAX];
	size_t n;
};

static int get_take(struct batch *b, const struct hf_wire_message *m, struct hf_error *err)
{
	struct hf_str rest = m->payload, etag;
	if (b->n == BATCH_MAX || rest.n < GET_HEAD || m->fd < 0)
		return hf_fail(err, HF_E_INTERNAL, "a request that is none");
	struct hf_store_get *g = &b->at[b->n];
	*g = (struct hf_store_get){ .fd = m->fd };
	memcpy(&g->max, rest.p, sizeof(g->max));
	rest = hf_strn(rest.p + GET_HEAD, rest.n - GET_HEAD);
	hf_str_split(&rest, '\n', &etag);
	g->if_none_match = etag.n > 0 ? hf_str_dup(b->arena, etag) : NULL;
	g->key = hf_str_dup(b->arena, rest);
	b->ids[b->n++] = m->id;
	return 0;
}

static int batch_run(struct batch *b, struct hf_store *store, int socket, struct hf_error *err)
{
	struct hf_error why = { 0 };
	int result = hf_store_get_many(store, b->at, b->n, &why);
	int sent = 0;
	for (size_t i = 0; i < b->n && sent == 0; i++) {
		const struct hf_store_get *g = &b->at[i];
		struct got head = { g->result, g->not_modified, g->size };
		hf_auto_buf p = hf_buf_init(HF_WIRE_MAX);
		hf_buf_append(&p, &head, sizeof(head));
		hf_buf_printf(&p, "%s\n%s", g->etag.text, result < 0 && g->result < 0 ? why.text : "");
		sent = hf_wire_send(socket, HF_WIRE_GOT, b->ids[i], hf_buf_str(&p), -1, err);
	}
	for (size_t i = 0; i < b->n; i++)
		close(b->at[i].fd);
	b->n = 0;
	return sent;
}

static uint32_t timeout(const struct hf_config *config)
{
	return (uint32_t)config->store_timeout_s * 1000;
}

static int role_serve(const struct hf_config *config, int socket, struct hf_error *err)
{
	hf_auto_arena a = hf_arena_new();
	hf_auto_store store = NULL;
	hf_auto_buf in = hf_buf_init(2 * HF_WIRE_MAX);
	struct batch b = { .arena = a };
	const char *missing = NULL;
	int result = 0;
	if (hf_str_starts(hf_str(config->store), "s3://"))
		result = hf_curl_ready(err); /* behind the sandbox no library can be opened */
	if (result == 0)
		result = hf_sandbox_enter(HF_SANDBOX_STORE, config->user, &missing, err);
	if (result == 0)
		result = hf_store_open(a, config->store,
			&(struct hf_store_options){ .timeout_ms = timeout(config) }, &store, err);
	while (result == 0) {
		struct hf_wire_message m;
		if (hf_wire_receive(socket, &in, &m, NULL) != 0)
			return 0; /* the reader is done */
		if (m.kind == HF_WIRE_GET)
			result = get_take(&b, &m, err);
		else if (m.kind == HF_WIRE_RUN)
			result = batch_run(&b, store, socket, err);
		else
			result = hf_fail(
				err, HF_E_INTERNAL, "message kind %d is not for the store role", (int)m.kind);
	}
	return result;
}

static HF_NORETURN void role_main(const struct hf_config *config, int socket)
{
	struct hf_error err = { 0 };
	if (role_serve(config, socket, &err) < 0) {
		hf_log(HF_LOG_ERROR, "store role: %s", err.text);
		_exit(1);
	}
	_exit(0);
}

/* --- the reader's side --- */

static int get_send(
	struct wire_store *s, uint32_t id, const struct hf_store_get *g, int fd, struct hf_error *err)
{
	hf_auto_buf p = hf_buf_init(HF_WIRE_MAX);
	hf_buf_append(&p, &g->max, sizeof(g->max));
	hf_buf_printf(&p, "%s\n%s", g->if_none_match != NULL ? g->if_none_match : "", g->key);
	return hf_wire_send(s->socket, HF_WIRE_GET, id, hf_buf_str(&p), fd, err);
}

/* A claim of the net role: whatever it says, at most g->max bytes are believed to have come. */
static int got_take(const struct hf_wire_message *m, struct hf_store_get *g, struct hf_error *err)
{
	struct got head;
	struct hf_str rest = m->payload, etag;
	if (rest.n < sizeof(head))
		return hf_fail(err, HF_E_NET, "an answer of the store role is cut short");
	memcpy(&head, rest.p, sizeof(head));
	rest = hf_strn(rest.p + sizeof(head), rest.n - sizeof(head));
	hf_str_split(&rest, '\n', &etag);
	g->result = head.result < -HF_E_INTERNAL || head.result > 1 ? -HF_E_NET : head.result;
	g->not_modified = head.not_modified != 0;
	g->size = head.size > g->max ? g->max : head.size;
	snprintf(g->etag.text, sizeof(g->etag.text), "%.*s", HF_STR_ARG(etag));
	if (g->result >= 0)
		return 0;
	struct hf_str text = rest.n > 0 ? rest : HF_STR("the store failed");
	return hf_fail(err, (enum hf_code) - g->result, "%.*s", HF_STR_ARG(text));
}

static int answers_wait(struct wire_store *s, struct hf_store_get *items, size_t n, struct hf_error *err)
{
	int first = 0;
	for (size_t i = 0; i < n; i++) {
		struct hf_wire_message m;
		int result = hf_wire_receive(s->socket, &s->in, &m, err);
		if (result < 0)
			return result;
		if (m.kind != HF_WIRE_GOT || m.id >= n)
			return hf_fail(err, HF_E_NET, "an answer of the store role that was not asked for");
		result = got_take(&m, &items[m.id], first == 0 ? err : NULL);
		if (first == 0)
			first = result;
	}
	return first;
}

static int memory_read(struct hf_store_get *g, int fd, struct hf_error *err)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_str bytes;
	if (g->out == NULL || g->result != 0 || g->not_modified)
		return 0;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return hf_fail_errno(err, HF_E_IO, "rewind");
	int result = hf_fs_read_fd(a, fd, g->max < VALUE_MAX ? (size_t)g->max : VALUE_MAX, &bytes, err);
	if (result == 0) {
		hf_buf_add(g->out, bytes);
		result = hf_buf_check(g->out, g->key, err);
	}
	return result;
}

static int batch_get(struct wire_store *s, struct hf_store_get *items, size_t n, struct hf_error *err)
{
	int memory[BATCH_MAX], result = 0;
	for (size_t i = 0; i < n; i++) {
		memory[i] = items[i].out == NULL ? -1 : memfd_create("object", MFD_CLOEXEC);
		if (result == 0)
			result = get_send(
				s, (uint32_t)i, &items[i], memory[i] >= 0 ? memory[i] : items[i].fd, err);
	}
	if (result == 0)
		result = hf_wire_send(s->socket, HF_WIRE_RUN, (uint32_t)n, (struct hf_str){ 0 }, -1, err);
	if (result == 0)
		result = answers_wait(s, items, n, err);
	for (size_t i = 0; i < n; i++) {
		if (result == 0)
			result = memory_read(&items[i], memory[i], err);
		hf_close_fd(&memory[i]);
	}
	return result;
}

static int wire_get(struct hf_store *store, struct hf_store_get *items, size_t n, struct hf_error *err)
{
	int result = 0;
	for (size_t at = 0; at < n && result == 0; at += BATCH_MAX)
		result = batch_get(
			(struct wire_store *)store, items + at, n - at < BATCH_MAX ? n - at : BATCH_MAX, err);
	return result;
}

static void wire_close(struct hf_store *store)
{
	struct wire_store *s = (struct wire_store *)store;
	hf_close_fd(&s->socket);
	hf_buf_done(&s->in);
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
}

static const struct hf_store_kind wire_kind = { .scheme = "wire", .close = wire_close, .get = wire_get };

int hf_store_wire_open(
	struct hf_arena *a, const struct hf_config *config, struct hf_store **ret, struct hf_error *err)
{
	if (strncmp(config->store, "file://", 7) == 0)
		return hf_store_open(a, config->store,
			&(struct hf_store_options){ .timeout_ms = timeout(config) }, ret, err);
	int pair[2];
	int result = hf_wire_pair(false, pair, err);
	if (result < 0)
		return result;
	pid_t self = getpid(), pid = fork();
	if (pid == 0) {
		hf_child_enter(self, (const int[]){ pair[1] }, 1);
		role_main(config, pair[1]);
	}
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return hf_fail_errno(err, HF_E_IO, "start the store role");
	}
	struct wire_store *s = hf_new(a, struct wire_store);
	*s = (struct wire_store){ .store = { .kind = &wire_kind, .url = config->store },
		.socket = pair[0],
		.pid = pid,
		.in = hf_buf_init(2 * HF_WIRE_MAX) };
	*ret = &s->store;
	return 0;
}
