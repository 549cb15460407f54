"""Whose name requests are signed in: every source of the chain, against scripted STS, container and instance services."""
import datetime
import json
import os
import pathlib
import subprocess
import urllib.parse

import pytest

import ports
from places import BUILD
from faulty import Faulty, reply

LATER = "2099-01-01T00:00:00Z"
STS = (
    "<{0}Response><{0}Result><Credentials><AccessKeyId>ASIASTS</AccessKeyId><SecretAccessKey>sts</SecretAccessKey>"
    "<SessionToken>token/sts</SessionToken><Expiration>" + LATER + "</Expiration></Credentials></{0}Result></{0}Response>"
)


def door(what="credentials", timeout=600, **env):
    done = subprocess.run(
        [str(BUILD / "tests/system/net_door"), what], capture_output=True, text=True, timeout=timeout,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "AWS_EC2_METADATA_DISABLED": "true", **env},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def home(tmp_path):
    (tmp_path / ".aws").mkdir()

    def write(credentials="", config=""):
        (tmp_path / ".aws/credentials").write_text(credentials)
        (tmp_path / ".aws/config").write_text(config)
        return {"HOME": str(tmp_path)}

    return write


def sts(request, number):
    action = urllib.parse.parse_qs(request.body.decode())["Action"][0]
    return reply(200, STS.format(action).encode(), {"Content-Type": "text/xml"})


def test_environment():
    got = door(AWS_ACCESS_KEY_ID="A", AWS_SECRET_ACCESS_KEY="S", AWS_SESSION_TOKEN="T", AWS_DEFAULT_REGION="eu-north-1")
    assert (got["access"], got["secret"], got["token"], got["source"]) == ("A", "S", "T", "environment")
    assert got["region"] == "eu-north-1"


def test_half_an_environment():
    got = door(AWS_ACCESS_KEY_ID="A")
    assert got["error"] == "credentials: AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not"


def test_nothing_configured():
    got = door()
    assert got["code"] == "denied" and "no AWS credentials" in got["error"]
    assert "no AWS region" in got["region_error"]


def test_profiles(home):
    env = home(
        "[default]\naws_access_key_id=D\naws_secret_access_key = d\n[prod]\naws_access_key_id = P\naws_secret_access_key=p/+=\n",
        "[default]\nregion = eu-west-1\ns3 =\n  region = trap\n[profile prod]\nregion=eu-west-3\n[prod]\nregion=trap\n",
    )
    assert (door(**env)["access"], door(**env)["region"]) == ("D", "eu-west-1")
    prod = door(**env, AWS_PROFILE="prod")
    assert (prod["access"], prod["secret"], prod["region"], prod["source"]) == ("P", "p/+=", "eu-west-3", "profile prod")


def test_named_profile_must_exist(home):
    got = door(**home(), AWS_PROFILE="typo")
    assert got["error"] == 'credentials: AWS profile "typo" does not exist'


@pytest.mark.parametrize("setting", ["credential_process = /bin/x", "sso_start_url = https://x", "sso_session = s", "mfa_serial = m\nrole_arn=r"])
def test_refused_by_name(home, setting):
    got = door(**home(config=f"[default]\n{setting}\n"))
    assert got["code"] == "unsupported" and setting.split()[0] in got["error"]


def test_role_of_a_profile(home):
    env = home(
        "[base]\naws_access_key_id = BASE\naws_secret_access_key = b\n",
        "[profile deploy]\nrole_arn = arn:aws:iam::1:role/deploy\nsource_profile = base\nexternal_id = ext\n"
        "role_session_name = me\nduration_seconds = 900\nregion = eu-west-1\n",
    )
    with Faulty(sts) as s:
        got = door(**env, AWS_PROFILE="deploy", AWS_ENDPOINT_URL_STS=s.url)
    asked = urllib.parse.parse_qs(s.requests[0].body.decode())
    assert asked["RoleArn"] == ["arn:aws:iam::1:role/deploy"] and asked["ExternalId"] == ["ext"]
    assert asked["DurationSeconds"] == ["900"] and asked["RoleSessionName"] == ["me"]
    assert "Credential=BASE/" in s.requests[0].headers["Authorization"]
    assert "/eu-west-1/sts/" in s.requests[0].headers["Authorization"]
    assert (got["access"], got["token"]) == ("ASIASTS", "token/sts") and got["expires"] == 4070908800
    assert got["source"] == "profile deploy (role arn:aws:iam::1:role/deploy)"


def test_roles_that_chain_in_a_circle(home):
    env = home(config="[profile a]\nrole_arn=x\nsource_profile=b\n[profile b]\nrole_arn=y\nsource_profile=a\n")
    assert door(**env, AWS_PROFILE="a")["code"] == "limit"


def test_role_refused(home):
    env = home("[b]\naws_access_key_id=B\naws_secret_access_key=b\n", "[profile a]\nrole_arn=arn:x\nsource_profile=b\n")
    denied = b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you</Message></Error></ErrorResponse>"
    with Faulty(lambda r, n: reply(403, denied)) as s:
        got = door(**env, AWS_PROFILE="a", AWS_ENDPOINT_URL_STS=s.url)
    assert got["code"] == "denied" and "arn:x" in got["error"] and "403 AccessDenied: not you" in got["error"]


