"""The other way in: a machine without curl, openssl, apt or any library of ours. Python fetches the bundle, a tarball of
programs with their libraries is unpacked over /, and the agent reports within its first second."""
import pathlib
import re
import time

import pytest

import host_build
from host import CLOUD_PYTHON_PACKAGES, Host
from inside import Doors
from scene import TREE as ROOT
from test_bootstrap import INSTANCE, READY_SECONDS, World, machine

PLAY = "- hosts: all\n  gather_facts: false\n  tasks:\n    - copy: {content: done, dest: /srv/done}\n"


def tarball(folder):
    folder.mkdir(exist_ok=True)
    host_build.run([ROOT / "packaging/tarball.sh", host_build.programs(), folder], check=True, capture_output=True)
    return folder / "holdfast.tar"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("tarball"))
    yield world
    world.close()


def test_same_programs_same_bytes(tmp_path):
    assert tarball(tmp_path / "a").read_bytes() == tarball(tmp_path / "b").read_bytes()


def test_user_data_without_curl_and_openssl(world):
    from inside import imds
    release = world.folder / "small"
    release.mkdir()
    (release / "site.yml").write_text(PLAY)
    world.promote(release)
    data = world.user_data(world.bundle(tarball(world.folder)))
    with Host(packages=CLOUD_PYTHON_PACKAGES) as host, Doors(host) as doors:
        machine(world, doors, host, imds(INSTANCE, access=world.s3.access_key, secret=world.s3.secret_key))
        host.run("rm -f /usr/bin/curl /usr/bin/openssl /usr/bin/apt-get /usr/bin/dpkg*", check=True)
        libraries = host.run("find / -xdev -name 'libmosquitto*' -o -xdev -name 'libjansson*' -o -xdev -name 'libarchive*'").out
        assert libraries == ""
        host.put("/var/lib/user-data.gz", data)
        host.run("systemctl daemon-reload; systemctl start --no-block user-data")
        start = time.monotonic()
        try:
            world.reader.wait(lambda m: m.topic.endswith(f"/{INSTANCE}/state") and m.body.get("state") == "ok" and
                              m.body.get("installed", {}).get("name") == "small", seconds=READY_SECONDS)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{host.run('journalctl --no-pager -o cat').out[-4000:]}") from None
        print(f"from the start of the user data to the release: {time.monotonic() - start:.1f} s")
        assert host.get("/srv/done") == b"done"
        said = host.run("journalctl --no-pager -o short-unix -u holdfastd").out
        assert re.search(r"holdfastd \d", said) and "HF-B" not in host.run("journalctl --no-pager -t holdfast -o cat").out
        # Again, as after a reboot: nothing is installed, started or written anew.
        before = host.run("systemctl show -p MainPID holdfastd; stat -c %Y.%i /etc/holdfast/*").out
        host.run("sh /run/user-data", check=True)
        assert host.run("systemctl show -p MainPID holdfastd; stat -c %Y.%i /etc/holdfast/*").out == before
        assert pathlib.PurePath(host.run("readlink /proc/$(pidof -s holdfastd)/exe").out.strip()).name == "holdfastd"
