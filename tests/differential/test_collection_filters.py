"""Filters and tests of Ansible's collections with random arguments, in Ansible with the collections and in holdfast: the same
value of the same type, or an error from both. HF_LONG=1 takes ten times as many."""
import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

from bundle import bundle
from collection_calls import VARS, Calls
from test_ansible_values import ENV, ask, same

BUNDLES = ["ansible==10.7.0", "netaddr==1.3.0"]
WANTED = (*(f"ansible_collections/{w}/" for w in ("ansible/utils", "ansible/netcommon", "community/general/plugins", "community/general/meta")), "netaddr/")
ROWS, SEEDS = 900, range(1 * (10 if os.environ.get("HF_LONG") == "1" else 1))
# Differences that stay, by the call: reason.
KNOWN = {r"::ffff:1\.2\.3\.4.*usable_range": "Python's ipaddress writes mapped addresses as ::ffff:102:304 there, and its netaddr does not"}

ASK = """
import json, os, re, signal, sys, warnings
warnings.simplefilter("ignore")
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import filter_loader, init_plugin_loader, test_loader
from ansible.template import Templar
from ansible.utils.display import Display
Display.display = lambda *a, **k: None
Display.deprecated = lambda *a, **k: None
init_plugin_loader([os.environ["ANSIBLE_COLLECTIONS_PATH"]])
class Late(BaseException): pass
def late(*_): raise Late
signal.signal(signal.SIGPROF, late)  # processor time: whoever else is at work is not in it
rows, vars = json.load(sys.stdin)
for name in {n for text in rows for n in re.findall(r"\\w+[.]\\w+[.]\\w+", text)}:
    for loader in (filter_loader, test_loader):  # now: one that is cut off while it is loaded is gone for good
        try:
            loader.get(name)
        except Exception:
            pass
templar, answers = Templar(loader=DataLoader(), variables=vars), []
for text in rows:
    try:
        signal.setitimer(signal.ITIMER_PROF, 5)
        try:
            answers.append(["value", json.loads(json.dumps(templar.template(text), default=str))])
        except Exception as e:
            answers.append(["error", f"{type(e).__name__}: {e}"])
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
    except Late:
        answers.append(None)
json.dump(answers, sys.stdout)
"""


@pytest.fixture(scope="module")
def collections():
    return bundle(BUNDLES, WANTED)


def expected(folder, rows):
    env = {**os.environ, **ENV, "ANSIBLE_COLLECTIONS_PATH": str(folder), "PYTHONPATH": str(folder), "ANSIBLE_LOCAL_TEMP": "/tmp"}
    done = subprocess.run([sys.executable, "-c", ASK], input=json.dumps([rows, VARS]), env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("seed", SEEDS)
def test_random_calls(holdfast, collections, seed):
    calls = Calls(seed)
    rows = [calls.template() for _ in range(ROWS)]
    answers = ask(holdfast, [{"id": i, "engine": "ansible", "template": text, "vars": VARS} for i, text in enumerate(rows)])
    wrong = []
    for i, (text, want) in enumerate(zip(rows, expected(collections, rows))):
        got = answers[i]
        if want is None or any(re.search(pattern, text) for pattern in KNOWN):
            continue
        if ("error" in got) if want[0] == "error" else ("result" in got and same(got["result"], want[1])):
            continue
        wrong.append(f"{text}\n  ansible:  {want}\n  holdfast: {got}")
    assert not wrong, f"{len(wrong)} of {len(rows)} differ:\n" + "\n".join(wrong[:40])
