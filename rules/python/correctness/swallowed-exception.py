"""Example:

try:
    run()
except Exception:
    pass
"""
import contextlib
import logging
from contextlib import suppress as ignoring

log = logging.getLogger(__name__)


def publish(bus, event):
    try:
        bus.send(event)
    # ruleid: swallowed-exception
    except Exception:
        pass
    try:
        bus.flush()
    # ruleid: swallowed-exception
    except BaseException as err:  # noqa
        # nothing to be done

        ...
    try:
        bus.close()
    # ruleid: swallowed-exception
    except: pass


def collect(sources):
    rows = []
    for source in sources:
        try:
            rows.extend(source.read())
        except KeyError:
            log.info("no key")
        # ruleid: swallowed-exception
        except (OSError, Exception):
            continue
        else:
            log.debug("read")
    # ruleid: swallowed-exception
    with contextlib.suppress(Exception):
        rows.sort()
    # ruleid: swallowed-exception
    with ignoring(ValueError, Exception):
        rows.reverse()
    return rows


class Cursor:
    def __del__(self):
        try:
            self.close()
        # ok: swallowed-exception
        except Exception:
            pass

    def read(self):
        try:
            return self.stream.read()
        # ok: swallowed-exception
        except FileNotFoundError:
            pass
        try:
            return self.stream.peek()
        # ok: swallowed-exception
        except Exception:
            log.exception("peek failed")
        try:
            return self.stream.tell()
        # ok: swallowed-exception
        except Exception:
            pass
            self.failed = True
        # ok: swallowed-exception
        with contextlib.suppress(KeyError):
            return self.stream["name"]
        try:
            return self.stream.last
        # ok: swallowed-exception
        except self.Exception:
            pass
