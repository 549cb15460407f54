"""Modules that run a tool of packages, beside the collections' own modules, both in front of the same tool.

For each row: status, tree and result keys as ansible's; check touches nothing; a second run is ok; undo restores."""
import json
import os

import pytest

from given import APACHE, SNAPS, tool
from kit import ask_holdfast, ask_modules, assert_check, assert_same, assert_second, take_back
from rows import TOOLED as ROWS
from rows import load
from test_called import collections

load()
IDS = [r.title for r in ROWS]
UNDONE = [r for r in ROWS if not r.title.startswith("snap")]


class Snapd:
    """A snap and Apache's tools in front of PATH, and what they have installed."""

    def __init__(self, folder):
        self.folder, self.path = folder, os.environ["PATH"]
        for name in ("snap", "a2enmod", "a2dismod", "apache2ctl"):
            (folder / name).write_text(tool(name).text)
            (folder / name).chmod(0o755)
        (folder / "apache.json").write_text(json.dumps(APACHE))
        (folder / "snaps.json").write_text(json.dumps(SNAPS))

    def __enter__(self):
        os.environ["PATH"] = f"{self.folder}:{self.path}"
        return self

    def __exit__(self, *_):
        os.environ["PATH"] = self.path

    def has(self):
        return json.loads((self.folder / "snaps.json").read_text())

    def loads(self):
        return json.loads((self.folder / "apache.json").read_text())


@pytest.fixture(scope="session")
def ansible(tmp_path_factory):
    with Snapd(tmp_path_factory.mktemp("snapd")) as snapd:
        return ask_modules(tmp_path_factory.mktemp("ansible"), ROWS, collections()), snapd.has(), snapd.loads()


@pytest.fixture(scope="session")
def ours(tmp_path_factory, holdfast):
    with Snapd(tmp_path_factory.mktemp("snapd")) as snapd:
        return ask_holdfast(tmp_path_factory.mktemp("holdfast"), ROWS, holdfast), snapd.has(), snapd.loads()


@pytest.fixture(scope="session")
def undone(tmp_path_factory):
    with Snapd(tmp_path_factory.mktemp("snapd")) as snapd:
        return take_back(tmp_path_factory.mktemp("undo"), ROWS), snapd.has(), snapd.loads()


@pytest.mark.parametrize("i", range(len(ROWS)), ids=IDS)
def test_same_as_ansible(i, ansible, ours):
    assert_same(ROWS[i], ansible[0][i], ours[0][i])


@pytest.mark.parametrize("i", range(len(ROWS)), ids=IDS)
def test_check_touches_nothing_and_tells(i, ours):
    assert_check(ROWS[i], ours[0][i])


@pytest.mark.parametrize("i", range(len(ROWS)), ids=IDS)
def test_second_run_is_ok(i, ours):
    assert_second(ROWS[i], ours[0][i], done=("ok", ))


@pytest.mark.parametrize("i", range(len(UNDONE)), ids=[r.title for r in UNDONE])
def test_undo_restores(i, undone):
    before, after = undone[0][ROWS.index(UNDONE[i])]
    # npm of the whole host and gem put back what was installed, not the bytes of a file of theirs.
    loose = [n for n in after if n.startswith(("global", "gems", "here", "bin")) or n.endswith("gems.json")]
    assert {k: v for k, v in after.items() if k not in loose} == {k: v for k, v in before.items() if k not in loose}
    for name in loose:
        if name.endswith("gems.json"):
            was = json.loads(before[name][3]) if name in before else {}
            assert {k: sorted(v) for k, v in json.loads(after[name][3]).items()} == {k: sorted(v) for k, v in was.items()}
        elif name.endswith("/one/package.json"):
            assert name in before


def test_snaps_are_the_same(ansible, ours):
    assert ours[1] == ansible[1]


def test_snaps_are_as_before_after_undo(undone):
    assert undone[1] == {**SNAPS, "k1": undone[1]["k1"]}  # a file's snap has a name that only snap knows


def test_apache_loads_the_same(ansible, ours):
    assert ours[2] == ansible[2]


def test_apache_is_as_before_after_undo(undone):
    assert undone[2] == APACHE
