"""The form of a record: its line, its id, what is validated, and what is kept although it is not understood."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nootropic_bot.state import schema
from nootropic_bot.state.migrations import MIGRATIONS, Migration, lift
from nootropic_bot.state.schema import KINDS, MAX_CLOCK, SCHEMA, Draft, Invalid, decode, draft, encode, line_id
from tests.support.repo import Repo
from tests.support.state import record_ids, store_at

WRITER = "0123456789abcdef"
AT = "2031-02-03T04:05:06Z"
ID = "ab" * 32
OID = "cd" * 20
PROOF = {"blob": OID, "rules": ID, "engine": "1.0", "tool": "0.1", "checks": {"gone": "passed", "types": "not_run"}}
# One full record of every kind, optional fields among them.
EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "run": {
        "run": WRITER,
        "mode": "range",
        "base": OID,
        "head": None,
        "pull_request": 7,
        "rules": ID,
        "tool": "0.1",
        "engine": "1.0",
        "complete": True,
        "findings": 2,
        "in_scope": 1,
        "suppressed": 0,
        "verified": 1,
        "critique_ms": 1,
        "propose_ms": 2,
        "verify_ms": 3,
        "total_ms": 6,
        "redacted": 0,
    },
    "finding": {
        "run": WRITER,
        "finding": "12" * 10,
        "rule_id": "some-rule",
        "path": "ünï/код.py",
        "line": 1,
        "end_line": 2,
        "severity": "error",
        "in_scope": True,
        "pull_request": None,
        "suppressed": "nosemgrep",
    },
    "suggestion": {
        "run": WRITER,
        "suggestion": "34" * 8,
        "finding": "12" * 10,
        "rule_id": "some-rule",
        "path": "a.py",
        "pull_request": 7,
        "source": "model",
        "verified": True,
        "confidence": 0.25,
        "edits": [{"start": 0, "end": 3, "text": "x\u2028y\n"}, {"start": 9, "end": 9, "text": ""}],
        "proof": {**PROOF, "model": "m@1", "adapter": None, "prompt": "fix/v1", "seed": 0},
        "redacted": 1,
    },
    "outcome": {
        "suggestion": "34" * 8,
        "rule_id": "some-rule",
        "result": "accepted",
        "pull_request": 7,
        "commit": OID,
        "command": "c0" * 10,
    },
    "triage": {
        "action": "add",
        "rule_id": "some-rule",
        "path": "docs/**",
        "reason": "examples",
        "author": "A <a@b>",
        "expires": "2031-02-03",
        "pull_request": 7,
        "command": "c0" * 10,
    },
    "cost": {
        "run": WRITER,
        "backend": "local",
        "model": None,
        "input_tokens": 1,
        "output_tokens": 2,
        "milliseconds": 3,
        "microdollars": 4,
    },
    "experiment": {"name": "e1", "status": "done", "metrics": {"loss": 0.5, "steps": 3}},
    "model": {"name": "m", "version": "2", "action": "promoted", "sha256": ID},
    "task": {"task": "t1", "status": "open", "title": "do it"},
    "note": {
        "text": 'line\nline "quoted" \\ \u2028 🐍',
        "finding": "12" * 10,
        "rule_id": "some-rule",
        "vote": "up",
        "author": "mona",
        "pull_request": 7,
        "command": "c0" * 10,
    },
}


def made(kind: str, data: Mapping[str, Any], **changed: Any) -> bytes:
    """A line as any program would make it: the id is right, the rest is what the test says."""
    envelope = {"at": AT, "clock": 1, "data": data, "kind": kind, "schema": SCHEMA, "writer": WRITER, **changed}
    body = json.dumps(envelope, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return named(body)


def named(body: bytes) -> bytes:
    """An object's text with its right id in front."""
    return b'{"id":"' + hashlib.sha256(body).hexdigest().encode() + b'",' + body[1:]


def without(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key != name}


# The line


