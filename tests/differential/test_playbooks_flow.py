"""Our own playbooks under both programs: loops, conditions, failures and variables. Each row of rows_*.py is one test; a table
of it all ends the tests' output."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from playbooks_kit import compare, named, run_both  # noqa: E402
from rows_flow import ROWS as FLOW  # noqa: E402
from rows_variables import ROWS as VARIABLES  # noqa: E402

ROWS = named({"flow": FLOW, "variables": VARIABLES})


@pytest.fixture(scope="module")
def runs(request, tmp_path_factory):
    return run_both(request, tmp_path_factory.mktemp("runs"), ROWS)


@pytest.mark.parametrize("name", ROWS)
def test_playbook(name, runs, table):
    compare(name, ROWS[name], runs, table)
