"""Words of the language that the other rows leave out, and what Ansible's own integration targets found wrong here once."""
from rows_hosts import THREE, on

# Made with ansible-vault; the passwords stand in the rows.
DEV = """$ANSIBLE_VAULT;1.2;AES256;dev
34616366373562613531346265653634333635316239613364333037383864653734613539363362
6563323833333563306233396662626232313831383535370a616664373137303831643063663830
64373636633765666432653233303938303261333237313366623264326165633135383030663734
3930316337346161620a626438373866343437366132623431623232656462663037663830323563
3364
"""
PROD = """$ANSIBLE_VAULT;1.2;AES256;prod
31633566343332333464386266616161306466316163616661383862656461613532636332383938
3165616334646263386535333734393565333137356234620a646631663135353636323965353437
33323461636461373139353162363737653233303563616531353136623132373233383536363666
3839636633666663380a663365336165653339386237343032343531373966623535393065326439
3930
"""
FILE = """$ANSIBLE_VAULT;1.1;AES256
32316536343936393434306564646631396564633232626235626633343534393337653666393766
3935353837373066626334663964336362613061346561640a373130326431303732643938306538
64393266633933666434653335386264393033326162393364306662343566316561646236303661
3266366639366530640a396138663462383038666438386638303038663666373339636330393632
34346333656137363430646133376163636238626465633166393338653863393133
"""


def inline(name, envelope):
    return f"    {name}: !vault |\n" + "".join(f"      {line}\n" for line in envelope.splitlines())


def levels():
    """Variable pK is given at the levels K and K + 1 of Ansible's order, so that each level has to win once."""
    def at(level, form="p{0}: L{1}"):
        return [form.format(n, level) for n in (level - 1, level)]

    def file(level):
        return "\n".join(at(level)) + "\n"

    def flow(level):
        return "{" + ", ".join(at(level)) + "}"

    def words(level):
        return " ".join(at(level, "p{0}=L{1}"))

    shown = "- debug: msg=\"{{ [" + ", ".join(f"p{n} | default('none')" for n in range(1, 21)) + "] }}\"\n"
    return {
        "site.yml": f"""- hosts: h
  gather_facts: false
  vars: {flow(11)}
  vars_files: [files.yml]
  pre_tasks:
    - {{set_fact: {{cacheable: true, p9: L10, p10: L10}}}}
    - meta: noop
  roles:
    - {{role: r, p18: L19, p19: L19}}
  tasks:
    - block:
        - include_tasks: t.yml
          vars: {flow(20)}
      vars: {flow(15)}
""",
        "t.yml": shown, "files.yml": file(13), "included.yml": file(17),
        "roles/r/defaults/main.yml": file(1), "roles/r/vars/main.yml": file(14),
        "roles/r/tasks/main.yml": f"- include_vars: ../../../included.yml\n- set_fact: {flow(18)}\n- block:\n    {shown.strip()}\n      vars: {flow(16)}\n  vars: {flow(15)}\n",
        "inv/hosts": f"[g]\nh {words(7)}\n[g:vars]\n" + "\n".join(at(2, "p{0}=L{1}")) + "\n",
        "inv/group_vars/all.yml": file(3), "group_vars/all.yml": file(4), "inv/group_vars/g.yml": file(5), "group_vars/g.yml": file(6),
        "inv/host_vars/h.yml": file(8), "host_vars/h.yml": file(9), "args": ["-i", "inv/hosts", "-e", "p20=L21 p21=L21"],
    }


# The Python of the tests may lie where others may not read.
SU = "become: true\n  become_method: su\n  become_flags: -s /bin/sh\n  vars: {ansible_python_interpreter: /usr/bin/python3}\n"

