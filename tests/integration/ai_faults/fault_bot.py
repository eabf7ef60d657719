#!/usr/bin/env python3
"""A bot of the plain protocol that misbehaves when told to. Its WebSocket is its own (RFC 6455, server side), so that
it can do what libraries do not let one do.

Says a tone of 1 s every 2 s, in one burst, with a mark behind it. SIGUSR1 begins the fault on all live connections,
SIGUSR2 ends it. Prints one JSON line for each thing that happened.

    reset    every connection is reset (RST)
    garbage  bytes that are no frames
    flood    a hundred times real time for as long as it lasts
    slow     one byte a second is read
"""
import argparse
import asyncio
import base64
import hashlib
import json
import math
import random
import signal
import socket
import ssl
import struct
import sys

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
RATE_HZ = 8000


def tell(**what):
    print(json.dumps(what), flush=True)


def tone(seconds: float) -> bytes:
    """Whole periods with a gentle peak, S16LE."""
    return b"".join(struct.pack("<h", int(6000 * math.sin(2 * math.pi * 400 * i / RATE_HZ)))
                    for i in range(int(seconds * RATE_HZ)))


UTTERANCE = tone(1)
FLOOD = tone(2)  # of each 20 ms


def frame(opcode: int, payload: bytes) -> bytes:
    length = len(payload)
    if length < 126:
        head = bytes([0x80 | opcode, length])
    elif length < 65536:
        head = bytes([0x80 | opcode, 126]) + struct.pack(">H", length)
    else:
        head = bytes([0x80 | opcode, 127]) + struct.pack(">Q", length)
    return head + payload


class Gone(Exception):
    pass


class Connection:
    def __init__(self, bot: "Bot", peer: socket.socket):
        self.bot, self.peer = bot, peer
        self.loop = asyncio.get_running_loop()
        self.waiting = b""
        self.call = ""
        self.heard = 0
        self.task = asyncio.ensure_future(self.serve())
        self.writing = asyncio.Lock()

    async def read(self, n: int) -> bytes:
        while len(self.waiting) < n:
            while self.bot.is_faulty and self.bot.fault == "slow":
                await asyncio.sleep(1)
                self.waiting += await self.loop.sock_recv(self.peer, 1)
            data = await self.loop.sock_recv(self.peer, 65536)
            if not data:
                raise Gone
            self.waiting += data
        taken, self.waiting = self.waiting[:n], self.waiting[n:]
        return taken

    async def send(self, data: bytes):
        async with self.writing:
            await self.loop.sock_sendall(self.peer, data)

    async def upgrade(self):
        request = b""
        while b"\r\n\r\n" not in request:
            request += await self.read(1)
        headers = dict(line.split(": ", 1) for line in request.decode("latin-1").split("\r\n")[1:] if ": " in line)
        headers = {name.lower(): value for name, value in headers.items()}
        accept = base64.b64encode(hashlib.sha1((headers["sec-websocket-key"] + GUID).encode()).digest()).decode()
        answer = f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n"
        if "sec-websocket-protocol" in headers:
            answer += "Sec-WebSocket-Protocol: " + headers["sec-websocket-protocol"].split(",")[0].strip() + "\r\n"
        await self.send((answer + "\r\n").encode())

    async def message(self):
        """(opcode, payload) of the next frame; Offhook does not fragment."""
        head = await self.read(2)
        length = head[1] & 0x7F
        if length == 126:
            length = struct.unpack(">H", await self.read(2))[0]
        elif length == 127:
            length = struct.unpack(">Q", await self.read(8))[0]
        if not head[1] & 0x80:
            raise SystemExit("fault_bot: a client's frame without a mask (RFC 6455 §5.1)")
        mask = await self.read(4)
        data = await self.read(length)
        whole = int.from_bytes(data, "big") ^ int.from_bytes((mask * (length // 4 + 1))[:length], "big")
        return head[0] & 0x0F, whole.to_bytes(length, "big")

    async def listen(self):
        while True:
            opcode, payload = await self.message()
            if opcode == 2:
                self.heard += len(payload)
            elif opcode == 9:
                await self.send(frame(10, payload))
            elif opcode == 8:
                await self.send(frame(8, payload[:2]))
                raise Gone
            elif opcode == 1:
                said = json.loads(payload)
                if said["type"] == "start":
                    self.call = said["call"]["id"]
                if said["type"] in ("start", "mark", "replay", "dropped", "stop"):
                    tell(**{**said, "call": self.call})

    async def speak(self):
        number = 0
        while True:
            number += 1
            await self.send(frame(2, UTTERANCE) + frame(1, json.dumps({"type": "mark", "name": f"u{number}"}).encode()))
            tell(call=self.call, type="said", name=f"u{number}", samples=len(UTTERANCE) // 2)
            for _ in range(100):
                if self.bot.is_faulty and self.bot.fault == "flood":
                    await self.send(frame(2, FLOOD))
                await asyncio.sleep(0.02)

    async def serve(self):
        try:
            await self.upgrade()
            tasks = [asyncio.ensure_future(task) for task in (self.listen(), self.speak())]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            finally:
                for task in tasks:
                    task.cancel()
        except (Gone, OSError, KeyError, asyncio.CancelledError):
            pass
        tell(call=self.call, type="closed", heard_ms=self.heard / 2 / RATE_HZ * 1000)
        self.bot.connections.discard(self)
        self.peer.close()


class Bot:
    def __init__(self, fault: str):
        self.fault, self.is_faulty = fault, False
        self.connections: set = set()
        self.tasks: set = set()

    def begin(self):
        self.is_faulty = True
        tell(type="fault", fault=self.fault, connections=len(self.connections))
        for connection in list(self.connections):
            if self.fault == "reset":
                connection.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.task.cancel()
            elif self.fault == "garbage":
                task = asyncio.ensure_future(connection.send(random.Random(20261121).randbytes(4096)))
                self.tasks.add(task)
                task.add_done_callback(self.tasks.discard)

    def end(self):
        self.is_faulty = False
        tell(type="good")

    async def run(self, listener: socket.socket, certificate: str):
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGUSR1, self.begin)
        loop.add_signal_handler(signal.SIGUSR2, self.end)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server = await asyncio.start_server(lambda reader, writer: writer.close(), sock=listener, ssl=context)
            tell(type="ready", port=listener.getsockname()[1])
            await server.serve_forever()
        tell(type="ready", port=listener.getsockname()[1])
        while True:
            peer, _ = await loop.sock_accept(listener)
            peer.setblocking(False)
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections.add(Connection(self, peer))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fault", choices=["none", "reset", "garbage", "flood", "slow"], default="none")
    parser.add_argument("--port", type=int, default=0, help="0: any")
    parser.add_argument("--certificate", default="", help="PEM with key: speaks TLS")
    options = parser.parse_args()
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if options.fault == "slow":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    listener.bind(("127.0.0.1", options.port))
    listener.listen(128)
    listener.setblocking(False)
    asyncio.run(Bot(options.fault).run(listener, options.certificate))


if __name__ == "__main__":
    sys.exit(main())
