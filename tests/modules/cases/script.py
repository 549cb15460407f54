"""Cases of script."""
from rows import played

played("script", {"script": "s.sh one 'two three'"}, always=True,
    sources={"files/s.sh": "#!/bin/sh\necho \"$1-$2\"; echo $# >&2\n"})
played("script creates", {"script": {"cmd": "s.sh", "creates": "@/have"}}, {"have": ""},
    sources={"files/s.sh": "echo x\n"})
played("script fails", {"script": "bad.sh"}, sources={"files/bad.sh": "#!/bin/sh\necho no\nexit 7\n"})
played("script executable", {"script": {"cmd": "p.py a", "executable": "/usr/bin/env bash"}}, always=True,
    sources={"files/p.py": "echo bash:$1\n"})
played("script chdir", {"script": {"cmd": "w.sh", "chdir": "@"}}, always=True, sources={"files/w.sh": "pwd > here\n"})
