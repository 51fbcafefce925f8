import sqlalchemy as sa
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import select, text
from sqlalchemy.sql import text as sql_text

from hotel.markup import text as plain_text

db = SQLAlchemy()
ROOMS = "rooms"


class Bookings:
    def __init__(self, session):
        self.session = session

    def for_guest(self, email):
        # ruleid: sqlalchemy-text-from-strings
        return self.session.execute(text(f"SELECT * FROM bookings WHERE email = '{email}'")).all()

    def for_guest_safely(self, email):
        # ok: sqlalchemy-text-from-strings
        return self.session.execute(text(f"SELECT * FROM {ROOMS} WHERE email = :email"), {"email": email}).all()

    def cancel(self, code):
        # ruleid: sqlalchemy-text-from-strings
        statement = sa.text("DELETE FROM bookings WHERE code = '" + code + "'")
        self.session.execute(statement)

    def search(self, name, city):
        query = "SELECT * FROM bookings WHERE name = '%s'" % name
        query += " AND city = :city"
        # ruleid: sqlalchemy-text-from-strings
        return self.session.execute(text(query), {"city": city})

    def ordered(self, column):
        # ruleid: sqlalchemy-text-from-strings
        return self.session.scalars(select(Bookings).order_by(text(column + " DESC")))

    def ordered_safely(self, column, descending):
        if column not in ("created", "code"):
            raise ValueError(column)
        direction = "DESC" if descending else "ASC"
        # ok: sqlalchemy-text-from-strings
        return self.session.scalars(select(Bookings).order_by(text(f"{column} {direction}")))

    async def rename(self, connection, note):
        await connection.execute(
            # ruleid: sqlalchemy-text-from-strings
            sql_text("UPDATE bookings SET note = '{}'".format(note))
        )

    def page(self, number):
        # ok: sqlalchemy-text-from-strings
        return self.session.execute(text(f"SELECT * FROM bookings OFFSET {int(number) * 20}"))

    def in_any(self, codes):
        # ruleid: sqlalchemy-text-from-strings
        return self.session.execute(text("SELECT * FROM bookings WHERE code IN ({codes})".format(codes=",".join(codes))))


def raw_page(wanted):
    # ruleid: sqlalchemy-text-from-strings
    return db.session.execute(db.text(f"SELECT * FROM pages WHERE slug = '{wanted}'"))


def label(guest):
    # ok: sqlalchemy-text-from-strings
    return plain_text(f"Dear {guest}")


def conditions(session, only_open):
    clauses = ["deleted = 0"]
    if only_open:
        clauses.append("closed IS NULL")
    # ok: sqlalchemy-text-from-strings
    return session.execute(text("SELECT * FROM bookings WHERE " + " AND ".join(clauses)))
