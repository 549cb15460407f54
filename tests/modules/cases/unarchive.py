"""Cases of unarchive."""
from rows import Archive, Dir, File, Link, played

ARC = {"top": Dir(0o755), "top/a": File("A\n", 0o640), "top/run": File("#!/bin/sh\n", 0o755), "top/l": Link("a"), "top/s/deep": "D\n"}
for kind in ("tar", "tar.gz", "tar.xz", "tar.bz2", "tar.zst", "zip"):
    played(f"unarchive {kind}", {"unarchive": {"src": f"x.{kind}", "dest": "@/d"}}, {"d": Dir()},
        sources={f"files/x.{kind}": Archive(ARC)}, loose=["extract_results", "size"])
played("unarchive remote", {"unarchive": {"src": "@/x.tgz", "dest": "@/d", "remote_src": True}}, {"d": Dir(), "x.tgz": Archive(ARC)}, loose=["size"])
played("unarchive list", {"unarchive": {"src": "@/x.tgz", "dest": "@/d", "remote_src": True, "list_files": True}}, {"d": Dir(), "x.tgz": Archive({"a": "A\n", "b": "B\n"})}, loose=["size"])
played("unarchive strip", {"unarchive": {"src": "@/x.tgz", "dest": "@/d", "remote_src": True, "extra_opts": ["--strip-components=1"]}}, {"d": Dir(), "x.tgz": Archive(ARC)}, loose=["size"])
played("unarchive exclude", {"unarchive": {"src": "@/x.tgz", "dest": "@/d", "remote_src": True, "exclude": ["top/s"]}}, {"d": Dir(), "x.tgz": Archive(ARC)}, loose=["size"])
played("unarchive include", {"unarchive": {"src": "@/x.tgz", "dest": "@/d", "remote_src": True, "include": ["top/a"]}}, {"d": Dir(), "x.tgz": Archive(ARC)}, loose=["size"])
played("unarchive include a folder", {"unarchive": {"src": "@/x.tar", "dest": "@/d", "remote_src": True, "include": ["top/s/"], "list_files": True}}, {"d": Dir(), "x.tar": Archive(ARC)}, loose=["size"])
played("unarchive include patterns", {"unarchive": {"src": "@/x.tgz", "dest": "@/d", "remote_src": True, "include": ["top/r*"], "extra_opts": ["--wildcards"]}}, {"d": Dir(), "x.tgz": Archive(ARC)}, loose=["size"])
played("unarchive include a pattern that is none", {"unarchive": {"src": "@/x.tgz", "dest": "@/d", "remote_src": True, "include": ["top/r*"]}}, {"d": Dir(), "x.tgz": Archive(ARC)}, loose=["msg"])
played("unarchive include what is not there", {"unarchive": {"src": "@/x.tgz", "dest": "@/d", "remote_src": True, "include": ["top/a", "a"]}}, {"d": Dir(), "x.tgz": Archive(ARC)}, loose=["msg"])
played("unarchive include what is not in the zip", {"unarchive": {"src": "@/x.zip", "dest": "@/d", "remote_src": True, "include": ["nope"]}}, {"d": Dir(), "x.zip": Archive(ARC)}, loose=["*"])
played("unarchive strip, and whose dest then is", {"unarchive": {"src": "@/x.tgz", "dest": "@/d", "remote_src": True, "extra_opts": ["--strip-components", "1"], "group": "daemon", "list_files": True}}, {"d": Dir(), "x.tgz": Archive(ARC)}, loose=["size"])
played("unarchive no source and no dest", {"unarchive": {"src": "nope.tgz", "dest": "@/d"}}, loose=["msg"])
played("unarchive mode", {"unarchive": {"src": "@/x.tgz", "dest": "@/d", "remote_src": True, "mode": "u=rwX,go=", "owner": "daemon"}}, {"d": Dir(), "x.tgz": Archive(ARC)}, loose=["size"])
played("unarchive creates", {"unarchive": {"src": "@/x.tgz", "dest": "@/d", "remote_src": True, "creates": "@/d/have"}}, {"d": Dir(), "d/have": "", "x.tgz": Archive(ARC)})
played("unarchive keep newer", {"unarchive": {"src": "@/x.tgz", "dest": "@/d", "remote_src": True, "keep_newer": True}}, {"d": Dir(), "d/top": Dir(), "d/top/a": "mine\n", "x.tgz": Archive(ARC)}, loose=["size"], always=True)
played("unarchive no dest", {"unarchive": {"src": "@/x.tgz", "dest": "@/d", "remote_src": True}}, {"x.tgz": Archive(ARC)})
played("unarchive no source", {"unarchive": {"src": "@/x.tgz", "dest": "@/d", "remote_src": True}}, {"d": Dir()})
played("unarchive empty file", {"unarchive": {"src": "@/x.tgz", "dest": "@/d", "remote_src": True}}, {"d": Dir(), "x.tgz": ""})
played("unarchive no archive", {"unarchive": {"src": "@/x.tgz", "dest": "@/d", "remote_src": True}}, {"d": Dir(), "x.tgz": "nonsense"}, loose=["msg"])
