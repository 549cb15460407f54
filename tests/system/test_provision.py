"""Environments from a file against moto: the whole life, drift, locks, refusals, and kill -9 at chosen calls."""
import http.client
import http.server
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import boto3
import pytest

import ports
from places import BUILD

HERE = pathlib.Path(__file__).parent
LONG = os.environ.get("HF_LONG") == "1"
COUNT = 18


class Aws:
    """moto as a process of its own, and a way to look into it that is not ours."""

    def __init__(self):
        self.clients = {}
        self.port = ports.free()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            [str(pathlib.Path(sys.executable).parent / "moto_server"), "-H", "127.0.0.1", "-p", str(self.port)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "MOTO_ECS_SERVICE_RUNNING": "2"},
        )
        deadline = time.monotonic() + 180
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert self.process.poll() is None and time.monotonic() < deadline, "moto does not start"
                time.sleep(0.1)

    def stop(self):
        self.process.kill()  # it keeps nothing that could be lost, and its threads may be busy
        self.process.wait()

    def reset(self):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        c.request("POST", "/moto-api/reset", b"", {"Content-Type": "text/plain"})
        assert c.getresponse().status == 200

    def client(self, service):
        if service not in self.clients:
            self.clients[service] = boto3.client(
                service, endpoint_url=self.url, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
            )
        return self.clients[service]

    def inventory(self):
        """Names or ids of everything of the kinds we make, default things left out."""
        ec2, iam, s3 = self.client("ec2"), self.client("iam"), self.client("s3")
        groups = [g for g in ec2.describe_security_groups()["SecurityGroups"] if g["GroupName"] != "default"]
        tables = [
            t for t in ec2.describe_route_tables()["RouteTables"] if not any(a.get("Main") for a in t["Associations"])
        ]
        return {
            "vpc": [v["VpcId"] for v in ec2.describe_vpcs()["Vpcs"] if not v["IsDefault"]],
            "subnet": [s["SubnetId"] for s in ec2.describe_subnets()["Subnets"] if not s["DefaultForAz"]],
            "gateway": [g["InternetGatewayId"] for g in ec2.describe_internet_gateways()["InternetGateways"]],
            "table": [t["RouteTableId"] for t in tables],
            "route": [r["GatewayId"] for t in tables for r in t["Routes"] if r.get("GatewayId") != "local"],
            "association": [a["SubnetId"] for t in tables for a in t["Associations"] if a.get("SubnetId")],
            "group": [g["GroupId"] for g in groups],
            "rule": [p["FromPort"] for g in groups for p in g["IpPermissions"]],
            "key": [k["KeyName"] for k in ec2.describe_key_pairs()["KeyPairs"]],
            "template": [t["LaunchTemplateName"] for t in ec2.describe_launch_templates()["LaunchTemplates"]],
            "instance": [
                i["InstanceId"] for r in ec2.describe_instances()["Reservations"] for i in r["Instances"]
                if i["State"]["Name"] not in ("terminated", "shutting-down")
            ],
            "role": [r["RoleName"] for r in iam.list_roles()["Roles"]],
            "profile": [p["InstanceProfileName"] for p in iam.list_instance_profiles()["InstanceProfiles"]],
            "bucket": [b["Name"] for b in s3.list_buckets()["Buckets"]],
        }


WANTED = {
    "vpc": 1, "subnet": 2, "gateway": 1, "table": 1, "route": 1, "association": 2, "group": 1, "rule": 2, "key": 1,
    "template": 1, "instance": 1, "role": 1, "profile": 1, "bucket": 1,
}


@pytest.fixture(scope="module")
def moto():
    a = Aws()
    yield a
    a.stop()


@pytest.fixture
def aws(moto):
    moto.reset()
    return moto


