"""Releases signed by keys that stay in AWS KMS (moto here)."""
import json
import os
import pathlib
import socket
import subprocess
import sys
import time

import boto3
import pytest

import ports
from test_release import Team


@pytest.fixture(scope="module")
def kms():
    port = ports.free()
    server = pathlib.Path(sys.executable).parent / "moto_server"
    process = subprocess.Popen([server, "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 180
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.1)
    os.environ.update(AWS_ENDPOINT_URL_KMS=f"http://127.0.0.1:{port}", AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="b", AWS_REGION="us-east-1", AWS_DEFAULT_REGION="us-east-1")
    client = boto3.client("kms", endpoint_url=os.environ["AWS_ENDPOINT_URL_KMS"])
    yield client
    for name in ("AWS_ENDPOINT_URL_KMS", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION"):
        os.environ.pop(name)
    process.terminate()
    process.wait(120)


@pytest.mark.parametrize("how", ["id", "arn", "alias"])
def test_p256_key_signs_everything(holdfast, tmp_path, kms, how):
    key = kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")["KeyMetadata"]
    kms.create_alias(AliasName=f"alias/release-{how}", TargetKeyId=key["KeyId"])
    name = "awskms:" + {"id": key["KeyId"], "arn": key["Arn"], "alias": f"alias/release-{how}"}[how]
    team = Team(holdfast, tmp_path)
    env = {"HOLDFAST_KEY": name}
    team.env = lambda key="alice", **more: {**os.environ, "HOLDFAST_STORE": team.url, **env, **more}
    team.ok("release", "init", "-E", "dev")
    release = team.push("one")
    team.promote(release)
    assert team.ok("release", "list")["channels"][0]["release"] == release
    team.ok("release", "verify", "--deep")
    assert team.ok("release", "root")["root"]["keys"][0]["algorithm"] == "ecdsa-p256"


def test_kms_and_file_reach_a_threshold_together(holdfast, tmp_path, kms):
    key = "awskms:" + kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")["KeyMetadata"]["KeyId"]
    team = Team(holdfast, tmp_path)
    team.ok("release", "init", "--add", f"deploy:prod={key}", "--add", "deploy:prod=bob.pub", "--threshold", "deploy:prod=2")
    release = team.push()
    team.ok("release", "promote", release, "-E", "prod", "--out", "p.json", key="bob")
    team.ok("release", "sign", "p.json", "--key", key)
    assert team.ok("release", "publish", "p.json", key="bob")["release"] == release


def test_kms_says_no(holdfast, tmp_path, kms):
    team = Team(holdfast, tmp_path)
    done = team.run("release", "init", "-E", "dev", "--key", "awskms:00000000-0000-0000-0000-000000000000")
    assert done.returncode != 0 and "NotFoundException" in done.stderr
    rsa = kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="RSA_2048")["KeyMetadata"]["KeyId"]
    done = team.run("release", "init", "-E", "dev", "--key", f"awskms:{rsa}")
    assert done.returncode == 1 and "neither an Ed25519 nor a P-256 key" in json.loads(done.stdout)["error"]["message"]
