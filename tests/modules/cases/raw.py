"""Cases of raw."""
from rows import played

played("raw", {"raw": "echo raw; echo e >&2"}, always=True)
played("raw fails", {"raw": "exit 4"})
