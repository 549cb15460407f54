/* What a person reads when a playbook is wrong: the exact sentence and place. */
#include "lib/base/scope.h"
#include "lib/data/yaml.h"
#include "lib/engine/run.h"
#include "modules/registry.h"
#include "tests/unit/unit.h"

static const struct row {
	const char *title, *yaml, *want;
} rows[] = {
	{ "unknown keyword of a task", "- hosts: all\n  tasks:\n  - debug: {}\n    whenn: yes\n",
		"site.yml:4:5: conflicting action statements: debug, whenn: 'whenn' is not a valid attribute "
		"for a Task (did you "
		"mean 'when'?)" },
	{ "unknown keyword of a play", "- hosts: all\n  task: []\n",
		"site.yml:2:3: 'task' is not a valid attribute for a Play (did you mean 'tasks'?)" },
	{ "unknown keyword of a block", "- hosts: all\n  tasks:\n  - block: []\n    loop: [1]\n",
		"site.yml:4:5: 'loop' is not a valid attribute for a Block" },
	{ "no hosts", "- tasks: []\n", "site.yml:1:3: the field 'hosts' is required but was not set" },
	{ "two modules", "- hosts: all\n  tasks:\n  - debug: {}\n    ping:\n",
		"site.yml:4:5: conflicting action statements: debug, ping" },
	{ "no module", "- hosts: all\n  tasks:\n  - name: x\n",
		"site.yml:3:5: no module/action detected in task." },
	{ "unknown module", "- hosts: all\n  gather_facts: no\n  tasks:\n  - nosuch: {}\n",
		"site.yml:4:5: couldn't resolve module/action 'nosuch'. This often indicates a misspelling, "
		"missing "
		"collection, or incorrect module path." },
	{ "debugger", "- hosts: all\n  debugger: always\n",
		"site.yml:2:13: 'debugger' is not supported: there is no interactive debugger" },
	{ "strategy", "- hosts: all\n  strategy: debug\n",
		"site.yml:2:13: Invalid play strategy specified: debug" },
	{ "loop on an import", "- hosts: all\n  tasks:\n  - import_tasks: x.yml\n    loop: [1]\n",
		"site.yml:3:5: You cannot use loops on 'import_tasks' statements. You should use "
		"'include_tasks' instead." },
	{ "a variable's name", "- hosts: all\n  vars: {a-b: 1}\n",
		"site.yml:2:10: Invalid variable name in vars specified for the task, block or play: 'a-b' "
		"is not a valid "
		"variable name" },
};

static void error_row(void **state)
{
	const struct row *r = *state;
	static const char *const books[] = { "./site.yml", NULL };
	hf_auto_arena a = hf_arena_new();
	struct hf_value *plays = NULL;
	struct hf_error err;
	struct hf_run_summary summary;
	char text[HF_ERROR_TEXT_MAX + 256];
	assert_int_equal(hf_yaml_parse(a, hf_str(r->yaml), "site.yml", NULL, &plays, &err), 0);
	struct hf_run_options options = {
		.registry = &hf_modules, .playbooks = books, .plays = plays, .syntax_check = true
	};
	assert_true(hf_run_playbooks(&options, &summary, &err) < 0);
	assert_string_equal(hf_error_print(&err, text, sizeof(text)), r->want);
}

int main(void)
{
	UNIT_ROWS(tests, rows, error_row);
	return UNIT_RUN(tests);
}
