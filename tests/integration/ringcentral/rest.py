"""The REST half: OAuth tokens, sip-provision, a device's sip-info; and the HTTP both it and the test's control speak."""

import asyncio
import base64
import collections
import json
import secrets
import time
import urllib.parse

MAX_BODY = 64 * 1024


class HttpServer:
    """One request a connection. `answer(method, path, headers, body)` gives (status, headers, body)."""

    def __init__(self, answer, context=None):
        self.answer, self.context = answer, context
        self.port = 0

    async def start(self):
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.context)
        self.port = self.server.sockets[0].getsockname()[1]

    async def _serve(self, reader, writer):
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            method, path, _ = head[0].split(" ")
            headers = {n.strip().lower(): v.strip() for n, _, v in (h.partition(":") for h in head[1:])}
            size = min(int(headers.get("content-length", "0")), MAX_BODY)
            body = await reader.readexactly(size) if size else b""
            answer = self.answer(method, path, headers, body)
            status, more, text = await answer if asyncio.iscoroutine(answer) else answer
            lines = "".join(f"{n}: {v}\r\n" for n, v in more.items())
            data = text.encode()
            writer.write(f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{lines}Content-Length: {len(data)}\r\nConnection: close\r\n\r\n".encode() + data)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, ValueError, OSError):
            pass
        finally:
            writer.close()


def error(status, code, message, **more):
    return status, {}, json.dumps({"errorCode": code, "message": message, "errors": [{"errorCode": code, "message": message}], **more})


class Rest:
    """The platform. `app` has client_id, client_secret, jwt; `accounts` is filled as phones are provisioned."""

    def __init__(self, app, accounts, settings, proxies, witness):
        self.app, self.accounts, self.settings, self.proxies = app, accounts, settings, proxies
        self.witness = witness
        self.access, self.refresh = {}, {}  # token -> until when
        self.next_id = 802000000001
        self.failures = collections.defaultdict(collections.deque)  # path part -> answers to give first
        self.asked = []

    def answer(self, method, path, headers, body):
        self.asked.append(f"{method} {path}")
        self.witness.event("rest", request=f"{method} {path}")
        for part, queue in self.failures.items():
            if part in path and queue:
                failure = queue.popleft()
                return failure["status"], failure.get("headers", {}), json.dumps(failure.get("body", {}))
        if path == "/restapi/oauth/token" and method == "POST":
            return self._token(headers, body)
        if path == "/restapi/oauth/revoke" and method == "POST":
            return self._revoke(headers, body)
        given = headers.get("authorization", "").removeprefix("Bearer ")
        if self.access.get(given, 0) < time.monotonic():
            return error(401, "OAU-213", "Token not found")
        if path == "/restapi/v1.0/client-info/sip-provision" and method == "POST":
            return self._sip_provision(headers, body)
        if path.startswith("/restapi/v1.0/account/~/device/") and path.endswith("/sip-info") and method == "GET":
            return self._sip_info(path.split("/")[6])
        return error(404, "CMN-102", "Resource for parameter [path] is not found")

    def _form(self, headers, body):
        """The form of an OAuth request whose app proved itself; None otherwise."""
        expect = self.witness.expect
        expect(headers.get("content-type") == "application/x-www-form-urlencoded", f"OAuth with Content-Type {headers.get('content-type')!r}")
        wanted = "Basic " + base64.b64encode(f"{self.app['client_id']}:{self.app['client_secret']}".encode()).decode()
        if headers.get("authorization") != wanted:
            return None
        return dict(urllib.parse.parse_qsl(body.decode(), strict_parsing=True))

    def _token(self, headers, body):
        form = self._form(headers, body)
        if form is None:
            return error(401, "OAU-153", "Invalid client", error="invalid_client", error_description="Invalid client")
        invalid = error(400, "OAU-251", "Invalid assertion", error="invalid_grant", error_description="Invalid assertion")
        if form.get("grant_type") == "urn:ietf:params:oauth:grant-type:jwt-bearer":
            self.witness.expect(form.get("client_id") == self.app["client_id"], f"JWT grant with client_id {form.get('client_id')!r}")
            if form.get("assertion") != self.app["jwt"]:
                return invalid
        elif form.get("grant_type") == "refresh_token":
            if self.refresh.pop(form.get("refresh_token"), 0) < time.monotonic():
                return invalid
        else:
            return error(400, "OAU-250", "Unsupported grant type", error="unsupported_grant_type")
        access, refresh = secrets.token_hex(16), secrets.token_hex(16)
        self.access[access] = time.monotonic() + 7199
        self.refresh[refresh] = time.monotonic() + 604799
        return 200, {}, json.dumps(
            {
                "access_token": access,
                "token_type": "bearer",
                "expires_in": 7199,
                "refresh_token": refresh,
                "refresh_token_expires_in": 604799,
                "scope": "VoipCalling",
                "owner_id": "400",
                "endpoint_id": "e",
            }
        )

    def _revoke(self, headers, body):
        form = self._form(headers, body)
        if form is None:
            return error(401, "OAU-153", "Invalid client", error="invalid_client")
        self.access.pop(form.get("token"), None)
        self.witness.event("token revoked")
        return 200, {}, ""

    def _sip_provision(self, headers, body):
        self.witness.expect(headers.get("content-type") == "application/json", "sip-provision without Content-Type application/json")
        asked = json.loads(body)
        if [i.get("transport") for i in asked.get("sipInfo", [])] != ["WSS"]:
            return error(400, "CMN-101", "Parameter [sipInfo.transport] value is invalid")
        # Each call gives another authorization id; those of before stay good.
        identity, self.next_id = str(self.next_id), self.next_id + 1
        account = {"user": self.settings["web_user"], "password": secrets.token_hex(8), "kind": "WSS"}
        self.accounts[identity] = account
        info = {
            "transport": "WSS",
            "username": account["user"],
            "authorizationId": identity,
            "password": account["password"],
            "authorizationTypes": ["SipDigest", "BearerToken"],
            "domain": self.settings["domain"],
            "outboundProxy": self.proxies["WSS", "primary"](),
            "outboundProxyBackup": self.proxies["WSS", "backup"](),
            "stunServers": ["stun1.eo1.ringcentral.com:19302", "stun2.eo1.ringcentral.com:19302"],
        }
        if self.settings["switch_back_s"]:
            info["switchBackInterval"] = self.settings["switch_back_s"]
        flags = {"voipFeatureEnabled": True, "voipCountryBlocked": False, "outboundCallsEnabled": True, "dscpEnabled": False}
        flags |= self.settings["sip_flags"]
        return 200, {}, json.dumps({"device": {"id": "600700"}, "sipInfo": [info], "sipFlags": flags, "pollingInterval": 86400})

    def _sip_info(self, device_id):
        device = self.settings["devices"].get(device_id)
        if not device:
            return error(404, "CMN-102", "Resource for parameter [deviceId] is not found", parameterName="deviceId")
        if device != "OtherPhone":
            # The same fields, but nothing that would register.
            return 200, {}, json.dumps({"domain": f"{self.settings['domain']}:5060", "userName": self.settings["tls_user"], "authorizationId": "801"})
        identity = f"801{device_id}"
        account = self.accounts.setdefault(identity, {"user": self.settings["tls_user"], "password": secrets.token_hex(8), "kind": "TLS"})
        proxies = [
            {"region": "NA", "proxy": "localhost:5090", "proxyTLS": self.proxies["TLS", "primary"]()},
            {"region": "EMEA", "proxy": "localhost:5090", "proxyTLS": self.proxies["TLS", "backup"]()},
        ]
        return 200, {}, json.dumps(
            {
                "domain": f"{self.settings['domain']}:5060",
                "userName": account["user"],
                "password": account["password"],
                "authorizationId": identity,
                "outboundProxies": proxies,
            }
        )
