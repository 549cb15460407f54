"""What ansible-core 2.18 has over 2.17, which the other tests compare with: its modules and holdfast's take the same tasks, each in a
mount namespace whose /etc, /home and /srv are thrown away, and leave and say the same; a second run changes nothing, check mode touches nothing."""
import json
import subprocess
import sys

import pytest

from bundle import bundle

CORE = ["ansible-core==2.18.19"]
WITHIN = """set -e
mkdir -p "$0"
mount -t tmpfs tmpfs "$0"
mkdir "$0/upper" "$0/work"
mount -t overlay -o "lowerdir=/etc,upperdir=$0/upper,workdir=$0/work" overlay /etc
mount -t tmpfs tmpfs /srv
mount -t tmpfs tmpfs /home
cd /srv
"""
# What a run or the controller gives.
VOLATILE = {"invocation", "diff", "warnings", "deprecations", "failed", "exception", "rc"}
TREE = "mkdir -p d/deep/deeper; touch d/one d/deep/one d/deep/two d/deep/deeper/one d/.hidden; "
REPO = {"name": "epel", "description": "Extra", "baseurl": "http://127.0.0.1/", "reposdir": "/srv"}
SHOW_REPO = "stat -c '%a %U %G' /srv/epel.repo; cat /srv/epel.repo"
SHADOW = "getent passwd hf_ada | cut -d: -f3; getent shadow hf_ada | cut -d: -f4-8; getent group hf_crew"
ADA = "useradd -u 4711 -N hf_ada; "
ROWS = [
    # title, module, arguments, before, what is looked at, keys that may differ
    ("find: two of five", "find", {"paths": "/srv/d", "recurse": True, "limit": 2, "patterns": "one"}, TREE, "", ["examined", "files"]),
    ("find: one, the top first", "find", {"paths": "/srv/d", "recurse": True, "limit": 1}, TREE, "", ["examined"]),
    ("find: more than there are", "find", {"paths": "/srv/d", "recurse": True, "limit": 50, "patterns": "two"}, TREE, "", []),
    ("find: without an end", "find", {"paths": "/srv/d", "limit": None, "patterns": "one"}, TREE, "", []),
    ("find: of none", "find", {"paths": "/srv/d", "limit": 0}, TREE, "", []),
    ("find: of fewer than none", "find", {"paths": "/srv/d", "limit": -3}, TREE, "", []),
    ("group: above a number", "group", {"name": "hf_crew", "gid_min": 54321, "gid_max": 54400}, "", SHADOW, []),
    ("group: below a number", "group", {"name": "hf_crew", "gid_max": 1700, "gid_min": 1690}, "", SHADOW, []),
    ("group: there already", "group", {"name": "hf_crew", "gid_min": 54321}, "groupadd -g 4711 hf_crew; ", SHADOW, []),
    ("group: the lowest of a local one", "group", {"name": "hf_crew", "gid_min": 5000, "local": True}, "", SHADOW, ["name"]),
    ("group: the highest of a local one", "group", {"name": "hf_crew", "gid_max": 5000, "local": True}, "", SHADOW, ["name"]),
    ("user: above a number", "user", {"name": "hf_ada", "uid_min": 54321, "uid_max": 54400, "create_home": False}, "", SHADOW, []),
    ("user: there already", "user", {"name": "hf_ada", "uid_min": 54321, "create_home": False}, ADA, SHADOW, []),
    ("user: the lowest of a local one", "user", {"name": "hf_ada", "uid_min": 5000, "local": True}, "", SHADOW, ["name", "state"]),
    ("user: the highest of a local one", "user", {"name": "hf_ada", "uid_max": 5000, "local": True}, "", SHADOW, ["name", "state"]),
    ("user: umask of a local one", "user", {"name": "hf_ada", "umask": "022", "local": True}, "", SHADOW, ["name", "state"]),
    ("yum_repository: counts its systems", "yum_repository", {**REPO, "countme": True}, "", SHOW_REPO, []),
    ("yum_repository: packages left out", "yum_repository", {**REPO, "excludepkgs": ["a", "b*"]}, "", SHOW_REPO, []),
    ("yum_repository: of an owner", "yum_repository", {**REPO, "owner": "daemon", "group": "games", "mode": "0640"}, "", SHOW_REPO, []),
    ("yum_repository: of another owner", "yum_repository", {**REPO, "owner": "daemon", "mode": "u=rw,g=,o="},
     "printf '[epel]\\nbaseurl = http://127.0.0.1/\\nname = Extra\\n\\n' >epel.repo; chown games:games epel.repo; ", SHOW_REPO, []),
    ("yum_repository: of nobody", "yum_repository", {**REPO, "owner": "no-such-user"}, "touch epel.repo; ", "", ["*"]),
    ("package_facts: of no such system", "package_facts", {"manager": ["pkgng"]}, "", "", ["*"]),
    ("yum_repository: gone, whoever owned it", "yum_repository", {**REPO, "state": "absent", "owner": "daemon"},
     "printf '[epel]\\nname = Extra\\n\\n' >epel.repo; ", "ls /srv/*.repo", []),
]
# Ansible 2.18 passes this number to its runner of programs as a number, which that refuses; what is documented is done.
OURS = [
    ("a new account", {"name": "hf_ada", "password_expire_account_disable": 15, "create_home": False}, "", "15"),
    ("one that is there", {"name": "hf_ada", "password_expire_account_disable": 15}, ADA, "15"),
    ("never again", {"name": "hf_ada", "password_expire_account_disable": -1}, ADA + "usermod -f 9 hf_ada; ", ""),
]


