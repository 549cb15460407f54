"""Cases of apt_key."""
from rows import live


def apt_key(title, given="", loose=(), **args):
    live(title, "apt_key", {"keyring": "/root/ring.gpg", **args}, "rm -f /root/ring.gpg*; " + given,
        "[ -e /root/ring.gpg ] && gpg --with-colons --show-keys /root/ring.gpg 2>/dev/null | grep ^pub | cut -d: -f5", loose)


RING = "cp /srv/archive/a.gpg /root/ring.gpg; "
apt_key("new", file="/srv/archive/a.asc")
apt_key("new of bytes", file="/srv/archive/a.gpg")
apt_key("there", RING, file="/srv/archive/a.asc")
apt_key("one more", RING, file="/srv/archive/b.asc")
apt_key("no number", id="nonsense", file="/srv/archive/b.asc")
apt_key("goes", RING, file="/srv/archive/a.asc", state="absent")
apt_key("goes and is not there", RING, id="DEADBEEF", state="absent")
