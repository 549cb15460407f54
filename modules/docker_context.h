/* modules/docker_context.h - the folder that an engine builds an image from, as the tar it wants: without
 * what .dockerignore leaves out, with a Dockerfile from elsewhere put in. Owns: the task's arena; the tar is
 * a file of the caller's. Fails: HF_E_TASK with what could not be read. */
#pragma once
#include "modules/docker.h"

/* Writes the tar to fd. dockerfile: as the user gave it, or NULL; ret_dockerfile: its name in the tar, or
 * NULL. */
HF_CHECK int hf_docker_context(struct hf_arena *a, const char *path, const char *dockerfile, int fd,
	const char **ret_dockerfile, struct hf_error *err);
