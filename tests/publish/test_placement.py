"""Of any real diff with fixes, every comment is accepted, and a block applied in the page gives exactly what was proved.

`NOOTROPIC_DIFF_EXAMPLES=1000` makes it look at as many diffs as the figure in the documentation is about.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nootropic_bot.diff import apply_edits, unified
from nootropic_bot.git import Repository
from nootropic_bot.marker import key, parse_marker
from nootropic_bot.publish.anchors import read_diff
from nootropic_bot.publish.poster import publish_report
from nootropic_bot.records import Check, Edit, Finding, Position, Suggestion
from nootropic_bot.source import Undecodable, decode
from tests.support.forge import MemoryForge, suggestion_blocks
from tests.support.repo import Repo
from tests.support.reports import CHECKS, make_finding, make_report

EXAMPLES = int(os.environ.get("NOOTROPIC_DIFF_EXAMPLES", "60"))

LINES = (
    "x = 1", "    return value", "", "", "\tif x:", "}", "```", "  ````python", "~~~", "text  ", "# é 日本",
    "```suggestion", "<!-- nootropic:v1 finding=0123456789 -->", "@team fixes #1", "\u202egnp", "a\x0cb", "\\ No newline",
    "+++ b/other.py", "@@ -1,2 +3,4 @@", "diff --git a/x b/x", "--- a/x",
)  # fmt: skip
PATHS = ("a.py", "src/b.py", "naïve.txt", "with space.py", 'quo"te.py', "tab\there.py", "back\\slash.py")

line = st.sampled_from(LINES)
block = st.lists(line, max_size=4)


@st.composite
def contents(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A file at the base and at head; each may be empty, in another encoding, or without a last line end."""
    # Enough lines that are all different for hunks to be apart.
    old = [draw(st.sampled_from([f"line {n}", f"line {n}", draw(line)])) for n in range(draw(st.integers(0, 60)))]
    new = list(old)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(new)))
        new[at : at + draw(st.integers(0, 3))] = draw(block)
    if not draw(st.integers(0, 9)):
        new.insert(draw(st.integers(0, len(new))), "a\rb")
    end = draw(st.sampled_from([*["\n"] * 7, "\r\n"]))
    encoding = draw(st.sampled_from([*["utf-8"] * 7, "utf-8-sig", "latin-1"]))
    files = []
    for lines in (old, new):
        text = end.join(lines) + (end if lines and draw(st.integers(0, 5)) else "")
        files.append(text.encode(encoding, "replace"))
    return files[0], files[1]


@st.composite
def fixed(draw: st.DrawFn, path: str, old: bytes, raw: bytes) -> Finding | None:
    """A finding in a file at head, often near a change, most with a fix of one or two edits."""
    try:
        source = decode(path, raw)
    except Undecodable:
        return None
    number = len(source.lines)
    if not number:
        return None
    before = set(old.split(b"\n"))
    near = [n for n, text in enumerate(raw.split(b"\n")[:number], 1) if text not in before]
    first = draw(st.sampled_from(near) if near and draw(st.integers(0, 2)) else st.integers(1, number))
    last = min(number, first + draw(st.integers(0, 3)))
    end = "\r\n" if source.newline == "\r\n" else "\n"
    edits = []
    at = max(1, first - draw(st.sampled_from([0, 0, 2, 30])))
    for _ in range(draw(st.integers(0, 2))):
        if at > number:
            break
        until = min(number, at + draw(st.sampled_from([0, 0, 1, 2, 6])))
        text = "".join(f"{each}{end}" for each in draw(block))
        kind = draw(st.sampled_from(["replace", "replace", "insert", "prepend"]))
        if kind == "insert":
            until = at
            text = source.lines[at - 1] + text
        elif kind == "prepend":
            until = at
            text += source.lines[at - 1]
        edits.append(Edit(path, at, until, text))
        at = until + draw(st.integers(1, 12))
    after = apply_edits(source.lines, edits)
    suggestion = Suggestion(
        id=f"{draw(st.integers(0, 2**64 - 1)):016x}",
        edits=tuple(edits),
        source="rule",
        verified=True,
        checks=tuple(Check(name, "passed") for name in CHECKS),
        diff=unified(path, source.lines, after),
    )
    identity = f"{draw(st.integers(0, 2**80 - 1)):020x}"
    place = {"start": Position(first, 1), "end": Position(last, draw(st.integers(1, 3)))}
    return make_finding(path, first, id=identity, suggestion=suggestion if edits else None, **place)


