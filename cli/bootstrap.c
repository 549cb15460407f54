/* holdfast bootstrap user-data|eks|notebook|hyperpod: the text that each kind of machine is started with. */
#include "cli/bootstrap.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/scope.h"

/* What AWS takes: user data for cloud-init may be gzip; a notebook's lifecycle script has 16,384 characters.
 */
enum { TEXT_MAX = 1 << 20, USER_DATA_MAX = 2048, NOTEBOOK_MAX = 16384, EKS_SECONDS = 600 };

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

static int out(struct cli_call *call, struct hf_str text, size_t max, const char *what)
{
	struct hf_error err = { 0 };
	if (text.n > max) {
		(void)hf_fail(&err, HF_E_LIMIT,
			"%s has %zu bytes, %zu are allowed: shorten names or the prefix", what, text.n, max);
		return cli_fail(call, &err);
	}
	return fwrite(text.p, 1, text.n, stdout) == text.n ? CLI_OK : CLI_ERROR;
}

static int begin(struct cli_call *call, enum bootstrap_way way, struct bootstrap *b, struct hf_buf *script)
{
	struct hf_error err = { 0 };
	int result = bootstrap_read(call, b, &err);
	if (result < 0)
		return err.code == HF_E_ARGUMENT ? cli_usage(call, "%s", err.text) : cli_fail(call, &err);
	bootstrap_script(b, way, script);
	return CLI_OK;
}

static int user_data_run(struct cli_call *call)
{
	struct bootstrap b;
	struct hf_error err = { 0 };
	hf_auto_buf script = hf_buf_init(TEXT_MAX);
	struct hf_str packed;
	int status = begin(call, BOOTSTRAP_ROLE, &b, &script);
	if (status != CLI_OK)
		return status;
	struct bootstrap_member one = { "user-data", hf_buf_str(&script), 0644 };
	if (bootstrap_pack(call->arena, &one, 1, true, &packed, &err) < 0)
		return cli_fail(call, &err);
	if (packed.n > USER_DATA_MAX || cli_given(call, "gzip"))
		return out(call, packed, USER_DATA_MAX, "the packed user data");
	return out(call, hf_buf_str(&script), TEXT_MAX, "the user data");
}

/* The script in a file, so that it may read its standard input and outlive whoever wrote it. */
static void script_place(struct hf_buf *text, const struct hf_buf *script)
{
	hf_buf_puts(text, "cat >/run/holdfast-bootstrap <<'HOLDFAST_END'\n");
	hf_buf_add(text, hf_buf_str(script));
	hf_buf_puts(text, "HOLDFAST_END\n");
}

static int cluster_part(struct cli_call *call, struct hf_buf *text)
{
	static const char *const names[][2] = { { "cluster", "name" }, { "api-server", "apiServerEndpoint" },
		{ "certificate-authority", "certificateAuthority" }, { "cidr", "cidr" } };
	size_t given = 0;
	for (size_t i = 0; i < HF_COUNT(names); i++)
		given += cli_given(call, names[i][0]);
	if (given != 0 && given != HF_COUNT(names))
		return cli_usage(
			call, "--cluster, --api-server, --certificate-authority and --cidr go together");
	if (given != 0)
		hf_buf_puts(text, "  cluster:\n");
	for (size_t i = 0; i < HF_COUNT(names) && given != 0; i++)
		hf_buf_printf(text, "    %s: %s\n", names[i][1], cli_value(call, names[i][0], ""));
	return CLI_OK;
}

static int eks_run(struct cli_call *call)
{
	struct bootstrap b;
	hf_auto_buf script = hf_buf_init(TEXT_MAX), text = hf_buf_init(TEXT_MAX);
	int status = begin(call, BOOTSTRAP_ROLE, &b, &script);
	if (status != CLI_OK)
		return status;
	hf_buf_puts(&text,
		"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"HOLDFAST\"\n\n--HOLDFAST\n"
		"Content-Type: text/x-shellscript; charset=\"us-ascii\"\n\n#!/bin/sh\n"
		"# kubelet starts when this has ended: it ends, whatever happens.\n");
	script_place(&text, &script);
	hf_buf_printf(&text,
		"timeout %d sh /run/holdfast-bootstrap\nexit 0\n\n--HOLDFAST\nContent-Type: "
		"application/node.eks.aws\n\n"
		"---\napiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\nspec:\n",
		EKS_SECONDS);
	status = cluster_part(call, &text);
	hf_buf_printf(&text,
		"  kubelet:\n    flags:\n      - "
		"--node-labels=holdfast/environment=%s,holdfast/fleet=%s\n\n--HOLDFAST--\n",
		b.environment, b.fleet);
	return status == CLI_OK ? out(call, hf_buf_str(&text), NOTEBOOK_MAX, "the user data") : status;
}

/* Both must be left within minutes, and a failure would cost the notebook or the cluster: hand over and end
 * well. */
static int handed_over(struct cli_call *call, const char *log, const char *what)
{
	struct bootstrap b;
	hf_auto_buf script = hf_buf_init(TEXT_MAX), text = hf_buf_init(TEXT_MAX);
	int status = begin(call, BOOTSTRAP_AWS_COMMAND, &b, &script);
	if (status != CLI_OK)
		return status;
	hf_buf_puts(&text, "#!/bin/bash\n# Hands over and ends: the agent reports how it went.\n");
	script_place(&text, &script);
	hf_buf_printf(&text,
		"mkdir -p \"$(dirname %s)\"\nsetsid nohup sh /run/holdfast-bootstrap >>%s 2>&1 </dev/null "
		"&\nexit 0\n",
		log, log);
	return out(call, hf_buf_str(&text), NOTEBOOK_MAX, what);
}

static int notebook_run(struct cli_call *call)
{
	return handed_over(call, "/var/log/holdfast-bootstrap.log", "the lifecycle configuration");
}

static int hyperpod_run(struct cli_call *call)
{
	return handed_over(call, "/var/log/provision/provisioning.log", "on_create.sh");
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
