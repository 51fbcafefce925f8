import functools
import threading

ROWS = [("a", 1), ("b", 2)]
# ruleid: late-binding-closure
POWERS = [lambda base: base ** exponent for exponent in range(5)]


def handlers(names):
    table = {}
    for name in names:
        # ruleid: late-binding-closure
        table[name] = lambda event: dispatch(name, event)
    return table


class Window:
    def build(self, tools):
        for index, tool in enumerate(tools):
            # ruleid: late-binding-closure
            button = Button(self, text=tool.name, command=lambda: self.select(tool))
            # ruleid: late-binding-closure
            button.clicked.connect(lambda: self.mark(index))
            label = tool.name.title()
            # ruleid: late-binding-closure
            self.labels.append(lambda: label)
            button.pack()

    def start(self, jobs):
        threads = []
        for job in jobs:
            # ruleid: late-binding-closure
            threads.append(lambda: job.run(
                self.settings,
            ))
            # ruleid: late-binding-closure
            threading.Thread(target=lambda: job.run(None)).start()
        # ruleid: late-binding-closure
        return {key: (lambda: print(value)) for key, value in ROWS}


def safe(names, rows, pool):
    made = []
    for name in names:
        # ok: late-binding-closure
        made.append(lambda event, name=name: dispatch(name, event))
        # ok: late-binding-closure
        made.append(functools.partial(dispatch, name))
        # ok: late-binding-closure
        made.append(lambda event: dispatch("any", event))
        # ok: late-binding-closure
        made.append(sorted(rows, key=lambda row: row[name]))
        # ok: late-binding-closure
        first = next(filter(lambda row: row.name == name, rows), None)
        # ok: late-binding-closure
        made.append(lambda name: name.upper())
        # ok: late-binding-closure
        total = sum(map(lambda row: row[name], rows))
    # ok: late-binding-closure
    return [lambda: len(names) for name in names], first, total
