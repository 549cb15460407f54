"""What every Python test shares: the programs."""
import pytest

from places import BUILD


def pytest_configure(config):
    config.addinivalue_line("markers", "alone: what it says about time or cost holds only where no other test runs beside it")


@pytest.fixture(scope="session")
def holdfast():
    """Path of the command people type."""
    return str(BUILD / "holdfast")


@pytest.fixture(scope="session")
def holdfastd():
    """Path of the agent."""
    return str(BUILD / "holdfastd")
