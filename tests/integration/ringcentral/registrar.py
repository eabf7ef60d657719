"""REGISTER as the vendor answers it: digest without qop and algorithm, what was granted in the Contact, five places."""

import hashlib
import re
import time

import sip_message as sip


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


class Registration:
    def __init__(self, connection, instance, contact, expires_s, number):
        self.connection, self.instance, self.contact = connection, instance, contact
        self.expires_at = time.monotonic() + expires_s
        self.number = number  # grows: the newest has the largest

    @property
    def is_live(self):
        return self.connection.is_open and time.monotonic() < self.expires_at


class Registrar:
    MAX_CONTACTS = 5

    def __init__(self, accounts, settings, witness):
        self.accounts = accounts  # authorization id -> {"user", "domain", "password", "kind"}
        self.settings = settings
        self.witness = witness
        self.registrations = {}  # instance -> Registration, the newest
        self.places = {}  # instance -> until when its place is taken
        self.nonces = set()
        self.has_passed = set()  # connections whose first REGISTER went through unchallenged
        self.last = {}  # Call-ID -> (CSeq number, branch)
        self.count = 0
        self.answered = []  # statuses, in order

    def on_register(self, connection, request):
        response = self._answer(connection, request)
        self.answered.append(response.status)
        self.witness.event("register", status=response.status, kind=connection.kind, proxy=connection.proxy)
        connection.send(response)

    def newest(self, kind):
        """The registration that rings: over TLS the newest of all, over WSS the newest of each instance; newest first."""
        live = [r for r in self.registrations.values() if r.is_live and r.connection.kind == kind]
        return sorted(live, key=lambda r: -r.number)

    def fill(self, count, for_s):
        """Takes places by other phones."""
        for i in range(count):
            self.places[f"urn:uuid:00000000-0000-4000-8000-{i:012d}"] = time.monotonic() + for_s

    def _answer(self, connection, request):
        self._check_form(connection, request)
        account = self._account(request, connection)
        if self.settings["register_status"]:
            return sip.reply(request, self.settings["register_status"], "Not Now", to_tag=sip.token())
        if not account:
            if self.settings["first_passes"] and connection not in self.has_passed and not request.get("Authorization"):
                self.has_passed.add(connection)
            else:
                return self._challenge(request)
        return self._bind(connection, request)

    def _check_form(self, connection, request):
        expect = self.witness.expect
        kind = connection.kind
        via = request.get("Via") or ""
        expect(via.startswith(f"SIP/2.0/{kind} "), f"{kind}: REGISTER has Via {via!r}")
        expect((request.branch or "").startswith("z9hG4bK"), f"{kind}: REGISTER has branch {request.branch!r}")
        for name in ("Max-Forwards", "From", "To", "Call-ID", "CSeq"):
            expect(request.get(name), f"{kind}: REGISTER has no {name}")
        domain = self.settings["domain"]
        expect(request.uri == f"sip:{domain}", f"{kind}: REGISTER goes to {request.uri!r}, not sip:{domain}")
        sender, target = sip.uri_of(request.get("From")), sip.uri_of(request.get("To"))
        expect(sender == target, f"{kind}: From {sender!r} and To {target!r} differ")
        users = [f"sip:{a['user']}@{domain}" for a in self.accounts.values()]
        expect(sender in users, f"{kind}: From {sender!r} is none of {users}")
        expect(not sip.tag_of(request.get("To")), f"{kind}: To of REGISTER has a tag")
        contact = request.get("Contact") or ""
        parameters = sip.parameters_of(contact)
        instance = parameters.get("+sip.instance", "")
        expect(
            re.fullmatch(r'"<urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}>"', instance),
            f"{kind}: Contact has +sip.instance {instance!r}",
        )
        uri = sip.uri_of(contact)
        if kind == "WSS":
            expect(re.search(r"@[^;>]*\.invalid[;>]?", uri + ">"), f"WSS: Contact {uri!r} is not .invalid")
            expect(";transport=ws" in uri.lower(), f"WSS: Contact {uri!r} has no transport=ws or wss")
            expect(".invalid" in via, f"WSS: Via {via!r} is not .invalid")
        else:
            expect(parameters.get("reg-id") == "1", f"TLS: Contact has reg-id {parameters.get('reg-id')!r}")
            expect(";transport=tls" in uri.lower(), f"TLS: Contact {uri!r} has no transport=tls")
        number, branch = request.cseq[0], request.branch
        last = self.last.get(request.get("Call-ID"))
        if last:
            expect(number > last[0], f"{kind}: CSeq {number} after {last[0]} in one Call-ID")
            expect(branch != last[1], f"{kind}: a new REGISTER has the branch of the one before")
        self.last[request.get("Call-ID")] = (number, branch)

    def _account(self, request, connection):
        """The account whose password this proves; None without proof."""
        value = request.get("Authorization")
        if not value:
            return None
        given = sip.credentials_of(value)
        expect, domain = self.witness.expect, self.settings["domain"]
        for name in ("qop", "nc", "cnonce", "opaque"):
            expect(name not in given, f"Authorization has {name}, the challenge had none")
        expect(given.get("algorithm", "MD5").upper() == "MD5", f"Authorization has algorithm {given.get('algorithm')!r}")
        expect(given.get("realm") == domain, f"Authorization has realm {given.get('realm')!r}")
        expect(given.get("uri") == f"sip:{domain}", f"Authorization has uri {given.get('uri')!r}")
        if given.get("nonce") not in self.nonces:
            self.witness.event("stale nonce")
            return None
        account = self.accounts.get(given.get("username"))
        if not account:
            self.witness.event("unknown authorization id", id=given.get("username"))
            return None
        expect(account["kind"] == connection.kind, f"credentials of the {account['kind']} kind over {connection.kind}")
        secret = md5(f"{given['username']}:{domain}:{account['password']}")
        wanted = md5(f"{secret}:{given['nonce']}:{md5(request.method + ':' + given.get('uri', ''))}")
        if given.get("response") != wanted:
            self.witness.event("wrong password", id=given["username"])
            return None
        return account

    def _challenge(self, request):
        nonce = sip.token(16)
        self.nonces.add(nonce)
        value = f'Digest realm="{self.settings["domain"]}", nonce="{nonce}"'
        return sip.reply(request, 401, "Unauthorized", to_tag=sip.token(), headers=[("Www-Authenticate", value)])

    def _bind(self, connection, request):
        contact = request.get("Contact")
        parameters = sip.parameters_of(contact)
        instance = parameters.get("+sip.instance", "").strip('"<>')
        asked = int(parameters.get("expires") or request.get("Expires") or 3600)
        now = time.monotonic()
        self.places = {i: until for i, until in self.places.items() if until > now}
        if asked == 0:
            self.registrations.pop(instance, None)
            self.places.pop(instance, None)
            self.witness.event("unregistered", instance=instance)
            return sip.reply(request, 200, "OK", to_tag=sip.token())
        if instance not in self.places and len(self.places) >= self.MAX_CONTACTS:
            return sip.reply(request, 603, "Too Many Contacts", to_tag=sip.token())
        granted = min(asked, self.settings["granted_s"])
        self.count += 1
        self.registrations[instance] = Registration(connection, instance, contact, granted, self.count)
        self.places[instance] = now + granted + self.settings["place_s"]
        bare = re.sub(r";\s*expires=\d+", "", contact)
        # What was granted stands in the Contact alone.
        return sip.reply(request, 200, "OK", to_tag=sip.token(), headers=[("Contact", f"{bare};expires={granted}")])
