"""Plays, handlers, roles, collections, imports and includes."""
from playbook_rows import PLAY, tasks

ROLE = {"roles/r/defaults/main.yml": "d: default\n", "roles/r/vars/main.yml": "v: var\n"}


def handlers(play, text, keywords=""):
    """A play whose tasks notify, and its handlers."""
    return PLAY + keywords + "  tasks:\n" + "".join(f"    {line}\n" for line in play.strip("\n").split("\n")) + "  handlers:\n" + \
        "".join(f"    {line}\n" for line in text.strip("\n").split("\n"))


ROWS = {
    "handlers run in the order they stand in": {"site.yml": handlers("""
- command: echo 1
  notify: [c, a]
- command: echo 2
  notify: b
""", """
- {name: a, debug: msg=a}
- {name: b, debug: msg=b}
- {name: c, debug: msg=c}
""")},
    "handlers with one name: the last is meant": {"site.yml": handlers("""
- command: echo 1
  notify: same
""", """
- {name: same, debug: msg=first}
- {name: same, debug: msg=last}
""")},
    "handlers by listen and by name": {"site.yml": handlers("""
- command: echo 1
  notify: topic
- command: echo 2
  notify: [other, named]
""", """
- {name: x, debug: msg=x, listen: [topic, other]}
- {name: y, debug: msg=y, listen: topic}
- {name: named, debug: msg=named, listen: other}
""")},
    "handlers with templated names": {"site.yml": handlers("""
- command: echo 1
  notify: "restart {{ svc }}"
- command: echo 2
  notify: "{{ topics }}"
""", """
- {name: "restart {{ svc }}", debug: msg=restarted}
- {name: l, debug: msg=listened, listen: t2}
""", "  vars: {svc: web, topics: [t2]}\n")},
    "handler notified by a looped task": {"site.yml": handlers("""
- command: echo {{ item }}
  loop: [1, 2, 3]
  changed_when: item == 2
  notify: h
- command: echo {{ item }}
  loop: [1, 2]
  changed_when: false
  notify: never
- command: echo {{ item }}
  loop: [a, b]
  notify: "h {{ item }}"
""", """
- {name: h, debug: msg=h}
- {name: never, debug: msg=never}
- {name: h a, debug: msg=ha}
- {name: h b, debug: msg=hb}
""")},
    "handler chains forwards and backwards": {"site.yml": handlers("""
- command: echo 1
  notify: second
""", """
- {name: first, command: echo first}
- {name: second, command: echo second, notify: [first, third]}
- {name: third, command: echo third, notify: fourth}
- {name: fourth, debug: msg=fourth}
""")},
    "handlers of every section are flushed": {"site.yml": PLAY + """  pre_tasks:
    - {command: echo 1, notify: h}
  roles: [r]
  tasks:
    - {command: echo 2, notify: h}
    - meta: flush_handlers
    - {command: echo 3, notify: h}
  post_tasks:
    - {command: echo 4, notify: h}
    - {name: last, debug: msg=last}
  handlers:
    - {name: h, command: echo handler, notify: k}
    - {name: k, debug: msg=k}
""", "roles/r/tasks/main.yml": "- {name: role task, command: echo r, notify: [rh, h]}\n",
                                              "roles/r/handlers/main.yml": "- {name: rh, debug: msg=rh}\n"},
    "flush_handlers under a condition": {"site.yml": handlers("""
- command: echo 1
  notify: h
- meta: flush_handlers
  when: false
- debug: msg=between
""", "- {name: h, debug: msg=h}")},
    "handler with when and loop": {"site.yml": handlers("""
- command: echo 1
  notify: [a, b, c]
""", """
- {name: a, debug: msg=a, when: false}
- {name: b, debug: "msg={{ item }}", loop: [1, 2]}
- name: c
  command: echo c
  register: out
  notify: d
- {name: d, debug: "msg={{ out.stdout }}"}
""")},
    "failing handler stops the rest": {"site.yml": handlers("""
- command: echo 1
  notify: [a, b, c]
""", """
- {name: a, debug: msg=a}
- {name: b, fail: msg=b}
- {name: c, debug: msg=c}
""")},
    "failing handler that is ignored": {"site.yml": handlers("""
- command: echo 1
  notify: [b, c]
""", """
- {name: b, fail: msg=b, ignore_errors: true}
- {name: c, debug: msg=c}
""")},
    "force_handlers after a failure and a failing handler": {"site.yml": handlers("""
- command: echo 1
  notify: [a, b, c]
- fail: msg=stop
- debug: msg=never
""", """
- {name: a, debug: msg=a}
- {name: b, fail: msg=b}
- {name: c, debug: msg=c}
""", "  force_handlers: true\n")},
    "--force-handlers": {"site.yml": handlers("- {command: echo 1, notify: a}\n- fail: msg=stop", "- {name: a, debug: msg=a}"),
                         "args": ["--force-handlers"]},
    "handlers after a rescue": {"site.yml": handlers("""
- block:
    - {command: echo 1, notify: a}
    - fail: msg=stop
  rescue:
    - {command: echo 2, notify: b}
    - meta: flush_handlers
  always:
    - debug: msg=always
- debug: msg=after
""", """
- {name: a, debug: msg=a}
- {name: b, debug: msg=b}
""")},
    "flush inside a block whose handler fails": {"site.yml": handlers("""
- block:
    - {command: echo 1, notify: bad}
    - meta: flush_handlers
    - debug: msg=never
  rescue:
    - debug: msg="rescued {{ ansible_failed_task.name }}"
- debug: msg=after
""", "- {name: bad, fail: msg=bad}")},
    "handlers of roles by role name": {"site.yml": PLAY + """  roles: [r, s]
  handlers:
    - {name: shared, debug: msg=of play}
""", "roles/r/tasks/main.yml": "- {name: t, command: echo r, notify: ['r : shared', 'shared', 's : only']}\n",
                                      "roles/r/handlers/main.yml": "- {name: shared, debug: msg=of r}\n",
                                      "roles/s/tasks/main.yml": "- {debug: msg=s}\n",
                                      "roles/s/handlers/main.yml": "- {name: only, debug: msg=of s}\n- {name: shared, debug: msg=of s}\n"},
    "handler that includes tasks": {"site.yml": handlers("- {command: echo 1, notify: [inc, imp one]}", """
- name: inc
  include_tasks: h.yml
- import_tasks: i.yml
"""), "h.yml": "- {name: in handler, debug: msg=in}\n- {command: echo changed}\n", "i.yml": "- {name: imp one, debug: msg=one}\n- {name: imp two, debug: msg=two}\n"},
    "notify of an include": {"site.yml": handlers("""
- include_tasks: t.yml
- block:
    - command: echo in block
    - debug: msg=no change
  notify: h
""", "- {name: h, debug: msg=h}\n- {name: g, debug: msg=g}"), "t.yml": "- {command: echo inc, notify: g}\n"},
    "handlers keep variables of their role": {"site.yml": PLAY + "  roles:\n    - {role: r, p: one}\n  handlers:\n    - {name: mine, debug: \"msg={{ v }}\"}\n",
                                              **ROLE, "roles/r/tasks/main.yml": "- {command: echo, notify: [h, mine]}\n",
                                              "roles/r/handlers/main.yml": "- {name: h, debug: \"msg={{ p }} {{ d }} {{ v }} {{ role_name }}\"}\n"},
    "roles: dependencies, params and duplicates": {
        "site.yml": PLAY + "  roles:\n    - a\n    - b\n    - {role: c, x: 1}\n    - {role: c, x: 1}\n    - {role: c, x: 2}\n    - a\n    - dup\n    - dup\n",
        "roles/a/meta/main.yml": "dependencies: [c]\n", "roles/a/tasks/main.yml": "- debug: msg=a\n",
        "roles/b/meta/main.yml": "dependencies:\n  - {role: c, x: from b}\n  - {role: c, vars: {x: vars b}}\n  - c\n  - {role: c, when: false, x: 9}\n",
        "roles/b/tasks/main.yml": "- debug: msg=b\n",
        "roles/c/defaults/main.yml": "x: none\n", "roles/c/tasks/main.yml": "- debug: \"msg=c{{ x }} {{ ansible_parent_role_names | default([]) }}\"\n",
        "roles/dup/meta/main.yml": "allow_duplicates: true\n", "roles/dup/tasks/main.yml": "- debug: msg=dup\n",
    },
    "roles: dependency chain with tags and when": {
        "site.yml": PLAY + "  roles:\n    - {role: a, tags: [t1], when: yes_}\n    - {role: b, tags: t2}\n  vars: {yes_: true}\n",
        "roles/a/meta/main.yml": "dependencies:\n  - {role: b, tags: [t3], when: yes_ and not no_}\n",
        "roles/a/vars/main.yml": "no_: false\n",
        "roles/a/tasks/main.yml": "- debug: msg=\"a {{ ansible_run_tags | sort }}\"\n- {debug: msg=untagged, tags: [t4]}\n",
        "roles/b/tasks/main.yml": "- debug: msg=b\n- {debug: msg=b2, tags: never}\n",
        "args": ["--tags", "t1,t3"],
    },
    "roles: variables seen by later plays and tasks": {
        "site.yml": PLAY + "  roles: [r]\n  tasks:\n    - debug: msg=\"{{ d }} {{ v }}\"\n" + PLAY
        + "  tasks:\n    - debug: msg=\"{{ d | default('gone') }} {{ v | default('gone') }}\"\n",
        **ROLE, "roles/r/tasks/main.yml": "- set_fact: {seen: '{{ d }}{{ v }}'}\n- debug: msg={{ seen }}\n",
    },
    "roles: defaults of all roles, vars of the present one": {
        "site.yml": PLAY + "  roles: [a, b]\n  tasks:\n    - debug: msg=\"{{ x }} {{ y }}\"\n",
        "roles/a/defaults/main.yml": "x: default a\n", "roles/a/vars/main.yml": "y: var a\n",
        "roles/a/tasks/main.yml": "- debug: msg=\"{{ x }} {{ y }}\"\n",
        "roles/b/defaults/main.yml": "x: default b\n", "roles/b/vars/main.yml": "y: var b\n",
        "roles/b/tasks/main.yml": "- debug: msg=\"{{ x }} {{ y }}\"\n",
    },
    "roles: main as a folder of files": {
        "site.yml": PLAY + "  roles: [r]\n", "roles/r/defaults/main/a.yml": "x: 1\ny: 1\n", "roles/r/defaults/main/b.yaml": "y: 2\n",
        "roles/r/vars/main/one.yml": "z: 3\n", "roles/r/tasks/main.yaml": "- debug: msg=\"{{ x }}{{ y }}{{ z }}\"\n",
    },
    "roles: names and paths as variables": {
        "site.yml": PLAY + "  roles: [outer]\n",
        "roles/outer/tasks/main.yml": "- debug: msg=\"{{ role_name }} {{ ansible_role_name }} {{ role_path | basename }} {{ ansible_parent_role_names | default('none') }}\"\n"
                                      "- include_role: {name: inner}\n- import_role: {name: inner}\n",
        "roles/inner/tasks/main.yml": "- debug: msg=\"{{ role_name }} {{ ansible_role_name }} {{ ansible_parent_role_names }} {{ ansible_parent_role_paths | map('basename') | list }}\"\n",
    },
    "include_role: public, vars_from, defaults_from, handlers_from": {
        "site.yml": tasks("""
- include_role: {name: r, tasks_from: alt, vars_from: alt, defaults_from: alt.yml, handlers_from: alt}
- debug: msg="{{ d | default('unseen') }} {{ v | default('unseen') }}"
- include_role: {name: r, public: true}
- debug: msg="{{ d }} {{ v }}"
- include_role:
    name: r
    apply: {tags: [applied], vars: {p: applied}}
  vars: {p: given}
- import_role: {name: r, vars_from: alt}
  vars: {p: imported}
- debug: msg="{{ d }} {{ v }}"
"""),
        "roles/r/defaults/main.yml": "d: default\np: none\n", "roles/r/vars/main.yml": "v: var\n",
        "roles/r/defaults/alt.yml": "d: default alt\n", "roles/r/vars/alt.yml": "v: var alt\n",
        "roles/r/tasks/main.yml": "- debug: msg=\"main {{ d }} {{ v }} {{ p }}\"\n",
        "roles/r/tasks/alt.yml": "- {name: alt, command: echo alt, notify: h}\n- debug: msg=\"alt {{ d }} {{ v }}\"\n",
        "roles/r/handlers/alt.yml": "- {name: h, debug: msg=alt handler}\n", "roles/r/handlers/main.yml": "- {name: h, debug: msg=main handler}\n",
    },
    "include_role in a loop, with when and rescue": {
        "site.yml": tasks("""
- include_role: {name: "{{ item }}"}
  loop: [a, b]
- include_role: {name: a}
  loop: [1, 2, 3]
  when: item != 2
- block:
    - include_role: {name: bad}
  rescue:
    - debug: msg="{{ ansible_failed_task.name }}"
- include_role: {name: nowhere}
  ignore_errors: true
  when: false
"""),
        "roles/a/tasks/main.yml": "- debug: msg=\"a {{ item | default('none') }}\"\n", "roles/b/tasks/main.yml": "- debug: msg=\"b {{ item }}\"\n",
        "roles/bad/tasks/main.yml": "- {name: breaks, fail: msg=x}\n- debug: msg=never\n",
    },
    "include_role of a role that is not there": {"site.yml": tasks("- debug: msg=a\n- include_role: {name: nowhere}\n- debug: msg=b")},
    "import_role of a role that is not there": {"site.yml": tasks("- debug: msg=a\n- import_role: {name: nowhere}\n- debug: msg=b")},
    "import_role: tags and when reach every task": {
        "site.yml": tasks("""
- import_role: {name: r}
  tags: [imp]
- include_role: {name: r}
  tags: [inc]
- include_role: {name: r, apply: {tags: [deep]}}
  tags: [deep]
- import_tasks: t.yml
  tags: imp
- include_tasks: t.yml
  tags: inc
- include_tasks: {file: t.yml, apply: {tags: deep}}
  tags: deep
"""), "roles/r/tasks/main.yml": "- {name: r1, debug: msg=r1}\n- {name: r2, debug: msg=r2, tags: [own]}\n",
        "t.yml": "- {name: t1, debug: msg=t1}\n- {name: t2, debug: msg=t2, tags: [inc]}\n", "args": ["--tags", "imp,inc,deep"],
    },
    "tags are not inherited by includes": {
        "site.yml": tasks("""
- include_tasks: t.yml
  tags: [x]
- block:
    - include_tasks: t.yml
    - import_tasks: t.yml
  tags: [x]
"""), "t.yml": "- {name: plain, debug: msg=p}\n- {name: tagged, debug: msg=t, tags: [x]}\n", "args": ["--tags", "x"],
    },
    "import_tasks: when of the import is on every task": {
        "site.yml": tasks("""
- import_tasks: t.yml
  when: not done | default(false)
- include_tasks: t.yml
  when: not again | default(false)
"""), "t.yml": "- set_fact: {done: true, again: true}\n- debug: msg=skipped when imported\n",
    },
    "import_tasks with templated name and vars": {
        "site.yml": PLAY + "  vars: {f: t}\n  tasks:\n    - import_tasks: \"{{ f }}.yml\"\n      vars: {p: 1}\n    - import_tasks: sub/u.yml\n",
        "t.yml": "- debug: msg=\"{{ p }}\"\n- include_tasks: sub/u.yml\n", "sub/u.yml": "- debug: msg=\"u {{ p | default('none') }}\"\n- include_tasks: w.yml\n", "sub/w.yml": "- debug: msg=w\n",
    },
    "include_tasks relative to the including file": {
        "site.yml": PLAY + "  roles: [r]\n  tasks:\n    - include_tasks: tasks/a.yml\n",
        "tasks/a.yml": "- debug: msg=a\n- include_tasks: b.yml\n- include_tasks: sub/c.yml\n", "tasks/b.yml": "- debug: msg=b\n",
        "tasks/sub/c.yml": "- debug: msg=c\n- include_tasks: d.yml\n- include_tasks: ../b.yml\n", "tasks/sub/d.yml": "- debug: msg=d\n",
        "roles/r/tasks/main.yml": "- include_tasks: x.yml\n- include_tasks: deep/y.yml\n", "roles/r/tasks/x.yml": "- debug: msg=x\n",
        "roles/r/tasks/deep/y.yml": "- debug: msg=y\n- include_tasks: x.yml\n- import_tasks: z.yml\n", "roles/r/tasks/deep/z.yml": "- debug: msg=z\n",
    },
    "include_tasks loops and registers": {
        "site.yml": tasks("""
- include_tasks: t.yml
  loop: [a, b]
  loop_control: {loop_var: outer, index_var: n}
- include_tasks: "{{ item }}"
  with_first_found: [nope.yml, t.yml]
  vars: {outer: ff, n: 9}
- include_tasks: t.yml
  with_items: []
- include_tasks: t.yml
  when: item
  loop: [true, false]
  vars: {outer: cond, n: 0}
"""), "t.yml": "- debug: msg=\"{{ outer }} {{ n }}\"\n- command: echo {{ item }}\n  loop: [1, 2]\n  register: r\n- debug: msg=\"{{ r.results | map(attribute='stdout') | list }}\"\n",
    },
    "include_tasks: apply with when, ignore_errors and environment": {
        "site.yml": tasks("""
- include_tasks:
    file: t.yml
    apply:
      ignore_errors: true
      environment: {A: applied}
      when: go
  vars: {go: true}
- include_tasks:
    file: t.yml
    apply: {when: false}
"""), "t.yml": "- command: printenv A\n  register: r\n- debug: msg={{ r.stdout }}\n- fail: msg=x\n",
    },
    "import_playbook: when, tags, vars and nesting": {
        "site.yml": "- import_playbook: a.yml\n  tags: [one]\n- import_playbook: a.yml\n  when: false\n- name: named\n  ansible.builtin.import_playbook: sub/b.yml\n  vars: {p: 1}\n  tags: one\n",
        "a.yml": PLAY + "  name: a\n  tasks:\n    - debug: msg=a\n    - {debug: msg=t, tags: two}\n",
        "sub/b.yml": "- import_playbook: c.yml\n", "sub/c.yml": PLAY + "  name: c\n  vars_files: [v.yml]\n  tasks:\n    - debug: msg=\"{{ p }} {{ q }}\"\n    - include_tasks: t.yml\n",
        "sub/v.yml": "q: 2\n", "sub/t.yml": "- debug: msg=t\n  tags: one\n", "args": ["--tags", "one"],
    },
    "collections laid out in the tree": {
        "site.yml": "- import_playbook: my.own.book\n" + PLAY + """  roles:
    - my.own.r
  tasks:
    - import_role: {name: my.own.r}
    - include_role: {name: my.own.r, tasks_from: other}
    - include_role: {name: my.own.sub.deep.t}
    - debug: msg="{{ d }}"
- hosts: localhost
  gather_facts: false
  collections: [my.own]
  roles: [r]
""",
        "collections/ansible_collections/my/own/galaxy.yml": "namespace: my\nname: own\nversion: 1.0.0\n",
        "collections/ansible_collections/my/own/playbooks/book.yml": PLAY + "  name: from collection\n  tasks:\n    - debug: msg=book\n    - include_role: {name: r}\n",
        "collections/ansible_collections/my/own/roles/r/defaults/main.yml": "d: dc\n",
        "collections/ansible_collections/my/own/roles/r/tasks/main.yml": "- debug: msg=\"{{ d }} {{ ansible_collection_name }} {{ role_name }} {{ ansible_role_name }}\"\n- include_role: {name: s}\n",
        "collections/ansible_collections/my/own/roles/r/tasks/other.yml": "- {name: other, command: echo, notify: h}\n",
        "collections/ansible_collections/my/own/roles/r/handlers/main.yml": "- {name: h, debug: msg=handler}\n",
        "collections/ansible_collections/my/own/roles/sub/deep/t/tasks/main.yml": "- debug: msg=\"{{ role_name }} {{ ansible_role_name }}\"\n- include_role: {name: my.own.s}\n",
        "collections/ansible_collections/my/own/roles/s/tasks/main.yml": "- debug: msg=\"s {{ lookup('file', 'f.txt') }}\"\n",
        "collections/ansible_collections/my/own/roles/s/files/f.txt": "text\n",
    },
    "FQCN of modules, filters, tests and lookups": {"site.yml": tasks("""
- ansible.builtin.debug: msg="{{ 'a' | ansible.builtin.b64encode }} {{ lookup('ansible.builtin.env', 'HOME') }}"
- ansible.legacy.debug: msg=legacy
- ansible.builtin.set_fact: {x: "{{ [1, [2]] | ansible.builtin.flatten }}"}
- ansible.builtin.debug: msg={{ x }}
  when: x is ansible.builtin.contains(2)
- ansible.builtin.debug: msg={{ item }}
  with_ansible.builtin.items: [a, [b]]
- ansible.builtin.command: echo a
  register: r
- ansible.builtin.assert: {that: r is ansible.builtin.changed, quiet: true}
- ansible.builtin.meta: flush_handlers
- ansible.builtin.include_tasks: t.yml
- ansible.builtin.import_tasks: t.yml
"""), "t.yml": "- ansible.builtin.debug: msg=t\n"},
    "argument_specs: types, choices and nested options": {
        "site.yml": PLAY + """  tasks:
    - include_role: {name: r}
      vars: {s: text, i: "5", l: [1, 2], c: two, d: {inner: yes, list: [{n: 1}]}}
    - include_role: {name: r}
      vars: {s: text, c: three}
      ignore_errors: true
    - block:
        - include_role: {name: r}
          vars: {s: text, d: {list: [{m: 1}]}}
      rescue:
        - debug: msg="{{ ansible_failed_result.argument_errors }}"
    - block:
        - import_role: {name: r, tasks_from: entry}
          vars: {z: [a]}
      rescue:
        - debug: msg="{{ ansible_failed_result.argument_errors }}"
""",
        "roles/r/meta/argument_specs.yml": """argument_specs:
  main:
    short_description: the role
    options:
      s: {type: str, required: true}
      i: {type: int, default: 3}
      l: {type: list, elements: int}
      c: {type: str, choices: [one, two], default: one}
      d:
        type: dict
        options:
          inner: {type: bool}
          list:
            type: list
            elements: dict
            options:
              n: {type: int, required: true}
  entry:
    options:
      z: {type: int}
""",
        "roles/r/tasks/main.yml": "- debug: msg=\"{{ s }} {{ i | default('unset') }} {{ c | default('unset') }}\"\n",
        "roles/r/tasks/entry.yml": "- debug: msg=entry\n",
    },
    "argument_specs: missing argument ends the play": {
        "site.yml": PLAY + "  roles: [r]\n", "roles/r/meta/main.yml": "argument_specs:\n  main:\n    options:\n      need: {required: true}\n",
        "roles/r/tasks/main.yml": "- debug: msg=never\n",
    },
    "meta: end_role in a role": {
        "site.yml": PLAY + "  roles: [a, b]\n  tasks:\n    - debug: msg=after\n    - include_role: {name: a}\n    - debug: msg=end\n",
        "roles/a/tasks/main.yml": "- debug: msg=a1\n- meta: noop\n- include_tasks: more.yml\n", "roles/a/tasks/more.yml": "- debug: msg=more\n",
        "roles/b/tasks/main.yml": "- debug: msg=b\n",
    },
    "play with everything at once": {"site.yml": PLAY + """  name: "play {{ n }}"
  vars: {n: one}
  handlers:
    - {name: h, debug: "msg=handler {{ n }}"}
  post_tasks: [{debug: msg=post}]
  tasks: [{command: echo, notify: h}]
  roles: [r]
  pre_tasks: [{debug: msg=pre}]
""", "roles/r/tasks/main.yml": "- debug: msg=role\n"},
    "files of roles are found from handlers and includes": {
        "site.yml": PLAY + "  roles: [r]\n",
        "roles/r/tasks/main.yml": "- copy: {src: a.txt, dest: \"{out}/a\", mode: '0600'}\n  notify: h\n- include_tasks: sub/x.yml\n",
        "roles/r/tasks/sub/x.yml": "- template: {src: t.j2, dest: \"{out}/t\"}\n- copy: {src: near.txt, dest: \"{out}/near\"}\n- debug: msg=\"{{ lookup('file', 'a.txt') }}\"\n",
        "roles/r/tasks/sub/near.txt": "near\n",
        "roles/r/handlers/main.yml": "- name: h\n  copy: {src: h.txt, dest: \"{out}/h\"}\n",
        "roles/r/files/a.txt": "a\n", "roles/r/files/h.txt": "h\n", "roles/r/templates/t.j2": "{{ role_name }} {{ ansible_managed is defined }}\n",
    },
    "module_defaults of groups and roles": {
        "site.yml": PLAY + """  module_defaults:
    copy: {mode: "0600"}
    ansible.builtin.file: {mode: "0700"}
  tasks:
    - copy: {content: a, dest: "{out}/a"}
    - file: {path: "{out}/d", state: directory}
    - module_defaults: {copy: {mode: "0640", content: default}}
      block:
        - copy: {dest: "{out}/b"}
        - copy: {dest: "{out}/c", content: c, mode: "0644"}
    - command: echo {{ item }}
      loop: [1]
      module_defaults: {command: {chdir: /}}
      register: r
    - debug: msg="{{ r.results[0].stdout }}"
""",
    },
    "static and dynamic roles see play vars at their time": {
        "site.yml": tasks("""
- set_fact: {when_: early}
- import_role: {name: r}
- set_fact: {when_: late}
- include_role: {name: r}
- include_role: {name: r}
  vars: {when_: vars}
"""), "roles/r/defaults/main.yml": "when_: default\nlazy: \"{{ when_ }}!\"\n", "roles/r/tasks/main.yml": "- debug: msg=\"{{ when_ }} {{ lazy }}\"\n",
    },
    "~ and ~user in front of what tasks read and write": {"site.yml": tasks("""
- file: {path: "{{ item }}", state: directory}
  loop: [~/d, ~/got]
- {copy: {content: "a {{ '{{ 1 + 1 }}' }}\\n", dest: ~root/d/t}}
- {copy: {content: "echo hi\\n", dest: ~/d/s.sh}}
- {copy: {content: "x: 5\\n", dest: ~/d/v.yml}}
- {copy: {content: "- debug: msg=included\\n", dest: ~/d/inc.yml}}
- {copy: {src: ~/d/t, dest: ~/got/copied}}
- {template: {src: ~/d/t, dest: ~/got/made}}
- script: ~/d/s.sh
- include_vars: ~/d/v.yml
- include_tasks: ~root/d/inc.yml
- {assemble: {src: ~/d, dest: ~/got/all, regexp: "t$"}}
- {fetch: {src: ~/d/t, dest: ~/got/}}
- {fetch: {src: ~root/d/t, dest: ~/got/flat/, flat: true}}
- debug: msg="{{ x }} {{ lookup('file', '~/d/t') }} {{ lookup('template', '~root/d/t') }} {{ lookup('fileglob', '~/d/v*') }} {{ lookup('first_found', ['~/d/no', '~/d/t']) }}"
- template: {src: ~nobody_of_that_name/t, dest: ~/got/never}
  ignore_errors: true
""")},
    "roles in folders keep the name they are written with": {"site.yml": PLAY + """  roles: [sub/x, more/y, ./more/y, sub/x]
  tasks:
  - include_role: {name: more/y}
  - {name: last, command: echo, notify: ['sub/x : h', 'more/y : h']}
""", "roles/sub/x/tasks/main.yml": "- name: t\n  debug: msg=\"{{ role_name }} {{ ansible_role_name }} {{ role_path | basename }}\"\n",
        "roles/sub/x/handlers/main.yml": "- {name: h, debug: msg=ofx}\n",
        "more/y/tasks/main.yml": "- name: t\n  debug: msg=\"{{ role_name }} {{ ansible_role_name }} {{ role_path | basename }}\"\n",
        "more/y/handlers/main.yml": "- {name: h, debug: msg=ofy}\n"},
}
