"""What every Python test shares: the programs, and what becomes of rows whose cases lie outside the tree."""
import os

import pytest

from places import BUILD, SHARED

pytest.register_assert_rewrite("kit")  # what it finds different is shown, as of the tests themselves


def pytest_configure(config):
    config.addinivalue_line("markers", "alone: what it says about time or cost holds only where no other test runs beside it")
    config.addinivalue_line("markers", "shared: reads the cases in ../shared beside the checkout")


def pytest_collection_modifyitems(config, items):
    # In CI they stay, and fail: there the cases must be.
    if SHARED.is_dir() or os.environ.get("CI"):
        return
    missing = [item for item in items if item.get_closest_marker("shared")]
    items[:] = [item for item in items if not item.get_closest_marker("shared")]
    config.hook.pytest_deselected(items=missing)


def pytest_terminal_summary(terminalreporter):
    if not SHARED.is_dir() and not os.environ.get("CI"):
        terminalreporter.write_line(f"left out: what reads the shared cases, as there is no {SHARED}")


@pytest.fixture(scope="session")
def holdfast():
    """Path of the command people type."""
    return str(BUILD / "holdfast")


@pytest.fixture(scope="session")
def holdfastd():
    """Path of the agent."""
    return str(BUILD / "holdfastd")
