"""Roles and collections that requirements.yml names become part of a release: from git, tarballs, folders and a Galaxy server,
pinned by requirements.lock so that who builds gets the same bytes, or is told what is not the same any more."""
import hashlib
import io
import json
import os
import pathlib
import shutil
import subprocess
import tarfile

import pytest

from faulty import Faulty, reply
from test_release import Team, git


class Site(Team):
    """A tree whose playbook uses what its requirements name."""

    def __init__(self, holdfast, path):
        super().__init__(holdfast, path)
        (path / "scratch").mkdir()
        shutil.rmtree(self.tree / "roles")
        self.write("site.yml", "- hosts: all\n  gather_facts: false\n  tasks: []\n")

    def env(self, key="alice", **more):
        return super().env(key, **{"TMPDIR": str(self.path / "scratch"), **more})

    def role(self, name, text="one", folder=None, needs=None):
        folder = folder or self.path / name
        self.write("tasks/main.yml", f"- name: says {text}\n  debug: {{msg: {text}}}\n", folder)
        self.write("meta/main.yml", "galaxy_info: {author: a}\n" + (f"dependencies: {json.dumps(needs)}\n" if needs else ""), folder)
        return folder

    def collection(self, folder, name="acme.net", needs=None):
        namespace, short = name.split(".")
        self.write("galaxy.yml", json.dumps({"namespace": namespace, "name": short, "version": "1.0.0", "dependencies": needs or {}}), folder)
        self.write("roles/gate/tasks/main.yml", "- name: the gate\n  debug: {msg: gate}\n", folder)
        return folder

    def repository(self, folder, tag=None):
        git(folder, "init", "-q", "-b", "main")
        git(folder, "add", "-A")
        git(folder, "commit", "-qm", "one")
        if tag:
            git(folder, "tag", tag)
        return folder

    def commit(self, folder):
        git(folder, "add", "-A")
        git(folder, "commit", "-qm", "more")
        return subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()

    def needs(self, text):
        self.write("requirements.yml", text)

    def lock(self, **env):
        return {e["name"]: e for e in self.ok("release", "lock", "tree", **env)}

    def built(self):
        return self.ok("release", "build", "tree")["release"]

    def files(self):
        self.run("release", "init", "-E", "dev")
        return {f["path"]: f["sha256"] for f in self.ok("release", "show", self.ok("release", "push", "tree")["release"])["files"]}

    def says(self, *words, **env):
        done = self.run("release", *words, **env)
        assert done.returncode != 0
        return done.stderr


@pytest.fixture
def site(holdfast, tmp_path):
    return Site(holdfast, tmp_path)


def tarball(members, prefix=""):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, content in members.items():
            info = content if isinstance(content, tarfile.TarInfo) else tarfile.TarInfo(prefix + name)
            data = b"" if isinstance(content, tarfile.TarInfo) else content.encode()
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


ROLE = {"meta/main.yml": "galaxy_info: {}\n", "tasks/main.yml": "- debug: {msg: packed}\n"}


def test_role_of_a_repository_is_pinned_by_its_commit(site):
    """The same bytes whoever builds and however the repository has moved on, until the lock is made anew."""
    repo = site.repository(site.role("web"), tag="v1")
    site.needs(f"- src: {repo}\n  scm: git\n  version: main\n  name: web\n- {{src: 'git+file://{repo}', version: v1, name: old}}\n")
    site.write("site.yml", "- hosts: all\n  roles: [web, old]\n")
    assert "requirements.yml:1:3: role web is not pinned" in site.says("build", "tree")
    locked = site.lock()
    first, files = site.built(), site.files()
    assert {"roles/web/tasks/main.yml", "roles/old/meta/main.yml", "requirements.lock"} <= set(files)
    assert not any(".git" in name for name in files)
    assert not (site.tree / "roles").exists()  # the tree stays as it is
    shutil.copytree(site.tree, site.path / "copy")
    assert site.ok("release", "build", "copy")["release"] == first
    site.role("web", "two")
    moved = site.commit(repo)
    assert site.built() == first
    assert site.lock()["web"]["pin"] == moved != locked["web"]["pin"]
    assert site.lock()["old"]["pin"] == locked["old"]["pin"]
    assert site.built() != first
    said = subprocess.run([site.holdfast, "apply", "-i", "localhost,", "--list-tasks", "site.yml"], cwd=site.tree, capture_output=True, text=True)
    assert said.returncode != 0  # only the release has them


def test_release_of_a_git_ref_takes_its_lock_with_it(site):
    repo = site.repository(site.role("web"))
    site.needs(f"roles:\n  - {{src: {repo}, scm: git, name: web}}\n")
    site.lock()
    expected = site.built()
    site.repository(site.tree)
    site.needs("roles: []\n")
    assert site.ok("release", "build", "tree", "--git", "HEAD")["release"] == expected