@st.composite
def changes(draw: st.DrawFn) -> tuple[dict[str, tuple[bytes, bytes]], list[Finding], str | None]:
    """Files of a pull request, findings in them, and a name that one of them had at the base."""
    files = {
        path: draw(contents()) for path in draw(st.lists(st.sampled_from(PATHS), min_size=1, max_size=3, unique=True))
    }
    findings: list[Finding] = []
    for path, (old, new) in files.items():
        for _ in range(draw(st.integers(1, 4))):
            finding = draw(fixed(path, old, new))
            if finding is not None and all(other.id != finding.id for other in findings):
                findings.append(finding)
    return files, findings, draw(st.sampled_from([None, None, "old name.py"]))


def write_branches(repo: Repo, files: dict[str, tuple[bytes, bytes]], old_name: str | None) -> None:
    """Commits `base` and `head`, made by one process."""
    stream = []
    for name, index in (("base", 0), ("head", 1)):
        parent = b"from refs/heads/base\n" if index else b""
        stream.append(
            b"commit refs/heads/%s\ncommitter T <t@example.invalid> 1 +0000\ndata 0\n%sdeleteall\n"
            % (name.encode(), parent)
        )
        for position, (path, sides) in enumerate(files.items()):
            at = old_name if old_name and not index and not position else path
            quoted = at.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t").encode()
            stream.append(b'M 100644 inline "%s"\ndata %d\n%s\n' % (quoted, len(sides[index]), sides[index]))
    for name in ("base", "head"):
        repo.git("update-ref", "-d", f"refs/heads/{name}")
    repo.git("fast-import", "--quiet", "--force", feed=b"".join(stream))


def test_every_comment_is_accepted_and_every_block_gives_the_proved_file(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "repo")
    opened = Repository.open(repo.path)
    seen: Counter[str] = Counter()

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(changes())
    def check(case: tuple[dict[str, tuple[bytes, bytes]], list[Finding], str | None]) -> None:
        files, findings, old_name = case
        write_branches(repo, files, old_name)
        base, head = repo.git("rev-parse", "base", "head").split()
        forge = MemoryForge(repo, base, head)
        report = make_report(findings, base=base, head=head)
        published = publish_report(report, read_diff(opened, base, head, findings), forge)
        assert not published.notes
        assert not published.not_posted
        assert {f.id for f in (*published.commented, *published.listed)} == {f.id for f in findings}
        by_key = {key(finding.id): finding for finding in findings}
        for comment in (comment for _body, comments in forge.reviews for comment in comments):
            marker = parse_marker(comment.body)
            assert marker is not None
            finding = by_key[marker.finding]
            seen["comments"] += 1
            assert marker.is_block == bool(suggestion_blocks(comment.body))
            if not marker.is_block:
                continue
            source = decode(finding.path, files[finding.path][1])
            assert finding.suggestion is not None
            proved = source.encode("".join(apply_edits(source.lines, finding.suggestion.edits)))
            assert forge.applied(comment) == proved
            assert proved != source.raw
            seen["blocks"] += 1
        seen["diffs"] += 1
        writes = len(forge.writes())
        again = publish_report(report, read_diff(opened, base, head, findings), forge)
        assert not again.commented
        assert forge.writes()[writes:] == (["publish_check"] if findings else [])

    check()
    print(dict(seen))
    assert seen["comments"] > seen["diffs"] / 2
    assert seen["blocks"] > seen["diffs"] / 10
