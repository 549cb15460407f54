"""What the shipped roles ask vendors for, laid out as the vendors lay it out (same names, same places, almost nothing inside): repositories
of .deb and .rpm packages, and installers for a server of addresses and hashes."""
import hashlib
import http.server
import io
import subprocess
import tarfile

KERNELS = {"apt": "6.8.0-9-hf", "dnf": "6.1.0-9.hf.x86_64"}
UNIT = "[Service]\nExecStart=/bin/sleep infinity\n\n[Install]\nWantedBy=multi-user.target\n"
TIMER = "[Timer]\nOnCalendar=daily\n\n[Install]\nWantedBy=timers.target\n"
PROGRAM = "#!/bin/sh\n"
SYSTEM = "usr/lib/systemd/system"
# Of the roles' variables, those that every host with these vendors is given.
ROLE_VARIABLES = """nvidia_driver_fabric_manager: true
container_toolkit_runtimes: [docker, containerd]
container_toolkit_restart: false
instance_store_model: a disk that no machine has
miniforge_environments:
  - { name: jax, lock: jax.txt }
cloudwatch_agent_logs:
  - { file: /var/log/train.log, group: training }
"""
# Writes as NVIDIA's does: JSON with sorted keys and no newline at the end, TOML beside what is there.
CTK = '''#!/usr/bin/python3
import json, os, sys
words = dict(w.lstrip("-").split("=", 1) for w in sys.argv if "=" in w)
if sys.argv[1:3] == ["cdi", "generate"]:
    os.makedirs(os.path.dirname(words["output"]), exist_ok=True)
    open(words["output"], "w").write("cdiVersion: 0.5.0\\nkind: nvidia.com/gpu\\n")
elif words["runtime"] == "docker":
    path = "/etc/docker/daemon.json"
    said = json.load(open(path)) if os.path.exists(path) else {}
    said.setdefault("runtimes", {})["nvidia"] = {"args": [], "path": "nvidia-container-runtime"}
    open(path, "w").write(json.dumps(said, indent=4, sort_keys=True))
else:
    path = "/etc/containerd/config.toml"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    said = open(path).read() if os.path.exists(path) else "version = 2\\n"
    if "nvidia" not in said:
        open(path, "w").write(said + '[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.nvidia]\\n')
'''
# dnf's own plugin is a package of its own; this says what that one says.
LOCK = '''import dnf, dnf.cli, os
PATH = "/etc/dnf/plugins/versionlock.list"

@dnf.plugin.register_command
class Lock(dnf.cli.Command):
    aliases = ["versionlock"]
    summary = "hold packages"

    @staticmethod
    def set_argparser(parser):
        parser.add_argument("action")
        parser.add_argument("package", nargs="*")

    def run(self):
        kept = open(PATH).read().split() if os.path.exists(PATH) else []
        for name in self.opts.package:
            print(("Package already locked in equivalent form: " if name in kept else "Adding versionlock on: ") + name)
            kept += [] if name in kept else [name]
        os.makedirs(os.path.dirname(PATH), exist_ok=True)
        open(PATH, "w").write("\\n".join(kept) + "\\n")
'''
COMMON = {
    "amazon-cloudwatch-agent": {"opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent": PROGRAM, f"{SYSTEM}/amazon-cloudwatch-agent.service": UNIT},
    "amazon-ssm-agent": {"usr/bin/amazon-ssm-agent": PROGRAM, f"{SYSTEM}/amazon-ssm-agent.service": UNIT},
    "datacenter-gpu-manager": {"usr/bin/nv-hostengine": PROGRAM, f"{SYSTEM}/nvidia-dcgm.service": UNIT},
    "datacenter-gpu-manager-exporter": {"usr/bin/dcgm-exporter": PROGRAM, f"{SYSTEM}/nvidia-dcgm-exporter.service": UNIT},
    "cuda-toolkit-12-4": {"usr/local/cuda-12.4/bin/nvcc": PROGRAM}, "cuda-toolkit-12-6": {"usr/local/cuda-12.6/bin/nvcc": PROGRAM},
    "libnccl2": {"usr/lib/libnccl.so.2": ""}, "nvidia-container-toolkit": {"usr/bin/nvidia-ctk": CTK},
}
DRIVER = {f"{SYSTEM}/nvidia-persistenced.service": UNIT}
FABRIC = {"usr/bin/nv-fabricmanager": PROGRAM, f"{SYSTEM}/nvidia-fabricmanager.service": UNIT}
HEADERS = {manager: {f"usr/lib/modules/{kernel}/build/Makefile": ""} for manager, kernel in KERNELS.items()}
# name, version, files; two versions of the fabric manager, of which only one is the driver's
DEBS = [*[(name, "1.0-1", files) for name, files in COMMON.items()],
        *[("nvidia-fabricmanager-550", v, FABRIC) for v in ("550.90.07-1", "550.95.01-1")]]
