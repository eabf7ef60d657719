"""The webrtcbin peers of the tests (tests/integration/harness/web_peer_main.cpp), driven by JSON lines."""
import json
import subprocess
import threading


class WebPeers:
    """One process with any number of peers. Threads may share it: a command and its answer are one step."""

    def __init__(self, program: str):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.lock = threading.Lock()

    def ask(self, do: str, peer: str = "", **more) -> dict:
        with self.lock:
            self.process.stdin.write(json.dumps({"do": do, "peer": peer, **more}) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the web peers ended")
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(f"{do} {peer}: {answer['error']}")
        return answer

    def stop(self) -> None:
        self.process.stdin.close()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
