/* agent/fetch.h - one poll, in a child of its own: the order of lib/release/accept.h from stored trust to an
 * unpacked release. Tells lines and waits for answers on socket:
 *   {"k":"trust", …}   new trusted state; goes on only after it was stored
 *   {"k":"target", …}  a release is on the host, verified; stored before the child ends
 *   {"k":"same"}       nothing new
 *   {"k":"error","code":…,"refusal":…,"text":…} */
#pragma once
#include "agent/config.h"
#include "lib/release/accept.h"

struct hf_fetch {
	const struct hf_config *config;
	struct hf_trust trust; /* root_bytes.n 0: none yet */
	const char *etag;      /* of the pointer whose release is installed or wanted already; NULL: none */
	const char *agent_newest; /* the newest agent that ever polled here; NULL: none */
	bool look_for_root;       /* ask for a newer root even if the pointer has not changed */
};
/* A child body (hf_child_spec); data is the struct hf_fetch. */
int hf_fetch_body(int socket, void *data);
/* Whether an already installed release may be applied again: it is not revoked. */
HF_CHECK int hf_fetch_allowed(const struct hf_fetch *f, const char *release, struct hf_error *err);
