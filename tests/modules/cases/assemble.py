"""Cases of assemble."""
from rows import Dir, File, Link, played

PARTS = {"p": Dir(), "p/1": "one\n", "p/2": "two", "p/3": "three\n", "p/.h": "hidden\n"}
played("assemble", {"assemble": {"src": "@/p", "dest": "@/f"}}, PARTS)
played("assemble same", {"assemble": {"src": "@/p", "dest": "@/f"}}, {**PARTS, "f": "hidden\none\ntwo\nthree\n"})
played("assemble delimiter", {"assemble": {"src": "@/p", "dest": "@/f", "delimiter": "# --\\n--"}}, PARTS)
played("assemble regexp", {"assemble": {"src": "@/p", "dest": "@/f", "regexp": "^[12]$"}}, PARTS)
played("assemble no hidden", {"assemble": {"src": "@/p", "dest": "@/f", "ignore_hidden": True, "mode": "0600"}}, PARTS)
played("assemble over link", {"assemble": {"src": "@/p", "dest": "@/l"}}, {**PARTS, "t": File("old\n", 0o640), "l": Link("t")})
played("assemble no source", {"assemble": {"src": "@/p", "dest": "@/f"}})
played("assemble not directory", {"assemble": {"src": "@/p", "dest": "@/f"}}, {"p": "x"})
played("assemble no folder", {"assemble": {"src": "@/p", "dest": "@/no/f"}}, PARTS, loose=["msg", "src", "dest", "checksum", "md5sum"])
played("assemble of ours, no folder", {"assemble": {"src": "frag", "dest": "@/no/f", "remote_src": False}}, loose=["src", "dest", "checksum", "md5sum"],
    sources={"files/frag/a": "A\n", "files/frag/b": "B"})
played("assemble of ours, refused", {"assemble": {"src": "frag", "dest": "@/f", "remote_src": False, "validate": "/bin/false %s"}},
    loose=["src", "dest", "checksum", "md5sum", "rc"], sources={"files/frag/a": "A\n", "files/frag/b": "B"})
played("assemble of ours, no source", {"assemble": {"src": "/no/such/frag", "dest": "@/f", "remote_src": False}})
played("assemble backup", {"assemble": {"src": "@/p", "dest": "@/f", "backup": True}}, {**PARTS, "f": "old"})
