import datetime
from datetime import datetime as when
from datetime import timedelta, timezone


class Session:
    # ruleid: naive-datetime-now
    started = Column(DateTime, default=datetime.datetime.now)

    def __init__(self, user, seconds):
        self.user = user
        # ruleid: naive-datetime-now
        self.opened = datetime.datetime.now()
        # ruleid: naive-datetime-now
        self.changed = when.fromtimestamp(seconds)

    def expired(self, hours=2):
        # ruleid: naive-datetime-now
        return self.opened + timedelta(hours=hours) < when.now(tz=None)

    def row(self):
        return {
            "user": self.user,
            # ruleid: naive-datetime-now
            "at": when.today(),
            # ruleid: naive-datetime-now
            "text": f"{datetime.datetime.now().isoformat()}",
        }

    def later(self):
        # ruleid: naive-datetime-now
        return lambda days: when.now() + timedelta(days=days)


def safe(seconds, zone, clock):
    # ok: naive-datetime-now
    now = datetime.datetime.now(timezone.utc)
    # ok: naive-datetime-now
    there = when.now(tz=zone)
    # ok: naive-datetime-now
    changed = when.fromtimestamp(seconds, tz=zone)
    # ok: naive-datetime-now
    name = when.now().strftime("report-%Y%m%d.csv")
    # ok: naive-datetime-now
    local = datetime.datetime.now().astimezone()
    # ok: naive-datetime-now
    today = datetime.date.today()
    # ok: naive-datetime-now
    return clock.now(), now, there, changed, name, local, today
