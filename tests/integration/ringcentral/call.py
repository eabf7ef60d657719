"""Calls to the phone, as the vendor places them."""

import asyncio
import json
import re
from xml.etree import ElementTree

import sip_message as sip
from media import CODECS, Media
from web_media import WebMedia

SERVICE = "#990001@{domain}:5060"  # who call-control messages come from; the '#' is theirs


def sdes_offer(port, inline, codecs):
    pts = [CODECS[c].pt for c in codecs] + [101]
    maps = "".join(f"a=rtpmap:{CODECS[c].pt} {CODECS[c].rtpmap}\r\n" for c in codecs)
    return (
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=SmcSip\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        f"m=audio {port} RTP/SAVP {' '.join(map(str, pts))}\r\n{maps}"
        "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
        f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{inline}\r\na=sendrecv\r\n"
    )


class Description:
    """What an answer says about its one audio line."""

    def __init__(self, body):
        text = body.decode()
        self.lines = text.split("\r\n")
        found = re.search(r"^m=audio (\d+) (\S+) ([\d ]+)$", text, re.MULTILINE | re.ASCII) or re.search(
            r"^m=audio (\d+) (\S+) ([\d ]+)\r", text, re.MULTILINE
        )
        if not found:
            raise sip.Malformed("an answer without m=audio")
        self.port, self.profile, self.pts = int(found.group(1)), found.group(2), [int(p) for p in found.group(3).split()]
        self.maps = {int(p): n for p, n in re.findall(r"a=rtpmap:(\d+) (\S+)", text)}
        self.cryptos = re.findall(r"a=crypto:(\d+) (\S+) inline:(\S+)", text)
        self.audio_lines = text.count("m=audio")
        self.direction = next((d for d in ("sendonly", "recvonly", "inactive") if f"a={d}" in text), "sendrecv")


