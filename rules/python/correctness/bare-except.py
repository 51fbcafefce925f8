"""Importers.

try:
    import fast
except:
    fast = None
"""
import logging

log = logging.getLogger(__name__)

try:
    import ujson as json
# ruleid: bare-except
except:
    import json


def parse(line):
    try:
        return json.loads(line)
    except ValueError:
        return None
    # ruleid: bare-except
    except :
        log.exception("unreadable")
    finally:
        log.debug("done")


class Reader:
    def close(self):
        try: self.stream.close()
        # ruleid: bare-except
        except: pass

    async def drain(self):
        while self.pending:
            try:
                await self.pending.pop()
            # ruleid: bare-except
            except:  # any task may fail
                self.failed += 1

    def load(self, path):
        try:
            with open(path, encoding="utf-8") as stream:
                return stream.read()
        # ruleid: bare-except
        except:
            try:
                return self.fallback(path)
            # ruleid: bare-except
            except:
                return ""
            else:
                log.info("fallback")

    def commit(self):
        try:
            self.connection.commit()
        # ok: bare-except
        except:
            self.connection.rollback()
            log.error("rolled back")
            raise

    def abort(self):
        try:
            self.connection.abort()
        # ok: bare-except
        except: raise
        try:
            self.connection.close()
        # ok: bare-except
        except (OSError, ValueError):
            log.error("close failed")
        try:
            self.connection.close()
        # ok: bare-except
        except Exception:
            # ok: bare-except
            # except: pass
            log.error("close failed")


def commit(session, reraise):
    try:
        session.commit()
    # ok: bare-except
    except:
        with reraise():
            session.rollback()
