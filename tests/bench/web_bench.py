#!/usr/bin/env python3
"""What a web leg costs: Offhook's WHIP echo beside Janus' echo test, the same webrtcbin peers as clients of both, in
the same run; how long a set-up takes; and thirty web legs beside 200 phone legs.

CPU is the run time of the server's threads over the window in which all legs are up, divided by legs and seconds;
set-up and end are outside. Janus returns the packets as they came, Offhook decodes them, hands the sound to an AI
that echoes, and encodes its answer. Gaps are of arrivals at the peer, noted before its own decryption. Set-up is from
the POST, whose offer has all candidates, to the first RTP at the peer. Prints tables and writes JSON.
"""
import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from call_bench import Daemon, cpu_ns, status, text_of
from janus import Janus
from web_peers import WebPeers

LEGS = 20
TOGETHER = {"web": 30, "phone": 200}
SETUPS = 200
SETTLE_S = 6  # libnice looks for better pairs for 5 s after the first: part of the set-up
PROMISE = {"setup_p95_ms": 150, "web_rate_percent": 99.9, "web_gap_p99_ms": 30, "phone_gap_p99_ms": 25}


def own_address() -> str:
    """An address of this machine that is not loopback: Janus gathers no candidate there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return probe.getsockname()[0]
        except OSError:
            return "127.0.0.1"


class Whip:
    """A daemon whose WHIP echoes."""

    def __init__(self, program: str, folder: Path, address: str):
        self.daemon = Daemon(program, folder, more=f'[web]\naddresses = ["{address}"]\nmax_legs = 100\n')
        self.daemon.health()  # the first request starts GLib's helper thread
        self.process = self.daemon.process
        self.sessions: dict = {}

    def connect(self, peer: str, offer: str, _codec: str) -> str:
        request = urllib.request.Request(self.daemon.http + "/whip/echo", data=offer.encode(),
                                         headers={"Content-Type": "application/sdp"}, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                self.sessions[peer] = answer.headers["Location"]
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"WHIP refused: {error.code} {error.read().decode()}") from error

    def disconnect(self, peer: str) -> None:
        path = self.sessions.pop(peer)
        url = path if "://" in path else self.daemon.http + path
        with urllib.request.urlopen(urllib.request.Request(url, method="DELETE"), timeout=20):
            pass

    def stop(self) -> None:
        self.daemon.stop()


class Machine:
    """The witness that tells the longest time for which nothing at all ran on a core."""

    def __init__(self, witness: str):
        self.process = subprocess.Popen([witness, "--report", "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def stop_ms(self) -> float:
        return float(self.process.communicate(timeout=10)[0].decode().split()[-1])

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.kill()


def percentile(values: list, share: float) -> float:
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 1) if ordered else 0.0


def set_up(server, peers: WebPeers, names: list, codec: str, address: str, pitch_hz: int = 600) -> dict:
    """Connects all `names` at a time. @return milliseconds from each POST to its first RTP"""
    offers = {name: peers.ask("offer", name, codec=codec, address=address, pitch_hz=pitch_hz, seconds=1)["sdp"]
              for name in names}
    posted_ns: dict = {}
    failed: list = []

    def signal(name: str) -> None:
        try:
            posted_ns[name] = time.monotonic_ns()
            peers.ask("answer", name, sdp=server.connect(name, offers[name], codec))
        except Exception as error:  # told by the thread that waits
            failed.append(f"{name}: {error}")

    threads = [threading.Thread(target=signal, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise RuntimeError("; ".join(failed))
    took_ms = {}
    for name in names:
        if not peers.ask("heard", name, packets=1)["heard"]:
            raise RuntimeError(f"{name} heard nothing")
        took_ms[name] = (peers.ask("report", name)["first_arrival_ns"] - posted_ns[name]) / 1e6
    return took_ms


def heard_of(peers: WebPeers, names: list, window_s: float) -> dict:
    reports = [peers.ask("report", name) for name in names]
    gaps = peers.ask("gaps")
    # Over the time between first and last packet, if that is the window: each peer began to count when it was told.
    rates = [report["rate"] * min(1.0, (report["duration_s"] + 0.1) / window_s) * 2 for report in reports]
    return {"rate_percent": round(sum(rates) / len(rates), 2), "worst_rate_percent": round(min(rates), 2),
            "gap_p50_ms": round(gaps["p50_ms"], 2), "gap_p99_ms": round(gaps["p99_ms"], 2),
            "gap_max_ms": round(gaps["max_ms"], 2),
            "sequence_breaks": sum(report["sequence_breaks"] for report in reports),
            "timestamp_breaks": sum(report["timestamp_breaks"] for report in reports),
            "ssrcs_each": max(report["ssrcs"] for report in reports)}


def listen(peers: WebPeers, names: list, window_s: float, pids: dict) -> dict:
    """Figures of a window of `window_s` in which everything is up."""
    for name in names:
        peers.ask("forget", name)
    before = {key: cpu_ns(pid) for key, pid in pids.items()}
    begin_s = time.monotonic()
    time.sleep(window_s)
    spent_s = time.monotonic() - begin_s
    after = {key: cpu_ns(pid) for key, pid in pids.items()}
    row = heard_of(peers, names, spent_s)
    row["window_s"] = round(spent_s, 1)
    row["cpu_ms_per_s"] = {key: (after[key] - before[key]) / 1e6 / spent_s for key in pids}
    return row


def measure_server(make_server, title: str, codec: str, legs: int, window_s: float, options) -> dict:
    names = [f"p{index}" for index in range(legs)]
    with tempfile.TemporaryDirectory() as folder:
        server = make_server(Path(folder))
        peers = machine = None
        try:
            peers = WebPeers(options.peers_program)
            idle = status(server.process.pid)
            set_ups = []
            for name in names:
                set_ups += set_up(server, peers, [name], codec, options.address).values()
            machine = Machine(options.witness)
            time.sleep(SETTLE_S)
            row = listen(peers, names, window_s, {"server": server.process.pid, "peers": peers.process.pid})
            busy = status(server.process.pid)
            stop_ms = machine.stop_ms()
            for name in names:
                server.disconnect(name)
                peers.ask("close", name)
        finally:
            if machine is not None:
                machine.stop()
            if peers is not None:
                peers.stop()
            server.stop()
    cpu = row.pop("cpu_ms_per_s")
    return {"server": title, "codec": codec, "legs": legs, "cpu_ms_per_call_s": round(cpu["server"] / legs, 2),
            "peer_cpu_ms_per_call_s": round(cpu["peers"] / legs, 2),
            "kib_per_leg": round((busy["rss_kib"] - idle["rss_kib"]) / legs), "threads": busy["threads"],
            "setup_p50_ms": percentile(set_ups, 0.5), "machine_stop_ms": stop_ms, **row}


def measure_setups(options, at_a_time: int) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        server = Whip(options.program, Path(folder), options.address)
        peers = WebPeers(options.peers_program)
        took_ms: list = []
        try:
            before_ns = cpu_ns(server.process.pid)
            for begin in range(0, SETUPS, at_a_time):
                names = [f"s{begin + index}" for index in range(at_a_time)]
                took_ms += set_up(server, peers, names, "PCMU", options.address).values()
                for name in names:
                    server.disconnect(name)
                    peers.ask("close", name)
            cpu_ms = (cpu_ns(server.process.pid) - before_ns) / 1e6
        finally:
            peers.stop()
            server.stop()
    return {"set_ups": len(took_ms), "cpu_ms_each": round(cpu_ms / len(took_ms), 1), "at_a_time": at_a_time, "p50_ms": percentile(took_ms, 0.5),
            "p95_ms": percentile(took_ms, 0.95), "p99_ms": percentile(took_ms, 0.99), "max_ms": round(max(took_ms), 1)}


def measure_together(options, window_s: float) -> dict:
    """Web legs beside phone legs on one daemon."""
    names = [f"p{index}" for index in range(TOGETHER["web"])]
    calls = TOGETHER["phone"]
    with tempfile.TemporaryDirectory() as folder:
        server = Whip(options.program, Path(folder), options.address)
        peers = caller = machine = None
        try:
            peers = WebPeers(options.peers_program)
            for name in names:
                set_up(server, peers, [name], "PCMU", options.address)
            machine = Machine(options.witness)
            caller = subprocess.Popen(
                [options.program, "call", "sip:bench@" + server.daemon.listener("udp"), "--calls", str(calls), "--rate",
                 "100", "--seconds", f"{window_s + 4:.0f}", "--json", "--quiet"],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
            deadline = time.monotonic() + 30
            while (server.daemon.health()["checks"]["calls"].get("active", 0) < calls + len(names)
                   and time.monotonic() < deadline):
                time.sleep(0.05)
            row = listen(peers, names, window_s, {"server": server.process.pid, "peers": peers.process.pid})
            heard = json.loads(caller.communicate(timeout=60)[0].decode().strip().splitlines()[-1])
            stop_ms = machine.stop_ms()
        finally:
            for helper in (caller, machine and machine.process):
                if helper is not None and helper.poll() is None:
                    helper.kill()
            if peers is not None:
                peers.stop()
            server.stop()
    cpu = row.pop("cpu_ms_per_s")
    return {"web_legs": len(names), **{f"web_{key}": value for key, value in row.items()}, "phone_legs": calls,
            "phone_answered": heard["calls"]["answered"], "phone_rate_percent": heard["packets"]["rate_percent"],
            "phone_gap_p99_ms": heard["gap_ms"]["p99"], "phone_gap_max_ms": heard["gap_ms"]["max"],
            "daemon_core_percent": round(cpu["server"] / 10, 1), "peers_core_percent": round(cpu["peers"] / 10, 1),
            "machine_stop_ms": stop_ms}


COLUMNS = [("server", "server"), ("codec", "codec"), ("legs", "legs"), ("cpu_ms_per_call_s", "CPU ms/call-s"),
           ("peer_cpu_ms_per_call_s", "peer CPU"), ("kib_per_leg", "KiB/leg"), ("threads", "threads"),
           ("setup_p50_ms", "set-up p50"), ("rate_percent", "rate %"), ("gap_p99_ms", "gap p99"),
           ("gap_max_ms", "gap max"), ("machine_stop_ms", "machine stop")]


def show(row: dict) -> None:
    for key, value in row.items():
        print(f"  {key:>24} {text_of(value)}", flush=True)


def broken(set_ups: list, together: dict) -> list:
    problems = [f"set-up p95 {row['p95_ms']} ms, {row['at_a_time']} at a time (promised {PROMISE['setup_p95_ms']})"
                for row in set_ups if row["p95_ms"] > PROMISE["setup_p95_ms"]]
    for key in ("web_rate_percent", "web_gap_p99_ms", "phone_gap_p99_ms"):
        value = together.get(key)
        if value is not None and (value < PROMISE[key] if key.endswith("percent") else value > PROMISE[key]):
            problems.append(f"{key} {text_of(value)} (promised {PROMISE[key]})")
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/offhook")
    parser.add_argument("--peers-program", default="build/tests/integration/web/web_peers")
    parser.add_argument("--witness", default="build/tests/integration/steady")
    parser.add_argument("--servers", default="build/peers", help="where scripts/peers unpacked Janus")
    parser.add_argument("--output", default="web-bench-results.json")
    parser.add_argument("--address", default=own_address(), help="candidates are gathered from")
    parser.add_argument("--legs", type=int, default=LEGS)
    parser.add_argument("--seconds", type=float, default=10, help="of each window")
    parser.add_argument("--only", choices=["cost", "setup", "together"], help="one part of it")
    options = parser.parse_args()
    rows, set_ups, together = [], [], {}
    if options.only in (None, "cost"):
        print(" | ".join(f"{title:>13}" for _, title in COLUMNS), flush=True)
        makers = {"janus": lambda folder: Janus(Path(options.servers), folder, options.address),
                  "offhook": lambda folder: Whip(options.program, folder, options.address)}
        for codec in ("PCMU", "opus"):
            for title, make in makers.items():
                rows.append(measure_server(make, title, codec, options.legs, options.seconds, options))
                print(" | ".join(f"{text_of(rows[-1][key]):>13}" for key, _ in COLUMNS), flush=True)
    if options.only in (None, "setup"):
        for at_a_time in (1, 5):
            set_ups.append(measure_setups(options, at_a_time))
            print(f"{SETUPS} set-ups, {at_a_time} at a time")
            show(set_ups[-1])
    if options.only in (None, "together"):
        print(f"{TOGETHER['web']} web legs beside {TOGETHER['phone']} phone legs")
        together = measure_together(options, options.seconds)
        show(together)
    Path(options.output).write_text(
        json.dumps({"machine_cores": os.cpu_count(), "promise": PROMISE, "cost": rows, "set_up": set_ups,
                    "together": together}, indent=1) + "\n", encoding="utf-8")
    problems = broken(set_ups, together)
    for problem in problems:
        print(problem)
    print(f"figures kept in {options.output}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