class Work:
    """A folder with an environment file, and holdfast in it."""

    def __init__(self, folder, aws, url=None, example="dev.yaml"):
        self.folder, self.aws, self.url = folder, aws, url or aws.url
        self.file = folder / example
        shutil.copy(HERE / "provision" / example, self.file)

    def start(self, verb, *args):
        return subprocess.Popen(
            [str(BUILD / "holdfast"), "env", *verb.split(), str(self.file), *args], text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={
                "PATH": os.environ["PATH"], "AWS_ENDPOINT_URL": self.url, "AWS_ACCESS_KEY_ID": "a",
                "AWS_SECRET_ACCESS_KEY": "b", "AWS_EC2_METADATA_DISABLED": "true", "HOME": str(self.folder),
            },
        )

    def run(self, verb, *args):
        p = self.start(verb, *args)
        try:
            out, err = p.communicate(timeout=900)
        finally:
            p.kill()
        return subprocess.CompletedProcess(p.args, p.returncode, out, err)

    def plan(self):
        done = self.run("plan", "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def apply(self):
        done = self.run("apply", "--yes")
        assert done.returncode == 0, done.stdout + done.stderr

    def destroy(self):
        done = self.run("destroy", "--yes")
        assert done.returncode == 0, done.stdout + done.stderr

    def edit(self, old, new):
        text = self.file.read_text()
        assert old in text
        self.file.write_text(text.replace(old, new))

    def actions(self):
        return {c["name"]: c["action"] for c in self.plan()["changes"] if c["action"] != "none"}


@pytest.fixture
def work(tmp_path, aws):
    return Work(tmp_path, aws)


def check_whole(work):
    assert {kind: len(found) for kind, found in work.aws.inventory().items()} == WANTED
    assert work.actions() == {}


def check_nothing(work):
    assert not any(work.aws.inventory().values()), work.aws.inventory()
    left = [p.name for p in (work.folder / ".holdfast/dev/resources").glob("*") if not p.name.startswith(".")]
    assert left == []


def test_whole_life(work):
    assert len(work.actions()) == COUNT and not any(work.aws.inventory().values())
    work.apply()
    check_whole(work)
    outputs = json.loads(work.run("output").stdout)
    assert outputs["vpc"] == work.aws.inventory()["vpc"][0]
    assert work.run("output", "host").stdout.count(".") == 3
    assert work.run("plan", "--detailed-exitcode").returncode == 0
    work.edit("EnableDnsHostnames: true", "EnableDnsHostnames: false")
    work.edit("FromPort: 22, ToPort: 22", "FromPort: 2222, ToPort: 2222")
    work.edit("echo hello", "echo changed")
    assert work.run("plan", "--detailed-exitcode").returncode == 2
    assert work.actions() == {"vpc": "update", "ssh": "replace", "template": "update"}
    before = work.aws.inventory()
    work.apply()
    check_whole(work)
    after = work.aws.inventory()
    assert after["vpc"] == before["vpc"] and sorted(after["rule"]) == [1, 2222]
    work.destroy()
    check_nothing(work)


def test_every_other_type(tmp_path, aws):
    """Made, found unchanged, changed in place where that is possible, and gone: what the first example has not."""
    work = Work(tmp_path, aws, example="wide.yaml")
    work.apply()
    assert work.actions() == {}
    assert work.aws.client("eks").describe_cluster(name="wide")["cluster"]["tags"]["team"] == "ml"
    assert work.aws.client("ec2").describe_nat_gateways()["NatGateways"][0]["State"] == "available"
    for old, new in (("days: 7", "days: 30"), ("size: 10", "size: 20"), ("most: 3", "most: 4")):
        work.edit(old, new)
    assert work.actions() == {"logs": "update", "scratch": "update", "nodes": "update"}
    work.apply()
    assert work.actions() == {}
    assert work.aws.client("logs").describe_log_groups()["logGroups"][0]["retentionInDays"] == 30
    assert work.aws.client("eks").describe_nodegroup(clusterName="wide", nodegroupName="gpu")["nodegroup"]["scalingConfig"]["maxSize"] == 4
    work.destroy()
    assert not any(work.aws.inventory().values())
    assert work.aws.client("eks").list_clusters()["clusters"] == []
    assert work.aws.client("ec2").describe_addresses()["Addresses"] == []


def left_over(aws):
    """What is there of the kinds of more.yaml that inventory() does not look at."""
    c = aws.client
    return {
        "fleets": c("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"],
        "volumes": c("ec2").describe_volumes()["Volumes"],
        "file systems": c("efs").describe_file_systems()["FileSystems"],
        "balancers": c("elbv2").describe_load_balancers()["LoadBalancers"],
        "targets": c("elbv2").describe_target_groups()["TargetGroups"],
        "topics": c("sns").list_topics()["Topics"],
        "alarms": c("cloudwatch").describe_alarms()["MetricAlarms"],
        "boards": c("cloudwatch").list_dashboards()["DashboardEntries"],
        "images": c("ecr").describe_repositories()["repositories"],
        "tables": c("dynamodb").list_tables()["TableNames"],
        "secrets": c("secretsmanager").list_secrets()["SecretList"],
        "containers": [x for x in c("ecs").describe_clusters(clusters=["batch"])["clusters"] if x["status"] != "INACTIVE"],
        "endpoints": c("sagemaker").list_endpoints()["Endpoints"],
        "models": c("sagemaker").list_models()["Models"],
        "databases": c("rds").describe_db_subnet_groups()["DBSubnetGroups"],
    }


def test_fleets_balancers_storage_and_endpoints(tmp_path, aws):
    """The third example: made, unchanged, changed in place, and nothing left of it."""
    work = Work(tmp_path, aws, example="more.yaml")
    work.apply()
    assert work.actions() == {}
    made = left_over(aws)
    assert all(made.values()), [kind for kind, found in made.items() if not found]
    tags = aws.client("elbv2").describe_tags(ResourceArns=[made["balancers"][0]["LoadBalancerArn"]])["TagDescriptions"][0]["Tags"]
    assert {"Key": "holdfast:environment", "Value": "more"} in tags and {"Key": "team", "Value": "ml"} in tags
    work.edit("most: 3, minutes: 5, health: /healthz", "most: 4, minutes: 6, health: /ready")
    assert work.actions() == {"fleet": "update", "hot": "update", "targets": "update"}
    work.apply()
    assert work.actions() == {}
    assert aws.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"][0]["MaxSize"] == 4
    assert aws.client("cloudwatch").describe_alarms()["MetricAlarms"][0]["EvaluationPeriods"] == 6
    work.destroy()
    assert not any(left_over(aws).values()), left_over(aws)
    assert aws.inventory()["vpc"] == []


def rest_left(aws):
    """What is there of the kinds of rest.yaml that nothing else looks at; a KMS key goes days later."""
    c = aws.client
    keys = [c("kms").describe_key(KeyId=k["KeyId"])["KeyMetadata"] for k in c("kms").list_keys()["Keys"]]
    return {
        "flow logs": c("ec2").describe_flow_logs()["FlowLogs"],
        "keys": [k for k in keys if k["Description"] in ("first", "second") and k["KeyState"] == "Enabled"],
        "identities": c("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"],
        "databases": c("rds").describe_db_instances()["DBInstances"],
        "zones": [z for z in c("route53").list_hosted_zones()["HostedZones"] if z["Name"] == "rest.example.com."],
        "namespaces": c("servicediscovery").list_namespaces()["Namespaces"],
        "documents": c("ssm").list_documents(Filters=[{"Key": "Owner", "Values": ["Self"]}])["DocumentIdentifiers"],
        "budgets": c("budgets").describe_budgets(AccountId="123456789012").get("Budgets", []),
        "pipelines": c("codepipeline").list_pipelines()["pipelines"],
        "distributions": c("cloudfront").list_distributions()["DistributionList"].get("Items", []),
        "domains": c("sagemaker").list_domains()["Domains"],
        "clusters": c("sagemaker").list_clusters()["ClusterSummaries"],
        "containers": [x for x in c("ecs").describe_clusters(clusters=["rest"])["clusters"] if x["status"] != "INACTIVE"],
    }


def test_databases_names_keys_and_clusters(tmp_path, aws):
    """The fourth example: made, unchanged, changed in place, and nothing left of it."""
    work = Work(tmp_path, aws, example="rest.yaml")
    work.apply()
    assert work.actions() == {}
    made = rest_left(aws)
    assert all(made.values()), [kind for kind, found in made.items() if not found]
    zone = made["zones"][0]["Id"]
    assert {"TagKey": "team", "TagValue": "ml"} in aws.client("kms").list_resource_tags(KeyId=made["keys"][0]["KeyId"])["Tags"]
    work.edit("count: 1, ttl: 60, text: first", "count: 2, ttl: 90, text: second")
    assert work.actions() == {
        kind: "update" for kind in ("key", "database", "zone", "record", "steps", "content", "service")
    }
    work.apply()
    assert work.actions() == {}
    records = aws.client("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    assert [r["TTL"] for r in records if r["Type"] == "A"] == [90]
    content = aws.client("cloudfront").get_distribution(Id=made["distributions"][0]["Id"])["Distribution"]
    assert content["DistributionConfig"]["Comment"] == "second"
    work.destroy()
    assert not any(rest_left(aws).values()), rest_left(aws)


def test_replacement_takes_what_hangs_on_it(work):
    work.apply()
    old = work.aws.inventory()
    work.edit('"10.20"', '"10.21"')
    done = work.actions()
    assert done["vpc"] == done["subnet.a"] == done["hosts"] == "replace"
    assert "role" not in done and "releases" not in done
    work.apply()
    check_whole(work)
    assert work.aws.inventory()["vpc"] != old["vpc"]
    work.destroy()
    check_nothing(work)


def test_removed_from_the_file(work):
    work.apply()
    text = work.file.read_text()
    start, end = text.index("  host:\n"), text.index("outputs:")
    work.file.write_text(text[:start] + text[end:].replace('  host: "{{ host.private_ip }}"\n', ""))
    assert work.actions() == {"host": "delete"}
    work.apply()
    assert work.aws.inventory()["instance"] == []


def test_drift_is_found_and_repaired(work):
    work.apply()
    ec2 = work.aws.client("ec2")
    vpc = work.aws.inventory()["vpc"][0]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": False})
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "Name", "Value": "stolen"}, {"Key": "extra", "Value": "1"}])
    group = work.aws.inventory()["group"][0]
    ec2.revoke_security_group_ingress(
        GroupId=group, IpPermissions=[{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}]
    )
    ec2.terminate_instances(InstanceIds=work.aws.inventory()["instance"])
    assert work.actions() == {"vpc": "update", "ssh": "create", "host": "create"}
    work.apply()
    check_whole(work)
    tags = {t["Key"]: t["Value"] for t in ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Tags"] if ":" not in t["Key"]}
    assert tags == {"Name": "dev", "team": "ml"}


def test_what_is_not_ours_is_not_touched(work):
    iam = work.aws.client("iam")
    iam.create_role(RoleName="dev-host", AssumeRolePolicyDocument="{}")
    done = work.run("apply", "--yes")
    assert done.returncode != 0
    assert "dev-host exists already and is not of environment dev" in done.stderr + done.stdout
    assert work.run("destroy", "--yes").returncode == 0
    assert [r["RoleName"] for r in iam.list_roles()["Roles"]] == ["dev-host"]
    assert work.aws.inventory()["vpc"] == []


def test_prevent_destroy(work):
    work.edit("  releases:\n    type: s3.bucket\n", "  releases:\n    type: s3.bucket\n    prevent_destroy: true\n")
    work.apply()
    done = work.run("destroy", "--yes")
    assert done.returncode != 0 and "releases has prevent_destroy" in done.stderr
    check_whole(work)


def test_other_accounts_are_refused(work):
    work.edit("environment: dev\n", "environment: dev\naccounts: ['999999999999']\n")
    done = work.run("plan")
    assert done.returncode != 0 and "account 123456789012, which is not in its accounts" in done.stderr


@pytest.mark.parametrize("old,new,place,text", [
    ("type: ec2.vpc", "type: ec2.vcp", ":10:3:", 'there is no type "ec2.vcp"; did you mean "ec2.vpc"'),
    ("CidrBlock: \"{{ cidr }}.0.0/16\"", "Cidr: 1", ":13:7:", 'ec2.vpc has no property "Cidr"'),
    ("EnableDnsHostnames: true", "EnableDnsHostnames: sometimes", ":14:27:", "EnableDnsHostnames must be of type bool, not str"),
    ("{VpcId: \"{{ vpc.id }}\"}", "{VpcId: \"{{ vpx.id }}\"}", ":18:25:", '"vpx" is neither a variable nor a resource'),
    ("    type: ec2.vpc\n", "    type: ec2.vpc\n    force_destroy: true\n", ":10:3:", "force_destroy empties what must be empty to go; ec2.vpc holds nothing of that kind"),
    ("Versioning: Enabled", "Versioning: Perhaps", ":", 'Versioning cannot be "Perhaps"'),
    ("CidrIp: 10.0.0.0/8}", "CidrIp: \"{{ among.id }}\"}", "", None),
    ("region: us-east-1\n", "region: us-east-1\nregoin: x\n", "", "regoin"),
    ("Description: GPU hosts, ", "", ":", "ec2.security_group needs Description"),
    ("\"{{ hosts.id }}\", IpProtocol: tcp, FromPort: 1", "\"{{ among.id }}\", IpProtocol: tcp, FromPort: 1", ":", "need each other"),
])
def test_validate(work, old, new, place, text):
    work.edit(old, new)
    done = work.run("validate")
    assert place in done.stderr
    if text is None:
        assert done.returncode == 0
    else:
        assert done.returncode != 0 and text in done.stderr


def test_lease_of_the_living_is_respected_and_of_the_dead_taken(work):
    work.apply()
    lease = work.folder / ".holdfast/dev/lease.json"
    doc = json.loads(lease.read_text())
    stat = pathlib.Path("/proc/self/stat").read_text()
    doc.update(pid=os.getpid(), start=stat[stat.rindex(")") + 2:].split()[19], expires=int(time.time()) + 600, what="apply")
    lease.write_text(json.dumps(doc))
    done = work.run("apply", "--yes")
    assert done.returncode != 0 and f"apply by process {os.getpid()}" in done.stderr
    assert work.run("plan").returncode == 0
    doc.update(start="1")
    lease.write_text(json.dumps(doc))
    work.apply()
    assert json.loads(lease.read_text())["fence"] == doc["fence"] + 1


def test_state_in_s3(tmp_path, aws):
    work = Work(tmp_path, aws)
    aws.client("s3").create_bucket(Bucket="state")
    work.edit("environment: dev\n", "environment: dev\nstate: s3://state/holdfast/dev\n")
    work.apply()
    keys = [o["Key"] for o in aws.client("s3").list_objects_v2(Bucket="state")["Contents"]]
    assert "holdfast/dev/resources/vpc.json" in keys and "holdfast/dev/lease.json" in keys and len(keys) == COUNT + 1
    assert work.actions() == {}
    assert not (tmp_path / ".holdfast").exists()


# --- drift, saved plans, targets, taking over ------------------------------------------------------------------------


def changes(done):
    assert done.returncode in (0, 2), done.stderr
    return {c["name"]: c for c in json.loads(done.stdout)["changes"] if c["action"] != "none"}


def test_drift_is_what_changed_behind_our_back_not_what_the_file_wants(work):
    work.apply()
    work.edit("FromPort: 22, ToPort: 22", "FromPort: 2222, ToPort: 2222")
    assert work.run("drift", "--detailed-exitcode").returncode == 0
    ec2 = work.aws.client("ec2")
    vpc = work.aws.inventory()["vpc"][0]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": False})
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "Name", "Value": "stolen"}])
    ec2.terminate_instances(InstanceIds=work.aws.inventory()["instance"])
    found = changes(work.run("drift", "--json", "--detailed-exitcode"))
    assert set(found) == {"vpc", "host"}
    rows = {d["property"]: (d["before"], d["after"]) for d in found["vpc"]["differences"]}
    assert rows["Tags"] == ({"Name": "dev", "team": "ml"}, {"Name": "stolen", "team": "ml"})
    assert [str(x).lower() for x in rows["EnableDnsHostnames"]] == ["true", "false"]
    assert found["host"]["differences"] == [{"reason": "it is gone, deleted by somebody else"}]
    assert "vpc" in work.run("drift").stdout


