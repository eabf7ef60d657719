"""A caller whose every packet is made here: its SIP is a bare socket, its RTP is what a test says, wrong or right."""

import asyncio
import math
import random
import re
import secrets
import struct

PTIME_S = 0.02
TICKS = 160


def mulaw(sample):
    """G.711 of one sample of 16 bits."""
    sign, value = (0x80, -sample) if sample < 0 else (0, sample)
    value = min(value, 32635) + 0x84
    exponent = value.bit_length() - 8
    return ~(sign | exponent << 4 | (value >> (exponent + 3) & 0x0F)) & 0xFF


TONE = bytes(mulaw(int(6000 * math.sin(2 * math.pi * 400 * i / 8000))) for i in range(TICKS))  # whole periods
SILENCE = b"\xff" * TICKS


class Socket(asyncio.DatagramProtocol):
    """UDP of loopback; what comes goes to `take`."""

    def __init__(self, take):
        self.take = take
        self.transport = None

    @classmethod
    async def open(cls, take=lambda data, address: None, port=0):
        _, it = await asyncio.get_running_loop().create_datagram_endpoint(lambda: cls(take), local_addr=("127.0.0.1", port))
        return it

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        self.take(data, address)

    @property
    def port(self):
        return self.transport.get_extra_info("sockname")[1]

    def send(self, data, port):
        if not self.transport.is_closing():
            self.transport.sendto(data, ("127.0.0.1", port))

    def close(self):
        self.transport.close()


class Caller:
    def __init__(self, name, sip_port):
        self.name, self.sip_port = name, sip_port
        self.call_id, self.tag = secrets.token_hex(8), secrets.token_hex(4)
        self.to_tag, self.cseq, self.version = "", 0, 1
        self.answers = asyncio.Queue()
        self.rtp_port, self.peer_rtp = 0, 0
        self.ssrc, self.sequence, self.timestamp = secrets.randbits(32), random.randrange(1, 30000), secrets.randbits(31)
        self.heard = []  # sequence numbers of theirs, oldest first
        self.their_ssrc = None
        self.their_reports = asyncio.Queue()  # of RTCP
        self.offered = {}

    async def open(self):
        self.sip = await Socket.open(self._sip)
        for _ in range(100):  # RTP on an even port, RTCP on the next
            self.rtp = await Socket.open(self._rtp)
            try:
                if self.rtp.port % 2 == 0:
                    self.rtcp = await Socket.open(lambda data, _: self.their_reports.put_nowait(data), self.rtp.port + 1)
                    return
            except OSError:
                pass
            self.rtp.close()
        raise RuntimeError("no two ports beside each other")

    def close(self):
        for each in (self.sip, self.rtp, self.rtcp):
            each.close()

    # ---- SIP

    def sdp(self, address="127.0.0.1", formats="0", lines=("rtpmap:0 PCMU/8000",), profile="RTP/AVP", direction="sendrecv"):
        self.version += 1
        head = ["v=0", f"o=- 1 {self.version} IN IP4 127.0.0.1", "s=-", f"c=IN IP4 {address}", "t=0 0",
                f"m=audio {self.rtp.port} {profile} {formats}"]
        return "\r\n".join([*head, *("a=" + line for line in lines), "a=" + direction]) + "\r\n"

    def request(self, method, body="", branch=None, cseq=None):
        lines = [f"{method} sip:{self.name}@127.0.0.1:{self.sip_port} SIP/2.0",
                 f"Via: SIP/2.0/UDP 127.0.0.1:{self.sip.port};branch={branch or 'z9hG4bK' + secrets.token_hex(8)}",
                 "Max-Forwards: 70", f"From: <sip:{self.name}@127.0.0.1>;tag={self.tag}",
                 f"To: <sip:{self.name}@127.0.0.1>{self.to_tag}", f"Call-ID: {self.call_id}", f"CSeq: {cseq or self.cseq} {method}",
                 f"Contact: <sip:{self.name}@127.0.0.1:{self.sip.port}>", f"Content-Length: {len(body)}"]
        if body:
            lines.insert(-1, "Content-Type: application/sdp")
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()

    async def invite(self, **offered):
        """INVITE or re-INVITE, to its ACK. @return the status"""
        self.offered = offered or self.offered
        self.cseq += 1
        self.sip.send(self.request("INVITE", self.sdp(**self.offered)), self.sip_port)
        while True:
            answer = await asyncio.wait_for(self.answers.get(), 15)
            if f"CSeq: {self.cseq} INVITE" not in answer or answer.startswith("SIP/2.0 1"):
                continue
            status = int(answer.split()[1])
            self.to_tag = re.search(r"^To:[^\r]*?(;tag=[^\r;]+)", answer, re.M | re.I).group(1)
            media = re.search(r"^m=audio (\d+)", answer, re.M)
            if media:
                self.peer_rtp = int(media.group(1))
            self.sip.send(self.request("ACK"), self.sip_port)
            return status

    def bye(self):
        self.cseq += 1
        self.sip.send(self.request("BYE"), self.sip_port)

    def _sip(self, data, address):
        text = data.decode(errors="replace")
        if text.startswith("SIP/2.0"):
            self.answers.put_nowait(text)
            return
        method = text.split()[0]
        if method == "ACK":
            return
        body = self.sdp(**self.offered) if method == "INVITE" else ""
        kept = [line for line in text.split("\r\n\r\n")[0].split("\r\n")[1:]
                if line.split(":")[0].lower() in ("via", "from", "to", "call-id", "cseq")]
        more = [f"Contact: <sip:{self.name}@127.0.0.1:{self.sip.port}>", f"Content-Length: {len(body)}"]
        if body:
            more.insert(0, "Content-Type: application/sdp")
        self.sip.send(("\r\n".join(["SIP/2.0 200 OK", *kept, *more]) + "\r\n\r\n" + body).encode(), address[1])

    # ---- RTP

    def _rtp(self, data, _address):
        if len(data) >= 12:
            self.heard.append(struct.unpack("!H", data[2:4])[0])
            self.their_ssrc = struct.unpack("!I", data[8:12])[0]

    def packet(self, payload=TONE, payload_type=0, sequence=None, ssrc=None, ticks=TICKS):
        """The next one, unless `sequence` says another."""
        data = struct.pack("!BBHII", 0x80, payload_type, self.sequence if sequence is None else sequence,
                           self.timestamp, self.ssrc if ssrc is None else ssrc) + payload
        self.sequence = (self.sequence + 1) & 0xFFFF
        self.timestamp = (self.timestamp + ticks) & 0xFFFFFFFF
        return data

    async def every_20_ms(self, act, seconds=3600.0):
        """`act(number)` at each packet's time; one that is late is made up for."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        for number in range(int(seconds / PTIME_S)):
            await asyncio.sleep(max(0.0, begun + number * PTIME_S - loop.time()))
            act(number)

    def send(self, data):
        self.rtp.send(data, self.peer_rtp)

    async def talk(self, seconds=3600.0, **how):
        await self.every_20_ms(lambda _: self.send(self.packet(**how)), seconds)

    def report(self, highest, lost, lsr=0, dlsr=0):
        """An RTCP receiver report about what we hear, with SDES (RFC 3550 §6.1)."""
        block = struct.pack("!IIIIII", self.their_ssrc, lost & 0xFFFFFF, highest, 0, lsr, dlsr)
        name = b"\x01\x04test\x00\x00"
        self.rtcp.send(struct.pack("!BBHI", 0x81, 201, 7, self.ssrc) + block +
                       struct.pack("!BBHI", 0x81, 202, 1 + len(name) // 4, self.ssrc) + name, self.peer_rtp + 1)
