#!/usr/bin/env python3
"""A Twilio bot as Python frameworks make them: `websockets`, the first two messages read before anything else, a codec of the
standard library, an answer in pieces of 20 ms at the pace of speech, `clear` when the caller interrupts.

    twilio_bot.py --log FILE

Descriptor 3 gets the line `ready ws://127.0.0.1:PORT`; the log is that of plain_bot.py.
"""

import argparse
import asyncio
import audioop
import base64
import json
import os
import re
import signal
import time

import websockets

options = argparse.ArgumentParser()
options.add_argument("--log", required=True)
options = options.parse_args()
begun = time.monotonic()
log = open(options.log, "a", encoding="utf-8", buffering=1)


def note(**entry):
    log.write(json.dumps({"at": (time.monotonic() - begun) * 1000, **entry}) + "\n")


async def receive(socket):
    text = await socket.recv()
    note(got=text)
    return json.loads(text)


class Call:
    def __init__(self, socket, start):
        self.socket = socket
        self.stream = start["streamSid"]
        self.loud = self.quiet = 0
        self.speech = None

    async def send(self, **message):
        await self.socket.send(json.dumps({"streamSid": self.stream, **message}))

    async def speak(self):
        wave = audioop.lin2ulaw(bytes(range(0, 160)) * 2, 2)
        for piece in range(150):
            await self.send(event="media", media={"payload": base64.b64encode(wave).decode()})
            if piece % 50 == 49:
                await self.send(event="mark", mark={"name": f"second-{piece // 50 + 1}"})
            await asyncio.sleep(0.015)

    async def hear(self, payload):
        is_loud = audioop.rms(audioop.ulaw2lin(payload, 2), 2) > 600
        self.loud, self.quiet = (self.loud + 1, 0) if is_loud else (self.loud, self.quiet + 1)
        if self.loud == 5 and self.speech:
            self.speech.cancel()
            note(note="clear")
            await self.send(event="clear")
        if self.quiet == 15:
            if self.loud >= 5 and not self.speech:
                note(note="answer")
                self.speech = asyncio.create_task(self.speak())
            self.loud = 0

    async def run(self):
        while True:
            message = await receive(self.socket)
            if message["event"] == "media":
                await self.hear(base64.b64decode(message["media"]["payload"], validate=True))
            elif message["event"] == "stop":
                note(note="stop")
                return


async def serve(socket, *_):
    try:
        connected, start = await receive(socket), await receive(socket)
        assert connected["event"] == "connected" and start["event"] == "start", "order"
        for key, prefix in (("streamSid", "MZ"), ("callSid", "CA"), ("accountSid", "AC")):
            assert re.fullmatch(prefix + "[0-9a-f]{32}", start["start"][key]), key
        await Call(socket, start["start"]).run()
        await socket.wait_closed()
    except Exception as error:  # the test reads what went wrong
        note(note="error", text=repr(error))
        raise
    finally:
        note(note="closed", code=socket.close_code)


async def main():
    end = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end.set)
    async with websockets.serve(serve, "127.0.0.1", 0) as server:
        os.write(3, f"ready ws://127.0.0.1:{server.sockets[0].getsockname()[1]}\n".encode())
        await end.wait()


asyncio.run(main())
