#!/usr/bin/env python3
"""A stand-in of RingCentral on loopback: REST, SIP over TLS and WSS, media of the TLS kind. See README.md.

    stand_in.py --folder DIR [--ready-fd 3]

One JSON line says where everything is. Tests steer it by `POST /do` and read `GET /state` at `control`.
"""

import argparse
import asyncio
import json
import os
import signal
import ssl
import subprocess

import sip_message as sip
from call import Call
from registrar import Registrar
from rest import HttpServer, Rest
from transports import Listener
from witness import Witness


def make_certificates(folder):
    """A CA and a certificate of it for localhost, by openssl."""

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=stand-in authority",
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")
    openssl("req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=stand-in")
    with open(os.path.join(folder, "server.ext"), "w", encoding="ascii") as out:
        out.write("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-days", "2", "-extfile", "server.ext", "-out", "server.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(os.path.join(folder, "server.pem"), os.path.join(folder, "server.key"))
    return context


class StandIn:
    """All parts together; the events of their connections."""

    def __init__(self, context):
        self.witness = Witness()
        self.accounts = {}
        self.app = {"client_id": "app-1", "client_secret": "app-secret-1", "jwt": "eyJ.jwt-of-the-user.sig"}
        self.settings = {
            "domain": "sip.ringcentral.com",
            "web_user": "17205550100*115",
            "tls_user": "17205550100",
            "devices": {"600701": "OtherPhone", "600702": "SoftPhone"},
            "granted_s": 47,  # seen on the wire for 60 asked
            "place_s": 90,  # a place stays taken this long after its registration ended
            "first_passes": False,
            "register_status": 0,  # answer every REGISTER so
            "switch_back_s": 0,
            "sip_flags": {},
            "user_of": lambda kind: self.settings["web_user" if kind == "WSS" else "tls_user"],
            "authorization_id": lambda: max((i for i, a in self.accounts.items() if a["kind"] == "WSS"), default=""),
        }
        self.listeners = {
            (kind, proxy): Listener(kind, proxy, context, self, self.witness) for kind in ("TLS", "WSS") for proxy in ("primary", "backup")
        }
        proxies = {key: (lambda one=one: f"127.0.0.1:{one.port}") for key, one in self.listeners.items()}
        self.rest = Rest(self.app, self.accounts, self.settings, proxies, self.witness)
        self.registrar = Registrar(self.accounts, self.settings, self.witness)
        self.calls = []
        self.rest_server = HttpServer(self.rest.answer, context)
        self.control_server = HttpServer(self.control)

    async def start(self):
        for one in [*self.listeners.values(), self.rest_server, self.control_server]:
            await one.start()

    # ---- connections

    def on_message(self, connection, message):
        call = next((c for c in self.calls if c.call_id == message.get("Call-ID")), None)
        if not message.is_request:
            if call:
                call.on_response(message)
            return
        if message.method == "REGISTER":
            self.registrar.on_register(connection, message)
        elif call:
            call.connection = connection  # after a reconnect the dialog lives on the new one
            call.on_request(message)
        elif message.method == "OPTIONS":
            connection.send(sip.reply(message, 200, "OK", to_tag=sip.token()))
        elif message.method != "ACK":
            self.witness.violation(f"{message.method} outside any call")
            connection.send(sip.reply(message, 481, "Call Does Not Exist", to_tag=sip.token()))

    def on_closed(self, connection):
        for call in self.calls:
            if call.connection is connection:
                call.on_connection_closed()

    # ---- the test's hand

    async def control(self, method, path, _headers, body):
        if method == "GET" and path == "/state":
            return 200, {}, json.dumps(self.state())
        if method != "POST" or path != "/do":
            return 404, {}, "{}"
        command = json.loads(body)
        action = getattr(self, "do_" + command.pop("do"))
        result = await action(**command)
        return 200, {}, json.dumps(result or {})

    def state(self):
        return {
            "violations": self.witness.violations,
            "events": self.witness.events[-200:],
            "asked": self.rest.asked,
            "answered": self.registrar.answered,
            "live": [
                {"instance": r.instance, "kind": k, "proxy": r.connection.proxy, "number": r.number}
                for k in ("TLS", "WSS")
                for r in self.registrar.newest(k)
            ],
            "instances": sorted(self.registrar.registrations),
            "calls": [c.report() for c in self.calls],
        }

    async def do_set(self, **changes):
        for name, value in changes.items():
            assert name in self.settings and not callable(self.settings[name]), name
            self.settings[name] = value

    async def do_app(self, **changes):
        self.app.update(changes)

    async def do_fail(self, path, status, times=1, headers=None, body=None):
        """The next `times` requests whose path has `path` get `status`."""
        for _ in range(times):
            self.rest.failures[path].append({"status": status, "headers": headers or {}, "body": body or {}})

    async def do_change_passwords(self):
        """The portal resets every password; only a new provisioning has the right one."""
        for account in self.accounts.values():
            account["password"] = sip.token()

    async def do_fill(self, count=5, for_s=90):
        self.registrar.fill(count, for_s)

    async def do_cut(self):
        """Ends every phone's connection; they may come back at once."""
        for listener in self.listeners.values():
            listener.cut()

    async def do_close(self, kind, proxy):
        await self.listeners[kind, proxy].stop()

    async def do_open(self, kind, proxy):
        await self.listeners[kind, proxy].start()

    async def do_call(self, kind, codecs=("OPUS/16000", "PCMU"), **plan):
        newest = self.registrar.newest(kind)
        if not newest:
            return {"id": -1, "why": "nobody is registered"}
        call = Call(len(self.calls), newest[0], {"codecs": list(codecs), **plan}, self.settings, self.witness, self.on_end)
        self.calls.append(call)
        await call.invite()
        return {"id": call.id}

    def on_end(self, call):
        self.witness.event("call ended", call=call.id, by=call.ended_by)

    async def do_hangup(self, call):
        self.calls[call].hangup()

    async def do_provision(self):
        """What the vendor's WebPhone is given by the application around it."""
        _, _, text = self.rest._sip_provision({"content-type": "application/json"}, b'{"sipInfo":[{"transport":"WSS"}]}')
        # No name server and no STUN server is asked on loopback.
        return {"json": json.dumps({**json.loads(text)["sipInfo"][0], "stunServers": []})}

    async def do_take_over(self, call):
        await self.calls[call].take_over()

    async def do_digit(self, call, digit):
        self.calls[call].media.send_digit(digit)

    def where(self, folder):
        return {
            "control": f"127.0.0.1:{self.control_server.port}",
            "rest": f"https://localhost:{self.rest_server.port}",
            "ca": os.path.join(folder, "ca.pem"),
            **{f"{kind} {proxy}": f"127.0.0.1:{one.port}" for (kind, proxy), one in self.listeners.items()},
        }


async def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", required=True, help="for its certificates")
    parser.add_argument("--ready-fd", type=int, default=1, help="where the line goes that says it is ready")
    options = parser.parse_args()
    stand_in = StandIn(make_certificates(options.folder))
    await stand_in.start()
    os.write(options.ready_fd, (json.dumps(stand_in.where(options.folder)) + "\n").encode())
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await stopped.wait()


if __name__ == "__main__":
    asyncio.run(main())
