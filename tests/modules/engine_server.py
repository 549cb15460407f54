"""A container engine for tests: the part of the Docker API that modules speak, on a unix socket, its state in memory. Ids follow
from names, so that two engines that are told the same are in the same state."""
import base64
import hashlib
import http.server
import io
import json
import re
import socketserver
import tarfile
import threading
import urllib.parse


def clean(value):
    """Without what is null, as Go leaves it out."""
    if isinstance(value, dict):
        return {k: clean(v) for k, v in value.items() if v is not None}
    return [clean(v) for v in value] if isinstance(value, list) else value


class Refused(Exception):
    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class Engine:
    def __init__(self):
        self.containers, self.networks, self.images, self.made, self.touched = {}, {}, {}, {}, 0
        self.registry, self.headers, self.builds = {}, {}, []
        self.add_image("busybox:1", Env=["PATH=/bin"], Labels={"from": "image"}, Cmd=["sh"])
        self.add_image("web:2", ExposedPorts={"80/tcp": {}}, Volumes={"/data": {}})
        self.add_network("bridge", {})

    def new_id(self, kind, name):
        self.made[kind, name] = self.made.get((kind, name), 0) + 1
        return hashlib.sha256(f"{kind} {name} {self.made[kind, name]}".encode()).hexdigest()

    def add_image(self, tag, **config):
        identity = "sha256:" + hashlib.sha256(json.dumps(config, sort_keys=True).encode() + tag.split(":")[0].encode()).hexdigest()
        image = self.images.setdefault(identity, {"Id": identity, "RepoTags": [], "RepoDigests": [], "Os": "linux",
                                                  "Architecture": "amd64", "Config": config})
        for other in self.images.values():
            other["RepoTags"] = [t for t in other["RepoTags"] if t != tag]
        image["RepoTags"].append(tag)
        return image

    def image(self, name):
        for image in self.images.values():
            if name in (image["Id"], image["Id"][7:19]) or (name if ":" in name.split("/")[-1] else name + ":latest") in image["RepoTags"]:
                return image
        raise Refused(404, f"No such image: {name}")

    def network(self, name):
        for n in self.networks.values():
            if n["Name"] == name or n["Id"].startswith(name):
                return n
        raise Refused(404, f"network {name} not found")

    def container(self, name):
        for c in self.containers.values():
            if c["Name"] == "/" + name or c["Id"].startswith(name):
                return c
        raise Refused(404, f"No such container: {name}")

    def add_network(self, name, body):
        if any(n["Name"] == name for n in self.networks.values()):
            raise Refused(409, f"network with name {name} already exists")
        identity = self.new_id("network", name)
        self.networks[identity] = {"Name": name, "Id": identity, "Scope": body.get("Scope", "local"), "Driver": body.get("Driver") or "bridge",
                                   "EnableIPv6": body.get("EnableIPv6", False), "Internal": body.get("Internal", False),
                                   "Attachable": body.get("Attachable", False), "ConfigOnly": body.get("ConfigOnly", False),
                                   "ConfigFrom": body.get("ConfigFrom") or {"Network": ""},
                                   "IPAM": clean(body.get("IPAM") or {"Driver": "default", "Options": None, "Config": []}),
                                   "Options": body.get("Options") or {}, "Labels": body.get("Labels") or {}, "Containers": {}}
        self.networks[identity]["IPAM"].setdefault("Driver", "default")
        return {"Id": identity, "Warning": ""}

    def connect(self, network, container, config):
        network["Containers"][container["Id"]] = {"Name": container["Name"][1:], "IPv4Address": ""}
        container["NetworkSettings"]["Networks"][network["Name"]] = {**clean(config or {}), "NetworkID": network["Id"]}

    def disconnect(self, network, container):
        if network["Containers"].pop(container["Id"], None) is None:
            raise Refused(403, f"container {container['Id']} is not connected to network {network['Name']}")
        container["NetworkSettings"]["Networks"].pop(network["Name"], None)

    def create(self, name, body):
        body = clean(body)
        host, networking = body.pop("HostConfig", {}), body.pop("NetworkingConfig", {})
        image = self.image(body["Image"])
        if any(c["Name"] == "/" + name for c in self.containers.values()):
            raise Refused(409, f'Conflict. The container name "/{name}" is already in use')
        config = {"Tty": False, **image["Config"], **body}
        config["Env"] = list({e.split("=")[0]: e for e in image["Config"].get("Env", []) + body.get("Env", [])}.values())
        for key in ("Labels", "ExposedPorts", "Volumes"):
            config[key] = {**image["Config"].get(key, {}), **body.get(key, {})}
        host.setdefault("NetworkMode", "bridge")
        host.setdefault("LogConfig", {"Type": "json-file", "Config": {}})
        host.setdefault("RestartPolicy", {"Name": "no", "MaximumRetryCount": 0})
        identity = self.new_id("container", name)
        c = self.containers[identity] = {"Id": identity, "Name": "/" + name, "Image": image["Id"], "Config": config, "HostConfig": host,
                                         "State": {"Status": "created", "Running": False, "Paused": False},
                                         "NetworkSettings": {"Networks": {}}}
        ends = networking.get("EndpointsConfig") or {}
        if not ends and host["NetworkMode"] in [n["Name"] for n in self.networks.values()]:
            ends = {host["NetworkMode"]: {}}
        for network, config in ends.items():
            self.connect(self.network(network), c, {k: v for k, v in config.items() if k != "NetworkID"})
        return {"Id": identity, "Warnings": []}

    def run(self, c, what, query):
        state = c["State"]
        if what in ("stop", "kill", "restart") and state["Paused"] and what != "restart":
            raise Refused(409, f"Container {c['Id']} is paused. Unpause the container before stopping or killing")
        if what in ("start", "restart"):
            state.update(Status="running", Running=True, Paused=False)
            if "Healthcheck" in c["Config"]:
                state["Health"] = {"Status": "healthy"}
            if c["Config"].get("Cmd", [""])[0] == "once":
                state.update(Status="exited", Running=False)
        elif what in ("stop", "kill"):
            state.update(Status="exited", Running=False, **({"By": query.get("signal", "KILL")} if what == "kill" else {}))
        else:
            state.update(Paused=what == "pause", Status="paused" if what == "pause" else "running")

    def pull(self, name, tag):
        if name.endswith("nowhere"):
            return [{"status": "Pulling"}, {"error": "not found", "errorDetail": {"code": 404, "message": "manifest unknown"}}]
        if name.endswith("fresh") or f"{name}:{tag}" not in [t for i in self.images.values() for t in i["RepoTags"]]:
            self.held(self.add_image(f"{name}:{tag}", Cmd=["new"]), name)
        return [{"status": f"Pulling from {name}"}, {"status": "Status: done"}]

    def untag(self, name, force):
        image = self.image(name)
        if name == image["Id"] and len(image["RepoTags"]) > 1 and not force:
            raise Refused(409, f"conflict: unable to delete {name} (must be forced) - image is referenced in multiple repositories")
        if not force and any(c["Image"] == image["Id"] and c["State"]["Running"] for c in self.containers.values()):
            raise Refused(409, "conflict: unable to remove repository reference (container is using its image)")
        image["RepoTags"] = [t for t in image["RepoTags"] if t != name and name != image["Id"]]
        if not image["RepoTags"]:
            self.images.pop(image["Id"])
        return [{"Untagged": name}]

    def load(self, data):
        try:
            with tarfile.open(fileobj=io.BytesIO(data)) as t:
                tags = [tag for one in json.load(t.extractfile("manifest.json")) for tag in one["RepoTags"]]
        except (tarfile.TarError, KeyError):
            return [{"stream": "nothing in it\n"}]
        for tag in tags:
            self.add_image(tag, Cmd=["loaded"])
        return [{"stream": f"Loaded image: {tag}\n"} for tag in tags]

    def build(self, query, data):
        """An image whose identity is what was sent; the last line of a Dockerfile may be a failure."""
        with tarfile.open(fileobj=io.BytesIO(data)) as t:
            sent = {re.sub("^\\.dockerfile\\..*", ".dockerfile.ELSEWHERE", m.name):
                    [m.type.decode(), oct(m.mode), m.linkname, t.extractfile(m).read().decode() if m.isfile() else ""] for m in t}
        query = {k: v if v[0] not in ("True", "False") else [v[0].lower()] for k, v in query.items()}
        name = re.sub("^\\.dockerfile\\..*", ".dockerfile.ELSEWHERE", query.get("dockerfile", ["Dockerfile"])[0])
        query.update({k: json.loads(query[k][0]) for k in ("buildargs", "cachefrom", "labels") if k in query})
        if "dockerfile" in query:
            query["dockerfile"] = [name]
        if ".dockerignore" in sent:
            sent[".dockerignore"][3] = re.sub("\\.dockerfile\\..*", ".dockerfile.ELSEWHERE", sent[".dockerignore"][3])
        self.builds.append({"query": query, "sent": sent})
        text = sent.get(name, ["", "", "", "fail"])[3]
        if "fail" in text:
            return [{"stream": "Step 1\n"}, {"error": "no", **({"errorDetail": {"code": 1, "message": "no"}} if "code" in text else {})}]
        self.add_image(query["t"][0], Cmd=["built", hashlib.sha256(json.dumps(sent, sort_keys=True).encode()).hexdigest()])
        return [{"stream": "Step 1\nStep 2\n"}, {"status": "done"}, {"aux": {}}]

    @staticmethod
    def held(image, repository):
        """A registry has it."""
        digest = f"{repository}@sha256:" + hashlib.sha256(image["Id"].encode()).hexdigest()
        if digest not in image["RepoDigests"]:
            image["RepoDigests"].append(digest)
        return digest.partition("@")[2]

    def push(self, repository, tag):
        image = self.image(f"{repository}:{tag}")
        if repository.endswith("locked"):
            return [{"errorDetail": {"message": "unauthorized: authentication required"}, "error": "unauthorized"}]
        if repository.endswith("missing"):
            return [{"errorDetail": {"message": "denied: repository is unauthorized"}, "error": "denied"}]
        known = self.registry.get(f"{repository}:{tag}") == image["Id"]
        self.registry[f"{repository}:{tag}"] = image["Id"]
        self.held(image, repository)
        return [{"status": "Layer already exists" if known else "Pushing"}, {"status": "Pushed"}]

    def tag(self, image, name):
        """Takes the name from who had it."""
        for other in self.images.values():
            other["RepoTags"] = [t for t in other["RepoTags"] if t != name]
        image["RepoTags"].append(name)
        return {}

    def described(self, name):
        if name not in self.registry:
            raise Refused(404, f"{name} is in no registry")
        return {"Descriptor": {"digest": "sha256:" + hashlib.sha256(self.registry[name].encode()).hexdigest()}}

    def save(self, name):
        image, out = self.image(name), io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as t:
            data = json.dumps([{"Config": image["Id"][7:] + ".json", "RepoTags": [name], "Layers": []}]).encode()
            info = tarfile.TarInfo("manifest.json")
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))
        return out.getvalue()

    def state(self):
        """What a user would see of it."""
        return {"containers": {c["Name"]: c for c in self.containers.values()}, "networks": {n["Name"]: n for n in self.networks.values()},
                "images": self.images, "registry": self.registry, "headers": self.headers, "builds": self.builds}

    # --- the calls -----------------------------------------------------------------------------------------------
    def answer(self, method, path, query, body):
        if method != "GET":
            self.touched += 1
        for verb, pattern, call in self.CALLS:
            match = re.fullmatch(pattern, path)
            if verb == method and match:
                return call(self, query, body, *match.groups())
        raise Refused(404, f"page not found: {method} {path}")

    def names(self, query):
        wanted = json.loads(query.get("filters", "{}")).get("reference")
        wanted = wanted[0] if isinstance(wanted, list) else next(iter(wanted), None) if wanted else None
        return [i for i in self.images.values()
                if wanted is None or any(t.rpartition(":")[0] == wanted or t == wanted for t in i["RepoTags"])]

    CALLS = [
        ("GET", "/version", lambda s, q, b: {"ApiVersion": "1.43", "Os": "linux"}),
        ("GET", "/info", lambda s, q, b: {"OSType": "linux", "Architecture": "x86_64"}),
        ("GET", "/containers/json", lambda s, q, b: [{"Id": c["Id"], "Names": [c["Name"]]} for c in s.containers.values()]),
        ("GET", "/containers/([^/]+)/json", lambda s, q, b, i: s.container(i)),
        ("GET", "/containers/([^/]+)/logs", lambda s, q, b, i: b"\1\0\0\0\0\0\0\3out" + b"\2\0\0\0\0\0\0\4err\n"),
        ("POST", "/containers/create", lambda s, q, b: s.create(q["name"], b)),
        ("POST", "/containers/([^/]+)/wait", lambda s, q, b, i: {"StatusCode": int((s.container(i)["Config"]["Cmd"] + ["0"])[1])}),
        ("POST", "/containers/([^/]+)/update", lambda s, q, b, i: s.container(i)["HostConfig"].update(clean(b)) or {"Warnings": None}),
        ("POST", "/containers/([^/]+)/(start|stop|kill|restart|pause|unpause)", lambda s, q, b, i, w: s.run(s.container(i), w, q)),
        ("DELETE", "/containers/([^/]+)", lambda s, q, b, i: s.drop(s.container(i))),
        ("GET", "/networks", lambda s, q, b: list(s.networks.values())),
        ("POST", "/networks/create", lambda s, q, b: s.add_network(b["Name"], b)),
        ("GET", "/networks/([^/]+)", lambda s, q, b, i: s.network(i)),
        ("POST", "/networks/([^/]+)/connect", lambda s, q, b, i: s.connect(s.network(i), s.container(b["Container"]), b.get("EndpointConfig"))),
        ("POST", "/networks/([^/]+)/disconnect", lambda s, q, b, i: s.disconnect(s.network(i), s.container(b["Container"]))),
        ("DELETE", "/networks/([^/]+)", lambda s, q, b, i: s.networks.pop(s.network(i)["Id"]) and None),
        ("GET", "/images/json", lambda s, q, b: s.names(q)),
        ("GET", "/images/(.+)/json", lambda s, q, b, i: s.image(i)),
        ("GET", "/images/(.+)/get", lambda s, q, b, i: s.save(i)),
        ("POST", "/images/create", lambda s, q, b: s.pull(q["fromImage"], q["tag"])),
        ("POST", "/images/load", lambda s, q, b: s.load(b)),
        ("POST", "/images/(.+)/tag", lambda s, q, b, i: s.tag(s.image(i), f"{q['repo']}:{q['tag']}")),
        ("POST", "/images/(.+)/push", lambda s, q, b, i: s.push(i, q["tag"])),
        ("POST", "/build", lambda s, q, b: s.build(q, b)),
        ("GET", "/distribution/(.+)/json", lambda s, q, b, i: s.described(i)),
        ("DELETE", "/images/(.+)", lambda s, q, b, i: s.untag(i, q.get("force") in ("True", "true", "1"))),
    ]

    def drop(self, c):
        if c["State"]["Paused"]:
            raise Refused(409, "cannot remove: Unpause the container before stopping or killing")
        for network in self.networks.values():
            network["Containers"].pop(c["Id"], None)
        self.containers.pop(c["Id"])


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def call(self):
        url = urllib.parse.urlsplit(self.path)
        path = re.sub(r"^/v1\.\d+", "", urllib.parse.unquote(url.path))
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                data += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        status, told = 200, None
        try:
            body = data if path in ("/images/load", "/build") else json.loads(data) if data else None
            query = urllib.parse.parse_qs(url.query) if path == "/build" else dict(urllib.parse.parse_qsl(url.query))
            for name in ("X-Registry-Auth", "X-Registry-Config"):
                if self.headers.get(name):
                    self.server.engine.headers[path] = json.loads(base64.urlsafe_b64decode(self.headers[name]))
            told = self.server.engine.answer(self.command, path, query, body)
        except Refused as e:
            status, told = e.status, {"message": str(e)}
        streams = (path in ("/images/create", "/images/load", "/build") or path.endswith("/push")) and isinstance(told, list)
        out = told if isinstance(told, bytes) else b"" if told is None else \
            b"".join(json.dumps(t).encode() + b"\r\n" for t in told) if streams and isinstance(told, list) else json.dumps(told).encode()
        self.send_response(201 if path.endswith("/tag") and status == 200 else status if told is not None else 204)
        if told is not None:
            self.send_header("Content-Type", "application/json")
            self.send_header(*(("Transfer-Encoding", "chunked") if streams else ("Content-Length", str(len(out)))))
        self.end_headers()
        self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(out), out) if streams and told is not None else out)

    do_GET = do_POST = do_DELETE = call

    def log_message(self, *args):
        pass

    def address_string(self):
        return "socket"


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Who asks may go before the answer is out."""


def serve(path, engine):
    """The engine on a socket; close with shutdown()."""
    server = Server(str(path), Handler)
    server.engine = engine
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
