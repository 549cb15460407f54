"""The facts of a whole host that its own systemd booted: ours beside ansible-core's own modules, value by value."""
import json
import pathlib
import sysconfig

import pytest

import facts_kit
from host import BESIDE, Host
from places import BUILD, ROOT

# What a host with an init, units and an address of its own has more of than a root.
FAMILIES = {
    "service_mgr": ["service_mgr", "is_chroot", "services"],
    "names": ["hostname", "nodename", "fqdn", "domain", "machine_id"],
    "network": ["interfaces", "lo", "host0", "default_ipv4", "default_ipv6", "all_ipv4_addresses", "all_ipv6_addresses", "locally_reachable_ips"],
    "virtualization": ["virtualization_type", "virtualization_role", "virtualization_tech_guest", "virtualization_tech_host"],
    "packages": ["packages"],
    "mounts": ["mounts", "devices"],
    "distribution": ["distribution", "distribution_version", "distribution_release", "lsb", "pkg_mgr", "os_family"],
    "local": ["local"],
    "without lvm": ["lvm"],
}
ENV = {"SUDO_USER": "ada"}


@pytest.fixture(scope="module")
def facts():
    """(ansible's, ours), both with the names that stand in ansible_facts."""
    site = pathlib.Path(sysconfig.get_paths()["purelib"])
    with Host(network="veth", binds={"/opt/site": site, "/opt/modules": ROOT / "tests/modules", "/opt/tests": ROOT / "tests/differential"}, packages=BESIDE) as host:
        host.run(["sh", "/opt/tests/facts_prepare.sh", "without volumes"], check=True)
        host.install(BUILD / "holdfast", "/usr/bin/holdfast")
        play = facts_kit.play().replace("command: sh {{ playbook_dir }}/prepare.sh", "meta: noop")
        host.put("/root/site.yml", play.replace("debug:", "copy:").replace("msg:", "dest: /root/ours\n        content:"))
        host.run("holdfast apply -i localhost, -c local /root/site.yml", env=ENV, check=True)
        rows = [["setup", {}], ["package_facts", {"manager": ["apt"]}], ["service_facts", {}], *(["getent", {"database": d}] for d in ("passwd", "group", "shadow"))]
        host.put("/root/rows", json.dumps([[f"ansible.modules.{name}", args, "/root"] for name, args in rows]))
        host.run("python3 /opt/modules/run_modules.py /root/rows /root/theirs", env={**ENV, "PYTHONPATH": "/opt/site"}, timeout=1200, check=True)
        theirs = {}
        for result in json.loads(host.get("/root/theirs")):
            assert not result["failed"], result
            theirs.update({k if k == "ansible_local" else k.removeprefix("ansible_"): v for k, v in result["ansible_facts"].items()})
        return theirs, json.loads(host.get("/root/ours"))["facts"]


@pytest.mark.shared
def test_the_facts_that_roles_use_are_ansibles(facts):
    facts_kit.verdict("a host with its own systemd", *facts, lists=False)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_host_of_its_own_has_ansibles_values(facts, family):
    for name in FAMILIES[family]:
        assert facts_kit.at(facts[0], name) != facts_kit.NEVER, f"nothing is asked: this host has no {name}"
        rows = facts_kit.differences(*facts, name)
        assert {leaf: row for leaf, row in rows.items() if facts_kit.reason(leaf) is None} == {}
