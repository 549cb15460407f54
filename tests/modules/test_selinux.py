"""selinux beside Ansible's module, both on a stand-in of the boot loader's grubby and, for Ansible's, of libselinux: SELinux is off here."""

import pytest

from kit import BUILD
from test_called import collections
from test_newest import ansible, comparable, holdfast_runs, within

LIBSELINUX = "def is_selinux_enabled(): return 0\ndef selinux_getpolicytype(): return [0, 'targeted']\n"
GRUBBY = r"""#!/bin/sh
[ -s /srv/kernels ] || exit 1
case "$*" in
--info=ALL) cat /srv/kernels ;;
"--update-kernel=ALL --args selinux=0") sed -i 's/ selinux=0//; s/^\(args=".*\)"$/\1 selinux=0"/' /srv/kernels ;;
"--update-kernel=ALL --remove-args selinux=0") sed -i 's/ selinux=0//' /srv/kernels ;;
*) exit 2 ;;
esac
"""
ON, OFF = 'index=0\nargs="ro quiet"\n', 'index=1\nargs="ro quiet selinux=0"\n'
LOOK = "cat /srv/kernels /etc/selinux/config"
ENFORCE = {"policy": "targeted", "state": "enforcing", "update_kernel_param": True}
DISABLE = {"state": "disabled", "update_kernel_param": True}
ROWS = [
    # title, arguments, the kernels; whether there is grubby
    ("on to off", DISABLE, ON * 2, True),
    ("off as before", DISABLE, OFF * 2, True),
    ("some on, to off", DISABLE, ON + OFF, True),
    ("off to on", ENFORCE, OFF * 2, True),
    ("on as before", ENFORCE, ON, True),
    ("some off, to on", ENFORCE, OFF + ON, True),
    ("not asked for", {"policy": "targeted", "state": "permissive"}, OFF, True),
    ("no grubby", DISABLE, ON, False),
    ("grubby fails", DISABLE, "", True),
    ("without a policy", {"state": "enforcing", "update_kernel_param": True}, ON, True),
]


def given(folder, kernels, grubby):
    """The scene: a configuration that says disabled, kernels and their tool."""
    folder.mkdir()
    (folder / "selinux.py").write_text(LIBSELINUX)
    (folder / "kernels").write_text(kernels)
    (folder / "grubby").write_text(GRUBBY)
    (folder / "grubby").chmod(0o755)
    path = f"PATH={folder}:$PATH; " if grubby else ""
    return (f"mkdir -p /etc/selinux/targeted/policy; printf 'SELINUX=disabled\\nSELINUXTYPE=targeted\\n' >/etc/selinux/config; "
            f"cp {folder}/kernels /srv/kernels; {path}export PYTHONPATH={folder}:{collections()}; ")


@pytest.mark.parametrize("title,args,kernels,grubby", ROWS, ids=[r[0] for r in ROWS])
def test_kernels_command_lines(tmp_path, holdfast, title, args, kernels, grubby):
    before = given(tmp_path / "scene", kernels, grubby)
    want, left = ansible(tmp_path / "a", "ansible.posix.selinux", args, before, LOOK)
    (check, untouched), (got, ours), (again, still) = holdfast_runs(holdfast, tmp_path / "h", "selinux", args, before, LOOK, "--check", "", "")
    assert bool(got.get("failed")) == bool(want.get("failed")), f"{want}\n{got}"
    assert comparable(got, ["details"]) == comparable(want, ["details"])
    assert untouched.startswith(kernels)
    if not want.get("failed"):
        assert got["changed"] == want["changed"] == check["changed"]
        assert ours == left == still and not again["changed"]


@pytest.mark.parametrize("title,args,kernels", [r[:3] for r in ROWS if r[0] in ("on to off", "off to on")], ids=["off", "on"])
def test_taken_back(tmp_path, title, args, kernels):
    (tmp_path / "play.yml").write_text(f"- hosts: all\n  gather_facts: false\n  tasks:\n    - selinux: {args}\n")
    door = BUILD / "tests/system/undo_door"
    (tmp_path / "h").mkdir()
    out, err = within(tmp_path / "h", given(tmp_path / "scene", kernels, True)
                      + f"{door} apply {tmp_path}/play.yml {tmp_path}/kept; {LOOK}; echo ==; {door} undo {tmp_path}/kept; {LOOK}")
    then, now = out.split("==\n")
    assert kernels in now and kernels not in then and "SELINUX=disabled\n" in now, out + err
