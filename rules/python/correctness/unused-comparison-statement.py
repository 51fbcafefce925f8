import pytest


def settle(account, rows, limit):
    total = 0
    for row in rows:
        total += row.amount
        if total > limit:
            # ruleid: unused-comparison-statement
            account.blocked == True
            continue
        # ruleid: unused-comparison-statement
        row["state"] is None
    while limit:
        # ruleid: unused-comparison-statement
        total <= limit
        limit -= 1
    # ruleid: unused-comparison-statement
    account.total == total


class Tests:
    def test_load(self, load):
        rows = load("rows")
        # ruleid: unused-comparison-statement
        rows[0].name == "first"
        # ruleid: unused-comparison-statement
        len(rows) != 0
        (
            # ruleid: unused-comparison-statement
            "last" not in rows
        )

    async def test_compare(self, load):
        rows = await load("rows")
        # ok: unused-comparison-statement
        with pytest.raises(TypeError):
            rows < 1
        # ok: unused-comparison-statement
        assert rows == []


def safe(account, rows, limit, seen):
    # ok: unused-comparison-statement
    blocked = account.total == limit
    # ok: unused-comparison-statement
    if rows == [] or limit is None:
        # ok: unused-comparison-statement
        return blocked != account.blocked
    try:
        # ok: unused-comparison-statement
        rows < limit
    except TypeError:
        limit = None
    # ok: unused-comparison-statement
    account.check(rows == seen, key=lambda row: row == limit)
    # ok: unused-comparison-statement
    return [row for row in rows if row.total > limit]
