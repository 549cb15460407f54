"""Hosts wherever there is capacity: the order of the search, its memory, its bounds, and a kill in the middle of it."""
import json
import time

import pytest

import fakeaws
from fakeaws.server import Kill
from fakeaws.wire import Refusal
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


def test_what_aws_had_none_of_no_other_search_asks_for(work):
    """In the same run and in the next; what was refused for the request's own sake is asked for."""
    nothing_free(work.fake)
    work.fake.world.capacity["p4d.24xlarge", "us-east-1b", "on-demand"] = 9
    text = work.file.read_text()
    hosts = text[text.index("  hosts:\n"):text.index("outputs:")]
    for i, name in enumerate(("second", "third")):
        work.edit("outputs:", hosts.replace("  hosts:", f"  {name}:").replace("    type: ec2.hosts", f"    type: ec2.hosts\n    depends_on: [{('hosts', 'second')[i]}]") + "outputs:")
        before = len(asked(work.fake))
        work.run("apply", "--yes", "--var", "count=1", "--var", "least=1", *(() if i else ("--target", "second")))
        first = ORDER + ORDER[:4] + [("on-demand", "p4d", "b")]
        assert asked(work.fake)[before:] == (ORDER[:4] + [("on-demand", "p4d", "b")] if i else first)
    assert running(work.fake) == [("p4d", "b", "on-demand")] * 3


@pytest.mark.parametrize("wish", [("count=0", "least=0"), ("count=4", "least=0")], ids=["none", "at least none"])
def test_none_is_enough_where_none_is_wanted(work, wish):
    """Also later: nothing is gone, nobody waits for it, and more can be asked for."""
    nothing_free(work.fake)
    wish = [part for w in wish for part in ("--var", w)]
    work.run("apply", "--yes", *wish)
    assert running(work.fake) == [] and json.loads(work.run("plan", "--json", *wish))["counts"]["none"] == 4
    work.edit("Tags: {Name: gpu}", "Tags: {Name: others}")
    work.run("apply", "--yes", "--var", "count=1", "--var", "least=1", "--var", "markets=[spot]", "--var", "types=[p4de.24xlarge]")
    assert [(t["InstanceType"], t.tags["Name"]) for t in work.fake.world.all("instance")] == [("p4de.24xlarge", "others")]
    work.run("destroy", "--yes")
    assert not any(work.fake.world.alive().values())


def test_a_pair_is_a_list_and_a_text_is_none(work):
    """What a template gives is what the property wants, or is refused with its place before AWS is asked."""
    both = '["{{ subnet.a.id }}", "{{ subnet.b.id }}"]'
    work.edit(both, '"{{ (subnet.a.id, subnet.b.id) }}"')
    work.run("apply", "--yes", "--var", "markets=[spot]", "--var", "count='4'")
    assert running(work.fake) == [("p5", "a", "spot")] * 4
    work.edit('"{{ (subnet.a.id, subnet.b.id) }}"', '"{{ subnet.a.id }},{{ subnet.b.id }}"')
    assert "search.yaml:21:18: hosts: SubnetIds must be of type list, not str" in work.run("plan", code=None)


def test_a_cap_without_prices_is_told_of(work):
    """On demand nothing can be compared; spot is capped by AWS."""
    work.edit('      Prices: "{{ prices }}"\n', "")
    out = work.run("apply", "--yes", "--var", "markets=[on-demand]", code=None)
    assert "there is a MaxPrice, and Prices does not say what it costs on demand" in out and running(work.fake) == []


# --- an instant fleet ---


@pytest.fixture
def pool(tmp_path):
    fake = fakeaws.Fake()
    yield Work(tmp_path, fake, "fleet.yaml")
    fake.close()
    assert not fake.errors, fake.errors[0]


def fleets_asked(fake):
    """(market, how many, [type zone …]) of every call."""
    rows = []
    for c in fake.calls("CreateFleet"):
        target = c.arguments["TargetCapacitySpecification"]
        wishes = [o["InstanceType"].split(".")[0] + fake.world.get("subnet", o["SubnetId"])["AvailabilityZone"][-1] for o in c.arguments["LaunchTemplateConfigs"][0]["Overrides"]]
        rows.append((target["DefaultTargetCapacityType"], target["TotalTargetCapacity"], wishes))
    return rows


