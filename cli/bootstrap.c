/* holdfast bootstrap user-data|eks|notebook|hyperpod: the text that each kind of machine is started with. */
#include "cli/bootstrap.h"

#include <stdio.h>
#include <stdlib.h>

#include "provisioner/bootstrap.h"

enum { USER_DATA_MAX = 2048 }; /* packed, so that every way to give it takes it */

#define COMMON                                                                                               \
	{ "environment", 'E', "NAME", "the environment the machine joins" },                                 \
		{ "fleet", 'f', "NAME", "the fleet within it" },                                             \
		{ "store", 's', "URL", "s3://bucket/prefix [HOLDFAST_STORE]" },                              \
		{ "region", 'r', "NAME", "of the bucket [AWS_REGION]" },                                     \
		{ "bundle", 'b', "SHA256", "what `holdfast bootstrap bundle` printed" },                     \
		{ "min-epoch", 0, "N", "refuse pointers of older key epochs" },                              \
		{ "min-seq", 0, "N", "refuse pointers of that epoch with lower numbers" },                   \
		{ "report", 0, "HOST:PORT",                                                                  \
			"a TLS broker that hears of failures before the agent is there" },                   \
	{                                                                                                    \
		"endpoint", 0, "URL", "of an S3-compatible store; AWS's own if not given"                    \
	}

static const struct cli_option user_data_options[] = { COMMON,
	{ "gzip", 0, NULL, "as cloud-init takes it: at most 2,048 bytes" }, { NULL } };
static const struct cli_option options[] = { COMMON, { NULL } };
static const struct cli_option eks_options[] = { COMMON,
	{ "cluster", 0, "NAME", "of the cluster; only where the AMI is your own" },
	{ "api-server", 0, "URL", "its endpoint" },
	{ "certificate-authority", 0, "BASE64", "its certificate authority" },
	{ "cidr", 0, "CIDR", "its service range" }, { NULL } };

static const char *option_or_set(const struct cli_call *call, const char *option, const char *variable)
{
	const char *set = getenv(variable);
	return cli_value(call, option, set == NULL || *set == '\0' ? NULL : set);
}

static int cluster_read(const struct cli_call *call, struct hf_bootstrap *b, struct hf_error *err)
{
	const struct {
		const char *option, **value;
	} parts[] = { { "cluster", &b->cluster }, { "api-server", &b->api_server },
		{ "certificate-authority", &b->certificate_authority }, { "cidr", &b->cidr } };
	size_t given = 0;
	for (size_t i = 0; i < HF_COUNT(parts); i++) {
		*parts[i].value = cli_value(call, parts[i].option, NULL);
		given += *parts[i].value != NULL;
	}
	return given == 0 || given == HF_COUNT(parts)
		       ? 0
		       : hf_fail(err, HF_E_ARGUMENT,
				 "--cluster, --api-server, --certificate-authority and --cidr go together");
}

static int options_read(const struct cli_call *call, struct hf_bootstrap *ret, struct hf_error *err)
{
	struct hf_bootstrap b = { .environment = cli_value(call, "environment", NULL),
		.fleet = cli_value(call, "fleet", NULL),
		.store = option_or_set(call, "store", "HOLDFAST_STORE"),
		.region = option_or_set(call, "region", "AWS_REGION"),
		.bundle = cli_value(call, "bundle", NULL),
		.endpoint = cli_value(call, "endpoint", NULL),
		.report = cli_value(call, "report", "") };
	int result = hf_bootstrap_check(call->arena, &b, "--", err);
	if (result == 0)
		result = cli_number(call, "min-epoch", 0, INT64_MAX, 0, &b.min_epoch, err);
	if (result == 0)
		result = cli_number(call, "min-seq", 0, INT64_MAX, 0, &b.min_seq, err);
	*ret = b;
	return result;
}

static int fail(struct cli_call *call, const struct hf_error *err)
{
	return err->code == HF_E_ARGUMENT ? cli_usage(call, "%s", err->text) : cli_fail(call, err);
}

static int out(struct hf_str text)
{
	return fwrite(text.p, 1, text.n, stdout) == text.n ? CLI_OK : CLI_ERROR;
}

static int text_print(struct cli_call *call, enum hf_bootstrap_kind kind, bool cluster)
{
	struct hf_bootstrap b;
	struct hf_str text;
	struct hf_error err = { 0 };
	if (options_read(call, &b, &err) < 0 || (cluster && cluster_read(call, &b, &err) < 0) ||
		hf_bootstrap_text(call->arena, &b, kind, &text, &err) < 0)
		return fail(call, &err);
	return out(text);
}

static int user_data_run(struct cli_call *call)
{
	struct hf_bootstrap b;
	struct hf_error err = { 0 };
	struct hf_str text, packed;
	if (options_read(call, &b, &err) < 0 ||
		hf_bootstrap_text(call->arena, &b, HF_BOOTSTRAP_USER_DATA, &text, &err) < 0)
		return fail(call, &err);
	struct bootstrap_member one = { "user-data", text, 0644 };
	if (bootstrap_pack(call->arena, &one, 1, true, &packed, &err) < 0)
		return cli_fail(call, &err);
	if (packed.n > USER_DATA_MAX) {
		(void)hf_fail(&err, HF_E_LIMIT,
			"the packed user data has %zu bytes, %d are allowed: shorten names or the prefix",
			packed.n, USER_DATA_MAX);
		return cli_fail(call, &err);
	}
	return out(cli_given(call, "gzip") ? packed : text);
}

static int eks_run(struct cli_call *call)
{
	return text_print(call, HF_BOOTSTRAP_EKS, true);
}

static int notebook_run(struct cli_call *call)
{
	return text_print(call, HF_BOOTSTRAP_NOTEBOOK, false);
}

static int hyperpod_run(struct cli_call *call)
{
	return text_print(call, HF_BOOTSTRAP_HYPERPOD, false);
}

#define ROW(word, table, text, more)                                                                         \
	const struct cli_command cli_command_bootstrap_##word = {                                            \
		.summary = text, .options = table, .run = word##_run, .details = more, .name =

ROW(user_data, user_data_options, "print what cloud-init runs on a new instance",
	"POSIX sh with curl and openssl, python3 where one of them is missing. It asks IMDSv2 for the "
	"instance's id and\n"
	"role, signs one GET, checks the bundle's SHA-256, and hands over. What fails is told with a code on "
	"the console,\n"
	"in the journal and, with --report, to a broker; it tries again for some minutes.")
"bootstrap user-data"
}
;
ROW(eks, eks_options, "print the user data of an EKS AL2023 node group",
	"A MIME multipart: the shell script, which kubelet waits for at most ten minutes, and a NodeConfig "
	"with labels.\n"
	"Where the AMI is your own, name the cluster with the four options.")
"bootstrap eks"
}
;
ROW(notebook, options, "print the lifecycle configuration of a SageMaker notebook",
	"For OnStart, as only /home/ec2-user/SageMaker outlives a stop. It returns at once.")
"bootstrap notebook"
}
;
ROW(hyperpod, options, "print on_create.sh of a SageMaker HyperPod cluster",
	"It ends well whatever happens, as a failure would roll the cluster back: the agent reports.")
"bootstrap hyperpod"
}
;
