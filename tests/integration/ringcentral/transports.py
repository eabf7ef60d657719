"""The two ways in: SIP over TLS with Content-Length framing, and SIP over WebSocket (RFC 7118, own RFC 6455 framing)."""

import asyncio
import base64
import hashlib
import re
import ssl
import struct

from sip_message import Malformed, Message

MAX_MESSAGE = 64 * 1024


class Connection:
    """One phone's connection. `events` has on_message(connection, message) and on_closed(connection)."""

    def __init__(self, kind, proxy, reader, writer, events, witness):
        self.kind, self.proxy = kind, proxy  # "TLS" or "WSS"; "primary" or "backup"
        self.reader, self.writer = reader, writer
        self.events, self.witness = events, witness
        self.is_open = True
        self.is_silent = False  # takes everything, answers nothing

    def deliver(self, data):
        try:
            message = Message.parse(data)
        except (Malformed, ValueError) as problem:
            self.witness.violation(f"{self.kind}: not SIP: {problem}")
            return
        if not self.is_silent:
            self.events.on_message(self, message)

    def close(self):
        if self.is_open:
            self.is_open = False
            self.writer.transport.abort()
            self.events.on_closed(self)

    async def serve(self):
        try:
            await self.read()
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError, OSError):
            pass
        finally:
            self.close()


class TlsConnection(Connection):
    def send(self, message):
        """Ragged on purpose: a bare CRLF before, and the message in two pieces."""
        if not self.is_open:
            return
        data = message.bytes()
        middle = len(data) // 2
        self.writer.write(b"\r\n" + data[:middle])
        asyncio.get_running_loop().call_soon(self._rest, data[middle:])

    def _rest(self, data):
        if self.is_open:
            self.writer.write(data)

    async def read(self):
        while True:
            head = await self.reader.readuntil(b"\r\n")
            if head == b"\r\n":  # a keep-alive (RFC 5626 section 3.5.1); the vendor's SIP over TLS has no pong
                continue
            head += await self.reader.readuntil(b"\r\n\r\n")
            found = re.search(rb"\r\n(?:content-length|l)\s*:\s*(\d+)\s*\r\n", head, re.IGNORECASE)
            if not found:
                self.witness.violation("TLS: a message without Content-Length")
                return
            length = int(found.group(1))
            if length > MAX_MESSAGE:
                self.witness.violation("TLS: a message that is too large")
                return
            self.deliver(head + (await self.reader.readexactly(length) if length else b""))


class WebSocketConnection(Connection):
    GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

    def send(self, message):
        self._frame(1, message.bytes())

    def _frame(self, opcode, data):
        if not self.is_open:
            return
        size = len(data)
        if size < 126:
            length = struct.pack("!B", size)
        else:
            length = struct.pack("!BH", 126, size) if size < 65536 else struct.pack("!BQ", 127, size)
        self.writer.write(bytes([0x80 | opcode]) + length + data)

    async def handshake(self):
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        headers = {n.strip().lower(): v.strip() for n, _, v in (h.partition(":") for h in head.split("\r\n")[1:])}
        protocols = [p.strip() for p in headers.get("sec-websocket-protocol", "").split(",")]
        good = self.witness.expect(headers.get("upgrade", "").lower() == "websocket", "WSS: no WebSocket upgrade")
        good &= self.witness.expect("sip" in protocols, f"WSS: subprotocol sip is not among {protocols}")
        good &= self.witness.expect(headers.get("sec-websocket-version") == "13", "WSS: version is not 13")
        if not good:
            self.writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            return False
        digest = hashlib.sha1((headers.get("sec-websocket-key", "") + self.GUID).encode()).digest()
        self.writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Protocol: sip\r\nSec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"
        )
        return True

    async def read(self):
        if not await self.handshake():
            return
        message = b""
        while True:
            first, second = await self.reader.readexactly(2)
            opcode, size = first & 0x0F, second & 0x7F
            if not self.witness.expect(second & 0x80, "WSS: a frame of the client is not masked"):
                return
            if size == 126:
                (size,) = struct.unpack("!H", await self.reader.readexactly(2))
            elif size == 127:
                (size,) = struct.unpack("!Q", await self.reader.readexactly(8))
            if not self.witness.expect(size <= MAX_MESSAGE, "WSS: a frame that is too large"):
                return
            mask = await self.reader.readexactly(4)
            data = bytes(b ^ mask[i % 4] for i, b in enumerate(await self.reader.readexactly(size)))
            if opcode == 8:
                self._frame(8, data[:2])
                return
            if opcode == 9:
                self._frame(10, data)
            if opcode in (0, 1, 2):
                message += data
                if first & 0x80:
                    self.deliver(message)
                    message = b""


class Listener:
    """One proxy: a port that phones connect to; can stop and start again on the same port."""

    def __init__(self, kind, proxy, context, events, witness):
        self.kind, self.proxy, self.context = kind, proxy, context
        self.events, self.witness = events, witness
        self.server, self.port = None, 0
        self.connections = set()

    async def start(self):
        self.server = await asyncio.start_server(self._accept, "127.0.0.1", self.port, ssl=self.context, limit=MAX_MESSAGE)
        self.port = self.server.sockets[0].getsockname()[1]

    async def stop(self):
        """Cuts every connection and refuses others."""
        if self.server:
            self.server.close()
            self.server = None
        self.cut()

    def cut(self):
        for connection in list(self.connections):
            connection.close()

    async def _accept(self, reader, writer):
        made = WebSocketConnection if self.kind == "WSS" else TlsConnection
        connection = made(self.kind, self.proxy, reader, writer, self.events, self.witness)
        self.connections.add(connection)
        self.witness.event("connected", kind=self.kind, proxy=self.proxy)
        try:
            await connection.serve()
        except asyncio.CancelledError:
            pass  # the stand-in ends
        finally:
            self.connections.discard(connection)
            self.witness.event("disconnected", kind=self.kind, proxy=self.proxy)
