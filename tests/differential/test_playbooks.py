"""Our own playbooks under the real ansible-playbook and under `holdfast apply`: the same task statuses, messages, exit
status and files. Each row of rows_*.py is one test; both programs run in fresh roots (roots.py), rows that write twice,
so that what the second run does is compared too. A table of it all ends the test's output."""
import collections
import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from playbook_rows import ROWS as FIRST  # noqa: E402
from rows_flow import ROWS as FLOW  # noqa: E402
from rows_hosts import ROWS as HOSTS  # noqa: E402
from rows_refusal import ROWS as REFUSAL  # noqa: E402
from rows_results import ROWS as RESULTS  # noqa: E402
from rows_structure import ROWS as STRUCTURE  # noqa: E402
from rows_variables import ROWS as VARIABLES  # noqa: E402
from rows_words import ROWS as WORDS  # noqa: E402

PARTS = {"general": FIRST, "results": RESULTS, "structure": STRUCTURE, "flow": FLOW, "variables": VARIABLES, "hosts": HOSTS, "refusal": REFUSAL, "words": WORDS}
ROWS = {f"{part}: {name}": row for part, rows in PARTS.items() for name, row in rows.items()}
BUILD = pathlib.Path(os.environ.get("HF_BUILD", pathlib.Path(__file__).resolve().parents[2] / "build")).resolve()
# Keys of a row that are no files.
SETTINGS = {"args", "environment", "local", "unordered"}


def clean(events, unordered=False):
    seen = [(e["task"], e["host"], e["status"], json.dumps(e["msg"], sort_keys=True)) for e in events]
    return sorted(seen) if unordered else seen


def ansible_events(lines):
    return [json.loads(line) for line in lines]


def holdfast_events(lines):
    events = []
    for line in lines:
        e = json.loads(line)
        if e["type"] != "task" or "item" in e:
            continue
        status = "failed" if e["status"] == "rescued" else e["status"]
        result = e.get("result") or {}
        loop = isinstance(result.get("results"), list)
        msg = result.get("msg") if status in ("ok", "changed") and e["module"].split(".")[-1] == "debug" and not loop else None
        if status == "ok" and e["module"].split(".")[-1] in ("include_tasks", "include_role"):
            continue
        events.append({"task": e["task"], "host": e["host"], "status": status, "msg": msg})
    return events


def ansible_recap(text):
    lines = re.findall(r"^(\S+) +: (ok=.*)$", text, re.M)
    return {host: {word: int(n) for word, n in re.findall(r"(\w+)=(\d+)", line)} for host, line in lines}


def holdfast_recap(text):
    found = [json.loads(line) for line in text.splitlines() if line.startswith('{"type": "stats"')]
    return found[-1]["hosts"] if found else {}


RECAP = {"ansible": ansible_recap, "holdfast": holdfast_recap}
READ = {"ansible": ansible_events, "holdfast": holdfast_events}


def job(number, name, row, tool):
    keep = [str(pathlib.Path(sys.prefix).resolve()), str(BUILD)]
    return {"id": f"{tool}-{number}", "tool": tool, "keep": keep, "holdfast": str(BUILD / "holdfast"),
            "book": {k: v for k, v in row.items() if k not in SETTINGS}, "args": ["site.yml", *row.get("args", [])],
            "environment": row.get("environment", {}), "local": row.get("local", True),
            "times": 2 if any("{out}" in str(text) for text in row.values()) else 1}


@pytest.fixture(scope="session")
def runs(request, tmp_path_factory):
    """Every selected row by both programs: {(tool, name): [first run, second run]}."""
    folder = tmp_path_factory.mktemp("runs")
    names = [i.callspec.params["name"] for i in request.session.items if getattr(i, "originalname", "") == "test_playbook"]
    rows = [(n, name, tool) for n, name in enumerate(names) for tool in READ]
    (folder / "jobs").write_text(json.dumps([job(n, name, ROWS[name], tool) for n, name, tool in rows]))
    at_once = 2 * (os.cpu_count() or 1)
    subprocess.run([sys.executable, pathlib.Path(__file__).with_name("roots.py"), folder / "jobs", folder, str(at_once)], check=True)
    return {(tool, name): json.loads((folder / f"{tool}-{n}").read_text()) for n, name, tool in rows}


def outcome(tool, run, unordered):
    return clean(READ[tool](run["events"]), unordered)


@pytest.mark.parametrize("name", ROWS)
def test_playbook(name, runs, table):
    unordered = ROWS[name].get("unordered", False)
    theirs, ours = runs["ansible", name], runs["holdfast", name]
    assert isinstance(theirs, list) and isinstance(ours, list), (theirs, ours)
    statuses = collections.Counter(e[2] for e in outcome("ansible", theirs[0], unordered))
    table(name, dict(statuses), len(ours[-1]["tree"]) - 1, len(ours))
    for number, (want, got) in enumerate(zip(theirs, ours), 1):
        text = f"run {number}\n--- ansible\n{want['text']}\n--- holdfast\n{got['text']}"
        assert outcome("holdfast", got, unordered) == outcome("ansible", want, unordered), text
        assert got["code"] == want["code"], text
        if want["code"] in (0, 2):  # otherwise the run was broken off
            assert RECAP["holdfast"](got["text"]) == RECAP["ansible"](want["text"]), text
        assert got["tree"] == want["tree"], text
