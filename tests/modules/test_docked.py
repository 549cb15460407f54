"""docker_container, docker_image and docker_network beside the collection's own modules, each in front of an engine of its own that keeps what
it is told (engine_server.py): status, results and what the engine holds afterwards are the same; check touches nothing; a second
run is ok; undo leaves what was there."""
import json
import os

import pytest

from bundle import bundle
from engine_server import Engine, serve
from kit import BUILD, apply, ask_modules, build, collect, run, status
from rows import DOCKED, load

load()
BUNDLE = "ansible==10.7.0"
ROWS, GIVEN = [d.row for d in DOCKED], [d.objects for d in DOCKED]
# Names, times and numbers an engine gives by itself.
LOOSE = ("actions", "diff", "invocation", "warnings", "deprecations", "ansible_facts", "failed", "exception")
IDS = [r.title for r in ROWS]
CONFIG = {"auths": {"https://index.docker.io/v1/": {"auth": "dTpodWItcGFzc3dvcmQ=", "email": "e"},
                    "reg.example:5000": {"identitytoken": "token-of-reg"}, "other.example": {}},
          "credHelpers": {"hub.example": "ours"},
          "proxies": {"default": {"httpProxy": "http://p:1", "noProxy": "localhost"}}}
HELPER = """#!/bin/sh
read server
[ "$1 $server" = "get hub.example" ] && echo '{"Username": "u", "Secret": "from-helper"}'
"""


def collection():
    """community.docker of PyPI's bundle, kept."""
    return bundle([BUNDLE], ("ansible_collections/community/docker/",), "-docker")


def engine():
    """What the rows find."""
    e = Engine()
    for i, given in enumerate(GIVEN):
        name_of_row = next(iter(ROWS[i].task.values()))["name"]
        for name, body in given.items():
            if body == "image":
                name, _, same = name.partition("=")
                e.tag(e.image(same), name) if same else e.add_image(name, Cmd=[name])
                continue
            if body == "net" or "Image" not in body:
                e.add_network(name, {} if body == "net" else body)
                continue
            body = json.loads(json.dumps(body))
            net = body.pop("net", None)
            made = e.create(name.rstrip("!"), body)
            if net:
                e.connect(e.network(net.replace("NAME", name_of_row)), e.container(made["Id"]), {})
            if name.endswith("!"):
                e.run(e.container(made["Id"]), "start", {})
    e.touched = 0
    return e


class Socket:
    def __init__(self, folder):
        self.engine, self.path = engine(), folder / "engine.sock"

    def __enter__(self):
        self.server = serve(self.path, self.engine)
        folder = self.path.parent
        (folder / "config.json").write_text(json.dumps(CONFIG))
        (folder / "docker-credential-ours").write_text(HELPER)
        (folder / "docker-credential-ours").chmod(0o755)
        self.was = dict(os.environ)
        os.environ.update(DOCKER_HOST=f"unix://{self.path}", DOCKER_CONFIG=str(folder), PATH=f"{folder}:{os.environ['PATH']}")
        return self.engine

    def __exit__(self, *_):
        self.server.shutdown()
        os.environ.clear()
        os.environ.update(self.was)


def state_of(e):
    return json.loads(json.dumps(e.state()))


@pytest.fixture(scope="session")
def wanted(tmp_path_factory):
    with Socket(tmp_path_factory.mktemp("e")) as e:
        out = ask_modules(tmp_path_factory.mktemp("ansible"), ROWS, collection())
        return [o["result"] for o in out], state_of(e), [o["tree"] for o in out]


@pytest.fixture(scope="session")
def ours(tmp_path_factory, holdfast):
    root = tmp_path_factory.mktemp("holdfast")
    with Socket(tmp_path_factory.mktemp("e")) as e:
        book = build(root, ROWS)
        checked = apply(holdfast, book, ROWS, "--check")
        touched = e.touched
        apply(holdfast, book, ROWS)
        out = collect(root, ROWS)
        after = state_of(e)
        second = apply(holdfast, book, ROWS)
    return {"check": checked, "touched": touched, "results": [o["result"] for o in out], "trees": [o["tree"] for o in out],
            "state": after, "second": second}


