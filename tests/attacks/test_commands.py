"""Rows A4, A8, A11 to A15, A17, A18, A22 to A24 for commands in comments, through the command and against the server."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nootropic_bot.github.client import Client
from nootropic_bot.github.forge import GitHubForge
from nootropic_bot.github.host import GitHubHost
from nootropic_bot.github.waiting import Patience
from nootropic_bot.marker import ReplyMarker
from nootropic_bot.records import Finding
from nootropic_bot.respond.authorise import authorise
from nootropic_bot.respond.grammar import Command
from nootropic_bot.respond.ledger import QUOTA, topic
from nootropic_bot.respond.plan import Said
from nootropic_bot.state.views import Triage
from tests.respond.conftest import desk, server
from tests.support.clock import Clock
from tests.support.github_server import GitHubServer
from tests.support.reports import make_finding, make_source, make_suggestion
from tests.support.respond import APP, FIX_NONE, NONE, Desk, both

__all__ = ["desk", "server"]

FIX = "/nootropic fix"


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a4_what_a_person_writes_sets_no_other_output(desk: Desk) -> None:
    comment = desk.say(f"/nootropic fp {NONE} x<<EOF needs-analysis=true ::set-output name=plan::evil %0Ahead=1")
    outputs = desk.authorise(comment).outputs
    assert set(outputs) == {"plan", "needs-analysis", "base", "head", "pull-request"}
    assert (outputs["needs-analysis"], outputs["head"]) == ("true", desk.pull.head)
    assert "\n" not in outputs["plan"]
    assert json.loads(outputs["plan"])["command"]["reason"].startswith("x<<EOF")


def test_a8_a_report_of_another_commit_is_refused(desk: Desk) -> None:
    done = desk.command("/nootropic fix", desk.report(head="f" * 40))
    assert done.code == 2
    assert "the report is about commit" in desk.replies()[0]
    assert desk.command("/nootropic fix", desk.report(base="f" * 40)).code == 2
    assert "compares with another commit" in desk.replies()[0]
    assert desk.file() == APP


@pytest.mark.parametrize(
    "change",
    [
        {"pull_request": 2},
        {"login": "olga"},
        {"comment": 1},
        {"account": 1},
        {"head": "HEAD"},
        {"version": 2},
        {"more": 1},
        {"command": {"verb": "apply", "target": FIX_NONE, "reason": None, "vote": None}},
        {"command": {"verb": "rm", "target": None, "reason": None, "vote": None}},
    ],
)
def test_a8_a_plan_that_is_not_the_comments_is_refused(desk: Desk, change: dict[str, Any]) -> None:
    comment = desk.say("/nootropic fix")
    plan = json.loads(desk.authorise(comment).outputs["plan"])
    before = len(desk.server.log)
    done = desk.act(comment, json.dumps({**plan, **change}), desk.report())
    assert done.code == 2
    assert len(desk.server.log) == before, "it is refused before anybody is asked"


@pytest.mark.parametrize("plan", ["", "{", "[]", "null", '"' * 5000, '{"version":1}'])
def test_a8_what_is_no_plan_is_refused(desk: Desk, plan: str) -> None:
    assert desk.act(desk.say("/nootropic fix"), plan).code == 2


def test_a11_who_may_not_write_is_denied_once_and_nothing_else_happens(desk: Desk) -> None:
    for words in ("fix", "review", f"fp {NONE} because", "status", "nonsense"):
        comment = desk.say(f"/nootropic {words}", "olga")
        data = desk.server.events.issue_comment(comment)
        # What the event says of a person decides nothing.
        data["comment"]["author_association"] = "OWNER"
        step = desk.authorise(comment, event=desk.event(comment, comment_=data["comment"]))
        assert (step.code, step.outputs["plan"]) == (0, "")
        assert not comment.reactions
    assert len(desk.replies()) == 1
    assert "`olga`: this command is for people who may push" in desk.replies()[0]
    assert [each.path for each in desk.server.log.writes() if each.path != "/graphql"] == [
        f"/repos/octo/app/issues/{desk.pull.number}/comments"
    ]


def test_a10_whoever_starts_a_run_again_lends_nobody_their_rights(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    comment = desk.say(FIX, "olga")
    mona = desk.server.events.issue_comment(desk.say("hello"))["sender"]
    assert mona["login"] == "mona", "who may push"
    for name in ("GITHUB_ACTOR", "GITHUB_TRIGGERING_ACTOR"):
        monkeypatch.setenv(name, "mona")
    step = desk.authorise(comment, event=desk.event(comment, sender=mona))
    assert (step.code, step.outputs["plan"]) == (0, "")
    assert "`olga`: this command is for people who may push" in desk.replies()[0]
    # Nor does somebody who may nothing take anything away.
    own = desk.say(FIX)
    olga = desk.server.events.issue_comment(comment)["sender"]
    monkeypatch.setenv("GITHUB_ACTOR", "olga")
    assert desk.authorise(own, event=desk.event(own, sender=olga)).outputs["plan"]


@pytest.mark.parametrize("status", [403, 404])
def test_a11_when_the_forge_does_not_say_it_is_a_denial(desk: Desk, status: int) -> None:
    comment = desk.say("/nootropic fix")
    desk.server.fail_next("GET", "/collaborators/", status, times=9)
    assert desk.authorise(comment).outputs["plan"] == ""
    assert not comment.reactions


def test_a11_a_forge_that_fails_is_a_denial(desk: Desk, clock: Clock) -> None:
    desk.server.fail_next("GET", "/collaborators/", 500, times=9)
    patience = Patience(sleep=clock.sleep)
    client = Client.connect(desk.server.url, desk.server.token("bot"), patience=patience)
    forge = GitHubForge(client, "octo/app", desk.pull.number)
    host = GitHubHost(
        client, "octo/app", desk.pull.number, forge, workflow="x.yml", server_url="https://github.example"
    )
    comment = desk.say("/nootropic fix")
    said = Said(comment.id, desk.pull.number, "mona", 1, comment.body)
    assert authorise(said, host).status == "denied"
    assert clock.slept


def test_a11_a_right_that_was_taken_away_meanwhile_counts_no_more(desk: Desk) -> None:
    comment = desk.say("/nootropic fix")
    plan = desk.authorise(comment).outputs["plan"]
    desk.repository.roles["mona"] = "triage"
    desk.act(comment, plan, desk.report())
    assert desk.file() == APP
    assert "this command is for people who may push" in desk.replies()[0]


def test_a11_that_the_forge_does_not_say_is_told_apart_from_a_denial(desk: Desk) -> None:
    message = "Resource not accessible by integration"
    desk.server.fail_next("GET", "/collaborators/", 403, body={"message": message})
    step = desk.authorise(desk.say(FIX))
    assert step.outputs["plan"] == ""
    assert message in step.out, "the log says it"
    assert "could not be found out" in desk.replies()[0]
    assert message in desk.replies()[0]
    comment = desk.say(FIX)
    plan = desk.authorise(comment).outputs["plan"]
    desk.server.fail_next("GET", "/collaborators/", 403, body={"message": message})
    done = desk.act(comment, plan, desk.report())
    assert (done.code, desk.file()) == (5, APP)
    assert message in done.out
    # It was not settled, so the same comment may be carried out yet.
    assert desk.act(comment, plan, desk.report()).code == 0
    assert desk.file() != APP


@pytest.mark.parametrize("words", [f"explain {NONE}", "explain 00000000"])
def test_a18_an_outsider_starts_no_analysis_on_a_pull_request_of_their_own(
    server: GitHubServer, tmp_path: Path, words: str
) -> None:
    desk = Desk.open(server, tmp_path, fork=True)
    outputs = desk.authorise(desk.say(f"/nootropic {words}", "eve")).outputs
    assert (outputs["plan"], outputs["needs-analysis"]) == ("", "false")
    comment = desk.say(f"/nootropic {words}")
    assert desk.authorise(comment).outputs["needs-analysis"] == "true", "who may push starts one"


def test_a8_an_id_that_a_fork_shows_for_something_else_mutes_nothing(server: GitHubServer, tmp_path: Path) -> None:
    """Ids can be computed, so a harmless finding can be shown under the id of one that its author wants muted."""
    from tests.respond.test_commands import post

    desk = Desk.open(server, tmp_path, fork=True)
    victim = "0f" * 10
    post(desk, 5, victim, "none-comparison")
    done = desk.command(f"/nootropic fp {victim} an ORM overloads it", desk.report())
    assert done.code == 0, done
    assert f"There is no finding `{victim}` here" in desk.replies()[0]
    assert desk.records("triage") == []


def test_a8_a_decision_about_a_finding_covers_only_one_of_its_rule_and_file() -> None:
    entry = Triage("1", NONE, "none-comparison", "app.py", "known", "mona", None, "2026-01-01T00:00:00Z")
    assert entry.covers(NONE, "none-comparison", "app.py")
    assert not entry.covers(NONE, "yaml-unsafe-load", "app.py")
    assert not entry.covers(NONE, "none-comparison", "other/app.py")
    assert not entry.covers("cc" * 10, "none-comparison", "app.py")
    odd = entry._replace(path="b\\xff.py")
    assert odd.covers(NONE, "none-comparison", "b\udcff.py"), "as a record holds what is no text"
    assert entry._replace(rule_id=None, path=None).covers(NONE, "any-rule", "any.py"), "what people add by id alone"


@pytest.mark.parametrize(
    "body", ["> /nootropic fix", "```\n/nootropic fix\n```", "see `/nootropic fix`", "    /nootropic fix", "hello"]
)
def test_a12_what_only_speaks_of_commands_asks_nobody_anything(desk: Desk, body: str) -> None:
    comment = desk.say(body)
    step = desk.authorise(comment)
    assert (step.code, step.outputs["plan"]) == (0, "")
    assert not desk.server.log


def test_a12_edited_comments_and_those_of_bots_are_no_commands(desk: Desk) -> None:
    comment = desk.say("/nootropic fix")
    for action in ("edited", "deleted"):
        assert desk.authorise(comment, event=desk.event(comment, action=action)).outputs["plan"] == ""
    own = desk.say("/nootropic fix", "github-actions[bot]")
    assert desk.authorise(own).outputs["plan"] == ""
    assert not desk.server.log


def test_a13_a_head_that_was_moved_after_the_command_is_refused(desk: Desk) -> None:
    comment = desk.say("/nootropic fix")
    plan = desk.authorise(comment).outputs["plan"]
    report = desk.report()
    forced = desk.server.commit(desk.repository, "evil", {"app.py": APP + "evil = 1\n"}, parent=desk.pull.base)
    desk.repository.git.run("update-ref", "refs/heads/patch", forced)
    done = desk.act(comment, plan, report)
    assert done.code == 5
    assert desk.head() == forced
    assert "so nothing was done" in desk.replies()[0]
    assert desk.server.log.count("POST", "/git/") == 0


@pytest.mark.parametrize("where", ["forward", "back"])
def test_a13_a_head_that_moves_while_the_commit_is_made_stays_where_it_is(desk: Desk, where: str) -> None:
    """Set back, it would let itself be moved forward over what somebody took away."""
    comment = desk.say("/nootropic fix")
    plan = desk.authorise(comment).outputs["plan"]
    report = desk.report()
    git = desk.repository.git
    there = ""
    if where == "back":
        there = desk.head()
        desk.server.commit(desk.repository, "patch", {"more.py": "m = 1\n"})
        plan = desk.authorise(comment).outputs["plan"]
        report = desk.report()

    class Mover:
        """Moves the branch between our last look at it and the moment in which it is to be moved."""

        def __init__(self) -> None:
            self.take = desk.server.faults.take

        def __call__(self, method: str, path: str) -> Any:
            nonlocal there
            if path.endswith("#updateRefs"):
                there = there or desk.server.commit(desk.repository, "patch", {"new.py": "n = 1\n"})
                git.run("update-ref", "refs/heads/patch", there)
            return self.take(method, path)

    desk.server.faults.take = Mover()  # type: ignore[method-assign]
    done = desk.act(comment, plan, report)
    assert done.code == 5
    assert git.line("rev-parse", "refs/heads/patch") == there
    assert "so nothing was done" in desk.replies()[0]


@pytest.mark.parametrize("words", ["--api-base=https://evil.example review", "fix --all", "rev", "apply $(touch P)"])
def test_a14_only_what_the_grammar_knows_is_done(desk: Desk, words: str) -> None:
    comment = desk.say(f"/nootropic {words}")
    step = desk.authorise(comment)
    assert (step.code, step.outputs["plan"]) == (0, "")
    assert "**Not understood.**" in desk.replies()[0]
    assert "evil.example" not in desk.replies()[0]
    assert not comment.reactions
    assert not (desk.work / "P").exists()


def test_a15_no_other_pull_request_is_touched(desk: Desk) -> None:
    desk.server.commit(desk.repository, "other", {"b.py": "b = 1\n"}, parent=desk.pull.base)
    other = desk.server.open_pull(desk.repository, "other")
    text = "comment on PR 2, apply this on #2: /repos/octo/app/issues/2/comments"
    findings = [replace(each, message=text) for each in both()]
    for words in (f"explain {NONE}", f"fp {NONE} {text}", "fix", "status"):
        desk.command(f"/nootropic {words}", desk.report(*findings))
    mine = f"(issues|pulls)/{desk.pull.number}(/|$)"
    for each in desk.server.log.find(path="/(issues|pulls)/[0-9]+(/|$)"):
        assert desk.server.log.find(path=mine).count(each)
    assert {
        each.body["variables"]["number"]
        for each in desk.server.log.find(path="/graphql")
        if "number" in each.body["variables"]
    } == {desk.pull.number}
    assert other.comments == []
    assert other.number == 2


@pytest.mark.parametrize(
    "words", ["fix", f"fp {NONE} known", f"feedback {NONE} up", "ignore none-comparison", "status"]
)
def test_a17_a_delivery_that_comes_again_has_no_second_effect(desk: Desk, words: str) -> None:
    from tests.respond.test_commands import post

    post(desk, 5, NONE, "none-comparison")
    comment = desk.say(f"/nootropic {words}")
    report = desk.report()
    plan = desk.authorise(comment).outputs["plan"]
    assert desk.authorise(comment).outputs["plan"] == plan, "two deliveries before anything was done"
    assert desk.act(comment, plan, report).code == 0
    head, replies = desk.head(), desk.replies()
    counts = [len(desk.records(kind)) for kind in ("outcome", "triage", "note")]
    assert desk.act(comment, plan, report).code == 0
    again = desk.authorise(comment)
    assert (again.code, again.outputs["plan"]) == (0, "")
    assert (desk.head(), desk.replies()) == (head, replies)
    assert [len(desk.records(kind)) for kind in ("outcome", "triage", "note")] == counts
    assert len([each for each in comment.reactions if each.content == "eyes"]) == 1


@pytest.mark.parametrize("words", ["fix", f"fp {NONE} known"])
def test_a17_what_was_done_but_not_said_is_only_said_the_next_time(desk: Desk, words: str) -> None:
    """The job ended between the effect and the reply."""
    from tests.respond.test_commands import post

    post(desk, 5, NONE, "none-comparison")
    comment = desk.say(f"/nootropic {words}")
    report = desk.report()
    plan = desk.authorise(comment).outputs["plan"]
    desk.server.fail_next("POST", "/issues/[0-9]+/comments", 403)
    assert desk.act(comment, plan, report).code == 5
    head = desk.head()
    assert desk.replies() == []
    again = desk.authorise(comment).outputs["plan"]
    assert desk.act(comment, again, desk.report()).code == 0
    assert desk.head() == head
    assert len(desk.records("triage")) == (0 if words == "fix" else 1)
    assert len(desk.replies()) == 1


def test_a17_a_command_that_is_given_twice_does_not_erase_what_the_first_one_did(desk: Desk) -> None:
    report = desk.report()
    plans = [(said, desk.authorise(said).outputs["plan"]) for said in (desk.say("/nootropic fix"), desk.say(FIX))]
    assert [desk.act(said, plan, report).code for said, plan in plans] == [0, 5]
    first, second = desk.replies()
    assert f"Committed 2 proved fixes in `{desk.head()[:10]}`" in first
    assert "so nothing was done" in second
    # Neither delivery does anything when it comes again, and who asks once more is answered in the newer place.
    assert desk.authorise(plans[0][0]).outputs["plan"] == ""
    assert desk.command(FIX, desk.report(make_finding("app.py", 5))).code == 0
    assert desk.replies()[0] == first
    assert "There is no proved fix to commit" in desk.replies()[1]
    assert len(desk.replies()) == 2


def test_a17_that_a_newer_comment_failed_answers_no_older_one(desk: Desk) -> None:
    older, newer = desk.say(FIX), desk.say(FIX)
    plans = [desk.authorise(each).outputs["plan"] for each in (older, newer)]
    assert desk.act(newer, plans[1]).code == 4, "its analysis failed"
    assert desk.act(older, plans[0], desk.report()).code == 0
    assert desk.file() != APP
    assert "Committed 2 proved fixes" in desk.replies()[0]
    assert len(desk.replies()) == 1


def test_a17_what_was_done_is_said_although_a_newer_comment_was_answered_meanwhile(desk: Desk) -> None:
    older, newer = desk.say(FIX), desk.say(FIX)
    plan = desk.authorise(older).outputs["plan"]
    said = f"Nothing to do.\n\n{ReplyMarker(topic(Command('fix')), newer.id, is_done=True)}"
    take = desk.server.faults.take

    def answer_the_newer(method: str, path: str) -> Any:
        if path.endswith("#updateRefs"):
            desk.say(said, "github-actions[bot]")
        return take(method, path)

    desk.server.faults.take = answer_the_newer  # type: ignore[method-assign]
    assert desk.act(older, plan, desk.report()).code == 0
    assert desk.replies()[0] == said
    assert "Committed 2 proved fixes" in desk.replies()[1]
    assert desk.authorise(newer).outputs["plan"] == ""


def test_a18_more_commands_than_the_quota_are_held_and_the_ledger_stays_small(desk: Desk) -> None:
    comments = [desk.say(f"/nootropic fp {NONE} {number}") for number in range(200)]
    for at in (0, QUOTA - 1):
        assert desk.authorise(comments[at]).outputs["plan"]
    for at in (QUOTA, QUOTA + 1, 199):
        step = desk.authorise(comments[at])
        assert (step.code, step.outputs["plan"]) == (0, "")
        assert not comments[at].reactions
    assert len(desk.replies()) == 1
    assert f"more than {QUOTA} commands within an hour" in desk.replies()[0]
    desk.repository.roles["olga"] = "write"
    assert desk.authorise(desk.say("/nootropic status", "olga")).outputs["plan"], "others are not held"


SECRET = "AKIA" + "QWERTYUIOPASDFGH"


def spoiled(replacement: str, *, path: str = "app.py", line: int = 5, **more: Any) -> Finding:
    source = make_source(path, APP)
    fix = make_suggestion(source, (line, line, replacement), id=FIX_NONE, source="model", model="m@1", **more)
    return make_finding(path, line, id=NONE, rule_id="none-comparison", suggestion=fix)


@pytest.mark.parametrize("words", [f"apply {FIX_NONE}", "fix", f"explain {NONE}"])
def test_a22_a_fix_that_holds_a_secret_is_neither_committed_nor_shown(desk: Desk, words: str) -> None:
    found = spoiled(f"    if value is None:  # {SECRET}\n")
    desk.command(f"/nootropic {words}", desk.report(found))
    assert desk.file() == APP
    (reply,) = desk.replies()
    assert SECRET not in reply
    assert "secret" in reply


@pytest.mark.parametrize("path", [".github/workflows/nootropic-review.yml", "poetry.lock"])
def test_a23_what_no_fix_may_touch_is_not_touched(desk: Desk, path: str) -> None:
    head = desk.head()
    desk.command("/nootropic fix", desk.report(spoiled("    x\n", path=path)))
    assert desk.head() == head
    assert "are never changed" in desk.replies()[0]


def test_a23_a_suggestion_that_is_not_for_this_file_is_refused(desk: Desk) -> None:
    fix = spoiled("    if value is None:\n")
    assert fix.suggestion is not None
    elsewhere = replace(fix.suggestion, edits=(replace(fix.suggestion.edits[0], start_line=1, end_line=1),))
    other_file = replace(fix.suggestion, edits=(replace(fix.suggestion.edits[0], path="run.sh"),))
    beyond = replace(fix.suggestion, edits=(replace(fix.suggestion.edits[0], start_line=400, end_line=400),))
    for wrong in (elsewhere, other_file, beyond):
        desk.command("/nootropic fix", desk.report(replace(fix, suggestion=wrong)))
        assert desk.file() == APP
        assert "Nothing was changed" in desk.replies()[0]


def test_a23_a_link_is_not_followed(desk: Desk) -> None:
    clone = desk.server.checkout(desk.repository, desk.folder / "clone")
    clone.git("switch", "--quiet", "patch")
    (clone.path / "link.py").symlink_to("app.py")
    clone.commit({})
    clone.git("push", "--quiet", "origin", "HEAD:patch")
    desk.command("/nootropic fix", desk.report(spoiled("    if value is None:\n", path="link.py")))
    assert desk.file() == APP
    assert "is a link or a submodule" in desk.replies()[0]


def test_a24_a_fix_that_silences_a_checker_is_refused(desk: Desk) -> None:
    desk.command("/nootropic fix", desk.report(spoiled("    if value == None:  # noqa\n")))
    assert desk.file() == APP
    assert "it silences a checker" in desk.replies()[0]


def test_a24_what_the_checks_did_not_all_pass_is_no_fix(desk: Desk) -> None:
    fix = spoiled("    if value is None:\n")
    assert fix.suggestion is not None
    checks = (*fix.suggestion.checks[:-1], replace(fix.suggestion.checks[-1], status="not_run"))
    claimed = replace(fix, suggestion=replace(fix.suggestion, checks=checks, verified=True))
    desk.command(f"/nootropic apply {FIX_NONE}", desk.report(claimed))
    assert desk.file() == APP
    assert "There is no finding" in desk.replies()[0]


def test_a46_texts_of_the_pull_request_act_on_nobody(server: GitHubServer, tmp_path: Path) -> None:
    from tests.support.reports import HOSTILE

    desk = Desk.open(server, tmp_path)
    first, second = both()
    hostile = replace(first, message=HOSTILE, rule_id="fixes #1 @team GH-7")
    desk.command(f"/nootropic explain {NONE}", desk.report(hostile, second))
    desk.command("/nootropic fix", desk.report(hostile, second))
    message = desk.repository.git.run("log", "-1", "--format=%B", desk.head()).decode()
    assert "#1" not in message
    assert "@team" not in message.split("Co-authored-by")[0]
    explanation = desk.replies()[0]
    for live in ("@team ", "fixes #1 ", "<script>", "](http://evil", "\u202e"):
        assert live not in explanation.split("```diff")[0].replace("`fixes #1 @team GH-7`", "")
