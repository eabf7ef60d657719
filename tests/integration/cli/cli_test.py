#!/usr/bin/env python3
"""The verbs of the command line against a running daemon with a live call."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "doors"))
from offhook import PROGRAM, Daemon, ask, scratch, token, wait_for  # noqa: E402


def offhook(*words, environment=None, limit=20):
    return subprocess.run([PROGRAM, *words], capture_output=True, text=True, timeout=limit,
                          env={**os.environ, "NO_COLOR": "1", **(environment or {})}, check=False)


def sip_port(daemon):
    return re.search(r"udp:127\.0\.0\.1:(\d+)", json.dumps(daemon.health())).group(1)


class OneDaemon(Daemon):
    def health(self):
        return json.loads(ask(self.port, "GET", "/health").body)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"


class Caller:
    """`offhook call`, for as long as it is needed."""

    def __init__(self, daemon):
        self.process = subprocess.Popen([PROGRAM, "call", f"sip:echo@127.0.0.1:{sip_port(daemon)}", "--seconds", "120"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self):
        self.process.kill()
        self.process.wait()


class Relay:
    """Between a client and a daemon: cuts what passes, and refuses, when it is told."""

    def __init__(self, port):
        self.target, self.is_open, self.passed, self.sockets = port, True, b"", []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if not self.is_open:
                client.close()
                continue
            server = socket.create_connection(("127.0.0.1", self.target))
            self.sockets += [client, server]
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pass, args=(source, sink), daemon=True).start()

    def _pass(self, source, sink):
        try:
            while block := source.recv(65536):
                # The daemon looks at Host: the client means it.
                if sink is not self.sockets[0]:
                    block = block.replace(self.url[7:].encode(), f"127.0.0.1:{self.target}".encode())
                self.passed += block
                sink.sendall(block)
        except OSError:
            pass
        for each in (source, sink):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def has_passed(self, text):
        return text in self.passed

    def refuse(self):
        self.is_open = False
        for each in self.sockets:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def let_through(self):
        self.is_open = True

    def close(self):
        self.refuse()
        self.listener.close()
        for each in self.sockets:
            each.close()


class Verbs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = scratch()
        cls.daemon = OneDaemon(cls.folder.name)
        cls.caller = Caller(cls.daemon)
        assert wait_for(lambda: cls.calls() and cls.calls()[0]["state"] == "answered"), cls.daemon.output()
        cls.id = cls.calls()[0]["id"]

    @classmethod
    def tearDownClass(cls):
        cls.caller.stop()
        cls.daemon.stop()
        cls.folder.cleanup()

    @classmethod
    def calls(cls):
        return json.loads(ask(cls.daemon.port, "GET", "/api/v1/calls").body)["items"]

    def run_verb(self, *words, code=0):
        done = offhook(*words, "--url", self.daemon.url)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout

    def test_calls(self):
        lines = self.run_verb("calls").splitlines()
        self.assertTrue(lines[0].startswith("ID "), lines)
        self.assertTrue(lines[1].startswith(self.id), lines)
        self.assertIn("answered", lines[1])
        self.assertEqual(self.run_verb("calls", "--ids"), self.id + "\n")
        self.assertEqual(json.loads(self.run_verb("calls", "--json"))["items"][0]["id"], self.id)
        self.assertEqual(self.run_verb("calls", "--state", "ended"), "there are none\n")

    def test_one_call_by_the_beginning_of_its_id(self):
        for written in (self.id, self.id[:6], self.id[2:5]):
            self.assertTrue(self.run_verb("calls", written).startswith(self.id), written)
        self.assertEqual(json.loads(self.run_verb("calls", self.id[2:6], "--json"))["id"], self.id)
        unknown = "c-000000" if not self.id.startswith("c-000000") else "c-111111"
        self.assertEqual(offhook("calls", unknown, "--url", self.daemon.url).returncode, 1)
        self.assertEqual(offhook("calls", "anna", "--url", self.daemon.url).returncode, 2)

    def test_a_diagnosis(self):
        done = offhook("diagnose", self.id[:7], "--url", self.daemon.url)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        shown = json.loads(offhook("diagnose", self.id, "--json", "--url", self.daemon.url).stdout)
        self.assertEqual(done.returncode, 0 if shown["healthy"] else 1)
        for issue in shown["issues"]:
            self.assertIn(issue["code"], done.stdout)

    def test_tail_comes_back_and_misses_nothing(self):
        def change(level):
            self.run_verb("log-level", level)

        relay = Relay(self.daemon.port)
        tail = subprocess.Popen([PROGRAM, "tail", "--json", "--types", "system.log_level", "--count", "3", "--url", relay.url],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            self.assertTrue(wait_for(lambda: relay.has_passed(b"Content-Type: text/event-stream")))
            change("info")
            first = json.loads(tail.stdout.readline())
            self.assertEqual((first["type"], first["data"]["level"]), ("system.log_level", "info"))
            relay.refuse()
            change("warning")  # told when it is back
            change("info")
            relay.let_through()
            missed = [json.loads(tail.stdout.readline()) for _ in range(2)]
            self.assertEqual([event["data"]["level"] for event in missed], ["warning", "info"])
            self.assertLess(first["seq"], missed[0]["seq"])
            self.assertEqual(tail.wait(10), 0)
            self.assertIn("trying again", tail.stderr.read())
        finally:
            tail.kill()
            tail.wait()
            tail.stdout.close()
            tail.stderr.close()
            relay.close()

    def test_tail_as_text(self):
        relay = Relay(self.daemon.port)
        tail = subprocess.Popen([PROGRAM, "tail", "--types", "system.*", "--count", "1", "--url", relay.url], stdout=subprocess.PIPE, text=True)
        try:
            self.assertTrue(wait_for(lambda: relay.has_passed(b"Content-Type: text/event-stream")))
            self.run_verb("log-level", "info")
            line = tail.stdout.readline()
            self.assertEqual(tail.wait(10), 0)
            self.assertRegex(line, r"^\d\d:\d\d:\d\d\.\d{3} warning system\.log_level: .* level=info by=\S+\n$")
        finally:
            tail.kill()
            tail.wait()
            tail.stdout.close()
            relay.close()

    def test_the_level_of_the_log(self):
        self.assertEqual(self.run_verb("log-level"), "info\n")
        self.assertEqual(self.run_verb("log-level", "debug"), "debug\n")
        self.assertEqual(json.loads(self.run_verb("log-level", "--json")), {"level": "debug"})
        self.assertEqual(self.run_verb("log-level", "info"), "info\n")
        self.run_verb("log-level", "loud", code=2)

    def test_tables(self):
        self.assertEqual(self.run_verb("channels"), "there are none\n")
        self.assertEqual(json.loads(self.run_verb("channels", "--json")), {"items": []})
        self.run_verb("channels", "sales", code=1)
        self.assertEqual(self.run_verb("accounts"), "no [[account]] is configured\n")
        self.assertIn("items", json.loads(self.run_verb("connections", "--json")))

    def test_nobody_there(self):
        for words in (["calls"], ["calls", "c-01"], ["diagnose", "c-01"], ["dump", "c-01"], ["hangup", "c-01"], ["cdr"], ["tail"],
                      ["channels"], ["connections"], ["accounts"], ["log-level"], ["drain"]):
            done = offhook(*words, "--url", "http://127.0.0.1:1")
            self.assertEqual(done.returncode, 69, (words, done.stderr))
            self.assertIn("is `offhook serve` running?", done.stderr)
        self.assertEqual(offhook("calls", "--url", "ftp://127.0.0.1").returncode, 2)


class EndsOfThings(unittest.TestCase):
    def test_hang_up_and_drain(self):
        with scratch() as folder:
            daemon = OneDaemon(folder)
            callers = [Caller(daemon)]
            try:
                def ids(*more):
                    return offhook("calls", "--ids", *more, "--url", daemon.url).stdout.split()
                self.assertTrue(wait_for(lambda: len(ids()) == 1))
                one = ids()[0]
                self.assertEqual(offhook("hangup", one[:8], "--url", daemon.url).returncode, 0)
                self.assertTrue(wait_for(lambda: one in ids("--state", "ended")))
                # An ended one is found as well, and hanging up again does no harm.
                self.assertEqual(offhook("hangup", one[:8], "--url", daemon.url).returncode, 0)
                self.assertIn("api-hangup", offhook("calls", "--state", "ended", "--url", daemon.url).stdout)
                callers.append(Caller(daemon))
                self.assertTrue(wait_for(lambda: len(ids()) == 1))
                drained = offhook("drain", "--timeout", "60", "--url", daemon.url)
                self.assertEqual((drained.returncode, drained.stdout), (0, "draining; calls left: 1\n"), drained.stderr)
                self.assertEqual(ask(daemon.port, "GET", "/readyz").status, 503)
                self.assertEqual(json.loads(offhook("drain", "--json", "--url", daemon.url).stdout)["calls"], 1)
                self.assertIsNone(daemon.process.poll())
                self.assertEqual(offhook("drain", "--timeout", "0", "--url", daemon.url).returncode, 0)
                self.assertEqual(daemon.process.wait(20), 0)
            finally:
                for caller in callers:
                    caller.stop()
                daemon.stop()

    def test_a_drain_without_calls_is_answered(self):
        with scratch() as folder:
            daemon = OneDaemon(folder)
            try:
                self.assertEqual(offhook("drain", "--url", daemon.url).stdout, "draining; calls left: 0\n")
                self.assertEqual(daemon.process.wait(20), 0)
            finally:
                daemon.stop()

    def test_who_may_not_is_told_so(self):
        with scratch() as folder:
            text, digest = token("r")
            daemon = OneDaemon(folder, more=f'[[token]]\nname = "looker"\nscopes = ["read"]\nsha256 = "{digest}"\n')
            try:
                file = Path(folder) / "token"
                file.write_text(text)
                environment = {"OFFHOOK_TOKEN_FILE": str(file)}
                without = offhook("calls", "--url", daemon.url)
                self.assertEqual(without.returncode, 77)
                self.assertIn("--token-file", without.stderr)
                self.assertEqual(offhook("calls", "--url", daemon.url, environment=environment).returncode, 0)
                self.assertEqual(offhook("calls", "--url", daemon.url, "--token-file", str(file)).returncode, 0)
                for words in (["drain"], ["log-level", "debug"], ["hangup", "c-000000000000"]):
                    refused = offhook(*words, "--url", daemon.url, environment=environment)
                    self.assertEqual(refused.returncode, 77, words)
                    self.assertIn("scope", refused.stderr)
            finally:
                daemon.stop()


if __name__ == "__main__":
    unittest.main(verbosity=2)
