#!/usr/bin/env python3
"""A peer not written by us: Python's websockets. Its port is the first line on descriptor 3.

    websockets_server.py [PEM]

/echo, /close/CODE, /fragments; anything else is a 404.
"""

import asyncio
import http
import os
import ssl
import sys

import websockets


async def serve(socket, path):
    kind, _, argument = path.lstrip("/").partition("/")
    if kind == "close":
        await socket.close(int(argument), "that is all")
        return
    try:
        async for message in socket:
            if kind == "fragments":
                await socket.send([message[at : at + 3] for at in range(0, len(message), 3)])
            else:
                await socket.send(message)
    except websockets.ConnectionClosedError:
        pass
    print("closed", socket.close_code, socket.close_reason, flush=True)


async def check(path, _):
    if path.split("/")[1] not in ("echo", "close", "fragments"):
        return http.HTTPStatus.NOT_FOUND, [], b"Nothing is here.\n"
    return None


async def main():
    context = None
    if len(sys.argv) > 1:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1])
    async with websockets.serve(serve, "127.0.0.1", 0, ssl=context, max_size=2**22, process_request=check) as server:
        os.write(3, b"%d\n" % server.sockets[0].getsockname()[1])
        await asyncio.Future()


asyncio.run(main())
