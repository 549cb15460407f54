/* lib/net/aws.h - one signed call to an AWS service, with the retries, refreshes and clock correction every
 * call needs. Owns:  struct hf_aws borrows its client and credentials. A call is copied when it starts; its
 * body, descriptors and data stay valid until done(). Fails: as http.h does. An error document is an answer;
 * hf_aws_expect() turns it into an error that names the host, the status, AWS's code and AWS's message.
 * Clock: when the server refuses our time, its own Date is used from then on (skew).
 * Credentials are fetched when a call is signed; that may block for a few seconds (see credentials.h). */
#pragma once
#include "lib/net/credentials.h"

enum { HF_AWS_SKEW_MIN = 240 /* a smaller difference is never the reason of a refusal */ };

struct hf_aws {
	struct hf_http *http;
	struct hf_credentials *credentials; /* NULL: nothing is signed */
	int64_t skew;                       /* seconds added to our clock */
};

struct hf_aws_answer {
	const struct hf_http_response *http;
	const char *code, *message, *request_id; /* of an error document; NULL where there is none */
};

struct hf_aws_call {
	const char *service; /* as signed: "ec2", "s3", … */
	const char *region;
	const char *endpoint; /* "https://host[:port]" */
	const char *method;   /* NULL: GET */
	const char *path;     /* encoded as on the wire; NULL: "/" */
	const char *query;    /* encoded, without "?"; NULL: none */
	const struct hf_http_header *headers;
	size_t n_headers;
	struct hf_str body;
	int body_fd;
	uint64_t body_size;       /* of body_fd */
	const char *payload_hash; /* NULL: of body; needed with body_fd */
	bool s3, anonymous;

	bool to_file; /* these as in struct hf_http_request */
	int to_fd;
	uint64_t max_body;
	uint32_t deadline_ms, attempt_ms;
	unsigned attempts;
	enum hf_http_repeat repeat;

	/* May change the call (endpoint, region, path …; text in http->arena) and ask for HF_HTTP_AGAIN. What
	 * it leaves at HF_HTTP_DONE is judged by hf_aws_judge(). NULL: only that. */
	enum hf_http_verdict (*judge)(
		struct hf_aws_call *call, const struct hf_aws_answer *answer, void *data);
	void (*release)(void *data); /* the call ends, with or without done() */
	void *data;                  /* of judge, release and done */
};

typedef void (*hf_aws_done)(const struct hf_aws_answer *answer, const struct hf_error *failure, void *data);

/* A client that trusts what io says: its ca_pem, or the file AWS_CA_BUNDLE names, or the system's
 * certificates. */
HF_CHECK int hf_aws_http_new(const struct hf_aws_io *io, const struct hf_http_options *options,
	struct hf_http **ret, struct hf_error *err);

struct hf_http_transfer *hf_aws_start(struct hf_aws *aws, const struct hf_aws_call *call, hf_aws_done done);
/* Blocking; the answer's text is in arena a. A status of 400 and more is no failure. */
HF_CHECK int hf_aws_fetch(struct hf_aws *aws, struct hf_arena *a, const struct hf_aws_call *call,
	struct hf_aws_answer *ret, struct hf_error *err);
/* 0 for 2xx, else "POST host/path: 403 UnauthorizedOperation: You are not authorized …". */
HF_CHECK int hf_aws_expect(const struct hf_aws_answer *answer, struct hf_error *err);

/* Fill code, message and request id from an answer's error document (XML or JSON) and headers. */
void hf_aws_error_read(struct hf_arena *a, const struct hf_http_response *r, struct hf_aws_answer *ret);
/* What AWS's code and the status say about trying again. */
enum hf_http_verdict hf_aws_judge(const struct hf_aws_answer *answer);

/* Where a service answers. service: "ec2"; prefix: the host's first label when it differs ("api.sagemaker"),
 * or NULL. AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL and the profile's endpoint_url win over the usual
 * name. */
struct hf_aws_endpoint {
	const char *base;   /* "https://ec2.eu-west-1.amazonaws.com", without a slash at the end */
	const char *region; /* to sign with: us-east-1 for services that are global */
	bool custom;        /* not AWS's own name */
};
HF_CHECK int hf_aws_endpoint(struct hf_arena *a, const struct hf_aws_io *io, const char *service,
	const char *prefix, const char *region, struct hf_aws_endpoint *ret, struct hf_error *err);
