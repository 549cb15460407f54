"""What the documents show is so: every command and option they name exists, and the tutorial of environments goes as it says."""
import json
import os
import pty
import re
import shlex
import subprocess

import pytest
import yaml

import fakeaws
from places import BUILD, ROOT
from test_provision_faults import Work, counts

PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)
# Actions of S3 that are not called as their operations.
S3_ACTIONS = {"HeadObject": "GetObject", "ListObjectsV2": "ListBucket", "HeadBucket": "ListBucket"}


def helps():
    """command → its help."""
    text = subprocess.run([str(BUILD / "holdfast"), "help"], text=True, capture_output=True, check=True).stdout
    names = re.findall(r"^  (\S+(?: \S+)*?)  +\S", text.partition("commands:\n")[2], re.M)
    return {n: subprocess.run([str(BUILD / "holdfast"), *n.split(), "--help"], text=True, capture_output=True, check=True).stdout for n in names}


@pytest.fixture(scope="module")
def commands():
    return helps()


def shown(page):
    """Command lines of holdfast in blocks and between backticks, as words."""
    text = page.read_text()
    spans = re.findall(r"`(holdfast [^`]+)`", FENCE.sub("", text))
    lines = [line for _, block in FENCE.findall(text) for line in block.replace("\\\n", " ").splitlines()]
    for line in spans + [m for line in lines for m in re.findall(r"(?:^\s*(?:\$ |sudo )?|&& )(holdfast .*)", line)]:
        words = []
        for word in shlex.split(line.replace("'", "\\'") if line.count("'") % 2 else line, comments=True):
            if word in ("&&", "||", "|", ">", ";"):
                break
            words.append(word)
        yield line, words[1:]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_commands_and_options_of_the_documents_exist(page, commands):
    wrong = []
    for line, words in shown(page):
        name = next((" ".join(words[:n]) for n in (3, 2, 1) if " ".join(words[:n]) in commands), None)
        named = [w for w in words if re.fullmatch(r"[a-z-]+", w)]
        if name is None:
            group = words and any(c.startswith(words[0] + " ") for c in commands)
            wrong += [] if group or not named or words[0] in ("help", "--version", "version") else [f"{line}: no such command"]
            continue
        for option in (w.partition("=")[0].strip("[]") for w in words):
            if re.fullmatch(r"--[a-z-]+|-[a-zA-Z]", option) and not re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", commands[name]):
                wrong.append(f"{line}: {name} has no {option}")
    assert wrong == []


# --- the tutorial ---


def blocks():
    """(language, text) of docs/provisioner.md."""
    return FENCE.findall((ROOT / "docs/provisioner.md").read_text())


def named(text):
    return text.partition("\n")[0].removeprefix("# ")


@pytest.fixture
def tutorial(tmp_path):
    """The folder as the reader has it, and a bucket for the state."""
    fake = fakeaws.Fake()
    work = Work(tmp_path, fake, "reasons.yaml")
    work.file = tmp_path / "environments/dev.yaml"
    work.file.parent.mkdir()
    work.fake.world.s3_CreateBucket("my-state")
    yield work
    fake.close()
    assert not fake.errors, fake.errors[0]


def at_a_terminal(command, **where):
    """By somebody who says yes when asked."""
    us, it = pty.openpty()
    os.write(us, b"y\n")
    try:
        return subprocess.run(["sh", "-ec", command], text=True, stdin=it, capture_output=True, timeout=300, **where)
    finally:
        os.close(us)
        os.close(it)


def called(fake):
    return {f"{c.service}:{S3_ACTIONS.get(c.operation, c.operation)}" for c in fake.journal}


def test_the_tutorial_goes_as_it_says(tutorial):
    """From the empty account to nothing left, with the commands of the page in their order; and the policy it prints is enough."""
    first = next(text for language, text in blocks() if language == "yaml")
    assert named(first) == "environments/dev.yaml"
    tutorial.file.write_text(first)
    lines = next(text for language, text in blocks() if "holdfast env apply" in text).splitlines()
    policy = None
    for line in lines:
        command = line.partition("#")[0].strip()
        p = at_a_terminal(command, cwd=tutorial.folder, env=tutorial.environment() | {"PATH": f"{BUILD}:/usr/bin:/bin"})
        assert p.returncode == 0, command + "\n" + p.stdout + p.stderr
        if " policy " in line:
            policy = set(json.loads(p.stdout)["Statement"][0]["Action"])
        if " apply " in line:
            assert counts(tutorial.fake) == {"vpc": 1, "subnet": 2, "bucket": 1}
            assert sorted(t["CidrBlock"] for t in tutorial.fake.world.all("subnet")) == ["10.20.1.0/24", "10.20.2.0/24"]
        if "graph --svg" in line:
            assert (tutorial.folder / "dev.svg").read_text().startswith("<svg")
    assert "destroy" in lines[-1] and counts(tutorial.fake) == {"bucket": 1}
    assert called(tutorial.fake) - policy == set()


def test_the_module_of_the_tutorial_works(tutorial):
    """With the header of the first file and its variables."""
    first, *rest = [text for language, text in blocks() if language == "yaml"]
    module = next(t for t in rest if named(t).startswith("modules/"))
    caller = next(t for t in rest if named(t).startswith("environments/"))
    (tutorial.folder / "modules").mkdir()
    (tutorial.folder / named(module)).write_text(module)
    head = {k: v for k, v in yaml.safe_load(first).items() if k not in ("resources", "outputs")}
    tutorial.file.write_text(yaml.safe_dump(head) + caller)
    assert "no fault found" in tutorial.run("validate")
    tutorial.run("apply", "--yes")
    assert counts(tutorial.fake) == {"vpc": 1, "security_group": 1, "bucket": 1}
    tutorial.run("destroy", "--yes")
