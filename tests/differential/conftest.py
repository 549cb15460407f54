"""The table of the playbooks that both programs ran."""
import pytest

LINES = {}


@pytest.fixture(scope="session")
def table():
    """{playbook: [statuses, entries left on the disk, runs, verdict]}."""
    return LINES


def pytest_terminal_summary(terminalreporter):
    if not LINES:
        return
    terminalreporter.section("playbooks: ansible-playbook beside holdfast")
    words = ("ok", "changed", "skipped", "ignored", "failed", "unreachable")
    terminalreporter.write_line(f"{'playbook':<52}" + "".join(f"{w[:7]:>8}" for w in words) + f"{'entries':>8}{'runs':>5}  verdict")
    for name, (counts, entries, runs, verdict) in LINES.items():
        terminalreporter.write_line(f"{name:<52}" + "".join(f"{counts.get(w, 0):>8}" for w in words) + f"{entries:>8}{runs:>5}  {verdict}")
    same = sum(line[-1] == "same" for line in LINES.values())
    terminalreporter.write_line(f"{same} of {len(LINES)} playbooks are the same")
