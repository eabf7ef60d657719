"""An HTTP server that keeps what is posted to it, and answers as it is told."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver:
    """`behave(posts)` says a status, or a number of seconds and a status, for the next answer."""

    def __init__(self, port=0, behave=lambda posts: 200):
        self.posts, self.behave, self.lock = [], behave, threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with receiver.lock:
                    answer = receiver.behave(receiver.posts)
                    wait, status = answer if isinstance(answer, tuple) else (0, answer)
                    headers = {name.lower(): value for name, value in self.headers.items()}
                    receiver.posts.append({"path": self.path, "headers": headers, "body": body, "status": status})
                time.sleep(wait)
                try:
                    self.send_response(status)
                    if status == 302:
                        self.send_header("Location", "/elsewhere")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                except OSError:
                    pass

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    def taken(self):
        with self.lock:
            return [post for post in self.posts if 200 <= post["status"] < 300]

    def all(self):
        with self.lock:
            return list(self.posts)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
