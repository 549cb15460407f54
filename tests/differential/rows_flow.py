"""Conditions, loops, blocks, retries, registered results, modes, tags and asynchronous tasks."""
from playbook_rows import PLAY, tasks

ROWS = {
    "when: lists, blocks, roles and undefined parts": {"site.yml": PLAY + """  vars: {t: true, f: false, s: "text", e: ""}
  tasks:
    - {debug: msg=1, when: [t, not f]}
    - {debug: msg=2, when: [f, nope]}
    - {debug: msg=3, when: s}
    - {debug: msg=4, when: e}
    - {debug: msg=5, when: s == 'text' and (t or f)}
    - {debug: msg=6, when: "'x' in nope | default('x')"}
    - {debug: msg=7, when: []}
    - {debug: msg=8, when: "s is match('te')"}
    - {debug: msg=9, when: 1}
    - block:
        - {debug: msg=10, when: t}
        - {debug: msg=11, when: f}
      when: [t, "s != 'x'"]
"""},
    "when decides per item": {"site.yml": tasks("""
- debug: msg={{ item.n }}
  loop: [{n: 1, ok: true}, {n: 2, ok: false}, {n: 3}]
  when: item.ok | default(true)
  register: r
- debug: msg="{{ r.results | map(attribute='skipped', default=false) | list }} {{ r.changed }} {{ r.skipped | default('none') }}"
- debug: msg=x
  loop: [1, 2]
  when: false
  register: s
- debug: msg="{{ s is skipped }} {{ s.results | length }} {{ s.skipped }}"
""")},
    "loop: nested lists, dicts, ranges and filters": {"site.yml": tasks("""
- debug: msg={{ item }}
  loop: "{{ [[1, 2], [3]] | flatten }}"
- debug: msg={{ item }}
  loop: "{{ range(0, 6, 2) | list }}"
- debug: msg="{{ item.key }}={{ item.value }}"
  loop: "{{ {'a': 1, 'b': 2} | dict2items }}"
- debug: msg="{{ item.0.n }}{{ item.1 }}"
  loop: "{{ [{'n': 'x', 'l': [1, 2]}] | subelements('l') }}"
- debug: msg="{{ item }}"
  loop: "{{ ['a', 'b'] | product([1, 2]) | list }}"
- debug: msg="{{ item }}"
  loop: "{{ query('sequence', 'start=1 end=3') }}"
- debug: msg={{ item }}
  loop: [[1], [2]]
""")},
    "loop_control: extended, index_var, label": {"site.yml": tasks("""
- debug: msg="{{ ansible_loop.index }}/{{ ansible_loop.length }} {{ ansible_loop.index0 }} {{ ansible_loop.revindex }} {{ ansible_loop.revindex0 }} {{ ansible_loop.first }} {{ ansible_loop.last }} {{ ansible_loop.previtem | default('-') }} {{ ansible_loop.nextitem | default('-') }} {{ ansible_loop.allitems }} {{ i }} {{ ansible_loop_var }} {{ ansible_index_var }}"
  loop: [a, b, c]
  loop_control: {extended: true, index_var: i, label: "l{{ item }}"}
  register: r
- debug: msg="{{ r.results | map(attribute='msg') | list }}"
- debug: msg="{{ 'allitems' in ansible_loop }}"
  loop: [a]
  loop_control: {extended: true, extended_allitems: false}
  register: q
- debug: msg="{{ q.results[0].msg }} {{ q.results[0].ansible_loop.length }} {{ q.results[0]._ansible_item_label | default('none') }}"
""")},
    "loop: the same loop variable inside an include": {
        "site.yml": tasks("""
- include_tasks: in.yml
  loop: [a, b]
- debug: msg="{{ item | default('gone') }}"
- debug: msg="{{ item }}"
  vars: {item: from vars}
"""), "in.yml": "- debug: msg={{ item }}\n- command: echo {{ item }}\n  loop: [1]\n  register: r\n- debug: msg=\"{{ item }} {{ r.results[0].stdout }}\"\n"},
    "loop over a registered loop": {"site.yml": tasks("""
- command: echo {{ item }}
  loop: [a, b]
  register: first
- debug: msg="{{ item.item }} {{ item.stdout }} {{ item.rc }}"
  loop: "{{ first.results }}"
- shell: exit {{ item }}
  loop: [0, 1, 2]
  register: codes
  ignore_errors: true
- debug: msg="{{ codes.results | map(attribute='rc') | list }} {{ codes is failed }} {{ codes.results | selectattr('failed') | map(attribute='item') | list }} {{ codes.msg }}"
- shell: exit {{ item }}
  loop: [0, 3]
  register: codes
  failed_when: codes.rc > 3
- debug: msg="{{ codes is failed }} {{ codes.results[1].failed_when_result }}"
""")},
    "loop: a failing item fails the task after all items": {"site.yml": tasks("""
- fail: msg={{ item }}
  loop: [1, 2]
- debug: msg=never
""")},
    "with_: items, list, indexed_items": {"site.yml": tasks("""
- debug: msg={{ item }}
  with_items: ["{{ l }}", z, [[deep]]]
  vars: {l: [x, y]}
- debug: msg={{ item }}
  with_items: scalar
- debug: msg={{ item }}
  with_items: "{{ {'k': 1} }}"
- debug: msg="{{ item.0 }}:{{ item.1 }}"
  with_indexed_items: [a, [b, c]]
- debug: msg={{ item }}
  with_list: [[a, b], c]
""")},
    "with_: dict, nested, together, subelements, sequence": {"site.yml": tasks("""
- debug: msg="{{ item.key }} {{ item.value.n }}"
  with_dict: {a: {n: 1}, b: {n: 2}}
- debug: msg="{{ item.key }}"
  with_dict: [{a: 1}, {b: 2}]
- debug: msg="{{ item }}"
  with_nested: [[a, b], "{{ l }}", [x]]
  vars: {l: [1, 2]}
- debug: msg="{{ item.0 }} {{ item.1 | default('none', true) }}"
  with_together: [[a, b, c], [1, 2]]
- debug: msg="{{ item.0.name }} {{ item.1 }}"
  with_subelements:
    - [{name: x, a: {k: [1, 2]}}, {name: y, a: {}}, {name: z, a: {k: [3]}}]
    - a.k
    - {skip_missing: true}
- debug: msg={{ item }}
  with_sequence: count=3
- debug: msg={{ item }}
  with_sequence: start=10 end=0 stride=-5
- debug: msg={{ item }}
  with_sequence: "1-3:host%02d"
- debug: msg={{ item }}
  with_sequence: count=0
""")},
    "with_: files, globs, lines, first_found": {
        "site.yml": tasks("""
- debug: msg={{ item }}
  with_file: [a.txt, sub/b.txt]
- debug: msg={{ item | basename }}
  with_fileglob: ["*.txt", "sub/*", "none/*"]
- debug: msg={{ item }}
  with_lines: printf 'x\\ny\\n'
- debug: msg={{ item | basename }}
  with_first_found:
    - files: ["{{ os }}.yml", default.yml]
      paths: [vars]
  vars: {os: debian}
- debug: msg={{ item }}
  with_first_found:
    - {files: [nope.yml], skip: true}
- debug: msg={{ item }}
  with_random_choice: [same, same]
- debug: msg={{ item }}
  with_env: [HOME, NOT_SET_HERE]
- debug: msg={{ item }}
  with_vars: [ansible_check_mode]
"""), "files/a.txt": "A\n", "files/sub/b.txt": "B\n", "vars/default.yml": "x: 1\n"},
    "with_first_found looks beside what the task reads": {
        "site.yml": "- hosts: h1\n  gather_facts: false\n  vars: {family: Debian}\n  roles: [r]\n", "inv": "h1 ansible_connection=local\n", "args": ["-i", "inv"],
        "roles/r/tasks/main.yml": "- include_vars: '{{ item }}'\n  with_first_found:\n    - files: ['{{ family }}-12.yml', '{{ family }}.yml']\n"
        "- template: {src: '{{ item }}', dest: /srv/out/t}\n  with_first_found: [no.j2, t.j2]\n- copy: {src: '{{ item }}', dest: /srv/out/f}\n  with_first_found: [t.j2]\n"
        "- debug: msg={{ item }}\n  with_first_found: [Debian.yml]\n  ignore_errors: true\n- include_tasks: more.yml\n",
        "roles/r/tasks/more.yml": "- ansible.builtin.include_vars: '{{ item }}'\n  with_first_found: [b.yml]\n- debug: msg=\"{{ a }} {{ b }}\"\n",
        "roles/r/vars/Debian.yml": "a: 1\n", "roles/r/vars/b.yml": "b: 2\n", "roles/r/templates/t.j2": "{{ a }}\n", "roles/r/files/t.j2": "file\n"},
    "with_first_found finds nothing": {"site.yml": tasks("- debug: msg={{ item }}\n  with_first_found: [nope]\n- debug: msg=never")},
    "until: registers in loops and attempts": {"site.yml": tasks("""
- shell: "echo x >> {out}/n; wc -l < {out}/n"
  register: r
  until: r.stdout | int >= 3
  retries: 5
  delay: 0
- debug: msg="{{ r.attempts }} {{ r.stdout }}"
- shell: "echo x >> {out}/{{ item }}; wc -l < {out}/{{ item }}"
  loop: [a, b]
  register: l
  until: l.stdout | int >= 2
  retries: 3
  delay: 0
- debug: msg="{{ l.results | map(attribute='attempts') | list }}"
- command: "false"
  retries: 2
  delay: 0
  register: f
  ignore_errors: true
- debug: msg="{{ f.attempts }} {{ f is failed }} {{ f.msg }}"
- command: "false"
  register: g
  until: [g.rc == 1, true]
  failed_when: false
  delay: 0
- debug: msg="{{ g.attempts }} {{ g is failed }}"
""")},
    "until: failed_when and changed_when at each attempt": {"site.yml": tasks("""
- shell: "echo x >> {out}/n; wc -l < {out}/n"
  register: r
  until: r is not failed
  failed_when: r.stdout | int < 2
  changed_when: r.stdout | int > 5
  retries: 4
  delay: 0
- debug: msg="{{ r.attempts }} {{ r.changed }} {{ r.failed }}"
- command: echo
  retries: "{{ n }}"
  delay: "{{ 0 }}"
  until: false
  vars: {n: 2}
  ignore_errors: true
- debug: msg=skipped
  until: nope.x
  when: false
""")},
    "register: skipped, failed, ignored and undefined": {"site.yml": tasks("""
- command: echo x
  when: false
  register: s
- debug: msg="{{ s }}"
- command: "false"
  register: f
  ignore_errors: true
- debug: msg="{{ f.rc }} {{ f is failed }} {{ f is succeeded }} {{ f is changed }} {{ f.failed }} {{ f.cmd }} {{ f.stdout_lines }}"
- fail: msg=m
  register: m
  ignore_errors: true
- debug: msg="{{ m }}"
- debug: msg=hi
  register: d
- debug: msg="{{ d }}"
- set_fact: {a: 1}
  register: sf
- debug: msg="{{ sf }}"
- debug: var=nothing_here
- debug: var=d.msg
- debug: var=d['msg']
""")},
    "changed_when and failed_when: lists, texts, conditions on skipped": {"site.yml": tasks("""
- {command: echo a, changed_when: [true, false]}
- {command: echo a, changed_when: "'b' in 'abc'"}
- {command: echo a, changed_when: []}
- {command: "false", failed_when: []}
- command: echo out
  register: r
  failed_when: [r.rc == 0, "'nope' in r.stdout"]
- command: echo out
  register: r
  failed_when: [r.rc == 0, "'out' in r.stdout"]
  ignore_errors: true
- debug: msg="{{ r.failed_when_result }} {{ r.failed }}"
- {command: echo a, failed_when: nope.x, when: false}
- {command: echo a, changed_when: nope.x, ignore_errors: true}
- {command: echo a, changed_when: "{{ flag }}", vars: {flag: false}}
- {debug: msg=a, changed_when: true}
- {debug: msg=a, failed_when: true, ignore_errors: true}
""")},
    "ignore_errors: templated, in blocks and with rescue": {"site.yml": tasks("""
- {fail: msg=a, ignore_errors: "{{ yes_ }}", vars: {yes_: true}}
- block:
    - fail: msg=b
    - debug: msg=goes on
  ignore_errors: true
  rescue:
    - debug: msg=no rescue
- block:
    - {fail: msg=c, ignore_errors: true}
    - debug: msg=on
  rescue:
    - debug: msg=never
- {debug: "msg={{ undefined_name }}", ignore_errors: true}
- {command: /no/such/program, ignore_errors: true}
- fail: msg=d
  ignore_errors: "{{ ansible_check_mode }}"
""")},
    "ignore_errors in check mode": {"site.yml": tasks("- fail: msg=d\n  ignore_errors: \"{{ ansible_check_mode }}\"\n- debug: msg=b"), "args": ["--check"]},
    "ignore_unreachable": {"site.yml": tasks("- {debug: msg=a, ignore_unreachable: true}\n- {command: echo, ignore_unreachable: false}")},
    "rescue: failed task and result": {"site.yml": tasks("""
- block:
    - name: it breaks
      shell: echo out; echo err >&2; exit 3
  rescue:
    - debug: msg="{{ ansible_failed_task.name }} {{ ansible_failed_task.action }} {{ ansible_failed_result.rc }} {{ ansible_failed_result.stdout }} {{ ansible_failed_result.stderr }}"
    - block:
        - fail: msg=inner {{ ansible_failed_result.rc }}
      rescue:
        - debug: msg="{{ ansible_failed_result.msg }}"
    - debug: msg="{{ ansible_failed_result.msg | default('gone') }}"
- debug: msg="{{ ansible_failed_result.msg | default('gone') }}"
- block:
    - fail: msg={{ item }}
      loop: [1, 2]
  rescue:
    - debug: msg="{{ ansible_failed_result.results | map(attribute='msg') | map('string') | list }} {{ ansible_failed_result.msg }}"
""")},
    "rescue: failing always, nested always": {"site.yml": tasks("""
- block:
    - block:
        - fail: msg=1
      rescue:
        - fail: msg=2
      always:
        - debug: msg=inner always
    - debug: msg=never
  rescue:
    - debug: msg=outer rescue
  always:
    - debug: msg=outer always
- block:
    - debug: msg=a
  always:
    - fail: msg=in always
    - debug: msg=never
- debug: msg=never
""")},
    "rescue: three levels": {"site.yml": tasks("""
- block:
    - block:
        - block:
            - fail: msg=deep
          always:
            - debug: msg=a3
      rescue:
        - debug: msg=r2
        - fail: msg=again
      always:
        - debug: msg=a2
  rescue:
    - debug: msg="r1 {{ ansible_failed_result.msg }}"
  always:
    - debug: msg=a1
- block:
    - debug: msg=ok
    - block:
        - {debug: msg=x, when: false}
      always:
        - debug: msg=a
  rescue:
    - debug: msg=never
""")},
    "rescue: of includes, handlers and undefined variables": {
        "site.yml": tasks("""
- block:
    - include_tasks: bad.yml
    - debug: msg=never
  rescue:
    - debug: msg="{{ ansible_failed_task.name }}"
  always:
    - include_tasks: good.yml
- block:
    - debug: msg="{{ not_there.at_all }}"
  rescue:
    - debug: msg=undefined rescued
- block:
    - include_tasks: missing.yml
  rescue:
    - debug: msg=missing rescued
- block:
    - nope: {{ x }}
  when: false
""".replace("    - nope: {{ x }}\n", "    - debug: msg=skipped\n")), "bad.yml": "- {name: b1, fail: msg=b1}\n", "good.yml": "- {name: g1, debug: msg=g1}\n"},
    "rescue: failures count as rescued for the exit status": {"site.yml": tasks("""
- block:
    - {command: "false", register: r}
  rescue:
    - debug: msg="{{ r.rc }}"
    - set_fact: {recovered: true}
- debug: msg="{{ recovered }} {{ r is failed }}"
""")},
    "block: keywords reach its tasks": {"site.yml": tasks("""
- block:
    - command: printenv B
      register: r
    - debug: msg="{{ r.stdout }} {{ bv }}"
    - {debug: "msg={{ bv }}", vars: {bv: own}}
    - command: echo check
    - fail: msg=ignored
  vars: {bv: block}
  environment: {B: "from {{ bv }}"}
  ignore_errors: true
  tags: [t]
  when: true
- block: []
- name: named block
  block:
    - debug: msg=in
  rescue: []
  always: []
""")},
    "tags: always, never and their combinations": {"site.yml": PLAY + """  tags: [play]
  tasks:
    - {name: plain, debug: msg=1}
    - {name: always, debug: msg=2, tags: always}
    - {name: never, debug: msg=3, tags: never}
    - {name: never and x, debug: msg=4, tags: [never, x]}
    - {name: always and never, debug: msg=5, tags: [always, never]}
    - block:
        - {name: in block, debug: msg=6}
        - {name: in block never, debug: msg=7, tags: never}
      tags: [x, y]
""", "args": ["--tags", "x"]},
    "tags: untagged": {"site.yml": tasks("- {debug: msg=1}\n- {debug: msg=2, tags: a}\n- {debug: msg=3, tags: always}\n- {debug: msg=4, tags: [never]}"),
                       "args": ["--tags", "untagged"]},
    "tags: all with never": {"site.yml": tasks("- {debug: msg=1}\n- {debug: msg=2, tags: never}\n- {debug: msg=3, tags: [never, a]}"), "args": ["--tags", "all,a"]},
    "tags: skip tagged": {"site.yml": tasks("- {debug: msg=1}\n- {debug: msg=2, tags: a}\n- {debug: msg=3, tags: always}"), "args": ["--skip-tags", "tagged"]},
    "tags: skip untagged": {"site.yml": tasks("- {debug: msg=1}\n- {debug: msg=2, tags: a}\n- {debug: msg=3, tags: always}"), "args": ["--skip-tags", "untagged"]},
    "tags: tags and skip-tags together": {"site.yml": tasks("- {debug: msg=1, tags: 'a,b'}\n- {debug: msg=2, tags: a}\n- {debug: msg=3, tags: [b, c]}\n- {debug: msg=4, tags: always}"),
                                          "args": ["-t", "a", "-t", "c", "--skip-tags", "b"]},
    "tags: templated, on roles, imports and plays": {
        "site.yml": PLAY + "  vars: {tt: x}\n  roles:\n    - {role: r, tags: x}\n  tasks:\n    - {debug: msg=1, tags: \"{{ tt }}\"}\n    - {debug: msg=2, tags: [\"{{ tt }}z\"]}\n"
        + PLAY + "  tags: x\n  tasks:\n    - debug: msg=\"{{ ansible_run_tags }} {{ ansible_skip_tags | sort }}\"\n",
        "roles/r/tasks/main.yml": "- debug: msg=r\n- meta: flush_handlers\n", "args": ["--tags", "x", "--skip-tags", "q,w"]},
    "start at task: in a role, by pattern, with blocks": {
        "site.yml": PLAY + "  roles: [r]\n  tasks:\n    - {name: one, debug: msg=1}\n    - block:\n        - {name: two, debug: msg=2}\n      always:\n        - {name: three, debug: msg=3}\n    - {debug: msg=4}\n",
        "roles/r/tasks/main.yml": "- {name: r1, debug: msg=r1}\n- {name: r2, debug: msg=r2, notify: h, changed_when: true}\n- {name: r3, debug: msg=r3}\n",
        "roles/r/handlers/main.yml": "- {name: h, debug: msg=h}\n", "args": ["--start-at-task", "r*2"]},
    "start at task: inside a block": {
        "site.yml": tasks("- {name: one, debug: msg=1}\n- block:\n    - {name: in, debug: msg=i}\n    - {name: two, debug: msg=2}\n  always:\n    - {name: three, debug: msg=3}\n- {name: four, debug: msg=4}"),
        "args": ["--start-at-task", "two"]},
    "check mode: per task, in blocks, in includes": {
        "site.yml": tasks("""
- {copy: {content: a, dest: "{out}/a"}, check_mode: true, register: r}
- debug: msg="{{ r.changed }} {{ ansible_check_mode }}"
- {copy: {content: b, dest: "{out}/b"}, check_mode: "{{ ansible_check_mode }}"}
- {command: touch {out}/c, check_mode: true, register: c}
- debug: msg="{{ c is skipped }} {{ c.msg | default('') }}"
- {command: touch {out}/d creates={out}/d, check_mode: true}
- block:
    - {file: {path: "{out}/e", state: touch}}
    - {file: {path: "{out}/f", state: directory}, check_mode: false}
  check_mode: true
- {copy: {content: z, dest: "{out}/z", mode: "0600"}, diff: false}
""".replace("touch {out}", "'touch {out}").replace("/c,", "/c',").replace("creates={out}/d,", "creates={out}/d',"))},
    "check mode: whole run": {"site.yml": PLAY + """  tasks:
    - {copy: {content: a, dest: "{out}/a"}, register: r, notify: h}
    - debug: msg="{{ r.changed }} {{ ansible_check_mode }}"
    - {shell: "echo x > {out}/s", register: s}
    - debug: msg="{{ s is skipped }}"
    - {stat: {path: "{out}/a"}, register: st}
    - debug: msg="{{ st.stat.exists }}"
    - {lineinfile: {path: "{out}/none", line: x}, ignore_errors: true}
    - {lineinfile: {path: "{out}/none", line: x, create: true}}
    - {template: {src: t.j2, dest: "{out}/t"}}
    - {set_fact: {a: 1}}
    - {file: {path: "{out}/f", state: touch}, check_mode: false}
    - {command: echo real, check_mode: false, changed_when: false, register: real}
    - debug: msg="{{ real.stdout }}"
  handlers:
    - {name: h, copy: {content: h, dest: "{out}/h"}}
""", "templates/t.j2": "{{ a | default('x') }}\n", "args": ["--check", "--diff"]},
    "no_log: templated, in loops and blocks": {"site.yml": tasks("""
- {command: echo secret, no_log: "{{ hide }}", vars: {hide: true}, register: r}
- debug: msg="{{ r.stdout }}"
- {debug: "msg={{ item }}", loop: [a, b], no_log: true, register: l}
- debug: msg="{{ l.results | map(attribute='msg') | list }}"
- block:
    - fail: msg=secret
  no_log: true
  rescue:
    - debug: msg="{{ ansible_failed_result.msg }}"
""")},
    "async: poll, fire and forget, async_status": {"site.yml": tasks("""
- {command: echo polled, async: 300, poll: 1, register: p}
- debug: msg="{{ p.stdout }} {{ p.finished }} {{ p.rc }}"
- {shell: "sleep 0.2; echo late > {out}/late; echo done", async: 300, poll: 0, register: j}
- debug: msg="{{ j.started }} {{ j.finished }} {{ j is finished }} {{ j.ansible_job_id is defined }} {{ j.results_file is defined }}"
- async_status: {jid: "{{ j.ansible_job_id }}"}
  register: s
  until: s.finished
  retries: 300
  delay: 1
- debug: msg="{{ s.stdout }} {{ s.rc }} {{ s is finished }} {{ s.changed }}"
- async_status: {jid: "{{ j.ansible_job_id }}", mode: cleanup}
  changed_when: false
- async_status: {jid: "123.456"}
  ignore_errors: true
  register: none
- debug: msg="{{ none.msg }}"
""")},
    "async: failing and timing out": {"site.yml": tasks("""
- {command: "false", async: 300, poll: 1, ignore_errors: true, register: f}
- debug: msg="{{ f.rc }} {{ f is failed }}"
- {command: sleep 20, async: 1, poll: 1, ignore_errors: true, register: t}
- debug: msg="{{ t is failed }}"
""")},
    "async in a loop": {"site.yml": tasks("""
- {command: "echo {{ item }}", loop: [a, b], async: 300, poll: 0, register: jobs}
- async_status: {jid: "{{ item.ansible_job_id }}"}
  loop: "{{ jobs.results }}"
  loop_control: {label: "{{ item.item }}"}
  register: done
  until: done is finished
  retries: 300
  delay: 1
- debug: msg="{{ done.results | map(attribute='stdout') | list }}"
""")},
    "timeout": {"site.yml": tasks("- {command: sleep 30, timeout: 1, ignore_errors: true, register: r}\n- debug: msg=\"{{ r.msg }} {{ r is failed }}\"\n- {command: echo, timeout: 300}\n- {command: echo, timeout: 0}")},
    "environment: levels, templates and lists": {"site.yml": PLAY + """  environment: {A: play, B: "{{ b }}"}
  vars: {b: bv, whole: {A: whole, D: d}}
  tasks:
    - {shell: "echo $A $B $C", register: r}
    - debug: msg={{ r.stdout }}
    - {shell: "echo $A $D", environment: "{{ whole }}", register: r}
    - debug: msg={{ r.stdout }}
    - {shell: "echo $A $D", environment: [{A: l1}, {A: l2, D: 5}], register: r}
    - debug: msg={{ r.stdout }}
    - block:
        - {shell: "echo $A $B $C $E", environment: {C: task, A: "{{ lookup('env', 'HOME') }}"}, register: r}
        - debug: msg={{ r.stdout }}
      environment: {E: block, C: block}
    - {debug: "msg={{ lookup('env', 'A') }}."}
    - {shell: "echo $X", environment: {X: "{{ nothing | default('dflt') }}"}, register: r}
    - debug: msg={{ r.stdout }}
    - {shell: "echo $T $N", environment: {T: true, N: 12}, register: r}
    - debug: msg={{ r.stdout }}
"""},
    "omit: options, nested, defaults and loops": {"site.yml": tasks("""
- copy: {content: x, dest: "{out}/a", mode: "{{ m | default(omit) }}", owner: "{{ o | default(omit) }}"}
- copy: {content: x, dest: "{out}/{{ item.n }}", mode: "{{ item.m | default(omit) }}"}
  loop: [{n: b, m: "0600"}, {n: c}]
- file: {path: "{out}/d", state: directory, mode: "{{ '0700' if true else omit }}"}
- {debug: {msg: "{{ nothing | default(omit) }}"}}
- {set_fact: {kept: "{{ nothing | default(omit) }}"}, ignore_errors: true}
- {command: echo hi, args: {chdir: "{{ nowhere | default(omit) }}"}}
- {command: echo, environment: "{{ envs | default(omit) }}"}
- {debug: msg=a, become: "{{ b | default(omit) }}", when: true}
""")},
    "unsafe text is not templated": {"site.yml": PLAY + """  vars:
    u: !unsafe "{{ not templated }}"
    l: !unsafe ["{{ a }}", "{% b %}"]
  tasks:
    - debug: msg="{{ u }}"
    - debug: msg="{{ l[0] }} {{ l | length }}"
    - {command: "echo '{{ '{{' }} x }}'", register: r}
    - debug: msg="{{ r.stdout }}"
    - set_fact: {copy_: "{{ u }} and more"}
    - debug: msg="{{ copy_ }}"
    - {copy: {content: "{{ u }}", dest: "{out}/u"}}
    - debug: msg={{ item }}
      loop: "{{ l }}"
    - {debug: {msg: !unsafe "{{ raw }}"}}
"""},
    "arguments: forms, free form, k=v and args": {"site.yml": tasks("""
- shell: echo "a  b" && echo 'c' | tr c d
  args: {chdir: /tmp, executable: /bin/bash}
  register: r
- debug: msg="{{ r.stdout_lines }}"
- command: echo a=b chdir=/ "x y=z"
  register: r
- debug: msg="{{ r.cmd }} {{ r.stdout }}"
- command: {cmd: "echo $HOME ~ '*'", chdir: /}
  register: r
- debug: msg="{{ r.stdout }}"
- action: {module: copy, content: "x", dest: "{out}/x"}
- action: copy content="k v" dest={out}/y mode=0600
- local_action: {module: debug, msg: la}
- copy: content={{ text }} dest={out}/z
  vars: {text: "two words"}
- debug: msg='quoted {{ "x" }} = y'
- debug: msg="tab\\tend"
- file: >
    path={out}/folded
    state=touch
    mode=0640
  changed_when: false
""")},
    "set_fact: types, jinja text to values, cacheable": {"site.yml": tasks("""
- set_fact:
    i: "{{ 5 }}"
    d: "{'a': 1, 'b': [1, 2]}"
    l: "[1, 2, 3]"
    b: "{{ true }}"
    n: "{{ none }}"
    built: "{% set r = [] %}{% for x in [1, 2] %}{{ r.append(x * 2) }}{% endfor %}{{ r }}"
    multi: |
      line 1
      {{ 'line 2' }}
- debug: msg="{{ [i, d, l, b, n, built, multi] | map('type_debug') | list }} {{ d.b }} {{ multi }}"
- set_fact: {acc: "{{ acc | default([]) + [item] }}"}
  loop: [1, 2, 3]
- debug: msg={{ acc }}
- set_fact: {merged: "{{ merged | default({}) | combine({item: item | upper}) }}"}
  loop: [a, b]
- debug: msg={{ merged }}
- set_fact: {fact_c: 1, cacheable: true}
- debug: msg="{{ fact_c }} {{ ansible_facts.fact_c }}"
- set_fact: {"bad-name": 1}
  ignore_errors: true
- set_fact: a=1 b='two words' c=yes
- debug: msg="{{ a | type_debug }} {{ b }} {{ c | type_debug }}"
""")},
    "assert and fail": {"site.yml": tasks("""
- assert:
    that:
      - "'a' in ['a']"
      - x == 1
      - x is defined and x | int == 1
    success_msg: "fine {{ x }}"
  vars: {x: 1}
  register: r
- debug: msg="{{ r.msg }} {{ r.changed }}"
- assert: {that: [true, x > 5], fail_msg: "x is {{ x }}"}
  vars: {x: 1}
  ignore_errors: true
  register: f
- debug: msg="{{ f.msg }} {{ f.assertion }} {{ f.evaluated_to }}"
- assert: {that: "x is match('b')", quiet: true}
  vars: {x: abc}
  ignore_errors: true
- assert: {that: item > 1}
  loop: [1, 2]
  ignore_errors: true
  register: l
- debug: msg="{{ l.results | map(attribute='failed', default=false) | list }}"
- fail:
  ignore_errors: true
""")},
    "debug: var, verbosity and objects": {"site.yml": tasks("""
- debug:
- debug: {var: x}
  vars: {x: {a: [1, null, true]}}
- debug: {msg: v, verbosity: 3}
- debug: {msg: "{{ {'a': 1} }}"}
- debug: {msg: ["{{ 1 }}", b]}
- debug: {var: hostvars.localhost.inventory_hostname}
- debug: {msg: 5}
""")},
    "meta: every action that changes nothing": {"site.yml": PLAY + """  tasks:
    - set_fact: {kept: 1, cacheable: true}
    - meta: clear_facts
    - debug: msg="{{ kept | default('cleared') }} {{ ansible_facts.kept | default('cleared') }}"
    - meta: noop
    - meta: refresh_inventory
    - meta: reset_connection
    - meta: clear_host_errors
    - debug: msg=on
    - meta: end_host
      when: false
    - meta: end_batch
      when: false
    - debug: msg=still
    - block:
        - meta: end_host
      when: true
    - debug: msg=never
"""},
    "meta: end_play runs no handlers and no next batch": {"site.yml": PLAY + "  tasks:\n    - {command: echo, notify: h}\n    - meta: end_play\n    - debug: msg=never\n  handlers:\n    - {name: h, debug: msg=h}\n"
                                                          + PLAY + "  tasks:\n    - debug: msg=next play\n"},
    "meta: end_play in a role, a block and with when": {
        "site.yml": PLAY + "  roles: [r]\n  tasks:\n    - block:\n        - debug: msg=b\n        - meta: end_play\n          when: stop | default(true)\n      rescue:\n        - debug: msg=r\n      always:\n        - debug: msg=a\n    - debug: msg=never\n",
        "roles/r/tasks/main.yml": "- debug: msg=r\n- meta: end_play\n  when: false\n"},
    "template and copy write the same bytes": {
        "site.yml": PLAY + """  vars: {items_: [a, b], name: "ünï", nested: {k: [1, {z: null}]}}
  tasks:
    - {template: {src: one.j2, dest: "{out}/one", mode: "0644"}}
    - {template: {src: two.j2, dest: "{out}/two", trim_blocks: false, lstrip_blocks: true}}
    - {template: {src: crlf.j2, dest: "{out}/crlf", newline_sequence: "\\r\\n"}}
    - {template: {src: marks.j2, dest: "{out}/marks", variable_start_string: "[[", variable_end_string: "]]"}}
    - {copy: {content: "{{ nested }}", dest: "{out}/json"}}
    - {copy: {content: "{{ nested | to_nice_yaml }}", dest: "{out}/yaml"}}
    - {copy: {content: "{{ lookup('template', 'one.j2') }}", dest: "{out}/looked"}}
    - {template: {src: inc.j2, dest: "{out}/inc"}}
""",
        "templates/one.j2": "# {{ name }}\n{% for i in items_ %}\n  - {{ i }}\n{% endfor %}\n{{ nested.k[1] | to_json }}\n",
        "templates/two.j2": "a\n  {% if true %}\nb\n  {% endif %}\nc\n", "templates/crlf.j2": "a\nb\n", "templates/marks.j2": "[[ name ]] {{ left }}\n",
        "templates/inc.j2": "{% include 'part.j2' %}\n{% from 'macros.j2' import m with context %}{{ m('x') }}\n",
        "templates/part.j2": "part {{ name }}\n", "templates/macros.j2": "{% macro m(a) %}{{ a }}-{{ name }}{% endmacro %}\n",
    },
    "files: modes, links, recursion and a second run": {"site.yml": tasks("""
- {file: {path: "{out}/d/e/f", state: directory, mode: "0750"}}
- {copy: {content: "x\\n", dest: "{out}/d/x", mode: u=rw}}
- {file: {path: "{out}/d", state: directory, mode: "u=rwX,g=rX,o=", recurse: true}}
- {file: {src: d/x, dest: "{out}/link", state: link}}
- {file: {src: "{out}/d/x", dest: "{out}/hard", state: hard}}
- {file: {path: "{out}/touched", state: touch, access_time: preserve, modification_time: preserve}}
- {lineinfile: {path: "{out}/conf", line: "a=1", regexp: "^a=", create: true}}
- {lineinfile: {path: "{out}/conf", line: "b=2", insertbefore: BOF}}
- {blockinfile: {path: "{out}/conf", block: "one\\ntwo", marker: "# {mark} x"}}
- {replace: {path: "{out}/conf", regexp: "one", replace: "ONE"}}
- {copy: {src: tree/, dest: "{out}/copied", mode: "0640", directory_mode: "0751"}}
- {file: {path: "{out}/gone", state: absent}}
- {assemble: {src: "{out}/copied", dest: "{out}/whole"}}
- {command: "touch {out}/made", args: {creates: "{out}/made"}}
- {stat: {path: "{out}/link"}, register: s}
- debug: msg="{{ s.stat.islnk }} {{ s.stat.mode }}"
- {find: {paths: "{out}", recurse: true, patterns: "*x*"}, register: f}
- debug: msg="{{ f.files | map(attribute='path') | map('basename') | sort }}"
"""), "files/tree/one": "1\n", "files/tree/sub/two": "2\n"},
    "until gives up and failed_when has the word": {"site.yml": tasks("""
- {shell: "true", register: r, until: false, retries: 1, delay: 0.1, failed_when: false}
- debug: msg="{{ r.failed }} {{ r is failed }} {{ r.attempts }} {{ r.failed_when_result }}"
- {shell: "true", register: r, until: false, retries: 1, delay: 0.1, failed_when: r.attempts > 6, loop: [1, 2]}
- debug: msg="{{ r.failed }} {{ r.msg }}"
- {shell: "true", register: r, until: false, retries: 1, delay: 0.1, changed_when: r.attempts > 1, ignore_errors: true}
- {shell: "exit {{ item }}", register: r, failed_when: false, loop: [0, 1]}
- {shell: "exit {{ item }}", register: r, failed_when: "{{ item == 1 }}", loop: [0, 1], ignore_errors: true}
- block:
    - {shell: "true", register: r, until: "nope", retries: 1, delay: 0.1, failed_when: false}
  rescue:
    - debug: msg=rescued
""")},
}
