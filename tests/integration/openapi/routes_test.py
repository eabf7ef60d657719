#!/usr/bin/env python3
"""Every route of a running daemon is in the document that it serves, with the scope it asks for, and nothing else is."""

import json
import re
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "doors"))
from offhook import Daemon, ask, scratch  # noqa: E402

METHODS = {"get", "put", "post", "delete", "options", "patch"}
EVERYTHING = '[web]\nwhip = true\nwhep = true\nbrowser = true\n[demo]\nenabled = true\ncaller_calls = false\n'


def security_of(scope):
    if not scope:
        return []
    return ([{}] if scope.endswith("?") else []) + [{"token": [scope.rstrip("?")]}]


class Routes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = scratch()
        cls.daemon = Daemon(cls.folder.name, more=EVERYTHING)
        cls.routes = json.loads(ask(cls.daemon.port, "GET", "/api/debug/routes").body)["items"]
        answer = ask(cls.daemon.port, "GET", "/openapi.json")
        assert answer.status == 200 and answer.headers["content-type"] == "application/json", answer
        cls.document = json.loads(answer.body)

    @classmethod
    def tearDownClass(cls):
        cls.daemon.stop()
        cls.folder.cleanup()

    def operations(self):
        return {(method.upper(), path): operation for path, item in self.document["paths"].items()
                for method, operation in item.items() if method in METHODS}

    def test_every_route_is_in_it_and_nothing_else(self):
        served = {(route["method"], route["pattern"]) for route in self.routes}
        written = set(self.operations())
        self.assertEqual(served - written, set(), "routes that are not in docs/openapi")
        self.assertEqual(written - served, set(), "operations of docs/openapi without a route")

    def test_each_asks_for_the_scope_of_its_route(self):
        for route in self.routes:
            operation = self.operations()[route["method"], route["pattern"]]
            with self.subTest(route=(route["method"], route["pattern"])):
                if not route["scope"] and operation["security"]:  # a lock of its own
                    # Of a token to join, or of one that comes with the first message of a WebSocket.
                    own = [{}, {"token": ["read"]}] if route["pattern"] == "/api/v1/live" else operation["security"]
                    self.assertEqual(operation["security"], own)
                    self.assertTrue(route["pattern"] == "/api/v1/live" or {"join": []} in operation["security"])
                else:
                    self.assertEqual(operation["security"], security_of(route["scope"]))
                # Some are a WebSocket to whoever asks for one, and something else to others.
                if route["websocket"]:
                    self.assertIn("101", operation["responses"])
                self.assertTrue(any(status == "101" or status.startswith("2") for status in operation["responses"]))

    def test_the_parameters_of_each_path_are_described(self):
        parameters = self.document["components"]["parameters"]
        for (method, path), operation in self.operations().items():
            described = set()
            for each in self.document["paths"][path].get("parameters", []) + operation.get("parameters", []):
                each = parameters[each["$ref"].rsplit("/", 1)[1]] if "$ref" in each else each
                if each["in"] == "path":
                    described.add(each["name"])
            self.assertEqual(described, set(re.findall(r"\{(\w+)\}", path)), (method, path))


if __name__ == "__main__":
    unittest.main(verbosity=2)
