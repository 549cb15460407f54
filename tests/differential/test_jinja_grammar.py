"""Templates from a grammar, rendered by the real jinja2 and by holdfast: the same text, or an error from both.

HF_LONG=1 takes ten times as many. A difference prints the template, small enough to try by hand:
    holdfast eval --jsonl <<< '{"id": "1", "engine": "jinja2", "template": "…", "vars": {}, "opts": {}}'
"""
import json
import os
import re
import subprocess
import traceback

import jinja2
import pytest

from grammar import VARIABLES, Grammar

BLOCK = 1000
ERRORS = BLOCK // 5  # a random template is more often wrong than right: errors beyond this teach nothing
BLOCKS = 20 * (10 if os.environ.get("HF_LONG") == "1" else 1)
SIZE_MAX = 200_000  # answers beyond this come from repetition of repetition; both sides have bounds of their own
# Addresses; and complex numbers, which holdfast refuses by name.
ADDRESS = re.compile(r"[0-9]j[)]|0x[0-9a-f]{6,}|<generator|<bound method|<built-in|<function|<class|<Macro|odict_|dict_(keys|values|items)\(")


def expected(template, options):
    """("text", t), ("error",) or None where Python's answer cannot be held against anybody."""
    environment = jinja2.Environment(**options)
    try:
        text = environment.from_string(template).render(json.loads(json.dumps(VARIABLES)))
    except (MemoryError, RecursionError, OverflowError):
        return None
    except Exception:
        return ("error",)
    if ADDRESS.search(text) or len(text) > SIZE_MAX:
        return None
    return ("text", text)


def ask(holdfast, rows):
    lines = [json.dumps({"id": str(n), "engine": "jinja2", "template": template, "vars": VARIABLES, "opts": options})
             for n, (template, options, _) in enumerate(rows)]
    done = subprocess.run([holdfast, "eval", "--jsonl"], input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=900)
    answers = {}
    for line in done.stdout.splitlines():
        answer = json.loads(line)
        refused = "complex" in answer.get("message", "")  # by name: they never reach the text, so ADDRESS does not see them
        answers[int(answer["id"])] = ("complex",) if refused else ("error",) if "error" in answer else ("text", answer["result"])
    assert done.returncode == 0, done.stderr[-2000:]
    return answers


def block_of(seed):
    """BLOCK templates with what jinja2 makes of them: [(template, options, wanted)]."""
    grammar, rows, errors = Grammar(seed), [], 0
    while len(rows) < BLOCK:
        template, options = grammar.case()
        want = expected(template, options)
        if want is None or (want == ("error",) and errors >= ERRORS):
            continue
        errors += want == ("error",)
        rows.append((template, options, want))
    return rows


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@pytest.mark.parametrize("block", range(BLOCKS))
def test_same_as_jinja2(holdfast, block):
    rows = block_of(20261121 + block)
    answers = ask(holdfast, rows)
    different = [f"{template!r} {options}\n  jinja2:   {want}\n  holdfast: {answers.get(n)}"
                 for n, (template, options, want) in enumerate(rows) if answers.get(n) not in (want, ("complex",))]
    assert not different, f"{len(different)} of {len(rows)} differ:\n" + "\n".join(different[:20])


# --- templates that use each other, errors with their lines, odd characters, other delimiters -----------------------------
UNDEFINED = {"strict": jinja2.StrictUndefined, "chainable": jinja2.ChainableUndefined}


def line_of(e):
    """The line of the main template that jinja2 names for an error, None where it names none."""
    if isinstance(e, jinja2.TemplateSyntaxError):
        return e.lineno
    lines = [f.lineno for f in traceback.extract_tb(e.__traceback__) if f.filename == "<template>"]
    return lines[-1] if lines else None


def expected_family(template, options, sources):
    """("text", t), ("error", line) or None."""
    options = dict(options)
    if "undefined" in options:
        options["undefined"] = UNDEFINED[options["undefined"]]
    environment = jinja2.Environment(loader=jinja2.DictLoader(sources), **options)
    try:
        text = environment.from_string(template).render(json.loads(json.dumps(VARIABLES)))
    except (MemoryError, RecursionError, OverflowError):
        return None
    except Exception as e:
        return ("error", line_of(e))
    return None if ADDRESS.search(text) or len(text) > SIZE_MAX else ("text", text)


def ask_family(holdfast, rows):
    lines = [json.dumps({"id": str(n), "engine": "jinja2", "template": template, "vars": VARIABLES, "opts": options, "templates": sources})
             for n, (template, options, sources, *_) in enumerate(rows)]
    done = subprocess.run([holdfast, "eval", "--jsonl"], input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-2000:]
    return {int(a["id"]): a for a in map(json.loads, done.stdout.splitlines())}


def agrees(want, got, lined):
    if want[0] == "text":
        return got.get("result") == want[1]
    if "error" not in got:
        return False
    place = re.match(r"<template>:(\d+):\d+: ", got["message"])
    return not lined or want[1] is None or (place is not None and int(place[1]) == want[1])


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@pytest.mark.parametrize("block", range(4 * (10 if os.environ.get("HF_LONG") == "1" else 1)))
def test_families_errors_and_options(holdfast, block):
    grammar, rows = Grammar(7000 + block), []
    while len(rows) < BLOCK:
        template, options, sources, lined = grammar.more()
        want = expected_family(template, options, sources)
        if want is not None:
            rows.append((template, options, sources, lined, want))
    answers = ask_family(holdfast, rows)
    different = [f"{template!r} {options} {sources}\n  jinja2:   {want}\n  holdfast: {answers.get(n)}"
                 for n, (template, options, sources, lined, want) in enumerate(rows) if "complex" not in str(answers.get(n)) and not agrees(want, answers.get(n, {}), lined)]
    assert not different, f"{len(different)} of {len(rows)} differ:\n" + "\n".join(different[:20])
