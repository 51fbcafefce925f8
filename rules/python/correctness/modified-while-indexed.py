def prune(rows, limit):
    # ruleid: modified-while-indexed
    for index in range(len(rows)):
        if rows[index].age > limit:
            del rows[index]
    # ruleid: modified-while-indexed
    for index, row in enumerate(rows):
        if not row.name:
            rows.pop(index)
    # ruleid: modified-while-indexed
    for index, row in enumerate(rows, start=1):
        if row.twice:
            rows.insert(index, row)


class Queue:
    def drain(self):
        # ruleid: modified-while-indexed
        for job in self.jobs:
            job.run()
            self.jobs.pop(0)

    def merge(self):
        # ruleid: modified-while-indexed
        for index in range(1, len(self.jobs)):
            if self.jobs[index] == self.jobs[index - 1]:
                merged = self.jobs.pop(index)
                self.log(merged)
        # ruleid: modified-while-indexed
        for number, job in enumerate(self.jobs):
            with self.lock:
                if job.done:
                    self.jobs.remove(job)

    def reset(self):
        # ruleid: modified-while-indexed
        for job in self.jobs:
            if job.failed:
                self.jobs.clear()


def safe(rows, other, wanted):
    # ok: modified-while-indexed
    for index in reversed(range(len(rows))):
        del rows[index]
    # ok: modified-while-indexed
    for index in range(len(rows) - 1, -1, -1):
        rows.pop(index)
    # ok: modified-while-indexed
    for index, row in enumerate(rows):
        if row is wanted:
            del rows[index]
            break
    # ok: modified-while-indexed
    for index, row in enumerate(list(rows)):
        rows.remove(row)
    # ok: modified-while-indexed
    for index, row in enumerate(rows):
        other.insert(index, row)
        rows[index] = None
    # ok: modified-while-indexed
    for row in rows:
        if row.last:
            return rows.pop(0)
    return None
