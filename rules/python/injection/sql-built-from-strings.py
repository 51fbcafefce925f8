import sqlite3
from contextlib import closing

import pandas as pd
import psycopg2
from pandas import read_sql_query as load_frame
from psycopg2 import sql

TABLE = "invoices"
SORT_COLUMNS = {"date": "issued_on", "total": "amount"}
BY_CITY = "SELECT * FROM shops WHERE city = '%s'"


class InvoiceStore:
    def __init__(self, path, table):
        self.connection = sqlite3.connect(path)
        self.table = table

    def by_customer(self, customer):
        cursor = self.connection.cursor()
        # ruleid: sql-built-from-strings
        cursor.execute(f"SELECT id, amount FROM invoices WHERE customer = '{customer}'")
        return cursor.fetchall()

    def by_customer_safely(self, customer):
        cursor = self.connection.cursor()
        # ok: sql-built-from-strings
        cursor.execute(f"SELECT id, amount FROM {TABLE} WHERE customer = ?", (customer,))
        return cursor.fetchall()

    def delete(self, number):
        with self.connection as conn:
            conn.execute(
                # ruleid: sql-built-from-strings
                "DELETE FROM invoices WHERE number = '%s'" % number
            )

    def in_shop(self, city, street):
        statement = BY_CITY % (city,)
        # ruleid: sql-built-from-strings
        self.connection.execute(statement)
        # ruleid: sql-built-from-strings
        self.connection.execute("SELECT * FROM shops WHERE city = %(city)s AND street = '%(street)s'" % {"city": city, "street": street})

    def search(self, name, city=None, newest=False):
        statement = "SELECT * FROM invoices WHERE name LIKE '%" + name + "%'"
        if city:
            statement += " AND city = '" + city + "'"
        order = "DESC" if newest else "ASC"
        statement += f" ORDER BY issued_on {order}"
        # ruleid: sql-built-from-strings
        return [dict(row) for row in self.connection.execute(statement)]

    def search_safely(self, name=None, city=None):
        clauses, values = ["deleted = 0"], []
        if name:
            clauses.append("name = ?")
            values.append(name)
        if city:
            clauses.append("city = ?")
            values.append(city)
        # ok: sql-built-from-strings
        return self.connection.execute("SELECT * FROM invoices WHERE " + " AND ".join(clauses), values)

    def search_parts(self, filters):
        clauses = []
        for column, value in filters.items():
            clauses.append(f"{column} = '{value}'")
        where = " AND ".join(clauses)
        # ruleid: sql-built-from-strings
        return self.connection.execute("SELECT * FROM invoices WHERE " + where).fetchall()

    def by_ids(self, ids):
        # ruleid: sql-built-from-strings
        return self.connection.execute("SELECT * FROM invoices WHERE id IN (" + ",".join(ids) + ")")

    def by_ids_safely(self, ids):
        marks = ", ".join("?" * len(ids))
        # ok: sql-built-from-strings
        return self.connection.execute(f"SELECT * FROM invoices WHERE id IN ({marks})", ids)

    def page(self, number, sort):
        offset = int(number) * 20
        column = SORT_COLUMNS[sort]
        # ok: sql-built-from-strings
        return self.connection.execute(f"SELECT * FROM invoices ORDER BY {column} LIMIT 20 OFFSET {offset}")

    def sorted_by(self, column):
        if column not in SORT_COLUMNS:
            raise ValueError(column)
        # ok: sql-built-from-strings
        return self.connection.execute(f"SELECT * FROM invoices ORDER BY {column}")

    def count(self):
        # ruleid: sql-built-from-strings
        return self.connection.execute(f"SELECT COUNT(*) FROM {self.table}").fetchone()[0]

    def load(self, rows, note):
        # ruleid: sql-built-from-strings
        self.connection.executemany("INSERT INTO invoices VALUES (?, ?, '{note}')".format(note=note), rows)
        # ruleid: sql-built-from-strings
        self.connection.executescript(f"""
            UPDATE batches SET note = '{note}';
            DELETE FROM pending;
        """)


def frames(engine, sensor, limit):
    # ruleid: sql-built-from-strings
    raw = pd.read_sql(f"SELECT * FROM readings WHERE sensor = '{sensor}'", engine)
    # ruleid: sql-built-from-strings
    last = load_frame(sql="SELECT * FROM readings WHERE sensor = '" + sensor + "'", con=engine)
    # ok: sql-built-from-strings
    some = pd.read_sql("SELECT * FROM readings LIMIT %d" % limit, engine)
    # ok: sql-built-from-strings
    good = pd.read_sql("SELECT * FROM readings WHERE sensor = %s", engine, params=(sensor,))
    return raw, last, some, good


async def member(pool, handle):
    async with pool.acquire() as conn:
        # ruleid: sql-built-from-strings
        return await conn.fetchrow(f"SELECT * FROM members WHERE handle = '{handle}' AND active")


def composed(dsn, table, owner):
    with closing(psycopg2.connect(dsn)) as conn, conn.cursor() as cur:
        # ok: sql-built-from-strings
        cur.execute(sql.SQL("SELECT * FROM {} WHERE owner = %s").format(sql.Identifier(table)), [owner])
        for name in ("orders", "lines"):
            # ok: sql-built-from-strings
            cur.execute(f"DELETE FROM {name} WHERE owner = %s", (owner,))
        # ruleid: sql-built-from-strings
        cur.execute(query="SELECT * FROM orders WHERE owner = '%s'" % (owner,))


def not_sql(robot, command, redis, key):
    # ok: sql-built-from-strings
    robot.execute(f"move {command} from here")
    # ok: sql-built-from-strings
    redis.execute(f"GET {key}")
    # ok: sql-built-from-strings
    print(f"SELECT * FROM {key}")
