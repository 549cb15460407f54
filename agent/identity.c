#include "agent/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "agent/report.h"
#include "agent/sandbox.h"
#include "lib/base/curl_late.h"
#include "lib/base/fs.h"
#include "lib/base/log.h"
#include "lib/base/time.h"
#include "lib/net/imds.h"

enum { ANSWER_MS = 6000, ID_MAX = 64, DMI_MAX = 256 };

/* --- asking --- */

static bool is_instance_id(const char *text)
{
	return strncmp(text, "i-", 2) == 0 && text[2] != '\0' &&
	       strspn(text + 2, "0123456789abcdef") == strlen(text + 2);
}

static bool is_ec2(void)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_str vendor = { 0 };
	return hf_fs_read(a, "/sys/class/dmi/id/sys_vendor", DMI_MAX, &vendor, NULL) == 0 &&
	       hf_str_find(vendor, HF_STR("Amazon"), 0) != SIZE_MAX;
}

/* A machine elsewhere would wait for an address that nobody answers. */
static bool worth_asking(const struct hf_agent *agent, const char *known)
{
	const char *off = getenv("AWS_EC2_METADATA_DISABLED");
	if (off != NULL && strcasecmp(off, "true") == 0)
		return false;
	return known != NULL || getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT") != NULL ||
	       is_instance_id(agent->config.host) || is_ec2();
}

/* The net role's side: asks without rights, writes the id or nothing. */
static HF_NORETURN void role_main(const struct hf_config *config, int to)
{
	hf_auto_arena a = hf_arena_new();
	hf_auto_imds imds = NULL;
	struct hf_error err = { 0 };
	struct hf_str id = { 0 };
	const char *missing = NULL;
	int result = hf_curl_ready(&err); /* behind the sandbox no library can be opened */
	if (result == 0)
		result = hf_sandbox_enter(HF_SANDBOX_STORE, config->user, &missing, &err);
	if (result == 0)
		result = hf_imds_new(&hf_aws_io_process, &imds, &err);
	if (result == 0)
		result = hf_imds_get(imds, a, "meta-data/instance-id", &id, &err);
	if (result == 0)
		result = hf_fs_write_all(to, id, &err);
	if (result < 0)
		hf_log(HF_LOG_WARNING, "which instance this is: %s", err.text);
	_exit(result < 0);
}

