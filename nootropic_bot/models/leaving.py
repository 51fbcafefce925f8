"""What leaves this machine when a model elsewhere is asked, and what must be there before anything does.

A repository's configuration names servers and the environment variables of their keys, and it may be somebody else's.
So it can't send code away by itself: that takes `[models] allow_cloud` and, in the environment of whoever runs the
bot, a key that was put there for the bot. Which names of variables count is said in `config.py`; that a cloud's usual
variable goes to that cloud's usual host only, here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from nootropic_bot.config import KEY_NAME
from nootropic_bot.models.base import NotAllowed
from nootropic_bot.models.serving.hosts import Address
from nootropic_bot.window import MAX_ITEMS

# What each variable of `prompts/fix` holds. A test holds it to be all of them.
SENT: Mapping[str, str] = MappingProxyType(
    {
        "weakness": "the rule's message",
        "cwe": "its CWE ids",
        "statement": f"up to {MAX_ITEMS} lines of the flagged statement",
        "marked": "the flagged text in it",
        "before": "some lines before it",
        "after": "some lines after it",
        "imports": "the file's imports, loggers and exception handlers that it uses",
        "examples": "the rule's own examples",
    }
)


def what_leaves(address: Address) -> str:
    """What a request for a fix sends, and to which host."""
    *most, last = SENT.values()
    return f"{', '.join(most)} and {last} would be sent to {address.label}"


def find_key(
    env: Mapping[str, str], key_env: str, address: Address, usual: tuple[str, Address] | None = None
) -> tuple[str, str]:
    """(the key, "" where there is none; what to do to have one).

    `usual`: the variable of a cloud's key that others use too, and the only address which that key is for.
    """
    is_usual = usual is not None and key_env == usual[0] and _place(address) == _place(usual[1])
    if is_usual or KEY_NAME.fullmatch(key_env):
        return env.get(key_env, "").strip(), f"put the key into the environment variable {key_env}"
    order = "put its key into an environment variable whose name begins with NOOTROPIC_, and name that in `key_env`"
    return "", order


def refuse_to_send(name: str, address: Address, *, allow: bool, has_key: bool, key_order: str) -> None:
    """Refuse to send anything away that was not allowed.

    Raises:
        NotAllowed: the configuration does not allow it, or there is no key.
    """
    switch = "set `allow_cloud = true` in [models]"
    missing = " and ".join(([] if allow else [switch]) + ([] if has_key else [key_order]))
    if missing:
        raise NotAllowed(f"{name} is not asked: {what_leaves(address)}; to allow it, {missing}")


def _place(address: Address) -> tuple[str, str, int]:
    return address.scheme, address.host, address.port