def test_there_is_an_example_of_every_kind() -> None:
    assert set(EXAMPLES) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_encoded_is_decoded(kind: str) -> None:
    identity, line = encode(draft(kind, EXAMPLES[kind]), WRITER, 41, AT)
    assert decode(line) == (identity, kind, SCHEMA, WRITER, 41, AT, EXAMPLES[kind], True)
    assert b"\n" not in line


@pytest.mark.parametrize("kind", KINDS)
def test_the_id_is_the_hash_of_the_canonical_json(kind: str) -> None:
    identity, line = encode(draft(kind, EXAMPLES[kind]), WRITER, 41, AT)
    record = json.loads(line)
    assert record.pop("id") == identity
    canonical = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert hashlib.sha256(canonical).hexdigest() == identity == line_id(line)
    assert line == named(canonical)


def test_the_id_does_not_depend_on_the_order_of_fields() -> None:
    data = EXAMPLES["finding"]
    backwards = dict(reversed([*data.items()]))
    assert encode(draft("finding", data), WRITER, 1, AT) == encode(draft("finding", backwards), WRITER, 1, AT)


def test_every_changed_byte_makes_a_line_invalid() -> None:
    _identity, line = encode(Draft("note", {"text": "abc"}), WRITER, 1, AT)
    for at in range(len(line)):
        changed = line[:at] + bytes([line[at] ^ 1]) + line[at + 1 :]
        assert line_id(changed) is None
        with pytest.raises(Invalid):
            decode(changed)
    for cut in (line[:-1], line[1:], line + b" ", line + b"\r", b"", b"{}", b"\xef\xbb\xbf" + line):
        with pytest.raises(Invalid):
            decode(cut)


def test_a44_a_line_above_the_limit_is_invalid() -> None:
    room = schema.MAX_LINE_BYTES - len(made("note", {"text": ""}))
    assert decode(made("note", {"text": "x" * room})).known
    with pytest.raises(Invalid, match="longer than 1048576 bytes"):
        decode(made("note", {"text": "x" * (room + 1)}))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("clock", value) for value in (0, -1, MAX_CLOCK + 1, 2**63, 2**64, 10**400, 1.5, "1", True, None)),
        *(("schema", value) for value in (0, -1, 2**63, "1", 1.5, None, True)),
        *(("writer", value) for value in ("", "0123456789ABCDEF", WRITER + "0", WRITER + "\n", "../../../../etc", 5)),
        *(("at", value) for value in ("", "yesterday", AT[:-1], AT + "\n", "2031-02-03 04:05:06", 0, None)),
        *(("kind", value) for value in (5, None, ["note"])),
        *(("data", value) for value in (None, "text", ["text"], 1)),
    ],
)
def test_a44_a_bad_envelope_is_invalid(field: str, value: Any) -> None:
    for kind in ("note", "no-such-kind"):
        changed = {"kind": kind, "data": EXAMPLES["note"], field: value}
        with pytest.raises(Invalid):
            decode(made(**changed))


