import numpy as np
from sqlalchemy import and_, select


class Session:
    _current = None

    def __init__(self, user=None, token=None):
        self.user = user
        self.token = token

    def describe(self):
        # ruleid: none-comparison
        if self.user == None:
            return "anonymous"
        # ruleid: none-comparison
        elif None == self.token:
            return "no token"
        return self.user.name

    @classmethod
    def current(cls):
        # ruleid: none-comparison
        if Session._current == None:
            Session._current = cls()
        return Session._current


def first_missing(rows):
    # ruleid: none-comparison
    return next(row for row in rows if row["value"] == None)


def wait(queue):
    # ruleid: none-comparison
    while queue.poll(timeout=1)==None:
        pass
    # ruleid: none-comparison
    label = "empty" if queue.last == None else "full"
    # ruleid: none-comparison
    closed = (queue.reader == None)
    # ruleid: none-comparison
    drop = lambda entry: entry.parent == None and not entry.children
    # ruleid: none-comparison
    assert (queue.head or queue.tail) == None
    return label, closed, drop


def overdue(session, Invoice, frame, marks):
    # ok: none-comparison
    session.query(Invoice).filter(Invoice.paid_at == None).all()
    # ok: none-comparison
    statement = select(Invoice.id).where(and_(Invoice.paid_at == None, Invoice.total > 0))
    # ok: none-comparison
    open_only = Invoice.closed_at == None
    # ok: none-comparison
    frame = frame[frame["reference"] == None]
    # ok: none-comparison
    holes = (marks == None) | (marks < 0)
    # ok: none-comparison
    where = np.flatnonzero(marks == None)
    # ok: none-comparison
    count = (marks == None).sum()
    return statement, open_only, frame, holes, where, count


def plain(value, nothing):
    # ok: none-comparison
    if value is None:
        return "None == value"
    empty = None
    # ok: none-comparison
    return value == empty or value == "None" or value == nothing
