import math
import statistics
from math import hypot

import numpy as np
import pytest


def grade(score, total, weight):
    # ruleid: float-equality
    if score == 0.3:
        return "pass"
    # ruleid: float-equality
    if 0.7 != weight:
        return "odd"
    # ruleid: float-equality
    while math.sqrt(score) == total:
        score += 1
    # ruleid: float-equality
    return "full" if score * 1.1 == total else "part"


class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def on_circle(self, radius):
        # ruleid: float-equality
        return hypot(self.x, self.y) == radius

    def third(self, other):
        # ruleid: float-equality
        if self.x / 3 == other.x * 2:
            return True
        # ruleid: float-equality
        return self.x + 0.1 == (other.x)


def typical(rows):
    # ruleid: float-equality
    return [row for row in rows if row.value == statistics.mean(row.all)]


def safe(score, total, marks, path, test):
    # ok: float-equality
    if math.isclose(score, 0.3) or abs(score - 0.3) < 1e-9:
        return True
    # ok: float-equality
    if score == 0.0 or score == 1.5 or total == 10:
        return True
    # ok: float-equality
    if score < 0.3 or score >= 0.7:
        return False
    # ok: float-equality
    assert total * 0.1 == pytest.approx(score)
    # ok: float-equality
    marks = marks[marks == 0.3]
    # ok: float-equality
    where = np.flatnonzero(marks == 0.3)
    # ok: float-equality
    if path / "0.3" == test or total // 3 == score:
        return where
    # ok: float-equality
    whole = int(math.sqrt(total)) == score
    # ok: float-equality
    return path == "0.3" or round(score * 10) == 3