def test_saved_plan_is_carried_out_as_it_was_shown(work):
    kept = work.folder / "plan.json"
    assert work.run("plan", "--out", str(kept), "--var", "cidr='10.30'", "--target", "subnet.a").returncode == 0
    assert work.run("apply", "--plan", str(kept), "--target", "vpc").returncode == 5
    done = work.run("apply", "--plan", str(kept))
    assert done.returncode == 0, done.stderr
    assert {kind: len(found) for kind, found in work.aws.inventory().items() if found} == {"vpc": 1, "subnet": 1}
    assert work.aws.client("ec2").describe_vpcs(VpcIds=work.aws.inventory()["vpc"])["Vpcs"][0]["CidrBlock"] == "10.30.0.0/16"


@pytest.mark.parametrize("move", ["world", "file", "state"])
def test_saved_plan_is_refused_when_something_moved(work, move):
    work.apply()
    work.edit("FromPort: 22, ToPort: 22", "FromPort: 2222, ToPort: 2222")
    kept = work.folder / "plan.json"
    assert work.run("plan", "--out", str(kept)).returncode == 0
    if move == "world":
        work.aws.client("ec2").modify_vpc_attribute(VpcId=work.aws.inventory()["vpc"][0], EnableDnsHostnames={"Value": False})
    elif move == "file":
        work.edit("echo hello", "echo changed")
    else:
        work.apply()
    done = work.run("apply", "--plan", str(kept))
    assert done.returncode == 6 and "does not hold any more" in done.stderr, done.stderr
    assert sorted(work.aws.inventory()["rule"]) == ([1, 2222] if move == "state" else [1, 22])


