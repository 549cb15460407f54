/* modules/ec2_metadata_facts.c - what an EC2 instance can ask about itself (IMDSv2), under ansible_ec2_…:
 * every leaf of the service's tree is a fact, its path the name. */
#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "lib/data/json.h"
#include "lib/data/unicode.h"
#include "lib/engine/module.h"
#include "modules/web.h"

enum { TIMEOUT_S = 5, RETRY_S = 3, DEPTH_MAX = 16, ASK_MAX = 4096, LINES_MAX = 4096 };
/* What Ansible's module writes where the service has nothing. */
static const char nothing[] = "None";

struct params {
	int none;
};
static const struct hf_arg args[] = { { .type = HF_ARG_END } };

struct metadata {
	struct hf_module_context *c;
	struct hf_arena *a;
	const char *endpoint;
	struct hf_value *headers; /* with the session's token */
	struct hf_value *found;   /* path below its branch → text, or a value of a JSON document */
	struct hf_value *facts;
	int asked;
};

static const char *variable(struct hf_module_context *c, const char *name)
{
	size_t n = strlen(name);
	const char *const *env = hf_task_env(c);
	for (size_t i = 0; env != NULL && env[i] != NULL; i++)
		if (strncmp(env[i], name, n) == 0 && env[i][n] == '=' && env[i][n + 1] != '\0')
			return env[i] + n + 1;
	return NULL;
}

