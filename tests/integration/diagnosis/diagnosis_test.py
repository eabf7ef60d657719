#!/usr/bin/env python3
"""Broken calls, each by itself and all at once on one daemon: each has its code, and its hop is named."""

import asyncio
import json
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(HERE.parent / "doors"), str(HERE.parent / "ringcentral")]
import bots  # noqa: E402
import srtp  # noqa: E402
from caller import SILENCE, Caller, Socket  # noqa: E402
from offhook import Daemon, ask, certificate  # noqa: E402

LIMIT_S = 40
OPUS = {"formats": "111", "lines": ("rtpmap:111 opus/48000/2",)}
NO_OPUS = b"\xfb\x00" + bytes(38)  # code 3 with no frame in it (RFC 6716 §3.2.5)


# What callers do wrong.

async def silent(caller):
    await asyncio.sleep(3600)


async def stop_talking(caller):
    await caller.talk(1.5)


async def change_source(caller):
    """From a port that is not the caller's, and no packet continues the one before."""
    other = await Socket.open()
    try:
        await caller.every_20_ms(lambda _: other.send(caller.packet(sequence=random.randrange(65536)), caller.peer_rtp))
    finally:
        other.close()


async def change_ssrc(caller):
    await caller.talk(0.5)
    await caller.every_20_ms(lambda number: caller.send(caller.packet(ssrc=number)))


async def talk_type_96(caller):
    await caller.talk(payload_type=96)


async def talk_dtls(caller):
    await caller.every_20_ms(lambda _: caller.send(b"\x16\xfe\xfd" + bytes(40)))


async def talk_with_wrong_key(caller):
    stream = srtp.Stream(srtp.new_inline())
    await caller.every_20_ms(lambda _: caller.send(stream.protect(caller.packet())))


async def talk_no_opus(caller):
    await caller.talk(payload=NO_OPUS, payload_type=111, ticks=960)


async def be_silent(caller):
    await caller.talk(payload=SILENCE)


async def be_late(caller):
    """Each second packet comes 0.6 s behind the others."""
    late = []

    def act(number):
        data = caller.packet()
        if number % 2 == 0:
            caller.send(data)
        else:
            late.append(data)
        if len(late) > 15:
            caller.send(late.pop(0))
    await caller.every_20_ms(act)


async def lose(caller):
    def act(number):
        data = caller.packet()
        if number % 10:
            caller.send(data)
    await caller.every_20_ms(act)


async def jitter(caller):
    """Each second packet is 80 ms on the way, the others none."""
    waiting = []

    def act(number):
        data = caller.packet()
        if number % 2 == 0:
            caller.send(data)
            return
        waiting.append(data)
        if len(waiting) > 2:
            caller.send(waiting.pop(0))
    await caller.every_20_ms(act)


async def report(caller, make):
    """Talks, and sends a report of `make(first sequence heard)` each second."""
    talking = asyncio.ensure_future(caller.talk())
    try:
        while True:
            await asyncio.sleep(1)
            if caller.heard:
                await make()
    finally:
        talking.cancel()


async def acknowledge_nothing(caller):
    async def make():
        caller.report(caller.heard[0] + 5, 0)
    await report(caller, make)


