"""docker_container, docker_image and docker_network beside the collection's own modules, each in front of an engine of its own that keeps what
it is told (engine_server.py): status, results and what the engine holds afterwards are the same; check touches nothing; a second
run is ok; undo leaves what was there."""
import json
import os
import pathlib
import re
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from engine_server import Engine, serve  # noqa: E402
from files_rows import Archive, File, Link, Row  # noqa: E402
from modules_kit import BUILD, apply, ask_modules, build, collect, run, status  # noqa: E402
from bundle import bundle  # noqa: E402

BUNDLE = "ansible==10.7.0"
ROWS, GIVEN = [], []
# Names, times and numbers an engine gives by itself.
LOOSE = ("actions", "diff", "invocation", "warnings", "deprecations", "ansible_facts", "failed", "exception")


def row(title, module, given=(), loose=(), files=(), **args):
    """given: {name: body} of containers, networks and images that are there; a name with ! runs."""
    ROWS.append(Row(title, dict(files), {f"community.docker.{module}": args}, {"loose": list(loose), "always": args.pop("always", False)}))
    GIVEN.append(dict(given))


def container(title, given=(), loose=(), **args):
    name = f"w{len(ROWS)}"
    given = {k.replace("NAME", name): v for k, v in dict(given).items()}
    row(f"container {title}", "docker_container", given, loose, name=name, **args)


def network(title, given=(), loose=(), **args):
    name = f"n{len(ROWS)}"
    given = {k.replace("NAME", name): v for k, v in dict(given).items()}
    row(f"network {title}", "docker_network", given, loose, name=name, **args)


def image(title, given=(), loose=(), files=(), name="NAME", **args):
    ours = f"i{len(ROWS)}"
    args = json.loads(json.dumps(args).replace("NAME", ours))
    given = {k.replace("NAME", ours): "image" for k in given}
    row(f"image {title}", "docker_image", given, loose, files, name=name.replace("NAME", ours), **args)


BOX = {"image": "busybox:1"}
HAS = {"Image": "busybox:1", "AttachStdout": True, "AttachStderr": True}
container("new", **BOX)
container("new, present", state="present", **BOX)
container("new, stopped", state="stopped", **BOX)
container("runs", {"NAME!": HAS}, **BOX)
container("starts", {"NAME": HAS}, **BOX)
container("stops", {"NAME!": HAS}, state="stopped")
container("stops by force", {"NAME!": HAS}, state="stopped", force_kill=True, kill_signal="TERM")
container("goes", {"NAME!": HAS}, state="absent")
container("goes, not there", state="absent")
container("pulls", image="hub.example/new:3")
container("pulls what is there", image="busybox:1", pull="always", always=True, loose=["check"])
container("never pulls", image="hub.example/none:3", pull="never")
container("pulls from nowhere", image="hub.example/nowhere:3", loose=["check", "msg"])
container("by a digest", image="sha256:" + "0" * 64)
container("no image", loose=["msg"])
container("another image", {"NAME!": HAS}, image="web:2")
container("another image, ignored", {"NAME!": HAS}, image="web:2", comparisons={"image": "ignore"})
container("recreate", {"NAME!": HAS}, recreate=True, always=True, **BOX)
container("restart", {"NAME!": HAS}, restart=True, always=True, **BOX)
container("pauses", {"NAME!": HAS}, paused=True, **BOX)
container("once, to its end", image="busybox:1", command="once 0", detach=False, always=True)
container("once, with a failure", image="busybox:1", command=["once", "3"], detach=False, loose=["check"])
container("healthy", image="busybox:1", state="healthy", healthcheck={"test": "true", "interval": "1m30s", "retries": 2})
container("command", command="sleep 'a b'", **BOX)
container("command other", {"NAME!": {**HAS, "Cmd": ["a"]}}, command=["a", "b"], **BOX)
container("entrypoint", entrypoint=["/bin/x", "y z"], **BOX)
container("env", env={"A": "1", "B": "two words"}, **BOX)
container("env is there", {"NAME!": {**HAS, "Env": ["A=1", "B=2"]}}, env={"A": "1"}, **BOX)
container("env other", {"NAME!": {**HAS, "Env": ["A=0"]}}, env={"A": "1"}, **BOX)
container("env strict", {"NAME!": {**HAS, "Env": ["A=1", "B=2"]}}, env={"A": "1"}, comparisons={"env": "strict"}, **BOX)
container("env of a number", env={"A": 1}, **BOX)
container("labels", labels={"x": "1"}, **BOX)
container("labels other", {"NAME!": {**HAS, "Labels": {"x": "0"}}}, labels={"x": "1"}, **BOX)
container("labels strict", {"NAME!": {**HAS, "Labels": {"x": "1", "y": "1"}}}, labels={"x": "1"}, comparisons={"labels": "strict"}, **BOX)
container("ports", published_ports=["8080:80", "127.0.0.1:53:53/udp", "9000-9002:7000-7002", "443", "[::1]:1:1"], exposed_ports=["99"], **BOX)
container("ports there", {"NAME!": {**HAS, "ExposedPorts": {"80/tcp": {}},
                                    "HostConfig": {"PortBindings": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]}}}},
          ports=["8080:80"], **BOX)
