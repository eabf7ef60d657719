#!/usr/bin/env python3
"""An AudioSocket server, of which the client is supposed to be Asterisk. Its port is the first line on descriptor 3.

Each call ends in one line, "verdict ok UUID" or "verdict failed: ...": the UUID comes first, sound is a packet of 20 ms each
20 ms, what is sent in pieces cut anywhere is echoed, a key is a packet, 0x00 ends the call.
"""

import asyncio
import os
import random
import uuid

FRAME = b"\x10\x01\x40"


def expect(is_so, why):
    if not is_so:
        raise AssertionError(why)


async def packet(reader):
    header = await asyncio.wait_for(reader.readexactly(3), 5)
    return header[0], await asyncio.wait_for(reader.readexactly(int.from_bytes(header[1:], "big")), 5)


async def story(reader, writer):
    loop = asyncio.get_running_loop()
    cut = random.Random(1)
    kind, payload = await packet(reader)
    expect(kind == 0x01 and len(payload) == 16, f"the first packet is {kind:#x} of {len(payload)} bytes")
    identity = uuid.UUID(bytes=payload)
    begin = loop.time()
    keys, times = [], []
    while len(times) < 200 or not keys:
        kind, payload = await packet(reader)
        if kind == 0x03:
            keys.append(payload)
            continue
        expect(kind == 0x10 and len(payload) == 320, f"a packet {kind:#x} of {len(payload)} bytes")
        times.append(loop.time())
        expect(len(times) < 600, "no key came")
        # Echo, two pieces to a packet wherever they end.
        back = FRAME + payload
        at = cut.randint(1, len(back) - 1)
        writer.write(back[:at])
        await writer.drain()
        await asyncio.sleep(0)
        writer.write(back[at:])
    rate = len(times) / (times[-1] - begin)
    expect(45 <= rate <= 55, f"{rate:.1f} packets a second")
    expect(keys == [b"5"], f"keys {keys}")
    writer.write(b"\x77\x00\x02ab")  # unknown: ignored
    writer.write(b"\x00\x00\x00")
    await writer.drain()
    while True:
        try:
            kind, _ = await packet(reader)
        except asyncio.IncompleteReadError as end:
            expect(not end.partial, "cut inside a packet")
            break
        expect(kind in (0x00, 0x10), f"a packet {kind:#x} at the end")
    return identity


async def answer(reader, writer):
    try:
        print("verdict ok", await story(reader, writer), flush=True)
    except Exception as error:
        print(f"verdict failed: {error or type(error).__name__}", flush=True)
    writer.close()


async def main():
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    os.write(3, b"%d\n" % server.sockets[0].getsockname()[1])
    await server.serve_forever()


asyncio.run(main())
