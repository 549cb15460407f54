"""Modules with inputs and outputs, and a for_each over what is looked up: made, found, changed, addressed and refused, against
the scripted AWS; and every way a file can be wrong, told with its place, without any AWS."""
import json
import pathlib
import shutil
import subprocess
import xml.etree.ElementTree

import pytest
import yaml

import fakeaws
from places import BUILD, ROOT
from test_provision_faults import Work, counts

HERE = pathlib.Path(__file__).parent
ZONES = ["us-east-1a", "us-east-1b", "us-east-1c"]
INSIDE = "module.hosts.green.module.net.subnet.a"


@pytest.fixture
def fake():
    f = fakeaws.Fake()
    yield f
    f.close()
    assert not f.errors, f.errors[0]


@pytest.fixture
def work(tmp_path, fake):
    shutil.copytree(HERE / "provision/modules", tmp_path / "modules")
    return Work(tmp_path, fake, "modular.yaml")


def actions(work, *args):
    return {c["name"]: c["action"] for c in json.loads(work.run("plan", "--json", *args))["changes"] if c["action"] != "none"}


def test_whole_life_of_modules(work, fake):
    """Every instance under its full name in plan, state and tags; outputs go out of modules, inputs in; a change of one input
    changes what hangs on it; nothing is left."""
    wanted = {"vpc": 3, "subnet": 4, "security_group": 3, "security_group_rule": 2, "instance": 4, "bucket": 1, "log_group": 3, "topic": 1}
    made = actions(work)
    assert set(made.values()) == {"create"} and INSIDE in made and [n for n in made if n.startswith("logs")] == [f"logs.{z}" for z in ZONES]
    work.run("apply", "--yes")
    assert counts(fake) == wanted and actions(work) == {}
    vpcs = {t.tags["holdfast:resource"]: t for t in fake.world.all("vpc")}
    assert set(vpcs) == {"module.net.vpc", "module.hosts.blue.module.net.vpc", "module.hosts.green.module.net.vpc"}
    assert {t.tags["Name"] for t in vpcs.values()} == {"modular-net", "modular-hosts"} and vpcs["module.net.vpc"]["CidrBlock"] == "10.19.0.0/16"
    rows = {r["name"]: r for r in json.loads(state(work, "list", "--json"))}
    assert rows["module.net.vpc"]["id"] == vpcs["module.net.vpc"].id and len(rows) == sum(wanted.values())
    assert json.loads(state(work, "show", "module.hosts.blue.host.0"))["depends"].count("module.hosts.blue.group") == 1
    outputs = json.loads(work.run("output"))
    green = [t.id for t in fake.world.all("instance") if t.tags["holdfast:resource"].startswith("module.hosts.green.")]
    assert outputs["vpc"] == vpcs["module.net.vpc"].id and sorted(outputs["green"]) == sorted(green) and outputs["logs"] == ZONES
    work.edit("blue: \"10.20\"", "blue: \"10.22\"")
    assert actions(work) == {n: "replace" for n in rows if n.startswith("module.hosts.blue.")} | {"rule.blue": "replace"}
    work.edit("blue: \"10.22\"", "blue: \"10.20\"")
    work.edit("hosts: 2", "hosts: 1")
    assert actions(work) == {"module.hosts.blue.host.1": "delete", "module.hosts.green.host.1": "delete"}
    work.run("destroy", "--yes")
    assert counts(fake) == {}


def state(work, verb, *args):
    return work.run(f"state {verb}", *args)


def test_targets_are_named_as_in_the_plan(work, fake):
    work.run("apply", "--yes", "--target", INSIDE)
    assert counts(fake) == {"vpc": 1, "subnet": 1}
    work.run("apply", "--yes", "--target", "module.hosts.green")
    assert counts(fake) == {"vpc": 1, "subnet": 1, "security_group": 1, "instance": 2, "bucket": 1}
    assert set(actions(work, "--destroy", "--target", "module.hosts.green.group")) == {f"module.hosts.green.{n}" for n in ("group", "host.0", "host.1")}
    assert 'there is no resource "module.hosts.red"' in work.run("plan", "--target", "module.hosts.red", code=None)


