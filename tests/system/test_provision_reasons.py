"""Errors that people can act on: what AWS knows of a failure stands in it, and what a deletion waits for is named."""
import pytest

import fakeaws
from fakeaws.world import Thing
from test_provision_faults import Work, counts


@pytest.fixture
def fake():
    f = fakeaws.Fake()
    yield f
    f.close()
    assert not f.errors, f.errors[0]


@pytest.fixture
def work(tmp_path, fake):
    return Work(tmp_path, fake, "reasons.yaml")


def add(work, text):
    work.file.write_text(work.file.read_text() + text)


def read_until(process, text):
    """Lines of its output up to the one with text."""
    seen = []
    for line in process.stdout:
        seen.append(line)
        if text in line:
            return line
    raise AssertionError("".join(seen))


@pytest.mark.parametrize("described,told", [
    ({"Description": "AWS Lambda VPC ENI-train", "RequesterId": "AROA:train", "InterfaceType": "lambda", "OwnerId": "123456789012"},
     '"AWS Lambda VPC ENI-train" of type lambda, made by AROA:train, of account 123456789012 is still in it'),
    ({"Attachment": {"InstanceId": "i-stranger", "AttachmentId": "eni-attach-1", "DeviceIndex": 1, "Status": "attached"}},
     ", attached to i-stranger is still in it"),
], ids=["lambda", "instance"])
def test_a_stuck_network_interface_is_named_with_its_owner(work, fake, described, told):
    """While it waits, not after minutes; when the interface is gone, the deletion goes on."""
    work.run("apply", "--yes")
    subnet, vpc = fake.world.all("subnet")[0].id, fake.world.all("vpc")[0].id
    fake.world.put(Thing("network_interface", "eni-0123", {"NetworkInterfaceId": "eni-0123", "SubnetId": subnet, "VpcId": vpc, **described}))
    process = work.start("destroy", "--yes")
    line = read_until(process, "eni-0123")
    assert line.startswith("waits") and "delete subnet" in line and "network interface eni-0123" in line and told in line
    fake.world.drop(fake.world.get("network_interface", "eni-0123"))
    rest = process.communicate(timeout=900)[0]
    assert process.returncode == 0, rest
    assert counts(fake) == {}


def test_an_instance_that_dies_shows_its_reason_and_its_console(work, fake):
    add(work, """  host:
    type: ec2.instance
    properties: {ImageId: ami-1, InstanceType: t3.micro, SubnetId: "{{ subnet.id }}"}
""")

    def dies(call):
        for t in fake.world.all("instance"):
            t.become(["terminated"], 0)
            t["StateReason"] = {"Code": "Server.InternalError", "Message": "Server.InternalError: Internal error on launch"}
            t["console"] = "".join(f"line {i}\r\n" for i in range(40)) + "cloud-init: no root device\x1b[0m\r\n\r\n"
    fake.refusals.append(dies)
    out = work.run("apply", "--yes", code=None)
    assert 'it became "terminated": Server.InternalError: Internal error on launch; the last lines of its console:' in out, out
    assert "line 39" in out and "cloud-init: no root device" in out and "line 20" not in out and "\x1b" not in out


def test_health_issues_of_a_node_group_stand_in_the_error(work, fake):
    add(work, """  role:
    type: iam.role
    properties: {RoleName: nodes, AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: []}}
  cluster:
    type: eks.cluster
    properties: {name: c, roleArn: "{{ role.arn }}", subnetIds: ["{{ subnet.id }}"]}
  nodes:
    type: eks.nodegroup
    properties: {clusterName: "{{ cluster.id }}", nodegroupName: gpu, nodeRole: "{{ role.arn }}", subnets: ["{{ subnet.id }}"]}
""")

    def fails(call):
        for t in fake.world.all("nodegroup"):
            t.become(["CREATE_FAILED"], 0)
            t["health"] = {"issues": [{"code": "AsgInstanceLaunchFailures", "message": "You've reached your quota of P instances", "resourceIds": ["asg-1"]},
                                      {"code": "NodeCreationFailure", "message": "Instances failed to join the cluster"}]}
    fake.refusals.append(fails)
    out = work.run("apply", "--yes", code=None)
    assert 'it became "CREATE_FAILED"; AsgInstanceLaunchFailures of asg-1: You\'ve reached your quota of P instances' in out, out
    assert "NodeCreationFailure: Instances failed to join the cluster" in out


