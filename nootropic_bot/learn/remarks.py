"""Comments at the end of flagged lines, as real code has them: the answer keeps them."""

from __future__ import annotations

import random
from collections.abc import Sequence

from nootropic_bot.comments import comments_of
from nootropic_bot.learn.expansion import Filled

_SHARE = 0.12
_REMARKS = (
    *("# noqa: S301", "# noqa: B904", "# noqa: DTZ005", "# noqa: PTH123,SIM115", "# noqa", "# nosec B608", "# NOQA"),
    *("# type: ignore", "# type: ignore[arg-type]", "# type: ignore[attr-defined]  # see below", "# pyright: ignore"),
    *("# pylint: disable=invalid-name", "# pragma: no cover", "# fmt: skip", "# TODO: remove in 3.0", "# FIXME"),
    *("# the usual case", "# see the note above", "# (name, value) pairs", "# never None here", "# e.g. 'a/b'"),
    *("# default", "# old format", "# keep in sync with setup.py", "# 10 seconds", "# Python 3 only", "#: documented"),
)


def remarked(code: Filled, random_: random.Random) -> Filled:
    """Now and then, the code with one comment at the end of the same line on both sides; else as it is."""
    if random_.random() >= _SHARE or code.unsafe.count("\n") != code.safe.count("\n"):
        return code
    number, comment = random_.randint(code.start.line, code.end.line), random_.choice(_REMARKS)
    texts = [_with_comment(text.split("\n"), number, comment) for text in (code.unsafe, code.safe)]
    if not all(comments_of(text).get(number) == comment for text in texts):
        return code  # In the middle of a string, behind another comment, or after a backslash.
    return Filled(texts[0], texts[1], code.start, code.end)


def _with_comment(lines: Sequence[str], number: int, comment: str) -> str:
    line = lines[number - 1]
    can_hold = line.strip() and not line.endswith("\\")
    return "\n".join([*lines[: number - 1], f"{line}  {comment}" if can_hold else line, *lines[number:]])
