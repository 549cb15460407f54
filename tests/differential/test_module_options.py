"""Every option that Ansible documents for a module is in the module's table, to work or to be refused by name, with its aliases and
choices; asked of ansible-doc, for the collections that the tests take out of PyPI's bundle (not community.docker)."""
import json
import os
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from modules_kit import BUILD  # noqa: E402
from test_modules_collections import collections  # noqa: E402

TABLES = json.loads(subprocess.run([BUILD / "holdfast", "modules", "--json"], capture_output=True, check=True).stdout)
ASKED = [m for m in TABLES if m["collection"] not in ("holdfast", "community.docker") and m["options"]]
# How documentation speaks of free form and of options that pass anything on.
WORDS = ("free_form", "free-form", "key_value", "others")


@pytest.fixture(scope="module")
def documented(tmp_path_factory):
    names = [f"{m['collection']}.{m['name']}" for m in ASKED]
    env = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(collections()), "ANSIBLE_HOME": str(tmp_path_factory.mktemp("home"))}
    done = subprocess.run([pathlib.Path(sys.executable).parent / "ansible-doc", "-t", "module", "-j", *names], env=env,
                          capture_output=True, text=True)
    assert done.stdout, done.stderr
    return {n: {k: v for k, v in d["doc"].get("options", {}).items()} for n, d in json.loads(done.stdout).items() if "doc" in d}


@pytest.mark.parametrize("m", ASKED, ids=[m["name"] for m in ASKED])
def test_every_option_is_there(m, documented):
    name = f"{m['collection']}.{m['name']}"
    assert name in documented, "Ansible has no such module"
    ours = {o["name"]: o for o in m["options"]}
    known = {*ours, *(a for o in m["options"] for a in o["aliases"] or [])}
    missing = [o for o in documented[name] if o not in known and o not in WORDS and not o.startswith("_")]
    assert not missing
    for option, doc in documented[name].items():
        if option in ours and not ours[option]["refused"]:
            assert set(doc.get("aliases") or []) <= set(ours[option]["aliases"] or []), option
            if doc.get("choices") and ours[option]["choices"]:
                assert set(map(str, doc["choices"])) == set(map(str, ours[option]["choices"])), option
