"""The examples of the modules' manual pages, run as a reader would run them: on a real Debian host that is thrown away
afterwards. Looking first (--check) touches nothing; applying does what the page says; applying once more changes nothing.

What an example needs is given to it here. One that needs what no test host has (a disk, an engine, another machine) is run
all the same, and then has to say what is missing: its row has the words. None is left out.
"""
import io
import json
import pathlib
import re
import sys
import tarfile
import textwrap

import pytest

from places import BUILD, ROOT

sys.path.insert(0, str(ROOT / "tests/system"))
from host import Host  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
PAGES = {p.stem: "\n".join(re.findall(r"```yaml\n(.*?)```", p.read_text(), re.S)) for p in sorted((ROOT / "modules").glob("*.md"))}
EXAMPLES = {name: text for name, text in PAGES.items() if text}
# One answer to whoever asks: a server where systemd listens.
ANSWER = r"""#!/bin/sh
while read -r line && [ "${#line}" -gt 1 ]; do :; done
printf 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok'
"""
ASKS = """#!/bin/sh
printf 'the licence, yes? '; read -r a; printf 'which folder '; read -r b
[ "$a" = yes ] && [ "$b" = /opt/driver ] && touch /opt/driver/installed
"""
PARTNERS = """<x:business xmlns:x="http://example.org/shop"><x:website address="http://example.org"/></x:business>
"""
SHOP = """<business><name>Tasty Beverage Co.</name><rating>10</rating><beers><beer>Rochefort 10</beer></beers></business>
"""


def trainer():
    """trainer-2.1.tar.zst: one raw block, so that nobody needs a compressor."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        info = tarfile.TarInfo("trainer-2.1/bin/trainer")
        info.size, info.mode = 3, 0o755
        tar.addfile(info, io.BytesIO(b"go\n"))
    data = out.getvalue()
    return b"\x28\xb5\x2f\xfd\xa0" + len(data).to_bytes(4, "little") + (len(data) << 3 | 1).to_bytes(3, "little") + data


class Row:
    """given: shell text that is run first, in the play's folder. vars: what the reader has defined. files: beside the play.
    fails: {task: words of its failure}; check, apply: the same where only one of the two fails. again: tasks that change
    something every time they are run."""

    def __init__(self, given="", vars=None, files=None, fails=None, check=None, apply=None, again=()):
        self.given, self.vars, self.files, self.again = given, vars or {}, files or {}, set(again)
        self.fails = {"check": {**(fails or {}), **(check or {})}, "apply": {**(fails or {}), **(apply or {})}}


def made(*names):
    """What other pages' examples make."""
    return "; ".join(f"holdfast apply /root/{name}/site.yml >/dev/null" for name in names)


def no_program(name, *tasks):
    return Row(fails={task: f'Failed to find required executable "{name}"' for task in tasks})


