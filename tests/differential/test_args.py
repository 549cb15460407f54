"""Task arguments, loops and small plays as ansible-core gave them: the shared cases through `holdfast eval --jsonl`."""
import json
import subprocess

import pytest
from places import SHARED

CASES = SHARED / "oracle" / "given"
# Cases that holdfast is known to answer otherwise, with the reason.
KNOWN = {
    "loop_items": "plugins of collections that are not here",
    "play": "a runner's own failure around meta: end_play",
}
LEAST = {"split_args": 1.0, "parse_kv": 1.0, "task_parse": 1.0, "loop_items": 0.99, "play": 0.98}


def answers(holdfast, cases, tmp_path):
    lines = []
    for i, case in enumerate(cases):
        base = tmp_path / str(i)
        base.mkdir()
        for name, text in (case.get("files") or {}).items():
            (base / name).parent.mkdir(parents=True, exist_ok=True)
            (base / name).write_text(text.replace("@BASEDIR@", str(base)))
        given = json.loads(json.dumps({k: v for k, v in case.items() if not k.startswith("expect")})
                           .replace("@BASEDIR@", str(base)))
        lines.append(json.dumps(given | {"basedir": str(base)}))
    done = subprocess.run([holdfast, "eval", "--jsonl"], input="\n".join(lines) + "\n", capture_output=True, text=True,
                          timeout=900, env={"PATH": "/usr/bin:/bin", "HOME": "/home/oracle", "USER": "oracle",
                                            "LC_ALL": "C.UTF-8", "TZ": "UTC"})
    assert done.returncode == 0, done.stderr
    return {a["id"]: a for a in map(json.loads, done.stdout.splitlines())}


@pytest.mark.shared
@pytest.mark.parametrize("engine", LEAST)
def test_cases(engine, holdfast, tmp_path):
    cases = []
    for name in ("args.jsonl", "play.jsonl"):
        cases += [c for c in map(json.loads, (CASES / name).read_text().splitlines()) if c["engine"] == engine]
    got = answers(holdfast, cases, tmp_path)
    wrong = []
    for i, case in enumerate(cases):
        answer = got.get(case["id"], {"error": "no answer"})
        want = json.loads(json.dumps(case["expect"]).replace("@BASEDIR@", str(tmp_path / str(i))))
        right = "error" in answer if case["expect_error"] else "error" not in answer and answer["result"] == want
        if not right:
            wrong.append((case["id"], case["input"][:120], answer))
    share = 1 - len(wrong) / len(cases)
    assert share >= LEAST[engine], f"{engine}: {share:.2%} ({KNOWN.get(engine, '')})\n" + "\n".join(map(str, wrong[:10]))
