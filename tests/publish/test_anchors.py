"""Where comments stand: each kind of change and of file, with git's own diff."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nootropic_bot.diff import shown_lines
from nootropic_bot.git import Change, Repository
from nootropic_bot.publish.anchors import Anchor, Diff, make_diff, place, read_diff
from nootropic_bot.records import Edit, Finding, Position
from nootropic_bot.source import decode
from tests.support.repo import Repo
from tests.support.reports import make_finding, make_suggestion

LONG = [f"line {n}\n" for n in range(1, 41)]


def diff_of(
    repo: Repo, old: dict[str, str | bytes], new: dict[str, str | bytes | None], findings: list[Finding]
) -> Diff:
    base = repo.commit(old)
    for path in [path for path, content in new.items() if content is None]:
        repo.git("rm", "--quiet", path)
    head = repo.commit({path: content for path, content in new.items() if content is not None})
    return read_diff(Repository.open(repo.path), base, head, findings)


def finding_in(raw: str | bytes, line: int, *edits: tuple[int, int, str], path: str = "a.py") -> Finding:
    source = decode(path, raw if isinstance(raw, bytes) else raw.encode())
    fix = make_suggestion(source, *edits) if edits else None
    return make_finding(path, line, suggestion=fix)


def anchor_of(
    repo: Repo, old: str | bytes, new: str | bytes, line: int, *edits: tuple[int, int, str], path: str = "a.py"
) -> Anchor | None:
    finding = finding_in(new, line, *edits, path=path)
    diff = diff_of(repo, {path: old, "other": "x\n"}, {path: new}, [finding])
    return place(finding, finding.suggestion, diff)


def changed(*numbers: int) -> str:
    """The forty lines, some of them changed."""
    return "".join(f"new {n}\n" if n in numbers else text for n, text in enumerate(LONG, 1))


OLD = "".join(LONG)


@pytest.mark.parametrize(
    ("line", "edits", "expected"),
    [
        (10, [(10, 10, "fixed\n")], Anchor("a.py", 10, 10, "fixed\n")),
        # The context of the hunk can be commented on, and what is beyond can't.
        (7, [(7, 7, "fixed\n")], Anchor("a.py", 7, 7, "fixed\n")),
        (13, [(13, 13, "fixed\n")], Anchor("a.py", 13, 13, "fixed\n")),
        (6, [(6, 6, "fixed\n")], None),
        (14, [(14, 14, "fixed\n")], None),
        # The fix leaves the hunk: a plain comment on the finding.
        (10, [(10, 14, "fixed\n")], Anchor("a.py", 10, 10)),
        # What the edit only repeats does not count.
        (10, [(5, 14, "".join([*LONG[4:9], "fixed\n", *LONG[10:14]]))], Anchor("a.py", 10, 10, "fixed\n")),
        # An insertion stands on the line before it, or on the one after where that one is not shown.
        (10, [(10, 10, "new 10\nmore\n")], Anchor("a.py", 10, 10, "new 10\nmore\n")),
        (7, [(6, 6, "line 6\nmore\n")], Anchor("a.py", 7, 7, "more\nline 7\n")),
        # A deletion.
        (10, [(10, 11, "")], Anchor("a.py", 10, 11, "")),
        # Two edits in one hunk are one range; in two hunks they are a patch.
        (8, [(8, 8, "a\n"), (12, 12, "b\n")], Anchor("a.py", 8, 12, "a\nline 9\nnew 10\nline 11\nb\n")),
        (10, [(1, 1, "import os\nline 1\n"), (10, 10, "b\n")], Anchor("a.py", 10, 10)),
        (10, [(10, 10, "a\n"), (30, 30, "b\n")], Anchor("a.py", 10, 10)),
        # Nothing changes.
        (10, [(10, 10, "new 10\n")], Anchor("a.py", 10, 10)),
        # A blank text could be read as an empty one.
        (10, [(10, 10, "\n")], Anchor("a.py", 10, 10)),
        (10, [], Anchor("a.py", 10, 10)),
        (20, [], None),
    ],
)
def test_the_fix_must_lie_in_one_hunk(
    repo: Repo, line: int, edits: list[tuple[int, int, str]], expected: Anchor | None
) -> None:
    assert anchor_of(repo, OLD, changed(10, 30), line, *edits) == expected


def test_edits_far_apart_in_one_hunk_are_no_suggestion(repo: Repo) -> None:
    edits = [(2, 2, "a\n"), (38, 38, "b\n")]
    assert anchor_of(repo, "x\n", OLD, 2, *edits) == Anchor("a.py", 2, 2)


@pytest.mark.parametrize(("last", "is_block"), [(9, True), (10, False)])
def test_a_block_is_not_mostly_other_code(repo: Repo, last: int, is_block: bool) -> None:
    """An import at the top and a line far below would be one block over everybody else's lines."""
    anchor = anchor_of(repo, "x\n", OLD, last, (2, 2, "a\n"), (last, last, "b\n"))
    assert anchor is not None
    assert (anchor.first, anchor.replacement is not None) == ((2, True) if is_block else (last, False))


