#!/usr/bin/env python3
"""Who gets in: every route of a running daemon with every kind of token, foreign hosts and pages, and listening beyond loopback."""

import json
import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

from offhook import PROGRAM, Connection, Daemon, ask, bearer, scratch, token

SCOPES = ["read", "operate", "listen", "barge", "debug"]
# Routes that ask for no scope, and why. A new route is not among them unless its door has a lock of its own.
OPEN = {
    ("GET", "/health"), ("GET", "/livez"), ("GET", "/readyz"),  # little for strangers
    ("GET", "/docs"), ("GET", "/docs/{file}"), ("GET", "/openapi.json"),  # nothing of this daemon is in it
    ("POST", "/api/v1/session"),  # takes a one-time secret
    ("GET", "/"), ("GET", "/assets/{file}"),  # the page, which asks with a token itself
    ("OPTIONS", "/whip/{endpoint}"), ("OPTIONS", "/whip/{endpoint}/sessions/{session}"),
    ("OPTIONS", "/whep/{endpoint}"), ("OPTIONS", "/whep/{endpoint}/sessions/{session}"),
}
# They ask for their token by themselves: of [web], with scope operate, or to join.
DOORS = {
    ("POST", "/whip/{endpoint}"), ("PATCH", "/whip/{endpoint}/sessions/{session}"), ("DELETE", "/whip/{endpoint}/sessions/{session}"),
    ("POST", "/whep/{endpoint}"), ("PATCH", "/whep/{endpoint}/sessions/{session}"), ("DELETE", "/whep/{endpoint}/sessions/{session}"),
    ("GET", "/api/v1/web/ws"), ("GET", "/api/v1/channels/ws"),
    ("GET", "/api/v1/live"),  # read
}
TYPES = {("POST", "/whip/{endpoint}"): "application/sdp", ("POST", "/whep/{endpoint}"): "application/sdp"}


def tables():
    """One [[token]] for each scope, and one that may everything."""
    text, tokens = "", {}
    for letter, scope in zip("rolbda", SCOPES + ["admin"]):
        tokens[scope], digest = token(letter)
        text += f'[[token]]\nname = "{scope}er"\nscopes = ["{scope}"]\nsha256 = "{digest}"\n'
    return text, tokens


