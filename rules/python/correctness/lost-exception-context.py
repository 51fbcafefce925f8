import json

from . import errors


class LoadError(Exception):
    pass


def load(path):
    try:
        with open(path, encoding="utf-8") as stream:
            return json.load(stream)
    except OSError:
        # ruleid: lost-exception-context
        raise LoadError(f"can't read {path}")
    except ValueError as exc:
        # ruleid: lost-exception-context
        raise LoadError(
            "no JSON: "  # the parser says where
            + str(exc)
        )


class Client:
    async def get(self, key):
        try:
            return await self.session.get(key)
        except (TimeoutError, ConnectionError):  # no answer
            self.failures += 1

            if self.failures > 3:
                # ruleid: lost-exception-context
                raise errors.Unreachable(
                    key,
                )
            # ruleid: lost-exception-context
            raise errors.Retry
        finally:
            self.calls += 1

    def __getattr__(self, name):
        try:
            return self.rows[name]
        except KeyError:
            # ruleid: lost-exception-context
            raise AttributeError(name)

    def close(self):
        try:
            self.session.close()
        except OSError as outer:
            self.failed = outer
            try:
                self.session.kill()
            except:
                # ruleid: lost-exception-context
                raise LoadError("kill failed")


def safe(table, key):
    try:
        return table[key]
    except KeyError as err:
        # ok: lost-exception-context
        raise LoadError(
            key,
        ) from err
    except IndexError:
        # ok: lost-exception-context
        raise LoadError(key) from None
    except TypeError:
        if table.strict:
            # ok: lost-exception-context
            raise
        # ok: lost-exception-context
        raise table.error
    except OSError:
        # ok: lost-exception-context
        raise SystemExit("failed")
    except AttributeError:
        def fail():
            # ok: lost-exception-context
            raise LoadError("later")
        table.on_error(fail)
    # ok: lost-exception-context
    raise LoadError("none")