def test_a_long_edit_is_a_suggestion_and_a_giant_one_is_not(repo: Repo) -> None:
    assert anchor_of(repo, "x\n", OLD, 2, (1, 40, "y\n" * 100)) == Anchor("a.py", 1, 40, "y\n" * 100)
    finding = finding_in(OLD, 2, (1, 40, "y\n" * 10_000))
    diff = read_diff(Repository.open(repo.path), "HEAD~1", "HEAD", [finding])
    assert place(finding, finding.suggestion, diff) == Anchor("a.py", 2, 2)


def test_a_finding_over_lines_stands_on_the_first_that_is_shown(repo: Repo) -> None:
    finding = make_finding("a.py", 2, start=Position(2, 1), end=Position(9, 4))
    diff = diff_of(repo, {"a.py": OLD}, {"a.py": changed(10)}, [finding])
    assert place(finding, None, diff) == Anchor("a.py", 7, 7)
    # One that ends before the first column of a line has nothing on that line.
    ending = make_finding("a.py", 2, start=Position(2, 1), end=Position(7, 1))
    assert place(ending, None, diff) is None


# What happens to a carriage return is not documented, and reported both ways: such a fix is a patch.
@pytest.mark.parametrize(
    ("raw", "line", "edit"),
    [
        ("a = 1\r\nb = 2\r\n", 2, (2, 2, "b = 3\r\n")),
        ("a = 1\r\nb = 2\n", 2, (2, 2, "b = 3\n")),
        ("a = 1\nb = 'x\ry'\nc = 3\n", 3, (3, 3, "c = 4\n")),
        ("a = 1\nb = 2\n", 2, (2, 2, "b = 3\r\n")),
    ],
    ids=["crlf", "mixed", "lone carriage return", "fix with a carriage return"],
)
def test_f19_no_suggestion_where_there_is_a_carriage_return(
    repo: Repo, raw: str, line: int, edit: tuple[int, int, str]
) -> None:
    assert anchor_of(repo, "z = 0\n", raw, line, edit) == Anchor("a.py", line, line)


@pytest.mark.parametrize(
    ("raw", "line", "edit", "is_offered"),
    [
        # Nothing says whether a line end is added to the last line.
        (b"a = 1\nb = 2", 2, (2, 2, "b = 3"), False),
        (b"a = 1\nb = 2", 2, (2, 2, "b = 3\n"), False),
        (b"a = 1\nb = 2\n", 2, (2, 2, "b = 3"), False),
        (b"a = 1\nb = 2", 1, (1, 1, "a = 3\n"), True),
        # A mark stands in the bytes of line 1 but in no line of the proof.
        (b"\xef\xbb\xbfa = 1\nb = 2\n", 1, (1, 1, "a = 3\n"), False),
        (b"\xef\xbb\xbfa = 1\nb = 2\n", 2, (2, 2, "b = 3\n"), True),
        # Other encodings than UTF-8.
        (b"# coding: latin-1\nb = '\xe9'\nc = 3\n", 3, (3, 3, "c = '\xe9'\n"), False),
        (b"b = '\xe9'\nc = 3\n", 2, (2, 2, "c = 4\n"), False),
        ("b = 'é日本'\nc = 3\n".encode(), 2, (2, 2, "c = '日本'\n"), True),
        # Characters that are not seen (row A30).
        (b"a = 1\nb = 2\n", 2, (2, 2, "b = '\u202e'\n"), False),
        (b"a = 1\nb = 2\n", 2, (2, 2, "b = '\u200b'\n"), False),
        (b"a = 1\nb = 2\n", 2, (2, 2, "b = '\x1b[2J'\n"), False),
        (b"a = 1\nb = 2\n", 2, (2, 2, "\tb = 3\n"), True),
    ],
)
def test_a_suggestion_gives_exactly_the_proved_bytes_or_is_not_offered(
    repo: Repo, raw: bytes, line: int, edit: tuple[int, int, str], is_offered: bool
) -> None:
    anchor = anchor_of(repo, "z = 0\n", raw, line, edit)
    assert anchor is not None
    assert (anchor.first, anchor.last) == (line, line)
    assert anchor.replacement == (edit[2] if is_offered else None)


