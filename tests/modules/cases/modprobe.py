"""Cases of modprobe."""
from rows import hosted, machined

hosted("modprobe's parameters with words behind go", "printf 'options dummy a=1 # x\\n options dummy b=2\\noptions dummy a=1 b=2\\n' "
       ">/etc/modprobe.d/hf.conf", "- community.general.modprobe: name=dummy state=absent persistent=absent", "cat /etc/modprobe.d/hf.conf",
       "#options dummy a=1 # x\n options dummy b=2\noptions dummy a=1 b=2")


# Ansible's module makes every line that it goes over two; the words it leaves are compared, not the blank lines.
OFF = "modprobe -r dummy dm-flakey; rm -f /etc/modules-load.d/hf* /etc/modules-load.d/d* /etc/modprobe.d/hf* /etc/modprobe.d/d*; "


def modprobe(title, given="", loose=(), name="dummy", **args):
    machined(title, "community.general.modprobe", {"name": name, **args}, OFF + given,
        "lsmod | grep -o '^dummy \\|^dm_flakey '; ls /sys/class/net; cd /etc; ls modules-load.d modprobe.d; "
        "grep -H . modules-load.d/*.conf modprobe.d/[dh]*", loose)


modprobe("new")
modprobe("there", "modprobe dummy")
modprobe("with parameters", params="numdummies=3")
modprobe("with parameters, there", "modprobe dummy", params="numdummies=3")
modprobe("with a parameter that is wrong", params="numdummies=x")
modprobe("goes", "modprobe dummy", state="absent")
modprobe("goes and is not there", state="absent")
modprobe("nobody's", name="no-such-module")
modprobe("nobody's goes", name="no-such-module", state="absent")
modprobe("of a hyphen", name="dm-flakey")
modprobe("of a hyphen goes", "modprobe dm-flakey", name="dm-flakey", state="absent")
modprobe("built in", name="ext4")
modprobe("built in goes", name="nvme", state="absent")
modprobe("in use goes", name="virtio_blk", state="absent")
modprobe("by another name", name="dm_flakey")
modprobe("blacklisted", "echo blacklist dummy >/etc/modprobe.d/hf.conf")
modprobe("shut off", "echo install dummy /bin/false >/etc/modprobe.d/hf.conf")
modprobe("shut off quietly", "echo install dummy /bin/true >/etc/modprobe.d/hf.conf")
modprobe("at every boot", persistent="present")
modprobe("at every boot with parameters", persistent="present", params="numdummies=2 foo=1")
modprobe("at every boot, there", "modprobe dummy; echo dummy >/etc/modules-load.d/hf.conf", persistent="present")
modprobe("at every boot, there with words behind", "modprobe dummy; echo '  dummy  # for us' >/etc/modules-load.d/hf.conf", persistent="present")
modprobe("at every boot with other parameters", "modprobe dummy; echo dummy >/etc/modules-load.d/hf.conf; "
         "printf 'options dummy numdummies=5\\noptions other a=1\\n' >/etc/modprobe.d/hf.conf", persistent="present", params="numdummies=2")
modprobe("at every boot with parameters that are there", "modprobe dummy; echo dummy >/etc/modules-load.d/hf.conf; "
         "echo 'options dummy numdummies=2 # two' >/etc/modprobe.d/hf.conf", persistent="present", params="numdummies=2")
modprobe("at every boot with two options on a line", "modprobe dummy; echo dummy >/etc/modules-load.d/hf.conf; "
         "echo 'options dummy numdummies=2 foo=1' >/etc/modprobe.d/hf.conf", persistent="present", params="numdummies=2")
modprobe("no more at every boot", "modprobe dummy; echo dummy >/etc/modules-load.d/hf.conf; "
         "printf '# ours\\noptions dummy numdummies=5\\n' >/etc/modprobe.d/hf.conf", state="absent", persistent="absent")
modprobe("no more at every boot, and is not", state="absent", persistent="absent")
modprobe("no more at every boot, its parameters alone", "echo 'options dummy numdummies=5' >/etc/modprobe.d/hf.conf", persistent="absent")
