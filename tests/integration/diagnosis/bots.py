"""Bots of the plain protocol that do one thing wrong each, on sockets without a library between."""

import asyncio
import base64
import contextlib
import hashlib
import os
import socket
import ssl
import struct

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def frame(opcode, payload):
    size = len(payload)
    head = bytes([0x80 | opcode, size]) if size < 126 else bytes([0x80 | opcode, 126]) + struct.pack(">H", size)
    return head + payload


class Bot:
    """A listener of loopback, and what it does with each connection."""

    def __init__(self, serve, tls=None, receive_bytes=0):
        self.serve, self.tls, self.receive_bytes = serve, tls, receive_bytes
        self.connections = 0

    async def open(self):
        listener = socket.socket()
        if self.receive_bytes:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_bytes)
        listener.bind(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        self.server = await asyncio.start_server(self._accept, sock=listener, ssl=self.tls, limit=4096)

    async def _accept(self, reader, writer):
        self.connections += 1
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await self.serve(self, reader, writer)
        writer.transport.abort()

    def close(self):
        self.server.close()


async def shake_hands(reader, writer, key=None):
    request = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    headers = {line.split(":", 1)[0].lower(): line.split(":", 1)[1].strip() for line in request.split("\r\n")[1:] if ":" in line}
    accept = base64.b64encode(hashlib.sha1(((key or headers["sec-websocket-key"]) + GUID).encode()).digest()).decode()
    writer.write(f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n"
                 "Sec-WebSocket-Protocol: offhook.plain.v1\r\n\r\n".encode())


async def listen(reader):
    while await reader.read(4096):
        pass


async def speak(reader, writer, act):
    """Hears, and does `act(writer)` beside it."""
    await shake_hands(reader, writer)
    hearing = asyncio.ensure_future(listen(reader))
    try:
        await act(writer)
        await hearing
    finally:
        hearing.cancel()


# What they do.

async def refuse(_bot, reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
    await writer.drain()


async def hang(_bot, reader, _writer):
    await listen(reader)


async def misunderstand(_bot, reader, writer):
    await shake_hands(reader, writer, key="another")
    await listen(reader)


async def die(bot, reader, writer):
    """Lives for a second, and is then reset at each try."""
    if bot.connections == 1:
        await shake_hands(reader, writer)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(listen(reader), 1)
    else:
        await reader.readuntil(b"\r\n\r\n")
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def stop_reading(_bot, reader, writer):
    await shake_hands(reader, writer)
    writer.transport.pause_reading()
    await asyncio.sleep(3600)


async def say_nothing(_bot, reader, writer):
    async def act(_writer):
        pass
    await speak(reader, writer, act)


async def babble(_bot, reader, writer):
    async def act(out):
        for _ in range(10):
            out.write(frame(1, b"How can I help you?"))
    await speak(reader, writer, act)


async def make_noise(_bot, reader, writer):
    async def act(out):
        while True:
            out.write(frame(2, os.urandom(3200)))  # 200 ms at 8 kHz
            await out.drain()
            await asyncio.sleep(0.2)
    await speak(reader, writer, act)


async def dribble(_bot, reader, writer):
    async def act(out):
        while True:
            out.write(frame(2, b"\x00\x10" * 800))  # 100 ms, every 250
            await out.drain()
            await asyncio.sleep(0.25)
    await speak(reader, writer, act)


async def flood(_bot, reader, writer):
    async def act(out):
        while True:
            out.write(frame(2, b"\x00\x10" * 8000))  # 1 s, five times as fast as it is played
            await out.drain()
            await asyncio.sleep(0.2)
    await speak(reader, writer, act)


async def talk(_bot, reader, writer):
    async def act(out):
        while True:
            out.write(frame(2, b"\x00\x10" * 1600))
            await out.drain()
            await asyncio.sleep(0.2)
    await speak(reader, writer, act)


def tls_of(certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
