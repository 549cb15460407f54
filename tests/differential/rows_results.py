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
    "extra variables look like a file": {"site.yml": tasks("- debug: msg=x\n"), "args": ["-e", "./x.yml"]},
}
