/* agent/fit.h - what leaves for the broker within the limits of every broker, AWS IoT Core's among them:
 * topics of at most 7 slashes and 256 bytes, bodies of a size given by who sends them. */
#pragma once
#include "agent/config.h"
#include "lib/data/value.h"

enum { HF_TOPIC_SLASHES_MAX = 7, HF_TOPIC_MAX = 256 };

/* hf/1/<env>/<fleet>/<host>/<leaf>; host NULL: HF_TOPIC_ALL. */
const char *hf_topic(struct hf_arena *a, const struct hf_config *config, const char *host, const char *leaf);
/* A dict that prints as at most max bytes of JSON: body itself if it does, else a copy in which long texts
 * are cut (they end in "…") and long lists and dicts are {"truncated":true}. */
struct hf_value *hf_fit(struct hf_arena *a, struct hf_value *body, size_t max);
