"""Random changes of every kind on a Debian host with 500 resources: every one is told of, put right or left as its policy says, and nothing
else is ever told of. Loaded modules, SELinux and a GPU driver are stand-ins of the test's, where the agent looks for the kernel's. The short
form does a part of what HF_LONG does: HF_LONG=1 makes 1,000 changes, HF_SEED chooses them."""
import io
import json
import os
import random
import shlex
import tarfile

import pytest

import aptrepo
from drift_machine import AGAIN, Machine, quiet
from host import BESIDE, Host
from rpmrepo import PLACES, REPOSITORY
from test_gpu import gpu_host

LONG = bool(os.environ.get("HF_LONG"))
CHANGES = 1000 if LONG else 72
SEED = int(os.environ.get("HF_SEED", "7"))
BATCH = 24
USES_MAX = 4  # a fifth correction in ten minutes would be a fight
TWICE = 2  # what has parents may be put right twice: when they go, and when others come
BUSY = "[Unit]\\nDescription=nap\\n[Service]\\nExecStart=/bin/sleep infinity\\n[Install]\\nWantedBy=multi-user.target\\n"


class Kind:
    """One kind of resource: how it is declared, what it looks like, how it is disturbed. {n}: the number of the resource. mend: what no
    agent can put right, somebody does."""

    def __init__(self, name, count, task, look, ways, needs="", mend=None):
        self.name, self.count, self.task, self.look = name, count, task, look
        self.ways, self.needs, self.mend = ways, needs, mend


FILE_LOOK = "stat -c '%F %a %U' {p} 2>/dev/null; cat {p} 2>/dev/null; readlink {p}"
FILE_WAYS = {
    "written": "echo by hand >{p}",
    "appended": "echo more >>{p}",
    "mode": "chmod 606 {p}",
    "owner": "chown nobody {p}",
    "removed": "rm {p}",
    "renamed over": "echo other >{p}.new; mv {p}.new {p}",
    "an editor's": "cp {p} {p}.swp; echo edited >{p}.swp; mv {p} {p}~; mv {p}.swp {p}; rm {p}~",
    "through another name": "ln {p} {p}.other; echo else >{p}.other; rm {p}.other",
    "a link instead": "rm {p}; ln -s /etc/hostname {p}",
    "truncated": "truncate -s 0 {p}",
    "binary": "printf '\\377\\376\\001\\200\\000\\355\\240\\200' >{p}",
    "mapped": "dd if=/dev/zero of={p} bs=1 count=1 conv=notrunc 2>/dev/null",
}
TEXT_WAYS = {k: v for k, v in FILE_WAYS.items() if k != "a link instead"}

