"""Every request our AWS types make is the one botocore makes of the same input, and every answer is read as botocore reads it.

Inputs and answers are generated from botocore's own models, always the same ones. Our request is read back by a reader that
refuses what the model does not know, given to botocore's serializer, and compared with what that writes."""
import datetime
import functools
import json
import random
import subprocess
import urllib.parse
import xml.etree.ElementTree as ET

import botocore.parsers
import botocore.serialize
import pytest

from fakeaws import wire
from places import BUILD

ROUNDS = 12
SIGNED_NOT_SENT = {"authorization", "host"}


class Door:
    def __init__(self):
        self.process = subprocess.Popen([str(BUILD / "tests/differential/wire_door")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, **request):
        if self.process.poll() is not None:  # another test's request was refused
            self.__init__()
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def types_read():
    door = Door()
    found = {t["type"]: t for t in door.ask()}
    door.process.stdin.close()
    door.process.wait(300)
    return found


TYPES = types_read()


def service_of(spec, operation=None):
    """What requests are signed for; a find may ask another service."""
    signing = (operation or {}).get("service", spec["signing"])
    return wire.SERVICES.get(signing, signing)


def operations(spec):
    """[(steps, operation)] of everything the type calls."""
    rows = [([part], spec[part]) for part in ("create", "read") if part in spec]
    if "find" in spec:
        rows.append((["find"], spec["find"]))
    rows += [(["read", "also", i], o) for i, o in enumerate(spec["read"].get("also", []))]
    for part in ("update", "delete"):
        rows += [([part, i], o) for i, o in enumerate(spec.get(part) or [])]
    return rows


# --- inputs ---


class Maker:
    """Values of shapes, written with the names of the wire."""

    def __init__(self, seed, how):
        self.rng, self.how = random.Random(seed), how

    def text(self):
        return "".join(self.rng.choice("abcXYZ019-_./ +&=%:é<>\"") for _ in range(self.rng.randrange(1, 12)))

    def value(self, shape, depth=0):
        kind = shape.type_name
        if getattr(shape, "is_document_type", False):
            return {"a": 1}
        if kind == "structure":
            names = [m for m in shape.members if m in shape.required_members or self.rng.random() < (0.6 if depth < 2 else 0.2)]
            if depth > 4:
                names = [m for m in names if m in shape.required_members]
            out = {wire.name_on_wire(shape.members[m], m, self.how == "ec2"): self.value(shape.members[m], depth + 1) for m in names}
            return {k: v for k, v in out.items() if v not in ({}, [])}
        if kind == "list":
            one = self.value(shape.member, depth + 1)
            many = [one for _ in range(self.rng.randrange(1, 3))] if one not in ({}, []) and depth < 6 else []
            wrapped = self.how == "rest-xml" and depth > 0 and many and not shape.serialization.get("flattened")
            return {shape.member.serialization.get("name", "member"): many} if wrapped else many
        if kind == "map":
            return {f"k{i}": self.value(shape.value, depth + 1) for i in range(self.rng.randrange(1, 3))}
        if kind == "boolean":
            return self.rng.random() < 0.5
        if kind in ("integer", "long"):
            return self.rng.randrange(0, 100000)
        if kind in ("float", "double"):
            return self.rng.randrange(0, 100) + 0.5
        if kind == "blob":
            return "aGVsbG8="
        if kind == "timestamp":
            return 1700000000 if "json" in self.how else "2023-11-14T22:13:20Z"
        return self.rng.choice(shape.enum) if getattr(shape, "enum", None) else self.text()


TAGS = [{"Key": "team", "Value": "ml é&"}, {"Key": "holdfast:intent", "Value": "hf-0123"}]
GIVEN = {"tags": TAGS, "tag_map": {t["Key"]: t["Value"] for t in TAGS}, "added_tags": TAGS, "removed_tags": [{"Key": "old"}], "removed_tag_keys": ["old", "older"],
         "token": "hf-0123456789", "intent": "hf-0123456789", "id": "id-1", "arn": "arn:aws:x:us-east-1:1:y/z", "region": "eu-west-1",
         "region_constraint": "eu-west-1", "account": "123456789012"}


def shape_below(shape, key, ec2):
    """The member that has this name on the wire."""
    if shape is None:
        return None
    if shape.type_name == "list" and shape.member.serialization.get("name") != key:
        shape = shape.member
    if shape.type_name == "structure":
        for member, inner in shape.members.items():
            if key == wire.name_on_wire(inner, member, ec2):
                return inner
            if inner.type_name == "list" and inner.serialization.get("flattened") and inner.member.serialization.get("name") == key:
                return inner
    if shape.type_name == "list" and shape.member.serialization.get("name") == key:
        return shape  # "SubnetIds: {SubnetIdentifier: […]}"
    if shape.type_name == "map":
        return shape.value
    return None


def fill(template, shape, maker, context, properties):
    """A value for every property the template speaks of, by the shape of its place."""
    ec2 = maker.how == "ec2"
    if isinstance(template, dict):
        for key, inner in template.items():
            fill(inner, shape_below(shape, key, ec2), maker, context, properties)
    elif isinstance(template, list):
        for inner in template:
            fill(inner, shape.member if shape is not None and shape.type_name == "list" else None, maker, context, properties)
    elif isinstance(template, str) and "$" in template:
        names = [template[1:]] if template[0] == "$" and template[1:2] not in ("{", "$") else [p.partition("}")[0] for p in template.split("${")[1:]]
        for name in names:
            name = name.partition("|")[0]
            if name in context or not name or name.startswith("#"):
                continue
            row = properties.get(name, {})
            if row.get("type") == "json":
                context[name] = '{"Statement": []}'
            elif shape is not None and template == "$" + name:
                value = maker.value(shape)
                context[name] = row["choices"][0] if row.get("choices") else value
            elif row.get("type") in ("int", "bool"):
                context[name] = 7 if row["type"] == "int" else True
            else:
                context[name] = maker.text().replace(".", "") or "x"


def rest_shape(service, operation):
    """The input of a REST operation, found by its place alone."""
    if "operation" in operation:
        return wire.model(service).operation_model(operation["operation"]).input_shape
    path = urllib.parse.quote(operation["path"].replace("${", "").replace("}", ""))
    query = operation.get("query", {})
    # What an operation needs of its query is there by name.
    name, _, _ = wire.rest_operation(wire.model(service), operation.get("method", "GET"), path, {k: "x" if "$" in str(v) else str(v) for k, v in query.items()}, {k.lower(): "x" for k in operation.get("headers", {})})
    return wire.model(service).operation_model(name).input_shape


def context_of(spec, operation, seed):
    service = service_of(spec, operation)
    maker, context = Maker(seed, wire.protocol(service)), dict(GIVEN)
    for name in ("tags", "added_tags", "removed_tags"):
        context[name] = [{{"Key": spec["tag_key"], "Value": spec["tag_value"]}[k]: v for k, v in row.items()} for row in GIVEN[name]]
    shape = rest_shape(service, operation)
    body = shape
    if shape is not None and shape.serialization.get("payload") and "root" in operation:
        body = shape.members[shape.serialization["payload"]]
    for part in ("request", "body", "query", "text", "path"):
        if part in operation:
            fill(operation[part], body if part in ("request", "body") else None, maker, context, spec["properties"])
    return context


# --- the comparison ---


def form_pairs(body):
    return sorted(urllib.parse.parse_qsl(body, keep_blank_values=True))


def xml_tree(text):
    def tree(e):
        return (wire.tag(e), (e.text or "").strip(), sorted((tree(c) for c in e), key=str))
    return tree(ET.fromstring(text)) if text else None


def theirs_of(service, name, arguments):
    serializer = botocore.serialize.create_serializer(wire.protocol(service), include_validation=False)
    return serializer.serialize_to_request(arguments, wire.model(service).operation_model(name))


def place_of(theirs):
    path, _, query = theirs["url_path"].partition("?")
    pairs = urllib.parse.parse_qsl(query, keep_blank_values=True)
    more = theirs.get("query_string") or {}
    for k, v in more.items() if isinstance(more, dict) else more:
        pairs += [(k, str(x)) for x in (v if isinstance(v, list) else [v])]
    return path, sorted(pairs)


def rows():
    return [(name, "/".join(map(str, steps))) for name, spec in sorted(TYPES.items()) for steps, _ in operations(spec)]


@pytest.fixture(scope="module")
def door():
    d = Door()
    yield d
    d.process.stdin.close()
    assert d.process.wait(5) == 0


@pytest.mark.parametrize("name,place", rows())
def test_request_is_botocores(door, name, place):
    spec = TYPES[name]
    steps, operation = next((s, o) for s, o in operations(spec) if "/".join(map(str, s)) == place)
    service = service_of(spec, operation)
    how = wire.protocol(service)
    for seed in range(ROUNDS):
        ours = door.ask(type=name, operation=steps, context=context_of(spec, operation, f"{name} {place} {seed}"))
        pairs = urllib.parse.parse_qsl(ours["query"], keep_blank_values=True)
        headers = {k.lower(): v for k, v in ours["headers"].items()}
        called, arguments = wire.request_read(service, ours["method"], ours["path"], pairs, headers, ours["body"].encode())
        shape = wire.model(service).operation_model(called).input_shape
        if shape is not None:
            assert not set(shape.required_members) - set(arguments)
        if "operation" in operation:
            assert called == operation["operation"]
        theirs = theirs_of(service, called, arguments)
        assert ours["method"] == theirs["method"]
        path, query = place_of(theirs)
        assert (ours["path"], sorted(pairs)) == (path, query)
        body = theirs["body"]
        if how in ("ec2", "query"):
            assert form_pairs(ours["body"]) == sorted((k, str(v)) for k, v in body.items())
        elif how == "rest-xml" and "text" not in operation:
            assert xml_tree(ours["body"]) == xml_tree(body)
        elif isinstance(body, (bytes, str)) and body and "text" not in operation:
            assert json.loads(ours["body"]) == json.loads(body)
        else:
            assert ours["body"].encode() == (body.encode() if isinstance(body, str) else body or b"")
        wanted = {k.lower(): v for k, v in theirs["headers"].items()}
        assert {k: v for k, v in headers.items() if k == "x-amz-target"} == {k: v for k, v in wanted.items() if k == "x-amz-target"}
        if how in ("ec2", "query", "json"):
            assert headers["content-type"] == wanted["content-type"]


# --- answers ---


def answer_value(shape, rng, depth=0):
    kind = shape.type_name
    if kind == "structure":
        members = list(shape.members.items())[:1 if getattr(shape, "is_tagged_union", False) else None]
        return {m: answer_value(s, rng, depth + 1) for m, s in members if depth < 5 or len(members) == 1} if not getattr(shape, "is_document_type", False) else {}
    if kind == "list":
        return [answer_value(shape.member, rng, depth + 1) for _ in range(rng.randrange(1, 3))] if depth < 6 else []
    if kind == "map":
        return {f"k{i}": answer_value(shape.value, rng, depth + 1) for i in range(2)}
    if kind == "boolean":
        return rng.random() < 0.5
    if kind in ("integer", "long"):
        return rng.randrange(0, 1000000)
    if kind in ("float", "double"):
        return rng.randrange(0, 1000) + 0.5
    if kind == "blob":
        return b"blob"
    if kind == "timestamp":
        return "2026-01-01T00:00:00Z"
    return "".join(rng.choice("abcXYZ 019-_./&<>é\"'") for _ in range(rng.randrange(1, 14))).strip() or "x"


class Missing(Exception):
    pass


def theirs_at(shape, value, path, how):
    """What botocore read at a path of ours. A list without "[]" stands for its first."""
    steps = path.split(".") if path else []
    if not steps:
        return value
    step, each = steps[0].removesuffix("[]"), steps[0].endswith("[]")
    rest = ".".join(steps[1:])
    if shape.type_name == "list" and how in ("ec2", "query", "rest-xml") and not shape.serialization.get("flattened"):
        own = shape.member.serialization.get("name", "member")
        if step != own:
            raise Missing(f"{path}: a list of {own}")
        values = value or []
        if each:
            return flat(theirs_at(shape.member, v, rest, how) for v in values)
        return theirs_at(shape.member, values[0], rest, how) if rest else (values if len(values) != 1 else values[0])
    if shape.type_name == "list":
        return theirs_at(shape.member, (value or [None])[0], path, how)
    if shape.type_name == "map":
        return theirs_at(shape.value, (value or {}).get(step), rest, how)
    for member, inner in (shape.members if shape.type_name == "structure" else {}).items():
        if inner.serialization.get("name", member) == step:
            found = (value or {}).get(member)
            if each:
                if inner.type_name != "list":
                    raise Missing(f"{path}: {member} is no list")
                return flat(theirs_at(inner.member, v, rest, how) for v in found or [])
            return theirs_at(inner, found, rest, how)
    raise Missing(f"{path}: no {step}")


def flat(values):
    out = []
    for v in values:
        out += v if isinstance(v, list) else [] if v is None else [v]
    return out


def canonical(v):
    if isinstance(v, dict):
        return {k.lower(): canonical(x) for k, x in v.items() if x not in (None, "", {}, [])} or ""
    if isinstance(v, list):
        return [canonical(x) for x in v]
    if isinstance(v, bool):
        return str(v).lower()
    if isinstance(v, (int, float)):
        return str(float(v))
    try:
        return str(float(v)) if isinstance(v, str) else str(v)
    except ValueError:
        return v


def paths_of(spec, operation, reads):
    items = operation.get("items")
    out = []
    for key in ("observe", "outputs"):
        out += list(operation.get(key, {}).values())
    if reads:
        out += [operation["id"]] if "id" in operation else []
        out += list(operation.get("match", {}).values()) + list(operation.get("where", {}))
        out += [operation["gone"]["path"]] if "gone" in operation else []
        for rule in ("ready", "vanish"):
            if rule in spec:
                out.append(spec[rule]["path"])
                out += [spec[rule]["reason"]] if "reason" in spec[rule] else []
    return [(items, p.partition("|")[0]) for p in dict.fromkeys(out) if p != "@etag"]


def answer_rows():
    return [(name, "/".join(map(str, steps))) for name, spec in sorted(TYPES.items()) for steps, o in operations(spec)
            if steps[0] == "read" or (steps == ["create"] and "id" in o)]


@pytest.mark.parametrize("name,place", answer_rows())
def test_answer_is_read_as_botocore_reads_it(door, name, place):
    spec = TYPES[name]
    steps, operation = next((s, o) for s, o in operations(spec) if "/".join(map(str, s)) == place)
    service = service_of(spec, operation)
    how = wire.protocol(service)
    if "operation" in operation:
        called = operation["operation"]
    else:
        path = urllib.parse.quote(operation["path"].replace("${", "").replace("}", ""))
        called = wire.rest_operation(wire.model(service), operation.get("method", "GET"), path, {k: "x" if "$" in str(v) else str(v) for k, v in operation.get("query", {}).items()}, {k.lower(): "x" for k in operation.get("headers", {})})[0]
    model = wire.model(service).operation_model(called)
    shape = model.output_shape
    assert shape is not None or place != "read", f"{called} answers nothing"
    wanted = [(None, operation["id"].partition("|")[0])] if steps == ["create"] else paths_of(spec, operation, steps == ["read"])
    if shape is None or not wanted:
        return
    for seed in range(6):
        value = answer_value(shape, random.Random(f"{name} {place} {seed}"))
        status, headers, body = wire.answer_write(service, called, value, "req-1")
        parsed = botocore.parsers.create_parser(how).parse({"status_code": status, "headers": {k.lower(): v for k, v in headers.items()}, "body": body}, shape)
        seen, tree = shape, parsed
        if shape.serialization.get("payload"):
            seen, tree = shape.members[shape.serialization["payload"]], parsed[shape.serialization["payload"]]
        ours = door.ask(type=name, status=status, answer=body.decode(), paths=[list(p) for p in wanted])
        for (items, path), found in zip(wanted, ours):
            full = f"{items}.{path}" if items else path
            if how == "query":
                wrapper = shape.serialization.get("resultWrapper", f"{called}Result")
                assert full.startswith(wrapper), f"{full} does not begin with {wrapper}"
                full = full[len(wrapper) + 1:]
            try:
                right = theirs_at(seen, tree, full, how)
            except Missing as e:
                raise AssertionError(f"{called}: {e}") from None
            if items:  # the first item: what is flattened before it is not all of it
                first = theirs_at(seen, tree, full_first(items, how, called, shape), how)
                inner = shape_at(seen, full_first(items, how, called, shape), how)
                while isinstance(first, list):
                    first = first[0] if first else None
                while inner.type_name == "list":
                    inner = inner.member
                right = theirs_at(inner, first, path, how)
            if isinstance(right, (datetime.datetime, bytes)):
                continue
            if isinstance(right, list) and not isinstance(found, list):
                found = [found]
            assert canonical(found) == canonical(right) or (right in (None, [], {}) and found in (None, [], [None])), f"{full}: {found!r} is not {right!r}"


def full_first(items, how, called, shape):
    """The way to the items, each list by its first."""
    full = items.replace("[]", "")
    if how == "query":
        full = full[len(shape.serialization.get("resultWrapper", f"{called}Result")) + 1:]
    return full


@functools.lru_cache(None)
def shape_at(shape, path, how):
    for step in path.split(".") if path else []:
        if shape.type_name == "list" and how in ("ec2", "query", "rest-xml"):
            shape = shape.member
            continue
        while shape.type_name == "list":
            shape = shape.member
        shape = next(s for m, s in shape.members.items() if s.serialization.get("name", m) == step)
    return shape
