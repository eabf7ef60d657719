"""SIP messages (RFC 3261 section 7), as strictly as the vendor's servers read them."""

import re
import secrets

CRLF = b"\r\n"
COMPACT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length", "c": "content-type"}


class Malformed(Exception):
    pass


class Message:
    """A request (`method`, `uri`) or a response (`status`, `phrase`)."""

    def __init__(self, start, headers=None, body=b""):
        self.start = start
        self.headers = list(headers or [])
        self.body = body if isinstance(body, bytes) else body.encode()
        first = start.split(" ", 2)
        if len(first) < 2:
            raise Malformed(f"start line {start!r}")
        self.is_request = not start.startswith("SIP/2.0 ")
        self.method, self.uri = (first[0], first[1]) if self.is_request else (None, None)
        self.status = None if self.is_request else int(first[1])
        self.phrase = None if self.is_request or len(first) < 3 else first[2]

    @classmethod
    def parse(cls, data):
        head, separator, body = data.partition(CRLF + CRLF)
        if not separator:
            raise Malformed("no empty line after the headers")
        lines = head.decode("utf-8").split("\r\n")
        if not (lines[0].startswith("SIP/2.0 ") or lines[0].endswith(" SIP/2.0")):
            raise Malformed(f"start line {lines[0]!r}")
        headers = []
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if not colon or not re.fullmatch(r"[A-Za-z0-9.!%*_+`'~-]+\s*", name):
                raise Malformed(f"header line {line!r}")
            headers.append((name.strip(), value.strip()))
        message = cls(lines[0], headers, body)
        length = message.get("Content-Length")
        if length is not None and int(length) != len(body):
            raise Malformed(f"Content-Length {length}, body has {len(body)} bytes")
        return message

    def all(self, name):
        wanted = name.lower()
        return [v for n, v in self.headers if COMPACT.get(n.lower(), n.lower()) == wanted]

    def get(self, name, default=None):
        values = self.all(name)
        return values[0] if values else default

    def add(self, name, value):
        self.headers.append((name, str(value)))
        return self

    def bytes(self):
        lines = [self.start] + [f"{n}: {v}" for n, v in self.headers]
        return "\r\n".join(lines).encode() + f"\r\nContent-Length: {len(self.body)}\r\n\r\n".encode() + self.body

    @property
    def cseq(self):
        """(number, method)"""
        number, method = (self.get("CSeq") or "0 ?").split()
        return int(number), method

    @property
    def branch(self):
        found = re.search(r";\s*branch=([^;,\s]+)", self.get("Via") or "")
        return found.group(1) if found else None


def reply(request, status, phrase, to_tag=None, headers=(), body=b""):
    """A response to `request`; Via, From, To, Call-ID and CSeq as they came."""
    response = Message(f"SIP/2.0 {status} {phrase}", body=body)
    for name in ("Via", "From", "To", "Call-ID", "CSeq"):
        for value in request.all(name):
            if name == "To" and to_tag and "tag=" not in value:
                value += f";tag={to_tag}"
            # The vendor writes some names in a case of its own.
            response.add("Call-Id" if name == "Call-ID" else name, value)
    for name, value in headers:
        response.add(name, value)
    return response


def tag_of(value):
    found = re.search(r";\s*tag=([^;,\s]+)", value or "")
    return found.group(1) if found else None


def uri_of(value):
    """The URI of a From, To or Contact value."""
    found = re.search(r"<([^>]*)>", value or "")
    return found.group(1) if found else (value or "").split(";")[0].strip()


def parameters_of(value):
    """Header parameters behind `<uri>`, names in lower case, quotes kept."""
    behind = value.split(">", 1)[1] if ">" in value else value.partition(";")[2]
    parameters = {}
    for part in re.findall(r';\s*([^;=\s]+)(?:=("[^"]*"|[^;]*))?', behind):
        parameters[part[0].lower()] = part[1].strip()
    return parameters


def credentials_of(value):
    """The parameters of a `Digest ...` header value, quotes removed."""
    scheme, _, rest = (value or "").partition(" ")
    if scheme.lower() != "digest":
        raise Malformed(f"credentials {value!r}")
    return {n.lower(): q if q else t for n, q, t in re.findall(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,]+))', rest)}


def token(size=8):
    return secrets.token_hex(size)
