"""correct-in-window, asked for by a task, a role, a play, an environment or the configuration: outside a window it is only told, inside it is
put right. What asks for nothing of the kind is put right at once."""
import json
import os
import time

import pytest

from agent import AgentHost
from broker import Broker

WINDOWED = "holdfast_policy: correct-in-window"
MANAGED = "name: managed, copy: {{ content: managed, dest: {t}/managed }}"
TASKS = "- {{ name: managed, copy: {{ content: managed, dest: {t}/managed }} }}\n"
CONTROL = "- hosts: all\n  gather_facts: false\n  tasks:\n    - {{ name: at once, copy: {{ content: right, dest: {t}/at-once }}, vars: {{ holdfast_policy: correct }} }}\n"
PLAY = "- hosts: all\n  gather_facts: false\n"

ROWS = [
    # who asks, files of the release, configuration
    ("a task", {"site.yml": PLAY + "  tasks:\n    - {{ " + MANAGED + ", vars: {{ " + WINDOWED + " }} }}\n"}, {}),
    ("a block", {"site.yml": PLAY + "  tasks:\n    - vars: {{ " + WINDOWED + " }}\n      block:\n        - {{ " + MANAGED + " }}\n"}, {}),
    ("a play", {"site.yml": PLAY + "  vars: {{ " + WINDOWED + " }}\n  tasks:\n    - {{ " + MANAGED + " }}\n"}, {}),
    ("a role's variables", {"site.yml": PLAY + "  roles: [ one ]\n", "roles/one/tasks/main.yml": TASKS,
                            "roles/one/vars/main.yml": WINDOWED + "\n"}, {}),
    ("a role's entry", {"site.yml": PLAY + "  roles: [ {{ role: one, vars: {{ " + WINDOWED + " }} }} ]\n",
                        "roles/one/tasks/main.yml": TASKS}, {}),
    ("an environment", {"site.yml": PLAY + "  tasks:\n    - {{ " + MANAGED + " }}\n", "group_vars/dev.yml": WINDOWED + "\n"}, {}),
    ("a fleet", {"site.yml": PLAY + "  tasks:\n    - {{ " + MANAGED + " }}\n", "group_vars/default.yml": WINDOWED + "\n"}, {}),
    ("the configuration", {"site.yml": PLAY + "  tasks:\n    - {{ " + MANAGED + " }}\n"}, {"policy": "correct-in-window"}),
]


@pytest.fixture(scope="module")
def broker():
    with Broker() as one:
        yield one


def elsewhen():
    """A window of an hour that opens in some hours."""
    hour = (time.gmtime().tm_hour + 3) % 24
    return f"{hour:02}:00-{hour:02}:59 UTC"


def configure(host, **values):
    path = host.folder / "holdfast.yaml"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


@pytest.mark.parametrize("who,files,config", ROWS, ids=[r[0] for r in ROWS])
def test_outside_it_is_told_and_inside_it_is_put_right(tmp_path, holdfast, holdfastd, broker, who, files, config):
    host = AgentHost(tmp_path, holdfast, holdfastd, broker=broker, host=f"p-{abs(hash(tmp_path))}", windows=[elsewhen()], **config)
    texts = {path: text.format(t=host.target) for path, text in files.items()}
    texts["site.yml"] += CONTROL.format(t=host.target)
    host.promote(host.push("one", texts))
    managed, at_once = host.target / "managed", host.target / "at-once"

    def told(title):
        return [m.body["action"] for m in reader.messages if m.body["title"].endswith(title) and m.body["action"] != "correcting"]

    with broker.reader(f"hf/1/dev/default/{host.name}/drift") as reader:
        with host:
            host.installed("one")
            managed.write_text("by hand")
            at_once.write_text("by hand")
            host.until(lambda: told("managed") == ["held-back"] and told("at once") == ["corrected"], "each as it is asked for")
            assert (managed.read_text(), at_once.read_text()) == ("by hand", "right")
            event = next(m.body for m in reader.messages if m.body["title"].endswith("managed"))
            assert (event["policy"], event["class"]) == ("correct-in-window", "external")
            host.wait(lambda s: s["state"] == "drifted" and s["drifted"] == 1)
        configure(host, windows=["00:00-24:00 UTC"])
        with host:
            host.until(lambda: told("managed")[-1] == "corrected", "a window is open")
            assert managed.read_text() == "managed"
            host.wait(lambda s: s["state"] == "ok")
            managed.write_text("by hand again")
            host.until(lambda: told("managed").count("corrected") == 2, "it still is")
            assert managed.read_text() == "managed"


