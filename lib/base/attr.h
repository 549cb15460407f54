/* lib/base/attr.h - compiler attributes in one spelling for gcc and clang. */
#pragma once
#include <stddef.h>

#define HF_CHECK           __attribute__((warn_unused_result))
#define HF_PRINTF(f, a)    __attribute__((format(printf, f, a)))
#define HF_NORETURN        __attribute__((noreturn))
#define HF_NONNULL(...)    __attribute__((nonnull(__VA_ARGS__)))
#define HF_RETURNS_NONNULL __attribute__((returns_nonnull))
/* What ends with its scope may have no other use. */
#define HF_CLEANUP(f) __attribute__((cleanup(f), unused))
#define HF_NOINLINE   __attribute__((noinline))
/* A buffer that a read fills: hardening would zero it first, which costs more than a small read. */
#if __has_attribute(uninitialized) /* since gcc 12, as the hardening */
#define HF_UNINITIALIZED __attribute__((uninitialized))
#else
#define HF_UNINITIALIZED
#endif
#define HF_UNUSED       __attribute__((unused))
#define HF_COUNT(array) (sizeof(array) / sizeof((array)[0]))
