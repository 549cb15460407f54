"""What cases of several modules begin with."""
import pathlib
import sys

from rows import Disk, File, called

SHIM = pathlib.Path(__file__).with_name("tool_shim.py")
SSHD = "Port 22\n#PermitRootLogin yes\nUsePAM yes\n"
EMPTY = Disk()
# A container as docker's engine keeps it.
BUSYBOX = {"Image": "busybox:1", "AttachStdout": True, "AttachStderr": True}
# Volumes of a group.
HOME, OFF = {"home": {"size": 40, "active": True}}, {"home": {"size": 40, "active": False}}
# What snapd has, and Apache's modules that are there.
SNAPS = {}
APACHE = ["auth_basic", "mpm_event", "needed", "needed_too", "php8.2"]
# Of apt.
NO_SOURCES = "rm -rf /etc/apt/sources.list.d/* /etc/apt/keyrings/*; "
SOURCES = "cd /etc/apt; for f in sources.list.d/* keyrings/*; do [ -e $f ] && stat -c '%n %a' $f && cat $f; done; cat sources.list"


def setting(title, module, given=None, loose=(), always=False, **args):
    """Of a module that keeps one setting in a file of its own kind."""
    called(f"{module.rpartition('.')[2]} {title}", {module: args}, {"f": given} if given is not None else {}, loose=list(loose), always=always)


def tool(name):
    """A program that keeps what it does beside itself."""
    return File(f'#!/bin/sh\nexec "{sys.executable}" -I -S "{SHIM}" {name} "$(dirname "$0")" "$@"\n', 0o755)
