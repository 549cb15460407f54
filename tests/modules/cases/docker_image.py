"""Cases of docker_image."""
import json

from rows import Archive, DOCKED, File, Link, docked


def image(title, given=(), loose=(), files=(), name="NAME", **args):
    ours = f"i{len(DOCKED)}"
    args = json.loads(json.dumps(args).replace("NAME", ours))
    given = {k.replace("NAME", ours): "image" for k in given}
    docked(f"image {title}", "docker_image", given, loose, files, name=name.replace("NAME", ours), **args)


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
image("loads", source="load", load_path="@/i.tar", files={"i.tar": tarball(f"i{len(DOCKED)}:latest")})
image("loads two", source="load", load_path="@/i.tar", files={"i.tar": tarball(f"i{len(DOCKED)}:latest", "more:1")})
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