def plain(result, loose):
    out = {k: v for k, v in result.items() if k not in LOOSE and k not in loose}
    if result.get("failed"):
        out = {k: v for k, v in out.items() if k in ("changed", "msg", "status")}
        # The engine's own words, without how the library of each puts them.
        out["msg"] = str(out.get("msg", "")).split("http")[0].split(" - ")[0].split(": 4")[0].strip('" ')
    return out


@pytest.mark.parametrize("i", range(len(ROWS)), ids=IDS)
def test_same_as_ansible(i, wanted, ours):
    want, got = wanted[0][i], ours["results"][i]
    assert status(got) == status(want), (want, got)
    assert plain(got, ROWS[i].options["loose"]) == plain(want, ROWS[i].options["loose"])
    assert ours["trees"][i] == wanted[2][i]
    if "docker_image" in str(ROWS[i].task) and status(want) != "failed":
        assert got["actions"] == want["actions"]


@pytest.mark.parametrize("kind", ["containers", "networks", "images", "registry", "headers"])
def test_the_engines_hold_the_same(kind, wanted, ours):
    want, got = wanted[1][kind], ours["state"][kind]
    assert sorted(got) == sorted(want)
    for name in want:
        assert got[name] == want[name], name


def test_the_engines_were_sent_the_same_to_build(wanted, ours):
    want, got = wanted[1]["builds"], ours["state"]["builds"]
    assert [b["query"] for b in got] == [b["query"] for b in want]
    for g, w in zip(got, want):
        assert g["sent"] == w["sent"], w["query"]


def test_check_touches_nothing(ours):
    assert ours["touched"] == 0


@pytest.mark.parametrize("i", range(len(ROWS)), ids=IDS)
def test_check_tells_and_a_second_run_is_ok(i, ours):
    loose, first = ROWS[i].options["loose"], status(ours["results"][i])
    said = {"ignored": "failed"}.get(ours["check"][i]["status"], ours["check"][i]["status"])
    assert said == first or "check" in loose
    if first != "failed" and not ROWS[i].options["always"] and "again" not in loose:
        assert ours["second"][i]["status"] == "ok"


def forth_and_back(root, rows):
    """All rows applied and taken back; what was said about it."""
    book = build(root, rows)
    door = BUILD / "tests" / "system" / "undo_door"
    for words in (["apply", book, root / "kept"], ["undo", root / "kept"]):
        done = run([door, *words], root, book.parent)
    return done


def test_undo_leaves_what_was_there(tmp_path_factory):
    root = tmp_path_factory.mktemp("undo")
    rows = [r for r in ROWS if "push" not in str(r.task) and r.title != "image goes"]
    with Socket(tmp_path_factory.mktemp("e")) as e:
        before = state_of(e)
        done = forth_and_back(root, rows)
        assert done.returncode in (0, 2), done.stderr
        after = state_of(e)
    for kind in ("containers", "networks"):
        assert sorted(after[kind]) == sorted(before[kind])
    names = [{t: i["Id"] for i in state["images"].values() for t in i["RepoTags"]} for state in (before, after)]
    # An archive's other names, and what a container pulled, stay.
    assert {t: i for t, i in names[1].items() if t not in ("more:1", "else:1", "hub.example/new:3")} == names[0]
    for name, was in before["containers"].items():
        now = after["containers"][name]
        assert now["Config"] == was["Config"] and now["HostConfig"] == was["HostConfig"], name
        assert now["State"]["Running"] == was["State"]["Running"] and now["State"]["Paused"] == was["State"]["Paused"], name
        assert sorted(now["NetworkSettings"]["Networks"]) == sorted(was["NetworkSettings"]["Networks"]), name


@pytest.mark.parametrize("title, why", [
    ("image goes", "image goes: not restored: an image that was never in a registry cannot be had again"),
    ("image pushes", "image pushes: not restored: what was pushed stays in the registry")])
def test_what_cannot_come_back_is_said(title, why, tmp_path_factory):
    with Socket(tmp_path_factory.mktemp("e")):
        done = forth_and_back(tmp_path_factory.mktemp("undo"), [r for r in ROWS if r.title == title])
    assert why in done.stderr
