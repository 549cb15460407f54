/* modules/gpu_kmsg.h - what the kernel's log says about GPUs: XID and SXID lines, cards that fell off the bus
 * with and without such a line and over several lines, drivers that do not start. The table is in gpu_kmsg.c;
 * a playbook may add to it. Fails: HF_E_IO when the log cannot be read, HF_E_LIMIT past its bound. */
#pragma once
#include "lib/data/value.h"

enum hf_gpu_severity { HF_GPU_APPLICATION, HF_GPU_WARNING, HF_GPU_FATAL, HF_GPU_IGNORED };
extern const char *const hf_gpu_severities[]; /* indexed by enum hf_gpu_severity; NULL-terminated */

/* Text of /dev/kmsg, or of a file in its format or dmesg's; one record a line. */
HF_CHECK int hf_kmsg_read(struct hf_arena *a, const char *path, struct hf_str *ret, struct hf_error *err);
/* A list of dicts, one a kind of event and card: kind (xid, sxid, off_bus, init_failed), number, pci,
 * severity, advice, text, count. overrides: dict of XID number to severity word, or NULL. */
struct hf_value *hf_kmsg_events(struct hf_arena *a, struct hf_str log, const struct hf_value *overrides);
