"""Cases of stat."""
from rows import Dir, File, Link, played

VOLATILE = ["stat.atime", "stat.mtime", "stat.ctime", "stat.inode", "stat.version", "stat.dev"]
played("stat file", {"stat": {"path": "@/f"}}, {"f": "hello\n"}, loose=VOLATILE)
played("stat empty", {"stat": {"path": "@/f"}}, {"f": ""}, loose=VOLATILE)
played("stat directory", {"stat": {"path": "@/d"}}, {"d": Dir(0o2750)}, loose=VOLATILE)
played("stat link", {"stat": {"path": "@/l"}}, {"t": "x", "l": Link("t")}, loose=VOLATILE)
played("stat link follow", {"stat": {"path": "@/l", "follow": True}}, {"t": "x", "l": Link("t")}, loose=VOLATILE)
played("stat broken link", {"stat": {"path": "@/l"}}, {"l": Link("t")}, loose=VOLATILE)
played("stat broken chain", {"stat": {"path": "@/m"}}, {"l": Link("t"), "m": Link("l")}, loose=VOLATILE)
played("stat none", {"stat": {"path": "@/nope"}})
played("stat sha256", {"stat": {"path": "@/f", "checksum_algorithm": "sha256", "get_mime": False}}, {"f": "hello\n"}, loose=VOLATILE)
played("stat no extras", {"stat": {"path": "@/f", "get_checksum": False, "get_mime": False, "get_attributes": False}}, {"f": "x"}, loose=VOLATILE)
played("stat program", {"stat": {"path": "@/s"}}, {"s": File("#!/bin/sh\necho hi\n", 0o4755)}, loose=VOLATILE)
played("stat below file", {"stat": {"path": "@/f/x"}}, {"f": "x"})
played("stat socket device", {"stat": {"path": "/dev/null"}}, loose=VOLATILE)
