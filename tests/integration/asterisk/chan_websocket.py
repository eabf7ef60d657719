#!/usr/bin/env python3
"""A bot written for Asterisk's chan_websocket. It knows nothing of Offhook: what it expects is what Asterisk does.

    chan_websocket.py server               waits for calls; its port is the first line on descriptor 3
    chan_websocket.py client URL           takes the call that waits at URL
    chan_websocket.py refused URL STATUS   expects to be refused with STATUS

A server's path says what it does with the call: /story/text/ulaw, /story/json/slin16, /mute/text/ulaw.
Each call ends in one line, "verdict ok ..." or "verdict failed: ...".
"""

import asyncio
import json
import math
import os
import random
import re
import sys
import traceback
from urllib.parse import parse_qsl, urlsplit

import websockets

FORMATS = {"ulaw": (8000, 160), "alaw": (8000, 160), "slin": (8000, 320), "slin16": (16000, 640)}


def ulaw(sample):
    """ITU-T G.711, from its table of segments."""
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), 32635) + 132
    segment = max(magnitude.bit_length() - 8, 0)
    return ~(sign | (segment << 4) | ((magnitude >> (segment + 3)) & 0x0F)) & 0xFF


def tone(form, seconds, hertz=1000):
    rate, _ = FORMATS[form]
    samples = [round(8000 * math.sin(2 * math.pi * hertz * i / rate)) for i in range(round(rate * seconds))]
    if form == "ulaw":
        return bytes(ulaw(s) for s in samples)
    return b"".join(s.to_bytes(2, "little", signed=True) for s in samples)


def expect(is_so, why):
    if not is_so:
        raise AssertionError(why)


