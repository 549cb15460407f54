"""Package and system modules on a real Debian host: real dpkg, real systemd units, real accounts.

A row is one task. For each: check mode says what would change and touches nothing; applying changes it; applying again
changes nothing; taking the undo record back leaves the host as it was."""
import json
import pathlib
import textwrap

import pytest

import aptrepo
from places import BUILD
from host import Host

HERE = pathlib.Path(__file__).resolve().parent
UNIT = "[Unit]\nDescription=nap\n[Service]\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=multi-user.target\n"


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    archive = aptrepo.build(tmp_path_factory.mktemp("archive"))
    with Host(binds={"/srv/archive": archive}) as booted:
        booted.install(BUILD / "holdfast", "/usr/bin/holdfast")
        booted.install(BUILD / "tests/system/undo_door", "/usr/bin/undo_door")
        booted.put("/etc/apt/sources.list", "deb [trusted=yes] file:/srv/archive ./\n")
        booted.put("/etc/dpkg/dpkg.cfg.d/fast", "force-unsafe-io\n")
        booted.run("apt-get update", check=True)
        booted.put("/etc/systemd/system/nap.service", UNIT)
        booted.run("systemctl daemon-reload", check=True)
        booted.install(HERE / "ufw_shim.sh", "/usr/sbin/ufw")
        for name in ("firewall-cmd", "firewall-offline-cmd"):
            booted.install(HERE / "firewall_shim.sh", f"/usr/bin/{name}")
        yield booted


def playbook(tasks):
    """One play on this host, facts not gathered."""
    text = tasks if isinstance(tasks, str) else json.dumps(tasks)
    return "- hosts: localhost\n  gather_facts: no\n  tasks:\n" + textwrap.indent(textwrap.dedent(text).strip("\n"), "    ")


def apply(host, tasks, *options):
    """Run tasks; the task results, one dict a task."""
    host.put("/root/play.yml", playbook(tasks) + "\n")
    return tasks_of(host.run(["holdfast", "apply", "/root/play.yml", "--output", "jsonl", *options]))


def tasks_of(r):
    """Task results in what a run printed."""
    lines = [json.loads(line) for line in r.out.splitlines() if line.startswith("{")]
    rows = [line for line in lines if line.get("type") == "task" and "item" not in line]
    assert rows, r
    return rows


