#!/usr/bin/env python3
"""A CONNECT proxy (RFC 9110 §9.3.6). Its port is the first line on descriptor 3; prints what it was asked.

    proxy.py [AUTHORIZATION]
"""

import os
import socketserver
import socket
import sys
import threading

WANTED = sys.argv[1] if len(sys.argv) > 1 else None


def pour(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


class Proxy(socketserver.BaseRequestHandler):
    def handle(self):
        head = b""
        while b"\r\n\r\n" not in head:
            part = self.request.recv(1)
            if not part:
                return
            head += part
        lines = head.decode().split("\r\n")
        print(lines[0], flush=True)
        if WANTED and f"Proxy-Authorization: {WANTED}" not in lines:
            self.request.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        host, port = lines[0].split()[1].rsplit(":", 1)
        with socket.create_connection((host, int(port))) as far:
            self.request.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            back = threading.Thread(target=pour, args=(far, self.request), daemon=True)
            back.start()
            pour(self.request, far)
            back.join()


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


with Server(("127.0.0.1", 0), Proxy) as server:
    os.write(3, b"%d\n" % server.server_address[1])
    server.serve_forever()
