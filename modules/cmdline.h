/* modules/cmdline.h - text of command lines as Python's shlex, os.path and glob see it, and output as Ansible
 * reports it. */
#pragma once
#include <sys/time.h>

#include "lib/engine/module.h"

/* shlex.split(): NULL-terminated; HF_E_TASK for an open quote or a trailing backslash. */
HF_CHECK int hf_cmdline_split(
	struct hf_arena *a, const char *text, char ***ret, size_t *ret_n, struct hf_error *err);
/* shlex.quote() */
const char *hf_cmdline_quote(struct hf_arena *a, const char *word);
/* shlex.join() of a NULL-terminated list. */
const char *hf_cmdline_join(struct hf_arena *a, char *const *words);
/* os.path.expandvars(), then expanduser(), from a NAME=value list; unknown names stay as they are. */
const char *hf_cmdline_expand(struct hf_arena *a, const char *word, const char *const *env);
/* True when something matches; a pattern without wildcards is a path. Relative to dir. */
bool hf_cmdline_glob(struct hf_arena *a, const char *dir, const char *pattern);
/* str.splitlines() of text as a list of strings. */
struct hf_value *hf_cmdline_lines(struct hf_arena *a, struct hf_str text);
/* rc, stdout, stdout_lines, stderr, stderr_lines of a program; strip: newlines at the end dropped. */
void hf_cmdline_report(
	struct hf_module_context *c, struct hf_change *change, const struct hf_proc_result *r, bool strip);
/* A directory of the task's own under TMPDIR; remove it with hf_fs_remove_tree(). */
HF_CHECK int hf_cmdline_temp_dir(struct hf_arena *a, const char *what, char **ret, struct hf_error *err);
/* Python's str(datetime.now()), and the str() of the time between two of them. */
const char *hf_cmdline_moment(struct hf_arena *a, const struct timeval *t);
const char *hf_cmdline_delta(struct hf_arena *a, const struct timeval *from, const struct timeval *to);