@pytest.mark.parametrize("field", ["at", "clock", "data", "kind", "schema", "writer"])
def test_an_envelope_without_a_field_is_invalid(field: str) -> None:
    envelope = {"at": AT, "clock": 1, "data": EXAMPLES["note"], "kind": "note", "schema": 1, "writer": WRITER}
    body = json.dumps(without(envelope, field), sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(Invalid):
        decode(named(body))


# The data


def wrong(kind: str, field: str, *values: Any) -> list[tuple[str, str, Any]]:
    return [(kind, field, value) for value in values]


_WRONG: list[tuple[str, str, Any]] = [
    *wrong("run", "run", "", "xyz", WRITER.upper(), WRITER + "\n", 5, None),
    *wrong("run", "mode", "", "RANGE", "everything", 1),
    *wrong("run", "base", "", "main", OID[:-1], OID.upper(), f"{OID}\n", 5),
    *wrong("run", "pull_request", 0, -1, "7", 7.0, True, 2**63),
    *wrong("run", "complete", 1, "true", None),
    *wrong("run", "findings", -1, 1.0, "1", 2**53, None),
    *wrong("finding", "finding", "", "1234567", "zz" * 10, "12" * 33, 5),
    *wrong("finding", "path", None, 5, ["a.py"]),
    *wrong("finding", "line", 0, -3, 1.0, "1", None),
    *wrong("finding", "severity", "ERROR", "fatal", None),
    *wrong("suggestion", "source", "human", "", None),
    *wrong("suggestion", "confidence", "0.5", [], True),
    *wrong("suggestion", "edits", None, {}, [1], [{"start": 0, "end": 1}]),
    *(
        ("suggestion", "edits", [{"start": a, "end": b, "text": c}])
        for a, b, c in ((-1, 1, ""), (0, "1", ""), (0, 1, 2))
    ),
    *wrong("suggestion", "proof", None, {}, {**PROOF, "blob": "HEAD"}, {**PROOF, "rules": OID}),
    *wrong("suggestion", "proof", {**PROOF, "checks": None}, {**PROOF, "checks": []}),
    *wrong("suggestion", "proof", {**PROOF, "checks": {"gone": "maybe"}}, {**PROOF, "checks": {"gone": True}}),
    *wrong("suggestion", "proof", {**PROOF, "seed": -1}, {**PROOF, "seed": "0"}, {**PROOF, "seed": 0.5}),
    *wrong("outcome", "result", "", "done", None),
    *wrong("outcome", "suggestion", "", "xyz", None),
    *wrong("triage", "action", "", "delete", None),
    *wrong("triage", "target", "", "abc", ID[:-1], None),
    *wrong("triage", "expires", "", "soon", "2031-2-3", "2031-02-03T00:00:00Z", None),
    *wrong("triage", "reason", None, 5),
    *wrong("triage", "pull_request", 0, "7", None),
    *wrong("triage", "command", "", "../x", None),
    *wrong("note", "vote", "", "sideways", None),
    *wrong("cost", "microdollars", -1, 0.5, "1", 2**53, 2**63, 10**400),
    *wrong("experiment", "metrics", None, [], {"loss": "low"}, {"loss": None}),
    *wrong("model", "sha256", "", "abc", OID),
    *wrong("task", "task", None, 5),
    *wrong("note", "text", None, 5, []),
]


@pytest.mark.parametrize(("kind", "field", "value"), _WRONG)
def test_a_value_of_the_wrong_form_is_refused_when_drafted_and_when_read(kind: str, field: str, value: Any) -> None:
    data = {**EXAMPLES[kind], field: value}
    with pytest.raises(Invalid):
        draft(kind, data)
    with pytest.raises(Invalid):
        decode(made(kind, data))


_OPTIONAL = {
    ("run", "redacted"),
    ("finding", "suppressed"),
    ("suggestion", "redacted"),
    ("outcome", "pull_request"),
    ("outcome", "commit"),
    ("outcome", "command"),
    *(("triage", name) for name in ("rule_id", "path", "expires", "pull_request", "command")),
    *(("note", name) for name in ("finding", "rule_id", "vote", "author", "pull_request", "command")),
    ("cost", "model"),
    ("experiment", "metrics"),
    ("model", "sha256"),
    ("task", "title"),
}


@pytest.mark.parametrize(("kind", "field"), [(kind, field) for kind, data in EXAMPLES.items() for field in data])
def test_a_missing_field_is_refused_unless_it_is_optional(kind: str, field: str) -> None:
    data = without(EXAMPLES[kind], field)
    if (kind, field) in _OPTIONAL:
        assert decode(made(kind, data)).data == draft(kind, data).data == data
        return
    with pytest.raises(Invalid, match=field):
        draft(kind, data)
    with pytest.raises(Invalid, match=field):
        decode(made(kind, data))


@pytest.mark.parametrize("figure", [float("nan"), float("inf"), float("-inf")])
def test_what_json_has_no_number_for_is_refused(figure: float) -> None:
    cases = [("experiment", {**EXAMPLES["experiment"], "metrics": {"loss": figure}})]
    cases.append(("suggestion", {**EXAMPLES["suggestion"], "confidence": figure}))
    for kind, data in cases:
        # `made` writes NaN and Infinity, which Python's own reader takes.
        with pytest.raises(Invalid):
            decode(made(kind, data))
        with pytest.raises(Invalid):
            draft(kind, data)


@pytest.mark.parametrize("kind", ["note", "hologram"])
def test_a_line_that_is_no_json_to_others_is_no_record(kind: str) -> None:
    """NaN in a field that we don't know would be stored for good, and break the JSON that we show of it."""
    with pytest.raises(Invalid):
        decode(made(kind, {"text": "x", "unknown": float("nan")}))


def test_a_text_that_has_no_utf_8_is_refused_when_drafted() -> None:
    """An argument that is not UTF-8 reaches Python so; `encode` would end in a traceback."""
    with pytest.raises(Invalid):
        draft("note", {"text": "\udcff"})


def test_an_escaped_lone_surrogate_is_no_record() -> None:
    """As an escape it is ASCII, and comes as far as the reader of the JSON."""
    body = rb'{"at":"%s","clock":1,"data":{"text":"\udcff"},"kind":"note","schema":1,"writer":"%s"}'
    with pytest.raises(Invalid):
        decode(named(body % (AT.encode(), WRITER.encode())))


def test_an_unknown_kind_is_not_drafted() -> None:
    with pytest.raises(Invalid, match="no kind 'hologram'"):
        draft("hologram", {})


# What is not understood is kept


def test_f23_an_unknown_kind_is_kept_as_it_is() -> None:
    data = {"any": ["thing", {"deep": None}], "n": 1.5}
    record = decode(made("hologram", data))
    assert (record.kind, record.known, record.data) == ("hologram", False, data)


@pytest.mark.parametrize("kind", KINDS)
def test_f23_a_higher_schema_is_kept_as_it_is(kind: str) -> None:
    data = {"shape": "of the future"}
    record = decode(made(kind, data, schema=SCHEMA + 1))
    assert (record.kind, record.schema, record.known, record.data) == (kind, SCHEMA + 1, False, data)


@pytest.mark.parametrize("kind", KINDS)
def test_f23_an_unknown_field_harms_nothing(kind: str) -> None:
    data = {**EXAMPLES[kind], "from_the_future": [1, {"two": 3}]}
    line = made(kind, data, another="field of the envelope")
    assert decode(line).known
    assert without(decode(line).data, "from_the_future") == EXAMPLES[kind]


def test_f23_what_is_not_understood_stays_on_the_disk_word_for_word(repo: Repo) -> None:
    lines = [
        made("hologram", {"b": 1, "a": [2]}, clock=1),
        made("note", {"text": "x", "from_the_future": "ü"}, clock=2, extra=True),
        made("run", {"shape": "new"}, clock=3, schema=SCHEMA + 5),
    ]
    with store_at(repo.path) as store:
        store.append_verbatim(lines)
        ids = [str(line_id(line)) for line in lines]
        assert record_ids(store) == set(ids)
        assert [line for _id, line in store.index.lines(ids)] == lines


# Migrations


def test_the_schema_is_the_number_of_migrations_plus_one() -> None:
    assert len(MIGRATIONS) + 1 == SCHEMA
    assert decode(made("note", EXAMPLES["note"])).schema == SCHEMA


def test_migrations_are_applied_in_order_from_the_right_start() -> None:
    def second(kind: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**data, "trace": [*data["trace"], f"{kind} 1 to 2"]}

    def third(kind: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**data, "trace": [*data["trace"], f"{kind} 2 to 3"]}

    made_up: tuple[Migration, ...] = (second, third)
    data: Mapping[str, Any] = {"trace": []}
    assert lift("note", data, 1, made_up) == {"trace": ["note 1 to 2", "note 2 to 3"]}
    assert lift("note", data, 2, made_up) == {"trace": ["note 2 to 3"]}
    assert lift("note", data, 3, made_up) == {"trace": []}
    assert data == {"trace": []}, "the stored data is not changed"


# Bytes from outside

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_KIND = st.sampled_from([*KINDS, "hologram"])


def said_of(line: bytes) -> str:
    """Why a line is no record, or nothing."""
    try:
        decode(line)
    except Invalid as error:
        return str(error)
    return ""


def is_decoded_or_invalid(line: bytes) -> None:
    try:
        record = decode(line)
    except Invalid:
        return
    assert record.id == line_id(line)


@given(st.binary(max_size=300))
@settings(deadline=None)
def test_a44_any_bytes_are_a_record_or_invalid(content: bytes) -> None:
    is_decoded_or_invalid(content)
    is_decoded_or_invalid(named(b"{" + content))


@given(_KIND, _JSON, st.dictionaries(st.sampled_from(["at", "clock", "schema", "writer", "x"]), _JSON, max_size=2))
@example("hologram", {"n": 10**4000}, {})
@settings(deadline=None)
def test_a44_any_json_with_a_right_id_is_a_record_or_invalid(kind: str, data: Any, changed: dict[str, Any]) -> None:
    try:
        line = made(kind, data, **changed)
    except ValueError:  # What can't be written can't come.
        return
    is_decoded_or_invalid(line)


@given(_KIND, st.data())
@settings(deadline=None)
def test_a44_any_value_in_a_real_record_is_a_record_or_invalid(kind: str, choose: st.DataObject) -> None:
    data = EXAMPLES.get(kind, {"x": 1})
    field = choose.draw(st.sampled_from([*data]))
    try:
        line = made(kind, {**data, field: choose.draw(_JSON)})
    except ValueError:
        return
    is_decoded_or_invalid(line)


@pytest.mark.parametrize("place", ["clock", "schema", "known", "unknown"])
def test_a44_a_number_of_many_digits_is_a_record_or_invalid(place: str) -> None:
    """Python refuses to convert more than 4300 digits, with an exception of its own."""
    digits = {"clock": "1", "schema": "1", "known": "1", "unknown": "1", place: "9" * 5000}
    data = f'{{"line":{digits["known"]},"unknown":{digits["unknown"]}}}'
    for kind in ("finding", "hologram"):
        envelope = f'{{"at":"{AT}","clock":{digits["clock"]},"data":{data},"kind":"{kind}",'
        is_decoded_or_invalid(named(f'{envelope}"schema":{digits["schema"]},"writer":"{WRITER}"}}'.encode()))


@pytest.mark.parametrize("depth", [50, 150, 1000, 100_000])
@pytest.mark.parametrize("kind", ["note", "hologram"])
def test_a44_deep_nesting_is_a_record_or_invalid(kind: str, depth: int) -> None:
    for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
        deep = opening * depth + b"1" + closing * depth
        body = b'{"at":"%s","clock":1,"data":{"text":"x","deep":%s},"kind":"%s","schema":1,"writer":"%s"}'
        is_decoded_or_invalid(named(body % (AT.encode(), deep, kind.encode(), WRITER.encode())))


@given(st.data())
@settings(deadline=None)
def test_the_message_of_an_invalid_line_quotes_no_value(choose: st.DataObject) -> None:
    kind = choose.draw(st.sampled_from([*KINDS]))
    field = choose.draw(st.sampled_from([*EXAMPLES[kind]]))
    marker = "Marker" + choose.draw(st.text(alphabet="XYZ", max_size=5))
    wrong = choose.draw(st.sampled_from([marker, [marker], {"text": marker}, {"start": marker}, None]))
    for line in (made(kind, {**EXAMPLES[kind], field: wrong}), made(kind, EXAMPLES[kind], at=marker)):
        assert "Marker" not in said_of(line)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("experiment", {**EXAMPLES["experiment"], "metrics": {"Marker\x1b[31m": "low"}}),
        ("suggestion", {**EXAMPLES["suggestion"], "proof": {**PROOF, "checks": {"Marker\x1b[31m": "maybe"}}}),
    ],
)
def test_the_message_of_an_invalid_line_quotes_no_key(kind: str, data: Mapping[str, Any]) -> None:
    """A key of a mapping is chosen by whoever wrote the line, too; the message is printed and kept in the index."""
    said = said_of(made(kind, data))
    assert said
    assert "Marker" not in said
    assert "\x1b" not in said
