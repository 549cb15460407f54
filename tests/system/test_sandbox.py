"""Templates that may not reach outside: every lookup, filter and test that does is refused with lookups switched off, and of the
rest none gives another answer when files, environment and working directory are others. On an agent: `lookups: false`."""
import os
import pathlib
import re
import subprocess

import pytest

from agent import AgentHost
from places import ROOT

LOOKUPS_OUTSIDE = {"file", "unvault", "pipe", "lines", "fileglob", "first_found", "filetree", "template", "password", "ini", "csvfile",
                   "env", "config", "url"}
LOOKUPS_INSIDE = {"items", "list", "dict", "flattened", "indexed_items", "nested", "cartesian", "together", "sequence", "subelements",
                  "random_choice", "vars", "varnames", "inventory_hostnames"}
FILTERS_OUTSIDE = {"expanduser", "expandvars", "realpath", "relpath", "fileglob"}
TESTS_OUTSIDE = {"directory", "is_dir", "file", "is_file", "link", "is_link", "exists", "link_exists", "same_file", "is_same_file", "mount",
                 "is_mount", "ansible.utils.resolvable"}
CHANCE = {"random", "shuffle", "password_hash", "vault", "random_mac", "hashids_encode", "lipsum"}  # another answer each time, from nothing outside


def rows(pattern, *names):
    """Names of the tables in the sources: a new row has to be put into one of the sets above."""
    found = set()
    for name in names:
        for path in sorted(ROOT.glob(name)):
            found |= set(re.findall(pattern, path.read_text()))
    return found


def evaluate(holdfast, text, **where):
    return subprocess.run([holdfast, "eval", "--no-lookups", text], capture_output=True, text=True, timeout=600, **where)


def test_every_lookup_is_on_one_side():
    assert rows(r'(?m)^\t\{ "(\w+)", lookup_\w+(?:, true)? \}', "lib/engine/lookup_*.c") == LOOKUPS_OUTSIDE | LOOKUPS_INSIDE


def test_every_filter_and_test_that_is_marked_is_listed():
    marked = r'(?m)^\t\{ "(\w+)", \w+, [^}\n]*HF_REACHES_OUT'
    assert rows(marked, "lib/engine/filters_*.c", "lib/template/*.c") == FILTERS_OUTSIDE
    assert rows(marked, "lib/engine/tests_*.c") == {name.split(".")[-1] for name in TESTS_OUTSIDE}


REFUSED = [f"{{{{ {fn}('{prefix}{name}', 'kept') }}}}" for name in sorted(LOOKUPS_OUTSIDE) for fn, prefix in (("lookup", ""), ("query", "ansible.builtin."))]
REFUSED += [f"{{{{ 'kept' | {prefix}{name} }}}}" for name in sorted(FILTERS_OUTSIDE) for prefix in ("", "ansible.builtin.")]
REFUSED += [f"{{{{ 'kept' is {name} }}}}" for name in sorted(TESTS_OUTSIDE)]
REFUSED += ["{{ ['kept'] | map('realpath') | list }}", "{{ ['kept'] | select('exists') | list }}", "{{ [{'a': 'kept'}] | selectattr('a', 'file') | list }}",
            "{{ ['kept'] | map('expandvars') | first }}", "{{ q('file', 'kept') }}", "{{ lookup('file', 'kept', errors='ignore') }}",
            "{% if 'kept' is exists %}yes{% endif %}", "{% filter realpath %}kept{% endfilter %}", "{% set x = lookup('env', 'HOME') %}{{ x }}",
            "{{ 'kept' | default(lookup('env', 'HOME')) | upper ~ ('a' is exists) }}", "{{ ['env'] | map('extract', {'env': lookup('env', 'HOME')}) | list }}"]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    (folder / "kept").write_text("SECRET")
    return folder


@pytest.mark.parametrize("text", REFUSED)
def test_refused(holdfast, world, text):
    done = evaluate(holdfast, text, cwd=world)
    assert done.returncode == 1 and done.stdout == "" and "reaches outside" in done.stderr and "SECRET" not in done.stderr


INSIDE = {"{{ query('items', [1, [2]]) }}": "[1, [2]]", "{{ query('sequence', 'end=2') }}": "['1', '2']", "{{ query('dict', {'a': 1}) | length }}": "1",
          "{{ query('nested', [1], [2]) }}": "[[1, 2]]", "{{ lookup('varnames', '^no') }}": "[]", "{{ 'a/b' | basename ~ ('/a/../b' | normpath) }}": "b/b",
          "{{ 'http://x' is ansible.builtin.url }}": "True", "{{ 'a' is abs }}": "False"}


