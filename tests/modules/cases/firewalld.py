"""Cases of firewalld."""
from rows import hosted, live

FW = "mkdir -p /run/firewall /etc/firewalld/zones-kept; touch /run/firewall/up /run/firewall/public /etc/firewalld/zones-kept/public; "
FIREWALLD = "cat /run/firewall/public /etc/firewalld/zones-kept/public 2>/dev/null"
hosted("firewalld service for good", FW, "- ansible.posix.firewalld: service=https permanent=true state=enabled", FIREWALLD,
       "service=https")
hosted("firewalld service now and for good", FW,
       "- ansible.posix.firewalld: service=https permanent=true immediate=true state=enabled", FIREWALLD,
       "service=https\nservice=https")
hosted("firewalld port goes", FW + "echo port=80/tcp >/run/firewall/public",
       "- ansible.posix.firewalld: port=80/tcp state=disabled", FIREWALLD, "")
hosted("firewalld rich rule", FW, "- ansible.posix.firewalld: {rich_rule: 'rule family=ipv4 accept', state: enabled}",
       FIREWALLD, "rich-rule=rule family=ipv4 accept")
hosted("firewalld forwarded port", FW, "- ansible.posix.firewalld: {port_forward: [{port: 443, proto: tcp, toport: 8443}], "
       "state: enabled}", FIREWALLD, "forward-port=port=443:proto=tcp:toport=8443")
hosted("firewalld masquerade", FW, "- ansible.posix.firewalld: masquerade=true permanent=true state=enabled", FIREWALLD,
       "masquerade=")
hosted("firewalld interface changes its zone", FW + "echo interface=ib0 >/etc/firewalld/zones-kept/home",
       "- ansible.posix.firewalld: zone=public interface=ib0 permanent=true state=enabled",
       "cd /etc/firewalld/zones-kept && grep -H ib0 *", "public:interface=ib0")
hosted("firewalld target", FW, "- ansible.posix.firewalld: zone=public target=DROP permanent=true state=enabled",
       "firewall-cmd --permanent --zone=public --get-target", "DROP")
hosted("firewalld zone", FW, "- ansible.posix.firewalld: zone=fabric permanent=true state=present",
       "ls /etc/firewalld/zones-kept", "fabric\npublic")
hosted("firewalld without its daemon", FW + "rm /run/firewall/up",
       "- ansible.posix.firewalld: service=ssh permanent=true offline=true immediate=true state=enabled", FIREWALLD,
       "service=ssh")

CALL = "busctl --quiet call org.fedoraproject.FirewallD1 /org/fedoraproject/FirewallD1 org.fedoraproject.FirewallD1"
# ufw's rules go where firewalld starts, its policy stays, and then nothing gets through, not even on the loopback.
START = "{ ufw disable >/dev/null; iptables -P INPUT ACCEPT; iptables -P FORWARD ACCEPT; ip6tables -P INPUT ACCEPT; systemctl start firewalld; }"
FRESH = f"rm -f /etc/firewalld/zones/*; systemctl is-active -q firewalld && {CALL} reload || {START}; "
LEFT = (f"for zone in public home; do {CALL.replace(' --quiet', '')}.zone getZoneSettings2 s $zone; done; "
        "for f in /etc/firewalld/zones/*.xml; do [ -e $f ] && echo $f && cat $f; done")


def firewall(title, given="", loose=(), state="enabled", long=True, **args):
    live(title, "ansible.posix.firewalld", {"state": state, **args}, FRESH + given, LEFT, loose, long)


def zone_file(zone, text):
    """A zone as the host's owner has it, and the daemon has read it."""
    return (f"printf '<?xml version=\"1.0\" encoding=\"utf-8\"?>\\n<zone{text}</zone>\\n' >/etc/firewalld/zones/{zone}.xml; {CALL} reload; ")


firewall("service for good", service="https", permanent=True)
firewall("service now and for good", long=False, zone="public", service="https", permanent=True, immediate=True)
firewall("service now", service="https")
firewall("service that is there", service="ssh", permanent=True, immediate=True)
firewall("service goes", service="ssh", permanent=True, state="disabled")
firewall("no such service", service="nonsense", permanent=True, loose=["msg"])
firewall("port", port="8080/tcp", permanent=True, immediate=True)
firewall("port without its protocol", port="8080")
firewall("protocol", protocol="esp", permanent=True)
firewall("rich rule", rich_rule="rule family=ipv4 source address=10.0.0.0/8 accept", permanent=True)
firewall("source", source="10.0.0.0/8", permanent=True, zone="home")
firewall("interface", interface="eth7", permanent=True, zone="public")
firewall("interface of another zone", zone_file("home", '><interface name="eth7"/>'), interface="eth7", permanent=True, zone="public")
firewall("masquerade", masquerade=True, permanent=True)
firewall("icmp", icmp_block="echo-request", permanent=True)
firewall("icmp the other way", icmp_block_inversion=True, permanent=True)
firewall("forwarded port", long=False, zone="public", port_forward=[{"port": 443, "proto": "tcp", "toport": 8443}], permanent=True)
firewall("target", target="DROP", zone="home", permanent=True)
firewall("target goes", zone_file("home", ' target="DROP">'), target="DROP", zone="home", permanent=True, state="disabled")
firewall("zone", zone="fabric", permanent=True, state="present")
firewall("zone now", zone="fabric", state="present")
firewall("zone goes", zone_file("fabric", ">"), zone="fabric", permanent=True, state="absent")
firewall("whole and part", service="ssh", permanent=True, state="present")
