/* modules/docker_auth.h - what a user's Docker configuration (config.json) says of registries and proxies.
 * Owns: the task's arena. Fails: HF_E_TASK where a credential helper that is named cannot be run. Passwords
 * are hidden in what is shown. */
#pragma once
#include "modules/docker.h"

/* The header that lets the engine into the registry of an image's name, put into *headers, a dict that is
 * made where it is NULL; nothing where the configuration knows none. */
HF_CHECK int hf_docker_auth(
	struct hf_docker *d, const char *image, struct hf_value **headers, struct hf_error *err);
/* The same for a build, which may use every registry the configuration knows. */
HF_CHECK int hf_docker_auth_all(struct hf_docker *d, struct hf_value **headers, struct hf_error *err);
/* Variables of the environment for the proxies that the configuration names: a dict. */
HF_CHECK int hf_docker_proxies(struct hf_docker *d, struct hf_value **ret, struct hf_error *err);
/* "host:5000/a/b" → "host:5000", "a/b"; "a/b" → "docker.io", "a/b" */
void hf_docker_registry(
	struct hf_arena *a, const char *image, const char **ret_registry, const char **ret_name);