/* Up to ID_MAX bytes, whatever the other side does, within ANSWER_MS. */
static size_t answer_read(int fd, char out[ID_MAX + 1])
{
	uint64_t end = hf_time_monotonic_ms() + ANSWER_MS;
	size_t n = 0;
	for (uint64_t now; n < ID_MAX && (now = hf_time_monotonic_ms()) < end;) {
		struct pollfd p = { fd, POLLIN, 0 };
		ssize_t got = poll(&p, 1, (int)(end - now)) > 0 ? read(fd, out + n, ID_MAX - n) : 0;
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	out[n] = '\0';
	return n;
}

/* *ret_id is "" when nobody told. */
static int instance_ask(const struct hf_config *config, char ret_id[ID_MAX + 1], struct hf_error *err)
{
	int pair[2];
	ret_id[0] = '\0';
	if (pipe2(pair, O_CLOEXEC) < 0)
		return hf_fail_errno(err, HF_E_IO, "a pipe");
	pid_t self = getpid(), pid = fork();
	if (pid == 0) {
		hf_child_enter(self, (const int[]){ pair[1] }, 1);
		role_main(config, pair[1]);
	}
	close(pair[1]);
	size_t n = pid < 0 ? 0 : answer_read(pair[0], ret_id);
	close(pair[0]);
	if (pid < 0)
		return hf_fail_errno(err, HF_E_IO, "start the net role");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	if (n > 0 && !is_instance_id(ret_id)) {
		hf_log(HF_LOG_WARNING, "the instance service names no instance");
		ret_id[0] = '\0';
	}
	return 0;
}

/* --- a clone --- */

/* Reports that wait are the other host's, which sends them itself; its run ends there; what its ledger calls
 * done was done with its names and addresses. */
#define OTHERS                                                                                               \
	"'spool.boot','spool.last','spool.dropped','state.published','installed','rest','rest.message',"     \
	"'pause.until','pause.reason','first.said','timeline','notice'"
static const char *const forget[] = {
	"DELETE FROM spool",
	"DELETE FROM meta WHERE key IN (" OTHERS ")",
	"UPDATE runs SET status='interrupted', message='of the host of this image' WHERE status='running'",
	"UPDATE ledger SET fingerprint='', streak=0, retry_at=0",
	"DELETE FROM quarantine",
};

struct identity {
	const char *id, *name, *client, *instead; /* as the state has them; NULL: none */
};

static int identity_load(struct hf_agent *agent, struct identity *ret, struct hf_error *err)
{
	const struct {
		const char *key, **to;
	} rows[] = { { "instance.id", &ret->id }, { "instance.name", &ret->name },
		{ "instance.client", &ret->client }, { "instance.instead", &ret->instead } };
	int result = 0;
	for (size_t i = 0; result == 0 && i < HF_COUNT(rows); i++)
		result = hf_state_get(agent->state, agent->arena, rows[i].key, rows[i].to, err);
	return result;
}

/* name and client: as the configuration has them. */
static int identity_store(struct hf_agent *agent, const char *id, const char *instead, struct hf_error *err)
{
	struct hf_state *s = agent->state;
	int result;
	if ((result = hf_state_set(s, "instance.id", id, err)) < 0 ||
		(result = hf_state_set(s, "instance.name", agent->config.host, err)) < 0 ||
		(result = hf_state_set(s, "instance.client", agent->config.mqtt.client_id, err)) < 0)
		return result;
	return hf_state_set(s, "instance.instead", instead, err);
}

static int clone_settle(struct hf_agent *agent, struct identity *known, const char *id, struct hf_error *err)
{
	bool same_name = known->name != NULL && strcmp(known->name, agent->config.host) == 0;
	int result = hf_state_begin(agent->state, err);
	for (size_t i = 0; result == 0 && i < HF_COUNT(forget); i++)
		result = hf_state_exec(agent->state, err, forget[i], "");
	if (result == 0)
		result = identity_store(agent, id, same_name ? id : NULL, err);
	if (result == 0)
		result = hf_state_commit(agent->state, err);
	if (result < 0)
		return result;
	agent->cloned_from = known->id;
	known->instead = same_name ? hf_strdup(agent->arena, id) : NULL;
	hf_log(HF_LOG_WARNING, "this state is that of instance %s, and this is %s: a new host", known->id,
		id);
	return 0;
}

int hf_identity_settle(struct hf_agent *agent, struct hf_error *err)
{
	struct identity known = { 0 };
	char id[ID_MAX + 1];
	struct hf_config *c = &agent->config;
	int result = identity_load(agent, &known, err);
	if (result < 0 || !worth_asking(agent, known.id))
		return result;
	result = instance_ask(c, id, err);
	if (result == 0 && id[0] != '\0' && known.id != NULL && strcmp(known.id, id) != 0)
		result = clone_settle(agent, &known, id, err);
	else if (result == 0 && known.name != NULL && strcmp(known.name, c->host) != 0)
		known.instead = NULL; /* somebody has named it since */
	if (result == 0 && id[0] != '\0' && agent->cloned_from == NULL)
		result = identity_store(agent, id, known.instead, err);
	if (result < 0 || known.instead == NULL)
		return result;
	c->host = known.instead;
	c->mqtt.client_id = NULL; /* the host's name; a configured one is the other host's too */
	return 0;
}

void hf_identity_tell(struct hf_agent *agent)
{
	if (agent->cloned_from != NULL)
		hf_report_alarm(agent, "cloned", "cloned",
			"an image of instance %s: this host is %s from now on, and its release is applied in "
			"full",
			agent->cloned_from, agent->config.host);
}

bool hf_identity_asks(const struct hf_agent *agent)
{
	return worth_asking(agent, NULL);
}
