"""Cases of docker_container."""
from given import BUSYBOX
from rows import DOCKED, docked


def container(title, given=(), loose=(), **args):
    name = f"w{len(DOCKED)}"
    given = {k.replace("NAME", name): v for k, v in dict(given).items()}
    docked(f"container {title}", "docker_container", given, loose, name=name, **args)


BOX = {"image": "busybox:1"}
container("new", **BOX)
container("new, present", state="present", **BOX)
container("new, stopped", state="stopped", **BOX)
container("runs", {"NAME!": BUSYBOX}, **BOX)
container("starts", {"NAME": BUSYBOX}, **BOX)
container("stops", {"NAME!": BUSYBOX}, state="stopped")
container("stops by force", {"NAME!": BUSYBOX}, state="stopped", force_kill=True, kill_signal="TERM")
container("goes", {"NAME!": BUSYBOX}, state="absent")
container("goes, not there", state="absent")
container("pulls", image="hub.example/new:3")
container("pulls what is there", image="busybox:1", pull="always", always=True, loose=["check"])
container("never pulls", image="hub.example/none:3", pull="never")
container("pulls from nowhere", image="hub.example/nowhere:3", loose=["check", "msg"])
container("by a digest", image="sha256:" + "0" * 64)
container("no image", loose=["msg"])
container("another image", {"NAME!": BUSYBOX}, image="web:2")
container("another image, ignored", {"NAME!": BUSYBOX}, image="web:2", comparisons={"image": "ignore"})
container("recreate", {"NAME!": BUSYBOX}, recreate=True, always=True, **BOX)
container("restart", {"NAME!": BUSYBOX}, restart=True, always=True, **BOX)
container("pauses", {"NAME!": BUSYBOX}, paused=True, **BOX)
container("once, to its end", image="busybox:1", command="once 0", detach=False, always=True)
container("once, with a failure", image="busybox:1", command=["once", "3"], detach=False, loose=["check"])
container("healthy", image="busybox:1", state="healthy", healthcheck={"test": "true", "interval": "1m30s", "retries": 2})
container("command", command="sleep 'a b'", **BOX)
container("command other", {"NAME!": {**BUSYBOX, "Cmd": ["a"]}}, command=["a", "b"], **BOX)
container("entrypoint", entrypoint=["/bin/x", "y z"], **BOX)
container("env", env={"A": "1", "B": "two words"}, **BOX)
container("env is there", {"NAME!": {**BUSYBOX, "Env": ["A=1", "B=2"]}}, env={"A": "1"}, **BOX)
container("env other", {"NAME!": {**BUSYBOX, "Env": ["A=0"]}}, env={"A": "1"}, **BOX)
container("env strict", {"NAME!": {**BUSYBOX, "Env": ["A=1", "B=2"]}}, env={"A": "1"}, comparisons={"env": "strict"}, **BOX)
container("env of a number", env={"A": 1}, **BOX)
container("labels", labels={"x": "1"}, **BOX)
container("labels other", {"NAME!": {**BUSYBOX, "Labels": {"x": "0"}}}, labels={"x": "1"}, **BOX)
container("labels strict", {"NAME!": {**BUSYBOX, "Labels": {"x": "1", "y": "1"}}}, labels={"x": "1"}, comparisons={"labels": "strict"}, **BOX)
container("ports", published_ports=["8080:80", "127.0.0.1:53:53/udp", "9000-9002:7000-7002", "443", "[::1]:1:1"], exposed_ports=["99"], **BOX)
container("ports there", {"NAME!": {**BUSYBOX, "ExposedPorts": {"80/tcp": {}},
                                    "HostConfig": {"PortBindings": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]}}}},
          ports=["8080:80"], **BOX)
