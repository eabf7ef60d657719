#!/usr/bin/env python3
"""docs/proxies/nginx.conf and haproxy.cfg as they are, but for ports and folders, in front of a running daemon."""

import json
import os
import subprocess
import sys
import unittest
from pathlib import Path

from offhook import PEERS, Connection, Daemon, answers, ask, bearer, certificate, free_port, scratch, token, trusting, wait_for

PAGES = Path(os.environ.get("OFFHOOK_PROXIES", "docs/proxies"))
NAME = "voice.example.com"
SOCKET = "/api/v1/web/ws?to=echo"


def replaced(text, pairs):
    for old, new in pairs:
        assert old in text, f"{old!r} is no more in the page"
        text = text.replace(old, new)
    return text


class Proxied:
    """What has to hold behind either of them."""

    program = ""

    @classmethod
    def setUpClass(cls):
        if not (PEERS / cls.program).exists():
            raise unittest.SkipTest(f"no {cls.program}: run scripts/peers")
        cls.scratch = scratch()
        cls.folder = Path(cls.scratch.name)
        cls.folder.chmod(0o755)
        cls.cert, cls.key = certificate(cls.folder, NAME)
        cls.tls = trusting(cls.cert)
        cls.operator, digest = token("o")
        cls.daemon = Daemon(cls.folder, f'hosts = ["{NAME}"]\nproxies = ["127.0.0.1", "::1"]',
                            f'[[token]]\nname = "ops"\nscopes = ["admin"]\nsha256 = "{digest}"\n')
        cls.port = free_port()
        cls.log = open(cls.folder / "proxy.log", "wb")
        libraries = ":".join(str(place) for place in (PEERS / "usr/lib").glob("*-linux-gnu"))
        cls.proxy = subprocess.Popen(cls.command(), stdout=cls.log, stderr=cls.log, env={**os.environ, "LD_LIBRARY_PATH": libraries})
        assert wait_for(lambda: answers(cls.port) or cls.proxy.poll() is not None), "it does not listen"
        assert cls.proxy.poll() is None, (cls.folder / "proxy.log").read_text()

    @classmethod
    def tearDownClass(cls):
        cls.proxy.terminate()
        try:
            cls.proxy.wait(10)
        except subprocess.TimeoutExpired:
            cls.proxy.kill()
            cls.proxy.wait()
        cls.daemon.stop()
        cls.log.close()
        cls.scratch.cleanup()

    def connect(self):
        return Connection(self.port, self.tls, NAME)

    @property
    def host(self):
        return f"{NAME}:{self.port}"

    def ask(self, method, path, headers=(), body=b""):
        with self.connect() as connection:
            return connection.request(method, path, headers, body, self.host)

    def test_requests_get_through(self):
        self.assertTrue(wait_for(lambda: self.ask("GET", "/livez").status == 200))
        self.assertEqual(self.ask("GET", "/api/v1/calls").status, 401)
        self.assertEqual(self.ask("GET", "/api/v1/calls", bearer(self.operator)).status, 200)
        with self.connect() as connection:  # one connection, many requests
            for _ in range(5):
                self.assertEqual(connection.request("GET", "/api/v1/calls", bearer(self.operator), host=self.host).status, 200)

    def test_who_comes_by_a_proxy_is_a_stranger(self):
        self.assertEqual(set(json.loads(self.ask("GET", "/health").body)), {"status", "draining", "summary"})

    def test_a_websocket_and_what_the_daemon_knows_of_it(self):
        forged = ["X-Forwarded-For: 203.0.113.5", "Forwarded: for=203.0.113.5", "X-Real-IP: 203.0.113.5"]
        with self.connect() as connection:
            opened = connection.upgrade(SOCKET, [f"Origin: https://{self.host}", *forged], self.host)
            self.assertEqual(opened.status, 101)
            self.assertEqual(json.loads(connection.text())["type"], "welcome")
            for size in (10, 60_000):  # a small message, and one of many packets
                connection.send_text(json.dumps({"type": "candidate", "more": "x" * size}))
                self.assertEqual(json.loads(connection.text())["type"], "error", "the first message is join")
            listed = json.loads(ask(self.daemon.port, "GET", "/api/v1/connections", bearer(self.operator)).body)["items"]
            self.assertEqual([item["forwarded_for"] for item in listed], ["127.0.0.1"], "its address, not what it wrote itself")

    def test_foreign_pages_stay_out(self):
        for origin in ("https://evil.example", "null", f"https://{NAME}.evil.example", f"https://{NAME}:{self.port + 1}"):
            with self.connect() as connection:
                self.assertEqual(connection.upgrade(SOCKET, ["Origin: " + origin], self.host).status, 403, origin)
        with self.connect() as connection:
            self.assertEqual(connection.upgrade(SOCKET, [], self.host).status, 401, "no browser, no token")

    def test_large_bodies_are_refused(self):
        headers = ["Content-Type: application/json", *bearer(self.operator)]
        answer = self.ask("POST", "/api/debug/cleanup-connections", headers, b" " * 200_000)
        self.assertEqual(answer.status, 413)
        self.assertEqual(self.ask("POST", "/api/debug/cleanup-connections", headers, b'{"dry_run":true}').status, 200)

    def test_wrong_tokens_are_counted_by_who_is_behind(self):
        with Connection(self.daemon.port) as direct:
            for _ in range(10):
                direct.request("GET", "/api/v1/calls", ["X-Forwarded-For: 198.51.100.7", *bearer("wrong")])
        self.assertEqual(self.ask("GET", "/api/v1/calls", bearer(self.operator)).status, 200)


class Nginx(Proxied, unittest.TestCase):
    program = "usr/sbin/nginx"

    @classmethod
    def command(cls):
        inner = "".join(f"    {kind}_temp_path {cls.folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        page = replaced((PAGES / "nginx.conf").read_text(), [
            ("/run/nginx.pid", f"{cls.folder}/nginx.pid"), ("/var/log/nginx", str(cls.folder)), ("listen 443", f"listen 127.0.0.1:{cls.port}"),
            (f"/etc/nginx/{NAME}.pem", str(cls.cert)), (f"/etc/nginx/{NAME}.key", str(cls.key)), ("127.0.0.1:5000", f"127.0.0.1:{cls.daemon.port}"),
            ("http {\n", "http {\n" + inner), ("worker_processes auto;", "worker_processes 1;" + ("\nuser root;" if os.getuid() == 0 else ""))])
        file = cls.folder / "nginx.conf"
        file.write_text(page)
        return [str(PEERS / cls.program), "-p", str(cls.folder), "-e", f"{cls.folder}/nginx.log", "-c", str(file), "-g", "daemon off;"]


class Haproxy(Proxied, unittest.TestCase):
    program = "usr/sbin/haproxy"

    @classmethod
    def command(cls):
        both = cls.folder / "both.pem"
        both.write_text(cls.cert.read_text() + cls.key.read_text())
        page = replaced((PAGES / "haproxy.cfg").read_text(), [
            ("bind :443", f"bind 127.0.0.1:{cls.port}"), (f"/etc/haproxy/{NAME}.pem", str(both)), ("127.0.0.1:5000", f"127.0.0.1:{cls.daemon.port}")])
        file = cls.folder / "haproxy.cfg"
        file.write_text(page)
        return [str(PEERS / cls.program), "-db", "-f", str(file)]


if __name__ == "__main__":
    unittest.main(verbosity=2, argv=sys.argv)
