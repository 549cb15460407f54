"""A scripted HTTP server for faults: a function gets each request and says what goes back on the wire, or when.

    def script(request, number): return reply(503, headers={"Retry-After": "1"}) if number == 1 else reply(200, b"ok")
    with Faulty(script) as server: ... server.url ... server.requests
"""
import http.server
import socket
import threading
import time


class Raw:
    """Bytes as they are, then the connection is closed; pauses are seconds between pieces."""

    def __init__(self, *pieces, pause=0.0):
        self.pieces = pieces
        self.pause = pause


def reply(status, body=b"", headers=None, length=None):
    lines = [f"HTTP/1.1 {status} X"]
    for name, value in {"Connection": "close", "Content-Length": len(body) if length is None else length, **(headers or {})}.items():
        lines.append(f"{name}: {value}")
    return Raw(("\r\n".join(lines) + "\r\n\r\n").encode() + body)


class Request:
    def __init__(self, method, path, headers, body):
        self.method, self.path, self.headers, self.body = method, path, headers, body


class Faulty:
    def __init__(self, script):
        self.script = script
        self.requests = []
        self.times = []
        self.stopping = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                size = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(size)
                outer.requests.append(Request(self.command, self.path, self.headers, body))
                outer.times.append(time.monotonic())
                raw = outer.script(outer.requests[-1], len(outer.requests))
                self.close_connection = True
                try:
                    for piece in raw.pieces:
                        if outer.stopping.is_set():
                            return
                        self.wfile.write(piece)
                        self.wfile.flush()
                        if raw.pause:
                            outer.stopping.wait(raw.pause)
                except OSError:
                    pass

            do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = answer

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            address_family = socket.AF_INET
            request_queue_size = 128

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.server.shutdown()
        self.server.server_close()
