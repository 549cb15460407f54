"""A Debian 12 machine with a kernel of its own, in qemu: what a container cannot show.

    with Machine(disks=[512, 512], given={"holdfast": BUILD / "holdfast"}) as machine:    # MiB of each NVMe disk
        r = machine.run("modprobe dummy && lsmod")
        machine.rebooted()                       # after something inside asked for it

Its processor is emulated where there is no KVM: a boot then takes a minute, and a Python program inside starts in seconds.
Commands and their answers go through a virtio port (guest/door.py); what is given lies read-only below /srv/given. The disk is
the image of image.py, and what is written to it is gone with the machine, not with a reboot."""
import base64
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

from image import HostError, cache_folder, image

BOOT_SECONDS = 900
RUN_SECONDS = 900
MEMORY = "1024"
# Emulated, the fewer features the fewer modules udev loads for them.
CPU = {"kvm": "host", "tcg": "qemu64,-svm"}
KERNEL = ("root=/dev/vda console=ttyS0 loglevel=4 security=selinux selinux=1 net.ifnames=0 mitigations=off systemd.show_status=0 "
          "systemd.default_timeout_start_sec=900")


def accelerator():
    """KVM where the processor has it; /dev/kvm alone may make a machine that never runs."""
    words = pathlib.Path("/proc/cpuinfo").read_text().split()
    return "kvm" if {"vmx", "svm"} & set(words) and os.access("/dev/kvm", os.R_OK | os.W_OK) else "tcg"


class Result:
    """What a command left: rc, out, err (text)."""

    def __init__(self, command, rc, out, err):
        self.command, self.rc = command, rc
        self.out, self.err = out.decode(errors="replace"), err.decode(errors="replace")

    def __repr__(self):
        return f"{self.command}: rc {self.rc}\n--- out\n{self.out}\n--- err\n{self.err}"


class Machine:
    def __init__(self, disks=(), given=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hfvm-", dir=cache_folder()))
        self.console = self.folder / "console"
        self.disks, self.given = list(disks), dict(given or {})
        self.process = self.door = None
        self.pending, self.count, self.boot_id = b"", 0, None

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_):
        self.close()

    # --- from off to up -------------------------------------------------------------------------------------------
    def start(self):
        made = image()
        port = self.folder / "door"
        argv = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-accel", accelerator(), "-cpu", CPU[accelerator()], "-m", MEMORY, "-smp", "1", "-kernel", str(made / "vmlinuz"), "-initrd", str(made / "initrd"), "-append", KERNEL,
                "-serial", f"file:{self.console}", "-device", "virtio-rng-pci", "-device", "virtio-serial-pci",
                "-chardev", f"socket,id=door,path={port},server=on,wait=off", "-device", "virtserialport,chardev=door,name=holdfast.door",
                "-drive", f"if=virtio,format=raw,snapshot=on,file={made / 'disk'}",
                "-drive", f"if=virtio,format=raw,readonly=on,file={self._given()}"]
        for i, size in enumerate(self.disks):
            path = self.folder / f"disk{i}"
            with open(path, "wb") as f:
                f.truncate(size << 20)
            argv += ["-drive", f"if=none,id=disk{i},format=raw,cache=unsafe,file={path}", "-device", f"nvme,drive=disk{i},serial=hf{i}"]
        with open(self.folder / "qemu", "wb") as log:
            self.process = subprocess.Popen(["nice", "-n", "10", *argv], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env={**os.environ, "TMPDIR": str(self.folder)})
        self._connect(port)
        self._up(BOOT_SECONDS)
        return self

    def _given(self):
        """A disk with the files given."""
        tree, disk = self.folder / "tree", self.folder / "given"
        tree.mkdir()
        for name, path in self.given.items():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if pathlib.Path(path).is_dir() else shutil.copy)(path, tree / name)
        size = sum(p.stat().st_size + 4096 for p in tree.rglob("*")) * 5 // 4 + (8 << 20)
        subprocess.run(["mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-d", str(tree), str(disk), f"{size >> 10}k"], check=True)
        shutil.rmtree(tree)
        return disk

    def _connect(self, port):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                self.door = socket.socket(socket.AF_UNIX)
                self.door.connect(str(port))
                return
            except OSError:
                self.door.close()
                if self.process.poll() is not None:
                    break
                time.sleep(0.1)
        raise HostError(f"qemu does not start: {(self.folder / 'qemu').read_text()[-2000:]}")

    def _up(self, timeout):
        """Until the door says which boot this is."""
        end = time.monotonic() + timeout
        while True:
            message = self._hear(end)
            if "up" in message and message["up"] != self.boot_id:
                self.boot_id = message["up"]
                self.run("mkdir -p /srv/given && mount -o ro /dev/vdb /srv/given && cd /srv/given && for p in holdfast holdfastd; do "
                         "[ ! -e $p ] || install -m 755 $p /usr/bin/$p; done", check=True)
                return

    def _hear(self, end):
        """The next message from inside."""
        while b"\n" not in self.pending:
            left = end - time.monotonic()
            if left <= 0 or self.process.poll() is not None:
                raise HostError(f"the machine does not answer:\n{self.tail()}")
            self.door.settimeout(min(left, 5))
            try:
                self.pending += self.door.recv(1 << 16)
            except TimeoutError:
                pass
        line, self.pending = self.pending.split(b"\n", 1)
        return json.loads(line)

    # --- what it is asked -----------------------------------------------------------------------------------------
    def run(self, command, input=b"", timeout=RUN_SECONDS, check=False):
        """Run inside as root: a text goes to bash, a list is run as it is."""
        argv = ["/bin/bash", "-c", command] if isinstance(command, str) else list(command)
        data = input.encode() if isinstance(input, str) else input
        self.count += 1
        request = {"id": self.count, "argv": argv, "input": base64.b64encode(data).decode(), "timeout": timeout}
        self.door.settimeout(None)
        self.door.sendall(json.dumps(request).encode() + b"\n")
        end = time.monotonic() + timeout + 60
        while True:
            message = self._hear(end)
            if message.get("id") == self.count:
                break
        result = Result(command, message["rc"], *(base64.b64decode(message[k]) for k in ("out", "err")))
        if check and result.rc != 0:
            raise HostError(f"{result}\n{self.tail()}")
        return result

    def put(self, path, data, mode=0o644):
        """Write a file inside; its folders are made."""
        self.run(f'mkdir -p "$(dirname {path})" && cat >{path} && chmod {mode:o} {path}', input=data, check=True)

    def get(self, path):
        """Text of a file inside."""
        return self.run(["cat", "--", str(path)], check=True).out

    def rebooted(self, timeout=BOOT_SECONDS):
        """After something inside asked for a reboot: until the next boot is up."""
        self._up(timeout)
        return self

    # --- the end --------------------------------------------------------------------------------------------------
    def close(self):
        if self.door is not None:
            self.door.close()
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def tail(self):
        said = [path.read_bytes()[-3000:].decode(errors="replace") for path in (self.folder / "qemu", self.console) if path.exists()]
        return "\n".join(said)
