"""AWS's five protocols from the server's side: a request to (operation, arguments), and results to answers.

Shapes come from the models that botocore carries as data; the reading and writing is our own. Whatever the model does not
know is refused, so a misspelt member of a request is an error here, as it is in AWS or worse.
"""
import base64
import functools
import json
import re
import urllib.parse
import xml.etree.ElementTree as ET
from xml.sax.saxutils import escape

import botocore.session

SESSION = botocore.session.get_session()
# What requests are signed for → the name botocore has for the service, where they differ.
SERVICES = {
    "elasticloadbalancing": "elbv2", "monitoring": "cloudwatch", "elasticfilesystem": "efs", "tagging": "resourcegroupstaggingapi",
    "servicequotas": "service-quotas", "states": "stepfunctions",
}
PROTOCOLS = {"cloudwatch": "query"}  # of several the one we speak


class Refusal(Exception):
    def __init__(self, code, message, status=400):
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status


@functools.lru_cache(None)
def model(service):
    return SESSION.get_service_model(service)


def protocol(service):
    return PROTOCOLS.get(service) or model(service).protocol


def name_on_wire(shape, member, ec2):
    if ec2 and "queryName" in shape.serialization:
        return shape.serialization["queryName"]
    name = shape.serialization.get("name", member)
    return name[0].upper() + name[1:] if ec2 and "name" in shape.serialization else name


# --- values ---


def scalar(shape, text):
    """A value of a form, a query, a header or an XML element."""
    kind = shape.type_name
    if kind == "boolean":
        if text not in ("true", "false"):
            raise Refusal("MalformedInput", f"{text!r} is no boolean")
        return text == "true"
    if kind in ("integer", "long"):
        try:
            return int(text)
        except ValueError:
            raise Refusal("MalformedInput", f"{text!r} is no integer") from None
    if kind in ("float", "double"):
        return float(text)
    if kind == "blob":
        return base64.b64decode(text, validate=True)
    return text


def form_read(shape, prefix, pairs, ec2, used):
    """What of pairs lies below prefix; None when nothing does."""
    kind = shape.type_name
    if kind == "structure":
        out = {}
        for member, inner in shape.members.items():
            name = name_on_wire(inner, member, ec2)
            value = form_read(inner, f"{prefix}.{name}" if prefix else name, pairs, ec2, used)
            if value is not None:
                out[member] = value
        return out or None
    if kind == "list":
        if prefix in pairs and pairs[prefix] == "":
            used.add(prefix)
            return []
        if not ec2:
            own = shape.member.serialization.get("name")
            if shape.serialization.get("flattened"):
                prefix = ".".join(prefix.split(".")[:-1] + [own]) if own else prefix
            else:
                prefix = f"{prefix}.{own or 'member'}"
        out = []
        while (value := form_read(shape.member, f"{prefix}.{len(out) + 1}", pairs, ec2, used)) is not None:
            out.append(value)
        return out or None
    if kind == "map":
        prefix = prefix if shape.serialization.get("flattened") else f"{prefix}.entry"
        key, val = shape.key.serialization.get("name", "key"), shape.value.serialization.get("name", "value")
        out, i = {}, 1
        while f"{prefix}.{i}.{key}" in pairs:
            used.add(f"{prefix}.{i}.{key}")
            out[pairs[f"{prefix}.{i}.{key}"]] = form_read(shape.value, f"{prefix}.{i}.{val}", pairs, ec2, used)
            i += 1
        return out or None
    if prefix not in pairs:
        return None
    used.add(prefix)
    return scalar(shape, pairs[prefix])


