"""OpenAI's protocol, spoken through the official `openai` package."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from nootropic_bot.models.base import BadAnswer, NotAllowed, Request, Special, Unavailable
from nootropic_bot.models.serving.client import network_failures, open_http
from nootropic_bot.models.serving.events import Gathering, count, is_stream, read_events, read_object
from nootropic_bot.models.serving.failures import Failed, Peer, Unsuited, translated
from nootropic_bot.models.serving.hosts import Address, refuse_clear_text
from nootropic_bot.models.serving.loop import Emit
from nootropic_bot.models.serving.openai_fields import OpenAIFields, encodable
from nootropic_bot.models.serving.served import Reply

# Spellings of control tokens in the vocabularies of the usual families; a request's own are looked for as well.
_CONTROL = re.compile(
    r"<\|[^|<>\s]{1,64}\|>|<\|end of turn\|>|<｜[^｜<>\s]{1,64}｜>|<(?:start|end)_of_turn>|\[/?INST\]"
    # Llama 2 and Mistral, Gemma, StarCoder and CodeGemma. `<s>` is HTML as well, and is obeyed all the same.
    r"|</?s>|<(?:bos|eos|pad|unk)>|<fim_\w+>|<</?SYS>>"
)
_MAX_NUMBER = 1e30  # so that sums of them are numbers as well
# What every version of the package takes as an argument; an argument that one does not know would be a bug to it.
_FIRM_FIELDS = frozenset(("model", "messages", "prompt", "stream"))


@dataclass(frozen=True, slots=True)
class OpenAISpeaker:
    """How to speak with one server. `key` is in no `repr`.

    `install`: the extra that brings the package. `token_limit`: the field for `max_tokens` of chats. `extra`: more
    fields for every chat. `is_raw_offered`: whether raw prompts are completed. `is_control_obeyed`: whether text that
    spells a control token is taken for one. `is_always_streamed`: whole answers are asked for as streams too, since
    llama-cpp-python's server stops generating only when the reader of a stream is gone.
    """

    address: Address
    model: str
    key: str | None = field(default=None, repr=False)
    install: str = "server"
    token_limit: str = "max_tokens"  # noqa: S105
    extra: Mapping[str, Any] = field(default_factory=dict)
    is_raw_offered: bool = True
    is_control_obeyed: bool = True
    is_always_streamed: bool = True


class OpenAIWire:
    """Satisfies `Wire`."""

    def __init__(self, speaker: OpenAISpeaker) -> None:
        self._speaker = speaker
        self._peer = Peer(speaker.address.label, speaker.model, (speaker.key,) if speaker.key else ())
        self._fields = OpenAIFields(speaker.model, speaker.token_limit, speaker.extra)
        self._client: Any = None
        self._failures: tuple[type[Exception], ...] = ()
        self._owner: str | None = None

    def load(self) -> None:
        """Import the package."""
        import_package("openai", self._speaker.install)

    async def exchange(self, request: Request, emit: Emit, *, is_streamed: bool) -> Reply:
        """Ask, and again without a field that the server refuses."""
        self._check(request)
        await self._open()
        owner = await self._find_owner() if self._fields.needs_owner(request) else ""
        is_streamed = is_streamed or self._speaker.is_always_streamed
        while True:
            body = self._fields.body(request, owner, is_streamed=is_streamed)
            if body is None:
                raise Failed(Unsuited(f"{self._peer.label} is not known to hold its answers to a grammar"))
            gathering = Gathering(request, emit, self._peer)
            try:
                return await self._ask(request, body, gathering)
            except Failed as failure:
                # llama-cpp-python's server breaks a stream off where it would otherwise say what is wrong.
                is_mute = is_streamed and failure.is_retryable and gathering.is_mute_stream
                if not is_mute and not self._fields.gives_up(failure, body):
                    raise
                if is_mute:
                    is_streamed = False
                    await self.close()  # It may close that connection any moment.
                    await self._open()

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector a text, in the texts' order."""
        await self._open()
        entries = await self._embeddings(texts)
        if len(texts) > 1 and not all(_is_vector(entry) for entry in entries):
            # llama-cpp-python's server mixes up the texts of one request for models that do not pool.
            entries = [entry for text in texts for entry in await self._embeddings([text])]
        vectors = [_pooled(entry) for entry in entries]
        if len(vectors) != len(texts) or len({len(vector) for vector in vectors}) != 1 or not vectors[0]:
            raise Failed(BadAnswer(f"{self._peer.label} sent no embeddings, or not one a text"))
        return vectors

    async def _embeddings(self, texts: Sequence[str]) -> list[object]:
        """What it sent for each text, in their order."""
        create = self._client.embeddings.with_streaming_response.create
        with translated(self._failures, self._peer):
            # "float": the package itself would ask for base64, which not all servers know.
            asked = create(
                model=self._speaker.model, input=[encodable(text) for text in texts], encoding_format="float"
            )
            async with asked as response:
                data = (await read_object(response, self._peer)).get("data")
        if not isinstance(data, list) or not all(isinstance(entry, dict) for entry in data):
            return []
        return [entry.get("embedding") for entry in sorted(data, key=lambda entry: count(entry.get("index")))]

    async def close(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _open(self) -> None:
        if self._client is not None:
            return
        speaker = self._speaker
        sdk = import_package("openai", speaker.install)
        auth = {} if speaker.key is None else {"authorization": f"Bearer {checked_key(speaker.key)}"}
        await allow_address(speaker.address)
        self._failures = (sdk.OpenAIError, *network_failures(sdk))
        # Deadlines and asking again are ours (`served.py`).
        self._client = sdk.AsyncOpenAI(
            api_key=speaker.key or "none",
            base_url=speaker.address.url,
            http_client=open_http(sdk, speaker.address, auth),
            max_retries=0,
            timeout=None,
        )

    async def _ask(self, request: Request, body: dict[str, Any], gathering: Gathering) -> Reply:
        resource = self._client.completions if request.prompt else self._client.chat.completions
        log_probabilities: list[object] = []
        usage: Mapping[str, Any] = {}
        known = {key: value for key, value in body.items() if key in _FIRM_FIELDS}
        others = {key: value for key, value in body.items() if key not in _FIRM_FIELDS}
        with translated(self._failures, self._peer):
            async with (
                resource.with_streaming_response.create(**known, extra_body=others) as response,
                contextlib.aclosing(read_events(response, self._peer)) as events,
            ):
                gathering.is_streamed = is_stream(response)
                async for event in events:
                    if event is None:  # [DONE]: complete, also where no reason was given
                        gathering.finish = gathering.finish or "stop"
                        break
                    log_probabilities += self._take(event, gathering, is_piece=gathering.is_streamed)
                    usage = found if isinstance(found := event.get("usage"), dict) else usage
        return Reply(
            gathering.text(),
            gathering.finish or "stop",
            _confidence(log_probabilities),
            count(usage.get("prompt_tokens")),
            count(usage.get("completion_tokens")) or len(log_probabilities),
            self._fields.remarks,
        )

    def _take(self, event: Mapping[str, Any], gathering: Gathering, *, is_piece: bool) -> list[object]:
        """Take an event's text, and give its tokens' log probabilities."""
        choices = event.get("choices")
        if choices == [] and is_piece:
            return []  # The last event of some streams only tells how many tokens it was, the first one filters.
        choice = choices[0] if isinstance(choices, list) and choices else None
        turn = (choice.get("delta") or choice.get("message") or {}) if isinstance(choice, dict) else None
        if not isinstance(choice, dict) or not isinstance(turn, dict):
            raise Failed(BadAnswer(f"{self._peer.label} sent JSON without an answer in it"))
        reason = choice.get("finish_reason")
        if turn.get("refusal") or reason == "content_filter":
            raise Failed(BadAnswer(f"{self._peer.label} refused to answer"))
        if turn.get("tool_calls") or reason == "tool_calls":
            raise Failed(BadAnswer(f"{self._peer.label} wants to call a tool instead of answering"))
        gathering.add(choice["text"] if "text" in choice else turn.get("content"))
        if reason is not None or "message" in choice:
            gathering.finish = "length" if reason in ("length", "max_tokens") else "stop"
        return _log_probabilities(choice.get("logprobs"))

    async def _find_owner(self) -> str:
        """Which server it is: what it says of the owner of its models, "" where it says nothing."""
        if self._owner is None:
            with translated(self._failures, self._peer):
                async with self._client.models.with_streaming_response.list() as response:
                    data = await read_object(response, self._peer)
            models = data.get("data")
            first = models[0] if isinstance(models, list) and models else None
            self._owner = str(first.get("owned_by", "")) if isinstance(first, dict) else ""
        return self._owner

    def _check(self, request: Request) -> None:
        if request.prompt and not self._speaker.is_raw_offered:
            raise Failed(Unsuited(f"{self._peer.label} takes part in chats only, it completes no raw prompt"))
        if not self._speaker.is_control_obeyed:
            return
        own = [part.token for part in (*request.prompt, *request.stop) if isinstance(part, Special)]
        for part in (*request.prompt, *(turn.content for turn in request.messages)):
            if isinstance(part, str) and (_CONTROL.search(part) or any(token in part for token in own)):
                reason = f"the text spells a control token, which {self._peer.label} would obey; it was not sent"
                raise Failed(Unsuited(reason))


def import_package(name: str, extra: str) -> Any:
    """A client library.

    Raises:
        Failed: it is not installed; the message says how to.
    """
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError:
        install = f"install it with `pip install 'nootropic-bot[{extra}]'`"
        raise Failed(Unavailable(f"the package `{name}` is not installed; {install}")) from None


def checked_key(key: str) -> str:
    """The key.

    Raises:
        Failed: no header can hold it; it is not shown.
    """
    if not key.isascii() or not key.isprintable() or not key.strip():
        raise Failed(Unavailable("the key holds characters that no key has; look at its environment variable"))
    return key


async def allow_address(address: Address) -> None:
    """Let go on if code may travel there.

    Raises:
        Failed: it may not, or the name has no address.
    """
    try:
        await refuse_clear_text(address)
    except (NotAllowed, Unavailable) as error:
        raise Failed(error) from None


def _log_probabilities(data: object) -> list[object]:
    """The log probabilities of the tokens, in the form of chats or of completions; servers mix them up."""
    if not isinstance(data, dict):
        return []
    content = data.get("content")
    if isinstance(content, list):
        return [token.get("logprob") if isinstance(token, dict) else None for token in content]
    values = data.get("token_logprobs")
    return list(values) if isinstance(values, list) else []


def _confidence(values: Sequence[object]) -> float | None:
    """The product of the probabilities; None if one is missing or none."""
    numbers = [value for value in values if _is_number(value)]
    if not numbers or len(numbers) < len(values):
        return None
    return math.exp(min(math.fsum(numbers), 0.0))


def _pooled(value: object) -> list[float]:
    """A vector; of one a token their mean; of anything else nothing."""
    rows = [value] if _is_vector(value) else value
    if not isinstance(rows, list) or not rows or not all(_is_vector(row) for row in rows):
        return []
    if len({len(row) for row in rows}) != 1:
        return []
    return [math.fsum(column) / len(rows) for column in zip(*rows, strict=True)]


def _is_vector(vector: object) -> bool:
    return isinstance(vector, list) and bool(vector) and all(map(_is_number, vector))


def _is_number(value: object) -> TypeGuard[int | float]:
    """Whether it can be calculated with: JSON as Python reads it also has NaN, Infinity and 10**400."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < _MAX_NUMBER
