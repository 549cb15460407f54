"""Every option that Ansible documents for a module is in the module's table, to work or to be refused by name, with its aliases and
choices; asked of ansible-doc, for the collections that the tests take out of PyPI's bundle and community.docker. Of ansible-core's
own modules the same holds with the release before and the one after."""
import json
import os
import subprocess
import sys

import pytest

from bundle import bundle
from kit import BUILD
from test_called import collections
from test_docked import collection

TABLES = json.loads(subprocess.run([BUILD / "holdfast", "modules", "--json"], capture_output=True, check=True).stdout)
ASKED = [m for m in TABLES if m["collection"] != "holdfast" and m["options"]]
# Choices that only the release after the installed one knows.
NEWER = {("package_facts", "manager")}
CORES = ["2.16.19", "2.18.19"]
# How documentation speaks of free form and of options that pass anything on.
WORDS = ("free_form", "free-form", "key_value", "others")


def ask(modules, home, core=None):
    """What is documented of each module's options; core: folder of another ansible-core than the installed one."""
    names = [f"{m['collection']}.{m['name']}" for m in modules]
    places = [collections(), collection()]
    env = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": ":".join(map(str, places)), "ANSIBLE_HOME": str(home)}
    if core is not None:
        env["PYTHONPATH"] = str(core)
    program = "from ansible.cli.doc import main; main()"
    done = subprocess.run([sys.executable, "-c", program, "-t", "module", "-j", *names], env=env, capture_output=True, text=True)
    assert done.stdout, done.stderr
    return {n: d["doc"].get("options", {}) for n, d in json.loads(done.stdout).items() if "doc" in d}


def differences(m, options):
    """Options that the table lacks, and what it does not know of others."""
    ours = {o["name"]: o for o in m["options"]}
    known = {*ours, *(a for o in m["options"] for a in o["aliases"] or [])}
    found = [f"no option {o}" for o in options if o not in known and o not in WORDS and not o.startswith("_")]
    for option, doc in options.items():
        if option not in ours or ours[option]["refused"]:
            continue
        found += [f"no alias {a} of {option}" for a in doc.get("aliases") or [] if a not in (ours[option]["aliases"] or [])]
        choices = [str(c) for c in doc.get("choices") or [] if not str(c).startswith("*")]
        found += [f"no {option}={c}" for c in choices if ours[option]["choices"] and c not in map(str, ours[option]["choices"])]
    return found


@pytest.fixture(scope="module")
def documented(tmp_path_factory):
    return ask(ASKED, tmp_path_factory.mktemp("home"))


@pytest.mark.parametrize("m", ASKED, ids=[m["name"] for m in ASKED])
def test_every_option_is_there(m, documented):
    name = f"{m['collection']}.{m['name']}"
    assert name in documented, "Ansible has no such module"
    assert not differences(m, documented[name])
    ours = {o["name"]: o for o in m["options"]}
    for option, doc in documented[name].items():
        if option in ours and not ours[option]["refused"] and doc.get("choices") and ours[option]["choices"] and (m["name"], option) not in NEWER:
            assert set(map(str, doc["choices"])) == set(map(str, ours[option]["choices"])), option


if sys.version_info >= (3, 11):  # which ansible-doc of 2.18 asks for

    @pytest.mark.parametrize("core", CORES)
    def test_every_option_of_other_releases(core, tmp_path):
        modules = [m for m in ASKED if m["collection"] == "ansible.builtin"]
        told = ask(modules, tmp_path, bundle([f"ansible-core=={core}"], ("ansible/",)))
        assert {m["name"] for m in modules} == {n.split(".")[-1] for n in told}
        assert {n: d for n, d in ((m["name"], differences(m, told[f"ansible.builtin.{m['name']}"])) for m in modules) if d} == {}
