import numpy as np
from sqlalchemy import and_, select


class Session:
    _current = None

    def __init__(self, user=None, token=None):
        self.user = user
        self.token = token

    def describe(self):
        # ruleid: none-comparison-negated
        if self.user != None:
            return self.user.name
        # ruleid: none-comparison-negated
        elif None != self.token:
            return self.token.owner
        return "anonymous"

    @classmethod
    def current(cls):
        # ruleid: none-comparison-negated
        if Session._current != None:
            return Session._current
        return cls()


def first_present(rows):
    # ruleid: none-comparison-negated
    return next(row for row in rows if row["value"] != None)


def wait(queue):
    # ruleid: none-comparison-negated
    while queue.poll(timeout=1)!=None:
        queue.handle()
    # ruleid: none-comparison-negated
    label = "full" if queue.last != None else "empty"
    # ruleid: none-comparison-negated
    closed = (queue.reader != None)
    # ruleid: none-comparison-negated
    drop = lambda entry: entry.parent != None and not entry.children
    # ruleid: none-comparison-negated
    assert (queue.head or queue.tail) != None
    return label, closed, drop


def paid(session, Invoice, frame, marks):
    # ok: none-comparison-negated
    session.query(Invoice).filter(Invoice.paid_at != None).all()
    # ok: none-comparison-negated
    statement = select(Invoice.id).where(and_(Invoice.paid_at != None, Invoice.total > 0))
    # ok: none-comparison-negated
    closed_only = Invoice.closed_at != None
    # ok: none-comparison-negated
    frame = frame[frame["reference"] != None]
    # ok: none-comparison-negated
    holes = (marks != None) | (marks < 0)
    # ok: none-comparison-negated
    where = np.flatnonzero(marks != None)
    # ok: none-comparison-negated
    count = (marks != None).sum()
    return statement, closed_only, frame, holes, where, count


def plain(value, nothing):
    # ok: none-comparison-negated
    if value is not None:
        return "None != value"
    empty = None
    # ok: none-comparison-negated
    return value == empty or value == "None" or value == nothing
