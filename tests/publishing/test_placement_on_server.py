"""Of any real diff, the server takes every comment by its own reading of git, and its button gives the proved file.

Half of the diffs are read from a clone, half from the API. `NOOTROPIC_DIFF_EXAMPLES=1000` looks at as many as the figure
in the documentation is about.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from nootropic_bot.diff import apply_edits
from nootropic_bot.git import Repository
from nootropic_bot.github.changes import read_blobs, read_changes
from nootropic_bot.github.client import Client
from nootropic_bot.github.forge import GitHubForge
from nootropic_bot.github.waiting import Pace, Patience
from nootropic_bot.marker import key, parse_marker
from nootropic_bot.publish.anchors import Diff, make_diff, read_diff
from nootropic_bot.publish.poster import publish_report
from nootropic_bot.records import Finding
from nootropic_bot.source import decode
from tests.publish.test_placement import changes, write_branches
from tests.support.clock import Clock
from tests.support.github import records as r
from tests.support.github_server import GitHubServer
from tests.support.repo import Repo
from tests.support.reports import make_report

EXAMPLES = int(os.environ.get("NOOTROPIC_DIFF_EXAMPLES", "20"))


def listed(client: Client, pull: r.PullRequest, findings: Sequence[Finding]) -> Diff:
    """The diff as the API tells it."""
    name = pull.repository.full_name
    found = read_changes(client, name, pull.number)
    blobs = read_blobs(client, name, found, [finding.path for finding in findings])
    return make_diff(pull.head, found.files, [found.patch], blobs)


def test_the_server_takes_every_comment_and_its_button_gives_the_proved_file(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "repo")
    seen: Counter[str] = Counter()
    clock = Clock()

    # So few say nothing of a share unless they are always the same.
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        derandomize=EXAMPLES < 100,
    )
    @given(changes(), st.booleans())
    def check(case: tuple[dict[str, tuple[bytes, bytes]], list[Finding], str | None], is_local: bool) -> None:
        files, findings, old_name = case
        write_branches(repo, files, old_name)
        base, head = repo.git("rev-parse", "base", "head").split()
        assume(repo.git("diff", "--name-only", base, head))
        seen["diffs"] += 1
        # A repository of its own, so that none pays for those before it.
        with GitHubServer(tmp_path / str(seen["diffs"]), clock=lambda: clock.today().timestamp()) as server:
            repository = server.create_repository("octo/app", default_branch="base")
            repository.git.run("fetch", "--quiet", str(repo.path), "+refs/heads/*:refs/heads/*")
            pull = server.open_pull(repository, "head", "base")
            patience = Patience(sleep=clock.sleep)
            client = Client.connect(server.url, server.token("bot"), patience=patience, pace=Pace(clock))
            opened = Repository.open(repo.path)
            diff = read_diff(opened, base, head, findings) if is_local else listed(client, pull, findings)
            report = make_report(findings, base=base, head=head)
            published = publish_report(report, diff, GitHubForge(client, "octo/app", pull.number))
            assert (published.notes, published.not_posted) == ((), ())
            assert {f.id for f in (*published.commented, *published.listed)} == {f.id for f in findings}
            by_key = {key(finding.id): finding for finding in findings}
            for comment in pull.review_comments():
                marker = parse_marker(comment.body)
                assert marker is not None
                seen["comments"] += 1
                finding = by_key[marker.finding]
                if not marker.is_block:
                    continue
                source = decode(finding.path, files[finding.path][1])
                assert finding.suggestion is not None
                proved = source.encode("".join(apply_edits(source.lines, finding.suggestion.edits)))
                applied = server.apply_suggestions(comment.id)
                assert repository.git.run("cat-file", "blob", f"{applied}:{finding.path}") == proved
                repository.git.point({"refs/heads/head": head})
                server.sync()
                seen["blocks"] += 1
            assert not server.violations

    check()
    print(dict(seen))
    assert seen["comments"] > seen["diffs"] / 3
    assert seen["blocks"] > seen["diffs"] / 10