class WithTokens(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = scratch()
        more, cls.tokens = tables()
        cls.daemon = Daemon(cls.folder.name, 'origins = ["https://app.example.com"]\nhosts = ["voice.example.com"]\nproxies = ["127.0.0.1"]',
                            more + '[[channel]]\nname = "sales"\n')
        cls.port = cls.daemon.port
        answer = ask(cls.port, "GET", "/api/debug/routes", bearer(cls.tokens["debug"]))
        assert answer.status == 200, answer
        cls.routes = json.loads(answer.body)["items"]
        cls.sockets = [r["pattern"] + ("?to=a" if "/web/" in r["pattern"] else "") for r in cls.routes if r["websocket"]]
        assert cls.sockets

    @classmethod
    def tearDownClass(cls):
        cls.daemon.stop()
        cls.folder.cleanup()

    def try_route(self, route, headers, address="192.0.2.1"):
        """As a client of another machine, by a proxy that is believed."""
        path = re.sub(r"\{[a-z]+\}", "c-000000000000", route["pattern"])
        path += "?to=a" if path == "/api/v1/web/ws" else ""
        headers = ["X-Forwarded-For: " + address, *headers]
        key = (route["method"], route["pattern"])
        if route["websocket"]:
            with Connection(self.port) as connection:
                return connection.upgrade(path, headers)
        # No body and so no type: a JSON body that is missing is told behind the gate.
        if key in TYPES:
            headers.append("Content-Type: " + TYPES[key])
        return ask(self.port, route["method"], path, headers)

    def test_every_route_says_who_may(self):
        self.assertGreater(len(self.routes), 25)
        without = {(r["method"], r["pattern"]) for r in self.routes if not r["scope"] or r["scope"].endswith("?")}
        self.assertEqual(without - OPEN - DOORS, set(), "routes without a scope that are on no list here")
        for route in self.routes:
            self.assertIn(route["scope"].rstrip("?"), ["", *SCOPES, "admin"], route)

    def test_every_route_with_every_token(self):
        address = 0
        for route in self.routes:
            key = (route["method"], route["pattern"])
            if key in OPEN:
                continue
            needed = "operate" if key in DOORS else route["scope"]
            with self.subTest(route=key):
                address += 1
                of = f"192.0.2.{address}"  # wrong ones are counted by address
                self.assertEqual(self.try_route(route, [], of).status, 401)
                self.assertEqual(self.try_route(route, bearer("oht1." + "x" * 43), of).status, 401)
                self.assertEqual(self.try_route(route, bearer(self.tokens[needed][:-1]), of).status, 401)
                self.assertEqual(self.try_route(route, ["Authorization: Basic " + self.tokens[needed]], of).status, 401)
                for scope in SCOPES:
                    status = self.try_route(route, bearer(self.tokens[scope]), of).status
                    if scope == needed:
                        self.assertNotIn(status, (0, 401, 403, 429), scope)
                    elif key not in (("GET", "/api/v1/channels/ws"), ("GET", "/api/v1/live")):  # any token opens it; joining asks for more
                        self.assertEqual(status, 403, scope)
                if not route["pattern"].startswith("/api/v1/connections/") and key != ("POST", "/api/v1/drain"):
                    self.assertNotIn(self.try_route(route, bearer(self.tokens["admin"]), of).status, (0, 401, 403, 429))

    def test_strangers_see_little_of_health(self):
        by_proxy = ["X-Forwarded-For: 192.0.2.1"]
        little = json.loads(ask(self.port, "GET", "/health", by_proxy).body)
        self.assertEqual(set(little), {"status", "draining", "summary"})
        for headers in ([], by_proxy + bearer(self.tokens["read"])):
            self.assertIn("checks", json.loads(ask(self.port, "GET", "/health", headers).body))
        self.assertEqual(ask(self.port, "GET", "/livez", by_proxy).status, 200)
        self.assertEqual(ask(self.port, "GET", "/readyz", by_proxy).status, 200)

    def test_the_page_is_open_and_holds_no_secret(self):
        index = ask(self.port, "GET", "/", ["X-Forwarded-For: 192.0.2.1"])
        self.assertEqual(index.status, 200)
        self.assertTrue(index.headers["content-type"].startswith("text/html"))
        policy = index.headers["content-security-policy"]
        for rule in ("default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"):
            self.assertIn(rule, policy)
        self.assertNotIn("unsafe", policy)
        self.assertEqual(ask(self.port, "GET", "/", ["If-None-Match: " + index.headers["etag"]]).status, 304)
        for path in re.findall(rb'(?:src|href)="(/assets/[^"]+)"', index.body):
            asset = ask(self.port, "GET", path.decode())
            self.assertEqual(asset.status, 200, path)
            self.assertIn("immutable", asset.headers["cache-control"])
            self.assertEqual(asset.headers["x-content-type-options"], "nosniff")
        for path in ("/assets/nothing.js", "/assets/..%2Findex.html", "/index.html"):
            self.assertIn(ask(self.port, "GET", path).status, (400, 404), path)

    def test_ten_wrong_tokens_shut_one_address_out(self):
        def call(address, text):
            return ask(self.port, "GET", "/api/v1/calls", ["X-Forwarded-For: " + address, *bearer(text)])
        for _ in range(10):
            self.assertEqual(call("198.51.100.1", "wrong").status, 401)
        shut_out = call("198.51.100.1", self.tokens["read"])
        self.assertEqual(shut_out.status, 429)
        self.assertTrue(1 <= int(shut_out.headers["retry-after"]) <= 60)
        self.assertEqual(call("198.51.100.2", self.tokens["read"]).status, 200)
        # What the client itself wrote, one line above that of the proxy, changes nothing.
        forged = ask(self.port, "GET", "/api/v1/calls",
                     ["X-Forwarded-For: 203.0.113.9", "X-Forwarded-For: 198.51.100.1", *bearer(self.tokens["read"])])
        self.assertEqual(forged.status, 429)

    def test_foreign_pages(self):
        cleanup, operator = "/api/debug/cleanup-connections", bearer(self.tokens["debug"])
        own = f"localhost:{self.port}"
        for origin, is_ours in [("https://evil.example", False), ("null", False), ("https://app.example.com.evil.example", False),
                                ("https://app.example.com:444", False), ("http://app.example.com", False),
                                (f"http://localhost:{self.port + 1}", False), ("", True),
                                ("https://app.example.com", True), (f"http://localhost:{self.port}", True)]:
            headers = ["Origin: " + origin] if origin else []
            with self.subTest(origin=origin):
                status = ask(self.port, "POST", cleanup, headers + operator, host=own).status
                self.assertEqual(status, 200 if is_ours else 403)
                for path in self.sockets:
                    with Connection(self.port) as connection:
                        opened = connection.upgrade(path, headers + bearer(self.tokens["operate"]), host=own).status
                    self.assertEqual(opened, 101 if is_ours else 403, path)
        # Without Origin it is no browser: then the token comes at once.
        for path in self.sockets:
            with Connection(self.port) as connection:
                self.assertEqual(connection.upgrade(path, host=own).status, 401, path)
            with Connection(self.port) as connection:
                self.assertEqual(connection.upgrade(path, ["Origin: https://app.example.com"], host=own).status, 101, path)

    def test_nobody_gives_away_more_than_they_have(self):
        def mint(role, scope):
            return ask(self.port, "POST", "/api/v1/channels/sales/tokens", ["Content-Type: application/json", *bearer(self.tokens[scope])],
                       json.dumps({"user": "anna", "role": role}).encode())
        for role, status in [("speaker", 201), ("listen", 403), ("whisper", 403), ("barge", 403), ("take-over", 403)]:
            self.assertEqual(mint(role, "operate").status, status, role)
            self.assertEqual(mint(role, "admin").status, 201, role)
        join = json.loads(mint("speaker", "operate").body)["token"]
        self.assertEqual(ask(self.port, "GET", "/api/v1/calls", bearer(join)).status, 403, "good for the channel alone")

    def test_a_page_on_the_list_may_ask_what_it_may(self):
        asks = ["Access-Control-Request-Method: POST"]
        yes = ask(self.port, "OPTIONS", "/api/v1/calls", ["Origin: https://app.example.com", *asks])
        self.assertEqual(yes.status, 204)
        self.assertEqual(yes.headers["access-control-allow-origin"], "https://app.example.com")
        self.assertIn("Authorization", yes.headers["access-control-allow-headers"])
        no = ask(self.port, "OPTIONS", "/api/v1/calls", ["Origin: https://evil.example", *asks])
        self.assertEqual(no.status, 405)
        self.assertNotIn("access-control-allow-origin", no.headers)

    def test_foreign_hosts(self):
        for host, is_ours in [("evil.example", False), ("voice.example.com.evil.example", False), ("", False), ("localhost@evil", False),
                              ("voice.example.com", True), (f"127.0.0.1:{self.port}", True), ("[::1]", True)]:
            with self.subTest(host=host):
                self.assertEqual(ask(self.port, "GET", "/livez", host=host).status == 200, is_ours)
                with Connection(self.port) as connection:
                    opened = connection.upgrade(self.sockets[0], bearer(self.tokens["operate"]), host=host).status
                self.assertEqual(opened == 101, is_ours)

    def test_a_form_of_a_page_cleans_nothing_up(self):
        for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"):
            answer = ask(self.port, "POST", "/api/debug/cleanup-connections",
                         ["Content-Type: " + kind, *bearer(self.tokens["debug"])], b"a=b")
            self.assertEqual(answer.status, 415, kind)

    def test_secrets_are_nowhere(self):
        for scope in self.tokens:
            ask(self.port, "GET", "/api/v1/calls?token=" + self.tokens[scope], bearer(self.tokens[scope] + "-wrong"))
        shown = self.daemon.output() + Path(f"/proc/{self.daemon.process.pid}/cmdline").read_text()
        for path, scope in (("/health", "read"), ("/metrics", "read"), ("/api/debug/websocket-stats", "debug")):
            shown += ask(self.port, "GET", path, bearer(self.tokens[scope])).body.decode()
        for text in self.tokens.values():
            self.assertNotIn(text, shown)


class WithoutTokens(unittest.TestCase):
    def test_this_machine_alone_gets_in(self):
        with scratch() as folder:
            daemon = Daemon(folder)
            try:
                self.assertEqual(ask(daemon.port, "GET", "/api/v1/calls").status, 200)
                for header in ("X-Forwarded-For: 192.0.2.1", "Forwarded: for=127.0.0.1", "X-Real-IP: 127.0.0.1"):
                    answer = ask(daemon.port, "GET", "/api/v1/calls", [header])
                    self.assertEqual(answer.status, 403, header)
                    self.assertIn(b"offhook token new", answer.body)
                with Connection(daemon.port) as connection:
                    self.assertEqual(connection.upgrade("/api/v1/web/ws?to=a").status, 101)
                with Connection(daemon.port) as connection:
                    self.assertEqual(connection.upgrade("/api/v1/web/ws?to=a", ["Origin: https://evil.example"]).status, 403)
            finally:
                daemon.stop()

    def serve(self, listen, http, more=""):
        with scratch() as folder:
            config = Path(folder) / "offhook.toml"
            config.write_text(f'[http]\nlisten = "{listen}"\n{http}\n[sip]\nlisten = ["udp:127.0.0.1:0"]\n{more}')
            return subprocess.run([PROGRAM, "serve", "--config", str(config)], capture_output=True, text=True, timeout=60,
                                  env={**os.environ, "SHORT": "abc"})

    def test_the_daemon_does_not_listen_elsewhere(self):
        _, digest = token("z")
        ops = f'[[token]]\nname = "ops"\nscopes = ["read"]\nsha256 = "{digest}"\n'
        for http, more, sentence in [("", "", "there is no [[token]]"), ("allow_remote = true", "", "there is no [[token]]"),
                                     ("", ops, "http.allow_remote is false"),
                                     ("allow_remote = true", ops.replace("sha256", "# ") + 'token_env = "SHORT"\n', "could be guessed"),
                                     ("allow_remote = true", ops.replace("sha256", "token"), "token_file")]:
            with self.subTest(http=http, more=more):
                ended = self.serve("0.0.0.0:0", http, more)
                self.assertEqual(ended.returncode, 78, ended.stderr)
                self.assertIn(sentence, ended.stderr)


class Command(unittest.TestCase):
    def offhook(self, *words, environment=None):
        return subprocess.run([PROGRAM, *words], capture_output=True, text=True, timeout=60, env={**os.environ, **(environment or {})})

    def test_a_new_token_opens_the_daemon_that_got_its_table(self):
        made = self.offhook("token", "new", "--name", "ops", "--scope", "read", "--scope", "operate")
        self.assertEqual(made.returncode, 0, made.stderr)
        text = made.stdout.strip()
        table = made.stderr[made.stderr.index("[[token]]"):]
        self.assertNotIn(text, table)
        with scratch() as folder:
            daemon = Daemon(folder, more=table + '[[channel]]\nname = "sales"\n')
            try:
                url = f"http://127.0.0.1:{daemon.port}"
                self.assertEqual(ask(daemon.port, "GET", "/api/v1/calls", bearer(text)).status, 200)
                file = Path(folder) / "token"
                file.write_text(text + "\n")
                file.chmod(0o600)
                without = self.offhook("accounts", "--url", url)
                self.assertNotEqual(without.returncode, 0)
                self.assertIn("--token-file", without.stderr)
                for words, environment in ((["--token-file", str(file)], None), ([], {"OFFHOOK_TOKEN_FILE": str(file)})):
                    shown = self.offhook("accounts", "--url", url, "--json", *words, environment=environment)
                    self.assertIn('"items"', shown.stdout, shown.stderr)
                join = self.offhook("token", "join", "--channel", "sales", "--user", "anna", "--url", url, "--token-file", str(file))
                if "nothing is at this path" not in join.stderr:
                    self.assertEqual(join.returncode, 0, join.stderr)
                    self.assertTrue(join.stdout.startswith("ohj1."), join.stdout)
            finally:
                daemon.stop()

    def test_errors_say_what_to_do(self):
        self.assertEqual(self.offhook("token", "new", "--scope", "write").returncode, 2)
        self.assertEqual(self.offhook("token", "join", "--channel", "a/b", "--user", "anna").returncode, 2)
        nobody = self.offhook("token", "join", "--channel", "a", "--user", "anna", "--url", "http://127.0.0.1:1")
        self.assertEqual(nobody.returncode, 69)
        missing = self.offhook("token", "join", "--channel", "a", "--user", "anna", "--token-file", "/nowhere")
        self.assertEqual(missing.returncode, 2)
        self.assertIn("/nowhere", missing.stderr)
        self.assertIn("Examples:", self.offhook("token", "join", "--help").stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2, argv=sys.argv)
