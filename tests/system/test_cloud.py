"""What the agent tells AWS: compliance, inventory, logs with metrics, events and whole reports, checked against botocore's model."""
import hashlib
import json

import pytest

from agent import AgentHost, once
from awsdoor import INSTANCE, AwsDoor
from broker import Broker
from s3server import S3Server

AWS = {"compliance": True, "inventory": True, "log_group": "/holdfast/dev", "event_bus": "fleet"}
PLAYBOOK = """
- hosts: all
  gather_facts: false
  tasks:
    - {{ name: greeting, copy: {{ content: "hello\\n", dest: {t}/greeting }} }}
    - {{ name: watched, copy: {{ content: "quiet\\n", dest: {t}/watched }}, vars: {{ holdfast_policy: report }} }}
    - {{ name: hidden, copy: {{ content: "a-deep-secret\\n", dest: {t}/hidden }}, no_log: true }}
"""


@pytest.fixture
def door():
    with AwsDoor() as one:
        yield one


@pytest.fixture
def make(tmp_path, holdfast, holdfastd, door):
    def host(broker=None, env=None, **config):
        host = AgentHost(tmp_path, holdfast, holdfastd, broker=broker, env={**door.env(), **(env or {})}, **config)
        host.promote(host.push("one", {"site.yml": PLAYBOOK.format(t=host.target)}))
        return host
    return host


def titles(door, status):
    calls = door.of("PutComplianceItems")
    return {i["Title"] for i in calls[-1]["Items"] if i["Status"] == status} if calls else set()


def messages(door):
    """Each once: what the service took and the agent did not hear of comes again."""
    told = dict.fromkeys(e["message"] for p in door.of("PutLogEvents") for e in p["logEvents"])
    return [json.loads(text) for text in told]


def alarms(door):
    return [m["alarm"] for m in messages(door) if m["kind"] == "alarm"]


def test_everything_that_is_on_is_told_as_the_model_wants_it(make, door):
    host = make(aws=AWS)
    with host:
        host.installed("one")
        host.until(lambda: len(titles(door, "COMPLIANT")) == 3, "every resource complies")
        (host.target / "watched").write_text("by hand\n")
        host.until(lambda: titles(door, "NON_COMPLIANT") == {"watched"}, "the one that was changed does not")
        host.until(lambda: door.of("PutEvents"), "the event bus hears of it")
        host.until(lambda: any(m["kind"] == "drift" for m in messages(door)), "the log has it")
        host.until(lambda: door.of("PutInventory"), "the inventory is there")
    assert not door.refusals
    put = door.of("PutComplianceItems")[-1]
    assert (put["ResourceId"], put["ResourceType"], put["ComplianceType"]) == (INSTANCE, "ManagedInstance", "Custom:Holdfast")
    inventory = door.of("PutInventory")[-1]
    assert inventory["InstanceId"] == INSTANCE and inventory["Items"][0]["TypeName"] == "Custom:Holdfast"
    assert inventory["Items"][0]["Content"][0]["ReleaseName"] == "one"
    [entry] = {e["Detail"]: e for p in door.of("PutEvents") for e in p["Entries"]}.values()
    detail = json.loads(entry["Detail"])
    assert (entry["EventBusName"], entry["Source"]) == ("fleet", "holdfast")
    assert (detail["title"], detail["action"], detail["host"], detail["environment"]) == ("watched", "reported", "h1", "dev")
    assert detail["n"] in {m["n"] for m in messages(door) if m["kind"] == "drift"}, "the same report, to be told apart"
    assert "a-deep-secret" not in json.dumps(door.calls)


def test_metrics_are_named_by_the_embedded_format(make, door):
    host = make(aws={**AWS, "namespace": "Ours"})
    with host:
        host.installed("one")
        host.until(lambda: {"run", "state"} <= {m["kind"] for m in messages(door)}, "a run and a state")
    for message in messages(door):
        [directive] = message["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"] == "Ours"
        for dimensions in directive["Dimensions"]:
            assert all(isinstance(message[d], str) for d in dimensions)
        for metric in directive["Metrics"]:
            assert isinstance(message[metric["Name"]], int), metric
    run = next(m for m in messages(door) if m["kind"] == "run")
    assert (run["changed"], run["runs"]) == (3, 1)
    assert [name for name, _ in door.calls].index("CreateLogStream") < [name for name, _ in door.calls].index("PutLogEvents")


@pytest.mark.parametrize("part,operation", [("compliance", "PutComplianceItems"), ("inventory", "PutInventory"),
                                            ("log_group", "PutLogEvents"), ("event_bus", "PutEvents")])
