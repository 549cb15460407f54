/* agent/config.h - /etc/holdfast/holdfast.yaml bound into one struct; the table in config.c is the reference.
 * Owns:  everything lives in the arena given to hf_config_load().
 * Fails: HF_E_PARSE, HF_E_ARGUMENT with file:line:column; unknown keys are errors. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/data/value.h"
#include "lib/release/window.h"

#define HF_CONFIG_PATH HF_SYSCONFDIR "/holdfast/holdfast.yaml"

enum hf_policy { HF_POLICY_REPORT, HF_POLICY_CORRECT, HF_POLICY_WINDOW };
enum hf_on_failure { HF_ON_FAILURE_UNDO, HF_ON_FAILURE_KEEP };

enum { HF_WINDOWS_MAX = 32, HF_ROLES_MAX = 64, HF_CLIENT_ID_MAX = 128 };

/* The word in a host's place in topics that stands for all of a fleet; no host is called so. */
#define HF_TOPIC_ALL "all"

struct hf_config_mqtt {
	const char *host; /* NULL: no broker, reports stay in the spool */
	int64_t port, keepalive_s;
	const char *ca, *cert, *key; /* PEM files; ca NULL: no TLS, allowed for loopback only */
	const char *client_id;       /* NULL: the host's name */
};

/* What goes to AWS besides MQTT; each part is off until it is asked for. */
struct hf_config_aws {
	const char *region;                 /* NULL: as the environment, the profile or the instance says */
	const char *instance;               /* NULL: asked of the instance metadata service */
	const char *log_group, *name_space; /* CloudWatch Logs; NULL: off */
	const char *event_bus;              /* EventBridge; NULL: off */
	bool compliance, inventory;         /* Systems Manager */
	int64_t spool_bytes;
};

/* What happens when the cloud takes the instance back. */
enum hf_notices { HF_NOTICES_AUTO, HF_NOTICES_ALWAYS, HF_NOTICES_NEVER };
enum hf_rebalance { HF_REBALANCE_DEGRADED, HF_REBALANCE_DRAIN, HF_REBALANCE_IGNORE };
struct hf_config_drain {
	int notices, rebalance; /* enums above */
	const char *command;    /* for /bin/sh; NULL: none */
	int64_t deadline_s, every_s;
};

struct hf_config {
	const char *path;
	const char *environment, *fleet, *host;
	const char *roles[HF_ROLES_MAX + 1]; /* NULL-terminated */
	const char *store;
	const char *trust;                    /* the root document this host starts from */
	const char *trust_sha256;             /* what that document must hash to; NULL: not checked */
	int64_t min_root, min_epoch, min_seq; /* the least to believe, whatever the state says; 0: none */
	const char *state_dir, *run_dir, *user;
	const char *allow_agent; /* an older agent that may run here; NULL: none */
	int64_t store_timeout_s;
	int64_t poll_s, splay_s, sweep_s, hash_sweep_s, run_deadline_s, gate_deadline_s, debounce_ms;
	int64_t look_s; /* period of polls; 0: each kind's own */
	int policy;     /* enum hf_policy */
	bool inotify;   /* watch: inotify, even where fanotify is to be had */
	int on_failure; /* enum hf_on_failure */
	struct hf_window windows[HF_WINDOWS_MAX];
	size_t n_windows;
	int64_t spool_bytes, spool_keep;
	int log_level; /* enum hf_log_level */
	bool lookups;  /* templates may reach files, the environment and programs */
	struct hf_config_mqtt mqtt;
	struct hf_config_aws aws;
	struct hf_config_drain drain;
	const char *run_reports; /* store URL for whole reports of runs; NULL: none are made */
};

HF_CHECK int hf_config_load(
	struct hf_arena *a, const char *path, struct hf_config *ret, struct hf_error *err);
/* Whether any window is open at `now` (seconds since the epoch); false when there are none. */
bool hf_config_window_open(const struct hf_config *c, int64_t now);
extern const char *const hf_policy_names[]; /* indexed by enum hf_policy; NULL-terminated */