ROWS = [
    # name, given (shell), task, probe (shell whose output is compared), what it prints afterwards
    ("apt installs", "", "- apt: name=hf-demo", "dpkg-query -Wf '${Version} ' hf-demo hf-lib 2>/dev/null", "2.0 1.0"),
    ("apt installs a version", "", "- apt: name=hf-demo=1.0", "dpkg-query -Wf '${Version}' hf-demo 2>/dev/null", "1.0"),
    ("apt takes the newest that fits a pattern", "", "- apt: name=hf-demo=1.*",
     "dpkg-query -Wf '${Version}' hf-demo 2>/dev/null", "1.1"),
    ("apt upgrades to at least a version", "apt-get -y install hf-demo=1.0", "- apt: name='hf-demo>=1.1'",
     "dpkg-query -Wf '${Version}' hf-demo", "2.0"),
    ("apt latest", "apt-get -y install hf-demo=1.0", "- apt: name=hf-demo state=latest",
     "dpkg-query -Wf '${Version}' hf-demo", "2.0"),
    ("apt downgrades when told to", "apt-get -y install hf-demo=2.0", "- apt: name=hf-demo=1.1 allow_downgrade=yes",
     "dpkg-query -Wf '${Version}' hf-demo", "1.1"),
    ("apt takes a virtual name", "", "- apt: name=hf-mail", "dpkg-query -Wf '${Version}' hf-mail-a 2>/dev/null", "1.0"),
    ("apt expands wildcards", "", "- apt: name=hf-tool-*", "dpkg-query -Wf '${Package} ' 'hf-tool-*' 2>/dev/null",
     "hf-tool-x hf-tool-y"),
    ("apt removes", "apt-get -y install hf-tool-x", "- apt: name=hf-tool-x state=absent",
     "dpkg-query -Wf '${db:Status-Abbrev}' hf-tool-x 2>/dev/null", ""),
    ("apt purges what was left", "apt-get -y install hf-demo; apt-get -y remove hf-demo",
     "- apt: name=hf-demo state=absent purge=yes", "ls /etc/hf-demo.conf 2>/dev/null", ""),
    ("apt installs a file", "", "- apt: deb=/srv/archive/hf-tool-x_1.0_all.deb",
     "dpkg-query -Wf '${Version}' hf-tool-x 2>/dev/null", "1.0"),
    ("apt removes what nothing needs", "apt-get -y install hf-demo; apt-get -y remove hf-demo", "- apt: autoremove=yes",
     "ls /usr/share/hf-lib 2>/dev/null", ""),
    ("package passes on to apt", "", "- package: name=hf-tool-y state=present",
     "dpkg-query -Wf '${Version}' hf-tool-y 2>/dev/null", "1.0"),
    ("dpkg_selections holds", "apt-get -y install hf-tool-x", "- dpkg_selections: name=hf-tool-x selection=hold",
     "dpkg --get-selections hf-tool-x | tr -s '\\t' ' '", "hf-tool-x hold"),
    ("apt_repository adds a file", "",
     "- apt_repository: repo='deb [trusted=yes]   file:/srv/other ./' filename=extra update_cache=no",
     "cat /etc/apt/sources.list.d/extra.list 2>/dev/null", "deb [trusted=yes] file:/srv/other ./"),
    ("apt_repository names the file itself", "",
     "- apt_repository: repo='deb [trusted=yes] copy:/srv/archive/ ./' update_cache=no",
     "cat /etc/apt/sources.list.d/*.list 2>/dev/null", "deb [trusted=yes] copy:/srv/archive/ ./"),
    ("deb822_repository writes a stanza", "", """
     - deb822_repository:
         name: My Repo
         uris: http://example.org/debian
         suites: stable
         components: [main, contrib]
         signed_by: |
           -----BEGIN PGP PUBLIC KEY BLOCK-----

           abcd
     """, "cat /etc/apt/sources.list.d/my-repo.sources 2>/dev/null",
     "Components: main contrib\nX-Repolib-Name: My Repo\nSigned-By:\n    -----BEGIN PGP PUBLIC KEY BLOCK-----\n    .\n"
     "    abcd\nSuites: stable\nTypes: deb\nURIs: http://example.org/debian"),
    ("systemd starts", "systemctl stop nap", "- systemd: name=nap state=started", "systemctl is-active nap", "active"),
    ("systemd stops", "systemctl start nap", "- systemd: name=nap.service state=stopped", "systemctl is-active nap",
     "inactive"),
    ("systemd enables and starts", "systemctl disable --now nap", "- systemd: name=nap enabled=yes state=started",
     "systemctl is-active nap; systemctl is-enabled nap", "active\nenabled"),
    ("systemd masks", "systemctl stop nap; systemctl unmask nap; mv /etc/systemd/system/nap.service /lib/systemd/system/; "
     "systemctl daemon-reload", "- systemd: name=nap masked=yes", "systemctl is-enabled nap", "masked"),
    ("service passes on to systemd", "systemctl unmask nap; systemctl stop nap", "- service: name=nap state=started sleep=1",
     "systemctl is-active nap", "active"),
    ("systemd reads a new unit file", "printf '%s' '" + UNIT + "' >/etc/systemd/system/nap2.service",
     "- systemd: name=nap2 state=started daemon_reload=yes", "systemctl is-active nap2", "active"),
    ("group", "", "- group: name=crew gid=4321", "getent group crew", "crew:x:4321:"),
    ("group changes its number", "groupadd -g 4000 crew", "- group: name=crew gid=4321", "getent group crew", "crew:x:4321:"),
    ("group goes", "groupadd crew", "- group: name=crew state=absent", "getent group crew", ""),
    ("user", "groupadd crew", "- user: name=ada comment='Ada L' shell=/bin/sh groups=crew,games uid=1815",
     "getent passwd ada; id -nG ada 2>/dev/null; stat -c %U /home/ada 2>/dev/null",
     "ada:x:1815:1815:Ada L:/home/ada:/bin/sh\nada games crew\nada"),
    ("user changes", "useradd -m -s /bin/sh ada; groupadd crew", "- user: name=ada shell=/bin/bash groups=crew append=yes",
     "getent passwd ada | cut -d: -f7; id -nG ada", "/bin/bash\nada crew"),
    ("user system without home", "", "- user: name=daemon2 system=yes create_home=no shell=/usr/sbin/nologin home=/var/d2",
     "getent passwd daemon2 | cut -d: -f6,7; test -e /var/d2 && echo there", "/var/d2:/usr/sbin/nologin"),
    ("user password and expiry", "useradd -m ada",
     "- user: name=ada password='$6$salt$hash' expires=1893456000 password_expire_max=90",
     "getent shadow ada | cut -d: -f2,5,8", "$6$salt$hash:90:21915"),
    ("user locked", "useradd -m ada; echo ada:x | chpasswd", "- user: name=ada password_lock=yes",
     "getent shadow ada | cut -d: -f2 | cut -c1", "!"),
    ("user goes with home", "useradd -m ada; echo x >/home/ada/f", "- user: name=ada state=absent remove=yes",
     "getent passwd ada; cat /home/ada/f 2>/dev/null", ""),
    ("hostname", "", "- hostname: name=box.example.org", "hostname; cat /etc/hostname",
     "box.example.org\nbox.example.org"),
    ("timezone", "", "- community.general.timezone: name=Europe/Berlin", "readlink /etc/localtime; cat /etc/timezone",
     "../usr/share/zoneinfo/Europe/Berlin\nEurope/Berlin"),
    ("sysctl", "", "- ansible.posix.sysctl: name=net.ipv4.ip_forward value=1 sysctl_file=/etc/sysctl.d/90-x.conf",
     "cat /etc/sysctl.d/90-x.conf 2>/dev/null; cat /proc/sys/net/ipv4/ip_forward", "net.ipv4.ip_forward=1\n1"),
    ("sysctl goes", "printf 'a.b=1\\nnet.ipv4.ip_forward = 0\\n' >/etc/sysctl.d/91-x.conf",
     "- ansible.posix.sysctl: name=net.ipv4.ip_forward state=absent reload=no sysctl_file=/etc/sysctl.d/91-x.conf",
     "cat /etc/sysctl.d/91-x.conf", "a.b=1"),
    ("kernel_blacklist", "", "- community.general.kernel_blacklist: name=nouveau",
     "cat /etc/modprobe.d/blacklist-ansible.conf 2>/dev/null", "blacklist nouveau"),
    ("kernel_blacklist among lines with blanks behind", "printf '# ours  \\n\\nblacklist a\\t\\n' >/etc/modprobe.d/hf.conf",
     "- community.general.kernel_blacklist: name=b blacklist_file=/etc/modprobe.d/hf.conf", "cat /etc/modprobe.d/hf.conf",
     "# ours\n\nblacklist a\nblacklist b"),
    ("modprobe's parameters with words behind go", "printf 'options dummy a=1 # x\\n options dummy b=2\\noptions dummy a=1 b=2\\n' "
     ">/etc/modprobe.d/hf.conf", "- community.general.modprobe: name=dummy state=absent persistent=absent", "cat /etc/modprobe.d/hf.conf",
     "#options dummy a=1 # x\n options dummy b=2\noptions dummy a=1 b=2"),
    ("selinux", "printf 'SELINUX=enforcing # x\\nSELINUXTYPE=default\\nSELINUX=\\n' >/etc/hf-selinux",
     "- ansible.posix.selinux: state=disabled configfile=/etc/hf-selinux", "cat /etc/hf-selinux",
     "SELINUX=disabled\nSELINUXTYPE=default\nSELINUX=disabled"),
    ("selinux in a file without its lines", "echo '# nothing' >/etc/hf-selinux",
     "- ansible.posix.selinux: state=disabled configfile=/etc/hf-selinux", "cat /etc/hf-selinux", "# nothing\nSELINUX=disabled"),
    ("cron job of a user", "", "- cron: name='say hello' minute=5 hour='1,2' job='echo hello >/dev/null'",
     "crontab -l 2>/dev/null", "#Ansible: say hello\n5 1,2 * * * echo hello >/dev/null"),
    ("cron job changes", "printf '#Ansible: j\\n1 * * * * old\\n2 * * * * other\\n' | crontab -",
     "- cron: name=j special_time=daily job=new", "crontab -l", "#Ansible: j\n@daily new\n2 * * * * other"),
    ("cron job goes", "printf '#Ansible: j\\n1 * * * * old\\n2 * * * * other\\n' | crontab -", "- cron: name=j state=absent",
     "crontab -l", "2 * * * * other"),
    ("cron file", "", "- cron: name=j cron_file=jobs user=root job=/bin/true disabled=yes", "cat /etc/cron.d/jobs 2>/dev/null",
     "#Ansible: j\n#* * * * * root /bin/true"),
    ("cron variable", "printf 'A=1\\n' | crontab -", "- cron: name=PATH env=yes job=/bin insertafter=A", "crontab -l",
     'A=1\nPATH="/bin"'),
    ("mount", "", "- ansible.posix.mount: path=/mnt/t src=tmpfs fstype=tmpfs opts=size=1m state=mounted",
     "grep /mnt/t /etc/fstab; findmnt -no FSTYPE /mnt/t", "tmpfs /mnt/t tmpfs size=1m 0 0\ntmpfs"),
    ("mount line only", "", "- ansible.posix.mount: path='/mnt/a b' src=/dev/sdz fstype=ext4 state=present",
     "grep sdz /etc/fstab", "/dev/sdz /mnt/a\\040b ext4 defaults 0 0"),
    ("mount goes", "mkdir -p /mnt/u; echo 'tmpfs /mnt/u tmpfs defaults 0 0' >>/etc/fstab; mount /mnt/u",
     "- ansible.posix.mount: path=/mnt/u state=absent", "grep /mnt/u /etc/fstab; findmnt /mnt/u; ls -d /mnt/u 2>/dev/null", ""),
    ("pam_limits", "", "- community.general.pam_limits: domain=* limit_type=soft limit_item=nofile value=65536",
     "grep nofile /etc/security/limits.conf | grep -v '^#'", "*\tsoft\tnofile\t65536"),
    ("alternatives", "", "- community.general.alternatives: name=pick link=/usr/bin/pick path=/bin/true",
     "readlink /etc/alternatives/pick; readlink /usr/bin/pick", "/bin/true\n/etc/alternatives/pick"),
    ("debconf", "", "- debconf: name=tzdata question=tzdata/Zones/Europe vtype=select value=Rome",
     "debconf-show tzdata | grep -c 'Europe: Rome'", "1"),
    ("yum_repository", "printf '[other]\\nname = o\\n\\n' >/etc/x.repo",
     "- yum_repository: name=epel file=x reposdir=/etc description=EPEL baseurl=http://e/ gpgcheck=no", "cat /etc/x.repo",
     "[other]\nname = o\n\n[epel]\nbaseurl = http://e/\ngpgcheck = 0\nname = EPEL"),
    ("iptables rule", "", "- iptables: chain=INPUT protocol=tcp destination_port=8443 ctstate=NEW jump=ACCEPT comment=web",
     "iptables -S INPUT | grep 8443",
     '-A INPUT -p tcp -m tcp --dport 8443 -m conntrack --ctstate NEW -m comment --comment web -j ACCEPT'),
    ("iptables policy", "", "- iptables: chain=FORWARD policy=DROP", "iptables -S FORWARD", "-P FORWARD DROP"),
    ("iptables chain", "", "- iptables: chain=HF chain_management=yes", "iptables -S HF 2>/dev/null", "-N HF"),
    ("filesystem", "truncate -s 0 /srv/disk; truncate -s 16M /srv/disk",
     "- community.general.filesystem: fstype=ext4 dev=/srv/disk opts='-L data'", "blkid -p -o value -s LABEL /srv/disk", "data"),
    ("locale_gen", "", "- community.general.locale_gen: name=de_CH.UTF-8", "locale -a | grep -c de_CH", "1"),
]
FW = "mkdir -p /run/firewall /etc/firewalld/zones-kept; touch /run/firewall/up /run/firewall/public /etc/firewalld/zones-kept/public; "
FIREWALLD = "cat /run/firewall/public /etc/firewalld/zones-kept/public 2>/dev/null"
UFW_ON = "ufw enable; "
ROWS += [
    ("firewalld service for good", FW, "- ansible.posix.firewalld: service=https permanent=true state=enabled", FIREWALLD,
     "service=https"),
    ("firewalld service now and for good", FW,
     "- ansible.posix.firewalld: service=https permanent=true immediate=true state=enabled", FIREWALLD,
     "service=https\nservice=https"),
    ("firewalld port goes", FW + "echo port=80/tcp >/run/firewall/public",
     "- ansible.posix.firewalld: port=80/tcp state=disabled", FIREWALLD, ""),
    ("firewalld rich rule", FW, "- ansible.posix.firewalld: {rich_rule: 'rule family=ipv4 accept', state: enabled}",
     FIREWALLD, "rich-rule=rule family=ipv4 accept"),
    ("firewalld forwarded port", FW, "- ansible.posix.firewalld: {port_forward: [{port: 443, proto: tcp, toport: 8443}], "
     "state: enabled}", FIREWALLD, "forward-port=port=443:proto=tcp:toport=8443"),
    ("firewalld masquerade", FW, "- ansible.posix.firewalld: masquerade=true permanent=true state=enabled", FIREWALLD,
     "masquerade="),
    ("firewalld interface changes its zone", FW + "echo interface=ib0 >/etc/firewalld/zones-kept/home",
     "- ansible.posix.firewalld: zone=public interface=ib0 permanent=true state=enabled",
     "cd /etc/firewalld/zones-kept && grep -H ib0 *", "public:interface=ib0"),
    ("firewalld target", FW, "- ansible.posix.firewalld: zone=public target=DROP permanent=true state=enabled",
     "firewall-cmd --permanent --zone=public --get-target", "DROP"),
    ("firewalld zone", FW, "- ansible.posix.firewalld: zone=fabric permanent=true state=present",
     "ls /etc/firewalld/zones-kept", "fabric\npublic"),
    ("firewalld without its daemon", FW + "rm /run/firewall/up",
     "- ansible.posix.firewalld: service=ssh permanent=true offline=true immediate=true state=enabled", FIREWALLD,
     "service=ssh"),
    ("ufw rule", UFW_ON, "- community.general.ufw: rule=allow to_port=22 proto=tcp comment=office", "cat /etc/ufw/user.rules",
     "### tuple ### allow from any to any port 22 proto tcp comment office"),
    ("ufw rule goes", UFW_ON + "ufw allow from any to any port 23", "- community.general.ufw: rule=allow to_port=23 delete=true",
     "cat /etc/ufw/user.rules", ""),
    ("ufw starts", "ufw disable", "- community.general.ufw: state=enabled", "ufw status | head -1", "Status: active"),
    ("ufw policy", UFW_ON, "- community.general.ufw: default=reject direction=incoming", "ufw status verbose | grep Default",
     "Default: reject (incoming), allow (outgoing), disabled (routed)"),
    ("ufw logs", UFW_ON, "- community.general.ufw: logging=high", "ufw status verbose | grep Logging", "Logging: on (high)"),
    ("at adds a job", "", "- ansible.posix.at: {command: 'touch /tmp/later', count: 3, units: days, unique: true}",
     "for j in $(atq | cut -f1); do at -c $j | grep later; done", "touch /tmp/later"),
    ("at removes its job", "echo 'touch /tmp/later' | at now + 2 days; echo 'touch /tmp/other' | at now + 2 days",
     "- ansible.posix.at: {command: 'touch /tmp/later', state: absent}",
     "for j in $(atq | cut -f1); do at -c $j | grep touch; done | sort", "touch /tmp/other"),
]
# Rows that leave no probe text of their own: what is compared is the probe before and after.
CLEAN = """
dpkg-query -W 'hf-*' 2>/dev/null | grep -q . && apt-get -y --allow-change-held-packages purge '^hf-.*'
rm -rf /etc/apt/sources.list.d/* /etc/sysctl.d/9* /etc/modprobe.d/blacklist-ansible.conf /etc/modprobe.d/hf.conf /etc/hf-selinux /etc/cron.d/jobs
userdel -r ada; userdel daemon2; groupdel crew; crontab -r; umount /mnt/t /mnt/u; systemctl stop nap2
rm -rf /run/firewall /etc/firewalld /etc/ufw /etc/default/ufw; atq | cut -f1 | xargs -r atrm
rm -f /etc/systemd/system/nap2.service; sed -i '/mnt/d' /etc/fstab
"""


