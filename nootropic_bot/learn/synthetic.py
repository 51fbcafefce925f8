"""Statements with commands and queries, written in the many ways people write them.

Templates hold one command or query each; what has to be learnt here is to take any of them apart. Each generator draws
a statement with real expressions in it and writes both sides: the string built from parts, and the list of arguments or
the query with placeholders. Where no such fix is right (a table's name), the answer is that there is none;
where only a shell can run a command, each value is quoted.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from nootropic_bot.learn.commandlines import shell_call, system_call
from nootropic_bot.learn.queries import orm_call, query_call
from nootropic_bot.learn.strings import Draw, Written

_KINDS = (shell_call, shell_call, system_call, query_call, query_call, query_call, orm_call)


def written(random_: random.Random, expressions: Sequence[str], names: Sequence[str]) -> Written:
    """One statement of some kind."""
    return random_.choice(_KINDS)(Draw(random_, expressions, names))
