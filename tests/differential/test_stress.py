"""Playbooks made to hurt: each is done, or refused with a sentence and its place, in bounded memory and time."""
import subprocess
import sys

import pytest

# The peak of a process counts what forked it: this one is small, the tests' is not.
MEASURE = """
import os, sys
pid = os.fork()
if pid == 0:
    os.dup2(1, 2)
    os.execv(sys.argv[1], sys.argv[1:])
_, code, used = os.wait4(pid, 0)
print(os.waitstatus_to_exitcode(code), used.ru_maxrss, used.ru_utime + used.ru_stime, file=sys.stderr)
"""
HEAD = "- hosts: all\n  gather_facts: false\n  tasks:\n"


def ten_megabytes():
    task = "  - name: task number %d of a long playbook that somebody generated\n    debug: {msg: '{{ inventory_hostname }} %d'}\n    when: false\n"
    return HEAD + "".join(task % (n, n) for n in range(80000))


def alias_bomb():
    lines = ["- hosts: all", "  vars:", "    a0: &a0 [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"    a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    return "\n".join(lines) + "\n  tasks:\n  - debug: {var: a9}\n"


def nested_blocks():
    return HEAD + "".join("  " * (i + 1) + "- block:\n" for i in range(200)) + "  " * 201 + "- ping:\n"


# title, files, exit status, what is said, megabytes at most
ROWS = [
    ("ten megabytes of tasks", lambda: {"site.yml": ten_megabytes()}, 0, "skipped=80000", 600),
    ("a loop of 10,000 items", lambda: {"site.yml": HEAD + "  - debug: {msg: '{{ item }}'}\n    loop: '{{ range(10000) | list }}'\n"}, 0, "(item=9999)", 200),
    ("an include of itself", lambda: {"site.yml": HEAD + "  - include_tasks: c.yml\n", "c.yml": "- include_tasks: c.yml\n"}, 1,
     "c.yml:1:3: includes are nested more than 64 deep", 100),
    ("an import of itself", lambda: {"site.yml": HEAD + "  - import_tasks: c.yml\n", "c.yml": "- import_tasks: c.yml\n"}, 4,
     "c.yml:1:1: blocks and imports are nested more than 64 deep", 100),
    ("a playbook that imports itself", lambda: {"site.yml": "- import_playbook: site.yml\n"}, 4, "site.yml:1:1: playbooks import each other more than 64 deep", 100),
    ("a role that depends on itself", lambda: {"site.yml": "- hosts: all\n  roles: [r]\n", "roles/r/meta/main.yml": "dependencies: [r]\n"}, 1,
     "A recursion loop was detected with the roles specified", 100),
    ("an alias bomb", lambda: {"site.yml": alias_bomb()}, 4, "more than 10000 aliases or 4000000 values with them", 200),
    ("blocks nested 200 deep", lambda: {"site.yml": nested_blocks()}, 4, "nested deeper than 128", 100),
    ("lists nested 200 deep", lambda: {"site.yml": "- hosts: all\n  vars: {x: " + "[" * 200 + "]" * 200 + "}\n"}, 4, "nested deeper than 128", 100),
    ("a variable that is itself", lambda: {"site.yml": "- hosts: all\n  gather_facts: false\n  vars: {x: '{{ x }}'}\n  tasks:\n  - debug: {msg: '{{ x }}'}\n"}, 2,
     "recursive loop detected in template", 100),
]


@pytest.mark.parametrize("title, files, status, words, megabytes", ROWS, ids=[r[0] for r in ROWS])
def test_it_is_done_or_refused(holdfast, tmp_path, title, files, status, words, megabytes):
    for name, text in files().items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    done = subprocess.run([sys.executable, "-c", MEASURE, holdfast, "apply", "site.yml"], cwd=tmp_path,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=True)
    said, (code, kilobytes, seconds) = done.stdout, map(float, done.stderr.split())
    assert words in said, said[-2000:]
    assert code == status
    assert kilobytes < megabytes * 1024
    assert seconds < 60
