import itertools
from collections import defaultdict

WIDTH, HEIGHT = 8, 8
# ruleid: list-multiplied-mutable
BOARD = [[None] * WIDTH] * HEIGHT


class Grid:
    size = 3
    # ruleid: list-multiplied-mutable
    default = [[0] * size] * size

    def __init__(self, rows, columns):
        # ruleid: list-multiplied-mutable
        self.cells = [[0 for column in range(columns)]] * rows
        # ruleid: list-multiplied-mutable
        self.marks = [set()] * len(self.cells)
        # ruleid: list-multiplied-mutable
        self.counts = [defaultdict(int)] * (rows + 1)
        # ruleid: list-multiplied-mutable
        self.names = rows * [{}]

    def group(self, size):
        # ruleid: list-multiplied-mutable
        return dict(zip("abc", [[]] * size))

    def shapes(self, sizes):
        # ruleid: list-multiplied-mutable
        return [[dict(kind="box")] * size for size in sizes]


def safe(width, height, weights, sets):
    # ok: list-multiplied-mutable
    row = [0] * width
    # ok: list-multiplied-mutable
    grid = [[0] * width for _ in range(height)]
    # ok: list-multiplied-mutable
    pairs = [(0, 0)] * width
    # ok: list-multiplied-mutable
    names = [""] * len(weights) + [None] * height
    # ok: list-multiplied-mutable
    area = [width * height][0] * weights[0]
    # ok: list-multiplied-mutable
    cells = itertools.product(*([[0, 1]] * width))
    # ok: list-multiplied-mutable
    rows = [build([1, 2])] * width
    # ok: list-multiplied-mutable
    frozen = [frozenset()] * width
    return row, grid, pairs, names, area, cells, frozen
