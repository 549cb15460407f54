"""Every module's manual page states the options its table has: names, types, defaults, what is refused; its examples load,
and `holdfast doc` shows it.

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
# Pages whose meanings are the program's too; the others explain options in words of their own.
WRITTEN = {"acl", "archive", "assemble", "at", "authorized_key", "blockinfile", "command", "copy", "expect", "fetch", "file",
           "find", "firewalld", "get_url", "git", "htpasswd", "ini_file", "known_hosts", "lineinfile", "openssl_privatekey", "raw",
           "replace", "script", "shell", "slurp", "stat", "synchronize", "tempfile", "template", "ufw", "unarchive",
           "uri", "wait_for", "wait_for_connection", "xml"}
WRITTEN |= {"docker_container", "docker_image", "docker_network", "gem", "npm", "snap"}
WRITTEN |= {"conda_env", "lvg", "lvol", "pamd", "parted", "sefcontext"}
WRITTEN |= {"apache2_module", "mdadm", "nmcli"}
WRITTEN |= {"openssh_keypair", "openssl_csr", "openssl_csr_info", "openssl_csr_pipe", "openssl_publickey", "x509_certificate",
            "x509_certificate_info"}


@pytest.fixture(scope="session")
def tables(holdfast):
    done = subprocess.run([holdfast, "modules", "--json"], capture_output=True, text=True, check=True)
    return {m["name"]: m for m in json.loads(done.stdout)}


def cell(text):
    return text.replace("|", "\\|").replace("\n", "\\n").replace("\r", "\\r")


def meanings(text):
    """What a page says of each option."""
    return {m[1]: m[2] for m in re.finditer(r"^\| `([\w-]+)` \|(?:[^|\\\n]|\\.)*\|(?:[^|\\\n]|\\.)*\| ?(.*?) ?\|$", text, re.M)}


def table(module, words):
    """The options as the page shows them; words: its own meanings."""
    lines = ["| option | type | default | meaning |", "|---|---|---|---|"]
    for o in module["options"]:
        if o["name"].startswith("_"):
            continue
        kind = o["type"] + (", " + " or ".join(f"`{c}`" for c in o["choices"]) if o["choices"] else "")
        default = "required" if o["required"] else f"`{cell(o['default'])}`" if o["default"] not in (None, "") else ""
        meaning = ("Refused: " if o["refused"] else "") + (o["help"] or "")
        if words is not None and not o["refused"]:
            lines.append(f"| `{o['name']}` | {kind} | {default} | {words.get(o['name'], cell(o['help'] or ''))} |")
            continue
        if o["aliases"]:
            meaning += " Also " + ", ".join(f"`{a}`" for a in o["aliases"]) + "."
        lines.append(f"| `{o['name']}` | {kind} | {default} | {cell(meaning)} |")
    return "\n".join(lines)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_page_has_the_table(page, tables):
    text = page.read_text()
    if page.stem not in WRITTEN and not tables[page.stem]["options"]:
        return
    want = table(tables[page.stem], None if page.stem in WRITTEN else meanings(text))
    pattern = re.compile(r"(?<=## Options\n\n)\|.*?\n(?=\n)", re.S)
    if os.environ.get("HF_RECORD"):
        page.write_text(pattern.sub(lambda m: want + "\n", text))
        return
    assert pattern.search(text).group().rstrip("\n") == want


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_page_names_every_option(page, tables):
    section = page.read_text().partition("## Options\n")[2].partition("\n## ")[0]
    shown = set(re.findall(r"^\| `([\w-]+)` \|", section, re.M))
    known = {o["name"] for o in tables[page.stem]["options"] if not o["name"].startswith("_")}
    assert shown == known


@pytest.mark.parametrize("page", [p for p in PAGES if "```yaml" in p.read_text()], ids=lambda p: p.stem)
def test_examples_load(page, holdfast, tmp_path):
    """The examples are tasks that the program accepts."""
    tasks = "\n".join(re.findall(r"```yaml\n(.*?)```", page.read_text(), re.S))
    book = tmp_path / "site.yml"
    book.write_text("- hosts: localhost\n  gather_facts: false\n  tasks:\n"
                    + "".join("    " + line + "\n" for line in tasks.splitlines()))
    done = subprocess.run([holdfast, "apply", "--syntax-check", book], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr + done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_doc_shows_the_page(page, holdfast):
    raw = subprocess.run([holdfast, "doc", "--markdown", page.stem], capture_output=True, text=True)
    assert raw.stdout == page.read_text()
    shown = subprocess.run([holdfast, "doc", page.stem], capture_output=True, text=True)
    assert shown.returncode == 0 and shown.stdout.split("\n")[0] == raw.stdout.split("\n")[0].removeprefix("# ")


def test_every_module_has_a_page(tables):
    assert set(tables) == {p.stem for p in PAGES}


def test_table_of_all_options(holdfast, tables):
    """`holdfast doc --table`, which `make docs` keeps as docs/modules.md, has a row for every module and option."""
    text = subprocess.run([holdfast, "doc", "--table"], capture_output=True, text=True, check=True).stdout
    for name, m in tables.items():
        assert f"| `{m['collection']}.{name}` |" in text
        for o in m["options"]:
            assert re.search(rf"^\| `{name}` \| `{re.escape(o['name'])}` \| \w+ \| {'refused: ' if o['refused'] else 'works'}",
                             text, re.M), (name, o["name"])
