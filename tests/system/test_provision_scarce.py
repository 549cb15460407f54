"""The types that moto lacks, against the scripted AWS: made, unchanged, changed in place, drifted, killed, and nothing left."""
import json

import pytest

import fakeaws
from fakeaws.server import Kill
from test_provision_faults import Work


@pytest.fixture
def work(tmp_path):
    fake = fakeaws.Fake()
    yield Work(tmp_path, fake, "scarce.yaml")
    fake.close()
    assert not fake.errors, fake.errors[0]


def actions(work, *arguments):
    return {c["name"]: c["action"] for c in json.loads(work.run("plan", "--json", *arguments))["changes"] if c["action"] != "none"}


CHANGED = ("--var", "count=3", "--var", "user=others", "--var", "role=second", "--var", "days=5", "--var", "every=rate(2 days)", "--var", "size=2400", "--var", "text=large")


def test_life_of_what_moto_lacks(work):
    work.fake.world.delay = 0.2
    work.run("apply", "--yes")
    assert actions(work) == {}
    alive = {kind: len(found) for kind, found in work.fake.world.alive().items()}
    assert alive["placement_group"] == alive["capacity_reservation"] == alive["access_entry"] == alive["access_policy"] == alive["pod_identity"] == 1
    assert alive["fsx"] == alive["user_profile"] == alive["training_job"] == alive["cache"] == alive["cache_subnets"] == alive["ssm_association"] == 1
    assert actions(work, *CHANGED) == {name: "update" for name in ("reserved", "entry", "pods", "fast", "caches", "cache", "patching")}
    work.run("apply", "--yes", *CHANGED)
    assert actions(work, *CHANGED) == {}
    assert work.fake.world.all("ssm_association")[0]["Parameters"] == {"commands": ["uptime"]}, "what an update leaves out is cleared"
    with work.fake.lock:
        work.fake.world.all("cache")[0]["SnapshotRetentionLimit"] = 0
        work.fake.world.all("access_entry")[0].tags.pop("team")
    drift = json.loads(work.run("drift", "--json", *CHANGED))["changes"]
    assert {c["name"] for c in drift if c["action"] != "none"} == {"cache", "entry"}
    assert actions(work, *CHANGED, "--var", "level=AmazonEKSAdminPolicy") == {"cache": "update", "entry": "update", "may": "replace"}
    work.run("apply", "--yes", *CHANGED)
    assert actions(work, *CHANGED) == {}
    work.run("destroy", "--yes", *CHANGED)
    assert not any(work.fake.world.alive().values()), work.fake.world.alive()


@pytest.mark.parametrize("moment", ["before", "late", "after"])
@pytest.mark.parametrize("how,name,operation,kind", [
    ("by token", "reserved", "CreateCapacityReservation", "capacity_reservation"),
    ("by name", "roles", "CreateRole", "role"),
    ("by tag", "vpc", "CreateVpc", "vpc"),
    ("by putting it again", "logs_alarm", "PutMetricAlarm", "alarm"),
    ("by what it connects", "may", "AssociateAccessPolicy", "access_policy"),
], ids=["token", "name", "tag", "put", "key"])
def test_each_way_to_repeat_a_creation(work, how, name, operation, kind, moment):
    """One creation of each class is killed at each moment; the next apply ends with one of it."""
    work.file.write_text(work.file.read_text() + """
  logs_alarm:
    type: cloudwatch.alarm
    properties: {AlarmName: scarce, Namespace: a, MetricName: m, Statistic: Minimum, Period: 60, EvaluationPeriods: 1, Threshold: 1, ComparisonOperator: LessThanThreshold}
""")
    work.fake.kill = Kill(moment, which=lambda c: c.operation == operation)
    work.fake.victim = work.start("apply", "--yes", "--target", name)
    work.fake.victim.communicate()
    assert work.fake.kill.hit is not None
    work.fake.kill = None
    work.run("apply", "--yes", "--target", name)
    assert len(work.fake.world.all(kind)) == (2 if kind == "role" else 1)
    assert actions(work, "--target", name) == {}
