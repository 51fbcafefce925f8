"""The fields of a request in OpenAI's protocol, and which of them a server turned out not to know.

Servers have not all of them in common. What one refuses, it is not sent again: log probabilities and seeds are left
out, a schema is asked for in the next simpler form, at last in words. Grammars, and schemas for raw prompts, are only
sent to servers known to obey them, as others ignore the field without a word.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from nootropic_bot.models.base import Request, Special
from nootropic_bot.models.jsonanswers import instructed
from nootropic_bot.models.serving.failures import Failed
from nootropic_bot.models.stopping import stop_texts

_MOST_STOPS = 4  # OpenAI's limit; all of them are cut off here anyway.

# The words by which servers name a field that they refuse.
_WORDS: Mapping[str, tuple[str, ...]] = {
    "response_format": ("response_format", "json_schema", "json_object"),
    "logprobs": ("logprob", "logits_all"),
    "stream_options": ("stream_options", "include_usage"),
    "seed": ("seed",),
    "temperature": ("temperature",),
    "stop": ("stop",),
    "grammar": ("grammar", "guided_", "structured_outputs", "json_schema"),
}
_Fields = Callable[[Any], dict[str, Any]]
# By how a server's list of models names their owner: llama-server, llama-cpp-python's server, vLLM. vLLM knew the
# `guided_` fields until 0.11, `structured_outputs` since; each ignores the other's.
_GRAMMAR: Mapping[str, _Fields] = {
    "llamacpp": lambda grammar: {"grammar": grammar},
    "me": lambda grammar: {"grammar": grammar},
    "vllm": lambda grammar: {"guided_grammar": grammar, "structured_outputs": {"grammar": grammar}},
}
_RAW_SCHEMA: Mapping[str, _Fields] = {
    "llamacpp": lambda schema: {"json_schema": schema},
    "vllm": lambda schema: {"guided_json": schema, "structured_outputs": {"json": schema}},
}
# Fields that OpenAI's own protocol does not have.
_OWN_FIELDS = frozenset(("grammar", "guided_grammar", "guided_json", "structured_outputs", "json_schema"))

SchemaForm = Literal["json_schema", "json_object", "words"]


class OpenAIFields:
    """Builds request bodies. `token_limit`: the field for `max_tokens` of chats; `extra`: more fields for each."""

    def __init__(self, model: str, token_limit: str, extra: Mapping[str, Any]) -> None:
        self._model = model
        self._token_limit = token_limit
        self._extra = dict(extra)
        self._refused: set[str] = set()
        self._schema_form: SchemaForm = "json_schema"

    @property
    def remarks(self) -> tuple[str, ...]:
        """What an answer's reader should know of fields that had to be left out."""
        return ("the server does not let us set the temperature",) if "temperature" in self._refused else ()

    @staticmethod
    def needs_owner(request: Request) -> bool:
        """Whether one must know which server it is to build the body."""
        return request.grammar is not None or (request.json_schema is not None and bool(request.prompt))

    def body(self, request: Request, owner: str, *, is_streamed: bool) -> dict[str, Any] | None:
        """The body as JSON; None where the request has a grammar and the server is not known to obey it."""
        if request.json_schema is not None and self._schema_form != "json_schema":
            request = instructed(request)
        body: dict[str, Any] = {"model": self._model, "stream": is_streamed, "temperature": request.temperature}
        body["seed"] = request.seed
        if is_streamed:
            body["stream_options"] = {"include_usage": True}
        if stops := stop_texts(request.stop)[:_MOST_STOPS]:
            body["stop"] = list(stops)
        if request.prompt:
            body["prompt"] = encodable("".join(p.token if isinstance(p, Special) else p for p in request.prompt))
            body |= {"max_tokens": request.max_tokens, "logprobs": 1}
        else:
            body["messages"] = [{"role": turn.role, "content": encodable(turn.content)} for turn in request.messages]
            # llama-cpp-python tells no log probabilities unless one alternative is asked for as well.
            body |= {self._token_limit: request.max_tokens, "logprobs": True, "top_logprobs": 1, **self._extra}
        if request.json_schema is not None:
            body |= self._schema_fields(dict(request.json_schema), owner, is_raw=bool(request.prompt))
        if request.grammar is not None:
            if owner not in _GRAMMAR or "grammar" in self._refused:
                return None
            body |= _GRAMMAR[owner](request.grammar)
        dropped = self._refused | ({"top_logprobs"} if "logprobs" in self._refused else set())
        return {key: value for key, value in body.items() if key not in dropped}

    def _schema_fields(self, schema: dict[str, Any], owner: str, *, is_raw: bool) -> dict[str, Any]:
        if is_raw:
            return _RAW_SCHEMA[owner](schema) if owner in _RAW_SCHEMA and "grammar" not in self._refused else {}
        if self._schema_form == "json_schema":
            named = {"name": "answer", "schema": schema, "strict": True}
            return {"response_format": {"type": "json_schema", "json_schema": named}}
        if self._schema_form == "json_object":
            return {"response_format": {"type": "json_object", "schema": schema}}
        return {}

    def gives_up(self, failure: Failed, body: Mapping[str, Any]) -> bool:
        """Whether the server refused a field that was sent and can be left out; from now on, it is."""
        if failure.status not in (400, 422, 500, 501):
            return False
        said = failure.said.lower()
        for name, words in _WORDS.items():
            was_sent = bool(_OWN_FIELDS & set(body)) if name == "grammar" else name in body
            if not was_sent or not any(word in said for word in words):
                continue
            if name == "response_format":
                self._schema_form = "json_object" if self._schema_form == "json_schema" else "words"
            else:
                self._refused.add(name)
            return True
        return False


def encodable(text: str) -> str:
    """Text without the lone surrogates that stand for bytes which are no UTF-8: JSON can't carry them."""
    return text.encode("utf-8", "replace").decode()
