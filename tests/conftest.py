"""What every Python test shares: the programs, and a free port."""
import socket

import pytest

from places import BUILD


@pytest.fixture(scope="session")
def holdfast():
    """Path of the command people type."""
    return str(BUILD / "holdfast")


@pytest.fixture(scope="session")
def holdfastd():
    """Path of the agent."""
    return str(BUILD / "holdfastd")


@pytest.fixture
def free_port():
    """A function that gives a TCP port on loopback that nobody listens on."""

    def pick():
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            return s.getsockname()[1]

    return pick