NO_ENGINE = "Error connecting to the engine at /var/run/docker.sock"
NO_SELINUX = "SELinux is disabled on this host"
ROWS = {
    "acl": Row("mkdir -p /srv/data && touch /srv/data/set",
               fails={"the trainers may read the data set": 'Failed to find required executable "setfacl"',
                      "and all that comes later": 'Failed to find required executable "setfacl"'}),
    "add_host": Row(again=["a second name for this machine"]),
    "archive": Row("mkdir -p /srv/checkpoints/tmp /srv/archive; echo 1 >/srv/checkpoints/a; echo 2 >/srv/checkpoints/tmp/b; "
                   "echo old >/var/log/old.log"),
    "assemble": Row("mkdir -p /etc/trainer.d; echo a=1 >/etc/trainer.d/1; echo b=2 >/etc/trainer.d/2"),
    "async_status": Row("mkdir -p /root/.ansible_async; echo '{\"started\": 1, \"finished\": 1, \"changed\": false, "
                        "\"ansible_job_id\": \"1.2\"}' >/root/.ansible_async/1.2", vars={"job": {"ansible_job_id": "1.2"}}),
    "apache2_module": Row(fails={"behind a proxy": "Neither of apache2ctl nor apachectl found"}),
    "authorized_key": Row(again=["the operators' keys and no others", "a key that may only run one command"]),  # each undoes the other
    "command": Row(apply={"format the data disk once": "No such file or directory: b'mkfs.xfs'"},
                   again=["words taken as they are"]),
    "conda_env": Row(fails={
        "the training environment, to the byte": "open /srv/train/conda-linux-64.lock: No such file or directory",
        "an environment of a few packages": "none of micromamba, mamba and conda is there"}),
    "copy": Row("useradd grafana", files={"dashboards/gpu.json": "{}\n", "training.sudoers": "training ALL=(ALL) ALL\n"}),
    "docker_container": Row(fails={"the exporter of GPU metrics": NO_ENGINE}),
    "docker_image": Row(fails={"the exporter's image": NO_ENGINE, "an image of this host's own": NO_ENGINE}),
    "docker_network": Row(fails={"a network of the metrics": NO_ENGINE}),
    "ec2_metadata_facts": Row(fails={"what this instance is": "Failed to retrieve metadata token from AWS",
                                     "say its type": "'ansible_ec2_instance_type' is undefined"}),
    "expect": Row("mkdir -p /opt/driver; cp install /opt/driver/; chmod 755 /opt/driver/install", files={"install": ASKS}),
    "fetch": Row("echo trained >/var/log/trainer.log"),
    "file": Row("useradd training; mkdir -p /opt/trainer-2.1"),
    "find": Row("mkdir -p /data/checkpoints; touch -d '40 days ago' /data/checkpoints/a.pt"),
    "firewalld": Row("firewall-offline-cmd --state", fails={"the scheduler's port, now and after a reload": "firewall is not currently running"}),
    "gem": no_program("gem", "a log forwarder for everybody"),
    "get_url": Row(fails={"the model": "Could not resolve host: models.example.com"}),
    "git": no_program("git", "the training code"),
    "gpu_health": Row(fails={"GPUs are fit for training": "/dev/kmsg|GPU"}),
    "group_by": Row(again=["one group for each system"]),
    "include_vars": Row(files={"Debian.yml": "packages: apt\n"}),
    "known_hosts": Row("mkdir -p /etc/ssh; echo 'old.example.org ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample' >/etc/ssh/ssh_known_hosts"),
    "lineinfile": Row("mkdir -p /etc/ssh; echo '#PasswordAuthentication yes' >/etc/ssh/sshd_config; ln -s /bin/true /usr/sbin/sshd; "
                      "echo 'workers = 4' >/etc/trainer.conf"),
    "lvg": no_program("vgs", "one group over both data disks"),
    "lvol": no_program("vgs", "everything that is free for the cache", "twenty gigabytes more, and the file system with them"),
    "mdadm": Row(fails={"one fast disk of the instance's four": 'Failed to find required executable "mdadm"',
                        "it keeps its name": "'dict object' has no attribute 'array'"}),
    "nmcli": no_program("nmcli", "an address for the second interface", "a bond of two", "its first port",
                        "what was changed takes effect"),
    "npm": no_program("npm", "what package.json names", "a tool for everybody"),
    "openssh_keypair": Row(fails={"the key that fetches the training code": "Cannot find either the OpenSSH binary in the PATH",
                                  "what the repository's owner enters": "'dict object' has no attribute 'public_key'"}),
    "openssl_csr": Row(made("openssl_privatekey")),
    "openssl_csr_info": Row(made("openssl_privatekey", "openssl_csr")),
    "openssl_csr_pipe": Row(made("openssl_privatekey"), again=["a request that lies nowhere"]),
    "openssl_publickey": Row(made("openssl_privatekey")),
    "parted": Row(fails={"one partition over the whole data disk": "Error while getting device information with parted script"}),
    "raw": Row(again=["which kernel"]),
    "replace": Row("echo 'deb http://de.archive.ubuntu.com noble main' >/etc/apt/sources.list"),
    "script": Row(files={"register.sh": "#!/bin/sh\nmkdir -p /var/lib/scheduler\necho $2 >/var/lib/scheduler/registered\n"}),
    "sefcontext": Row(fails={"the data of the training service": NO_SELINUX, "homes elsewhere": NO_SELINUX}),
    "set_fact": Row(vars={"release": "7"}),
    "shell": Row(again=["keep the list of GPUs"]),
    "slurp": Row("mkdir -p /etc/ssh; echo ssh-ed25519 AAAA >/etc/ssh/ssh_host_ed25519_key.pub"),
    "snap": no_program("snap", "the agent that many clouds bring as a snap", "an option of a snap"),
    "synchronize": no_program("rsync", "a mirror of the data"),
    "tempfile": Row(again=["room to build"]),
    "template": Row(files={"trainer.conf.j2": "workers = {{ 4 * 2 }}\n"}),
    "ufw": Row("ufw status"),
    "unarchive": Row("mkdir -p /opt/node_exporter", files={"trainer-2.1.tar.zst": trainer()},
                     fails={"a download, without its top directory": "example.com"}),
    "uri": Row(check={"wait until the scheduler answers": "'dict object' has no attribute 'status'"}),
    "validate_argument_spec": Row(vars={"port": 8080}),
    "x509_certificate": Row(made("openssl_privatekey", "openssl_csr", "x509_certificate") +
                            "; cp /etc/ssl/metrics.crt /etc/ssl/ca.crt; cp /etc/ssl/private/metrics.pem /etc/ssl/private/ca.pem",
                            again=["a certificate of its own for the metrics endpoint", "one that our CA has signed, for a year"]),
    "x509_certificate_info": Row(made("openssl_privatekey", "openssl_csr", "x509_certificate")),
    "xml": Row("cp shop.xml partners.xml /etc/", files={"shop.xml": SHOP, "partners.xml": PARTNERS}),
}