KINDS = [
    Kind("copy", 140, 'copy: {{ content: "text {n}\\n", dest: {p}, mode: "0644", owner: root }}', FILE_LOOK, FILE_WAYS),
    Kind("template", 60, 'template: {{ src: t.j2, dest: {p}, mode: "0640", owner: root }}', FILE_LOOK, FILE_WAYS),
    Kind("line", 30, 'lineinfile: {{ path: {p}, line: "one line", create: true, mode: "0600", owner: root }}',
         "stat -c '%F %a %U' {p}; grep -c '^one line$' {p}",
         {k: v for k, v in TEXT_WAYS.items() if k not in ("appended", "mapped")}),
    Kind("block", 20, 'blockinfile: {{ path: {p}, block: "a block", create: true, mode: "0600", owner: root }}',
         "stat -c '%F %a %U' {p}; grep -c 'a block' {p}", {k: v for k, v in TEXT_WAYS.items() if k not in ("appended", "mapped", "binary")}),
    Kind("ini", 20, 'ini_file: {{ path: {p}, section: a, option: b, value: c, mode: "0600", owner: root }}',
         "stat -c '%F %a %U' {p}; grep -c '^b = c$' {p}", {k: v for k, v in TEXT_WAYS.items() if k not in ("appended", "mapped", "binary")}),
    Kind("folder", 30, 'file: {{ path: {p}, state: directory, mode: "0755", owner: root }}', "stat -c '%F %a %U' {p}",
         {"removed": "rmdir {p}", "mode": "chmod 700 {p}", "owner": "chown nobody {p}",
          "replaced": "mkdir -m 711 {p}.new; mv -T {p}.new {p}", "made anew": "rmdir {p}; mkdir -m 750 {p}"}),
    Kind("link", 40, "file: {{ src: /etc/hostname, path: {p}, state: link, force: true }}", "readlink {p}",
         {"removed": "rm {p}", "elsewhere": "ln -sfn /etc/passwd {p}", "a file instead": "rm {p}; echo x >{p}"}),
    Kind("hard link", 10, "file: {{ src: /srv/r/one, path: {p}, state: hard, force: true }}", "stat -c %i {p}",
         {"removed": "rm {p}", "another file": "echo x >{p}.new; mv {p}.new {p}", "cut off": "cp {p} {p}.new; mv {p}.new {p}"}),
    Kind("absent", 40, "file: {{ path: {p}, state: absent }}", "test -e {p} -o -L {p} || echo none",
         {"a file": "echo back >{p}", "a folder": "mkdir {p}", "a link": "ln -s /nowhere {p}"}),
    Kind("parent", 8, 'copy: {{ content: "below {n}\\n", dest: /srv/r/p{n}/one/two, mode: "0644" }}', "cat /srv/r/p{n}/one/two",
         {"all above removed": "rm -r /srv/r/p{n}/one", "moved away": "mv /srv/r/p{n}/one /srv/r/p{n}/two",
          "made anew": "rm -r /srv/r/p{n}/one; mkdir /srv/r/p{n}/one", "replaced": "mkdir /srv/r/p{n}/n; mv /srv/r/p{n}/one /srv/r/p{n}/old; "
          "mv /srv/r/p{n}/n /srv/r/p{n}/one", "in it": "echo x >/srv/r/p{n}/one/two",
          "mounted over": "mount -t tmpfs none /srv/r/p{n}/one; sleep 0.2; again umount /srv/r/p{n}/one; rm -f /srv/r/p{n}/one/two"},
         needs="    - name: above parent {n}\n      file: {{ path: /srv/r/p{n}/one, state: directory }}\n"),
    Kind("cron", 20, 'cron: {{ name: job, cron_file: hf-job{n}, user: root, minute: "5", job: /bin/true }}',
         "grep -v '^#$' /etc/cron.d/hf-job{n}",
         {"removed": "rm /etc/cron.d/hf-job{n}", "another time": "sed -i 's/^5 /6 /' /etc/cron.d/hf-job{n}",
          "emptied": ": >/etc/cron.d/hf-job{n}"}),
    Kind("crontab", 4, 'cron: {{ name: job, user: {owner}, minute: "5", job: /bin/true }}', "crontab -u {owner} -l",
         {"removed": "crontab -u {owner} -r", "another time": "crontab -u {owner} -l | sed 's/^5 /6 /' | crontab -u {owner} -",
          "in its file": "sed -i 's/^5 /7 /' /var/spool/cron/crontabs/{owner}"}),
    Kind("user", 8, "user: {{ name: hfuser{n}, shell: /bin/sh, create_home: false }}", "getent passwd hfuser{n} | cut -d: -f7",
         {"shell": "again usermod -s /bin/false hfuser{n}", "removed": "again userdel hfuser{n}"}),
    Kind("group", 8, "group: {{ name: hfgroup{n}, gid: 31{n:03d} }}", "getent group hfgroup{n}",
         {"removed": "again groupdel hfgroup{n}", "number": "again groupmod -g 32{n:03d} hfgroup{n}"}),
    Kind("unit", 12, "systemd: {{ name: hf-nap{n}.service, state: started, enabled: true }}",
         "systemctl is-active hf-nap{n}; systemctl is-enabled hf-nap{n}",
         {"stopped": "systemctl stop hf-nap{n}", "killed": "systemctl kill -s KILL hf-nap{n}", "disabled": "systemctl disable -q hf-nap{n}",
          "stopped and disabled": "systemctl disable -q --now hf-nap{n}",
          "its link": "rm /etc/systemd/system/multi-user.target.wants/hf-nap{n}.service"},
         needs=f'    - name: unit file {{n}}\n      copy: {{{{ content: "{BUSY}", dest: /etc/systemd/system/hf-nap{{n}}.service }}}}\n'),
    Kind("unit's file", 4, 'copy: {{ content: "[Service]\\nExecStart=/bin/true\\n", dest: /etc/systemd/system/hf-file{n}.service }}',
         "readlink /etc/systemd/system/hf-file{n}.service; cat /etc/systemd/system/hf-file{n}.service",
         {"removed": "rm /etc/systemd/system/hf-file{n}.service", "written": "echo >>/etc/systemd/system/hf-file{n}.service",
          "masked": "ln -sf /dev/null /etc/systemd/system/hf-file{n}.service"}),
    Kind("masked unit", 4, "systemd: {{ name: hf-mask{n}.service, masked: true }}", "readlink /etc/systemd/system/hf-mask{n}.service",
         {"unmasked": "systemctl unmask -q hf-mask{n}"}),
    Kind("drop-in", 8, 'copy: {{ content: "[Service]\\nNice={n}\\n", dest: /etc/systemd/system/hf-nap0.service.d/{n}.conf }}',
         "cat /etc/systemd/system/hf-nap0.service.d/{n}.conf",
         {"removed": "rm /etc/systemd/system/hf-nap0.service.d/{n}.conf",
          "written": "echo '[Service]' >/etc/systemd/system/hf-nap0.service.d/{n}.conf"}),
    Kind("sysctl", 6, 'sysctl: {{ name: net.ipv4.conf.lo.{key}, value: "1", sysctl_file: /etc/sysctl.d/hf-{n}.conf }}',
         "cat /proc/sys/net/ipv4/conf/lo/{key} /etc/sysctl.d/hf-{n}.conf",
         {"live": "echo 0 >/proc/sys/net/ipv4/conf/lo/{key}", "file": "echo 'net.ipv4.conf.lo.{key} = 0' >/etc/sysctl.d/hf-{n}.conf"}),
    Kind("kernel module", 4, "modprobe: {{ name: hf_none{n}, state: absent, persistent: absent }}",
         "grep -sv ^# /etc/modules-load.d/hf_none{n}.conf; grep '^hf_none{n} ' /srv/kernel/modules",
         {"loaded at boot": "echo hf_none{n} >/etc/modules-load.d/hf_none{n}.conf", "loaded": "modprobe hf_none{n}"}),
    Kind("loaded module", 4, "modprobe: {{ name: hf_wanted{n}, state: present }}", "grep '^hf_wanted{n} ' /srv/kernel/modules",
         {"unloaded": "modprobe -r hf_wanted{n}"}),
    Kind("selinux", 1, "selinux: {{ policy: targeted, state: enforcing }}", "cat /srv/kernel/selinux/enforce /etc/selinux/config",
         {"permissive": "echo 0 1<>/srv/kernel/selinux/enforce", "in its file": "sed -i s/enforcing/permissive/ /etc/selinux/config"}),
    Kind("boolean", 4, "seboolean: {{ name: hf_may{n}, state: true }}", "cat /srv/kernel/selinux/booleans/hf_may{n}",
         {"off": "echo '0 0' 1<>/srv/kernel/selinux/booleans/hf_may{n}"}),
    Kind("firewall rule", 4, 'iptables: {{ chain: INPUT, protocol: tcp, destination_port: "80{n:02d}", jump: ACCEPT }}',
         "iptables -C INPUT -p tcp --dport 80{n:02d} -j ACCEPT && echo there",
         {"deleted": "again iptables -w -D INPUT -p tcp --dport 80{n:02d} -j ACCEPT"}),
    Kind("GPU driver", 6, "holdfast.stack.check: {{ root: /srv/gpu{n} }}",
         "cat /srv/gpu{n}/sys/module/nvidia/version; readlink /srv/gpu{n}/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1",
         {"other libraries": "ln -sfn libnvidia-ml.so.550.107.02 /srv/gpu{n}/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1",
          "other module": "echo 550.54.15 1<>/srv/gpu{n}/sys/module/nvidia/version",
          "unloaded": "rm -r /srv/gpu{n}/sys/module/nvidia"},
         mend="mkdir -p /srv/gpu{n}/sys/module/nvidia; echo 550.90.07 >/srv/gpu{n}/sys/module/nvidia/version; "
         "ln -sfn libnvidia-ml.so.550.90.07 /srv/gpu{n}/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1"),
    Kind("mount", 6, "mount: {{ path: /mnt/hf{n}, src: tmpfs, fstype: tmpfs, opts: 'size=64k', state: mounted }}",
         "grep -c ' /mnt/hf{n} ' /proc/self/mounts; grep /mnt/hf{n} /etc/fstab",
         {"unmounted": "again umount /mnt/hf{n}", "its line": "sed -i '\\,/mnt/hf{n} ,d' /etc/fstab"}),
    Kind("swap", 3, "mount: {{ path: none, src: /swap{n}, fstype: swap, opts: sw, state: present }}", "grep -c '^/swap{n} none swap sw ' /etc/fstab",
         {"its line": "sed -i '\\,^/swap{n} ,d' /etc/fstab"}),
    Kind("swap file", 3, "filesystem: {{ dev: /srv/swap{n}, fstype: swap }}", "blkid -p -o value -s TYPE /srv/swap{n}",
         {"overwritten": "dd if=/dev/zero of=/srv/swap{n} bs=4096 count=1 conv=notrunc 2>/dev/null"}),
    Kind("package", 2, "apt: {{ name: {package} }}", "dpkg-query -Wf '${{db:Status-Abbrev}}' {package}",
         {"removed": "again dpkg --remove {package}", "purged": "again dpkg --purge {package}"}),
    Kind("hold", 2, "dpkg_selections: {{ name: {held}, selection: hold }}", "dpkg --get-selections {held}",
         {"unheld": "echo {held} install | again dpkg --set-selections", "by apt-mark": "again apt-mark unhold {held}"}),
    Kind("rpm", 4, "dnf: {{ name: hf-rpm{n} }}", "rpm -q hf-rpm{n}", {"removed": "again rpm -e hf-rpm{n}"}),
    Kind("no rpm", 4, "dnf: {{ name: hf-none{n}, state: absent }}", "rpm -q hf-none{n}",
         {"installed": "again rpm -i /srv/rpms/hf-none{n}-1.0.rpm"}),
]
KEYS = ["log_martians", "accept_local", "arp_ignore", "arp_announce", "bootp_relay", "proxy_arp"]
OWNERS = ["daemon", "bin", "sys", "games"]
PACKAGES, HELD = ["hf-tool-x", "hf-tool-y"], ["hf-lib", "hf-mail-a"]


