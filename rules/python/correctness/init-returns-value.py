class Reader(object):
    def __init__(self, path, strict=False):
        self.path = path
        if not path:
            # ruleid: init-returns-value
            return False
        try:
            self.stream = open(path, encoding="utf-8")
        except OSError as err:
            # ruleid: init-returns-value
            return err
        # ruleid: init-returns-value
        return self


class Counter:
    def __init__(self, rows):
        for row in rows:
            if row is None:
                # ruleid: init-returns-value
                return "no row"
            # ruleid: init-returns-value
            yield row
        # ruleid: init-returns-value
        return (
            len(rows),
            rows[0],
        )


class Safe(Reader):
    def __init__(self, path, rows, key=None):
        if not rows:
            # ok: init-returns-value
            return
        if not path:
            # ok: init-returns-value
            return None

        def length(row):
            # ok: init-returns-value
            return len(row) + 1

        self.rows = sorted(rows, key=key or length)
        # ok: init-returns-value
        self.first = lambda: self.rows[0]
        # ok: init-returns-value
        return super().__init__(path)

    def __enter__(self):
        # ok: init-returns-value
        return self


def __init__(module):
    # ok: init-returns-value
    return module.name
