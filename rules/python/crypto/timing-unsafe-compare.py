import hashlib
import hmac
import hmac as mac_tools
from hmac import new as make_mac


def verify_webhook(request, key):
    computed = hmac.new(key, request.body, hashlib.sha256).hexdigest()
    # ruleid: timing-unsafe-compare
    if computed == request.headers["X-Signature"]:
        return True
    return False


def verify_prefixed(body, header, key):
    full = "sha256=" + mac_tools.new(key, body, "sha256").hexdigest()
    # ruleid: timing-unsafe-compare
    return header != full


class Gate:
    def __init__(self, api_key):
        self.api_key = api_key

    def allow(self, request):
        # ruleid: timing-unsafe-compare
        return request.args.get("key") == self.api_key

    def check_csrf(self, form, session):
        # ruleid: timing-unsafe-compare
        if form["csrf_token"] != session["csrf_token"]:
            raise PermissionError("bad token")

    def login(self, user, digest):
        # ruleid: timing-unsafe-compare
        return user.password_hash == digest

    def same(self, key, left, right):
        # ruleid: timing-unsafe-compare
        return hmac.new(key, left, "sha256").digest() == make_mac(key, right, "sha256").digest()

    def __eq__(self, other):
        # ok: timing-unsafe-compare
        return self.api_key == other.api_key


# ruleid: timing-unsafe-compare
valid = [m for m in read_messages() if m.signature == hmac.digest(read_key(), m.body, "sha256")]


def check_fresh(key, message, tag):
    engine = hmac.new(key, digestmod="sha256")
    engine.update(message)
    # ruleid: timing-unsafe-compare
    return engine.digest() == tag


def verify_safely(body, header, key):
    computed = hmac.new(key, body, "sha256").hexdigest()
    # ok: timing-unsafe-compare
    return hmac.compare_digest(computed, header)


def change_password(form):
    # ok: timing-unsafe-compare
    if form["password"] != form["confirm_password"]:
        raise ValueError("the passwords differ")
    # ok: timing-unsafe-compare
    return form["password"] != ""


def parse(token, end_token):
    # ok: timing-unsafe-compare
    while token != end_token:
        token = token.next
    return token


def has_key(settings):
    # ok: timing-unsafe-compare
    return settings.api_key != None


def verify_download(path, expected_digest):
    # ok: timing-unsafe-compare
    return hashlib.sha256(path.read_bytes()).hexdigest() == expected_digest
