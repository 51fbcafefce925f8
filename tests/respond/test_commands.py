"""Every command, from the comment to what it changed, against the server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from nootropic_bot.records import Finding
from nootropic_bot.respond.grammar import Verb
from tests.support.github import records as r
from tests.support.github_server import GitHubServer
from tests.support.repo import Repo
from tests.support.reports import make_finding, make_source, make_suggestion
from tests.support.respond import APP, FIX_NONE, FIX_YAML, NONE, YAML, Desk, both

FIXED_NONE = APP.replace("value == None", "value is None")
FIXED = FIXED_NONE.replace("yaml.load(", "yaml.safe_load(")


def test_apply_commits_one_suggestion(desk: Desk) -> None:
    before = desk.head()
    report = desk.report()
    done = desk.command(f"/nootropic apply {FIX_NONE[:8]}", report)
    assert done.code == 0, done
    after = desk.head()
    assert desk.file() == FIXED_NONE
    git = desk.repository.git
    assert git.line("rev-parse", f"{after}^") == before
    message = git.run("log", "-1", "--format=%B", after).decode()
    assert message.startswith("Fix none-comparison\n\n- none-comparison: app.py, line 5 (by rule)\n\nProved on ")
    assert f"Proved on {before}: scope, parse, names, signature, bounded, gone, nothing new." in message
    mona = desk.server.hub.user("mona")
    assert message.rstrip().endswith(f"Co-authored-by: mona <{mona.id}+mona@users.noreply.github.com>")
    (reply,) = desk.replies()
    assert f"Committed 1 proved fix in `{after[:10]}`" in reply
    assert "The review was started again" in reply
    (run,) = desk.server.hub.runs.values()
    assert (run.event, run.head_branch, run.head) == ("workflow_dispatch", "patch", after)
    (outcome,) = desk.records("outcome")
    assert (outcome["suggestion"], outcome["result"], outcome["commit"]) == (FIX_NONE, "accepted", after)


def test_authorise_says_what_is_to_be_analysed(desk: Desk) -> None:
    comment = desk.say("/nootropic fix")
    step = desk.authorise(comment)
    assert (step.code, step.outputs["needs-analysis"]) == (0, "true")
    assert (step.outputs["base"], step.outputs["head"]) == (desk.pull.base, desk.pull.head)
    assert step.outputs["pull-request"] == str(desk.pull.number)
    assert json.loads(step.outputs["plan"])["command"]["verb"] == "fix"
    assert [(each.content, each.user.login) for each in comment.reactions] == [("eyes", "github-actions[bot]")]
    assert desk.replies() == []


def test_fix_commits_all_that_is_proved_at_once(desk: Desk) -> None:
    assert desk.command("/nootropic fix", desk.report()).code == 0
    assert desk.file() == FIXED
    message = desk.repository.git.run("log", "-1", "--format=%B", desk.head()).decode()
    assert message.startswith("Apply 2 proved fixes\n")
    assert "- yaml-unsafe-load: app.py, line 7 (by model fixer v1)" in message
    assert {each["suggestion"] for each in desk.records("outcome")} == {FIX_NONE, FIX_YAML}


def test_what_touches_the_same_lines_is_left_for_the_next_time(desk: Desk) -> None:
    none, unsafe = both()
    again = make_finding("app.py", 5, id="cc" * 10, rule_id="other-rule", suggestion=none.suggestion)
    clash = make_suggestion(make_source("app.py", APP), (5, 6, "    if value is None: return None\n"), id="c1" * 8)
    third = make_finding("app.py", 5, id="dd" * 10, rule_id="third-rule", suggestion=clash)
    assert desk.command("/nootropic fix", desk.report(none, again, third, unsafe)).code == 0
    assert desk.file() == FIXED, "equal edits are made once, a clashing one is not"
    (reply,) = desk.replies()
    assert f"- `{'c1' * 8}` (`third-rule` at `app.py:5`): it touches the same lines as another fix" in reply


def test_a_file_keeps_its_mode_and_its_line_ends(desk: Desk) -> None:
    text = APP.replace("\n", "\r\n")
    clone = desk.server.checkout(desk.repository, desk.folder / "clone")
    clone.git("switch", "--quiet", "patch")
    clone.write("app.py", text).chmod(0o755)
    clone.commit({})
    clone.git("push", "--quiet", "origin", "HEAD:patch")
    report = desk.report(*_crlf_findings(text))
    assert desk.command("/nootropic fix", report).code == 0
    assert desk.file() == FIXED.replace("\n", "\r\n")
    assert desk.repository.git.line("ls-tree", desk.head(), "app.py").startswith("100755 ")


def _crlf_findings(text: str) -> Iterator[Finding]:
    source = make_source("app.py", text)
    edits = ((5, "    if value is None:\r\n", NONE), (7, "    return yaml.safe_load(text)\r\n", YAML))
    for line, new, identity in edits:
        fix = make_suggestion(source, (line, line, new), id=identity[:16])
        yield make_finding("app.py", line, id=identity, suggestion=fix)


def test_on_a_fork_the_patch_is_posted_and_applies(server: GitHubServer, tmp_path: Path) -> None:
    desk = Desk.open(server, tmp_path, fork=True)
    head = desk.head()
    assert desk.command("/nootropic fix", desk.report()).code == 0
    assert desk.head() == head
    assert server.log.count("POST", r".*/git/") == 0
    (reply,) = desk.replies()
    patch = re.search(r"```diff\n(.*?)```\n", reply, re.DOTALL)
    assert patch is not None
    assert "git apply fix.patch" in reply
    fork = Repo(tmp_path / "fork")
    Repo(tmp_path).git("clone", "--quiet", "--branch", "patch", str(desk.pull.head_repository.git.path), "fork")
    fork.git("apply", feed=patch[1].encode())
    assert (fork.path / "app.py").read_text() == FIXED
    assert desk.records("outcome") == [], "nobody has taken it yet"


def test_a_patch_that_would_not_survive_a_comment_is_not_posted(server: GitHubServer, tmp_path: Path) -> None:
    text = APP.replace("\n", "\r\n")
    desk = Desk.open(server, tmp_path, fork=True, app=text)
    assert desk.command("/nootropic fix", desk.report(*_crlf_findings(text))).code == 0
    (reply,) = desk.replies()
    assert "```diff" not in reply
    fetch, review = re.findall(r"`(git fetch [^`]+|nootropic-bot review [^`]+)`", reply)
    # What is said there works in a clone of the fork that does not have the base.
    fork = Repo(tmp_path / "fork")
    assert desk.pull.head_repository is not None
    Repo(tmp_path).git("init", "--quiet", "fork")
    fork.git("fetch", "--quiet", "--depth=1", str(desk.pull.head_repository.git.path), "patch")
    fork.git("checkout", "--quiet", "FETCH_HEAD")
    fork.git(*fetch.split()[1:])
    done = fork.bot(*review.split()[1:], "--no-model")
    assert b"value is None" in (fork.path / "app.py").read_bytes(), done


def test_explain_tells_why_what_is_proved_and_where_to_read_on(desk: Desk) -> None:
    assert desk.command(f"/nootropic explain {YAML[:8]}", desk.report()).code == 0
    (reply,) = desk.replies()
    for part in (
        "🔴 **error** · `yaml-unsafe-load` · `app.py:7`",
        "This builds any object.",
        "+    return yaml.safe_load(text)",
        "scope ✓",
        "fixer@v1",
        "confidence of the model is 97%",
        f"`/nootropic apply {FIX_YAML}`",
    ):
        assert part in reply
    assert re.search(r"^- <https://", reply, re.MULTILINE)


def test_the_author_of_a_fork_may_ask_but_neither_change_nor_start_anything(
    server: GitHubServer, tmp_path: Path
) -> None:
    desk = Desk.open(server, tmp_path, fork=True)
    for words in ("status", "help", ""):
        comment = desk.say(f"/nootropic {words}", "eve")
        outputs = desk.authorise(comment).outputs
        assert outputs["needs-analysis"] == "false"
        assert desk.act(comment, outputs["plan"]).code == 0
    refused = (f"explain {NONE}", "review", "fix", f"apply {FIX_NONE}", f"fp {NONE} no", "ignore x")
    for words in (*refused, f"feedback {NONE} up"):
        assert desk.authorise(desk.say(f"/nootropic {words}", "eve")).outputs["plan"] == ""
    assert len(desk.replies()) == 3, "one denial for all of them"


def test_a_decision_is_taken_back_in_a_fresh_clone_as_the_reply_says(desk: Desk) -> None:
    assert desk.command(f"/nootropic fp {NONE} no", desk.report()).code == 0
    (reply,) = desk.replies()
    words = re.findall(r"`nootropic-bot ([^`]+)`", reply)
    assert words == ["state sync", "triage list", "triage remove ID", "state sync"]
    clone = Repo(desk.folder / "fresh")
    desk.server.checkout(desk.repository, clone.path)
    identity = ""
    for each in words:
        done = clone.bot(*each.replace("ID", identity).split())
        assert done.code == 0, done
        identity = done.out.split(" ")[0] if each == "triage list" else identity
    assert sorted(each["action"] for each in desk.records("triage")) == ["add", "remove"]
    assert clone.bot("triage", "list").out == "no decisions\n"


def post(desk: Desk, line: int, finding: str, rule_id: str, token: str = "bot") -> int:
    """A comment on a line, as publishing leaves it."""
    body = f"🟡 **warning** · `{rule_id}`\n\nSomething.\n\n<!-- nootropic:v1 finding={finding} -->"
    pull = desk.server.client(token).get_repo("octo/app").get_pull(desk.pull.number)
    made = pull.create_review(body="Found.", event="COMMENT", comments=[{"path": "app.py", "line": line, "body": body}])
    return next(iter(pull.get_single_review_comments(made.id))).id


def test_a_false_positive_is_recorded_and_its_comment_says_so(desk: Desk) -> None:
    number = post(desk, 5, NONE, "none-comparison")
    other = post(desk, 7, YAML, "yaml-unsafe-load")
    done = desk.command(f"/nootropic fp {NONE[:8]} the ORM overloads it, see @docs #1", desk.report())
    assert done.code == 0, done
    (triage,) = desk.records("triage")
    assert {key: triage[key] for key in ("action", "finding", "rule_id", "path", "author", "reason")} == {
        "action": "add",
        "finding": NONE,
        "rule_id": "none-comparison",
        "path": "app.py",
        "author": "mona",
        "reason": "the ORM overloads it, see @docs #1",
    }
    assert "pull_request" not in triage
    comment = desk.server.find_comment(number)
    assert comment.body.startswith("**Marked as a false positive** by `mona`: the ORM overloads it, see @&#8203;docs")
    assert "🟡 **warning** · `none-comparison`" in comment.body
    assert f"<!-- nootropic:v1 finding={NONE} fixed={desk.head()} -->" in comment.body
    assert comment.thread.resolved_by is not None
    assert desk.server.find_comment(other).thread.resolved_by is None
    assert desk.command("/nootropic ignore none-comparison").code == 0
    assert len(desk.records("triage")) == 2, "what a comment is about can still be told"
    assert "is a false positive, says `mona`" in desk.replies()[0]
    assert "#1" not in desk.replies()[0]


@pytest.mark.parametrize(("named", "is_known"), [("my-app[bot]", True), ("other-app[bot]", False)])
def test_what_an_app_of_ours_posted_is_settled_by_the_workflows_answer(
    server: GitHubServer, tmp_path: Path, named: str, is_known: bool
) -> None:
    """`[publish] accounts` of the base; the comment is another account's, so its text stays as it is."""
    desk = Desk.open(server, tmp_path, config=f'[publish]\naccounts = ["{named}"]\n')
    server.add_token("ours", "my-app[bot]", permissions=r.WRITE_ALL)
    comment = server.find_comment(post(desk, 5, NONE, "none-comparison", token="ours"))
    before = comment.body
    assert desk.command(f"/nootropic fp {NONE[:8]} the ORM overloads it", desk.report()).code == 0
    assert (comment.thread.resolved_by is not None, comment.body) == (is_known, before)