class Call:
    def __init__(self, ws, control, form):
        self.ws, self.control, self.form = ws, control, form
        self.rate, self.frame = FORMATS[form]
        self.channel_id = None
        self.texts = asyncio.Queue()
        self.digits = []
        self.sounds = []  # (time, length)
        self.loudest = 0
        self.loop = asyncio.get_running_loop()

    async def read(self):
        try:
            async for message in self.ws:
                if isinstance(message, bytes):
                    self.sounds.append((self.loop.time(), len(message)))
                    self.loudest = max(self.loudest, self.level(message))
                else:
                    await self.texts.put(message)
        except websockets.ConnectionClosed:
            pass
        await self.texts.put(None)

    def level(self, message):
        if self.form == "ulaw":
            return max((~b & 0x7F) for b in message)  # of 127
        values = [int.from_bytes(message[i : i + 2], "little", signed=True) for i in range(0, len(message), 2)]
        return max(abs(v) for v in values) // 256

    async def command(self, word, argument=None):
        if self.control == "json":
            body = {"command": word}
            if argument is not None:
                body["direction" if word == "SET_MEDIA_DIRECTION" else "correlation_id"] = argument
            await self.ws.send(json.dumps(body))
        else:
            await self.ws.send(word if argument is None else f"{word} {argument}")

    async def event(self, limit=5.0):
        """The next one, but digits, which come when they come."""
        while True:
            text = await asyncio.wait_for(self.texts.get(), limit)
            if text is None:
                return None
            if text.startswith("DTMF_END") or '"DTMF_END"' in text:
                self.digits.append(text)
            else:
                return text

    async def expect_event(self, name, identity=None, limit=5.0):
        text = await self.event(limit)
        if self.control == "json":
            wanted = {"event": name, "channel_id": self.channel_id}
            if identity is not None:
                wanted["correlation_id"] = identity
            expect(text is not None and json.loads(text) == wanted, f"{text!r} is not {wanted}")
        else:
            wanted = name if identity is None else f"{name} {identity}"
            expect(text == wanted, f"{text!r} is not {wanted!r}")

    async def expect_silence(self, seconds):
        try:
            text = await self.event(seconds)
        except asyncio.TimeoutError:
            return
        raise AssertionError(f"{text!r} was not expected")

    async def status(self):
        await self.command("GET_STATUS")
        text = await self.event()
        if self.control == "json":
            fields = json.loads(text)
            expect(fields.pop("event") == "STATUS" and fields.pop("channel_id") == self.channel_id, text)
            return fields
        words = text.split(" ")
        expect(words[0] == "STATUS" and words[1] == "channel_id:" + self.channel_id, text)
        fields = dict(word.split(":", 1) for word in words[2:])
        return {k: v == "true" if v in ("true", "false") else int(v) for k, v in fields.items()}

    async def begins(self):
        text = await self.event()
        if self.control == "json":
            start = json.loads(text)
            expect(list(start)[:7] == ["event", "connection_id", "channel", "channel_id", "format", "optimal_frame_size", "ptime"], text)
            expect(all(isinstance(v, str) for v in start["channel_variables"].values()), text)
        else:
            words = text.split(" ")
            expect(words[0] == "MEDIA_START", text)
            start = dict(word.split(":", 1) for word in words[1:])
            expect(list(start) == ["connection_id", "channel", "channel_id", "format", "optimal_frame_size", "ptime"], text)
        expect(start["format"] == self.form, text)
        expect(int(start["optimal_frame_size"]) == self.frame and int(start["ptime"]) == 20, text)
        expect(start["channel"].startswith("WebSocket/"), text)
        self.channel_id = start["channel_id"]

    async def hears(self):
        """A hundred messages of the caller, of a frame each, no faster than they are said."""
        begin = self.loop.time()
        while len(self.sounds) < 100 and self.loop.time() < begin + 10:
            await asyncio.sleep(0.05)
        sounds = self.sounds[:]
        took = self.loop.time() - begin
        expect(100 <= len(sounds) <= took * 50 + 40, f"{len(sounds)} messages of sound in {took:.2f} s")
        expect({length for _, length in sounds} == {self.frame}, "messages that are no frame")
        expect(self.loudest > 10, f"the caller is silent: {self.loudest}")

    async def speaks_in_bulk(self):
        sound = tone(self.form, 1.0)
        cut = random.Random(3)
        begin = self.loop.time()
        await self.command("START_MEDIA_BUFFERING")
        while sound:
            n = cut.randint(1, 999)
            await self.ws.send(sound[:n])
            sound = sound[n:]
        await self.command("STOP_MEDIA_BUFFERING", "greeting-1")
        await self.command("MARK_MEDIA", "after it")
        await self.expect_event("MEDIA_BUFFERING_COMPLETED", "greeting-1")
        took = self.loop.time() - begin
        expect(0.95 <= took <= 1.6, f"a second of sound took {took:.3f} s")
        await self.expect_event("MEDIA_MARK_PROCESSED", "after it")

    async def flushes(self):
        await self.ws.send(tone(self.form, 1.5))
        await self.command("MARK_MEDIA", "lost")
        await self.command("REPORT_QUEUE_DRAINED")
        await self.expect_silence(0.3)
        begin = self.loop.time()
        await self.command("FLUSH_MEDIA")
        await self.expect_event("QUEUE_DRAINED")
        took = self.loop.time() - begin
        expect(took < 0.3, f"a flush took {took:.3f} s")
        await self.expect_silence(0.3)

    async def fills_the_queue(self):
        # 950 frames, in messages below Asterisk's 65,500 bytes.
        frames = 950
        while frames:
            n = min(frames, 65000 // self.frame)
            await self.ws.send(bytes([0xFF if self.form == "ulaw" else 0]) * (n * self.frame))
            frames -= n
        await self.expect_event("MEDIA_XOFF")
        status = await self.status()
        expect(900 <= status.pop("queue_length") <= 950, "queue_length")
        expect(
            status == {"xon_level": 800, "xoff_level": 900, "queue_full": True, "bulk_media": False, "media_paused": False},
            str(status),
        )
        await self.command("FLUSH_MEDIA")
        await self.expect_event("MEDIA_XON")

    async def pauses(self):
        await self.command("PAUSE_MEDIA")
        await self.ws.send(tone(self.form, 0.2))
        await self.command("MARK_MEDIA", "paused")
        await self.expect_silence(0.5)
        expect((await self.status())["media_paused"] is True, "it is not paused")
        await self.command("CONTINUE_MEDIA")
        begin = self.loop.time()
        await self.expect_event("MEDIA_MARK_PROCESSED", "paused")
        took = self.loop.time() - begin
        expect(0.15 <= took <= 0.6, f"0.2 s of sound took {took:.3f} s")

    async def drops_pieces(self):
        """Without buffering a piece that fills no frame is dropped."""
        for _ in range(20):
            await self.ws.send(tone(self.form, 0.02)[: self.frame - 2])
        expect((await self.status())["queue_length"] == 0, "pieces were queued")

    async def turns(self):
        await self.command("SET_MEDIA_DIRECTION", "out")
        await self.status()  # whatever was on its way is here
        count = len(self.sounds)
        await asyncio.sleep(0.2)
        expect(len(self.sounds) - count <= 1, "sound goes on although the direction is 'out'")
        await self.command("SET_MEDIA_DIRECTION", "in")
        await self.command("MARK_MEDIA", "m")
        text = await self.event()
        expect("ERROR" in text and "MARK_MEDIA" in text and self.channel_id in text, text)
        await self.command("SET_MEDIA_DIRECTION", "both")

    async def waits_for_a_key(self):
        limit = self.loop.time() + 5
        while not self.digits and self.loop.time() < limit:
            try:
                await self.event(0.1)
            except asyncio.TimeoutError:
                pass
        wanted = f"DTMF_END digit:5 channel_id:{self.channel_id}"
        if self.control == "json":
            wanted = {"event": "DTMF_END", "channel_id": self.channel_id, "digit": "5"}
            expect([json.loads(d) for d in self.digits] == [wanted], str(self.digits))
        else:
            expect(self.digits == [wanted], str(self.digits))

    async def hangs_up(self):
        await self.command("HANGUP")
        expect(await self.event() is None, "something came after HANGUP")
        expect(self.ws.close_code == 1000, f"closed with {self.ws.close_code}")

    async def story(self):
        await self.begins()
        await self.hears()
        await self.speaks_in_bulk()
        await self.flushes()
        await self.fills_the_queue()
        await self.pauses()
        await self.drops_pieces()
        await self.turns()
        await self.ws.send("JUMP")
        await self.ws.send("MARK_MEDIA " + "x" * 118)
        await self.expect_silence(0.2)
        await self.waits_for_a_key()
        await self.hangs_up()

    async def may_not_hang_up(self):
        await self.begins()
        await self.command("HANGUP")
        text = await self.event()
        expect(text.startswith(f"ERROR channel_id:{self.channel_id} error_text:HANGUP refused"), text)
        await self.status()
        await self.ws.close(1000)


async def take(ws, story, control, form, settles=0.0):
    try:
        expect(ws.subprotocol == "media", f"the subprotocol is {ws.subprotocol!r}")
        call = Call(ws, control, form)
        reader = asyncio.create_task(call.read())
        await asyncio.sleep(settles)
        call.sounds.clear()
        await (call.may_not_hang_up() if story == "may-not" else call.story())
        print("verdict ok", call.channel_id, flush=True)
        await reader
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[1:2]
        print(f"verdict failed: {error or type(error).__name__} at {where}", flush=True)
        await ws.close(1011)


async def answer(ws):
    url = urlsplit(ws.path)
    _, story, control, form = url.path.split("/")
    parameters = parse_qsl(url.query)
    if parameters:
        print("parameters", json.dumps(parameters), flush=True)
    await take(ws, story, control, form)


async def at_the_door(url):
    """The call is seen a moment before it can be had."""
    for _ in range(50):
        try:
            return await websockets.connect(url, subprotocols=["media"])
        except websockets.InvalidStatusCode as refusal:
            expect(refusal.status_code == 404, str(refusal))
            await asyncio.sleep(0.1)
    raise AssertionError("404 for 5 s")


async def main():
    mode = sys.argv[1]
    if mode == "server":
        async with websockets.serve(answer, "127.0.0.1", 0, subprotocols=["media"]) as server:
            os.write(3, b"%d\n" % server.sockets[0].getsockname()[1])
            await asyncio.Future()
    elif mode == "client":
        ws = await at_the_door(sys.argv[2])
        print("in", flush=True)
        # What the caller said until now comes first, and faster.
        await take(ws, "story", "text", "ulaw", settles=1.0)
        await ws.close()
    else:
        try:
            async with websockets.connect(sys.argv[2], subprotocols=["media"]):
                print("verdict failed: it was let in", flush=True)
        except websockets.InvalidStatusCode as refusal:
            is_right = refusal.status_code == int(sys.argv[3])
            print("verdict ok" if is_right else f"verdict failed: {refusal.status_code}", flush=True)


asyncio.run(main())