def book(name):
    """The page's tasks as a play of their own; one that fails does not keep the next from being tried."""
    facts = "true" if "ansible_facts" in EXAMPLES[name] else "false"
    head = f"- hosts: localhost\n  connection: local\n  gather_facts: {facts}\n  ignore_errors: true\n"
    row = ROWS.get(name, Row())
    return f"{head}  vars: {json.dumps(row.vars)}\n  tasks:\n" + textwrap.indent(EXAMPLES[name], "    ") + "\n"


@pytest.fixture(scope="module")
def host():
    with Host() as booted:
        booted.install(BUILD / "holdfast", "/usr/bin/holdfast")
        booted.install(HERE / "ufw_shim.sh", "/usr/sbin/ufw")
        for name in ("firewall-cmd", "firewall-offline-cmd"):
            booted.install(HERE / "firewall_shim.sh", f"/usr/bin/{name}")
        booted.put("/usr/bin/answer", ANSWER, 0o755)
        for port in (8080, 8883):
            booted.run(f"systemd-run --quiet systemd-socket-activate -l 127.0.0.1:{port} --accept --inetd /usr/bin/answer",
                       check=True)
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            for name in EXAMPLES:
                for path, data in {"site.yml": book(name), **ROWS.get(name, Row()).files}.items():
                    data = data.encode() if isinstance(data, str) else data
                    info = tarfile.TarInfo(f"{name}/{path}")
                    info.size = len(data)
                    tar.addfile(info, io.BytesIO(data))
        booted.run("tar -C /root --no-same-owner -xf -", input=packed.getvalue(), check=True)
        yield booted


def results(text):
    """{task: (status, what it said)}"""
    events = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    return {e["task"]: (e["status"], e["msg"] or json.dumps(e.get("result"))) for e in events
            if e["type"] == "task" and e["task"] != "Gathering Facts"}


RUN = """cd /root/{name} && {{ {given}; }} >given.out 2>&1
touch /run/before; sleep 0.02
holdfast apply --check site.yml --output jsonl >check.out 2>&1
find /etc /srv /opt /data -xdev -newercm /run/before >touched.out 2>/dev/null
holdfast apply site.yml --output jsonl >apply.out 2>&1
holdfast apply site.yml --output jsonl >again.out 2>&1
for f in given check touched apply again; do cat $f.out; echo; echo "== end"; done"""


@pytest.mark.parametrize("name", EXAMPLES)
def test_example(host, name):
    row = ROWS.get(name, Row())
    done = host.run(RUN.format(name=name, given=row.given or ":"), timeout=600)
    _, check, touched, apply, again = done.out.split("\n== end\n")[:5]
    tasks = re.findall(r"^- name: (.*)$", EXAMPLES[name], re.M)
    for mode, text in (("check", check), ("apply", apply)):
        got, fails = results(text), row.fails[mode]
        assert list(got) == tasks, done
        assert {t for t, (status, _) in got.items() if status in ("failed", "ignored")} == set(fails), (mode, got)
        for task, words in fails.items():
            assert re.search(words, got[task][1]), (mode, got[task])
    assert touched.strip() == "", "check mode wrote"
    changed = {t for t, (status, _) in results(again).items() if status == "changed"}
    assert changed == row.again, again


def test_every_row_has_its_example():
    assert set(ROWS) <= set(EXAMPLES)
