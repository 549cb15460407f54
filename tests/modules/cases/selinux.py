"""Cases of selinux."""
from rows import hosted, machined

hosted("selinux", "printf 'SELINUX=enforcing # x\\nSELINUXTYPE=default\\nSELINUX=\\n' >/etc/hf-selinux",
       "- ansible.posix.selinux: state=disabled configfile=/etc/hf-selinux", "cat /etc/hf-selinux",
       "SELINUX=disabled\nSELINUXTYPE=default\nSELINUX=disabled")
hosted("selinux in a file without its lines", "echo '# nothing' >/etc/hf-selinux",
       "- ansible.posix.selinux: state=disabled configfile=/etc/hf-selinux", "cat /etc/hf-selinux", "# nothing\nSELINUX=disabled")

CONFIG = "/etc/selinux/config"


def selinux(title, given="", loose=(), **args):
    machined(title, "ansible.posix.selinux", args, f"[ -e /root/selinux ] || cp {CONFIG} /root/selinux; cat /root/selinux >{CONFIG}; setenforce 0; {given}",
        f"getenforce; grep ^SEL {CONFIG} /root/hf-selinux; setenforce 0; rm -f /root/hf-selinux", loose)


selinux("as it is", policy="default", state="permissive")
selinux("enforcing", policy="default", state="enforcing")
selinux("enforcing now, not in the file", "setenforce 1", policy="default", state="permissive")
selinux("permissive in the file", f"sed -i s/=permissive/=enforcing/ {CONFIG}", policy="default", state="permissive")
selinux("off", state="disabled")
selinux("off, in the file already", f"sed -i s/=permissive/=disabled/ {CONFIG}", state="disabled")
# Where the policy differs, Ansible's check ends before it looks for it, and says no more.
selinux("of a policy that is not there", policy="targeted", state="permissive", loose=["check"])
selinux("without a policy", state="permissive")
selinux("another file", f"cp {CONFIG} /root/hf-selinux; ", policy="default", state="enforcing", configfile="/root/hf-selinux")
selinux("a file without lines", "echo '# nothing' >/root/hf-selinux; ", policy="default", state="permissive", configfile="/root/hf-selinux",
        loose=["check"])
selinux("no file", policy="default", state="permissive", configfile="/root/hf-none")
