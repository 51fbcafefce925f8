"""A pull request on the test server, people who command the bot there, and the bot's two steps as a runner starts them."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from nootropic_bot.cli import main
from nootropic_bot.output import render
from nootropic_bot.records import Finding, Report
from nootropic_bot.source import decode
from tests.support.github import records as r
from tests.support.github_server import GitHubServer
from tests.support.reports import make_finding, make_report, make_suggestion

APP = (
    "import yaml\n\n\ndef load(text, value):\n    if value == None:\n        return None\n    return yaml.load(text)\n"
)
NONE, YAML = "aa" * 10, "bb" * 10
FIX_NONE, FIX_YAML = "a1" * 8, "b1" * 8
_OUTPUT = re.compile(r"([a-z-]+)<<(end-[0-9a-f]+)\n(.*?)\n\2\n", re.DOTALL)


@dataclass(frozen=True)
class Step:
    """How a step ended. `outputs`: what it wrote for later steps."""

    code: int
    out: str
    err: str
    outputs: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Desk:
    """One pull request. `work`: the clone that a job has, of the base."""

    server: GitHubServer
    repository: r.Repository
    pull: r.PullRequest
    folder: Path
    work: Path
    token: str = "bot"

    @classmethod
    def open(
        cls, server: GitHubServer, folder: Path, *, fork: bool = False, app: str | bytes = APP, config: str = ""
    ) -> Desk:
        """A pull request by `mona`, who may write here, or by `eve` from her fork; `olga` owns nothing and reads.

        `config`: the base's.
        """
        repository = server.create_repository("octo/app")
        files = {"app.py": "x = 1\n", ".github/workflows/nootropic-review.yml": "on: [workflow_dispatch]\n"}
        if config:
            files["nootropic.toml"] = config
        main = server.commit(repository, "main", files)
        server.add_person("mona", repository, "write")
        server.add_person("olga", repository, "read")
        server.add_workflow(repository, ".github/workflows/nootropic-review.yml", "review")
        source, branch = (server.fork(repository, "eve"), "eve:patch") if fork else (repository, "patch")
        server.commit(source, "patch", {"app.py": app, "run.sh": "true\n"}, user="eve" if fork else "mona", parent=main)
        pull = server.open_pull(repository, branch, user="eve" if fork else "mona")
        work = server.checkout(repository, folder / "work").path
        return cls(server, repository, pull, folder, work)

    def say(self, body: str, login: str = "mona") -> r.IssueComment:
        """A comment on the pull request."""
        return self.server.comment(self.pull, login, body)

    def event(self, comment: r.IssueComment, **changed: Any) -> Path:
        """The event of a comment as a file; `comment_` replaces what it says of the comment."""
        data = self.server.events.issue_comment(comment)
        data |= {name.rstrip("_"): value for name, value in changed.items()}
        path = self.folder / f"event-{comment.id}.json"
        path.write_text(json.dumps(data))
        return path

    def authorise(self, comment: r.IssueComment, *, event: Path | None = None) -> Step:
        """The first step."""
        return self._step(event or self.event(comment), "authorise")

    def act(self, comment: r.IssueComment, plan: str, report: Report | Path | None = None) -> Step:
        """The last step; a report is written to a file first."""
        given = [] if report is None else ["--report", str(self.write(report))]
        return self._step(self.event(comment), "act", "--plan", plan, *given)

    def write(self, report: Report | Path) -> Path:
        """A report as a file."""
        if isinstance(report, Path):
            return report
        path = self.folder / "report.json"
        path.write_text(render(report, "json", sources={}), encoding="utf-8")
        return path

    def command(self, body: str, report: Report | Path | None = None, login: str = "mona") -> Step:
        """Both steps; what the last one that ran came to."""
        comment = self.say(body, login)
        first = self.authorise(comment)
        plan = first.outputs.get("plan")
        return self.act(comment, plan, report) if plan else first

    def replies(self) -> list[str]:
        """What the bot wrote in the conversation."""
        return [each.body for each in self.pull.comments if each.user.login == "github-actions[bot]"]

    def head(self) -> str:
        """The present head."""
        self.server.sync()
        return self.pull.head

    def file(self, path: str = "app.py", commit: str | None = None) -> str:
        """A file at a commit, by default the head."""
        source = self.pull.head_repository
        assert source is not None
        return source.git.run("show", f"{commit or self.head()}:{path}").decode()

    def records(self, kind: str) -> list[dict[str, Any]]:
        """What the remote's state holds of a kind, without the envelopes."""
        from tests.support.state import ref_records

        found = {each["id"]: each for each in ref_records(self.repository.git.path, "refs/nootropic")}
        return [each["data"] for each in found.values() if each["kind"] == kind]

    def report(self, *findings: Finding, **more: Any) -> Report:
        """A report of the head; by default with both problems of `APP`, each with its proved fix."""
        return make_report(findings or both(), **{"base": self.pull.base, "head": self.head(), **more})

    def _step(self, event: Path, *args: str) -> Step:
        output = self.folder / "output"
        output.write_text("")
        environment = {
            "GITHUB_API_URL": self.server.url,
            "GITHUB_TOKEN": self.server.token(self.token),
            "GITHUB_REPOSITORY": self.repository.full_name,
            "GITHUB_EVENT_NAME": "issue_comment",
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_OUTPUT": str(output),
        }
        code, out, err = run_here(("respond", *args), self.work, environment)
        assert self.server.token(self.token) not in out + err
        outputs = {name: value for name, _end, value in _OUTPUT.findall(output.read_text())}
        return Step(code, out, err, outputs)


def run_here(args: tuple[str, ...], cwd: Path, environment: Mapping[str, str]) -> tuple[int, str, str]:
    """The program in this process, which saves its start: exit code, standard output, standard error."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    told = contextlib.redirect_stdout(out), contextlib.redirect_stderr(err)
    with mock.patch.dict(os.environ, environment), _inside(cwd), told[0], told[1]:
        try:
            main(args)
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 1
    assert "Traceback" not in err.getvalue(), err.getvalue()
    return code, out.getvalue(), err.getvalue()


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def both(app: str | bytes = APP) -> tuple[Finding, Finding]:
    """The two problems of `APP`."""
    source = decode("app.py", app.encode() if isinstance(app, str) else app)
    none = make_finding(
        "app.py", 5, id=NONE, rule_id="none-comparison", severity="warning", message="`== None` asks for equality.",
        suggestion=make_suggestion(source, (5, 5, "    if value is None:\n"), id=FIX_NONE),
    )  # fmt: skip
    unsafe = make_finding(
        "app.py", 7, id=YAML, rule_id="yaml-unsafe-load", message="This builds any object.",
        suggestion=make_suggestion(
            source, (7, 7, "    return yaml.safe_load(text)\n"), id=FIX_YAML, source="model", model="fixer@v1",
            confidence=0.97,
        ),
    )  # fmt: skip
    return none, unsafe