def test_a_rename_with_changes_is_placed_under_its_new_name(repo: Repo) -> None:
    finding = finding_in(changed(10), 10, (10, 10, "fixed\n"), path="new.py")
    diff = diff_of(repo, {"old.py": OLD}, {"old.py": None, "new.py": changed(10)}, [finding])
    assert set(diff.files) == {"new.py"}
    assert diff.files["new.py"].hunks == ((7, 13),)
    assert place(finding, finding.suggestion, diff) == Anchor("new.py", 10, 10, "fixed\n")


def test_renames_modes_deletions_and_binaries_show_no_line(repo: Repo) -> None:
    repo.commit({"same.py": OLD, "mode.py": OLD, "gone.py": "x\n", "emptied.py": "x\n", "b.bin": b"\0a\n"})
    repo.git("mv", "same.py", "moved.py")
    repo.git("rm", "--quiet", "gone.py")
    (repo.path / "mode.py").chmod(0o755)
    repo.commit({"b.bin": b"\0b\n", "emptied.py": "", "binary.py": b"x = 1\n\0"})
    findings = [
        make_finding(path, 1) for path in ("moved.py", "mode.py", "gone.py", "emptied.py", "b.bin", "binary.py")
    ]
    diff = read_diff(Repository.open(repo.path), "HEAD~1", "HEAD", findings)
    assert set(diff.files) == {"moved.py", "mode.py", "emptied.py", "b.bin", "binary.py"}
    assert [place(finding, None, diff) for finding in findings] == [None] * 6


def test_the_diff_starts_where_the_branch_left(repo: Repo) -> None:
    repo.commit({"a.py": OLD})
    repo.git("switch", "--quiet", "--create", "branch")
    head = repo.commit({"a.py": changed(10)})
    repo.git("switch", "--quiet", "main")
    base = repo.commit({"a.py": changed(30)})
    diff = read_diff(Repository.open(repo.path), base, head, [])
    assert diff.files["a.py"].hunks == ((7, 13),)


def test_a_path_that_is_not_utf8_can_not_be_told_to_a_forge(repo: Repo) -> None:
    path = "caf\udce9.py"
    finding = make_finding(path, 1)
    diff = diff_of(repo, {"x": "x\n"}, {path: "a = 1\n"}, [finding])
    assert diff.files[path].hunks == ((1, 1),)
    assert place(finding, None, diff) is None


def test_a40_no_path_is_read_from_a_patch() -> None:
    ids = "1" * 40, "2" * 40
    patch = (
        f"diff --git a/../../etc/passwd b/../../etc/passwd\nindex {ids[0]}..{ids[1]} 100644\n"
        "--- a/../../etc/passwd\n+++ b/../../etc/passwd\n@@ -1 +1 @@\n-a\n+b\n"
    ).encode()
    assert shown_lines(patch) == {ids: ((1, 1),)}
    assert make_diff("h", [Change("a.py", "a.py", "100644", *ids)], [patch], {}).files.keys() == {"a.py"}


def test_a_fix_in_another_file_or_of_another_text_is_a_patch(repo: Repo) -> None:
    fix = make_suggestion(decode("a.py", b"a = 1\n"), (1, 1, "b = 1\n"))
    finding = make_finding("a.py", 1)
    diff = diff_of(repo, {"x": "x\n"}, {"a.py": "a = 1\n"}, [make_finding("a.py", 1, suggestion=fix)])
    assert place(finding, fix, diff) == Anchor("a.py", 1, 1, "b = 1\n")
    for edits in [
        (Edit("b.py", 1, 1, "b = 1\n"),),
        (*fix.edits, Edit("b.py", 1, 1, "b = 1\n")),
        (Edit("a.py", 7, 9, "b = 1\n"),),
        (Edit("a.py", 0, 1, "b = 1\n"),),
        (Edit("a.py", 1, 1, "b\n"), Edit("a.py", 1, 1, "c\n")),
        (),
    ]:
        assert place(finding, replace(fix, edits=edits), diff) == Anchor("a.py", 1, 1)


def test_only_lines_that_git_shows_in_either_of_its_ways_are_commented_on(repo: Repo) -> None:
    """A function is put between others that look like it: git may say that it begins a few lines earlier or later."""
    function = ["", "def f():", "    x", ""]
    before, after = [f"h{n}" for n in range(8)], [f"t{n}" for n in range(8)]
    base = repo.commit({"a.py": "\n".join([*before, *function, *after, ""])})
    head = repo.commit({"a.py": "\n".join([*before, *function, *function, *after, ""])})
    opened = Repository.open(repo.path)
    ways = [shown_lines(opened.patch(base, head, context=3, by_indent=way)) for way in (True, False)]
    ((early,), (late,)) = (next(iter(way.values())) for way in ways)
    assert early[0] < late[0] <= early[1] < late[1], "git has a choice here"
    (hunk,) = read_diff(opened, base, head, []).files["a.py"].hunks
    assert hunk == (late[0], early[1])
