"""How fast an apply goes: as many calls at once as allowed, slower only where a service says so, and every step told as it happens."""
import json
import threading
import time

import pytest

import fakeaws
from fakeaws.wire import Refusal
from test_provision_faults import Work

MANY = 24
FILE = f"""
environment: pace
region: us-east-1
resources:
  vpc:
    type: ec2.vpc
    properties: {{CidrBlock: 10.90.0.0/16}}
  group:
    type: ec2.security_group
    for_each: "{{{{ range({MANY}) | list }}}}"
    properties: {{GroupName: "g{{{{ each.key }}}}", Description: pace, VpcId: "{{{{ vpc.id }}}}"}}
  value:
    type: ssm.parameter
    for_each: "{{{{ range({MANY}) | list }}}}"
    properties: {{Name: "/pace/{{{{ each.key }}}}", Type: String, Value: x}}
"""


@pytest.fixture
def work(tmp_path):
    fake = fakeaws.Fake()
    w = Work(tmp_path, fake, "block.yaml", "pace.yaml")
    w.file.write_text(FILE)
    yield w
    fake.close()
    assert not fake.errors, fake.errors[0]


@pytest.mark.parametrize("most", [3, 8])
def test_no_more_calls_at_once_than_allowed(work, most):
    lock, now, seen = threading.Lock(), [0], [0]

    def slow(call):
        with lock:
            now[0] += 1
            seen[0] = max(seen[0], now[0])
        end = time.monotonic() + (60 if call.operation in ("CreateSecurityGroup", "PutParameter") else 0)
        time.sleep(0.05)
        while seen[0] < 2 and time.monotonic() < end:  # the second may come late on a slow machine
            time.sleep(0.01)
        with lock:
            now[0] -= 1
        return None

    work.fake.refusals.append(slow)
    work.run("apply", "--yes", "--parallel", str(most))
    assert 2 <= seen[0] <= most and len(work.fake.world.all("security_group")) == MANY


def test_only_the_service_that_refuses_is_called_less(work):
    """EC2 takes no calls for three seconds (more on a slow machine): it gets few in that time, and Systems Manager is done
    with long before it."""
    for seconds in (3, 10, 30):
        begun, refused, before = [], [], len(work.fake.journal)

        def busy(call):
            if call.operation not in ("CreateSecurityGroup", "CreateVpc"):
                return None
            begun.append(time.monotonic())
            if begun[-1] - begun[0] > seconds:
                return None
            refused.append(call)
            return Refusal("RequestLimitExceeded", "Request limit exceeded.", 503)

        work.fake.refusals[:] = [busy]
        work.run("apply", "--yes")
        done = [c for c in work.fake.journal[before:] if c.answer == "ok"]
        first = next(c.number for c in done if c.operation == "CreateVpc")
        puts = [c.number < first for c in done if c.operation == "PutParameter"]
        assert 1 <= len(refused) <= 9 + seconds and len(work.fake.world.all("security_group")) == MANY
        if puts == [True] * MANY:
            break
        work.run("destroy", "--yes")
    assert puts == [True] * MANY


def test_every_step_is_told_as_it_happens(work):
    """AWS keeps the groups waiting until the line that says the VPC is done was read."""
    told, seen = threading.Event(), []
    work.fake.refusals.append(lambda c: None if c.operation != "CreateSecurityGroup" or told.wait(300) else Refusal("Internal", "nothing was told", 400))
    p = work.start("apply", "--yes", "--json")
    for line in p.stdout:
        row = json.loads(line)
        seen.append((row["name"], row["event"]))
        if seen[-1] == ("vpc", "done"):
            told.set()
    assert p.wait(300) == 0
    assert seen.index(("vpc", "started")) < seen.index(("vpc", "done")) < seen.index(("group.0", "done"))
    assert sum(event == "done" for _, event in seen) == 1 + 2 * MANY
