"""Events of a real call, as readers, receivers, a file and a collector get them."""

import hashlib
import hmac
import json
import os
import re
import signal
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "doors"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from bot import Bot  # noqa: E402
from offhook import PROGRAM, Connection, Daemon, ask, free_port, scratch, wait_for  # noqa: E402
from receiver import Receiver  # noqa: E402

SECRET = "0123456789abcdef-of-the-test"


class Stream(Connection):
    """Server-sent events, chunk by chunk."""

    def __init__(self, port, query="", headers=()):
        super().__init__(port)
        lines = [f"GET /api/v1/events?{query} HTTP/1.1", "Host: localhost", "Accept: text/event-stream", *headers]
        self.send(("\r\n".join(lines) + "\r\n\r\n").encode())
        while b"\r\n\r\n" not in self.pending:
            if not self._more():
                raise AssertionError("no answer")
        self.head, self.pending = self.pending.split(b"\r\n\r\n", 1)
        self.text_so_far = ""

    def event(self):
        """Id, name and data of the next one."""
        while True:
            if "\n\n" in self.text_so_far:
                block, self.text_so_far = self.text_so_far.split("\n\n", 1)
                fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
                if "data" in fields:
                    return fields["id"], fields["event"], json.loads(fields["data"])
                continue
            while b"\r\n" not in self.pending:
                if not self._more():
                    raise AssertionError("the stream ended")
            size, self.pending = self.pending.split(b"\r\n", 1)
            self.text_so_far += self._exactly(int(size, 16) + 2)[:-2].decode()

    def until(self, name):
        events = []
        while not events or events[-1][1] != name:
            events.append(self.event())
        return events


def monitor(port, query=""):
    connection = Connection(port)
    answer = connection.upgrade("/api/v1/events?" + query)
    assert answer.status == 101, answer
    return connection, json.loads(connection.text())


def until(connection, name):
    events = []
    while not events or events[-1]["type"] != name:
        events.append(json.loads(connection.text()))
    return events


def call(daemon, seconds=0.5):
    listeners = json.loads(ask(daemon.port, "GET", "/health").body)["listeners"]
    sip = next(each[4:] for each in listeners if each.startswith("udp:"))
    done = subprocess.run([PROGRAM, "call", f"sip:200@{sip}", "--seconds", str(seconds), "--wav", "none", "--quiet",
                           "--expect", "answered>=100"], capture_output=True, timeout=30)
    assert done.returncode == 0, done.stdout + done.stderr


def events(port, query=""):
    return json.loads(ask(port, "GET", "/api/v1/events?" + query).body)


