/* modules/file_mode.h - permission bits as playbooks write them: octal text, or chmod's symbolic form. */
#pragma once
#include <stdbool.h>
#include <sys/stat.h>

#include "lib/base/error.h"

/* now: st_mode with its file type, what symbolic forms start from. HF_E_TASK with Ansible's sentence
 * otherwise. */
HF_CHECK int hf_file_mode_parse(const char *text, mode_t now, mode_t *ret, struct hf_error *err);
mode_t hf_file_umask(void);
