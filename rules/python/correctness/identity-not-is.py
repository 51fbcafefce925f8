MISSING = object()


def choose(value, default, table):
    # ruleid: identity-not-is
    if not value is None:
        return value
    # ruleid: identity-not-is
    while not table.get("next", MISSING) is MISSING and default:
        table = table["next"]
    # ruleid: identity-not-is
    if not (table["root"] is default):
        return table
    # ruleid: identity-not-is
    return default if not default is MISSING else None


class Node:
    def __init__(self, parent=None):
        self.parent = parent
        # ruleid: identity-not-is
        self.nested = (not parent is None)

    def siblings(self):
        # ruleid: identity-not-is
        return [child for child in self.parent.children if not child is self]

    def attach(self, other):
        # ruleid: identity-not-is
        assert not (
            other.parent
            is self
        )
        # ruleid: identity-not-is
        return list(filter(lambda node: not node is other, self.children))


def safe(value, other, flag):
    # ok: identity-not-is
    if value is not None:
        return value
    # ok: identity-not-is
    if not value and other is None:
        return "not value is None"
    # ok: identity-not-is
    if (not value) is flag:
        return other
    # ok: identity-not-is
    if not isinstance(value, type(other)):
        return flag
    # ok: identity-not-is
    return not (value is None or other is None)
