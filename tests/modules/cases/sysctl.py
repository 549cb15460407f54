"""Cases of sysctl."""
from given import setting
from rows import hosted, live


def kernel(title, given=None, **args):
    setting(title, "ansible.posix.sysctl", given, sysctl_file="@/f", reload=False, **{"name": "vm.swappiness", "value": "10", **args})


kernel("new", "# c\nkernel.sysrq = 1\n")
kernel("there", "vm.swappiness = 10\n")
kernel("another value", "vm.swappiness=20\nvm.swappiness=30\n")
kernel("lines end as on Windows", "kernel.sysrq=1\r\n")
kernel("goes", "vm.swappiness=10\n", state="absent")
hosted("sysctl", "", "- ansible.posix.sysctl: name=net.ipv4.ip_forward value=1 sysctl_file=/etc/sysctl.d/90-x.conf",
       "cat /etc/sysctl.d/90-x.conf 2>/dev/null; cat /proc/sys/net/ipv4/ip_forward", "net.ipv4.ip_forward=1\n1")
hosted("sysctl goes", "printf 'a.b=1\\nnet.ipv4.ip_forward = 0\\n' >/etc/sysctl.d/91-x.conf",
       "- ansible.posix.sysctl: name=net.ipv4.ip_forward state=absent reload=no sysctl_file=/etc/sysctl.d/91-x.conf",
       "cat /etc/sysctl.d/91-x.conf", "a.b=1")

CONF = "/etc/sysctl.d/99-hf.conf"
KEY = "net.ipv4.ip_default_ttl"


def sysctl(title, given, loose=(), **args):
    live(title, "ansible.posix.sysctl", {"name": KEY, "sysctl_file": CONF, **args}, f"rm -f {CONF}; sysctl -qw {KEY}=64; " + given,
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
