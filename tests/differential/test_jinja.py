"""Plain Jinja2: the measured cases of ../shared beside the checkout, and rows of our own against the jinja2 installed.

A case of ../shared that fails is printed with its template; those in ALLOWED are known, with the reason.
The cases come from the folder beside the checkout, or from HF_SHARED.
"""
import collections
import json
import subprocess

import jinja2
import pytest

from places import SHARED

CASES = SHARED / "oracle" / "given" / "jinja.jsonl"

# They print `_undefined_name`, a field inside Python's Undefined class that is no part of the language.
ALLOWED = {"j38b1200cbcdf", "je4cbb84d9380", "je5742f27ef72"}


def ask(holdfast, requests):
    lines = "".join(json.dumps(r) + "\n" for r in requests)
    done = subprocess.run([holdfast, "eval", "--jsonl"], input=lines, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    return {a["id"]: a for a in map(json.loads, done.stdout.split("\n")[:-1])}


def given():
    if not CASES.exists():
        return {}
    groups = collections.defaultdict(list)
    for line in CASES.read_text(encoding="utf-8").split("\n")[:-1]:
        case = json.loads(line)
        if case["engine"] == "jinja2":
            family = [t for t in case["tags"] if t.startswith("fam:")] or [case["src"].split(":")[0]]
            groups[family[0]].append(case)
    return dict(groups)


GIVEN = given()


@pytest.mark.shared
def test_the_measured_cases_are_there():
    assert GIVEN, f"{CASES} is missing: put the shared folder beside the checkout or set HF_SHARED"


@pytest.mark.shared
@pytest.mark.parametrize("family", sorted(GIVEN))
def test_given(holdfast, family):
    cases = GIVEN[family]
    keys = ("id", "engine", "template", "vars", "opts", "templates")
    answers = ask(holdfast, [{k: c[k] for k in keys if k in c} for c in cases])
    wrong = []
    for case in cases:
        answer = answers.get(case["id"], {})
        right = "error" in answer if case["expect_error"] else answer.get("result") == case["expect"]
        if not right and case["id"] not in ALLOWED:
            wrong.append(f"{case['id']} {case['template']!r}: want {case['expect']!r} "
                         f"{case['expect_error'] or ''}, got {answer}")
    assert not wrong, "\n".join(wrong)


# Templates of our own: every value below is put through every expression with X in it.
VALUES = ["''", "'a'", "'Hello World'", "' x\\ty '", "'h\u00e9llo \u4e16'", "'12'", "'-3.7'", "'a,b,,c'", "'A-b_c'", "0", "1", "-7",
          "255", "2**70", "3.5", "-0.0", "1e20", "true", "none", "[]", "[3, 1, 2]", "['b', 'A', 'c']", "[[1, 2], [3]]",
          "[1, 1.0, true, 'x']", "(1, 2)", "{}", "{'b': 1, 'a': 2}", "{'k': [1, {'z': none}]}", "range(4)", "nope"]
EXPRESSIONS = ["X", "X | length", "X | upper", "X | title", "X | capitalize", "X | int", "X | float", "X | round", "X | abs",
               "X | list", "X | first", "X | last", "X | join('-')", "X | sort | list", "X | reverse | list", "X | unique | list",
               "X | string", "X | tojson", "X | pprint", "X | default('d', true)", "X | trim", "X | wordcount", "X | center(9)",
               "X | replace('a', 'Z')", "X | truncate(5)", "X | indent(2)", "X | urlencode", "X | e", "X | batch(2) | list",
               "X | slice(2) | list", "X | map('string') | list", "X | select('string') | list", "X | min", "X | max", "X | sum",
               "X | filesizeformat", "X | wordwrap(4)", "X | striptags", "X | dictsort", "X | items | list", "X | xmlattr",
               "X is defined", "X is string", "X is number", "X is mapping", "X is iterable", "X is sequence", "X is none",
               "X is odd", "X is upper", "X is lower", "X is callable", "X is integer", "X is float", "X is boolean", "X is true",
               "X is in [1, 'a', none]", "X is eq 1", "X is lt 2", "X is divisibleby 3", "X ~ 1", "X + 1", "X + 'a'", "X + [1]",
               "X * 2", "X / 2", "X // 2", "X % 3", "X ** 2", "-X", "not X", "X and 1", "X or 2", "X == 1", "X < 2", "1 in X",
               "'a' in X", "X[0]", "X[-1]", "X[1:]", "X[::-1]", "X[:2]", "X['a']", "X.a", "X.split(',')", "X.strip()", "X.upper()",
               "X.items() | list", "X.get('a', 5)", "X.count(1)", "X.index('b')", "X.find('l')", "X.startswith('a')",
               "X.isdigit()", "X.zfill(5)", "X.partition(',')", "X.encode()", "'%s|%r' % (X, X)", "'{}|{!r:>8}'.format(X, X)",
               "'%5.1f' % X", "'%05d' % X", "'{:,}'.format(X)", "'{:>6}'.format(X)"]


def outcome(expression, strict):
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined if strict else jinja2.Undefined)
    try:
        return environment.from_string("{{ " + expression + " }}").render()
    except Exception:
        return None


@pytest.mark.parametrize("strict", [False, True], ids=["default", "strict"])
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_values(holdfast, expression, strict):
    texts = [expression.replace("X", f"({v})") for v in VALUES]
    wants = [outcome(t, strict) for t in texts]
    opts = {"undefined": "strict"} if strict else {}
    answers = ask(holdfast, [{"id": str(i), "engine": "jinja2", "template": "{{ " + t + " }}", "vars": {}, "opts": opts}
                             for i, t in enumerate(texts)])
    wrong = [f"{t}: want {w!r}, got {answers[str(i)]}" for i, (t, w) in enumerate(zip(texts, wants))
             if answers[str(i)].get("result") != w and not (w is not None and " object at 0x" in w)]
    assert not wrong, "\n".join(wrong)
