#!/usr/bin/env python3
"""Takes an upgrade and reads a byte a second from then on. Its port is the first line on descriptor 3."""

import base64
import hashlib
import os
import socket
import time

with socket.create_server(("127.0.0.1", 0)) as server:
    # Small, so that what the kernel holds for us is soon full.
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    os.write(3, b"%d\n" % server.getsockname()[1])
    peer, _ = server.accept()
    head = b""
    while b"\r\n\r\n" not in head:
        head += peer.recv(1)
    key = next(line.split(b": ")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
    digest = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    peer.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"
    )
    while peer.recv(1):
        time.sleep(1)
