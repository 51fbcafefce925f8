def check(rows, limit, seen):
    # ruleid: assert-on-tuple
    assert (len(rows) < limit, "too many rows")
    for row in rows:
        # ruleid: assert-on-tuple
        assert(row.name, f"no name: {row}")
        # ruleid: assert-on-tuple
        assert (row.width > 0, row.height > 0)


class Tests:
    def test_rows(self):
        rows = self.load("rows", 3)
        # ruleid: assert-on-tuple
        assert (
            rows[0].get("name", "") in ("a", "b"),
            'wrong name',
        )
        # ruleid: assert-on-tuple
        assert (rows == [],)
        # ruleid: assert-on-tuple
        assert (rows, self.names, "nothing")

    async def test_send(self, client):
        # ruleid: assert-on-tuple
        assert (await client.send("a") == 1, "message: " + client.last)


def safe(rows, limit, pair):
    # ok: assert-on-tuple
    assert len(rows) < limit, "too many rows"
    # ok: assert-on-tuple
    assert (len(rows) < limit), "too many rows"
    # ok: assert-on-tuple
    assert (
        len(rows) < limit
        and rows[0] == (1, 2)
    )
    # ok: assert-on-tuple
    assert pair == (1, "one"), ("wrong", pair)
    # ok: assert-on-tuple
    assert isinstance(pair, (list, tuple))
