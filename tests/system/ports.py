"""Ports for servers under test. Test files run side by side, each process of them hands out ports of a row of its own, below
those that the kernel gives to whoever asks for any: what was free here is still free when the server comes to bind it."""
import itertools
import os
import re
import socket

FIRST, LAST, ROW = 10240, 32767, 1024
ROWS = (LAST - FIRST + 1) // ROW


def _row():
    worker = re.fullmatch(r"gw(\d+)", os.environ.get("PYTEST_XDIST_WORKER", ""))
    return int(worker[1]) if worker else os.getpid()


_next = itertools.count(os.getpid() * 7)


def free():
    """A TCP port on loopback that nobody listens on, another one each time."""
    for _ in range(ROW):
        port = FIRST + _row() % ROWS * ROW + next(_next) % ROW
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError(f"no free port among {ROW}")
