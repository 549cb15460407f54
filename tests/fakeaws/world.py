"""What there is, and what calls do to it."""
import hashlib
import itertools
import json
import time

from . import wire
from .ec2 import Ec2
from .more import More
from .rows import ROWS
from .services import Services
from .wire import Refusal

ACCOUNT, REGION = "123456789012", "us-east-1"


class Thing(dict):
    """One resource: its members as the service names them; besides: kind, id, tags, states to go through."""

    def __init__(self, kind, id, members, tags=None, states=(), path="State", delay=0.0):
        super().__init__(members)
        self.kind, self.id, self.tags = kind, id, dict(tags or {})
        self.born, self.gone = time.monotonic(), None
        self.states, self.path, self.delay = list(states), path, delay

    def become(self, states, delay):
        self.states, self.delay, self.born = list(states), delay, time.monotonic()

    @property
    def state(self):
        if not self.states:
            return None
        step = int((time.monotonic() - self.born) / self.delay) if self.delay else len(self.states)
        return self.states[min(step, len(self.states) - 1)]


def tags_in(value):
    """Tags in any of AWS's spellings to a dict."""
    if isinstance(value, dict):
        return dict(value)
    return {next(r[k] for k in ("Key", "key", "TagKey") if k in r): r.get("Value", r.get("value", r.get("TagValue", ""))) for r in value or []}


def tags_out(shape, tags):
    if shape.type_name == "map":
        return dict(tags)
    key = next(k for k in ("Key", "key", "TagKey") if k in shape.member.members)
    value = {"Key": "Value", "key": "value", "TagKey": "TagValue"}[key]
    return [{key: k, value: v} for k, v in tags.items()]


