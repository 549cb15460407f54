/* modules/gpu_nvml.h - what the driver says of its GPUs, asked through NVML in a child of its own: a GPU that
 * hangs costs its deadline and nothing else, even when the child can no longer be killed. Owns:  the values
 * live in the arena given. Fails: HF_E_NOT_FOUND no library (no driver); HF_E_TIMEOUT no answer in time;
 * HF_E_IO what NVML said. */
#pragma once
#include "lib/data/value.h"

enum { HF_NVML_DEADLINE_MS = 3000, HF_NVML_GPUS_MAX = 64 };
#define HF_NVML_LIBRARY "libnvidia-ml.so.1"

/* *ret: driver_version, nvml_version, cuda_version, count, devices: a list of dicts in NVML's order. What a
 * GPU does not have (ECC, MIG, links) is null. library: name or path; NULL: the usual one. */
HF_CHECK int hf_nvml_query(struct hf_arena *a, const char *library, unsigned deadline_ms,
	struct hf_value **ret, struct hf_error *err);
