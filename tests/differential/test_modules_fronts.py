"""Modules that only speak to other programs, against the collections' own: both drive the stand-ins of front.py, and must come to
the same results by the same commands. No device mapper and no SELinux is needed. For each row: check runs nothing, a second run
runs nothing, undo brings the world back."""
import json
import os
import pathlib
import re
import shutil
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from modules_kit import BUILD, run, status  # noqa: E402
from test_modules_collections import collections  # noqa: E402

FRONT = pathlib.Path(__file__).with_name("front.py")
NAMES = ["lvm", "vgs", "pvs", "lvs", "pvcreate", "pvremove", "pvresize", "pvchange", "pvdisplay", "vgcreate", "vgremove", "vgextend",
         "vgreduce", "vgchange", "lvcreate", "lvremove", "lvextend", "lvreduce", "lvchange", "semanage", "nmcli"]
HOME, OFF = {"home": {"size": 40, "active": True}}, {"home": {"size": 40, "active": False}}
KEPT = {"again": False, "back": True}
ROWS = []


def row(title, module, args, volumes=None, devices="a", exists=True, **options):
    ROWS.append((title, module, args, volumes or {}, devices if exists else "", {**KEPT, **options}))


def lvg(title, volumes=None, devices="a", exists=True, again=False, back=True, **args):
    row(f"lvg {title}", "lvg", {"vg": "vg-@-", **args}, volumes, devices, exists, again=again, back=back)


def lvol(title, volumes=None, again=False, back=True, exists=True, **args):
    row(f"lvol {title}", "lvol", {"vg": "vg-@-", **args}, volumes, "a", exists, again=again, back=back)


def context(title, labels=None, **args):
    row(f"sefcontext {title}", "sefcontext", {"ignore_selinux_state": True, **args}, None, "", False, labels=labels or {})


lvg("new", exists=False, pvs=["~/d-@-a"])
lvg("new of two", exists=False, pvs=["~/d-@-a", "~/d-@-b"], pesize="16", pv_options="--metadatasize 1m", vg_options="-p 8")
lvg("new and active", exists=False, pvs=["~/d-@-a"], state="active")
lvg("new and inactive", exists=False, pvs=["~/d-@-a"], state="inactive")
lvg("there", pvs=["~/d-@-a"])
lvg("there, no devices named")
lvg("no devices", exists=False)
lvg("device that is not there", exists=False, pvs=["~/nope"])
lvg("device of another", pvs=["~/d-other"])
lvg("one more", pvs=["~/d-@-a", "~/d-@-b"])
lvg("one less", devices="ab", pvs=["~/d-@-a"])
lvg("another", pvs=["~/d-@-b"])
lvg("grow", pvs=["~/d-@-large"], devices=["large"], pvresize=True, back=False)
lvg("nothing to grow", pvs=["~/d-@-a"], pvresize=True)
lvg("absent", state="absent", back=False)
lvg("absent not there", exists=False, state="absent")
lvg("absent with a volume", HOME, state="absent")
lvg("absent with a volume, forced", HOME, state="absent", force=True, back=False)
lvg("active", OFF, state="active")
lvg("active there", HOME, state="active")
lvg("inactive", HOME, state="inactive")
lvg("new uuid", reset_vg_uuid=True, again=True, back=False)
lvol("new", lv="data", size="12")
lvol("new with a unit", lv="data", size="8M", opts="-r 16", pvs=["~/d-@-a"])
lvol("new of all that is free", HOME, lv="data", size="100%FREE", again=True)  # nothing is free the second time
lvol("no size", lv="data")
lvol("no group", exists=False, lv="data", size="12")
lvol("absent, no group", exists=False, lv="data", state="absent")
lvol("there", HOME, lv="home", size="40")
lvol("there, no size", HOME, lv="home")
lvol("grow", HOME, lv="home", size="60")
lvol("grow with the file system", HOME, lv="home", size="60", resizefs=True, back=False)
lvol("grow by", HOME, lv="home", size="+8", again=True)
lvol("grow to a part", HOME, lv="home", size="80%VG")
lvol("grow too far", {"home": {"size": 40, "active": True}, "big": {"size": 50, "active": True}}, lv="home", size="80%VG")
lvol("shrink", HOME, lv="home", size="20", force=True, back=False)
lvol("shrink not forced", HOME, lv="home", size="20")
lvol("shrink not wanted", HOME, lv="home", size="20", shrink=False)
lvol("shrink to nothing", HOME, lv="home", size="0", force=True)
lvol("shrink to a part", HOME, lv="home", size="20%VG", force=True, back=False)
lvol("shrink by", HOME, lv="home", size="-8", force=True, again=True, back=False)
lvol("absent", HOME, lv="home", state="absent", force=True, back=False)
lvol("absent not forced", HOME, lv="home", state="absent")
lvol("absent not there", lv="home", state="absent")
lvol("off", HOME, lv="home", active=False)
lvol("on", OFF, lv="home")
lvol("snapshot", HOME, lv="home", snapshot="before", size="20")
lvol("snapshot of nothing", lv="home", snapshot="before", size="20")
lvol("thin pool", thinpool="pool", size="40")
lvol("thin volume", {"pool": {"size": 40, "active": True, "kind": "t"}}, lv="data", thinpool="pool", size="8m")
lvol("thin volume, no pool", lv="data", thinpool="pool", size="8m")
lvol("thin volume by percent", {"pool": {"size": 40, "active": True, "kind": "t"}}, lv="data", thinpool="pool", size="8%VG")
lvol("bad size", lv="data", size="much")
lvol("bad percent", lv="data", size="120%VG")
lvol("bad whole", lv="data", size="20%DISK")
lvol("percent of an origin", lv="data", size="20%ORIGIN")
LABEL = {"/srv-@-x(/.*)?|all files": "system_u:object_r:var_t:s0"}
context("new", target="/srv-@-x(/.*)?", setype="httpd_t")
context("new for folders, without loading", target="/srv-@-x", setype="httpd_t", ftype="d", seuser="staff_u", selevel="s1", reload=False)
context("there", LABEL, target="/srv-@-x(/.*)?", setype="var_t")
context("another type", LABEL, target="/srv-@-x(/.*)?", setype="httpd_t")
context("another kind of file", LABEL, target="/srv-@-x(/.*)?", setype="var_t", ftype="f")
context("absent", LABEL, target="/srv-@-x(/.*)?", state="absent")
context("absent not there", target="/srv-@-x(/.*)?", state="absent")
context("substitute", target="/data-@-home", substitute="/home")
context("substitute there", {"/data-@-home|=": "/home"}, path="/data-@-home", equal="/home")
context("another substitute", {"/data-@-home|=": "/root"}, path="/data-@-home", equal="/home")
context("substitute absent", {"/data-@-home|=": "/home"}, path="/data-@-home", equal="/home", state="absent")
context("substitute absent, another one", {"/data-@-home|=": "/root"}, path="/data-@-home", equal="/home", state="absent")


