/* The texts new machines are started with: what goes into them, and what stands around the script. */
#include "provisioner/bootstrap.h"

#include <string.h>

#include "lib/base/digest.h"
#include "lib/base/scope.h"
#include "provisioner/bootstrap_text.inc"

/* EC2 takes 16 KB of user data, a notebook 16,384 characters. */
enum { TEXT_MAX = 1 << 20, MACHINE_MAX = 16384, EKS_SECONDS = 600 };

const char *const hf_bootstrap_install = text_install;

/* --- what goes in --- */

/* Whatever goes into the script is made of characters that need no quoting in a shell, a URL or a signature.
 */
static int plain(
	const char *prefix, const char *what, const char *text, const char *others, struct hf_error *err)
{
	bool good = text != NULL && *text != '\0';
	for (const char *at = text; good && *at != '\0'; at++)
		good = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
		       (*at >= '0' && *at <= '9') || strchr(others, *at) != NULL;
	if (text == NULL)
		return hf_fail(err, HF_E_ARGUMENT, "%s%s is required", prefix, what);
	if (!good)
		return hf_fail(err, HF_E_ARGUMENT, "%s%s \"%s\" may have letters, digits and \"%s\"", prefix,
			what, text, others);
	return 0;
}

static int hash_check(const char *prefix, const char *text, struct hf_error *err)
{
	struct hf_digest d;
	if (text == NULL)
		return hf_fail(err, HF_E_ARGUMENT,
			"%sbundle is required: the hash that `holdfast bootstrap bundle` printed", prefix);
	if (!hf_digest_parse(hf_str(text), &d))
		return hf_fail(
			err, HF_E_ARGUMENT, "%sbundle \"%s\" is no SHA-256 of 64 digits", prefix, text);
	return 0;
}

/* Where the bundle lies, for a client that knows nothing of buckets. */
static int address_make(struct hf_arena *a, struct hf_bootstrap *b, const char *prefix, struct hf_error *err)
{
	const char *rest = b->store + strlen("s3://"), *slash = strchr(rest, '/');
	if (strncmp(b->store, "s3://", strlen("s3://")) != 0)
		return hf_fail(err, HF_E_ARGUMENT,
			"%sstore \"%s\": a new machine fetches from s3://bucket/prefix", prefix, b->store);
	const char *bucket = slash == NULL ? rest : hf_strndup(a, rest, (size_t)(slash - rest));
	const char *below = slash == NULL || slash[1] == '\0' ? "" : slash;
	size_t n = strlen(below);
	if (n > 0 && below[n - 1] == '/')
		below = hf_strndup(a, below, n - 1);
	const char *key = hf_sprintf(a, "%s/bootstrap/%s.tar", below, b->bundle);
	const char *domain = strncmp(b->region, "cn-", 3) == 0 ? "amazonaws.com.cn" : "amazonaws.com";
	b->object = hf_sprintf(a, "s3://%s%s", bucket, key);
	if (b->endpoint != NULL) {
		b->url = b->endpoint;
		b->path = hf_sprintf(a, "/%s%s", bucket, key);
	} else if (strchr(bucket, '.') != NULL) { /* no certificate has a wildcard of two labels */
		b->url = hf_sprintf(a, "https://s3.%s.%s", b->region, domain);
		b->path = hf_sprintf(a, "/%s%s", bucket, key);
	} else {
		b->url = hf_sprintf(a, "https://%s.s3.%s.%s", bucket, b->region, domain);
		b->path = key;
	}
	return 0;
}

int hf_bootstrap_check(struct hf_arena *a, struct hf_bootstrap *b, const char *prefix, struct hf_error *err)
{
	const struct {
		const char *what, *text, *others;
	} parts[] = { { "environment", b->environment, "._-" }, { "fleet", b->fleet, "._-" },
		{ "store", b->store, "._-/:" }, { "region", b->region, "-" },
		{ "endpoint", b->endpoint == NULL ? "none" : b->endpoint, "._-:/" },
		{ "report", *b->report == '\0' ? "none" : b->report, "._-:" } };
	int result = 0;
	for (size_t i = 0; i < HF_COUNT(parts) && result == 0; i++)
		result = plain(prefix, parts[i].what, parts[i].text, parts[i].others, err);
	if (result == 0)
		result = hash_check(prefix, b->bundle, err);
	return result < 0 ? result : address_make(a, b, prefix, err);
}

