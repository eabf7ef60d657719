"""SRTP with AES_CM_128_HMAC_SHA1_80 (RFC 3711), one stream in one direction."""

import base64
import hashlib
import hmac
import secrets
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

TAG_BYTES = 10


def new_inline():
    """30 random bytes as `a=crypto ... inline:` has them (RFC 4568 section 6.1)."""
    return base64.b64encode(secrets.token_bytes(30)).decode()


def _stream(key, iv, size):
    return Cipher(algorithms.AES(key), modes.CTR(iv)).encryptor().update(bytes(size))


class Stream:
    """Protects what is sent with it, or opens what is received; never both."""

    def __init__(self, inline):
        master = base64.b64decode(inline.split("|")[0], validate=True)
        if len(master) != 30:
            raise ValueError("a master key and salt have 30 bytes")
        key, salt = master[:16], master[16:]

        def derive(label, size):  # RFC 3711 section 4.3.1, key derivation rate 0
            iv = int.from_bytes(salt, "big") ^ (label << 48)
            return _stream(key, (iv << 16).to_bytes(16, "big"), size)

        self.key, self.auth, self.salt = derive(0, 16), derive(1, 20), derive(2, 14)
        self.roc, self.highest = 0, None

    def _cipher(self, packet, offset, roc):
        ssrc, seq = struct.unpack("!I", packet[8:12])[0], struct.unpack("!H", packet[2:4])[0]
        iv = (int.from_bytes(self.salt, "big") << 16) ^ (ssrc << 64) ^ (((roc << 16) | seq) << 16)
        stream = _stream(self.key, iv.to_bytes(16, "big"), len(packet) - offset)
        return packet[:offset] + bytes(a ^ b for a, b in zip(packet[offset:], stream))

    def _tag(self, packet, roc):
        return hmac.new(self.auth, packet + struct.pack("!I", roc), hashlib.sha1).digest()[:TAG_BYTES]

    def protect(self, packet):
        seq = struct.unpack("!H", packet[2:4])[0]
        if self.highest is not None and seq < self.highest:
            self.roc += 1
        self.highest = seq
        protected = self._cipher(packet, 12, self.roc)
        return protected + self._tag(protected, self.roc)

    def unprotect(self, data):
        """The packet in the clear; None when its tag is wrong."""
        if len(data) < 12 + TAG_BYTES:
            return None
        packet, tag = data[:-TAG_BYTES], data[-TAG_BYTES:]
        seq = struct.unpack("!H", packet[2:4])[0]
        roc = self.roc
        if self.highest is not None:
            if self.highest > 0xC000 and seq < 0x4000:
                roc += 1
            elif self.highest < 0x4000 and seq > 0xC000:
                roc = max(0, roc - 1)
        if not hmac.compare_digest(self._tag(packet, roc), tag):
            return None
        if self.highest is None or (roc, seq) > (self.roc, self.highest):
            self.roc, self.highest = roc, seq
        return self._cipher(packet, 12 + 4 * (packet[0] & 0x0F), roc)