def connection(title, there=None, **args):
    """there: settings of the connection that is there, with its type and whether it is up."""
    options = {k: args.pop(k) for k in ("again", "back") if k in args}
    row(f"nmcli {title}", "nmcli", {"conn_name": "con-@-x", "state": "present", **args}, None, "", False,
        connections={} if there is None else {"con-@-x": {"up": False, **there}}, **options)


NIC = {"type": "ethernet", "connection.interface-name": "eth1"}
FIXED = {**NIC, "ipv4.method": "manual", "ipv4.addresses": "10.0.0.7/24, 10.0.0.8/32", "ipv4.dns": "10.0.0.1,10.0.0.2"}
ROUTED = {**NIC, "ipv4.routes": "{ ip = 10.1.0.0/16, nh = 10.0.0.1, mt = 5, table=3 }; { ip = 10.2.0.0/16, nh = 10.0.0.1 }"}
PORT = {"connection.slave-type": "bond", "connection.master": "bond0"}
BONDED = {"type": "bond", "connection.interface-name": "bond0", "bond": {"mode": "802.3ad", "miimon": "100", "xmit_hash_policy": "layer3+4"}}
BRIDGED = {"type": "bridge", "connection.interface-name": "br0", "bridge.ageing-time": "300", "bridge.forward-delay": "15",
           "bridge.hello-time": "2", "bridge.max-age": "20", "bridge.priority": "128", "bridge.stp": "yes"}
connection("ethernet", type="ethernet", ifname="eth1")
connection("ethernet without an interface", type="ethernet")
connection("ethernet with addresses", type="ethernet", ifname="eth1", ip4=["10.0.0.7/24", "10.0.0.8"], gw4="10.0.0.1", ip6="2001:db8::7",
           gw6="2001:db8::1", routes4=["10.1.0.0/16 10.0.0.1 5"], zone="trusted", autoconnect=False, never_default4=False)
