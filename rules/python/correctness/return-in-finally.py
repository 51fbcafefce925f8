def read_all(stream):
    chunks = []
    try:
        for chunk in stream:
            chunks.append(chunk)
    finally:
        stream.close()
        # ruleid: return-in-finally
        return b"".join(chunks)


class Worker:
    def run(self):
        done = False
        while not done:
            try:
                done = self.step()
            except ValueError:
                self.failed = True
            else:
                self.failed = False
            finally:
                if self.stopping:
                    # ruleid: return-in-finally
                    break
        for job in self.jobs:
            try:
                job.run()
            finally:
                job.close()
                # ruleid: return-in-finally
                continue

    async def fetch(self, client):
        try:
            body = await client.get(self.url)
        finally:
            with self.lock:
                # ruleid: return-in-finally
                return self.last
        return body

    def status(self):
        try:
            self.connect()
        finally:
            try:
                self.close()
            except OSError:
                # ruleid: return-in-finally
                return False

            # ruleid: return-in-finally
            return

    def drain(self):
        try:
            self.connect()
        finally:
            for job in self.jobs:
                if job.done:
                    # ok: return-in-finally
                    continue
                if job.failed:
                    # ok: return-in-finally
                    break
        # ok: return-in-finally
        return self.jobs


def register(hooks):
    try:
        hooks.load()
    finally:
        def on_exit():
            # ok: return-in-finally
            return hooks.names
        hooks.add(on_exit)
    try:
        hooks.start()
    except OSError:
        # ok: return-in-finally
        return None
    finally:
        hooks.log("started")
    # ok: return-in-finally
    return hooks
