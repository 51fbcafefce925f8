"""Models of others: OpenAI, Anthropic, Hugging Face. Code leaves the machine, so nothing is sent unless it was allowed.

Two things must be there: `allow_cloud = true` in the configuration (`allow`), and the service's key in the environment.
Without both, a request raises `NotAllowed`, whose message says what would be sent and to which host; `what_leaves` says
the same beforehand. The packages come with `pip install 'nootropic-bot[cloud]'`.

Hugging Face is asked through the `openai` package, as its own documentation offers: the client of `huggingface_hub`
follows redirects, code and all, and takes no HTTP client that would not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from nootropic_bot.config import CLOUD_KEYS
from nootropic_bot.models.leaving import find_key, refuse_to_send, what_leaves
from nootropic_bot.models.serving.anthropic_wire import AnthropicSpeaker, AnthropicWire
from nootropic_bot.models.serving.hosts import Address, parse_address
from nootropic_bot.models.serving.openai_wire import OpenAISpeaker, OpenAIWire
from nootropic_bot.models.serving.served import Patience, Served, Wire

_INSTALL = "cloud"


class Cloud(Served):
    """A model of somebody else. The subclasses say whose.

    `allow`: the configuration's `models.allow_cloud`. `env`: where the key is looked for, under `key_env` or the usual
    name. `url`: of another deployment of the same service, which needs a key of its own (`leaving.py`). The rest as in
    `OpenAICompatible`.
    """

    kind: ClassVar[str]
    default_url: ClassVar[str]

    def __init__(
        self,
        name: str,
        *,
        model: str,
        allow: bool,
        env: Mapping[str, str],
        version: str = "",
        url: str = "",
        key_env: str = "",
        timeout: float = 30.0,
        max_retries: int = 2,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        address = parse_address(url or self.default_url)
        usual = CLOUD_KEYS[self.kind]
        key, key_order = find_key(env, key_env or usual, address, (usual, parse_address(self.default_url)))
        self.what_leaves = what_leaves(address)
        super().__init__(
            self._wire_for(address, model, key),
            name=f"{name}@{version or model}",
            is_local=False,
            settings={"kind": self.kind, "url": address.url, "model": model, "version": version},
            patience=Patience(max_retries, sleep, clock),
            embed_timeout=timeout,
            permit=lambda: refuse_to_send(self.name, address, allow=allow, has_key=bool(key), key_order=key_order),
        )

    def _wire_for(self, address: Address, model: str, key: str) -> Wire:
        raise NotImplementedError


class OpenAICloud(Cloud):
    """OpenAI's chat models. Answers are not to be stored there (`store`)."""

    kind = "openai"
    default_url = "https://api.openai.com/v1"

    def _wire_for(self, address: Address, model: str, key: str) -> Wire:
        extra: dict[str, Any] = {"store": False}
        speaker = OpenAISpeaker(
            address,
            model,
            key,
            _INSTALL,
            token_limit="max_completion_tokens",  # noqa: S106  Newer models refuse `max_tokens`.
            extra=extra,
            is_raw_offered=False,
            is_control_obeyed=False,  # There the text of a message is never taken for a control token.
            is_always_streamed=False,  # Some models stream for verified organizations only.
        )
        return OpenAIWire(speaker)


class HuggingFaceCloud(Cloud):
    """Open models behind Hugging Face's router, which hands a request to one of several providers."""

    kind = "huggingface"
    default_url = "https://router.huggingface.co/v1"

    def _wire_for(self, address: Address, model: str, key: str) -> Wire:
        return OpenAIWire(OpenAISpeaker(address, model, key, _INSTALL, is_raw_offered=False))


class AnthropicCloud(Cloud):
    """Anthropic's models."""

    kind = "anthropic"
    default_url = "https://api.anthropic.com"

    def _wire_for(self, address: Address, model: str, key: str) -> Wire:
        return AnthropicWire(AnthropicSpeaker(address, model, key, _INSTALL))


# By the kind in `[backend.<name>]`.
CLOUDS: Mapping[str, type[Cloud]] = MappingProxyType(
    {cloud.kind: cloud for cloud in (OpenAICloud, AnthropicCloud, HuggingFaceCloud)}
)
