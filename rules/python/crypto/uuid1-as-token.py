import secrets
import uuid
import uuid as ids
from uuid import uuid1


def start_reset(user):
    # ruleid: uuid1-as-token
    user.reset_token = str(uuid.uuid1())
    user.save()


def login(request, user):
    # ruleid: uuid1-as-token
    request.session["csrf_token"] = ids.uuid1().hex
    # ruleid: uuid1-as-token
    session_id = "%s-%s" % (user.id, uuid.uuid1(node=user.id))
    return {
        "session": session_id,
        # ruleid: uuid1-as-token
        "access_token": uuid.uuid1().hex,
    }


def generate_invite_code():
    # ruleid: uuid1-as-token
    return uuid1().hex[:8]


class ApiKey:
    def __init__(self, owner):
        self.owner = owner
        # ruleid: uuid1-as-token
        self.secret: str = str(uuid.uuid1())


# ruleid: uuid1-as-token
register(client="kiosk", api_key=str(uuid.uuid1()))

# ok: uuid1-as-token
event_id = uuid.uuid1()


def write_event(event):
    # ok: uuid1-as-token
    return {"id": str(uuid.uuid1()), "event": event}


def start_safe_reset(user):
    # ok: uuid1-as-token
    user.reset_token = secrets.token_urlsafe(32)


# ok: uuid1-as-token
session_id = uuid.uuid4().hex
# ok: uuid1-as-token
token = book(request_id=uuid.uuid5(uuid.NAMESPACE_URL, "orders"))
