#!/usr/bin/env python3
"""A client not written by us, Python's websockets, against our listener: echoes of all lengths.

    websockets_client.py URL SUBPROTOCOL
"""

import asyncio
import sys

import websockets


async def main(url, subprotocol):
    async with websockets.connect(url, subprotocols=[subprotocol], max_size=2**22) as socket:
        assert socket.subprotocol == subprotocol, socket.subprotocol
        for size in (0, 1, 125, 126, 65535, 65536, 1 << 20):
            data = bytes(i * 31 % 251 for i in range(size))
            for message in (data, "é" * size):
                await socket.send(message)
                assert await socket.recv() == message, size
        await socket.send([b"one-", b"two-", b"three"])
        assert await socket.recv() == b"one-two-three"
        await asyncio.wait_for(await socket.ping(), 10)
        await socket.close(4001, "thanks")
        print("closed", socket.close_code, flush=True)


asyncio.run(main(*sys.argv[1:]))