def test_a_rule_is_ignored_in_this_pull_request_only(desk: Desk) -> None:
    number = post(desk, 5, NONE, "none-comparison")
    assert desk.command("/nootropic ignore none-comparison").code == 0
    (triage,) = desk.records("triage")
    assert (triage["rule_id"], triage["pull_request"]) == ("none-comparison", desk.pull.number)
    assert desk.server.find_comment(number).thread.resolved_by is not None
    clone = Repo(desk.work)
    clone.git("fetch", "--quiet", "origin", "patch")
    clone.git("checkout", "--quiet", "FETCH_HEAD")
    range_ = ("--base", desk.pull.base, "--head", "HEAD", "--no-model")
    clone.bot("state", "sync")
    assert "none-comparison" not in clone.review(*range_, "--pull-request", str(desk.pull.number)).rules_in_scope()
    assert "none-comparison" in clone.review(*range_, "--pull-request", "99").rules_in_scope()


def test_a_rule_that_found_nothing_here_is_not_ignored(desk: Desk) -> None:
    post(desk, 5, NONE, "none-comparison")
    assert desk.command("/nootropic ignore none-comparisn").code == 0
    assert "Did you mean `none-comparison`?" in desk.replies()[0]
    assert desk.records("triage") == []


@pytest.mark.parametrize("vote", ["up", "down"])
def test_feedback_is_recorded(desk: Desk, vote: str) -> None:
    post(desk, 5, NONE, "none-comparison")
    assert desk.command(f"/nootropic feedback {NONE[:9]} {vote}").code == 0
    (note,) = desk.records("note")
    assert (note["finding"], note["vote"], note["rule_id"], note["author"]) == (NONE, vote, "none-comparison", "mona")


