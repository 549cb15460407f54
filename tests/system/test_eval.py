"""holdfast eval as people type it: templates, expressions, conditions, files, types, errors with their place, exit statuses."""
import json
import subprocess

import pytest

VARS = "name: Ann\nn: 5\nlist: [1, two]\nraw: !unsafe '{{ n }}'\nlazy: '{{ n + 1 }}'\n"
TEMPLATE = "{% for x in list %}\n- {{ x }}\n{% endfor %}\n{% include 'part.j2' %}\n"


@pytest.fixture
def run(holdfast, tmp_path):
    """A function: words → (exit status, stdout, stderr), run where vars.yml, page.j2, bad.j2 and part.j2 lie."""
    outside = tmp_path / "secret"
    outside.write_text("kept")
    here = tmp_path / "work"
    here.mkdir()
    (here / "vars.yml").write_text(VARS)
    (here / "page.j2").write_text(TEMPLATE)
    (here / "part.j2").write_text("by {{ name }}\n")
    (here / "bad.j2").write_text("one\n{{ name }}\n  {{ nope.x }}\n")
    (here / "open.j2").write_text("one\n{% if n %}\n")
    (here / "out.j2").write_text("{% include '../secret' %}")
    (here / "abs.j2").write_text("{% include '" + str(outside) + "' %}")
    (here / "self.j2").write_text("{% include 'self.j2' %}")
    (here / "imp.j2").write_text("{% import 'imp.j2' as x %}")
    (here / "ext.j2").write_text("{% extends 'ext.j2' %}")
    (here / "big.j2").write_text("x" * ((16 << 20) + 1))
    (here / "none.yml").write_text("- 1\n")

    def go(*words):
        done = subprocess.run([holdfast, "eval", *words], cwd=here, capture_output=True, text=True, timeout=600)
        return done.returncode, done.stdout, done.stderr

    return go


SHOWN = [
    (["{{ 1 + 1 }}"], "2\n"),
    (["-e", "vars.yml", "{{ name | upper }}"], "ANN\n"),
    (["{{ lipsum(3, false, 5, 6).splitlines() | select | map('split') | map('length') | join(' ') }}"], "5 5 5\n"),
    (["{{ lipsum(1, min=30, max=31) is match('<p>[A-Z][a-z]+ [a-zA-Z,. ]*[a-z][.]</p>$') }}"], "True\n"),
    (["{{ lipsum() == lipsum() }}"], "False\n"),
    (["-e", "@vars.yml", "name ~ '!'"], "Ann!\n"),
    (["-e", "{a: 1}", "-e", "{a: 2}", "a"], "2\n"),
    (["-e", "vars.yml", "{{ lazy }}"], "6\n"),
    (["-e", "vars.yml", "{{ raw }}"], "{{ n }}\n"),
    (["-e", "vars.yml", "list"], "[1, 'two']\n"),
    (["--type", "-e", "vars.yml", "list"], "list: [1, 'two']\n"),
    (["--type", "-e", "vars.yml", "n"], "int: 5\n"),
    (["--type", "-e", "vars.yml", "{{ lazy }}"], "str: 6\n"),
    (["--json", "{{ {'a': [1, none]} }}"], json.dumps({"a": [1, None]}, indent=2) + "\n"),
    (["--when", "-e", "vars.yml", "n > 4 and name is match('A')"], "True\n"),
    (["--when", "-e", "vars.yml", "n > 5"], "False\n"),
    (["-e", "vars.yml", "--file", "page.j2"], "- 1\n- two\nby Ann\n"),
    (["--no-lookups", "-e", "vars.yml", "--file", "page.j2"], "- 1\n- two\nby Ann\n"),
    (["{{ lookup('file', 'part.j2') }}"], "by {{ name }}\n"),
]


@pytest.mark.parametrize("words,want", SHOWN, ids=[" ".join(words)[:60] for words, _ in SHOWN])
def test_shown(run, words, want):
    assert run(*words) == (0, want, "")


