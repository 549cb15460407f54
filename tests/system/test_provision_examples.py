"""The example environments that are shipped, against moto: the whole life of each, and what its machines are started with."""
import base64
import json
import shutil

import pytest

from places import ROOT
from test_provision import Work, aws, moto  # noqa: F401 - fixtures

EXAMPLES = ROOT / "provisioner" / "examples"
BUNDLE = "ab" * 32
GPU_IMAGE = "/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-ubuntu-22.04/latest/ami-id"


class Example(Work):
    def __init__(self, folder, aws, name):
        self.folder, self.aws, self.url = folder, aws, aws.url
        self.file = folder / name
        shutil.copy(EXAMPLES / name, self.file)
        self.edit("0" * 64, BUNDLE)

    def drifted(self):
        found = json.loads(self.run("drift", "--json").stdout)["changes"]
        return [row["name"] for row in found if row["action"] != "none"]


def template_text(aws, name):
    versions = aws.client("ec2").describe_launch_template_versions(LaunchTemplateName=name, Versions=["$Latest"])
    return base64.b64decode(versions["LaunchTemplateVersions"][0]["LaunchTemplateData"]["UserData"]).decode()


def fleet_started(aws):
    return template_text(aws, "ml-dev-gpu")


def fleet_disturb(aws):
    vpc = [v["VpcId"] for v in aws.client("ec2").describe_vpcs()["Vpcs"] if not v["IsDefault"]][0]
    aws.client("ec2").modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": False})


def sagemaker_started(aws):
    config = aws.client("sagemaker").describe_notebook_instance_lifecycle_config(NotebookInstanceLifecycleConfigName="ml-test")
    notebook = base64.b64decode(config["OnStart"][0]["Content"]).decode()
    script = aws.client("s3").get_object(Bucket="sagemaker-ml-test", Key="lifecycle/on_create.sh")["Body"].read().decode()
    assert "test/pods" in script and "/var/log/provision" in script and script.startswith("#!/bin/bash")
    return notebook


def sagemaker_disturb(aws):
    aws.client("logs").put_retention_policy(logGroupName="/aws/sagemaker/Clusters/ml-test", retentionInDays=3)


def eks_started(aws):
    text = template_text(aws, "ml-prod-nodes")
    assert text.startswith("MIME-Version: 1.0") and "kind: NodeConfig" in text
    return text


def eks_disturb(aws):
    aws.client("cloudwatch").delete_alarms(AlarmNames=["ml-prod-nodes-failed"])


ROWS = [
    ("gpu-fleet.yaml", "dev/gpu", fleet_started, ("hosts: 2", "hosts: 3"), {"fleet": "update", "idle": "update"}, fleet_disturb, "vpc"),
    ("sagemaker.yaml", "test/notebooks", sagemaker_started, ("retentionInDays: 14", "retentionInDays: 30"), {"logs": "update"}, sagemaker_disturb, "logs"),
    ("eks.yaml", "prod/nodes", eks_started, ("most: 4", "most: 6"), {"nodes": "update"}, eks_disturb, "full"),
]


@pytest.mark.parametrize("name,joins,started,edit,changes,disturb,drifts", ROWS, ids=[row[0] for row in ROWS])
def test_example_lives(tmp_path, aws, name, joins, started, edit, changes, disturb, drifts):  # noqa: F811
    work = Example(tmp_path, aws, name)
    assert work.run("validate").returncode == 0
    if name == "gpu-fleet.yaml":  # moto has no images of AWS's under the name AWS has them
        aws.client("ssm").put_parameter(Name="/images/gpu", Type="String", Value="ami-12c6146b")
        work.edit(GPU_IMAGE, "/images/gpu")
    assert set(work.actions().values()) == {"create"}
    work.apply()
    assert work.actions() == {}
    text = started(aws)
    assert BUNDLE in text and joins in text
    work.edit(*edit)
    assert work.actions() == changes
    work.apply()
    assert work.actions() == {}
    disturb(aws)
    assert work.drifted() == [drifts]
    work.apply()
    assert work.actions() == {}
    work.destroy()
    assert not any(aws.inventory().values()), aws.inventory()
    assert work.run("state list").stdout == ""


