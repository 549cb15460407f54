"""Cases of rpm_key."""
from rows import live


def rpm_key(title, given="", loose=(), **args):
    live(title, "rpm_key", args, f"rpm -q gpg-pubkey >/dev/null && rpm -e --allmatches gpg-pubkey; {given}", "rpm -q gpg-pubkey | wc -l", loose)


rpm_key("new", key="/srv/archive/a.asc")
rpm_key("there", "rpm --import /srv/archive/a.asc; ", key="/srv/archive/a.asc")
rpm_key("another", "rpm --import /srv/archive/b.asc; ", key="/srv/archive/a.asc")
rpm_key("goes", "rpm --import /srv/archive/a.asc; rpm --import /srv/archive/b.asc; ", key="/srv/archive/a.asc", state="absent")
rpm_key("goes and is not there", key="/srv/archive/a.asc", state="absent")
rpm_key("only its number", key="0xDEADBEEF")
rpm_key("of another fingerprint", key="/srv/archive/a.asc", fingerprint="0000 0000", loose=["msg"])
rpm_key("nothing", key="/srv/none")
