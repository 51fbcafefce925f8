import json


def read_settings(path, fallback):
    try:
        with open(path, encoding="utf-8") as stream:
            return json.load(stream)
    # ruleid: except-or-expression
    except FileNotFoundError or PermissionError:
        return fallback
    # ruleid: except-or-expression
    except json.JSONDecodeError or UnicodeDecodeError as err:
        raise SystemExit(err)


class Store:
    def get(self, key):
        try:
            return self.rows[key]
        # ruleid: except-or-expression
        except (KeyError or IndexError):
            return None

    async def fetch(self, client):
        try:
            return await client.get(self.url)
        # ruleid: except-or-expression
        except (client.Timeout or client.Closed) as err:
            self.error = err
        finally:
            await client.close()

    def number(self, text):
        try:
            return int(text)
        # ruleid: except-or-expression
        except TypeError or ValueError or OverflowError:
            return 0
        # ruleid: except-or-expression
        except MemoryError and RecursionError:
            return 1


def safe(table, key, strict):
    try:
        return table[key]
    # ok: except-or-expression
    except (KeyError, IndexError):
        return None
    # ok: except-or-expression
    except TypeError:
        return table.this or table.that
    try:
        table.flush()
    # ok: except-or-expression
    except (OSError, ValueError) if strict else OSError:
        return None
    # ok: except-or-expression
    note = """
    except KeyError or IndexError:
    """
    return note
