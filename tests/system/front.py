"""A door in front of an S3 server: counts what goes through. The Host header goes through unchanged, so signatures stay good.

one_by_one lets conditional writes in one at a time: versitygw before 1.8 looks first and writes then, so that two
writers at once may both pass. S3 itself, and versitygw since, decide in one step.
"""
import http.client
import http.server
import socket
import threading


class Front:
    def __init__(self, port, one_by_one=False):
        self.behind, self.lock, self.count = port, threading.Lock(), threading.Lock()
        self.sent, self.puts = 0, []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def forward(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                with outer.count:
                    outer.sent += len(body)
                    if self.command == "PUT":
                        outer.puts.append((self.path, len(body)))
                if one_by_one and self.command == "PUT" and (self.headers.get("If-Match") or self.headers.get("If-None-Match")):
                    with outer.lock:
                        self.pass_on(body)
                else:
                    self.pass_on(body)

            def pass_on(self, body):
                connection = http.client.HTTPConnection("127.0.0.1", outer.behind, timeout=600)
                connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    if name.lower() not in ("expect", "connection"):
                        connection.putheader(name, value)
                connection.endheaders(body)
                answer = connection.getresponse()
                content = answer.read()
                self.send_response_only(answer.status, answer.reason)
                for name, value in answer.getheaders():
                    if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                        self.send_header(name, value)
                length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(content))
                self.send_header("Content-Length", length or "0")
                self.end_headers()
                self.wfile.write(content)
                connection.close()

            do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = forward

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            address_family = socket.AF_INET
            request_queue_size = 128

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]

    def reset(self):
        self.sent, self.puts = 0, []

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
