"""The records of the state: their envelope, their kinds, and their form as a line.

A record is one line of JSON, `{"id": …, "at": …, "clock": …, "data": …, "kind": …, "schema": …, "writer": …}`:

    id      SHA-256 (hex) of the canonical JSON of everything else: sorted keys, no white space, UTF-8
    kind    one of `KINDS`; one that this program doesn't know is kept as it is
    schema  version of the kind's `data`; older ones are lifted by `migrations.py`, newer ones kept as they are
    writer  random id of who wrote it; says nothing of host or user
    clock   Lamport clock, 1 or more: what a writer had seen counts less than what it writes. Orders all records, with
            `id` as the tie-break; wall clocks order nothing (row F18)
    at      when, by the writer's wall clock, UTC

The kinds are `TypedDict`s: mypy holds our own code to them where records are made, pydantic holds every line to them
where it is read. So writing needs no pydantic, whose import the commit hook could not afford. Fields that a kind
doesn't name are kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, get_args

from typing_extensions import NotRequired, TypedDict

from nootropic_bot.records import FixSource, Severity

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, TypeAdapter, ValidationError
    from pydantic_core import CoreSchema

SCHEMA = 1
# A JSON number above 2^53 is not exact everywhere; SQLite's end at 2^63.
MAX_CLOCK = 2**53 - 1
# A writer sees what it counts on: no honest clock runs further ahead of all others (row A44).
MAX_CLOCK_JUMP = 10**6
MAX_LINE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Pattern:
    """A text that matches `regex` as a whole; pydantic is told when it asks."""

    regex: str

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core import core_schema

        return core_schema.str_schema(pattern=f"^(?:{self.regex})$")


@dataclass(frozen=True, slots=True)
class Bounds:
    """A whole number between two bounds."""

    low: int
    high: int = MAX_CLOCK

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core import core_schema

        return core_schema.int_schema(ge=self.low, le=self.high, strict=True)


RecordId = Annotated[str, Pattern("[0-9a-f]{64}")]
ObjectId = Annotated[str, Pattern("[0-9a-f]{40}|[0-9a-f]{64}")]
WriterId = Annotated[str, Pattern("[0-9a-f]{16}")]
RunId = Annotated[str, Pattern("[0-9a-f]{16}")]
FindingId = Annotated[str, Pattern("[0-9a-f]{8,64}")]
SuggestionId = Annotated[str, Pattern("[0-9a-f]{8,64}")]
# Which comment gave a command: by it a command that is delivered again is known to have been carried out.
CommandId = Annotated[str, Pattern("[0-9a-f]{8,64}")]
Instant = Annotated[str, Pattern(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")]
Day = Annotated[str, Pattern(r"\d{4}-\d\d-\d\d")]
Natural = Annotated[int, Bounds(0)]
# Figures that are added up: 2^23 of the largest fit into SQLite's integers.
Figure = Annotated[int, Bounds(0, 2**40)]
Positive = Annotated[int, Bounds(1)]
Result = Literal["accepted", "edited", "rejected", "ignored", "superseded"]


class RunData(TypedDict):
    """One `review`: what was compared, and what came out. Times in milliseconds."""

    run: RunId
    mode: Literal["range", "staged", "worktree", "all"]
    base: ObjectId | None
    head: ObjectId | None
    pull_request: Positive | None
    rules: RecordId
    tool: str
    engine: str
    complete: bool
    findings: Natural
    in_scope: Natural
    suppressed: Natural
    verified: Natural
    critique_ms: Natural
    propose_ms: Natural
    verify_ms: Natural
    total_ms: Natural
    redacted: NotRequired[Natural]


class FindingData(TypedDict):
    """A problem at a place, when it was first seen (again: in another pull request, or with another answer)."""

    run: RunId
    finding: FindingId
    rule_id: str
    path: str
    line: Positive
    end_line: Positive
    severity: Severity
    in_scope: bool
    pull_request: Positive | None
    suppressed: NotRequired[str]


class TextEdit(TypedDict):
    """Replaces the code points `start`..`end` (0-based, end exclusive) of the decoded file by `text`.

    `copies` are words that the fix repeats: at (code points of `text`), and start and end in the file.
    """

    start: Natural
    end: Natural
    text: str
    copies: NotRequired[list[tuple[Natural, Natural, Natural]]]


class Proof(TypedDict):
    """What replays a proof: the file's blob, the rules' text by its SHA-256, and who checked."""

    blob: ObjectId
    rules: RecordId
    engine: str
    tool: str
    checks: Mapping[str, Literal["passed", "failed", "not_run"]]
    model: NotRequired[str | None]
    adapter: NotRequired[str | None]
    prompt: NotRequired[str | None]
    seed: NotRequired[Natural | None]


class SuggestionData(TypedDict):
    """A fix and its proof. `edits` hold new text only: source that was never committed is not stored."""

    run: RunId
    suggestion: SuggestionId
    finding: FindingId
    rule_id: str
    path: str
    pull_request: Positive | None
    source: FixSource
    verified: bool
    confidence: float | None
    edits: list[TextEdit]
    proof: Proof
    redacted: NotRequired[Natural]


class OutcomeData(TypedDict):
    """What became of a suggestion; the latest one counts."""

    suggestion: SuggestionId
    rule_id: str
    result: Result
    pull_request: NotRequired[Positive | None]
    commit: NotRequired[ObjectId | None]
    command: NotRequired[CommandId]


class TriageData(TypedDict):
    """`add`: findings of this kind don't count, and why. `remove`: the entry `target` no longer holds, for good.

    Beside `finding`, `rule_id` and `path` are those of the finding, which has to have them as well; otherwise `path` is
    a pattern. `pull_request`: it holds in this pull request only. `command`: the comment by which it was said
    (`CommandId`).
    """

    action: Literal["add", "remove"]
    target: NotRequired[RecordId]
    finding: NotRequired[FindingId]
    rule_id: NotRequired[str]
    path: NotRequired[str]
    reason: str
    author: str
    expires: NotRequired[Day]
    pull_request: NotRequired[Positive]
    command: NotRequired[CommandId]


class CostData(TypedDict):
    """What a run used. Money in millionths of a US dollar; whole numbers, so that sums don't depend on their order."""

    run: RunId
    backend: str
    model: NotRequired[str | None]
    input_tokens: Figure
    output_tokens: Figure
    milliseconds: Figure
    microdollars: Figure


