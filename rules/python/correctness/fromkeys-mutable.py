import collections
from collections import OrderedDict, defaultdict

NAMES = ("north", "south")
# ruleid: fromkeys-mutable
REGIONS = dict.fromkeys(NAMES, [])


class Index:
    def __init__(self, fields):
        # ruleid: fromkeys-mutable
        self.by_field = dict.fromkeys(fields, {})
        # ruleid: fromkeys-mutable
        self.seen = dict.fromkeys(
            [field.name for field in fields],
            set(),
        )
        # ruleid: fromkeys-mutable
        self.ordered = collections.OrderedDict.fromkeys(fields, [0, 0])
        # ruleid: fromkeys-mutable
        self.counts = OrderedDict.fromkeys(fields, value=defaultdict(int))

    def totals(self, months, years):
        # ruleid: fromkeys-mutable
        per_month = {year: dict.fromkeys(months, [0, 0]) for year in years}
        # ruleid: fromkeys-mutable
        update(per_month, dict.fromkeys(range(12), [None for month in months]))
        # ruleid: fromkeys-mutable
        return per_month, lambda: dict.fromkeys(years, list())


def safe(names, registry, default):
    # ok: fromkeys-mutable
    flags = dict.fromkeys(names, False)
    # ok: fromkeys-mutable
    unique = list(dict.fromkeys(names))
    # ok: fromkeys-mutable
    pairs = dict.fromkeys(names, (0, 0))
    # ok: fromkeys-mutable
    groups = {name: [] for name in names}
    # ok: fromkeys-mutable
    frozen = dict.fromkeys(names, frozenset())
    # ok: fromkeys-mutable
    rows = registry.fromkeys(names, [])
    # ok: fromkeys-mutable
    listed = dict.fromkeys([], default)
    return flags, unique, pairs, groups, frozen, rows, listed