def json_read(shape, value, where=""):
    kind = shape.type_name
    if getattr(shape, "is_document_type", False) or value is None:
        return value
    wanted = {"structure": dict, "map": dict, "list": list, "boolean": bool, "string": str, "integer": int, "long": int,
              "float": (int, float), "double": (int, float), "blob": str}.get(kind)
    if wanted and (not isinstance(value, wanted) or isinstance(value, bool) != (kind == "boolean")):
        raise Refusal("SerializationException", f"{where}: {value!r} is no {kind}")
    if kind == "structure":
        names = {m.serialization.get("name", n): n for n, m in shape.members.items()}
        unknown = set(value) - set(names)
        if unknown:
            raise Refusal("SerializationException", f"{where}: no member {sorted(unknown)}")
        return {names[k]: json_read(shape.members[names[k]], v, f"{where}.{k}") for k, v in value.items()}
    if kind == "list":
        return [json_read(shape.member, v, where + "[]") for v in value]
    if kind == "map":
        return {k: json_read(shape.value, v, f"{where}.{k}") for k, v in value.items()}
    return base64.b64decode(value, validate=True) if kind == "blob" else value


def tag(element):
    return element.tag.rpartition("}")[2]


def xml_read(shape, element):
    kind = shape.type_name
    if kind == "structure":
        out, left = {}, {tag(child) for child in element}
        for member, inner in shape.members.items():
            if inner.serialization.get("location") or inner.serialization.get("xmlAttribute"):
                continue
            name = inner.serialization.get("name", member)
            if inner.type_name == "list" and inner.serialization.get("flattened"):
                name = inner.member.serialization.get("name", name)
            found = [child for child in element if tag(child) == name]
            left.discard(name)
            if not found:
                continue
            if inner.type_name == "list":
                items = found if inner.serialization.get("flattened") else list(found[0])
                out[member] = [xml_read(inner.member, item) for item in items]
            else:
                out[member] = xml_read(inner, found[0])
        if left:
            raise Refusal("MalformedXML", f"no element {sorted(left)} in {tag(element)}")
        return out
    return scalar(shape, element.text or "")


# --- requests ---


def place_matches(uri, path, query):
    """(how exact, arguments) of a request URI of the model, or None."""
    template, _, constants = uri.partition("?")
    wanted = urllib.parse.parse_qsl(constants, keep_blank_values=True)
    if any(query.get(k) != v for k, v in wanted):
        return None
    names, pattern = [], ""
    for part in re.split(r"(\{[^}]+\})", template):
        if part.startswith("{"):
            names.append(part[1:-1].rstrip("+"))
            pattern += "(.+)" if part.endswith("+}") else "([^/]+)"
        else:
            pattern += re.escape(part)
    found = re.fullmatch(pattern, path) or (not names and re.fullmatch(pattern + "/?", path))
    if not found:
        return None
    return (len(wanted), template.count("/")), {n: urllib.parse.unquote(v) for n, v in zip(names, found.groups())}, dict(wanted)


def lacks(shape, query, headers):
    """Something that must be in the query or the headers is not there: another operation of the same place is meant."""
    for member in shape.required_members if shape is not None else ():
        where, wire = shape.members[member].serialization.get("location"), shape.members[member].serialization.get("name", member)
        if (where == "header" and wire.lower() not in headers) or (where == "querystring" and wire not in query):
            return True
    return False


def rest_operation(m, method, path, query, headers):
    best = None
    for name in m.operation_names:
        http = m.operation_model(name).http
        if http.get("method", "POST") != method or lacks(m.operation_model(name).input_shape, query, headers):
            continue
        found = place_matches(http["requestUri"], path, query)
        if found and (best is None or found[0] > best[0]):
            best = (found[0], name, found[1], found[2])
    if best is None:
        raise Refusal("UnknownOperation", f"{method} {path}", 404)
    return best[1:]


