"""Our own playbooks under both programs: the same task statuses, messages, exit status and files. Each row of rows_*.py is one test; a table
of it all ends the tests' output."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from playbook_rows import ROWS as GENERAL  # noqa: E402
from playbooks_kit import compare, named, run_both  # noqa: E402
from rows_results import ROWS as RESULTS  # noqa: E402
from rows_structure import ROWS as STRUCTURE  # noqa: E402

ROWS = named({"general": GENERAL, "results": RESULTS, "structure": STRUCTURE})


@pytest.fixture(scope="module")
def runs(request, tmp_path_factory):
    return run_both(request, tmp_path_factory.mktemp("runs"), ROWS)


@pytest.mark.parametrize("name", ROWS)
def test_playbook(name, runs, table):
    compare(name, ROWS[name], runs, table)