class Thing:
    def __init__(self, kind, n):
        self.kind, self.n, self.title, self.used = kind, n, f"{kind.name} {n}", 0
        self.most = USES_MAX // TWICE if kind.name == "parent" else USES_MAX
        self.report = n % 5 == 3
        self.values = {"n": n, "p": f"/srv/r/d{n % 10}/{kind.name.replace(' ', '-')}{n}", "key": KEYS[n % 6], "package": PACKAGES[n % 2],
                       "held": HELD[n % 2], "owner": OWNERS[n % 4]}
        self.left = "reported" if self.report else "correction-failed" if kind.mend else "corrected"  # what is told last
        self.look = kind.look.format(**self.values)

    def task(self):
        policy = "holdfast_policy: report, " if self.report else ""
        return (f"{self.kind.needs.format(**self.values)}    - name: {self.title}\n      {self.kind.task.format(**self.values)}\n"
                f"      vars: {{ {policy}number: {self.n} }}\n")


class Many(Machine):
    def release(self, folder):
        folder.mkdir()
        (folder / "templates").mkdir()
        (folder / "templates" / "t.j2").write_text("number {{ number }}\n")
        above = "".join(f"    - name: place {n}\n      file: {{ path: /srv/r/d{n}, state: directory }}\n" for n in range(10))
        above += "    - { name: drop-ins, file: { path: /etc/systemd/system/hf-nap0.service.d, state: directory } }\n"
        start = '    - name: one\n      copy: { content: "one\\n", dest: /srv/r/one, force: false }\n'
        (folder / "site.yml").write_text("- hosts: all\n  gather_facts: false\n  tasks:\n" + above + start + "".join(t.task() for t in self.things))


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    folder = tmp_path_factory.mktemp("random")
    archive = aptrepo.build(folder / "archive")
    (folder / "store").mkdir()
    with Host(binds={"/srv/archive": archive, "/store": folder / "store"}, packages=BESIDE) as host:
        yield prepared(host, folder)