connection("ethernet with names and a size", type="ethernet", ifname="eth1", method4="auto", mtu=9001, dns4=["10.0.0.1", "10.0.0.2"],
           dns4_search="a.example", dns4_options=["rotate"], dns4_ignore_auto=True, dns6=["2001:db8::1"], dns6_search=["b.example"],
           mac="52:54:00:ab:cd:ef", dhcp_client_id="me", may_fail4=False, route_metric4=100, route_metric6=0)
connection("routes by parts", type="ethernet", ifname="eth1", ip4="10.0.0.7/24", routing_rules4=["priority 5 from 10.0.0.0/8 table 3"],
           routes4_extended=[{"ip": "10.1.0.0/16", "next_hop": "10.0.0.1", "metric": 5, "table": 3, "onlink": True}],
           routes6_extended=[{"ip": "2001:db8::/32"}], ip_privacy6="prefer-public-addr", addr_gen_mode6="eui64", again=True, back=False)
connection("bond", type="bond", ifname="bond0", mode="802.3ad", miimon=100, downdelay=200, updelay=300, xmit_hash_policy="layer3+4")
connection("bond that asks", type="bond", ifname="bond0", arp_interval=100, arp_ip_target="10.0.0.1", primary="eth0", mode="active-backup")
connection("port of a bond", type="bond-slave", ifname="eth1", master="bond0")
connection("port of a bond, otherwise", type="ethernet", ifname="eth1", master="bond0", slave_type="bond", ip4="10.0.0.7/24")
connection("bridge", type="bridge", ifname="br0", stp=False, priority=100, forwarddelay=20, mac="52:54:00:AB:CD:EF")
connection("port of a bridge", type="bridge-slave", ifname="eth1", master="br0", path_cost=50, hairpin=True, slavepriority=5)
connection("vlan", type="vlan", ifname="eth1.7", vlanid=7, vlandev="eth1", flags="1", ingress="1:2", egress="2:1", ip4="10.0.0.7/24")
connection("vxlan", type="vxlan", ifname="vx", vxlan_id=7, vxlan_local="10.0.0.7", vxlan_remote="10.0.0.8")
connection("dummy", type="dummy", ifname="d0", ip4="10.0.0.7/32")
connection("dummy without an address", type="dummy", ifname="d0")
connection("team", type="team", ifname="t0", runner="lacp", runner_fast_rate=True, dns4=["10.0.0.1"])
connection("team of another runner", type="team", runner_fast_rate=True)
connection("team of another runner still", type="team", runner_hwaddr_policy="same_all")
connection("port of a team", type="team-slave", ifname="eth1", master="t0")
connection("port of no team", type="team-slave", ifname="eth1")
connection("port of a team that is a bond", type="team-slave", ifname="eth1", master="t0", slave_type="bond")
connection("tunnel", type="gre", ifname="g0", ip_tunnel_dev="eth1", ip_tunnel_local="10.0.0.7", ip_tunnel_remote="10.0.0.8",
           ip_tunnel_input_key="1", ip_tunnel_output_key="2")
connection("infiniband", type="infiniband", ifname="ib0", transport_mode="connected", ip4="10.9.0.7/24", mtu=65520)
connection("macvlan", type="macvlan", ifname="m0", macvlan={"mode": 2, "parent": "eth1"})
connection("macvlan of nothing", type="macvlan", ifname="m0")
connection("loopback", type="loopback", ifname="lo", ip4=["10.5.0.1/32"])
connection("slave of nobody", type="ethernet", slave_type="bond")
connection("there", NIC, type="ethernet", ifname="eth1")
connection("there, addresses", FIXED, type="ethernet", ifname="eth1", ip4=["10.0.0.7/24", "10.0.0.8"], dns4=["10.0.0.2", "10.0.0.1"])
connection("there, addresses in another order", FIXED, type="ethernet", ifname="eth1", ip4=["10.0.0.8", "10.0.0.7/24"])
connection("there, one address less", FIXED, type="ethernet", ifname="eth1", ip4=["10.0.0.7/24"], conn_reload=True)
connection("there, no name servers", FIXED, type="ethernet", ifname="eth1", ip4=["10.0.0.7/24", "10.0.0.8"], dns4=[])
connection("there, a gateway", FIXED, type="ethernet", ifname="eth1", ip4=["10.0.0.7/24", "10.0.0.8"], gw4="10.0.0.1")
connection("there, routes", ROUTED, type="ethernet", ifname="eth1", routes4=["10.1.0.0/16 10.0.0.1 5 table=3", "10.2.0.0/16 10.0.0.1"])
connection("there, other routes", ROUTED, type="ethernet", ifname="eth1", routes4=["10.1.0.0/16 10.0.0.1 6"])
connection("there, of no type", NIC, ifname="eth1", zone="trusted")
connection("there, another interface", NIC, type="ethernet", ifname="eth2")
connection("there, a size", {**NIC, "802-3-ethernet.mtu": "9001"}, type="ethernet", ifname="eth1", mtu=9001)
connection("there, hardware", {**NIC, "802-3-ethernet.cloned-mac-address": "52:54:00:AB:CD:EF"}, type="ethernet", ifname="eth1",
           mac="52:54:00:ab:cd:ef")
