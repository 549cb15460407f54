"""Cases of docker_network."""
from given import BUSYBOX
from rows import DOCKED, docked


def network(title, given=(), loose=(), **args):
    name = f"n{len(DOCKED)}"
    given = {k.replace("NAME", name): v for k, v in dict(given).items()}
    docked(f"network {title}", "docker_network", given, loose, name=name, **args)


network("new")
network("there", {"NAME": "net"})
network("goes", {"NAME": "net"}, state="absent")
network("goes, not there", state="absent")
network("options", driver="macvlan", driver_options={"parent": "eth0", "x": True}, internal=True, attachable=True, labels={"l": "1"}, enable_ipv6=True)
network("another driver", {"NAME": "net"}, driver="overlay", scope="swarm")
network("addresses", ipam_config=[{"subnet": "10.9.0.0/24", "gateway": "10.9.0.1"}, {"subnet": "fd00::/64"}], ipam_driver="default")
network("addresses there", {"NAME": {"IPAM": {"Driver": "default", "Config": [{"Subnet": "10.9.0.0/24", "Gateway": "10.9.0.1"}]}}},
        ipam_config=[{"subnet": "10.9.0.0/24"}])
network("addresses other", {"NAME": {"IPAM": {"Driver": "default", "Config": [{"Subnet": "10.9.0.0/24"}]}}}, ipam_config=[{"subnet": "10.8.0.0/24"}])
network("no address", ipam_config=[{"subnet": "10.9"}], loose=["msg"])
network("connects", {"NAME": "net", "box-a!": BUSYBOX}, connected=["box-a"])
network("others leave", {"NAME": "net", "box-b!": {**BUSYBOX, "net": "NAME"}, "box-c!": BUSYBOX}, connected=["box-c"])
network("others stay", {"NAME": "net", "box-d!": {**BUSYBOX, "net": "NAME"}, "box-e!": BUSYBOX}, connected=["box-e"], appends=True)
network("force", {"NAME": "net"}, force=True, always=True)
network("goes with somebody in it", {"NAME": "net", "box-f!": {**BUSYBOX, "net": "NAME"}}, state="absent")
network("labels other", {"NAME": {"Labels": {"a": "1"}}}, labels={"a": "2"})