async def report_loss(caller):
    async def make():
        caller.report(caller.heard[-1], (caller.heard[-1] - caller.heard[0]) // 5)
    await report(caller, make)


async def be_far(caller):
    """Answers a sender report half a second after it came, as if it had been on the way for so long."""
    async def make():
        data = await caller.their_reports.get()
        if data[1] == 200:
            await asyncio.sleep(0.5)
            caller.report(caller.heard[-1], 0, lsr=int.from_bytes(data[10:14], "big"), dlsr=1)
    await report(caller, make)


async def hold(caller):
    await caller.talk(0.5)
    await caller.invite(direction="sendonly")


async def be_held(caller):
    asyncio.ensure_future(caller.talk())
    await asyncio.sleep(0.5)
    await caller.room.post(f"/api/v1/calls/{await caller.room.id_of(caller)}/hold")


async def talk(caller):
    await caller.talk()


class Case:
    """One broken call. `code` has to be found, at `hop`; `broken` is the hop that its ledger says is broken (by default the
    same; None: none is, the sound only suffers), and `first` the one that it names, where that is another."""

    def __init__(self, code, hop, act=talk, ai="mute", pipeline="phone", broken="", first=None, serve=None, more="", **offered):
        self.code, self.hop, self.act, self.pipeline, self.offered = code, hop, act, pipeline, offered
        self.broken = hop if broken == "" else broken
        self.first = first or self.broken
        self.serve, self.more = serve, more
        self.ai = code if serve or ai == "own" else ai
        self.name = code


CASES = [
    Case("no-caller-rtp", "caller-rtp-in", silent),
    Case("rtp-stopped", "caller-rtp-in", stop_talking),
    Case("rtp-wrong-source", "accepted", change_source),
    Case("rtp-wrong-ssrc", "accepted", change_ssrc),
    Case("rtp-wrong-payload", "accepted", talk_type_96),
    Case("rtp-malformed", "accepted", talk_dtls),
    Case("srtp-wrong-key", "accepted", talk_with_wrong_key, profile="RTP/SAVP",
         lines=("rtpmap:0 PCMU/8000", "crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + srtp.new_inline())),
    Case("rtp-undecodable", "decoded", talk_no_opus, **OPUS),
    Case("source-silent", "decoded", be_silent, broken=None),
    Case("late", "decoded", be_late, broken=None),
    Case("loss", "caller-rtp-in", lose, broken=None),
    Case("jitter", "caller-rtp-in", jitter, broken=None),
    Case("pipeline-keeps-sound", "handed-to-ai", pipeline="swallow"),
    Case("nothing-sent", "sent", pipeline="dumb", broken="encoded"),
    Case("pipeline-error", "handed-to-ai", stop_talking, pipeline="fail", broken=None),
    Case("ai-refused", "handed-to-ai", serve=bots.refuse),
    Case("ai-unreachable", "handed-to-ai", ai="own"),
    Case("ai-untrusted", "handed-to-ai", serve=bots.hang),
    Case("ai-hung", "handed-to-ai", serve=bots.hang, more="connect_timeout_ms = 500\n"),
    Case("ai-wrong-protocol", "handed-to-ai", serve=bots.misunderstand),
    Case("ai-lost", "handed-to-ai", serve=bots.die),
    Case("ai-takes-nothing", "handed-to-ai", serve=bots.stop_reading, more="sample_rate_hz = 24000\n"),
    Case("ai-silent", "taken-from-ai", serve=bots.say_nothing),
    Case("ai-garbage", "taken-from-ai", serve=bots.babble),
    Case("ai-wrong-format", "taken-from-ai", serve=bots.make_noise, more="sample_rate_hz = 8000\n", broken=None),
    Case("ai-slow", "queued", serve=bots.dribble, more="sample_rate_hz = 8000\n", broken=None),
    Case("ai-overflow", "queued", serve=bots.flood, more="sample_rate_hz = 8000\nqueue_s = 1\n"),
    Case("ai-muted-by-hold", "queued", be_held, serve=bots.talk, more="sample_rate_hz = 8000\n", broken=None),
    Case("held-by-peer", "sent", hold, broken=None),
    Case("send-errors", "sent", silent, first="caller-rtp-in", address="192.0.2.1"),
    Case("not-acknowledged", "acknowledged", acknowledge_nothing),
    Case("round-trip-high", "acknowledged", be_far, broken=None),
]


class Room:
    """The daemon and all that it talks to."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.bots, self.tasks = {}, []

    async def open(self):
        pipelines = self.folder / "pipelines"
        shutil.copytree(ROOT / "pipelines", pipelines, ignore=shutil.ignore_patterns("examples", "*.md"))
        phone = (pipelines / "phone.launch").read_text()
        keeper = "! audiobuffersplit output-buffer-size=100000000\n"  # holds back what it gets until it is full
        for name, before, inserted in (("swallow", "! aitap", keeper), ("fail", "! aitap", "! watchdog timeout=500\n"),
                                       ("dumb", "! rtpcallsink", keeper)):
            assert before in phone, phone
            (pipelines / f"{name}.launch").write_text(phone.replace(before, inserted + before))
        certificate_file, key = certificate(self.folder, "elsewhere.example.com")
        media = f'pipelines = "{pipelines}"\nallow_elements = ["audiobuffersplit", "watchdog"]\n'
        text = '[[ai]]\nname = "mute"\nprotocol = "mute"\n'
        closed = bots.Bot(bots.hang)
        await closed.open()
        closed.close()
        for case in CASES:
            if case.ai == "mute":
                continue
            bot = closed
            if case.serve:
                bot = self.bots[case.name] = bots.Bot(
                    case.serve, tls=bots.tls_of(certificate_file, key) if case.name == "ai-untrusted" else None,
                    receive_bytes=4096 if case.serve is bots.stop_reading else 0)
                await bot.open()
            scheme = "wss" if bot.tls else "ws"
            text += f'[[ai]]\nname = "{case.name}"\nprotocol = "plain"\nurl = "{scheme}://127.0.0.1:{bot.port}/"\n{case.more}'
        for case in CASES:
            text += f'[[route]]\nname = "{case.name}"\nto = "{case.name}"\nai = "{case.ai}"\npipeline = "{case.pipeline}"\n'
        self.daemon = await asyncio.to_thread(Daemon, self.folder, more=text, media=media)
        health = await self.get("/health")
        self.sip_port = int(next(each for each in health["listeners"] if each.startswith("udp:")).rsplit(":", 1)[1])

    async def get(self, path):
        answer = await asyncio.to_thread(ask, self.daemon.port, "GET", path)
        if answer.status != 200:
            raise AssertionError(f"{path}: {answer}")
        return json.loads(answer.body)

    async def post(self, path):
        answer = await asyncio.to_thread(ask, self.daemon.port, "POST", path)
        assert answer.status == 202, answer

    async def id_of(self, caller):
        calls = (await self.get("/api/v1/calls?state=all&limit=500"))["items"]
        return next(call["id"] for call in calls if f"sip:{caller.name}@" in call["from"])

    async def close(self):
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        for bot in self.bots.values():
            bot.close()
        await asyncio.to_thread(self.daemon.stop)


def anchors():
    guide = (ROOT / "docs" / "debug-guide.md").read_text()
    return {line[4:] for line in guide.splitlines() if line.startswith("### ")}


def faults_of(issue, case, known):
    """What is wrong with the shape of an issue."""
    found = [f"{member} is missing" for member in ("code", "severity", "symptom", "cause", "evidence", "fix", "hop", "figures", "doc")
             if member not in issue]
    if found:
        return found
    if issue["hop"] != case.hop:
        found.append(f"hop {issue['hop']}, not {case.hop}")
    if not issue["figures"] or not all(value is None or isinstance(value, (int, float)) for value in issue["figures"].values()):
        found.append(f"figures {issue['figures']}")
    path, anchor = issue["doc"].split("#")
    if not (ROOT / path).is_file() or anchor not in known:
        found.append(f"doc {issue['doc']} leads nowhere")
    if not re.search(r"\w", issue["evidence"]):
        found.append("no evidence")
    return found


async def look(room, case, caller):
    """Until its code is there and its ledger names the hop. @return what is not as it should be"""
    known, last, hops = anchors(), {}, {}
    end = time.monotonic() + LIMIT_S
    faults = ["nothing was asked"]
    while time.monotonic() < end:
        call = await room.id_of(caller)
        last = await room.get(f"/api/v1/calls/{call}/diagnosis")
        hops = await room.get(f"/api/v1/calls/{call}/hops")
        issue = next((each for each in last["issues"] if each["code"] == case.code), None)
        faults = [f"no {case.code}"] if issue is None else faults_of(issue, case, known)
        if hops["broken"] != case.first:
            faults.append(f"the ledger names {hops['broken']}, not {case.first}")
        if case.broken and case.broken not in [hop["name"] for hop in hops["hops"] if hop["state"] == "broken"]:
            faults.append(f"{case.broken} is not broken")
        if not faults:
            return []
        await asyncio.sleep(0.5)
    return [f"{case.name}: {'; '.join(faults)}\n  found {[i['code'] for i in last['issues']]}\n  {json.dumps(hops)}"]


async def run(room, case):
    caller = Caller(case.name, room.sip_port)
    caller.room = room
    await caller.open()
    status = await caller.invite(**case.offered)
    if status != 200:
        caller.close()
        return [f"{case.name}: the call was answered {status}"]
    acting = asyncio.ensure_future(case.act(caller))
    room.tasks.append(acting)
    try:
        return await look(room, case, caller)
    finally:
        acting.cancel()
        caller.bye()
        await asyncio.sleep(0.1)
        caller.close()


async def stall(room):
    """The daemon stands still for a while: a call of it tells so, the log and the counters too."""
    caller = Caller("rtp-stopped", room.sip_port)
    await caller.open()
    await caller.invite()
    talking = asyncio.ensure_future(caller.talk())
    call = ""
    try:
        deadline = time.monotonic() + 15
        while not call and time.monotonic() < deadline:
            live = (await room.get("/api/v1/calls"))["items"]
            call = next((each["id"] for each in live if each["stats"]["sent_packets"] > 50), "")
            await asyncio.sleep(0.1)
        os.kill(room.daemon.process.pid, signal.SIGSTOP)
        await asyncio.sleep(0.4)
        os.kill(room.daemon.process.pid, signal.SIGCONT)
        faults, wanted = [], {"rtp-gap": "sent", "worker-late": "encoded"}
        while time.monotonic() < deadline:
            issues = {each["code"]: each for each in (await room.get(f"/api/v1/calls/{call}/diagnosis"))["issues"]}
            metrics = (await asyncio.to_thread(ask, room.daemon.port, "GET", "/metrics")).body.decode()
            alarms = float(re.search(r"^offhook_rtp_gap_alarms_total (\S+)", metrics, re.M).group(1))
            quality = (await room.get(f"/api/v1/calls/{call}"))["quality"]
            faults = [f"stall: no {code} at {hop}" for code, hop in wanted.items() if issues.get(code, {}).get("hop") != hop]
            faults += [] if alarms > 0 else ["stall: offhook_rtp_gap_alarms_total is 0"]
            faults += [] if quality["gap_alarms"] > 0 else ["stall: quality has no gap alarm"]
            faults += [] if '"rtp.gap"' in room.daemon.output() else ["stall: no rtp.gap in the log"]
            if not faults:
                return []
            await asyncio.sleep(0.3)
        return faults
    finally:
        talking.cancel()
        caller.bye()
        caller.close()


async def main():
    chosen = sys.argv[1:]
    global CASES
    if chosen:
        CASES = [case for case in CASES if case.name in chosen or case.name == "rtp-stopped"]
    with tempfile.TemporaryDirectory(prefix="offhook-diagnosis-") as folder:
        room = Room(folder)
        await room.open()
        try:
            begun = time.monotonic()
            results = await asyncio.gather(*(run(room, case) for case in CASES), return_exceptions=True)
            problems = [line for case, result in zip(CASES, results)
                        for line in (result if isinstance(result, list) else [f"{case.name}: {result!r}"])]
            problems += await stall(room)
            print(f"{len(CASES) + 2} codes in {time.monotonic() - begun:.1f} s")
            if problems:
                print("\n".join(problems))
                print("\n".join(room.daemon.output().splitlines()[-60:]) if os.environ.get("SHOW_LOG") else "")
            return 1 if problems else 0
        finally:
            await room.close()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