def test_vendored_files_stand_beside_the_trees_own(site):
    """A tree with roles of its own; one that has the required name counts as it is."""
    repo = site.repository(site.role("web"))
    site.write("roles/mine/tasks/main.yml", "- debug: {msg: mine}\n")
    site.needs(f"- {{src: {repo}, scm: git, name: web}}\n- {{src: https://nowhere.invalid/x.git, name: mine}}\n")
    assert set(site.lock()) == {"web"}
    assert {"roles/mine/tasks/main.yml", "roles/web/tasks/main.yml", "site.yml"} <= set(site.files())


def test_tarballs_and_folders(site):
    site.write("shared/tasks/main.yml", "- debug: {msg: shared}\n", site.path)
    (site.tree / "packed.tar.gz").write_bytes(tarball(ROLE, "web-1.0/"))
    (site.path / "col.tar.gz").write_bytes(tarball({"MANIFEST.json": json.dumps({"collection_info": {"namespace": "acme", "name": "disk"}}),
                                                    "roles/r/tasks/main.yml": "- debug: {msg: r}\n"}))
    site.collection(site.path / "net")
    served = tarball(ROLE, "remote-main/")
    with Faulty(lambda request, number: reply(200, served) if request.path == "/remote.tar.gz" else reply(404)) as server:
        site.needs(f"roles:\n  - {{src: packed.tar.gz, name: packed}}\n  - {server.url}/remote.tar.gz,,remote\n  - {{src: ../shared, name: shared}}\n"
                   "collections:\n  - {name: ../col.tar.gz, type: file}\n  - {name: ../net, type: dir}\n")
        locked = site.lock()
        assert locked["remote"]["pin"] == hashlib.sha256(served).hexdigest()
        files, first = site.files(), site.built()
        assert {"roles/packed/tasks/main.yml", "roles/remote/tasks/main.yml", "roles/shared/tasks/main.yml",
                "collections/ansible_collections/acme/disk/roles/r/tasks/main.yml",
                "collections/ansible_collections/acme/net/roles/gate/tasks/main.yml"} <= set(files)
        site.write("shared/tasks/main.yml", "- debug: {msg: other}\n", site.path)
        done = site.run("release", "build", "tree")
        assert done.returncode == 7 and "role shared" in done.stderr and "requirements.lock pins" in done.stderr
        site.write("shared/tasks/main.yml", "- debug: {msg: shared}\n", site.path)
        assert site.built() == first
        served = tarball({**ROLE, "tasks/main.yml": "- debug: {msg: evil}\n"}, "remote-main/")
        done = site.run("release", "build", "tree")
        assert done.returncode == 7 and "was promised" in done.stderr


def test_collection_of_a_repository(site):
    """A folder inside the repository; tasks of its roles run under their full names."""
    repo = site.path / "mono"
    site.collection(repo / "collections/net")
    site.repository(repo)
    site.needs(f"collections:\n  - name: git+file://{repo}#/collections/net\n    version: main\n  - name: ansible.posix\n  - community.general\n")
    site.write("site.yml", "- hosts: all\n  roles: [acme.net.gate]\n")
    assert set(site.lock()) == {"acme.net"}  # of the other two the modules are built in
    assert "collections/ansible_collections/acme/net/galaxy.yml" in site.files()


def test_included_files_and_what_roles_need(site):
    base = site.repository(site.role("base"))
    web = site.repository(site.role("web", needs=[{"src": f"{base}", "scm": "git", "name": "base"}, "acme.net.gate", {"role": "local"}]))
    site.write("more/roles.yml", f"- {{src: {web}, scm: git, name: web}}\n")
    site.needs("- include: more/roles.yml\n")
    assert set(site.lock()) == {"web", "base"}
    files = site.files()
    assert {"roles/web/meta/main.yml", "roles/base/meta/main.yml"} <= set(files)


def galaxy(server):
    """The parts of a Galaxy server's API that are asked."""
    if "answers" in server:
        return server["answers"]
    packed, role = tarball({"MANIFEST.json": json.dumps({"collection_info": {"namespace": "acme", "name": "net", "dependencies": {"acme.base": ">=1.0.0"}}}),
                            "roles/gate/tasks/main.yml": "- debug: {msg: gate}\n"}), tarball(ROLE, "repo-1.2/")
    base = tarball({"MANIFEST.json": json.dumps({"collection_info": {"namespace": "acme", "name": "base"}}), "roles/b/tasks/main.yml": "- debug: {}\n"})
    v = "/api/v3/collections/acme"

    def one(data, name):
        return {"download_url": f"{server['url']}/files/{name}", "artifact": {"sha256": hashlib.sha256(data).hexdigest()}}

    server["answers"] = {
        f"{v}/net/versions/?limit=100": {"data": [{"version": x} for x in ("2.1.0", "1.9.0", "2.0.0-rc.1")], "links": {"next": f"{v}/net/versions/?offset=3"}},
        f"{v}/net/versions/?offset=3": {"data": [{"version": "1.10.0"}, {"version": "3.0.0"}], "links": {"next": None}},
        f"{v}/net/versions/1.10.0/": one(packed, "net"),
        f"{v}/base/versions/?limit=100": {"data": [{"version": "1.0.0"}, {"version": "1.1.0-beta"}]},
        f"{v}/base/versions/1.0.0/": one(base, "base"),
        "/api/v1/roles/?owner__username=acme&name=web": {"results": [{"id": 7, "github_user": "acme", "github_repo": "web"}]},
        "/api/v1/roles/7/versions/?page_size=100": {"results": [{"name": "v1.10", "download_url": "/files/role"}, {"name": "v1.9"}]},
        "/files/net": packed, "/files/base": base, "/files/role": role,
    }
    return server["answers"]


