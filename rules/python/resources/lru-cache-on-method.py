import enum
import functools
import functools as ft
from functools import cache, lru_cache, lru_cache as memo


class Report:
    def __init__(self, path):
        self.path = path

    # ruleid: lru-cache-on-method
    @property
    @functools.lru_cache(maxsize=None)
    def rows(self):
        return load_rows(self.path)

    # ruleid: lru-cache-on-method
    @property
    @ft.cache
    def title(self):
        return load_title(self.path)

    # ruleid: lru-cache-on-method
    @lru_cache
    def row(self, number):
        return self.rows[number]

    # ruleid: lru-cache-on-method
    @memo(
        maxsize=128,
        typed=True,
    )
    def total(self, column: str) -> int:
        return sum(row[column] for row in self.rows)

    # ruleid: lru-cache-on-method
    @cache
    def average(self, column):
        return self.total(column) / len(self.rows)

    @functools.cached_property
    # ok: lru-cache-on-method
    def size(self):
        return len(self.rows)

    # ok: lru-cache-on-method
    @staticmethod
    @lru_cache(maxsize=64)
    def parse(line):
        return line.split(",")

    # ok: lru-cache-on-method
    @classmethod
    @cache
    def columns(cls):
        return tuple(cls.__annotations__)


def report_class():
    class Local(Report):
        # ruleid: lru-cache-on-method
        @ft.lru_cache(maxsize=8)
        def row(self, number):
            return number

    return Local


class Colour(enum.Enum):
    RED = 1

    # ok: lru-cache-on-method
    @lru_cache(maxsize=None)
    def label(self):
        return self.name.title()


# ok: lru-cache-on-method
@lru_cache(maxsize=32)
def price(name):
    return len(name)


class PerInstance:
    def __init__(self):
        # ok: lru-cache-on-method
        self.price = lru_cache(maxsize=32)(self._price)

    def _price(self, name):
        return len(name)
