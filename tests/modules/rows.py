"""What cases are made of. A case says what is there, one task, and what may differ from Ansible's; each module's lie in cases/, in a
file of its name. How a case is run depends on what its module needs:

  played   in a folder of its own, through ansible-playbook and holdfast (test_played.py)
  called   likewise, through the module's own program and holdfast (test_called.py)
  tooled   likewise, before stand-ins of the tools that the module calls (test_tooled.py)
  docked   before an engine of docker's that is a stand-in (test_docked.py)
  fronted  before stand-ins of LVM, NetworkManager and SELinux that keep a world (test_fronted.py)
  hosted   on a running host, with what its probe prints afterwards; no Ansible beside it (test_hosted.py)
  live     on a running host, beside an identical second one (test_live.py)
  machined likewise, on a machine with a kernel of its own (tests/vm)
  chained  on running hosts, each going on from what the one before left (test_chained.py)

In `given`, a path below the case's own folder leads to what is there: text, a Dir, a Link, a File with a mode. In tasks "@" stands
for that folder, "~AT~" for an @, "~HTTP~" for the server of the tests. Options:
  always   the task reports a change every time (command, touch)
  loose    result keys that are not compared; "tree" is what lies in the folder, "contents" what is in the files there
  sources  files of the playbook (its files/ and templates/)
"""
import importlib.util
import os
import pathlib
from collections import namedtuple

Dir = namedtuple("Dir", "mode", defaults=[0o755])
Link = namedtuple("Link", "target")
File = namedtuple("File", "text mode", defaults=[0o644])
Hard = namedtuple("Hard", "other")
Archive = namedtuple("Archive", "members")  # its kind is the name's suffix
Repo = namedtuple("Repo", "")  # two commits, a tag v1 on the first, a branch side
Clone = namedtuple("Clone", "other")
# A file of eight megabytes, partitioned by parted's commands, or with what a command makes on it.
Disk = namedtuple("Disk", "script make", defaults=["", ""])

Row = namedtuple("Row", "title given task options", defaults=[{}])
Hosted = namedtuple("Hosted", "title given task probe wanted")
Live = namedtuple("Live", "title module args given probe loose")
Docked = namedtuple("Docked", "row objects")
Chained = namedtuple("Chained", "title module args loose")
PLAYED, CALLED, TOOLED, DOCKED, FRONTED, HOSTED, LIVE, MACHINED, CHAINED = ([] for _ in range(9))
# What is slow and whose like is among the others runs where HF_LONG is set.
LONG = {"debconf of a package nobody knows", "debconf the answer", "debconf unseen", "debconf yes or no, there", "debconf several, one less",
        "debconf several as a text", "debconf without a value", "apt_repository with lists that are not there", "rpm_key there", "rpm_key another",
        "rpm_key goes and is not there", "apt_key there", "apt_key new of bytes"}


def played(title, task, given=None, **options):
    PLAYED.append(Row(title, given or {}, task, options))


def called(title, task, given=None, **options):
    CALLED.append(Row(title, given or {}, task, options))


def tooled(title, task, given=None, **options):
    """In `given`, "@" is the case's folder too."""
    TOOLED.append(Row(title, given or {}, task, options))


def docked(title, module, objects=(), loose=(), files=(), **args):
    """objects: {name: body} of containers, networks and images that are there; a name with ! runs."""
    row = Row(title, dict(files), {f"community.docker.{module}": args}, {"loose": list(loose), "always": args.pop("always", False)})
    DOCKED.append(Docked(row, dict(objects)))


def fronted(title, module, args, volumes=None, devices="a", exists=True, **options):
    """again: a second run changes something too; back: undo brings the world back."""
    FRONTED.append((title, module, args, volumes or {}, devices if exists else "", {"again": False, "back": True, **options}))


def hosted(title, given, task, probe, wanted):
    """given, probe: for a shell. task: YAML. wanted: what the probe prints when the task is done."""
    HOSTED.append(Hosted(title, given, task, probe, wanted))


def live(title, module, args, given="", probe="true", loose=(), long=False):
    """The case makes its own world with `given`; `probe` prints what is left."""
    title = f"{module.split('.')[-1]} {title}"
    if os.environ.get("HF_LONG") or not (long or title in LONG):
        LIVE.append(Live(title, module, args, given, probe, set(loose)))


def machined(title, module, args, given="", probe="true", loose=()):
    MACHINED.append(Live(f"{module.split('.')[-1]} {title}", module, args, given, probe, set(loose)))


def chained(module, args, loose=()):
    title = f"{len(CHAINED)} {module} {' '.join(f'{k}={v}' for k, v in args.items())}"
    CHAINED.append(Chained(title, module, args, set(loose)))


def load():
    """Every module's cases, in the order of the modules' names."""
    if PLAYED:
        return
    for path in sorted((pathlib.Path(__file__).parent / "cases").glob("*.py")):
        spec = importlib.util.spec_from_file_location(f"cases_{path.stem}", path)
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
