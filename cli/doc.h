/* cli/doc.h - `holdfast doc`: manual pages of modules, and the table over all of them. */
#pragma once
#include "cli/command.h"
#include "lib/base/str.h"
#include "lib/engine/module.h"

/* NAME, NUL, TEXT, NUL, … of every page in modules/, ending with an empty name; made by pages.awk. */
extern const char cli_pages[];

const char *cli_arg_type(enum hf_arg_type type); /* as the pages name it; modules.c */
/* Module, option, whether it works; module, what check, diff, undo and watch do. Markdown. */
void cli_doc_table(struct hf_buf *out);
/* The tables of the modules named, or of all, as JSON; modules.c. */
int cli_modules_json(struct cli_call *call);