ROWS = {
    "precedence: every level wins once": levels(),
    "vault: inline secrets of several ids": {
        "site.yml": "- hosts: localhost\n  gather_facts: false\n  vars:\n" + inline("d", DEV) + inline("p", PROD)
        + "  tasks:\n    - assert: {that: [\"d + ' and ' + p == 'secret of dev and secret of prod'\"]}\n    - {copy: {content: \"{{ d }}\", dest: \"{out}/d\"}, no_log: true}\n",
        "pw1": "one\n", "pw2": "two\n", "args": ["--vault-id", "dev@pw1", "--vault-id", "prod@pw2"]},
    "vault: the one secret opens whatever label it has": {
        "site.yml": "- hosts: localhost\n  gather_facts: false\n  vars:\n" + inline("d", DEV) + "  tasks:\n    - assert: {that: [\"d == 'secret of dev'\"]}\n", "pw1": "one\n",
        "args": ["--vault-password-file", "pw1"]},
    "vault: a wrong password and none at all": {
        "site.yml": "- hosts: localhost\n  gather_facts: false\n  vars:\n" + inline("d", PROD)
        + "  tasks:\n    - debug: msg=before\n    - {debug: msg={{ d }}, ignore_errors: true}\n    - debug: msg=after\n".replace("msg={{ d }}", "{msg: '{{ d }}'}"), "pw1": "one\n",
        "args": ["--vault-password-file", "pw1"]},
    "vault: files of variables and files that are copied": {
        "site.yml": "- hosts: localhost\n  gather_facts: false\n  vars_files: [secret.yml]\n  tasks:\n    - assert: {that: [\"from_file == 'plain'\", \"list == [1, 2]\"]}\n"
        "    - {include_vars: {file: secret.yml, name: n}}\n    - debug: msg=\"{{ n.list }}\"\n    - {copy: {src: secret.yml, dest: \"{out}/open\"}}\n"
        "    - {copy: {src: secret.yml, dest: \"{out}/closed\", decrypt: false}}\n    - assert: {that: [\"lookup('file', 'secret.yml') is search('from_file: plain')\"]}\n",
        "secret.yml": FILE, "group_vars/all.yml": FILE, "pw1": "one\n", "args": ["--vault-password-file", "pw1"]},
    "become: su, levels, flags and omit": {
        "site.yml": f"- hosts: localhost\n  gather_facts: false\n  {SU}" + """  become_user: nobody
  tasks:
    - {command: id -un, register: a}
    - {command: id -un, register: b, become: false}
    - {command: id -un, register: c, become: "{{ omit }}"}
    - block:
        - {command: id -un, register: d}
        - {shell: "echo $HOME $USER", register: e, become_flags: "-l -s /bin/sh"}
      become_user: games
    - debug: msg="{{ a.stdout }} {{ b.stdout }} {{ c.stdout }} {{ d.stdout }} {{ e.stdout }}"
    - {command: id -un, register: f, vars: {ansible_become_user: daemon}}
    - debug: msg="{{ f.stdout }}"
    - {command: id -un, become_user: nobody_at_all, ignore_errors: true}
"""},
    "become: files belong to who made them": {
        "site.yml": f"- hosts: localhost\n  gather_facts: false\n  {SU}" + """  tasks:
    - {file: {path: "{out}/d", state: directory, mode: "0777"}}
    - {copy: {content: x, dest: "{out}/d/f", mode: "0640"}, become_user: nobody}
    - {shell: "echo y > {out}/d/g", become_user: games}
    - {template: {src: t.j2, dest: "{out}/d/t"}, become_user: games}
""", "t.j2": "{{ 1 + 1 }}\n"},
    "handlers include files that lie among the tasks of their role": {
        "site.yml": "- hosts: localhost\n  gather_facts: false\n  roles: [r]\n",
        "roles/r/tasks/main.yml": "- {command: echo, notify: [inc, imp, own]}\n", "roles/r/tasks/x.yml": "- debug: msg=x\n", "roles/r/tasks/y.yml": "- debug: msg=tasks\n",
        "roles/r/handlers/y.yml": "- debug: msg=handlers\n",
        "roles/r/handlers/main.yml": "- {name: inc, include_tasks: x.yml}\n- {name: imp, include_tasks: ../tasks/x.yml}\n- {name: own, include_tasks: y.yml}\n"},
    "handlers: notified by role and listen word, with and without the collection": {
        "site.yml": "- hosts: localhost\n  gather_facts: false\n  roles: [r, ns.col.r2]\n  tasks:\n    - {command: echo, notify: ['r : word', 'ns.col.r2 : word2', 'r2 : h2']}\n",
        "roles/r/handlers/main.yml": "- {name: h1, debug: msg=h1, listen: word}\n", "roles/r/tasks/main.yml": "- debug: msg=r\n",
        "collections/ansible_collections/ns/col/roles/r2/tasks/main.yml": "- debug: msg=r2\n",
        "collections/ansible_collections/ns/col/roles/r2/handlers/main.yml": "- {name: h2, debug: msg=h2}\n- {name: h3, debug: msg=h3, listen: word2}\n"},
    "force_handlers: the play counts more than the command line": {
        "site.yml": "- hosts: localhost\n  gather_facts: false\n  force_handlers: false\n  handlers: [{name: h, debug: msg=h}]\n  tasks: [{command: echo, notify: h}, {fail: }]\n",
        "args": ["--force-handlers"]},
    "add_host: a dictionary, what changes, and changed_when": {
        "site.yml": on("""
- set_fact: {d: {hostname: nh, ansible_port: "2222", foo: [1]}}
- add_host: "{{ d }}"
- debug: msg="{{ hostvars['nh'].foo }} {{ hostvars['nh'].group_names }}"
- {add_host: {name: b, v: 1}}
- {add_host: {name: b, v: 1}}
- {add_host: {name: b, v: 2}}
- {add_host: {name: b, groups: g}}
- {add_host: {name: b, groups: g}}
- {add_host: {name: c}, changed_when: false}
- {add_host: {name: "h{{ item }}"}, loop: [1, 2], changed_when: item == 2, register: r}
- debug: msg="{{ r.results | map(attribute='changed') }} {{ r is changed }}"
- {add_host: {name: again}, changed_when: r is not changed, register: r}
- debug: msg="{{ r is changed }}"
- {group_by: {key: k}, changed_when: false}
- {group_by: {key: "k{{ item }}"}, loop: [1, 2], changed_when: item == 2, register: r}
- debug: msg="{{ r.results | map(attribute='changed') }} {{ r is changed }}"
"""), "args": ["-i", "a,"]},
    "add_host: one host does it for all": {
        "site.yml": on("- {add_host: {name: \"n-{{ inventory_hostname }}\", groups: g}, register: r}\n- debug: msg=\"{{ groups.g }} {{ r is defined }}\""), **THREE},
    "serial is omitted, order is a template": {
        "site.yml": on("- debug: msg=\"{{ ansible_play_batch }}\"", "  serial: \"{{ n | default(omit) }}\"\n  order: \"{{ o | default('reverse_inventory') }}\"\n"), **THREE},
    "hostvars of hosts outside the play": {
        "site.yml": on("- debug: msg=\"{{ hostvars.b.x }} {{ hostvars.b.gv }} {{ hostvars.b.hv }} {{ hostvars['b'].group_names }}\"", hosts="a"),
        "inv": "a\n[g]\nb x=1\n", "group_vars/g.yml": "gv: group\n", "host_vars/b.yml": "hv: host\n", "args": ["-i", "inv"]},
    "the implicit localhost": {
        "site.yml": "- hosts: localhost\n  gather_facts: false\n  tasks:\n    - debug: msg=\"{{ groups }} {{ group_names }} {{ hostvars.localhost.ansible_connection }} {{ gv }}\"\n",
        "group_vars/all.yml": "gv: all\n", "local": False},
    "environment out of facts that are not there yet": {
        "site.yml": "- hosts: localhost\n  gather_facts: true\n  gather_subset: ['!all', '!min', env]\n  environment:\n    PATH: \"{{ ansible_env.PATH }}:/lola\"\n    LOLA: here\n  tasks:\n"
        "    - debug: msg=\"{{ ansible_env.LOLA }} {{ '/lola' in ansible_env.PATH }}\"\n    - {shell: 'echo ${PATH##*:}', register: r}\n    - debug: msg={{ r.stdout }}\n"},
    "the failed task keeps its name as it was": {
        "site.yml": on("""
- block:
    - {name: "plain {{ x }}", fail: {msg: "{{ item }}"}, loop: [1]}
  vars: {x: y}
  rescue:
    - debug: msg="{{ ansible_failed_task.name }}"
"""), "args": ["-i", "a,"]},
    "with_inventory_hostnames, with_random_choice and lookups that want lists": {
        "site.yml": on("""
- {debug: "msg={{ item }}", with_inventory_hostnames: ["all:!b"], run_once: true}
- {debug: "msg={{ item }}", with_random_choice: [same, same], run_once: true}
- {debug: "msg={{ item }}", with_list: {a: 1}, ignore_errors: true, run_once: true}
- {debug: "msg={{ item }}", with_indexed_items: {a: 1}, ignore_errors: true, run_once: true}
- {debug: "msg={{ item }}", with_sequence: "start=0 junk=3", ignore_errors: true, run_once: true}
"""), **THREE},
    "include_vars: files without an extension": {
        "site.yml": on("- {include_vars: {dir: d, extensions: ['', yml], ignore_unknown_extensions: true}}\n- debug: msg=\"{{ a }} {{ b }} {{ c | default('none') }}\""),
        "d/bare": "a: 1\n", "d/b.yml": "b: 2\n", "d/c.json": "{\"c\": 3}\n", "args": ["-i", "h,"]},
    "meta: clear_host_errors in an always lets its host go on": {
        "site.yml": on("""
- block:
    - fail:
      when: inventory_hostname == 'a'
    - debug: msg=body
  always:
    - debug: msg=always
    - meta: clear_host_errors
- block:
    - block:
        - fail:
      run_once: true
  always:
    - meta: clear_host_errors
- debug: msg=on
"""), "args": ["-i", "a,b,"]},
    "limit from a file": {"site.yml": on("- debug: msg={{ inventory_hostname }}"), "only": "a\nc\n", "args": ["-i", "a,b,c,", "--limit", "@only"]},
    "limit from a file that is not there": {"site.yml": on("- debug: msg=never"), "args": ["-i", "a,b,", "--limit", "@nowhere"]},
    "the time to the microsecond": {"site.yml": on("- debug: msg=\"{{ now(fmt='%f') | length }} {{ now(fmt='%%f %Y') | length }}\""), "args": ["-i", "h,"]},
    "user of a play is its remote_user": {"site.yml": on("- debug: msg=ok", "  user: somebody\n"), "args": ["-i", "h,"]},
    "flags that are not boolean": {"site.yml": on("- {debug: msg=x, diff: 'yes.', ignore_errors: true}\n- {debug: msg=x, check_mode: 'maybe', ignore_errors: true}\n- debug: msg=on"), "args": ["-i", "h,"]},
    "messages that are no text: debug and fail": {"site.yml": on("""
- {debug: {msg: null}, register: d}
- debug: msg="{{ d.msg is none }}"
- {fail: {msg: "{{ item }}"}, loop: [{a: 1}, [1, 2], 5, 1.5, true], ignore_errors: true, register: f}
- debug: msg="{{ f.results | map(attribute='msg') | list }} {{ f.results | map(attribute='msg') | map('type_debug') | list }}"
- {fail: {msg: null}, ignore_errors: true, register: f}
- debug: msg="{{ f.msg is none }}"
- {fail: , ignore_errors: true, register: f}
- debug: msg="{{ f.msg }}"
"""), "args": ["-i", "h,"]},
    "include_vars that fails says why in message": {"site.yml": on("""
- {include_vars: nope.yml, ignore_errors: true, register: r}
- debug: msg="{{ r.keys() | sort }} {{ r.message.split(chr) | first }} {{ r.ansible_facts }} {{ r.ansible_included_var_files }}"
  vars: {chr: "\n"}
- {include_vars: list.yml, ignore_errors: true, register: r}
- debug: msg="{{ r.keys() | sort }} {{ r.msg is defined }} {{ r.message }}"
- {include_vars: {dir: nowhere}, ignore_errors: true, register: r}
- debug: msg="{{ r.keys() | sort }} {{ r is failed }}"
"""), "list.yml": "[1]\n", "args": ["-i", "h,"]},
    "file and known_hosts: the difference is part of the result": {"site.yml": on("""
- {file: {path: "{out}/d", state: directory}, register: r}
- debug: msg="{{ r.diff }}"
- {file: {path: "{out}/d", state: directory, mode: "0700"}, register: r}
- debug: msg="{{ r.diff }}"
- {file: {path: "{out}/d/l", src: x, state: link, force: true, follow: false}, register: r}
- debug: msg="{{ r.diff }}"
- {file: {path: "{out}/d/t", state: touch, mode: "0600"}, changed_when: false, register: r}
- debug: msg="{{ r.diff.after.state }} {{ r.diff.before.path }}"
- {file: {path: "{out}/d/t", mode: "0640", owner: daemon}, register: r}
- debug: msg="{{ r.diff }}"
- {file: {path: "{out}/d", state: absent}, register: r}
- debug: msg="{{ r.diff.after }} {{ r.diff.before.path_content.files | sort }} {{ r.diff.before.state }}"
- {file: {path: "{out}/d", state: absent}, register: r}
- debug: msg="{{ r.diff | default('none') }}"
- {known_hosts: {path: "{out}/k", name: h, key: "h ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ+0kv5BKvSwyYdTVAjcPQQ0tOqWDWBYCqvaN8U9+mAl"}, register: r}
- debug: msg="{{ r.diff }}"
"""), "args": ["-i", "h,"]},
    "an inventory that is not there: nobody is in it": {"site.yml": "- hosts: localhost\n  gather_facts: false\n  tasks: [debug: ]\n" + on("- debug:"), "args": ["-i", "nowhere"], "local": False},
    "an inventory that is not there beside one that is": {"site.yml": on("- debug: msg={{ groups.all }}"), "args": ["-i", "nowhere", "-i", "a,"]},
    "a task to start at that is not there": {"site.yml": on("- {name: one, debug: }"), "args": ["-i", "a,", "--start-at-task", "two"]},
    "a wrong word: serial": {"site.yml": on("- debug:", "  serial: many\n"), "args": ["-i", "a,"]},
    "a wrong word: serial, of a batch that comes": {"site.yml": on("- debug:", "  serial: [1, many]\n"), **THREE},
    "a wrong word: serial, of a batch that never comes": {"site.yml": on("- debug:", "  serial: [1, many]\n"), "args": ["-i", "a,"]},
    "a wrong word: serial, undefined": {"site.yml": on("- debug:", "  serial: \"{{ many }}\"\n"), "args": ["-i", "a,"]},
    "a wrong word: order": {"site.yml": on("- debug:", "  order: upwards\n"), "args": ["-i", "a,"]},
    "a wrong word: strategy": {"site.yml": on("- debug:", "  strategy: upwards\n"), "args": ["-i", "a,"]},
    "a wrong word: max_fail_percentage": {"site.yml": on("- debug:", "  max_fail_percentage: some\n"), "args": ["-i", "a,"]},
    "a wrong word: extra variables that are a list": {"site.yml": on("- debug:"), "args": ["-i", "a,", "-e", "[1, 2]"]},
    "max_fail_percentage: a fraction, a percent sign, a template": {"site.yml": "".join(
        on("- {fail: , when: inventory_hostname == 'a'}\n- debug: msg=on\n- meta: clear_host_errors", f"  max_fail_percentage: {v}\n  vars: {{p: 33}}\n") for v in ("33.4", "'34%'", "\"{{ p + 1 }}\"")), **THREE},
    "max_fail_percentage: a fraction too small": {"site.yml": on("- {fail: , when: inventory_hostname == 'a'}\n- debug: msg=on", "  max_fail_percentage: 33.2\n"), **THREE},
    "run_once and any_errors_fatal: templates": {"site.yml": on("""
- {debug: msg=once, run_once: "{{ t }}"}
- {debug: msg=each, run_once: "{{ not t }}"}
- {debug: msg=each, run_once: "no"}
- {fail: , when: inventory_hostname == 'b', any_errors_fatal: "{{ not t }}"}
- debug: msg=never
""", "  vars: {t: true}\n"), **THREE},
    "an include whose variable names itself": {"site.yml": on("- {include_tasks: inc.yml, vars: {n: 3}}\n- {include_tasks: inc.yml, vars: {n: \"{{ n | int - 1 }}\"}}\n- debug: msg=never"),
                                               "inc.yml": "- debug: msg=\"n {{ n | default('none') }}\"\n", "args": ["-i", "h,"]},
    "with_lines, with_random_choice, with_inventory_hostnames": {"site.yml": on("""
- {debug: "msg={{ item }}", with_lines: ["printf 'a b\\nc\\n'", "echo {{ inventory_hostname }}"]}
- {debug: "msg={{ item }}", with_inventory_hostnames: "all:!a"}
- {set_fact: {seen: "{{ item }}"}, with_random_choice: [one, two, three]}
- debug: msg="{{ seen in ['one', 'two', 'three'] }}"
"""), "args": ["-i", "a,b,"]},
    "throttle: templates, zero and in a block": {"site.yml": on("- {command: echo, throttle: \"{{ t }}\"}\n- {command: echo, throttle: 0}\n- block: [command: echo]\n  throttle: 1", "  vars: {t: 2}\n"), **THREE},
    "loop_control: a word that is not there": {"site.yml": on("- {debug: msg=x, loop: [1], loop_control: {nosuch: 1}}"), "args": ["-i", "h,"]},
    "ignore_unreachable on play, block and task": {"site.yml": on("- {ping: }\n- block: [ping: ]\n  ignore_unreachable: \"{{ true }}\"", "  ignore_unreachable: true\n"), "args": ["-i", "h,"]},
    "check mode: the groups of a user that is yet to come": {"site.yml": on("""
- group: {name: hf_demo_group}
- user: {name: hf_demo_user, group: hf_demo_group, groups: [hf_demo_other]}
- user: {name: nobody, group: hf_demo_group}
  ignore_errors: true
- user: {name: nobody, groups: [hf_demo_group]}
  ignore_errors: true
"""), "args": ["--check", "-i", "h,"]},
}
