"""Comments of Python source, by line."""

from __future__ import annotations

import io
import tokenize
from collections.abc import Mapping
from functools import lru_cache


@lru_cache(maxsize=4)
def comments_of(text: str) -> Mapping[int, str]:
    """The comment on each line (1-based) that has one, without the white space after it.

    Text that can't be tokenized has none from the place of the error on.
    """
    found: dict[int, str] = {}
    try:
        for token in tokenize.generate_tokens(io.StringIO(text, newline="").readline):
            if token.type == tokenize.COMMENT:
                found[token.start[0]] = token.string.rstrip()
    except (tokenize.TokenError, SyntaxError):
        pass
    return found
