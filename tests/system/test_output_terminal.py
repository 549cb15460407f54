"""What people see of `holdfast apply` on a terminal, and what must not be in a pipe: colours, durations, the line of a task
that is still at work, differences, and secrets at no -v level."""
import json
import os
import pty
import re
import select
import subprocess
import time

import pytest

PLAY = "- hosts: localhost\n  gather_facts: false\n"
GREEN, YELLOW, CYAN, RED, PURPLE, OFF = "\033[0;32m", "\033[0;33m", "\033[0;36m", "\033[0;31m", "\033[1;35m", "\033[0m"


def on_terminal(argv, where, env=None, limit=600):
    """(exit status, every byte that the terminal got)"""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(where)
        for name in ("NO_COLOR", "ANSIBLE_NOCOLOR", "ANSIBLE_FORCE_COLOR"):
            os.environ.pop(name, None)
        os.environ.update({"TERM": "xterm", **(env or {})})
        os.execv(argv[0], argv)
    out, end = b"", time.monotonic() + limit
    while time.monotonic() < end:
        if select.select([fd], [], [], 0.2)[0]:
            try:
                got = os.read(fd, 65536)
            except OSError:
                break
            if not got:
                break
            out += got
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), out.decode().replace("\r\n", "\n")


def once(holds, argv, where, tries=5):
    """on_terminal() of a run whose seconds came on time: a machine that is busy elsewhere may let some pass unseen."""
    while True:
        status, text = on_terminal(argv, where)
        tries -= 1
        if holds(text) or tries == 0:
            return status, text


def in_pipe(argv, where):
    env = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "ANSIBLE_NOCOLOR", "ANSIBLE_FORCE_COLOR")}
    p = subprocess.run(argv, cwd=where, capture_output=True, text=True, timeout=600, env={**env, "TERM": "xterm"})
    return p.returncode, p.stdout + p.stderr


def seen(text):
    """The terminal's lines after all: what was erased is not there."""
    return [line.rsplit("\033[K", 1)[-1].lstrip("\r") for line in text.split("\n")]


def strip(line):
    """Without colours, and without stars, of which a wide terminal has more."""
    return re.sub(r"\033\[[0-9;]*m|\*", "", line)


def test_a_pipe_gets_what_was_done_before_the_next_task_is_at_work(holdfast, tmp_path):
    (tmp_path / "site.yml").write_text(PLAY + f"""  tasks:
    - {{name: quick, command: echo}}
    - {{name: long, command: cat {tmp_path}/gate}}
""")
    os.mkfifo(tmp_path / "gate")
    run = subprocess.Popen([holdfast, "apply", "site.yml"], cwd=tmp_path, stdout=subprocess.PIPE)
    out, end = b"", time.monotonic() + 300
    while b"TASK [long]" not in out and time.monotonic() < end:
        if select.select([run.stdout], [], [], 0.2)[0]:
            out += os.read(run.stdout.fileno(), 65536)
    (tmp_path / "gate").write_text("")
    rest, _ = run.communicate(timeout=300)
    assert b"changed: [localhost]\n\nTASK [long]" in out, out
    assert run.returncode == 0 and b"changed: [localhost]\n\nPLAY RECAP" in rest


COLOURS = PLAY + """  tasks:
    - {name: is fine, ping: }
    - {name: changes, command: echo}
    - {name: left out, ping: , when: false}
    - {name: forgiven, command: "false", ignore_errors: true}
    - {name: several, command: "echo {{ item }}", loop: [1, 2], changed_when: item == 2}
    - {name: breaks, fail: {msg: no}}
"""
LINES = [f"{GREEN}ok: [localhost]{OFF}", f"{YELLOW}changed: [localhost]{OFF}", f"{CYAN}skipping: [localhost]{OFF}", f"{CYAN}...ignoring{OFF}",
         f"{GREEN}ok: [localhost] => (item=1){OFF}", f"{YELLOW}changed: [localhost] => (item=2){OFF}"]


def test_colours_are_on_a_terminal_only(holdfast, tmp_path):
    (tmp_path / "site.yml").write_text(COLOURS)
    status, text = once(lambda text: " s)" not in text and "…" not in text, [holdfast, "apply", "site.yml"], tmp_path)
    lines = text.split("\n")
    assert status == 2
    assert [line for line in LINES if line not in lines] == []
    assert sum(line.startswith(f"{RED}fatal: [localhost]: FAILED! => ") and line.endswith(OFF) for line in lines) == 2
    assert any(re.fullmatch(r"PLAY \[localhost\] \*+", line) for line in lines) and any(re.fullmatch(r"TASK \[changes\] \*+", line) for line in lines)
    recap = next(line for line in lines if " : " in line and "ok=" in line)
    assert recap.startswith(f"{RED}localhost{OFF}") and f"{GREEN}ok=4   {OFF}" in recap and f"{YELLOW}changed=3   {OFF}" in recap
    assert f"{RED}failed=1   {OFF}" in recap and f"{CYAN}skipped=1   {OFF}" in recap and f"{PURPLE}ignored=1   {OFF}" in recap
    status, plain = in_pipe([holdfast, "apply", "site.yml"], tmp_path)
    assert status == 2 and "\033" not in plain and "\r" not in plain
    assert [strip(line) for line in lines if not line.startswith(RED)] == [strip(line) for line in plain.split("\n") if "ok=" not in line and "fatal" not in line]
    assert "\033" not in on_terminal([holdfast, "apply", "site.yml"], tmp_path, {"NO_COLOR": "1"})[1].replace("\r\033[K", "")


