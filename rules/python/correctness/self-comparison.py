import math
import unittest


def overlap(first, second, limits):
    # ruleid: self-comparison
    if first.start == first.start:
        return True
    # ruleid: self-comparison
    while second < second and limits:
        limits.pop()
    # ruleid: self-comparison
    return limits["low"] <= limits["low"]


class Version:
    def __init__(self, major, minor):
        self.major, self.minor = major, minor

    def __eq__(self, other):
        # ruleid: self-comparison
        return self.major == self.major and self.minor == other.minor

    def __ne__(self, other):
        # ruleid: self-comparison
        return self.minor != self.minor

    def same(self, others):
        # ruleid: self-comparison
        return [other for other in others if other is other]

    def known(self, names):
        # ruleid: self-comparison
        return filter(lambda name: name in name, names)


def is_nan(value):
    # ok: self-comparison
    return value != value


def clean(value):
    # ok: self-comparison
    if value == value and not math.isnan(value):
        return value
    return 0


def safe(first, second, rows, roll):
    # ok: self-comparison
    if first.start == second.start or rows[0] == rows[1]:
        return True
    # ok: self-comparison
    if roll() == roll() or next(rows) < next(rows):
        return True
    # ok: self-comparison
    return first.start == first.end


class VersionTests(unittest.TestCase):
    def test_equal(self):
        version = Version(1, 2)
        # ok: self-comparison
        self.assertTrue(version == version)
        # ok: self-comparison
        assert version == version
