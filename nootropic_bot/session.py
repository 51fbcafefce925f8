"""A repository opened for one request: its configuration, its rules, and the two ends of the comparison.

Where configuration and the repository's own rules come from is decided here: from the base commit for a range
(a pull request can't switch off what reviews it), from the index for the staged content, else from a snapshot of the
work tree.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from nootropic_bot import config, resources
from nootropic_bot.constants import CONFIG_FILE, MODEL_LOCK_FILE, PYPROJECT_FILE
from nootropic_bot.errors import EnvironmentFault, UsageError
from nootropic_bot.git import REGULAR_MODES, Repository
from nootropic_bot.rulefiles import RuleFile, RuleSet, find_rule_files, is_rule_file, load_rules, own_rules
from nootropic_bot.state.store import Store
from nootropic_bot.state.views import Triage, active_triage

if TYPE_CHECKING:
    from nootropic_bot.models.budget import Charge

Mode = Literal["range", "staged", "worktree", "all"]


@dataclass(frozen=True, slots=True)
class Request:
    """What to review and how.

    `paths` narrows the review, relative to where the user stands. `files` are what pre-commit names: when something
    of them is not staged (`--all-files`), they are reviewed whole, from the index. `in_hook` sets the time budget.
    Findings are recorded under the number `pull_request`.
    """

    mode: Mode = "worktree"
    base: str | None = None
    head: str | None = None
    paths: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    shard: tuple[int, int] | None = None
    in_hook: bool = False
    propose: bool = True
    unproved: bool = False
    use_model: bool = True
    pull_request: int | None = None


@dataclass(slots=True)
class Session:
    """An opened repository with its configuration and rules; `repo` may be a snapshot of the work tree.

    `store` is the state of the repository itself, `triage` what it says does not count. `model_lock`: the bytes of
    `nootropic.lock`, from where the configuration comes from. `models` and `charges` are the model stage's: what it has
    opened (it imports much, so only it knows the type), and what asking cost. `resources` are closed with the session.
    """

    repo: Repository
    request: Request
    config: config.Config
    rules: RuleSet
    base: str | None
    head: str | None
    store: Store
    triage: tuple[Triage, ...] = ()
    model_lock: bytes | None = None
    models: object | None = None
    charges: list[Charge] = field(default_factory=list)
    resources: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    notes: list[str] = field(default_factory=list)

    @property
    def budget_seconds(self) -> float | None:
        """How long the run may take, None for as long as it needs."""
        return self.config.hook.budget_seconds if self.request.in_hook else None


@contextmanager
def open_session(start: Path, request: Request) -> Iterator[Session]:
    """Open the repository around `start` for one request; a work-tree snapshot lives as long as the context.

    Raises:
        UsageError: no repository, an unknown revision, bad configuration or rules.
        EnvironmentFault: git or the engine is missing.
    """
    repo = home = Repository.open(start)
    paths, files = _relative_paths(repo.top, start, request.paths), _relative_paths(repo.top, start, request.files)
    request = replace(request, paths=paths, files=files)
    base, head = _revisions(repo, request)
    with contextlib.ExitStack() as stack:
        if request.mode in ("worktree", "all"):
            repo = stack.enter_context(repo.worktree_snapshot())
        trusted = base if request.mode == "range" else ""
        settings = config.load(_config_files(repo, trusted), os.environ, repo.cache_dir)
        rules = load_rules(_rule_files(repo, settings, request, trusted, start), repo.cache_dir)
        _check_rule_settings(settings, rules)
        store = stack.enter_context(Store(home, settings.state))
        session = Session(repo, request, settings, rules, base, head, store, resources=stack)
        session.triage = _triage(store, session.notes)
        session.model_lock = repo.read_path(trusted or "", MODEL_LOCK_FILE)
        yield session


def _triage(store: Store, notes: list[str]) -> tuple[Triage, ...]:
    """What the state says does not count; a review goes on without it when it can't be read."""
    try:
        updated = store.index.update()
        entries = tuple(active_triage(store.index))
    except EnvironmentFault as fault:
        notes.append(f"triage was not taken into account: {fault.message}")
        return ()
    except sqlite3.DatabaseError:
        # A damaged index is made anew; what it is made from is in the refs.
        store.index.discard()
        store.index.update()
        return tuple(active_triage(store.index))
    if updated.damaged:
        notes.append("a part of the recorded state can't be read; `nootropic-bot state verify` says more")
    return entries


