"""Rows for test_live_beside_ansible.py: modules that change a running host. Each makes its own world with `given`; `probe` prints
what is left. Rows that are slow and whose like is among the others run where HF_LONG is set."""
import collections
import os

Row = collections.namedtuple("Row", "title module args given probe loose")
ROWS = []
LONG = {"debconf of a package nobody knows", "debconf the answer", "debconf unseen", "debconf yes or no, there", "debconf several, one less",
        "debconf several as a text", "debconf without a value", "apt_repository with lists that are not there", "rpm_key there", "rpm_key another",
        "rpm_key goes and is not there", "apt_key there", "apt_key new of bytes"}


def row(title, module, args, given="", probe="true", loose=(), long=False):
    long = long or f"{module.split('.')[-1]} {title}" in LONG
    if not long or os.environ.get("HF_LONG"):
        ROWS.append(Row(f"{module.split('.')[-1]} {title}", module, args, given, probe, set(loose)))


# --- alternatives ------------------------------------------------------------------------------------------------------------
PICK = "update-alternatives --quiet --install /usr/bin/hf_pick hf_pick /bin/true 50; "
BOTH = PICK + "update-alternatives --quiet --install /usr/bin/hf_pick hf_pick /bin/false 40; "
CALM = "update-alternatives --quiet --remove-all hf_pick 2>/dev/null; rm -f /usr/bin/hf_pick /usr/bin/hf-help; "


def alternative(title, given, **args):
    row(title, "community.general.alternatives", {"name": "hf_pick", **args}, CALM + given,
        "update-alternatives --query hf_pick; readlink /usr/bin/hf_pick; readlink /usr/bin/hf-help")


SUB = [{"name": "hf-help", "path": "/bin/cat", "link": "/usr/bin/hf-help"}]
SLAVED = "update-alternatives --quiet --install /usr/bin/hf_pick hf_pick /bin/true 50 --slave /usr/bin/hf-help hf-help /bin/cat; "
alternative("new", "", path="/bin/true", link="/usr/bin/hf_pick")
alternative("new with a priority", "", path="/bin/true", link="/usr/bin/hf_pick", priority=7, state="present")
alternative("new without a link", "", path="/bin/true")
alternative("of no program", "", path="/bin/no-such", link="/usr/bin/hf_pick")
alternative("there and chosen by its priority", BOTH, path="/bin/true")
alternative("another", BOTH, path="/bin/false")
alternative("another that is new", PICK, path="/bin/false", priority=9)
alternative("another priority", BOTH, path="/bin/false", priority=90, state="present")
alternative("there", BOTH, path="/bin/false", state="present")
alternative("back to its own choice", BOTH + "update-alternatives --quiet --set hf_pick /bin/false", path="/bin/true", state="auto")
alternative("chooses itself already", BOTH, path="/bin/true", state="auto")
alternative("chooses itself with one that is new", PICK, path="/bin/false", state="auto")
alternative("goes", BOTH, path="/bin/false", state="absent")
alternative("goes and is not there", "", path="/bin/false", state="absent")
alternative("another link", PICK, path="/bin/true", link="/usr/bin/hf-other")
alternative("with a helper", "", path="/bin/true", link="/usr/bin/hf_pick", subcommands=SUB)
alternative("with a helper that is there", SLAVED, path="/bin/true", subcommands=SUB)
alternative("with another helper", SLAVED, path="/bin/true", subcommands=[{**SUB[0], "path": "/bin/ls"}])
alternative("without its helper", SLAVED, path="/bin/true", subcommands=[])
alternative("helper not spoken of", SLAVED, path="/bin/true", priority=60)

# --- sysctl ------------------------------------------------------------------------------------------------------------------
CONF = "/etc/sysctl.d/99-hf.conf"
KEY = "net.ipv4.ip_default_ttl"


