"""Media of the TLS kind: SDES-SRTP to wherever a junk datagram came from, Opus with a 16 kHz RTP clock or PCMU."""

import asyncio
import collections
import ctypes
import math
import secrets
import struct

import srtp

PTIME_S = 0.02
EVENT_PT = 101
TONE_LEVEL = 8000


class Pcmu:
    """G.711 mu-law."""

    # samples a packet, and ticks of its RTP clock
    name, pt, rtpmap, rate, step, ticks = "PCMU", 0, "PCMU/8000", 8000, 160, 160

    def __init__(self):
        self.table = [self._expand(i) for i in range(256)]
        self.inverse = {}
        for code, value in enumerate(self.table):
            self.inverse.setdefault(value, code)
        self.values = sorted(self.inverse)

    @staticmethod
    def _expand(code):
        code = ~code & 0xFF
        magnitude = (((code & 0x0F) << 3) + 0x84) << ((code >> 4) & 7)
        return 0x84 - magnitude if code & 0x80 else magnitude - 0x84

    def encode(self, samples):
        def nearest(sample):
            low, high = 0, len(self.values) - 1
            while low < high:
                middle = (low + high) // 2
                if self.values[middle] < sample:
                    low = middle + 1
                else:
                    high = middle
            return self.inverse[self.values[low]]

        return bytes(nearest(s) for s in samples)

    def decode(self, payload):
        return [self.table[b] for b in payload]


class Opus16:
    """Opus whose RTP clock runs at 16 kHz: 320 ticks a packet where RFC 7587 has 960."""

    name, pt, rtpmap, rate, step, ticks = "OPUS/16000", 109, "OPUS/16000", 16000, 320, 320

    def __init__(self):
        self.lib = ctypes.CDLL("libopus.so.0")
        self.lib.opus_encoder_create.restype = self.lib.opus_decoder_create.restype = ctypes.c_void_p
        error = ctypes.c_int()
        self.encoder = ctypes.c_void_p(self.lib.opus_encoder_create(self.rate, 1, 2048, ctypes.byref(error)))
        self.decoder = ctypes.c_void_p(self.lib.opus_decoder_create(self.rate, 1, ctypes.byref(error)))

    def encode(self, samples):
        pcm = (ctypes.c_int16 * len(samples))(*samples)
        out = ctypes.create_string_buffer(1500)
        size = self.lib.opus_encode(self.encoder, pcm, len(samples), out, len(out))
        return out.raw[:size]

    def decode(self, payload):
        pcm = (ctypes.c_int16 * 5760)()
        count = self.lib.opus_decode(self.decoder, payload, len(payload), pcm, 5760, 0)
        return list(pcm[:count]) if count > 0 else None


CODECS = {"PCMU": Pcmu, "OPUS/16000": Opus16}


