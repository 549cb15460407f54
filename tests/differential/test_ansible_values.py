"""Ansible's templating of values, conditions and loops: the measured cases of ../shared beside the checkout, and rows of
our own against the ansible-core that is installed.

The cases come from the folder beside the checkout, or from HF_SHARED.
"""
import collections
import json
import math
import os
import random
import subprocess

import pytest

from places import SHARED

GIVEN_DIR = SHARED / "oracle" / "given"
ENGINES = ("ansible", "when", "loop_items", "yaml")
ENV = {"HOME": "/home/oracle", "USER": "oracle", "LOGNAME": "oracle", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "UTC",
       "ORACLE_VAR": "oracle value", "ORACLE_EMPTY": "", "ORACLE_JSON": '{"a": [1, 2]}', "PATH": os.environ["PATH"]}
# Families where something is known to be missing, and how many cases of theirs may fail.
ALLOWANCE = {"ansible": 13, "when": 4, "loop_items": 1}


def ask(holdfast, requests, cwd=None):
    lines = "".join(json.dumps(r) + "\n" for r in requests)
    done = subprocess.run([holdfast, "eval", "--jsonl"], input=lines, capture_output=True, text=True, timeout=900, env=ENV,
                          cwd=cwd)
    assert done.returncode == 0, done.stderr
    return {a["id"]: a for a in map(json.loads, done.stdout.split("\n")[:-1])}


def same(a, b):
    """Equal, and of equal types in all depths."""
    if isinstance(a, float) and isinstance(b, float):
        return a == b or (math.isnan(a) and math.isnan(b))
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def with_base(o, base):
    if isinstance(o, str):
        return o.replace("@BASEDIR@", base)
    if isinstance(o, list):
        return [with_base(x, base) for x in o]
    if isinstance(o, dict):
        return {with_base(k, base): with_base(v, base) for k, v in o.items()}
    return o


