"""Runs a playbook by the real ansible-playbook or by holdfast, twice, each in a root of its own: an overlay over this
machine's, in its own mount namespace, thrown away afterwards. What either left on the disk is the overlay's upper layer.

    python roots.py JOBS RESULTS     # JOBS: a JSON list of {id, tool, book: {path: text}, args, environment}

The process imports ansible once and forks for every run, so that its start-up is paid once. Results are JSON lines.
"""
import ctypes
import hashlib
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time

SCRATCH = "/srv"  # in every root: book (what is run) and out (what most rows write)
CLONE_NEWNS = 0x20000
# The controller's own traces: no part of what a playbook asks for.
NOISE = re.compile(r"^(root/\.ansible|root/\.rpmdb|root/\.cache|root/\.local/state/holdfast|tmp/(ansible|tmp|holdfast)|run/|var/tmp/ansible|"
                   r"var/lib/holdfast|proc|dev|sys|srv/(book|log|plugins)|root/\.holdfast)|__pycache__")
CALLBACK = '''
import json, os
from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    """One line for every result, as the callbacks of Ansible are told of it."""
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "rows"
    CALLBACK_NEEDS_ENABLED = True

    def line(self, task, host, status, msg=None):
        with open(os.environ["ROWS_OUT"], "a") as f:
            f.write(json.dumps({"task": task, "host": host, "status": status, "msg": msg}) + "\\n")

    def result(self, r, status):
        if r._task.action.split(".")[-1] == "meta" or (status == "ok" and "include_" in r._task.action and "vars" not in r._task.action):
            return  # what is included tells of itself, and the statistics count it
        debug = r._task.action.split(".")[-1] == "debug" and not r._task.loop
        msg = r._result.get("msg") if debug and status in ("ok", "changed") else None
        self.line(r._task.get_name(), r._host.name, status, None if r._result.get("_ansible_no_log") else msg)

    def v2_runner_on_ok(self, r):
        self.result(r, "changed" if r._result.get("changed") else "ok")

    def v2_runner_on_failed(self, r, ignore_errors=False):
        self.result(r, "ignored" if ignore_errors else "failed")

    def v2_runner_on_skipped(self, r):
        self.result(r, "skipped")

    def v2_runner_on_unreachable(self, r):
        self.result(r, "unreachable")
'''
libc = ctypes.CDLL(None, use_errno=True)


def mount(*words):
    subprocess.run(["mount", *words], check=True)


def make_root(keep):
    """A fresh root below a tmpfs of our own; returns (root, upper). Only this process sees it."""
    if libc.unshare(CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "no mount namespace: the playbooks need root, as ansible's do")
    mount("--make-rprivate", "/")
    base = pathlib.Path(tempfile.mkdtemp(prefix="root-"))
    mount("-t", "tmpfs", "tmpfs", str(base))
    for name in ("upper", "work", "root"):
        (base / name).mkdir(mode=0o755)
    mount("-t", "overlay", "overlay", "-o", f"lowerdir=/,upperdir={base}/upper,workdir={base}/work", f"{base}/root")
    root = base / "root"
    keep = sorted(set(map(str, keep)))  # a folder before what lies in it, which it would hide
    for place in ["/proc", "/dev", *keep]:
        (root / place[1:]).mkdir(parents=True, exist_ok=True)
        mount("--rbind", place, str(root / place[1:]))
    for place in keep:
        mount("-o", "remount,bind,ro", str(root / place[1:]))
    shutil.rmtree(root / SCRATCH[1:], ignore_errors=True)
    for name in ("book", "out", "log", "plugins"):
        (root / SCRATCH[1:] / name).mkdir(parents=True)
    return base, root, base / "upper"


def below(root, path):
    return root / str(path).lstrip("/")