def test_galaxy_server(site):
    """By name: the highest version that fits; what a collection needs comes along; builds ask for the pinned file only."""
    server = {}

    def script(request, number):
        answer = galaxy(server).get(request.path)
        if answer is None:
            return reply(404, b"{}")
        return reply(200, answer if isinstance(answer, bytes) else json.dumps(answer).encode())

    with Faulty(script) as faulty:
        server["url"] = faulty.url
        site.needs("roles: [acme.web]\ncollections:\n  - {name: acme.net, version: '>=1.0.0,<2.0.0'}\n")
        said = site.says("lock", "tree")
        assert "role acme.web" in said and "--galaxy-server" in said and "scm: git" in said
        locked = {e["name"]: e for e in site.ok("release", "lock", "tree", "--galaxy-server", f"{faulty.url}/api/")}
        assert {n: e["version"] for n, e in locked.items()} == {"acme.web": "v1.10", "acme.net": "1.10.0", "acme.base": "1.0.0"}
        faulty.requests.clear()
        files = site.files()
        assert {r.path for r in faulty.requests} == {"/files/net", "/files/base", "/files/role"}
        assert {"roles/acme.web/tasks/main.yml", "collections/ansible_collections/acme/net/roles/gate/tasks/main.yml",
                "collections/ansible_collections/acme/base/roles/b/tasks/main.yml"} <= set(files)


def link(name, to):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, to
    return info


def special(name, kind, to=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, to
    return info


BAD = {
    "traversal": ({"../../evil": "x"}, ".."), "absolute": ({"/etc/evil": "x"}, "absolute"),
    "link-out": ({"tasks/out": link("tasks/out", "/etc/passwd")}, "leads out"),
    "through-a-link": ({"d": link("d", "/tmp"), "d/evil": "x"}, "its folder is none"),
    "device": ({"null": special("null", tarfile.CHRTYPE)}, "neither a file"),
    "hardlink": ({"h": special("h", tarfile.LNKTYPE, "/etc/passwd")}, "neither a file"),
}


@pytest.mark.parametrize("members,word", BAD.values(), ids=BAD)
def test_hostile_tarball(site, members, word):
    (site.tree / "evil.tar.gz").write_bytes(tarball({**ROLE, **members}))
    site.needs("- {src: evil.tar.gz, name: evil}\n")
    said = site.says("lock", "tree")
    assert "role evil" in said and word in said, said
    assert not pathlib.Path("/etc/evil").exists() and not pathlib.Path("/tmp/evil").exists()


WRONG = {
    "scm": ("- {src: x, scm: hg}\n", "scm: hg"), "type": ("collections: [{name: a.b, type: subdirs}]\n", "type: subdirs"),
    "keys": ("roles: [{src: https://x/y.git, depth: 1}]\n", '"depth"'), "name": ("- {src: https://x/y.git, name: ../../etc}\n", "cannot be the name"),
    "nothing": ("- justaword\n", "neither a URL"), "protocol": ("- {src: 'ext::sh -c id', scm: git, name: x}\n", "not allowed"),
    "absent": ("- {src: ./nowhere.git, scm: git, name: x}\n", "role x"), "circle": ("- include: requirements.yml\n", "in a circle"),
    "shape": ("things: []\n", '"things"'),
}


@pytest.mark.parametrize("text,word", WRONG.values(), ids=WRONG)
def test_refused_by_name(site, text, word):
    site.needs(text)
    assert word in site.says("lock", "tree")


def test_stale_lock(site):
    """Pins that nothing names any more, a version asked for anew, a lock by hand: told, with what to do."""
    repo = site.repository(site.role("web"), tag="v1")
    site.needs(f"- {{src: {repo}, scm: git, name: web}}\n")
    site.lock()
    site.needs(f"- {{src: {repo}, scm: git, name: web, version: v1}}\n")
    assert "not pinned" in site.says("build", "tree")
    site.needs("[]\n")
    assert "no requirements.yml names it" in site.says("build", "tree")
    site.write("requirements.lock", "- {kind: role, type: git, name: web, source: x}\n")
    assert "as holdfast release lock writes it" in site.says("build", "tree")
    assert list((site.path / "scratch").iterdir()) == [], "what was fetched is left behind"