def test_each_part_is_on_by_itself(make, door, part, operation):
    host = make(aws={part: AWS[part], "instance": "mi-0123456789abcdef0"})
    with host:
        host.installed("one")
        (host.target / "watched").write_text("by hand\n")
        host.until(lambda: door.of(operation), f"{operation} comes")
        host.wait(lambda s: s["aws"][next(iter(s["aws"]))]["waiting"] == 0)
    assert {name for name, _ in door.calls} - {"CreateLogGroup", "CreateLogStream"} == {operation} and not door.refusals


def test_nothing_is_on_by_itself(make, door):
    host = make()
    with host:
        host.installed("one")
        assert "aws" not in host.ask("status")
    assert not door.calls and not door.refusals


def test_what_is_refused_is_said_once_and_sent_later(make, door):
    host = make(aws={"event_bus": "fleet", "log_group": "/holdfast/dev"})
    door.answer["PutEvents"] = (400, "AccessDeniedException")
    with host:
        host.installed("one")
        (host.target / "watched").write_text("by hand\n")
        host.wait(lambda s: "AccessDenied" in s["aws"]["events"].get("trouble", ""))
        host.kill()
        host.start()
        host.wait(lambda s: "AccessDenied" in s["aws"]["events"].get("trouble", ""))
        del door.answer["PutEvents"]
        host.until(lambda: door.of("PutEvents"), "the event comes after all")
        host.wait(lambda s: s["aws"]["events"] == {"waiting": 0})
        host.until(lambda: len(alarms(door)) >= 2, "both alarms")
        host.wait(lambda s: s["aws"]["logs"]["waiting"] == 0)
    assert alarms(door) == ["aws-refused"] * 2, "once a start of the agent"


def test_what_waits_stays_within_its_bound(make, door):
    door.answer["PutLogEvents"] = (500, "InternalFailure")
    host = make(aws={"log_group": "/holdfast/dev", "spool_bytes": 1 << 20}, debounce_ms=0)
    with host:
        host.installed("one")
        for n in range(30):
            (host.target / "watched").write_text(f"{n}" * 40000 + "\n")
            host.until(lambda n=n: len(host.ask("drift", "--limit", "500")["events"]) > n, "another event")
        host.wait(lambda s: s["aws"].get("dropped", 0) > 0 and 0 < s["aws"]["logs"]["waiting"] < 30, "the oldest are dropped")
        assert (host.state / "state.db").stat().st_size < 8 << 20


def reports(host):
    return host.wait(lambda s: s["aws"]["reports"]["waiting"] == 0)


@pytest.mark.parametrize("where", ["folder", "s3"])
def test_whole_reports_of_runs_lie_where_the_message_says(make, where, tmp_path):
    with Broker() as broker, S3Server() as s3:
        s3.make_bucket("reports")
        (tmp_path / "reports").mkdir()
        url = f"file://{tmp_path}/reports" if where == "folder" else "s3://reports/hosts"
        host = make(broker=broker, env=s3.env(), run_reports=url)
        with broker.reader(f"hf/1/dev/default/{host.name}/run") as reader, host:
            host.installed("one")
            (host.target / "greeting").write_text("by hand\n")
            host.until(lambda: len(once(reader.messages)) == 2, "two runs are told")
            reports(host)
            host.until(lambda: not list((host.state / "reports").iterdir()), "what was sent is not kept")
        for message, changed in zip(once(reader.messages), [{"greeting", "watched", "hidden"}, {"greeting"}]):
            said = message.body["report"]
            data = ((tmp_path / "reports" / said["key"]).read_bytes() if where == "folder"
                    else s3.request("GET", f"/reports/hosts/{said['key']}")[1])
            assert hashlib.sha256(data).hexdigest() == said["sha256"] and len(data) == said["size"]
            report = json.loads(data)
            assert report["run"] == message.body["run"] and report["cut"] is False
            assert {line["title"] for line in report["lines"] if line["k"] == "settled" and line["status"] == "changed"} == changed
            assert b"a-deep-secret" not in data


def test_a_store_that_refuses_reports_is_said_once_and_stops_nothing(make, door):
    host = make(run_reports="s3://reports/hosts", aws={"log_group": "/holdfast/dev"})  # the door serves no S3
    with host:
        host.installed("one")
        host.wait(lambda s: s["aws"]["reports"].get("trouble") and s["state"] == "ok")
        (host.target / "greeting").write_text("by hand\n")
        host.until(lambda: (host.target / "greeting").read_text() == "hello\n", "it is put right all the same")
        host.until(lambda: len(list((host.state / "reports").iterdir())) == 2, "both wait")
        host.until(lambda: alarms(door) == ["aws-refused"], "one alarm")
