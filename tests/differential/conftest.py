"""The table of the playbooks that both programs ran."""
import pytest

LINES = {}


@pytest.fixture
def table(request):
    """A function that notes a playbook's line: statuses, entries left on the disk, runs. It says "same" where the test passes."""
    return lambda *line: request.node.user_properties.append(("playbook", line))


def pytest_runtest_logreport(report):
    # Here and not in the fixture: the tests may run in another process than the one that prints.
    for what, line in report.user_properties if report.when == "call" else ():
        if what == "playbook":
            LINES[line[0]] = (*line[1:], "same" if report.passed else "DIFFERENT")


def pytest_terminal_summary(terminalreporter):
    if not LINES:
        return
    terminalreporter.section("playbooks: ansible-playbook beside holdfast")
    words = ("ok", "changed", "skipped", "ignored", "failed", "unreachable")
    terminalreporter.write_line(f"{'playbook':<52}" + "".join(f"{w[:7]:>8}" for w in words) + f"{'entries':>8}{'runs':>5}  verdict")
    for name, (counts, entries, runs, verdict) in sorted(LINES.items()):
        terminalreporter.write_line(f"{name:<52}" + "".join(f"{counts.get(w, 0):>8}" for w in words) + f"{entries:>8}{runs:>5}  {verdict}")
    same = sum(line[-1] == "same" for line in LINES.values())
    terminalreporter.write_line(f"{same} of {len(LINES)} playbooks are the same")
