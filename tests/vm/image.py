"""The disk, kernel and first root of the machine with a kernel of its own: made once, kept in HF_CACHE, never changed.

The root is a debootstrap'd Debian 12 like the other hosts' (tests/system/pristine.py), with its kernel, LVM, mdadm, file systems
and SELinux's policy. mke2fs makes the disk of it, no loop device needed; the kernel and a first root of a few modules are
given to qemu."""
import fcntl
import hashlib
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
from pristine import PACKAGES, HostError, cache_folder, root  # noqa: E402

GUEST = pathlib.Path(__file__).resolve().parent / "guest"
VM_PACKAGES = PACKAGES + """python3 linux-image-cloud-amd64 busybox-static cpio lvm2 thin-provisioning-tools mdadm xfsprogs btrfs-progs
    policycoreutils policycoreutils-python-utils selinux-policy-default selinux-utils python3-selinux python3-semanage""".split()
SIZE = "3G"  # sparse
# Units that would only cost time: everything is slow where the processor is emulated.
MASKED = """systemd-timesyncd.service apparmor.service cron.service e2scrub_reap.service console-getty.service getty@tty1.service
    serial-getty@ttyS0.service mdadm.service mdmonitor.service mdcheck_start.timer mdcheck_continue.timer mdmonitor-oneshot.timer
    selinux-autorelabel.service selinux-autorelabel-mark.service systemd-logind.service atd.service systemd-binfmt.service proc-sys-fs-binfmt_misc.automount systemd-update-utmp.service
    systemd-user-sessions.service systemd-update-utmp-runlevel.service dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount
    sys-kernel-tracing.mount modprobe@efi_pstore.service modprobe@fuse.service systemd-pstore.service""".split()
# Loads what the disk needs (virtio is not built into Debian's kernel) and goes there.
INIT = """#!/bin/busybox sh
export PATH=/bin
/bin/busybox mkdir -p /proc /sys /dev /root
/bin/busybox mount -t devtmpfs dev /dev
{modules}
n=0
while [ ! -b /dev/vda ] && [ $n -lt 600 ]; do /bin/busybox sleep 0.1; n=$((n + 1)); done
/bin/busybox mount -t ext4 -o rw,noatime /dev/vda /root
exec /bin/busybox switch_root /root /sbin/init
"""
# Volumes are activated by who asks for it; nothing that only costs time.
LVM = """devices { md_component_detection = 0 multipath_component_detection = 0 }
backup { backup = 0 archive = 0 }
activation { monitoring = 0 reserved_memory = 0 reserved_stack = 0 }
"""
SETTLE = """set -e
mount --make-rprivate /
mount -t proc proc "$0/proc"
chroot "$0" systemctl enable holdfast-door.service
chroot "$0" setfiles -F -e /proc /etc/selinux/default/contexts/files/file_contexts /
"""


def _run(*argv, **more):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, **more)
    if done.returncode != 0:
        raise HostError(f"{argv[0]}: {done.stdout[-1000:]}{done.stderr[-2000:]}")
    return done.stdout


def image():
    """Folder with disk, vmlinuz and initrd."""
    base = root(VM_PACKAGES)
    key = hashlib.sha256(pathlib.Path(__file__).read_bytes())
    for path in sorted(GUEST.iterdir()):
        key.update(path.read_bytes())
    folder = cache_folder() / f"{base.name}-vm-{key.hexdigest()[:12]}"
    with open(f"{folder}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            scratch = pathlib.Path(tempfile.mkdtemp(prefix=f"{folder.name}-", dir=cache_folder()))
            try:
                _make(base, scratch)
                shutil.rmtree(scratch / "root")
                scratch.rename(folder)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
    return folder


def _make(base, scratch):
    tree = scratch / "root"
    tree.mkdir(mode=0o755)
    _run("cp", "-a", "--reflink=auto", f"{base}/.", str(tree))
    (tree / "boot").rename(scratch / "boot")
    (tree / "boot").mkdir(mode=0o755)
    next((scratch / "boot").glob("vmlinuz-*")).rename(scratch / "vmlinuz")
    shutil.rmtree(scratch / "boot")
    _first_root(tree, scratch / "initrd")
    shutil.copy(GUEST / "door.py", tree / "usr/local/sbin/holdfast-door")
    shutil.copy(GUEST / "holdfast-door.service", tree / "etc/systemd/system/holdfast-door.service")
    for unit in ("systemd-udevd.service", *MASKED):
        (tree / "etc/systemd/system" / unit).unlink(missing_ok=True)
    for unit in MASKED:
        (tree / "etc/systemd/system" / unit).symlink_to("/dev/null")
    (tree / "etc/fstab").write_text("")
    (tree / "etc/lvm/lvmlocal.conf").write_text(LVM)
    (tree / "etc/udev/rules.d/69-lvm.rules").symlink_to("/dev/null")
    _run("unshare", "--mount", "sh", "-c", SETTLE, str(tree))
    _run("mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-E", "lazy_itable_init=1,nodiscard", "-d", str(tree), str(scratch / "disk"), SIZE)


def _first_root(tree, target):
    """An archive of busybox, the modules, and what loads them."""
    version = next((tree / "lib/modules").iterdir()).name
    lines = []
    for name in ("virtio_pci", "virtio_blk"):
        told = _run("chroot", str(tree), "modprobe", "-S", version, "--show-depends", name).splitlines()
        lines += [line for line in told if line.startswith("insmod ") and line not in lines]
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        for path in ["bin/busybox", *(line.split()[1].lstrip("/") for line in lines)]:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(tree / path, folder / path)
        (folder / "init").write_text(INIT.format(modules="\n".join(f"/bin/busybox {line}" for line in lines)))
        (folder / "init").chmod(0o755)
        archive = subprocess.run(["sh", "-c", "find . | cpio --quiet -o -H newc"], cwd=folder, capture_output=True, check=True).stdout
    target.write_bytes(archive)
