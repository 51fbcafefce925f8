"""Semgrep: the native engine over a clean export, the Python wrapper when that fails.

`semgrep scan` spends seconds in its wrapper; the same wheel's `semgrep-core`, called as `osemgrep`, gives the same
findings (a test compares them on every rule fixture) and starts in 0.15 s.

The export is a folder of our own with copies of the blobs, so no ignore file, link, filter or configuration of the
scanned repository decides anything. Measured of 1.182: a folder scan skips `tests/`, `vendor/` and the like
unless an empty `.semgrepignore` lies at its root; files without a suffix need the executable bit to have their `#!`
read.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nootropic_bot import process, ruff
from nootropic_bot.critique.gates import Gates
from nootropic_bot.errors import EnvironmentFault, UsageError
from nootropic_bot.records import Gap
from nootropic_bot.rulefiles import RuleSet

_ODD_NAME = re.compile(r"[^\w ./+@%=,~#()\[\]{}!$&'-]|^-|/-")
_ENGINE_SPECIAL = frozenset({".semgrepignore", ".semgrep", ".git", ".gitignore", ".gitmodules"})
_WRAPPER = "import sys; from semgrep.console_scripts.pysemgrep import main; sys.exit(main())"


class EngineCrash(Exception):
    """The engine, native and wrapped, gave no usable answer for these targets."""


@dataclass(frozen=True, slots=True)
class Target:
    """A file to scan. Targets of one run may share a path (a blob and candidates for it)."""

    path: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Hit:
    """One result: the number of its rule, byte offsets into the target, message and replacement text."""

    rule: int
    start: int
    end: int
    message: str
    fix: str | None


@dataclass(slots=True)
class TargetScan:
    """What the engine and ruff say of one target."""

    hits: list[Hit]
    gaps: list[Gap]
    undefined: list[str]
    was_scanned: bool = False


@dataclass(frozen=True, slots=True)
class Engine:
    """An installed Semgrep. `core`: its native engine, None where only the wrapper can be tried."""

    core: Path | None
    version: str

    def scan(
        self,
        rules: RuleSet,
        targets: Sequence[Target],
        *,
        rule_timeout: int,
        jobs: int,
        timeout: float | None = None,
        wrapper_only: bool = False,
    ) -> list[TargetScan]:
        """Scan targets, in one engine start unless a rule filters by path; one answer a target, in order.

        Args:
            rules: what to look for.
            targets: what to look at.
            rule_timeout: seconds a rule may take on one file.
            jobs: parallel workers, 0 for one a core.
            timeout: seconds for the whole run.
            wrapper_only: don't try the native engine (the test that compares the two).

        Raises:
            TimeoutError: the run took longer than `timeout`.
            EngineCrash: no usable answer came, from the wrapper either.
            UsageError: a rule is invalid.
            EnvironmentFault: the export could not be written, or ruff is missing.
        """
        workers = min(jobs or os.cpu_count() or 1, max(len(targets), 1))
        options = _Options(rule_timeout, workers, timeout, wrapper_only)
        try:
            with tempfile.TemporaryDirectory(prefix="nootropic-") as scratch:
                return self._scan_in(Path(scratch), rules, targets, options)
        except TimeoutError:  # An OSError by inheritance only.
            raise
        except OSError as error:
            reason = error.strerror or str(error)
            raise EnvironmentFault(
                f"the files to scan could not be copied to {tempfile.gettempdir()}: {reason}",
                "free some space there, or point TMPDIR elsewhere",
            ) from error

    def _scan_in(self, scratch: Path, rules: RuleSet, targets: Sequence[Target], options: _Options) -> list[TargetScan]:
        export = scratch / "export"
        gates = Gates([] if rules.has_path_filters else rules.rules)
        names = _export(export, targets, gates)
        rule_file = scratch / "rules.json"
        narrowed = gates.narrow(rules.engine_file)
        rule_file.write_bytes(narrowed or b"")
        ruff_run = ruff.start_check(export)
        answers = {name: TargetScan([], [], []) for name in names}
        # Rules that filter by path must see each path as it is, so every layer is a root of its own.
        layers = sorted({name.split("/", 1)[0] for name in names}) if rules.has_path_filters else [""]
        for answer in answers.values() if narrowed is None else ():
            answer.was_scanned = True  # No rule can say anything about these targets: the engine isn't even started.
        for layer in layers if narrowed is not None else ():
            root = export / layer
            (root / ".semgrepignore").touch()
            prefix = f"{layer}/" if layer else ""
            _read_answer(self._ask(root, rule_file, scratch, options), prefix, answers, rules)
        _read_diagnostics(export, ruff_run, answers)
        return [answers[name] for name in names]

    def _ask(self, root: Path, rule_file: Path, scratch: Path, options: _Options) -> dict[str, Any]:
        if self.core is not None and not options.wrapper_only:
            answer = _call(("osemgrep", "scan", "--experimental"), self.core, root, rule_file, scratch, options)
            if answer is not None:
                return answer
        wrapper = (sys.executable, "-c", _WRAPPER, "scan")
        answer = _call(wrapper, None, root, rule_file, scratch, options)
        if answer is None:
            raise EngineCrash
        return answer


@dataclass(frozen=True, slots=True)
class _Options:
    rule_timeout: int
    jobs: int
    timeout: float | None
    wrapper_only: bool


def find_engine() -> Engine:
    """The installed Semgrep, without importing it.

    Raises:
        EnvironmentFault: there is none.
    """
    spec = importlib.util.find_spec("semgrep")
    if spec is not None and spec.origin is not None:
        package = Path(spec.origin).parent
        core = package / "bin" / "semgrep-core"
        folders = [name for name in os.listdir(package.parent) if re.fullmatch(r"semgrep-[\d.]+\.dist-info", name)]
        version = folders[0].removeprefix("semgrep-").removesuffix(".dist-info") if folders else "unknown"
        return Engine(core if os.access(core, os.X_OK) else None, version)
    on_path = shutil.which("semgrep-core")
    if on_path is not None:
        done = process.run(("osemgrep", "--version"), executable=Path(on_path))
        return Engine(Path(on_path), done.stdout.decode().strip())
    raise EnvironmentFault("Semgrep is not installed for this Python", "pip install semgrep")


def _export(root: Path, targets: Sequence[Target], gates: Gates) -> list[str]:
    """Write the targets below `root` and answer their names relative to it: `<layer>/<gates>/<path>`."""
    root.mkdir()
    taken: dict[str, int] = {}
    names = []
    for number, target in enumerate(targets):
        path = _exportable(target.path, number)
        # Case folded, because on macOS `A.py` and `a.py` are one file.
        layer = taken[path.lower()] = taken.get(path.lower(), -1) + 1
        names.append(f"{layer}/{gates.folder(target.content)}{path}")
        full = root / names[-1]
        full.parent.mkdir(parents=True, exist_ok=True)
        full.write_bytes(target.content)
        if target.content.startswith(b"#!"):
            full.chmod(0o755)
    return names


def _exportable(path: str, number: int) -> str:
    """The path itself, or a name of ours where the path would be special to the engine or to the file system."""
    parts = path.split("/")
    is_plain = (
        not _ODD_NAME.search(path)
        and not _ENGINE_SPECIAL.intersection(parts)
        and not {"", ".", ".."}.intersection(parts)
        and path.isprintable()
        and len(path) < 1000
        and all(len(part.encode("utf-8", "surrogateescape")) < 250 for part in parts)
    )
    if is_plain:
        return path
    suffix = re.search(r"\.\w{1,12}$", parts[-1], re.ASCII)
    return f"_odd_{number}{suffix.group() if suffix else ''}"


def _call(
    command: Sequence[str], executable: Path | None, root: Path, rule_file: Path, scratch: Path, options: _Options
) -> dict[str, Any] | None:
    """One start of the engine; None when it gave no usable answer."""
    args = (
        *command,
        *("--config", str(rule_file), "--json", "--metrics", "off", "--disable-version-check"),
        *("--disable-nosem", "--max-target-bytes", "0", "--no-git-ignore"),
        *("--timeout", str(options.rule_timeout), "--jobs", str(options.jobs)),
        ".",
    )
    env = {key: value for key, value in os.environ.items() if not key.startswith(("SEMGREP_", "GIT_"))}
    # Settings, logs and what a killed engine leaves behind go to our scratch folder, not to the user's.
    env.update(
        TMPDIR=str(scratch),
        SEMGREP_SETTINGS_FILE=str(scratch / "settings.yml"),
        SEMGREP_LOG_FILE=str(scratch / "semgrep.log"),
        SEMGREP_SEND_METRICS="off",
        SEMGREP_ENABLE_VERSION_CHECK="0",
        NO_COLOR="1",
    )
    done = process.run(args, executable=executable, cwd=root, env=env, timeout=options.timeout)
    if done.timed_out:
        raise TimeoutError
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        return None
    # An invalid rule makes the engine exit with 2 or 7 and still say why in its JSON.
    is_usable = isinstance(answer, dict) and "results" in answer and "scanned" in answer.get("paths", {})
    return answer if is_usable and (done.returncode in (0, 1) or answer["errors"]) else None


def _read_diagnostics(export: Path, run: ruff.RuffRun, answers: Mapping[str, TargetScan]) -> None:
    found: Mapping[str, ruff.Diagnostics | None]
    try:
        found = run.finish()
    except ruff.RuffCrash:
        found = ruff.check_one_by_one(export, answers)
    for name, diagnostics in found.items():
        if diagnostics is None:
            answers[name].gaps.append(Gap("it makes ruff crash, so syntax and names are not checked", transient=True))
            continue
        answers[name].undefined += diagnostics.undefined
        for line, message in diagnostics.syntax_errors[:1]:
            answers[name].gaps.append(Gap(f"line {line}: {message[:1].lower()}{message[1:]}"))


def _read_answer(answer: Mapping[str, Any], prefix: str, answers: Mapping[str, TargetScan], rules: RuleSet) -> None:
    for error in answer["errors"]:
        _read_error(error, prefix, answers, rules)
    for path in answer["paths"]["scanned"]:
        name = prefix + path.removeprefix("./")
        if name in answers:
            answers[name].was_scanned = True
    for result in answer["results"]:
        name = prefix + result["path"].removeprefix("./")
        if name in answers:
            answers[name].hits.append(_read_hit(result))


def _read_hit(result: Mapping[str, Any]) -> Hit:
    extra = result["extra"]
    return Hit(
        rule=_rule_number(result["check_id"]),
        start=result["start"]["offset"],
        end=result["end"]["offset"],
        message=" ".join(extra["message"].split()),
        fix=extra.get("fix"),
    )


def _rule_number(check_id: str) -> int:
    return int(check_id.rsplit(".", 1)[-1].removeprefix("r"))


def _read_error(error: Mapping[str, Any], prefix: str, answers: Mapping[str, TargetScan], rules: RuleSet) -> None:
    kind = error["type"] if isinstance(error["type"], str) else str(error["type"][0])
    rule_id = error.get("rule_id")
    rule = rules.rules[_rule_number(rule_id)] if rule_id and re.search(r"\br\d+$", rule_id) else None
    path = error.get("path")
    name = prefix + path.removeprefix("./") if path else None
    if name not in answers or name is None:
        text = re.sub(r"\br\d+\b", rule.id if rule else "", " ".join(str(error.get("message", kind)).split()))
        if rule is not None or "rule" in kind.lower():
            where = f"{rule.file}: rule {rule.id!r}" if rule else "a rule"
            raise UsageError(f"{where} is invalid: {text}", "see docs/writing-rules.md")
        raise EnvironmentFault(f"Semgrep failed: {text}", "run `nootropic-bot doctor`")
    answers[name].gaps.append(_gap(kind, error, rule.id if rule else None))


def _gap(kind: str, error: Mapping[str, Any], rule_id: str | None) -> Gap:
    if kind == "PartialParsing":
        spans = error.get("spans") or [{}]
        first = min((span.get("start", {}).get("line", 0) for span in spans), default=0)
        last = max((span.get("end", {}).get("line", 0) for span in spans), default=0)
        return Gap(f"lines {first}-{last} could not be parsed by the scanner", first, last)
    suffix = f" in rule {rule_id}" if rule_id else ""
    if "timeout" in kind.lower():
        return Gap(f"the scanner timed out{suffix}", transient=True)
    return Gap(f"the scanner reported: {kind.lower()}{suffix}", transient=True)
