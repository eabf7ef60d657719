"""A bot of protocol "plain" that hears its opening handshake and `start`, and says nothing."""

import base64
import hashlib
import json
import socket
import struct
import threading


class Bot:
    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.heard, self.sockets = [], []
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _serve(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            self.sockets.append(peer)
            threading.Thread(target=self._talk, args=[peer], daemon=True).start()

    def _talk(self, peer):
        try:
            stream = peer.makefile("rb")
            headers = {}
            stream.readline()
            for line in iter(stream.readline, b"\r\n"):
                name, _, value = line.decode().partition(":")
                headers[name.strip().lower()] = value.strip()
            key = headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
            accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
            protocol = headers.get("sec-websocket-protocol", "")
            peer.sendall(("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          f"Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: {protocol}\r\n\r\n").encode())
            while True:
                head = stream.read(2)
                size = head[1] & 127
                if size == 126:
                    size = struct.unpack(">H", stream.read(2))[0]
                mask, data = stream.read(4), stream.read(size)
                data = bytes(b ^ mask[i % 4] for i, b in enumerate(data))
                if head[0] & 15 == 1 and json.loads(data)["type"] == "start":
                    self.heard.append((headers, json.loads(data)))
        except (OSError, IndexError, struct.error):
            pass

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()
        for peer in self.sockets:
            peer.close()