def test_web_identity(tmp_path):
    (tmp_path / "token").write_text("header.payload.signature\n")
    with Faulty(sts) as s:
        got = door(
            AWS_WEB_IDENTITY_TOKEN_FILE=str(tmp_path / "token"), AWS_ROLE_ARN="arn:aws:iam::1:role/pod",
            AWS_ENDPOINT_URL_STS=s.url,
        )
    asked = urllib.parse.parse_qs(s.requests[0].body.decode())
    assert asked["Action"] == ["AssumeRoleWithWebIdentity"] and asked["WebIdentityToken"] == ["header.payload.signature"]
    assert "Authorization" not in s.requests[0].headers
    assert got["access"] == "ASIASTS" and got["source"].startswith("web identity")


CONTAINER = json.dumps({"AccessKeyId": "ASIACON", "SecretAccessKey": "c", "Token": "t", "Expiration": LATER}).encode()


def test_container(tmp_path):
    (tmp_path / "token").write_text("Bearer xyz\n")
    with Faulty(lambda r, n: reply(200, CONTAINER)) as s:
        got = door(AWS_CONTAINER_CREDENTIALS_FULL_URI=s.url + "/creds", AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=str(tmp_path / "token"))
    assert got["access"] == "ASIACON" and s.requests[0].headers["Authorization"] == "Bearer xyz"


@pytest.mark.parametrize("url", ["http://example.com/x", "http://127.0.0.1.example.com/", "http://169.254.170.20/", "ftp://127.0.0.1/"])
def test_container_address_must_be_this_host(url):
    got = door(AWS_CONTAINER_CREDENTIALS_FULL_URI=url)
    assert got["code"] == "argument" and "neither https nor an address of this host" in got["error"]


class Instance:
    """IMDSv2: nothing without a token got by PUT."""

    def __init__(self, role="node", revoke_first=False):
        self.role = role
        self.tokens = 0
        self.revoke_first = revoke_first

    def __call__(self, request, number):
        if request.method == "PUT" and request.path == "/latest/api/token":
            assert request.headers["X-aws-ec2-metadata-token-ttl-seconds"] == "21600"
            self.tokens += 1
            return reply(200, f"token{self.tokens}".encode())
        if request.headers.get("X-aws-ec2-metadata-token") != f"token{self.tokens}" or (self.revoke_first and self.tokens == 1):
            return reply(401)
        answers = {
            "/latest/meta-data/iam/security-credentials/": self.role and self.role.encode(),
            f"/latest/meta-data/iam/security-credentials/{self.role}": json.dumps({
                "Code": "Success", "AccessKeyId": "ASIAROLE", "SecretAccessKey": "r", "Token": "t", "Expiration": LATER
            }).encode(),
            "/latest/meta-data/placement/region": b"ap-southeast-2",
            "/latest/dynamic/instance-identity/document": json.dumps({
                "instanceId": "i-0abc", "region": "ap-southeast-2", "availabilityZone": "ap-southeast-2b", "accountId": "1"
            }).encode(),
            "/latest/dynamic/instance-identity/pkcs7": b"MIAGCSqG",
            "/latest/meta-data/tags/instance": b"Name\nholdfast:fleet",
            "/latest/meta-data/tags/instance/Name": b"gpu one",
            "/latest/meta-data/tags/instance/holdfast%3Afleet": b"gpu",
        }
        body = answers.get(request.path)
        return reply(200, body) if body is not None else reply(404)


def imds(script):
    return Faulty(script), {"AWS_EC2_METADATA_DISABLED": "false"}


@pytest.mark.parametrize("revoked", [False, True])
def test_instance_role(revoked):
    server, env = imds(Instance(revoke_first=revoked))
    with server as s:
        got = door(**env, AWS_EC2_METADATA_SERVICE_ENDPOINT=s.url + "/")
    assert (got["access"], got["token"], got["source"]) == ("ASIAROLE", "t", "instance role node")
    assert got["region"] == "ap-southeast-2"


def test_instance_without_role():
    server, env = imds(Instance(role=None))
    with server as s:
        got = door(**env, AWS_EC2_METADATA_SERVICE_ENDPOINT=s.url)
    assert got["code"] == "denied" and "no instance role" in got["error"]


def test_identity_and_tags():
    server, env = imds(Instance())
    with server as s:
        got = door("imds", **env, AWS_EC2_METADATA_SERVICE_ENDPOINT=s.url)
    assert (got["instance_id"], got["zone"]) == ("i-0abc", "ap-southeast-2b")
    assert got["tags"] == {"Name": "gpu one", "holdfast:fleet": "gpu"}


def test_no_instance_metadata_says_so_soon():
    got = door("imds", timeout=60, AWS_EC2_METADATA_DISABLED="false", AWS_EC2_METADATA_SERVICE_ENDPOINT=f"http://127.0.0.1:{ports.free()}")
    assert got["code"] == "net" and "instance metadata" in got["error"]


def test_moto_answers_are_read():
    """The real shape of AssumeRole, as moto makes it from botocore's models."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        import tempfile
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "c").write_text(
                "[b]\naws_access_key_id=B\naws_secret_access_key=b\n[a]\nrole_arn=arn:aws:iam::123456789012:role/r\nsource_profile=b\n"
            )
            got = door(
                AWS_PROFILE="a", AWS_SHARED_CREDENTIALS_FILE=folder + "/c", AWS_CONFIG_FILE=folder + "/none",
                AWS_ENDPOINT_URL=f"http://{host}:{port}", AWS_REGION="us-east-1",
            )
    finally:
        server.stop()
    assert got["access"].startswith("ASIA") and got["token"]
    assert got["expires"] > datetime.datetime.now().timestamp()
