"""Cases of nmcli."""
from rows import fronted


def connection(title, there=None, **args):
    """there: settings of the connection that is there, with its type and whether it is up."""
    options = {k: args.pop(k) for k in ("again", "back") if k in args}
    fronted(f"nmcli {title}", "nmcli", {"conn_name": "con-@-x", "state": "present", **args}, None, "", False,
        connections={} if there is None else {"con-@-x": {"up": False, **there}}, **options)


NIC = {"type": "ethernet", "connection.interface-name": "eth1"}
FIXED = {**NIC, "ipv4.method": "manual", "ipv4.addresses": "10.0.0.7/24, 10.0.0.8/32", "ipv4.dns": "10.0.0.1,10.0.0.2"}
ROUTED = {**NIC, "ipv4.routes": "{ ip = 10.1.0.0/16, nh = 10.0.0.1, mt = 5, table=3 }; { ip = 10.2.0.0/16, nh = 10.0.0.1 }"}
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
