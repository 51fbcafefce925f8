USAGE = "usage: %s [-v] %s"


def describe(name, count, rows, log):
    # ruleid: string-format-mismatch
    print("%s: %d rows in %s" % (name, count))
    # ruleid: string-format-mismatch
    text = "100%% of %s" % (name, count)
    # ruleid: string-format-mismatch
    if USAGE % (name, count, rows):
        # ruleid: string-format-mismatch
        raise ValueError("no rows" % (name,))
    # ruleid: string-format-mismatch
    return "%-10s %05.2f %r" % (
        name,
        count,
    )


class Report:
    # ruleid: string-format-mismatch
    title = "{} of {}".format("Report")

    def line(self, row):
        # ruleid: string-format-mismatch
        first = ("{:>10} {!r} "
                 "{}").format(row.name, row.total)
        # ruleid: string-format-mismatch
        return [first, "%s %s" % len(row.cells)]


def safe(name, count, rows, pair):
    # ok: string-format-mismatch
    text = "%s: %d rows, 100%%" % (name, count)
    # ok: string-format-mismatch
    one = "%s" % name + "%s %s" % pair
    # ok: string-format-mismatch
    named = "%(name)s %(count)d" % {"name": name, "count": count}
    # ok: string-format-mismatch
    wide = "%*d" % (count, 7) + "%s %s %s" % (name, *pair)
    # ok: string-format-mismatch
    first = "{} {{}} {}".format(name, count) + "{0} {0}".format(name)
    # ok: string-format-mismatch
    second = "{} {}".format(*pair) + "{name} {}".format(name, name=count)
    # ok: string-format-mismatch
    return text, one, named, wide, first, second, count % (7), "%s %s" % rows