def rpms(names):
    """What rpmbuild makes packages of nothing of, all in one go."""
    head = "Name: hf-many\nVersion: 1.0\nRelease: 1\nSummary: s\nLicense: none\nBuildArch: noarch\n%description\nno\n"
    return head + "".join(f"%package -n {name}\nSummary: s\n%description -n {name}\nno\n%files -n {name}\n" for name in names)


def drivers(folder, count):
    """Files of so many hosts with a GPU each, as one archive."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for n in range(count):
            gpu_host(folder / f"gpu{n}", gpus=1)
            tar.add(folder / f"gpu{n}", f"gpu{n}")
    return out.getvalue()


def prepared(host, folder):
    things = [Thing(kind, n) for kind in KINDS for n in range(kind.count)]
    count = {kind.name: kind.count for kind in KINDS}
    machine = Many(host, things)
    machine.kernel([f"hf_may{n}" for n in range(count["boolean"])])
    host.put("/etc/apt/sources.list", "deb [trusted=yes] file:/srv/archive ./\n")
    host.put("/etc/dpkg/dpkg.cfg.d/fast", "force-unsafe-io\n")
    host.run("apt-get update -qq && apt-get -y -qq install hf-lib hf-mail-a; mkdir -p /srv/r; ip link set lo up", check=True)
    host.put("/root/many.spec", rpms([f"hf-{kind}{n}" for kind in ("rpm", "none") for n in range(4)]))
    host.run(f"{PLACES} rpmbuild -bb --quiet --define '_topdir /root/work' --define '_rpmdir /srv/rpms' --define '_build_name_fmt "
             f"%%{{NAME}}-%%{{VERSION}}.rpm' /root/many.spec; {REPOSITORY} truncate -s 1M /srv/swap0 /srv/swap1 /srv/swap2", check=True)
    host.run("tar -C /srv -xf -", input=drivers(folder, count["GPU driver"]), check=True)

    machine.start(folder, "look: 1s\n")
    return machine


def disturb(machine, chosen):
    """Every chosen thing in its way. Of a file with many owners one line at a time: the agent, which puts back another one's, would write
    what it has read before."""
    lines = [one for one in chosen if one[1] == "its line"]
    disturb_at_once(machine, [one for one in chosen if one not in lines[1:]])
    for one in lines[1:]:
        disturb_at_once(machine, [one])


def disturb_at_once(machine, chosen):
    """Whatever is told must be about them, and right."""
    things = [t for t, _ in chosen]
    before = machine.looks(things)
    events = machine.events()
    machine.since = max([machine.since] + [e["id"] for e in events])
    script = AGAIN + "".join(f"{{ {t.kind.ways[way].format(**t.values)}; }} || echo {shlex.quote(f'in vain: {t.title}, {way}')}\n"
                             for t, way in chosen)
    done = machine.host.run(script)
    assert done.rc == 0 and "in vain" not in done.out, f"the test's own change was not made: {done}"
    for t in things:
        t.used += 1
    told = {}

    def all_told():
        told.clear()
        for e in machine.events():
            told.setdefault(e["title"], []).append(e)
        return all(last(told.get(t.title, [])) == t.left for t in things)

    def missing():
        return "\n".join(f"{t.title}, {way}: {[e['action'] for e in told.get(t.title, [])]}" for t, way in chosen
                         if last(told.get(t.title, [])) != t.left)

    machine.until(all_told, missing)
    quiet(machine)
    machine.until(all_told, missing)
    after = machine.looks(things)
    for t, way in chosen:
        classes = {e["class"] for e in told[t.title]}
        if t.report or t.kind.mend:
            assert classes == {"external"}, f"{t.title}, {way}: {classes}"
            assert after[t.title] != before[t.title], f"{t.title}, {way}: only told of, and yet not as somebody left it"
        else:
            assert "corrective" in classes and classes <= {"corrective", "external"}, f"{t.title}, {way}: {classes}"
            assert after[t.title] == before[t.title], f"{t.title}, {way}: not as it was"
    others = {title: [e["action"] for e in rows] for title, rows in told.items() if title not in {t.title for t in things}}
    needed = {f"above {t.title}" for t in things} | {f"unit file {t.n}" for t in things}
    if not set(others) <= needed:
        told = json.loads(machine.holdfast("drift", "--json", "--limit", "5000"))
        rows = [(e["id"], e["title"], e["action"], e["t"], e["diff"]) for e in told["events"] if e["title"] in set(others) - needed]
        raise AssertionError(f"told of what nobody touched: {rows}\nnow: {told['now']}\nchanged: {[(t.title, way) for t, way in chosen]}\n"
                             f"{machine.looks([t for t in machine.things if t.title in others])}\n{machine.log()}")


    mend(machine, [t for t in things if t.kind.mend], before)


def mend(machine, things, before):
    """Somebody puts right what the agent cannot: that is told as well."""
    if not things:
        return
    machine.host.run("\n".join(t.kind.mend.format(**t.values) for t in things), check=True)

    def left():
        events = machine.events()
        return [t.title for t in things if last([e for e in events if e["title"] == t.title]) != "resolved"]

    machine.until(lambda: not left(), lambda: f"not told to be well again: {left()}")
    after = machine.looks(things)
    assert {t.title: after[t.title] for t in things} == {t.title: before[t.title] for t in things}


def last(rows):
    return rows[-1]["action"] if rows else None


def test_every_kind_and_every_way(machine):
    """Each way of each kind once, on one that is put right."""
    ways = [(kind, way) for kind in KINDS for way in kind.ways]
    rng = random.Random(SEED)
    for at in range(0, len(ways), BATCH):
        chosen, taken = [], set()
        for kind, way in ways[at:at + BATCH]:
            free = [t for t in machine.things if t.kind is kind and not t.report and t.title not in taken and t.used < t.most]
            thing = min(free, key=lambda t: t.used, default=None)
            assert thing, f"no {kind.name} is left for {way}"
            taken.add(thing.title)
            chosen.append((thing, way))
        rng.shuffle(chosen)
        disturb(machine, chosen)


def test_what_was_put_right_is_watched_as_before(machine):
    """The file that took the place is another one: who changes it by another name is noticed all the same."""
    things = [t for t in machine.things if t.kind.name in ("copy", "template") and not t.report and t.used + 2 <= t.most][:6]
    for way in ("renamed over", "through another name"):
        disturb(machine, [(t, way) for t in things])


def test_a_lost_bus_is_told_and_units_are_looked_at(machine):
    def said(text):
        return int(machine.host.run(f"journalctl -u holdfastd --no-pager -o cat | grep -c '{text}'").out or 0)

    unit = next(t for t in machine.things if t.kind.name == "unit" and not t.report and t.used < t.most)
    lost, listening = said("the system bus was lost"), said("listening to systemd")
    # While nobody can hear of it a unit stops.
    machine.host.run(f"systemctl stop dbus.socket dbus.service; systemctl stop hf-nap{unit.n}; systemctl start dbus.socket dbus.service")
    machine.until(lambda: said("the system bus was lost") > lost, "the loss is told")
    machine.until(lambda: said("listening to systemd") > listening, "the bus is listened to again")
    machine.until(lambda: machine.host.run(["systemctl", "is-active", f"hf-nap{unit.n}"]).out.strip() == "active", "the unit runs again")
    unit.used += 1
    quiet(machine)
    disturb(machine, [(next(t for t in machine.things if t.kind is unit.kind and not t.report and t.used < t.most and t is not unit), "stopped")])


def test_random_changes(machine):
    rng = random.Random(SEED)
    assert machine.status()["resources"] >= 500
    done, due = 0, rng.sample(KINDS, len(KINDS) if LONG else 0)  # of 1,000 each kind has some, however few there are of it
    while done < CHANGES:
        free = [t for t in machine.things if t.used < t.most]
        things = [rng.choice([t for t in free if t.kind is kind] or free) for kind in due[:BATCH // 2]]
        due = due[BATCH // 2:]
        things = list(dict.fromkeys(things))
        others = [t for t in free if t not in things]
        things += rng.sample(others, min(BATCH, CHANGES - done, len(free)) - len(things))
        chosen = [(t, rng.choice(list(t.kind.ways))) for t in things]
        disturb(machine, chosen)
        done += len(chosen)
        for t, _ in chosen:
            if t.report and not t.kind.mend:
                t.used = USES_MAX  # it stays as it was left
    assert machine.status()["contended"] == 0
