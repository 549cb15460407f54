/* modules/stack_facts.h - versions of everything between the kernel and a framework that must fit each other,
 * read from files below a root: no program is started, nothing of the driver is touched. Owns:  everything
 * lives in the arena given. Fails: HF_E_LIMIT, HF_E_IO for files that are there and cannot be read. */
#pragma once
#include "lib/data/value.h"

struct hf_stack {
	int64_t gpus;
	bool headers, nouveau, switches, toolkit, runtime;
	const char *kernel;         /* that runs, or is planned */
	const char *built, *loaded; /* version of the module on disk for that kernel, and in it */
	const char *next_kernel;    /* the newest installed one, when another one runs; NULL */
	bool next_built;
	const char *library, *fabric, *cuda, *nccl, *nccl_cuda, *efa; /* NULL: not installed */
	struct hf_value *torches;                                     /* {where, version, cuda} */
};

HF_CHECK int hf_stack_read(struct hf_arena *a, const char *root, struct hf_stack *ret, struct hf_error *err);
/* What the host would be with these versions; a name it does not know is HF_E_ARGUMENT. */
HF_CHECK int hf_stack_plan(
	struct hf_arena *a, struct hf_stack *s, const struct hf_value *plan, struct hf_error *err);
struct hf_value *hf_stack_value(struct hf_arena *a, const struct hf_stack *s);
/* The least driver for a CUDA version; NULL for versions older than the table. */
const char *hf_stack_driver_for(const char *cuda);
int hf_stack_compare(const char *x, const char *y); /* by numbers between dots */
long hf_stack_major(const char *version);