class ExperimentData(TypedDict):
    """A training run and its figures."""

    name: str
    status: str
    metrics: NotRequired[Mapping[str, float]]


class ModelData(TypedDict):
    """A model or adapter that was registered, promoted or rolled back."""

    name: str
    version: str
    action: str
    sha256: NotRequired[RecordId]


class TaskData(TypedDict):
    """Planned work and how it stands."""

    task: str
    status: str
    title: NotRequired[str]


class NoteData(TypedDict):
    """Free text; with `vote`, what somebody thinks of a finding."""

    text: str
    finding: NotRequired[FindingId]
    rule_id: NotRequired[str]
    vote: NotRequired[Literal["up", "down"]]
    author: NotRequired[str]
    pull_request: NotRequired[Positive]
    command: NotRequired[CommandId]


KINDS: Mapping[str, type] = {
    "run": RunData,
    "finding": FindingData,
    "suggestion": SuggestionData,
    "outcome": OutcomeData,
    "triage": TriageData,
    "cost": CostData,
    "experiment": ExperimentData,
    "model": ModelData,
    "task": TaskData,
    "note": NoteData,
}
Kind = Literal["run", "finding", "suggestion", "outcome", "triage", "cost", "experiment", "model", "task", "note"]
assert set(get_args(Kind)) == set(KINDS)


class Draft(NamedTuple):
    """A record that is not written yet. Data from outside comes through `draft`, which validates it."""

    kind: Kind
    data: Mapping[str, Any]


class Record(NamedTuple):
    """A record that was read. `known`: its kind and schema are ours, so `data` is valid and up to date."""

    id: str
    kind: str
    schema: int
    writer: str
    clock: int
    at: str
    data: Mapping[str, Any]
    known: bool


class Invalid(ValueError):
    """A line that is no record; the message says why, and quotes nothing of it."""


def now() -> str:
    """The time for `at`."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def canonical(value: Mapping[str, Any]) -> bytes:
    """The canonical JSON of a mapping.

    Raises:
        ValueError: it holds what JSON can't (NaN, a lone surrogate).
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def encode(draft: Draft, writer: str, clock: int, at: str) -> tuple[str, bytes]:
    """A draft as a record: its id, and its line without the newline."""
    envelope = {"at": at, "clock": clock, "data": draft.data, "kind": draft.kind, "schema": SCHEMA, "writer": writer}
    body = canonical(envelope)
    identity = hashlib.sha256(body).hexdigest()
    return identity, b'{"id":"' + identity.encode() + b'",' + body[1:]


_FIELDS = frozenset(
    {"id", "kind", "schema", "writer", "clock", "at", "data"}
    | {name for kind in (*KINDS.values(), TextEdit, Proof) for name in kind.__annotations__}
)
_ID_END = len('{"id":"') + 64
_BODY = _ID_END + len('",')


