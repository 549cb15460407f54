"""Small playbooks that cover the language, each with the files it needs. `{out}` is the tree that is compared."""

PLAY = "- hosts: localhost\n  gather_facts: false\n"


def tasks(text):
    return PLAY + "  tasks:\n" + "".join("    " + line + "\n" for line in text.strip("\n").split("\n"))


ROWS = {
    "debug": {"site.yml": tasks("- debug: msg=hello\n- name: n {{ 1 + 1 }}\n  debug: {msg: '{{ [1, 2] }}'}")},
    "vars precedence": {
        "site.yml": PLAY + """  vars: {a: play, b: play}
  vars_files: [v.yml]
  tasks:
    - debug: msg="{{ a }} {{ b }} {{ c }}"
      vars: {c: task}
    - set_fact: {c: fact}
    - block:
        - debug: msg="{{ a }} {{ b }} {{ c }} {{ d }}"
          vars: {a: task}
      vars: {c: block, d: block}
""",
        "v.yml": "b: file\nc: file\n",
    },
    "set_fact types": {"site.yml": tasks("""
- set_fact: {i: 1, t: "{{ 1 + 1 }}", l: "{{ [1] }}", n: null, b: yes}
- debug: msg="{{ i|type_debug }} {{ t|type_debug }} {{ l|type_debug }} {{ n is none }} {{ b }}"
- set_fact: x=yes y="a b"
- debug: msg="{{ x|type_debug }} {{ y }}"
- set_fact: {"k_{{ i }}": v}
- debug: msg="{{ k_1 }}"
""")},
    "when": {"site.yml": tasks("""
- debug: msg=a
  when: [true, 1 == 1]
- debug: msg=b
  when: no
- debug: msg=c
  when: nope is defined and nope.x
- block:
    - debug: msg=d
    - debug: msg=e
      when: false
  when: 1 < 2
- block:
    - debug: msg=f
  when: "'a' in 'b'"
""")},
    "when undefined": {"site.yml": tasks("- debug: msg=a\n  when: nope\n- debug: msg=b")},
    "undefined argument": {"site.yml": tasks("- debug: msg={{ nope }}\n  ignore_errors: true\n- debug: msg=b")},
    "loop": {"site.yml": tasks("""
- debug: msg={{ item }}
  loop: [1, 2]
- debug: msg={{ item }}
  loop: []
- debug: msg={{ item }}
  loop: [1, 2, 3]
  when: item != 2
- debug: msg="{{ x.k }} {{ i }} {{ ansible_loop.last }}"
  loop: [{k: a}, {k: b}]
  loop_control: {loop_var: x, index_var: i, extended: true, label: "{{ x.k }}"}
- debug: msg={{ item }}
  loop: "{{ nope }}"
  when: false
""")},
    "loop is no list": {"site.yml": tasks("- debug: msg={{ item }}\n  loop: text\n- debug: msg=b")},
    "with lookups": {"site.yml": tasks("""
- debug: msg={{ item }}
  with_items: [a, [b, c], [[d]]]
- debug: msg="{{ item.key }}{{ item.value }}"
  with_dict: {x: 1, y: 2}
- debug: msg="{{ item.0 }}{{ item.1 }}"
  with_nested: [[a, b], [1, 2]]
- debug: msg="{{ item.0 }}{{ item.1 }}"
  with_together: [[a, b], [1, 2, 3]]
- debug: msg={{ item }}
  with_sequence: start=1 end=5 stride=2 format=x%02d
- debug: msg="{{ item.0 }}{{ item.1 }}"
  with_indexed_items: [a, b]
- debug: msg="{{ item.0.n }}{{ item.1 }}"
  with_subelements: [[{n: a, k: [1, 2]}, {n: b, k: [3]}], k]
- debug: msg={{ item | basename }}
  with_fileglob: files/*.txt
- debug: msg={{ item | basename }}
  with_first_found: [nope.txt, one.txt]
- debug: msg={{ item }}
  with_list: [[1, 2], 3]
"""), "files/one.txt": "1\n", "files/two.txt": "2\n"},
    "register": {"site.yml": tasks("""
- command: echo hi
  register: r
- debug: msg="{{ r.stdout }} {{ r.rc }} {{ r is changed }} {{ r is failed }} {{ r.stdout_lines }}"
- debug: msg=x
  when: false
  register: s
- debug: msg="{{ s is skipped }} {{ s.changed }} {{ s.skip_reason }}"
- command: echo {{ item }}
  loop: [a, b]
  register: l
- debug: msg="{{ l.results | map(attribute='stdout') | join(',') }} {{ l.results[0].item }} {{ l.msg }}"
""")},
    "changed_when failed_when": {"site.yml": tasks("""
- command: echo a
  changed_when: false
- command: "false"
  failed_when: false
- command: "false"
  register: r
  failed_when: r.rc not in [0, 1]
  changed_when: [r.rc == 1, true]
- command: echo a
  register: r
  failed_when: "'a' in r.stdout"
  ignore_errors: true
- debug: msg="{{ r is failed }} {{ r.failed_when_result }}"
""")},
    "until": {"site.yml": tasks("""
- command: echo x
  register: r
  until: r.stdout == 'y'
  retries: 2
  delay: 0
  ignore_errors: true
- debug: msg="{{ r.attempts }} {{ r is failed }}"
- command: echo x
  register: r
  until: r.stdout == 'x'
  retries: 2
  delay: 0
- debug: msg={{ r.attempts }}
""")},
    "failure ends the host": {"site.yml": tasks("- fail: msg=no\n- debug: msg=never")},
    "ignore_errors": {"site.yml": tasks("""
- fail: msg=no
  ignore_errors: yes
- fail: msg={{ item }}
  loop: [1, 2]
  ignore_errors: "{{ item == 1 }}"
  when: item == 1
- debug: msg=b
""")},
    "rescue": {"site.yml": tasks("""
- block:
    - debug: msg=a
    - fail: msg=boom
    - debug: msg=never
  rescue:
    - debug: msg="{{ ansible_failed_task.name }} {{ ansible_failed_result.msg }}"
  always:
    - debug: msg=always
- debug: msg=after
""")},
    "rescue fails": {"site.yml": tasks("""
- block:
    - fail: msg=a
  rescue:
    - fail: msg=b
  always:
    - debug: msg=always
- debug: msg=never
""")},
    "nested blocks": {"site.yml": tasks("""
- block:
    - block:
        - fail: msg=inner
      always:
        - debug: msg=inner always
  rescue:
    - debug: msg=outer rescue
- block:
    - debug: msg=fine
  rescue:
    - debug: msg=never
  always:
    - debug: msg=always
""")},
    "handlers": {"site.yml": PLAY + """  tasks:
    - command: echo 1
      notify: [one, two]
    - command: echo 2
      notify: topic
    - debug: msg=no change
      notify: three
    - meta: flush_handlers
    - command: echo 3
      notify: one
  post_tasks:
    - debug: msg=post
  handlers:
    - name: one
      debug: msg=h1
    - name: two
      command: echo two
      notify: chained
    - name: three
      debug: msg=h3
    - name: listener
      debug: msg=listens
      listen: topic
    - name: chained
      debug: msg=chained
"""},
    "handlers are not run after failure": {"site.yml": PLAY + """  tasks:
    - command: echo 1
      notify: h
    - fail: msg=x
  handlers:
    - name: h
      debug: msg=h
"""},
    "force_handlers": {"site.yml": PLAY + """  force_handlers: true
  tasks:
    - command: echo 1
      notify: h
    - fail: msg=x
  handlers:
    - name: h
      debug: msg=h
"""},
    "missing handler": {"site.yml": tasks("- command: echo 1\n  notify: nobody")},
    "roles": {
        "site.yml": PLAY + """  vars: {pv: play}
  pre_tasks:
    - debug: msg=pre
  roles:
    - r1
    - {role: r2, p: given, tags: [x]}
    - role: r2
      vars: {p: other}
      when: pv == 'play'
    - r1
  tasks:
    - debug: msg="{{ d1 }} {{ v1 }} {{ d2 }}"
""",
        "roles/r1/defaults/main.yml": "d1: default\nv1: default\n",
        "roles/r1/vars/main.yml": "v1: var\n",
        "roles/r1/tasks/main.yml": "- name: t1\n  debug: msg=\"{{ d1 }} {{ v1 }} {{ role_name }}\"\n"
                                   "  changed_when: true\n  notify: h1\n",
        "roles/r1/handlers/main.yml": "- name: h1\n  debug: msg=\"h1 {{ v1 }}\"\n",
        "roles/r2/defaults/main.yml": "d2: default2\np: none\n",
        "roles/r2/meta/main.yml": "dependencies:\n  - role: r3\n    q: from r2\n",
        "roles/r2/tasks/main.yml": "- debug: msg={{ p }}\n- import_tasks: more.yml\n",
        "roles/r2/tasks/more.yml": "- debug: msg=\"more {{ p }}\"\n",
        "roles/r3/tasks/main.yml": "- debug: msg=\"r3 {{ q }}\"\n",
    },
    "include_tasks": {
        "site.yml": tasks("""
- include_tasks: inc.yml
  vars: {p: 1}
- include_tasks: "{{ f }}.yml"
  loop: [2, 3]
  loop_control: {loop_var: p}
  vars: {f: inc}
- include_tasks: inc.yml
  when: false
- include_tasks: {file: inc.yml, apply: {vars: {p: applied}, tags: [z]}}
"""),
        "inc.yml": "- debug: msg=p{{ p }}\n- set_fact: {seen: \"{{ p }}\"}\n",
    },
    "include_tasks missing": {"site.yml": tasks("- debug: msg=a\n- include_tasks: nope.yml\n- debug: msg=b")},
    "import_tasks": {
        "site.yml": tasks("- import_tasks: imp.yml\n  vars: {p: 1}\n- import_tasks: imp.yml\n  when: false\n  vars: {p: 2}"),
        "imp.yml": "- debug: msg=p{{ p }}\n- name: second\n  debug: msg=s\n",
    },
    "include_role": {
        "site.yml": tasks("""
- include_role: {name: r}
  vars: {a: 1}
- include_role: {name: r, tasks_from: other}
- import_role: {name: r, tasks_from: other.yml}
- include_role: {name: r}
  loop: [x, y]
  loop_control: {loop_var: a}
- debug: msg={{ dv | default('not public') }}
- include_role: {name: r, public: true}
  vars: {a: 9}
- debug: msg={{ dv }}
"""),
        "roles/r/defaults/main.yml": "dv: default\n",
        "roles/r/tasks/main.yml": "- debug: msg=\"a{{ a }} {{ dv }}\"\n",
        "roles/r/tasks/other.yml": "- debug: msg=other\n",
    },
    "argument_specs": {
        "site.yml": PLAY + "  roles:\n    - {role: r, n: 5}\n    - {role: r, n: x}\n",
        "roles/r/meta/argument_specs.yml": "argument_specs:\n  main:\n    short_description: it\n    options:\n"
                                           "      n: {type: int, required: true}\n",
        "roles/r/tasks/main.yml": "- debug: msg=n{{ n }}\n",
    },
    "include_vars": {
        "site.yml": tasks("""
- include_vars: one.yml
- debug: msg={{ a }}
- include_vars: {file: one.yml, name: ns}
- debug: msg={{ ns.a }}
- include_vars: {dir: vars/d}
- debug: msg="{{ x }} {{ y }}"
- include_vars: nope.yml
  ignore_errors: true
"""),
        "vars/one.yml": "a: 1\n",
        "vars/d/1.yml": "x: 1\ny: 1\n",
        "vars/d/2.yml": "y: 2\n",
    },
    "import_playbook": {
        "site.yml": "- import_playbook: sub/other.yml\n  vars: {iv: imported}\n" + PLAY + "  tasks:\n    - debug: msg=main\n",
        "sub/other.yml": PLAY + "  tasks:\n    - debug: msg={{ iv }}\n    - debug: msg={{ playbook_dir | basename }}\n",
    },
    "tags": {
        "site.yml": tasks("""
- debug: msg=a
  tags: a
- debug: msg=b
  tags: [b, c]
- debug: msg=none
- debug: msg=always
  tags: always
- debug: msg=never
  tags: [never, d]
- block:
    - debug: msg=in block
      tags: e
  tags: a
"""),
        "args": ["--tags", "a,d"],
    },
    "skip tags": {
        "site.yml": tasks("- debug: msg=a\n  tags: a\n- debug: msg=b\n  tags: [b, c]\n- debug: msg=c\n- debug: msg=d\n"
                          "  tags: [always]\n"),
        "args": ["--skip-tags", "c,always"],
    },
    "tagged": {
        "site.yml": tasks("- debug: msg=a\n  tags: a\n- debug: msg=b\n- debug: msg=n\n  tags: [never]\n"),
        "args": ["--tags", "tagged"],
    },
    "extra vars": {
        "site.yml": PLAY + "  vars: {a: play, j: play}\n  tasks:\n    - debug: msg=\"{{ a }} {{ j }} {{ k | type_debug }}\"\n"
                           "    - set_fact: {a: fact}\n    - debug: msg={{ a }}\n",
        "args": ["-e", "a=extra k=1", "-e", '{"j": [1]}', "-e", "@x.yml"],
        "x.yml": "k: 2\n",
    },
    "start at task": {
        "site.yml": tasks("- name: one\n  debug: msg=1\n- name: two\n  debug: msg=2\n- name: three\n  debug: msg=3\n"),
        "args": ["--start-at-task", "two"],
    },
    "several plays": {"site.yml": PLAY + "  name: p1\n  tasks:\n    - set_fact: {kept: 1}\n    - debug: msg=a\n      register: r\n"
                      + PLAY + "  vars: {w: 2}\n  tasks:\n    - debug: msg=\"{{ kept }} {{ r.msg }} {{ w }}\"\n"},
    "second play after failure": {"site.yml": PLAY + "  tasks:\n    - fail: msg=x\n" + PLAY + "  tasks:\n    - debug: msg=never\n"},
    "meta": {"site.yml": tasks("- debug: msg=a\n- meta: noop\n- meta: end_host\n  when: false\n- debug: msg=b\n- meta: end_play\n"
                               "- debug: msg=never\n")},
    "environment": {"site.yml": PLAY + """  environment: {A: play, B: play}
  tasks:
    - command: printenv A B C
      environment: {B: task, C: "{{ 1 + 1 }}"}
      register: r
    - debug: msg={{ r.stdout_lines }}
"""},
    "module_defaults": {"site.yml": PLAY + """  module_defaults:
    debug: {msg: from play}
  tasks:
    - debug:
    - debug: msg=own
    - block:
        - debug:
      module_defaults: {ansible.builtin.debug: {msg: from block}}
"""},
    "files": {"site.yml": tasks("""
- file: {path: "{out}/d", state: directory, mode: "0750"}
- copy: {content: "a\\n", dest: "{out}/d/a", mode: "0640"}
- copy: {src: f.txt, dest: "{out}/d/"}
- template: {src: t.j2, dest: "{out}/t", mode: u=rw,g=r,o=}
  vars: {x: [1, 2]}
- lineinfile: {path: "{out}/t", line: added}
- file: {path: "{out}/l", src: t, state: link}
- copy: {content: "a\\n", dest: "{out}/d/a", mode: "0640"}
- file: {path: "{out}/d/f.txt", state: absent}
"""), "files/f.txt": "file\n", "templates/t.j2": "{% for i in x %}\n{{ i }}\n{% endfor %}\nend\n"},
    "check mode": {"site.yml": tasks("""
- copy: {content: "a\\n", dest: "{out}/a", mode: "0600"}
- command: touch {out}/b
- command: touch {out}/c
  check_mode: false
- debug: msg={{ ansible_check_mode }}
"""), "args": ["--check"]},
    "args forms": {"site.yml": tasks("""
- action: debug msg="a b"
- action: {module: debug, msg: x}
- local_action: debug msg=local
- debug:
  args: {msg: from args}
- debug: "{{ all }}"
  vars: {all: {msg: splat}}
- command: echo {{ x }} 'q q'
  vars: {x: "1 2"}
  register: r
- debug: msg={{ r.cmd }}
- command: {argv: [echo, "a b"]}
"""),},
    "omit": {"site.yml": tasks("- debug: {msg: '{{ nope | default(omit) }}'}\n- debug: {msg: '{{ item.m | default(omit) }}'}\n"
                               "  loop: [{m: x}, {}]\n")},
    "no_log": {"site.yml": tasks("- debug: msg=secret\n  no_log: true\n  register: r\n- debug: msg={{ r.msg }}\n")},
    "assert": {"site.yml": tasks("""
- assert: {that: [1 == 1, "'a' in 'abc'"], success_msg: good}
- assert: {that: 1 == 2, fail_msg: bad}
  ignore_errors: true
- assert: {that: nope is defined}
  register: r
  ignore_errors: true
- debug: msg="{{ r.assertion }} {{ r.evaluated_to }} {{ r.msg }}"
""")},
    "several hosts": {
        "site.yml": "- hosts: web\n  gather_facts: false\n  tasks:\n"
                    "    - debug: msg=\"{{ inventory_hostname }} {{ v }} {{ groups['web'] }} {{ group_names }}\"\n"
                    "    - debug: msg=once\n      run_once: true\n"
                    "    - fail: msg=x\n      when: inventory_hostname == 'w1'\n"
                    "    - debug: msg=\"{{ hostvars['w1'].v }} {{ ansible_play_hosts }}\"\n",
        "inv.ini": "[web]\nw1 v=one\nw[2:3]\n[web:vars]\nv=group\nansible_connection=local\n[db]\nw3\n",
        "args": ["-i", "inv.ini"],
    },
    "group_vars": {
        "site.yml": "- hosts: all\n  gather_facts: false\n  tasks:\n    - debug: msg=\"{{ a }} {{ b }} {{ c }} {{ d }}\"\n",
        "inv/hosts.yml": "all:\n  vars: {a: inv_all, ansible_connection: local}\n  children:\n    g:\n      hosts: {h1: {b: host}}\n",
        "inv/group_vars/all.yml": "a: file_all\nb: file_all\nc: file_all\nd: file_all\n",
        "inv/group_vars/g/x.yml": "c: file_g\n",
        "group_vars/g.yml": "d: play_g\n",
        "inv/host_vars/h1.yml": "b: file_host\n",
        "args": ["-i", "inv/hosts.yml"],
    },
    "serial": {
        "site.yml": "- hosts: all\n  gather_facts: false\n  serial: [1, 2]\n  tasks:\n    - debug: msg=\"{{ ansible_play_batch }}\"\n"
                    "    - debug: msg=b\n",
        "args": ["-i", "a,b,c,"],
    },
    "any_errors_fatal": {
        "site.yml": "- hosts: all\n  gather_facts: false\n  any_errors_fatal: true\n  tasks:\n    - fail: msg=x\n"
                    "      when: inventory_hostname == 'b'\n    - debug: msg=never\n",
        "args": ["-i", "a,b,c,"],
    },
    "limit and patterns": {
        "site.yml": "- hosts: x:!c\n  gather_facts: false\n  tasks:\n    - debug: msg=\"{{ inventory_hostname }}\"\n",
        "inv.ini": "[x]\na\nb\nc\nd\n",
        "args": ["-i", "inv.ini", "--limit", "a:d"],
    },
    "add_host and group_by": {"site.yml": PLAY + """  tasks:
    - add_host: {name: new, groups: [g], v: 5, ansible_connection: local}
    - group_by: {key: "k_{{ inventory_hostname }}"}
    - debug: msg="{{ groups['g'] }} {{ groups['k_localhost'] }}"
- hosts: g
  gather_facts: false
  tasks:
    - debug: msg="{{ inventory_hostname }} {{ v }}"
"""},
    "delegate_to": {
        "site.yml": "- hosts: a\n  gather_facts: false\n  tasks:\n    - set_fact: {f: 1}\n      delegate_to: b\n      delegate_facts: true\n"
                    "    - debug: msg=\"{{ hostvars['b'].f | default('none') }} {{ f | default('none') }}\"\n",
        "args": ["-i", "a,b,"],
    },
    "unknown keyword": {"site.yml": tasks("- debug: msg=a\n  whenn: true\n")},
    "unknown module": {"site.yml": tasks("- debug: msg=a\n- nosuchmodule: {a: 1}\n")},
    "bad yaml": {"site.yml": "- hosts: localhost\n  tasks:\n   - debug: msg=a\n  - b: c\n"},
}
