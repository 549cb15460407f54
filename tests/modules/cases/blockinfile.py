"""Cases of blockinfile."""
from given import SSHD
from rows import Dir, played

BLOCK = "a\n# BEGIN ANSIBLE MANAGED BLOCK\nold\n# END ANSIBLE MANAGED BLOCK\nz\n"
played("block add", {"blockinfile": {"path": "@/f", "block": "one\ntwo"}}, {"f": SSHD})
played("block replace", {"blockinfile": {"path": "@/f", "block": "new\n"}}, {"f": BLOCK})
played("block same", {"blockinfile": {"path": "@/f", "block": "old"}}, {"f": BLOCK})
played("block absent", {"blockinfile": {"path": "@/f", "state": "absent"}}, {"f": BLOCK})
played("block empty", {"blockinfile": {"path": "@/f", "block": ""}}, {"f": BLOCK})
played("block absent none", {"blockinfile": {"path": "@/f", "state": "absent"}}, {"f": SSHD})
played("block absent no file", {"blockinfile": {"path": "@/f", "state": "absent"}}, loose=["rc"])
played("block create", {"blockinfile": {"path": "@/f", "block": "x", "create": True}})
played("block create mode", {"blockinfile": {"path": "@/f", "block": "x", "create": True, "mode": "0600"}})
played("block no file", {"blockinfile": {"path": "@/f", "block": "x"}})
played("block after", {"blockinfile": {"path": "@/f", "block": "x", "insertafter": "^Port"}}, {"f": SSHD})
played("block before", {"blockinfile": {"path": "@/f", "block": "x", "insertbefore": "^UsePAM"}}, {"f": SSHD})
played("block BOF", {"blockinfile": {"path": "@/f", "block": "x", "insertbefore": "BOF"}}, {"f": SSHD})
played("block EOF", {"blockinfile": {"path": "@/f", "block": "x", "insertafter": "EOF"}}, {"f": SSHD})
played("block after none", {"blockinfile": {"path": "@/f", "block": "x", "insertafter": "^zz"}}, {"f": SSHD})
played("block marker", {"blockinfile": {"path": "@/f", "block": "x", "marker": "// {mark} mine"}}, {"f": SSHD})
played("block marker names", {"blockinfile": {"path": "@/f", "block": "x", "marker": "<!-- {mark} -->", "marker_begin": "open", "marker_end": "close"}}, {"f": SSHD})
played("block no newline at end", {"blockinfile": {"path": "@/f", "block": "x"}}, {"f": "a\nb"})
played("block newlines around", {"blockinfile": {"path": "@/f", "block": "x", "insertafter": "^Port", "append_newline": True, "prepend_newline": True}}, {"f": SSHD})
played("block backup", {"blockinfile": {"path": "@/f", "block": "x", "backup": True}}, {"f": SSHD})
played("block multiline after", {"blockinfile": {"path": "@/f", "block": "x", "insertafter": "(?m)^Port 22\\n#Permit"}}, {"f": SSHD})
played("block directory", {"blockinfile": {"path": "@/d", "block": "x"}}, {"d": Dir()})
played("block validate bad", {"blockinfile": {"path": "@/f", "block": "x", "validate": "false %s"}}, {"f": SSHD},
    loose=["msg", "rc", "exit_status", "stdout", "stderr", "stdout_lines", "stderr_lines"])