@pytest.mark.parametrize("name,given,task,probe,wanted", ROWS, ids=[r[0] for r in ROWS])
def test_row(host, name, given, task, probe, wanted):
    host.run(CLEAN)
    host.run(given)
    before = host.run(probe).out
    checked = apply(host, task, "--check")
    assert [r["status"] for r in checked] == ["changed"] * len(checked), checked
    assert host.run(probe).out == before, "check mode touched the host"

    host.run("rm -rf /root/undo")
    applied = tasks_of(host.run("undo_door apply /root/play.yml /root/undo"))
    assert [r["status"] for r in applied] == ["changed"] * len(applied), applied
    assert host.run(probe).out.strip() == wanted
    again = apply(host, task)
    assert [r["status"] for r in again] == ["ok"] * len(again), again

    back = host.run("undo_door undo /root/undo")
    assert back.rc == 0, back
    assert host.run(probe).out == before, "undo did not bring the host back"


REFUSALS = [
    ("- ansible.posix.firewalld: service=ssh state=enabled", "firewall is not currently running"),
    ("- ansible.posix.firewalld: port=80 permanent=true state=enabled", "improper port format (missing protocol?)"),
    ("- ansible.posix.firewalld: service=ssh permanent=true state=present",
     "absent and present state can only be used in zone level operations"),
    ("- ansible.posix.firewalld: service=nonsense permanent=true state=enabled", "INVALID_SERVICE: nonsense"),
    ("- community.general.ufw: rule=allow direction=incoming", 'For rules, direction must be one of "in" and "out"'),
    ("- community.general.ufw: rule=allow interface_in=a interface_out=b",
     "Only route rules can combine interface_in and interface_out"),
    ("- ansible.posix.at: command=true", "present state requires count and units"),
    ("- ansible.posix.seboolean: name=httpd_can_network_connect state=yes", "SELinux is disabled on this host."),
    ("- ansible.posix.selinux: state=disabled", "Unable to find file /etc/selinux/config"),
    ("- ansible.posix.selinux: state=permissive policy=nonsense configfile=/etc/hostname", "Policy nonsense does not exist in /etc/selinux/"),
    ("- community.general.modprobe: name=no-such-module", "modprobe: FATAL: Module no-such-module not found in directory /lib/modules/"),
    ("- apt: name=no-such-package", "No package matching 'no-such-package' is available"),
    ("- apt: name=hf-demo=9.9", "no available installation candidate for hf-demo=9.9"),
    ("- systemd: name=no-such-unit state=started", "Could not find the requested service no-such-unit: host"),
    ("- user: name=ada group=no-such-group", "Group no-such-group does not exist"),
    ("- reboot:", "Running reboot with local connection would reboot the control node."),
    ("- community.general.timezone: name=Mars/Base", 'given timezone "Mars/Base" is not available'),
]


