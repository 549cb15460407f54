#!/usr/bin/env python3
"""Apply, plan and destroy of N resources: holdfast beside a boto3 script that makes the same calls in sequence, beside
ansible-playbook with amazon.aws for 20, and beside Terraform's core alone where it is installed.

usage: provision.py [-n 20,200,1000] [--build DIR]        1,000 takes some minutes: the endpoint is slow

One VPC and N - 1 security groups (beside ansible subnets), against one moto server that is emptied before every run. CPU time and peak memory are
of the tool's own processes; the wall time is mostly the endpoint's. The boto3 script's plan reads each resource by its id,
as a script without batches does; ansible's is --check. "written" is what holdfast wrote to its state, all writes summed up.
Terraform keeps N terraform_data resources, which are its own and ask nobody.
"""
import argparse
import http.client
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / name) for name in (".", "differential")]
from bundle import bundle  # noqa: E402 - found by the line before

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/system"))
import ports  # noqa: E402

SCRIPT = '''
import boto3, json, sys
verb, n, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
ec2 = boto3.client("ec2", region_name="us-east-1")
def tags(kind, name):
    return [{"ResourceType": kind, "Tags": [{"Key": "holdfast:environment", "Value": "bench"}, {"Key": "holdfast:resource", "Value": name}]}]
if verb == "apply":
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=tags("vpc", "vpc"))["Vpc"]["VpcId"]
    groups = []
    for i in range(n - 1):
        groups.append(ec2.create_security_group(GroupName=f"g{i}", Description="bench", VpcId=vpc, TagSpecifications=tags("security-group", f"g{i}"))["GroupId"])
        ec2.describe_security_groups(GroupIds=groups[-1:])
        json.dump([vpc, groups], open(path, "w"))
elif verb == "plan":
    vpc, groups = json.load(open(path))
    ec2.describe_vpcs(VpcIds=[vpc])
    for g in groups:
        ec2.describe_security_groups(GroupIds=[g])
else:
    vpc, groups = json.load(open(path))
    for g in groups:
        ec2.delete_security_group(GroupId=g)
    ec2.delete_vpc(VpcId=vpc)
'''


def environment(n, subnets=False):
    rows = ["environment: bench", "region: us-east-1", "resources:", "  vpc:", "    type: ec2.vpc",
            "    properties: {CidrBlock: 10.0.0.0/16}"]
    for i in range(n - 1):
        if subnets:
            rows += [f"  g{i}:", "    type: ec2.subnet", f"    properties: {{CidrBlock: 10.0.{i}.0/24, VpcId: '{{{{ vpc.id }}}}'}}"]
            continue
        rows += [f"  g{i}:", "    type: ec2.security_group",
                 f"    properties: {{GroupName: g{i}, Description: bench, VpcId: '{{{{ vpc.id }}}}'}}"]
    return "\n".join(rows) + "\n"


def measured(argv, env, folder=None):
    """(CPU seconds, wall seconds, peak MB, KB written to files) of one process and what it waits for."""
    said = tempfile.TemporaryFile()
    start = time.monotonic()
    pid = os.fork()
    if pid == 0:
        os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
        os.dup2(said.fileno(), 1)
        if folder:
            os.chdir(folder)
        os.execve(argv[0], argv, env)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    wall = time.monotonic() - start
    io = dict(line.split(": ") for line in pathlib.Path(f"/proc/{pid}/io").read_text().splitlines())
    _, status, usage = os.wait4(pid, 0)
    if status != 0:
        said.seek(0)
        sys.exit(f"{said.read().decode()[-2000:]}{' '.join(argv)}: exit status {os.waitstatus_to_exitcode(status)}")
    return usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024, (int(io["wchar"]) - said.seek(0, os.SEEK_END)) / 1024


PLAYBOOK = """
- hosts: localhost
  gather_facts: false
  module_defaults:
    group/aws: {region: us-east-1, endpoint_url: "%(url)s", access_key: AKIDBENCH, secret_key: not-a-secret-at-all}
  tasks:
%(tasks)s"""
VPC_TASK = """    - amazon.aws.ec2_vpc_net: {name: bench, cidr_block: 10.0.0.0/16, state: %s}
      register: vpc
"""
SUBNET_TASK = """    - amazon.aws.ec2_vpc_subnet: {cidr: 10.0.%(i)d.0/24, vpc_id: '{{ vpc.vpc.id }}', state: %(state)s}
"""


def playbook(n, url, state):
    """The VPC is asked for first in any case: the subnets need its id."""
    subnets = [SUBNET_TASK % {"i": i, "state": state} for i in range(n - 1)]
    return PLAYBOOK % {"url": url, "tasks": "".join([VPC_TASK % "present", *subnets, *([VPC_TASK % "absent"] if state == "absent" else [])])}


TERRAFORM = """
resource "terraform_data" "r" {
  count = %d
  input = "value ${count.index}"
}
"""


def warmed(port):
    """Its first call loads what it knows of EC2, which is nobody's time."""
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    c.request("POST", "/", b"Action=DescribeVpcs&Version=2016-11-15", {"Content-Type": "application/x-www-form-urlencoded", "Authorization":
              "AWS4-HMAC-SHA256 Credential=AKIDBENCH/20260101/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=b"})
    c.getresponse().read()


