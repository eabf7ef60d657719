#!/usr/bin/env python3
"""A bot on Python's websockets that gives back what it hears and keeps it.

    echo_bot.py serve FILE [PORT]        plain protocol; FILE: all sound heard (S16LE), the port is printed on descriptor 3
    echo_bot.py visit URL FILE           connects to URL as Asterisk's applications do (subprotocol media); FILE as above
    echo_bot.py knock URL                prints the status with which URL refuses

Every text is printed, behind how many bytes of sound were heard before it."""

import asyncio
import os
import sys

import websockets


async def parrot(socket, path):
    heard = 0
    with open(path, "wb") as file:
        try:
            async for message in socket:
                if isinstance(message, str):
                    print(heard, message, flush=True)
                    continue
                heard += len(message)
                file.write(message)
                file.flush()
                await socket.send(message)
        except websockets.ConnectionClosedError:
            pass
    print("closed", socket.close_code, flush=True)


async def serve(path, port):
    async with websockets.serve(lambda socket: parrot(socket, path), "127.0.0.1", port, subprotocols=["offhook.plain.v1"]) as server:
        os.write(3, b"%d\n" % server.sockets[0].getsockname()[1])
        await asyncio.Future()


async def visit(url, path):
    async with websockets.connect(url, subprotocols=["media"]) as socket:
        print("open", socket.subprotocol, flush=True)
        await parrot(socket, path)


async def knock(url):
    try:
        async with websockets.connect(url, subprotocols=["media"]):
            print("101", flush=True)
    except websockets.InvalidStatusCode as refusal:
        print(refusal.status_code, flush=True)


command, *rest = sys.argv[1:]
if command == "serve":
    asyncio.run(serve(rest[0], int(rest[1]) if len(rest) > 1 else 0))
elif command == "visit":
    asyncio.run(visit(*rest))
else:
    asyncio.run(knock(*rest))