def test_target_brings_what_it_needs_and_nothing_else(work):
    done = work.run("apply", "--yes", "--target", "subnet.a")
    assert done.returncode == 0, done.stderr
    made = {kind: len(found) for kind, found in work.aws.inventory().items() if found}
    assert made == {"vpc": 1, "subnet": 1}
    work.apply()
    check_whole(work)
    done = work.run("destroy", "--yes", "--target", "host")
    assert done.returncode == 0 and work.aws.inventory()["instance"] == [] and len(work.aws.inventory()["subnet"]) == 2
    gone = work.run("plan", "--destroy", "--json", "--target", "subnet")
    assert {"subnet.a", "subnet.b", "association.a", "association.b"} == set(changes(gone))
    done = work.run("plan", "--target", "subnets")
    assert done.returncode != 0 and 'there is no resource "subnets"' in done.stderr


def test_import_takes_over_what_exists(work):
    ec2, s3 = work.aws.client("ec2"), work.aws.client("s3")
    vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
    s3.create_bucket(Bucket="hf-dev-releases")
    done = work.run("import", "subnet.a", "subnet-1")
    assert done.returncode != 0 and "take that one over first" in done.stderr
    assert work.run("import", "vpc", vpc).returncode == 0
    assert work.run("import", "releases", "hf-dev-releases").returncode == 0
    assert work.run("import", "vpc", vpc).returncode != 0
    assert work.actions()["vpc"] == "update"
    work.apply()
    check_whole(work)
    assert work.aws.inventory()["vpc"] == [vpc]
    work.destroy()
    check_nothing(work)


