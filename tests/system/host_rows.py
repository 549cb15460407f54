"""Rows for test_live_beside_ansible.py: the host's time zone, locales and kernel modules."""
from live_rows import row

# --- timezone ----------------------------------------------------------------------------------------------------------------
# timedated keeps for half a minute what it has read, and may be started five times in ten seconds.
BERLIN = ("systemctl -q stop systemd-timedated; systemctl reset-failed systemd-timedated; rm -f /etc/adjtime; "
          "ln -sf /usr/share/zoneinfo/Europe/Berlin /etc/localtime; echo Europe/Berlin >/etc/timezone; ")


def timezone(title, given="", long=False, **args):
    """Of /etc/timezone only what another zone leaves as it is: timedatectl of Debian 12 never writes it, holdfast lets it follow."""
    row(title, "community.general.timezone", args, BERLIN + given,
        "readlink /etc/localtime; stat -c '%F %a' /etc/localtime; cat /etc/adjtime; grep Tokyo /etc/timezone", (), long)


TOKYO = "echo Asia/Tokyo >/etc/timezone; "
timezone("another", name="Europe/Rome")
timezone("there", name="Europe/Berlin", long=True)
timezone("nobody's", name="Mars/Base", long=True)
timezone("a folder", name="Europe")
timezone("nowhere so far", "rm /etc/localtime /etc/timezone; ", name="Asia/Tokyo", long=True)
timezone("nowhere so far, and the one it is then", "rm /etc/localtime /etc/timezone; ", name="UTC")
timezone("etc/utc", "rm /etc/localtime; ", name="Etc/UTC", long=True)
timezone("only the link", "rm /etc/timezone; ", name="Europe/Berlin", long=True)
timezone("another in the file", TOKYO, name="Europe/Berlin")
timezone("a copy", "rm /etc/localtime; cp /usr/share/zoneinfo/Europe/Berlin /etc/localtime; ", name="Europe/Berlin")
timezone("a link with dots", "ln -sf ../usr/share/zoneinfo/Europe/Berlin /etc/localtime; ", name="Europe/Berlin", long=True)
timezone("a link elsewhere", "ln -sf /etc/zone /etc/localtime; cp /usr/share/zoneinfo/Europe/Berlin /etc/zone; ", name="Europe/Berlin", long=True)
timezone("clock of universal time", hwclock="UTC", long=True)
timezone("clock of local time", hwclock="local", long=True)
timezone("clock of local time, there", "printf '0.0 0 0.0\\n0\\nLOCAL\\n' >/etc/adjtime; ", hwclock="local", long=True)
timezone("clock back to universal time", "printf '0.1 5 0.0\\n7\\nLOCAL\\n' >/etc/adjtime; ", rtc="UTC")
timezone("clock of universal time, said", "printf '0.1 5 0.0\\n7\\nUTC\\n' >/etc/adjtime; ", rtc="UTC", long=True)
timezone("both", name="Europe/Rome", hwclock="local")
timezone("neither", long=True)

# --- locale_gen --------------------------------------------------------------------------------------------------------------
# Locales of the Latin alphabet alone, which take a tenth of what others do to be made. Ansible's module says in check mode that
# nothing would change, whatever would; holdfast says what would.
GEN, ARCHIVE = "/etc/locale.gen", "/usr/lib/locale/locale-archive"
PLAIN = f"[ -e /root/locale.gen ] || cp {GEN} /root; cp /root/locale.gen {GEN}; rm -f {ARCHIVE}; "


def compiled(*names):
    """There, and asked for: kept from the first time on."""
    kept = f"/root/archive-{'-'.join(names)}"
    on = "; ".join(f"sed -i 's/^# {name} /{name} /' {GEN}" for name in names)
    return f"{on}; [ -e {kept} ] || {{ locale-gen >/dev/null; cp {ARCHIVE} {kept}; }}; cp {kept} {ARCHIVE}; "


def locale_gen(title, given="", long=False, loose=("check", ), **args):
    row(title, "community.general.locale_gen", args, PLAIN + given, f"locale -a; grep '^[^#]\\|de_DE \\|gv_GB ' {GEN}; stat -c %a {GEN}", loose, long)


locale_gen("new", name="de_DE")
locale_gen("there", compiled("de_DE"), name="de_DE")
locale_gen("goes", compiled("de_DE"), name="de_DE", state="absent")
locale_gen("goes and is not there", name="de_DE", state="absent", long=True)
locale_gen("two, one there", compiled("de_DE"), name=["de_DE", "gv_GB"])
locale_gen("two go, one there", compiled("de_DE"), name=["de_DE", "gv_GB"], state="absent")
locale_gen("two go", compiled("de_DE", "gv_GB"), name=["de_DE", "gv_GB"], state="absent", long=True)
locale_gen("nobody's", name=["xx_XX", "de_DE", "yy_YY.UTF-8"])
locale_gen("on and not made", f"sed -i 's/^# de_DE /de_DE /' {GEN}; ", name="de_DE", long=True)
locale_gen("made and off", compiled("de_DE") + f"cp /root/locale.gen {GEN}; ", name="de_DE", long=True)
locale_gen("made and off goes", compiled("de_DE") + f"cp /root/locale.gen {GEN}; ", name="de_DE", state="absent", long=True)
locale_gen("always there", name="C.UTF-8", long=True)
locale_gen("always there goes", name="C.UTF-8", state="absent", long=True)
locale_gen("always there, in other letters", name="C.utf8", long=True)
locale_gen("other blanks", f"sed -i 's/^# de_DE /  #de_DE /; s/^# gv_GB /#   gv_GB /' {GEN}; ", name=["gv_GB"], long=True)
locale_gen("two signs", f"sed -i 's/^# de_DE /## de_DE /' {GEN}; ", name=["de_DE"], long=True)
locale_gen("no name", name="", long=True)
locale_gen("no names", name=[], long=True)
locale_gen("without its list", f"rm {GEN}; ", name="de_DE", long=True)
locale_gen("a bad line", f"sed -i 's/^# de_DE .*/# de_DE no-such-map/' {GEN}; ", name="de_DE", long=True)