def sysctl(title, given, loose=(), **args):
    row(title, "ansible.posix.sysctl", {"name": KEY, "sysctl_file": CONF, **args}, f"rm -f {CONF}; sysctl -qw {KEY}=64; " + given,
        f"cat {CONF} 2>/dev/null; stat -c %a {CONF} 2>/dev/null; sysctl -n {KEY}", loose)


def kept(text):
    return f"printf '{text}' >{CONF}; "


sysctl("new", "", value="70")
sysctl("new, not loaded", "", value="70", reload=False)
sysctl("there", kept(f"{KEY}=64\\n"), value="64")
sysctl("there, not what runs", kept(f"{KEY}=70\\n"), value="70")
sysctl("there, not what runs, not loaded", kept(f"{KEY}=70\\n"), value="70", reload=False)
sysctl("there, not what runs, set", kept(f"{KEY}=70\\n"), value="70", reload=False, sysctl_set=True)
sysctl("there with blanks, comments and twice",
       kept(f"# a\\n; b\\n\\n {KEY} = 60\\nfs.file-max = 99999999\\n{KEY}=61\\nodd line\\n"), value="70", reload=False)
sysctl("true is one", "", name="net.ipv4.ip_forward", value="yes", reload=False)
sysctl("blanks around", "", name=f" {KEY} ", value=" 70 ", reload=False)
sysctl("several words", "", name="net.ipv4.tcp_rmem", value="4096  87380 6291456", reload=False, sysctl_set=True)
sysctl("several words, as they are", "", name="net.ipv4.ip_local_port_range", value="32768 60999", reload=False, sysctl_set=True)
sysctl("goes", kept(f"{KEY}=70\\na.b=1\\n"), state="absent", reload=False)
sysctl("goes and the rest is loaded", kept(f"{KEY}=70\\nnet.ipv4.ip_forward=0\\n"), state="absent")
sysctl("goes and is not there", kept("a.b=1\\n"), state="absent")
sysctl("goes though its value is empty", kept(f"{KEY}=\\n"), state="absent", reload=False)
sysctl("no such key", "", name="net.no_such_key", value="1")
sysctl("no such key, never mind", "", name="net.no_such_key", value="1", ignoreerrors=True)
sysctl("no such key, set", "", name="net.no_such_key", value="1", sysctl_set=True, reload=False)
sysctl("a value nobody takes", "", value="-7")
sysctl("a value nobody takes, set", "", value="-7", sysctl_set=True, reload=False)
sysctl("no name", "", name="", value="1")
sysctl("no value", "", value="")
sysctl("no value at all", "")
sysctl("an interface with a dot", "", name="net.ipv4.conf.lo/1.forwarding", value="1", reload=False)

# --- debconf -----------------------------------------------------------------------------------------------------------------
# debconf's own programs take a tenth of a second each: the database comes back as files.
PRISTINE = ("[ -d /root/debconf ] || { printf 'tzdata tzdata/Zones/Europe select Berlin\\n' | debconf-set-selections; "
            "cp -a /var/cache/debconf /root; }; cp -a /root/debconf/. /var/cache/debconf/; ")


def question(title, given="", long=False, **args):
    row(title, "debconf", args, PRISTINE + given,
        "cd /var/cache/debconf; grep -A5 '^Name: hf-asked/\\|^Name: tzdata/Zones/Europe' config.dat", long=long)


