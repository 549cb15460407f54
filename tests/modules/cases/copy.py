"""Cases of copy."""
from rows import Dir, File, Link, played

played("copy content", {"copy": {"content": "hi\n", "dest": "@/f"}})
played("copy content same", {"copy": {"content": "hi\n", "dest": "@/f"}}, {"f": "hi\n"})
played("copy content other", {"copy": {"content": "hi\n", "dest": "@/f"}}, {"f": File("ho\n", 0o600)})
played("copy content empty", {"copy": {"content": "", "dest": "@/f"}})
played("copy content dict", {"copy": {"content": {"a": [1, "x"]}, "dest": "@/f"}})
played("copy mode octal", {"copy": {"content": "x", "dest": "@/f", "mode": "0640"}})
played("copy mode symbolic", {"copy": {"content": "x", "dest": "@/f", "mode": "u=rwx,g=rx,o="}})
played("copy mode plus x", {"copy": {"content": "x", "dest": "@/f", "mode": "+x"}}, {"f": File("x", 0o600)})
played("copy mode a+rX", {"copy": {"content": "x", "dest": "@/f", "mode": "a+rX"}}, {"f": File("x", 0o600)})
played("copy mode setuid", {"copy": {"content": "x", "dest": "@/f", "mode": "4755"}})
played("copy mode bad", {"copy": {"content": "x", "dest": "@/f", "mode": "u=q"}}, {"f": "x"}, loose=["state"])
played("copy mode changes only", {"copy": {"content": "x", "dest": "@/f", "mode": "0600"}}, {"f": "x"})
played("copy owner", {"copy": {"content": "x", "dest": "@/f", "owner": "daemon", "group": "1"}})
played("copy owner unknown", {"copy": {"content": "x", "dest": "@/f", "owner": "nobody-here"}}, {"f": "x"})
played("copy dest dir missing", {"copy": {"content": "x", "dest": "@/no/f"}}, loose=["checksum"])
played("copy src", {"copy": {"src": "a.txt", "dest": "@/f"}}, sources={"files/a.txt": "A\n"})
played("copy src to dir", {"copy": {"src": "a.txt", "dest": "@/d"}}, {"d": Dir()}, sources={"files/a.txt": "A\n"})
played("copy src to dir slash", {"copy": {"src": "a.txt", "dest": "@/d/"}}, {"d": Dir()}, sources={"files/a.txt": "A\n"})
played("copy src to new dirs", {"copy": {"src": "a.txt", "dest": "@/d/e/", "directory_mode": "0700"}},
    sources={"files/a.txt": "A\n"})
played("copy src missing", {"copy": {"src": "none.txt", "dest": "@/f"}}, loose=["msg"])
played("copy preserve", {"copy": {"src": "p.sh", "dest": "@/f", "mode": "preserve"}},
    sources={"files/p.sh": File("x\n", 0o750)})
played("copy force no", {"copy": {"src": "a.txt", "dest": "@/f", "force": False}}, {"f": "old"},
    sources={"files/a.txt": "A\n"}, loose=["src"])
played("copy force no new", {"copy": {"src": "a.txt", "dest": "@/f", "force": False}}, sources={"files/a.txt": "A\n"})
played("copy backup", {"copy": {"content": "new\n", "dest": "@/f", "backup": True}}, {"f": File("old\n", 0o640)})
played("copy backup same", {"copy": {"content": "old\n", "dest": "@/f", "backup": True}}, {"f": "old\n"})
played("copy backup absent", {"copy": {"content": "new\n", "dest": "@/f", "backup": True}})
played("copy validate good", {"copy": {"content": "new\n", "dest": "@/f.cfg", "validate": "grep -q new %s"}})
played("copy validate bad", {"copy": {"content": "bad\n", "dest": "@/f.cfg", "validate": "grep new %s"}},
    {"f.cfg": "old\n"}, loose=["checksum", "md5sum", "dest", "stdout_lines", "stderr_lines", "rc"])
played("copy validate without %s", {"copy": {"content": "bad\n", "dest": "@/f", "validate": "true"}}, {"f": "old\n"})
played("copy over link", {"copy": {"content": "new\n", "dest": "@/l"}}, {"t": "old\n", "l": Link("t")})
played("copy over link same", {"copy": {"content": "old\n", "dest": "@/l"}}, {"t": "old\n", "l": Link("t")})
played("copy follow", {"copy": {"content": "new\n", "dest": "@/l", "follow": True}}, {"t": "old\n", "l": Link("t")})
played("copy follow same", {"copy": {"content": "old\n", "dest": "@/l", "follow": True, "mode": "0600"}},
    {"t": "old\n", "l": Link("t")})
