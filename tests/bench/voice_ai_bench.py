#!/usr/bin/env python3
"""What a bot behind a socket costs: the daemon with 50 to 1,000 concurrent calls, each with a WebSocket of its own to
a bot that says what it hears (ai_stand_in), in the plain protocol and in Twilio's; all measured by `offhook call --echo`.

CPU is the run time of the daemon's threads over the window in which all calls are up, divided by calls and seconds.
The round trip is from the caller's mouth to the caller's ear, by a marker in the sound: network, decoding, the socket
there and back, the wait for the line's next packet (0 to 20 ms, as the phases fall), encoding. "caller to socket" is
what the daemon says: from the tap to the socket. Prints a table and writes JSON.
"""
import argparse
import json
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from call_bench import RATE_PER_S, Daemon, cpu_ns, text_of, ticks, wait_active, wait_for

SIZES = [50, 200, 500, 1000]
PROTOCOLS = ["plain", "twilio"]
# What is expected at 500 calls on two cores shared with caller and stand-in; CPU of the plain protocol.
PROMISE = {"cpu_ms_per_call_s": 1.2, "gap_p99_ms": 25, "round_trip_p50_ms": 20, "round_trip_p99_ms": 25,
           "caller_to_socket_p99_ms": 1}
CONFIG = """
[[ai]]
name = "bot"
protocol = "{protocol}"
url = "ws://127.0.0.1:{port}/{protocol}"
{more}
[[route]]
name = "default"
ai = "bot"
fill = "silence"
"""
MORE = {"plain": "sample_rate_hz = 8000\n", "twilio": ""}