def test_a_group_waits_for_its_instances_and_tells_what_keeps_them(work, fake):
    add(work, """  template:
    type: ec2.launch_template
    properties: {LaunchTemplateName: t, ImageId: ami-1, InstanceType: p5.48xlarge}
  fleet:
    type: autoscaling.group
    properties: {AutoScalingGroupName: fleet, LaunchTemplateId: "{{ template.id }}", LaunchTemplateVersion: "1", MinSize: 2, MaxSize: 3, VPCZoneIdentifier: "{{ subnet.id }}"}
""")

    def refused(call):
        for t in fake.world.all("group"):
            t["activities"] = [{"ActivityId": "a", "AutoScalingGroupName": "fleet", "Cause": "c", "StartTime": "2026-01-01T00:00:00Z", "StatusCode": "Failed",
                                "Description": "Launching a new EC2 instance", "StatusMessage": "We currently do not have sufficient p5.48xlarge capacity"}]
    fake.refusals.append(refused)
    process = work.start("apply", "--yes")
    line = read_until(process, "sufficient")
    assert line.startswith("waits") and "create fleet" in line and "Launching a new EC2 instance: We currently do not have sufficient p5.48xlarge capacity" in line
    instance = {"AvailabilityZone": "us-east-1a", "HealthStatus": "Healthy", "ProtectedFromScaleIn": False}
    fake.world.get("group", "fleet")["Instances"] = [{**instance, "InstanceId": f"i-{i}", "LifecycleState": "InService"} for i in range(2)]
    rest = process.communicate(timeout=900)[0]
    assert process.returncode == 0, rest


SERVICE = """  cluster:
    type: ecs.cluster
    properties: {clusterName: c}
  service:
    type: ecs.service
    properties: {cluster: "{{ cluster.id }}", serviceName: web, taskDefinition: "{{ task }}", desiredCount: 2}
"""


def test_a_service_waits_for_its_tasks_and_tells_what_keeps_them(work, fake):
    """And after a change until the tasks of before are gone."""
    add(work, SERVICE)
    work.edit("region: us-east-1\n", "region: us-east-1\nvariables: {task: first}\n")
    why = "(service web) was unable to place a task because no container instance met all of its requirements."

    def refused(call):
        for t in fake.world.all("ecs_service"):
            t["events"] = [{"id": "1", "createdAt": 1, "message": why}]
    fake.refusals.append(refused)
    process = work.start("apply", "--yes")
    line = read_until(process, "unable")
    assert line.startswith("waits") and "create service" in line and why in line
    fake.world.get("ecs_service", "web")["runningCount"] = 2
    assert process.communicate(timeout=120)[0] is not None and process.returncode == 0
    process = work.start("apply", "--yes", "--var", "task=second")
    line = read_until(process, "unable")
    assert line.startswith("waits") and "update service" in line
    fake.world.get("ecs_service", "web")["deployments"] = [{"status": "PRIMARY"}]
    assert process.communicate(timeout=120)[0] is not None and process.returncode == 0
    work.run("destroy", "--yes")
    assert counts(fake) == {}


@pytest.mark.parametrize("after,told", [
    ({"taskDefinition": "arn:aws:ecs:us-east-1:1:task-definition/web:1", "deployments": [{"status": "PRIMARY"}]},
     "its taskDefinition is arn:aws:ecs:us-east-1:1:task-definition/web:1 and not web:2: AWS went back to it"),
    ({"deployments": [{"status": "PRIMARY", "taskDefinition": "web:2", "rolloutState": "FAILED", "rolloutStateReason": "ECS deployment circuit breaker: tasks failed to start."},
                      {"status": "ACTIVE", "taskDefinition": "web:1", "rolloutState": "COMPLETED"}]},
     'it became "FAILED": ECS deployment circuit breaker: tasks failed to start.'),
], ids=["rolled back", "stopped"])
def test_a_service_whose_circuit_breaker_gave_up_fails_with_its_events(work, fake, after, told):
    """Its old tasks run well, and it is active: that alone is not what was asked for."""
    add(work, SERVICE)
    work.edit("region: us-east-1\n", "region: us-east-1\nvariables: {task: 'web:1'}\n")

    def made(call):
        for t in fake.world.all("ecs_service"):
            t["runningCount"] = 2
            t["events"] = [{"id": "1", "createdAt": 1, "message": "(service web) (task 7) failed container health checks."}]
    fake.refusals.append(made)
    work.run("apply", "--yes")
    fake.world.get("ecs_service", "web")["deployments"] = [{"status": "PRIMARY", "taskDefinition": "web:1", "rolloutState": "FAILED"}]
    process = work.start("apply", "--yes", "--var", "task=web:2")
    line = read_until(process, "health checks")
    assert line.startswith("waits") and "update service" in line
    fake.world.get("ecs_service", "web").update(after)
    said = process.communicate(timeout=120)[0]
    assert process.returncode != 0 and told in said and "failed container health checks" in said
    fake.world.get("ecs_service", "web").update(taskDefinition="web:2", deployments=[{"status": "PRIMARY", "taskDefinition": "web:2", "rolloutState": "COMPLETED"}])
    work.run("apply", "--yes", "--var", "task=web:2")
    work.run("destroy", "--yes")
    assert counts(fake) == {}


