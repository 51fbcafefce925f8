"""Anthropic's Messages protocol, spoken through the official `anthropic` package.

It has chats only: no raw prompts, no grammars, no log probabilities, no seeds, no embeddings, and nowadays no
temperature, so that equal requests may get different answers. System messages become the `system` field.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nootropic_bot.models.base import BadAnswer, ContextOverflow, Request, Unavailable
from nootropic_bot.models.serving.client import network_failures, open_http
from nootropic_bot.models.serving.events import Gathering, count, read_events
from nootropic_bot.models.serving.failures import Failed, Peer, Unsuited, server_broke, translated
from nootropic_bot.models.serving.hosts import Address
from nootropic_bot.models.serving.loop import Emit
from nootropic_bot.models.serving.openai_fields import encodable
from nootropic_bot.models.serving.openai_wire import allow_address, checked_key, import_package
from nootropic_bot.models.serving.served import Reply
from nootropic_bot.models.stopping import stop_texts


@dataclass(frozen=True, slots=True)
class AnthropicSpeaker:
    """How to speak with Anthropic. `key` is in no `repr`. `install`: the extra that brings the package."""

    address: Address
    model: str
    key: str = field(repr=False)
    install: str = "cloud"


@dataclass(slots=True)
class _Counts:
    prompt: int = 0
    completion: int = 0

    def take(self, usage: object) -> None:
        """Later events tell the whole so far."""
        if isinstance(usage, dict):
            self.prompt = count(usage.get("input_tokens")) or self.prompt
            self.completion = count(usage.get("output_tokens")) or self.completion


class AnthropicWire:
    """Satisfies `Wire`."""

    def __init__(self, speaker: AnthropicSpeaker) -> None:
        self._speaker = speaker
        self._peer = Peer(speaker.address.label, speaker.model, (speaker.key,) if speaker.key else ())
        self._client: Any = None
        self._failures: tuple[type[Exception], ...] = ()

    def load(self) -> None:
        """Import the package."""
        import_package("anthropic", self._speaker.install)

    async def exchange(self, request: Request, emit: Emit, *, is_streamed: bool) -> Reply:
        """Ask."""
        if request.prompt:
            raise Failed(Unsuited(f"{self._peer.label} takes part in chats only, it completes no raw prompt"))
        if request.grammar is not None:
            raise Failed(Unsuited(f"{self._peer.label} does not hold its answers to a grammar"))
        await self._open()
        return await self._ask(request, emit, is_streamed=is_streamed)

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """There are none."""
        raise Failed(Unavailable(f"{self._peer.label} has no embeddings"))

    async def close(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _open(self) -> None:
        if self._client is not None:
            return
        speaker = self._speaker
        sdk = import_package("anthropic", speaker.install)
        auth = {"x-api-key": checked_key(speaker.key)}
        await allow_address(speaker.address)
        self._failures = (sdk.AnthropicError, *network_failures(sdk))
        self._client = sdk.AsyncAnthropic(
            api_key=speaker.key,
            base_url=speaker.address.url,
            http_client=open_http(sdk, speaker.address, auth),
            max_retries=0,
        )

    def _body(self, request: Request, *, is_streamed: bool) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self._speaker.model,
            "max_tokens": request.max_tokens,
            "messages": [
                {"role": turn.role, "content": encodable(turn.content)}
                for turn in request.messages
                if turn.role != "system"
            ],
            "stream": is_streamed,
        }
        # As extra fields, since an argument that a version of the package does not know would be a bug to it.
        extra: dict[str, Any] = {}
        if system := "\n\n".join(turn.content for turn in request.messages if turn.role == "system"):
            extra["system"] = encodable(system)
        # White space alone is refused as a stop sequence; it is cut off here.
        if stops := [stop for stop in stop_texts(request.stop) if stop.strip()]:
            extra["stop_sequences"] = stops
        if request.json_schema is not None:
            extra["output_config"] = {"format": {"type": "json_schema", "schema": dict(request.json_schema)}}
        # The package refuses long answers without a stream unless it is given a time-out; the deadline is ours.
        return {**body, "timeout": request.timeout + 1, "extra_body": extra or None}

    async def _ask(self, request: Request, emit: Emit, *, is_streamed: bool) -> Reply:
        gathering, counts = Gathering(request, emit, self._peer), _Counts()
        create = self._client.messages.with_streaming_response.create
        with translated(self._failures, self._peer):
            async with (
                create(**self._body(request, is_streamed=is_streamed)) as response,
                contextlib.aclosing(read_events(response, self._peer)) as events,
            ):
                async for event in events:
                    self._take(event or {}, gathering, counts)
        return Reply(gathering.text(), gathering.finish or "stop", None, counts.prompt, counts.completion)

    def _take(self, event: Mapping[str, Any], gathering: Gathering, counts: _Counts) -> None:
        kind = event.get("type")
        if kind == "message":
            for block in self._listed(event.get("content")):
                gathering.add(block.get("text") if block.get("type") == "text" else None)
            counts.take(event.get("usage"))
            self._end(event.get("stop_reason") or "end_turn", gathering)
        elif kind == "message_start":
            counts.take(self._object(event.get("message")).get("usage"))
        elif kind == "content_block_delta":
            gathering.add(self._object(event.get("delta")).get("text"))
        elif kind == "message_delta":
            counts.take(event.get("usage"))
            self._end(self._object(event.get("delta")).get("stop_reason"), gathering)
        elif kind == "error":
            raise server_broke(f"{self._peer.label} failed")
        elif kind is None:
            raise self._shapeless()

    def _end(self, reason: object, gathering: Gathering) -> None:
        if reason == "refusal":
            raise Failed(BadAnswer(f"{self._peer.label} refused to answer"))
        if reason == "model_context_window_exceeded":
            raise Failed(ContextOverflow(f"the prompt leaves no room for an answer of {self._peer.label}"))
        if reason is not None:
            gathering.finish = "length" if reason == "max_tokens" else "stop"

    def _object(self, value: object) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise self._shapeless()
        return value

    def _listed(self, value: object) -> list[Mapping[str, Any]]:
        if not isinstance(value, list):
            raise self._shapeless()
        return [self._object(entry) for entry in value]

    def _shapeless(self) -> Failed:
        return Failed(BadAnswer(f"{self._peer.label} sent JSON without an answer in it"))