UBUNTU = [*DEBS, ("chrony", "4.5-1ubuntu4", {f"{SYSTEM}/chrony.service": UNIT, "etc/chrony/keys": ""}),
          ("docker.io", "24.0.7-0ubuntu4", {f"{SYSTEM}/docker.service": UNIT}), (f"linux-headers-{KERNELS['apt']}", "6.8.0-9", HEADERS["apt"]),
          ("nvidia-headless-550-server-open", "550.90.07-0ubuntu0.24.04.1", {}), ("nvidia-utils-550-server", "550.90.07-0ubuntu0.24.04.1", DRIVER),
          ("prometheus-node-exporter", "1.7.0-1", {f"{SYSTEM}/prometheus-node-exporter.service": UNIT}), ("python3-venv", "3.12.3-0ubuntu2", {}),
          ("python3-pip", "24.0+dfsg-1ubuntu1", {}), ("nfs-common", "1:2.6.4-3ubuntu5", {})]
RPMS = {
    "local": [("bash", "5.1.8", {}), ("chrony", "4.3", {f"{SYSTEM}/chronyd.service": UNIT}), ("docker", "25.0.5", {f"{SYSTEM}/docker.service": UNIT}),
              ("kernel-devel", "6.1.0", HEADERS["dnf"]), ("python3", "3.9.18", {}), ("python3-pip", "21.3.1", {}), ("nfs-utils", "2.5.4", {}),
              ("amazon-efs-utils", "2.0", {}), ("lustre-client", "2.15", {}), ("kmod-lustre-client", "2.15", {}),
              ("dnf-automatic", "4.14", {f"{SYSTEM}/dnf-automatic.timer": TIMER, f"{SYSTEM}/dnf-automatic.service": UNIT}),
              ("python3-dnf-plugin-versionlock", "4.3", {"usr/lib/python3/dist-packages/dnf-plugins/versionlock.py": LOCK}),
              *[(name, "1.0", COMMON[name]) for name in ("amazon-cloudwatch-agent", "amazon-ssm-agent")]],
    "docker": [("docker-ce", "26.1.0", {f"{SYSTEM}/docker.service": UNIT}), ("docker-ce-cli", "26.1.0", {}), ("containerd.io", "1.6", {})],
    "nvidia": [("nvidia-driver-cuda", "550.90.07", DRIVER), ("kmod-nvidia-open-dkms", "550.90.07", {}),
               *[(name, "1.0", files) for name, files in COMMON.items() if not name.startswith("amazon")]],
    "fabric": [("nvidia-fabric-manager", "550.90.07", FABRIC)], "newer": [("nvidia-fabric-manager", "550.95.01", FABRIC)],
}
RELEASES = {"kernel-devel": "9.hf"}
BUILD = """set -e; mkdir -p /etc/rpm /etc/yum.repos.d; echo '%_dbpath /var/lib/rpm' >/etc/rpm/macros.hf
for spec in /srv/specs/*.spec; do
    to=$(basename $spec .spec); case $to in fabric|newer) to=nvidia ;; esac
    rpmbuild -bb --quiet --define '_topdir /root/work' --define "_rpmdir /srv/rpms/$to" --define '_build_name_fmt %%{NAME}-%%{VERSION}.rpm' $spec
done
for repository in /srv/rpms/*; do createrepo_c -q $repository; done
printf '[local]\\nname=Local\\nbaseurl=file:///srv/rpms/local\\ngpgcheck=0\\nenabled=1\\n' >/etc/yum.repos.d/local.repo
"""


def debs(folder, rows=None):
    """A local archive of these packages."""
    folder.mkdir()
    told = []
    for name, version, files in rows or DEBS:
        tree = folder / "tree" / f"{name}-{version}"
        for path, text in files.items():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_text(text)
            (tree / path).chmod(0o755 if text.startswith("#!") else 0o644)
        (tree / "DEBIAN").mkdir(parents=True)
        control = f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: test <test@example.org>\nDescription: dummy\n"
        (tree / "DEBIAN/control").write_text(control)
        if name == "docker.io":
            (tree / "DEBIAN/postinst").write_text("#!/bin/sh\ngroupadd --force --system docker\n")
            (tree / "DEBIAN/postinst").chmod(0o755)
        deb = folder / f"{name}_{version.replace(':', '-')}.deb"
        subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "-b", str(tree), str(deb)], check=True, capture_output=True)
        told.append(f"{control}Filename: ./{deb.name}\nSize: {deb.stat().st_size}\nSHA256: {hashlib.sha256(deb.read_bytes()).hexdigest()}\n")
    (folder / "Packages").write_text("\n".join(told))
    return folder