@pytest.mark.parametrize("text", INSIDE)
def test_what_stays_inside_works(holdfast, world, text):
    done = evaluate(holdfast, text, cwd=world)
    assert (done.returncode, done.stdout) == (0, INSIDE[text] + "\n"), done.stderr


def test_nothing_else_sees_the_outside(holdfast, tmp_path):
    """Two worlds: another folder, other files in it, another home, other variables. The same answers."""
    names = rows(r'(?m)^\t\{ "(\w+)", \w+, ', "lib/engine/filters_*.c", "lib/template/filters_*.c") - FILTERS_OUTSIDE - CHANCE
    tests = rows(r'(?m)^\t\{ "(\w+)", \w+, ', "lib/engine/tests_*.c", "lib/template/tests.c") - {t.split(".")[-1] for t in TESTS_OUTSIDE}
    assert len(names) > 150 and len(tests) > 60
    calls = [f"{{{{ [{value}] | map('{name}') | list }}}}" for name in sorted(names) for value in ("'kept', '$KEPT', '~/kept', './kept'",)]
    calls += [f"{{{{ ['kept', '~', '$KEPT'] | select('{name}') | list }}}}" for name in sorted(tests)]
    calls += [f"{{{{ query('{name}', 'kept') }}}}" for name in sorted(LOOKUPS_INSIDE - {"random_choice"})]
    answers = []
    for world, extra in (("one", {"KEPT": "SECRET-1"}), ("two", {})):
        folder = tmp_path / world / "deep"
        folder.mkdir(parents=True)
        if world == "one":
            (folder / "kept").write_text("SECRET-2")
        env = {"HOME": str(folder), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "USER": world, "TZ": "UTC", **extra}
        answers.append([(d.returncode, d.stdout, d.stderr) for d in (evaluate(holdfast, c, cwd=folder, env=env) for c in calls)])
    different = [(c, a, b) for c, a, b in zip(calls, *answers) if a != b]
    assert not different, different[:5]


PLAYS = {"with_file": "    - debug: msg={{ item }}\n      with_file: [kept]\n", "with_lines": "    - debug: msg={{ item }}\n      with_lines: [echo x]\n",
         "when": "    - debug: msg=x\n      when: \"'/etc' is directory\"\n", "vars": "    - debug: msg={{ x }}\n      vars: {x: \"{{ lookup('pipe', 'id') }}\"}\n",
         "template file": "    - template: {src: t.j2, dest: \"{{ playbook_dir }}/out\"}\n", "until": "    - command: 'true'\n      until: lookup('env', 'HOME') != ''\n"}


@pytest.mark.parametrize("title", PLAYS)
def test_a_playbook_is_refused(holdfast, tmp_path, title):
    (tmp_path / "kept").write_text("SECRET")
    (tmp_path / "t.j2").write_text("{{ lookup('file', 'kept') }}")
    (tmp_path / "play.yml").write_text("- hosts: all\n  gather_facts: false\n  tasks:\n" + PLAYS[title])

    def go(*words):
        return subprocess.run([holdfast, "apply", *words, "play.yml"], cwd=tmp_path, capture_output=True, text=True, timeout=600)
    refused = go("--no-lookups")
    assert refused.returncode == 2 and "reaches outside" in refused.stdout + refused.stderr and "SECRET" not in refused.stdout
    assert not (tmp_path / "out").exists()
    assert go().returncode == 0


PLAY = """- hosts: all
  gather_facts: false
  tasks:
    - copy: {{ content: "{{{{ lookup('pipe', 'echo reached') }}}}", dest: {t}/out }}
"""


@pytest.mark.parametrize("allowed", [True, False], ids=["allowed", "switched off"])
def test_lookups_of_an_agent(holdfast, holdfastd, tmp_path, allowed):
    host = AgentHost(tmp_path, holdfast, holdfastd, host=f"s{os.getpid()}", **({} if allowed else {"lookups": False}))
    host.promote(host.push("one", {"site.yml": PLAY.format(t=host.target)}))
    with host:
        if allowed:
            host.installed("one")
            assert (host.target / "out").read_text() == "reached"
        else:
            host.until(lambda: "reaches outside" in host.log(), "the agent says why")
            host.wait(lambda s: s.get("last_run", {}).get("status", "running") not in ("running", "ok"))
            assert not pathlib.Path(host.target / "out").exists()
