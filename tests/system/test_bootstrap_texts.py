"""What machines are started with fits where it has to go and is what its readers expect; the pipelines that users copy parse, go
lint, test, push, dev, test, prod, and name commands and options that exist."""
import email
import re
import subprocess

import pytest
import yaml

from scene import BUILD, TREE

LONG = ["-E", "production-europe-central", "-f", "training-h200-reserved", "-s", "s3://acme-holdfast-releases-eu-central-1/holdfast/v1",
        "-r", "eu-central-1", "-b", "0" * 64, "--min-epoch", "12", "--min-seq", "345678", "--report", "broker.ml.acme.example:8883"]


def text(kind, *more):
    done = subprocess.run([BUILD / "holdfast", "bootstrap", kind, *LONG, *more], capture_output=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def parses(shell, script):
    done = subprocess.run([shell, "-n"], input=script, capture_output=True)
    assert done.returncode == 0 and done.stderr == b"", done.stderr


def test_user_data_fits_with_long_names():
    parses("sh", text("user-data"))
    assert len(text("user-data", "--gzip")) <= 2048


@pytest.mark.parametrize("kind, limit", [("notebook", 16384), ("hyperpod", 16384)])
def test_lifecycle_scripts_fit_and_hand_over(kind, limit, tmp_path):
    script = text(kind)
    parses("bash", script)
    assert len(script) <= limit and b"bash" in script.splitlines()[0]
    lines = script.decode().rstrip().splitlines()
    assert lines[-2].startswith("setsid nohup sh ") and lines[-2].endswith("&") and lines[-1] == "exit 0", "it returns at once"


# A machine with nothing around it: no network, a /run and a /var/log of its own; whatever is left running ends with it.
ALONE = """mount --make-rprivate / && mount -t tmpfs t /run && mount -t tmpfs t /var/log && { [ ! -e /dev/console ] || mount --bind /dev/null /dev/console; }
bash "$0" && echo returned $?
until grep -qs HF-B "$1"; do sleep 0.1; done
cat "$1" """


@pytest.mark.parametrize("kind, log", [("notebook", "/var/log/holdfast-bootstrap.log"), ("hyperpod", "/var/log/provision/provisioning.log")])
def test_lifecycle_scripts_return_while_the_work_goes_on(kind, log, tmp_path):
    """Such a service fails the machine when its script fails or takes minutes: it ends well, and what goes wrong is in the log."""
    (tmp_path / "script").write_bytes(text(kind))
    done = subprocess.run(["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "sh", "-c", ALONE, str(tmp_path / "script"), log],
                          cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert [p.name for p in tmp_path.iterdir()] == ["script"], "nothing is left where it was started"
    assert re.match(r"returned 0\n(.*\n)*holdfast: HF-B\d\d ", done.stdout), done


def test_an_eks_node_gets_a_script_and_its_configuration():
    parts = email.message_from_bytes(text("eks")).get_payload()
    kinds = [p.get_content_type() for p in parts]
    assert kinds == ["text/x-shellscript", "application/node.eks.aws"]
    parses("sh", parts[0].get_payload(decode=True))
    node = yaml.safe_load(parts[1].get_payload())
    assert (node["apiVersion"], node["kind"]) == ("node.eks.aws/v1alpha1", "NodeConfig")


# --- pipelines ------------------------------------------------------------------------------------------------------------
PIPELINES = TREE / "packaging/pipelines"


class Template(yaml.SafeLoader):
    """CloudFormation's short forms are tags."""


Template.add_multi_constructor("!", lambda loader, tag, node: {tag: node.value})


def load(name):
    return yaml.load((PIPELINES / name).read_text(), Template)


def commands():
    """Every `holdfast …` of every template: (file, words of the subcommand, options)."""
    rows = []
    for path in sorted(PIPELINES.iterdir()):
        for found in re.findall(r"holdfast ((?:lint|apply|release|env)[^\n;|&)]*)", path.read_text()):
            words = found.split()
            sub = words[:2] if words[0] in ("release", "env") else words[:1]
            rows.append((path.name, sub, [w for w in words if w.startswith("--")]))
    return rows


@pytest.mark.parametrize("row", commands(), ids=lambda r: f"{r[0]}-{'-'.join(r[1])}")
def test_commands_of_the_pipelines_exist(row):
    _, sub, options = row
    told = subprocess.run([BUILD / "holdfast", *sub, "--help"], capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    assert [o for o in options if not re.search(rf"{o}\b", told.stdout)] == []


def test_github_actions_go_from_lint_to_prod():
    jobs = load("github-actions.yml")["jobs"]
    order = {name: job.get("needs", []) for name, job in jobs.items()}
    assert order["push"] == "test" and order["dev"] == "push" and order["test-environment"] == ["push", "dev"]
    assert order["prod"] == ["push", "test-environment"] and jobs["prod"]["environment"] == "prod", "where reviewers are asked"
    steps = [s["run"] for s in jobs["test"]["steps"] if "run" in s]
    assert [s.split()[1] for s in steps if s.startswith("holdfast")] == ["lint", "apply"]
    by_hand = " ".join(s.get("run", "") for s in jobs["by-hand"]["steps"])
    assert "release rollback" in by_hand and "env destroy" in by_hand


def test_codepipeline_goes_from_test_to_prod_by_approval():
    stages = load("codepipeline.yml")["Resources"]["Pipeline"]["Properties"]["Stages"]
    assert [s["Name"] for s in stages] == ["Source", "Test", "Push", "Dev", "TestEnvironment", "Prod"]
    assert [a["ActionTypeId"]["Category"] for a in stages[-1]["Actions"]] == ["Approval", "Build"]
    build = "\n".join(load("buildspec.yml")["phases"]["build"]["commands"])
    parses("sh", build.encode())
    assert re.findall(r"^(\w+)\) ", build, re.M) == ["test", "push", "promote", "rollback", "destroy"]
    assert re.search(r"^test\) holdfast lint ", build, re.M)
