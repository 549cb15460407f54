"""amazon.aws.ec2_metadata_facts on a machine whose metadata service is this test: names and values as Ansible's module gives them."""
import json
import os
import subprocess

import pytest

from faulty import Faulty, reply
from places import BUILD

MAC = "02:29:96:8f:6a:2d"
DOCUMENT = json.dumps({"accountId": "123456789012", "region": "eu-central-1", "availabilityZone": "eu-central-1b", "instanceType": "p5.48xlarge",
                       "billingProducts": None, "pendingTime": "2026-01-02T03:04:05Z"})
ROLE = json.dumps({"Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": "ASIAROLE", "SecretAccessKey": "very/secret+key", "Token": "token-of-it"})
# What the service has; folders are made from the paths.
LEAVES = {
    "meta-data/ami-id": "ami-01234567",
    "meta-data/instance-id": "i-0123456789abcdef0",
    "meta-data/instance-type": "p5.48xlarge",
    "meta-data/security-groups": "web\nssh",
    "meta-data/block-device-mapping/root": "/dev/sda1",
    "meta-data/placement/availability-zone": "eu-central-1b",
    "meta-data/placement/region": "said-otherwise",
    "meta-data/iam/info": json.dumps({"Code": "Success", "InstanceProfileArn": "arn:aws:iam::123456789012:instance-profile/training"}),
    "meta-data/iam/security-credentials/training-role": ROLE,
    f"meta-data/network/interfaces/macs/{MAC}/vpc-ipv4-cidr-block": "10.0.0.0/16",
    f"meta-data/network/interfaces/macs/{MAC}/security-group-ids": "sg-1\nsg-2",
    "meta-data/public-keys/0/openssh-key": "ssh-ed25519 AAAA ops",
    "meta-data/tags/instance/Name": "gpu one",
    "meta-data/tags/instance/cost center": "42",
    "dynamic/instance-identity/document": DOCUMENT,
    "dynamic/instance-identity/pkcs7": "MIAG\nCSqG",
    "user-data": "#!/bin/sh\necho hello",
}
FACTS = [
    # name without ansible_ec2_, value
    ("ami_id", "ami-01234567"),
    ("instance_id", "i-0123456789abcdef0"),
    ("instance_type", "p5.48xlarge"),
    ("security_groups", "web,ssh"),
    ("block_device_mapping_root", "/dev/sda1"),
    ("placement_availability_zone", "eu-central-1b"),
    ("placement_region", "eu-central-1"),  # the signed document's
    ("iam_info_instanceprofilearn", "arn:aws:iam::123456789012:instance-profile/training"),
    ("iam_instance_profile_role", "training-role"),
    ("iam_security_credentials_training_role", ROLE),
    ("iam_security_credentials_training_role_accesskeyid", "ASIAROLE"),
    ("iam_security_credentials_training_role_secretaccesskey", "very/secret+key"),
    ("network_interfaces_macs_02_29_96_8f_6a_2d_vpc_ipv4_cidr_block", "10.0.0.0/16"),
    ("network_interfaces_macs_02_29_96_8f_6a_2d_security_group_ids", "sg-1,sg-2"),
    ("public_key", "ssh-ed25519 AAAA ops"),
    ("public_keys_0_openssh_key", None),  # not twice
    ("tags_instance_Name", "gpu one"),
    ("tags_instance_cost center", "42"),
    ("instance_tags_keys", ["Name", "cost center"]),
    ("instance_identity_document", DOCUMENT),
    ("instance_identity_document_region", "eu-central-1"),
    ("instance_identity_document_instancetype", "p5.48xlarge"),
    ("instance_identity_pkcs7", "MIAG\nCSqG"),
    ("user_data", "#!/bin/sh\necho hello"),
]


def listing(leaves, folder):
    """The names in a folder, folders with a slash, as the service lists them; None where there is none."""
    rest = [path[len(folder):] for path in leaves if path.startswith(folder)]
    return "\n".join(dict.fromkeys(r.split("/")[0] + ("/" if "/" in r else "") for r in rest)) or None


