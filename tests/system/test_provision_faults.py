"""Environments against the scripted AWS: killed at every call, throttled, shown late, refused, raced. Nothing is orphaned and
nothing is made twice. HF_LONG=1 kills at every call, reads included, at each of the three moments."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

import pytest

import fakeaws
from fakeaws.server import ACCESS, SECRET, Kill
from fakeaws.wire import Refusal
from places import BUILD

HERE = pathlib.Path(__file__).parent
LONG = os.environ.get("HF_LONG") == "1"
MOMENTS = ["before", "late", "after"]
RESOURCES = 64
STATE = "s3://state/sixty"


@pytest.fixture
def aws():
    fake = fakeaws.Fake()
    yield fake
    fake.close()
    assert not fake.errors, fake.errors[0]


class Work:
    def __init__(self, folder, fake, example="sixty.yaml", name=None):
        self.folder, self.fake = folder, fake
        folder.mkdir(exist_ok=True)
        self.file = folder / (name or example)
        shutil.copy(HERE / "provision" / example, self.file)

    def environment(self, env=()):
        return {"PATH": os.environ["PATH"], "AWS_ENDPOINT_URL": self.fake.url, "AWS_ACCESS_KEY_ID": ACCESS, "AWS_SECRET_ACCESS_KEY": SECRET,
                "AWS_EC2_METADATA_DISABLED": "true", "HOME": str(self.folder), **dict(env)}

    def start(self, verb, *args, env=()):
        client = subprocess.Popen(
            [str(BUILD / "holdfast"), "env", *verb.split(), str(self.file), *args], text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=self.environment(env),
        )
        self.fake.clients.append(client)
        return client

    def run(self, verb, *args, code=0):
        p = self.start(verb, *args)
        out = p.communicate(timeout=900)[0]
        if code is not None:
            assert p.returncode == code, out
        return out

    def edit(self, old, new):
        text = self.file.read_text()
        assert old in text
        self.file.write_text(text.replace(old, new))

    def state_in_s3(self):
        self.fake.world.s3_CreateBucket("state")
        self.edit("environment: sixty\n", f"environment: sixty\nstate: {STATE}\n")


@pytest.fixture
def work(tmp_path, aws):
    return Work(tmp_path, aws)


def counts(fake):
    with fake.lock:
        there = {kind: [i for i in found if i != "state"] for kind, found in fake.world.alive().items()}
    return {kind: len(found) for kind, found in there.items() if found}


WANTED = {
    "vpc": 1, "internet_gateway": 1, "subnet": 4, "elastic_ip": 1, "nat_gateway": 1, "route_table": 2, "network_acl": 1, "vpc_endpoint": 1,
    "security_group": 2, "security_group_rule": 8, "key_pair": 1, "role": 4, "policy": 1, "instance_profile": 1, "bucket": 1, "launch_template": 1,
    "instance": 2, "volume": 2, "file_system": 1, "mount_target": 2, "eks_cluster": 1, "nodegroup": 1, "addon": 1, "notebook_lifecycle": 1,
    "notebook": 1, "log_group": 1, "topic": 1, "alarm": 1, "parameter": 1, "secret": 1, "repository": 1, "table": 1,
}


def check_whole(work):
    there = counts(work.fake)
    assert there == WANTED
    tables = work.fake.world.all("route_table")
    assert sum(len(t["Routes"]) for t in tables) == 2 and sum(len(t["Associations"]) for t in tables) == 4
    assert sum(len(v["Attachments"]) for v in work.fake.world.all("volume")) == 2
    assert sum(len(r["inline"]) for r in work.fake.world.all("role")) == 2 and sum(len(r["attached"]) for r in work.fake.world.all("role")) == 2
    doc = json.loads(work.run("plan", "--json"))
    assert doc["counts"]["none"] == RESOURCES == sum(doc["counts"].values())
    resources = [t for kind in WANTED if kind not in ("log_group", "alarm", "notebook_lifecycle") for t in work.fake.world.all(kind)]
    named = [t.tags["holdfast:resource"] for t in resources if "holdfast:resource" in t.tags and t.state not in ("terminated", "deleted")]
    assert len(named) == len(set(named)), "two of them have one name"


def check_nothing(work):
    assert counts(work.fake) == {}
    assert not list((work.folder / ".holdfast/sixty/resources").glob("[!.]*"))


# --- kill -9 ---


def call_key(call):
    """The same call of another run: without what differs in each."""
    def plain(v):
        if isinstance(v, dict):
            return {k: plain(x) for k, x in v.items() if k.lower() not in ("clienttoken", "clientrequesttoken", "creationtoken", "tagspecifications", "tags")}
        return [plain(x) for x in v] if isinstance(v, list) else v
    return f"{call.service} {call.operation} {json.dumps(plain(call.arguments), sort_keys=True, default=str)}"


class Chain:
    """Runs a verb again and again, and kills every run at a call that was not killed before."""

    def __init__(self, work, moment, share):
        self.work, self.moment, self.share, self.done, self.spared, self.met = work, moment, share, set(), set(), 0

    def which(self, call):
        if call.service == "sts" or not (LONG or call.mutates):
            return False
        key = call_key(call)
        if key in self.done or key in self.spared:
            return False
        # What AWS would make twice is looked for until a lost call must have arrived, which is seconds: a few are enough here.
        slow = not LONG and self.moment != "after" and call.operation in ("CreateVpc", "CreateSubnet", "CreateInternetGateway", "AllocateAddress")
        if slow and call.operation != "AllocateAddress":
            return False
        self.met += 1
        if not LONG and self.met % self.share != MOMENTS.index(self.moment) + 1:
            self.spared.add(key)  # every call is for the long form; here it is every tenth that was not met before
            return False
        return True

    def until_through(self, verb, most=2000):
        for kills in range(most):
            fake = self.work.fake
            fake.victim, fake.kill = None, Kill(self.moment, which=self.which)
            fake.victim = self.work.start(verb, "--yes")
            out = fake.victim.communicate(timeout=900)[0]
            hit, fake.kill = fake.kill.hit, None
            if hit is None:
                assert fake.victim.returncode == 0, out
                return kills
            self.done.add(call_key(hit))
            if self.moment == "late":
                fake.arrived()  # what is under way
        raise AssertionError("it never gets through")


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_every_call(work, moment):
    """Apply and destroy; the fake kills the client by its process id while it holds the request."""
    chain = Chain(work, moment, 10)
    kills = chain.until_through("apply")
    assert kills >= (100 if LONG else 3)
    check_whole(work)
    kills = chain.until_through("destroy")
    assert kills >= (60 if LONG else 3)
    check_nothing(work)


@pytest.mark.parametrize("operation", ["CreateVpc", "CreateSubnet", "RunInstances", "CreateCluster"])
def test_answer_lost_on_the_way(work, operation):
    """The call was carried out, its answer never came, nobody was killed: the same run ends with one of it."""
    lost = []

    def lose(call):
        if call.operation == operation and call.service in ("ec2", "eks") and not lost:
            lost.append(call)
            with work.fake.lock:
                work.fake.world.call(call.service, call.operation, call.arguments)
            return Refusal("InternalError", "An internal error has occurred", 500)
        return None

    work.fake.refusals.append(lose)
    work.run("apply", "--yes")
    assert lost
    check_whole(work)


# --- throttled, late, refused ---


def test_thirty_percent_throttled(work):
    work.fake.throttled = 0.3
    work.run("apply", "--yes", *(() if LONG else ("--target", "nodes", "--target", "releases", "--target", "logs")))
    work.fake.throttled = 0.0
    refused = [c for c in work.fake.journal if c.answer is not None and ("Throttling" in c.answer or "Limit" in c.answer or "SlowDown" in c.answer)]
    assert len(refused) > (60 if LONG else 8)
    work.run("apply", "--yes")
    check_whole(work)


def test_states_take_their_time_and_lists_lag_behind(work):
    """IAM is believed late, EC2 shows late what it made, everything is pending first."""
    work.fake.world.delay, work.fake.world.iam_delay, work.fake.world.lag = 0.3, 2.0, 0.4
    work.run("apply", "--yes")
    refused = {c.operation for c in work.fake.journal if c.answer in ("InvalidParameterValue", "InvalidParameterException", "ValidationException") and c.mutates}
    assert {"RunInstances", "CreateCluster"} & refused, "nobody was too early: the test proves nothing"
    work.fake.world.lag = 0
    check_whole(work)
    work.run("destroy", "--yes")
    check_nothing(work)


def test_killed_while_lists_lag_behind(work):
    """What was made is not shown yet when the next run looks for it."""
    work.fake.world.lag = 1.5
    work.fake.kill = Kill("after", which=lambda c: c.operation == "CreateVpc")
    work.fake.victim = work.start("apply", "--yes")
    work.fake.victim.communicate()
    work.fake.kill = None
    work.run("apply", "--yes", "--target", "public")
    assert len(work.fake.world.all("vpc")) == 1 and len(work.fake.world.all("subnet")) == 2


def test_a_bad_signature_is_refused(work):
    p = work.start("plan", env={"AWS_SECRET_ACCESS_KEY": "wrong"}.items())
    out = p.communicate()[0]
    assert p.returncode != 0 and "SignatureDoesNotMatch" in out


# --- one at a time ---


def lease(fake):
    return json.loads(fake.world.objects["state", "sixty/lease.json"][0])


def lease_put(fake, **changes):
    with fake.lock:
        fake.world.s3_PutObject("state", "sixty/lease.json", json.dumps({**lease(fake), **changes}).encode())


def stopped_at(work, operation):
    """A run that stands still, in the middle of its work, when a call of that operation arrives."""
    hit = []

    def stop(call):
        if call.operation == operation and not hit:
            hit.append(call)
            os.kill(p.pid, signal.SIGSTOP)
        return None

    work.fake.refusals.append(stop)
    p = work.start("apply", "--yes")
    deadline = time.monotonic() + 300
    while not hit:
        assert time.monotonic() < deadline and p.poll() is None
        time.sleep(0.02)
    return p


def test_a_dead_holder_of_the_lock_is_followed_at_once(work):
    work.state_in_s3()
    work.fake.kill = Kill("after", which=lambda c: c.operation == "CreateSubnet")
    work.fake.victim = work.start("apply", "--yes")
    work.fake.victim.communicate()
    work.fake.kill = None
    before = lease(work.fake)
    assert before["expires"] > time.time()
    work.run("apply", "--yes")
    assert lease(work.fake)["fence"] == before["fence"] + 1
    check_whole(work)


def test_a_living_holder_is_not(work):
    work.state_in_s3()
    p = stopped_at(work, "CreateSubnet")
    out = work.run("apply", "--yes", code=None)
    assert f"apply by process {p.pid}" in out
    os.kill(p.pid, signal.SIGCONT)
    assert p.wait(900) == 0
    check_whole(work)


def test_of_two_writers_the_late_one_is_refused(work):
    """The first sleeps until its lease is over (its machine was suspended); the second takes over and finishes; the first
    wakes up, and may not write any more."""
    work.state_in_s3()
    p = stopped_at(work, "CreateSubnet")
    lease_put(work.fake, expires=int(time.time()) - 1, host="elsewhere", boot="another")
    work.run("apply", "--yes")
    check_whole(work)
    keys = {k: v[1] for k, v in work.fake.world.objects.items()}
    os.kill(p.pid, signal.SIGCONT)
    out = p.communicate(timeout=900)[0]
    assert p.returncode != 0 and ("somebody" in out or "412" in out or "lost" in out), out
    assert {k: v[1] for k, v in work.fake.world.objects.items()} == keys
    check_whole(work)
    work.run("destroy", "--yes")
    assert counts(work.fake) == {}
