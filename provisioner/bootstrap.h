/* provisioner/bootstrap.h - the text that each kind of new machine is started with, so that it becomes a host
 * of a fleet: it fetches one bundle (package, root of trust, configuration) from the store and compares its
 * hash with the one the text pins. See docs/bootstrap.md. */
#pragma once
#include "lib/base/error.h"
#include "lib/data/value.h"

enum hf_bootstrap_kind {
	HF_BOOTSTRAP_USER_DATA, /* cloud-init on EC2 */
	HF_BOOTSTRAP_EKS,       /* AL2023 node groups: MIME multipart with a NodeConfig */
	HF_BOOTSTRAP_NOTEBOOK,  /* OnStart of a SageMaker notebook */
	HF_BOOTSTRAP_HYPERPOD   /* on_create.sh of a HyperPod cluster */
};

struct hf_bootstrap {
	const char *environment, *fleet, *store, *region, *bundle;
	const char *endpoint; /* of an S3-compatible store; NULL: AWS's */
	const char *report;   /* host:port of a broker, or "" */
	long long min_epoch, min_seq;
	/* of an EKS cluster whose AMI is one's own; all or none */
	const char *cluster, *api_server, *certificate_authority, *cidr;
	/* hf_bootstrap_check() fills these: where the bundle lies */
	const char *url, *path; /* scheme and host, absolute path */
	const char *object;     /* s3://bucket/key */
};

/* Every part is fit to stand in single quotes of a shell, or HF_E_ARGUMENT says which is not. prefix: "--"
 * when options are spoken of. */
HF_CHECK int hf_bootstrap_check(
	struct hf_arena *a, struct hf_bootstrap *b, const char *prefix, struct hf_error *err);
bool hf_bootstrap_kind(const char *name, enum hf_bootstrap_kind *ret); /* "user-data", "eks", … */
/* HF_E_LIMIT when it is longer than AWS takes. */
HF_CHECK int hf_bootstrap_text(struct hf_arena *a, const struct hf_bootstrap *b, enum hf_bootstrap_kind kind,
	struct hf_str *ret, struct hf_error *err);
/* The same of a dict with the names above and "kind"; what a dict may not have is HF_E_ARGUMENT. */
HF_CHECK int hf_bootstrap_names(const struct hf_value *parts, struct hf_error *err);
HF_CHECK int hf_bootstrap_of(
	struct hf_arena *a, const struct hf_value *parts, struct hf_str *ret, struct hf_error *err);
extern const char *const hf_bootstrap_install; /* the bundle's own script */