class Media(asyncio.DatagramProtocol):
    """One call's sound. Sends a tone once it was told where to, and measures what comes back."""

    def __init__(self, witness, tone_hz=700.0):
        self.witness, self.tone_hz = witness, tone_hz
        self.inline = srtp.new_inline()
        self.transport, self.timer = None, None
        self.peer = None  # learned from the junk datagram; the address in the SDP may be a fiction
        self.junk_bytes = None
        self.codec = None
        self.waiting = collections.deque()
        self.ssrc, self.seq = secrets.randbits(32), 65500  # soon past 65535: the roll-over counter is part of the test
        self.timestamp, self.phase = secrets.randbits(32), 0
        self.digits = collections.deque()
        self.stats = dict(sent=0, received=0, unreadable=0, seq_breaks=0, timestamp_breaks=0, undecodable=0, max_gap_ms=0.0)
        self.ssrcs, self.payload_types = set(), set()
        self.last = None
        self.heard = collections.deque()

    async def open(self):
        loop = asyncio.get_running_loop()
        self.transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        return self.transport.get_extra_info("sockname")[1]

    def start(self, codec_name, theirs):
        """The answer is in: their key opens what they send."""
        self._use(CODECS[codec_name]())
        self.ours_out, self.theirs_in = srtp.Stream(self.inline), srtp.Stream(theirs)
        while self.waiting:
            self.datagram_received(*self.waiting.popleft())

    def _use(self, codec):
        self.codec = codec
        self.pt = getattr(self, "numbers", {}).get(codec.name, codec.pt)
        self.heard = collections.deque(maxlen=codec.rate)

    def close(self):
        if self.timer:
            self.timer.cancel()
        if self.transport:
            self.transport.close()

    def send_digit(self, digit):
        self.digits.append(int(digit))

    # ---- in

    def datagram_received(self, data, address):
        if not self.codec:
            if len(self.waiting) < 100:
                self.waiting.append((data, address))
            return
        is_rtp = len(data) >= 12 and data[0] >> 6 == 2
        if not self.peer:
            self.witness.expect(not is_rtp, "TLS: RTP before the junk datagram that tells where it comes from")
            self.junk_bytes = None if is_rtp else len(data)
            self.peer = address
            self.next_at = asyncio.get_running_loop().time()
            self._tick()
        if address != self.peer:
            self.witness.violation(f"media from {address}, and before from {self.peer}")
        elif is_rtp and not 192 <= data[1] <= 223:
            self._rtp(data)

    def _rtp(self, data):
        packet = self.theirs_in.unprotect(data)
        if packet is None:
            self.stats["unreadable"] += 1
            return
        self._packet(packet)

    def _packet(self, packet):
        now = asyncio.get_running_loop().time()
        pt, seq, timestamp, ssrc = packet[1] & 0x7F, *struct.unpack("!HII", packet[2:12])
        payload = packet[12 + 4 * (packet[0] & 0x0F) :]
        self.stats["received"] += 1
        self.ssrcs.add(ssrc)
        self.payload_types.add(pt)
        if self.last:
            last_seq, last_timestamp, last_at = self.last
            steps = (seq - last_seq) & 0xFFFF
            self.stats["seq_breaks"] += steps != 1
            ticks = (timestamp - last_timestamp) & 0xFFFFFFFF
            self.stats["timestamp_breaks"] += pt == self.pt and ticks != steps * self.codec.ticks
            self.stats["max_gap_ms"] = max(self.stats["max_gap_ms"], round((now - last_at) * 1000, 1))
        self.last = (seq, timestamp, now)
        if pt == self.pt:
            samples = self.codec.decode(payload)
            if samples is None:
                self.stats["undecodable"] += 1
            else:
                self.heard.extend(samples)

    def tone_share(self):
        """How much of the last second's power is our own tone, 0 to 1 (Goertzel)."""
        samples = list(self.heard)
        if not self.codec or len(samples) < self.codec.rate // 2:
            return 0.0
        w = 2 * math.pi * self.tone_hz / self.codec.rate
        real = sum(s * math.cos(w * i) for i, s in enumerate(samples))
        imaginary = sum(s * math.sin(w * i) for i, s in enumerate(samples))
        power = sum(s * s for s in samples)
        return 0.0 if power == 0 else 2 * (real * real + imaginary * imaginary) / (power * len(samples))

    # ---- out

    def _tick(self):
        loop = asyncio.get_running_loop()
        samples = []
        for _ in range(self.codec.step):
            samples.append(int(TONE_LEVEL * math.sin(2 * math.pi * self.tone_hz * self.phase / self.codec.rate)))
            self.phase += 1
        if self.digits:
            self._send_digit(self.digits.popleft())
        self._send(self.pt, self.timestamp, self.codec.encode(samples))
        self.timestamp = (self.timestamp + self.codec.ticks) & 0xFFFFFFFF
        self.next_at += PTIME_S
        self.timer = loop.call_at(self.next_at, self._tick)

    def _send_digit(self, digit):
        """RFC 4733 packets, and the vendor's copy of the last one with the payload type of sound."""
        for duration in (160, 320, 480, 640, 800):
            self._send(EVENT_PT, self.timestamp, struct.pack("!BBH", digit, 0x0A, duration), marker=duration == 160)
        for _ in range(3):
            self._send(EVENT_PT, self.timestamp, struct.pack("!BBH", digit, 0x8A, 960))
        for _ in range(3):
            self._send(self.pt, self.timestamp, struct.pack("!BBH", digit, 0x8A, 0x03C0))

    def _send(self, pt, timestamp, payload, marker=False):
        header = struct.pack("!BBHII", 0x80, pt | (0x80 if marker else 0), self.seq, timestamp, self.ssrc)
        self._send_packet(header + payload)
        self.seq = (self.seq + 1) & 0xFFFF
        self.stats["sent"] += 1

    def _send_packet(self, packet):
        self.transport.sendto(self.ours_out.protect(packet), self.peer)

    def report(self):
        return {
            **self.stats,
            "junk_bytes": self.junk_bytes,
            "is_latched": self.peer is not None,
            "ssrcs": len(self.ssrcs),
            "payload_types": sorted(self.payload_types),
            "tone_share": round(self.tone_share(), 3),
        }