def test_drift_import_and_a_lost_state_know_modules(work, fake):
    work.run("apply", "--yes")
    fake.world.get("vpc", next(t.id for t in fake.world.all("vpc") if t.tags["holdfast:resource"] == "module.net.vpc")).tags["Name"] = "stolen"
    assert [c["name"] for c in json.loads(work.run("drift", "--json"))["changes"] if c["action"] != "none"] == ["module.net.vpc"]
    work.run("apply", "--yes")
    before = counts(fake)
    group = json.loads(state(work, "show", f"logs.{ZONES[0]}"))["id"]
    shutil.rmtree(work.folder / ".holdfast")
    assert "logs.us-east-1a is" in work.run("import", f"logs.{ZONES[0]}", group)
    told = json.loads(state(work, "rebuild", "--json"))
    assert told["missing"] == [] and told["unknown"] == [] and len(told["found"]) == sum(before.values()) - 1
    assert actions(work) == {} and counts(fake) == before


def test_what_is_protected_stays_although_its_names_are_looked_up(work, fake):
    """Destroying asks for no look-up; prevent_destroy of a for_each over one holds all the same."""
    work.run("apply", "--yes")
    work.edit("prevent_destroy: false", "prevent_destroy: true")
    asked = len(fake.calls("DescribeAvailabilityZones"))
    out = work.run("destroy", "--yes", code=None)
    assert "logs.us-east-1" in out and "has prevent_destroy" in out
    assert len(fake.calls("DescribeAvailabilityZones")) == asked and counts(fake)["log_group"] == 3


def test_a_saved_plan_is_refused_when_a_module_changed(work, fake):
    kept = work.folder / "plan.json"
    work.run("plan", "--out", str(kept))
    module = work.folder / "modules/cluster/module.yaml"
    module.write_text(module.read_text().replace("t3.micro", "t3.large"))
    assert "does not hold any more" in work.run("apply", "--plan", str(kept), code=6) and counts(fake) == {}


def test_a_for_each_over_nothing_is_nothing(work, fake):
    """In one environment there may be no host of a kind: what speaks of all of them, or needs them, says so of none."""
    work.edit("  cidrs: {blue", "  empty: []\n  cidrs: {blue")
    work.edit('for_each: "{{ places.names }}"', 'for_each: "{{ empty }}"')
    work.edit("depends_on: [module.hosts]", "depends_on: [logs, module.hosts]")
    work.edit('green: "{{ module.hosts.green.hosts }}"', "all: \"{{ module.hosts | list }}\"")
    nobody = ("--var", "cidrs={}")
    work.run("apply", "--yes", *nobody)
    assert json.loads(work.run("output", "--json", *nobody)) | {"vpc": 0} == {"vpc": 0, "all": [], "logs": []}
    assert counts(fake).get("log_group", 0) == 0 and counts(fake)["topic"] == 1
    assert actions(work, *nobody) == {}


def test_who_is_waited_for_may_be_looked_up(work, fake):
    """One of a for_each over a look-up can be named before it is known."""
    work.edit("depends_on: [module.hosts]", "depends_on: [logs.us-east-1b, module.hosts.green]")
    assert "no fault found" in work.run("validate")
    work.run("apply", "--yes")
    work.edit("logs.us-east-1b", "logs.us-east-9x")
    assert "after: depends_on names no resource" in work.run("plan", code=None)


