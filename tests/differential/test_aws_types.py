"""Every AWS type file against botocore's models: its operations exist, what it sends are their members under their names on
the wire, what is required is sent, and every path it reads leads somewhere in the answer."""
import functools
import re

import botocore.loaders
import botocore.model
import pytest
import yaml

from places import ROOT

RESOURCES = ROOT / "provisioner" / "resources"
SERVICES = yaml.safe_load((RESOURCES / "services.yaml").read_text())
MODELS = {"elasticloadbalancing": "elbv2", "elasticfilesystem": "efs", "tagging": "resourcegroupstaggingapi", "servicequotas": "service-quotas"}
XML = ("ec2", "query", "rest-xml")
LIST_ITEM = {"ec2": "item", "query": "member", "rest-xml": "member"}
OWN_ACTIONS = ("s3", "budgets")  # whose actions are not called as their operations
ALLOWED_BY = {"CreateDistributionWithTags": "cloudfront:CreateDistribution", "GetResources": "tag:GetResources"}
PASS_ON = ("ec2.fleet", "autoscaling.group", "sagemaker.domain", "iam.instance_profile")  # a role within a template, a dict or a call
TYPES = sorted(p for p in RESOURCES.glob("*/*.yaml"))


@functools.cache
def model(service):
    loader = botocore.loaders.Loader()
    return botocore.model.ServiceModel(loader.load_service_model(MODELS.get(service, service), "service-2"))


