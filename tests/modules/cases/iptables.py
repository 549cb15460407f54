"""Cases of iptables."""
from rows import hosted, live

hosted("iptables rule", "", "- iptables: chain=INPUT protocol=tcp destination_port=8443 ctstate=NEW jump=ACCEPT comment=web",
       "iptables -S INPUT | grep 8443",
       '-A INPUT -p tcp -m tcp --dport 8443 -m conntrack --ctstate NEW -m comment --comment web -j ACCEPT')
hosted("iptables policy", "", "- iptables: chain=FORWARD policy=DROP", "iptables -S FORWARD", "-P FORWARD DROP")
hosted("iptables chain", "", "- iptables: chain=HF chain_management=yes", "iptables -S HF 2>/dev/null", "-N HF")

LATER = {"goes and is not there", "state", "not of an owner", "flags", "no syn", "log and drop", "reject by name", "translates its source", "elsewhere",
         "marks by class", "chain that may not be made", "chain that is not there goes", "policy of no such chain", "empty", "second", "several ports",
         "translates", "policy that is there", "nonsense", "goes on"}


def rule(title, given="", table="", loose=(), **args):
    """The host's own tables, empty before each row."""
    ours = f"iptables -t {table}" if table else "iptables"
    live(title, "iptables", {**({"table": table} if table else {}), **args},
        f"{ours} -P OUTPUT ACCEPT; {ours} -F; {ours} -X; ip6tables -F; {given}", f"{ours} -S; ip6tables -S", loose, title in LATER)


WEB = {"chain": "INPUT", "protocol": "tcp", "destination_port": "80", "jump": "ACCEPT"}
WEB_IS = "iptables -A INPUT -p tcp --dport 80 -j ACCEPT; "
rule("new", **WEB)
rule("there", WEB_IS, **WEB)
rule("first", "iptables -A INPUT -j DROP", **WEB, action="insert")
rule("second", "iptables -A INPUT -j DROP; iptables -A INPUT -s 10.0.0.1 -j DROP", **WEB, action="insert", rule_num="2")
rule("goes", WEB_IS, **WEB, state="absent")
rule("goes and is not there", **WEB, state="absent")
rule("everything not", chain="INPUT", protocol="!tcp", source="!10.0.0.0/8", destination="!10.1.2.3", in_interface="!lo", jump="DROP")
rule("matches by name", chain="INPUT", protocol="tcp", match=["conntrack"], ctstate=["NEW", "ESTABLISHED"], comment="two words", jump="ACCEPT")
rule("matches that come along", chain="INPUT", protocol="tcp", ctstate=["RELATED"], src_range="10.0.0.1-10.0.0.9", limit="5/minute",
     limit_burst="9", comment="c", jump="ACCEPT")
rule("state", chain="INPUT", protocol="tcp", match=["state"], ctstate=["NEW"], jump="ACCEPT")
rule("several ports", chain="INPUT", protocol="tcp", destination_ports=["80", "443", "8000:8010"], jump="ACCEPT")
rule("owner", chain="OUTPUT", uid_owner="0", gid_owner="0", jump="ACCEPT")
rule("not of an owner", chain="OUTPUT", uid_owner="!0", jump="ACCEPT")
rule("flags", chain="INPUT", protocol="tcp", tcp_flags={"flags": ["ALL"], "flags_set": ["ACK", "RST"]}, jump="DROP")
rule("syn", chain="INPUT", protocol="tcp", syn="match", jump="DROP")
rule("no syn", chain="INPUT", protocol="tcp", syn="negate", jump="DROP")
rule("log", chain="INPUT", protocol="udp", log_prefix="in: ", log_level="info")
rule("log and drop", chain="INPUT", log_prefix="in: ", jump="DROP")
rule("reject", chain="INPUT", protocol="tcp", reject_with="tcp-reset")
rule("reject by name", chain="INPUT", protocol="icmp", jump="REJECT", reject_with="icmp-host-prohibited", icmp_type="echo-request")
rule("of the newer protocol", chain="INPUT", ip_version="ipv6", protocol="icmpv6", icmp_type="echo-request", jump="ACCEPT", wait="5")
rule("translates", table="nat", chain="PREROUTING", protocol="tcp", destination_port="80", jump="DNAT", to_destination="10.0.0.1:8080")
rule("translates its source", table="nat", chain="POSTROUTING", out_interface="lo", jump="SNAT", to_source="10.0.0.1")
rule("elsewhere", table="nat", chain="PREROUTING", protocol="tcp", destination_port="22", jump="REDIRECT", to_ports="8600")
rule("marks", table="mangle", chain="PREROUTING", protocol="tcp", jump="DSCP", set_dscp_mark="8")
rule("marks by class", table="mangle", chain="PREROUTING", protocol="tcp", jump="DSCP", set_dscp_mark_class="CS1")
rule("marks nothing", table="mangle", chain="PREROUTING", set_dscp_mark="8")
rule("goes on", "iptables -N WEB", chain="INPUT", goto="WEB")
rule("chain", chain="WEB", chain_management=True)
rule("chain that is there", "iptables -N WEB", chain="WEB", chain_management=True)
rule("chain that may not be made", chain="WEB")
rule("chain goes", "iptables -N WEB", chain="WEB", chain_management=True, state="absent")
rule("chain that is not there goes", chain="WEB", chain_management=True, state="absent")
rule("chain in use goes", "iptables -N WEB; iptables -A INPUT -j WEB", chain="WEB", chain_management=True, state="absent", loose=["msg", "cmd"])
rule("policy", chain="OUTPUT", policy="DROP")
rule("policy that is there", chain="OUTPUT", policy="ACCEPT", numeric=True)
rule("policy of no such chain", chain="NONE", policy="DROP", loose=["msg"])
rule("empty", WEB_IS, chain="INPUT", flush=True)
rule("empty altogether", WEB_IS, flush=True)
rule("of no chain", jump="DROP")
rule("nonsense", chain="INPUT", protocol="nonsense", jump="DROP", loose=["cmd"])