def test_import_refuses_what_is_not_there_and_what_is_anothers(work, tmp_path_factory):
    done = work.run("import", "vpc", "vpc-12345678")
    assert done.returncode == 8 and 'there is no ec2.vpc "vpc-12345678"' in done.stderr
    work.apply()
    other = Work(tmp_path_factory.mktemp("other"), work.aws)
    other.edit("environment: dev\n", "environment: other\n")
    done = other.run("import", "vpc", work.aws.inventory()["vpc"][0])
    assert done.returncode != 0 and "of environment dev already" in done.stderr
    assert json.loads(other.run("state list", "--json").stdout) == []


def test_state_is_listed_and_shown(work):
    work.apply()
    rows = {r["name"]: r for r in json.loads(work.run("state list", "--json").stdout)}
    assert len(rows) == COUNT and rows["vpc"]["id"] == work.aws.inventory()["vpc"][0] and rows["vpc"]["status"] == "ready"
    assert json.loads(work.run("state show", "subnet.a").stdout)["depends"] == ["vpc"]
    assert work.run("state show", "nothing").returncode == 8


def test_lost_state_is_rebuilt_from_the_tags(work):
    """Nothing is made again, nothing is lost, and a stranger of the same environment is named."""
    work.apply()
    before = work.aws.inventory()
    shutil.rmtree(work.folder / ".holdfast")
    stray = work.aws.client("ec2").create_vpc(CidrBlock="10.99.0.0/16")["Vpc"]["VpcId"]
    work.aws.client("ec2").create_tags(Resources=[stray], Tags=[
        {"Key": "holdfast:environment", "Value": "dev"}, {"Key": "holdfast:resource", "Value": "old"}, {"Key": "holdfast:intent", "Value": "hf-1"}])
    done = work.run("state rebuild", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["missing"] == []
    assert len(told["found"]) == COUNT
    assert told["unknown"] and told["unknown"][0]["name"] == "old"
    assert work.actions() == {}
    work.aws.client("ec2").delete_vpc(VpcId=stray)
    work.apply()
    assert work.aws.inventory() == before
    work.destroy()
    check_nothing(work)



BUCKET = """environment: dev
region: us-east-1
resources:
  data:
    type: s3.bucket
    properties: {Bucket: hf-data, Versioning: Enabled}
"""


def bucket_with_objects(tmp_path, aws):
    """Versions, a delete marker, names that XML and URLs must quote, and more than one page of them."""
    work, s3 = Work(tmp_path, aws), aws.client("s3")
    work.file.write_text(BUCKET)
    work.apply()
    for name in ["plain", "plain", "plain", "with space & <more>", "ü+100%/x", "gone"]:
        s3.put_object(Bucket="hf-data", Key=name, Body=b"x")
    s3.delete_object(Bucket="hf-data", Key="gone")
    return work, s3


def versions(s3):
    found = s3.list_object_versions(Bucket="hf-data")
    return len(found.get("Versions", [])), len(found.get("DeleteMarkers", []))


def test_a_bucket_with_objects_stays_unless_the_file_says_force_destroy(tmp_path, aws):
    work, s3 = bucket_with_objects(tmp_path, aws)
    done = work.run("destroy", "--yes")
    assert done.returncode != 0 and "it holds objects: give it force_destroy: true and apply that first" in done.stderr
    assert versions(s3) == (6, 1) and work.actions() == {}
    work.edit("    properties: {Bucket", "    force_destroy: true\n    properties: {Bucket")
    assert work.actions() == {"data": "update"}
    work.apply()
    assert work.actions() == {} and versions(s3) == (6, 1)
    work.edit("  data:", "  other: {type: sns.topic, properties: {Name: other}}\n  data:")
    text = work.file.read_text()
    work.file.write_text(text[:text.index("  data:")])  # the state still knows what it may do
    assert work.actions() == {"data": "delete", "other": "create"}
    work.apply()
    assert s3.list_buckets()["Buckets"] == []


# --- kill -9 ---------------------------------------------------------------------------------------------------------


class Killer:
    """A proxy in front of moto that kills the client at call number `at` (of those that hold the bytes `what`): before
    the call is sent on, or after it was carried out but before the answer is given."""

    def __init__(self, aws):
        self.aws, self.count, self.at, self.before, self.victim, self.what = aws, 0, None, True, None, None
        self.lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def pass_on(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                what = outer.what or b""
                with outer.lock:
                    outer.count += what in b" ".join([self.command.encode(), self.path.encode(), body])
                    mine = outer.count == outer.at
                if mine and outer.before:
                    outer.kill()
                    self.close_connection = True
                    return
                c = http.client.HTTPConnection("127.0.0.1", outer.aws.port, timeout=300)
                headers = {k: v for k, v in self.headers.items() if k.lower() not in ("connection", "content-length")}
                c.request(self.command, self.path, body, headers)
                r = c.getresponse()
                data = r.read()
                if mine:
                    outer.kill()
                    self.close_connection = True
                    return
                try:  # the client may be dead by now
                    self.send_response(r.status)
                    for k, v in r.getheaders():
                        if k.lower() not in ("connection", "content-length", "transfer-encoding", "server", "date"):
                            self.send_header(k, v)
                    self.send_header("Content-Length", str(len(data)))
                    self.end_headers()
                    if self.command != "HEAD":
                        self.wfile.write(data)
                except OSError:
                    self.close_connection = True

            do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = pass_on

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass  # a killed client resets its connections

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def kill(self):
        os.kill(self.victim.pid, signal.SIGKILL)
        self.victim.wait()

    def run(self, work, verb, at, before, what=None):
        """True when it was killed; False when it ended by itself before that call."""
        self.count, self.at, self.before, self.what = 0, at, before, what
        with self.lock:
            self.victim = work.start(verb, "--yes")
        out, err = self.victim.communicate(timeout=900)
        self.at = None
        if self.victim.returncode == -signal.SIGKILL:
            return True
        assert self.victim.returncode == 0, out + err
        return False


@pytest.fixture
def killer(aws):
    k = Killer(aws)
    yield k
    k.server.shutdown()
    k.server.server_close()


CREATES = [
    "Action=CreateVpc", "Action=CreateSubnet", "Action=RunInstances", "Action=AuthorizeSecurityGroupIngress",
    "Action=CreateInternetGateway", "Action=CreateRole", "Action=CreateSecurityGroup", "Action=CreateRouteTable",
    "Action=CreateRoute&", "Action=AssociateRouteTable", "Action=AttachInternetGateway", "Action=ImportKeyPair",
    "Action=CreateLaunchTemplate&", "Action=CreateInstanceProfile", "Action=AddRoleToInstanceProfile",
    "Action=PutRolePolicy", "PUT /hf-dev-releases",
]
DELETES = [
    "Action=TerminateInstances", "Action=DeleteVpc", "Action=DetachInternetGateway", "DELETE /hf-dev-releases",
    "Action=DeleteSecurityGroup", "Action=DeleteSubnet", "Action=DeleteRole&", "Action=DeleteKeyPair",
]


def kill_rows(operations, few):
    """Before and after under HF_LONG=1; else the first few, after they were carried out, and one before."""
    if LONG:
        return [(o, before) for o in operations for before in (True, False)]
    return [(o, False) for o in operations[:few]] + [(operations[0], True)]


@pytest.mark.parametrize("operation,before", kill_rows(CREATES, 5))
def test_killed_while_applying(tmp_path, aws, killer, operation, before):
    work = Work(tmp_path, aws, killer.url)
    assert killer.run(work, "apply", 1, before, operation.encode())
    work.apply()
    check_whole(work)


@pytest.mark.parametrize("operation,before", kill_rows(DELETES, 2))
def test_killed_while_destroying(tmp_path, aws, killer, operation, before):
    work = Work(tmp_path, aws, killer.url)
    work.apply()
    assert killer.run(work, "destroy", 1, before, operation.encode())
    work.destroy()
    check_nothing(work)


def test_killed_and_then_destroyed(tmp_path, aws, killer):
    """What was made but never recorded goes, too."""
    work = Work(tmp_path, aws, killer.url)
    assert killer.run(work, "apply", 1, False, b"Action=RunInstances")
    assert len(aws.inventory()["instance"]) == 1
    work.destroy()
    check_nothing(work)


def test_killed_again_and_again(tmp_path, aws, killer):
    """Killed every few calls until it is through: still one of each."""
    work = Work(tmp_path, aws, killer.url)
    rng = random.Random(9)
    for _ in range(60 if LONG else 4):
        if not killer.run(work, "apply", rng.randrange(20, 60), rng.random() < 0.3):
            break
    work.apply()
    check_whole(work)
