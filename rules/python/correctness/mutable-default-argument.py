from collections import defaultdict


# ruleid: mutable-default-argument
def enroll(student, course=[]):
    course.append(student)
    return course


# ruleid: mutable-default-argument
def report(rows, columns=["name", "total"], limit=10):
    """Print the rows.

    At most `limit`.
    """

    # the totals come last
    columns.append("sum")
    return [[row[column] for column in columns] for row in rows[:limit]]


class Client:
    # ruleid: mutable-default-argument
    def __init__(self, url, headers={}, *, hooks=None):
        self.url = url
        self.headers = headers
        self.hooks = hooks

    # ruleid: mutable-default-argument
    async def get(
        self,
        path,
        params=dict(),
    ) -> bytes:
        'Fetch.'
        params["path"] = path
        return await self.send(params)

    # ruleid: mutable-default-argument
    @staticmethod
    def join(parts, seen=set()):
        seen.update(parts)
        return "/".join(seen)

    # ruleid: mutable-default-argument
    def count(self, words: list[str], totals: dict[str, int] = defaultdict(int)):
        for word in words:
            totals[word] += 1
        return totals

    # ruleid: mutable-default-argument
    def both(self, first=[], second=[]):
        first.extend(second)
        return first

    # ruleid: mutable-default-argument
    def squares(self, numbers=[n * n for n in range(9)]): return numbers


# ruleid: mutable-default-argument
HANDLERS = {"add": lambda entry, rows=[]: rows.append(entry)}


# ok: mutable-default-argument
def safe(rows, columns=None, name="", pair=(), flags=frozenset()):
    if columns is None:
        columns = []
    # ok: mutable-default-argument
    return sorted(rows, key=lambda row, fields=("a", "b"): [row[field] for field in fields])


# ok: mutable-default-argument
def square(number, _cache={}):
    if number not in _cache:
        _cache[number] = number * number
    return _cache[number]


# ok: mutable-default-argument
def search(tags=Query([]), kind=(str, [])):
    return tags, kind


# ok: mutable-default-argument
def fetch(url, make=list, options=None):
    # ok: mutable-default-argument
    return make(url, columns=[], rows={})