NET, CLUSTER = "modules/network.yaml", "modules/cluster/module.yaml"
# (file, old, new, what stands in the message: places in the module's own file and of its call)
WRONG = [
    ("modular.yaml", "source: modules/network.yaml", "source: modules/netwerk.yaml", ["module.net, called at", "modular.yaml:13:3", "netwerk.yaml"]),
    ("modular.yaml", "inputs: {cidr: \"10.19\", ", "inputs: {", ["modular.yaml:13:3: module.net: ", "network.yaml needs input cidr"]),
    ("modular.yaml", "inputs: {cidr: \"10.19\"", "inputs: {cidr: \"10.19\", zone: 1", ["modular.yaml:15:29: module.net: ", 'has no input "zone"; did you mean "zones"?']),
    ("modular.yaml", "zones: {a: us-east-1a, b: us-east-1b}", "zones: [a]", ["modular.yaml:15:36: module.net: input zones must be of type dict, not list"]),
    ("modular.yaml", "{{ module.net.vpc }}\"}\n  rule", "{{ module.net.vcp }}\"}\n  rule", ["modular.yaml:26:", "group: module.net (", 'has no output "vcp"; did you mean "vpc"?']),
    ("modular.yaml", "{{ module.net.vpc }}\"}\n  rule", "{{ module.nett.vpc }}\"}\n  rule", ['group: there is no module "nett"']),
    ("modular.yaml", "module.hosts.green.hosts", "module.hosts.red.hosts", ['there is no "red" among the keys']),
    ("modular.yaml", "for_each: \"{{ cidrs }}\"\n    inputs", "for_each: \"{{ group.id }}\"\n    inputs", ["module.hosts: its for_each speaks of group, which is not known before apply"]),
    ("modular.yaml", "for_each: \"{{ places.names }}\"", "for_each: \"{{ module.net.subnets }}\"", ["logs: its for_each speaks of subnet, which is not known before apply"]),
    ("modular.yaml", "depends_on: [module.hosts]", "depends_on: [module.host]", ["after: depends_on names no resource"]),
    ("modular.yaml", "  releases:\n", "  module:\n    type: sns.topic\n    properties: {Name: x}\n  releases:\n", ["module is a word of the language as well"]),
    ("modular.yaml", "source: modules/network.yaml\n", "source: modules/network.yaml\n    with: 1\n", ["modular.yaml:15:5: module.net: Unsupported parameters: with"]),
    (NET, "CidrBlock: \"{{ cidr }}.0.0/16\", Tags", "CidrBlok: 1, Tags", ["network.yaml:9:18: module.net, called at", "modular.yaml:13:3: module.net.vpc: ec2.vpc has no property", 'did you mean "CidrBlock"']),
    (NET, "{{ subnet | dictsort | map('last') | map(attribute='id') | list }}", "{{ subnet.d.id }}", ["output subnets: ", 'there is no "d" among the keys of']),
    (NET, "vpc: \"{{ vpc.id }}\"", "vpc: \"{{ vpc.idd }}\"", ["network.yaml:15:8: ", 'ec2.vpc has no output "idd"; did you mean "id"?']),
    ("modular.yaml", "places.names", "places.nmaes", ['ec2.zones has no output "nmaes"; did you mean "names"?']),
    (NET, "type: ec2.vpc", "type: ec2.vcp", ["network.yaml:7:3: module.net, called at", 'there is no type "ec2.vcp"; did you mean "ec2.vpc"']),
    (NET, "{VpcId: \"{{ vpc.id }}\"", "{VpcId: \"{{ group.id }}\"", ["network.yaml:13:25: ", "module.net, called at", '"group" is neither an input nor a resource']),
    (NET, "vpc: \"{{ vpc.id }}\"", "vpc: \"{{ vcp.id }}\"", ["network.yaml:15:8: ", "output vpc: ", '"vcp" is neither an input nor a resource']),
    (NET, "name: {type: str,", "name: {type: text,", ['input name: "text" is no type']),
    (NET, "inputs:\n", "inputs:\n  vpc:\n", ["module.net: ", "needs input vpc"]),
    (NET, "outputs:\n", "output:\n", ["network.yaml", "output", "did you mean outputs"]),
    (NET, "default: \"{{ environment }}-net\"", "default: \"{{ name }}-net\"", ["module.net: input name: it needs itself"]),
    (CLUSTER, "source: ../network.yaml", "source: .", ["module.yaml:9:3: module.hosts.blue, called at", "is inside itself"]),
    (CLUSTER, "cidr: \"{{ cidr }}\", zones: \"{{ zones }}\"", "cidr: \"{{ group.id }}\", zones: {a: \"{{ module.net.zones }}\"}", ["subnet: for_each: ", "input zones: {{ module.net.zones }} is not defined"]),
    (CLUSTER, "name: \"{{ environment }}-hosts\"", "name: \"{{ group.id }}\"", ["need each other"]),
    (CLUSTER, "{Owners: [self]}", "{Owners: [\"{{ group.id }}\"]}", ["module.hosts.blue.image: it speaks of module.hosts.blue.group, which is not there before apply"]),
    (CLUSTER, "default: 1", "default: [1]", ["module.yaml:5:31: module.hosts.blue, called at", "input count: its default must be of type int, not list"]),
]


