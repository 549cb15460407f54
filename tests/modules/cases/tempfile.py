"""Cases of tempfile."""
from rows import played

played("tempfile no folder", {"tempfile": {"path": "@/no"}}, loose=["msg"])
