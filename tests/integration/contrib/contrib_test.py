#!/usr/bin/env python3
"""Rules and board: Prometheus takes them, reads a running daemon by the scrape file, and knows every metric that they name."""

import json
import os
import re
import subprocess
import unittest
import urllib.parse
import urllib.request
from pathlib import Path

from offhook import PEERS, PROGRAM, Daemon, ask, free_port, scratch, wait_for

CONTRIB = Path(os.environ["OFFHOOK_CONTRIB"])
RULES = CONTRIB / "prometheus" / "offhook.rules.yml"
METRIC = re.compile(r"\boffhook_[a-z_]+")


def promtool(*arguments):
    done = subprocess.run([PEERS / "usr/bin/promtool", *arguments], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def board():
    return json.loads((CONTRIB / "grafana" / "offhook.json").read_text())


def expressions():
    """Of the board, as Grafana fills them in, and of the rules."""
    asked = [target["expr"] for panel in board()["panels"] for target in panel["targets"]]
    asked = [text.replace("$__rate_interval", "1m").replace("$instance", ".*") for text in asked]
    rules = re.sub(r"expr: \|\n((?:\s{10,}.*\n)+)", lambda m: "expr: " + " ".join(m.group(1).split()) + "\n", RULES.read_text())
    return asked + re.findall(r"^\s+expr: (.*)$", rules, re.M)


def family(name):
    return re.sub(r"_(bucket|sum|count)$", "", name)


class Files(unittest.TestCase):
    def test_promtool_takes_the_rules(self):
        code, said = promtool("check", "rules", RULES)
        self.assertEqual(code, 0, said)
        self.assertIn(f"{RULES.read_text().count('- alert:')} rules found", said)

    def test_each_alert_sounds_when_it_should(self):
        code, said = promtool("test", "rules", CONTRIB / "prometheus" / "offhook.test.yml")
        self.assertEqual(code, 0, said)
        tested = (CONTRIB / "prometheus" / "offhook.test.yml").read_text()
        for alert in re.findall(r"- alert: (\w+)", RULES.read_text()):
            self.assertIn(alert, tested)

    def test_the_board_is_whole(self):
        panels = board()["panels"]
        self.assertEqual(len({panel["id"] for panel in panels}), len(panels))
        for panel in panels:
            self.assertTrue(panel["title"] and panel["targets"], panel)
            self.assertLessEqual(panel["gridPos"]["x"] + panel["gridPos"]["w"], 24, panel["title"])


class Live(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = scratch()
        cls.daemon = Daemon(cls.folder.name)
        folder = Path(cls.folder.name)
        (folder / "prometheus.yml").write_text(
            f"global: {{evaluation_interval: 1s}}\nrule_files: [{RULES}]\nscrape_configs:\n"
            + (CONTRIB / "prometheus" / "scrape.yml").read_text().replace("127.0.0.1:5000", f"127.0.0.1:{cls.daemon.port}")
            .replace("scrape_interval: 10s", "scrape_interval: 1s"))
        cls.port = free_port()
        cls.log = open(folder / "prometheus.log", "wb")
        cls.prometheus = subprocess.Popen(
            [PEERS / "usr/bin/prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
             f"--web.listen-address=127.0.0.1:{cls.port}"], stdout=cls.log, stderr=cls.log)

    @classmethod
    def tearDownClass(cls):
        cls.prometheus.terminate()
        cls.prometheus.wait(20)
        cls.log.close()
        cls.daemon.stop()
        cls.folder.cleanup()

    def ask_prometheus(self, path, **query):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}?{urllib.parse.urlencode(query)}", timeout=10) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as refused:
            return json.loads(refused.read())
        except OSError:
            return {"status": "away", "data": {"result": []}}

    def test_every_metric_is_one_that_a_daemon_has(self):
        sip = json.loads(ask(self.daemon.port, "GET", "/health").body)["listeners"]
        address = next(each for each in sip if each.startswith("udp:"))[4:]
        called = subprocess.run([PROGRAM, "call", f"sip:x@{address}", "--seconds", "1", "--quiet", "--expect", "answered>=100"], capture_output=True, text=True)
        self.assertEqual(called.returncode, 0, called.stdout + called.stderr)
        text = ask(self.daemon.port, "GET", "/metrics").body.decode()
        known = set(re.findall(r"^# TYPE (\w+)", text, re.M))
        # Those that have nothing to say before something went wrong, or an account or a bot is there.
        silent = {"offhook_ai_calls", "offhook_ai_losses_total", "offhook_account_registered", "offhook_account_insecure", "offhook_invites_refused_total",
                  "offhook_ws_closed_total"}
        named = {family(name) for text in expressions() for name in METRIC.findall(text)}
        self.assertGreater(len(named), 20)
        self.assertEqual(named - known - silent, set())

        up = lambda: self.ask_prometheus("/api/v1/query", query='offhook_build_info{job="offhook"}')["data"]["result"]
        self.assertTrue(wait_for(up, 30), Path(self.log.name).read_text())
        for text in expressions():
            answer = self.ask_prometheus("/api/v1/query", query=text)
            self.assertEqual(answer["status"], "success", (text, answer))
        loaded = self.ask_prometheus("/api/v1/rules")["data"]["groups"]
        self.assertEqual([rule["health"] for group in loaded for rule in group["rules"] if rule["health"] == "err"], [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