def test_a_fleet_is_one_call_a_market(pool):
    """What a fleet could not do comes with 200: it is told, remembered, and the rest is asked for in the next market."""
    nothing_free(pool.fake)
    pool.fake.world.capacity.update({("p4d.24xlarge", "us-east-1b", "spot"): 1, ("p5.48xlarge", "us-east-1b", "on-demand"): 9})
    out = pool.run("apply", "--yes")
    every = ["p5a", "p5b", "p4da", "p4db"]
    assert fleets_asked(pool.fake) == [("spot", 4, every), ("on-demand", 3, every)]
    assert running(pool.fake) == [("p4d", "b", "spot")] + [("p5", "b", "on-demand")] * 3
    assert "spot p5.48xlarge in subnet-" in out and "InsufficientInstanceCapacity" in out
    assert json.loads(pool.run("plan", "--json"))["counts"]["none"] == 7
    assert len(json.loads(pool.run("output", "--json"))["hosts"]) == 4
    pool.run("destroy", "--yes")
    assert not any(pool.fake.world.alive().values()), pool.fake.world.alive()


def test_a_fleet_that_found_none_is_not_asked_again_at_once(pool):
    nothing_free(pool.fake)
    out = pool.run("apply", "--yes", code=None)
    assert "there is capacity for 0 of at least 4 instances; last: on-demand p4d.24xlarge in subnet-" in out
    out = pool.run("apply", "--yes", code=None)
    assert len(fleets_asked(pool.fake)) == 2 and "refused " in out and " s ago" in out
    pool.run("destroy", "--yes")
    assert not any(pool.fake.world.alive().values()), pool.fake.world.alive()


def test_a_fleet_waits_until_its_profile_is_believed(pool):
    """EC2 says so inside an answer that is 200."""
    pool.fake.world.iam_delay = 2.0
    pool.run("apply", "--yes")
    assert len(running(pool.fake)) == 4 and len(fleets_asked(pool.fake)) > 1
    pool.run("destroy", "--yes")
    assert not any(pool.fake.world.alive().values()), pool.fake.world.alive()


@pytest.mark.parametrize("moment", ["before", "late", "after"])
def test_a_killed_fleet_is_taken_over_as_a_set(pool, moment):
    """And one that is killed while it is destroyed goes whole."""
    for verb, operation in (("apply", "CreateFleet"), ("destroy", "DeleteFleets")):
        pool.fake.victim, pool.fake.kill = None, Kill(moment, which=lambda c: c.operation == operation)
        pool.fake.victim = pool.start(verb, "--yes")
        pool.fake.victim.communicate()
        assert pool.fake.kill.hit is not None
        pool.fake.kill = None
        pool.fake.arrived()  # what is under way
        pool.run(verb, "--yes")
        assert len(running(pool.fake)) == (4 if verb == "apply" else 0)
    assert not any(pool.fake.world.alive().values()), pool.fake.world.alive()


# --- capacity blocks: money ---


@pytest.fixture
def block(tmp_path):
    fake = fakeaws.Fake()
    fake.world.blocks = {("p5.48xlarge", "us-east-1a"): 20000, ("p5.48xlarge", "us-east-1b"): 10000}
    yield Work(tmp_path, fake, "block.yaml")
    fake.close()
    assert not fake.errors, fake.errors[0]


def bought(fake):
    return [t["AvailabilityZone"] for t in fake.world.all("capacity_reservation") if t["ReservationType"] == "capacity-block"]


OFFER = "cbo-p5.48xlarge-us-east-1b-2-24"


