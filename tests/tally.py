"""Counts what `./run test` ran and ends with one line: N passed, N failed, N skipped.

usage: tally.py RESULTS FAILED_PARTS
RESULTS holds lint.txt, unit-*/*.trs and unit-*.log (automake) and *.xml (JUnit). The first failures are named above that line, each
with the first line of its reason. A part that failed without any test saying so
(it did not build, it crashed) counts as one failed test, so that the last line never looks better than the run.
"""
import pathlib
import re
import sys
import xml.etree.ElementTree as ET

NAMED_FAILURES = 40
REASON_CHARS = 300


def count(results):
    passed, failed, skipped = 0, 0, 0
    for trs in results.glob("unit-*/*.trs"):
        for word in re.findall(r"^:test-result: (\w+)", trs.read_text(), re.M):
            passed += word == "PASS"
            skipped += word == "SKIP"
            failed += word not in ("PASS", "SKIP")
    for text in results.glob("*.txt"):
        for word in re.findall(r"^(PASS|FAIL|SKIP): ", text.read_text(), re.M):
            passed += word == "PASS"
            failed += word == "FAIL"
            skipped += word == "SKIP"
    for xml in results.glob("*.xml"):
        for suite in ET.parse(xml).getroot().iter("testsuite"):
            bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
            missed = int(suite.get("skipped", 0))
            failed += bad
            skipped += missed
            passed += int(suite.get("tests", 0)) - bad - missed
    return passed, failed, skipped


def failures(results):
    """One line for each failed test: part, name, first line of the reason."""
    for log in sorted(results.glob("unit-*.log")):
        for name in re.findall(r"^(?:FAIL|ERROR): (.*)", log.read_text(errors="replace"), re.M):
            yield f"{log.stem}: {name}"
    for text in sorted(results.glob("*.txt")):
        for name in re.findall(r"^FAIL: (.*)", text.read_text(), re.M):
            yield name
    for xml in sorted(results.glob("*.xml")):
        for case in ET.parse(xml).getroot().iter("testcase"):
            for bad in [*case.findall("failure"), *case.findall("error")]:
                reason = (bad.get("message") or "").strip().split("\n")[0]
                yield f"{xml.stem}: {case.get('classname')}::{case.get('name')}: {reason}"[:REASON_CHARS]


def main():
    passed, failed, skipped = count(pathlib.Path(sys.argv[1]))
    bad = list(failures(pathlib.Path(sys.argv[1])))
    for line in bad[:NAMED_FAILURES]:
        print("failed:", line)
    if len(bad) > NAMED_FAILURES:
        print(f"failed: and {len(bad) - NAMED_FAILURES} more")
    broken_parts = int(sys.argv[2])
    if broken_parts and not failed:
        failed = broken_parts
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    sys.exit(1 if failed or not passed else 0)


main()
