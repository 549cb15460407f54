"""Cases of find."""
from rows import Dir, File, Link, played

FIND = {"d": Dir(), "d/a.log": "x" * 2000, "d/b.txt": "needle\n", "d/.c.log": "h", "d/s": Dir(), "d/s/e.log": "e\nneedle\n", "d/l": Link("a.log")}
FLOOSE = ["files.atime", "files.mtime", "files.ctime", "files.inode", "files.dev"]
played("find", {"find": {"paths": "@/d"}}, FIND, loose=FLOOSE)
played("find recurse", {"find": {"paths": "@/d", "recurse": True, "patterns": "*.log"}}, FIND, loose=FLOOSE)
played("find hidden", {"find": {"paths": "@/d", "hidden": True, "patterns": "*.log,*.txt"}}, FIND, loose=FLOOSE)
played("find excludes", {"find": {"paths": ["@/d"], "patterns": ["*"], "excludes": "*.txt", "get_checksum": True}}, FIND, loose=FLOOSE)
played("find regex", {"find": {"paths": "@/d", "patterns": "^[ab]\\..*$", "use_regex": True}}, FIND, loose=FLOOSE)
played("find directories", {"find": {"paths": "@/d", "file_type": "directory"}}, FIND, loose=FLOOSE)
played("find links", {"find": {"paths": "@/d", "file_type": "link"}}, FIND, loose=FLOOSE + ["files.size"])
played("find any depth", {"find": {"paths": "@/d", "file_type": "any", "recurse": True, "depth": 1}}, FIND, loose=FLOOSE)
played("find contains", {"find": {"paths": "@/d", "recurse": True, "contains": "need.*"}}, FIND, loose=FLOOSE)
played("find contains whole", {"find": {"paths": "@/d", "recurse": True, "contains": "e\\nneedle", "read_whole_file": True}}, FIND, loose=FLOOSE)
played("find size", {"find": {"paths": "@/d", "size": "1k"}}, FIND, loose=FLOOSE)
played("find small", {"find": {"paths": "@/d", "size": "-1k"}}, FIND, loose=FLOOSE)
played("find old", {"find": {"paths": "@/d", "age": "1d"}}, FIND, loose=FLOOSE)
played("find young", {"find": {"paths": "@/d", "age": "-1d"}}, FIND, loose=FLOOSE)
played("find bad age", {"find": {"paths": "@/d", "age": "old"}}, FIND)
played("find missing", {"find": {"paths": "@/nope"}}, loose=["warnings"])
played("find bad pattern", {"find": {"paths": ["@/d", "@/e"], "patterns": ["("], "use_regex": True}}, {**FIND, "e": Dir()}, loose=[*FLOOSE, "skipped_paths"])
played("find bad contains", {"find": {"paths": ["@/d"], "contains": "*a"}}, FIND, loose=[*FLOOSE, "skipped_paths"])
played("find mode", {"find": {"paths": "@/d", "mode": "0600"}}, {**FIND, "d/p": File("x", 0o600)}, loose=FLOOSE)