def within(folder, script, **more):
    done = subprocess.run(["unshare", "--mount", "--propagation", "private", "bash", "-c", WITHIN + script, str(folder)],
                          capture_output=True, text=True, timeout=300, **more)
    return done.stdout, done.stderr


def ansible(folder, module, args, given, look):
    """What Ansible's own says of the task, and what is there then. module: of ansible-core 2.18 by its short name, of a collection, which
    given puts on PYTHONPATH, by its full one."""
    names = module.split(".")
    if len(names) == 1:
        given, program = f"{given}export PYTHONPATH={bundle(CORE, ('ansible/',))}; ", f"ansible.modules.{module}"
    else:
        program = f"ansible_collections.{names[0]}.{names[1]}.plugins.modules.{names[2]}"
    call = {"ANSIBLE_MODULE_ARGS": {**args, "_ansible_remote_tmp": "/tmp", "_ansible_keep_remote_files": False}}
    folder.mkdir()
    (folder.parent / "args.json").write_text(json.dumps(call))
    out, err = within(folder, f"{given}{sys.executable} -m {program} {folder.parent}/args.json || true; "
                              f"echo ==; {look or 'true'}")
    assert "\n==\n" in out, out + err
    told, seen = out.split("\n==\n")
    return json.loads(told[told.index("{"):]), seen


def holdfast_runs(holdfast, folder, module, args, given, look, *words):
    """Results of the task in a play of its own, once for each of words' runs (check or apply), and what is there after each."""
    folder.mkdir()
    book = [{"hosts": "all", "gather_facts": False, "tasks": [
        {module: args, "register": "r", "ignore_errors": True},
        {"copy": {"content": "{{ r | to_json }}", "dest": f"{folder}/told"}, "check_mode": False}]}]
    (folder.parent / "play.yml").write_text(json.dumps(book))
    script = given
    for flag in words:
        script += (f"{holdfast} apply {flag} {folder.parent}/play.yml >$0/log 2>&1 || true; cat $0/told || cat $0/log; echo; echo ==; "
                   f"{{ {look or 'true'}; }} || true; echo ==; ")
    out, err = within(folder, script)
    parts = out.split("==\n")
    assert len(parts) == 2 * len(words) + 1 and parts[0].startswith("{"), out + err
    return [(json.loads(parts[2 * i]), parts[2 * i + 1]) for i in range(len(words))]


def comparable(result, loose):
    if "*" in loose:
        return bool(result.get("failed"))
    kept = {k: v for k, v in result.items() if k not in VOLATILE and k not in loose and k != "changed"}
    for entry in kept.get("files", []):
        for key in ("atime", "mtime", "ctime", "inode", "dev"):
            entry.pop(key, None)
    if "files" in kept:
        kept["files"].sort(key=lambda f: f["path"])
    return kept


@pytest.mark.parametrize("title,module,args,given,look,loose", ROWS, ids=[r[0] for r in ROWS])
def test_as_the_newest_ansible(tmp_path, holdfast, title, module, args, given, look, loose):
    want, left = ansible(tmp_path / "a", module, args, given, look)
    (check, untouched), (got, ours), (again, still) = holdfast_runs(holdfast, tmp_path / "h", module, args, given, look, "--check", "", "")
    assert bool(got.get("failed")) == bool(want.get("failed")), f"{want}\n{got}"
    assert comparable(got, loose) == comparable(want, loose)
    if not want.get("failed"):
        assert got["changed"] == want["changed"]
        assert ours == left and not again["changed"] and still == ours
        assert check["changed"] == got["changed"]
        assert not got["changed"] or untouched != ours


@pytest.mark.parametrize("title,args,given,days", OURS, ids=[r[0] for r in OURS])
def test_accounts_close_after_their_password(tmp_path, holdfast, title, args, given, days):
    look = "getent shadow hf_ada | cut -d: -f7"
    (first, seen), (again, still) = holdfast_runs(holdfast, tmp_path / "h", "user", args, given, look, "", "")
    assert first["changed"] and not first.get("failed"), first
    assert seen.strip() == still.strip() == days and not again["changed"]


def test_packages_by_the_other_name(tmp_path, holdfast):
    """manager: the fact pkg_mgr says zypper or dnf where packages are rpm's; where there are none, the next one counts."""
    books = [{"manager": ["zypper", "apt"]}, {"manager": "apt"}]
    told = []
    for i, args in enumerate(books):
        (tmp_path / str(i)).mkdir()
        told += holdfast_runs(holdfast, tmp_path / str(i) / "h", "package_facts", args, "", "", "")
    assert told[0][0] == told[1][0] and told[0][0]["ansible_facts"]["packages"]["bash"]