def test_a_block_is_bought_only_with_a_yes(block):
    """Offers are told with dates and price; --yes alone buys nothing, nor does a yes to what is too dear or not there."""
    for say in ((), ("--accept-capacity-block", "cbo-p5.48xlarge-us-east-1a-2-24"), ("--accept-capacity-block", "cbo-other")):
        out = block.run("apply", "--yes", *say, code=None)
        assert f"offer {OFFER}: 2 x p5.48xlarge in us-east-1b, 24 h from 20" in out and "for 20000 USD" in out
        assert "not taken: it costs 40000, more than MaxPrice 30000" in out
        assert f"nobody said yes to an offer: --accept-capacity-block {OFFER} buys offer" in out
        assert bought(block.fake) == []
    out = block.run("apply", "--yes", "--accept-capacity-block", OFFER)
    assert f"buys offer {OFFER}" in out and bought(block.fake) == ["us-east-1b"]
    assert json.loads(block.run("plan", "--json"))["counts"]["none"] == 1
    assert json.loads(block.run("output", "--json"))["zone"] == "us-east-1b"
    block.run("apply", "--yes", "--accept-capacity-block", OFFER)
    assert "it is paid for and cannot be given back" in block.run("destroy", "--yes")
    block.run("apply", "--yes", "--accept-capacity-block", OFFER)  # the one that was paid for is taken again
    assert bought(block.fake) == ["us-east-1b"]


@pytest.mark.parametrize("moment", ["before", "late", "after"])
def test_a_block_is_never_bought_twice(block, moment):
    """Killed at the purchase: whatever the next runs are told to accept, AWS is asked first."""
    say = ("apply", "--yes", "--accept-capacity-block", OFFER)
    block.fake.kill = Kill(moment, which=lambda c: c.operation == "PurchaseCapacityBlock")
    block.fake.victim = block.start(*say)
    block.fake.victim.communicate()
    block.fake.kill = None
    block.run(*say)
    assert bought(block.fake) == ["us-east-1b"] and len(block.fake.calls("PurchaseCapacityBlock")) == (2 if moment == "before" else 1)


def test_a_purchase_whose_answer_is_lost_is_not_sent_again(block):
    def lose(call):
        if call.operation != "PurchaseCapacityBlock":
            return None
        with block.fake.lock:
            block.fake.world.call(call.service, call.operation, call.arguments)
        return Refusal("InternalError", "An internal error has occurred", 500)

    block.fake.refusals.append(lose)
    say = ("apply", "--yes", "--accept-capacity-block", OFFER)
    assert "InternalError" in block.run(*say, code=None)
    block.run(*say)
    assert bought(block.fake) == ["us-east-1b"] and len(block.fake.calls("PurchaseCapacityBlock")) == 1


def test_a_search_takes_a_block_only_with_a_yes(work):
    """Between a reservation and spot: passed over with its price, bought when somebody says so, used when it is active."""
    nothing_free(work.fake)
    work.fake.world.blocks = {("p5.48xlarge", "us-east-1b"): 10000}
    work.fake.world.capacity["p5.48xlarge", "us-east-1a", "spot"] = 1
    markets = ("--var", "markets=[{capacity_block: {hours: 24, most: 50000}}, spot]", "--var", "count=2")
    out = work.run("apply", "--yes", "--var", "least=1", *markets)
    assert "nobody said yes to an offer: --accept-capacity-block cbo-p5.48xlarge-us-east-1b-2-24" in out and "none of 0 offers" in out
    assert running(work.fake) == [("p5", "a", "spot")] and bought(work.fake) == []
    say = ("--accept-capacity-block", "cbo-p5.48xlarge-us-east-1b-2-24")
    work.fake.world.block_begins = time.time() + 3600
    out = work.run("apply", "--yes", "--var", "least=2", *markets, *say, code=None)
    assert "is scheduled and begins 20" in out or "is payment-pending and begins 20" in out
    assert bought(work.fake) == ["us-east-1b"] and len(running(work.fake)) == 1
    work.fake.world.all("capacity_reservation")[0].become(["active"], 0)
    work.run("apply", "--yes", "--var", "least=2", *markets, *say)
    block = work.fake.world.all("capacity_reservation")[0].id
    assert running(work.fake) == [("p5", "a", "spot"), ("p5", "b", block)] and bought(work.fake) == ["us-east-1b"]
    assert f"{block}: it is paid for and cannot be given back" in work.run("destroy", "--yes")
    assert running(work.fake) == []


@pytest.mark.parametrize("empty", ["markets", "types"])
def test_a_search_among_nothing_says_so(work, empty):
    assert "Markets, InstanceTypes and SubnetIds cannot be empty" in work.run("apply", "--yes", "--var", f"{empty}=[]", code=None)
