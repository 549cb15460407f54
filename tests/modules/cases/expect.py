"""Cases of expect."""
from rows import File, called


def expect(title, command, responses, given=None, loose=(), always=True, **args):
    called(f"expect {title}", {"expect": {"command": command, "responses": responses, **args}},
        {"ask": File("#!/bin/sh\nprintf 'name? '; read a; printf 'again? '; read b; echo \"[$a $b]\"\n", 0o755), **(given or {})},
        loose=["stdout_lines", "check", *loose], always=always)


# Of a program that closes its terminal and is not gone yet, as coreutils' are for a moment, Ansible's pexpect hangs up: a shell ends
# with its terminal.
TOUCH = "sh -c 'touch @/{}; exit 0'"
expect("answers", "@/ask", {"name": "ann", "again": "bob"})
expect("answers a pattern twice", "@/ask", {r"\?": ["one", "two"]})
expect("runs out of answers", "@/ask", {r"\?": ["one"]}, loose=["*"])
expect("echoes", "@/ask", {"name": "ann", "again": "bob"}, echo=True, loose=["stdout"])
expect("words", "sh -c 'echo \"a  b\"; exit 3'", {"x": "y"})
expect("no program", "/no/such/program", {"x": "y"}, loose=["*"])
expect("nothing", " ", {"x": "y"}, loose=["stdout"])
expect("folder", "sh -c 'pwd; exit 0'", {"x": "y"}, chdir="@")
expect("creates there", TOUCH.format("x"), {"x": "y"}, {"x": ""}, creates="@/x")
expect("creates", TOUCH.format("x"), {"nope": "y"}, creates="@/x", always=False)
expect("removes missing", TOUCH.format("y"), {"x": "y"}, removes="@/x")
expect("waits too long", "sleep 20", {"x": "y"}, timeout=1)
expect("timeout is no number", "true", {"x": "y"}, timeout="many")
