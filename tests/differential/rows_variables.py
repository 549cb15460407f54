"""Where a variable comes from: all levels of precedence, inventories, files, vaults, magic variables."""
import itertools

from playbook_rows import PLAY, tasks

# Where one variable is given, weakest first. Every pair of neighbours is a row: the stronger must win.
LEVELS = ["role default", "inventory group all", "inventory file all", "playbook file all", "inventory group", "inventory file group",
          "playbook file group", "inventory host", "inventory file host", "playbook file host", "play vars", "vars_files", "role vars",
          "block vars", "task vars", "include_vars", "set_fact", "role params", "include params", "extra"]


def given(levels):
    """A playbook in which x is given at these levels and said by a task of a role."""
    book, args = {}, ["-i", "inv/hosts"]

    def has(level):
        return level in levels

    def value(level):
        return f"x: {level}\n" if has(level) else ""

    hosts = "[g]\nh" + (" x='inventory host'" if has("inventory host") else "") + "\n"
    if has("inventory group"):
        hosts += "[g:vars]\nx=inventory group\n"
    if has("inventory group all"):
        hosts += "[all:vars]\nx=inventory group all\n"
    files = {"inv/hosts": hosts, "inv/group_vars/all.yml": value("inventory file all"), "group_vars/all.yml": value("playbook file all"),
             "inv/group_vars/g.yml": value("inventory file group"), "group_vars/g.yml": value("playbook file group"),
             "inv/host_vars/h.yml": value("inventory file host"), "host_vars/h.yml": value("playbook file host"),
             "f.yml": value("vars_files") or "unused: 1\n", "inc.yml": value("include_vars") or "unused: 1\n",
             "roles/r/defaults/main.yml": value("role default"), "roles/r/vars/main.yml": value("role vars")}
    book.update({name: text or "{}\n" for name, text in files.items()})
    block = "  vars: {x: block vars}\n" if has("block vars") else ""
    task = "      vars: {x: task vars}\n" if has("task vars") else ""
    book["roles/r/tasks/main.yml"] = f"- block:\n    - debug: msg=\"{{{{ x | default('nowhere') }}}}\"\n{task}{block}"
    play = "- hosts: h\n  gather_facts: false\n  vars: {y: 1" + (", x: play vars" if has("play vars") else "") + "}\n  vars_files: [f.yml]\n  pre_tasks:\n"
    play += "    - include_vars: inc.yml\n" + ("    - set_fact: {x: set_fact}\n" if has("set_fact") else "    - debug: msg=0\n")
    play += "  roles:\n    - {role: r" + (", x: role params" if has("role params") else "") + "}\n"
    if has("include params"):
        play += "  tasks:\n    - include_role: {name: r}\n      vars: {x: include params}\n"
    if has("extra"):
        args += ["-e", "x=extra"]
    return {"site.yml": play, **book, "args": args}


PAIRS = {f"precedence: {weak} < {strong}": given({weak, strong}) for weak, strong in itertools.pairwise(LEVELS)}
TRIPLES = {f"precedence: all from {LEVELS[i]} on": given(set(LEVELS[i:])) for i in (0, 10)}

