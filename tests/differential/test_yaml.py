"""YAML in and out against the PyYAML that is installed: documents made at random, and values written and read again."""
import datetime
import json
import math
import os
import random
import subprocess

import pytest
import yaml

SCALARS = ["a", "yes", "No", "on", "y", "~", "null", "", "1", "0o7", "0644", "0x1f", "1_000", "12:30", "1:60", "1.5", "1e3", "1.",
           ".5", "-.inf", ".nan", "2020-01-02", "2020-1-2", "2001-12-14t21:59:43.10-05:00", "=", "<<", "'q'", '"d\\n"', "'it''s'",
           "*x", "&x v", "!!str 1", "!!int '7'", "!!float 1", "!foo b", "a b", "a: b", "- c", "#x", "a #c", "é", "[1, 2]", "{a: 1}",
           "{{ x }}", "|\n  t\n", ">-\n  f\n  g\n", "? k", "%x", "@a", "`b", "a:b", ":a", "-a", "---", "..."]


def document(rng):
    lines = []
    for _ in range(rng.randint(1, 5)):
        kind = rng.random()
        value = rng.choice(SCALARS)
        if kind < 0.4:
            lines.append(f"k{rng.randint(0, 3)}: {value}")
        elif kind < 0.6:
            lines.append(f"- {value}")
        elif kind < 0.75:
            lines.append(f"k{rng.randint(0, 3)}:\n  - {value}\n  - {rng.choice(SCALARS)}")
        elif kind < 0.85:
            lines.append(f"<<: {{k9: {value}}}")
        else:
            lines.append(f"[{value}, {rng.choice(SCALARS)}]")
    return "\n".join(lines) + "\n"


def shown(v):
    """A value as `holdfast eval` shows it."""
    if isinstance(v, float) and not math.isfinite(v):
        return {"__float__": "nan" if math.isnan(v) else "inf" if v > 0 else "-inf"}
    if isinstance(v, datetime.datetime):
        return {"__datetime__": v.isoformat()}
    if isinstance(v, datetime.date):
        return {"__date__": v.isoformat()}
    if isinstance(v, (list, tuple)):
        return [shown(x) for x in v]
    if isinstance(v, dict):
        if all(isinstance(k, str) for k in v):
            return {k: shown(x) for k, x in v.items()}
        return {"__pairs__": [[shown(k), shown(x)] for k, x in v.items()]}
    return v


def ask(holdfast, requests):
    lines = "".join(json.dumps(r) + "\n" for r in requests)
    done = subprocess.run([holdfast, "eval", "--jsonl"], input=lines, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    return {a["id"]: a for a in map(json.loads, done.stdout.split("\n")[:-1])}


ROUNDS = range(int(os.environ.get("HF_LONG", "0")) * 40 + 4)


@pytest.mark.parametrize("seed", ROUNDS)
def test_documents_made_at_random_read_alike(holdfast, seed):
    rng = random.Random(seed)
    texts = [document(rng) for _ in range(400)]
    answers = ask(holdfast, [{"id": i, "engine": "yaml", "input": t, "opts": {"loader": "safe"}} for i, t in enumerate(texts)])
    wrong = []
    for i, text in enumerate(texts):
        try:
            want = shown(yaml.load(text, yaml.CSafeLoader))
        except (yaml.YAMLError, ValueError) as e:
            want = e
        got = answers[i]
        if isinstance(want, Exception) != ("error" in got) or ("error" not in got and json.dumps(got["result"]) != json.dumps(want)):
            wrong.append(f"{text!r}: want {want!r}, got {got}")
    assert not wrong, f"{len(wrong)} of {len(texts)}:\n" + "\n".join(wrong[:10])


def value(rng, depth=0):
    words = ["a", "yes", "1", "1.0", "", "a: b", "#", "- x", "it's", 'say "x"', "two\nlines\n", " lead", "trail ", "tab\t", "é☃", "\U0001f600",
             "\x07", "word " * 25, "x" * 130, "null", "~", "=", "<<", "2020-01-02", "12:30", "0644", "\u2028", "\x85", "[", "{a}", "!t", "%", "@", "|", "a,b"]
    kind = rng.random()
    if depth < 3 and kind < 0.25:
        return [value(rng, depth + 1) for _ in range(rng.randint(0, 3))]
    if depth < 3 and kind < 0.5:
        return {rng.choice(words): value(rng, depth + 1) for _ in range(rng.randint(0, 3))}
    return rng.choice([rng.choice(words), rng.randint(-9, 10**20), rng.random() * 1e20, True, False, None, 1.0, 1e-7])


@pytest.mark.parametrize("seed", ROUNDS)
@pytest.mark.parametrize("name, options", [
    ("to_yaml", {"allow_unicode": True, "default_flow_style": None}),
    ("to_nice_yaml", {"allow_unicode": True, "default_flow_style": False, "indent": 4}),
])
def test_values_made_at_random_are_written_alike(holdfast, name, options, seed):
    rng = random.Random(seed)
    values = [value(rng) for _ in range(300)]
    answers = ask(holdfast, [{"id": i, "engine": "ansible", "template": "{{ v | %s }}" % name, "vars": {"v": v}}
                             for i, v in enumerate(values)])
    wrong = []
    for i, v in enumerate(values):
        want = yaml.dump(v, Dumper=yaml.CSafeDumper, **options)
        if answers[i].get("result") != want:
            wrong.append(f"{v!r}: want {want!r}, got {answers[i]}")
    assert not wrong, f"{len(wrong)} of {len(values)}:\n" + "\n".join(wrong[:10])