def rest_read(service, method, path, query, headers, body):
    m = model(service)
    name, in_path, constants = rest_operation(m, method, path, dict(query), headers)
    shape, out, left = m.operation_model(name).input_shape, {}, [k for k, _ in query if k not in constants]
    members = shape.members if shape is not None else {}
    for member, inner in members.items():
        where, wire = inner.serialization.get("location"), inner.serialization.get("name", member)
        if where == "uri" and wire in in_path:
            out[member] = scalar(inner, in_path[wire])
        elif where == "querystring":
            found = [v for k, v in query if k == wire]
            left = [k for k in left if k != wire]
            if found:
                out[member] = [scalar(inner.member, v) for v in found] if inner.type_name == "list" else scalar(inner, found[0])
        elif where == "header" and headers.get(wire.lower()) is not None:
            out[member] = scalar(inner, headers[wire.lower()]) if inner.type_name != "timestamp" else headers[wire.lower()]
    if left:
        raise Refusal("MalformedInput", f"{name}: no query member {left}")
    payload = shape.serialization.get("payload") if shape is not None else None
    in_body = {n: x for n, x in members.items() if "location" not in x.serialization}
    if payload and members[payload].type_name in ("blob", "string"):
        out[payload] = body.decode() if members[payload].type_name == "string" else body
    elif body:
        inner = members[payload] if payload else shape
        if protocol(service) == "rest-json":
            value = json_read(inner, json.loads(body), name)
            unknown = set(value) - set(in_body) if not payload else None
            if unknown:
                raise Refusal("SerializationException", f"{name}: {sorted(unknown)} is no part of the body")
        else:
            root = ET.fromstring(body)
            wanted = inner.serialization.get("name")
            if wanted and tag(root) != wanted:
                raise Refusal("MalformedXML", f"{name}: {tag(root)} for {wanted}")
            value = xml_read(inner, root)
        out.update({payload: value} if payload else value)
    return name, out


def request_read(service, method, path, query, headers, body):
    """(operation, arguments) of a request. query: list of pairs, decoded."""
    how, m = protocol(service), model(service)
    if how in ("ec2", "query"):
        pairs = dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True))
        name = pairs.pop("Action", "")
        if name not in m.operation_names or pairs.pop("Version", None) != m.api_version:
            raise Refusal("InvalidAction", f"{service} has no {name} in this version")
        shape, used = m.operation_model(name).input_shape, set()
        out = form_read(shape, "", pairs, how == "ec2", used) if shape is not None else {}
        if set(pairs) - used:
            raise Refusal("UnknownParameter", f"{name}: {sorted(set(pairs) - used)}")
        return name, out or {}
    if how == "json":
        prefix, _, name = headers.get("x-amz-target", "").rpartition(".")
        kind = f"application/x-amz-json-{m.metadata['jsonVersion']}"
        if prefix != m.metadata["targetPrefix"] or name not in m.operation_names or headers.get("content-type") != kind:
            raise Refusal("UnknownOperationException", f"{service}: {headers.get('x-amz-target')}, {headers.get('content-type')}")
        shape = m.operation_model(name).input_shape
        return name, json_read(shape, json.loads(body), name) if shape is not None else {}
    return rest_read(service, method, path, query, headers, body)


def required_check(shape, value, where):
    """What AWS calls a missing parameter, all the way down."""
    if value is None or getattr(shape, "is_document_type", False):
        return
    if shape.type_name == "structure":
        for member in shape.required_members:
            if value.get(member) is None:
                raise Refusal("MissingParameter", f"{where} needs {member}")
        for member, inner in value.items():
            required_check(shape.members[member], inner, f"{where}.{member}")
    elif shape.type_name == "list":
        for inner in value:
            required_check(shape.member, inner, where)


# --- answers ---


def text_of(shape, value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value)


