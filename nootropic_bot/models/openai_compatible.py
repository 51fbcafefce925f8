"""A server of the user's own that speaks OpenAI's protocol: llama-server, vLLM, Ollama, LM Studio, Tabby.

Asked through the official `openai` package (`pip install 'nootropic-bot[server]'`). What such servers do not have in
common is tried and given up (`serving/openai_fields.py`); a demanded schema is checked here in any case.

Whether it is the user's own is told by its address (`serving/hosts.py`): this machine and private networks are. Any
other address is treated as a cloud: nothing is sent without leave and a key (`leaving.py`).

Servers turn what spells a control token in a prompt into that token, in chats as well, and offer no way to prevent it.
So text from a repository that spells one is not sent at all (`Unsuited`): a backend of this process can read it.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from nootropic_bot.models.leaving import refuse_to_send
from nootropic_bot.models.serving.hosts import parse_address
from nootropic_bot.models.serving.openai_wire import OpenAISpeaker, OpenAIWire
from nootropic_bot.models.serving.served import Patience, Served


class OpenAICompatible(Served):
    """A server of your own.

    `name` as in `[backend.<name>]`, `url` with its `/v1`, `model` as the server calls it, `version` what stands behind
    that name. `key` is sent as bearer token; environment variables of the package are not looked at. `allow`: the
    configuration's `models.allow_cloud`, which an address needs that is not local, beside a key; `key_order`: what to
    do to have one, for the message. `timeout`: seconds for embeddings; other requests bring their own. `max_retries`:
    0 where the caller asks again itself, as the router.

    Raises:
        Unavailable: `url` is no address of a server.
    """

    def __init__(
        self,
        name: str,
        *,
        url: str,
        model: str,
        version: str = "",
        key: str | None = None,
        allow: bool = False,
        key_order: str = "give it a key",
        timeout: float = 30.0,
        max_retries: int = 2,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        address = parse_address(url)

        def permit() -> None:
            if not address.is_local:
                has_key = bool(key and key.strip())
                refuse_to_send(self.name, address, allow=allow, has_key=has_key, key_order=key_order)

        super().__init__(
            OpenAIWire(OpenAISpeaker(address, model, key)),
            name=f"{name}@{version or model}",
            is_local=address.is_local,
            settings={"kind": "openai_compatible", "url": url, "model": model, "version": version},
            patience=Patience(max_retries, sleep, clock),
            embed_timeout=timeout,
            permit=permit,
        )