ROWS = {
    **PAIRS, **TRIPLES,
    "role params, vars of the entry and role vars": {
        "site.yml": PLAY + """  vars: {x: play}
  roles:
    - {role: r, x: param}
    - {role: r, vars: {x: entry vars}}
    - {role: r, x: both, vars: {x: entry}}
    - r
  tasks:
    - set_fact: {x: fact}
    - import_role: {name: r}
    - include_role: {name: r}
      vars: {x: include}
    - include_vars: v.yml
    - debug: msg={{ x }}
    - import_role: {name: r}
      vars: {x: import}
""", "roles/r/vars/main.yml": "x: role vars\n", "roles/r/tasks/main.yml": "- debug: msg={{ x }}\n- {debug: \"msg={{ x }}\", vars: {x: task}}\n", "v.yml": "x: include_vars\n"},
    "set_fact beats include_vars whichever is later": {
        "site.yml": tasks("- set_fact: {x: fact}\n- include_vars: v.yml\n- debug: msg={{ x }}\n- set_fact: {x: fact2}\n- debug: msg={{ x }}\n- command: echo r\n  register: x\n- debug: msg={{ x.stdout }}\n- include_vars: v.yml\n- debug: msg=\"{{ x.stdout }}\""),
        "v.yml": "x: file\n"},
    "variables are lazy": {"site.yml": PLAY + """  vars: {a: "{{ b }}", b: "{{ c | default('none') }}", n: {x: "{{ c | default(0) }}"}}
  tasks:
    - debug: msg="{{ a }} {{ n.x }}"
    - set_fact: {c: 5}
    - debug: msg="{{ a }} {{ n.x }} {{ n }}"
    - {debug: "msg={{ a }}", vars: {c: task}}
    - {debug: "msg={{ loop_ }}", vars: {loop_: "{{ loop_ }}"}, ignore_errors: true}
    - debug: msg="{{ vars.b }} {{ vars['n']['x'] | default('') }} {{ lookup('vars', 'a') }} {{ 'nope' in vars }}"
"""},
    "include_vars over a dictionary there is": {
        "site.yml": PLAY + "  vars: {h: {a: 1, in: {x: 1}}, s: text}\n" + tasks("""
- include_vars: {file: h.yml, hash_behaviour: merge}
- debug: msg="{{ h }}"
- include_vars: {file: h.yml, hash_behaviour: replace}
- debug: msg="{{ h }}"
- {include_vars: {file: s.yml, hash_behaviour: merge}, ignore_errors: true}
- {include_vars: {file: h.yml, name: nothing_yet, hash_behaviour: merge}, ignore_errors: true}
""")[len(PLAY):],
        "vars/h.yml": "h: {b: 2, in: {y: 2}}\n", "vars/s.yml": "s: other\n"},
    "include_vars: names as expressions": {
        "site.yml": tasks("""
- {include_vars: {dir: vars/d, ignore_unknown_extensions: true, name: n}}
- debug: msg="{{ n }}"
- {include_vars: {dir: vars/d, files_matching: '\\w+_\\d\\.yml', name: n}}
- debug: msg="{{ n }}"
- {include_vars: {dir: vars/d, ignore_files: ['_\\d.yml', 't'], name: n}}
- debug: msg="{{ n }}"
- {include_vars: {dir: vars/d, name: n}, ignore_errors: true, register: r}
- debug: msg="{{ r.message | replace(playbook_dir, '') }}"
- {include_vars: {dir: vars/d/t.txt}, ignore_errors: true, register: r}
- debug: msg="{{ r.message | replace(playbook_dir, '') }}"
- {include_vars: {dir: vars/d, file: x.yml}, ignore_errors: true, register: r}
- debug: msg="{{ r.msg }}"
"""),
        "vars/d/.dot.yml": "a: 1\n", "vars/d/x_1.yml": "b: 1\n", "vars/d/x.yml": "c: 1\n", "vars/d/t.txt": "t: 1\n"},
    "include_vars: dir, depth, extensions, ignore_files, name": {
        "site.yml": tasks("""
- include_vars: {dir: vars/d, depth: 1}
- debug: msg="{{ a }} {{ deep | default('no') }} {{ t | default('no') }}"
- include_vars: {dir: vars/d, extensions: [txt], ignore_unknown_extensions: true, name: only}
- debug: msg="{{ only }}"
- include_vars: {dir: d, name: ns}
- debug: msg="{{ ns | dictsort }}"
- include_vars: {dir: vars/d, files_matching: "^b.*", name: m}
- debug: msg="{{ m }}"
- include_vars: {dir: vars/d, ignore_files: ["b.yml"], depth: 1, name: i}
- debug: msg="{{ i }}"
- include_vars: {file: j.json, name: j}
  register: r
- debug: msg="{{ j }} {{ r.ansible_included_var_files | map('basename') | list }}"
- include_vars: {file: vars/bad.yml}
  ignore_errors: true
- include_vars: {dir: nowhere}
  ignore_errors: true
- include_vars: "{{ item }}"
  with_first_found: [nope.yml, vars/d/a.yml]
- include_vars: {file: h.yml, hash_behaviour: merge}
- debug: msg="{{ h }}"
"""),
        "vars/d/a.yml": "a: 1\nb: 1\n", "vars/d/b.yml": "b: 2\n", "vars/d/sub/c.yml": "deep: 1\n", "vars/d/t.txt": "t: 1\n", "vars/j.json": '{"k": [1, null]}\n',
        "vars/bad.yml": "- a\n- b\n", "vars/h.yml": "h: {b: 2}\n"},
    "vars_files: lists, templates and later plays": {
        "site.yml": PLAY + "  vars: {os: deb}\n  vars_files:\n    - one.yml\n    - [\"{{ os }}-x.yml\", \"{{ os }}.yml\", default.yml]\n    - sub/two.yml\n  tasks:\n    - debug: msg=\"{{ a }} {{ b }} {{ c }}\"\n"
        + PLAY + "  tasks:\n    - debug: msg=\"{{ a | default('gone') }}\"\n",
        "one.yml": "a: 1\nb: 1\nc: 1\n", "deb.yml": "b: deb\n", "default.yml": "b: default\n", "sub/two.yml": "c: \"{{ a }}!\"\n"},
    "vars_files that are not there": {"site.yml": PLAY + "  vars_files: [nope.yml]\n  tasks:\n    - debug: msg=never\n"},
    "extra vars: forms, types and templates": {
        "site.yml": PLAY + "  vars: {a: play, base: b}\n  tasks:\n    - debug: msg=\"{{ a }} {{ b }} {{ c }} {{ d }} {{ e }} {{ f }} {{ t }}\"\n    - debug: msg=\"{{ [a, b, c, d] | map('type_debug') | list }}\"\n    - set_fact: {a: fact}\n    - include_vars: v.yml\n    - {debug: \"msg={{ a }}\", vars: {a: task}}\n    - {command: echo no, register: a}\n    - debug: msg={{ a }}\n",
        "v.yml": "a: file\n", "e.json": '{"c": 1, "d": {"x": [true]}}', "e.yml": "e: !unsafe '{{ raw }}'\nf: 0644\n",
        "args": ["-e", "a=1 b='two words'", "-e", "@e.json", "-e", "@e.yml", "-e", "{t: \"{{ base }}\"}"]},
    "magic variables": {
        "site.yml": "- hosts: h1\n  gather_facts: false\n  name: the play\n  roles: [r]\n  tasks:\n" + "".join(f"    - debug: msg=\"{e}\"\n" for e in [
            "{{ inventory_hostname }} {{ inventory_hostname_short }} {{ group_names }} {{ groups.g }} {{ groups.all }} {{ groups.ungrouped }}",
            "{{ playbook_dir }} {{ inventory_dir }} {{ inventory_file }} {{ ansible_inventory_sources }} {{ ansible_playbook_python is defined }}",
            "{{ ansible_play_name }} {{ ansible_play_hosts }} {{ ansible_play_batch }} {{ ansible_play_hosts_all }} {{ play_hosts }} {{ ansible_play_role_names | sort }} {{ role_names | sort }} {{ ansible_role_names | sort }}",
            "{{ ansible_check_mode }} {{ ansible_diff_mode }} {{ ansible_forks | type_debug }} {{ ansible_verbosity | type_debug }} {{ ansible_run_tags }} {{ ansible_skip_tags }} {{ ansible_limit | default('none') }}",
            "{{ ansible_version.full is match('2[.]1') }} {{ ansible_version | list }} {{ ansible_version.major | type_debug }}",
            "{{ ansible_config_file | default('none', true) }} {{ ansible_search_path }} {{ ansible_dependent_role_names }} {{ environment }}",
            "{{ omit is defined }} {{ hostvars.h1.inventory_hostname }} {{ role_name | default('none') }} {{ ansible_play_hosts is sequence }}",
        ]), "roles/r/meta/main.yml": "dependencies: [s]\n", "roles/s/tasks/main.yml": "- debug: msg=\"{{ role_name }} {{ ansible_parent_role_names | default('none') }} {{ ansible_dependent_role_names }}\"\n",
        "roles/r/tasks/main.yml": "- debug: msg=\"{{ role_name }} {{ role_path }} {{ ansible_role_name }} {{ ansible_search_path }} {{ role_uuid is defined }}\"\n",
        "inv": "[g]\nh1.dom ansible_connection=local\nh1\n", "args": ["-i", "inv"]},
    "magic variables: roles named more than once": {
        "site.yml": "- hosts: h1\n  gather_facts: false\n  roles: [r, {role: s, n: 1}, {role: s, n: 2}, r]\n  tasks:\n    - import_role: {name: r}\n    - include_role: {name: s, public: true}\n    - include_role: {name: s}\n"
        "    - debug: msg=\"{{ ansible_play_role_names }} {{ role_names }} {{ ansible_role_names | sort }} {{ ansible_dependent_role_names }}\"\n",
        "roles/r/meta/main.yml": "dependencies: [s]\n", "roles/s/tasks/main.yml": "- debug: msg=\"{{ n | default(0) }} {{ ansible_play_role_names }}\"\n", "roles/r/tasks/main.yml": "- include_role: {name: s}\n", "inv": "h1 ansible_connection=local\n", "args": ["-i", "inv"]},
    "facts: set by modules and injected": {
        "site.yml": tasks("""
- setup: {gather_subset: ['!all', '!min', distribution], filter: [ansible_distribution, ansible_os_family]}
- debug: msg="{{ ansible_distribution == ansible_facts.distribution }} {{ ansible_facts['os_family'] == ansible_os_family }} {{ ansible_facts | list | sort }}"
- set_fact: {ansible_custom: 1, cacheable: true}
- debug: msg="{{ ansible_facts.ansible_custom | default('none') }} {{ ansible_facts.custom | default('none') }} {{ ansible_custom }}"
- getent: {database: passwd, key: root}
- debug: msg="{{ getent_passwd.root }} {{ ansible_facts.getent_passwd.root[1] }}"
- set_fact: {ansible_facts: {zz: 1}}
  ignore_errors: true
""")},
    "vars: names that are refused": {"site.yml": tasks("- debug: msg=a\n  vars: {bad-name: 1}")},
    "vars: reserved names and shadowing": {"site.yml": PLAY + """  vars: {name: n, hosts: h, item: i, environment: e, tags: t}
  tasks:
    - debug: msg="{{ name }} {{ hosts }} {{ item }} {{ tags }}"
    - {debug: "msg={{ item }}", loop: [1]}
    - {debug: "msg={{ port }}", vars: {port: 5}}
"""},
    "vars: a list of dictionaries": {"site.yml": PLAY + "  vars:\n    - {a: 1}\n    - {a: 2, b: 3}\n  tasks:\n    - debug: msg=\"{{ a }} {{ b }}\"\n"},
    "vars: yaml features": {"site.yml": PLAY + """  vars:
    base: &base {a: 1, b: {c: 2}}
    over: {<<: *base, a: 9}
    oct: 0644
    yes_: yes
    off_: Off
    nul: ~
    fl: 1.0
    hex: 0x1F
    sexa: 1:30
    date: 2024-01-02
    str_: "0644"
    fold: >-
      one
      two

      three
    lit: |
      a
       b
    keep: |+
      k

    quoted: "tab\\tnl\\n\\u00e9"
    bin: 0b11
    und: 1_000
    exp: 1e3
  tasks:
    - debug: msg="{{ over }} {{ oct }} {{ yes_ }} {{ off_ }} {{ nul is none }} {{ fl }} {{ hex }} {{ sexa }} {{ str_ }} {{ bin }} {{ und }} {{ exp is string }}"
    - debug: msg="{{ [fold, lit, keep, quoted] }} {{ date | string }}"
"""},
    "vars_prompt answered by -e and by default": {
        "site.yml": PLAY + "  vars_prompt:\n    - {name: a, prompt: A}\n    - {name: b, prompt: B, default: dflt}\n  tasks:\n    - debug: msg=\"{{ a }} {{ b }}\"\n", "args": ["-e", "a=given b=two"]},
    "ansible.cfg: roles_path, inventory and more": {
        "site.yml": "- hosts: all\n  gather_facts: false\n  roles: [far]\n  tasks:\n    - debug: msg=\"{{ inventory_hostname }} {{ x }}\"\n",
        "ansible.cfg": "[defaults]\nroles_path = elsewhere:also\ninventory = my.inv\nforks=3\n", "my.inv": "h x=1\n", "also/far/tasks/main.yml": "- debug: msg=far\n"},
    **{f"ansible.cfg: a key given twice, {word}": {
        "site.yml": PLAY + "  vars: {x: 1}\n  tasks:\n    - debug: msg=first\n    - include_vars: f.yml\n      ignore_errors: true\n    - debug: msg={{ x }}\n",
        "f.yml": "x: 2\nx: 3\n", "ansible.cfg": f"[defaults]\nduplicate_dict_key = {word}\n"} for word in ("error", "warn", "ignore")},
    "ansible.cfg: a key of the playbook given twice": {
        "site.yml": PLAY + "  vars: {x: 1, x: 2}\n  tasks:\n    - debug: msg=never\n", "ansible.cfg": "[defaults]\nduplicate_dict_key = error\n"},
    "ansible.cfg: force_handlers and any_errors_fatal": {
        "site.yml": "- hosts: all\n  gather_facts: false\n  tasks:\n    - {command: echo, notify: h}\n    - {fail: msg=x, when: inventory_hostname == 'b'}\n    - debug: msg=never\n  handlers:\n    - {name: h, debug: msg=h}\n",
        "ansible.cfg": "[defaults]\nany_errors_fatal = true\nforce_handlers = true\n", "args": ["-i", "a,b,"]},
    "ansible.cfg: gathering explicit and jinja extensions": {
        "site.yml": "- hosts: localhost\n  tasks:\n    - debug: msg=\"{% set l = [] %}{% do l.append(1) %}{{ l }} {{ ansible_facts | length }}\"\n",
        "ansible.cfg": "[defaults]\ngathering = explicit\njinja2_extensions = jinja2.ext.do\n"},
    "ansible.cfg: inject_facts_as_vars off": {
        "site.yml": "- hosts: localhost\n  gather_subset: ['!all', '!min']\n  tasks:\n    - debug: msg=\"{{ ansible_module_setup | default('none') }} {{ ansible_facts.module_setup }}\"\n",
        "ansible.cfg": "[defaults]\ninject_facts_as_vars = False\n"},
    "environment: ANSIBLE_ variables": {
        "site.yml": "- hosts: all\n  gather_facts: false\n  roles: [far]\n  tasks:\n    - {command: echo, notify: h}\n    - fail: msg=x\n  handlers:\n    - {name: h, debug: msg=h}\n",
        "my.inv": "h x=1\n", "also/far/tasks/main.yml": "- debug: msg=far\n",
        "environment": {"ANSIBLE_ROLES_PATH": "/srv/book/also", "ANSIBLE_INVENTORY": "/srv/book/my.inv", "ANSIBLE_FORCE_HANDLERS": "1"}},
    "lookups: files, env, vars, templates and pipes": {
        "site.yml": tasks("""
- debug: msg="{{ lookup('file', 'f.txt') }} {{ lookup('env', 'HOME') }} {{ lookup('vars', 'x', default='d') }} {{ lookup('template', 't.j2') }} {{ lookup('pipe', 'echo p') }}"
- debug: msg="{{ query('fileglob', 'files/*') | map('basename') | sort }} {{ lookup('ini', 'k', section='s', file='i.ini') }} {{ lookup('csvfile', 'b', file='c.csv', delimiter=',', col=1) }}"
- debug: msg="{{ lookup('first_found', ['no', 'f.txt']) | basename }} {{ lookup('lines', 'printf \\"a\\\\nb\\"') }} {{ q('items', [1, [2]]) }} {{ lookup('file', 'nope', errors='ignore') }}"
- debug: msg="{{ lookup('file', 'nope') }}"
  ignore_errors: true
- debug: msg="{{ lookup('dict', {'a': 1}) }} {{ lookup('password', '/dev/null length=5') | length }} {{ lookup('unvault', 'f.txt') }}"
"""), "files/f.txt": "F\n", "templates/t.j2": "T{{ 1 + 1 }}\n", "i.ini": "[s]\nk=v\n", "files/c.csv": "a,1\nb,2\n"},
}
