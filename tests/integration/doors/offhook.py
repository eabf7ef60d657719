"""A daemon, and clients that send exactly what they are told: bytes over TCP or TLS, nothing of a library between."""

import hashlib
import json
import os
import re
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROGRAM = os.environ.get("OFFHOOK_PROGRAM", "build/offhook")
HTTP_LOG = os.environ.get("OFFHOOK_HTTP_LOG", "")
KEPT_OF_A_KIND = 100
PEERS = Path(os.environ.get("OFFHOOK_PEERS", "build/peers"))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def token(letter):
    """A token that is easy to recognise where it should not be, and its digest."""
    text = "oht1." + letter * 43
    return text, hashlib.sha256(text.encode()).hexdigest()


def wait_for(what, limit=20):
    """Until it is true, asked again in between; False when it did not come."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.05)
    return False


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


class Daemon:
    def __init__(self, folder, http="", more="", environment=None, wait=True, media=""):
        self.port = 0
        self.config = Path(folder) / "offhook.toml"
        self.config.write_text(
            f'[http]\nlisten = "127.0.0.1:0"\n{http}\n[sip]\nlisten = ["udp:127.0.0.1:0"]\n'
            f'[media]\nrealtime = false\nworkers = 1\n{media}[state]\ndirectory = "{folder}"\n[log]\nformat = "json"\n{more}')
        ready, told = os.pipe()
        os.set_inheritable(told, True)
        self.log = open(Path(folder) / "offhook.log", "wb")
        self.process = subprocess.Popen(
            [PROGRAM, "serve", "--config", str(self.config), "--ready-fd", str(told)],
            stdout=self.log, stderr=self.log, pass_fds=[told], env={**os.environ, **(environment or {})})
        os.close(told)
        with os.fdopen(ready) as line:
            text = line.readline() if wait else ""
        found = re.search(r"http://127\.0\.0\.1:(\d+)", text)
        if wait and not found:
            self.stop()
            raise RuntimeError("the daemon does not become ready: " + self.output())
        self.port = int(found.group(1)) if found else 0

    def output(self):
        return Path(self.log.name).read_text(errors="replace")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


class HttpLog:
    """What Offhook answered, for tests/integration/openapi/answers_test.py: a file of this process."""

    def __init__(self):
        self.file, self.seen = None, {}
        if HTTP_LOG:
            Path(HTTP_LOG).mkdir(parents=True, exist_ok=True)
            self.file = open(Path(HTTP_LOG) / (Path(sys.argv[0]).stem + ".jsonl"), "w")

    def write(self, method, path, answer):
        # Every answer of Offhook has a Request-Id, and those of proxies have none.
        if not self.file or "request-id" not in answer.headers:
            return
        kind = (method, re.sub(r"[a-z]-[0-9a-f]{12}", "ID", path.split("?")[0]), answer.status)
        self.seen[kind] = self.seen.get(kind, 0) + 1
        if self.seen[kind] <= KEPT_OF_A_KIND:
            self.file.write(json.dumps({"method": method, "path": path, "status": answer.status,
                                        "content_type": answer.headers.get("content-type", ""), "body": answer.body.decode()}) + "\n")
            self.file.flush()


LOG = HttpLog()


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def __repr__(self):
        return f"{self.status} {self.body[:200]!r}"


class Connection:
    """One TCP connection; `tls` is a context, or none."""

    def __init__(self, port, tls=None, name="localhost"):
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname=name)
        self.pending = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def _more(self):
        block = self.socket.recv(65536)
        self.pending += block
        return bool(block)

    def _exactly(self, count):
        while len(self.pending) < count and self._more():
            pass
        taken, self.pending = self.pending[:count], self.pending[count:]
        return taken

    def request(self, method, path, headers=(), body=b"", host="localhost"):
        lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *headers]
        if body or method in ("POST", "PATCH"):
            lines.append(f"Content-Length: {len(body)}")
        try:
            self.send(("\r\n".join(lines) + "\r\n\r\n").encode() + body)
        except OSError:
            pass  # it was refused before it was read: the answer is there
        answer = self.answer()
        LOG.write(method, path, answer)
        return answer

    def answer(self):
        while b"\r\n\r\n" not in self.pending:
            if not self._more():
                return Answer(0, {}, b"")
        head, self.pending = self.pending.split(b"\r\n\r\n", 1)
        first, *rest = head.decode("latin-1").split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, value in (line.split(":", 1) for line in rest)}
        status = int(first.split()[1])
        if status == 101 or status == 204:
            return Answer(status, headers, b"")
        if headers.get("transfer-encoding") == "chunked":
            body = b""
            while True:
                while b"\r\n" not in self.pending:
                    self._more()
                size, self.pending = self.pending.split(b"\r\n", 1)
                block = self._exactly(int(size, 16) + 2)[:-2]
                if not block:
                    return Answer(status, headers, body)
                body += block
        return Answer(status, headers, self._exactly(int(headers.get("content-length", "0"))))

    def upgrade(self, path, headers=(), host="localhost"):
        """Asks for a WebSocket (RFC 6455 section 4.1)."""
        return self.request("GET", path, ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
                                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", *headers], host=host)

    def send_text(self, text):
        data, mask = text.encode(), os.urandom(4)
        size = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + struct.pack(">H", len(data))
        self.send(b"\x81" + size + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))

    def frame(self):
        """Operation code and payload; 8 when the connection ends."""
        head = self._exactly(2)
        if len(head) < 2:
            return 8, b""
        size = head[1] & 127
        if size == 126:
            size = struct.unpack(">H", self._exactly(2))[0]
        elif size == 127:
            size = struct.unpack(">Q", self._exactly(8))[0]
        return head[0] & 15, self._exactly(size)

    def text(self):
        """The next text message; empty when the connection ends."""
        while True:
            code, payload = self.frame()
            if code == 8:
                return ""
            if code == 1:
                return payload.decode()


def ask(port, method, path, headers=(), body=b"", host="localhost", tls=None):
    with Connection(port, tls) as connection:
        return connection.request(method, path, ["Connection: close", *headers], body, host)


def bearer(text):
    return ["Authorization: Bearer " + text]


def certificate(folder, name):
    """A certificate of its own for `name`: paths of certificate and key."""
    cert, key = Path(folder) / "cert.pem", Path(folder) / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=" + name, "-addext", "subjectAltName=DNS:" + name, "-keyout", key, "-out", cert],
                   check=True, capture_output=True)
    return cert, key


def trusting(cert):
    return ssl.create_default_context(cafile=str(cert))


def scratch():
    return tempfile.TemporaryDirectory(prefix="offhook-doors-")
