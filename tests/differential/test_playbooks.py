"""Our own playbooks under the real ansible-playbook and under `holdfast apply`: the same task statuses, messages, exit
status and files. Each row of playbook_rows.py is one test; both programs run in fresh directories."""
import concurrent.futures
import json
import os
import pathlib
import stat
import subprocess
import sys

import pytest
from playbook_rows import ROWS

CALLBACK = '''
import json, os
from ansible.plugins.callback import CallbackBase

class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "rows"
    CALLBACK_NEEDS_ENABLED = True

    def line(self, task, host, status, msg=None):
        with open(os.environ["ROWS_OUT"], "a") as f:
            f.write(json.dumps({"task": task, "host": host, "status": status, "msg": msg}) + "\\n")

    def result(self, r, status):
        if r._task.action.split(".")[-1] == "meta":
            return
        msg = r._result.get("msg") if status in ("ok", "changed") and r._task.action.split(".")[-1] == "debug" and not r._task.loop else None
        if r._result.get("_ansible_no_log"):
            msg = None
        self.line(r._task.get_name(), r._host.name, status, msg)

    def v2_runner_on_ok(self, r):
        self.result(r, "changed" if r._result.get("changed") else "ok")

    def v2_runner_on_failed(self, r, ignore_errors=False):
        self.result(r, "ignored" if ignore_errors else "failed")

    def v2_runner_on_skipped(self, r):
        self.result(r, "skipped")

    def v2_runner_on_unreachable(self, r):
        self.result(r, "unreachable")

    def v2_playbook_on_include(self, included):
        for host in included._hosts:
            self.line(included._task.get_name(), host.name, "included")
'''


def lay_out(root, row):
    out = root / "out"
    out.mkdir(parents=True)
    for name, text in row.items():
        if name == "args":
            continue
        path = root / "book" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("{out}", str(out)))
    return root / "book", out


def tree(out):
    found = {}
    for path in sorted(out.rglob("*")):
        st = path.lstat()
        kind = stat.S_IFMT(st.st_mode)
        text = os.readlink(path) if path.is_symlink() else path.read_text() if path.is_file() else None
        found[str(path.relative_to(out))] = (kind, oct(st.st_mode & 0o7777), text)
    return found


def clean(events, root):
    """Paths of the scratch directory differ; loops of includes say `included` once for each item."""
    seen = []
    for e in events:
        one = (e["task"], e["host"], e["status"], json.dumps(e["msg"], sort_keys=True).replace(str(root), "@"))
        if e["status"] == "included":
            one = (e["task"], e["host"], "ok", "null")
            if seen and one == seen[-1]:
                continue
        if seen and one[2] == "failed" and seen[-1] == (e["task"], e["host"], "ok", "null"):
            seen.pop()  # an include that is not there is announced before it fails
        seen.append(one)
    return seen


def environment():
    keep = {k: v for k, v in os.environ.items() if not k.startswith("ANSIBLE")}
    keep.update(LC_ALL="C.UTF-8", ANSIBLE_LOCALHOST_WARNING="false", ANSIBLE_NOCOWS="1", ANSIBLE_FORKS="1", ANSIBLE_PYTHON_INTERPRETER=sys.executable,
                PATH=f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}")
    return keep


def run_ansible(root, row):
    book, out = lay_out(root, row)
    plugins = root / "plugins"
    plugins.mkdir()
    (plugins / "rows.py").write_text(CALLBACK)
    log = root / "log"
    log.touch()
    env = environment() | {"ANSIBLE_CALLBACK_PLUGINS": str(plugins), "ANSIBLE_CALLBACKS_ENABLED": "rows", "ROWS_OUT": str(log)}
    command = [str(pathlib.Path(sys.executable).parent / "ansible-playbook"), "-c", "local", "site.yml", *row.get("args", [])]
    done = subprocess.run(command, cwd=book, env=env, capture_output=True, text=True, timeout=120)
    events = [json.loads(line) for line in log.read_text().splitlines()]
    return clean(events, root), done.returncode, tree(out), done.stdout + done.stderr


def run_holdfast(holdfast, root, row):
    book, out = lay_out(root, row)
    command = [holdfast, "apply", "-c", "local", "--output", "jsonl", "-v", "site.yml", *row.get("args", [])]
    done = subprocess.run(command, cwd=book, env=environment(), capture_output=True, text=True, timeout=60)
    events = []
    for line in done.stdout.splitlines():
        e = json.loads(line)
        if e["type"] != "task" or "item" in e:
            continue
        status = "failed" if e["status"] == "rescued" else e["status"]
        result = e.get("result") or {}
        loop = isinstance(result.get("results"), list)
        msg = result.get("msg") if status in ("ok", "changed") and e["module"].split(".")[-1] == "debug" and not loop else None
        if "include" in result or "include_role" in result or (loop and e["module"].startswith("include_") and status == "ok"
                                                               and e["module"] != "include_vars"):
            status, msg = "included", None
        events.append({"task": e["task"], "host": e["host"], "status": status, "msg": msg})
    return clean(events, root), done.returncode, tree(out), done.stdout + done.stderr


@pytest.fixture(scope="session")
def ansible_runs(tmp_path_factory):
    base = tmp_path_factory.mktemp("ansible")
    with concurrent.futures.ThreadPoolExecutor(max_workers=4) as pool:
        runs = {name: pool.submit(run_ansible, base / str(i), row) for i, (name, row) in enumerate(ROWS.items())}
        return {name: run.result() for name, run in runs.items()}


@pytest.mark.parametrize("name", ROWS)
def test_playbook(name, holdfast, ansible_runs, tmp_path):
    want_events, want_status, want_tree, want_text = ansible_runs[name]
    got_events, got_status, got_tree, got_text = run_holdfast(holdfast, tmp_path / "run", ROWS[name])
    assert got_events == want_events, f"\n--- ansible\n{want_text}\n--- holdfast\n{got_text}"
    assert got_status == want_status, f"\n--- ansible\n{want_text}\n--- holdfast\n{got_text}"
    assert got_tree == want_tree