def line_id(line: bytes) -> str | None:
    """The id that a line carries, if its bytes are the ones that the id names; None for any other line."""
    if line[:7] != b'{"id":"' or line[_ID_END:_BODY] != b'",':
        return None
    actual = hashlib.sha256(b"{" + line[_BODY:]).hexdigest()
    return actual if line[7:_ID_END] == actual.encode() else None


def decode(line: bytes) -> Record:
    """The record that a line holds, its data lifted to the current schema.

    Raises:
        Invalid: it is none.
    """
    # Called a million times when an index is built: what looks unrolled here is.
    if len(line) > MAX_LINE_BYTES:
        raise Invalid(f"longer than {MAX_LINE_BYTES} bytes")
    if line_id(line) is None:
        raise Invalid("its id is not the hash of its content")
    adapters = _adapters()
    if b"NaN" in line or b"Infinity" in line:
        _refuse_constants(line)
    try:
        found = adapters.known(line)
    except adapters.error:
        return _decode_other(line, adapters)
    return Record(found["id"], found["kind"], SCHEMA, found["writer"], found["clock"], found["at"], found["data"], True)


def _refuse_constants(line: bytes) -> None:
    """JSON has no NaN and no Infinity, but its readers do, outside of texts."""

    def refuse(_name: str) -> None:
        raise Invalid("it holds a NaN or an infinity")

    try:
        json.loads(line, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise error if isinstance(error, Invalid) else Invalid("it is not JSON") from None


def _decode_other(line: bytes, adapters: _Adapters) -> Record:
    """A record of an unknown kind, or of another schema."""
    from nootropic_bot.state.migrations import lift

    try:
        found = adapters.other(line)
        kind, schema, data = found["kind"], found["schema"], found["data"]
        is_known = kind in KINDS and schema <= SCHEMA
        if is_known:
            data = adapters.data[kind].validate_json(canonical(lift(kind, data, schema)))
    except adapters.error as error:
        # Only the field is told: values, and keys that are not ours, may be anything.
        first = error.errors(include_input=False, include_url=False)[0]
        place = next((str(part) for part in reversed(first["loc"]) if part in _FIELDS), "the line")
        raise Invalid(f"{place} is not what it must be ({first['type']})") from None
    return Record(found["id"], kind, schema, found["writer"], found["clock"], found["at"], data, is_known)


def draft(kind: str, data: Mapping[str, Any]) -> Draft:
    """A draft from data that comes from outside.

    Raises:
        Invalid: the kind is unknown, or the data is not of its form.
    """
    from pydantic import ValidationError

    if kind not in KINDS:
        raise Invalid(f"there is no kind {kind!r}")
    try:
        canonical(data)
    except (ValueError, TypeError) as error:
        raise Invalid("it holds what is no text or number: a NaN, or a character that is not Unicode") from error
    try:
        _adapters().data[kind].validate_python(data)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise Invalid(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    return Draft(kind, data)  # type: ignore[arg-type]


class _Adapters(NamedTuple):
    """Validators of a whole line of our kinds, of any other line, of a kind's data; and what they raise."""

    known: Callable[[bytes], Any]
    other: Callable[[bytes], Any]
    data: Mapping[str, TypeAdapter[Any]]
    error: type[ValidationError]


@cache
def _adapters() -> _Adapters:
    from pydantic import ConfigDict, Discriminator, TypeAdapter, ValidationError

    strict = ConfigDict(extra="ignore", strict=True, allow_inf_nan=False)
    for kind in (*KINDS.values(), TextEdit, Proof):
        kind.__pydantic_config__ = strict  # type: ignore[attr-defined]
    common: dict[str, Any] = {
        "id": RecordId,
        "writer": WriterId,
        "clock": Annotated[int, Bounds(1, MAX_CLOCK)],
        "at": Instant,
    }
    current = Annotated[int, Bounds(SCHEMA, SCHEMA)]
    union: Any = None
    for name, data in KINDS.items():
        envelope: Any = _typed_dict(
            f"{name}_record",
            {**common, "kind": Literal[name], "schema": current, "data": data},
            strict,
        )
        union = envelope if union is None else union | envelope
    other = _typed_dict("other_record", {**common, "kind": str, "schema": Positive, "data": dict[str, Any]}, strict)
    return _Adapters(
        TypeAdapter(Annotated[union, Discriminator("kind")]).validator.validate_json,
        TypeAdapter(other).validator.validate_json,
        {name: TypeAdapter(data) for name, data in KINDS.items()},
        ValidationError,
    )


def _typed_dict(name: str, fields: Mapping[str, Any], config: Any) -> Any:
    made: Any = TypedDict
    made = made(name, fields)
    made.__pydantic_config__ = config
    return made
