import logging

log = logging.getLogger(__name__)


def load(path):
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except OSError as err:
        log.error("can't read %s", path)
        # ruleid: raise-caught-exception-by-name
        raise err
    except (ValueError, TypeError) as exc:
        if exc.args:
            # ruleid: raise-caught-exception-by-name
            raise exc  # as it is

        log.error("no arguments")
        raise


class Client:
    async def get(self, key):
        try:
            return await self.session.get(key)
        except Exception as e:
            await self.session.rollback()
            # ruleid: raise-caught-exception-by-name
            raise e
        finally:
            self.calls += 1

    def close(self):
        try:
            self.session.close()
        # ruleid: raise-caught-exception-by-name
        except OSError as error: raise error
        try:
            self.session.kill()
        except OSError as outer:
            try:
                self.session.abort()
            except RuntimeError as inner:
                # ruleid: raise-caught-exception-by-name
                raise inner
            except ValueError:
                # ok: raise-caught-exception-by-name
                raise outer


def parse(text):
    try:
        return int(text)
    except ValueError as bad_number:
        bad_number.args += (text,)
        # ruleid: raise-caught-exception-by-name
        raise bad_number


def safe(table, key):
    try:
        return table[key]
    except KeyError as err:
        # ok: raise-caught-exception-by-name
        raise
    except IndexError as err:
        err = LookupError(key)
        # ok: raise-caught-exception-by-name
        raise err
    except TypeError as err:
        # ok: raise-caught-exception-by-name
        raise LookupError(key) from err
    except ValueError as err:
        # ok: raise-caught-exception-by-name
        raise err from None
    except OSError as err:
        def fail():
            # ok: raise-caught-exception-by-name
            raise err
        table.on_error(fail)
    last = None
    try:
        table.flush()
    except AttributeError as err:
        last = err
    if last:
        # ok: raise-caught-exception-by-name
        raise last
