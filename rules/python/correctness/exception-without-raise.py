import pytest

import errors


class SettingsError(Exception):
    pass


def load(path, strict):
    if not path:
        # ruleid: exception-without-raise
        ValueError("no path")
    try:
        text = path.read_text()
    except OSError as err:
        # ruleid: exception-without-raise
        SettingsError(f"can't read {path}: {err}")
    else:
        if not text and strict:
            # ruleid: exception-without-raise
            errors.EmptyFileError(
                path,
            )
    # ruleid: exception-without-raise
    Exception("unreachable")


class Shape:
    def area(self):
        # ruleid: exception-without-raise
        NotImplementedError()

    async def draw(self, target):
        async with target:
            for line in self.lines:
                if line is None:
                    # ruleid: exception-without-raise
                    TypeError("no line")
                    continue
                await target.put(line)


def safe(path, log, failures, test):
    # ok: exception-without-raise
    failure = ValueError("no path")
    # ok: exception-without-raise
    failures.append(KeyError(path))
    # ok: exception-without-raise
    with pytest.raises(TypeError):
        SettingsError(1, code=2)
    # ok: exception-without-raise
    log.showError("no path")
    # ok: exception-without-raise
    known = [ValueError("a"), TypeError("b")]
    if known:
        # ok: exception-without-raise
        raise LookupError(path)
    if failures:
        # ok: exception-without-raise
        return [ValueError(failure)]
    # ok: exception-without-raise
    yield ValueError("last")
    # ok: exception-without-raise
    return SettingsError("none")