class World(Ec2, Services, More):
    def __init__(self):
        self.things = {}   # kind → id → Thing
        self.tokens = {}   # (service, operation, token) → (hash of the rest, result, things made)
        self.objects = {}  # (bucket, key) → (bytes, etag)
        self.ids = itertools.count(1)
        self.delay = 0.0      # seconds in each state
        self.iam_delay = 0.0  # until others see a role or profile, from when one first asks: somebody is always too early
        self.lag = 0.0        # until EC2 shows what it made
        self.capacity = {}    # (type, zone, market) → how many; absent: enough
        self.offerings = {}   # instance type → zones that have it; absent: all
        self.quotas = {c: 5000.0 for c in ("L-1216C47A", "L-34B43A08", "L-DB2E81BA", "L-3819A6DF", "L-417A185B", "L-7212CCBC", "L-C4BD4855")}
        self.made = []        # every thing ever made, in order

    # --- things ---

    def new_id(self, prefix):
        return f"{prefix}{hashlib.sha256(str(next(self.ids)).encode()).hexdigest()[:17]}"

    def all(self, kind):
        return [t for t in self.things.get(kind, {}).values()]

    def put(self, thing):
        self.things.setdefault(thing.kind, {})[thing.id] = thing
        self.made.append(thing)
        return thing

    def get(self, kind, id):
        return self.things.get(kind, {}).get(id)

    def drop(self, thing):
        self.things[thing.kind].pop(thing.id, None)
        thing.gone = True

    def alive(self):
        """kind → names or ids of everything that is there, for tests."""
        self.sweep()
        return {k: sorted(i for i, t in v.items() if not (t.states and t.state in ("terminated", "shutting-down", "deleted", "deleting")))
                for k, v in self.things.items() if v}

    def sweep(self):
        """What was being deleted is gone when its time is over."""
        for kind in list(self.things):
            for thing in self.all(kind):
                if thing.states and thing.state == "gone":
                    self.drop(thing)

    # --- calls ---

    def call(self, service, operation, arguments):
        self.sweep()
        token = self.token_of(service, operation, arguments)
        if token is not None:
            rest = hashlib.sha256(json.dumps({k: v for k, v in arguments.items() if v is not token[1]}, sort_keys=True, default=str).encode()).hexdigest()
            old = self.tokens.get((service, operation, token[1]))
            if old is not None:
                if old[0] != rest:
                    raise Refusal("IdempotentParameterMismatch" if service == "ec2" else "InvalidParameterException",
                                  "The client token was used with other parameters")
                if any(t.kind == "instance" and t.state in ("terminated", "shutting-down") for t in old[2]):
                    raise Refusal("IdempotentInstanceTerminated", "The instance of this token was terminated")
                if any(t.gone for t in old[2]):
                    del self.tokens[service, operation, token[1]]
                else:
                    return old[1]
        before = len(self.made)
        method = getattr(self, f"{service.replace('-', '_')}_{operation}", None)
        if method is not None:
            result = method(**arguments)
        else:
            result = self.by_row(service, operation, arguments)
        if token is not None:
            self.tokens[service, operation, token[1]] = (rest, result, self.made[before:])
        return result

    @staticmethod
    def token_of(service, operation, arguments):
        """(member, token) of an operation that is honest about them."""
        if service in ("efs", "secretsmanager"):
            return None
        for member in ("ClientToken", "clientToken", "clientRequestToken", "ClientRequestToken"):
            if arguments.get(member):
                return member, arguments[member]
        return None

    # --- rows: types that need no code ---

    def arn(self, service, rest, region=REGION):
        return f"arn:aws:{service}:{region}:{ACCOUNT}:{rest}"

    def by_row(self, service, operation, arguments):
        for row in ROWS:
            if row.service == service:
                verb = row.verb(operation)
                if verb is not None:
                    return getattr(self, f"row_{verb}")(row, operation, arguments)
        tagged = self.tag_call(service, operation, arguments)
        if tagged is not None:
            return tagged
        raise Refusal("InternalFailure", f"the fake has no {service}.{operation}", 501)

    def row_id(self, row, arguments):
        return "|".join(str(arguments.get(k, arguments.get("cluster", ""))) for k in row.key)

    def row_find(self, row, arguments):
        id = self.row_id(row, arguments)
        thing = self.get(row.kind, id) or next((t for t in self.all(row.kind) if id in (t.get(row.arn_member), t.get(row.id_member))), None)
        if thing is None:
            raise Refusal(row.absent[0], row.absent[1] % id, row.absent[2] if len(row.absent) > 2 else 400)
        return thing

    def row_view(self, row, operation, thing):
        shape = wire.model(row.service).operation_model(operation).output_shape
        members = shape.members if shape is not None else {}
        record = dict(thing)
        if thing.states:
            holder = record
            *parents, last = row.state[0].split(".")
            for p in parents:
                holder[p] = dict(holder.get(p, {}))
                holder = holder[p]
            holder[last] = thing.state
        out = dict(record)
        if row.out in members:
            inner = members[row.out]
            target = inner.member if inner.type_name == "list" else inner
            for name in ("Tags", "tags", "TagList"):
                if name in target.members:
                    record[name] = tags_out(target.members[name], thing.tags)
            out[row.out] = [record] if inner.type_name == "list" else record
        for name, inner in members.items():  # what a creation calls it
            if row.out and row.out not in members and inner.type_name == "structure" and (row.arn_member in inner.members or row.key[0] in inner.members):
                out[name] = record
        for name in ("Tags", "tags"):
            if name in members:
                out[name] = tags_out(members[name], thing.tags)
        return out

    def row_create(self, row, operation, arguments):
        members = {k: v for k, v in arguments.items() if k not in ("Tags", "tags", "TagList")}
        tags = next((tags_in(arguments[k]) for k in ("Tags", "tags", "TagList") if k in arguments), {})
        self.row_roles(row, arguments)
        for member, kind in row.needs.items():
            if arguments.get(member) and self.get(kind, arguments[member]) is None:
                raise Refusal(row.absent[0], f"{kind} {arguments[member]} does not exist", 404)
        if row.prefix:
            id = self.new_id(row.prefix)
            members[row.id_member] = id
        else:
            id = self.row_id(row, arguments)
            if self.get(row.kind, id) is not None and not row.upsert:
                raise Refusal(row.exists[0], row.exists[1] % id, row.exists[2] if len(row.exists) > 2 else 400)
        old = self.get(row.kind, id)
        if old is not None:
            old.update(members)
            return self.row_view(row, operation, old)
        if row.arn_member:
            members[row.arn_member] = row.arn % {"id": id.replace("|", "/"), "last": id.rpartition("|")[2], **{k: v for k, v in arguments.items() if isinstance(v, str)}}
        members.update(row.extra)
        thing = Thing(row.kind, id, members, tags, row.state[1] if row.state else (), row.state[0] if row.state else "", self.delay)
        thing.service = row.service
        self.put(thing)
        return self.row_view(row, operation, thing)

    def believed(self, thing):
        if not hasattr(thing, "asked"):
            thing.asked = time.monotonic()
        return time.monotonic() - thing.asked >= self.iam_delay

    def row_roles(self, row, arguments):
        """A role that others do not see yet."""
        for member in row.roles:
            name = str(arguments.get(member) or "").rpartition("/")[2]
            if not name:
                continue
            role = self.get("role", name)
            if role is None or not self.believed(role):
                raise Refusal(row.role_refusal[0], row.role_refusal[1] % arguments[member])

    def row_describe(self, row, operation, arguments):
        wanted = arguments.get(row.ids)
        if row.ids and row.ids not in row.key:
            shape = wire.model(row.service).operation_model(operation).output_shape
            found = [t for t in self.all(row.kind) if wanted is None or t.id in wanted or t.get(row.arn_member) in wanted]
            if wanted and not found and row.absent[0]:
                raise Refusal(row.absent[0], row.absent[1] % wanted[0], row.absent[2] if len(row.absent) > 2 else 400)
            rows = [self.row_view(row, operation, t)[row.out][0] for t in found]
            return {row.out: rows} if shape.members[row.out].type_name == "list" else rows[0]
        return self.row_view(row, operation, self.row_find(row, arguments))

    def row_update(self, row, operation, arguments):
        thing = self.row_find(row, arguments)
        for member, value in arguments.items():
            if member not in row.key and member not in ("Tags", "tags"):
                thing[member] = {**thing[member], **value} if isinstance(value, dict) and isinstance(thing.get(member), dict) else value
        return self.row_view(row, operation, thing)

    def row_delete(self, row, operation, arguments):
        thing = self.row_find(row, arguments)
        for kind in row.blockers:
            for other in self.all(kind):
                if thing.id in (other.id.split("|")[0], other.get("FileSystemId")) and other is not thing:
                    raise Refusal(row.busy[0], row.busy[1] % thing.id, 409)
        if row.state and row.deleting:
            thing.become([row.deleting, "gone"], self.delay)
        else:
            self.drop(thing)
        return self.row_view(row, operation, thing)

    # --- tags: one way for everybody who has an ARN ---

    def tag_call(self, service, operation, arguments):
        if not any(w in operation for w in ("Tag",)):
            return None
        named = next((v for k, v in arguments.items() if k.lower() in ("resourcearn", "resourceid", "resourcename", "secretid", "resource", "filesystemid")), None)
        if named is None:
            return None
        named = named[0] if isinstance(named, list) else named
        thing = next((t for k in self.things for t in self.all(k) if named == t.id or named in [v for v in t.values() if isinstance(v, str)]
                      and getattr(t, "service", service) == service), None)
        if thing is None:
            raise Refusal("ResourceNotFound" if service == "sns" else "ResourceNotFoundException", f"nothing is called {named}")
        shape = wire.model(service).operation_model(operation).output_shape
        if operation.startswith(("List", "Get", "Describe")):
            member = next(m for m in shape.members if m.lower() in ("tags", "taglist", "resourcetaglist"))
            return {member: tags_out(shape.members[member], thing.tags)}
        keys = next((v for k, v in arguments.items() if k.lower() == "tagkeys"), None)
        if keys is not None:
            for key in keys:
                thing.tags.pop(key, None)
        else:
            thing.tags.update(tags_in(next(v for k, v in arguments.items() if k.lower() in ("tags", "taglist"))))
        return {}
