"""Counts what `./run test` ran and ends with one line: N passed, N failed, N skipped.

usage: tally.py RESULTS FAILED_PARTS
RESULTS holds lint.txt, unit-*/*.trs (automake) and *.xml (JUnit). A part that failed without any test saying so
(it did not build, it crashed) counts as one failed test, so that the last line never looks better than the run.
"""
import pathlib
import re
import sys
import xml.etree.ElementTree as ET


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


def main():
    passed, failed, skipped = count(pathlib.Path(sys.argv[1]))
    broken_parts = int(sys.argv[2])
    if broken_parts and not failed:
        failed = broken_parts
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    sys.exit(1 if failed or not passed else 0)


main()
