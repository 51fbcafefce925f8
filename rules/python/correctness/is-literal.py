import sys

MISSING = object()
DEFAULT = "auto"


def platform_name():
    # ruleid: is-literal
    if sys.platform is "win32":
        return "windows"
    # ruleid: is-literal
    return "mac" if sys.platform is 'darwin' else "linux"


class Cell:
    def __init__(self, text, span=1):
        # ruleid: is-literal
        self.blank = text is ""
        # ruleid: is-literal
        self.single = (span is 1)
        # ruleid: is-literal
        self.backwards = "rtl" is text

    def offset(self, row):
        # ruleid: is-literal
        while row.offset is -1 and row.next:
            row = row.next
        # ruleid: is-literal
        assert row.cells is [] or row.hidden
        # ruleid: is-literal
        return list(filter(lambda cell: cell.bounds is (0, 0), row.cells))


def look_up(table, key):
    found = table.get(key, MISSING)
    # ok: is-literal
    if found is MISSING or found is None or found is True:
        return None
    # ok: is-literal
    if found is ...:
        return Ellipsis
    # ok: is-literal
    if found == "win32" or found is DEFAULT:
        return 'value is "text"'
    # ok: is-literal
    return found is (key)