static const char *endpoint(struct hf_module_context *c)
{
	const char *url = variable(c, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
	const char *mode = variable(c, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
	if (url == NULL)
		return mode != NULL && strcasecmp(mode, "ipv6") == 0 ? "http://[fd00:ec2::254]"
								     : "http://169.254.169.254";
	size_t n = strlen(url);
	while (n > 0 && url[n - 1] == '/')
		n--;
	return hf_strndup(hf_task_arena(c), url, n);
}

/* Names of tags may hold anything. */
static const char *encoded(struct hf_arena *a, const char *path)
{
	struct hf_buf out = hf_buf_init(HF_WEB_BODY_MAX);
	for (const unsigned char *p = (const unsigned char *)path; *p != '\0'; p++) {
		if (isalnum(*p) || strchr("-._~%/:=&?#+!$,;'@()*[]", *p) != NULL)
			hf_buf_put(&out, (char)*p);
		else
			hf_buf_printf(&out, "%%%02X", *p);
	}
	const char *text = hf_buf_dup(a, &out).p;
	hf_buf_done(&out);
	return text;
}

/* One question, asked again once after a pause when the service did not answer. */
static int ask(struct metadata *m, const char *method, const char *path, const char *what,
	struct hf_web_response *ret, struct hf_error *err)
{
	const struct hf_web_request request = { .method = method,
		.url = hf_sprintf(m->a, "%s/latest/%s", m->endpoint, encoded(m->a, path)),
		.headers = m->headers,
		.agent = "ansible-httpget",
		.timeout_s = TIMEOUT_S,
		.no_proxy = true,
		.no_netrc = true };
	if (m->asked++ >= ASK_MAX)
		return hf_fail(err, HF_E_LIMIT, "more than %d entries of instance metadata", ASK_MAX);
	for (int turn = 0;; turn++) {
		struct hf_error why = { 0 };
		int r = hf_web_perform(m->a, &request, ret, &why);
		if (r == 0 && (ret->status == 200 || ret->status == 404))
			return 0;
		const char *text = r < 0 ? hf_strdup(m->a, why.text)
					 : hf_sprintf(m->a, "HTTP Error %d: %s", ret->status, ret->reason);
		bool refused = r == 0 && (ret->status == 401 || ret->status == 403);
		if (refused || turn > 0)
			return hf_fail(
				err, HF_E_TASK, "Failed to retrieve metadata%s from AWS: %s", what, text);
		hf_task_warn(m->c, "Retrying query to metadata service. First attempt failed: %s", text);
		nanosleep(&(struct timespec){ .tv_sec = RETRY_S }, NULL);
	}
}

/* *ret is NULL where the service has no such thing. */
static int fetch(struct metadata *m, const char *path, const char **ret, struct hf_error *err)
{
	struct hf_web_response response;
	int r = ask(m, "GET", path, "", &response, err);
	if (r < 0)
		return r;
	if (response.status == 200 && !hf_utf8_valid(response.body))
		return hf_fail(err, HF_E_TASK, "instance metadata: %s is not UTF-8 text", path);
	*ret = response.status == 200 ? hf_str_dup(m->a, response.body) : NULL;
	return 0;
}

static int session_open(struct metadata *m, struct hf_error *err)
{
	struct hf_web_response response;
	hf_dict_put(m->headers, "X-aws-ec2-metadata-token-ttl-seconds", hf_value_cstr(m->a, "60"));
	int r = ask(m, "PUT", "api/token", " token", &response, err);
	if (r < 0)
		return r;
	struct hf_str token = hf_str_trim(response.body);
	if (response.status != 200 || token.n == 0 || memchr(token.p, '\n', token.n) != NULL)
		return hf_fail(err, HF_E_TASK, "Failed to retrieve metadata token from AWS: no token");
	m->headers = hf_value_dict(m->a);
	hf_dict_put(m->headers, "X-aws-ec2-metadata-token", hf_value_str(m->a, token));
	return 0;
}

static const char *joined(struct hf_arena *a, const char *text)
{
	char *line = hf_strdup(a, text);
	for (char *p = line; *p != '\0'; p++)
		*p = *p == '\n' ? ',' : *p;
	return line;
}

/* A leaf; a JSON object also gives each of its members. */
static void leaf_keep(struct metadata *m, const char *path, const char *field, const char *text)
{
	if (strcmp(field, "security-groups") == 0 || strcmp(field, "security-group-ids") == 0)
		text = joined(m->a, text);
	hf_dict_put(m->found, path, hf_value_cstr(m->a, text));
	struct hf_value *document;
	if (hf_json_parse(m->a, hf_str(text), path, &document, NULL) < 0 || !hf_is(document, HF_DICT))
		return;
	HF_DICT_EACH (document, e) {
		char *member = hf_strdup(m->a, hf_entry_key(e)->u.string.p);
		for (char *p = member; *p != '\0'; p++)
			*p = (char)tolower((unsigned char)*p);
		hf_dict_put(m->found, hf_sprintf(m->a, "%s:%s", path, member), hf_entry_value(e));
		bool secret = strcmp(member, "secretaccesskey") == 0 || strcmp(member, "token") == 0;
		if (secret && hf_is(hf_entry_value(e), HF_STRING))
			hf_task_secret(m->c, hf_entry_value(e)->u.string);
	}
}

/* Everything below folder ("" or ending in '/') of a branch such as "meta-data/". */
static int walk(struct metadata *m, const char *branch, const char *folder, int depth, struct hf_error *err)
{
	const char *names, *text;
	if (depth > DEPTH_MAX)
		return hf_fail(
			err, HF_E_LIMIT, "instance metadata deeper than %d: %s%s", DEPTH_MAX, branch, folder);
	int r = fetch(m, hf_sprintf(m->a, "%s%s", branch, folder), &names, err);
	if (r < 0 || names == NULL || names[0] == '\0')
		return r;
	struct hf_str rest = hf_str(names), line;
	for (int i = 0; r == 0 && i < LINES_MAX && hf_str_split(&rest, '\n', &line); i++) {
		const char *field = hf_str_dup(m->a, line);
		const char *path = hf_sprintf(m->a, "%s%s", folder, field);
		if (hf_str_ends(line, "/")) {
			r = walk(m, branch, path, depth + 1, err);
		} else if (line.n > 0 && hf_dict_get(m->found, path) == NULL) {
			r = fetch(m, hf_sprintf(m->a, "%s%s", branch, path), &text, err);
			if (r == 0)
				leaf_keep(m, path, field, text == NULL ? nothing : text);
		}
	}
	return r;
}

static void fact_put(struct metadata *m, const char *name, struct hf_value *value)
{
	char *full = hf_sprintf(m->a, "ansible_ec2_%s", name);
	for (char *p = full; *p != '\0'; p++)
		if (*p == '-' || *p == ':' || *p == '/')
			*p = '_';
	hf_dict_put(m->facts, full, value);
}

/* The name of the instance's role is what its credentials are filed under. */
static void role_fact(struct metadata *m, const char *path)
{
	static const char credentials[] = "iam/security-credentials/";
	size_t n = sizeof(credentials) - 1;
	if (strncmp(path, credentials, n) == 0 && path[n] != '\0' && strpbrk(path + n, "/:") == NULL)
		fact_put(m, "iam_instance_profile_role", hf_value_cstr(m->a, path + n));
}

static int branch_facts(struct metadata *m, const char *branch, struct hf_error *err)
{
	m->found = hf_value_dict(m->a);
	int r = walk(m, branch, "", 0, err);
	if (r < 0)
		return r;
	HF_DICT_EACH (m->found, e) {
		const char *path = hf_entry_key(e)->u.string.p;
		role_fact(m, path);
		/* The keys themselves come as public_key. */
		if (strncmp(path, "public-keys/0", 13) != 0)
			fact_put(m, path, hf_entry_value(e));
	}
	return 0;
}

static int single_fact(struct metadata *m, const char *path, const char *name, struct hf_error *err)
{
	const char *text;
	int r = fetch(m, path, &text, err);
	if (r == 0)
		fact_put(m, name, hf_value_cstr(m->a, text == NULL ? nothing : text));
	return r;
}

static int tag_facts(struct metadata *m, struct hf_error *err)
{
	const char *names;
	struct hf_value *keys = hf_value_list(m->a);
	int r = fetch(m, "meta-data/tags/instance", &names, err);
	if (r < 0)
		return r;
	struct hf_str rest = hf_str(names == NULL ? "" : names), line;
	for (int i = 0; names != NULL && i < LINES_MAX && hf_str_split(&rest, '\n', &line); i++)
		hf_list_append(keys, hf_value_str(m->a, line));
	fact_put(m, "instance_tags_keys", keys);
	return 0;
}

static int ec2_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct metadata m = { .c = c,
		.a = a,
		.endpoint = endpoint(c),
		.headers = hf_value_dict(a),
		.facts = hf_value_dict(a) };
	const char *off = variable(c, "AWS_EC2_METADATA_DISABLED");
	(void)params;
	if (off != NULL && strcasecmp(off, "true") == 0)
		return hf_fail(
			err, HF_E_TASK, "instance metadata is switched off (AWS_EC2_METADATA_DISABLED)");
	int r = session_open(&m, err);
	if (r == 0)
		r = branch_facts(&m, "meta-data/", err);
	if (r == 0)
		r = single_fact(&m, "user-data/", "user_data", err);
	if (r == 0)
		r = single_fact(&m, "meta-data/public-keys/0/openssh-key", "public_key", err);
	if (r == 0)
		r = branch_facts(&m, "dynamic/", err);
	if (r == 0)
		r = tag_facts(&m, err);
	if (r < 0)
		return r;
	struct hf_value *region = hf_dict_get(m.facts, "ansible_ec2_instance_identity_document_region");
	if (region != NULL)
		fact_put(&m, "placement_region", region);
	hf_result_put(c, change, "ansible_facts", m.facts);
	return 0;
}

const struct hf_module hf_module_ec2_metadata_facts = {
	.name = "ec2_metadata_facts",
	.collection = "amazon.aws",
	.schema = { args, NULL, sizeof(struct params) },
	.flags = HF_MODULE_NO_RESOURCE | HF_MODULE_READ_ONLY,
	.check = ec2_check,
};
