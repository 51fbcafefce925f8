"""Rows A7, A8, A10, A21, A22, A30, A45–A47: what an artifact, a report or a pull request tries on the trusted job."""

# ruff: noqa: F811  (fixtures)

from __future__ import annotations

import io
import json
import re
import stat
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from nootropic_bot.config import StateSettings
from nootropic_bot.errors import UsageError
from nootropic_bot.git import Repository
from nootropic_bot.github.artifacts import MAX_MEMBER_BYTES, unpack
from nootropic_bot.handover import read_report
from nootropic_bot.records import Check, Edit, Finding, Suggestion
from nootropic_bot.relayed import Shown, fitting, read_records
from nootropic_bot.soundness import suggestion_id
from nootropic_bot.source import decode
from nootropic_bot.state.schema import draft
from nootropic_bot.state.store import Store
from tests.publishing.conftest import clock, job, server  # noqa: F401
from tests.support.forge import suggestion_blocks
from tests.support.repo import run_bot
from tests.support.reports import HOSTILE, make_suggestion
from tests.support.trusted import TrustedJob, numbered

GOOD = {"report.json": b"{}"}
SECRET = "ghp_" + "Ab1Cd2Ef3Gh4Ij5Kl6Mn7Op8Qr9St0Uv1Wx2"


