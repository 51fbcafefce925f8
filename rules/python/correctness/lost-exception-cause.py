import json

from . import errors


class LoadError(Exception):
    pass


def load(path):
    try:
        with open(path, encoding="utf-8") as stream:
            return json.load(stream)
    except OSError as err:
        # ruleid: lost-exception-cause
        raise LoadError(f"can't read {path}: {err}")
    except ValueError as exc:
        # ruleid: lost-exception-cause
        raise LoadError("no JSON: " + str(exc))  # the parser says where


class Client:
    async def get(self, key):
        try:
            return await self.session.get(key)
        except (TimeoutError, ConnectionError) as error:
            self.failures += 1

            if self.failures > 3:
                # ruleid: lost-exception-cause
                raise errors.Unreachable(key)
            # ruleid: lost-exception-cause
            raise errors.Retry
        finally:
            self.calls += 1

    def name(self):
        try:
            return self.rows["name"]
        except KeyError as e:  # no name
            # ruleid: lost-exception-cause
            raise AttributeError("name")
        else:
            return None

    def close(self):
        try:
            self.session.close()
        except OSError as outer:
            try:
                self.session.kill()
            except RuntimeError as inner:
                # ruleid: lost-exception-cause
                raise LoadError("kill failed")


def safe(table, key):
    try:
        return table[key]
    except KeyError as err:
        # ok: lost-exception-cause
        raise LoadError(key) from err
    except IndexError as err:
        # ok: lost-exception-cause
        raise LoadError(key) from None
    except TypeError as err:
        if table.strict:
            # ok: lost-exception-cause
            raise
        # ok: lost-exception-cause
        raise err
    except OSError as err:
        # ok: lost-exception-cause
        raise SystemExit(f"failed: {err}")
    except AttributeError as err:
        def fail():
            # ok: lost-exception-cause
            raise LoadError("later")
        table.on_error(fail)
    # ok: lost-exception-cause
    raise LoadError("none")
