"""Cases of wait_for."""
import socket

from rows import played

played("wait path", {"wait_for": {"path": "@/f", "timeout": 2}}, {"f": "x"}, loose=["elapsed"])
played("wait path timeout", {"wait_for": {"path": "@/f", "timeout": 1}}, loose=["elapsed"])
played("wait path message", {"wait_for": {"path": "@/f", "timeout": 1, "msg": "no luck"}}, loose=["elapsed"])
played("wait path search", {"wait_for": {"path": "@/f", "timeout": 2, "search_regex": "re(a)dy (?P<n>\\d)"}}, {"f": "x\nready 5\n"}, loose=["elapsed"])
played("wait path absent", {"wait_for": {"path": "@/f", "state": "absent", "timeout": 2}}, loose=["elapsed"])
played("wait path still there", {"wait_for": {"path": "@/f", "state": "absent", "timeout": 1}}, {"f": "x"}, loose=["elapsed"])
played("wait port closed", {"wait_for": {"port": 1, "timeout": 1}}, loose=["elapsed"])
played("wait port stopped", {"wait_for": {"port": 1, "state": "stopped", "timeout": 2}}, loose=["elapsed"])
HELD = socket.create_server(("127.0.0.1", 0))  # somebody stays connected to it
HELD_BY, HELD_PORT = socket.create_connection(HELD.getsockname()), HELD.getsockname()[1]


def drained(title, **args):
    played(f"wait port drained, {title}", {"wait_for": {"port": HELD_PORT, "state": "drained", "timeout": 1, **args}}, loose=["elapsed"])


drained("nobody there", port=1)
drained("somebody there")
drained("somebody there, on any address", host="0.0.0.0")
drained("on another address", host="127.0.0.9")
drained("of IPv6", host="::1")
drained("somebody that does not count", exclude_hosts=["127.0.0.1"])
drained("of another state", active_connection_states=["SYN_SENT", "FIN_WAIT1"])
drained("of no state", active_connection_states=["LISTEN"])
drained("with a message", msg="still there")
played("wait, hosts left out of what is not drained", {"wait_for": {"port": 1, "exclude_hosts": ["127.0.0.1"], "timeout": 1}}, loose=["elapsed"])
played("wait path drained", {"wait_for": {"path": "@/f", "state": "drained", "timeout": 1}}, loose=["elapsed"])
played("wait port and path", {"wait_for": {"port": 1, "path": "@/f"}}, loose=["elapsed"])
