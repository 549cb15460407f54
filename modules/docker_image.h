/* modules/docker_image.h - the parts of docker_image: what it was told, and the work that takes long. Owns:
 * everything lives in the task's arena. Fails: HF_E_TASK with the collection's sentence. */
#pragma once
#include "modules/docker.h"

struct hf_image_params {
	const char *name, *source, *archive_path, *load_path, *repository, *state, *tag;
	struct hf_value *build, *pull;
	enum hf_tristate force_source, force_absent, force_tag, push;
	struct hf_docker_options docker;
};

struct hf_image_job {
	struct hf_module_context *c;
	struct hf_arena *a;
	const struct hf_image_params *p;
	struct hf_docker d;
	struct hf_change *change;
	bool look; /* only tell what would be done */
	const char *name, *tag;
	struct hf_value *image, *actions;
	struct hf_value *memory, *memswap, *shm_size; /* sizes of the build in bytes, or NULL */
};

void hf_image_action(struct hf_image_job *j, const char *text); /* it is done: changed */
/* The sizes that options of the build give as text. */
HF_CHECK int hf_image_sizes(struct hf_image_job *j, struct hf_error *err);
HF_CHECK int hf_image_build(struct hf_image_job *j, struct hf_error *err);
HF_CHECK int hf_image_load(struct hf_image_job *j, struct hf_error *err);
HF_CHECK int hf_image_save(struct hf_image_job *j, const char *name, struct hf_error *err);
HF_CHECK int hf_image_push(struct hf_image_job *j, const char *name, const char *tag, const char *registry,
	const char *rest, struct hf_error *err);
/* Does the registry hold just this image under that name already? */
HF_CHECK int hf_image_pushed(struct hf_image_job *j, const char *name, const char *tag,
	const struct hf_value *image, bool *ret, struct hf_error *err);
/* Why archive_path has to be written, as the action that does it; *ret NULL: it holds the image. */
HF_CHECK int hf_image_archived(
	struct hf_image_job *j, const char *name, const char *id, const char **ret, struct hf_error *err);
