"""Every module's manual page states the options its table has: names, types, defaults, what is refused.

HF_RECORD=1 writes the tables anew from the program; the words around them are people's.
"""
import json
import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "modules").glob("*.md"))
# Pages whose whole table is written by this program; the others state types in words of their own.
WRITTEN = {"acl", "archive", "assemble", "authorized_key", "blockinfile", "command", "copy", "fetch", "file", "find", "get_url", "git", "htpasswd", "ini_file", "known_hosts", "lineinfile",
           "raw", "replace", "script", "shell", "slurp", "stat", "tempfile", "template", "unarchive", "uri", "wait_for",
           "wait_for_connection"}


@pytest.fixture(scope="session")
def tables(holdfast):
    done = subprocess.run([holdfast, "modules", "--json"], capture_output=True, text=True, check=True)
    return {m["name"]: m for m in json.loads(done.stdout)}


def cell(text):
    return text.replace("|", "\\|").replace("\n", "\\n").replace("\r", "\\r")


def table(module):
    """The options as the page shows them."""
    lines = ["| option | type | default | meaning |", "|---|---|---|---|"]
    for o in module["options"]:
        if o["name"].startswith("_"):
            continue
        kind = o["type"] + (", " + " or ".join(f"`{c}`" for c in o["choices"]) if o["choices"] else "")
        default = "required" if o["required"] else f"`{cell(o['default'])}`" if o["default"] not in (None, "") else ""
        meaning = ("Refused: " if o["refused"] else "") + (o["help"] or "")
        if o["aliases"]:
            meaning += " Also " + ", ".join(f"`{a}`" for a in o["aliases"]) + "."
        lines.append(f"| `{o['name']}` | {kind} | {default} | {cell(meaning)} |")
    return "\n".join(lines)


@pytest.mark.parametrize("page", [p for p in PAGES if p.stem in WRITTEN], ids=lambda p: p.stem)
def test_page_has_the_table(page, tables):
    text = page.read_text()
    want = table(tables[page.stem])
    pattern = re.compile(r"(?<=## Options\n\n)\|.*?\n(?=\n)", re.S)
    if os.environ.get("HF_RECORD"):
        page.write_text(pattern.sub(lambda m: want + "\n", text))
        return
    assert pattern.search(text).group().rstrip("\n") == want


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_page_names_every_option(page, tables):
    shown = set(re.findall(r"^\| `([\w-]+)` \|", page.read_text(), re.M))
    known = {o["name"] for o in tables[page.stem]["options"] if not o["name"].startswith("_")}
    assert shown == known or not known  # a module that takes what its backend takes has no table


@pytest.mark.parametrize("page", [p for p in PAGES if p.stem in WRITTEN], ids=lambda p: p.stem)
def test_examples_load(page, holdfast, tmp_path):
    """The examples are tasks that the program accepts."""
    tasks = "\n".join(re.findall(r"```yaml\n(.*?)```", page.read_text(), re.S))
    book = tmp_path / "site.yml"
    book.write_text("- hosts: localhost\n  gather_facts: false\n  tasks:\n"
                    + "".join("    " + line + "\n" for line in tasks.splitlines()))
    done = subprocess.run([holdfast, "apply", "--syntax-check", book], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr + done.stdout
