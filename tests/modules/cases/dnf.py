"""Cases of dnf."""
from rows import live
from rpmrepo import BUILD

NONE = "dnf -q -y remove 'hf-*' >/dev/null 2>&1; "


def dnf(title, given="", loose=(), long=True, **args):
    live(title, "dnf", args, given, "rpm -qa --qf '%{NAME}-%{VERSION}\\n' 'hf-*' | sort; ls /srv/kept 2>/dev/null", loose, long)


dnf("of a version", BUILD, long=False, name="hf-demo-1.0")
dnf("of any version, there", long=False, name="hf-demo")
dnf("of an older version, not wanted", "dnf -q -y install hf-demo-1.1 >/dev/null 2>&1", long=False, name="hf-demo-1.0")
dnf("of an older version", name="hf-demo-1.0", allow_downgrade=True)
dnf("latest", long=False, name="hf-demo", state="latest")
dnf("nobody has it", name="no-such-package", loose=["failures"])
dnf("one of two that nobody has", long=False, name=["no-such-package", "hf-tool-x"])
dnf("several", name=["hf-tool-x", "hf-tool-y"])
dnf("goes", name="hf-tool-x", state="absent")
dnf("goes and its needs stay", long=False, name="hf-demo", state="absent")
dnf("goes with what nobody needs", "dnf -q -y install hf-demo >/dev/null 2>&1", name="hf-demo", state="absent", autoremove=True)
dnf("nobody needs it", "dnf -q -y install hf-demo >/dev/null 2>&1; dnf -q -y remove --noautoremove hf-demo >/dev/null 2>&1", autoremove=True)
dnf("what something provides", name="hf-mail")
dnf("only what is there", "dnf -q -y install hf-demo-1.0 >/dev/null 2>&1", name=["hf-demo", "hf-tool-x"], state="latest", update_only=True)
dnf("everything", "dnf -q -y downgrade hf-demo-1.0 >/dev/null 2>&1", name="*", state="latest")
dnf("only kept for later", name="hf-tool-x", download_only=True, download_dir="/srv/kept")
dnf("of a file", name="/srv/rpms/hf-tool-x-1.0.rpm", loose=["msg"])
dnf("of a pattern", NONE, name="hf-tool-*")
dnf("unsigned, never mind", NONE, name="hf-tool-x", enablerepo=["other"], disablerepo=["local"], disable_gpg_check=True)
dnf("of no repository", name="hf-tool-y", disablerepo="*")
dnf("lists what is there", list="installed")
dnf("lists a package", list="hf-tool-x")
dnf("lists repositories", list="repos")
dnf("asks anew", update_cache=True)
dnf("autoremove of the latest", name="hf-demo", state="latest", autoremove=True)
dnf("a text of blanks", name="hf-tool-x hf-tool-y")
