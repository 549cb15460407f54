/* modules/file_label.h - SELinux labels through the security.selinux attribute; all of it is a no-op where
 * SELinux is off, as in Ansible. */
#pragma once
#include "modules/file_attr.h"

HF_CHECK int hf_file_label_sync(struct hf_module_context *c, const char *path,
	const struct hf_file_attr *attr, const struct hf_file_diff *diff, bool touch, bool *changed,
	struct hf_error *err);
/* NULL where SELinux is off or the file has no label. */
const char *hf_file_label_get(struct hf_arena *a, const char *path);
