"""One door to all formats, and files that are written whole or not at all."""

from __future__ import annotations

import io
import json
import os
import stat
import subprocess
import sys
import textwrap
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nootropic_bot.errors import EnvironmentFault, UsageError
from nootropic_bot.escape import is_hidden
from nootropic_bot.output import FORMATS, parse_targets, render, to_json, to_yaml, write_output
from nootropic_bot.records import Check, Edit, Finding, Report, Suggestion, Summary, Suppression
from nootropic_bot.reports import from_json, to_data
from tests.support.reports import HOSTILE, everyday, hostile, make_finding, make_report
from tests.test_escape import ANY_TEXT, LIVELY, runner_obeys

ROOT = Path(__file__).resolve().parent.parent


def ascii_stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="ascii")


@pytest.mark.parametrize("make", [everyday, hostile, lambda: (make_report(), {})])
@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_renders_every_report(format_: str, make: Any) -> None:
    report, sources = make()
    text = render(report, format_, sources=sources)
    assert text.endswith("\n")
    text.encode("utf-8")
    assert text == render(report, format_, sources=sources), "the same report gives the same bytes"
    printed = render(report, format_, sources=sources, stream=ascii_stream())
    assert printed.isascii()
    assert not runner_obeys(printed)
    assert not [char for char in text if is_hidden(char) and char not in "\n\ufe0f"]


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(UsageError, match="'xml' is unknown"):
        render(make_report(), "xml", sources={})


@pytest.mark.parametrize("make", [everyday, hostile])
@pytest.mark.parametrize("stream", [None, "ascii"])
def test_json_and_yaml_hold_the_same_data(make: Any, stream: str | None) -> None:
    report, sources = make()
    target = ascii_stream() if stream else None
    expected = json.loads(json.dumps(to_data(report)))
    assert json.loads(render(report, "json", sources=sources, stream=target)) == expected
    assert yaml.safe_load(render(report, "yaml", sources=sources, stream=target)) == expected


def test_json_is_a_report_again() -> None:
    report, sources = everyday()
    assert from_json(render(report, "json", sources=sources).encode(), "x.json") == report


def test_json_is_readable() -> None:
    text = to_json({"message": "Größe 日本 ⚠\ufe0f"})
    assert text == '{\n  "message": "Größe 日本 ⚠\\ufe0f"\n}\n'
    assert to_json({"a": "é"}, ascii_stream()) == '{\n  "a": "\\u00e9"\n}\n'


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from(["a", "b"]), st.one_of(ANY_TEXT, LIVELY, st.integers(), st.none(), st.booleans()))
)
@example({"a": HOSTILE})
@example({"a": "\U000e0041\U000e0100\udcff \x85 yes: no - #"})
@example({"a": "yes", "b": "1.0"})
@example({"a": "##[x]", "b": "\\##[x]"})
@example({"a": "word " * 60 + "\n::stop-commands::x"})
def test_any_data_reads_back_and_hides_nothing(data: dict[str, Any]) -> None:
    for write, read in ((to_json, json.loads), (to_yaml, yaml.safe_load)):
        text = write(data)
        assert read(text) == data
        assert read(text.encode("utf-8").decode("utf-8")) == data
        assert not [char for char in text if is_hidden(char) and char != "\n"]
        assert not runner_obeys(text)
        assert read(write(data, ascii_stream())) == data


def test_yaml_keeps_the_order_and_has_no_aliases() -> None:
    finding = make_finding()
    text = render(make_report([finding, make_finding(line=9)]), "yaml", sources={})
    assert text.startswith("schema_version: 1\ntool:\n")
    assert "&id" not in text
    assert "*id" not in text


def test_text_goes_to_the_stream_it_is_for() -> None:
    report, sources = everyday()
    assert "✓" in render(report, "text", sources=sources)
    assert "scope ok" in render(report, "text", sources=sources, stream=ascii_stream())
    with_other = make_report([make_finding(in_scope=False, message="è")])
    assert "\\xe8" in render(with_other, "text", sources={}, stream=ascii_stream(), show_all=True)


def test_markdown_in_a_file_keeps_its_code() -> None:
    report, sources = hostile()
    assert "\n ::stop-commands::x" in render(report, "markdown", sources=sources)
    assert "\n ::stop-commands::x" not in render(report, "markdown", sources=sources, stream=io.StringIO())


def test_parse_targets() -> None:
    assert parse_targets(["sarif=out/a=b.sarif", "json=/dev/stdout"]) == (
        ("sarif", Path("out/a=b.sarif")),
        ("json", Path("/dev/stdout")),
    )
    assert parse_targets([]) == ()