# words, exit status, what the one line on stderr holds
REFUSED = [
    (["a {{ 1 + }}"], 4, "argument:1:10: "),
    (["x\n  {{ nope }}"], 1, "argument:2:3: 'nope' is undefined"),
    (["{{ 1 | nope }}"], 4, "No filter named 'nope'"),
    (["-e", "vars.yml", "--file", "bad.j2"], 1, "bad.j2:3:"),
    (["-e", "vars.yml", "--file", "open.j2"], 4, "open.j2:2:"),
    (["--file", "nope.j2"], 8, "nope.j2: No such file or directory"),
    (["-e", "none.yml", "1"], 1, "not a mapping of variables"),
    (["--file", "out.j2"], 8, "../secret"),
    (["--file", "abs.j2"], 8, "no such template"),
    (["{% include '../secret' %}"], 8, "../secret"),
    (["{% import '/etc/passwd' as x %}"], 8, "etc/passwd"),
    (["{% extends '../secret' %}"], 8, "../secret"),
    (["--no-lookups", "{{ lookup('file', 'part.j2') }}"], 1, "argument:1:10: the lookup 'file' reaches outside"),
    (["--no-lookups", "{{ query('pipe', 'id') }}"], 1, "the lookup 'pipe' reaches outside"),
    (["--no-lookups", "--when", "'/etc' is directory"], 1, "'directory' reaches outside"),
    *((["--file", f"{name}.j2"], 1, "more than 200 deep") for name in ("self", "imp", "ext")),
    (["--file", "big.j2"], 1, "larger than 16777216 bytes"),
    (["{{ " + "(" * 200 + "1" + ")" * 200 + " }}"], 1, "more than 160 brackets"),
    (["{{ 'x' | password_hash('bcrypt', '1234567890123456789012', rounds=30) }}"], 1, "at most 18"),
    ([], 5, "give either one TEXT or --file TEMPLATE"),
    (["1", "--file", "page.j2"], 5, "give either one TEXT or --file TEMPLATE"),
    (["--nope", "1"], 5, "--nope"),
]


@pytest.mark.parametrize("words,status,said", REFUSED, ids=[" ".join(words)[:60] or "nothing" for words, _, _ in REFUSED])
def test_refused(run, words, status, said):
    code, out, err = run(*words)
    assert (code, out) == (status, "") and said in err and "kept" not in err


def test_help(run):
    code, out, _ = run("--help")
    assert code == 0
    for option in ("--extra-vars", "--file", "--when", "--type", "--json", "--no-lookups", "--vault-password-file", "--jsonl"):
        assert option in out


def test_playbook_without_lookups(holdfast, tmp_path):
    (tmp_path / "play.yml").write_text("- hosts: all\n  gather_facts: false\n  tasks:\n"
                                       "    - debug: msg={{ lookup('env', 'HOME') }}\n")
    def go(*words):
        return subprocess.run([holdfast, "apply", *words, "play.yml"], cwd=tmp_path, capture_output=True, text=True, timeout=600)
    assert go().returncode == 0
    refused = go("--no-lookups")
    assert refused.returncode == 2 and "the lookup 'env' reaches outside" in refused.stdout + refused.stderr


def test_template_task_stays_in_its_folders(holdfast, tmp_path):
    (tmp_path / "secret").write_text("kept")
    here = tmp_path / "work"
    here.mkdir()
    (here / "t.j2").write_text("{% include '../secret' %}")
    (here / "play.yml").write_text("- hosts: all\n  gather_facts: false\n  tasks:\n    - template: {src: t.j2, dest: %s}\n" % (here / "out"))
    done = subprocess.run([holdfast, "apply", "play.yml"], cwd=here, capture_output=True, text=True, timeout=600)
    assert done.returncode == 2 and "../secret" in done.stdout + done.stderr and not (here / "out").exists()
