#!/usr/bin/env python3
"""A bot in Offhook's plain protocol that says what a test wrote down, and prints every text it hears.

    plain_bot.py [MESSAGE ...]

After `start` it sends each MESSAGE: JSON as it is, `tone MS` as so much sound, `close CODE` ends the connection. The port is the
first line on descriptor 3; BOT_PORT asks for one.
"""

import array
import asyncio
import math
import os
import sys

import websockets


def tone(milliseconds, rate=16000):
    return array.array(
        "h", (int(8000 * math.sin(2 * math.pi * 440 * i / rate)) for i in range(rate * milliseconds // 1000))
    ).tobytes()


async def talk(socket):
    print("heard", await socket.recv(), flush=True)
    for message in sys.argv[1:]:
        word, _, argument = message.partition(" ")
        if word == "tone":
            await socket.send(tone(int(argument)))
        elif word == "close":
            await socket.close(int(argument))
        else:
            await socket.send(message)
    try:
        async for message in socket:
            if isinstance(message, str):
                print("heard", message, flush=True)
    except websockets.ConnectionClosedError:
        pass
    print("closed", socket.close_code, flush=True)


async def main():
    async with websockets.serve(talk, "127.0.0.1", int(os.environ.get("BOT_PORT", "0")), subprotocols=["offhook.plain.v1"]) as server:
        os.write(3, b"%d\n" % server.sockets[0].getsockname()[1])
        await asyncio.Future()


asyncio.run(main())