@pytest.mark.parametrize("text", ["report.sarif", "sarif=", "=x", "xml=x", "", "SARIF=x"])
def test_bad_targets_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_targets([text])


def test_a_mistyped_format_is_guessed() -> None:
    with pytest.raises(UsageError) as caught:
        parse_targets(["sariff=x"])
    assert caught.value.remedy == "perhaps you meant `sarif`"


def test_one_file_can_not_hold_two_reports() -> None:
    with pytest.raises(UsageError, match="twice"):
        parse_targets(["json=a/../x", "yaml=a/../x"])


def test_write_output_makes_and_replaces_files(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    write_output(path, "one é\n")
    assert path.read_bytes() == "one é\n".encode()
    path.chmod(0o640)
    write_output(str(path), "two\n")
    assert path.read_text() == "two\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["report.json"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    link = tmp_path / "link"
    link.symlink_to("real")
    write_output(link, "new")
    assert link.is_symlink()
    assert (tmp_path / "real").read_text() == "new"


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match="No such file or directory") as caught:
        write_output(tmp_path / "no" / "report.json", "x")
    assert caught.value.remedy == f"make the folder {tmp_path / 'no'} first"
    with pytest.raises(EnvironmentFault, match="Is a directory"):
        write_output(tmp_path, "x")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_device_is_an_environment_fault() -> None:
    with pytest.raises(EnvironmentFault, match="No space left on device"):
        write_output("/dev/full", "x")


def test_a_pipe_gets_the_text(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with subprocess.Popen(["cat", str(fifo)], stdout=subprocess.PIPE) as reader:
        write_output(fifo, "through the pipe\n")
        assert reader.communicate(timeout=30)[0] == b"through the pipe\n"
    assert stat.S_ISFIFO(fifo.stat().st_mode)


def run_python(code: str, *args: str, **more: Any) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", textwrap.dedent(code), *args]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    return subprocess.run(command, check=False, env=env, stderr=subprocess.PIPE, timeout=60, **more)


def test_a_write_that_fails_half_way_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("old")
    code = """
        import resource, sys
        from nootropic_bot.errors import EnvironmentFault
        from nootropic_bot.output import write_output
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        try:
            write_output(sys.argv[1], "x" * 100_000)
        except EnvironmentFault as fault:
            sys.exit(0 if "File too large" in fault.message else fault.message)
        sys.exit("it was written")
    """
    done = run_python(code, str(path))
    assert done.returncode == 0, done.stderr
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["report.json"]


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1"])
def test_standard_output_as_a_target_keeps_its_place(tmp_path: Path, name: str) -> None:
    code = """
        import sys
        from nootropic_bot.output import write_output
        print("before")
        write_output(sys.argv[1], "report\\n")
        print("after")
    """
    path = tmp_path / "out"
    with path.open("wb") as stream:
        done = run_python(code, name, stdout=stream)
    assert done.returncode == 0, done.stderr
    assert path.read_text() == "before\nreport\nafter\n"


def test_the_formats_load_nothing_before_they_are_used() -> None:
    code = """
        import sys
        import nootropic_bot.output
        from nootropic_bot import codeframe, escape, findingtext, markdown, sarif, terminal
        sys.exit(",".join(name for name in ("rich", "yaml", "json", "jsonschema", "pydantic") if name in sys.modules) or 0)
    """
    done = run_python(code)
    assert done.returncode in (0, 1)
    assert not {b"rich", b"yaml", b"pydantic", b"jsonschema"} & set(done.stderr.strip().split(b","))


def test_a_report_with_an_unknown_field_is_refused() -> None:
    data = json.loads(render(everyday()[0], "json", sources={}))
    data["findings"][0]["start"]["colour"] = "red"
    with pytest.raises(UsageError, match="colour"):
        from_json(json.dumps(data).encode(), "x.json")


def test_the_report_is_described_as_it_is() -> None:
    """`docs/report.md`: its example is a report, and no field of one is missing there."""
    text = (ROOT / "docs/report.md").read_text()
    shown = text.partition("```json\n")[2].partition("```")[0]
    report = from_json(shown.encode(), "docs/report.md")
    assert json.loads(json.dumps(to_data(report))) == json.loads(shown)
    names = {
        each.name for kind in (Report, Finding, Suggestion, Edit, Check, Summary, Suppression) for each in fields(kind)
    }
    assert {name for name in names if f'"{name}"' not in text} == set()