class Service:
    """IMDSv2 only: nothing without the session's token."""

    def __init__(self, leaves=None, token=200, busy=0):
        self.leaves, self.token, self.busy = dict(LEAVES if leaves is None else leaves), token, busy

    def __call__(self, request, number):
        path = request.path.removeprefix("/latest/")
        if number <= self.busy:
            return reply(503)
        if request.method == "PUT":
            assert path == "api/token" and int(request.headers["X-aws-ec2-metadata-token-ttl-seconds"]) > 0
            return reply(self.token, b"session-1")
        if request.headers.get("X-aws-ec2-metadata-token") != "session-1":
            return reply(401)
        path = path.replace("%20", " ")
        body = self.leaves.get(path.rstrip("/"))
        if body is None:
            body = listing(self.leaves, path.rstrip("/") + "/")
        return reply(404) if body is None else reply(200, body.encode())


def run(folder, service, tasks, verbose=False, play=None, **env):
    """(exit status, what was printed)."""
    site = folder / "site.json"
    site.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks, **(play or {})}]))
    with Faulty(service) as server:
        address = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": server.url, **env}
        done = subprocess.run([BUILD / "holdfast", "apply", site, *(["-vvv", "--output", "jsonl"] if verbose else [])], capture_output=True, text=True,
                              env={**os.environ, "AWS_EC2_METADATA_DISABLED": "false", **address}, timeout=300)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def gathered(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ec2")
    keep = {"copy": {"dest": str(folder / "facts"), "content": "{{ {'facts': r.ansible_facts, 'type': ansible_ec2_instance_type} | to_json }}"},
            "no_log": True}
    code, text = run(folder, Service(), [{"amazon.aws.ec2_metadata_facts": {}, "register": "r"}, keep], verbose=True)
    assert code == 0, text
    return json.loads((folder / "facts").read_text()), text


@pytest.mark.parametrize("name,value", FACTS, ids=[f[0] for f in FACTS])
def test_a_fact_has_ansibles_name_and_value(gathered, name, value):
    assert gathered[0]["facts"].get(f"ansible_ec2_{name}") == value


def test_tasks_see_it_without_ansible_facts(gathered):
    assert gathered[0]["type"] == "p5.48xlarge"


def test_the_roles_credentials_are_not_shown(gathered):
    assert "p5.48xlarge" in gathered[1]
    assert "very/secret+key" not in gathered[1] and "token-of-it" not in gathered[1]


def test_what_the_service_has_not_is_none_in_words(tmp_path):
    code, text = run(tmp_path, Service({"meta-data/instance-id": "i-1", "dynamic/fws/instance-monitoring": "disabled"}),
                     [{"ec2_metadata_facts": {}},
                      {"assert": {"that": ["ansible_ec2_user_data == 'None'", "ansible_ec2_public_key == 'None'", "ansible_ec2_instance_tags_keys == []",
                                           "ansible_ec2_fws_instance_monitoring == 'disabled'", "ansible_ec2_placement_region is undefined"]}}])
    assert code == 0, text


def test_defaults_of_the_group_aws_are_not_for_it(tmp_path):
    code, text = run(tmp_path, Service(), [{"amazon.aws.ec2_metadata_facts": {}}], play={"module_defaults": {"group/aws": {"region": "eu-central-1"}}})
    assert code == 0, text


def test_a_service_that_is_busy_is_asked_again(tmp_path):
    code, text = run(tmp_path, Service(busy=1), [{"ec2_metadata_facts": {}}], verbose=True)
    assert code == 0 and "Retrying query to metadata service" in text, text


@pytest.mark.parametrize("service,env,words", [
    (Service(token=403), {}, "Failed to retrieve metadata token from AWS: HTTP Error 403"),
    (Service(), {"AWS_EC2_METADATA_DISABLED": "true"}, "switched off"),
], ids=["refused", "switched off"])
def test_no_service_fails_the_task(tmp_path, service, env, words):
    code, text = run(tmp_path, service, [{"ec2_metadata_facts": {}}], **env)
    assert code == 2 and words in text, text
