"""File, text and command modules against the real ansible: the same rows through both, compared by what a user sees.

ansible-playbook is asked here and now, in a few runs over many rows each.
Then holdfast: check (nothing may change), apply (status, result keys and tree as ansible's), apply again (all ok).
"""
import concurrent.futures
import os

import pytest

from kit import ask_ansible, ask_holdfast, assert_same, assert_second, take_back
from rows import PLAYED as ROWS
from rows import load

load()
IDS = [r.title for r in ROWS]


@pytest.fixture(scope="session")
def ansible(tmp_path_factory):
    """What the real ansible-playbook makes of every row; a few at once, each over its share of the rows."""
    share = len(ROWS) // (2 * (os.cpu_count() or 1)) + 1
    parts = [ROWS[i:i + share] for i in range(0, len(ROWS), share)]
    root = tmp_path_factory.mktemp("ansible")
    with concurrent.futures.ThreadPoolExecutor(max_workers=len(parts)) as pool:
        answers = pool.map(ask_ansible, [root / str(i) for i in range(len(parts))], parts)
        return [one for part in answers for one in part]


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
    assert_same(ROWS[i], ansible[i], ours[i])


@pytest.mark.parametrize("i", range(len(ROWS)), ids=IDS)
def test_check_touches_nothing(i, ours):
    assert ours[i]["untouched"]


# Ansible's modules of these names do nothing in check mode either; a command or a request tells nothing before it is done.
CHECKLESS = {"command", "shell", "raw", "script", "uri", "fetch", "wait_for", "tempfile", "assemble"}


@pytest.mark.parametrize("i", range(len(ROWS)), ids=IDS)
def test_check_tells(i, ours):
    """What check says of a task is what comes of it, unless doing it fails."""
    check, first = ours[i]["check"]["status"], ours[i]["first"]["status"]
    if check == "skipped" and first != "skipped":
        assert next(iter(ROWS[i].task)) in CHECKLESS
    elif first in ("changed", "ok"):
        assert check == first


@pytest.mark.parametrize("i", range(len(UNDONE)), ids=[r.title for r in UNDONE])
def test_undo_restores(i, undone):
    """Kinds, owners, modes, contents, links and the times of files are as before."""
    before, after = undone[i]
    assert after == before


@pytest.mark.parametrize("i", range(len(ROWS)), ids=IDS)
def test_second_run_is_ok(i, ours):
    assert_second(ROWS[i], ours[i])
