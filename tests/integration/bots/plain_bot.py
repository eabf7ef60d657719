#!/usr/bin/env python3
"""A bot of Python's `websockets` that speaks the plain protocol, written from docs/plain-protocol.md and held to the schema.

    plain_bot.py --schema FILE --log FILE

Descriptor 3 gets the line `ready ws://127.0.0.1:PORT`. The log gets one JSON line for each thing that happened, with `at`
in ms: {"at", "got": text} for each text of Offhook, {"at", "bytes": base64} for its sound, {"at", "note": ...} for what the
bot did. It answers the caller's first sentence with 5 s of a tone, cut inside samples, with marks after 1 s and at the end;
confirms the first barge-in; asks for a transfer; clears when the caller speaks again.
"""

import argparse
import array
import asyncio
import base64
import json
import math
import os
import signal
import time

import jsonschema
import websockets

options = argparse.ArgumentParser()
options.add_argument("--schema", required=True)
options.add_argument("--log", required=True)
options = options.parse_args()

with open(options.schema, encoding="utf-8") as file:
    schema = json.load(file)
jsonschema.Draft202012Validator.check_schema(schema)


def validator(which):
    return jsonschema.Draft202012Validator({**schema, "anyOf": [{"$ref": "#/$defs/" + which}]})


from_offhook, from_bot = validator("from_offhook"), validator("from_bot")
begun = time.monotonic()
log = open(options.log, "a", encoding="utf-8", buffering=1)


def note(**entry):
    log.write(json.dumps({"at": (time.monotonic() - begun) * 1000, **entry}) + "\n")


def tone(rate, milliseconds):
    count = rate * milliseconds // 1000
    return array.array("h", (int(9000 * math.sin(2 * math.pi * 500 * i / rate)) for i in range(count))).tobytes()


class Call:
    def __init__(self, socket):
        self.socket = socket
        self.rate = 0
        self.loud = self.quiet = 0
        self.is_speaking = self.has_answered = False

    async def say(self, **message):
        for problem in from_bot.iter_errors(message):
            note(note="own message against the schema", text=problem.message, message=message)
        await self.socket.send(json.dumps(message))

    async def run(self):
        async for message in self.socket:
            if isinstance(message, bytes):
                note(bytes=base64.b64encode(message).decode())
                await self.hear(array.array("h", message))
                continue
            note(got=message)
            message = json.loads(message)
            known = message["type"] != "offhook-check"
            for problem in from_offhook.iter_errors(message) if known else ():
                note(note="against the schema", text=problem.message, message=message)
            if message["type"] == "start":
                self.rate = message["audio"]["sample_rate"]
            elif message["type"] == "barge-in":
                await self.say(type="barge-in", accept=True)

    async def hear(self, samples):
        loud = sum(abs(sample) for sample in samples[::8]) * 8 > 600 * len(samples)
        self.loud, self.quiet = (self.loud + 1, 0) if loud else (self.loud, self.quiet + 1)
        if not self.is_speaking and self.loud >= 5:
            self.is_speaking = True
            if self.has_answered:
                note(note="clear")
                await self.say(type="clear")
                await self.answer()
        if self.quiet >= 15:
            if self.is_speaking and not self.has_answered:
                self.has_answered = True
                await self.say(type="transfer", target="sip:100@example.net", id="t1")
                await self.answer()
            self.is_speaking, self.loud = False, 0

    async def answer(self):
        note(note="answer")
        await self.socket.send(tone(self.rate, 1000))
        await self.say(type="mark", name="first")
        sound = tone(self.rate, 4000)
        for start in range(0, len(sound), 333):
            await self.socket.send(sound[start:start + 333])
        await self.say(type="mark", name="second")


async def serve(socket, *_):
    note(note="connected", subprotocol=socket.subprotocol)
    try:
        await Call(socket).run()
    finally:
        note(note="closed", code=socket.close_code)


async def main():
    end = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end.set)
    async with websockets.serve(serve, "127.0.0.1", 0, subprotocols=["offhook.plain.v1"]) as server:
        os.write(3, f"ready ws://127.0.0.1:{server.sockets[0].getsockname()[1]}\n".encode())
        await end.wait()


asyncio.run(main())