def packed(files: dict[str, bytes], change: Callable[[zipfile.ZipInfo], None] | None = None) -> bytes:
    """An archive; `change` is done to its first member."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, (name, data) in enumerate(files.items()):
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            if change is not None and number == 0:
                change(info)
            archive.writestr(info, data)
    return target.getvalue()


def as_link(info: zipfile.ZipInfo) -> None:
    info.external_attr = (stat.S_IFLNK | 0o777) << 16


def as_device(info: zipfile.ZipInfo) -> None:
    info.external_attr = (stat.S_IFCHR | 0o666) << 16


def twice() -> bytes:
    return packed({**GOOD, "report.sarif": b"[]"}).replace(b"report.sarif", b"report.json\0")


def lying() -> bytes:
    """Its directory says that the member has 2 bytes; it has more."""
    raw = bytearray(packed({"report.json": b"x" * 5000}))
    entry = raw.rindex(b"PK\x01\x02")
    raw[entry + 24 : entry + 28] = struct.pack("<I", 2)
    return bytes(raw)


def encrypted() -> bytes:
    raw = bytearray(packed(GOOD))
    entry = raw.rindex(b"PK\x01\x02")
    raw[entry + 8] |= 1
    return bytes(raw)


@pytest.mark.parametrize(
    "raw",
    [
        packed({"../report.json": b"{}"}),
        packed({"/etc/report.json": b"{}"}),
        packed({"report.json/": b""}),
        packed({**GOOD, "evil.py": b""}),
        packed({**GOOD, "a/report.sarif": b""}),
        packed({"report.json_.exe": b"{}"}).replace(b"json_", b"json\0"),
        packed({"report.sarif": b"{}"}),
        packed({}),
        packed(GOOD, as_link),
        packed(GOOD, as_device),
        packed(GOOD)[:-30],
        encrypted(),
        lying(),
        b"",
        b"not a zip",
        b"PK\x05\x06" + b"\xff" * 18,
    ],
)
def test_a7_an_archive_that_is_not_ours_is_refused_whole(raw: bytes) -> None:
    with pytest.raises(UsageError, match="artifact 'nootropic-report' is refused"):
        unpack(raw)


def test_a7_a_member_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="refused"):
        unpack(twice())


def test_a7_a_bomb_is_refused_before_it_is_unpacked() -> None:
    raw = packed({"report.json": bytes(MAX_MEMBER_BYTES + 1)})
    assert len(raw) < 200_000
    with pytest.raises(UsageError, match="bytes"):
        unpack(raw)


def test_a7_two_gigabytes_are_not_even_fetched(job: TrustedJob) -> None:
    run = job.run(packed(GOOD))
    artifact = {"id": 1, "name": "nootropic-report", "size_in_bytes": 2 << 30, "expired": False}
    job.server.fail_next("GET", "/artifacts$", 200, body={"total_count": 1, "artifacts": [artifact]})
    done = job.publish(run)
    assert (done.code, job.server.log.count("GET", "/zip|storage"), job.server.log.writes()) == (2, 0, [])
    assert "is refused: it has 2,147,483,648 bytes" in done.err


@pytest.mark.parametrize(
    "report",
    [
        b"",
        b"{",
        b"[]",
        b'{"schema_version": 2}',
        b'{"schema_version": 1}',
        b"\xff\xfe",
        b"[" * 200_000,
        b'{"schema_version": 1e999}',
    ],
)
def test_a7_a_report_that_is_none_is_refused(report: bytes) -> None:
    with pytest.raises(UsageError):
        read_report(report, "report.json")


def test_a7_a_report_with_impossible_places_is_refused(job: TrustedJob) -> None:
    good = json.loads(job.report([job.finding("a.py", 10)]))

    def refused(**changes: object) -> str:
        finding = {**good["findings"][0], **changes}
        with pytest.raises(UsageError) as caught:
            read_report(json.dumps({**good, "findings": [finding]}).encode(), "report.json")
        return caught.value.message

    assert "no file has" in refused(start={"line": 0, "col": 1})
    assert "no file has" in refused(end={"line": 9, "col": 1})
    assert "no file has" in refused(end={"line": 10**30, "col": 1})
    assert "more text" in refused(message="x" * 70_000)
    assert "more text" in refused(cwe=["CWE-1"] * 1000)
    assert "more text" in refused(rule_id="x" * 300)
    assert "more text" in refused(path="x" * 5_000)
    assert "more text" in refused(suppressed={"by": "x" * 70_000, "reason": "", "expires": None})
    assert "outside the repository" in refused(path="../../etc/passwd")
    assert "outside the repository" in refused(path=".git/config")
    gaps = [{"path": f"{n}.py", "reason": "x"} for n in range(30_000)]
    for more, message in (
        ({"not_scanned": gaps}, "names more"),
        ({"incomplete_reasons": ["x" * 5_000]}, "names more"),
        ({"tool": {"name": "x" * 5_000, "version": "1"}}, "name that is too long"),
        ({"findings": good["findings"] * 25_001}, "25,001 findings"),
    ):
        with pytest.raises(UsageError, match=message):
            read_report(json.dumps({**good, **more}).encode(), "report.json")
    with pytest.raises(UsageError, match="one id"):
        read_report(json.dumps({**good, "findings": good["findings"] * 2}).encode(), "report.json")


def test_a8_a_report_about_another_commit_is_refused(job: TrustedJob) -> None:
    run = job.run({"report.json": job.report([job.finding("a.py", 10)], head=job.pull.base)})
    done = job.publish(run)
    assert (done.code, job.server.log.writes()) == (2, [])
    assert "it is refused" in done.err


def test_a8_the_target_is_the_one_that_the_api_names(job: TrustedJob) -> None:
    """Another pull request lies beside; the event of a fork names none, and the records name the other."""
    job.server.commit(job.repository, "other", {"a.py": numbered(40, 10)}, parent=job.pull.base)
    other = job.server.open_pull(job.repository, "other")
    event = job.server.events.workflow_run(job.run({"report.json": job.report([job.finding("a.py", 10)])}))
    assert event["workflow_run"]["pull_requests"] == []
    done = job.publish(next(iter(job.server.hub.runs.values())))
    assert done.code == 0
    assert (len(job.bodies()), other.comments, other.review_comments()) == (1, [], [])


def run_record(job: TrustedJob, **changes: object) -> dict[str, object]:
    numbers = dict.fromkeys(("critique_ms", "propose_ms", "verify_ms", "total_ms", "findings", "in_scope"), 1)
    return {
        "run": "a" * 16, "mode": "range", "base": job.pull.base, "head": job.pull.head, "pull_request": 7,
        "rules": "c" * 64, "tool": "0.1", "engine": "1", "complete": True, "suppressed": 0, "verified": 0, **numbers,
        **changes,
    }  # fmt: skip


def finding_record(job: TrustedJob, **changes: object) -> dict[str, object]:
    return {
        "run": "a" * 16, "finding": job.finding("a.py", 10).id, "rule_id": "evil", "path": "evil", "line": 1,
        "end_line": 1, "severity": "info", "in_scope": True, "pull_request": 7, **changes,
    }  # fmt: skip


def suggestion_record(job: TrustedJob, finding: Finding) -> dict[str, object]:
    fix = finding.suggestion
    assert fix is not None
    proof = {"blob": "d" * 40, "rules": "c" * 64, "engine": "1", "tool": "0.1", "checks": {"parse": "passed"}}
    edits = [{"start": 1, "end": 2, "text": fix.edits[0].replacement, "copies": [[0, 1, 2]]}]
    return {
        "run": "a" * 16, "suggestion": fix.id, "finding": finding.id, "rule_id": "x", "path": "x", "pull_request": 7,
        "source": "rule", "verified": True, "confidence": None, "edits": edits, "proof": proof,
    }  # fmt: skip


def lines(*records: tuple[str, dict[str, object]]) -> bytes:
    return b"".join(json.dumps({"kind": kind, "data": data}).encode() + b"\n" for kind, data in records)


def test_a8_records_are_about_this_pull_request_and_this_report(job: TrustedJob) -> None:
    report = read_report(job.report([job.finding("a.py", 10)]), "report.json")
    extra = {"extra": "x" * 1000}
    raw = lines(
        ("run", run_record(job, **extra)), ("finding", finding_record(job, **extra)), ("finding", finding_record(job))
    )
    run, finding = read_records(raw, report, Shown(report, {}, 1))
    assert (run.data["pull_request"], finding.data["pull_request"]) == (1, 1)
    assert (finding.data["rule_id"], finding.data["path"], finding.data["line"]) == (
        "sql-built-from-strings",
        "a.py",
        10,
    )
    assert "extra" not in run.data
    assert "extra" not in finding.data


@pytest.mark.parametrize(
    ("kind", "changes", "reason"),
    [
        ("run", {"head": "f" * 40}, "other commits"),
        ("run", {"findings": 2}, "counts more"),
        ("run", {"tool": "x" * 300}, "too long"),
        ("run", {"findings": -1}, "not of its form"),
        ("finding", {"finding": "f" * 16}, "not in the report"),
        ("finding", {"run": "b" * 16}, "no run"),
        ("triage", {"action": "add", "rule_id": "x", "reason": "r", "author": "a"}, "a kind that"),
        ("outcome", {"suggestion": "a" * 16, "rule_id": "x", "result": "accepted"}, "a kind that"),
        ("model", {"name": "evil", "version": "1", "action": "promoted"}, "a kind that"),
        ("note", {"text": "x" * (1 << 20)}, "too long"),
    ],
)
def test_a8_records_that_the_report_does_not_explain_are_refused(
    job: TrustedJob, kind: str, changes: dict[str, object], reason: str
) -> None:
    report = read_report(job.report([job.finding("a.py", 10)]), "report.json")
    made = {"run": run_record, "finding": finding_record}.get(kind)
    raw = lines(("run", run_record(job)), (kind, made(job, **changes) if made else changes))
    with pytest.raises(UsageError, match=f"records are refused.*{reason}"):
        read_records(raw, report, Shown(report, {}, 1))


@pytest.mark.parametrize("is_local", [True, False])
def test_a21_the_pull_requests_configuration_is_not_used(job: TrustedJob, is_local: bool) -> None:
    job.push({"nootropic.toml": 'fail_on = "never"\n[models]\nmin_confidence = 0.0\n'})
    job.deliver([job.finding("a.py", 10)], is_local=is_local)
    (check,) = job.server.hub.checks.values()
    assert check.fields["conclusion"] == "failure"
    reads = job.server.log.find("GET", "/contents/")
    assert all(f"ref={job.pull.base}" in each.query for each in reads)
    assert bool(reads) is not is_local


def test_a21_a_broken_configuration_of_the_pull_request_breaks_nothing(job: TrustedJob) -> None:
    job.push({"nootropic.toml": "fail_on = [[[", "pyproject.toml": "\0"})
    assert job.deliver([job.finding("a.py", 10)]).published.status == "posted"


def test_a22_a_fix_that_brings_a_secret_is_held_back_and_not_stored(job: TrustedJob) -> None:
    fix = job.finding("a.py", 10, (10, 10, f'token = "{SECRET}"\n'), message=f"Use {SECRET} here.")
    delivered = job.deliver([fix, job.finding("a.py", 20, (20, 20, "safe(20)\n"))])
    assert delivered.published.status == "posted"
    assert len(job.bodies()) == 2
    assert SECRET not in job.texts()
    first, second = sorted(job.bodies(), key=lambda body: "suggestion\n" in body)
    assert "held back" in first
    assert "```suggestion\nsafe(20)\n```" in second
    assert any("held back" in note for note in delivered.notes)


def test_a22_what_is_held_back_is_not_recorded(job: TrustedJob) -> None:
    fix = job.finding("a.py", 10, (10, 10, f'token = "{SECRET}"\n'), message=f"Use {SECRET} here.")
    other = job.finding("a.py", 20, (20, 20, "safe(20)\n"))
    raw = lines(("run", run_record(job)), *(("suggestion", suggestion_record(job, each)) for each in (fix, other)))
    delivered = job.deliver([fix, other], records=raw)
    assert delivered.recorded == 2
    assert "1 fix held back: it holds what looks like a secret" in delivered.notes
    refs = job.repository.git.refs("refs/nootropic/")
    assert refs
    said = b"".join(job.repository.git.run("log", "-p", "--text", oid) for oid in refs.values())
    assert other.suggestion is not None
    assert other.suggestion.id.encode() in said
    assert SECRET.encode() not in said


def test_a30_a45_a46_hostile_text_stays_text(job: TrustedJob) -> None:
    fenced = "new(10, '''\n```\n   ````suggestion\nevil\n`````\n''')\n"
    findings = [
        job.finding("a.py", 10, (10, 10, fenced), message=HOSTILE, rule_id=HOSTILE),
        job.finding("a.py", 20, (20, 20, "new(20, '\u202e')  # @team\n"), message=HOSTILE, cwe=(HOSTILE,)),
        job.finding("a.py", 30, message=HOSTILE),
    ]
    job.deliver(findings)
    texts = [*job.bodies(), *(comment.body for comment in job.pull.comments)]
    assert len(texts) == 3
    for text in texts:
        tokens = MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(text)
        inline = [child for token in tokens for child in token.children or ()]
        assert not any(token.type == "image" for token in inline)
        assert not any("evil" in str(token.attrGet("href")) for token in inline if token.type == "link_open")
        html = [token.content for token in (*tokens, *inline) if token.type in ("html_inline", "html_block")]
        assert not any("script" in each or "<img" in each for each in html)
        assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b\x1b\x9b\x07]", text)
        # GitHub reads a mention where an at sign meets a name in text, not in code.
        assert not any("@team" in token.content for token in inline if token.type == "text")
    assert suggestion_blocks(job.bodies()[0]) == [fenced]
    assert suggestion_blocks(job.bodies()[1]) == []
    assert "as a patch" in job.bodies()[1], "it is a fix that stands"


def test_a47_four_hundred_findings_are_one_review_and_a_count(job: TrustedJob) -> None:
    job.push({"b.py": numbered(400, *range(1, 401))})
    findings = [job.finding("b.py", n, (n, n, f"safe({n})\n"), message="long " * 400) for n in range(1, 401)]
    delivered = job.deliver(findings)
    published = delivered.published
    assert (len(job.pull.reviews), len(published.commented)) == (1, 30)
    assert len(published.commented) + len(published.listed) + len(published.not_posted) == 400
    assert published.not_posted == ()
    (summary,) = [comment.body for comment in job.pull.comments]
    assert len(summary) <= 65_536
    assert "370 findings without a comment on the diff" in summary


def forged(job: TrustedJob, **changes: object) -> Finding:
    """A fix of line 10 of `a.py` that stands, with some of it changed."""
    finding = job.finding("a.py", 10, (10, 10, "safe(10)\n"))
    assert finding.suggestion is not None
    return replace(finding, suggestion=replace(finding.suggestion, **changes))  # type: ignore[arg-type]


def of_edits(job: TrustedJob, path: str, *edits: tuple[int, int, str]) -> Finding:
    """A finding on line 10 with another fix, of which everything that can be computed is right."""
    finding = job.finding(path, 10)
    made = make_suggestion(decode(path, numbered(40, 10, 20).encode()), *edits)
    return replace(finding, suggestion=replace(made, id=suggestion_id(finding.id, made.edits)))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("no edits", None),
        ("another diff", "not the one that it was proved for"),
        ("another id", "its id is another"),
        ("another check", "not one of this program"),
        ("a check less", "not one of this program"),
        ("a check twice", "not one of this program"),
        ("another file", "another file than"),
        ("elsewhere", "does not hold here"),
        ("no code", "silences a checker"),
        ("not parsing", "does not hold here"),
        ("deleted", "does not hold here"),
    ],
)
@pytest.mark.parametrize("is_local", [True, False])
def test_a24_a_forged_fix_is_not_drawn_as_proved(
    job: TrustedJob, name: str, reason: str | None, is_local: bool
) -> None:
    good = forged(job).suggestion
    assert isinstance(good, Suggestion)
    made = {
        "no edits": lambda: forged(job, edits=()),
        "another diff": lambda: forged(job, diff=good.diff.replace("safe", "evil")),
        "another id": lambda: forged(job, id="f" * 16),
        "another check": lambda: forged(job, checks=(*good.checks[:-1], Check("audited by NASA", "passed"))),
        "a check less": lambda: forged(job, checks=good.checks[:-1]),
        "a check twice": lambda: forged(job, checks=(*good.checks, good.checks[0])),
        "another file": lambda: forged(job, edits=(Edit("b.py", 10, 10, "safe(10)\n"),)),
        "elsewhere": lambda: of_edits(job, "a.py", (20, 20, "evil(20)\n")),
        "no code": lambda: of_edits(job, "a.py", (10, 10, "def f(:  # noqa nosemgrep\n")),
        "not parsing": lambda: of_edits(job, "a.py", (10, 10, "def f(:\n")),
        "deleted": lambda: of_edits(job, "a.py", (10, 10, "")),
    }[name]()
    # A record of what is held back is not kept either.
    raw = lines(("run", run_record(job)), ("suggestion", suggestion_record(job, made)) if made.suggestion.edits else ("run", run_record(job)))  # type: ignore[union-attr]  # fmt: skip
    delivered = job.deliver([made], is_local=is_local, records=raw)
    (body,) = job.bodies()
    assert suggestion_blocks(body) == []
    assert "Proved" not in job.texts().replace("proved for", "")
    assert delivered.recorded == (1 if is_local else None)
    assert all(reason is None or reason in text for text in (body, *delivered.notes[:1]))
    assert bool(delivered.notes) is (reason is not None)


def test_a24_a_fix_that_stands_is_offered(job: TrustedJob) -> None:
    """So that what is held back above is held back for what is wrong with it."""
    job.deliver([forged(job)])
    assert suggestion_blocks(job.bodies()[0]) == ["safe(10)\n"]


@pytest.mark.parametrize("path", [".github/workflows/ci.yml", ".github/x.py", "poetry.lock"])
def test_a23_a_fix_of_a_workflow_is_not_offered(job: TrustedJob, path: str) -> None:
    job.push({path: numbered(40, 10, 20)})
    job.deliver([of_edits(job, path, (10, 10, "safe(10)\n"))])
    assert suggestion_blocks(job.bodies()[0]) == []
    assert "never changed" in job.bodies()[0]


def test_a22_a_closed_pull_request_gets_no_secret_into_the_jobs_summary(job: TrustedJob) -> None:
    finding = job.finding("a.py", 10, (10, 10, f'token = "{SECRET}"\n'), message=f"Use {SECRET} here.")
    run = job.run({"report.json": job.report([finding])})
    job.server.client("bot").get_repo("octo/app").get_pull(1).edit(state="closed")
    done = job.publish(run)
    assert (done.code, "the pull request is closed" in done.out) == (0, True)
    assert "Not on the pull request: 1" in job.summary
    assert SECRET not in job.summary + done.out


def test_a8_what_a_fix_brings_in_is_told_by_the_file(job: TrustedJob) -> None:
    finding = forged(job)
    record = suggestion_record(job, finding)
    record["edits"] = [{"start": 0, "end": 9, "text": "evil()"}]
    record["proof"]["blob"] = "e" * 40  # type: ignore[index]
    delivered = job.deliver([finding], records=lines(("run", run_record(job)), ("suggestion", record)))
    assert delivered.recorded == 2
    assert delivered.notes == ("the rules of the analysis are not those of the base: its proofs can't be run again",)
    (said,) = recorded(job, "suggestion")
    assert [edit["text"] for edit in said["edits"]] == ["safe"]
    assert said["proof"]["blob"] == job.source.git.run("rev-parse", f"{job.pull.head}:a.py").decode().strip()


def test_a8_a_run_of_another_pull_request_is_not_written_to(job: TrustedJob) -> None:
    with Store(Repository.open(job.clone().path), StateSettings()) as store:
        store.append([draft("run", run_record(job, pull_request=7))])
    raw = lines(("run", run_record(job)), ("finding", finding_record(job)))
    delivered = job.deliver([job.finding("a.py", 10)], records=raw)
    assert (delivered.recorded, len(job.bodies())) == (0, 1)
    assert "another pull request's" in delivered.notes[-1]


def cost_record(**changes: object) -> dict[str, object]:
    figures = dict.fromkeys(("input_tokens", "output_tokens", "milliseconds", "microdollars"), 2**40)
    return {"run": "a" * 16, "backend": "x", **figures, **changes}


def test_a8_a_fork_uses_up_no_budget(job: TrustedJob) -> None:
    report = read_report(job.report([job.finding("a.py", 10)]), "report.json")
    raw = lines(("run", run_record(job)), ("cost", cost_record()))
    assert [each.kind for each in read_records(raw, report, Shown(report, {}, 1))] == ["run"]
    own = read_records(raw, report, Shown(report, {}, 1, is_fork=False))
    assert [each.kind for each in own] == ["run", "cost"]


def test_a8_too_many_runs_or_costs_are_refused(job: TrustedJob) -> None:
    report = read_report(job.report([job.finding("a.py", 10)]), "report.json")
    shown = Shown(report, {}, 1)
    runs = [("run", run_record(job, run=f"{n:016x}")) for n in range(257)]
    assert len(read_records(lines(*runs[:256]), report, shown)) == 256
    with pytest.raises(UsageError, match="too many runs"):
        read_records(lines(*runs), report, shown)
    costs = [("cost", cost_record())] * 2_049
    read_records(lines(("run", run_record(job)), *costs[:2_048]), report, shown)
    with pytest.raises(UsageError, match="too many costs"):
        read_records(lines(("run", run_record(job)), *costs), report, shown)


def test_a7_more_lines_than_a_run_makes_are_refused_unread(job: TrustedJob) -> None:
    """64 MiB of short lines take half a minute to read."""
    findings = [job.finding("a.py", 10, id=f"{n:016x}", fix=(10, 10, f"safe({n})\n")) for n in range(500)]
    report = read_report(job.report(findings), "report.json")
    shown = Shown(report, {}, 1, is_fork=False)
    runs = [("run", run_record(job, run=f"{n:016x}")) for n in range(256)]
    costs = [("cost", cost_record(run="0" * 16, model=f"m{n}")) for n in range(2_048)]
    found = [("finding", finding_record(job, run="0" * 16, finding=each.id)) for each in findings]
    fixes = [("suggestion", {**suggestion_record(job, each), "run": "0" * 16}) for each in findings]
    # As many shards as a workflow starts, with as many models as there are: all of it fits.
    raw = lines(*runs, *costs, *found, *fixes)
    assert len(read_records(raw + b"\n", report, shown)) == 256 + 2_048 + 500
    with pytest.raises(UsageError, match="records are refused: there are more than 3,304"):
        read_records(raw + lines(found[0]), report, shown)
    # What would be refused for what it says is not even looked at.
    with pytest.raises(UsageError, match="there are more than 3,304"):
        read_records(b"x\n" * (32 << 20), report, shown)
    delivered = job.deliver(findings[:1], records=b"{}\n" * 5_000)
    assert (delivered.published.status, delivered.recorded) == ("posted", 0)
    assert "nothing was recorded: the records are refused: there are more than 2,306" in delivered.notes[-1]


def test_a44_one_review_adds_so_much_to_the_state_and_only_what_was_shown(job: TrustedJob) -> None:
    """26 MB came of an artifact of a tenth of one."""
    ids = [f"{n:016x}" for n in range(10_000)]
    findings = [job.finding("a.py", 10, id=each, rule_id="r" * 250) for each in ids]
    outside = [job.finding("a.py", 10, id=f"f{n:015x}", in_scope=False) for n in range(50)]
    report = read_report(job.report([*findings, *outside]), "report.json")
    raw = lines(
        ("run", run_record(job, findings=1)),
        *(("finding", finding_record(job, finding=each.id)) for each in [*outside, *findings]),
    )
    found = read_records(raw, report, Shown(report, {}, 1))
    assert len(found) == 10_001, "nothing of what lies outside the change"
    kept = fitting(found)
    assert kept[0].kind == "run"
    assert 1_900_000 < sum(len(json.dumps(each.data)) for each in kept) <= 2_000_000


def recorded(job: TrustedJob, kind: str) -> list[dict]:
    """What a fresh clone knows of a kind."""
    reader = job.server.checkout(job.repository, job.folder / "reader")
    assert reader.bot("state", "sync").code == 0
    done = reader.bot("state", "export", "--format", "jsonl")
    return [each["data"] for each in map(json.loads, done.out.splitlines()) if each["kind"] == kind]


def test_a8_an_event_of_no_repository_is_about_no_present_fork(job: TrustedJob) -> None:
    """The deleted fork's commit is proposed by somebody else as well."""
    event = job.server.events.workflow_run(job.run({"report.json": job.report([job.finding("a.py", 10)])}))
    event["workflow_run"]["head_repository"] = None
    done = run_bot("publish", cwd=job.clone().path, env=job.environment("workflow_run", event))
    assert (done.code, job.server.log.writes()) == (0, [])
    assert "no pull request has this commit" in done.out


def test_a8_of_two_pull_requests_with_the_head_none_is_guessed(job: TrustedJob) -> None:
    job.server.commit(job.repository, "next", {"c.py": "x\n"}, parent=job.pull.base)
    other = job.server.open_pull(job.repository, "eve:patch", "next", user="eve")
    # Both bases moved on since the analysis.
    report = {"report.json": job.report([job.finding("a.py", 10)], base="a" * 40)}
    done = job.publish(job.run(report))
    assert (done.code, job.bodies(), other.review_comments()) == (2, [], [])
    assert "whose report it is can't be told" in done.err