def write_book(root, book):
    for name, text in book.items():
        path = below(root, f"{SCRATCH}/book/{name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("{out}", f"{SCRATCH}/out"))
        if text.startswith("#!"):
            path.chmod(0o755)


def tree(upper):
    """Every entry that is not as it was before: kind, mode, owner, and the digest or the target."""
    found = {}
    for path in sorted(upper.rglob("*")):
        name = str(path.relative_to(upper))
        if NOISE.search(name):
            continue
        st = path.lstat()
        before = pathlib.Path("/") / name
        if stat.S_ISCHR(st.st_mode) and st.st_rdev == 0:
            found[name] = "gone"
            continue
        entry = [stat.filemode(st.st_mode), st.st_uid, st.st_gid]
        if stat.S_ISDIR(st.st_mode) and before.is_dir() and not before.is_symlink():
            old = before.lstat()
            if entry == [stat.filemode(old.st_mode), old.st_uid, old.st_gid]:
                continue  # the way to something below it
        if stat.S_ISLNK(st.st_mode):
            entry.append(os.readlink(path))
        elif stat.S_ISREG(st.st_mode):
            entry.append(hashlib.sha256(path.read_bytes()).hexdigest())
        found[name] = entry
    return found


def inside(root, out, environment, work):
    """work() in a child that has root as its root; what it prints goes to the file out. Returns its exit status."""
    pid = os.fork()
    if pid == 0:
        code = 99
        try:
            fd = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            null = os.open("/dev/null", os.O_RDONLY)
            for target, source in ((0, null), (1, fd), (2, fd)):
                os.dup2(source, target)
            os.chroot(root)
            os.chdir(f"{SCRATCH}/book")
            os.environ.clear()
            os.environ.update(environment)
            code = work()
        except SystemExit as e:
            code = e.code if isinstance(e.code, int) else 0 if e.code is None else 1
        except BaseException as e:  # noqa: BLE001 - told to the parent as text
            os.write(2, f"{type(e).__name__}: {e}\n".encode())
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code & 255)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def run_ansible(args, plain):
    """plain: with an interpreter of its own, because ansible.cfg is read when ansible is imported."""
    if plain:
        os.execv(sys.executable, [sys.executable, "-m", "ansible", "playbook", *args])
    from ansible.cli.playbook import PlaybookCLI
    PlaybookCLI.cli_executor(["ansible-playbook", *args])
    return 0


def ansible_once(job, root, upper, base):
    log = below(root, f"{SCRATCH}/log/events")
    log.write_text("")
    out = base / "text"
    plain = "ansible.cfg" in job["book"] or any(k.startswith("ANSIBLE") for k in job.get("environment", {}))
    args = ["-c", "local", *job["args"]] if job.get("local", True) else job["args"]
    code = inside(root, out, surroundings(job), lambda: run_ansible(args, plain))
    return {"code": code, "text": out.read_text(errors="replace"), "events": log.read_text().splitlines(), "tree": tree(upper)}


def holdfast_once(job, root, upper, base):
    out, log = base / "text", f"{SCRATCH}/log/errors"
    args = ["-c", "local", *job["args"]] if job.get("local", True) else job["args"]

    def work():
        fd = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(fd, 2)
        os.execv(job["holdfast"], [job["holdfast"], "apply", "--output", "jsonl", "-v", *args])

    code = inside(root, out, surroundings(job), work)
    text = out.read_text(errors="replace")
    return {"code": code, "text": text + below(root, log).read_text(errors="replace"), "events": text.splitlines(), "tree": tree(upper)}


def surroundings(job):
    mine = {"HOME": "/root", "LC_ALL": "C.UTF-8", "USER": "root", "PATH": f"{pathlib.Path(sys.executable).parent}:/usr/sbin:/usr/bin:/sbin:/bin",
            "ROWS_OUT": f"{SCRATCH}/log/events"}
    return {**mine, **(SETTINGS if job["tool"] == "ansible" else {}), **job.get("environment", {})}


SETTINGS = {"ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false", "ANSIBLE_NOCOWS": "1",
            "ANSIBLE_FORKS": "1", "ANSIBLE_PIPELINING": "1", "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_CALLBACK_PLUGINS": f"{SCRATCH}/plugins", "ANSIBLE_CALLBACKS_ENABLED": "rows"}


def one(job, result):
    base, root, upper = make_root(job["keep"])
    write_book(root, job["book"])
    below(root, f"{SCRATCH}/plugins/rows.py").write_text(CALLBACK)
    once = {"ansible": ansible_once, "holdfast": holdfast_once}[job["tool"]]
    runs = [once(job, root, upper, base) for _ in range(job.get("times", 2))]
    result.write_text(json.dumps(runs))


def run_job(job, result):
    """In a child; always leaves a result."""
    pid = os.fork()
    if pid:
        return pid
    try:
        one(job, result)
    except BaseException as e:  # noqa: BLE001 - told to the test as text
        result.write_text(json.dumps({"error": f"{type(e).__name__}: {e}"}))
    os._exit(0)


def preload():
    """What every run of ansible imports."""
    os.environ.update(SETTINGS)
    import ansible.cli.playbook  # noqa: F401
    import ansible.executor.playbook_executor  # noqa: F401
    import ansible.executor.task_queue_manager  # noqa: F401
    import ansible.plugins.strategy  # noqa: F401
    import ansible.plugins.callback  # noqa: F401
    import ansible.plugins.connection.local  # noqa: F401
    import ansible.executor.module_common  # noqa: F401
    import gc
    gc.freeze()


def main(jobs, results, at_once):
    jobs = json.loads(pathlib.Path(jobs).read_text())
    folder = pathlib.Path(results)
    if any(j["tool"] == "ansible" for j in jobs):
        preload()
    running = {}
    while jobs or running:
        while jobs and len(running) < at_once:
            job = jobs.pop(0)
            running[run_job(job, folder / job["id"])] = time.monotonic()
        pid, _ = os.wait()
        running.pop(pid, None)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
