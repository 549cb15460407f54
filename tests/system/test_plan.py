"""holdfast plan says beforehand what apply then does: generated playbooks on folders in every state of disorder, task by task
and item by item; and, through the agent, what the next release would do on its host. Commands are unknown, and what hangs on
them; nothing else is."""
import json
import os
import pathlib
import random
import shutil
import subprocess
import tempfile

import pytest

from agent import AgentHost

PLAYBOOKS = 3000 if os.environ.get("HF_LONG") else 300
BATCH = 25


class Generator:
    """One playbook over a folder; sure: names of the tasks whose plan must not be "unknown"."""

    def __init__(self, rng, root):
        self.rng, self.root, self.tasks, self.sure, self.handlers, self.count = rng, root, [], set(), [], 0
        self.free = [f"{root}/d{n}/f{m}" for n in range(3) for m in range(8)]  # each file has one task
        rng.shuffle(self.free)

    def name(self, sure=True):
        self.count += 1
        name = f"t{self.count}"
        if sure:
            self.sure.add(name)
        return name

    def text(self):
        return "".join(self.rng.choice("abcde ") for _ in range(self.rng.randrange(1, 12))).strip() + "\n"

    def mode(self):
        return self.rng.choice(["0644", "0600", "0755", "0640"])

    def add(self, task, sure=True):
        task = {"name": self.name(sure), **task}
        if self.rng.random() < 0.2:
            handler = f"h{len(self.handlers)}"
            self.handlers.append({"name": handler, "copy": {"content": self.text(), "dest": f"{self.root}/{handler}"}})
            task["notify"] = handler
        if self.rng.random() < 0.1:
            task["when"] = self.rng.choice([True, False, "1 == 1", "nothing is defined"])
        if self.rng.random() < 0.1:
            task = {"name": f"block of {task['name']}", "block": [task]}
        self.tasks.append(task)

    def file(self):
        return self.free.pop() if self.free else f"{self.root}/more{self.count}"

    def copy(self):
        self.add({"copy": {"content": self.text(), "dest": self.file(), "mode": self.mode()}})

    def template(self):
        self.add({"template": {"src": "t.j2", "dest": self.file()}, "vars": {"word": self.text().strip()}})

    def folder(self):
        self.add({"file": {"path": f"{self.root}/dir{self.rng.randrange(4)}{self.count}", "state": "directory",
                           "mode": self.mode()}})

    def folder_and_inside(self):
        where = f"{self.root}/new{self.count}"
        self.add({"file": {"path": where, "state": "directory"}})
        if "when" not in str(self.tasks[-1]):
            self.add({"copy": {"content": self.text(), "dest": f"{where}/inside"}})

    def absent(self):
        self.add({"file": {"path": self.file(), "state": "absent"}})

    def link(self):
        self.add({"file": {"src": "/etc/hostname", "path": self.file() + ".link", "state": "link"}})

    def line(self):
        self.add({"lineinfile": {"path": self.file(), "line": self.text().strip() or "x", "create": True}})

    def block(self):
        self.add({"blockinfile": {"path": self.file(), "block": self.text(), "create": True}})

    def ini(self):
        self.add({"ini_file": {"path": self.file() + ".ini", "section": "s", "option": "o", "value": self.text().strip()}})

    def loop(self):
        where = [self.file() for _ in range(3)]
        self.add({"copy": {"content": self.text(), "dest": "{{ item }}"}, "loop": where})

    def creates(self):
        made = self.file() + ".made"
        self.add({"command": f"touch {made}", "args": {"creates": made}})

    def fact_and_when(self):
        number = self.count
        self.tasks.append({"name": self.name(), "stat": {"path": "/etc/hostname"}, "register": f"st{number}"})
        self.tasks.append({"name": self.name(), "copy": {"content": self.text(), "dest": self.file()},
                           "when": f"st{number}.stat.exists"})

    def command(self):
        number = self.count
        self.tasks.append({"name": self.name(False), "shell": f"echo {self.text().strip()}; true", "register": f"out{number}"})
        if self.rng.random() < 0.5:
            self.tasks.append({"name": self.name(False), "copy": {"content": f"{{{{ out{number}.stdout }}}}", "dest": self.file()}})

    def twice(self):
        where = self.file()
        self.tasks.append({"name": self.name(), "copy": {"content": self.text(), "dest": where}})
        self.tasks.append({"name": self.name(False), "lineinfile": {"path": where, "line": "z"}})

    def make(self):
        kinds = [self.copy, self.template, self.folder, self.folder_and_inside, self.absent, self.link, self.line, self.block,
                 self.ini, self.loop, self.creates, self.fact_and_when, self.command, self.twice]
        for _ in range(self.rng.randrange(3, 14)):
            self.rng.choice(kinds)()
        return [{"hosts": "localhost", "gather_facts": False, "tasks": self.tasks, "handlers": self.handlers}]