def given():
    groups = collections.defaultdict(list)
    for path in sorted(GIVEN_DIR.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").split("\n")[:-1]:
            case = json.loads(line)
            if case["engine"] in ENGINES:
                groups[case["engine"]].append(case)
    return dict(groups)


GIVEN = given()


@pytest.mark.shared
def test_the_measured_cases_are_there():
    assert set(GIVEN) == set(ENGINES), f"{GIVEN_DIR} is missing: put the shared folder beside the checkout or set HF_SHARED"


@pytest.mark.shared
@pytest.mark.parametrize("engine", sorted(GIVEN))
def test_given(holdfast, engine, tmp_path):
    requests, wants = [], {}
    for case in GIVEN[engine]:
        request = {k: case[k] for k in ("id", "engine", "template", "input", "vars", "opts") if k in case}
        want = case["expect"]
        if case.get("files"):
            base = tmp_path / case["id"]
            for name, text in case["files"].items():
                (base / name).parent.mkdir(parents=True, exist_ok=True)
                (base / name).write_bytes(text.encode())
            request = with_base(dict(request, basedir=str(base)), str(base))
            want = with_base(want, str(base))
        requests.append(request)
        wants[case["id"]] = (want, case["expect_error"])
    answers = ask(holdfast, requests, tmp_path)
    wrong = []
    for request in requests:
        want, error = wants[request["id"]]
        answer = answers.get(request["id"], {})
        if not ("error" in answer if error else same(answer.get("result", ...), want)):
            wrong.append(f"{request['id']} {request.get('template', request.get('input'))!r}: want {want!r} {error or ''}, "
                         f"got {answer}")
    assert len(wrong) <= ALLOWANCE.get(engine, 0), f"{len(wrong)} of {len(requests)}:\n" + "\n".join(wrong[:20])


# --- against the ansible that is installed ---------------------------------------------------------------------------

VARS = {
    "n": 5, "f": 1.5, "s": "text", "e": "", "t": True, "nil": None, "l": [3, 1, 2], "ls": ["b", "A", "c"],
    "d": {"k": "v", "n": 1}, "lazy": "{{ n }}", "chain": "{{ lazy }}", "ll": [1, "{{ n }}", ["{{ s }}"]],
    "dd": {"a": "{{ d }}", "b": ["{{ l }}"]}, "long": "word " * 30, "odd": "a: b # c", "multi": "a\n b\n\nc\n",
    "uni": "é ☃ \U0001f600", "num": "0644", "when": "2020-01-02 03:04:05", "path": "/a/b.c/d.tar.gz", "url": "http://u@h:1/p?q#f",
}
ATOMS = ["n", "f", "s", "e", "t", "nil", "l", "ls", "d", "lazy", "chain", "ll", "dd", "long", "odd", "multi", "uni", "num",
         "'x'", "1", "[1, 2]", "{'a': 1}", "path"]
# Without what goes through Python's sets: their order is not ours to match.
FILTERS = ["to_json", "to_nice_json", "to_yaml", "to_nice_yaml", "string", "length", "list", "bool", "b64encode", "quote",
           "hash('sha256')", "md5", "default('z')", "flatten", "unique", "union([1, 9]) | length", "difference([1]) | length", "combine({'z': 1})",
           "dict2items", "regex_replace('[a-z]', '<\\0>')", "regex_findall('\\w')", "regex_search('[aeiou]')", "regex_escape",
           "basename", "dirname", "splitext", "comment", "comment('c')", "ternary('yes', 'no')", "type_debug", "to_uuid",
           "human_readable", "shuffle(seed=3)", "random(seed='s')", "zip([7, 8])", "product('ab')", "permutations(2)",
           "subelements('k')", "upper", "join('-')", "first", "map('string')", "from_yaml", "from_json", "split", "urlsplit",
           "to_json(indent=1)", "to_nice_yaml(indent=2, width=20)", "checksum", "password_hash('sha512', 'saltsalt')", "int"]


def templates(count, seed):
    rng = random.Random(seed)
    for i in range(count):
        expression = rng.choice(ATOMS)
        for _ in range(rng.randint(1, 3)):
            expression += " | " + rng.choice(FILTERS)
        yield rng.choice(["{{ %s }}", "{{ %s }}", "x{{ %s }}", "{{ %s }}\n", "{{ [%s] }}", "{{ {'k': %s} }}"]) % expression


@pytest.fixture(scope="module")
def templar():
    from ansible.parsing.dataloader import DataLoader
    from ansible.template import Templar
    return Templar(loader=DataLoader(), variables=VARS)


def plain(v):
    """A result of Ansible's as JSON shows it."""
    return json.loads(json.dumps(v, default=str))


@pytest.mark.parametrize("seed", range(int(os.environ.get("HF_LONG", "0")) * 40 + 4))
def test_generated_chains_of_filters(holdfast, templar, seed):
    texts = list(templates(150, seed))
    answers = ask(holdfast, [{"id": i, "engine": "ansible", "template": t, "vars": VARS} for i, t in enumerate(texts)])
    wrong = []
    for i, text in enumerate(texts):
        try:
            want = plain(templar.template(text))
        except Exception as e:  # whatever Ansible raises, we must refuse too
            want = e
        got = answers[i]
        if isinstance(want, Exception) != ("error" in got) or ("error" not in got and not same(got["result"], want)):
            wrong.append(f"{text!r}: want {want!r}, got {got}")
    assert not wrong, f"{len(wrong)} of {len(texts)}:\n" + "\n".join(wrong[:10])


SET = "{% set d = {'k': [3, 1], 'n': 1} %}{% set l = [3, 1, 2] %}{% set _ = "
ITEMS = ["d.__setitem__('z', n) %}{{ d }}", "d.__setitem__('k', l) %}{{ d }}", "d.__setitem__(1, nil) %}{{ d | list }}", "d.__setitem__('z') %}{{ d }}",
         "d.__setitem__([1], 2) %}{{ d }}", "d.__setitem__('z', missing) %}{{ d | length }}", "d.__delitem__('n') %}{{ d }}",
         "d.__delitem__('nope') %}{{ d }}", "l.__setitem__(0, s) %}{{ l }}", "l.__setitem__(-1, s) %}{{ l }}", "l.__setitem__(3, s) %}{{ l }}",
         "l.__setitem__('a', s) %}{{ l }}", "l.__delitem__(1) %}{{ l }}", "l.__delitem__(-4) %}{{ l }}", "d.k.__setitem__(0, {}) %}{{ d }}",
         "0 %}{{ d.__getitem__('n') }}", "0 %}{{ d.__getitem__('nope') }}", "0 %}{{ l.__getitem__(-1) }}", "0 %}{{ l.__getitem__(9) }}",
         "0 %}{{ d.__contains__('n') }}", "0 %}{{ l.__contains__(1) }}", "0 %}{{ d.__len__() }}", "0 %}{{ (1, 2).__len__() }}", "0 %}{{ (1, 2).__setitem__(0, 1) }}"]


def test_items_are_changed_by_their_methods(holdfast, templar):
    answers = ask(holdfast, [{"id": i, "engine": "ansible", "template": SET + t, "vars": VARS} for i, t in enumerate(ITEMS)])
    wrong = []
    for i, text in enumerate(ITEMS):
        try:
            want = plain(templar.template(SET + text))
        except Exception as e:
            want = e
        got = answers[i]
        if isinstance(want, Exception) != ("error" in got) or ("error" not in got and not same(got["result"], want)):
            wrong.append(f"{text!r}: want {want!r}, got {got}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("below", [10**19, 2**64, 9999999999999999999999999999999999999, 10**300])
def test_random_below_what_64_bits_cannot_hold(holdfast, below):
    answers = ask(holdfast, [{"id": i, "engine": "ansible", "template": "{{ big | random | string }}", "vars": {"big": below}} for i in range(20)])
    drawn = {int(a["result"]) for a in answers.values()}
    assert len(drawn) == 20 and all(0 <= n < below for n in drawn) and max(drawn) > below // 1000
