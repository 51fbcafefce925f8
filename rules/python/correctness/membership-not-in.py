def pick(rows, seen, limit=None):
    for row in rows:
        # ruleid: membership-not-in
        if not row in seen:
            yield row
        # ruleid: membership-not-in
        elif not row["id"] in seen and limit:
            yield row
        # ruleid: membership-not-in
        elif not (row.get("name", "") in seen):
            seen.add(row)


class Filter:
    # ruleid: membership-not-in
    strict = not "lenient" in FLAGS.get("mode", ())

    def accepts(self, entry):
        # ruleid: membership-not-in
        assert not entry.key in self.hidden, "hidden"
        # ruleid: membership-not-in
        hidden = (not entry.key in self.keys)
        # ruleid: membership-not-in
        return hidden or not (
            entry.key
            in self.keys
        )

    def rest(self, entries):
        # ruleid: membership-not-in
        visible = filter(lambda entry: not entry in self.hidden, entries)
        # ruleid: membership-not-in
        return {key: entry for key, entry in visible if not (key, entry.name) in self.known()}


def safe(rows, seen, row, flags):
    # ok: membership-not-in
    if row not in seen:
        return None
    # ok: membership-not-in
    if not row.hidden and row in seen:
        return None
    # ok: membership-not-in
    if (not row) in flags:
        return None
    # ok: membership-not-in
    if not any(entry in seen for entry in rows):
        return "not row in seen"
    # ok: membership-not-in
    for entry in rows if not flags else ():
        print(entry)
    # ok: membership-not-in
    return not (row in seen or row in flags)
