import functools


def handlers(names, pages, signals):
    table = {}
    for name in names:
        # ruleid: late-binding-function
        def handle(event):
            return dispatch(name, event)
        table[name] = handle
    for index, page in enumerate(pages):
        # ruleid: late-binding-function
        def render(*args):
            text = page.render(*args)
            return text
        table[index] = render
    for signal in signals:
        # ruleid: late-binding-function
        def on_signal():
            if signal.ready:
                signal.clear()
        signal.changed.connect(on_signal)
    return table


class Window:
    def build(self, tools, rows):
        made = []
        for tool, label in tools:
            # ruleid: late-binding-function
            def select(event=None):
                self.select(tool)
            made.append(select)
        for row in rows:
            # ruleid: late-binding-function
            @functools.wraps(self.select)
            def pick():
                return self.table[row]
            setattr(self, "pick_" + row, pick)
            if row:
                # ruleid: late-binding-function
                async def poll():
                    await self.poll(row)
                made.append(poll)
        return made


def safe(names, rows, table):
    made = []
    for name in names:
        # ok: late-binding-function
        def show(name=name):
            return name
        made.append(show)
        # ok: late-binding-function
        def upper(text):
            return text.upper()
        table[name] = upper
        # ok: late-binding-function
        def matches(row):
            return row.name == name
        first = next(filter(matches, rows), None)
        # ok: late-binding-function
        def rename(name):
            return name.upper()
        made.append(rename)
        # ok: late-binding-function
        made.append(functools.partial(upper, name))
    # ok: late-binding-function
    def last():
        return names[-1]
    made.append(last)
    return made, first
