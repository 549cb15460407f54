"""Services of AWS's JSON protocol on loopback, as strict as botocore's own model: signature, operation, every member.

    with AwsDoor() as door:
        subprocess.run([...], env={**os.environ, **door.env()})
        door.calls                # [(operation, parameters)], those that were accepted
        door.refusals             # why others were not
        door.answer["PutEvents"] = (403, "AccessDeniedException")   # from now on
"""
import hashlib
import http.server
import json
import threading

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.session
import botocore.validate

KEY, SECRET, REGION = "AKIDHOLDFASTTEST", "a-secret-of-the-tests", "eu-west-1"
INSTANCE = "i-0123456789abcdef0"
SERVICES = {"AmazonSSM": "ssm", "Logs_20140328": "logs", "AWSEvents": "events"}
TOKEN = "imds-token"


class AwsDoor:
    def __init__(self):
        loader = botocore.session.get_session()
        self.models = {prefix: loader.get_service_model(name) for prefix, name in SERVICES.items()}
        self.calls, self.refusals, self.answer = [], [], {}
        self.groups = set()
        self.lock = threading.Lock()
        door = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                with door.lock:
                    status, answer = door.serve(self.headers, body)
                self._send(status, json.dumps(answer).encode())

            def do_PUT(self):  # the instance metadata service's token
                self.rfile.read(int(self.headers.get("content-length", 0)))
                token = self.path == "/latest/api/token"
                self._send(200 if token else 403, TOKEN.encode() if token else b"<Error><Code>AccessDenied</Code></Error>")

            def do_GET(self):
                good = self.path == "/latest/meta-data/instance-id" and self.headers.get("x-aws-ec2-metadata-token") == TOKEN
                self._send(200 if good else 404, INSTANCE.encode() if good else b"")

            def _send(self, status, body):
                self.send_response(status)
                self.send_header("content-type", "application/x-amz-json-1.1")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def env(self):
        return {"AWS_ENDPOINT_URL": self.url, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": REGION,
                "AWS_EC2_METADATA_SERVICE_ENDPOINT": self.url}

    def serve(self, headers, body):
        prefix, _, operation = headers.get("x-amz-target", "").partition(".")
        why = self.fault(prefix, operation, headers, body)
        if why:
            self.refusals.append(f"{operation}: {why}")
            return 400, {"__type": "ValidationException", "message": why}
        if operation in self.answer:
            status, code = self.answer[operation]
            return status, {"__type": code, "message": "as the test wishes"}
        parameters = json.loads(body)
        if operation == "PutLogEvents" and (parameters["logGroupName"], parameters["logStreamName"]) not in self.groups:
            return 400, {"__type": "ResourceNotFoundException", "message": "The specified log stream does not exist."}
        if operation == "CreateLogStream":
            if (parameters["logGroupName"], None) not in self.groups:
                return 400, {"__type": "ResourceNotFoundException", "message": "The specified log group does not exist."}
            self.groups.add((parameters["logGroupName"], parameters["logStreamName"]))
        if operation == "CreateLogGroup":
            self.groups.add((parameters["logGroupName"], None))
        self.calls.append((operation, parameters))
        return 200, {"FailedEntryCount": 0, "Entries": [{"EventId": "1"} for _ in parameters["Entries"]]} if operation == "PutEvents" else {}

    def fault(self, prefix, operation, headers, body):
        model = self.models.get(prefix)
        if model is None or operation not in model.operation_names:
            return f"no operation {prefix}.{operation}"
        if not headers.get("content-type", "").startswith("application/x-amz-json-1."):
            return "the content type is wrong"
        parameters = json.loads(body)
        report = botocore.validate.ParamValidator().validate(parameters, model.operation_model(operation).input_shape)
        if report.has_errors():
            return report.generate_report()
        return self.bounds(operation, parameters) or self.signature(SERVICES[prefix], headers, body)

    @staticmethod
    def bounds(operation, p):
        """What the services demand beyond the shapes."""
        if operation == "PutLogEvents":
            times = [e["timestamp"] for e in p["logEvents"]]
            size = sum(len(e["message"].encode()) + 26 for e in p["logEvents"])
            if times != sorted(times) or times[-1] - times[0] > 86400000 or size > 1 << 20:
                return "events out of order, too far apart or too large"
        if operation == "PutEvents":
            if any(not isinstance(json.loads(e["Detail"]), dict) for e in p["Entries"]) or len(json.dumps(p)) > 256 << 10:
                return "a detail that is none, or too much"
        if operation == "PutComplianceItems" and len({i["Id"] for i in p["Items"]}) != len(p["Items"]):
            return "items of the same name"
        return None

    def signature(self, service, headers, body):
        given = headers.get("authorization", "")
        signed = dict(part.strip().split("=", 1) for part in given.partition(" ")[2].split(","))
        request = botocore.awsrequest.AWSRequest("POST", f"http://{headers['host']}/", data=body)
        for name in signed["SignedHeaders"].split(";"):
            if name != "host":
                request.headers[name] = headers[name]
        request.context["timestamp"] = headers["x-amz-date"]
        auth = botocore.auth.SigV4Auth(botocore.credentials.Credentials(KEY, SECRET), service, REGION)
        request.headers["X-Amz-Content-SHA256"] = hashlib.sha256(body).hexdigest()
        canonical = auth.canonical_request(request) if "x-amz-content-sha256" in signed["SignedHeaders"] else None
        if canonical is None:
            del request.headers["X-Amz-Content-SHA256"]
            canonical = auth.canonical_request(request)
        want = auth.signature(auth.string_to_sign(request, canonical), request)
        if not {"host", "x-amz-date", "x-amz-target", "content-type"} <= set(signed["SignedHeaders"].split(";")):
            return f"signed are only {signed['SignedHeaders']}"
        return None if want == signed["Signature"] else "the signature does not match"

    def of(self, operation):
        with self.lock:
            return [p for name, p in self.calls if name == operation]

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
