#!/usr/bin/env python3
"""What 2,000 idle and 100 busy WebSockets cost beside 200 calls.

Every socket is a browser's place in a voice channel (70 channels of 30 users, no legs). Memory is what the resident set grew
by from the idle daemon to all sockets joined; round trips are the daemon's own, of its pings, as the API tells them. A
busy socket asks `ping` ten times a second and its answers are timed here. The calls are those of call_bench.py, once
without the sockets and once beside them. Prints a table and writes JSON.
"""
import argparse
import asyncio
import json
import resource
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import websockets

from call_bench import RATE_PER_S, Daemon, text_of, ticks, wait_active, wait_for

USERS_PER_CHANNEL = 30
IDLE, BUSY = 2000, 100
PINGS_PER_S = 10
CALLS = 200
AT_ONCE = 50
# What the project promises on two cores shared with the clients and the caller.
PROMISE = {"sockets_mib": 64, "ping_p99_ms": 1000, "gap_p99_ms": 25}


def percentile(values: list, share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


class Crowd:
    """The sockets, on a loop and thread of their own."""

    def __init__(self, http: str, idle: int, busy: int):
        self.url = http.replace("http://", "ws://") + "/api/v1/channels/ws"
        self.idle, self.busy = idle, busy
        self.sockets: list = []
        self.readers: list = []
        self.answers_ms: list = []
        self.closed = 0
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()

    def run(self, coroutine, seconds: float):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(seconds)

    async def join(self, number: int, gate: asyncio.Semaphore) -> None:
        async with gate:
            socket = await websockets.connect(self.url, subprotocols=["offhook.v1"], ping_interval=None, compression=None,
                                              open_timeout=30)
            channel = f"bench{number // USERS_PER_CHANNEL}"
            await socket.send(json.dumps({"type": "join", "channel": channel, "user": f"u{number}"}))
            while True:
                message = json.loads(await asyncio.wait_for(socket.recv(), 30))
                if message["type"] == "error":
                    raise SystemExit(f"websockets_bench: {message}")
                if message["type"] == "joined":
                    break
            self.sockets.append(socket)
            self.readers.append(asyncio.ensure_future(self.read(socket)))

    async def read(self, socket) -> None:
        try:
            async for text in socket:
                if '"pong"' in text[:40]:
                    self.answers_ms.append(time.monotonic() * 1000 - json.loads(text)["t"])
        except websockets.ConnectionClosed:
            pass
        self.closed += 1

    async def join_all(self) -> None:
        gate = asyncio.Semaphore(AT_ONCE)
        await asyncio.gather(*(self.join(number, gate) for number in range(self.idle + self.busy)))

    async def talk(self, socket, end_s: float, begin_s: float) -> None:
        await asyncio.sleep(begin_s)
        while time.monotonic() < end_s:
            await socket.send(json.dumps({"type": "ping", "t": time.monotonic() * 1000}))
            await asyncio.sleep(1 / PINGS_PER_S)

    async def talk_all(self, seconds: float) -> None:
        end_s = time.monotonic() + seconds
        await asyncio.gather(*(self.talk(socket, end_s, number / self.busy / PINGS_PER_S)
                               for number, socket in enumerate(self.sockets[:self.busy])))

    def stop(self) -> None:
        async def close() -> None:
            for reader in self.readers:
                reader.cancel()
            for socket in self.sockets:
                if socket.transport:
                    socket.transport.abort()
        try:
            self.run(close(), 30)
        finally:
            self.loop.call_soon_threadsafe(self.loop.stop)
            self.thread.join(10)


def call(program: str, witness: str, daemon: Daemon, seconds: float) -> dict:
    """200 calls; the threads' CPU over the time in which all are up."""
    machine = subprocess.Popen([witness, "--report", "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    caller = subprocess.Popen(
        [program, "call", "sip:bench@" + daemon.listener("udp"), "--calls", str(CALLS), "--rate", str(RATE_PER_S),
         "--seconds", str(CALLS / RATE_PER_S + seconds + 2), "--json", "--quiet"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    try:
        wait_active(daemon, CALLS, caller)
        begin_ns, begin_s = daemon.cpu_ns(), time.monotonic()
        wait_for(caller, seconds)
        core_percent = (daemon.cpu_ns() - begin_ns) / 1e7 / (time.monotonic() - begin_s)
        lateness = ticks(daemon)
        heard = json.loads(caller.communicate(timeout=120)[0].decode().strip().splitlines()[-1])
        stop_ms = float(machine.communicate(timeout=10)[0].decode().split()[-1])
    finally:
        for helper in (caller, machine):
            if helper.poll() is None:
                helper.kill()
    return {"core_percent": round(core_percent, 1), "tick_p99_ms": lateness["tick_p99_ms"],
            "gap_p99_ms": heard["gap_ms"]["p99"], "gap_max_ms": heard["gap_ms"]["max"],
            "rate_percent": heard["packets"]["rate_percent"], "machine_stop_ms": stop_ms}


def measure(program: str, witness: str, seconds: float, idle: int, busy: int) -> dict:
    with tempfile.TemporaryDirectory() as name:
        # A daemon of its own: memory that calls left behind would hide what sockets take.
        daemon = Daemon(program, Path(name))
        try:
            alone = call(program, witness, daemon, seconds)
        finally:
            daemon.stop()
        daemon = Daemon(program, Path(name))
        crowd = None
        try:
            for number in range((idle + busy + USERS_PER_CHANNEL - 1) // USERS_PER_CHANNEL):
                daemon.post("/api/v1/channels", {"name": f"bench{number}"})
            before = daemon.status()
            crowd = Crowd(daemon.http, idle, busy)
            began_s = time.monotonic()
            crowd.run(crowd.join_all(), 300)
            joined_s = time.monotonic() - began_s
            after = daemon.status()
            begin_ns, begin_s = daemon.cpu_ns(), time.monotonic()
            time.sleep(10)  # each socket is pinged once
            idle_percent = (daemon.cpu_ns() - begin_ns) / 1e7 / (time.monotonic() - begin_s)
            talking = asyncio.run_coroutine_threadsafe(crowd.talk_all(seconds + CALLS / RATE_PER_S), crowd.loop)
            beside = call(program, witness, daemon, seconds)
            talking.result(60)
            stats = json.loads(daemon.get("/api/debug/websocket-stats"))
            trips = [each["rtt_ms"] for each in stats["connections"] if each["rtt_ms"] is not None]
            end = daemon.status()
        finally:
            if crowd is not None:
                crowd.stop()
            daemon.stop()
    return {"sockets": idle + busy, "live": stats["by_state"].get("live", 0), "closed": crowd.closed,
            "reaped": stats["counters"]["reaped_stale"] + stats["counters"]["reaped_broken"],
            "join_s": round(joined_s, 1), "sockets_mib": round((after["rss_kib"] - before["rss_kib"]) / 1024, 1),
            "kib_per_socket": round((after["rss_kib"] - before["rss_kib"]) / (idle + busy), 1),
            "end_mib": round((end["rss_kib"] - before["rss_kib"]) / 1024, 1),
            "at_rest_core_percent": round(idle_percent, 1),
            "pinged": len(trips), "ping_p50_ms": round(percentile(trips, 0.5), 2), "ping_p99_ms": round(percentile(trips, 0.99), 2),
            "answers": len(crowd.answers_ms), "answer_p50_ms": round(percentile(crowd.answers_ms, 0.5), 2),
            "answer_p99_ms": round(percentile(crowd.answers_ms, 0.99), 2), "alone": alone, "beside": beside}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--witness", required=True, help="tests/integration/steady")
    parser.add_argument("--output", help="JSON")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--idle", type=int, default=IDLE)
    parser.add_argument("--busy", type=int, default=BUSY)
    options = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    figures = measure(options.program, options.witness, options.seconds, options.idle, options.busy)
    figures["promise"] = PROMISE
    alone, beside = figures["alone"], figures["beside"]
    print(f"{figures['sockets']} sockets joined in {figures['join_s']} s: {figures['sockets_mib']} MiB, "
          f"{figures['kib_per_socket']} KiB each; {figures['end_mib']} MiB at the end; {figures['at_rest_core_percent']} % of a core at rest")
    print(f"live at the end {figures['live']}, reaped {figures['reaped']}; pings of {figures['pinged']}: "
          f"p50 {figures['ping_p50_ms']}, p99 {figures['ping_p99_ms']} ms; {figures['answers']} answers to the busy ones: "
          f"p50 {figures['answer_p50_ms']}, p99 {figures['answer_p99_ms']} ms")
    print(f"{'200 calls':<16}{'core %':>8}{'tick p99':>10}{'rate %':>8}{'gap p99':>9}{'longest':>9}{'machine':>9}")
    for name, row in (("alone", alone), ("beside sockets", beside)):
        print(f"{name:<16}{row['core_percent']:>8}{text_of(row['tick_p99_ms']):>10}{row['rate_percent']:>8}{row['gap_p99_ms']:>9}"
              f"{row['gap_max_ms']:>9}{row['machine_stop_ms']:>9}")
    if options.output:
        Path(options.output).write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