ANY = "printf 'hf-asked hf-asked/%s %s %s\\n' | debconf-set-selections; "
question("says what there is", name="hf-asked", given=ANY % ("a", "string", "one") + ANY % ("b", "boolean", "true"))
question("of a package nobody knows", name="hf-no-such-package")
question("new answer", name="hf-asked", question="hf-asked/a", vtype="string", value="some words")
question("another answer", name="tzdata", question="tzdata/Zones/Europe", vtype="select", value="Rome")
question("the answer", name="tzdata", question="tzdata/Zones/Europe", vtype="select", value="Berlin")
question("unseen", name="hf-asked", question="hf-asked/a", vtype="string", value="x", unseen=True)
question("yes or no", name="hf-asked", question="hf-asked/b", vtype="boolean", value="True", given=ANY % ("b", "boolean", "false"))
question("yes or no, there", name="hf-asked", question="hf-asked/b", vtype="boolean", value=True, given=ANY % ("b", "boolean", "true"))
question("several", name="hf-asked", question="hf-asked/m", vtype="multiselect", value=["b", "a"])
question("several, there", name="hf-asked", question="hf-asked/m", vtype="multiselect", value=["b", "a"], given=ANY % ("m", "multiselect", "a, b"))
question("several, one less", name="hf-asked", question="hf-asked/m", vtype="multiselect", value=["b"], given=ANY % ("m", "multiselect", "a, b"))
question("several as a text", name="hf-asked", question="hf-asked/m", vtype="multiselect", value="a, b", given=ANY % ("m", "multiselect", "a, b"))
question("without a value", name="hf-asked", question="hf-asked/a", vtype="string")

# --- deb822_repository, apt_repository ---------------------------------------------------------------------------------------
CLEAR = "rm -rf /etc/apt/sources.list.d/* /etc/apt/keyrings/*; "
SOURCES = "cd /etc/apt; for f in sources.list.d/* keyrings/*; do [ -e $f ] && stat -c '%n %a' $f && cat $f; done; cat sources.list"
STANZA = {"name": "My_Repo 2", "uris": ["http://e.org/a", "http://e.org/b"], "suites": "stable", "components": ["main", "contrib"]}


def deb822(title, given="", loose=(), **args):
    row(title, "deb822_repository", {**STANZA, **args}, CLEAR + given, SOURCES, loose)


HERE = "printf 'Types: deb\\nURIs: http://e.org/a http://e.org/b\\n' >/etc/apt/sources.list.d/my-repo-2.sources; "
deb822("new")
deb822("every option", allow_downgrade_to_insecure=False, allow_insecure=True, allow_weak=True, architectures=["amd64", "arm64"], by_hash=False,
       check_date=False, check_valid_until=True, date_max_future=10, enabled=False, inrelease_path="x/y", languages=["en", "de"],
       pdiffs=True, targets=["Packages"], trusted=True, types=["deb", "deb-src"], signed_by="/etc/passwd", mode="0600")
deb822("another", HERE)
deb822("another mode", mode="0640", given=HERE)
deb822("a mode in letters", mode="u=rw,g=r,o=")
deb822("a key in it", signed_by="-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n  abcd\nefgh\n-----END PGP PUBLIC KEY BLOCK-----\n")
deb822("a fingerprint", signed_by="0123456789ABCDEF0123456789ABCDEF01234567")
deb822("a key from a file's address", signed_by="file:///srv/archive/a.asc")
deb822("a key from a file's address, bytes", signed_by="file:///srv/archive/a.gpg")
deb822("a key from nowhere", signed_by="file:///srv/archive/none.asc", loose=["msg"])
deb822("a long name", name="Été: some   repo__x! (2)")
deb822("a date in the past", date_max_future=-1)
deb822("goes", HERE + "touch /etc/apt/keyrings/my-repo-2.asc", state="absent")
deb822("goes and is not there", state="absent")
deb822("of another kind", types=["rpm"])


def source(title, repo, given="", **args):
    row(title, "apt_repository", {"repo": repo, "update_cache": False, **args}, CLEAR + given, SOURCES)


