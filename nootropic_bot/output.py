"""Where a report goes: one door to all formats, and files that are written whole or not at all."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from nootropic_bot.cachefile import write_atomically
from nootropic_bot.errors import EnvironmentFault, UsageError
from nootropic_bot.escape import COMMAND_ANYWHERE, defuse_lines, is_hidden, is_utf8
from nootropic_bot.records import Report, Rule

if TYPE_CHECKING:
    from nootropic_bot.source import Source

FORMATS = ("text", "json", "yaml", "sarif", "markdown")

_DESCRIPTOR = re.compile(r"/dev/(?:(?P<name>stdout|stderr)|fd/(?P<number>\d{1,6}))")
# More than any line is long, and still an `int` in C.
_ONE_LINE = 2**31 - 1
_STANDARD = {"stdout": 1, "stderr": 2}


def render(
    report: Report,
    format_: str,
    *,
    sources: Mapping[str, Source],
    stream: TextIO | None = None,
    show_all: bool = False,
    hints: bool = True,
    rules: Mapping[str, Rule] | None = None,
) -> str:
    """A report in one of `FORMATS`, ready to be written: every character of it exists in UTF-8.

    Args:
        report: what to show.
        format_: one of `FORMATS`.
        sources: decoded files by path; what is missing here is shown without its code.
        stream: where the text will be printed, for its width, colours and encoding; None for a file.
        show_all: text only: show findings outside the change too.
        hints: text only: say at the end what can be done next.
        rules: SARIF only: what is known of the rules by id.

    Raises:
        UsageError: an unknown format.
    """
    if format_ == "text":
        from nootropic_bot.terminal import render_text

        text = render_text(report, sources=sources, stream=stream, show_all=show_all, hints=hints)
    elif format_ == "markdown":
        from nootropic_bot.markdown import render_markdown

        text = render_markdown(report)
        text = text if stream is None else defuse_lines(text)
    elif format_ == "sarif":
        from nootropic_bot.sarif import to_sarif

        return to_json(to_sarif(report, sources=sources, rules=rules), stream)
    elif format_ in ("json", "yaml"):
        from nootropic_bot.reports import to_data

        return (to_json if format_ == "json" else to_yaml)(to_data(report), stream)
    else:
        raise UsageError(f"the format {format_!r} is unknown", f"there are: {', '.join(FORMATS)}")
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def dump(data: Any, format_: str) -> str:
    """Plain data as `json` or `yaml`, for the verbs that print something other than a report."""
    return to_json(data, sys.stdout) if format_ == "json" else to_yaml(data, sys.stdout)


def to_json(data: Any, stream: TextIO | None = None) -> str:
    """`data` as readable JSON, in which nothing acts on a terminal or a CI log, and lone surrogates are escaped."""
    import json

    return _escape_hidden(json.dumps(data, indent=2, ensure_ascii=not is_utf8(stream)) + "\n", _json_escape)


def to_yaml(data: Any, stream: TextIO | None = None) -> str:
    """`data` as YAML, which reads back as the same data."""
    import yaml

    # The C library is ten times as fast but can't encode a lone surrogate.
    base = getattr(yaml, "CSafeDumper", yaml.SafeDumper) if _is_encodable(data) else yaml.SafeDumper

    class Dumper(base):  # type: ignore[misc, valid-type]
        def ignore_aliases(self, data: Any) -> bool:
            return True

    def represent(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
        # Only a quoted string has escapes, and only then is it sure to stay on the line of its key.
        is_plain = text.isprintable() and not COMMAND_ANYWHERE.search(text) and not any(map(is_hidden, text))
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if is_plain else '"')

    Dumper.add_representer(str, represent)
    text = yaml.dump(data, Dumper=Dumper, sort_keys=False, allow_unicode=is_utf8(stream), width=_ONE_LINE)
    return _escape_hidden(text, _yaml_escape)


def _is_encodable(data: Any) -> bool:
    import json

    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _escape_hidden(text: str, escape: Callable[[str], str]) -> str:
    """`text`, whose hidden characters all stand in quoted strings, with those escaped."""
    text = COMMAND_ANYWHERE.sub(r"\\u0023", text)
    if text.isascii():
        return text
    return "".join(escape(char) if char != "\n" and is_hidden(char) else char for char in text)


def _json_escape(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


def _yaml_escape(char: str) -> str:
    return f"\\U{ord(char):08x}"


def parse_targets(given: Iterable[str], also: tuple[str, ...] = ()) -> tuple[tuple[str, Path], ...]:
    """The targets of `--output FORMAT=PATH`; `also`: formats besides those of a report.

    Raises:
        UsageError: one is of another form, names an unknown format, or writes over another.
    """
    targets: list[tuple[str, Path]] = []
    for text in given:
        format_, equals, path = text.partition("=")
        if not equals or not path:
            raise UsageError(f"--output {text!r} is not of the form FORMAT=PATH", "for example `sarif=report.sarif`")
        if format_ not in (*FORMATS, *also):
            raise UsageError(f"--output {text!r}: the format {format_!r} is unknown", _suggest(format_))
        if any(Path(path) == other for _format, other in targets):
            raise UsageError(f"--output names {path} twice", "give each report a file of its own")
        targets.append((format_, Path(path)))
    return tuple(targets)


def _suggest(format_: str) -> str:
    import difflib

    close = difflib.get_close_matches(format_.lower(), FORMATS, n=1)
    return f"perhaps you meant `{close[0]}`" if close else f"there are: {', '.join(FORMATS)}"


def write_output(path: Path | str, text: str) -> None:
    """Write a report: a file whole or not at all, a device or pipe directly.

    Raises:
        EnvironmentFault: it could not be written; an old file is as it was.
    """
    path = Path(path)
    data = text.encode("utf-8", "backslashreplace")
    try:
        _write(path, data)
    except BrokenPipeError:  # The reader had enough; `ending.py` knows what to do.
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise EnvironmentFault(f"the report could not be written to {path}: {reason}", _remedy(path)) from error


def _write(path: Path, data: bytes) -> None:
    descriptor = _DESCRIPTOR.fullmatch(str(path))
    if descriptor is not None:
        # Opened by name it would be another file position, and what is printed later would overwrite it.
        number = _STANDARD[descriptor["name"]] if descriptor["name"] else int(descriptor["number"])
        sys.stdout.flush()
        with open(os.dup(number), "wb") as stream:
            stream.write(data)
        return
    target = Path(os.path.realpath(path))  # A link stays a link.
    try:
        is_replaceable = stat.S_ISREG(target.stat().st_mode)
    except FileNotFoundError:
        is_replaceable = True
    if is_replaceable:
        write_atomically(target, data)
    else:
        with open(target, "wb", buffering=0) as device:
            device.write(data)


def _remedy(path: Path) -> str | None:
    if not path.parent.is_dir():
        return f"make the folder {path.parent} first"
    return None
