"""Rows of modules that keep one setting in a file of their own kind, for test_modules_collections.py."""
from files_rows import Row

ROWS = []


def row(title, module, given=None, loose=(), always=False, **args):
    ROWS.append(Row(f"{module.rpartition('.')[2]} {title}", {"f": given} if given is not None else {}, {module: args}, {"loose": list(loose), "always": always}))


def limit(title, given=None, **args):
    row(title, "community.general.pam_limits", given, dest="@/f", **args)


# A comment behind a limit is not in it: Ansible's writes it after the next new line too, and a blank line with it.
LIMITS = "# limits\n@users hard nproc 20\nann soft nofile 1024\n\nann - core 0\n"
limit("new", LIMITS, domain="eve", limit_type="soft", limit_item="nofile", value="64000")
limit("new, with a comment", LIMITS, domain="eve", limit_type="-", limit_item="memlock", value="unlimited", comment="for training")
limit("there with a comment", "ann soft nofile 1024 # hers\n", domain="ann", limit_type="soft", limit_item="nofile", value="1024")
limit("there", LIMITS, domain="ann", limit_type="soft", limit_item="nofile", value="1024")
limit("another value", LIMITS, domain="ann", limit_type="soft", limit_item="nofile", value="2048")
limit("a lower value where the higher counts", LIMITS, domain="ann", limit_type="soft", limit_item="nofile", value="512", use_max=True)
limit("a higher value where the lower counts", LIMITS, domain="ann", limit_type="soft", limit_item="nofile", value="4096", use_min=True)
limit("no number", LIMITS, domain="ann", limit_type="soft", limit_item="nofile", value="many")
limit("of priority", LIMITS, domain="ann", limit_type="-", limit_item="priority", value="-21")
limit("a file that is wrong", "ann soft nofile lots\n", domain="bob", limit_type="soft", limit_item="nofile", value="1")
limit("a copy kept", LIMITS, domain="ann", limit_type="soft", limit_item="nofile", value="2048", backup=True)
limit("a copy of no file", None, domain="ann", limit_type="soft", limit_item="nofile", value="2048", backup=True)
limit("no file", None, domain="ann", limit_type="soft", limit_item="nofile", value="1")


def blacklist(title, given=None, **args):
    row(title, "community.general.kernel_blacklist", given, blacklist_file="@/f", **args)


blacklist("new", "# none\n", name="nouveau")
blacklist("there", "blacklist nouveau\n", name="nouveau")
blacklist("goes", "blacklist nouveau\nblacklist b\n", name="nouveau", state="absent")
blacklist("goes, not there", "blacklist b\n", name="nouveau", state="absent")
blacklist("lines end as on Windows", "a\r\nblacklist b\r\n", name="nouveau")
blacklist("no newline at the end", "blacklist b", name="nouveau")


def mount(title, given=None, **args):
    row(title, "ansible.posix.mount", given, path="/mnt/hf", fstab="@/f", **{"src": "/dev/hf", "fstype": "ext4", "state": "present", **args})


FSTAB = "# fstab\nUUID=a / ext4 defaults 0 1\n/dev/hf /mnt/hf ext4 noatime 0 2\n"
mount("new", "UUID=a / ext4 defaults 0 1\n", opts="noatime")
mount("there", FSTAB, opts="noatime", passno="2")
mount("other options, a copy of the file kept", FSTAB, opts="defaults", backup=True)
mount("four fields", "/dev/hf /mnt/hf ext4 noatime\n", opts="noatime")
mount("blanks in options", FSTAB, opts="a b")
mount("not at boot, by its options as well", FSTAB, boot=False, opts="noauto")
mount("lines end as on Windows", "UUID=a / ext4 defaults 0 1\r\n", opts="noatime")
mount("not at boot", FSTAB, boot=False, opts="noatime")
mount("not at boot and no options", FSTAB, boot=False)
mount("out of the file", FSTAB, state="absent_from_fstab")
mount("out of the file, a line of four fields", "/dev/hf /mnt/hf ext4 noatime\n", state="absent_from_fstab")


def kernel(title, given=None, **args):
    row(title, "ansible.posix.sysctl", given, sysctl_file="@/f", reload=False, **{"name": "vm.swappiness", "value": "10", **args})


kernel("new", "# c\nkernel.sysrq = 1\n")
kernel("there", "vm.swappiness = 10\n")
kernel("another value", "vm.swappiness=20\nvm.swappiness=30\n")
kernel("lines end as on Windows", "kernel.sysrq=1\r\n")
kernel("goes", "vm.swappiness=10\n", state="absent")


def repo(title, given=None, **args):
    row(title, "yum_repository", None, name="epel", reposdir="@", file="f", **args)
    ROWS[-1] = ROWS[-1]._replace(given={"f.repo": given} if given is not None else {})


EPEL = {"description": "EPEL", "baseurl": ["http://x/", "http://y/"], "gpgcheck": True}
repo("new", **EPEL)
repo("there in other words", "[epel]\nname=EPEL\n\ngpgcheck=1\nbaseurl = http://x/\n  http://y/\n", **EPEL)
repo("there as it is written", "[epel]\nbaseurl = http://x/\n\thttp://y/\ngpgcheck = 1\nname = EPEL\n\n", **EPEL)
repo("another value", "[epel]\nbaseurl = http://x/\ngpgcheck = 0\nname = EPEL\n\n", **EPEL)
repo("whose, and with what mode", owner="daemon", group="daemon", mode="0600", **EPEL)
repo("whose it becomes", "[epel]\nbaseurl = http://x/\n\thttp://y/\ngpgcheck = 1\nname = EPEL\n\n", owner="daemon", group="daemon", **EPEL)
repo("goes", "[epel]\nname = EPEL\nbaseurl = http://x/\n\n", state="absent")
repo("goes, another stays", "[a]\nname = A\nbaseurl = http://a/\n\n[epel]\nname = EPEL\nbaseurl = http://x/\n\n", state="absent", mode="0600")