def spec(rows):
    """One specification of all packages of a repository; the first is the main one."""
    head, install, tail = "", "", ""
    for name, version, files in rows:
        tags = f"Version: {version}\nRelease: {RELEASES.get(name, 1)}\nSummary: s\nLicense: none\nAutoReq: no\n"
        tags += "Provides: /bin/sh\n" if name == "bash" else ""
        head += f"%package -n {name}\n{tags}%description -n {name}\nno\n"
        head += f"%pre -n {name}\ngroupadd --force --system docker\n" if name in ("docker", "docker-ce") else ""
        tail += f"%files -n {name}\n"
        for path, text in files.items():
            install += f"mkdir -p $(dirname %{{buildroot}}/{path})\ncat >%{{buildroot}}/{path} <<'END_OF_FILE'\n{text.replace('%', '%%')}END_OF_FILE\n"
            install += f"chmod {'755' if text.startswith('#!') else '644'} %{{buildroot}}/{path}\n"
            tail += f"/{path}\n"
    return f"%global __os_install_post %{{nil}}\nName: hf-none\nVersion: 1\nRelease: 1\nSummary: s\nLicense: none\n%description\nno\n{head}%install\n{install}{tail}"


def rpms(host):
    """Repositories in /srv/rpms of a host that has RPM's programs; only `local` is known to dnf."""
    for name, rows in RPMS.items():
        host.put(f"/srv/specs/{name}.spec", spec(rows))
    host.run(BUILD, check=True)


def tarball(name, files):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as tar:
        for path, text in files.items():
            entry = tarfile.TarInfo(f"{name}/{path}")
            entry.size, entry.mode = len(text), 0o755
            tar.addfile(entry, io.BytesIO(text.encode()))
    return raw.getvalue()


EFA = "#!/bin/sh\nmkdir -p /opt/amazon\necho '# EFA installer version: 1.34.0' >/opt/amazon/efa_installed_packages\n"
CONDA = '#!/bin/sh\n[ "$1 $2" = "create --yes" ] || exit 2\nd=$(dirname "$0")/../envs/$4/conda-meta\nmkdir -p "$d"\ncat "$6" >"$d/history"\n'
MINIFORGE = f"#!/bin/sh\n[ \"$1 $2\" = '-b -p' ] || exit 2\nmkdir -p \"$3/bin\"\ncat >\"$3/bin/conda\" <<'END'\n{CONDA}END\nchmod 755 \"$3/bin/conda\"\n"
DOWNLOADS = {"/efa.tar.gz": tarball("aws-efa-installer", {"efa_installer.sh": EFA}), "/miniforge.sh": MINIFORGE.encode(),
             "/node_exporter.tar.gz": tarball("node_exporter-1.8.2.linux-amd64", {"node_exporter": "#!/bin/sh\nexec sleep infinity\n"})}


SERVER = "http://127.0.0.1:3143"
DIGESTS = {path: hashlib.sha256(data).hexdigest() for path, data in DOWNLOADS.items()}
# What roles that fetch something have to be told.
FETCHED = {"efa_version": "1.34.0", "efa_url": f"{SERVER}/efa.tar.gz", "efa_sha256": DIGESTS["/efa.tar.gz"],
           "miniforge_version": "24.3.0-0", "miniforge_url": f"{SERVER}/miniforge.sh", "miniforge_sha256": DIGESTS["/miniforge.sh"]}
EXPORTER = {"node_exporter_url": f"{SERVER}/node_exporter.tar.gz", "node_exporter_sha256": DIGESTS["/node_exporter.tar.gz"]}


class Downloads(http.server.BaseHTTPRequestHandler):
    """Serves DOWNLOADS."""

    def do_GET(self):
        data = DOWNLOADS.get(self.path)
        self.send_response(200 if data is not None else 404)
        self.send_header("Content-Length", str(len(data or b"")))
        self.end_headers()
        self.wfile.write(data or b"")

    def do_HEAD(self):
        self.send_response(200 if self.path in DOWNLOADS else 404)
        self.end_headers()

    def log_message(self, *_):
        pass