@pytest.mark.parametrize("task,words", REFUSALS, ids=[w for _, w in REFUSALS])
def test_refusal(host, task, words):
    host.run(CLEAN)
    rows = apply(host, task)
    assert rows[-1]["status"] == "failed" and words in rows[-1]["msg"]


def test_a_key_is_fetched_when_it_is_added_and_not_to_tell_of_it(host):
    host.run(CLEAN)
    task = "- apt_key: {keyserver: keys.invalid, id: 4D1BB29D63D98E422B2113B19334A25F8507EFA5}"
    assert [r["status"] for r in apply(host, task, "--check")] == ["changed"]
    assert "error getting key id from url: https://keys.invalid/pks/lookup" in apply(host, task)[-1]["msg"]


def test_apt_shows_what_would_come(host):
    host.run(CLEAN)
    [row] = apply(host, "- apt: name=hf-demo", "--check", "--diff")
    shown = row["diff"][0]["prepared"] if isinstance(row["diff"], list) else row["diff"]["prepared"]
    assert "The following NEW packages will be installed:\n  hf-demo hf-lib" in shown


def test_apt_waits_for_the_lock_and_names_its_holder(host):
    host.run(CLEAN)
    # dpkg itself holds the lock while a maintainer script sleeps.
    host.put("/root/slow/DEBIAN/control", "Package: hf-slow\nVersion: 1\nArchitecture: all\nMaintainer: t <t@e.org>\n"
             "Description: slow\n")
    host.put("/root/slow/DEBIAN/postinst", "#!/bin/sh\nwhile [ ! -e /root/slow/go ]; do sleep 0.1; done\n", 0o755)
    host.run("dpkg-deb -b /root/slow /root/slow.deb", check=True)
    slow = host.start("dpkg -i /root/slow.deb")
    host.run("while ! dpkg-query -W hf-slow 2>/dev/null; do sleep 0.05; done")
    try:
        short = apply(host, "- apt: name=hf-tool-x lock_timeout=0")
    finally:
        host.run("(sleep 2; touch /root/slow/go) >/dev/null 2>&1 &")
    assert short[-1]["status"] == "failed"
    assert "is held by process" in short[-1]["msg"] and "dpkg" in short[-1]["msg"]
    waited = apply(host, "- apt: name=hf-tool-x")
    assert waited[-1]["status"] == "changed"
    assert slow.wait() == 0