def test_status_tells_what_is_known(desk: Desk) -> None:
    post(desk, 5, NONE, "none-comparison")
    desk.command("/nootropic ignore none-comparison")
    desk.command("/nootropic status")
    reply = desk.replies()[1]
    assert "The pull request is open, its branch of this repository" in reply
    assert "No review of it is recorded; `/nootropic review` makes one." in reply
    assert "0 open comments of the bot on the diff" in reply
    assert f"Does not count here: `none-comparison`, ignored in pull request {desk.pull.number} (mona)." in reply


def test_help_lists_every_command(desk: Desk) -> None:
    step = desk.command("/nootropic")
    assert step.code == 0
    for verb in get_args(Verb):
        assert f"`/nootropic {verb}" in desk.replies()[0]


def test_a_beginning_that_fits_several_or_nothing_is_answered_with_what_there_is(desk: Desk) -> None:
    findings = [make_finding("app.py", line, id=f"12345678{line:012x}") for line in (5, 6)]
    desk.command("/nootropic explain 12345678", desk.report(*findings))
    assert "`12345678` is the beginning of 2 findings" in desk.replies()[0]
    assert f"- `12345678{5:012x}`" in desk.replies()[0]
    desk.command("/nootropic apply 99999999", desk.report())
    assert "There is no finding `99999999` here. There are:" in desk.replies()[1]


def test_the_same_command_is_answered_in_the_same_place(desk: Desk) -> None:
    desk.command("/nootropic status")
    first = desk.replies()
    desk.server.commit(desk.repository, "patch", {"b.py": "b = 1\n"})
    desk.command("/nootropic status")
    assert len(desk.replies()) == 1
    assert desk.replies() != first
    assert f"its head `{desk.head()[:10]}`" in desk.replies()[0]


def test_what_is_no_command_is_answered_with_what_would_be(desk: Desk) -> None:
    step = desk.command("/nootropic aply @team")
    assert (step.code, step.outputs["plan"]) == (0, "")
    assert "Did you mean `apply`?" in desk.replies()[0]
    assert "@team" not in desk.replies()[0]