@pytest.mark.parametrize("old,new,place,text", [
    ("bootstrap: gpu", "bootstrap: {fleet: gpu, kind: yum}", ":", "kind is user-data, eks, notebook or hyperpod"),
    ("bootstrap: gpu", "bootstrap: {fleet: gpu, colour: red}", ":", 'bootstrap has no "colour"'),
    ("InstanceType: \"{{ instance_type }}\"", "UserData: x", ":", "bootstrap makes UserData"),
    ("type: ec2.vpc\n", "type: ec2.vpc\n    bootstrap: gpu\n", ":", "ec2.vpc makes no hosts"),
    ("bootstrap:\n  store:", "variables_of_nobody:\n  store:", "", "variables_of_nobody"),
], ids=["kind", "key", "twice", "no hosts", "no part"])
def test_bootstrap_is_checked_offline(tmp_path, aws, old, new, place, text):  # noqa: F811
    work = Example(tmp_path, aws, "gpu-fleet.yaml")
    work.edit(old, new)
    done = work.run("validate")
    assert done.returncode != 0 and text in done.stderr and f"gpu-fleet.yaml{place}" in done.stderr


LOOKUPS = """
environment: look
region: us-east-1
variables: {name: /images/gpu, owner: "099720109477"}
data:
  who: {type: sts.account}
  places: {type: ec2.zones}
  wanted: {type: ssm.value, properties: {Name: "{{ name }}"}}
  image: {type: ec2.image, properties: {Owners: ["{{ owner }}"], Filters: {architecture: x86_64}}}
resources:
  seen:
    type: ssm.parameter
    properties: {Name: /seen, Type: String, Value: "{{ who.id }} {{ places.names | first }} {{ wanted.value }} {{ image.id }}"}
outputs:
  zones: "{{ places.names | length }}"
"""


def look_file(tmp_path, aws):
    work = Example(tmp_path, aws, "gpu-fleet.yaml")
    work.file.write_text(LOOKUPS)
    return work


def test_what_is_looked_up_is_used_and_followed(tmp_path, aws):  # noqa: F811
    """The newest image, the zones, the account, a published setting: known to the plan, and a change of them is a change."""
    work, ssm, ec2 = look_file(tmp_path, aws), aws.client("ssm"), aws.client("ec2")
    assert work.run("validate").returncode == 0
    done = work.run("plan")
    assert done.returncode != 0 and "wanted: ssm GetParameter" in done.stderr
    ssm.put_parameter(Name="/images/gpu", Type="String", Value="ami-1")
    work.apply()
    images = ec2.describe_images(Owners=["099720109477"], Filters=[{"Name": "architecture", "Values": ["x86_64"]}])["Images"]
    newest = max(i["CreationDate"] for i in images)
    account, zone, wanted, image = ssm.get_parameter(Name="/seen")["Parameter"]["Value"].split()
    assert (account, zone, wanted) == ("123456789012", "us-east-1a", "ami-1")
    assert image in [i["ImageId"] for i in images if i["CreationDate"] == newest]
    assert work.actions() == {}
    ssm.put_parameter(Name="/images/gpu", Type="String", Value="ami-2", Overwrite=True)
    assert work.actions() == {"seen": "update"}
    ssm.delete_parameter(Name="/images/gpu")
    work.destroy()  # what is looked up is not asked for when everything goes


@pytest.mark.parametrize("old,new,text", [
    ("type: ec2.zones", "type: ec2.vpc", '"ec2.vpc" is nothing that is looked up'),
    ("Name: \"{{ name }}\"", "Name: \"{{ seen.id }}\"", "wanted: it speaks of seen, which is not there before apply"),
    ("type: ssm.parameter", "type: ssm.value", "ssm.value is looked up, not made"),
    ("{type: ssm.value, properties: {Name: \"{{ name }}\"}}", "{type: ssm.value}", "ssm.value needs Name"),
    ("who: {type", "name: {type", "name is a variable as well"),
    ("who: {type", "seen: {type", "seen is a resource as well"),
], ids=["type", "resource", "made", "required", "variable", "name"])
def test_look_ups_are_checked_offline(tmp_path, aws, old, new, text):  # noqa: F811
    work = look_file(tmp_path, aws)
    work.edit(old, new)
    if new.startswith(("name:", "seen:")):
        work.edit("{{ who.id }} ", "")
    done = work.run("validate")
    assert done.returncode != 0 and text in done.stderr, done.stderr
