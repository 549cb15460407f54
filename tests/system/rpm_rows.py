"""Rows for test_live_beside_ansible.py: RPM's side, with the real rpm and dnf on a Debian host and a repository made of tiny packages.
From the first row on each goes on from what the one before left."""
from live_rows import row

PLACES = """
mkdir -p /etc/rpm /srv/rpms /etc/yum.repos.d
echo '%_dbpath /var/lib/rpm' >/etc/rpm/macros.hf
"""
# one NAME VERSION [MORE LINES]: a package of nearly nothing
MAKE = PLACES + r"""
one() {
	printf "Name: $1\nVersion: $2\nRelease: 1\nSummary: s\nLicense: none\nBuildArch: noarch\n$3\n%%description\nno\n%%install\n" >/root/$1.spec
	printf "mkdir -p %%{buildroot}/usr/share/$1\necho $2 >%%{buildroot}/usr/share/$1/version\n%%files\n/usr/share/$1\n" >>/root/$1.spec
	rpmbuild -bb --quiet --define '_topdir /root/work' --define '_rpmdir /srv/rpms' --define "_build_name_fmt %%{NAME}-%%{VERSION}.rpm" /root/$1.spec
}
"""
REPOSITORY = r"""
createrepo_c -q /srv/rpms
printf '[local]\nname=Local\nbaseurl=file:///srv/rpms\ngpgcheck=0\nenabled=1\n' >/etc/yum.repos.d/local.repo
printf '[other]\nname=Other\nbaseurl=file:///srv/rpms\ngpgcheck=1\nenabled=0\n' >/etc/yum.repos.d/other.repo
"""
BUILD = MAKE + r"""
one hf-lib 1.0; for v in 1.0 1.1 2.0; do one hf-demo $v 'Requires: hf-lib'; done
one hf-mail-a 1.0 'Provides: hf-mail'; one hf-tool-x 1.0; one hf-tool-y 1.0
""" + REPOSITORY
NONE = "dnf -q -y remove 'hf-*' >/dev/null 2>&1; "


def dnf(title, given="", loose=(), long=True, **args):
    row(title, "dnf", args, given, "rpm -qa --qf '%{NAME}-%{VERSION}\\n' 'hf-*' | sort; ls /srv/kept 2>/dev/null", loose, long)


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


def repository(title, given="", loose=(), **args):
    row(title, "yum_repository", {"name": "epel", "reposdir": "/srv/repos", **args}, "rm -rf /srv/repos; mkdir -p /srv/repos; " + given,
        "cd /srv/repos || exit; for f in *; do [ -e $f ] && stat -c '%n %a' $f && cat $f; done", loose)


TWO = "printf '[other]\\nname = o\\nbaseurl = http://o/\\n\\n[epel]\\nbaseurl = http://e/\\nname = E\\n\\n' >/srv/repos/epel.repo; "
repository("new", description="E", baseurl="http://e/")
repository("of options", description="E", metalink="http://e/?a=1&b=2", gpgcheck=True, enabled=False, gpgkey=["http://k/1", "http://k/2"], priority="5",
           exclude=["a", "b*"], includepkgs="c d", sslverify=False, skip_if_unavailable=True, file="mine", module_hotfixes=True, proxy="http://p:1")
repository("of several addresses", description="E", baseurl=["http://e/", "http://f/"])
repository("there", TWO, description="E", baseurl="http://e/")
repository("another address", TWO, description="E", baseurl="http://f/")
repository("beside another", TWO, name="third", file="epel", description="T", mirrorlist="http://t/")
repository("of a mode", description="E", baseurl="http://e/", mode="0600")
repository("there, another mode", TWO, description="E", baseurl="http://e/", mode="u=rw,g=,o=")
repository("goes", TWO, state="absent")
repository("goes with its file", "printf '[epel]\\nname = E\\n\\n' >/srv/repos/epel.repo; ", state="absent")
repository("goes and is not there", state="absent")
repository("without a description", baseurl="http://e/")
repository("without an address", description="E")
repository("where there is no folder", "rmdir /srv/repos; ", description="E", baseurl="http://e/")


def rpm_key(title, given="", loose=(), **args):
    row(title, "rpm_key", args, f"rpm -q gpg-pubkey >/dev/null && rpm -e --allmatches gpg-pubkey; {given}", "rpm -q gpg-pubkey | wc -l", loose)


rpm_key("new", key="/srv/archive/a.asc")
rpm_key("there", "rpm --import /srv/archive/a.asc; ", key="/srv/archive/a.asc")
rpm_key("another", "rpm --import /srv/archive/b.asc; ", key="/srv/archive/a.asc")
rpm_key("goes", "rpm --import /srv/archive/a.asc; rpm --import /srv/archive/b.asc; ", key="/srv/archive/a.asc", state="absent")
rpm_key("goes and is not there", key="/srv/archive/a.asc", state="absent")
rpm_key("only its number", key="0xDEADBEEF")
rpm_key("of another fingerprint", key="/srv/archive/a.asc", fingerprint="0000 0000", loose=["msg"])
rpm_key("nothing", key="/srv/none")


def apt_key(title, given="", loose=(), **args):
    row(title, "apt_key", {"keyring": "/root/ring.gpg", **args}, "rm -f /root/ring.gpg*; " + given,
        "[ -e /root/ring.gpg ] && gpg --with-colons --show-keys /root/ring.gpg 2>/dev/null | grep ^pub | cut -d: -f5", loose)


RING = "cp /srv/archive/a.gpg /root/ring.gpg; "
apt_key("new", file="/srv/archive/a.asc")
apt_key("new of bytes", file="/srv/archive/a.gpg")
apt_key("there", RING, file="/srv/archive/a.asc")
apt_key("one more", RING, file="/srv/archive/b.asc")
apt_key("no number", id="nonsense", file="/srv/archive/b.asc")
apt_key("goes", RING, file="/srv/archive/a.asc", state="absent")
apt_key("goes and is not there", RING, id="DEADBEEF", state="absent")


def package_facts(title, given="", long=False, **args):
    row(title, "package_facts", args, f"rpm -U --replacepkgs --nodeps --nodigest /srv/rpms/hf-tool-x-1.0.rpm; {given}", "true", long=long)


package_facts("of rpm", manager="rpm")
package_facts("of apt", manager="apt")
package_facts("of both", manager=["apt", "rpm"], strategy="all", long=True)
package_facts("of the first of both", manager=["rpm", "apt"], long=True)
package_facts("of the first of both, the other way", manager=["apt", "rpm"], long=True)
package_facts("of what is not there", manager="pacman")
