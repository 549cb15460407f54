"""Hosts wherever there is capacity: the order of the search, its memory, its bounds, and a kill in the middle of it."""
import json

import pytest

import fakeaws
from fakeaws.server import Kill
from test_provision_faults import Work


@pytest.fixture
def work(tmp_path):
    fake = fakeaws.Fake()
    yield Work(tmp_path, fake, "search.yaml")
    fake.close()
    assert not fake.errors, fake.errors[0]


TYPES, ZONES = ["p5.48xlarge", "p4d.24xlarge"], ["us-east-1a", "us-east-1b"]


def nothing_free(fake):
    fake.world.capacity.update({(t, z, m): 0 for t in TYPES for z in ZONES for m in ("spot", "on-demand")})


def asked(fake):
    """What was asked for, in order: (market, type, zone)."""
    rows = []
    for c in fake.calls("RunInstances"):
        a = c.arguments
        target = a.get("CapacityReservationSpecification", {}).get("CapacityReservationTarget", {}).get("CapacityReservationId")
        zone = fake.world.get("subnet", a["SubnetId"])["AvailabilityZone"][-1]
        rows.append((target or a.get("InstanceMarketOptions", {}).get("MarketType", "on-demand"), a["InstanceType"].split(".")[0], zone))
    return rows


def running(fake):
    return sorted((t["InstanceType"].split(".")[0], t["Placement"]["AvailabilityZone"][-1], t["market"]) for t in fake.world.all("instance") if t.state == "running")


ORDER = [("cr-none", t, z) for t in ("p5", "p4d") for z in "ab"] + [("spot", t, z) for t in ("p5", "p4d") for z in "ab"] + [("on-demand", "p4d", z) for z in "ab"]


def test_candidates_are_asked_in_the_order_of_the_file(work):
    """The reservation first, then spot, then what on demand is cheap enough; two in one zone and two in the other."""
    nothing_free(work.fake)
    work.fake.world.capacity.update({("p4d.24xlarge", "us-east-1a", "on-demand"): 2, ("p4d.24xlarge", "us-east-1b", "on-demand"): 9})
    out = work.run("apply", "--yes")
    assert asked(work.fake) == ORDER
    assert running(work.fake) == [("p4d", "a", "on-demand")] * 2 + [("p4d", "b", "on-demand")] * 2
    assert "spot p5.48xlarge in subnet-" in out and "InsufficientInstanceCapacity" in out
    assert "it costs 98.32, more than 40" in out and "InvalidCapacityReservationId.NotFound" in out
    assert json.loads(work.run("plan", "--json"))["counts"]["none"] == 4
    assert len(json.loads(work.run("output", "--json"))["hosts"]) == 4
    spot = [c for c in work.fake.calls("RunInstances") if c.arguments.get("InstanceMarketOptions")]
    assert {c.arguments["InstanceMarketOptions"]["SpotOptions"]["MaxPrice"] for c in spot} == {"40"}
    work.run("destroy", "--yes")
    assert running(work.fake) == [] and not any(work.fake.world.alive().values())


def test_at_least_some_are_enough(work):
    nothing_free(work.fake)
    work.fake.world.capacity["p5.48xlarge", "us-east-1b", "spot"] = 3
    work.edit("least: 4", "least: 3")
    work.run("apply", "--yes")
    assert running(work.fake) == [("p5", "b", "spot")] * 3
    assert json.loads(work.run("plan", "--json"))["counts"]["none"] == 4


def test_too_few_fail_and_what_was_refused_is_remembered(work):
    nothing_free(work.fake)
    work.fake.world.capacity["p5.48xlarge", "us-east-1a", "spot"] = 1
    out = work.run("apply", "--yes", code=None)
    assert "there is capacity for 1 of at least 4 instances; last: on-demand p4d.24xlarge in subnet-" in out
    before = len(asked(work.fake))
    out = work.run("apply", "--yes", code=None)
    # The one that had something is not remembered as empty; the others are not asked again.
    assert len(asked(work.fake)) <= before + 1 and "refused " in out and " s ago" in out
    assert len(running(work.fake)) == 1
    work.run("destroy", "--yes")
    assert not any(work.fake.world.alive().values())


def test_a_killed_search_ends_with_the_wanted_number(work):
    nothing_free(work.fake)
    work.fake.world.capacity.update({("p4d.24xlarge", "us-east-1a", "on-demand"): 2, ("p4d.24xlarge", "us-east-1b", "on-demand"): 9})
    for at in (9, 1):
        work.fake.victim, work.fake.kill = None, Kill("after", at, which=lambda c: c.operation == "RunInstances")
        work.fake.victim = work.start("apply", "--yes")
        work.fake.victim.communicate()
        assert work.fake.kill.hit is not None
        work.fake.kill = None
    work.run("apply", "--yes")
    assert len(running(work.fake)) == 4


def test_number_up_and_down_and_one_lost(work):
    work.run("apply", "--yes", "--var", "count=2", "--var", "least=2", "--var", "markets=[spot]")
    assert running(work.fake) == [("p5", "a", "spot")] * 2
    more = ("--var", "count=3", "--var", "least=3", "--var", "markets=[spot]")
    work.run("apply", "--yes", *more)
    assert len(running(work.fake)) == 3
    with work.fake.lock:
        work.fake.world.ec2_TerminateInstances([work.fake.world.all("instance")[0].id])
    work.run("apply", "--yes", *more)
    assert len(running(work.fake)) == 3
    work.run("apply", "--yes", "--var", "count=1", "--var", "least=1", "--var", "markets=[spot]")
    assert len(running(work.fake)) == 1
