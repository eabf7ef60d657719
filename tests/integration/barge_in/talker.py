"""A bot in the plain protocol that talks without end and answers who interrupts it.

talker.py SPEECH ANSWER: both are S16 at 8 kHz without a header. The port is the first line on descriptor 3. Each event
of a call is a line: who called, and the event with how much of the caller was heard until then. A caller whose name
begins with "accept" or "deny" gets that for an answer to barge-in; others get none."""

import asyncio
import json
import os
import sys

import websockets

SPEECH, ANSWER = (open(path, "rb").read() for path in sys.argv[1:3])


async def talk(socket):
    start = json.loads(await socket.recv())
    name = start["call"]["from"]
    assert start["audio"]["sample_rate"] == 8000, start
    heard = 0
    has_answered = False
    await socket.send(SPEECH)
    async for message in socket:
        if isinstance(message, bytes):
            heard += len(message) // 2
            continue
        event = json.loads(message)
        if event["type"] != "played-to":
            event["heard_ms"] = heard / 8
            print(name, json.dumps(event), flush=True)
        if event["type"] == "barge-in" and name.startswith(("accept", "deny")):
            await socket.send(json.dumps({"type": "barge-in", "accept": name.startswith("accept")}))
        if event["type"] == "speech" and event["state"] == "stopped" and not has_answered:
            has_answered = True
            await socket.send(ANSWER)


async def main():
    async with websockets.serve(talk, "127.0.0.1", 0, max_size=2**20) as server:
        os.write(3, b"%d\n" % server.sockets[0].getsockname()[1])
        await asyncio.Future()


asyncio.run(main())