LONG = PLAY + """  tasks:
    - {name: short, command: "true"}
    - {name: long, command: sleep 3.5}
    - {name: last, debug: {msg: end}}
"""


def test_a_long_task_says_that_it_is_at_work(holdfast, tmp_path):
    (tmp_path / "site.yml").write_text(LONG)
    def on_time(text):
        in_time = re.search(r"changed: \[localhost\] \(3\.[5-9] s\)", text) and re.search(r"\nTook [34]\.\d s\.", text)
        return in_time and f"{YELLOW}changed: [localhost]{OFF}" in seen(text) and "task 2 of 3 … 2 s" in text and "task 2 of 3 … 3 s" in text and "task 1 of 3" not in text and "task 3 of 3" not in text

    status, text = once(on_time, [holdfast, "apply", "site.yml"], tmp_path)
    assert status == 0
    assert "task 2 of 3 … 2 s" in text and "task 2 of 3 … 3 s" in text and "task 1 of 3" not in text and "task 3 of 3" not in text
    left = seen(text)
    assert not [line for line in left if "…" in line or "\r" in line]
    assert any(re.fullmatch(rf"{re.escape(YELLOW)}changed: \[localhost\] \(3\.[5-9] s\){re.escape(OFF)}", line) for line in left), left
    assert f"{YELLOW}changed: [localhost]{OFF}" in left and any(re.fullmatch(r"Took [34]\.\d s\.", line) for line in left)


@pytest.mark.parametrize("env", [{"TERM": "dumb"}, {"TERM": ""}], ids=["dumb", "none"])
def test_a_terminal_that_cannot_erase_gets_no_such_line(holdfast, tmp_path, env):
    (tmp_path / "site.yml").write_text(LONG)
    status, text = on_terminal([holdfast, "apply", "site.yml"], tmp_path, env)
    assert status == 0 and "…" not in text and "\r" not in text


def test_a_pipe_gets_neither_that_line_nor_durations(holdfast, tmp_path):
    (tmp_path / "site.yml").write_text(LONG)
    status, text = in_pipe([holdfast, "apply", "site.yml"], tmp_path)
    assert status == 0 and "…" not in text and "\r" not in text and " s)" not in text and "Took" not in text
    assert "changed: [localhost]\n" in text


COUNTED = PLAY + """  roles: [r]
  tasks:
    - {ping: , tags: left_out}
    - block:
        - command: sleep 2.5
          register: r
      rescue:
        - ping:
        - ping:
    - {include_tasks: more.yml}
    - {command: "true", notify: h}
  handlers:
    - {name: h, command: sleep 2.5}
"""


def test_tasks_are_counted_as_far_as_they_are_known(holdfast, tmp_path):
    (tmp_path / "roles/r/tasks").mkdir(parents=True)
    (tmp_path / "roles/r/tasks/main.yml").write_text("- ping:\n- meta: noop\n")
    (tmp_path / "more.yml").write_text("- ping:\n- command: sleep 2.5\n")
    (tmp_path / "site.yml").write_text(COUNTED)
    def told(text):
        return re.findall(r"\033\[K([a-z][^…]*) … 2 s", text)

    wanted = ["task 2 of 4", "task 5 of 6", "a handler"]
    status, text = once(lambda text: told(text) == wanted, [holdfast, "apply", "--skip-tags", "left_out", "site.yml"], tmp_path)
    assert status == 0
    assert told(text) == wanted


def test_work_that_waits_without_a_child_is_told_of_too(holdfast, tmp_path):
    (tmp_path / "site.yml").write_text(PLAY + "  tasks:\n    - {command: 'false', register: r, until: false, retries: 1, delay: 3, ignore_errors: true}\n"
                                       "    - {pause: {seconds: 3}}\n    - {wait_for: {timeout: 3}}\n    - {command: sleep 3, async: 20, poll: 1}\n    - {command: sleep 3, timeout: 20}\n")
    def told(text):
        return sorted(set(re.findall(r"task (\d) of 5 … 2 s", text)))

    status, text = once(lambda text: len(told(text)) == 5, [holdfast, "apply", "site.yml"], tmp_path)
    assert status == 0
    assert told(text) == ["1", "2", "3", "4", "5"]


