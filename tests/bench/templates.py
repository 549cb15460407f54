#!/usr/bin/env python3
"""Templates per CPU second: holdfast beside Python's Jinja2 and Ansible's Templar, both with their caches warm, in one run.

usage: templates.py BENCH_TEMPLATE [ROUNDS]      needs jinja2 and ansible-core; prints a table

The sides take turns, and the table shows the median of each and of the ratio of neighbours, so that a busy machine
slows both. Ansible compiles a value each time it is templated, as it does for every task; cached results are left out.
What is measured (a template of 20 lines with loop and conditions, a condition, a value of a playbook) comes from
`bench_template --show`.
"""
import json
import pathlib
import re
import statistics
import subprocess
import sys
import time

GOAL = {"template": 20, "condition": 20, "value": 20}
SECONDS = 0.5
TITLES = {"template": "render a template of 20 lines", "condition": "evaluate a cached condition",
          "value": "template a value of a playbook"}


def rate(work):
    """How often work() is done in a CPU second."""
    work()
    done, step, start = 0, 16, time.process_time()
    while True:
        for _ in range(step):
            work()
        done += step
        passed = time.process_time() - start
        if passed >= SECONDS:
            return done / passed


def python_side(shown):
    """One line of JSON, as bench_template gives it."""
    import jinja2
    environment = jinja2.Environment(trim_blocks=True)
    variables = shown["variables"]
    template = environment.from_string(shown["template"])
    condition = environment.compile_expression(shown["condition"])
    rates = {"template": rate(lambda: template.render(variables)), "condition": rate(lambda: condition(**variables)),
             "text": template.render(variables)}
    from ansible.parsing.dataloader import DataLoader
    from ansible.template import Templar
    templar = Templar(loader=DataLoader(), variables=variables)
    rates["value"] = rate(lambda: templar.template(shown["value"], cache=False))
    rates["peak_kb"] = int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path("/proc/self/status").read_text()).group(1))
    return rates


def main():
    bench, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5
    shown = subprocess.run([bench, "--show"], check=True, capture_output=True, text=True).stdout
    if rounds == 0:
        print(json.dumps(python_side(json.loads(shown))))
        return 0
    pairs = []
    for _ in range(rounds):
        pairs.append([json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
                      for command in ([bench, "300000"], [sys.executable, __file__, bench, "0"])])
        ours, theirs = pairs[-1]
        assert ours["bytes"] == len(theirs["text"].encode()), "the two sides do not render the same"
    good = True
    print(f"{'per CPU second':32}{'holdfast':>14}{'Python':>14}{'ratio':>9}{'goal':>7}")
    for name, title in TITLES.items():
        ratio = statistics.median(o[name] / t[name] for o, t in pairs)
        print(f"{title:32}{statistics.median(o[name] for o, _ in pairs):14,.0f}{statistics.median(t[name] for _, t in pairs):14,.0f}"
              f"{ratio:8.1f}x{GOAL[name]:6}x")
        good = good and ratio >= GOAL[name]
    print(f"{'peak memory, MB':32}{max(o['peak_kb'] for o, _ in pairs) / 1024:14.1f}{max(t['peak_kb'] for _, t in pairs) / 1024:14.1f}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
