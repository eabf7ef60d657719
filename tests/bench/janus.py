"""Janus 1.1.2's echo test, unpacked by scripts/peers: the measure of what a web leg costs elsewhere."""
import json
import os
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

LIBRARIES = "usr/lib/x86_64-linux-gnu"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Janus:
    """One janus process with the echo test alone, spoken to over HTTP. Threads may share it."""

    def __init__(self, peers: Path, folder: Path, address: str):
        janus = peers / LIBRARIES / "janus"
        if not (peers / "usr/bin/janus").exists():
            raise SystemExit("web_bench: no janus below build/peers; run scripts/peers")
        for name in ("plugins", "transports", "events", "loggers", "config"):
            (folder / name).mkdir()
        (folder / "plugins/libjanus_echotest.so").symlink_to(janus / "plugins/libjanus_echotest.so")
        (folder / "transports/libjanus_http.so").symlink_to(janus / "transports/libjanus_http.so")
        port = free_port()
        config = folder / "config"
        (config / "janus.jcfg").write_text(
            "general: {\n" + "".join(f'  {name}_folder = "{folder / name}"\n'
                                     for name in ("plugins", "transports", "events", "loggers")) +
            f'  configs_folder = "{config}"\n  debug_level = 3\n  session_timeout = 0\n}}\n'
            f'nat: {{\n  ice_enforce_list = "{address}"\n}}\n', encoding="utf-8")
        (config / "janus.transport.http.jcfg").write_text(
            f'general: {{\n  json = "compact"\n  base_path = "/janus"\n  http = true\n  ip = "127.0.0.1"\n  port = {port}\n'
            "  https = false\n}\nadmin: {\n  admin_http = false\n}\n", encoding="utf-8")
        shutil.copy(peers / "etc/janus/janus.plugin.echotest.jcfg", config)
        self.url = f"http://127.0.0.1:{port}/janus"
        self.log = open(folder / "janus.log", "wb")
        self.process = subprocess.Popen(
            [str(peers / "usr/bin/janus"), "--config", str(config / "janus.jcfg"), "--configs-folder", str(config)],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT,
            env=dict(os.environ, LD_LIBRARY_PATH=str(peers / LIBRARIES)))
        self.lock = threading.Lock()
        self.handles: dict = {}
        deadline = time.monotonic() + 15
        while not self._is_up():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise SystemExit("web_bench: janus did not start: " + (folder / "janus.log").read_text())
            try:
                self.process.wait(0.05)
            except subprocess.TimeoutExpired:
                pass

    def _is_up(self) -> bool:
        try:
            return self._ask("/info") is not None
        except (urllib.error.URLError, ConnectionError):
            return False

    def _ask(self, path: str, request: dict | None = None) -> dict:
        data = json.dumps(dict(request, transaction="t")).encode() if request else None
        with urllib.request.urlopen(urllib.request.Request(self.url + path, data=data), timeout=20) as answer:
            reply = json.loads(answer.read())
        if reply["janus"] == "error":
            raise RuntimeError(f"janus refused: {reply['error']}")
        return reply

    def connect(self, peer: str, offer: str, codec: str) -> str:
        """The answer of the echo test. A session for each: events of one do not wait for another's."""
        session = f"/{self._ask('', {'janus': 'create'})['data']['id']}"
        handle = f"{session}/{self._ask(session, {'janus': 'attach', 'plugin': 'janus.plugin.echotest'})['data']['id']}"
        with self.lock:
            self.handles[peer] = session
        self._ask(handle, {"janus": "message", "body": {"audio": True, "video": False, "audiocodec": codec.lower()},
                           "jsep": {"type": "offer", "sdp": offer}})
        for _ in range(10):
            event = self._ask(session + "?maxev=1")
            if "jsep" in event:
                return event["jsep"]["sdp"]
        raise RuntimeError("janus gave no answer")

    def disconnect(self, peer: str) -> None:
        with self.lock:
            session = self.handles.pop(peer)
        self._ask(session, {"janus": "destroy"})

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