class StandIn:
    def __init__(self, program: str):
        self.process = subprocess.Popen([program], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        if not select.select([self.process.stdout], [], [], 10)[0]:
            self.process.kill()
            raise SystemExit("voice_ai_bench: the stand-in did not start")
        self.port = json.loads(self.process.stdout.readline())["port"]

    def stop(self) -> dict:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            text, _ = self.process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            text, _ = self.process.communicate()
        lines = text.decode().strip().splitlines()
        return json.loads(lines[-1]) if lines else {}


def quantile_ms(metrics: str, name: str, share: float):
    """Upper bound of the bucket in which the share lies; None without records."""
    buckets = sorted((float(le), float(count)) for le, count in
                     re.findall(rf'^{name}_bucket\{{.*?le="([^"]+)".*?\}} (\S+)$', metrics, re.MULTILINE))
    if not buckets or buckets[-1][1] == 0:
        return None
    wanted = share * buckets[-1][1]
    return next(le for le, count in buckets if count >= wanted) * 1000


def measure(options, protocol: str, calls: int) -> dict:
    ramp_s = calls / RATE_PER_S
    window_s = 5.0 if options.quick else 20.0
    length_s = ramp_s + window_s + 4
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bot = StandIn(options.stand_in)
        daemon = caller = machine = None
        try:
            daemon = Daemon(options.program, folder,
                            more=CONFIG.format(protocol=protocol, port=bot.port, more=MORE[protocol]))
            daemon.health()  # the first request starts GLib's helper thread
            idle = daemon.status()
            machine = subprocess.Popen([options.witness, "--report", "cat"], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE)
            caller = subprocess.Popen(
                [options.program, "call", "sip:bench@" + daemon.listener("udp"), "--calls", str(calls), "--rate",
                 str(RATE_PER_S), "--seconds", f"{length_s:.1f}", "--echo", "--json", "--quiet"],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
            wait_active(daemon, calls, caller)
            up_s = time.monotonic()
            wait_for(caller, 1)
            begin_ns, bot_ns, begin_s = daemon.cpu_ns(), cpu_ns(bot.process.pid), time.monotonic()
            wait_for(caller, window_s - (begin_s - up_s))
            end_ns, bot_end_ns, end_s = daemon.cpu_ns(), cpu_ns(bot.process.pid), time.monotonic()
            busy, lateness, metrics = daemon.status(), ticks(daemon), daemon.get("/metrics")
            text, _ = caller.communicate(timeout=120)
            heard = json.loads(text.decode().strip().splitlines()[-1])
            stop_ms = float(machine.communicate(timeout=10)[0].decode().split()[-1])
        finally:
            for helper in (caller, machine):
                if helper is not None and helper.poll() is None:
                    helper.kill()
            if daemon is not None:
                daemon.stop()
            said = bot.stop()
    spent_s = end_s - begin_s
    return {
        "calls": calls, "protocol": protocol, "answered": heard["calls"]["answered"],
        "bots": said.get("connections", 0), "window_s": round(spent_s, 1),
        "cpu_ms_per_call_s": round((end_ns - begin_ns) / 1e6 / spent_s / calls, 3),
        "bot_cpu_ms_per_call_s": round((bot_end_ns - bot_ns) / 1e6 / spent_s / calls, 3),
        "caller_cpu_ms_per_call_s": heard["ourselves"]["cpu_ms_per_call_second"],
        "kib_per_call": round((busy["rss_kib"] - idle["rss_kib"]) / calls, 1), "threads": busy["threads"], **lateness,
        "rate_percent": heard["packets"]["rate_percent"],
        "gap_p99_ms": heard["gap_ms"]["p99"], "gap_max_ms": heard["gap_ms"]["max"],
        "round_trip_p50_ms": heard["round_trip_ms"]["p50"], "round_trip_p99_ms": heard["round_trip_ms"]["p99"],
        "round_trip_max_ms": heard["round_trip_ms"]["max"],
        "markers_back": heard["markers_back"], "markers_lost": heard["markers_lost"],
        "caller_to_socket_p99_ms": quantile_ms(metrics, "offhook_ai_caller_to_socket_seconds", 0.99),
        "machine_stop_ms": stop_ms,
    }


COLUMNS = [("protocol", "protocol"), ("calls", "calls"), ("cpu_ms_per_call_s", "CPU ms/call-s"),
           ("bot_cpu_ms_per_call_s", "bot's CPU"), ("caller_cpu_ms_per_call_s", "caller's CPU"),
           ("kib_per_call", "KiB/call"), ("rate_percent", "rate %"), ("gap_p99_ms", "gap p99"),
           ("gap_max_ms", "gap max ms"), ("round_trip_p50_ms", "trip p50 ms"), ("round_trip_p99_ms", "trip p99 ms"),
           ("caller_to_socket_p99_ms", "to socket p99"), ("markers_lost", "markers lost"), ("tick_p99_ms", "tick p99"),
           ("machine_stop_ms", "machine stop")]


def broken(row: dict) -> list:
    problems = []
    for key in ("answered", "bots"):
        if row[key] != row["calls"]:
            problems.append(f"{row[key]} {key} of {row['calls']}")
    for key, limit in PROMISE.items():
        if key == "cpu_ms_per_call_s" and row["protocol"] != "plain":
            continue
        if row[key] is None or row[key] > limit:
            problems.append(f"{key} {text_of(row[key])} (expected {limit})")
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/offhook")
    parser.add_argument("--stand-in", default="build/tests/bench/ai_stand_in")
    parser.add_argument("--witness", default="build/tests/integration/steady",
                        help="program that tells when the machine itself stood still")
    parser.add_argument("--output", default="voice-ai-bench-results.json")
    parser.add_argument("--quick", action="store_true", help="windows of 5 s")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="concurrent calls, comma separated")
    parser.add_argument("--protocols", default=",".join(PROTOCOLS))
    options = parser.parse_args()
    rows = []
    print(" | ".join(f"{title:>13}" for _, title in COLUMNS), flush=True)
    for protocol in options.protocols.split(","):
        for calls in map(int, options.sizes.split(",")):
            rows.append(measure(options, protocol, calls))
            print(" | ".join(f"{text_of(rows[-1][key]):>13}" for key, _ in COLUMNS), flush=True)
    Path(options.output).write_text(
        json.dumps({"machine_cores": os.cpu_count(), "expected_at_500": PROMISE, "rows": rows}, indent=1) + "\n",
        encoding="utf-8")
    is_kept = True
    for row in rows:
        for problem in broken(row):
            # The expectation names 500 calls; what other sizes miss is said and does not fail the run.
            is_kept = is_kept and row["calls"] != 500
            print(f"{row['protocol']}, {row['calls']} calls: {problem}")
    print(f"figures kept in {options.output}")
    return 0 if is_kept else 1


if __name__ == "__main__":
    sys.exit(main())
