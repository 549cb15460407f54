#!/usr/bin/env python3
"""Apply, plan and destroy of N resources: holdfast beside a boto3 script that makes the same calls in sequence.

usage: provision.py [-n 20,200] [--build DIR]        -n 20,200,1000 takes some minutes: the endpoint is slow

One VPC and N - 1 security groups, against one moto server that is emptied before every run. CPU time and peak memory are
of the tool's own process; the wall time is mostly the endpoint's. The boto3 script's plan reads each resource by its id,
as a script without batches does.
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


def environment(n):
    rows = ["environment: bench", "region: us-east-1", "resources:", "  vpc:", "    type: ec2.vpc",
            "    properties: {CidrBlock: 10.0.0.0/16}"]
    for i in range(n - 1):
        rows += [f"  g{i}:", "    type: ec2.security_group",
                 f"    properties: {{GroupName: g{i}, Description: bench, VpcId: '{{{{ vpc.id }}}}'}}"]
    return "\n".join(rows) + "\n"


def measured(argv, env):
    """(CPU seconds, wall seconds, peak MB) of one process."""
    start = time.monotonic()
    pid = os.fork()
    if pid == 0:
        null = os.open("/dev/null", os.O_RDWR)
        for fd in (0, 1):
            os.dup2(null, fd)
        os.execve(argv[0], argv, env)
    _, status, usage = os.wait4(pid, 0)
    if status != 0:
        sys.exit(f"{' '.join(argv)}: exit status {os.waitstatus_to_exitcode(status)}")
    return usage.ru_utime + usage.ru_stime, time.monotonic() - start, usage.ru_maxrss / 1024


def endpoint():
    port = ports.free()
    server = subprocess.Popen([str(pathlib.Path(sys.executable).parent / "moto_server"), "-H", "127.0.0.1", "-p", str(port)],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return server, port
        except OSError:
            time.sleep(0.1)
    sys.exit("moto does not start")


def emptied(port):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    c.request("POST", "/moto-api/reset", b"")
    c.getresponse().read()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("-n", default="20,200")
    p.add_argument("--build", default=str(ROOT / "build"))
    args = p.parse_args()
    server, port = endpoint()
    work = pathlib.Path(tempfile.mkdtemp(prefix="hf-bench-"))
    env = {"PATH": os.environ["PATH"], "HOME": str(work), "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
           "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_EC2_METADATA_DISABLED": "true"}
    (work / "peer.py").write_text(SCRIPT)
    print(f"{'N':>5} {'':8} {'CPU s':>18} {'peak MB':>16} {'wall s':>18}   CPU ratio")
    try:
        for n in map(int, args.n.split(",")):
            (work / "env.yaml").write_text(environment(n))
            ours = {}
            emptied(port)
            for verb, extra in (("apply", ["--yes"]), ("plan", []), ("destroy", ["--yes"])):
                ours[verb] = measured([f"{args.build}/holdfast", "env", verb, str(work / "env.yaml"), *extra], env)
            emptied(port)
            for verb in ("apply", "plan", "destroy"):
                a, b = ours[verb], measured([sys.executable, str(work / "peer.py"), verb, str(n), str(work / "ids")], env)
                print(f"{n:5} {verb:8} {a[0]:8.2f} {b[0]:8.2f}  {a[2]:7.0f} {b[2]:7.0f}  {a[1]:8.1f} {b[1]:8.1f}   {b[0] / a[0]:5.1f} x")
    finally:
        server.terminate()
        server.wait(10)
        shutil.rmtree(work)
    print("columns: holdfast, then boto3")


main()
