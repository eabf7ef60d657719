"""Media of the WSS kind: ICE, DTLS-SRTP and RTP on the lower half of aiortc (Debian's), with descriptions in the vendor's shape."""

import asyncio
import re

import aioice.ice
from aiortc import RTCCertificate, RTCDtlsTransport, RTCIceGatherer, RTCIceTransport
from aiortc.rtcdtlstransport import RTCDtlsFingerprint, RTCDtlsParameters
from aiortc.rtcicetransport import RTCIceParameters
from aiortc.sdp import candidate_from_sdp, candidate_to_sdp
from cryptography.hazmat.primitives import hashes
from media import Media, Opus16, Pcmu

# Both ends are on loopback, which aioice leaves out.
aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"] if use_ipv4 else []

RTPMAPS = {109: "OPUS/16000", 111: "OPUS/48000/2", 18: "g729/8000", 0: "pcmu/8000", 8: "pcma/8000", 9: "g722/8000", 96: "ilbc/8000"}


class Opus48(Opus16):
    """Opus with the clock of RFC 7587; coded and heard at 16 kHz all the same."""

    name, pt, rtpmap, ticks = "OPUS/48000", 111, "OPUS/48000/2", 960


class WebMedia(Media):
    """As Media, over one ICE session. What the phone's description lacks is a violation."""

    lies = False  # in its fingerprint
    CODECS = {"PCMU": Pcmu, "OPUS/16000": Opus16, "OPUS/48000": Opus48}

    async def open(self):
        self.certificate = RTCCertificate.generateCertificate()
        self.gatherer = RTCIceGatherer(iceServers=[])
        self.ice = RTCIceTransport(self.gatherer)
        self.dtls = RTCDtlsTransport(self.ice, [self.certificate])
        self.dtls._handle_rtp_data = self._on_rtp
        self.dtls._handle_rtcp_data = self._on_rtcp
        self.connecting = None
        self.rtcp = 0
        await self.gatherer.gather()

    # ---- descriptions

    def describe(self, pts, setup, version=1, direction="sendrecv"):
        """No mid, no group, no msid, lower-case codecs, SAVPF, a SHA-1 fingerprint, two components: what web phones get."""
        digest = self.certificate._cert.to_cryptography().fingerprint(hashes.SHA1())
        if self.lies:  # somebody sits between
            digest = bytes(b ^ 1 for b in digest)
        parameters = self.gatherer.getLocalParameters()
        candidates = [c for c in self.gatherer.getLocalCandidates() if c.component == 1]
        port = candidates[0].port
        maps = "".join(f"a=rtpmap:{pt} {RTPMAPS.get(pt)}\r\n" for pt in pts)
        if 109 in pts:
            maps += "a=fmtp:109 useinbandfec=1\r\n"
        lines = "".join(f"a=candidate:{candidate_to_sdp(c)}\r\n" for c in candidates)
        # A second component, as the vendor lists one in spite of rtcp-mux. Nobody is there.
        lines += f"a=candidate:1 2 UDP 2130706430 127.0.0.1 {port + 1} typ host\r\n"
        return (
            f"v=0\r\no=- 1 {version} IN IP4 127.0.0.1\r\ns=SmcSip\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            f"m=audio {port} RTP/SAVPF {' '.join(map(str, pts))} 101\r\n{maps}"
            f"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na={direction}\r\n"
            f"a=rtcp:{port + 1}\r\na=rtcp-mux\r\na=setup:{setup}\r\n"
            f"a=fingerprint:sha-1 {':'.join(f'{b:02X}' for b in digest)}\r\n"
            f"a=ice-ufrag:{parameters.usernameFragment}\r\na=ice-pwd:{parameters.password}\r\n{lines}"
        )

    def offer(self):
        return self.describe(list(RTPMAPS), "actpass")

    def answer(self):
        name, pt = self.chosen, self.numbers[self.chosen]
        return self.describe([pt], "active").replace(f"a=rtpmap:{pt} {RTPMAPS.get(pt)}", f"a=rtpmap:{pt} {self.CODECS[name].rtpmap}")

    def agree(self, description, is_theirs_the_offer):
        """Checks the phone's description, begins to connect; the codec's name, empty when there is none."""
        expect = self.witness.expect
        text = "\r\n".join(description.lines)
        expect(description.audio_lines == 1 and text.count("\r\nm=") == 1, "the SDP has more than one line of media")
        expect(description.direction == "sendrecv", f"the SDP is {description.direction}")
        if not is_theirs_the_offer:
            expect(description.profile == "RTP/SAVPF", f"the answer has profile {description.profile}, offered was RTP/SAVPF")
        value = lambda name: (re.findall(rf"^a={name}:(.*?)\s*$", text, re.MULTILINE) or [""])[0]  # noqa: E731
        wanted = "actpass" if is_theirs_the_offer else "active"
        expect(value("setup") == wanted, f"the SDP has a=setup:{value('setup')!r}, not {wanted}")
        expect("a=rtcp-mux" in description.lines, "the SDP has no a=rtcp-mux")
        expect("telephone-event/8000" in text, "the SDP has no telephone-event/8000")
        algorithm, _, digest = value("fingerprint").partition(" ")
        candidates = [candidate_from_sdp(c) for c in re.findall(r"^a=candidate:(.*?)\s*$", text, re.MULTILINE) if ".local " not in c]
        candidates = [c for c in candidates if c.component == 1 and c.protocol.lower() == "udp"]
        good = expect(algorithm == "sha-256" and digest, f"the SDP has fingerprint {algorithm!r}")
        good = expect(candidates, "the SDP has no candidate: nobody trickles here") and good
        good = expect(value("ice-ufrag") and value("ice-pwd"), "the SDP has no ICE credentials") and good
        names = {0: "PCMU", 111: "OPUS/48000", 109: "OPUS/16000"}
        if is_theirs_the_offer:
            by_map = {"PCMU/8000": "PCMU", "OPUS/48000/2": "OPUS/48000"}
            self.numbers = {by_map[n.upper()]: pt for pt, n in {**{0: "PCMU/8000"}, **description.maps}.items() if n.upper() in by_map}
            chosen = next((by_map.get(description.maps.get(pt, {0: "PCMU/8000"}.get(pt, "")).upper(), "") for pt in description.pts), "")
        else:
            chosen = names.get(description.pts[0], "")
            self.numbers = {name: pt for pt, name in names.items()}
        if not expect(chosen, f"no codec in common: {description.pts} {description.maps}") or not good:
            return ""
        remote = RTCIceParameters(usernameFragment=value("ice-ufrag"), password=value("ice-pwd"))
        fingerprints = RTCDtlsParameters(fingerprints=[RTCDtlsFingerprint(algorithm=algorithm, value=digest)])
        self.chosen = chosen
        self.connecting = asyncio.ensure_future(self._connect(chosen, remote, candidates, fingerprints, is_theirs_the_offer))
        return chosen

    async def _connect(self, codec, remote, candidates, fingerprints, is_theirs_the_offer):
        self.ice._connection.ice_controlling = not is_theirs_the_offer
        for candidate in candidates:
            await self.ice.addRemoteCandidate(candidate)
        await self.ice.addRemoteCandidate(None)
        await self.ice.start(remote)
        if not self.witness.expect(self.ice.state == "completed", f"ICE with the phone is {self.ice.state}"):
            return
        self.dtls._set_role("client" if is_theirs_the_offer else "server")
        self._use(self.CODECS[codec]())
        await self.dtls.start(fingerprints)
        if self.lies or self.witness.expect(self.dtls.state == "connected", f"DTLS with the phone is {self.dtls.state}"):
            self.next_at = asyncio.get_running_loop().time()
            self._tick()

    def close(self):
        super().close()
        if self.connecting:
            self.connecting.cancel()
        self.stopped = asyncio.ensure_future(self._stop())

    async def _stop(self):
        await self.dtls.stop()
        await self.ice.stop()

    # ---- packets

    async def _on_rtp(self, data, arrival_time_ms=None):
        self._packet(data)

    async def _on_rtcp(self, data):
        self.rtcp += 1

    def _send_packet(self, packet):
        async def send():
            try:
                await self.dtls._send_rtp(packet)
            except ConnectionError:
                pass

        asyncio.ensure_future(send())

    def report(self):
        return {**super().report(), "ice": self.ice.state, "dtls": self.dtls.state, "rtcp": self.rtcp}
