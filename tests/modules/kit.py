"""Rows of modules through ansible-playbook and through holdfast: building them, running them, comparing what a user sees."""
import hashlib
import http.server
import io
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import tarfile
import threading
import zipfile

from rows import Archive, Clone, Dir, Disk, File, Hard, Link, Repo

ANSIBLE = pathlib.Path(sys.executable).parent / "ansible-playbook"
BUILD = pathlib.Path(os.environ.get("HF_BUILD", pathlib.Path(__file__).resolve().parents[2] / "build"))
# Never compared: what differs from run to run, and what the controller adds.
VOLATILE = {"start", "end", "delta", "invocation", "ansible_facts", "exception", "src", "deprecations", "diff",
            "_ansible_no_log", "warnings", "traceback", "details", "validation", "module_stdout", "ansible_loop_var"}
MTIME = 1_500_000_000


class Server(http.server.BaseHTTPRequestHandler):
    """What get_url and uri speak to."""

    def answer(self):
        body = b"hello\n"
        status, headers = 200, {"Content-Type": "text/plain"}
        size = int(self.headers.get("Content-Length") or 0)
        sent = self.rfile.read(size).decode()
        if self.path == "/json":
            body, headers = b'{"a": [1, 2.5, null], "b": "\xc3\xa9"}', {"Content-Type": "application/json"}
        elif self.path in ("/moved", "/moved-echo"):
            status, headers = 302, {"Location": "/hello" if self.path == "/moved" else "/echo"}
        elif self.path == "/attached":
            headers["Content-Disposition"] = 'attachment; filename="given.txt"'
        elif self.path == "/sums":
            body = b"0000 other\nf572d396fae9206628714fb2ce00f72e94f2258f  ./hello\n"
        elif self.path == "/echo":
            body = f"{self.command} {self.headers.get('Content-Type')} {self.headers.get('X-One')} {self.headers.get('X-Two') or ''} {sent}\n".encode()
        elif self.path == "/dated" and self.headers.get("If-Modified-Since"):
            status, body = 304, b""
        elif self.path == "/secret" and self.headers.get("Authorization") != "Basic dTpwdy1zZWNyZXQ=":
            status, body = 401, b"no\n"
        elif self.path == "/nothing-here":
            status, body = 404, b"not here\n"
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and status != 304:
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = answer

    def log_message(self, *args):
        pass


SERVER = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
URL = f"http://127.0.0.1:{SERVER.server_port}"
threading.Thread(target=SERVER.serve_forever, daemon=True).start()


