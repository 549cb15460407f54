"""Bad input of every option of every module gets an error that names the option; where ansible-core has the module, the
sentence is the same. The rows are made from the modules' own tables."""
import json
import pathlib
import subprocess
import sys

import pytest

from kit import BUILD, run

TABLES = json.loads(subprocess.run([BUILD / "holdfast", "modules", "--json"], capture_output=True, check=True).stdout)
BAD = {"bool": "perhaps", "int": "many", "float": "many", "bytes": "many", "dict": "nothing", "list": {"a": 1}}
# Words that Ansible prints in no fixed order, and what follows them.
UNORDERED = "Valid booleans include"
# The module program behind the action is another one, checks nothing, or takes its arguments in the controller.
ACTIONS = {"template", "fetch", "package", "service", "set_fact", "debug", "assert", "fail", "include_vars", "pause", "script",
           "add_host", "group_by", "set_stats", "raw", "shell", "validate_argument_spec", "reboot", "wait_for_connection",
           "async_status", "setup"}
# Options that nobody knows are passed over with a warning: Ansible's action reads those it wants and never asks for more.
LOOSE = {"fetch"}
# Checked by Ansible's action before the module sees it, in other words.
OTHER_WORDS = {("copy", "content"), ("unarchive", "src"), ("assemble", "src"), ("rpm_key", "fingerprint"), ("uri", "url")}


def fitting(option):
    """A value the option takes."""
    if option["choices"]:
        return option["choices"][0]
    return {"list": ["x"], "dict": {"a": "b"}, "int": 1, "bool": True, "path": "/nowhere"}.get(option["type"], "x")


def rows():
    for m in TABLES:
        base = {o["name"]: fitting(o) for o in m["options"] if o["required"] and not o["refused"]}
        name = f"{m['collection']}.{m['name']}"
        if not m["options"] or m["any_options"]:  # what it takes, the module behind it says
            continue
        if m["name"] not in LOOSE:
            yield (m, "no-such-option", name, {**base, "no_such_option": 1}, "no_such_option")
        for o in m["options"]:
            if o["name"].startswith("_"):
                continue
            if o["refused"]:
                yield (m, f"{o['name']} refused", name, {**base, o["name"]: fitting(o)}, o["name"])
                continue
            if o["required"]:
                yield (m, f"{o['name']} missing", name, {k: v for k, v in base.items() if k != o["name"]}, o["name"])
            if o["choices"]:
                yield (m, f"{o['name']} of no choice", name, {**base, o["name"]: "no-such-choice"}, o["name"])
            elif o["type"] in BAD:
                yield (m, f"{o['name']} not {o['type']}", name, {**base, o["name"]: BAD[o["type"]]}, o["name"])


ALL = list(rows())
ROWS = [r for r in ALL if not r[1].endswith(" refused")]
REFUSED = [r for r in ALL if r[1].endswith(" refused")]
IDS = [f"{m['name']} {title}" for m, title, *_ in ROWS]
COMPARED = [i for i, (m, title, _, args, option) in enumerate(ROWS)
            if m["collection"] == "ansible.builtin" and m["name"] not in ACTIONS
            and (m["name"], option) not in OTHER_WORDS]


@pytest.fixture(scope="module")
def said(tmp_path_factory, holdfast):
    """What holdfast says to every row, in one play."""
    root = tmp_path_factory.mktemp("arguments")
    tasks = [{"name": IDS[i], name: args, "ignore_errors": True} for i, (_, _, name, args, _) in enumerate(ROWS)]
    book = root / "site.yml"
    book.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    done = run([holdfast, "apply", "--check", "--output", "jsonl", book], root, root)
    events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    results = [e for e in events if e.get("type") == "task"]
    assert len(results) == len(ROWS), done.stdout[-2000:] + done.stderr[-2000:]
    return results


@pytest.fixture(scope="module")
def wanted(tmp_path_factory):
    """What the modules' own programs say."""
    root = tmp_path_factory.mktemp("modules")
    plan = [[f"ansible.modules.{ROWS[i][0]['name']}", ROWS[i][3], str(root)] for i in COMPARED]
    (root / "plan.json").write_text(json.dumps(plan))
    done = run([sys.executable, pathlib.Path(__file__).with_name("run_modules.py"), root / "plan.json", root / "out.json"],
               root, root)
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(zip(COMPARED, json.loads((root / "out.json").read_text())))


@pytest.mark.parametrize("i", range(len(ROWS)), ids=IDS)
def test_error_names_the_option(i, said):
    option = ROWS[i][4]
    assert said[i]["status"] in ("failed", "ignored"), said[i]
    assert option in said[i]["msg"], said[i]["msg"]


def test_refused_options_stop_the_run_before_it_begins(holdfast, tmp_path):
    for m, _, name, args, option in REFUSED:
        reason = next(o["help"] for o in m["options"] if o["name"] == option)
        book = tmp_path / "site.yml"
        book.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": [{name: args}]}]))
        done = run([holdfast, "apply", "--check", book], tmp_path, tmp_path)
        assert done.returncode == 4, (name, option, done)
        assert f"option '{option}' of module '{m['name']}' is refused: {reason}" in done.stderr


VALUES = [
    ("apt_repository", {"repo": "ppa:a/b"}, "ppa: needs Launchpad's interface"),
    ("docker_container", {"name": "a", "container_default_behavior": "compatibility"}, "container_default_behavior: compatibility is not done"),
    ("htpasswd", {"path": "@/users", "name": "a", "password": "b", "hash_scheme": "scrypt"}, "hash_scheme scrypt is not done"),
    ("community.crypto.openssh_keypair", {"path": "@/k", "backend": "cryptography"}, "backend cryptography is not done: ssh-keygen makes the keys"),
    ("replace", {"path": "@/site.yml", "regexp": "a", "encoding": "utf-16"}, "encoding utf-16: only utf-8 is read"),
    ("synchronize", {"src": "elsewhere:/a", "dest": "/b"}, "elsewhere:/a names another machine"),
    ("template", {"src": "@/site.yml", "dest": "@/x", "output_encoding": "utf-16"}, "output_encoding utf-16: only utf-8 is written"),
    ("uri", {"url": "http://127.0.0.1:1/", "body_format": "form-multipart", "body": {"a": "b"}}, "body_format form-multipart is not done"),
]


@pytest.mark.parametrize("module,args,reason", VALUES, ids=[v[0] for v in VALUES])
def test_refused_values_say_why_and_end_the_run(tmp_path, holdfast, module, args, reason):
    book = tmp_path / "site.yml"
    text = json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": [{module: args, "ignore_errors": True}]}])
    book.write_text(text.replace("@", str(tmp_path)))
    done = run([holdfast, "apply", book], tmp_path, tmp_path)
    assert done.returncode == 2 and reason in done.stdout + done.stderr and "ignored=0" in done.stdout, done


@pytest.mark.parametrize("i", COMPARED, ids=[IDS[i] for i in COMPARED])
def test_same_sentence_as_ansible(i, said, wanted):
    want = wanted[i]["msg"].split(UNORDERED)[0]
    if "of the following" in want and ROWS[i][1] == "no-such-option":
        return  # Ansible looks for what is missing before it looks for what is unknown; two things are wrong here
    if "Unsupported parameters" in want:
        want = want.split(". Supported parameters")[0]
    assert want.split(": ", 1)[-1] in said[i]["msg"] or want in said[i]["msg"], (said[i]["msg"], want)
