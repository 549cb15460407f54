/* lib/engine/become.h - being another user for one task, as sudo or su would make us, without starting
 * either. The child that runs the module keeps root as its saved user, so that what Ansible's controller does
 * (finding and reading sources, rendering, writing the way back) stays root's; a program it starts has
 * nothing of that. Owns:  texts live in the task's arena. Fails: HF_E_UNSUPPORTED for methods and flags that
 * are not done. */
#pragma once
#include "lib/engine/state.h"

struct hf_become {
	const char *user;       /* NULL: stay who we are */
	bool keep_environment;  /* sudo -E, su -m: nothing but what the caller has */
	bool reset_environment; /* sudo: PATH and a few others, and SUDO_… */
	bool login; /* sudo -i, su -: the user's login shell makes the environment, in the user's home */
	const char *shell; /* su -s */
};

/* What the task's keywords, its ansible_become_… variables and the command line ask for. */
HF_CHECK int hf_become_read(struct hf_task *t, struct hf_become *ret, struct hf_error *err);
/* In the child: become that user. */
HF_CHECK int hf_become_enter(struct hf_task *t, const struct hf_become *b, struct hf_error *err);
/* Around what is the controller's to do; nothing where the task is not another user. */
void hf_become_raise(const struct hf_task *t);
void hf_become_lower(const struct hf_task *t);
/* A source the user may not read is put where it may, as Ansible transfers it; *path is replaced. */
HF_CHECK int hf_become_lend(struct hf_task *t, char **path, struct hf_error *err);
/* What was lent is removed. */
void hf_become_leave(struct hf_task *t);
