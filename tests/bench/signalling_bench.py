#!/usr/bin/env python3
"""What signalling costs: 100 INVITEs a second, and 1,000 accounts that keep themselves registered.

Calls: `offhook call` makes them over UDP and over TCP while the ones before still talk; the answer time is the caller's,
INVITE to 200. Accounts: one daemon, a registrar of our own in this process that challenges (MD5, qop=auth) and grants a
short expiry; it notes when each REGISTER came, so that a burst shows as the busiest 100 ms. CPU is the
daemon's. Prints tables and writes JSON.
"""
import argparse
import hashlib
import json
import os
import secrets
import selectors
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from call_bench import Daemon, text_of

RATE_PER_S = 100
# What the project promises on two cores shared with the caller, or with the registrar.
PROMISE = {"answered_percent": 100, "answer_p99_ms": 20, "busiest_100ms_percent": 6}


def measure_calls(program: str, transport: str, seconds: int) -> dict:
    with tempfile.TemporaryDirectory() as name:
        daemon = Daemon(program, Path(name), listen=["udp:127.0.0.1:0", "tcp:127.0.0.1:0"])
        try:
            before_ns = daemon.cpu_ns()
            target = f"sip:bench@{daemon.listener(transport)};transport={transport}"
            caller = subprocess.run(
                [program, "call", target, "--calls", str(RATE_PER_S * seconds), "--rate", str(RATE_PER_S),
                 "--seconds", "2", "--json", "--quiet"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False)
            cpu_ms = (daemon.cpu_ns() - before_ns) / 1e6
        finally:
            daemon.stop()
    heard = json.loads(caller.stdout.decode().strip().splitlines()[-1])
    calls = heard["calls"]
    return {"transport": transport, "calls": calls["wanted"], "answered_percent": calls["answered_percent"],
            "answer_p50_ms": heard["answer_ms"]["p50"], "answer_p99_ms": heard["answer_ms"]["p99"],
            "answer_max_ms": heard["answer_ms"]["max"], "invite_retransmissions": calls["invite_retransmissions"],
            "rate_percent": heard["packets"]["rate_percent"], "gap_max_ms": heard["gap_ms"]["max"],
            "cpu_ms_per_call": round(cpu_ms / calls["wanted"], 2)}


def header(text: str, name: str) -> str:
    for line in text.split("\r\n"):
        key, _, value = line.partition(":")
        if key.strip().lower() == name:
            return value.strip()
    return ""


class Registrar:
    """Grants every REGISTER whose digest is right, over UDP."""

    def __init__(self, expires_s: int, password: str):
        self.expires_s = expires_s
        self.password = password
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.nonce = secrets.token_hex(16)
        self.arrivals: list = []  # (seconds, user) of every granted REGISTER
        self.challenges = 0
        self.wrong = 0
        self.removed = 0

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.socket.getsockname()[1]}"

    def serve(self, seconds: float, until=None) -> bool:
        """Answers for `seconds`, or until `until()` holds; says whether it came to hold."""
        waiting = selectors.DefaultSelector()
        waiting.register(self.socket, selectors.EVENT_READ)
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if until is not None and until():
                return True
            waiting.select(min(left, 0.05))
            for _ in range(256):
                try:
                    data, peer = self.socket.recvfrom(65536)
                except BlockingIOError:
                    break
                self.answer(data.decode(errors="replace"), peer)
        return until is not None and until()

    def answer(self, request: str, peer) -> None:
        if not request.startswith("REGISTER "):
            return
        copied = "".join(line + "\r\n" for line in request.split("\r\n")
                         if line.partition(":")[0].strip().lower() in ("via", "from", "to", "call-id", "cseq"))
        user = header(request, "to").partition("sip:")[2].partition("@")[0]
        credentials = header(request, "authorization")
        if not credentials:
            self.challenges += 1
            status, more = "401 Unauthorized", (f'WWW-Authenticate: Digest realm="bench", nonce="{self.nonce}", '
                                                'algorithm=MD5, qop="auth"\r\n')
        elif not self.is_right(credentials, request.split(" ")[1]):
            self.wrong += 1
            status, more = "403 Forbidden", ""
        else:
            contact = header(request, "contact")
            expires = 0 if "expires=0" in contact or header(request, "expires") == "0" else self.expires_s
            if expires:
                self.arrivals.append((time.monotonic(), user))
            else:
                self.removed += 1
            uri = contact.partition("<")[2].partition(">")[0]
            status, more = "200 OK", f"Contact: <{uri}>;expires={expires}\r\n"
        self.socket.sendto(f"SIP/2.0 {status}\r\n{copied}{more}Content-Length: 0\r\n\r\n".encode(), peer)

    def is_right(self, credentials: str, request_uri: str) -> bool:
        fields = {}
        for part in credentials.partition(" ")[2].split(","):
            key, _, value = part.strip().partition("=")
            fields[key] = value.strip('"')
        md5 = lambda text: hashlib.md5(text.encode()).hexdigest()
        ha1 = md5(f"{fields.get('username')}:bench:{self.password}")
        ha2 = md5(f"REGISTER:{request_uri}")
        expected = md5(":".join([ha1, self.nonce, fields.get("nc", ""), fields.get("cnonce", ""), "auth", ha2]))
        return fields.get("uri") == request_uri and fields.get("response") == expected