container("ports other", {"NAME!": BUSYBOX}, published_ports=["80:80"], **BOX)
container("ports by name", published_ports=["host:80:80"], **BOX)
container("ports backwards", published_ports=["9-8:1-2"], **BOX)
container("volumes", volumes=["/srv:/data:ro", "named:/n", "/anonymous"], **BOX)
container("volumes there", {"NAME!": {**BUSYBOX, "HostConfig": {"Binds": ["/srv:/data:rw"]}}}, volumes=["/srv:/data"], **BOX)
container("volumes other", {"NAME!": {**BUSYBOX, "HostConfig": {"Binds": ["/srv:/data:rw"]}}}, volumes=["/srv:/data:ro"], **BOX)
container("volumes twice", volumes=["/a:/x", "/b:/x"], **BOX)
container("volumes of no mode", volumes=["/a:/x:zz"], **BOX)
container("mounts", mounts=[{"target": "/t", "type": "tmpfs", "tmpfs_size": "1M", "tmpfs_mode": "700"},
                            {"target": "/b", "source": "/srv", "type": "bind", "read_only": True, "propagation": "rshared"},
                            {"target": "/v", "source": "vol", "volume_driver": "local", "volume_options": {"o": "x"}, "labels": {"l": "1"}}],
          loose=["again"], **BOX)
container("mounts of a wrong type", mounts=[{"target": "/t", "source": "/s", "type": "bind", "tmpfs_size": "1M"}], **BOX)
container("tmpfs and ulimits", tmpfs=["/run:size=1m", "/tmp"], ulimits=["nofile:1:2", "nproc:5"], **BOX)
container("memory", memory="512M", memory_swap="unlimited", memory_reservation="64m", shm_size="1G", cpus=1.5, **BOX)
container("memory changes in place", {"NAME!": {**BUSYBOX, "HostConfig": {"Memory": 1}}}, memory="512M", **BOX)
container("memory of no size", memory="much", **BOX)
container("restart policy", restart_policy="on-failure", restart_retries=3, **BOX)
container("restart policy changes in place", {"NAME!": BUSYBOX}, restart_policy="always", **BOX)
container("restart policy there", {"NAME!": {**BUSYBOX, "HostConfig": {"RestartPolicy": {"Name": "always"}}}}, restart_policy="always", **BOX)
container("log", log_driver="syslog", log_options={"tag": "x"}, **BOX)
container("devices", devices=["/dev/fuse", "/dev/a:/dev/b:r"], device_requests=[{"driver": "nvidia", "count": -1, "capabilities": [["gpu"]]}],
          device_read_bps=[{"path": "/dev/sda", "rate": "1M"}], loose=["again"], **BOX)
container("many settings", privileged=True, read_only=True, init=True, tty=True, interactive=True, user="1:1", working_dir="/w", hostname="h",
          domainname="d", cap_drop=["ALL"], capabilities=["NET_ADMIN"], security_opts=["no-new-privileges"], groups=["1"], runtime="nvidia",
          ipc_mode="host", pid_mode="host", uts="host", dns_servers=["1.1.1.1"], etc_hosts={"a": "10.0.0.1"}, sysctls={"net.a": 1}, pids_limit=5,
          oom_killer=True, stop_signal="INT", stop_timeout=5, links=["other:o"], mac_address="aa-bb-cc-dd-ee-ff", cpuset_cpus="0-1", **BOX)
container("networks", {"net-a": "net", "net-b": "net"}, networks=[{"name": "net-a", "aliases": ["x"], "ipv4_address": "10.0.0.9"}, {"name": "net-b"}], **BOX)
container("networks of one that is there", {"net-c": "net", "NAME!": BUSYBOX}, networks=[{"name": "net-c"}], networks_cli_compatible=False, **BOX)
container("networks strict", {"net-d": "net", "NAME!": BUSYBOX}, networks=[{"name": "net-d"}], networks_cli_compatible=False,
          comparisons={"networks": "strict"}, **BOX)
container("network nobody has", networks=[{"name": "nobody"}], **BOX)
container("all ignored", {"NAME!": BUSYBOX}, image="web:2", env={"A": "9"}, comparisons={"*": "ignore"})
container("strange comparison", comparisons={"nothing": "strict"}, **BOX)
container("strange mode", comparisons={"env": "maybe"}, **BOX)