def test_nothing_to_do_starts_no_program(host):
    host.run(CLEAN)
    apply(host, "- apt: name=hf-demo")
    host.put("/root/play.yml", playbook([{"apt": {"name": "hf-demo"}}, {"systemd": {"name": "cron", "state": "started"}},
                                         {"user": {"name": "root"}}]) + "\n")
    # A PATH without programs: whatever had to be started would fail.
    r = host.run(["env", "PATH=/nowhere", "/usr/bin/holdfast", "apply", "/root/play.yml", "--output", "jsonl"])
    assert [t["status"] for t in tasks_of(r)] == ["ok", "ok", "ok"], r


def test_daemon_reload_only_after_a_unit_file_changed(host):
    host.run(CLEAN)
    loaded = "busctl get-property org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager "\
        "UnitsLoadTimestamp"
    apply(host, "- systemd: daemon_reload=yes")
    before = host.run(loaded).out
    apply(host, "- systemd: daemon_reload=yes")
    assert host.run(loaded).out == before
    host.put("/etc/systemd/system/nap.service.d/x.conf", "[Service]\nNice=5\n")
    apply(host, "- systemd: daemon_reload=yes")
    assert host.run(loaded).out != before
    assert host.run("systemctl show -p Nice nap").out.strip() == "Nice=5"