def test_the_latest_events_stand_in_the_error(work, fake):
    """Three of them, whatever the order of the answer."""
    add(work, """  cache:
    type: elasticache.replication_group
    properties: {ReplicationGroupId: c, ReplicationGroupDescription: c, Engine: valkey, CacheNodeType: cache.t4g.micro, NumCacheClusters: 1}
""")

    def fails(call):
        for t in fake.world.all("cache"):
            t.become(["create-failed"], 0)
            t["events"] = [(f"2026-01-01T00:0{i}:00Z", f"event {i}") for i in (0, 3, 1, 4, 2)]
    fake.refusals.append(fails)
    out = work.run("apply", "--yes", code=None)
    assert 'it became "create-failed"; 2026-01-01T00:04:00Z event 4; 2026-01-01T00:03:00Z event 3; 2026-01-01T00:02:00Z event 2' in out and "event 1" not in out, out


PRICED = """max_hourly_price: %s
prices: {t3.micro: 0.01, p5.48xlarge: 98.32%s}
"""
MACHINES = """  one:
    type: ec2.instance
    properties: {ImageId: ami-1, InstanceType: t3.micro, SubnetId: "{{ subnet.id }}"}
  template:
    type: ec2.launch_template
    properties: {LaunchTemplateName: t, ImageId: ami-1, InstanceType: p5.48xlarge}
  fleet:
    type: autoscaling.group
    properties: {AutoScalingGroupName: fleet, LaunchTemplateId: "{{ template.id }}", LaunchTemplateVersion: "1", MinSize: 0, MaxSize: 3, VPCZoneIdentifier: "{{ subnet.id }}"}
"""


@pytest.mark.parametrize("cap,more,machine,told", [
    ("200", "", "t3.micro", "an hour of reasons would cost up to 294.97, more than max_hourly_price 200.00 (one: 1 × t3.micro = 0.01; fleet: 3 × p5.48xlarge = 294.96)"),
    ("300", "", "m7i.large", "prices does not say what an hour of m7i.large costs"),
    ("much", "", "t3.micro", "max_hourly_price and prices are numbers"),
    ("300", "", "t3.micro", None),
    ("'{{ cap }}'", ", m7i.large: '{{ cap }}'", "m7i.large", "would cost up to 319.96, more than max_hourly_price 25.00"),
], ids=["dear", "unknown", "nonsense", "cheap", "templates"])
def test_a_price_cap_is_kept_before_anything_is_made(work, fake, cap, more, machine, told):
    add(work, MACHINES.replace("InstanceType: t3.micro", f"InstanceType: {machine}"))
    work.edit("region: us-east-1\n", "region: us-east-1\nvariables: {cap: 25}\n" + PRICED % (cap, more))
    out = work.run("plan", code=None)
    assert told is None and "5 to create" in out or told is not None and told in out, out
    if told is not None:
        assert told in work.run("apply", "--yes", code=None) and counts(fake) == {}


HOSTS = """  many:
    type: ec2.hosts
    properties: {Count: %s, InstanceTypes: [p5.48xlarge], SubnetIds: ["{{ subnet.id }}"], ImageId: ami-1}
"""


@pytest.mark.parametrize("count,told", [
    ("'{{ n }}'", "many: 4 × p5.48xlarge = 393.28"),
    ("'{{ subnet.id | length }}'", "many: there is a max_hourly_price, and its Count is not known before apply"),
    ("-4", "many: Count cannot be -4: 0 or more"),
    ("'{{ none }}'", "many: ec2.hosts needs Count"),
    ("'{{ n }}x'", "many: Count must be of type int, not str"),
], ids=["a text", "not known", "below nothing", "nothing", "no number"])
def test_a_number_of_machines_that_is_odd_does_not_get_round_the_cap(work, fake, count, told):
    add(work, HOSTS % count)
    work.edit("region: us-east-1\n", "region: us-east-1\nvariables: {n: '4'}\n" + PRICED % (100, ""))
    assert told in work.run("apply", "--yes", code=None) and counts(fake) == {}
