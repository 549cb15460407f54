"""Before anything is made: types that a zone does not have, and quotas that leave no room, are said in a sentence."""
import pytest

import fakeaws
from fakeaws.wire import Refusal
from test_provision_faults import Work

P, P5_SPOT, P_SPOT = "L-417A185B", "L-C4BD4855", "L-7212CCBC"


@pytest.fixture
def work(tmp_path):
    fake = fakeaws.Fake()
    yield Work(tmp_path, fake, "flight.yaml")
    fake.close()
    assert not fake.errors, fake.errors[0]


def refused(work, *arguments):
    """What it says, having made nothing."""
    out = work.run("apply", "--yes", *arguments, code=None)
    assert not [c for c in work.fake.journal if c.mutates], out
    return out


def given(name, value):
    return "--var", f"{name}={value}"


def offered(fake, zones):
    fake.world.offerings["p5.48xlarge"] = zones


@pytest.mark.parametrize("zones,sentence", [
    (["us-east-1b", "us-east-1c"], "host.0: p5.48xlarge is not offered everywhere in us-east-1a; it is in us-east-1b, us-east-1c"),
    ([], "host.0: p5.48xlarge is offered in no zone of us-east-1"),
], ids=["another zone", "nowhere"])
def test_a_type_that_is_not_there(work, zones, sentence):
    """The type comes from the launch template, the zone from a subnet; neither exists yet."""
    offered(work.fake, zones)
    assert sentence in refused(work)


def test_a_search_goes_on_with_what_there_is(work):
    offered(work.fake, ["us-east-1b"])
    out = work.run("apply", "--yes", *given("count", 0))
    assert "p5.48xlarge is not offered everywhere in us-east-1a, us-east-1b; it is in us-east-1b" in out
    assert len(work.fake.world.all("instance")) == 4


@pytest.mark.parametrize("quota,arguments,sentence", [
    ({P: 300}, given("least", 0), "host.0 (1 x p5.48xlarge), host.1 (1 x p5.48xlarge): 384 vCPUs are needed, and the account's quota L-417A185B is 300, of which 0 are in use"),
    ({P: 100, P5_SPOT: 0, P_SPOT: 95}, (*given("count", 0), *given("least", 2)), "many: the account's quotas leave room for 1 of at least 2 instances"),
    ({P5_SPOT: 191}, (*given("count", 0), *given("markets", "[spot]"), *given("types", "[p5.48xlarge]")), "many (1 x p5.48xlarge): 192 vCPUs are needed, and the account's quota L-C4BD4855 is 191"),
], ids=["sum", "search", "spot"])
def test_a_quota_that_leaves_no_room(work, quota, arguments, sentence):
    work.fake.world.quotas.update(quota)
    assert sentence in refused(work, *arguments)


def test_what_runs_already_counts(work):
    """Two of 192 run; a third is too much for 400, although it would fit an account that runs nothing."""
    work.fake.world.quotas[P] = 400
    with work.fake.lock:
        work.fake.world.ec2_RunInstances(2, 2, ImageId="ami-1", InstanceType="p5.48xlarge")
    out = refused(work, *given("count", 1), *given("least", 0))
    assert "the account's quota L-417A185B is 400, of which 384 are in use" in out


def test_a_subnet_whose_zone_is_not_known_may_be_anywhere(work):
    """What is in us-east-1b alone is not refused because the one zone that is known is us-east-1a."""
    offered(work.fake, ["us-east-1b"])
    work.edit("  template:\n", "  other:\n    type: ec2.subnet\n    properties: {VpcId: \"{{ vpc.id }}\", CidrBlock: 10.70.9.0/24}\n  template:\n")
    work.edit('"{{ subnet.b.id }}"]', '"{{ other.id }}"]')
    work.run("apply", "--yes", *given("count", 0), *given("types", "[p5.48xlarge]"))
    assert len(work.fake.world.all("instance")) == 4


def test_what_is_replaced_leaves_its_room(work):
    """Two of 192 fill the quota, and go before their successors come."""
    work.fake.world.quotas[P] = 384
    work.run("apply", "--yes", *given("least", 0))
    work.run("apply", "--yes", *given("least", 0), *given("zone", "b"))
    new = {t["Placement"]["AvailabilityZone"] for t in work.fake.world.all("instance") if t.state == "running" and t["market"] == "on-demand"}
    assert new == {"us-east-1b"}


def test_a_quota_that_may_not_be_asked_stops_nobody(work):
    work.fake.refusals.append(lambda c: Refusal("AccessDeniedException", "you may not") if c.operation == "GetServiceQuota" else None)
    out = work.run("apply", "--yes")
    assert "not checked beforehand: " in out and "you may not" in out
    assert len(work.fake.world.all("instance")) == 6


def test_nothing_is_asked_when_no_machine_is_made(work):
    work.run("apply", "--yes", "--target", "subnet")
    assert not work.fake.calls("GetServiceQuota", "DescribeInstanceTypeOfferings", "DescribeInstanceTypes")