def xml_write(shape, value, name):
    kind = shape.type_name
    if kind == "structure":
        inner = "".join(
            xml_write(s, value[m], s.serialization.get("name", m)) for m, s in shape.members.items()
            if value.get(m) is not None and not s.serialization.get("location")
        )
        return f"<{name}>{inner}</{name}>"
    if kind == "list":
        own = shape.member.serialization.get("name", "member")
        if shape.serialization.get("flattened"):
            return "".join(xml_write(shape.member, v, shape.member.serialization.get("name", name)) for v in value)
        return f"<{name}>{''.join(xml_write(shape.member, v, own) for v in value)}</{name}>"
    if kind == "map":
        key, val = shape.key.serialization.get("name", "key"), shape.value.serialization.get("name", "value")
        rows = [f"{xml_write(shape.key, k, key)}{xml_write(shape.value, v, val)}" for k, v in value.items()]
        if shape.serialization.get("flattened"):
            return "".join(f"<{name}>{r}</{name}>" for r in rows)
        return f"<{name}>{''.join(f'<entry>{r}</entry>' for r in rows)}</{name}>"
    return f"<{name}>{escape(text_of(shape, value))}</{name}>"


def json_write(shape, value):
    kind = shape.type_name
    if getattr(shape, "is_document_type", False):
        return value
    if kind == "structure":
        return {s.serialization.get("name", m): json_write(s, value[m]) for m, s in shape.members.items()
                if value.get(m) is not None and s.serialization.get("location") is None}
    if kind == "list":
        return [json_write(shape.member, v) for v in value]
    if kind == "map":
        return {k: json_write(shape.value, v) for k, v in value.items()}
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def answer_write(service, operation, result, request_id):
    """(status, headers, body) of a success."""
    how, op = protocol(service), model(service).operation_model(operation)
    shape, headers, status = op.output_shape, {"x-amzn-RequestId": request_id}, op.http.get("responseCode", 200)
    space = model(service).metadata.get("xmlNamespace", "https://holdfast.test/")
    result = result or {}
    if how == "ec2":
        inner = "".join(xml_write(s, result[m], s.serialization.get("name", m)) for m, s in (shape.members if shape else {}).items() if result.get(m) is not None)
        body = f'<{operation}Response xmlns="{space}"><requestId>{request_id}</requestId>{inner}</{operation}Response>'
    elif how == "query":
        inner = xml_write(shape, result, shape.serialization.get("resultWrapper", f"{operation}Result")) if shape is not None else ""
        body = f'<{operation}Response xmlns="{space}">{inner}<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>'
    elif shape is None:
        body = "{}" if how == "json" else ""
    else:
        for member, s in shape.members.items():
            if s.serialization.get("location") == "header" and result.get(member) is not None and member != "ContentLength":
                headers[s.serialization.get("name", member)] = text_of(s, result[member])
        payload = shape.serialization.get("payload")
        if payload and shape.members[payload].type_name in ("blob", "string"):
            return status, headers, result.get(payload, b"")
        inner, value = (shape.members[payload], result.get(payload)) if payload else (shape, result)
        if how in ("json", "rest-json"):
            body = json.dumps(json_write(inner, value or {}))
        elif value is None or not [m for m, s in inner.members.items() if not s.serialization.get("location")]:
            body = ""
        else:
            body = xml_write(inner, value, inner.serialization.get("name", inner.name))
    headers["Content-Type"] = "application/json" if "json" in how else "text/xml"
    return status, headers, body.encode()


def refusal_write(service, refusal, request_id):
    how = protocol(service) if service else "query"
    code, message = escape(refusal.code), escape(refusal.message)
    if how == "ec2":
        body = f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors><RequestID>{request_id}</RequestID></Response>"
    elif how == "query":
        body = f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    elif how == "rest-xml":
        body = f"<Error><Code>{code}</Code><Message>{message}</Message><RequestId>{request_id}</RequestId></Error>"
    else:
        body = json.dumps({"__type": refusal.code, "message": refusal.message})
    headers = {"x-amzn-RequestId": request_id, "Content-Type": "application/json" if "json" in how else "text/xml"}
    if how == "rest-json":
        headers["x-amzn-ErrorType"] = refusal.code
    return refusal.status, headers, body.encode()