VAULTED = """$ANSIBLE_VAULT;1.2;AES256;dev
34616366373562613531346265653634333635316239613364333037383864653734613539363362
6563323833333563306233396662626232313831383535370a616664373137303831643063663830
64373636633765666432653233303938303261333237313366623264326165633135383030663734
3930316337346161620a626438373866343437366132623431623232656462663037663830323563
3364
"""
SECRETS = PLAY + "  vars:\n    vaulted: !vault |\n" + "".join(f"      {line}\n" for line in VAULTED.splitlines()) + """    typed: hush-hush
  tasks:
    - debug: msg="it is {{ vaulted }}"
    - {name: "named {{ vaulted }}", command: "echo {{ vaulted }}"}
    - {command: "echo {{ item }}", loop: ["{{ vaulted }}"]}
    - {command: "echo {{ typed }}", no_log: true}
    - {command: "echo {{ item }}", no_log: true, loop: ["{{ typed }}"]}
    - {shell: "echo {{ typed }}; false", no_log: true, ignore_errors: true}
    - {copy: {dest: out, content: "{{ vaulted }}\\n"}}
    - {copy: {dest: out2, content: "{{ typed }}\\n"}, no_log: true}
    - {command: "false {{ vaulted }}", ignore_errors: true}
    - {fail: {msg: "no {{ vaulted }}"}}
"""


@pytest.mark.parametrize("level", ["", "-v", "-vv", "-vvv", "-vvvv"])
def test_secrets_are_hidden_at_every_level(holdfast, tmp_path, level):
    (tmp_path / "site.yml").write_text(SECRETS)
    (tmp_path / "pw").write_text("one\n")
    argv = [holdfast, "apply", "--diff", "--vault-id", "dev@pw", *([level] if level else []), "site.yml"]
    status, text = on_terminal(argv, tmp_path)
    (tmp_path / "out").unlink()
    (tmp_path / "out2").unlink()
    piped = in_pipe(argv, tmp_path)[1]
    (tmp_path / "out").unlink()
    lines = in_pipe([*argv[:2], "--output", "jsonl", *argv[2:]], tmp_path)[1]
    assert status == 2 and (tmp_path / "out").read_text() == "secret of dev\n" and (tmp_path / "out2").read_text() == "hush-hush\n"
    for said in (text, piped, lines):
        assert "secret of dev" not in said and "hush-hush" not in said and "********" in said
    assert "the output has been hidden due to the fact that 'no_log: true' was specified for this result" in text


def test_a_difference_is_in_colour(holdfast, tmp_path):
    (tmp_path / "f").write_text("one\ntwo\n")
    (tmp_path / "site.yml").write_text(PLAY + "  tasks:\n    - {copy: {dest: f, content: \"one\\n2\\n\"}, diff: true}\n".replace("dest: f", f"dest: {tmp_path}/f"))
    lines = on_terminal([holdfast, "apply", "site.yml"], tmp_path)[1].split("\n")
    assert [f"{CYAN}@@ -1,2 +1,2 @@{OFF}", " one", f"{RED}-two{OFF}", f"{GREEN}+2{OFF}"] == lines[lines.index(" one") - 1:lines.index(" one") + 3], lines


def test_more_is_said_with_more_v(holdfast, tmp_path):
    (tmp_path / "site.yml").write_text(PLAY + "  tasks:\n    - {name: t, command: echo hi}\n    - {debug: {msg: only at two, verbosity: 2}}\n")
    said = [in_pipe([holdfast, "apply", *v, "site.yml"], tmp_path)[1] for v in ([], ["-v"], ["-vv"], ["-vvv"])]
    assert '"stdout": "hi"' not in said[0] and all('"stdout": "hi"' in s for s in said[1:])
    assert [f"task path: {tmp_path.resolve()}/site.yml:4" in s for s in said] == [False, False, True, True]
    assert ["only at two" in s for s in said] == [False, False, True, True]
    assert ['\n    "stdout": "hi"' in s for s in said] == [False, False, False, True]


def test_lines_for_programs_are_the_same_on_a_terminal(holdfast, tmp_path):
    (tmp_path / "site.yml").write_text(LONG)
    argv = [holdfast, "apply", "--output", "jsonl", "site.yml"]
    events = [[json.loads(line) for line in text.splitlines()] for text in (on_terminal(argv, tmp_path)[1], in_pipe(argv, tmp_path)[1])]
    for e in sum(events, []):
        e.pop("ms", None)
    assert events[0] == events[1] and [e["type"] for e in events[0]] == ["play", "task", "task", "task", "stats"]
    assert set(events[0][1]) == {"type", "play", "task", "host", "module", "status", "changed", "msg"}
