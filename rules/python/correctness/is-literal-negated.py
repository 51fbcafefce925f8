import sys

MISSING = object()
DEFAULT = "auto"


def platform_name():
    # ruleid: is-literal-negated
    if sys.platform is not "win32":
        return "posix"
    # ruleid: is-literal-negated
    return "other" if sys.platform is not 'darwin' else "mac"


class Cell:
    def __init__(self, text, span=1):
        # ruleid: is-literal-negated
        self.filled = text is not ""
        # ruleid: is-literal-negated
        self.spans = (span is not 1)
        # ruleid: is-literal-negated
        self.forwards = "rtl" is not text

    def offset(self, row):
        # ruleid: is-literal-negated
        while row.offset is not -1 and row.next:
            row = row.next
        # ruleid: is-literal-negated
        assert row.cells is not [] or row.hidden
        # ruleid: is-literal-negated
        return list(filter(lambda cell: cell.bounds is not (0, 0), row.cells))


def look_up(table, key):
    found = table.get(key, MISSING)
    # ok: is-literal-negated
    if found is not MISSING and found is not None and found is not True:
        return found
    # ok: is-literal-negated
    if found is not ...:
        return Ellipsis
    # ok: is-literal-negated
    if found != "win32" and found is not DEFAULT:
        return 'value is not "text"'
    # ok: is-literal-negated
    return found is not (key)
