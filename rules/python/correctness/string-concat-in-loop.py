def table(rows, columns):
    html = "<table>"
    for row in rows:
        # ruleid: string-concat-in-loop
        html += "<tr>"
        for column in columns:
            # ruleid: string-concat-in-loop
            html += f"<td>{row[column]}</td>"
        # ruleid: string-concat-in-loop
        html = html + "</tr>"
    return html + "</table>"


class Reader:
    def read(self, stream):
        text = ''
        while not stream.closed:
            line = stream.readline()
            if line:
                # ruleid: string-concat-in-loop
                text += line
        return text

    async def drain(self, queue):
        body = """start"""
        async with queue:
            for part in queue:
                try:
                    # ruleid: string-concat-in-loop
                    body = body + part + "\n"
                except TypeError:
                    continue
        return body


def numbers(count):
    out = str()
    for number in range(count):
        # ruleid: string-concat-in-loop
        out += str(number)
    return out


def safe(rows, stream, words):
    total = 0
    for row in rows:
        # ok: string-concat-in-loop
        total += row.count
    parts = []
    for row in rows:
        # ok: string-concat-in-loop
        parts += [row.name]
    text = ""
    if rows:
        # ok: string-concat-in-loop
        text += "rows"
    word = ""
    for char in stream:
        if char == " ":
            words.append(word)
            word = ""
        # ok: string-concat-in-loop
        word += char
    label = "("
    for row in rows:
        if row.last:
            # ok: string-concat-in-loop
            label += row.name
            break
    return "".join(parts), text, total, label
