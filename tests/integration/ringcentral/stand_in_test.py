#!/usr/bin/env python3
"""The stand-in, tried with a phone of thirty lines: what it takes, what it refuses, and what it notices."""

import asyncio
import base64
import hashlib
import json
import re
import ssl
import struct
import tempfile
import unittest

import sip_message as sip
import srtp
from media import Opus16, Pcmu
from registrar import md5
from stand_in import StandIn, make_certificates
from web_media import WebMedia
from witness import Witness

INSTANCE = "11111111-2222-4333-8444-55555555555{}"
LIMIT_S = 10


class Phone:
    """A phone that does what it is told, over TLS or WSS."""

    def __init__(self, world, kind, account, instance="0"):
        self.world, self.kind, self.account, self.instance = world, kind, account, INSTANCE.format(instance)
        self.number, self.call_id, self.buffer = 0, sip.token(), b""

    async def connect(self, proxy="primary"):
        trust = ssl.create_default_context(cafile=self.world.where["ca"])
        host, port = self.world.where[f"{self.kind} {proxy}"].split(":")
        self.reader, self.writer = await asyncio.open_connection(host, int(port), ssl=trust)
        if self.kind == "WSS":
            key = base64.b64encode(b"0123456789abcdef").decode()
            self.writer.write(f"GET / HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
                              "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sip\r\n\r\n".encode())
            head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), LIMIT_S)
            assert b" 101 " in head and b"Sec-WebSocket-Protocol: sip" in head, head
        return self

    def send(self, message):
        data = message.bytes()
        if self.kind == "WSS":
            size = struct.pack("!BH", 0x80 | 126, len(data))
            data = b"\x81" + size + b"\0\0\0\0" + data  # a mask of zeros
        self.writer.write(data)

    async def receive(self):
        async def one():
            if self.kind == "WSS":
                first, size = await self.reader.readexactly(2)
                if size == 126:
                    (size,) = struct.unpack("!H", await self.reader.readexactly(2))
                return sip.Message.parse(await self.reader.readexactly(size))
            while (head := await self.reader.readuntil(b"\r\n")) == b"\r\n":
                pass
            head += await self.reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            return sip.Message.parse(head + await self.reader.readexactly(length))

        return await asyncio.wait_for(one(), LIMIT_S)

    def register(self, nonce=None, password=None, expires=60, **changes):
        self.number += 1
        user, domain = self.account["user"], "sip.ringcentral.com"
        request = sip.Message(f"REGISTER sip:{domain} SIP/2.0")
        host = "x.invalid" if self.kind == "WSS" else "127.0.0.1:4444"
        request.add("Via", f"SIP/2.0/{self.kind} {host};branch=z9hG4bK{sip.token()}").add("Max-Forwards", 70)
        request.add("From", f"<sip:{user}@{domain}>;tag=a").add("To", f"<sip:{user}@{domain}>")
        request.add("Call-ID", self.call_id).add("CSeq", f"{self.number} REGISTER")
        transport = "ws" if self.kind == "WSS" else "tls"
        self.uri = f"sip:{user}@{host};transport={transport}"
        request.add("Contact", f'<{self.uri}>;reg-id=1;+sip.instance="<urn:uuid:{self.instance}>"').add("Expires", expires)
        if nonce:
            realm, uri = domain, f"sip:{domain}"
            secret = md5(f"{self.account['id']}:{realm}:{password or self.account['password']}")
            response = md5(f"{secret}:{nonce}:{md5('REGISTER:' + uri)}")
            extra = "".join(f', {n}="{v}"' for n, v in changes.items())
            request.add("Authorization", f'Digest username="{self.account["id"]}", realm="{realm}", nonce="{nonce}", uri="{uri}", response="{response}"{extra}')
        self.send(request)

    async def log_in(self, **more):
        """REGISTER, 401, REGISTER; the last status."""
        self.register()
        challenge = await self.receive()
        assert challenge.status == 401, challenge.start
        self.register(nonce=sip.credentials_of(challenge.get("WWW-Authenticate"))["nonce"], **more)
        return await self.receive()


