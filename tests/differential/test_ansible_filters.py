"""Every filter and test of the installed ansible-core with random arguments, in a Templar of Ansible's own and in holdfast:
the same value of the same type, or an error from both. HF_LONG=1 takes ten times as many.

What Python shows as an address, what needs more than a second there, and what is left out by name in filters_rows.py is
not compared; the sets of Ansible are compared without their order.
"""
import json
import os
import re
import signal
import warnings

import pytest

from filters_rows import SETS, VARS, Calls, plugins
from test_ansible_values import ENV, ask, same

ROWS = 700
SEEDS = range(4 * (10 if os.environ.get("HF_LONG") == "1" else 1))
ADDRESS = re.compile(r"0x[0-9a-f]{6,}|<generator|<bound method|<built-in|<function|<class|<Macro|\bobject at\b|odict_|dict_(keys|values|items)\(|"
                     r"Undefined|[0-9]j\)")
# Differences that stay, by what their text must hold.
KNOWN = re.compile(r"Markup|union\(\(|[=(]missing|\\udc")
# An argument of a wrong type, which holdfast refuses by name, and Python only when it comes to use it.
WRONG_TYPE = re.compile(r"must be (an integer|str|text)|cannot be interpreted as an integer|object has no element")


class Late(BaseException):
    pass


def late(*_):
    raise Late


@pytest.fixture(scope="module")
def world():
    from ansible.parsing.dataloader import DataLoader
    from ansible.template import Templar
    from ansible.utils.display import Display
    patch = pytest.MonkeyPatch()
    for name, value in ENV.items():
        patch.setenv(name, value)
    patch.setattr(Display, "display", lambda *_, **__: None)
    patch.setattr("ansible.plugins.filter.core.display.deprecated", lambda *_, **__: None, raising=False)
    yield Templar(loader=DataLoader(), variables=VARS), plugins()
    patch.undo()


def expected(templar, text):
    """("value", v), ("error", sentence), ("late", …) or None where nothing can be held against anybody."""
    try:
        signal.setitimer(signal.ITIMER_PROF, 2)  # processor time: whoever else is at work is not in it
        try:
            answer = ("value", json.loads(json.dumps(templar.template(text), default=str)))
        except (MemoryError, RecursionError):
            return None
        except Exception as e:
            answer = ("error", f"{type(e).__name__}: {e}")
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
    except Late:
        return "late", text
    shown = json.dumps(answer[1])
    return None if answer[0] == "value" and (ADDRESS.search(shown) or KNOWN.search(shown) or len(shown) > 100000) else answer


def agrees(text, want, got):
    if want[0] == "error":
        return "error" in got
    if "result" in got and same(got["result"], want[1]):
        return True
    if "error" in got:
        return WRONG_TYPE.search(got["message"]) is not None
    return any(name in text for name in SETS) and sorted(json.dumps(got["result"])) == sorted(json.dumps(want[1]))


@pytest.mark.parametrize("seed", SEEDS)
def test_random_calls(holdfast, world, seed):
    templar, (filters, tests) = world
    calls, rows, long = Calls(seed, filters, tests), [], []
    previous = signal.signal(signal.SIGPROF, late)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        while len(rows) + len(long) < ROWS:  # the same calls on a slow machine
            text = calls.template()
            want = None if KNOWN.search(text) else expected(templar, text)
            if want is not None:
                (long if want[0] == "late" else rows).append((text, want))
    signal.signal(signal.SIGPROF, previous)
    assert len(long) < ROWS / 20, long
    answers = ask(holdfast, [{"id": i, "engine": "ansible", "template": text, "vars": VARS} for i, (text, _) in enumerate(rows)])
    wrong = [f"{text}\n  ansible:  {want}\n  holdfast: {answers.get(i)}" for i, (text, want) in enumerate(rows) if not agrees(text, want, answers.get(i, {}))]
    assert not wrong, f"{len(wrong)} of {len(rows)} differ:\n" + "\n".join(wrong[:20])


def test_every_filter_and_test_is_known(holdfast, world):
    _, (filters, tests) = world
    requests = [{"id": f"{name} filter", "engine": "ansible", "template": "{{ false and (s | %s) }}" % name, "vars": VARS} for name in sorted(filters)]
    requests += [{"id": f"{name} test", "engine": "ansible", "template": "{{ false and (s is %s) }}" % name, "vars": VARS} for name in sorted(tests)]
    unknown = sorted(id for id, answer in ask(holdfast, requests).items() if "No filter named" in str(answer) or "No test named" in str(answer))
    assert unknown == []
