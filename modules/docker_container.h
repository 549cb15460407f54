/* modules/docker_container.h - a container's options as the engine wants them and as they are in a container
 * that is there.  Owns:  everything lives in the task's arena. */
#pragma once
#include "modules/docker.h"

#define HF_MEMBER_STR(name)   const char *name;
#define HF_MEMBER_INT(name)   int64_t name;
#define HF_MEMBER_FLOAT(name) double name;
#define HF_MEMBER_BOOL(name)  enum hf_tristate name;
#define HF_MEMBER_LIST(name)  struct hf_value *name;
#define HF_MEMBER_DICT(name)  struct hf_value *name;
#define HF_MEMBER_RAW(name)   struct hf_value *name;
struct hf_container_params {
#define X(name, type, where, key, kind, update, make, elements, sub, help, more) HF_MEMBER_##type(name)
#include "modules/docker_options.def"
#undef X
	const char *name, *image, *state, *env_file, *default_host_ip, *kill_signal, *image_comparison,
		*image_label_mismatch, *image_name_mismatch, *command_handling, *container_default_behavior,
		*pull_check_mode_behavior, *platform;
	struct hf_value *networks, *comparisons, *pull;
	enum hf_tristate cleanup, force_kill, ignore_image, keep_volumes, networks_cli_compatible,
		output_logs, paused, purge_networks, recreate, restart;
	double removal_wait_timeout, healthy_wait_timeout;
	struct hf_docker_options docker;
};

struct hf_container_job {
	struct hf_module_context *c;
	struct hf_arena *a;
	const struct hf_container_params *p;
	struct hf_docker d;
	struct hf_change *change;
	bool look;                    /* touch nothing */
	struct hf_value *values;      /* option → as the engine wants it; only options that are given */
	struct hf_value *comparisons; /* option → strict, ignore or allow_more_present */
	struct hf_value *networks;    /* list of {name, id, endpoint}; NULL: not given */
	struct hf_value *actions, *differences, *before, *after;
};
enum hf_container_where { HF_CONTAINER_CONFIG, HF_CONTAINER_HOST, HF_CONTAINER_OWN };
enum hf_container_compare {
	HF_COMPARE_VALUE,
	HF_COMPARE_LIST,
	HF_COMPARE_SET,
	HF_COMPARE_SETDICT,
	HF_COMPARE_DICT,
	HF_COMPARE_IGNORED
};
struct hf_container_row {
	const char *option;
	enum hf_arg_type type;
	size_t offset;
	enum hf_container_where where;
	const char *key;
	enum hf_container_compare kind;
	bool update;
	int (*make)(struct hf_container_job *j, const char *name, const struct hf_value *in,
		struct hf_value **ret, struct hf_error *err);
};
extern const struct hf_container_row hf_container_rows[]; /* ends with an option that is NULL */
extern const struct hf_arg hf_container_args[];
extern const struct hf_rule hf_container_rules[];

/* values, comparisons and networks from the options. */
HF_CHECK int hf_container_values(struct hf_container_job *j, struct hf_error *err);
int hf_container_volumes(struct hf_container_job *j, const struct hf_value *in, struct hf_error *err);
int hf_container_ports(struct hf_container_job *j, struct hf_error *err);
/* "a:b:c" into at most max parts, the last one taking the rest. */
size_t hf_container_parts(struct hf_arena *a, const char *s, const char **ret, size_t max);
/* What is other in the container than wanted: into differences, before and after. updates: those that can be
 * changed in a container that is there. image: what the container's defaults come from; may be NULL. */
bool hf_container_differs(struct hf_container_job *j, const struct hf_value *container,
	const struct hf_value *image, bool updates);
void hf_container_note(struct hf_container_job *j, const char *what, const struct hf_value *wanted,
	const struct hf_value *is);
/* Bodies of the engine's calls. */
struct hf_value *hf_container_create_body(struct hf_container_job *j, const char *image);
struct hf_value *hf_container_update_body(struct hf_container_job *j);
/* Everything of a is in b. */
bool hf_container_contains(const struct hf_value *b, const struct hf_value *a);
