/* agent/agent.h - what the supervisor's parts share. One loop, one thread; the parts call those
 * below them directly, those above through struct hf_above. supervisor.c starts them; work.c decides what
 * runs next; everything that must survive a kill is in the state database before it is acted upon. */
#pragma once
#include <systemd/sd-event.h>

#include "agent/child.h"
#include "agent/config.h"
#include "agent/spool.h"
#include "agent/state.h"
#include "lib/base/scope.h"

/* The host as the fleet sees it; words in hf_host_state_names. */
enum hf_host_state {
	HF_HOST_STARTING,
	HF_HOST_CONVERGING,
	HF_HOST_OK,
	HF_HOST_DRIFTED,
	HF_HOST_CORRECTING,
	HF_HOST_CONTENDED,
	HF_HOST_FAILED,
	HF_HOST_GATED,
	HF_HOST_ROLLED_BACK,
	HF_HOST_ROLLED_BACK_PARTIAL,
	HF_HOST_QUARANTINED,
	HF_HOST_PAUSED,
	HF_HOST_STALE_STORE,
	HF_HOST_STATES,
};
extern const char *const hf_host_state_names[];

/* A release as the channel names it, kept as JSON under "target" and "installed". */
struct hf_target {
	struct hf_arena *arena;
	const char *release; /* hash as text; NULL: none */
	const char *name, *entry, *kind, *reason;
	int64_t seq;
	int64_t issued;           /* when the pointer was */
	struct hf_value *gates;   /* a list */
	struct hf_value *rollout; /* a dict: whose turn it is; NULL: everybody's */
};

/* What the cloud says will happen to this instance. */
enum hf_notice_kind { HF_NOTICE_NONE, HF_NOTICE_REBALANCE, HF_NOTICE_INTERRUPTION };
extern const char *const hf_notice_names[]; /* none, rebalance, interruption */
enum { HF_NOTICE_TEXT = 48 };
struct hf_notice_now {
	enum hf_notice_kind kind;
	char action[HF_NOTICE_TEXT], time[HF_NOTICE_TEXT];
	char drain[HF_NOTICE_TEXT]; /* of the hook: "", running, done, failed, timed-out */
};

struct hf_agent;
struct hf_broker;
struct hf_cloud;
struct hf_ctl;
struct hf_drift;
struct hf_notice;
struct hf_plan;
struct hf_pull;
struct hf_watch;
struct hf_work;

/* What is going on besides what the database knows, for reports. */
struct hf_facts {
	bool at_work; /* doing says what */
	enum hf_host_state doing;
	pid_t worker;              /* 0: none */
	bool stale;                /* the store has not answered for several polls */
	const char *store_trouble; /* "": none */
	int64_t polled;            /* when a poll went well last; 0: never */
	bool connected;            /* to the broker */
	const char *broker_trouble;
	pid_t broker;
};

/* What a part asks of those that use it: parts include each other one way only, so such calls go through
 * here. The supervisor, above all of them, fills it in. */
struct hf_above {
	void (*wake)(struct hf_agent *agent);          /* something may be to do now */
	bool (*running)(const struct hf_agent *agent); /* a run is at work, other than a look at drift */
	void (*facts)(const struct hf_agent *agent, struct hf_facts *ret);
	/* How reports fare that go elsewhere than to the broker; NULL: none do. */
	struct hf_value *(*elsewhere)(const struct hf_agent *agent, struct hf_arena *a);
	/* The body of a run's report is made: it goes elsewhere too, and learns from there. */
	void (*reported)(struct hf_agent *agent, struct hf_arena *a, int64_t run, struct hf_value *body);
};

struct hf_agent {
	struct hf_arena *arena;
	const struct hf_above *above;
	struct hf_config config;
	const char *program; /* path of this program, for the apply role */
	sd_event *loop;
	struct hf_state *state;
	struct hf_spool *spool;
	struct hf_broker *broker; /* NULL: none configured */
	struct hf_cloud *cloud;   /* NULL: nothing goes to AWS */
	struct hf_ctl *ctl;
	struct hf_plan *plan;
	struct hf_pull *pull;
	struct hf_work *work;
	struct hf_watch *watch;
	struct hf_drift *drift;
	struct hf_notice *notices;
	struct hf_notice_now notice;
	bool drains; /* the notice is one to leave for */
	struct hf_target target, installed;
	int64_t started;
	const char *cloned_from; /* the instance an image was taken of; NULL: this one */
	unsigned rounds;         /* of housekeeping */
	int64_t paused_until;    /* 0: not paused */
	const char *pause_reason;
	/* What the last run left behind, kept over restarts: HF_HOST_OK, _FAILED, _ROLLED_BACK … */
	enum hf_host_state rest;
	const char *rest_message;
	struct hf_arena *rest_arena;
};

/* A failure of the state database, of memory or of the loop: nothing can be promised any more, so the
 * supervisor ends and its service manager starts it again. */
HF_NORETURN void hf_agent_fatal(const struct hf_error *err);
/* For calls that may only fail that way. */
#define HF_MUST(call)                                                                                        \
	do {                                                                                                 \
		struct hf_error must_err = { 0 };                                                            \
		struct hf_error *err = &must_err;                                                            \
		if ((call) < 0)                                                                              \
			hf_agent_fatal(err);                                                                 \
	} while (0)

HF_CHECK int hf_target_parse(const char *json, struct hf_target *ret, struct hf_error *err);
void hf_target_replace(struct hf_target *t, struct hf_target *with);       /* takes with's arena */
bool hf_target_same(const struct hf_target *a, const struct hf_target *b); /* the same release */

/* A timer of the loop that is off until set; accuracy a tenth of a second unless exact. */
sd_event_source *hf_timer_new(sd_event *loop, bool exact, sd_event_time_handler_t handler, void *data);
void hf_timer_set(sd_event_source *timer, uint64_t in_ms);
void hf_timer_stop(sd_event_source *timer);
