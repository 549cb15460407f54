"""`holdfast lint` and refusals: what holdfast has not is named with its place, all at once by lint, at load where a task is
sure to run, and otherwise before anything of the task happens. Where Ansible refuses too, its words are asked for."""
import json
import os
import pathlib
import subprocess
import sys

import pytest

PLAY = "- hosts: all\n  gather_facts: false\n  tasks:\n"


def write(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def tasks(text):
    return PLAY + "".join("  " + line + "\n" for line in text.strip("\n").splitlines())


# title, files, what lint finds: kind, name, file:line:column, when it matters
LINT = [
    ("a module that is not there", {"site.yml": tasks("- zfs: {name: x}")}, [("module", "zfs", "site.yml:4:5", "sure")]),
    ("a condition may keep it from running", {"site.yml": tasks("- zypper: {name: x}\n  when: suse")},
     [("module", "zypper", "site.yml:4:5", "reached")]),
    ("a condition on the block", {"site.yml": tasks("- when: suse\n  block:\n  - zypper: {name: x}")},
     [("module", "zypper", "site.yml:6:7", "reached")]),
    ("a rescue", {"site.yml": tasks("- block:\n  - ping:\n  rescue:\n  - zfs: {}")}, [("module", "zfs", "site.yml:7:7", "reached")]),
    ("a full name", {"site.yml": tasks("- kubernetes.core.k8s: {}")}, [("module", "kubernetes.core.k8s", "site.yml:4:5", "sure")]),
    ("a misspelt module", {"site.yml": tasks("- cpoy: {}")}, [("module", "cpoy", "site.yml:4:5", "sure")]),
    ("an option that is not there", {"site.yml": tasks("- copy: {dest: /x, contnet: y}")}, [("option", "copy.contnet", "site.yml:4:22", "sure")]),
    ("a value no option takes", {"site.yml": tasks("- file: {path: /x, state: folder}")},
     [("option", "file.state=folder", "site.yml:4:29", "sure")]),
    ("a keyword", {"site.yml": tasks("- ping:\n  whenn: x")}, [("keyword", "whenn", "site.yml:5:5", "sure")]),
    ("a refused keyword", {"site.yml": "- hosts: all\n  strategy: debug\n"}, [("keyword", "strategy", "site.yml:2:3", "sure")]),
    ("a refused become_method", {"site.yml": tasks("- ping:\n  become_method: doas")}, [("keyword", "become_method", "site.yml:5:5", "sure")]),
    ("a filter", {"site.yml": tasks("- debug: {msg: '{{ x | community.crypto.split_pem }}'}")},
     [("filter", "community.crypto.split_pem", "site.yml:4:18", "sure")]),
    ("a filter in a branch that is not taken", {"site.yml": tasks("- debug: {msg: '{% if false %}{{ 1 | nope }}{% endif %}'}")},
     [("filter", "nope", "site.yml:4:18", "sure")]),
    ("a filter named by map", {"site.yml": tasks("- debug: {msg: \"{{ [1] | map('nope') | list }}\"}")}, [("filter", "nope", "site.yml:4:18", "sure")]),
    ("a test named by selectattr", {"site.yml": tasks("- debug: {msg: \"{{ [] | selectattr('a', 'nope') | list }}\"}")},
     [("test", "nope", "site.yml:4:18", "sure")]),
    ("a test in a condition", {"site.yml": tasks("- ping:\n  failed_when: x is nope")}, [("test", "nope", "site.yml:5:18", "sure")]),
    ("a test in assert", {"site.yml": tasks("- assert: {that: ['x is nope']}")}, [("test", "nope", "site.yml:4:21", "sure")]),
    ("a lookup", {"site.yml": tasks("- debug: {msg: \"{{ lookup('aws_ssm', 'x') }}\"}")}, [("lookup", "aws_ssm", "site.yml:4:18", "sure")]),
    ("a loop's lookup", {"site.yml": tasks("- ping:\n  with_dig: [a]")}, [("lookup", "dig", "site.yml:5:5", "reached")]),
    ("a file that is not there", {"site.yml": tasks("- include_tasks: gone.yml")}, [("file", "gone.yml", "site.yml:4:20", "sure")]),
    ("a file that is included", {"site.yml": tasks("- include_tasks: more.yml"), "more.yml": "- zfs: {}\n"}, [("module", "zfs", "more.yml:1:3", "sure")]),
    ("an imported playbook", {"site.yml": "- import_playbook: b.yml\n", "b.yml": tasks("- zfs: {}")}, [("module", "zfs", "b.yml:4:5", "sure")]),
    ("broken YAML", {"site.yml": "- hosts: all\n  tasks: [\n"}, [("syntax", "file", "site.yml:3:1", "sure")]),
    ("a role that is not there", {"site.yml": "- hosts: all\n  roles: [gone]\n"}, [("role", "gone", "site.yml:2:11", "sure")]),
    ("a role's other system", {"site.yml": "- hosts: all\n  roles: [r]\n", "roles/r/tasks/main.yml": "- include_tasks: \"{{ ansible_os_family }}.yml\"\n",
                               "roles/r/tasks/Suse.yml": "- zypper: {name: x}\n"}, [("module", "zypper", "roles/r/tasks/Suse.yml:1:3", "reached")]),
    ("a role's own module", {"site.yml": "- hosts: all\n  roles: [r]\n", "roles/r/tasks/main.yml": "- kube: {}\n", "roles/r/library/kube.py": ""},
     [("module", "kube", "roles/r/tasks/main.yml:1:3", "sure")]),
    ("a role's template", {"site.yml": "- hosts: all\n  roles: [r]\n", "roles/r/tasks/main.yml": "- template: {src: t.j2, dest: /x}\n",
                           "roles/r/templates/t.j2": "one\n{{ 1 | nope }}\n"}, [("filter", "nope", "roles/r/templates/t.j2:2:8", "sure")]),
    ("a role's dependency", {"site.yml": "- hosts: all\n  roles: [r]\n", "roles/r/meta/main.yml": "dependencies: [d]\n", "roles/d/tasks/main.yml": "- zfs: {}\n"},
     [("module", "zfs", "roles/d/tasks/main.yml:1:3", "sure")]),
    ("variables beside the playbook", {"site.yml": "- hosts: all\n", "group_vars/all.yml": "x: '{{ y | nope }}'\n"},
     [("filter", "nope", "group_vars/all.yml:1:4", "reached")]),
    ("a collection", {"site.yml": "- hosts: all\n  roles: [n.c.r]\n", "collections/ansible_collections/n/c/roles/r/tasks/main.yml": "- zfs: {}\n"},
     [("module", "zfs", "collections/ansible_collections/n/c/roles/r/tasks/main.yml:1:3", "sure")]),
    ("nothing is missing", {"site.yml": tasks("- copy: {dest: '{{ d | default(omit) }}', content: x}\n  when: d is defined\n  with_items: [1]")}, []),
    ("a handler that includes what the tasks do", {"site.yml": "- hosts: all\n  roles: [r]\n", "roles/r/tasks/main.yml": "- ping:\n",
                                                   "roles/r/handlers/main.yml": "- name: h\n  include_tasks: more.yml\n", "roles/r/tasks/more.yml": "- ping:\n"}, []),
    ("names that ansible-core gave away", {"site.yml": tasks("- ansible.builtin.sysctl: {name: a, value: '1'}\n- ansible.legacy.docker_network: {name: a}\n"
                                                             "- community.general.docker_image: {name: a, source: pull}\n"
                                                             "- debug: {msg: \"{{ [] | ansible.builtin.json_query('a') }}\"}")}, []),
    ("a name that it never had", {"site.yml": tasks("- ansible.builtin.x509_certificate: {path: a}")},
     [("module", "ansible.builtin.x509_certificate", "site.yml:4:5", "sure")]),
    ("an option that fetch never asks for", {"site.yml": tasks("- fetch: {src: /a, dest: /b, mode: '0600'}")}, []),
    ("tests are left out", {"site.yml": tasks("- ping:"), "molecule/default/converge.yml": tasks("- zfs: {}")}, []),
    ("text marked unsafe", {"site.yml": tasks("- debug: {msg: !unsafe '{{ x | nope }}'}")}, []),
]


@pytest.mark.parametrize("title, files, want", LINT, ids=[r[0] for r in LINT])
def test_lint_names_it(holdfast, tmp_path, title, files, want):
    write(tmp_path, files)
    p = subprocess.run([holdfast, "lint", "--json", "site.yml"], cwd=tmp_path, capture_output=True, text=True, timeout=900)
    found = json.loads(p.stdout)
    assert [(f["kind"], f["name"], f'{f["file"]}:{f["line"]}:{f["column"]}', f["when"]) for f in found["units"][0]["findings"]] == want
    verdict = "portable" if not want else "not portable" if any(w[3] == "sure" for w in want) else "portable unless reached"
    assert found["verdict"] == verdict
    assert p.returncode == (0 if not want else 4 if want[0][:2] == ("syntax", "file") else 2)


def test_lint_reads_a_whole_repository(holdfast, tmp_path):
    write(tmp_path, {"site.yml": "- hosts: all\n  roles: [a]\n", "other.yml": tasks("- ping:"), "roles/a/tasks/main.yml": "- ping:\n",
                     "roles/a/tasks/Suse.yml": "- zypper: {}\n", "roles/a/library/m.py": "", "roles/b/tasks/main.yml": "- zfs: {}\n",
                     "roles/b/tasks/more.yml": "- pkgng:\n  nope: 1\n"})
    p = subprocess.run([holdfast, "lint", "--json", "."], cwd=tmp_path, capture_output=True, text=True, timeout=900)
    found = json.loads(p.stdout)
    units = {(u["kind"], u["path"]): (u["verdict"], [f["name"] for f in u["findings"]]) for u in found["units"]}
    assert units == {("playbook", "other.yml"): ("portable", []), ("playbook", "site.yml"): ("portable", []),
                     ("role", "roles/a"): ("portable unless reached", ["m.py", "zypper"]),
                     ("role", "roles/b"): ("not portable", ["zfs", "pkgng", "nope"])}
    assert p.returncode == 2


def test_lint_reads_the_roles_of_a_collection(holdfast, tmp_path):
    """More of them than its table of roles holds at first, each met through the one before, a folder deep."""
    roles = "ansible_collections/n/c/roles"
    write(tmp_path, {f"{roles}/r{i}/deep/tasks/main.yml": f"- include_role: {{name: n.c.r{i + 1}.deep}}\n" for i in range(40)} |
          {f"{roles}/r40/deep/tasks/main.yml": "- zfs: {}\n"})
    p = subprocess.run([holdfast, "lint", "--json", f"{roles}/r0/deep"], cwd=tmp_path, capture_output=True, text=True, timeout=900)
    found = json.loads(p.stdout)
    assert [f["name"] for u in found["units"] for f in u["findings"]] == ["zfs"] and p.returncode == 2


# title, tasks, files beside it, the refusal; "load": nothing runs, "reached": what stands before runs, None: it works
REFUSED = [
    ("sure to run", "- zfs: {}", {}, "load", "4:5: holdfast has no module 'zfs'"),
    ("left out on purpose", "- subversion: {repo: x, dest: y}", {}, "load", "4:5: module 'subversion' is left out on purpose"),
    ("a tag that leaves nothing out", "- zfs: {}\n  tags: [x]", {}, "load", "4:5: holdfast has no module 'zfs'"),
    ("not tagged for this run", "- zfs: {}\n  tags: [never]", {}, None, ""),
    ("a false condition", "- zypper: {name: x}\n  when: false", {}, None, ""),
    ("another system's file", "- include_tasks: '{{ s }}.yml'\n  vars: {s: debian}", {"suse.yml": "- zypper: {}\n", "debian.yml": "- ping:\n"}, None, ""),
    ("a condition that holds", "- zypper: {name: x}\n  when: 1 == 1", {}, "reached", "4:5: holdfast has no module 'zypper'"),
    ("an own module", "- kube: {}\n  when: 1 == 1", {"library/kube.py": ""}, "reached", "is a Python plugin"),
    ("an own module, sure to run", "- kube: {}", {"library/kube.py": ""}, "load", "is a Python plugin"),
    ("a role's own module", "- include_role: {name: r}", {"roles/r/tasks/main.yml": "- kube: {}\n  when: 1 == 1\n", "roles/r/library/kube.py": ""}, "reached", "is a Python plugin"),
    ("a role's own module, sure to run", "- import_role: {name: r}", {"roles/r/tasks/main.yml": "- kube: {}\n", "roles/r/library/kube.py": ""}, "load", "roles/r/library/kube.py"),
    ("a role's own module, skipped", "- import_role: {name: r}", {"roles/r/tasks/main.yml": "- kube: {}\n  when: false\n", "roles/r/library/kube.py": ""}, None, ""),
    ("a role's own filter", "- include_role: {name: r}", {"roles/r/tasks/main.yml": "- debug: {msg: '{{ 1 | own }}'}\n  when: 1 == 1\n", "roles/r/filter_plugins/f.py": ""}, "reached",
     "filter 'own' may be a Python plugin"),
    ("a role's own filter, sure to run", "- import_role: {name: r}", {"roles/r/tasks/main.yml": "- debug: {msg: '{{ 1 | own }}'}\n", "roles/r/filter_plugins/f.py": ""}, "load",
     "filter 'own' may be a Python plugin"),
    ("a role's own filter, skipped", "- import_role: {name: r}", {"roles/r/tasks/main.yml": "- debug: {msg: '{{ 1 | own }}'}\n  when: false\n", "roles/r/filter_plugins/f.py": ""}, None, ""),
    ("a role's own lookup", "- include_role: {name: r}", {"roles/r/tasks/main.yml": "- debug: {msg: \"{{ lookup('own') }}\"}\n  when: 1 == 1\n", "roles/r/lookup_plugins/own.py": ""}, "reached",
     "lookup 'own' is a Python plugin"),
    ("a role's own lookup, sure to run", "- import_role: {name: r}", {"roles/r/tasks/main.yml": "- debug: {msg: \"{{ lookup('own') }}\"}\n", "roles/r/lookup_plugins/own.py": ""}, "load",
     "lookup 'own' is a Python plugin"),
    ("a role's own lookup, skipped", "- import_role: {name: r}", {"roles/r/tasks/main.yml": "- debug: {msg: \"{{ lookup('own') }}\"}\n  when: false\n", "roles/r/lookup_plugins/own.py": ""}, None, ""),
    ("a role's own filter after the module", "- include_role: {name: r}", {"roles/r/tasks/main.yml": "- copy: {dest: after, content: x}\n  when: 1 == 1\n  failed_when: 1 | own\n  ignore_errors: true\n",
     "roles/r/filter_plugins/f.py": ""}, "reached", "filter 'own' may be a Python plugin"),
    ("a role's own lookup is not rescued", "- include_role: {name: r}",
     {"roles/r/tasks/main.yml": "- block:\n  - debug: {msg: \"{{ lookup('own') }}\"}\n    ignore_errors: true\n  rescue:\n  - copy: {dest: after, content: x}\n", "roles/r/lookup_plugins/own.py": ""}, "reached",
     "lookup 'own' is a Python plugin"),
    ("a collection's lookup as a loop, skipped", "- ping:\n  with_dig: [x]\n  when: false", {}, None, ""),
    ("a role's own lookup as a loop", "- include_role: {name: r}", {"roles/r/tasks/main.yml": "- ping:\n  with_own: [1]\n  ignore_errors: true\n", "roles/r/lookup_plugins/own.py": ""}, "reached",
     "lookup 'own' is a Python plugin"),
    ("a collection's filter, reached", "- debug: {msg: '{{ 1 | community.crypto.split_pem }}'}\n  when: 1 == 1\n  ignore_errors: true", {}, "reached", "holdfast has no filter 'community.crypto.split_pem'"),
    ("a role's own test", "- import_role: {name: r}", {"roles/r/tasks/main.yml": "- ping:\n  when: 1 is own\n", "roles/r/test_plugins/t.py": ""}, "reached", "may be a Python plugin"),
    ("ignore_errors does not go past it", "- zypper: {name: x}\n  when: 1 == 1\n  ignore_errors: true", {}, "reached", "holdfast has no module 'zypper'"),
    ("failed_when does not go past it", "- zypper: {name: x}\n  when: 1 == 1\n  failed_when: false", {}, "reached", "holdfast has no module 'zypper'"),
    ("a rescue does not go past it", "- block:\n  - zypper: {name: x}\n    when: 1 == 1\n  rescue:\n  - copy: {dest: after, content: x}", {}, "reached",
     "holdfast has no module 'zypper'"),
    ("a loop does not go past it", "- zypper: {name: x}\n  loop: [1, 2]\n  ignore_errors: true", {}, "reached", "holdfast has no module 'zypper'"),
    ("after an end that may come", "- meta: end_play\n  when: true\n- zfs: {}", {}, None, ""),
    ("a filter of a collection", "- debug: {msg: '{{ 1 | community.crypto.split_pem }}'}", {}, "load", "4:18: holdfast has no filter 'community.crypto.split_pem'"),
    ("a filter of a collection in failed_when", "- ping:\n  failed_when: 1 | community.crypto.split_pem", {}, "load", "holdfast has no filter"),
    ("a lookup of a collection", "- debug: {msg: \"{{ lookup('dig', 'x') }}\"}", {}, "load", "holdfast has no lookup 'dig'"),
    ("a filter beside the playbook", "- debug: {msg: '{{ 1 | own }}'}", {"filter_plugins/f.py": ""}, "load", "filter 'own' may be a Python plugin"),
    ("a filter that is nowhere fails its task", "- debug: {msg: '{{ 1 | nope }}'}", {}, "reached", "No filter named 'nope'"),
    ("and is rescued as there", "- block:\n  - debug: {msg: '{{ 1 | nope }}'}\n  rescue:\n  - ping:", {}, None, ""),
]


@pytest.mark.parametrize("title, text, files, when, words", REFUSED, ids=[r[0] for r in REFUSED])
def test_refusals_come_before_anything_happens(holdfast, tmp_path, title, text, files, when, words):
    book = tasks("- copy: {dest: before, content: x}\n" + text + "\n- copy: {dest: after, content: x}")
    book = book.replace("\n  - copy: {dest: before, content: x}", "", 1) if when == "load" else book
    line = 0 if when == "load" else 1
    words = words.replace("4:", f"{4 + line}:", 1) if words.startswith("4:") else words
    write(tmp_path, {"site.yml": book, **files})
    p = subprocess.run([holdfast, "apply", "site.yml"], cwd=tmp_path, capture_output=True, text=True, timeout=900)
    said = p.stdout + p.stderr
    if when is None:
        assert p.returncode == 0, said
        return
    assert words in said
    assert "site.yml:" in said or "roles/r/tasks/main.yml:" in said or "named 'nope'" in said
    assert p.returncode == (4 if when == "load" else 2), said
    assert (tmp_path / "before").exists() == (when == "reached")
    assert not (tmp_path / "after").exists()
    assert ("PLAY [" in p.stdout) == (when == "reached")


def test_strict_refuses_what_is_anywhere_in_reach(holdfast, tmp_path):
    write(tmp_path, {"site.yml": tasks("- copy: {dest: before, content: x}\n- include_tasks: '{{ s }}.yml'\n  when: false"), "roles/r/tasks/main.yml": "- zfs: {}\n",
                     "suse.yml": "- zypper: {}\n"})
    run = [holdfast, "apply", "--strict", "site.yml"]
    p = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, timeout=900)
    assert p.returncode == 4 and "suse.yml:1:3: holdfast has no module 'zypper'" in p.stderr
    assert not (tmp_path / "before").exists()
    write(tmp_path, {"site.yml": tasks("- copy: {dest: again, content: x}\n- zypper: {}\n  when: false\n- include_role: {name: r}\n  when: false")})
    p = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, timeout=900)
    assert p.returncode == 4
    assert "site.yml:5:5: holdfast has no module 'zypper'" in p.stderr and "roles/r/tasks/main.yml:1:3: holdfast has no module 'zfs'" in p.stderr
    assert not (tmp_path / "again").exists()