connection("there, privacy", {**NIC, "ipv6.ip6-privacy": "2 (enabled, prefer temporary IP)"}, type="ethernet", ifname="eth1",
           ip_privacy6="prefer-temp-addr")
connection("bond there", BONDED, type="bond", ifname="bond0", mode="802.3ad", miimon=100, xmit_hash_policy="layer3+4")
connection("bond there, another mode", BONDED, type="bond", ifname="bond0", mode="active-backup", miimon=100)
connection("bridge there", BRIDGED, type="bridge", ifname="br0")
connection("bridge there, another age", BRIDGED, type="bridge", ifname="br0", maxage=30)
connection("vlan there", {"type": "vlan", "connection.interface-name": "v7", "vlan.id": "7", "vlan.parent": "eth1"}, type="vlan", ifname="v7",
           vlanid=7, vlandev="eth1")
connection("dummy there", {"type": "dummy", "connection.interface-name": "d0", "ipv4.method": "disabled", "ipv6.method": "disabled"},
           type="dummy", ifname="d0")
connection("absent", {**NIC, "up": True}, state="absent", back=False)
connection("absent and not up", NIC, state="absent", back=False)
connection("absent not there", state="absent")
connection("up", NIC, state="up", again=True)
connection("up not there", state="up")
connection("down", {**NIC, "up": True}, state="down", conn_reload=True, again=True)
IDS = [r[0] for r in ROWS]
LVM = [i for i, r in enumerate(ROWS) if r[1] != "sefcontext"]


class World:
    def __init__(self, root):
        self.root, self.bin = root, root / "bin"
        self.bin.mkdir(parents=True)
        for name in NAMES:
            (self.bin / name).write_text(f"#!{sys.executable} -IS\n{FRONT.read_text()}")
            (self.bin / name).chmod(0o755)
        self.reset()

    def put(self, value, i):
        return json.loads(json.dumps(value).replace("@", str(i)).replace("~", str(self.root)))

    def reset(self):
        groups, devices, large, labels = {"vg-other": {"auto": True, "volumes": {}}}, {f"{self.root}/d-other": "vg-other"}, {}, {}
        connections = {}
        (self.root / "d-other").touch()
        for i, (_, _, _, volumes, given, options) in enumerate(ROWS):
            for letter in ("a", "b", "large"):
                (self.root / f"d-{i}-{letter}").touch()
            for letter in given:
                groups[f"vg-{i}-"] = {"auto": any(v["active"] for v in volumes.values()), "volumes": volumes}
                devices[f"{self.root}/d-{i}-{letter}"] = f"vg-{i}-"
            large[f"{self.root}/d-{i}-large"] = 200 << 20
            labels.update(self.put(options.get("labels", {}), i))
            connections.update(self.put(options.get("connections", {}), i))
        (self.root / "world.json").write_text(json.dumps({"groups": groups, "devices": devices, "large": large, "grown": {}, "labels": labels,
                                                          "connections": connections}))
        (self.root / "log").write_text("")

    def env(self):
        return {"PATH": f"{self.bin}:{os.environ['PATH']}", "HF_FRONT": str(self.root)}

    def log(self, i):
        lines = [json.loads(line) for line in (self.root / "log").read_text().splitlines()]
        mine = [w for w in lines if any(f"-{i}-" in x for x in w)]
        return [[x.replace(str(self.root), "~") for x in w] for w in mine]

    def state(self, i):
        world = json.loads((self.root / "world.json").read_text())
        return {kind: {k: v for k, v in world[kind].items() if f"-{i}-" in k and (kind != "devices" or v)}
                for kind in ("groups", "devices", "labels", "connections")}