def busiest(times: list, bin_s: float = 0.1) -> int:
    """The most arrivals in one bin."""
    bins: dict = {}
    for moment in times:
        index = int(moment / bin_s)
        bins[index] = bins.get(index, 0) + 1
    return max(bins.values(), default=0)


def idle_rss_kib(program: str) -> int:
    with tempfile.TemporaryDirectory() as name:
        daemon = Daemon(program, Path(name))
        try:
            daemon.health()  # the first request starts GLib's helper thread
            return daemon.status()["rss_kib"]
        finally:
            daemon.stop()


def measure_accounts(program: str, accounts: int, expires_s: int) -> dict:
    registrar = Registrar(expires_s, "bench-password")
    idle_kib = idle_rss_kib(program)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        password = folder / "password"
        password.write_text(registrar.password, encoding="utf-8")
        password.chmod(0o600)
        config = "".join(
            f'[[account]]\nname = "a{i}"\nuser = "u{i}"\ndomain = "bench"\noutbound_proxy = "{registrar.address}"\n'
            f'transport = "udp"\nexpires_s = {expires_s}\npassword_file = "{password}"\n' for i in range(accounts))
        daemon = Daemon(program, folder, listen=[], more=f'[state]\ndirectory = "{folder}/state"\n' + config)
        try:
            begun = time.monotonic()
            everybody = lambda: len({user for _, user in registrar.arrivals}) >= accounts
            if not registrar.serve(60, everybody):
                raise SystemExit(f"signalling_bench: only {len({u for _, u in registrar.arrivals})} of {accounts} "
                                 "accounts registered within 60 s")
            all_s = time.monotonic() - begun
            start_peak = busiest([moment for moment, _ in registrar.arrivals])
            registered = len(registrar.arrivals)
            cpu_ns, window = daemon.cpu_ns(), expires_s * 2.0
            registrar.serve(window)
            cpu_ms = (daemon.cpu_ns() - cpu_ns) / 1e6
            refreshes = [moment for moment, _ in registrar.arrivals[registered:]]
            peak = busiest(refreshes)
            # Nobody may have let it expire.
            last: dict = {}
            longest_s = 0.0
            for moment, user in registrar.arrivals:
                longest_s = max(longest_s, moment - last.get(user, moment))
                last[user] = moment
            busy = daemon.status()
        finally:
            daemon.process.terminate()
            registrar.serve(10, lambda: daemon.process.poll() is not None)
            registrar.serve(0.2)  # what it left in the socket
            daemon.stop()
    return {"accounts": accounts, "expires_s": expires_s, "all_registered_s": round(all_s, 2),
            "start_busiest_100ms": start_peak, "refreshes": len(refreshes), "busiest_100ms": peak,
            "busiest_100ms_percent": round(max(peak, start_peak) / accounts * 100, 1),
            "longest_between_s": round(longest_s, 1), "challenges": registrar.challenges, "wrong": registrar.wrong,
            "unregistered_at_stop": registrar.removed,
            "cpu_ms_per_refresh": round(cpu_ms / max(1, len(refreshes)), 3),
            "kib_per_account": round((busy["rss_kib"] - idle_kib) / accounts, 1), "threads": busy["threads"]}


def show(row: dict) -> None:
    for key, value in row.items():
        print(f"  {key:>26} {text_of(value)}", flush=True)


def broken(calls: list, accounts: dict) -> list:
    problems = []
    for row in calls:
        if row["answered_percent"] < PROMISE["answered_percent"]:
            problems.append(f"{row['transport']}: only {row['answered_percent']} % answered")
        if row["answer_p99_ms"] > PROMISE["answer_p99_ms"]:
            problems.append(f"{row['transport']}: answer p99 {row['answer_p99_ms']} ms (promised {PROMISE['answer_p99_ms']})")
    if accounts["busiest_100ms_percent"] > PROMISE["busiest_100ms_percent"]:
        problems.append(f"REGISTERs of {accounts['busiest_100ms_percent']} % of the accounts in one 100 ms "
                        f"(promised {PROMISE['busiest_100ms_percent']})")
    if accounts["longest_between_s"] >= accounts["expires_s"]:
        problems.append("an account let its registration expire")
    if accounts["wrong"]:
        problems.append(f"{accounts['wrong']} REGISTERs with a wrong digest")
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/offhook")
    parser.add_argument("--output", default="signalling-bench-results.json")
    parser.add_argument("--seconds", type=int, default=20, help="of calls at 100 a second")
    parser.add_argument("--accounts", type=int, default=1000)
    parser.add_argument("--expires", type=int, default=30, help="seconds the registrar grants")
    options = parser.parse_args()
    calls = []
    for transport in ("udp", "tcp"):
        print(f"{RATE_PER_S} INVITEs a second over {transport}, {options.seconds} s", flush=True)
        calls.append(measure_calls(options.program, transport, options.seconds))
        show(calls[-1])
    print(f"{options.accounts} accounts, {options.expires} s each", flush=True)
    accounts = measure_accounts(options.program, options.accounts, options.expires)
    show(accounts)
    Path(options.output).write_text(
        json.dumps({"machine_cores": os.cpu_count(), "promise": PROMISE, "calls": calls, "accounts": accounts},
                   indent=1) + "\n", encoding="utf-8")
    problems = broken(calls, accounts)
    for problem in problems:
        print(problem)
    print(f"figures kept in {options.output}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
