"""Several hosts that are all this machine, inventories, delegation, serial and strategies."""
ALL = "- hosts: all\n  gather_facts: false\n"


def on(text, keywords="", hosts="all"):
    """A play over hosts with these tasks."""
    return f"- hosts: {hosts}\n  gather_facts: false\n{keywords}  tasks:\n" + "".join(f"    {line}\n" for line in text.strip("\n").split("\n"))


THREE = {"args": ["-i", "a,b,c,"]}
INI = """[web]
w[1:3] port=80
w3 port=81

[db]
db-[a:b].x  role=db

[all:vars]
ansible_connection=local
where=all

[site:children]
web
db

[site:vars]
where=site
n=5
t=true
l=[1, 2]
q="quoted text"

[web:vars]
where=web
"""
YAML = """all:
  vars: {ansible_connection: local, lvl: all}
  hosts:
    lone: {lvl: host}
  children:
    front:
      hosts:
        f[01:02]: {}
      vars: {lvl: front, ansible_group_priority: 1}
    back:
      hosts: {b1: {x: 1}, f01: }
      vars: {lvl: back}
      children:
        deep:
          hosts: {d1: {lvl: d1}}
          vars: {lvl: deep}
"""

ROWS = {
    "ini inventory: ranges, children, vars, types": {
        "site.yml": on("""
- debug: msg="{{ inventory_hostname }} {{ inventory_hostname_short }} {{ where }} {{ port | default('none') }} {{ group_names }} {{ role | default('') }}"
- debug: msg="{{ n | default(0) | type_debug }} {{ t | default('') | type_debug }} {{ l | default('') | type_debug }} {{ q | default('') }}"
- debug: msg="{{ groups | dictsort }}"
  run_once: true
"""), "inv": INI, "args": ["-i", "inv"], "local": False},
    "yaml inventory: ranges, children, vars": {
        "site.yml": on("""
- debug: msg="{{ inventory_hostname }} {{ lvl }} {{ group_names }} {{ x | default('-') }}"
- debug: msg="{{ groups.back }} {{ groups.all }} {{ groups.ungrouped }}"
  run_once: true
"""), "inv.yml": YAML, "args": ["-i", "inv.yml"], "local": False},
    "inventory: several sources and a directory": {
        "site.yml": on("- debug: msg=\"{{ inventory_hostname }} {{ v }} {{ w | default('-') }} {{ inventory_dir | basename }} {{ inventory_file | basename }}\""),
        "inv/01.ini": "[g]\na v=1\nb v=1\n", "inv/02.yml": "g:\n  hosts:\n    b: {v: 2}\n    c: {v: 2}\n", "inv/group_vars/g.yml": "w: group\n",
        "more": "c v=3\nd v=3\n", "args": ["-i", "inv", "-i", "more"]},
    "group_vars and host_vars: beside inventory and playbook": {
        "site.yml": on("- debug: msg=\"{{ inventory_hostname }} {{ a }} {{ b }} {{ c }} {{ d }} {{ e }} {{ f }}\""),
        "inv/hosts": "[parent:children]\nchild\n[child]\nh1\nh2 e=line\n[all:vars]\na=inv\nb=inv\nc=inv\nd=inv\ne=inv\nf=inv\n",
        "inv/group_vars/all.yml": "b: all file\nc: all file\nd: all file\n", "inv/group_vars/parent/x.yml": "c: parent\nd: parent\n",
        "inv/group_vars/child.yaml": "d: child\n", "inv/host_vars/h1.yml": "e: host file\n", "group_vars/all/one.yml": "b: play all\n",
        "group_vars/child.yml": "c: play child\n", "host_vars/h2.yml": "f: play host\n", "args": ["-i", "inv/hosts"]},
    "patterns": {
        "site.yml": "".join(on("- debug: msg={{ inventory_hostname }}", hosts=f"'{p}'", keywords=f"  name: \"{p.replace('{', '').replace('~', 're ')}\"\n")
                            for p in ["web", "web:&one", "all:!web", "w*", "~[wd]b?1", "web[0]", "web[-1]", "web[0:1]", "db1,w2", "none_such", "web:db:!w1", "*"]),
        "inv": "[web]\nw1\nw2\n[db]\ndb1\n[one]\nw1\ndb1\n", "args": ["-i", "inv"]},
    "limit: with patterns and excluded hosts": {
        "site.yml": on("- debug: msg=\"{{ inventory_hostname }} {{ ansible_play_hosts_all }} {{ ansible_limit }}\"\n- debug: msg=\"{{ groups.web }}\""),
        "inv": "[web]\nw1\nw2\nw3\n[db]\ndb1\n", "args": ["-i", "inv", "--limit", "web:!w2"]},
    "limit that matches nobody": {"site.yml": on("- debug: msg=never"), "inv": "[web]\nw1\n", "args": ["-i", "inv", "--limit", "zz"]},
    "order: sorted": {"site.yml": on("- debug: msg={{ inventory_hostname }}", "  order: sorted\n"), "args": ["-i", "c,a,b,"]},
    "order: reverse_sorted and reverse_inventory": {
        "site.yml": on("- debug: msg={{ inventory_hostname }}", "  order: reverse_sorted\n") + on("- debug: msg={{ inventory_hostname }}", "  order: reverse_inventory\n"),
        "args": ["-i", "c,a,b,"]},
    "serial: percentages and lists": {
        "site.yml": on("- debug: msg=\"{{ ansible_play_batch }} {{ ansible_play_hosts }} {{ ansible_play_hosts_all }}\"", "  serial: [1, '50%', 10]\n")
        + on("- {command: echo, notify: h}", "  serial: 30%\n").replace("  tasks:", "  handlers:\n    - {name: h, debug: \"msg={{ play_hosts }}\"}\n  tasks:"),
        "args": ["-i", "a,b,c,d,e,"]},
    "serial: what int() makes of other values": {
        "site.yml": "".join(on("- debug: msg=\"{{ ansible_play_batch }}\"", f"  serial: {v}\n") for v in ("1.9", "true", "0", "-1", "'0%'", "[]", "' 2 '")), **THREE},
    "serial: templated, with a failing batch": {
        "site.yml": on("- {fail: msg=x, when: inventory_hostname == 'b'}\n- debug: msg=\"{{ inventory_hostname }}\"", "  serial: \"{{ n }}\"\n  vars: {n: 1}\n")
        + on("- debug: msg=second play"), **THREE},
    "serial: a whole batch fails and ends the run": {
        "site.yml": on("- {fail: msg=x, when: inventory_hostname in ['a', 'b']}\n- debug: msg=on", "  serial: 2\n"), "args": ["-i", "a,b,c,d,"]},
    "run_once: results, facts, failures and loops": {
        "site.yml": on("""
- {command: "echo {{ inventory_hostname }}", run_once: true, register: r}
- debug: msg="{{ r.stdout }}"
- {set_fact: {f: "{{ inventory_hostname }}"}, run_once: true}
- debug: msg="{{ f }}"
- {debug: "msg={{ item }}", loop: [1, 2], run_once: true}
- {debug: msg=x, run_once: true, when: inventory_hostname != 'a', register: s}
- debug: msg="{{ s is skipped }}"
- block:
    - debug: msg="{{ inventory_hostname }}"
  run_once: true
- {command: "false", run_once: true, ignore_errors: true, register: g}
- debug: msg="{{ g is failed }}"
"""), **THREE},
    "run_once: failing ends every host": {"site.yml": on("- {fail: msg=x, run_once: true}\n- debug: msg=never") + on("- debug: msg=never"), **THREE},
    "run_once: with delegate_to and include": {
        "site.yml": on("""
- {command: "echo {{ inventory_hostname }}", run_once: true, delegate_to: c, register: r}
- debug: msg="{{ r.stdout }}"
- {include_tasks: t.yml, run_once: true}
- {import_tasks: t.yml, run_once: true}
"""), "t.yml": "- debug: msg=\"{{ inventory_hostname }}\"\n", **THREE},
    "delegate_to: variables are of the original host": {
        "site.yml": on("""
- debug: msg="{{ inventory_hostname }} {{ v }}"
  delegate_to: b
- command: echo {{ v }} {{ hostvars['b'].v }}
  delegate_to: "{{ groups.all[1] }}"
  register: r
- debug: msg="{{ r.stdout }}"
- debug: msg={{ item }}
  delegate_to: "{{ item }}"
  loop: [a, b]
- command: echo {{ item }}
  delegate_to: localhost
  loop: [1]
  register: l
- debug: msg="{{ l.results[0].stdout }}"
"""), "inv": "a v=1\nb v=2\n", "args": ["-i", "inv"]},
    "delegate_facts": {
        "site.yml": on("""
- {set_fact: {x: "{{ inventory_hostname }}"}, delegate_to: b, delegate_facts: true, when: inventory_hostname == 'a'}
- debug: msg="{{ x | default('none') }} {{ hostvars.b.x | default('none') }}"
- {set_fact: {y: "{{ inventory_hostname }}"}, delegate_to: b, when: inventory_hostname == 'a'}
- debug: msg="{{ y | default('none') }}"
- {setup: {gather_subset: ["!all", min], filter: ansible_system}, delegate_to: b, delegate_facts: true, when: inventory_hostname == 'a'}
- debug: msg="{{ ansible_system | default('none') }} {{ ansible_facts.system | default('none') }}"
"""), "args": ["-i", "a,b,"]},
    "hostvars: facts, registered results and templates of others": {
        "site.yml": on("""
- {command: "echo {{ inventory_hostname }}", register: r}
- set_fact: {own: "fact {{ inventory_hostname }}"}
- debug: msg="{{ hostvars['b'].r.stdout }} {{ hostvars.a.own }} {{ hostvars[groups.all | last]['tpl'] }}"
- debug: msg="{{ groups.all | map('extract', hostvars, 'own') | list }}"
- debug: msg="{{ 'a' in hostvars }} {{ hostvars.nobody | default('none') }}"
- debug: msg="{{ hostvars.a.group_names }} {{ hostvars.a.inventory_hostname }}"
"""), "inv": "[g]\na\nb\n[g:vars]\ntpl=\"t {{ inventory_hostname }}\"\n", "args": ["-i", "inv"]},
    "failing hosts leave, the others go on": {
        "site.yml": on("""
- {fail: msg=x, when: inventory_hostname == 'b'}
- debug: msg="{{ ansible_play_hosts }} {{ ansible_play_batch }} {{ play_hosts }}"
- block:
    - {fail: msg=y, when: inventory_hostname == 'c'}
    - debug: msg=body
  rescue:
    - debug: msg=rescued
  always:
    - debug: msg=always
- debug: msg=after
""") + on("- debug: msg=next"), **THREE},
    "any_errors_fatal: play": {"site.yml": on("- {fail: msg=x, when: inventory_hostname == 'b'}\n- debug: msg=never", "  any_errors_fatal: true\n") + on("- debug: msg=never"), **THREE},
    "any_errors_fatal: on a task and with rescue": {
        "site.yml": on("""
- block:
    - {fail: msg=x, when: inventory_hostname == 'b', any_errors_fatal: true}
    - debug: msg=never
  rescue:
    - debug: msg=rescued
- debug: msg=after
"""), **THREE},
    "any_errors_fatal with ignore_errors": {"site.yml": on("- {fail: msg=x, when: inventory_hostname == 'b', ignore_errors: true}\n- debug: msg=on", "  any_errors_fatal: true\n"), **THREE},
    "any_errors_fatal and handlers": {
        "site.yml": on("- {command: echo, notify: h}\n- {fail: msg=x, when: inventory_hostname == 'b'}", "  any_errors_fatal: true\n  force_handlers: true\n  handlers:\n    - {name: h, debug: msg=h}\n"), **THREE},
    "max_fail_percentage: within and beyond": {
        "site.yml": on("- {fail: msg=x, when: inventory_hostname == 'a'}\n- debug: msg=on\n- {fail: msg=y, when: inventory_hostname in ['b', 'c']}\n- debug: msg=never", "  max_fail_percentage: 40\n"),
        "args": ["-i", "a,b,c,d,"]},
    "max_fail_percentage: zero, with serial": {
        "site.yml": on("- {fail: msg=x, when: inventory_hostname == 'a'}\n- debug: msg=on", "  max_fail_percentage: 0\n  serial: 2\n"), "args": ["-i", "a,b,c,d,"]},
    "strategy: free": {"site.yml": on("- debug: msg=1\n- {command: echo 2, notify: h}\n- {fail: msg=x, when: inventory_hostname == 'b'}\n- debug: msg=3",
                                      "  strategy: free\n  handlers:\n    - {name: h, debug: msg=h}\n"), **THREE, "unordered": True},
    "strategy: host_pinned": {"site.yml": on("- debug: msg=1\n- include_tasks: t.yml\n- debug: msg=3", "  strategy: host_pinned\n"), "t.yml": "- debug: msg=t\n", **THREE, "unordered": True},
    "throttle": {"site.yml": on("- {command: echo, throttle: 1}\n- block:\n    - command: echo\n  throttle: 2"), **THREE},
    "handlers: each host runs its own": {
        "site.yml": on("- {command: echo, notify: h, when: inventory_hostname != 'b'}\n- {command: echo, notify: \"for {{ inventory_hostname }}\"}",
                       "  handlers:\n    - {name: h, debug: \"msg={{ inventory_hostname }}\"}\n    - {name: \"for b\", debug: msg=only b}\n    - {name: \"for a\", debug: msg=a}\n    - {name: \"for c\", debug: msg=c}\n"), **THREE},
    "handlers: run_once, and flush for one host": {
        "site.yml": on("- {command: echo, notify: [h, o]}\n- meta: flush_handlers\n  when: inventory_hostname == 'a'\n- debug: msg=between\n",
                       "  handlers:\n    - {name: h, debug: \"msg={{ inventory_hostname }}\"}\n    - {name: o, debug: msg=once, run_once: true}\n"), **THREE},
    "include_tasks: another file for each host": {
        "site.yml": on("- include_tasks: \"{{ inventory_hostname }}.yml\"\n- include_tasks: a.yml\n  when: inventory_hostname == 'b'\n- debug: msg=end"),
        "a.yml": "- {name: ta, debug: msg=a}\n", "b.yml": "- {name: tb, debug: msg=b}\n- {name: tb2, fail: msg=x}\n", "c.yml": "- {name: tc, debug: msg=c}\n", **THREE},
    "include_role and roles per host": {
        "site.yml": on("- include_role: {name: r}\n  when: inventory_hostname != 'b'\n- include_role: {name: \"{{ which }}\"}\n  vars: {which: \"{{ 'r' if inventory_hostname == 'a' else 's' }}\"}",
                       "  roles:\n    - {role: s, when: inventory_hostname == 'c'}\n"),
        "roles/r/tasks/main.yml": "- debug: msg=\"r {{ inventory_hostname }}\"\n", "roles/s/tasks/main.yml": "- debug: msg=\"s {{ inventory_hostname }}\"\n", **THREE},
    "add_host: variables, groups and the next play": {
        "site.yml": on("""
- add_host: {name: "new-{{ inventory_hostname }}", groups: [fresh, "of_{{ inventory_hostname }}"], v: "{{ inventory_hostname }}", l: [1, 2]}
- add_host: {hostname: loop{{ item }}, groupname: "looped,fresh"}
  loop: [1, 2]
- debug: msg="{{ groups.fresh }} {{ groups.looped }} {{ ansible_play_hosts }}"
""") + on("- debug: msg=\"{{ inventory_hostname }} {{ v | default('-') }} {{ l | default([]) }} {{ group_names }}\"", hosts="fresh"), "args": ["-i", "a,b,"]},
    "group_by: keys, parents and group_vars": {
        "site.yml": on("- group_by: {key: \"os_{{ os }}\", parents: [systems]}\n- debug: msg=\"{{ gv | default('none') }} {{ group_names }}\"")
        + on("- debug: msg=\"{{ inventory_hostname }} {{ gv }}\"", hosts="os_x") + on("- debug: msg={{ inventory_hostname }}", hosts="systems"),
        "inv": "a os=x\nb os=y\nc os=x\n", "group_vars/os_x.yml": "gv: group x\n", "group_vars/os_y.yml": "gv: group y\n", "args": ["-i", "inv"]},
    "meta: end_host, end_batch and end_play for some": {
        "site.yml": on("- meta: end_host\n  when: inventory_hostname == 'a'\n- debug: msg=1\n- {command: echo, notify: h}\n- meta: end_batch\n  when: inventory_hostname == 'b'\n- debug: msg=2",
                       "  serial: 2\n  handlers:\n    - {name: h, debug: msg=h}\n") + on("- debug: msg=3\n- meta: end_play\n- debug: msg=never"), **THREE},
    "meta: clear_host_errors brings hosts back": {
        "site.yml": on("- {fail: msg=x, when: inventory_hostname == 'b'}\n- debug: msg=1\n- meta: clear_host_errors\n- debug: msg=2") + on("- debug: msg=3"), **THREE},
    "variables: set on one host are not on another": {
        "site.yml": on("- {set_fact: {x: 1}, when: inventory_hostname == 'a'}\n- {include_vars: v.yml, when: inventory_hostname == 'b'}\n- debug: msg=\"{{ x | default('-') }} {{ y | default('-') }}\"\n- {command: echo, register: r, when: inventory_hostname == 'c'}\n- debug: msg=\"{{ r.stdout is defined }}\""),
        "v.yml": "y: 2\n", **THREE},
    "connection: local by variable, keyword and group": {
        "site.yml": on("- debug: msg=\"{{ inventory_hostname }} {{ ansible_connection | default('none') }}\"", "  connection: local\n"),
        "inv": "[g]\na\nb\n[g:vars]\nansible_connection=local\n", "args": ["-i", "inv"], "local": False},
    "hosts: list, templated, and localhost beside others": {
        "site.yml": on("- debug: msg={{ inventory_hostname }}", hosts="[a, c]") + on("- debug: msg={{ inventory_hostname }}", hosts="\"{{ who }}\"") + on("- debug: msg=\"{{ inventory_hostname }} {{ groups.all }}\"", hosts="localhost"),
        "args": ["-i", "a,b,c,", "-e", "who=b:c"]},
    "vars_files and roles with several hosts": {
        "site.yml": on("- debug: msg=\"{{ fv }} {{ rd }}\"", "  vars_files:\n    - [\"{{ inventory_hostname }}.yml\", other.yml]\n  roles: [r]\n"),
        "a.yml": "fv: a\n", "other.yml": "fv: other\n", "roles/r/defaults/main.yml": "rd: \"default {{ fv }}\"\n", "roles/r/tasks/main.yml": "- debug: msg=\"{{ rd }}\"\n", **THREE},
    "gather_facts: subset and several hosts": {
        "site.yml": "- hosts: all\n  gather_facts: true\n  gather_subset: ['!all', '!min']\n  tasks:\n    - debug: msg=\"{{ ansible_facts.gather_subset }} {{ ansible_facts.module_setup }}\"\n", "args": ["-i", "a,b,"]},
    "how a task's host is reached": {
        "inv": "a ansible_connection=local\nb ansible_connection=local\nc ansible_connection=local ansible_host=10.1.1.1\nd ansible_connection=local ansible_ssh_host=10.1.1.2 ansible_ssh_user=sue\n",
        "site.yml": on("""- set_fact:
    said: "{{ ansible_host }} {{ ansible_ssh_host }} {{ ansible_user }} {{ ansible_ssh_user }} {{ ansible_port | default('U') }} {{ ansible_connection }}"
    more: "{{ ansible_timeout }} {{ ansible_pipelining is boolean }} {{ ansible_shell_executable }} {{ ansible_module_compression }} {{ ansible_password | default('U') }}"
- copy: {content: "{{ said }} {{ more }}", dest: "/srv/{{ inventory_hostname }}"}
  when: ansible_host != 'nobody'
- copy: {content: "{{ ansible_host }} {{ ansible_user }}", dest: "/srv/{{ inventory_hostname }}.b"}
  delegate_to: b
  remote_user: jim
- copy: {content: "{{ ansible_host }}", dest: "/srv/{{ inventory_hostname }}.c"}
  delegate_to: c
- copy: {content: "{{ hostvars[inventory_hostname].ansible_host | default('none') }} {{ item }}", dest: "/srv/{{ inventory_hostname }}.hostvars"}
  loop: ["{{ ansible_host | default('none') }}"]
- copy: {content: "{{ lookup('vars', 'ansible_host') }} {{ query('varnames', '^ansible_(host|ssh|time|shell)') | sort }}", dest: "/srv/{{ inventory_hostname }}.names"}
""", "  remote_user: joe\n") + on("""- copy: {content: "{{ ansible_host }} {{ ansible_ssh_host }} {{ hostvars.localhost.ansible_host | default('U') }}", dest: /srv/implicit}
- assert: {that: ansible_python_interpreter is defined}
""", hosts="localhost"),
        "args": ["-i", "inv"]},
}
