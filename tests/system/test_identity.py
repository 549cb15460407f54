"""An image taken of a running host, started as another instance: it notices, and is a new host; what it may believe survives."""
import http.server
import sqlite3
import threading

import pytest

from agent import AgentHost, numbers, once
from broker import Broker
from host import Host
from inside import Doors, address_add, imds
from scene import BUILD, TREE

FIRST, SECOND = "i-0123456789abcdef0", "i-0fedcba9876543210"
PLAYBOOK = """
- hosts: all
  gather_facts: false
  tasks:
    - name: who
      copy: {{ content: "{{{{ inventory_hostname }}}}", dest: {t}/who }}
    - name: count
      shell: echo x >> {t}/runs
"""


class Metadata:
    """A metadata service of this machine's own; id "" means that it does not answer."""

    def __init__(self, instance):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), imds(instance))
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def broker():
    with Broker() as one:
        yield one


@pytest.fixture
def metadata():
    made = {}

    def get(instance):
        if instance not in made:
            made[instance] = Metadata(instance)
        return made[instance].url

    yield get
    for one in made.values():
        one.close()


@pytest.fixture
def host(tmp_path, holdfast, holdfastd, broker, metadata):
    host = AgentHost(tmp_path, holdfast, holdfastd, broker=broker, host=FIRST, env={"AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata(FIRST)})
    host.reader = broker.reader("hf/1/dev/default/#")
    host.promote(host.push("one", {"site.yml": PLAYBOOK.format(t=host.target)}))
    yield host
    host.reader.close()


def become(host, metadata, instance):
    host.env["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = metadata(instance)


def of(reader, name, after=0):
    return [m for m in reader.messages[after:] if m.topic.split("/")[4] == name and m.text]


def test_clone_is_a_new_host_and_believes_no_less(host, metadata):
    with host:
        host.installed("one")
    old = (host.folder / "store/channels/dev/default.json").read_bytes()
    host.promote(host.push("two", {"site.yml": PLAYBOOK.format(t=host.target) + "    - debug: {msg: two}\n"}))
    with host:
        host.installed("two")
    assert (host.target / "who").read_text() == FIRST
    runs, after = (host.target / "runs").read_text().count("x"), len(host.reader.messages)
    become(host, metadata, SECOND)
    with host:
        host.reader.wait(lambda m: m.topic == f"hf/1/dev/default/{SECOND}/state" and m.body.get("state") == "ok", after=after)
        host.reader.wait(lambda m: m.topic == f"hf/1/dev/default/{SECOND}/alarm", after=after)
        host.wait(lambda s: s["mqtt"]["waiting"] == 0, "all is told")
        status = host.ask("status")
        assert status["host"] == SECOND and status["installed"]["name"] == "two"
        every = set(range(1, status["mqtt"]["last"] + 1))
        host.until(lambda: [every <= n for n in numbers(of(host.reader, SECOND, after)).values()] == [True], "numbers without a gap")
        alarms = [m.body for m in once(of(host.reader, SECOND, after)) if m.topic.endswith("/alarm")]
        assert [a["alarm"] for a in alarms] == ["cloned"] and FIRST in alarms[0]["message"]
        assert not [m for m in of(host.reader, FIRST, after) if m.body.get("kind") != "link"]
        # Applied in full under its new name, commands included.
        assert (host.target / "who").read_text() == SECOND
        assert (host.target / "runs").read_text().count("x") == runs + 1
        # Counters survive: what the first host would refuse, this one refuses.
        (host.folder / "store/channels/dev/default.json").write_bytes(old)
        host.wait(lambda s: "replayed-pointer" in s.get("store_trouble", ""), "a replay is refused")
    # Once more: it is this host already.
    with host:
        host.wait(lambda s: s["host"] == SECOND)
    assert len([m for m in once(of(host.reader, SECOND, after)) if m.body.get("alarm") == "cloned"]) == 1


def test_what_waited_to_be_told_is_the_other_hosts(host, metadata):
    """An image taken while reports waited and a run was under way: neither goes on under the new name."""
    with host:
        host.installed("one")
    with sqlite3.connect(host.state / "state.db") as db:
        db.execute("INSERT INTO spool(boot,n,prio,topic,flags,key,body) VALUES('b',77,1,?,2,NULL,?)",
                   (f"hf/1/dev/default/{FIRST}/run", '{"v":1,"host":"' + FIRST + '","boot":"b","n":77,"kind":"run"}'))
        db.execute("UPDATE runs SET status='running' WHERE id=(SELECT max(id) FROM runs)")
    become(host, metadata, SECOND)
    after = len(host.reader.messages)
    with host:
        host.reader.wait(lambda m: m.topic == f"hf/1/dev/default/{SECOND}/state" and m.body.get("state") == "ok", after=after)
        assert not [m for m in of(host.reader, FIRST, after) if m.body.get("n") == 77]
    with sqlite3.connect(host.state / "state.db") as db:
        assert db.execute("SELECT count(*) FROM runs WHERE message LIKE '%of this image'").fetchone() == (1,)


def test_name_given_by_the_configuration_counts(host, metadata):
    """User data has written the new name already: that is the name; the rest is as for any clone."""
    with host:
        host.installed("one")
    become(host, metadata, SECOND)
    text = (host.folder / "holdfast.yaml").read_text()
    (host.folder / "holdfast.yaml").write_text(text.replace(f'"host": "{FIRST}"', '"host": "gpu-7"'))
    with host:
        host.wait(lambda s: s["host"] == "gpu-7" and s.get("installed", {}).get("name") == "one")
        host.until(lambda: (host.target / "who").read_text() == "gpu-7", "it is applied under the new name")


@pytest.mark.parametrize("down", [("token",), ("instance-id",)])
def test_silent_service_changes_nothing(host, metadata, down):
    """The same instance again, or a service that fails: no new host, nothing is run again."""
    with host:
        host.installed("one")
    runs = (host.target / "runs").read_text()
    with host:
        host.installed("one")
    silent = http.server.ThreadingHTTPServer(("127.0.0.1", 0), imds(SECOND, down=down))
    threading.Thread(target=silent.serve_forever, daemon=True).start()
    host.env["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = f"http://127.0.0.1:{silent.server_port}"
    with host:
        host.installed("one")
        assert host.ask("status")["host"] == FIRST
    silent.shutdown()
    silent.server_close()
    assert (host.target / "runs").read_text() == runs
    assert not [m for m in host.reader.messages if m.text and m.body.get("alarm") == "cloned"]


def test_state_folder_of_one_machine_on_another(tmp_path, holdfast, holdfastd):
    """Two hosts with their own systemd: /etc/holdfast and /var/lib/holdfast of the first, as an image carries them."""
    fleet = AgentHost(tmp_path, holdfast, holdfastd, host=FIRST)
    fleet.promote(fleet.push("one", {"site.yml": PLAYBOOK.format(t="/srv")}))
    broker = Broker()
    tls = broker.client(FIRST)
    rows = {"environment": "dev", "fleet": "default", "host": FIRST, "store": "file:///store", "poll": "1s", "splay": "0s"}
    text = "".join(f"{k}: {v}\n" for k, v in rows.items()) + f"mqtt:\n  host: 127.0.0.1\n  port: {broker.port}\n"
    text += "".join(f"  {k}: /etc/holdfast/tls/{k}.pem\n" for k in tls)
    unit = (TREE / "packaging/systemd/holdfastd.service").read_text()
    image = None
    with broker, broker.reader("hf/1/dev/default/#") as reader:
        for instance in (FIRST, SECOND):
            with Host(binds={"/store": tmp_path / "store"}) as machine, Doors(machine) as doors:
                address_add(machine, "169.254.169.254")
                doors.serve(("169.254.169.254", 80), imds(instance))
                doors.relay(("127.0.0.1", broker.port), ("127.0.0.1", broker.port))
                machine.install(BUILD / "holdfastd", "/usr/sbin/holdfastd")
                machine.put("/etc/systemd/system/holdfastd.service", unit)
                if instance == FIRST:
                    machine.put("/etc/holdfast/holdfast.yaml", text)
                    machine.put("/etc/holdfast/root.json", (tmp_path / "root.json").read_bytes())
                    for name, source in tls.items():
                        machine.put(f"/etc/holdfast/tls/{name}.pem", open(source, "rb").read())
                else:
                    machine.put("/root/image.tar", image)
                    machine.run("tar -C / -xf /root/image.tar", check=True)
                machine.run("getent passwd holdfast || useradd --system --no-create-home holdfast; systemctl daemon-reload; "
                            "systemctl start holdfastd", check=True)
                reader.wait(lambda m: m.topic == f"hf/1/dev/default/{instance}/state" and m.body.get("state") == "ok")
                assert machine.get("/srv/who").decode() == instance
                machine.run("systemctl stop holdfastd; tar -C / -cf /root/image.tar etc/holdfast var/lib/holdfast srv", check=True)
                image = machine.get("/root/image.tar")
        reader.wait(lambda m: m.text and m.body.get("alarm") == "cloned")
        assert [m.topic.split("/")[4] for m in once(reader.messages) if m.body.get("alarm") == "cloned"] == [SECOND]