/* --- texts --- */

/* The script a machine runs as root. object: where the aws command finds the bundle, or "". */
static void script(const struct hf_bootstrap *b, const char *object, struct hf_buf *out)
{
	hf_buf_printf(out, "#!/bin/sh\nH=%s\nR=%s\nU=%s\nP=%s\nE=%s/%s\n", b->bundle, b->region, b->url,
		b->path, b->environment, b->fleet);
	hf_buf_printf(out, "A='%s %s %s %lld %lld'\nB=%s\nX=%s\n", b->environment, b->fleet, b->store,
		b->min_epoch, b->min_seq, b->report, object);
	hf_buf_puts(out, text_user_data);
}

/* The script in a file, so that it may read its standard input and outlive whoever wrote it. */
static void script_place(const struct hf_bootstrap *b, const char *object, struct hf_buf *out)
{
	hf_buf_puts(out, "cat >/run/holdfast-bootstrap <<'HOLDFAST_END'\n");
	script(b, object, out);
	hf_buf_puts(out, "HOLDFAST_END\n");
}

static void user_data(const struct hf_bootstrap *b, struct hf_buf *out)
{
	script(b, "", out);
}

static void eks(const struct hf_bootstrap *b, struct hf_buf *out)
{
	const struct {
		const char *name, *value;
	} cluster[] = { { "name", b->cluster }, { "apiServerEndpoint", b->api_server },
		{ "certificateAuthority", b->certificate_authority }, { "cidr", b->cidr } };
	hf_buf_puts(out,
		"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"HOLDFAST\"\n\n--HOLDFAST\n"
		"Content-Type: text/x-shellscript; charset=\"us-ascii\"\n\n#!/bin/sh\n"
		"# kubelet starts when this has ended: it ends, whatever happens.\n");
	script_place(b, "", out);
	hf_buf_printf(out,
		"timeout %d sh /run/holdfast-bootstrap\nexit 0\n\n--HOLDFAST\nContent-Type: "
		"application/node.eks.aws\n\n"
		"---\napiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\nspec:\n",
		EKS_SECONDS);
	for (size_t i = 0; i < HF_COUNT(cluster) && b->cluster != NULL; i++)
		hf_buf_printf(out, "%s    %s: %s\n", i == 0 ? "  cluster:\n" : "", cluster[i].name,
			cluster[i].value);
	hf_buf_printf(out,
		"  kubelet:\n    flags:\n      - "
		"--node-labels=holdfast/environment=%s,holdfast/fleet=%s\n\n--HOLDFAST--\n",
		b->environment, b->fleet);
}

/* Both must be left within minutes, and a failure would cost the notebook or the cluster: hand over and end
 * well. */
static void hand_over(const struct hf_bootstrap *b, const char *log, struct hf_buf *out)
{
	hf_buf_puts(out, "#!/bin/bash\n# Hands over and ends: the agent reports how it went.\n");
	script_place(b, b->object, out);
	hf_buf_printf(out,
		"mkdir -p \"$(dirname %s)\"\nsetsid nohup sh /run/holdfast-bootstrap >>%s 2>&1 </dev/null "
		"&\nexit 0\n",
		log, log);
}

static void notebook(const struct hf_bootstrap *b, struct hf_buf *out)
{
	hand_over(b, "/var/log/holdfast-bootstrap.log", out);
}

static void hyperpod(const struct hf_bootstrap *b, struct hf_buf *out)
{
	hand_over(b, "/var/log/provision/provisioning.log", out);
}

static const struct {
	const char *name, *what;
	void (*text)(const struct hf_bootstrap *, struct hf_buf *);
} kinds[] = {
	[HF_BOOTSTRAP_USER_DATA] = { "user-data", "the user data", user_data },
	[HF_BOOTSTRAP_EKS] = { "eks", "the user data", eks },
	[HF_BOOTSTRAP_NOTEBOOK] = { "notebook", "the lifecycle configuration", notebook },
	[HF_BOOTSTRAP_HYPERPOD] = { "hyperpod", "on_create.sh", hyperpod },
};