LINE = "deb http://e.org/debian stable main"
LIST = "/etc/apt/sources.list.d/e_org_debian.list"
source("new", LINE)
source("blanks and a comment", "  deb   [arch=amd64  trusted=yes]  http://u:p@e.org:80/debian/  stable\tmain # words")
source("named", LINE, filename="mine")
source("named by a path", LINE, filename="/etc/apt/sources.list.d/mine")
source("a mode", LINE, mode="0600")
source("a mode in letters", LINE, mode="u=rw,g=,o=r")
source("to others with a mode", LINE, f"echo 'deb http://x y z' >{LIST}", mode="0600")
source("there", LINE, f"echo '{LINE}' >{LIST}")
source("there with other blanks", LINE, f"echo 'deb   http://e.org/debian  stable main' >{LIST}")
source("there and off", LINE, f"printf '#{LINE}\\n# {LINE} # why\\n# words\\n\\n' >{LIST}")
source("to others", LINE, f"printf 'deb http://e.org/other x y # c\\n# words\\nnonsense   here\\n' >{LIST}")
source("source code", "deb-src file:/srv/archive ./")
source("goes", LINE, f"printf '{LINE}\\ndeb http://x y z\\n' >{LIST}", state="absent")
source("goes with its file", LINE, f"echo '{LINE}' >{LIST}", state="absent")
source("goes and is off", LINE, f"echo '# {LINE}' >{LIST}", state="absent")
source("goes and is not there", LINE, state="absent")
source("goes from two files", LINE, f"echo '{LINE}' >{LIST}; echo '{LINE} # c' >/etc/apt/sources.list.d/z.list", state="absent")
source("nonsense", "nonsense http://e.org")
source("off", "# " + LINE)
source("nothing", "")
source("with its lists", "deb [trusted=yes] copy:/srv/archive ./", update_cache=True)
source("with lists that are not there", "deb [trusted=yes] copy:/srv/nowhere ./", update_cache=True, update_cache_retries=1,
       update_cache_retry_max_delay=1)

# --- iptables ----------------------------------------------------------------------------------------------------------------
LATER = {"goes and is not there", "state", "not of an owner", "flags", "no syn", "log and drop", "reject by name", "translates its source", "elsewhere",
         "marks by class", "chain that may not be made", "chain that is not there goes", "policy of no such chain", "empty", "second", "several ports",
         "translates", "policy that is there", "nonsense", "goes on"}


def rule(title, given="", table="", loose=(), **args):
    """The host's own tables, empty before each row."""
    ours = f"iptables -t {table}" if table else "iptables"
    row(title, "iptables", {**({"table": table} if table else {}), **args},
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

# --- ufw ---------------------------------------------------------------------------------------------------------------------
UFW = "ufw --force reset >/dev/null 2>&1; rm -f /etc/ufw/*.2*; "
UFW_ON = UFW + "ufw --force enable >/dev/null; "


def ufw(title, given=UFW_ON, long=False, **args):
    row(title, "community.general.ufw", args, given, "ufw status verbose; grep -h '^### tuple' /etc/ufw/user.rules /etc/ufw/user6.rules",
        ["commands"], long)


OFFICE = "ufw allow 22/tcp >/dev/null; "
ufw("rule", rule="allow", to_port="22", proto="tcp", comment="the office")
ufw("rule that is there", UFW_ON + OFFICE, rule="allow", port="22", proto="tcp", long=True)
ufw("rule of addresses", rule="deny", from_ip="10.0.0.0/8", to_ip="10.1.0.1", to_port="5432", long=True)
ufw("rule of newer addresses, there", UFW_ON + "ufw deny from 2001:db8::/32 >/dev/null", rule="deny", src="2001:db8::/32", long=True)
ufw("rule first", UFW_ON + OFFICE, rule="deny", insert=1, from_ip="10.0.0.9", long=True)
ufw("rule of an interface", rule="allow", direction="in", interface="eth0", to_port="80", log=True, long=True)
ufw("rule goes", UFW_ON + OFFICE, rule="allow", to_port="22", proto="tcp", delete=True)
ufw("rule while it is off", UFW, rule="allow", to_port="22", long=True)
ufw("on", UFW, state="enabled")
ufw("on and is on", state="enabled", long=True)
ufw("off", state="disabled", long=True)
ufw("again", state="reloaded", long=True)
ufw("of both ways", rule="allow", interface_in="a", interface_out="b")
ufw("policy", default="reject", direction="incoming")
ufw("policy that is there", policy="deny", long=True)
ufw("policy the wrong way", default="deny", direction="in", long=True)
ufw("logs", logging="high", long=True)
ufw("logs as it does", logging="on", long=True)
