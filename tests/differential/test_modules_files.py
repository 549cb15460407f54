"""File, text and command modules against the real ansible: the same rows through both, compared by what a user sees.

What ansible-playbook did with every row is kept beside this file (HF_LONG=1 asks it again).
Then holdfast: check (nothing may change), apply (status, result keys and tree as ansible's), apply again (all ok).
"""
import hashlib
import json
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from files_rows import ROWS  # noqa: E402
from modules_kit import ask_ansible, ask_holdfast, comparable, status, take_back  # noqa: E402

EXPECTED = pathlib.Path(__file__).with_name("files_expected.json")
IDS = [r.title for r in ROWS]


def key(r):
    """What a row's outcome depends on."""
    return hashlib.sha256(repr((r.given, r.task, r.options.get("sources"))).encode()).hexdigest()[:16]


@pytest.fixture(scope="session")
def ansible(tmp_path_factory):
    """What the real ansible-playbook made of every row. Its answers are kept in files_expected.json; rows that are not
    in there are run now, with HF_LONG=1 all of them, and with HF_RECORD=1 the answers are kept."""
    kept = json.loads(EXPECTED.read_text()) if EXPECTED.exists() and not os.environ.get("HF_LONG") else {}
    missing = [r for r in ROWS if key(r) not in kept]
    if missing:
        kept.update(zip(map(key, missing), ask_ansible(tmp_path_factory.mktemp("ansible"), missing)))
        if os.environ.get("HF_RECORD"):
            record(kept)
    return [kept[key(r)] for r in ROWS]


def record(kept):
    wanted = {key(r): kept[key(r)] for r in ROWS}
    EXPECTED.write_text("{\n" + ",\n".join(f'"{k}": {json.dumps(v, sort_keys=True)}' for k, v in sorted(wanted.items())) + "\n}\n")


@pytest.fixture(scope="session")
def ours(tmp_path_factory, holdfast):
    """check, apply, apply again."""
    return ask_holdfast(tmp_path_factory.mktemp("holdfast"), ROWS, holdfast)


def way_back(r):
    """Rows whose changes can be taken back: a command's cannot, nor a request's, nor what git discarded."""
    module, args = next(iter(r.task.items()))
    return module not in ("command", "shell", "raw", "script", "uri") and not (module == "git" and "w" in r.given)


UNDONE = [r for r in ROWS if way_back(r)]


@pytest.fixture(scope="session")
def undone(tmp_path_factory):
    """Every row applied and taken back, in a run of its own."""
    return take_back(tmp_path_factory.mktemp("undo"), UNDONE)


@pytest.mark.parametrize("i", range(len(ROWS)), ids=IDS)
def test_same_as_ansible(i, ansible, ours):
    """Status, tree and result keys after one run."""
    loose = ROWS[i].options.get("loose", [])
    want, got = ansible[i], ours[i]
    assert status(got["result"]) == status(want["result"]), (want["result"], got["result"])
    if status(want["result"]) != "failed" and "tree" not in loose:
        assert got["tree"] == want["tree"]
    assert comparable(got["result"], loose) == comparable(want["result"], loose)


@pytest.mark.parametrize("i", range(len(ROWS)), ids=IDS)
def test_check_touches_nothing(i, ours):
    assert ours[i]["untouched"]


@pytest.mark.parametrize("i", range(len(UNDONE)), ids=[r.title for r in UNDONE])
def test_undo_restores(i, undone):
    """Kinds, owners, modes, contents, links and the times of files are as before."""
    before, after = undone[i]
    assert after == before


@pytest.mark.parametrize("i", range(len(ROWS)), ids=IDS)
def test_second_run_is_ok(i, ours):
    """What check announces, apply does once."""
    if ours[i]["first"]["status"] in ("changed", "ok") and not ROWS[i].options.get("always"):
        assert ours[i]["second"]["status"] in ("ok", "skipped")
