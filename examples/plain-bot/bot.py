#!/usr/bin/env python3
"""A bot on one page, in Offhook's plain protocol (docs/plain-protocol.md): a parrot. It greets, waits until the caller
has said something, says it back, and stops when the caller speaks into it. The key # ends the call.

    apt install python3-websockets espeak-ng
    examples/plain-bot/bot.py 9091                   # then url = "ws://127.0.0.1:9091" in [[ai]], protocol = "plain"

Sound is S16LE mono, both ways, at the rate that the first message names; write as much as you like at once, Offhook
paces it."""

import array
import asyncio
import json
import subprocess
import sys

import websockets

LOUD = 1000  # of 32767
PAUSE_MS = 600


def speak(words, rate):
    """Samples of espeak-ng at `rate`; its WAV has a header of 44 bytes and 22050 Hz."""
    wav = subprocess.run(["espeak-ng", "--stdout", words], stdout=subprocess.PIPE, check=True).stdout
    said = array.array("h", wav[44:len(wav) // 2 * 2])
    step = 22050 / rate
    places = (i * step for i in range(int((len(said) - 1) / step)))
    return array.array("h", (int(said[int(at)] * (1 - at % 1) + said[int(at) + 1] * (at % 1)) for at in places)).tobytes()


async def talk(socket):
    start = json.loads(await socket.recv())
    rate = start["audio"]["sample_rate"]
    print(f"{start['call']['id']}: a call from {start['call']['from']}", flush=True)
    heard = bytearray()     # the caller's words so far
    quiet_ms = 0
    playing = set()         # marks that have not come back
    marks = 0

    async def play(pcm, name):
        nonlocal marks
        marks += 1
        name = f"{name}-{marks}"
        playing.add(name)
        await socket.send(pcm)
        await socket.send(json.dumps({"type": "mark", "name": name}))

    await play(speak("Hello. I am a parrot. Say something.", rate), "greeting")
    async for message in socket:
        if isinstance(message, bytes):
            samples = array.array("h", message)
            if max(map(abs, samples), default=0) > LOUD:
                if playing:                                     # barge-in: be quiet at once
                    playing.clear()
                    await socket.send(json.dumps({"type": "clear"}))
                quiet_ms = 0
                heard += message
            elif heard:
                quiet_ms += len(samples) * 1000 // rate
                heard += message
                if quiet_ms >= PAUSE_MS:
                    print(f"says back {len(heard) / 2 / rate:.1f} s", flush=True)
                    await play(bytes(heard), "parrot")
                    heard.clear()
            continue
        event = json.loads(message)
        if event["type"] == "mark":
            print(f"{event['name']} {event['state']}, {event['played_ms']:.0f} ms played so far", flush=True)
            playing.discard(event["name"])
        elif event["type"] == "barge-in":                       # of a route with barge_in = "detect"
            await socket.send(json.dumps({"type": "barge-in", "accept": True}))
        elif event["type"] == "dtmf" and event["digit"] == "#":
            await play(speak("Goodbye.", rate), "goodbye")
            await socket.send(json.dumps({"type": "hangup", "after_speech": True, "id": "bye"}))
        elif event["type"] == "verb" and event["state"] == "refused":
            print(f"{event['verb']} is not allowed: add it to the route's verbs", flush=True)
        elif event["type"] == "stop":
            print(f"the call ended: {event['reason']}", flush=True)


async def main():
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 9091
    async with websockets.serve(talk, "127.0.0.1", port, subprotocols=["offhook.plain.v1"], max_size=2**20) as server:
        print(f"listens on ws://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        await asyncio.Future()


try:
    asyncio.run(main())
except KeyboardInterrupt:
    pass