class Events(unittest.TestCase):
    def setUp(self):
        self.scratch = scratch()
        self.folder = Path(self.scratch.name)
        os.chmod(self.folder, 0o700)
        self.addCleanup(self.scratch.cleanup)

    def daemon(self, more="", **options):
        daemon = Daemon(self.folder, more=more, **options)
        self.addCleanup(daemon.stop)
        return daemon

    def receiver(self, **options):
        receiver = Receiver(**options)
        self.addCleanup(receiver.stop)
        return receiver

    def webhook(self, port, more=""):
        secret = self.folder / "hook.secret"
        secret.write_text(SECRET)
        secret.chmod(0o600)
        return f'[[webhook]]\nname = "hook"\nurl = "http://127.0.0.1:{port}/in"\nsecret_file = "{secret}"\n{more}\n'

    def check_delivery(self, post):
        parts = dict(part.split("=", 1) for part in post["headers"]["offhook-signature"].split(","))
        wanted = hmac.new(SECRET.encode(), parts["t"].encode() + b"." + post["body"], hashlib.sha256).hexdigest()
        self.assertEqual(wanted, parts["v1"])
        body = json.loads(post["body"])
        self.assertEqual(body["delivery"], post["headers"]["offhook-delivery"])
        return body

    def test_every_reader_sees_the_same_in_order(self):
        daemon = self.daemon()
        socket, hello = monitor(daemon.port, "after=0")
        stream = Stream(daemon.port, "after=0")
        self.assertEqual(hello["type"], "hello")
        call(daemon)
        by_socket = until(socket, "call.ended")
        by_stream = stream.until("call.ended")
        self.assertEqual([event["seq"] for event in by_socket], list(range(1, len(by_socket) + 1)))
        self.assertEqual(by_socket, [data for _, _, data in by_stream])
        self.assertEqual([each[0] for each in by_stream], [f"{hello['instance']}-{e['seq']}" for e in by_socket])
        self.assertEqual(by_socket, events(daemon.port, "after=0")["items"][:len(by_socket)])
        kinds = [event["type"] for event in by_socket]
        for name in ("call.incoming", "call.answered", "rtp.first_packet_sent", "call.ended"):
            self.assertIn(name, kinds)
        answered = next(e for e in by_socket if e["type"] == "call.answered")["data"]
        self.assertEqual((answered["route"], answered["ai"], answered["codec"]), ("default", "echo", "PCMU"))
        ended = by_socket[-1]["data"]
        self.assertEqual((ended["class"], ended["route"], ended["codec"], ended["direction"]), ("success", "default", "PCMU", "inbound"))
        self.assertGreater(ended["duration_ms"], 300)
        kinds = json.loads(ask(daemon.port, "GET", "/api/v1/connections?kind=monitor").body)
        self.assertEqual(kinds["total"], 1)
        socket.__exit__()
        stream.__exit__()

    def test_filters_and_resume(self):
        daemon = self.daemon()
        call(daemon)
        call(daemon)
        whole = events(daemon.port, "after=0&limit=1000")
        ids = [e["call"] for e in whole["items"] if e["type"] == "call.incoming"]
        self.assertEqual(len(ids), 2)
        mine = events(daemon.port, f"after=0&call={ids[0]}&types=call.*")["items"]
        self.assertEqual([e["type"] for e in mine], ["call.incoming", "call.answered", "call.ended"])
        self.assertEqual({e["call"] for e in mine}, {ids[0]})
        self.assertEqual(events(daemon.port, "after=0&level=error")["items"], [])
        first = events(daemon.port, "after=0&limit=3")
        rest = events(daemon.port, f"after={first['next']}&limit=1000")
        self.assertEqual(first["items"] + rest["items"], events(daemon.port, "after=0&limit=1000")["items"])
        self.assertEqual(ask(daemon.port, "GET", "/api/v1/events?after=x").status, 400)
        # A reader that comes back misses nothing and gets nothing twice.
        stream = Stream(daemon.port, "", [f"Last-Event-ID: {whole['instance']}-2"])
        self.assertEqual(stream.event()[2]["seq"], 3)
        stream.__exit__()
        socket, hello = monitor(daemon.port, f"after={whole['instance']}-{whole['newest']}&types=call.*")
        call(daemon)
        self.assertEqual([e["type"] for e in until(socket, "call.ended")], ["call.incoming", "call.answered", "call.ended"])
        socket.__exit__()

    def test_a_gap_is_told(self):
        daemon = self.daemon("[events]\nkeep = 100\n")
        for _ in range(110):  # each is an event: nobody may register here
            ask(daemon.port, "POST", "/api/v1/channels", ["Content-Type: application/json"],
                json.dumps({"name": f"room-{_}"}).encode())
        now = events(daemon.port, "after=1")
        self.assertEqual((now["gap"]["from"], now["gap"]["to"]), (2, now["oldest"] - 1))
        self.assertEqual(now["items"][0]["seq"], now["oldest"])
        socket, _ = monitor(daemon.port, "after=1")
        self.assertEqual(json.loads(socket.text())["type"], "gap")
        self.assertEqual(json.loads(socket.text())["seq"], now["oldest"])
        socket.__exit__()
        stream = Stream(daemon.port, "after=0123456789abcdef-7")
        _, name, gap = stream.event()
        self.assertEqual((name, gap), ("gap", {"type": "gap", "from": 8, "to": None, "instance": "0123456789abcdef"}))
        self.assertEqual(stream.event()[1], "gap")
        self.assertEqual(stream.event()[2]["seq"], now["oldest"])
        stream.__exit__()

    def test_a_webhook_gets_each_event_signed(self):
        # The first tries fail in every way; the order stays, and each delivery keeps its id.
        answers = {0: 500, 1: 302, 2: (0.2, 200)}
        receiver = self.receiver(behave=lambda posts: answers.get(len(posts), 200))
        daemon = self.daemon(self.webhook(receiver.port))
        call(daemon)
        self.assertTrue(wait_for(lambda: b"call.ended" in b"".join(post["body"] for post in receiver.taken())))
        posts = receiver.all()
        bodies = [self.check_delivery(post) for post in posts]
        self.assertEqual(len({body["delivery"] for body in bodies[:3]}), 1)
        self.assertEqual([posts[i]["headers"]["offhook-attempt"] for i in range(3)], ["1", "2", "3"])
        self.assertNotIn("/elsewhere", [post["path"] for post in posts])
        taken = [event["seq"] for post in receiver.taken() for event in json.loads(post["body"])["events"]]
        self.assertEqual(taken, list(range(1, len(taken) + 1)))
        metrics = ask(daemon.port, "GET", "/metrics").body.decode()
        self.assertRegex(metrics, r'offhook_webhook_deliveries_total\{result="failed"\} 2')

    def test_a_webhook_that_is_away_gets_all_of_it_later_also_from_the_next_process(self):
        port = free_port()
        daemon = self.daemon(self.webhook(port, 'types = ["call.*"]'))
        call(daemon)
        spool = self.folder / "webhook-hook"
        self.assertTrue(wait_for(lambda: any(b"call.ended" in path.read_bytes() for path in spool.glob("*.json"))))
        before = [e for e in events(daemon.port, "after=0&types=call.*")["items"]]
        daemon.process.kill()
        daemon.stop()
        receiver = self.receiver(port=port)
        self.daemon(self.webhook(port, 'types = ["call.*"]'))
        self.assertTrue(wait_for(lambda: b"call.ended" in b"".join(post["body"] for post in receiver.taken())))
        taken = [event for post in receiver.taken() for event in self.check_delivery(post)["events"]]
        self.assertEqual(taken, before)
        self.assertTrue(wait_for(lambda: not list(spool.glob("*.json"))))

    def test_a_file_has_every_event_and_is_rotated(self):
        path = self.folder / "events.jsonl"
        daemon = self.daemon(f'[events]\nfile = "{path}"\n')
        call(daemon)
        whole = events(daemon.port, "after=0&limit=1000")["items"]
        lines = lambda file: [json.loads(line) for line in file.read_text().splitlines()]  # noqa: E731
        self.assertTrue(wait_for(lambda: len(lines(path)) >= len(whole)))
        self.assertEqual(lines(path)[:len(whole)], whole)
        path.rename(path.with_suffix(".1"))
        daemon.process.send_signal(signal.SIGHUP)
        self.assertTrue(wait_for(path.exists))
        self.assertTrue(wait_for(lambda: any(e["type"] == "pipeline.reloaded" for e in lines(path))))

    def test_a_full_disk_is_told_once_and_counted(self):
        daemon = self.daemon('[events]\nfile = "/dev/full"\n')
        call(daemon)
        whole = events(daemon.port, "after=0&types=events.file_failed")["items"]
        self.assertEqual(len(whole), 1)
        self.assertIn("No space left", whole[0]["message"])
        dropped = re.search(r'offhook_events_dropped_total\{sink="file"\} (\d+)', ask(daemon.port, "GET", "/metrics").body.decode())
        self.assertGreater(int(dropped.group(1)), 3)

    def test_traces_reach_the_bot_and_the_collector(self):
        bot = Bot()
        self.addCleanup(bot.stop)
        collector = self.receiver()
        daemon = self.daemon(f'[otlp]\nendpoint = "http://127.0.0.1:{collector.port}"\n'
                             f'[[ai]]\nname = "bot"\nprotocol = "plain"\nurl = "ws://127.0.0.1:{bot.port}/"\n',
                             environment={"OTEL_SERVICE_NAME": "desk", "OTEL_EXPORTER_OTLP_HEADERS": "x-key=a%20b"})
        call(daemon, 1)
        self.assertTrue(wait_for(collector.taken))
        headers, start = bot.heard[0]
        match = re.fullmatch(r"00-([0-9a-f]{32})-([0-9a-f]{16})-01", headers["traceparent"])
        self.assertEqual(start["connection"]["traceparent"], headers["traceparent"])
        incoming = events(daemon.port, "after=0&types=call.incoming")["items"][0]
        self.assertEqual(incoming["data"]["trace"], match.group(1))
        self.assertTrue(match.group(1).endswith(incoming["call"].removeprefix("c-")))
        post = collector.taken()[0]
        self.assertEqual((post["path"], post["headers"]["x-key"], post["headers"]["content-type"]), ("/v1/traces", "a b", "application/json"))
        resource = json.loads(post["body"])["resourceSpans"][0]
        self.assertIn({"key": "service.name", "value": {"stringValue": "desk"}}, resource["resource"]["attributes"])
        spans = resource["scopeSpans"][0]["spans"]
        by_name = {span["name"]: span for span in spans}
        self.assertEqual(set(by_name), {"call", "setup", "first audio", "ai connect", "ai connection"})
        root = by_name.pop("call")
        self.assertNotIn("parentSpanId", root)
        self.assertEqual(root["status"], {"code": 1})
        for span in spans:
            self.assertEqual(span["traceId"], match.group(1))
            self.assertRegex(span["spanId"], "^[0-9a-f]{16}$")
            self.assertRegex(span["startTimeUnixNano"], "^[0-9]{19}$")
            self.assertLessEqual(int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"]))
            self.assertTrue(all(set(a) == {"key", "value"} for a in span["attributes"]))
        self.assertEqual({span["parentSpanId"] for span in by_name.values()}, {root["spanId"]})
        self.assertEqual(by_name["ai connection"]["spanId"], match.group(2))
        self.assertEqual(len({span["spanId"] for span in spans}), len(spans))


if __name__ == "__main__":
    unittest.main(verbosity=2)