def endpoint():
    port = ports.free()
    server = subprocess.Popen([str(pathlib.Path(sys.executable).parent / "moto_server"), "-H", "127.0.0.1", "-p", str(port)],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            warmed(port)
            return server, port
        except OSError:
            time.sleep(0.1)
    sys.exit("moto does not start")


def emptied(port):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    c.request("POST", "/moto-api/reset", b"")
    c.getresponse().read()


def row(n, verb, who, a, ours=None):
    written = f"{a[3]:10.0f}" if who == "holdfast" else f"{'':10}"
    ratio = "" if ours is None else f"{a[0] / max(ours[0], 0.001):8.1f} x {a[2] / ours[2]:6.1f} x {a[1] / ours[1]:6.1f} x"
    print(f"{n:5} {verb:8} {who:17} {a[0]:8.2f} {a[2]:8.0f} {a[1]:8.1f} {written} {ratio}", flush=True)


def peer_boto3(n, work, env, ours):
    for verb in ("apply", "plan", "destroy"):
        row(n, verb, "boto3", measured([sys.executable, str(work / "peer.py"), verb, str(n), str(work / "ids")], env), ours[verb])


def peer_ansible(n, args, work, env, port, url):
    """Of subnets: its module for security groups waits, in steps of three seconds, for a rule that moto does not make."""
    program = pathlib.Path(sys.executable).parent / "ansible-playbook"
    if not program.exists():
        print("ansible-playbook is not installed: left out")
        return
    found = bundle(["ansible==10.7.0", "boto3==1.43.11"], ("ansible_collections/amazon/aws/",))  # a folder of its own, by its packages
    emptied(port)
    ours = holdfast(n, args, work, env, subnets=True)
    emptied(port)
    env = {**env, "ANSIBLE_COLLECTIONS_PATH": str(found), "ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_DEPRECATION_WARNINGS": "false", "ANSIBLE_PYTHON_INTERPRETER": sys.executable}
    for verb, state, more in (("apply", "present", []), ("plan", "present", ["--check"]), ("destroy", "absent", [])):
        (work / "play.yaml").write_text(playbook(n, url, state))
        row(n, verb, "ansible-playbook", measured([str(program), "-i", "localhost,", "-c", "local", str(work / "play.yaml"), *more], env), ours[verb])


def peer_terraform(n, work, env, ours):
    program = shutil.which("terraform")
    if program is None:
        print("terraform is not installed: left out")
        return
    folder = work / "terraform"
    folder.mkdir(exist_ok=True)
    (folder / "main.tf").write_text(TERRAFORM % n)
    measured([program, "init", "-input=false"], env, folder)
    for verb, argv in (("apply", ["apply", "-auto-approve"]), ("plan", ["plan"]), ("destroy", ["destroy", "-auto-approve"])):
        row(n, verb, "terraform (core)", measured([program, *argv, "-input=false"], env, folder), ours[verb])


def holdfast(n, args, work, env, subnets=False):
    (work / "env.yaml").write_text(environment(n, subnets))
    ours = {}
    for verb, extra in (("apply", ["--yes"]), ("plan", []), ("destroy", ["--yes"])):
        ours[verb] = measured([f"{args.build}/holdfast", "env", verb, str(work / "env.yaml"), *extra], env)
        row(n, verb, "holdfast", ours[verb])
    return ours


def goals(n, plan, applies):
    first, last = min(applies), max(applies)
    each = {k: applies[k] / k for k in (first, last)}
    print(f"written a resource: {each[first]:.2f} KB of {first}, {each[last]:.2f} KB of {last}: "
          f"{'linear' if each[last] <= each[first] * 1.5 else 'NOT linear'}")
    print(f"plan of {n} unchanged: {plan[0]:.2f} s of CPU, {plan[2]:.0f} MB"
          + (f" (goals: 0.3 s, 50 MB: {'met' if plan[0] <= 0.3 and plan[2] <= 50 else 'NOT met'})" if n == 1000 else ""))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("-n", default="20,200,1000")
    p.add_argument("--build", default=str(ROOT / "build"))
    args = p.parse_args()
    server, port = endpoint()
    work = pathlib.Path(tempfile.mkdtemp(prefix="hf-bench-"))
    url = f"http://127.0.0.1:{port}"
    env = {"PATH": os.environ["PATH"], "HOME": str(work), "TMPDIR": str(work), "AWS_ENDPOINT_URL": url, "AWS_DEFAULT_REGION": "us-east-1",
           "AWS_ACCESS_KEY_ID": "AKIDBENCH", "AWS_SECRET_ACCESS_KEY": "not-a-secret-at-all", "AWS_EC2_METADATA_DISABLED": "true"}
    (work / "peer.py").write_text(SCRIPT)
    print(f"{'N':>5} {'':8} {'':17} {'CPU s':>8} {'peak MB':>8} {'wall s':>8} {'written KB':>10}   CPU, memory and wall as multiples of holdfast's")
    applies, ours = {}, {}
    try:
        for n in map(int, args.n.split(",")):
            emptied(port)
            ours = holdfast(n, args, work, env)
            applies[n] = ours["apply"][3]
            emptied(port)
            peer_boto3(n, work, env, ours)
            if n == 20:
                peer_ansible(n, args, work, env, port, url)
        peer_terraform(n, work, env, ours)
        goals(n, ours["plan"], applies)
    finally:
        server.terminate()
        server.wait(10)
        shutil.rmtree(work)


main()
