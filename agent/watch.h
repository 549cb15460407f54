/* agent/watch.h - what the kernel and the buses are asked to tell, and about which watched thing they told.
 * A "thing" is a kind and a name: path /etc/motd, tree /srv/www, unit nginx.service, packages, users, mounts,
 * sysctl net.ipv4.ip_forward. Sources: fanotify file-system marks where allowed (they name the actor),
 * inotify otherwise; /proc/self/mountinfo; systemd's PropertiesChanged; a poll for what nothing tells. Owns:
 * its descriptors and marks. A lost event (overflow, a lost bus) is told as such, never passed over. */
#pragma once
#include "agent/agent.h"

enum hf_thing {
	HF_THING_PATH,
	HF_THING_TREE,
	HF_THING_UNIT,
	HF_THING_PACKAGES,
	HF_THING_USERS,
	HF_THING_MOUNTS,
	HF_THING_SYSCTL,
	HF_THING_POLL,
	HF_THINGS
};
extern const char *const hf_thing_names[];

/* Where events go. */
struct hf_watch_sink {
	/* name NULL: everything of that kind. actor NULL: unknown. */
	void (*touched)(struct hf_drift *d, enum hf_thing kind, const char *name, const char *actor);
	void (*lost)(struct hf_drift *d, const char *why);
	void (*sweep)(struct hf_drift *d, bool hash); /* what happened meanwhile is found by looking */
};

HF_CHECK int hf_watch_new(struct hf_agent *agent, const struct hf_watch_sink *sink, struct hf_watch **ret,
	struct hf_error *err);
/* The whole set at once: begin, one call a thing, commit. Things asked for twice are watched once. */
void hf_watch_begin(struct hf_watch *w);
void hf_watch_add(struct hf_watch *w, enum hf_thing kind, const char *name);
void hf_watch_commit(struct hf_watch *w);