class StandInTest(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.context = make_certificates(cls.folder.name)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    async def asyncSetUp(self):
        self.stand_in = StandIn(self.context)
        await self.stand_in.start()
        self.where = self.stand_in.where(self.folder.name)
        self.app = self.stand_in.app
        self.phones, self.own = [], []

    async def asyncTearDown(self):
        for phone in self.phones:
            phone.writer.transport.abort()
        for media in [call.media for call in self.stand_in.calls] + self.own:
            media.close()
            if isinstance(media, WebMedia):
                await media.stopped
        for one in [*self.stand_in.listeners.values(), self.stand_in.rest_server, self.stand_in.control_server]:
            one.server and one.server.close()

    def ask(self, method, path, token="", body="", **headers):
        return self.stand_in.rest.answer(method, path, {"authorization": token, **headers}, body.encode())

    def token(self, **changes):
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": self.app["jwt"], "client_id": self.app["client_id"], **changes}
        basic = base64.b64encode(f"{self.app['client_id']}:{self.app['client_secret']}".encode()).decode()
        body = "&".join(f"{n}={v}" for n, v in form.items())
        status, _, text = self.ask("POST", "/restapi/oauth/token", f"Basic {basic}", body, **{"content-type": "application/x-www-form-urlencoded"})
        return status, json.loads(text)

    def provision(self, kind):
        bearer = "Bearer " + self.token()[1]["access_token"]
        if kind == "WSS":
            status, _, text = self.ask("POST", "/restapi/v1.0/client-info/sip-provision", bearer, '{"sipInfo":[{"transport":"WSS"}]}', **{"content-type": "application/json"})
            info = json.loads(text)["sipInfo"][0]
            return {"user": info["username"], "id": info["authorizationId"], "password": info["password"]}
        status, _, text = self.ask("GET", "/restapi/v1.0/account/~/device/600701/sip-info", bearer)
        info = json.loads(text)
        return {"user": info["userName"], "id": info["authorizationId"], "password": info["password"]}

    async def phone(self, kind, account, instance="0"):
        self.phones.append(await Phone(self, kind, account, instance).connect())
        return self.phones[-1]

    def complaints(self):
        return self.stand_in.witness.violations

    async def test_tokens(self):
        self.assertEqual(self.token()[0], 200)
        self.assertEqual(self.token(assertion="wrong")[1]["error"], "invalid_grant")
        refresh = self.token()[1]["refresh_token"]
        self.assertEqual(self.token(grant_type="refresh_token", refresh_token=refresh)[0], 200)
        self.assertEqual(self.token(grant_type="refresh_token", refresh_token=refresh)[0], 400)
        self.assertEqual(self.ask("POST", "/restapi/v1.0/client-info/sip-provision", "Bearer none")[0], 401)
        self.assertNotEqual(self.provision("WSS")["id"], self.provision("WSS")["id"])

    async def test_login_over_both_kinds(self):
        for kind in ("TLS", "WSS"):
            phone = await self.phone(kind, self.provision(kind))
            answer = await phone.log_in()
            self.assertEqual(answer.status, 200)
            self.assertIn(";expires=47", answer.get("Contact"))
            self.assertIsNone(answer.get("Expires"))
        self.assertEqual(self.complaints(), [])

    async def test_wrong_password_and_extra_parameters(self):
        phone = await self.phone("TLS", self.provision("TLS"))
        self.assertEqual((await phone.log_in(password="wrong")).status, 401)
        self.assertEqual(self.complaints(), [])
        self.assertEqual((await phone.log_in(qop="auth", cnonce="1", nc="00000001")).status, 200)
        self.assertTrue(any("qop" in c for c in self.complaints()))

    async def test_the_first_register_may_pass(self):
        await self.stand_in.do_set(first_passes=True)
        phone = await self.phone("TLS", self.provision("TLS"))
        phone.register()
        self.assertEqual((await phone.receive()).status, 200)
        phone.register()
        self.assertEqual((await phone.receive()).status, 401)

    async def test_five_places_and_one_that_becomes_free(self):
        await self.stand_in.do_set(granted_s=0, place_s=0.05)
        await self.stand_in.do_fill(count=4, for_s=60)
        account = self.provision("WSS")
        fifth, sixth = await self.phone("WSS", account, "5"), await self.phone("WSS", account, "6")
        await self.stand_in.do_set(place_s=60)
        self.assertEqual((await fifth.log_in()).status, 200)
        refused = await sixth.log_in()
        self.assertEqual((refused.status, refused.phrase), (603, "Too Many Contacts"))
        self.assertEqual((await fifth.log_in()).status, 200)  # the same instance keeps its place
        self.assertEqual((await fifth.log_in(expires=0)).status, 200)
        self.assertEqual((await sixth.log_in()).status, 200)

    async def test_only_the_newest_registration_rings(self):
        account = self.provision("TLS")
        old, new = await self.phone("TLS", account), await self.phone("TLS", account)
        await old.log_in()
        await new.log_in()
        call = (await self.stand_in.do_call("TLS"))["id"]
        invite = await new.receive()
        self.assertEqual(invite.method, "INVITE")
        self.assertEqual(invite.uri, new.uri)
        self.assertIn(b"RTP/SAVP 109 0 101", invite.body)
        self.assertIsNone(invite.get("P-rc"))
        new.send(sip.reply(invite, 486, "Busy Here", to_tag="b"))
        self.assertEqual((await new.receive()).method, "ACK")
        self.assertEqual(self.stand_in.calls[call].ended_by, "phone 486")
        empty = (await self.stand_in.do_call("TLS", empty=True))["id"]
        self.assertEqual((await new.receive()).body, b"")
        self.stand_in.calls[empty].media.close()
        self.assertEqual(self.complaints(), [])

    async def web_call(self, command, between=True):
        """One call over WSS, with the control message that the phone owes, or another, or at another time."""
        account = self.provision("WSS")
        phone = await self.phone("WSS", account)
        await phone.log_in()
        await self.stand_in.do_call("WSS")
        invite = await phone.receive()
        prc = invite.get("P-rc")
        header = dict(part.split("=", 1) for part in prc.split("<Hdr ")[1].split("/>")[0].replace('"', "").split(" "))
        phone.send(sip.reply(invite, 180, "Ringing", to_tag="b"))
        foreign = await phone.receive()
        self.assertEqual(foreign.method, "MESSAGE")
        self.assertNotIn(account["id"].encode(), foreign.body)
        message = sip.Message("MESSAGE sip:#990001@sip.ringcentral.com:5060 SIP/2.0")
        message.add("Via", "SIP/2.0/WSS x.invalid;branch=z9hG4bKm").add("From", f"<sip:{account['user']}@sip.ringcentral.com>;tag=m")
        message.add("To", "<sip:#990001@sip.ringcentral.com:5060>").add("Call-ID", invite.get("Call-ID")).add("CSeq", "4711 MESSAGE")
        message.add("Content-Type", "x-rc/agent")
        message.body = (f'<Msg><Hdr SID="{header["SID"]}" Req="{header["Req"]}" From="{header["To"]}" To="{header["From"]}" Cmd="{command}"/>'
                        f'<Bdy Cln="{account["id"]}"/></Msg>').encode()
        own = WebMedia(Witness())
        self.own.append(own)
        await own.open()
        digest = own.certificate.getFingerprints()[0]
        sdp = re.sub("fingerprint:.*", f"fingerprint:{digest.algorithm} {digest.value}\r", own.describe([0], "active")).encode()
        answer = sip.reply(invite, 200, "OK", to_tag="b", headers=[("Contact", f"<{phone.uri}>"), ("Content-Type", "application/sdp")], body=sdp)
        for part in (message, answer) if between else (answer, message):
            phone.send(part)
        seen = [await phone.receive() for _ in range(4)]
        return phone, [m.method or m.status for m in seen], seen

    async def test_control_messages_of_a_web_call(self):
        phone, order, seen = await self.web_call("17")
        self.assertEqual(order, [100, 200, "ACK", "MESSAGE"])
        self.assertIn(b'Cmd="7"', seen[3].body)
        phone.send(sip.reply(seen[3], 200, "OK"))
        for _ in range(200):
            if self.stand_in.calls[0].already_processed:
                break
            await asyncio.sleep(0.01)
        self.assertEqual(self.stand_in.calls[0].already_processed, 1)
        self.assertEqual(self.complaints(), [])

    async def test_a_wrong_or_late_control_message_is_noticed(self):
        await self.web_call("16")
        self.assertTrue(any("Cmd '16'" in c for c in self.complaints()))
        self.complaints().clear()
        await self.web_call("17", between=False)
        self.assertTrue(any("200 after 0 Cmd 17" in c for c in self.complaints()))

    async def test_closed_proxies_refuse_and_come_back_on_their_port(self):
        account = self.provision("TLS")
        port = self.stand_in.listeners["TLS", "primary"].port
        await self.stand_in.do_close("TLS", "primary")
        with self.assertRaises(OSError):
            await Phone(self, "TLS", account).connect()
        self.phones.append(await Phone(self, "TLS", account).connect("backup"))
        await self.stand_in.do_open("TLS", "primary")
        self.assertEqual(self.stand_in.listeners["TLS", "primary"].port, port)
        self.assertEqual((await (await self.phone("TLS", account)).log_in()).status, 200)


class SrtpTest(unittest.TestCase):
    def test_keys_of_rfc_3711_b_3(self):
        master = bytes.fromhex("E1F97A0D3E018BE0D64FA32C06DE41390EC675AD498AFEEBB6960B3AABE6")
        stream = srtp.Stream(base64.b64encode(master).decode())
        self.assertEqual(stream.key.hex().upper(), "C61E7A93744F39EE10734AFE3FF7A087")
        self.assertEqual(stream.salt.hex().upper(), "30CBBC08863D8C85D49DB34A9AE1")
        self.assertEqual(stream.auth.hex().upper(), "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4")

    def test_both_ways_past_the_roll_over(self):
        inline = srtp.new_inline()
        out, back = srtp.Stream(inline), srtp.Stream(inline)
        for number in range(65530, 65550):
            packet = struct.pack("!BBHII", 0x80, 0, number & 0xFFFF, number * 160, 7) + hashlib.sha256(str(number).encode()).digest()
            self.assertEqual(back.unprotect(out.protect(packet)), packet)
        self.assertIsNone(back.unprotect(bytes(60)))
        self.assertIsNone(srtp.Stream(srtp.new_inline()).unprotect(out.protect(packet)))


class CodecTest(unittest.TestCase):
    def test_sound_comes_through(self):
        for codec in (Pcmu(), Opus16()):
            samples = [int(8000 * (1 if i // 10 % 2 else -1)) for i in range(codec.step)]
            heard = []
            for _ in range(5):
                heard = codec.decode(codec.encode(samples))
            self.assertEqual(len(heard), codec.step)
            self.assertGreater(sum(abs(s) for s in heard) / len(heard), 3000)


if __name__ == "__main__":
    unittest.main()
