"""Playbooks under the real ansible-playbook and under `holdfast apply`: what the test files with rows_*.py share. Both
programs run in fresh roots (roots.py), rows that write twice, so that what the second run does is compared too."""
import collections
import json
import os
import pathlib
import re
import subprocess
import sys

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


def job(number, row, tool):
    keep = [str(pathlib.Path(sys.prefix).resolve()), str(BUILD)]
    return {"id": f"{tool}-{number}", "tool": tool, "keep": keep, "holdfast": str(BUILD / "holdfast"),
            "book": {k: v for k, v in row.items() if k not in SETTINGS}, "args": ["site.yml", *row.get("args", [])],
            "environment": row.get("environment", {}), "local": row.get("local", True),
            "times": 2 if any("{out}" in str(text) for text in row.values()) else 1}


def run_both(request, folder, all_rows):
    """Every selected row of a test file by both programs: {(tool, name): [first run, second run]}."""
    mine = [i for i in request.session.items if i.path == request.path and getattr(i, "originalname", "") == "test_playbook"]
    rows = [(n, i.callspec.params["name"], tool) for n, i in enumerate(mine) for tool in READ]
    (folder / "jobs").write_text(json.dumps([job(n, all_rows[name], tool) for n, name, tool in rows]))
    at_once = 2 * (os.cpu_count() or 1)
    subprocess.run([sys.executable, pathlib.Path(__file__).with_name("roots.py"), folder / "jobs", folder, str(at_once)], check=True)
    return {(tool, name): json.loads((folder / f"{tool}-{n}").read_text()) for n, name, tool in rows}


def outcome(tool, run, unordered):
    return clean(READ[tool](run["events"]), unordered)


def compare(name, row, runs, table):
    unordered = row.get("unordered", False)
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


def named(parts):
    """Rows under the name of their part and their own."""
    return {f"{part}: {name}": row for part, rows in parts.items() for name, row in rows.items()}
