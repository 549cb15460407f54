"""Cases of yum_repository."""
from given import setting
from rows import CALLED, hosted, live


def repo(title, given=None, **args):
    setting(title, "yum_repository", None, name="epel", reposdir="@", file="f", **args)
    CALLED[-1] = CALLED[-1]._replace(given={"f.repo": given} if given is not None else {})


EPEL = {"description": "EPEL", "baseurl": ["http://x/", "http://y/"], "gpgcheck": True}
repo("new", **EPEL)
repo("there in other words", "[epel]\nname=EPEL\n\ngpgcheck=1\nbaseurl = http://x/\n  http://y/\n", **EPEL)
repo("there as it is written", "[epel]\nbaseurl = http://x/\n\thttp://y/\ngpgcheck = 1\nname = EPEL\n\n", **EPEL)
repo("another value", "[epel]\nbaseurl = http://x/\ngpgcheck = 0\nname = EPEL\n\n", **EPEL)
repo("whose, and with what mode", owner="daemon", group="daemon", mode="0600", **EPEL)
repo("whose it becomes", "[epel]\nbaseurl = http://x/\n\thttp://y/\ngpgcheck = 1\nname = EPEL\n\n", owner="daemon", group="daemon", **EPEL)
repo("goes", "[epel]\nname = EPEL\nbaseurl = http://x/\n\n", state="absent")
repo("goes, another stays", "[a]\nname = A\nbaseurl = http://a/\n\n[epel]\nname = EPEL\nbaseurl = http://x/\n\n", state="absent", mode="0600")
hosted("yum_repository", "printf '[other]\\nname = o\\n\\n' >/etc/x.repo",
       "- yum_repository: name=epel file=x reposdir=/etc description=EPEL baseurl=http://e/ gpgcheck=no", "cat /etc/x.repo",
       "[other]\nname = o\n\n[epel]\nbaseurl = http://e/\ngpgcheck = 0\nname = EPEL")


def repository(title, given="", loose=(), **args):
    live(title, "yum_repository", {"name": "epel", "reposdir": "/srv/repos", **args}, "rm -rf /srv/repos; mkdir -p /srv/repos; " + given,
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
