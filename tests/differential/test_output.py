"""What people read: `holdfast apply` prints the lines ansible-playbook prints, without colours and with them."""
import os
import pathlib
import re
import subprocess
import sys

import pytest

BOOK = r"""- name: First play
  hosts: a:b
  gather_facts: false
  vars: {secret: topsecret}
  handlers:
    - name: hand
      debug: {msg: handled}
  tasks:
    - name: ok
      ping:
    - name: changed
      command: echo hi
      notify: hand
    - name: skipped
      ping:
      when: false
    - name: multi line debug
      debug: {msg: "a\nb {{ inventory_hostname }}"}
    - debug: {var: groups}
    - name: loop
      debug: {msg: "{{ item }}"}
      loop: [1, {a: b}, "x"]
    - name: loop with label
      command: "echo {{ item.n }}"
      loop: [{n: 1, big: data}, {n: 2, big: more}]
      loop_control: {label: "{{ item.n }}"}
    - name: loop partly skipped
      command: echo {{ item }}
      loop: [1, 2]
      when: item == 1
    - name: all items skipped
      ping:
      loop: [1, 2]
      when: false
    - name: empty loop
      ping:
      loop: []
    - name: fails ignored
      command: "false"
      ignore_errors: true
    - name: loop fails ignored
      command: "{{ item }}"
      loop: ["true", "false"]
      ignore_errors: true
    - name: hidden
      command: echo {{ secret }}
      no_log: true
    - name: hidden loop
      command: echo {{ item }}
      loop: [x, y]
      no_log: true
    - name: hidden failure
      command: "false"
      no_log: true
      ignore_errors: true
    - name: stderr
      shell: "echo out; echo err >&2; exit 3"
      ignore_errors: true
    - block:
        - name: fails
          fail: {msg: oops}
      rescue:
        - name: rescued
          debug: {var: ansible_failed_result.msg}
      always:
        - name: always
          ping:
    - name: retry
      command: "false"
      register: r
      until: r.rc == 0
      retries: 2
      delay: 0
      ignore_errors: true
    - name: include
      include_tasks: inc.yml
    - name: include loop
      include_tasks: inc.yml
      loop: [p, q]
    - debug: {var: item}
      loop: [1, {k: v}]
    - debug: {msg: "{{ item }}"}
      loop: [1, 2]
      failed_when: item == 2
      ignore_errors: true
      run_once: true
    - assert: {that: [item == 1], quiet: true}
      loop: [1, 1]
    - assert: {that: [1 == 1], quiet: true}
    - include_role: {name: q}
    - name: delegate elsewhere
      command: "false"
      delegate_to: d
      register: w
      until: w.rc == 0
      retries: 1
      delay: 0
      ignore_errors: true
      when: inventory_hostname == 'a'
    - meta: end_host
      when: false
    - add_host: {name: c, x: 1}
      changed_when: false
    - assert: {that: [1 == 1], success_msg: good}
    - assert: {that: [1 == 2], fail_msg: bad}
      ignore_errors: true
    - name: once
      debug: {msg: one}
      run_once: true
    - name: delegate
      command: echo d
      delegate_to: b
      when: inventory_hostname == 'a'
    - set_fact: {x: 1}
    - name: file
      copy: {dest: "@DIR@/out-{{ inventory_hostname }}", content: "one\ntwo\n"}
    - meta: flush_handlers
    - fail:
      when: inventory_hostname == 'b'
    - ping:
- hosts: none_such
  tasks: []
- hosts: a
  gather_facts: false
  roles: [r]
"""

FILES = {"roles/q/tasks/main.yml": "- ping:\n", "inc.yml": "- name: included task\n  ping:\n", "roles/r/tasks/main.yml": "- name: in role\n  command: echo x\n  notify: rh\n- ping:\n",
         "roles/r/handlers/main.yml": "- name: rh\n  ping:\n", "inv": "a ansible_connection=local\nb ansible_connection=local\nd ansible_connection=local ansible_host=127.0.0.1\n"}

# title, environment, arguments, lines that may differ
ROWS = [
    ("in colour", {"ANSIBLE_FORCE_COLOR": "1"}, [], None),
] + ([] if os.environ.get("HF_LONG") is None else [
    ("plain", {"ANSIBLE_NOCOLOR": "1"}, [], None),
    ("checked, with differences", {"ANSIBLE_NOCOLOR": "1"}, ["--check", "--diff"], r"^[+-]{3} "),
    ("more said", {"ANSIBLE_NOCOLOR": "1"}, ["-v"], r"changed: \[.\] => .*checksum|All items skipped"),
    ("much more said", {"ANSIBLE_NOCOLOR": "1"}, ["-vv"],
     r"checksum|All items skipped|^Skipping callback|core 2|^holdfast apply|^redirecting|^  [a-z ]+ = "),
])


def lines(text, leave_out):
    text = re.sub(r'"(start|end|delta)": "[^"]*"', r'"\1": T', text)
    return [line for line in text.splitlines() if leave_out is None or not re.search(leave_out, line)]


@pytest.mark.parametrize("title, env, arguments, leave_out", ROWS, ids=[r[0] for r in ROWS])
def test_lines_are_ansibles(holdfast, tmp_path, title, env, arguments, leave_out):
    for name, text in {**FILES, "site.yml": BOOK.replace("@DIR@", str(tmp_path))}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    env = {**os.environ, "ANSIBLE_DEPRECATION_WARNINGS": "0", "ANSIBLE_PIPELINING": "1", **env}
    ansible = pathlib.Path(sys.executable).parent / "ansible-playbook"
    theirs = subprocess.run([ansible, "-f1", "-e", "ansible_python_interpreter=/usr/bin/python3", "-i", "inv", *arguments, "site.yml"], cwd=tmp_path,
                            capture_output=True, text=True, timeout=900, env=env)
    for left in tmp_path.glob("out-*"):
        left.unlink()
    ours = subprocess.run([holdfast, "apply", "-i", "inv", *arguments, "site.yml"], cwd=tmp_path, capture_output=True, text=True, timeout=900, env=env)
    assert theirs.returncode == ours.returncode == 2, theirs.stderr + ours.stderr
    assert lines(ours.stdout, leave_out) == lines(theirs.stdout, leave_out)
