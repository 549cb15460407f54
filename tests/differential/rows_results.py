"""What results carry and who is asked for them: invocation, delegation, registered items, defaults of modules."""
from playbook_rows import PLAY, tasks

TWO = "- hosts: a\n  gather_facts: false\n  tasks:\n"
INV = "a ansible_connection=local\nb ansible_connection=local ansible_host=127.0.0.1 x='{{ inventory_hostname }}' y=of_b\n"


def on_a(text):
    return TWO + "".join("    " + line + "\n" for line in text.strip("\n").split("\n"))


ROWS = {
    "invocation of items": {"site.yml": tasks("""
- stat: {path: "{{ item }}"}
  loop: [/etc, /nowhere]
  register: r
- debug: msg="{{ item.invocation.module_args.path }} {{ item.stat.exists }} {{ item.invocation.module_args.follow }}"
  loop: "{{ r.results }}"
  loop_control: {label: "{{ item.item }}"}
- file: {dest: "{out}/d/{{ item }}", state: directory}
  loop: [a, b]
  register: f
- debug: msg="{{ f.results | map(attribute='invocation.module_args.path') | map('basename') | list }} {{ f.results.0.invocation.module_args.dest | basename }}"
- command: echo hi
  register: c
- debug: msg="{{ c.invocation is defined }}"
- block:
    - command: "false"
  rescue:
    - debug: msg="{{ ansible_failed_result.invocation.module_args._raw_params }}"
- debug: msg="{{ item }}"
  loop: [1]
  register: d
- debug: msg="{{ d.results.0.invocation is defined }}"
- user: {name: root, password: "!", update_password: on_create}
  loop: [1]
  register: u
- debug: msg="{{ u.results.0.invocation.module_args.password }} {{ u.results.0.invocation.module_args.name }}"
""")},
    "register inside a loop": {"site.yml": tasks("""
- command: echo {{ item }}
  loop: [a, b, c]
  register: r
  when: r is not defined or r.stdout != 'b'
  loop_control: {label: "{{ item }} {{ r.stdout | default('none') }}"}
- debug: msg="{{ r.results | map(attribute='stdout', default='-') | list }}"
- set_fact: {n: "{{ n | default(0) | int + item }}"}
  loop: [1, 2, 3]
- debug: msg={{ n }}
""")},
    "label that cannot be made": {"site.yml": tasks("""
- command: echo {{ item }}
  loop: [a]
  loop_control: {label: "{{ nope.x }}"}
  ignore_errors: true
  register: r
- debug: msg="{{ r is failed }}"
""")},
    "delegated variables": {
        "site.yml": on_a("""
- debug: msg="{{ ansible_delegated_vars.b.y }} {{ ansible_delegated_vars.b.x }} {{ ansible_delegated_vars.b.inventory_hostname }} {{ ansible_delegated_vars.keys() | list }}"
  delegate_to: b
- debug: msg="{{ ansible_delegated_vars[item].inventory_hostname }}"
  delegate_to: "{{ item }}"
  loop: [a, b]
- debug: msg=n
  delegate_to: b
  when: ansible_delegated_vars['b'].y == 'of_b'
- debug: msg=none
  delegate_to: b
  when: ansible_delegated_vars['b'].y == 'other'
- debug: msg={{ ansible_delegated_vars is defined }}
- debug: msg=x
  delegate_to: "{{ omit }}"
- debug: msg=x
  delegate_to: "{{ '' }}"
  when: false
  ignore_errors: true
- debug: msg=x
  delegate_to: "{{ nope }}"
  when: false
- debug: msg=x
  delegate_to: "{{ nope }}"
  ignore_errors: true
- set_fact: {here: 1}
  delegate_to: b
- debug: msg="{{ here }} {{ hostvars.b.here is defined }}"
"""),
        "inv.ini": INV, "args": ["-i", "inv.ini"],
    },
    "meta on hosts": {
        "site.yml": "- hosts: all\n  gather_facts: true\n  gather_subset: ['!all']\n  tasks:\n    - debug: msg={{ ansible_facts | length > 0 }}\n"
                    "    - meta: clear_facts\n      when: inventory_hostname == 'a'\n    - debug: msg={{ ansible_facts | length > 0 }}\n"
                    "    - meta: noop\n      when: false\n    - meta: refresh_inventory\n    - meta: end_host\n      when: inventory_hostname == 'b'\n"
                    "    - debug: msg=left\n    - meta: end_play\n      when: inventory_hostname == 'b'\n    - debug: msg=still\n",
        "inv.ini": INV, "args": ["-i", "inv.ini"],
    },
    "module_defaults levels": {"site.yml": PLAY + """  vars: {given: {msg: of a variable}}
  module_defaults:
    debug: {msg: play, verbosity: 0}
    ansible.builtin.command: {chdir: /etc}
    group/docker: {api_version: auto}
  tasks:
    - debug:
    - command: pwd
      register: r
    - debug: msg={{ r.stdout }}
    - block:
        - command: pwd
          register: r
        - debug: msg={{ r.stdout }}
        - debug:
          module_defaults: {debug: {verbosity: 0}}
      module_defaults: {command: {chdir: /usr}, debug: {msg: block}}
    - debug:
      module_defaults: {debug: "{{ given }}"}
    - debug:
      module_defaults: [{debug: {msg: first}}, {ansible.builtin.debug: {msg: second}}]
"""},
    "module_defaults of an unknown group": {"site.yml": PLAY + "  module_defaults: {group/nobodys: {a: 1}}\n  tasks:\n    - debug: msg=x\n"},
    "module_defaults of an unknown module": {"site.yml": tasks("- debug: msg=a\n- debug: msg=x\n  module_defaults: {nobodys: {a: 1}}\n")},
    "module_defaults no dict": {"site.yml": tasks("- debug: msg=x\n  module_defaults: '{{ some }}'\n")},
    "sequences": {"site.yml": tasks("""
- debug: msg={{ item }}
  with_sequence: "{{ t }}"
  ignore_errors: true
  vars: {t: end=0x3}
- debug: msg="{{ q('sequence', item) }}"
  loop: ["start=08 end=010", "010-012", "start=5 count=3 stride=-1", "start=5 end=5 stride=-1", "start=-3 end=-1", "0-3/2:t%02d", "end=2 format='a b %d'",
         "count=0", "end=10 stride=0", "5"]
- debug: msg="{{ q('sequence', '-1-3') }}"
  ignore_errors: true
- debug: msg="{{ q('sequence', '0x1-0x3') }}"
  ignore_errors: true
- debug: msg="{{ q('sequence', 'end=2 format=%%%d') }}"
  ignore_errors: true
""")},
    "extra variables of one word": {
        "site.yml": tasks("- debug: msg=\"{{ a | default('-') }} {{ _raw_params | default('none') }}\"\n"),
        "args": ["-e", "word", "-e", "a=1 two words"],
    },
    "fileglob of a plain pattern": {
        "site.yml": tasks("- import_role: {name: r}\n- debug: msg=\"{{ q('fileglob', 'a*.txt') | map('basename') | sort }}\"\n"),
        "roles/r/tasks/main.yml": "- debug: msg=\"{{ item | map('basename') | sort }}\"\n  loop:\n    - \"{{ q('fileglob', 'a*.txt') }}\"\n"
                                  "    - \"{{ q('fileglob', 'in_role.*') }}\"\n    - \"{{ q('fileglob', 'beside.*') }}\"\n    - \"{{ q('fileglob', 'files/b*') }}\"\n"
                                  "    - \"{{ q('fileglob', 'sub/*.txt', 'nothing*') }}\"\n",
        "roles/r/files/in_role.txt": "r\n", "roles/r/files/sub/one.txt": "1\n", "files/a1.txt": "1\n", "files/b1": "1\n", "a2.txt": "2\n", "beside.txt": "b\n",
    },
    "subelements: what is wrong": {"site.yml": tasks("""
- set_fact: {l: [{k: {v: 1}}]}
- debug: msg="{{ lookup('subelements', 9001, 'groups', wantlist=true) }}"
  ignore_errors: true
  register: a
- debug: msg="{{ q('subelements', l, 'k.v.w') }}"
  ignore_errors: true
  register: b
- set_fact: {skip: {skip_missing: true}}
- debug: msg="{{ q('subelements', l, 'k.v.w', skip) }}"
- debug: msg="{{ 'expects a dictionary' in a.msg }} {{ 'should point to a dictionary' in b.msg }}"
""")},
    "an inventory with commas in its path": {
        "site.yml": "- hosts: all\n  gather_facts: false\n  tasks:\n    - debug: msg={{ inventory_hostname }}\n",
        "a,b/hosts": "h1 ansible_connection=local\n", "args": ["-i", "a,b/hosts"],
    },
    "async: what cannot be a job": {"site.yml": tasks("""
- copy: {content: a, dest: "{out}/a"}
  async: 5
  ignore_errors: true
  register: r
- debug: msg={{ r.msg }}
- debug: msg=x
  async: 5
  ignore_errors: true
- command: echo a
  async: 5
  check_mode: true
  ignore_errors: true
  register: r
- debug: msg={{ r.msg }}
- set_stats: {data: text}
  ignore_errors: true
  register: r
- debug: msg={{ r.msg }}
- set_stats: {data: {"a b": 1}}
  ignore_errors: true
  register: r
- debug: msg={{ r.msg }}
- set_stats: {data: {k: 1}}
""")},
    "files of other encodings": {
        "site.yml": tasks("""
- shell: printf '[global]\\nk=\\351t\\351\\n' > {out}/l.ini; printf 'k,\\351\\n' > {out}/l.csv
- debug: msg="{{ lookup('ini', 'k', section='global', file='{out}/l.ini', encoding='iso8859-1') }}"
- debug: msg="{{ lookup('csvfile', 'k', file='{out}/l.csv', delimiter=',', encoding='iso8859-1') }}"
- debug: msg="{{ lookup('ini', 'k', section='global', file='{out}/l.ini', encoding=item) }} {{ 'é' | b64encode(encoding='latin_1') }}"
  loop: [latin_1, Latin-1, l1, iso8859, "8859", iso8859_15, ISO_8859-15, latin9, cp1252, "1252", windows_1252]
- debug: msg="{{ 'é' | b64encode(encoding=item) }} {{ 'w6k=' | b64decode(encoding=item) }}"
  loop: [u8, UTF_8, utf8]
- copy: {content: "a\n", dest: "{out}/r"}
- replace: {path: "{out}/r", regexp: a, replace: é, encoding: utf_8}
- debug: msg="{{ lookup('csvfile', 'file={out}/l.csv delimiter=,') }}"
  ignore_errors: true
"""),
    },
    "a change that fails says why": {"site.yml": tasks("""
- copy: {content: "a\\n", dest: "{out}/f"}
- block:
    - lineinfile: {path: "{out}/f", line: b, validate: /bin/true}
  rescue:
    - debug: msg="{{ ansible_failed_result.msg }}"
""")},
    "include_vars of a block of text": {"site.yml": tasks("- include_vars: >\n    v.yml\n- debug: msg={{ a }}\n"), "vars/v.yml": "a: 1\n"},
    "add_host with a port": {"site.yml": tasks("""
- add_host: {name: "127.0.1.1:2222"}
  register: r
- debug: msg="{{ r.add_host.host_name }} {{ r.add_host.host_vars }}"
- add_host: {name: "[::1]:22", groups: g}
  register: r
- debug: msg="{{ r.add_host.host_name }} {{ groups.g }}"
- add_host: {name: "fe80::1"}
  register: r
- debug: msg="{{ r.add_host.host_name }}"
""")},
    "argument_specs: everything that is wrong": {
        "site.yml": tasks("- block:\n    - include_role: {name: r}\n      vars: {flag: 7, c: z}\n  rescue:\n"
                          "    - debug: msg=\"{{ ansible_failed_result.argument_errors | length }} {{ ansible_failed_result.argument_errors.0 }}\"\n"),
        "roles/r/meta/argument_specs.yml": "argument_specs:\n  main:\n    options:\n      z: {required: true}\n      n: {type: int, required: true}\n"
                                           "      flag: {type: bool}\n      c: {choices: [a, b]}\n",
        "roles/r/tasks/main.yml": "- debug: msg=never\n",
    },
    "tags of plays and role entries stay as written": {
        "site.yml": PLAY + "  vars: {t: tee}\n  roles:\n    - {role: r, tags: ['{{ t }}']}\n  tasks:\n    - debug: msg=b\n      tags: '{{ t }}'\n"
                    + PLAY + "  vars: {t: tee}\n  tags: '{{ t }}'\n  tasks:\n    - debug: msg=c\n",
        "roles/r/tasks/main.yml": "- debug: msg=in_r\n", "args": ["--tags", "tee"],
    },
    "user and remote_user": {"site.yml": PLAY + "  user: root\n  remote_user: root\n  tasks:\n    - debug: msg=x\n"},
    "extra variables look like a file": {"site.yml": tasks("- debug: msg=x\n"), "args": ["-e", "./x.yml"]},
    "find: text of another encoding and of none": {"site.yml": tasks("""
- shell: mkdir -p /srv/f && printf '\\304\\343\\272\\303\\n' > /srv/f/gbk.txt
- find: {paths: /srv/f, patterns: "*.txt", contains: ".*你好.*", encoding: "{{ item }}"}
  loop: [utf-8, gbk, no-such-encoding, cp936]
  register: r
- debug: msg="{{ r.results | map(attribute='msg') | list }} {{ r.results | map(attribute='matched') | list }} {{ r.results | map(attribute='skipped_paths') | list }}"
- assert: {that: ["r.results[0].matched == 0", "r.results[1].matched == 1", "r.results[0].msg is search('Not all')", "'/srv/f' in r.results[2].skipped_paths"]}
""")},
    "lookup ini: what configparser refuses": {
        "twice.ini": "[a]\nname = one\nname = two\n", "again.ini": "[a]\nx = 1\n[b]\ny = 1\n[a]\nz = 2\n", "bare.ini": "x = 1\n[a]\ny = 1\n", "noise.ini": "[a]\nno sign\n",
        "header.ini": "[a] ; main\nx = 1\n[DEFAULT]\ny = 1\n[DEFAULT]\nz = 2\n",
        "site.yml": tasks("""
- debug: msg="{{ lookup('ini', 'name', section='a', file=item ~ '.ini') }}"
  loop: [twice, again, bare, noise]
  ignore_errors: true
- assert: {that: "lookup('ini', 'x', section='a', file='header.ini') == '1'"}
- debug: msg="{{ lookup('ini', 'x', section='nope', file='again.ini') }}"
  ignore_errors: true
""")},
    "set_stats: what is no boolean is false": {"site.yml": tasks("""
- set_stats: {data: {a: 1}, aggregate: x, per_host: maybe}
  register: r
- assert: {that: [not r.ansible_stats.aggregate, not r.ansible_stats.per_host]}
""")},
    "user: a password that nobody hashed": {"site.yml": tasks("""
- user: {name: root, password: "{{ item }}"}
  check_mode: true
  loop: [plain, "$6$salt$short", "!", "*", "a:b", "$1$x$aaaaaaaaaaaaaaaaaaaaaa", "$y$j9T$s$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "$z$only", "$x"]
  register: r
- copy: {content: "{{ r.results | map(attribute='warnings', default=[]) | map('length') | list }}", dest: /srv/warned}
""")},
    "results without the values of secret options": {"site.yml": tasks("""
- yum_repository: {name: a, description: words of pw1, baseurl: "http://pw1@h/", password: pw1, reposdir: "{out}", file: "{{ item }}"}
  loop: [of, pw1, pw1s]
  diff: true
  register: r
- debug: msg="{{ item.repo }} {{ item.diff.after }} {{ item.invocation.module_args.password }}"
  loop: "{{ r.results }}"
  loop_control: {label: x}
  when: item is changed
- yum_repository: {name: b, description: b, password: sixteen, baseurl: "http://sixteen/", reposdir: "{out}/sixteen"}
  ignore_errors: true
  register: f
- debug: msg="{{ f.msg }}"
""")},
    "assemble: check mode, before its folder is there": {"site.yml": tasks("""
- assemble: {src: "{out}/none", dest: "{out}/whole"}
  check_mode: true
  register: r
- assert: {that: [r is skipped, r is not changed, r is not failed]}
- assemble: {src: "{out}/none", dest: "{out}/whole"}
  ignore_errors: true
  register: r
- assert: {that: r is failed}
""")},
}