def _relative_paths(top: Path, start: Path, given: tuple[str, ...]) -> tuple[str, ...]:
    """Paths from the command line, relative to the top of the repository.

    Raises:
        UsageError: one lies outside.
    """
    if not given:
        return ()
    found = []
    real_top = top.resolve()
    for path in given:
        # The folder is resolved, the last part not: a link in the repository is named, not followed.
        absolute = Path(os.path.abspath(start / path))
        relative = os.path.relpath(absolute.parent.resolve() / absolute.name, real_top)
        if relative.split(os.sep)[0] == "..":
            raise UsageError(f"{path} lies outside the repository {top}")
        found.append("" if relative == "." else relative.replace(os.sep, "/"))
    return tuple(found)


def _revisions(repo: Repository, request: Request) -> tuple[str | None, str | None]:
    """The commit ids of base and head, as the mode demands."""
    if request.mode == "range":
        # An empty name is a variable that was not set, not a wish for HEAD.
        base = repo.commit("HEAD" if request.base is None else request.base)
        return base, repo.commit("HEAD" if request.head is None else request.head)
    if request.mode == "all":
        return None, repo.head()
    return repo.head(), None


def _config_files(repo: Repository, commit: str | None) -> dict[str, bytes | None]:
    """The configuration files of a commit, or of the index (`""`); never of the work tree itself."""
    return {name: repo.read_path(commit or "", name) for name in (CONFIG_FILE, PYPROJECT_FILE)}


def rules_at(repo: Repository, settings: config.Config, commit: str) -> RuleSet:
    """The rules that hold at a commit, without any that a command line names.

    Raises:
        UsageError: they are not there, or are wrong.
    """
    return load_rules(_configured_rules(repo, settings, commit), repo.cache_dir)


def _configured_rules(repo: Repository, settings: config.Config, commit: str) -> list[RuleFile]:
    files = find_rule_files(resources.bundled_rules()) if settings.bundled_rules else []
    for path in settings.rules:
        files += _repository_rules(repo, path, commit)
    return files


def _rule_files(
    repo: Repository, settings: config.Config, request: Request, commit: str | None, start: Path
) -> list[RuleFile]:
    files = _configured_rules(repo, settings, commit or "")
    for given in request.rules:
        inside = _inside(repo, start / given) if commit else None
        # A pull request does not supply the rules that review it, even when they are named on the command line.
        if inside is None:
            files += find_rule_files(start / given, given)
        else:
            files += _repository_rules(repo, inside, commit or "")
    if not files:
        raise UsageError("there are no rules: the bundled ones are switched off and none are configured")
    return files


def _repository_rules(repo: Repository, path: str, commit: str) -> list[RuleFile]:
    entries = repo.tree_entries(commit) if commit else repo.index_entries()
    normal = os.path.normpath(path).strip("/")
    wanted = "" if normal == "." else normal
    found = [
        e
        for e in entries
        if e.mode in REGULAR_MODES and (not wanted or f"{e.path}/".startswith(f"{wanted}/")) and is_rule_file(e.path)
    ]
    if not found:
        where = f"commit {commit[:12]}" if commit else "the repository"
        raise UsageError(
            f"the rules {path!r} are not in {where}", "rules of a repository are committed or staged files"
        )
    contents = repo.read_blobs(entry.oid for entry in found)
    return [RuleFile(entry.path, f"{entry.path}:{entry.oid}", contents[entry.oid]) for entry in found]


def _inside(repo: Repository, path: Path) -> str | None:
    """A path relative to the top of the repository, or None when it lies elsewhere, by its name and by its links."""
    top = repo.top.resolve()
    for candidate in (Path(os.path.abspath(path)), path.resolve()):
        if candidate.is_relative_to(top):
            return candidate.relative_to(top).as_posix()
    return None


def _check_rule_settings(settings: config.Config, rules: RuleSet) -> None:
    if not settings.rule:
        return
    known = rules.by_id.keys() | {rule.id for rule in own_rules()}
    for rule_id in settings.rule:
        if rule_id not in known:
            close = difflib.get_close_matches(rule_id, known, n=1)
            remedy = f"perhaps you meant `{close[0]}`" if close else "list them with `nootropic-bot rules list`"
            raise UsageError(f"the configuration speaks of the unknown rule `{rule_id}`", remedy)


def load_settings(repo: Repository) -> config.Config:
    """The configuration of the work tree, for commands that review nothing.

    Raises:
        UsageError: it is wrong.
    """
    files: dict[str, bytes | None] = {}
    for name in (CONFIG_FILE, PYPROJECT_FILE):
        path = repo.top / name
        files[name] = path.read_bytes() if path.is_file() and not path.is_symlink() else None
    return config.load(files, os.environ, repo.cache_dir)
