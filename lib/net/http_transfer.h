/* lib/net/http_transfer.h - one request at work: shared by http.c (scheduling) and http_transfer.c (libcurl's
 * side). Internal to lib/net. */
#pragma once
#include <curl/curl.h>

#include "lib/net/http.h"

enum transfer_state { TRANSFER_QUEUED, TRANSFER_ACTIVE, TRANSFER_WAITING };

struct hf_http_transfer {
	struct hf_http *http;
	struct hf_http_transfer *next, *previous;
	struct hf_arena *arena;
	enum transfer_state state;
	struct hf_http_request request; /* text copied into arena */
	hf_http_done done;
	void *data;

	struct hf_http_response response;
	struct hf_buf body; /* of the present answer */
	CURL *easy;         /* only while active */
	struct curl_slist *header_list;
	char reason[CURL_ERROR_SIZE];
	uint64_t started_ms, deadline_ms, due_ms; /* monotonic; due: when a waiting one goes again */
	off_t start_offset;                       /* of to_fd; -1: not seekable */
	uint64_t sent;                            /* of the body, in this attempt */
	size_t header_bytes;
	bool sent_anything; /* in this attempt: the server may have acted */
	bool wrote;         /* to a to_fd that cannot be wound back */
	bool failed;        /* failure is what a callback of ours refused with */
	struct hf_error failure;
};

/* Make the easy handle for the next attempt. */
HF_CHECK int transfer_open(
	struct hf_http_transfer *t, const struct hf_http_options *options, struct hf_error *err);
void transfer_close(struct hf_http_transfer *t);
/* Turn libcurl's result into the transfer's failure; false when an answer came. */
bool transfer_failed(struct hf_http_transfer *t, CURLcode code);
/* Whether a failed attempt may be repeated. */
bool transfer_may_repeat(const struct hf_http_transfer *t, CURLcode code);
