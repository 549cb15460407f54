/* modules/file_flags.h - the flags of lsattr(1) and chattr(1), read and set through ioctl. */
#pragma once
#include "modules/file_attr.h"

/* spec: "+i", "-a" or "=ia" (also without a sign). With "=" only flags that can be set at all are compared.
 */
HF_CHECK int hf_file_flags_sync(struct hf_module_context *c, const char *path, const char *spec,
	const struct hf_file_diff *diff, bool touch, bool *changed, struct hf_error *err);
/* Letters in lsattr's order, names of each, and the inode's version. False where the file system keeps none.
 */
bool hf_file_flags_get(struct hf_arena *a, const char *path, const char **ret_letters,
	struct hf_value **ret_names, const char **ret_version);
