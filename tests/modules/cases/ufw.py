"""Cases of ufw."""
from rows import hosted, live

UFW_ON = "ufw enable; "
hosted("ufw rule", UFW_ON, "- community.general.ufw: rule=allow to_port=22 proto=tcp comment=office", "cat /etc/ufw/user.rules",
       "### tuple ### allow from any to any port 22 proto tcp comment office")
hosted("ufw rule goes", UFW_ON + "ufw allow from any to any port 23", "- community.general.ufw: rule=allow to_port=23 delete=true",
       "cat /etc/ufw/user.rules", "")
hosted("ufw starts", "ufw disable", "- community.general.ufw: state=enabled", "ufw status | head -1", "Status: active")
hosted("ufw policy", UFW_ON, "- community.general.ufw: default=reject direction=incoming", "ufw status verbose | grep Default",
       "Default: reject (incoming), allow (outgoing), disabled (routed)")
hosted("ufw logs", UFW_ON, "- community.general.ufw: logging=high", "ufw status verbose | grep Logging", "Logging: on (high)")

UFW = "ufw --force reset >/dev/null 2>&1; rm -f /etc/ufw/*.2*; "
UFW_ON = UFW + "ufw --force enable >/dev/null; "


def ufw(title, given=UFW_ON, long=False, **args):
    live(title, "community.general.ufw", args, given, "ufw status verbose; grep -h '^### tuple' /etc/ufw/user.rules /etc/ufw/user6.rules",
        ["commands"], long)


OFFICE = "ufw allow 22/tcp >/dev/null; "
ufw("rule", rule="allow", to_port="22", proto="tcp", comment="the office")
ufw("rule that is there", UFW_ON + OFFICE, rule="allow", port="22", proto="tcp", long=True)
ufw("rule of addresses", rule="deny", from_ip="10.0.0.0/8", to_ip="10.1.0.1", to_port="5432", long=True)
ufw("rule of newer addresses, there", UFW_ON + "ufw deny from 2001:db8::/32 >/dev/null", rule="deny", src="2001:db8::/32", long=True)
ufw("rule first", UFW_ON + OFFICE, rule="deny", insert=1, from_ip="10.0.0.9", long=True)
ufw("rule of an interface", rule="allow", direction="in", interface="eth0", to_port="80", log=True, long=True)
ufw("rule goes", UFW_ON + OFFICE, rule="allow", to_port="22", proto="tcp", delete=True)
ufw("rule while it is off", UFW, rule="allow", to_port="22", long=True)
ufw("on", UFW, state="enabled")
ufw("on and is on", state="enabled", long=True)
ufw("off", state="disabled", long=True)
ufw("again", state="reloaded", long=True)
ufw("of both ways", rule="allow", interface_in="a", interface_out="b")
ufw("policy", default="reject", direction="incoming")
ufw("policy that is there", policy="deny", long=True)
ufw("policy the wrong way", default="deny", direction="in", long=True)
ufw("logs", logging="high", long=True)
ufw("logs as it does", logging="on", long=True)
