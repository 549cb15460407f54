"""Inside the machine: runs what the test asks for through the virtio port, one request a line, and answers on the same."""
import base64
import json
import os
import select
import subprocess

PORT = "/dev/virtio-ports/holdfast.door"


def answer(request):
    """What the command left; 124 as its status where it took too long."""
    try:
        done = subprocess.run(request["argv"], input=base64.b64decode(request["input"]), capture_output=True, timeout=request["timeout"])
        rc, out, err = done.returncode, done.stdout, done.stderr
    except subprocess.TimeoutExpired as late:
        rc, out, err = 124, late.stdout or b"", late.stderr or b""
    except OSError as e:
        rc, out, err = 127, b"", str(e).encode()
    return {"id": request["id"], "rc": rc, "out": base64.b64encode(out).decode(), "err": base64.b64encode(err).decode()}


def main():
    port = os.open(PORT, os.O_RDWR | os.O_CLOEXEC)

    def say(message):
        data = json.dumps(message).encode() + b"\n"
        while data:
            data = data[os.write(port, data):]

    with open("/proc/sys/kernel/random/boot_id") as f:
        say({"up": f.read().strip()})
    pending = []
    while True:
        select.select([port], [], [])
        pending.append(os.read(port, 1 << 16))
        if b"\n" in pending[-1]:
            *lines, last = b"".join(pending).split(b"\n")
            pending = [last]
            for line in lines:
                say(answer(json.loads(line)))


main()