played("copy over broken link", {"copy": {"content": "new\n", "dest": "@/l"}}, {"l": Link("nope")})
played("copy content to dir", {"copy": {"content": "x", "dest": "@/d"}}, {"d": Dir()})
played("copy content to slash", {"copy": {"content": "x", "dest": "@/d/"}}, {"d": Dir()})
played("copy src and content", {"copy": {"content": "x", "src": "a.txt", "dest": "@/f"}}, sources={"files/a.txt": "A\n"})
played("copy nothing", {"copy": {"dest": "@/f"}})
played("copy checksum", {"copy": {"content": "x", "dest": "@/f", "checksum": "11f6ad8ec52a2984abaafd7c3b516503785c2072"}})
played("copy checksum wrong", {"copy": {"content": "x", "dest": "@/f", "checksum": "0" * 40}}, {"f": "y"},
    loose=["dest"])
TREE = {"files/t/a": "A\n", "files/t/sub/b": File("B\n", 0o600), "files/t/sub/deep/c": "C\n", "files/t/empty": Dir()}
played("copy tree", {"copy": {"src": "t", "dest": "@/d"}}, {"d": Dir()}, sources=TREE)
played("copy tree of one file", {"copy": {"src": "one/", "dest": "@/d", "mode": "0600"}}, sources={"files/one/x": "x\n"})
played("copy tree of one file again", {"copy": {"src": "one/", "dest": "@/d"}}, {"d": Dir(), "d/x": "x\n"}, sources={"files/one/x": "x\n"})
played("copy content preserve", {"copy": {"content": "x\n", "dest": "@/f", "mode": "preserve"}})
played("copy tree new dest", {"copy": {"src": "t", "dest": "@/d"}}, sources=TREE)
played("copy tree inside", {"copy": {"src": "t/", "dest": "@/d"}}, {"d": Dir(), "d/a": "A\n"}, sources=TREE)
played("copy tree again", {"copy": {"src": "t/", "dest": "@/d"}}, {"d": Dir(), "d/a": "A\n", "d/sub": Dir(),
    "d/sub/b": "B\n", "d/sub/deep": Dir(), "d/sub/deep/c": "C\n", "d/empty": Dir(), "d/more": "M"}, sources=TREE)
played("copy tree modes", {"copy": {"src": "t/", "dest": "@/d", "mode": "0640", "directory_mode": "0750"}}, sources=TREE)
played("copy tree preserve", {"copy": {"src": "t/", "dest": "@/d", "mode": "preserve"}}, sources=TREE)
LINKS = {"files/k/a": "A\n", "files/k/l": Link("a"), "files/k/s/x": "X\n", "files/k/dl": Link("s")}
played("copy tree links followed", {"copy": {"src": "k/", "dest": "@/d"}}, sources=LINKS)
played("copy tree links kept", {"copy": {"src": "k/", "dest": "@/d", "local_follow": False}}, sources=LINKS)
played("copy remote", {"copy": {"src": "@/s", "dest": "@/f", "remote_src": True}}, {"s": File("S\n", 0o750)})
played("copy remote over", {"copy": {"src": "@/s", "dest": "@/f", "remote_src": True}},
    {"s": File("S\n", 0o750), "f": File("old", 0o600)})
played("copy remote same", {"copy": {"src": "@/s", "dest": "@/f", "remote_src": True}},
    {"s": File("S\n", 0o750), "f": File("S\n", 0o600)})
played("copy remote preserve", {"copy": {"src": "@/s", "dest": "@/f", "remote_src": True, "mode": "preserve"}},
    {"s": File("S\n", 0o751)})
played("copy remote missing", {"copy": {"src": "@/s", "dest": "@/f", "remote_src": True}})
played("copy remote to dir", {"copy": {"src": "@/s", "dest": "@/d/", "remote_src": True}}, {"s": "S\n", "d": Dir()})
RTREE = {"s": Dir(), "s/a": "A\n", "s/sub": Dir(0o700), "s/sub/b": File("B\n", 0o640)}
played("copy remote tree", {"copy": {"src": "@/s", "dest": "@/d", "remote_src": True}}, {**RTREE, "d": Dir()})
played("copy remote tree new", {"copy": {"src": "@/s", "dest": "@/d", "remote_src": True}}, RTREE)
played("copy remote tree inside", {"copy": {"src": "@/s/", "dest": "@/d", "remote_src": True}}, {**RTREE, "d": Dir(), "d/a": "old"})
played("copy remote tree inside new", {"copy": {"src": "@/s/", "dest": "@/d", "remote_src": True}}, RTREE)
played("copy remote tree mode", {"copy": {"src": "@/s/", "dest": "@/d", "remote_src": True, "mode": "0711"}}, {**RTREE, "d": Dir()})
