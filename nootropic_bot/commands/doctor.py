"""`doctor`: what is missing on this machine, and the command that mends it."""

from __future__ import annotations

import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import click

from nootropic_bot.errors import EXIT_CLEAN, EXIT_ENVIRONMENT, NootropicError

_MIN_GIT = (2, 31)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `optional` things don't decide the exit code."""

    name: str
    status: Literal["ok", "missing", "optional"]
    detail: str
    remedy: str = ""


@click.command(short_help="Say what is missing on this machine, and how to mend it.")
@click.option("--format", "format_", type=click.Choice(("text", "json", "yaml")), default="text", show_default=True)
def command(format_: str) -> None:
    """Look at what the bot needs on this machine; exit code 3 when something is missing."""
    checks: tuple[Callable[[], Finding], ...] = (
        _python,
        _git,
        _engine,
        _ruff,
        _temporary,
        _repository,
        _pre_commit,
        _model,
    )
    found = [check() for check in checks]
    if format_ == "text":
        for each in found:
            color = {"ok": "green", "missing": "red", "optional": "yellow"}[each.status]
            click.echo(f"{click.style(f'{each.status:<8}', fg=color)}  {each.name}: {each.detail}")
            if each.remedy:
                click.echo(f"          → {each.remedy}")
    else:
        from nootropic_bot.output import dump

        click.echo(dump([asdict(each) for each in found], format_), nl=False)
    sys.exit(EXIT_ENVIRONMENT if any(each.status == "missing" for each in found) else EXIT_CLEAN)


def _python() -> Finding:
    return Finding("Python", "ok", platform.python_version())


def _git() -> Finding:
    from nootropic_bot import process

    try:
        text = process.run(("git", "--version")).stdout.decode().strip()
    except NootropicError:
        return Finding("git", "missing", "not found", "install git 2.31 or newer with your system's package manager")
    version = re.search(r"(\d+)\.(\d+)", text)
    if version is None or (int(version[1]), int(version[2])) < _MIN_GIT:
        return Finding("git", "missing", f"{text} is too old", "install git 2.31 or newer")
    return Finding("git", "ok", text.removeprefix("git version "))


def _engine() -> Finding:
    """Semgrep must not only be there: it scans a line that its rule must flag."""
    from nootropic_bot.critique.semgrep import EngineCrash, Target, find_engine
    from nootropic_bot.rulefiles import RuleFile, load_rules

    remedy = f"{Path(sys.executable).name} -m pip install --upgrade semgrep"
    body = b"rules: [{id: probe, languages: [python], severity: INFO, message: probe, pattern: eval(...)}]"
    rules = load_rules([RuleFile("probe.yaml", "probe", body)], None)
    try:
        engine = find_engine()
        if engine.core is None:
            return Finding("Semgrep", "missing", f"{engine.version}: its native engine is not executable", remedy)
        scan = engine.scan(rules, [Target("probe.py", b"eval(x)\n")], rule_timeout=10, jobs=1, timeout=60)
    except (NootropicError, EngineCrash, TimeoutError) as error:
        return Finding("Semgrep", "missing", f"does not work here: {error or type(error).__name__}", remedy)
    if len(scan[0].hits) != 1:
        return Finding("Semgrep", "missing", f"{engine.version} does not find what it should", remedy)
    return Finding("Semgrep", "ok", f"{engine.version}, native engine")


def _ruff() -> Finding:
    from nootropic_bot import process
    from nootropic_bot.ruff import find_ruff

    try:
        done = process.run(("ruff", "--version"), executable=find_ruff())
    except NootropicError as error:
        return Finding("ruff", "missing", error.message, f"{Path(sys.executable).name} -m pip install ruff")
    return Finding("ruff", "ok", done.stdout.decode().strip().removeprefix("ruff "))


def _temporary() -> Finding:
    folder = tempfile.gettempdir()
    try:
        with tempfile.NamedTemporaryFile() as stream:
            stream.write(b"x" * 4096)
            stream.flush()
    except OSError as error:
        return Finding("temporary files", "missing", f"{folder}: {error.strerror}", "free space, or set TMPDIR")
    free = shutil.disk_usage(folder).free
    return Finding("temporary files", "ok", f"{folder}, {free / 2**30:.1f} GiB free")


def _repository() -> Finding:
    from nootropic_bot import config
    from nootropic_bot.constants import CONFIG_FILE, PYPROJECT_FILE
    from nootropic_bot.git import Repository

    try:
        repo = Repository.open(Path.cwd())
        files = {name: _content(repo.top / name) for name in (CONFIG_FILE, PYPROJECT_FILE)}
        config.load(files, {})
    except NootropicError as error:
        return Finding("repository", "optional", error.message, error.remedy or "")
    shallow = ", shallow: a base that is not fetched can't be compared with" if repo.is_shallow() else ""
    return Finding("repository", "ok", f"{repo.top}{shallow}")


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _pre_commit() -> Finding:
    if shutil.which("pre-commit") is None:
        remedy = "pip install pre-commit (or use the shims in hooks/)"
        return Finding("pre-commit", "optional", "not found; the commit hook needs it", remedy)
    return Finding("pre-commit", "ok", "found")


def _model() -> Finding:
    """The bundled model must not only be there: it is asked once."""
    import os

    from nootropic_bot.config import Config
    from nootropic_bot.models.base import ModelError, Request
    from nootropic_bot.models.factory import open_model
    from nootropic_bot.models.fixer import END, encode
    from nootropic_bot.models.registry import BUNDLED
    from nootropic_bot.records import Match, Position
    from nootropic_bot.source import decode
    from nootropic_bot.window import window_of

    source = decode("probe.py", b"if value == None:\n    pass\n")
    window = window_of(source, Match("probe", Position(1, 4), Position(1, 17), 3, 16, "", ""))
    assert window is not None
    prompt = encode("A comparison with None asks the object's own `==`; write `is None`.", window)
    try:
        model = open_model(BUNDLED, Config(), os.environ)
        try:
            answer = model.generate(Request(prompt=prompt, max_tokens=64, stop=(END,), timeout=60))
        finally:
            model.close()
    except ModelError as error:
        return Finding("Model", "optional", f"{error}; findings are shown without a model's fixes")
    return Finding("Model", "ok", f"{model.name} answers in {1000 * answer.seconds:.0f} ms")
