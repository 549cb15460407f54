/* lib/base/scope.h - things that end with the scope that holds them. Always declare with a value. */
#pragma once
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/arena.h"
#include "lib/base/str.h"

static inline void hf_close_fd(int *fd)
{
	int saved = errno;
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}
static inline void hf_close_file(FILE **f)
{
	if (*f != NULL)
		fclose(*f);
	*f = NULL;
}
static inline void hf_close_dir(DIR **d)
{
	if (*d != NULL)
		closedir(*d);
	*d = NULL;
}
static inline void hf_free_arena(struct hf_arena **a)
{
	*a = hf_arena_free(*a);
}
static inline void hf_free_ptr(void *p)
{
	free(*(void **)p);
	*(void **)p = NULL;
}
static inline int hf_take_fd(int *fd)
{
	int taken = *fd;
	*fd = -1;
	return taken;
}
static inline struct hf_arena *hf_take_arena(struct hf_arena **a)
{
	struct hf_arena *taken = *a;
	*a = NULL;
	return taken;
}

#define hf_auto_fd    HF_CLEANUP(hf_close_fd) int
#define hf_auto_file  HF_CLEANUP(hf_close_file) FILE *
#define hf_auto_dir   HF_CLEANUP(hf_close_dir) DIR *
#define hf_auto_arena HF_CLEANUP(hf_free_arena) struct hf_arena *
#define hf_auto_buf   HF_CLEANUP(hf_buf_done) struct hf_buf
#define hf_auto_free  HF_CLEANUP(hf_free_ptr)
