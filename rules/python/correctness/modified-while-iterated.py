def prune(entries, seen, limit):
    # ruleid: modified-while-iterated
    for entry in entries:
        if entry.age > limit:
            entries.remove(entry)
    # ruleid: modified-while-iterated
    for name in seen:
        if not name:
            seen.discard(name)
        elif limit:
            break


class Registry:
    def expire(self, now):
        # ruleid: modified-while-iterated
        for key in self.sessions:
            if self.sessions[key].expires < now:
                del self.sessions[key]
        # ruleid: modified-while-iterated
        for key, job in self.jobs.items():
            try:
                job.close()
            finally:
                closed = self.jobs.pop(key, None)
                self.log(closed)

    def drop(self, prefix):
        # ruleid: modified-while-iterated
        for name in self.names.keys():
            with self.lock:
                if name.startswith(prefix):
                    del self.names[name]

    def detach(self, node):
        # ruleid: modified-while-iterated
        for child in node.children:
            self.log(child)
            node.children.remove(child)

    async def stop(self):
        # ruleid: modified-while-iterated
        for task in self.tasks:
            await task.cancel()
            self.log(self.tasks.pop(task))


def safe(entries, sessions, wanted, now):
    # ok: modified-while-iterated
    for entry in list(entries):
        entries.remove(entry)
    # ok: modified-while-iterated
    for entry in entries[:]:
        entries.remove(entry)
    # ok: modified-while-iterated
    for key, session in tuple(sessions.items()):
        del sessions[key]
    # ok: modified-while-iterated
    for entry in entries:
        if entry is wanted:
            entries.remove(entry)
            break
    # ok: modified-while-iterated
    for entry in entries:
        wanted.remove(entry)
        del sessions[entry]
    # ok: modified-while-iterated
    for key in sessions.copy():
        sessions.pop(key)
    # ok: modified-while-iterated
    for key in sessions:
        sessions[key] = now
    # ok: modified-while-iterated
    for key in sessions:
        if key.expired:
            del sessions[key]
            return key
    return None