container("ports other", {"NAME!": HAS}, published_ports=["80:80"], **BOX)
container("ports by name", published_ports=["host:80:80"], **BOX)
container("ports backwards", published_ports=["9-8:1-2"], **BOX)
container("volumes", volumes=["/srv:/data:ro", "named:/n", "/anonymous"], **BOX)
container("volumes there", {"NAME!": {**HAS, "HostConfig": {"Binds": ["/srv:/data:rw"]}}}, volumes=["/srv:/data"], **BOX)
container("volumes other", {"NAME!": {**HAS, "HostConfig": {"Binds": ["/srv:/data:rw"]}}}, volumes=["/srv:/data:ro"], **BOX)
container("volumes twice", volumes=["/a:/x", "/b:/x"], **BOX)
container("volumes of no mode", volumes=["/a:/x:zz"], **BOX)
container("mounts", mounts=[{"target": "/t", "type": "tmpfs", "tmpfs_size": "1M", "tmpfs_mode": "700"},
                            {"target": "/b", "source": "/srv", "type": "bind", "read_only": True, "propagation": "rshared"},
                            {"target": "/v", "source": "vol", "volume_driver": "local", "volume_options": {"o": "x"}, "labels": {"l": "1"}}],
          loose=["again"], **BOX)
container("mounts of a wrong type", mounts=[{"target": "/t", "source": "/s", "type": "bind", "tmpfs_size": "1M"}], **BOX)
container("tmpfs and ulimits", tmpfs=["/run:size=1m", "/tmp"], ulimits=["nofile:1:2", "nproc:5"], **BOX)
container("memory", memory="512M", memory_swap="unlimited", memory_reservation="64m", shm_size="1G", cpus=1.5, **BOX)
container("memory changes in place", {"NAME!": {**HAS, "HostConfig": {"Memory": 1}}}, memory="512M", **BOX)
container("memory of no size", memory="much", **BOX)
container("restart policy", restart_policy="on-failure", restart_retries=3, **BOX)
container("restart policy changes in place", {"NAME!": HAS}, restart_policy="always", **BOX)
container("restart policy there", {"NAME!": {**HAS, "HostConfig": {"RestartPolicy": {"Name": "always"}}}}, restart_policy="always", **BOX)
container("log", log_driver="syslog", log_options={"tag": "x"}, **BOX)
container("devices", devices=["/dev/fuse", "/dev/a:/dev/b:r"], device_requests=[{"driver": "nvidia", "count": -1, "capabilities": [["gpu"]]}],
          device_read_bps=[{"path": "/dev/sda", "rate": "1M"}], loose=["again"], **BOX)
container("many settings", privileged=True, read_only=True, init=True, tty=True, interactive=True, user="1:1", working_dir="/w", hostname="h",
          domainname="d", cap_drop=["ALL"], capabilities=["NET_ADMIN"], security_opts=["no-new-privileges"], groups=["1"], runtime="nvidia",
          ipc_mode="host", pid_mode="host", uts="host", dns_servers=["1.1.1.1"], etc_hosts={"a": "10.0.0.1"}, sysctls={"net.a": 1}, pids_limit=5,
          oom_killer=True, stop_signal="INT", stop_timeout=5, links=["other:o"], mac_address="aa-bb-cc-dd-ee-ff", cpuset_cpus="0-1", **BOX)