@pytest.fixture(scope="module")
def wanted(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("ansible"))
    rows = [[f"ansible_collections.community.general.plugins.modules.{ROWS[i][1]}", world.put(ROWS[i][2], i), str(world.root)]
            for i in LVM]
    (world.root / "plan.json").write_text(json.dumps(rows))
    done = run([sys.executable, pathlib.Path(__file__).with_name("run_modules.py"), world.root / "plan.json", world.root / "out.json"],
               world.root, world.root, PYTHONPATH=str(collections()), **world.env())
    assert done.returncode == 0, done.stderr[-3000:]
    return {i: (r, world.log(i)) for i, r in zip(LVM, json.loads((world.root / "out.json").read_text()))}


def play(world, holdfast, *more):
    tasks = [{"name": IDS[i], f"community.general.{r[1]}": world.put(r[2], i), "ignore_errors": True} for i, r in enumerate(ROWS)
             if r[5]["back"] or more[:1] != ("door",)]
    book = world.root / "site.yml"
    book.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    if more and more[0] == "door":
        return run([BUILD / "tests/system/undo_door", *more[1:2], *([book] if more[1] == "apply" else []), world.root / "kept"],
                   world.root, world.root, **world.env())
    done = run([holdfast, "apply", *more, "--output", "jsonl", book], world.root, world.root, **world.env())
    events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    tasks = [e for e in events if e.get("type") == "task"]
    assert len(tasks) == len(ROWS), done.stdout[-3000:] + done.stderr[-3000:]
    return tasks


@pytest.fixture(scope="module")
def ours(tmp_path_factory, holdfast):
    world = World(tmp_path_factory.mktemp("holdfast"))
    every = range(len(ROWS))
    before = [world.state(i) for i in every]
    out = {"check": play(world, holdfast, "--check"), "checked": [world.log(i) for i in every]}
    out |= {"first": play(world, holdfast), "log": [world.log(i) for i in every]}
    out |= {"second": play(world, holdfast)}
    world.reset()
    shutil.rmtree(world.root / "kept", ignore_errors=True)
    for word in ("apply", "undo"):
        done = play(world, holdfast, "door", word)
        assert done.returncode in (0, 2), done.stderr
    return {**out, "before": before, "after": [world.state(i) for i in every]}


def words(log):
    """Full paths and --yes of an old LVM aside; an activation that is already so is no change."""
    return [w for w in log if w[0] != "lvchange"], {tuple(w) for w in log if w[0] == "lvchange"}


@pytest.mark.parametrize("i", LVM, ids=[IDS[i] for i in LVM])
def test_same_commands_and_results(i, wanted, ours):
    result, log = wanted[i]
    got = ours["first"][i]
    assert {"ignored": "failed"}.get(got["status"], got["status"]) == status(result), (result, got)
    if status(result) == "failed":
        want, said = (re.sub(r"/\S*/", "", m["msg"]) for m in (result, got))
        assert want in said or said in want or "extended" in said
        return
    (mine, switched), (theirs, theirs_switched) = words(ours["log"][i]), words(log)
    assert sorted(mine) == sorted(theirs)
    assert switched <= theirs_switched  # Ansible switches on what is on


@pytest.mark.parametrize("i", range(len(ROWS)), ids=IDS)
def test_check_runs_nothing_and_tells(i, ours):
    assert ours["checked"][i] == []
    assert ours["check"][i]["status"] == ours["first"][i]["status"]


@pytest.mark.parametrize("i", range(len(ROWS)), ids=IDS)
def test_second_run_is_ok(i, ours):
    if ours["first"][i]["status"] == "changed" and not ROWS[i][5]["again"]:
        assert ours["second"][i]["status"] == "ok", ours["second"][i]


@pytest.mark.parametrize("i", [i for i, r in enumerate(ROWS) if r[5]["back"]], ids=[r[0] for r in ROWS if r[5]["back"]])
def test_undo_brings_the_world_back(i, ours):
    assert ours["after"][i] == ours["before"][i]


@pytest.mark.parametrize("i", [i for i, r in enumerate(ROWS) if r[1] == "sefcontext"], ids=[r[0] for r in ROWS if r[1] == "sefcontext"])
def test_semanage_is_told(i, ours):
    title, changed = IDS[i], len(ours["log"][i])
    assert changed == (0 if title.endswith(("there", "another one")) else 1), ours["log"][i]
    assert ("-N" in sum(ours["log"][i], [])) == ("without loading" in title)
