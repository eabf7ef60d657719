#!/usr/bin/env python3
"""Every route of a daemon with a live call is asked, and answers as the document says; so that none is described that nobody tried.

    live_test.py openapi.json"""

import json
import re
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "doors"))
from answers_test import Document, faults  # noqa: E402
from offhook import PROGRAM, Daemon, ask, scratch, wait_for  # noqa: E402

JSON = ["Content-Type: application/json"]
# What each live call has; a recording only some.
OF_A_CALL = ["/api/v1/calls/{id}" + part for part in ("", "/stats", "/webrtc-stats", "/history", "/diagnosis", "/hops", "/messages")]
# What changes something, in an order that works: method, path, body, status. {call} and {channel} are there.
CHANGES = [
    ("PUT", "/api/v1/log-level", {"level": "info"}, 200),
    ("PUT", "/api/v1/log-level", {"level": "loud"}, 400),
    ("POST", "/api/v1/channels", {"name": "support"}, 201),
    ("POST", "/api/v1/channels", {"name": "support"}, 409),
    ("POST", "/api/v1/channels/support/tokens", {"user": "anna"}, 201),
    ("POST", "/api/v1/channels/support/members/m-000000000000/mute", {"muted": True}, 404),
    ("DELETE", "/api/v1/channels/support", None, 204),
    ("POST", "/api/debug/cleanup-connections", {"dry_run": True}, 200),
    ("POST", "/api/v1/calls", {"account": "nobody", "to": "101"}, 400),
    ("POST", "/api/v1/messages", {"account": "nobody", "to": "101", "body": "hello"}, 400),
    ("POST", "/api/v1/calls/{call}/dtmf", {"digits": "12"}, 202),
    ("POST", "/api/v1/calls/{call}/dtmf", {"digits": "x"}, 400),
    ("POST", "/api/v1/calls/{call}/ringcentral/park", None, 409),
    ("POST", "/api/v1/calls/{call}/supervise", {"mode": "listen", "user": "anna"}, 201),
    ("POST", "/api/v1/calls/{call}/hangup", None, 202),
]


class Live(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = scratch()
        cls.daemon = Daemon(cls.folder.name, more='[[channel]]\nname = "sales"\n')
        cls.document = Document(sys.argv[1])
        sip = re.search(r"udp:127\.0\.0\.1:(\d+)", ask(cls.daemon.port, "GET", "/health").body.decode()).group(1)
        cls.caller = subprocess.Popen([PROGRAM, "call", f"sip:echo@127.0.0.1:{sip}", "--seconds", "120"],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert wait_for(lambda: any(call["state"] == "answered" for call in cls.calls()))
        cls.id = cls.calls()[0]["id"]
        # Two seconds of figures, so that what is sampled is there.
        assert wait_for(lambda: cls.calls()[0]["duration_ms"] > 2200)

    @classmethod
    def tearDownClass(cls):
        cls.caller.kill()
        cls.caller.wait()
        cls.daemon.stop()
        cls.folder.cleanup()

    @classmethod
    def calls(cls):
        return json.loads(ask(cls.daemon.port, "GET", "/api/v1/calls").body)["items"]

    def check(self, method, path, answer):
        _, found = faults(self.document, {"method": method, "path": path, "status": answer.status, "body": answer.body.decode(),
                                          "content_type": answer.headers.get("content-type", "")})
        self.assertEqual(found, [], f"{method} {path}")

    def test_1_whatever_only_looks(self):
        served = {(route["method"], route["pattern"]) for route in json.loads(ask(self.daemon.port, "GET", "/api/debug/routes").body)["items"]}
        for pattern, item in self.document.json["paths"].items():
            for method in ("get", "options"):
                operation = item.get(method)
                if (method.upper(), pattern) not in served:  # the demonstration is switched on elsewhere
                    continue
                if "200" not in operation["responses"] and "204" not in operation["responses"]:
                    continue
                path = re.sub(r"\{id\}", self.id, pattern).replace("{name}", "sales").replace("{endpoint}", "echo")
                path = re.sub(r"\{\w+\}", "x", path)
                with self.subTest(path=path):
                    answer = ask(self.daemon.port, method.upper(), path)
                    # 404, 409, 503: there is no such thing, or not here; the document has to know.
                    self.assertIn(answer.status, (200, 204, 404, 409, 503), answer)
                    if pattern in OF_A_CALL:
                        self.assertEqual(answer.status, 200, answer)
                    self.check(method.upper(), path, answer)

    def test_2_whatever_changes(self):
        for method, path, body, status in CHANGES:
            path = path.replace("{call}", self.id)
            with self.subTest(method=method, path=path, body=body):
                answer = ask(self.daemon.port, method, path, JSON if body is not None else [], json.dumps(body).encode() if body is not None else b"")
                self.assertEqual(answer.status, status, answer)
                self.check(method, path, answer)


if __name__ == "__main__":
    unittest.main(verbosity=2, argv=sys.argv[:1])
