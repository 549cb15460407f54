"""The agent against a real S3 server that checks signatures: the store role fetches, without rights, and nobody else does."""
import pytest

from agent import AgentHost
from s3server import S3Server

PLAYBOOK = """
- hosts: all
  gather_facts: false
  tasks:
    - name: greeting
      copy: {{ src: greeting, dest: {t}/greeting }}
"""


@pytest.fixture(scope="module")
def server():
    with S3Server() as s3:
        s3.make_bucket("releases")
        yield s3


@pytest.fixture
def host(tmp_path, holdfast, holdfastd, server):
    return AgentHost(tmp_path, holdfast, holdfastd, store=f"s3://releases/{tmp_path.name}", env=server.env())


def push(host, name, more=0):
    files = {"site.yml": PLAYBOOK.format(t=host.target), "files/greeting": f"hello {name}\n"}
    files.update({f"files/extra{n}": f"{name if n % 2 else ''} {n}\n" for n in range(more)})
    return host.push(name, files)


def test_releases_come_from_s3(host):
    host.promote(push(host, "one", more=200))
    with host:
        host.installed("one")
        assert (host.target / "greeting").read_text() == "hello one\n"
        host.promote(push(host, "two", more=200))
        host.installed("two")
        assert (host.target / "greeting").read_text() == "hello two\n"


def test_wrong_credentials_are_told_and_change_nothing(host):
    host.promote(push(host, "one"))
    host.env["AWS_SECRET_ACCESS_KEY"] = "wrong"
    with host:
        host.wait(lambda s: "403" in s.get("store_trouble", "") or "Signature" in s.get("store_trouble", ""))
        assert not (host.target / "greeting").exists()