container("networks", {"net-a": "net", "net-b": "net"}, networks=[{"name": "net-a", "aliases": ["x"], "ipv4_address": "10.0.0.9"}, {"name": "net-b"}], **BOX)
container("networks of one that is there", {"net-c": "net", "NAME!": HAS}, networks=[{"name": "net-c"}], networks_cli_compatible=False, **BOX)
container("networks strict", {"net-d": "net", "NAME!": HAS}, networks=[{"name": "net-d"}], networks_cli_compatible=False,
          comparisons={"networks": "strict"}, **BOX)
container("network nobody has", networks=[{"name": "nobody"}], **BOX)
container("all ignored", {"NAME!": HAS}, image="web:2", env={"A": "9"}, comparisons={"*": "ignore"})
container("strange comparison", comparisons={"nothing": "strict"}, **BOX)
container("strange mode", comparisons={"env": "maybe"}, **BOX)

network("new")
network("there", {"NAME": "net"})
network("goes", {"NAME": "net"}, state="absent")
network("goes, not there", state="absent")
network("options", driver="macvlan", driver_options={"parent": "eth0", "x": True}, internal=True, attachable=True, labels={"l": "1"}, enable_ipv6=True)
network("another driver", {"NAME": "net"}, driver="overlay", scope="swarm")
network("addresses", ipam_config=[{"subnet": "10.9.0.0/24", "gateway": "10.9.0.1"}, {"subnet": "fd00::/64"}], ipam_driver="default")
network("addresses there", {"NAME": {"IPAM": {"Driver": "default", "Config": [{"Subnet": "10.9.0.0/24", "Gateway": "10.9.0.1"}]}}},
        ipam_config=[{"subnet": "10.9.0.0/24"}])
network("addresses other", {"NAME": {"IPAM": {"Driver": "default", "Config": [{"Subnet": "10.9.0.0/24"}]}}}, ipam_config=[{"subnet": "10.8.0.0/24"}])
network("no address", ipam_config=[{"subnet": "10.9"}], loose=["msg"])
network("connects", {"NAME": "net", "box-a!": HAS}, connected=["box-a"])
network("others leave", {"NAME": "net", "box-b!": {**HAS, "net": "NAME"}, "box-c!": HAS}, connected=["box-c"])
network("others stay", {"NAME": "net", "box-d!": {**HAS, "net": "NAME"}, "box-e!": HAS}, connected=["box-e"], appends=True)
network("force", {"NAME": "net"}, force=True, always=True)
network("goes with somebody in it", {"NAME": "net", "box-f!": {**HAS, "net": "NAME"}}, state="absent")
network("labels other", {"NAME": {"Labels": {"a": "1"}}}, labels={"a": "2"})

def tarball(*names, config="0" * 64 + ".json"):
    """A file as `docker save` writes it."""
    return Archive({"manifest.json": json.dumps([{"Config": config, "RepoTags": [n], "Layers": []} for n in names])})


SHA = "sha256:" + "1" * 64
CONTEXT = {"c/Dockerfile": "FROM busybox\n", "c/a": "a", "c/sub/b": File("b", 0o755), "c/sub/deep/c.tmp": "c", "c/l": Link("a")}
BUILD_C = {"source": "build", "build": {"path": "@/c"}}
image("pulls", source="pull", name="hub.example/NAME")
image("pulls a tag", source="pull", name="hub.example/NAME:7", tag="8")
image("pulls for a platform", source="pull", name="hub.example/NAME", pull={"platform": "linux/arm64"})
image("pulls what is there", ["NAME:latest"], source="pull")
image("pulls again", ["NAME:latest"], source="pull", force_source=True, always=True, loose=["check"])
image("pulls from nowhere", source="pull", name="hub.example/nowhere", loose=["check", "msg"])
image("pulls an id", source="pull", name=SHA)
image("is local", ["NAME:latest"], source="local")
image("is not local", source="local", tag="4")
image("an id is not local", source="local", name=SHA)
image("a strange tag", source="local", tag="-x")
image("an id as another name", ["NAME:latest"], source="local", repository=SHA)
image("an id is pushed", source="local", name=SHA, push=True)
image("without a source")
image("loads without a path", source="load")
image("loads", source="load", load_path="@/i.tar", files={"i.tar": tarball(f"i{len(ROWS)}:latest")})
image("loads two", source="load", load_path="@/i.tar", files={"i.tar": tarball(f"i{len(ROWS)}:latest", "more:1")})
image("loads another", source="load", load_path="@/i.tar", files={"i.tar": tarball("else:1")}, loose=["check"])
image("loads rubbish", source="load", load_path="@/i.tar", files={"i.tar": "no tar"}, loose=["check"])
image("loads nothing", source="load", load_path="@/i.tar")
image("tags", ["NAME:latest"], source="local", repository="again/NAME:2")
image("tags by its tag", ["NAME:3"], source="local", tag="3", repository="again/NAME")
image("tags what has it", ["NAME:latest", "again/NAME:2"], source="local", repository="again/NAME:2")
image("tags by force", ["NAME:latest", "again/NAME:2"], source="local", repository="again/NAME:2", force_tag=True)
image("tags by force what is so", ["NAME:latest"], source="local", repository="NAME:latest", force_tag=True)
image("pushes", ["reg.example:5000/NAME:latest"], source="local", name="reg.example:5000/NAME", push=True)
image("tags and pushes", ["NAME:latest"], source="local", repository="reg.example:5000/NAME", push=True)
image("pushes to the hub", ["NAME:latest"], source="local", push=True)
image("pushes and may not", ["reg.example:5000/NAME/locked:latest"], source="local", name="reg.example:5000/NAME/locked", push=True,
      loose=["check"])