class Call:
    """One call. States: inviting, ringing, answered, ended; the reason of the end in `ended_by`."""

    def __init__(self, number, registration, plan, settings, witness, on_end):
        self.id, self.registration, self.plan = number, registration, plan
        self.connection = registration.connection
        self.settings, self.witness, self.on_end = settings, witness, on_end
        self.call_id = f"{sip.token()}@127.0.0.1"
        self.tag, self.cseq = sip.token(), 1
        self.remote_tag, self.remote_target = None, sip.uri_of(registration.contact)
        self.target = sip.uri_of(registration.contact)
        self.state, self.ended_by, self.last_status = "inviting", "", 0
        self.confirmations, self.already_processed = 0, 0
        self.sent_foreign = False
        self.media = self._new_media()
        self.branches = {}
        self.from_phone = []  # what it sent to the INVITE, in order: 100, 180, "MESSAGE 17", 200
        self.orders = []  # what it asked for: Cmd of its other MESSAGEs, commands of its INFOs
        self.takeover = None  # media that takes over, until the phone agrees

    def _new_media(self):
        made = WebMedia if self.connection.kind == "WSS" else Media
        media = made(self.witness, tone_hz=self.plan.get("tone_hz", 700.0))
        media.lies = bool(self.plan.get("lies"))
        return media

    # ---- out

    def _request(self, method, uri, cseq=None, headers=(), body=b"", kind=""):
        request = sip.Message(f"{method} {uri} SIP/2.0", body=body)
        branch = f"z9hG4bK-{sip.token()}"
        request.add("Via", f"SIP/2.0/{self.connection.kind} 127.0.0.1:5096;branch={branch}")
        request.add("From", f"<{self.local}>;tag={self.tag}")
        request.add("To", f"<sip:{self.settings['user_of'](self.connection.kind)}@127.0.0.9>" + (f";tag={self.remote_tag}" if self.remote_tag else ""))
        request.add("Call-ID", self.call_id).add("CSeq", f"{cseq or self.cseq} {method}").add("Max-Forwards", 67)
        for name, value in headers:
            request.add(name, value)
        if method != "ACK":
            self.branches[branch] = kind or method
        self.connection.send(request)

    @property
    def local(self):
        return f"sip:{self.plan.get('from', '+16505550100')}@127.0.0.8"

    async def invite(self):
        headers = [
            ("Contact", f"<sip:{self.plan.get('from', '+16505550100')}@127.0.0.1:5096;transport={self.connection.kind.lower()}>"),
            ("User-Agent", "RC_SIPWRP_127.0.0.1"),
            ("Allow", "INVITE, ACK, BYE, CANCEL, UPDATE, INFO, NOTIFY, MESSAGE, OPTIONS"),
            ("Supported", "timer, replaces"),
            ("Session-Expires", "14400;refresher=uac"),
        ]
        if self.connection.kind == "WSS":
            headers += self._web_headers()
            await self.media.open()
            body = self.media.offer()
        else:
            port = await self.media.open()
            body = sdes_offer(port, self.media.inline, self.plan["codecs"])
        if self.plan.get("empty"):
            body = b""
        else:
            headers.append(("Content-Type", "application/sdp"))
        self._request("INVITE", self.target, headers=headers, body=body)

    def _web_headers(self):
        service = SERVICE.format(domain=self.settings["domain"])
        user = self.settings["user_of"]("WSS")
        self.exchange = {"SID": sip.token(4), "Req": "{" + sip.token(16).upper() + "}"}
        xml = (
            f'<Msg><Hdr SID="{self.exchange["SID"]}" Req="{self.exchange["Req"]}" From="{service}" To="{user}" Cmd="6"/>'
            f'<Bdy SrvLvl="-149699523" SrvLvlExt="406" Phn="{self.plan.get("from", "+16505550100")}" Nm="WIRELESS CALLER" '
            'ToPhn="+16505550111" ToNm="Example" RecUrl=""/></Msg>'
        )
        info = "callAttributes=queue-call,reject;callerIdName=A=B;queueName=Help" if self.plan.get("empty") else "callAttributes=reject,send-vm"
        ordered = self.plan.get("answer_after")
        extra = ";Answer-After=" + str(ordered) if ordered is not None else ""
        return ([("Alert-Info", "Auto Answer")] if ordered is not None else []) + [
            ("p-rc-api-ids", f"party-id=p-{self.call_id[:8]}-2;session-id=s-{self.call_id[:8]}"),
            ("p-rc-api-call-info", info),
            ("P-rc", xml),
            ("Call-Info", "<127.0.0.1>;purpose=info" + extra),
        ]

    def _control(self, command, client_id):
        """A call-control MESSAGE to the phone (P-rc exchange)."""
        service = SERVICE.format(domain=self.settings["domain"])
        user = self.settings["user_of"]("WSS")
        xml = (
            f'<Msg><Hdr SID="{self.exchange["SID"]}" Req="{self.exchange["Req"]}" From="{service}" To="{user}" Cmd="{command}"/>'
            f'<Bdy Cln="{client_id}"/></Msg>'
        )
        self.cseq += 1
        own = client_id == self.settings["authorization_id"]()
        # A message for another instance of this extension may stay unanswered.
        self._request("MESSAGE", self.target, headers=[("Content-Type", "x-rc/agent")], body=xml.encode(), kind=f"MESSAGE {command}" if own else "foreign")

    def hangup(self):
        if self.state == "answered":
            self.cseq += 1
            self._request("BYE", self.remote_target)
            self._end("far end")
        elif self.state in ("inviting", "ringing"):
            cancel = sip.Message(f"CANCEL {self.target} SIP/2.0")
            invite = next(b for b, m in self.branches.items() if m == "INVITE")
            cancel.add("Via", f"SIP/2.0/{self.connection.kind} 127.0.0.1:5096;branch={invite}")
            cancel.add("From", f"<{self.local}>;tag={self.tag}").add("To", f"<sip:{self.settings['user_of'](self.connection.kind)}@127.0.0.9>")
            cancel.add("Call-ID", self.call_id).add("CSeq", "1 CANCEL").add("Max-Forwards", 67)
            self.connection.send(cancel)

    # ---- in

    def on_response(self, response):
        kind = self.branches.get(response.branch)
        if not self.witness.expect(kind, f"a response with a branch that was never sent: {response.start}"):
            return
        if response.cseq[1] == "CANCEL":
            self.from_phone.append(f"{response.status} to CANCEL")
            self.witness.expect(response.status == 200, f"CANCEL was answered {response.status}")
            # Their own phones leave it at that; others send 487 to the INVITE as well.
            asyncio.get_running_loop().call_later(0.3, self._end, "cancelled")
        elif kind == "INVITE":
            self.from_phone.append(str(response.status))
            self._on_invite_response(response)
        elif kind == "re-INVITE":
            self._on_takeover_response(response)
        elif kind.startswith("MESSAGE") and response.status >= 200:
            self.witness.expect(response.status == 200, f"{kind} was answered {response.status}")
            self.already_processed += kind == "MESSAGE 7" and response.status == 200

    def _on_invite_response(self, response):
        self.last_status = response.status
        tag = sip.tag_of(response.get("To"))
        if response.status > 100 and self.witness.expect(tag, f"{response.status} to INVITE has no To tag"):
            self.witness.expect(self.remote_tag in (None, tag), f"{response.status} has another To tag than the one before")
            self.remote_tag = tag
        if response.status < 200:
            if response.status == 180:
                self.state = "ringing"
                if self.connection.kind == "WSS" and not self.sent_foreign:
                    self.sent_foreign = True
                    self._control(7, "899999999999")  # another instance's business
        elif response.status < 300:
            self._on_answer(response)
        else:
            self._ack(sip.Message(f"ACK {self.target} SIP/2.0"), response)
            self._end(f"phone {response.status}")

    def _ack(self, ack, response, body=b""):
        branch = response.branch if response.status >= 300 else f"z9hG4bK-{sip.token()}"
        ack.add("Via", f"SIP/2.0/{self.connection.kind} 127.0.0.1:5096;branch={branch}")
        ack.add("From", f"<{self.local}>;tag={self.tag}").add("To", response.get("To"))
        ack.add("Call-ID", self.call_id).add("CSeq", f"{response.cseq[0]} ACK").add("Max-Forwards", 67)
        if body:
            ack.add("Content-Type", "application/sdp")
            ack.body = body if isinstance(body, bytes) else body.encode()
        self.connection.send(ack)

    def _on_answer(self, response):
        if self.state == "answered":  # our ACK was lost on the way, or they did not see it
            self.witness.event("200 again", call=self.id)
        contact = response.get("Contact")
        if contact:
            self.remote_target = sip.uri_of(contact)
        try:
            description = Description(response.body)
        except (sip.Malformed, UnicodeDecodeError) as problem:
            self.witness.violation(f"200 to INVITE: {problem}")
            description = None
        ack = sip.Message(f"ACK {self.remote_target} SIP/2.0")
        answer = b""
        if self.connection.kind == "WSS":
            self.witness.expect(self.confirmations == 1, f"WSS: 200 after {self.confirmations} Cmd 17 instead of one")
            if description:
                is_offer = bool(self.plan.get("empty"))
                self.codec = self.media.agree(description, is_offer)
                if is_offer and self.codec:
                    answer = self.media.answer()
        elif description:
            answer = self._agree(description)
        self._ack(ack, response, answer)
        self.state = "answered"
        if self.connection.kind == "WSS":
            self._control(7, self.settings["authorization_id"]())

    async def take_over(self):
        """Another server carries the call on: a re-INVITE with other media, the same Call-ID."""
        self.takeover = self._new_media()
        await self.takeover.open()
        self.cseq += 1
        headers = [("Contact", f"<sip:far@127.0.0.1:5096;transport={self.connection.kind.lower()}>"), ("Content-Type", "application/sdp")]
        self._request("INVITE", self.remote_target, headers=headers, body=self.takeover.offer().encode(), kind="re-INVITE")

    def _on_takeover_response(self, response):
        if response.status < 200:
            return
        self._ack(sip.Message(f"ACK {self.remote_target} SIP/2.0"), response)
        if not self.witness.expect(response.status == 200, f"the takeover was answered {response.status}"):
            return
        old, self.media, self.takeover = self.media, self.takeover, None
        self.codec = self.media.agree(Description(response.body), False)
        self.before = old.report()
        old.close()

    def _agree(self, description):
        """Checks the phone's SDP and starts media; our own SDP when the phone made the offer."""
        expect = self.witness.expect
        expect(description.audio_lines == 1, "the SDP has more than one audio line")
        expect(description.profile == "RTP/SAVP", f"the SDP has profile {description.profile}")
        expect(description.direction == "sendrecv", f"the SDP is {description.direction}")
        good = [c for c in description.cryptos if c[1] == "AES_CM_128_HMAC_SHA1_80"]
        if not expect(good, f"no a=crypto with AES_CM_128_HMAC_SHA1_80 among {description.cryptos}"):
            return b""
        named = {pt: self._codec_named(pt, description) for pt in description.pts}
        codecs = [n for n in named.values() if n]
        is_offer = self.plan.get("empty")
        if is_offer:
            chosen = next((c for c in self.plan["codecs"] if c in codecs), None)
        else:
            expect(description.pts[-1:] == [101] and len(description.pts) == 2, f"the answer has payload types {description.pts}, not one codec and 101")
            expect(len(description.cryptos) == 1 and good[0][0] == "1", f"the answer has a=crypto {[c[:2] for c in description.cryptos]}")
            chosen = codecs[0] if codecs else None
            expect(chosen in self.plan["codecs"], f"the answer chose {chosen}, offered were {self.plan['codecs']}")
        if not chosen:
            self.witness.violation(f"no codec in common: {description.maps}")
            return b""
        port = self.media.transport.get_extra_info("sockname")[1] if self.media.transport else 0
        self.media.start(chosen, good[0][2])
        self.codec = chosen
        if not is_offer:
            return b""
        return sdes_offer(port, self.media.inline, [chosen]).replace("a=crypto:1", f"a=crypto:{good[0][0]}")

    @staticmethod
    def _codec_named(pt, description):
        name = description.maps.get(pt, {0: "PCMU/8000"}.get(pt, "")).upper()
        return {"PCMU/8000": "PCMU", "OPUS/16000": "OPUS/16000", "OPUS/16000/1": "OPUS/16000"}.get(name)

    def on_request(self, request):
        """A request of the phone inside this call."""
        if request.method == "ACK":
            return
        if request.method == "MESSAGE":
            return self._on_message(request)
        headers, body = [], b""
        if request.method == "INFO":
            self._on_info(request)
        if request.method == "INVITE" and self.connection.kind == "WSS":
            headers = [("Contact", "<sip:far@127.0.0.1:5096;transport=wss>"), ("Content-Type", "application/sdp")]
            direction = {"sendonly": "recvonly", "inactive": "inactive"}.get(Description(request.body).direction, "sendrecv")
            self.versions = getattr(self, "versions", 1) + 1
            body = self.media.describe([self.media.pt], "passive", self.versions, direction)
        elif request.method == "INVITE":  # hold, resume: same Call-ID, o= version grows
            headers = [("Contact", f"<sip:far@127.0.0.1:5096;transport={self.connection.kind.lower()}>"), ("Content-Type", "application/sdp")]
            port = self.media.transport.get_extra_info("sockname")[1]
            body = sdes_offer(port, self.media.inline, [self.codec])
        if request.method == "REFER":  # no NOTIFY: the BYE says that it worked
            self.orders.append("REFER " + (request.get("Refer-To") or ""))
            self.connection.send(sip.reply(request, 202, "Accepted"))
            asyncio.get_running_loop().call_later(0.2, self.hangup)
            return
        self.connection.send(sip.reply(request, 200, "OK", headers=headers, body=body))
        if request.method == "BYE":
            self._end("phone BYE")

    def _on_info(self, request):
        """JSON that asks for something, answered by an INFO of ours."""
        if (request.get("Content-Type") or "").replace(" ", "") != "application/json;charset=utf-8":
            return self.witness.violation(f"INFO has Content-Type {request.get('Content-Type')!r}")
        asked = json.loads(request.body)["request"]
        self.orders.append(asked["command"])
        code = 0 if asked["command"] != "stopcallrecord" else -5
        answer = {"response": {"reqid": asked["reqid"], "command": asked["command"], "result": {"code": code, "description": "as told"}}}

        def send():
            self.cseq += 1
            headers = [("Content-Type", "application/json;charset=utf-8")]
            self._request("INFO", self.remote_target, headers=headers, body=json.dumps(answer).encode())

        # Their own phones look for it only once the INFO is answered.
        asyncio.get_running_loop().call_later(0.1, send)

    def _on_message(self, request):
        """Cmd 17 (ClientReceiveConfirm), and what the phone asks for: From and To of the P-rc swapped, same SID and Req."""
        expect = self.witness.expect
        self.connection.send(sip.reply(request, 100, "Trying"))
        self.connection.send(sip.reply(request, 200, "OK", to_tag=sip.token()))
        expect(request.get("Content-Type") == "x-rc/agent", f"MESSAGE has Content-Type {request.get('Content-Type')!r}")
        expect(self.state == "ringing", f"MESSAGE while the call is {self.state}: it belongs between 180 and 200")
        try:
            root = ElementTree.fromstring(request.body)
            header, body = root.find("Hdr").attrib, root.find("Bdy").attrib
        except (ElementTree.ParseError, AttributeError) as problem:
            self.witness.violation(f"MESSAGE: no <Msg><Hdr/><Bdy/></Msg>: {problem}")
            return
        for name in ("SID", "Req"):
            expect(header.get(name) == self.exchange[name], f"MESSAGE has {name} {header.get(name)!r}")
        expect(header.get("To") == SERVICE.format(domain=self.settings["domain"]), f"MESSAGE has To {header.get('To')!r}")
        expect(header.get("From") == self.settings["user_of"]("WSS"), f"MESSAGE has From {header.get('From')!r}")
        expect(body.get("Cln") == self.settings["authorization_id"](), f"MESSAGE has Cln {body.get('Cln')!r}")
        self.from_phone.append(f"MESSAGE {header.get('Cmd')}")
        if header.get("Cmd") == "17":
            self.confirmations += 1
        elif expect(header.get("Cmd") in ("10", "11", "12", "14"), f"MESSAGE has Cmd {header.get('Cmd')!r}"):
            expect(self.confirmations == 1, f"Cmd {header['Cmd']} before Cmd 17 is not heeded")
            self.orders.append(header["Cmd"])
            if header["Cmd"] == "14":
                self._control(9, self.settings["authorization_id"]())
            self.hangup()

    def on_connection_closed(self):
        if self.state != "answered":
            self._end("connection lost")

    def _end(self, why):
        if self.state == "ended":
            return
        self.state, self.ended_by = "ended", why
        if self.media:
            self.final = self.media.report()
            self.media.close()
        self.on_end(self)

    def report(self):
        media = None
        if self.media:
            media = self.final if self.state == "ended" else self.media.report()
        return {
            "id": self.id,
            "state": self.state,
            "ended_by": self.ended_by,
            "last_status": self.last_status,
            "codec": getattr(self, "codec", ""),
            "confirmations": self.confirmations,
            "from_phone": self.from_phone,
            "orders": self.orders,
            "before": getattr(self, "before", None),
            "already_processed": self.already_processed,
            "media": media,
        }