bool hf_bootstrap_kind(const char *name, enum hf_bootstrap_kind *ret)
{
	for (size_t i = 0; i < HF_COUNT(kinds); i++) {
		if (strcmp(kinds[i].name, name) != 0)
			continue;
		*ret = (enum hf_bootstrap_kind)i;
		return true;
	}
	return false;
}

int hf_bootstrap_text(struct hf_arena *a, const struct hf_bootstrap *b, enum hf_bootstrap_kind kind,
	struct hf_str *ret, struct hf_error *err)
{
	hf_auto_buf out = hf_buf_init(TEXT_MAX);
	kinds[kind].text(b, &out);
	int rc = hf_buf_check(&out, kinds[kind].what, err);
	if (rc == 0 && hf_buf_str(&out).n > MACHINE_MAX)
		return hf_fail(err, HF_E_LIMIT,
			"%s has %zu bytes, %d are allowed: shorten names or the prefix", kinds[kind].what,
			hf_buf_str(&out).n, MACHINE_MAX);
	if (rc == 0)
		*ret = hf_buf_dup(a, &out);
	return rc;
}

/* --- from an environment file --- */

static const struct {
	const char *name;
	size_t offset;
} names[] = {
	{ "environment", offsetof(struct hf_bootstrap, environment) },
	{ "fleet", offsetof(struct hf_bootstrap, fleet) },
	{ "store", offsetof(struct hf_bootstrap, store) },
	{ "region", offsetof(struct hf_bootstrap, region) },
	{ "bundle", offsetof(struct hf_bootstrap, bundle) },
	{ "endpoint", offsetof(struct hf_bootstrap, endpoint) },
	{ "report", offsetof(struct hf_bootstrap, report) },
	{ "cluster", offsetof(struct hf_bootstrap, cluster) },
	{ "api_server", offsetof(struct hf_bootstrap, api_server) },
	{ "certificate_authority", offsetof(struct hf_bootstrap, certificate_authority) },
	{ "cidr", offsetof(struct hf_bootstrap, cidr) },
};
static const char *const others[] = { "kind", "min_epoch", "min_seq" };

int hf_bootstrap_names(const struct hf_value *parts, struct hf_error *err)
{
	HF_DICT_EACH (parts, e) {
		bool found = false;
		for (size_t i = 0; !found && i < HF_COUNT(names); i++)
			found = hf_str_is(hf_entry_key(e)->u.string, names[i].name);
		for (size_t i = 0; !found && i < HF_COUNT(others); i++)
			found = hf_str_is(hf_entry_key(e)->u.string, others[i]);
		if (!found)
			return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(hf_entry_key(e)),
				"bootstrap has no \"%s\"", hf_entry_key(e)->u.string.p);
	}
	enum hf_bootstrap_kind kind;
	const char *word = hf_dict_cstr(parts, "kind", "");
	if (!hf_bootstrap_kind(word, &kind))
		return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(parts),
			"bootstrap: kind is user-data, eks, notebook or hyperpod, not \"%s\"", word);
	return 0;
}

int hf_bootstrap_of(
	struct hf_arena *a, const struct hf_value *parts, struct hf_str *ret, struct hf_error *err)
{
	struct hf_bootstrap b = { 0 };
	enum hf_bootstrap_kind kind = HF_BOOTSTRAP_USER_DATA;
	for (size_t i = 0; i < HF_COUNT(names); i++)
		*(const char **)((char *)&b + names[i].offset) = hf_dict_cstr(parts, names[i].name, NULL);
	b.report = b.report == NULL ? "" : b.report;
	b.min_epoch = hf_dict_int(parts, "min_epoch", 0);
	b.min_seq = hf_dict_int(parts, "min_seq", 0);
	(void)hf_bootstrap_kind(hf_dict_cstr(parts, "kind", ""), &kind); /* hf_bootstrap_names() saw to it */
	if ((b.cluster == NULL) != (b.api_server == NULL) ||
		(b.cluster == NULL) != (b.certificate_authority == NULL) ||
		(b.cluster == NULL) != (b.cidr == NULL))
		return hf_fail(err, HF_E_ARGUMENT,
			"bootstrap: cluster, api_server, certificate_authority and cidr go together");
	int rc = hf_bootstrap_check(a, &b, "bootstrap: ", err);
	return rc < 0 ? rc : hf_bootstrap_text(a, &b, kind, ret, err);
}