def disorder(rng, root):
    """What a host is like: some files are there, some wrong, some with other modes."""
    for n in range(3):
        (root / f"d{n}").mkdir()
        for m in range(8):
            path = root / f"d{n}/f{m}"
            if rng.random() < 0.5:
                path.write_text(rng.choice(["a\n", "b c\n", "z\n", ""]))
                path.chmod(rng.choice([0o644, 0o600, 0o755]))


def undo_some(rng, root):
    """After a first apply: half of it is disturbed, so that the second plan has both kinds."""
    for path in sorted(p for p in root.rglob("*") if p.is_file() and not p.is_symlink()):
        if rng.random() < 0.3:
            rng.choice([lambda p: p.write_text("disturbed\n"), lambda p: p.chmod(0o700), lambda p: p.unlink()])(path)


def rows(events):
    """{(task, item or None): what was said of it}"""
    return {(e["task"], str(e.get("item"))): e for e in events if e["task"].startswith(("t", "h"))}


def planned(holdfast, book):
    done = subprocess.run([holdfast, "plan", str(book), "--json"], capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    return rows(json.loads(done.stdout)["tasks"])


def applied(holdfast, book):
    done = subprocess.run([holdfast, "apply", str(book), "-i", "localhost,", "--output", "jsonl"], capture_output=True, text=True)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    return rows(e for e in events if e["type"] == "task")


def differences(plan, apply, sure):
    """Of tasks that can be looked at: said and not done, done and not said, and unknown without need."""
    wrong = []
    for at, event in apply.items():
        said = plan.get(at, {}).get("plan", "none")
        if said == "unknown":
            wrong += [f"{at}: unknown: {plan[at]['why']}"] if at[0] in sure else []
            continue
        did = "fail" if event["status"] == "failed" else "change" if event["changed"] else "none"
        if said != did:
            wrong.append(f"{at}: said {said}, did {did}: {event.get('msg')}")
    return wrong + [f"{at}: said change, did not run" for at, e in plan.items() if at not in apply and e["plan"] == "change"]


@pytest.fixture
def scratch():
    """In memory: each managed file is synced to the disk, and there are thousands."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as folder:
        yield pathlib.Path(folder)


@pytest.mark.parametrize("batch", range(PLAYBOOKS // BATCH))
def test_plan_is_apply(batch, scratch, holdfast):
    looked, tmp_path = 0, scratch
    for number in range(BATCH):
        rng = random.Random(f"{batch} {number}")
        root = tmp_path / str(number)
        root.mkdir()
        generator = Generator(rng, root)
        book = tmp_path / f"{number}.yml"
        book.write_text(json.dumps(generator.make()))
        (tmp_path / "templates").mkdir(exist_ok=True)
        (tmp_path / "templates/t.j2").write_text("word {{ word }}\n")
        disorder(rng, root)
        for _ in range(2):
            before = snapshot(root)
            plan = planned(holdfast, book)
            assert snapshot(root) == before, "a plan touched something"
            wrong = differences(plan, applied(holdfast, book), generator.sure)
            assert not wrong, "\n".join(wrong) + "\n" + book.read_text()
            looked += len(plan)
            undo_some(rng, root)
        shutil.rmtree(root)
    assert looked > BATCH * 5


def snapshot(root):
    return {str(p): (p.lstat().st_mode, p.lstat().st_mtime_ns, p.read_bytes() if p.is_file() else None)
            for p in pathlib.Path(root).rglob("*")}


ONE = """
- hosts: all
  gather_facts: false
  tasks:
    - name: one
      copy: {{ content: "{word}\\n", dest: {t}/one }}
      notify: told
    - name: two
      copy: {{ content: "two\\n", dest: {t}/two }}
    - name: look
      shell: echo {word} >> {t}/ran
  handlers:
    - name: told
      shell: echo told >> {t}/told
"""


def test_the_agent_plans_the_release_that_is_wanted(tmp_path, holdfast, holdfastd):
    host = AgentHost(tmp_path, holdfast, holdfastd)
    host.promote(host.push("one", {"site.yml": ONE.format(t=host.target, word="first")}))
    with host:
        host.installed("one")
        assert all(e["plan"] == "none" for e in host.ask("plan")["tasks"])
        host.run("pause", "--for", "1h", "--reason", "look before it comes")
        host.promote(host.push("two", {"site.yml": ONE.format(t=host.target, word="second")}))
        host.wait(lambda s: s.get("wanted", {}).get("name") == "two")
        said = {e["task"]: e["plan"] for e in host.ask("plan")["tasks"]}
        assert said == {"one": "change", "two": "none", "look": "unknown", "told": "unknown"}
        assert (host.target / "one").read_text() == "first\n"
        host.run("resume")
        status = host.installed("two")
        assert (status["last_run"]["changed"], status["last_run"]["recalled"]) == (3, 1)
