"""Our own playbooks under both programs: several hosts, what is refused, wrong and rare words. Each row of rows_*.py is one test; a table
of it all ends the tests' output."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from playbooks_kit import compare, named, run_both  # noqa: E402
from rows_hosts import ROWS as HOSTS  # noqa: E402
from rows_refusal import ROWS as REFUSAL  # noqa: E402
from rows_words import ROWS as WORDS  # noqa: E402

ROWS = named({"hosts": HOSTS, "refusal": REFUSAL, "words": WORDS})


@pytest.fixture(scope="module")
def runs(request, tmp_path_factory):
    return run_both(request, tmp_path_factory.mktemp("runs"), ROWS)


@pytest.mark.parametrize("name", ROWS)
def test_playbook(name, runs, table):
    compare(name, ROWS[name], runs, table)