image("pushes to nowhere", ["reg.example:5000/NAME/missing:latest"], source="local", name="reg.example:5000/NAME/missing", push=True,
      loose=["check"])
image("goes", ["NAME:latest"], state="absent")
image("goes, not there", state="absent")
image("goes of two names", ["NAME:latest", "NAME:old=NAME:latest"], state="absent", tag="old")
image("archive", ["NAME:latest"], source="local", archive_path="@/out.tar")
image("archive of another", ["NAME:latest"], source="local", archive_path="@/out.tar", files={"out.tar": tarball("x:1", "y:1")})
image("archive of one other", ["NAME:latest"], source="local", archive_path="@/out.tar", files={"out.tar": tarball("x:1")})
image("archive that is none", ["NAME:latest"], source="local", archive_path="@/out.tar", files={"out.tar": "no"})
image("archive of what is pulled", source="pull", name="hub.example/NAME", archive_path="@/out.tar")
image("builds", files=CONTEXT, **BUILD_C)
image("builds what is there", ["NAME:latest"], files=CONTEXT, **BUILD_C)
image("builds again", ["NAME:latest"], files=CONTEXT, force_source=True, always=True, **BUILD_C)
image("builds nowhere", **BUILD_C)
image("builds an id", name=SHA, files=CONTEXT, **BUILD_C)
image("builds and fails", files={"c/Dockerfile": "fail code"}, loose=["check"], **BUILD_C)
image("builds and fails shortly", files={"c/Dockerfile": "fail"}, loose=["check"], **BUILD_C)
image("builds without what is ignored", files={**CONTEXT, "c/.dockerignore": "# no\n**/*.tmp\n a \n!sub\n\n./sub/../x\n[b-d]\n"}, **BUILD_C)
image("builds without all but", files={**CONTEXT, "c/.dockerignore": "*\n!sub/deep\n"}, **BUILD_C)
image("builds without a folder", files={**CONTEXT, "c/.dockerignore": "sub\nl?\nDockerfile\n"}, **BUILD_C)
image("builds with another file", files={**CONTEXT, "c/D2": "FROM x\n"}, source="build", build={"path": "@/c", "dockerfile": "D2"})
image("builds with its file by path", files={**CONTEXT, "c/D2": "FROM x\n"}, source="build", build={"path": "@/c", "dockerfile": "@/c/D2"})
image("builds with a file of elsewhere", files={**CONTEXT, "D3": "FROM y\n", "c/.dockerignore": "a\n"}, source="build",
      build={"path": "@/c", "dockerfile": "../D3"})
image("builds with all options", files=CONTEXT, source="build", tag="9", build={
    "path": "@/c", "args": {"A": 1, "B": "two words & more", "C": True}, "target": "last", "pull": True, "nocache": True, "rm": False,
    "cache_from": ["a:1", "b:2"], "container_limits": {"memory": "10M", "memswap": "unlimited", "cpushares": 3, "cpusetcpus": "0-1"},
    "etc_hosts": {"z": "10.0.0.1", "a": "host-gateway"}, "http_timeout": 30, "labels": {"l": True}, "network": "host",
    "platform": "linux/arm64", "shm_size": "64M", "use_config_proxy": True})
image("builds with no size", files=CONTEXT, source="build", build={"path": "@/c", "shm_size": "big"})
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
