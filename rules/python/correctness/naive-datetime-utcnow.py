import datetime
import datetime as moment
from datetime import datetime as when
from datetime import timedelta


class Order:
    # ruleid: naive-datetime-utcnow
    created = Column(DateTime, default=datetime.datetime.utcnow)

    def __init__(self, number, paid):
        self.number = number
        # ruleid: naive-datetime-utcnow
        self.placed = when.utcnow()
        # ruleid: naive-datetime-utcnow
        self.paid = moment.datetime.utcfromtimestamp(paid)

    def age(self):
        # ruleid: naive-datetime-utcnow
        return (datetime.datetime.utcnow() - self.placed).days

    def label(self):
        # ruleid: naive-datetime-utcnow
        stamp = datetime.datetime.utcnow().strftime("%Y-%m-%d")
        # ruleid: naive-datetime-utcnow
        return stamp + moment.datetime.utcnow().isoformat() + "Z"

    def token(self, encode):
        # ruleid: naive-datetime-utcnow
        return encode({"sub": self.number, "exp": when.utcnow() + timedelta(hours=1)})

    def seconds(self):
        # ruleid: naive-datetime-utcnow
        now = when.utcnow().replace(tzinfo=datetime.timezone.utc)
        # ruleid: naive-datetime-utcnow
        return [now, when.utcnow().timestamp()]


def safe(clock, seconds, zone):
    # ok: naive-datetime-utcnow
    now = datetime.datetime.now(datetime.timezone.utc)
    # ok: naive-datetime-utcnow
    there = when.fromtimestamp(seconds, zone)
    # ok: naive-datetime-utcnow
    faked = clock.utcnow()
    # ok: naive-datetime-utcnow
    note = "datetime.utcnow() is deprecated"
    # ok: naive-datetime-utcnow
    today = moment.date.today()
    return now, there, faked, note, today
