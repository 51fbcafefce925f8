"""Orders in SQLite."""

import sqlite3


class OrderStore:
    """Keeps orders."""

    def __init__(self, path):
        self.connection = sqlite3.connect(path)
        self.connection.row_factory = sqlite3.Row

    def find(self, order_id):
        """One order, or None."""
        query = "SELECT * FROM orders WHERE id = ?"
        return self.connection.execute(query, (order_id,)).fetchone()

    def find_by_customer(self, customer, states=[]):
        """Orders of a customer, in some states only."""
        rows = self.connection.execute(f"SELECT * FROM orders WHERE customer = '{customer}'").fetchall()
        return [row for row in rows if not states or row["state"] in states]

    def save(self, order):
        """Insert or update an order."""
        query = "INSERT OR REPLACE INTO orders (id, customer, total) VALUES (?, ?, ?)"
        with self.connection:
            self.connection.execute(query, (order["id"], order["customer"], order["total"]))
