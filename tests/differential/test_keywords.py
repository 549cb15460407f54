"""Keywords and settings that are about how a task is run: another user, ansible.cfg, prompts, strategies, groups of defaults."""
import json
import os
import pathlib
import pty
import pwd
import select
import subprocess
import sys
import tempfile
import time

import pytest

ANSIBLE = pathlib.Path(sys.executable).parent / "ansible-playbook"


def apply(holdfast, where, *more, book="site.yml", env=None):
    return subprocess.run([holdfast, "apply", *more, book], cwd=where, capture_output=True, text=True, timeout=900, env={**os.environ, **(env or {})})


def play(tasks, head=""):
    return "- hosts: all\n  gather_facts: false\n" + head + "  tasks:\n" + "".join("  " + line + "\n" for line in tasks.strip("\n").splitlines())


SAY = "- shell: {cmd: '%s'}\n  register: r\n- copy: {dest: out, content: '{{ r.stdout }}'}\n  become: false\n"

# title, keywords of the task, the command, what it prints; None: the environment of who started the run
BECOME = [
    ("who it is", "become_user: nobody", "id -un", "nobody"),
    ("root stays root", "become_user: root", "echo $SUDO_USER", ""),
    ("as sudo: who called", "become_user: nobody", "echo $SUDO_USER $SUDO_UID $SUDO_GID", "root 0 0"),
    ("as sudo: a safe PATH", "become_user: nobody", "echo $PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
    ("as sudo: what the caller had is gone", "become_user: nobody", "echo $KEEP_ME", ""),
    ("as sudo -E: it is kept", "become_user: nobody\n  become_flags: -H -S -n -E", "echo $KEEP_ME", "yes"),
    ("flags in one word", "become_user: nobody\n  become_flags: -HSnE", "echo $KEEP_ME", "yes"),
    ("as su: it is kept", "become_user: nobody\n  become_method: su", "echo $KEEP_ME$SUDO_USER", "yes"),
    ("the user's names", "become_user: nobody", "echo $USER $LOGNAME $HOME", "nobody nobody " + pwd.getpwnam("nobody").pw_dir),
    ("our own way", "become_user: nobody\n  become_method: setuid", "id -un; echo $KEEP_ME", "nobody\nyes"),
    ("a full name", "become_user: nobody\n  become_method: ansible.builtin.sudo", "id -un", "nobody"),
    ("a path of sudo", "become_user: nobody\n  become_exe: /usr/bin/sudo", "id -un", "nobody"),
    ("environment: comes after", "become_user: nobody\n  environment: {PATH: '/bin:/usr/bin', X: y}", "echo $PATH $X", "/bin:/usr/bin y"),
    ("a variable wins", "become_user: root\n  vars: {ansible_become_user: nobody}", "id -un", "nobody"),
    ("in the background", "become_user: nobody\n  async: 20\n  poll: 1", "id -un", "nobody"),
]


@pytest.mark.skipif(os.geteuid() != 0, reason="another user is root's to become")
@pytest.mark.parametrize("title, keywords, command, want", BECOME, ids=[r[0] for r in BECOME])
def test_another_user(holdfast, tmp_path, title, keywords, command, want):
    task = f"- shell: {json.dumps(command)}\n  become: true\n  {keywords}\n  register: r\n- copy: {{dest: '{tmp_path}/out', content: '{{{{ r.stdout }}}}'}}\n"
    (tmp_path / "site.yml").write_text(play(task))
    p = apply(holdfast, tmp_path, env={"KEEP_ME": "yes"})
    assert p.returncode == 0, p.stdout
    assert (tmp_path / "out").read_text() == want


@pytest.mark.skipif(os.geteuid() != 0, reason="another user is root's to become")
def test_su_is_what_ansible_has_with_su(holdfast, tmp_path):
    """su is on every host: the same user, home and variables as the real one gives."""
    (tmp_path / "site.yml").write_text(play(
        "- shell: 'id -un; id -Gn; echo $HOME $USER $LOGNAME $SHELL $KEEP_ME'\n  become: true\n  become_user: nobody\n  become_method: su\n"
        "  become_flags: -s /bin/sh\n  register: r\n- debug: {var: r.stdout_lines}\n"))
    env = {**os.environ, "KEEP_ME": "yes", "ANSIBLE_NOCOLOR": "1", "ANSIBLE_PIPELINING": "1"}
    os.chmod(tmp_path, 0o755)
    theirs = subprocess.run([ANSIBLE, "-i", "localhost,", "-c", "local", "-e", "ansible_python_interpreter=/usr/bin/python3", "site.yml"], cwd=tmp_path, capture_output=True, text=True, timeout=900, env=env)
    assert theirs.returncode == 0, theirs.stdout
    ours = apply(holdfast, tmp_path, env={"KEEP_ME": "yes"})
    lines = [line.strip() for line in theirs.stdout.splitlines() if line.startswith("        ")]
    assert lines and lines == [line.strip() for line in ours.stdout.splitlines() if line.startswith("        ")]


@pytest.mark.skipif(os.geteuid() != 0, reason="another user is root's to become")
def test_sources_only_root_may_read_reach_the_other_user(holdfast, tmp_path):
    book, out = tmp_path / "book", tmp_path / "out"
    (book / "files/d").mkdir(parents=True)
    (book / "templates").mkdir()
    (book / "files/f").write_text("f\n")
    (book / "files/d/x").write_text("x\n")
    (book / "files/s.sh").write_text("#!/bin/sh\nid -un\n")
    (book / "templates/part.j2").write_text("part\n")
    (book / "templates/t.j2").write_text("{% include 'part.j2' %}{{ lookup('file', 'f') }}\n")
    out.mkdir()
    out.chmod(0o777)
    for d in [*tmp_path.parents, tmp_path]:
        if d.is_relative_to(tempfile.gettempdir()) and d != pathlib.Path(tempfile.gettempdir()):
            d.chmod(0o755)
    book.chmod(0o700)
    (book / "site.yml").write_text(play(
        f"- copy: {{src: f, dest: {out}/f}}\n- template: {{src: t.j2, dest: {out}/t}}\n- copy: {{src: d, dest: {out}/}}\n"
        f"- script: s.sh\n  register: r\n- copy: {{content: '{{{{ r.stdout }}}}', dest: {out}/s}}\n", "  become: true\n  become_user: nobody\n"))
    p = apply(holdfast, book)
    assert p.returncode == 0, p.stdout
    assert {n: (out / n).read_text() for n in ("f", "t", "d/x")} == {"f": "f\n", "t": "partf\n", "d/x": "x\n"}
    assert (out / "s").read_text().strip() == "nobody"
    assert {pwd.getpwuid((out / n).stat().st_uid).pw_name for n in ("f", "t", "d", "d/x", "s")} == {"nobody"}
    end = time.monotonic() + 120
    while left := list(pathlib.Path("/tmp").glob(".holdfast-*")):  # those of other tests come and go
        assert time.monotonic() < end, left
        time.sleep(0.1)


# title, keywords, the sentence
REFUSED = [
    ("a method", "become_method: doas", "become_method 'doas' is not supported"),
    ("a method by variable", "become: true\n  vars: {ansible_become_method: pbrun}", "become_method 'pbrun' is not supported"),
    ("a program", "become_exe: /opt/wrap", "become_exe '/opt/wrap' is not supported"),
    ("a flag", "become: true\n  become_flags: -H -r role", "become_flags: '-r' of sudo is not supported"),
    ("the debugger", "debugger: on_failed", "'debugger' is not supported"),
]


@pytest.mark.parametrize("title, keywords, words", REFUSED, ids=[r[0] for r in REFUSED])
def test_what_is_not_done_is_refused_by_name(holdfast, tmp_path, title, keywords, words):
    (tmp_path / "site.yml").write_text(play(f"- copy: {{dest: '{tmp_path}/out', content: x}}\n  {keywords}"))
    p = apply(holdfast, tmp_path)
    assert p.returncode != 0 and words in p.stdout + p.stderr and "site.yml:" in p.stdout + p.stderr
    assert not (tmp_path / "out").exists()


# title, ansible.cfg, environment, tasks, exit status, what is said
TELL = "- debug: {msg: '{{ ansible_os_family | default(\"none\") }} {{ ansible_check_mode }}'}"
SETTINGS = [
    ("hash_behaviour", "[defaults]\nhash_behaviour = merge\n", {}, TELL, 4, "ansible.cfg:2:1: hash_behaviour = merge is not supported"),
    ("hash_behaviour as it is", "[defaults]\nhash_behaviour = replace\n", {}, TELL, 0, "none False"),
    ("by the environment", "", {"ANSIBLE_JINJA2_NATIVE": "1"}, TELL, 4, "jinja2_native = 1 is not supported"),
    ("facts apart", "[defaults]\ninject_facts_as_vars = no\n", {}, "- setup: {gather_subset: [min]}\n- debug: {msg: '{{ ansible_os_family is defined }} {{ ansible_facts.os_family is defined }}'}",
     0, "False True"),
    ("tags", "[tags]\nrun = x\n", {}, "- debug: {msg: ran}\n  tags: [x]\n- fail:", 0, "ran"),
    ("tags left out", "[tags]\nskip = x\n", {}, "- fail:\n  tags: [x]\n- debug: {msg: ran}", 0, "ran"),
    ("force_handlers", "[defaults]\nforce_handlers = true\n", {}, "- command: 'true'\n  notify: h\n- fail:\n  handlers:\n  - {name: h, debug: {msg: handled}}", 2, "handled"),
    ("the do extension", "[defaults]\njinja2_extensions = jinja2.ext.do\n", {}, "- debug: {msg: '{% set l = [] %}{% do l.append(7) %}{{ l }}'}", 0, "7"),
    ("an extension that is not there", "[defaults]\njinja2_extensions = jinja2.ext.i18n\n", {}, TELL, 4, "jinja2.ext.i18n is not supported"),
    ("a strategy that is not there", "[defaults]\nstrategy = mitogen_linear\n", {}, TELL, 4, "Invalid play strategy specified: mitogen_linear"),
    ("a time limit", "[defaults]\ntask_timeout = 1\n", {}, "- command: sleep 20", 2, "expected time frame (1)"),
    ("a callback", "[defaults]\nstdout_callback = yaml\n", {}, TELL, 0, "ansible.cfg:2: stdout_callback = yaml has no effect here"),
    ("a setting nobody knows", "[defaults]\nforcs = 5\n", {}, TELL, 0, "ansible.cfg:2: the setting 'forcs' of [defaults] is not known"),
    ("settings about other machines", "[defaults]\nforks = 5\nhost_key_checking = False\n[ssh_connection]\npipelining = True\n", {}, TELL, 0, "none False"),
    ("roles_path", "[defaults]\nroles_path = ./more\n", {}, "- import_role: {name: r}", 0, "of the role"),
    ("a vault password", "[defaults]\nvault_password_file = pw\n", {}, TELL, 0, "none False"),
]


@pytest.mark.parametrize("title, cfg, env, tasks, status, words", SETTINGS, ids=[r[0] for r in SETTINGS])
def test_settings_of_ansible_cfg(holdfast, tmp_path, title, cfg, env, tasks, status, words):
    (tmp_path / "ansible.cfg").write_text(cfg)
    (tmp_path / "pw").write_text("secret\n")
    (tmp_path / "more/r/tasks").mkdir(parents=True)
    (tmp_path / "more/r/tasks/main.yml").write_text("- debug: {msg: of the role}\n")
    (tmp_path / "site.yml").write_text(play(tasks).replace("    handlers:\n", "  handlers:\n").replace("    - {name: h", "  - {name: h"))
    p = apply(holdfast, tmp_path, env=env)
    assert p.returncode == status, p.stdout + p.stderr
    assert words in p.stdout + p.stderr
    quiet = "has no effect" not in words and "is not known" not in words
    assert ("[WARNING]" in p.stderr) == (not quiet)


def on_terminal(argv, where, answers):
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(where)
        os.environ["TERM"] = "dumb"
        os.execv(argv[0], argv)
    out, end, waiting = b"", time.monotonic() + 300, list(answers)
    while time.monotonic() < end:
        ready, _, _ = select.select([fd], [], [], 0.2)
        if ready:
            try:
                got = os.read(fd, 65536)
            except OSError:
                break
            if not got:
                break
            out += got
        elif waiting and out.rstrip(b" ").endswith(b":"):
            os.write(fd, waiting.pop(0).encode() + b"\n")
            out += b"|"
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return status, out.decode().replace("\r\n", "\n")


PROMPTS = """- hosts: localhost
  gather_facts: false
  vars_prompt:
  - {name: a, prompt: Name, private: false, default: joe}
  - {name: b, prompt: Pass, confirm: true}
  - {name: c, unsafe: true, private: false}
  - {name: d, encrypt: sha512_crypt, salt: abcdefgh}
  tasks:
  - copy: {dest: out, content: "{{ a }} {{ b }} {{ c }} {{ d }}"}
"""


def test_vars_prompt_asks_on_a_terminal(holdfast, tmp_path):
    (tmp_path / "site.yml").write_text(PROMPTS)
    status, said = on_terminal([holdfast, "apply", "site.yml"], tmp_path, ["", "secret1", "secret2", "secret1", "secret1", "{{ x }}", "hide me"])
    assert status == 0, said
    assert "Name [joe]: " in said and "confirm Pass: " in said and "***** VALUES ENTERED DO NOT MATCH ****" in said
    assert "secret1" not in said and "hide me" not in said
    a, b, rest = (tmp_path / "out").read_text().split(" ", 2)
    assert (a, b) == ("joe", "secret1") and rest.startswith("{{ x }} $6$rounds=656000$abcdefgh$")


def test_vars_prompt_elsewhere_wants_e_or_a_default(holdfast, tmp_path):
    (tmp_path / "site.yml").write_text(PROMPTS)
    p = apply(holdfast, tmp_path)
    assert p.returncode == 1 and "site.yml:5:5: vars_prompt asks for 'b' and nobody is there to answer: give it with -e b=…" in p.stderr
    p = apply(holdfast, tmp_path, "-e", "b=1 c=2 d=3")
    assert p.returncode == 0 and (tmp_path / "out").read_text() == "joe 1 2 3"


def test_step_asks_before_each_task(holdfast, tmp_path):
    (tmp_path / "site.yml").write_text(play("".join(f"- copy: {{dest: '{tmp_path}/{n}', content: x}}\n  name: {n}\n" for n in "abcd")))
    status, said = on_terminal([holdfast, "apply", "--step", "site.yml"], tmp_path, ["n", "y", "c"])
    assert status == 0 and "Perform task: TASK: a (N)o/(y)es/(c)ontinue:" in said, said
    assert [n for n in "abcd" if (tmp_path / n).exists()] == ["b", "c", "d"]


def test_free_runs_everything_everywhere(holdfast, tmp_path):
    (tmp_path / "site.yml").write_text(play("- debug: {msg: once}\n  run_once: true\n- fail:\n  when: inventory_hostname == 'b'\n  any_errors_fatal: true\n- debug: {msg: last}",
                                            "  strategy: free\n"))
    p = apply(holdfast, tmp_path, "-i", "a,b,c,", "-c", "local")
    assert p.returncode == 2 and p.stdout.count('"once"') == 3 and p.stdout.count('"last"') == 2
    assert "Using run_once with the free strategy is not currently supported." in p.stderr
    (tmp_path / "site.yml").write_text(play("- add_host: {name: x}", "  strategy: host_pinned\n"))
    p = apply(holdfast, tmp_path)
    assert "The 'add_host' module bypasses the host loop" in p.stderr and p.returncode == 1


# keywords without a use on one host are taken as by Ansible's local connection
def test_port_remote_user_and_throttle_are_taken(holdfast, tmp_path):
    (tmp_path / "site.yml").write_text(play("- debug: {msg: ran}\n  throttle: 2\n  remote_user: nobody\n  port: 2222", "  remote_user: x\n"))
    p = apply(holdfast, tmp_path, "-i", "a,b,c,", "-c", "local")
    assert p.returncode == 0 and p.stdout.count('"ran"') == 3


def test_module_defaults_of_groups_reach_only_their_modules(holdfast, tmp_path):
    defaults = "  module_defaults:\n    group/aws: {region: x}\n    group/community.docker.docker: {tls: true}\n    copy: {mode: '0600'}\n"
    (tmp_path / "site.yml").write_text(play(f"- copy: {{dest: '{tmp_path}/out', content: x}}", defaults))
    p = apply(holdfast, tmp_path)
    assert p.returncode == 0 and (tmp_path / "out").stat().st_mode & 0o777 == 0o600


def test_break_when_ends_a_loop(holdfast, tmp_path):
    """New in ansible-core 2.18; the reference of the tests is 2.17."""
    (tmp_path / "site.yml").write_text(play(
        "- {command: 'echo {{ item }}', loop: [1, 2, 3], loop_control: {break_when: item == 2}, register: r}\n- {debug: {msg: \"{{ r.results | map(attribute='stdout') }} {{ r.changed }}\"}}\n"
        "- {command: 'echo {{ x }}', loop: [1, 2, 3], loop_control: {loop_var: x, break_when: [\"x > 0\", \"r2.rc == 0\"]}, register: r2}\n- {debug: {msg: '{{ r2.results | length }}'}}\n"
        "- {debug: {msg: '{{ item }}'}, loop: [7, 8], when: item == 8, loop_control: {break_when: item == 7}}\n"
        "- {debug: {msg: '{{ item }}'}, loop: [1, 2], loop_control: {break_when: nope.x}, ignore_errors: true, register: bad}\n- {debug: {msg: '{{ bad is failed }}'}}\n"))
    p = apply(holdfast, tmp_path, "--output", "jsonl", "-v")
    assert p.returncode == 0, p.stdout + p.stderr
    said = [e["msg"] for e in map(json.loads, p.stdout.splitlines()) if e["type"] == "task" and "item" not in e and e["module"] == "debug" and e["task"] == "debug"]
    assert said[:2] == ["['1', '2'] True", "1"] and said[-1] in (True, "True")
    items = [(e["item"], e["status"]) for e in map(json.loads, p.stdout.splitlines()) if "item" in e]
    assert (7, "skipped") in items and (8, "ok") not in items


def test_with_filetree_tells_of_every_entry(holdfast, tmp_path):
    (tmp_path / "files/tree/d").mkdir(parents=True)
    (tmp_path / "files/tree/d/x").write_text("xx\n")
    (tmp_path / "files/tree/d/x").chmod(0o640)
    (tmp_path / "files/tree/l").symlink_to("d/x")
    (tmp_path / "site.yml").write_text(play(
        "- {debug: {msg: '{{ item.path }} {{ item.state }} {{ item.mode }} {{ item.size }} {{ item.src | default() | basename }} {{ item.owner }}'}, with_filetree: [tree], when: item.state != 'directory'}\n"
        "- {file: {path: 'made/{{ item.path }}', state: directory, mode: '{{ item.mode }}'}, with_community.general.filetree: [tree], when: item.state == 'directory'}\n"
        "- {copy: {src: '{{ item.src }}', dest: 'made/{{ item.path }}', mode: '{{ item.mode }}'}, with_filetree: tree/, when: item.state == 'file'}\n"))
    p = apply(holdfast, tmp_path)
    assert p.returncode == 0, p.stdout + p.stderr
    assert "d/x file 0640 3 x root" in p.stdout and "l link 0777 3 x root" in p.stdout
    assert (tmp_path / "made/d/x").read_text() == "xx\n" and (tmp_path / "made/d/x").stat().st_mode & 0o777 == 0o640


def test_the_debugger_is_refused_with_its_place(holdfast, tmp_path):
    (tmp_path / "site.yml").write_text(play("- ping:\n- ping:\n  debugger: always\n"))
    p = apply(holdfast, tmp_path)
    assert p.returncode == 4 and "site.yml:6:15: 'debugger' is not supported: there is no interactive debugger" in p.stderr and "TASK" not in p.stdout
    (tmp_path / "site.yml").write_text(play("- ping:\n  debugger: never\n"))
    assert apply(holdfast, tmp_path).returncode == 0


def test_step_without_a_terminal_reads_its_answers(holdfast, tmp_path):
    (tmp_path / "site.yml").write_text(play("".join(f"- name: {n}\n  copy: {{dest: '{tmp_path}/{n}', content: x}}\n" for n in "abcd")))
    p = subprocess.run([holdfast, "apply", "--step", "site.yml"], cwd=tmp_path, input="y\nn\nc\n", capture_output=True, text=True, timeout=900)
    assert p.returncode == 0 and [n for n in "abcd" if (tmp_path / n).exists()] == ["a", "c", "d"]
    for n in "acd":
        (tmp_path / n).unlink()
    p = subprocess.run([holdfast, "apply", "--step", "site.yml"], cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=900)
    assert p.returncode == 0 and not [n for n in "abcd" if (tmp_path / n).exists()]


def test_with_flattened_takes_every_level_away(holdfast, tmp_path):
    """Of community.general, which the reference of the tests has not."""
    (tmp_path / "site.yml").write_text(play("- {command: 'echo {{ item }}', with_flattened: [1, [2, [3, '{{ l }}']], []], vars: {l: [4, [5]]}, register: r}\n"
                                            "- {copy: {dest: out, content: \"{{ r.results | map(attribute='stdout') | join(' ') }}\"}}\n"))
    p = apply(holdfast, tmp_path)
    assert p.returncode == 0 and (tmp_path / "out").read_text() == "1 2 3 4 5", p.stdout
