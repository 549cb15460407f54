"""Cases of kernel_blacklist."""
from given import setting
from rows import hosted, machined


def blacklist(title, given=None, **args):
    setting(title, "community.general.kernel_blacklist", given, blacklist_file="@/f", **args)


blacklist("new", "# none\n", name="nouveau")
blacklist("there", "blacklist nouveau\n", name="nouveau")
blacklist("goes", "blacklist nouveau\nblacklist b\n", name="nouveau", state="absent")
blacklist("goes, not there", "blacklist b\n", name="nouveau", state="absent")
blacklist("lines end as on Windows", "a\r\nblacklist b\r\n", name="nouveau")
blacklist("no newline at the end", "blacklist b", name="nouveau")
hosted("kernel_blacklist", "", "- community.general.kernel_blacklist: name=nouveau",
       "cat /etc/modprobe.d/blacklist-ansible.conf 2>/dev/null", "blacklist nouveau")
hosted("kernel_blacklist among lines with blanks behind", "printf '# ours  \\n\\nblacklist a\\t\\n' >/etc/modprobe.d/hf.conf",
       "- community.general.kernel_blacklist: name=b blacklist_file=/etc/modprobe.d/hf.conf", "cat /etc/modprobe.d/hf.conf",
       "# ours\n\nblacklist a\nblacklist b")

LIST = "/etc/modprobe.d/real_blacklist-ansible.conf"


def real_blacklist(title, given="", loose=(), **args):
    """Whether the kernel's own way to load it (by what a device says) still does is asked as well. Ansible's module makes the file,
    empty, in check mode."""
    machined(title, "community.general.kernel_blacklist", {"name": "dummy", **args}, f"modprobe -r dummy; rm -f {LIST} /etc/modprobe.d/hf.conf; {given}",
        f"cat {LIST} /etc/modprobe.d/hf.conf 2>/dev/null; modprobe -b -n -v dummy", loose)


real_blacklist("new")
real_blacklist("there", f"echo 'real_blacklist   dummy' >{LIST}; ")
real_blacklist("to others", f"printf '# ours\\nblacklist dm-flakey  \\n\\n' >{LIST}; ")
real_blacklist("goes", f"printf 'real_blacklist dummy\\nblacklist other\\n' >{LIST}; ", state="absent")
real_blacklist("goes and is not there", f"echo '#real_blacklist dummy' >{LIST}; ", state="absent")
real_blacklist("in a file of its own", blacklist_file="/etc/modprobe.d/hf.conf")