WRONG += [
    ("modular.yaml", "for_each: \"{{ places.names }}\"", "for_each: [a, b, a]", ["modular.yaml:33:15: logs: for_each has \"a\" twice"]),
    ("modular.yaml", "for_each: \"{{ cidrs }}\"\n    inputs", "for_each: [a, a]\n    inputs", ["module.hosts: for_each has \"a\" twice"]),
    ("modular.yaml", "properties: {Name: after}", "properties: {Name: null}", ["after: sns.topic needs Name"]),
    ("modular.yaml", "depends_on: [module.hosts]", "depends_on: [log]", ["after: depends_on names no resource"]),
]


@pytest.mark.parametrize("name,old,new,texts", WRONG, ids=[f"{w[0].split('/')[-1]}-{w[3][-1][:40]}" for w in WRONG])
def test_what_is_wrong_is_told_with_its_place(work, name, old, new, texts):
    file = work.folder / name
    text = file.read_text()
    assert text.count(old) == 1, "the row changes nothing, or more than one place"
    file.write_text(text.replace(old, new))
    out = work.run("validate", code=None)
    assert "no fault found" not in out and all(t in out for t in texts), out


def test_the_graph_is_drawn(work):
    """Every resource is a box inside the picture, boxes do not overlap, and every need of the dot text is an arrow."""
    work.edit("GroupName: shared", "GroupName: shared&<b>")
    root = xml.etree.ElementTree.fromstring(work.run("graph", "--svg"))
    dot = work.run("graph")
    ns = "{http://www.w3.org/2000/svg}"
    boxes = [tuple(int(r.get(k)) for k in ("x", "y", "width", "height")) for r in root.findall(f"{ns}rect") if r.get("x")]
    texts = [t.text for t in root.findall(f"{ns}text")]
    assert len(boxes) == dot.count("label=") and INSIDE in texts and "logs.*" in texts
    assert len(root.findall(f"{ns}g/{ns}path")) == dot.count(" -> ")
    wide, high = int(root.get("width")), int(root.get("height"))
    assert all(x + w <= wide and y + h <= high for x, y, w, h in boxes)
    assert not any(a != b and a[0] < b[0] + b[2] and b[0] < a[0] + a[2] and a[1] < b[1] + b[3] and b[1] < a[1] + a[3] for a in boxes for b in boxes)


def test_the_reference_has_every_type_and_property(work):
    """What is installed as docs/environment-types.md: one section a type file, one row a property, its outputs and actions."""
    page = subprocess.run([str(BUILD / "holdfast"), "env", "types", "--reference"], text=True, capture_output=True, check=True).stdout
    sections = {s.partition("\n")[0]: s for s in page.split("\n## ")[1:]}
    files = {f"{p.parent.name}.{p.stem}": yaml.safe_load(p.read_text()) for p in (ROOT / "provisioner/resources").glob("*/*.yaml")}
    assert set(sections) == set(files)
    for name, doc in files.items():
        named = list(doc["properties"]) + list(doc["read"].get("outputs") or {}) + doc["actions"]
        assert [n for n in named if f"`{n}`" not in sections[name]] == [], name
    assert (BUILD / "docs/environment-types.md").read_text() == page