def archive(path, members):
    """A tar in the compression of its name, or a zip."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as z:
            for name, what in members.items():
                what = File(what) if isinstance(what, str) else what
                info = zipfile.ZipInfo(name + "/" * isinstance(what, Dir), (2020, 1, 2, 3, 4, 6))
                kind = {Dir: stat.S_IFDIR, Link: stat.S_IFLNK, File: stat.S_IFREG}[type(what)]
                info.external_attr = (kind | getattr(what, "mode", 0o777)) << 16
                z.writestr(info, getattr(what, "text", getattr(what, "target", "")))
        return
    kind = {".tgz": "gz", ".gz": "gz", ".xz": "xz", ".bz2": "bz2"}.get(path.suffix, "")
    with tarfile.open(path, f"w:{kind}" if kind else "w") as t:
        for name, what in members.items():
            what = File(what) if isinstance(what, str) else what
            info = tarfile.TarInfo(name)
            info.mtime, info.mode = 1_577_934_246, getattr(what, "mode", 0o777)
            info.type = {Dir: tarfile.DIRTYPE, Link: tarfile.SYMTYPE, File: tarfile.REGTYPE}[type(what)]
            info.linkname = getattr(what, "target", "")
            data = getattr(what, "text", "").encode()
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))
    if path.suffix == ".zst":
        subprocess.run(["zstd", "-q", "-f", path, "-o", f"{path}.new"], check=True)
        os.replace(f"{path}.new", path)


def git(cwd, *words):
    env = {**os.environ, "GIT_AUTHOR_DATE": "2020-01-01T00:00:00Z", "GIT_COMMITTER_DATE": "2020-01-01T00:00:00Z",
           "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    subprocess.run(["git", "-c", "user.name=n", "-c", "user.email=e", "-c", "init.defaultBranch=main",
                    "-c", "advice.detachedHead=false", *words], cwd=cwd, env=env, check=True, capture_output=True)


def repository(path):
    path.mkdir()
    git(path, "init", "-q")
    (path / "f").write_text("one\n")
    git(path, "add", "f")
    git(path, "commit", "-qm", "one")
    git(path, "tag", "-am", "first", "v1")
    git(path, "checkout", "-qb", "side")
    (path / "g").write_text("side\n")
    git(path, "add", "g")
    git(path, "commit", "-qm", "side")
    git(path, "checkout", "-q", "main")
    (path / "f").write_text("two\n")
    git(path, "commit", "-qam", "two")


def place(path, what):
    if isinstance(what, str):
        what = File(what)
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(what, Archive):
        return archive(path, what.members)
    if isinstance(what, Repo):
        return repository(path)
    if isinstance(what, Clone):
        return git(path.parent, "clone", "-q", f"file://{path.parent / what.other}", str(path))
    if isinstance(what, Disk):
        path.touch()
        os.truncate(path, 8 << 20)
        if what.script:
            subprocess.run(["parted", "-s", path, "--", *what.script.split()], check=True, capture_output=True)
        if what.make:
            subprocess.run([w.replace("@", str(path)) for w in what.make.split()], check=True, capture_output=True)
    elif isinstance(what, Dir):
        path.mkdir(exist_ok=True)
        path.chmod(what.mode)
    elif isinstance(what, Link):
        path.symlink_to(what.target)
    elif isinstance(what, Hard):
        os.link(path.parent / what.other, path)
    else:
        path.write_bytes(what.text.encode())
        path.chmod(what.mode)


def substitute(value, root):
    if isinstance(value, str):
        return value.replace("@", root).replace("~HTTP~", URL).replace("~AT~", "@")
    if isinstance(value, list):
        return [substitute(v, root) for v in value]
    if isinstance(value, dict):
        return {k: substitute(v, root) for k, v in value.items()}
    return value


def build(root, rows):
    """Every row's directory and one playbook over all of them; returns the playbook."""
    shutil.rmtree(root, ignore_errors=True)
    play = root / "play"
    play.mkdir(parents=True)
    tasks = []
    for i, r in enumerate(rows):
        here = root / "rows" / str(i)
        here.mkdir(parents=True)
        for name, what in r.given.items():
            place(here / name, what)
        for name, what in r.options.get("sources", {}).items():
            if not os.path.lexists(play / name):
                place(play / name, what)
        for path in sorted(here.rglob("*"), reverse=True):
            os.utime(path, (MTIME, MTIME), follow_symlinks=False)
        tasks.append({"name": r.title, "register": f"r_{i}", "ignore_errors": True, **substitute(r.task, str(here))})
    dump = "{{ {" + ", ".join(f"'{i}': r_{i}" for i in range(len(rows))) + "} | to_json }}"
    tasks.append({"name": "dump", "copy": {"content": dump, "dest": str(root / "results.json")},
                  "check_mode": False})
    book = play / "site.yml"
    book.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    return book


def tree(here, times=False):
    """What lies below a directory, by name; a backup's date is not part of its name, nor that of pamd's mark of the text."""
    out = {}
    for path in sorted(here.rglob("*")):
        if ".git" in path.parts[len(here.parts):] or (here / "r" in path.parents and (here / "r/.git").exists()):
            continue  # git's own files hold times
        st = path.lstat()
        name = re.sub(r"\.\d+\.\d{4}-\d\d-\d\d@\d\d:\d\d:\d\d~$", ".BACKUP~", str(path.relative_to(here)))
        entry = [stat.filemode(st.st_mode), st.st_uid, st.st_gid]
        if path.is_symlink():
            entry.append(os.readlink(path).replace(str(here), "@"))
        elif path.is_file():
            data = b"archive" if path.suffix == ".tgz" else path.read_bytes()  # gzip notes the time
            data = re.sub(rb"(?m)^(# Updated by Ansible - )[0-9T:.-]+$", rb"\1DATE", data)
            if len(data) > 1 << 20:
                data = hashlib.sha256(data).hexdigest().encode()
            entry += [data.decode(errors="replace").replace(str(here), "@"), st.st_nlink]
        if times:
            entry.append(st.st_mtime_ns)
        out[name] = entry
    return out


def plain(value, here):
    """A result without this run's paths and numbers."""
    text = re.sub(r"http://127.0.0.1:\d{3,}", "~HTTP~", json.dumps(value).replace(str(here), "@"))
    text = re.sub(r"\.\d+\.\d{4}-\d\d-\d\d@\d\d:\d\d:\d\d~", ".BACKUP~", text)
    return json.loads(text)


def collect(root, rows):
    results = json.loads((root / "results.json").read_text())
    return [{"result": plain(results[str(i)], root / "rows" / str(i)), "tree": tree(root / "rows" / str(i))}
            for i in range(len(rows))]


def run(argv, root, cwd, **more):
    env = {**os.environ, **more, "ANSIBLE_LOCALHOST_WARNING": "False", "ANSIBLE_INVENTORY_UNPARSED_WARNING": "False",
           "ANSIBLE_PIPELINING": "True", "GIT_CONFIG_GLOBAL": "/dev/null",
           "ANSIBLE_HOME": str(root / "home"), "HOME": os.environ.get("HOME", "/root")}
    return subprocess.run(argv, cwd=cwd, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL)