def next_minutes():
    """A window that opens with the minute after next."""
    start, end = (time.gmtime(time.time() + ahead) for ahead in (120, 600))
    return time.strftime("%H:%M-", start) + time.strftime("%H:%M UTC", end)


def test_what_is_held_back_is_told_once(tmp_path, holdfast, holdfastd):
    host = AgentHost(tmp_path, holdfast, holdfastd, windows=[elsewhen()], policy="correct-in-window", sweep="1s")
    host.promote(host.push("one", {"site.yml": (PLAY + "  tasks:\n    - {{ " + MANAGED + " }}\n").format(t=host.target)}))
    with host:
        host.installed("one")
        (host.target / "managed").write_text("by hand")
        host.wait(lambda s: s["drifted"] == 1)
        host.until(lambda: host.ask("drift")["events"], "it is told")
        time.sleep(2.5)  # sweeps outside the window
        assert (host.target / "managed").read_text() == "by hand"
        assert [e["action"] for e in host.ask("drift")["events"]] == ["held-back"], "told once"
        host.stop()
        host.start()
        time.sleep(1.5)
        assert (host.target / "managed").read_text() == "by hand"
        assert [e["action"] for e in host.ask("drift")["events"]] == ["held-back"], "a restart is no news"


if os.environ.get("HF_LONG"):
    def test_a_window_that_opens_finds_what_was_held_back(tmp_path, holdfast, holdfastd):
        """Nothing touches the file again."""
        host = AgentHost(tmp_path, holdfast, holdfastd, windows=[next_minutes()], policy="correct-in-window")
        host.promote(host.push("one", {"site.yml": (PLAY + "  tasks:\n    - {{ " + MANAGED + " }}\n").format(t=host.target)}))
        with host:
            host.installed("one")
            (host.target / "managed").write_text("by hand")
            host.wait(lambda s: s["drifted"] == 1)
            host.until(lambda: (host.target / "managed").read_text() == "managed", "the window opens", 240)


IN_THE_WAY = """
- hosts: all
  gather_facts: false
  tasks:
    - {{ name: a file, copy: {{ content: right, dest: {t}/file }} }}
    - {{ name: a folder, file: {{ path: {t}/folder, state: directory }} }}
    - {{ name: watched, copy: {{ content: right, dest: {t}/watched }}, vars: {{ holdfast_policy: report }} }}
    - {{ name: beside, copy: {{ content: right, dest: {t}/beside }} }}
"""


def test_what_no_module_can_put_right_is_told_with_its_reason(tmp_path, holdfast, holdfastd, broker):
    host = AgentHost(tmp_path, holdfast, holdfastd, broker=broker, host=f"w-{abs(hash(tmp_path))}")
    host.promote(host.push("one", {"site.yml": IN_THE_WAY.format(t=host.target)}))
    with broker.reader(f"hf/1/dev/default/{host.name}/#") as reader, host:
        host.installed("one")
        for name in ("file", "folder", "watched"):
            path = host.target / name
            if path.is_dir():
                path.rmdir()
                path.write_text("a file where a folder should be")
            else:
                path.unlink()
                path.mkdir()
                (path / "kept").write_text("somebody's")
        (host.target / "beside").write_text("by hand")
        host.until(lambda: (host.target / "beside").read_text() == "right", "what can be put right is")

        def told(title):
            return [m.body for m in reader.messages if m.topic.endswith("/drift") and m.body["title"] == title and m.body["action"] != "correcting"]

        for title, action in (("a file", "correction-failed"), ("a folder", "correction-failed"), ("watched", "reported")):
            host.until(lambda: told(title) and told(title)[-1]["action"] == action, f"{title} is {action}")
            assert told(title)[-1]["class"] == "external"
        assert "can not use content with a dir as dest" in told("a file")[-1]["message"]
        assert "can not use content" in told("watched")[-1]["message"], "nobody tried to put it right, and why it cannot be looked at is said"
        assert str(host.target / "folder") in told("a folder")[-1]["message"]
        assert (host.target / "file/kept").read_text() == "somebody's" and (host.target / "folder").is_file(), "nothing is removed for it"
        host.wait(lambda s: s["state"] == "drifted" and s["drifted"] == 3)
        assert "can not use content with a dir as dest" in host.run("drift").stdout
        (host.target / "file/kept").unlink()
        (host.target / "file").rmdir()
        (host.target / "folder").unlink()
        host.until(lambda: (host.target / "folder").is_dir() and (host.target / "file").is_file(), "both are put right when they can be")
        host.wait(lambda s: s["drifted"] == 1)
