"""Cases of timezone."""
from rows import hosted, live

hosted("timezone", "", "- community.general.timezone: name=Europe/Berlin", "readlink /etc/localtime; cat /etc/timezone",
       "../usr/share/zoneinfo/Europe/Berlin\nEurope/Berlin")

# timedated keeps for half a minute what it has read, and may be started five times in ten seconds.
BERLIN = ("systemctl -q stop systemd-timedated; systemctl reset-failed systemd-timedated; rm -f /etc/adjtime; "
          "ln -sf /usr/share/zoneinfo/Europe/Berlin /etc/localtime; echo Europe/Berlin >/etc/timezone; ")


def timezone(title, given="", long=False, **args):
    """Of /etc/timezone only what another zone leaves as it is: timedatectl of Debian 12 never writes it, holdfast lets it follow."""
    live(title, "community.general.timezone", args, BERLIN + given,
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