def ask_ansible(root, rows):
    """What ansible-playbook makes of the rows, in one run."""
    book = build(root, rows)
    done = run([ANSIBLE, "-i", "localhost,", "-c", "local", "-e", f"ansible_python_interpreter={sys.executable}", book],
               root, book.parent)
    assert (root / "results.json").exists(), done.stdout[-3000:] + done.stderr[-3000:]
    return collect(root, rows)


def ask_modules(root, rows, collections):
    """The same without ansible-playbook: the modules' own programs, for rows that need nothing of the controller."""
    build(root, rows)
    plan = []
    for i, r in enumerate(rows):
        (name, args), = r.task.items()
        where = "ansible_collections.{}.{}.plugins.modules.{}" if name.count(".") == 2 else "ansible.modules.{}"
        plan.append([where.format(*name.split(".")), substitute(args, str(root / "rows" / str(i))), str(root / "play")])
    (root / "plan.json").write_text(json.dumps(plan))
    done = run([sys.executable, pathlib.Path(__file__).with_name("run_modules.py"), root / "plan.json", root / "out.json"],
               root, root / "play", PYTHONPATH=str(collections))
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    results = json.loads((root / "out.json").read_text())
    (root / "results.json").write_text(json.dumps({str(i): r for i, r in enumerate(results)}))
    return collect(root, rows)


def apply(holdfast, book, rows, *more):
    done = run([holdfast, "apply", *more, "--output", "jsonl", book], book.parent.parent, book.parent)
    events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    tasks = [e for e in events if e.get("type") == "task" and "item" not in e]
    assert len(tasks) == len(rows) + 1, done.stdout[-3000:] + done.stderr[-3000:]
    return tasks


def ask_holdfast(root, rows, holdfast):
    """check, apply, apply again."""
    book = build(root, rows)
    folders = [root / "rows" / str(i) for i in range(len(rows))]
    before = [tree(r, times=True) for r in folders]
    checked = apply(holdfast, book, rows, "--check")
    unchanged = [tree(r, times=True) == b for r, b in zip(folders, before)]
    first = apply(holdfast, book, rows)
    out = collect(root, rows)
    second = apply(holdfast, book, rows)
    for i, o in enumerate(out):
        o.update(check=checked[i], untouched=unchanged[i], first=first[i], second=second[i])
    return out


def take_back(root, rows):
    """Every row applied and taken back: trees before and after. Of a directory its time is left out: it tells of what
    came and went in it."""
    book = build(root, rows)
    folders = [root / "rows" / str(i) for i in range(len(rows))]
    before = [tree(r, times=True) for r in folders]
    door = BUILD / "tests" / "system" / "undo_door"
    for words in (["apply", book, root / "kept"], ["undo", root / "kept"]):
        done = run([door, *words], root, book.parent)
        assert done.returncode in (0, 2), done.stderr
    pairs = [(b, tree(r, times=True)) for b, r in zip(before, folders)]
    for pair in pairs:
        for entries in pair:
            for entry in entries.values():
                if entry[0][0] != "-":
                    entry.pop()
    return pairs


def status(result):
    if result.get("failed"):
        return "failed"
    if result.get("skipped"):
        return "skipped"
    return "changed" if result.get("changed") else "ok"


def comparable(result, loose):
    out = {k: v for k, v in result.items()
           if k not in VOLATILE and k not in loose and (k, v) != ("failed", False)}
    for name in loose:
        outer, _, inner = name.partition(".")
        for entry in out.get(outer, []) if isinstance(out.get(outer), list) else [out.get(outer)]:
            if inner and isinstance(entry, dict):
                entry.pop(inner, None)
    if isinstance(out.get("files"), list):
        out["files"].sort(key=lambda f: f["path"] if isinstance(f, dict) else f)
    return {} if "*" in loose else out


def assert_same(row, want, got):
    """Status, tree and result keys after one run."""
    loose = row.options.get("loose", [])
    assert status(got["result"]) == status(want["result"]), f'\n{want["result"]}\n{got["result"]}'
    if status(want["result"]) != "failed" and "tree" not in loose:
        parts = 3 if "contents" in loose else None
        assert {n: e[:parts] for n, e in got["tree"].items()} == {n: e[:parts] for n, e in want["tree"].items()}
    assert comparable(got["result"], loose) == comparable(want["result"], loose)


def assert_check(row, got):
    """Check mode touches nothing, and says what then happens."""
    assert got["untouched"]
    assert got["check"]["status"] == got["first"]["status"] or "check" in row.options.get("loose", [])


def assert_second(row, got, done=("ok", "skipped")):
    """What check announces, apply does once."""
    if got["first"]["status"] in ("changed", "ok") and not row.options.get("always"):
        assert got["second"]["status"] in done