# What Ansible refuses at load: the same sentence, and nothing has run
ALIKE = [
    ("an unknown module under a false condition", "- cpoy: {}\n  when: false", "couldn't resolve module/action 'cpoy'."),
    ("an unknown full name under a false condition", "- no.such.thing: {}\n  when: false", "couldn't resolve module/action 'no.such.thing'."),
    ("an unknown module of ansible.builtin", "- ansible.builtin.cpoy: {}", "couldn't resolve module/action 'ansible.builtin.cpoy'."),
    ("an unknown keyword beside", "- ping:\n  whenn: x", "conflicting action statements: ping, whenn"),
    ("an unknown keyword before", "- whenn: x\n  ping:", "conflicting action statements: whenn, ping"),
    ("two modules", "- ping:\n  command: x", "conflicting action statements: ping, command"),
]


@pytest.mark.parametrize("title, text, words", ALIKE, ids=[r[0] for r in ALIKE])
def test_what_ansible_refuses_at_load_is_refused_in_its_words(holdfast, tmp_path, title, text, words):
    write(tmp_path, {"site.yml": tasks("- copy: {dest: before, content: x}\n" + text)})
    env = dict(os.environ, ANSIBLE_LOCALHOST_WARNING="false", ANSIBLE_NOCOLOR="1")
    theirs = subprocess.run([pathlib.Path(sys.executable).parent / "ansible-playbook", "-i", "localhost,", "-c", "local", "site.yml"], cwd=tmp_path,
                            capture_output=True, text=True, timeout=900, env=env)
    assert theirs.returncode == 4 and words in " ".join(theirs.stderr.split()), theirs.stderr
    ours = subprocess.run([holdfast, "apply", "site.yml"], cwd=tmp_path, capture_output=True, text=True, timeout=900)
    assert ours.returncode == 4 and words in ours.stderr
    assert not (tmp_path / "before").exists()