class Type:
    def __init__(self, path):
        self.doc = yaml.safe_load(path.read_text())
        self.service, self.faults, self.called = self.doc["service"], [], set()

    def fault(self, text):
        self.faults.append(text)

    def protocol(self, operation):
        return SERVICES[operation.get("service", self.service)]["protocol"]

    def operation(self, operation):
        """botocore's model of it: by name, or by method and path."""
        m = model(operation.get("service", self.service))
        if "operation" in operation:
            return m.operation_model(operation["operation"])
        path = re.sub(r"\$\{[^}]*\}", "*", operation["path"])
        marks = {k for k, v in (operation.get("query") or {}).items() if v == ""}
        for name in m.operation_names:
            found = m.operation_model(name)
            uri, _, query = found.http["requestUri"].partition("?")
            same = re.sub(r"\{[^}]*\}", "*", uri) == path and found.http["method"] == operation["method"]
            if same and {x for x in query.split("&") if x and "=" not in x} == marks:
                return found
        raise LookupError(f"{operation['method']} {path}")

    def wire_name(self, protocol, name, shape):
        if protocol == "ec2" and "queryName" in shape.serialization:
            return shape.serialization["queryName"]
        wire = shape.serialization.get("name", name)
        return wire[0].upper() + wire[1:] if protocol == "ec2" and "name" in shape.serialization else wire

    def sent(self, protocol, where, value, shape):
        if shape.type_name == "list":
            if isinstance(value, dict):  # {Item: [...]}: the element's own name
                assert list(value) == [shape.member.serialization.get("name", "member")], f"{where}: {value}"
                value = next(iter(value.values()))
            for x in value if isinstance(value, list) else ():
                self.sent(protocol, where, x, shape.member)
        elif shape.type_name == "structure" and isinstance(value, dict):
            members = {self.wire_name(protocol, n, s): s for n, s in shape.members.items()}
            for key, x in value.items():
                if key not in members:
                    self.fault(f"{where}: {key} is no member of {shape.name}")
                else:
                    self.sent(protocol, f"{where}.{key}", x, members[key])

    def call(self, where, operation):
        try:
            found = self.operation(operation)
        except (LookupError, botocore.model.OperationNotFoundError) as e:
            self.fault(f"{where}: no such operation: {e}")
            return None
        self.called.add((operation.get("service", self.service), found.name))
        protocol, shape = self.protocol(operation), found.input_shape
        body = operation.get("request" if "operation" in operation else "body")
        if body is not None and shape is not None:
            payload = shape.serialization.get("payload") if protocol == "rest-xml" else None
            inner = shape.members[payload] if payload else shape
            root = inner.serialization.get("name", inner.name)
            if protocol == "rest-xml" and operation.get("root") != root:
                self.fault(f"{where}: the root is {root}")
            self.sent(protocol, where, body, inner)
        if shape is not None and protocol in ("ec2", "query", "json"):
            for name in shape.required_members:
                if self.wire_name(protocol, name, shape.members[name]) not in (body or {}):
                    self.fault(f"{where}: lacks {name}")
        return found

    def answer(self, operation, found):
        """Shape and protocol in which an operation's paths begin."""
        protocol, shape = self.protocol(operation), found.output_shape
        if protocol == "rest-xml" and shape.serialization.get("payload"):
            shape = shape.members[shape.serialization["payload"]]
        return protocol, shape, f"{found.name}Result" if protocol == "query" else None

    def path(self, where, protocol, shape, path, wrapper=None):
        steps = path.partition("|")[0].replace("[]", "").split(".")
        for step in steps[1:] if steps[0] == wrapper else steps:
            if step.startswith("@"):
                return None
            if shape.type_name == "list":
                named = shape.member.serialization.get("name", LIST_ITEM.get(protocol))
                shape, item = shape.member, protocol in XML and not shape.serialization.get("flattened")
                if item and step == named:
                    continue
            if shape.type_name == "map":
                shape = shape.value
                continue
            members = {s.serialization.get("name", n): s for n, s in shape.members.items()} if shape.type_name == "structure" else {}
            if step not in members:
                self.fault(f"{where}: {path}: no {step} in {shape.name}")
                return None
            shape = members[step]
        return shape

    def reads(self, where, operation, paths):
        found = self.call(where, operation)
        if found is None or found.output_shape is None:
            return
        protocol, shape, wrapper = self.answer(operation, found)
        if operation.get("items"):
            shape, wrapper = self.path(where, protocol, shape, operation["items"], wrapper), None
            while shape is not None and shape.type_name == "list":
                shape = shape.member
        for path in paths if shape is not None else ():
            self.path(where, protocol, shape, path, wrapper)

    def explains(self, where, rows):
        for row in rows:
            said = re.findall(r"\$\{([^}]*)\}", row["say"])
            self.reads(where, row, said + ([row["where"]["path"]] if "where" in row else []))

    def check(self):
        doc, read = self.doc, self.doc["read"]
        if not doc.get("lookup"):
            self.reads("create", doc["create"], [doc["create"][key] for key in ("id", "made") if key in doc["create"]])
        for key in ("offers", "zones"):
            if key in doc:
                self.reads(key, doc[key], [])
        paths = [p for key in ("observe", "outputs", "match") for p in (read.get(key) or {}).values()]
        paths += [x["path"] for x in (doc.get("ready"), doc.get("vanish"), read.get("gone")) if x]
        paths += [x for x in (read.get("id"), read.get("newest"), (doc.get("ready") or {}).get("reason")) if x]
        self.reads("read", read, paths)
        for also in read.get("also", []):
            self.reads("read also", also, (also.get("observe") or {}).values())
        find = doc.get("find")
        if find:
            self.reads("find", find, [find["id"]] if "id" in find else [])
        for kind in ("update", "delete"):
            for operation in doc.get(kind) or []:
                self.reads(kind, operation, (operation.get("keep") or {}).values())
                self.explains(f"{kind} explain", operation.get("explain") or [])
        for key in ("list", "delete"):
            if "empty" in doc:
                self.reads(f"empty {key}", doc["empty"][key], doc["empty"]["rows"] if key == "list" else [])
        self.explains("explain", doc.get("explain") or [])
        properties = set(doc["properties"])
        named = set(read.get("observe") or {}) | {m for u in doc.get("update") or [] for m in u.get("members", [])}
        for name in sorted((named | set(doc.get("key") or [])) - properties):
            self.fault(f"{name} is no property")


    def allowed(self):
        """`env policy` allows what it calls, and to hand a role over where a property of it or what it is made of names one."""
        given = {a if ":" in a else f"{self.service}:{a}" for a in self.doc["actions"]}
        needed = {ALLOWED_BY.get(name, f"{service}:{name}") for service, name in self.called if service not in OWN_ACTIONS}
        if self.service != "iam" and any(re.search("[rR]ole|Profile|Permission", p) for p in self.doc["properties"]) or self.doc["type"] in PASS_ON:
            needed.add("iam:PassRole")
        for action in sorted(needed - given):
            self.fault(f"actions: {action} is not there")


@pytest.mark.parametrize("path", TYPES, ids=lambda p: f"{p.parent.name}.{p.stem}")
def test_type_speaks_as_the_service_does(path):
    checked = Type(path)
    checked.check()
    checked.allowed()
    assert checked.faults == []
    assert checked.doc["type"] == f"{path.parent.name}.{path.stem}"
