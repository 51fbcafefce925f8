"""Reviews with a model, as people run them: a real repository, the real engine, and a server that answers the prompt."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator
from typing import Any

import pytest

from nootropic_bot.models.scripted import Scripted
from tests.support.model_server import (
    ModelServer,
    Step,
    answers,
    cut_body,
    drip,
    hang,
    raw,
    reset,
    says,
    status,
    unused_port,
)
from tests.support.models import group, review_with
from tests.support.models import says as says_edits
from tests.support.repo import Repo, Run

TEXT = "import pickle\n\n\ndef load(data):\n    return pickle.loads(data)\n"
FIXED = "import json\nimport pickle\n\n\ndef load(data):\n    return json.loads(data)\n"
OTHER = (
    "import hashlib\n\n\ndef make_token(user):\n    token = hashlib.md5(user.encode()).hexdigest()\n    return token\n"
)
BY_RULE = "import yaml\n\n\ndef read(text):\n    return yaml.load(text)\n"

_STATEMENT_LINE = re.compile(r"^(\d+)\| (.*)$", re.MULTILINE)


def mend(handler: Any) -> None:
    """Answer the prompt as a good model would: JSON for a rule that has no fix of its own."""
    prompt = handler.body["messages"][-1]["content"]
    edits = []
    for number, line in _STATEMENT_LINE.findall(prompt):
        new = line.replace("pickle.loads", "json.loads").replace("hashlib.md5", "hashlib.sha256")
        if new != line:
            edits.append({"line": int(number), "text": new})
    answers(json.dumps({"edits": edits}))(handler)


class Mender(ModelServer):
    """A model server that mends, unless it is told to misbehave."""

    def next_step(self) -> Step:
        with self._lock:
            return self._steps.pop(0) if self._steps else mend


@pytest.fixture(autouse=True)
def models_are_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOOTROPIC_MODEL")
    monkeypatch.setenv("NOOTROPIC_HOOK_BUDGET_SECONDS", "600")


@pytest.fixture
def server() -> Iterator[Mender]:
    server = Mender()
    with server:
        yield server


def configured(url: str, *, timeout: float = 20.0, more: str = "", backend: str = "") -> str:
    return (
        f'{more}\n[models]\norder = ["mine"]\ntimeout_seconds = {timeout}\n'
        f'[backend.mine]\nkind = "openai_compatible"\nurl = "{url}"\nmodel = "m"\nversion = "7"\n{backend}'
    )


def suggestions(run: Run) -> dict[str, dict[str, Any] | None]:
    return {f["path"]: f["suggestion"] for f in run.report["findings"]}


def model_notes(run: Run) -> list[str]:
    return [line for line in run.err.splitlines() if "asking models for fixes" in line]


# A fix by a model.


def test_a_model_fixes_what_no_rule_can(repo: Repo, server: Mender) -> None:
    repo.commit({"app.py": TEXT, "login.py": OTHER, "config.py": BY_RULE, "nootropic.toml": configured(server.url)})
    before = repo.state()
    run = repo.review("--all")
    found = suggestions(run)
    assert {path: s and (s["source"], s["model"], s["prompt"], s["verified"]) for path, s in found.items()} == {
        "app.py": ("model", "mine@7", "fix/v1", True),
        "login.py": ("model", "mine@7", "fix/v1", True),
        "config.py": ("rule", None, None, True),
    }
    assert found["app.py"] is not None
    assert "+    return json.loads(data)" in found["app.py"]["diff"]
    assert "+import json" in found["app.py"]["diff"]
    assert {check["status"] for check in found["app.py"]["checks"]} == {"passed"}
    assert len(server.bodies("chat/completions")) == 2  # What a rule fixes, no model is asked for.
    assert repo.state() == before
    text = repo.bot("review", "--all").out
    assert text.count("by model mine@7") == 2
    assert run.code == repo.bot("review", "--all", "--no-model").code


def test_what_it_cost_is_recorded(repo: Repo, server: Mender) -> None:
    prices = "prompt_price = 1.0\nanswer_price = 2.0\n"
    repo.commit({"app.py": TEXT, "login.py": OTHER, "nootropic.toml": configured(server.url, backend=prices)})
    repo.review("--all")
    (cost,) = records(repo, "cost")
    (run,) = records(repo, "run")
    assert cost["data"]["run"] == run["data"]["run"]
    assert (cost["data"]["backend"], cost["data"]["model"]) == ("mine", "mine@7")
    assert cost["data"]["input_tokens"] > 100
    assert cost["data"]["output_tokens"] > 10
    read, written = cost["data"]["input_tokens"], cost["data"]["output_tokens"]
    assert read + 2 * written <= cost["data"]["microdollars"] <= read + 2 * written + 2
    made = [record["data"] for record in records(repo, "suggestion")]
    assert [(data["source"], data["proof"]["model"], data["proof"]["prompt"]) for data in made] == [
        ("model", "mine@7", "fix/v1")
    ] * 2
    # Nothing is asked the second time, so nothing costs.
    repo.review("--all")
    assert len(records(repo, "cost")) == 1


def records(repo: Repo, kind: str) -> list[dict[str, Any]]:
    lines = repo.bot("state", "log", "--kind", kind, "--format", "json").out
    found: list[dict[str, Any]] = json.loads(lines)
    return found


def test_the_prompt_is_about_the_finding_and_nothing_else(repo: Repo, server: Mender) -> None:
    repo.commit({"app.py": TEXT, "nootropic.toml": configured(server.url), "secret.py": "PIN = 'not to be seen'\n"})
    repo.review("--all")
    (body,) = server.bodies("chat/completions")
    prompt = "\n".join(message["content"] for message in body["messages"])
    assert "1| return pickle.loads(data)" in prompt
    assert "Unpickling runs code" in prompt
    assert "pickle.loads($" not in prompt
    assert "becomes" in prompt  # An example of the rule.
    assert "not to be seen" not in prompt
    assert body["temperature"] == 0


def test_no_model_on_demand(repo: Repo, server: Mender, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.commit({"app.py": TEXT, "config.py": BY_RULE, "nootropic.toml": configured(server.url)})
    for run in (
        repo.review("--all", "--no-model"),
        repo.review("--all", env={"NOOTROPIC_MODEL": "0"}),
    ):
        found = suggestions(run)
        assert found["app.py"] is None
        assert found["config.py"] is not None
        assert not model_notes(run)
    repo.write("nootropic.toml", configured(server.url).replace("[models]", "[models]\nenabled = false"))
    repo.git("add", "-A")
    assert suggestions(repo.review("--all"))["app.py"] is None
    assert not server.seen


def test_the_second_run_asks_nobody(repo: Repo, server: Mender) -> None:
    repo.commit({"app.py": TEXT, "nootropic.toml": configured(server.url)})
    first = repo.review("--all")
    asked = len(server.seen)
    assert asked == 1
    second = repo.review("--all")
    assert suggestions(second) == suggestions(first)
    assert len(server.seen) == asked
    # What was proved is forgotten, what was answered is not.
    (proofs,) = [path for path in (repo.path / ".git").rglob("proofs") if path.is_dir()]
    shutil.rmtree(proofs)
    assert suggestions(repo.review("--all")) == suggestions(first)
    assert len(server.seen) == asked
    # Another version of the model is another model.
    repo.write("nootropic.toml", configured(server.url).replace('version = "7"', 'version = "8"'))
    again = suggestions(repo.review("--all"))["app.py"]
    assert again is not None
    assert again["model"] == "mine@8"
    assert len(server.seen) == asked + 1


def test_apply_writes_a_proved_fix_of_a_model(repo: Repo, server: Mender) -> None:
    repo.commit({"app.py": TEXT, "both.py": TEXT + BY_RULE, "nootropic.toml": configured(server.url)})
    run = repo.bot("review", "--all", "--apply")
    assert (repo.path / "app.py").read_text() == FIXED
    both = (repo.path / "both.py").read_text()
    assert "json.loads(data)" in both
    assert "yaml.safe_load(text)" in both
    assert "mine@7" in run.out
    assert repo.bot("review", "--all").code == 0


# The hook.


def test_a_hook_shows_a_models_fix_but_does_not_apply_it(repo: Repo, server: Mender) -> None:
    repo.commit({"nootropic.toml": configured(server.url)})
    repo.stage({"app.py": TEXT, "config.py": BY_RULE})
    run = repo.bot("hook", "--fix")
    assert "by model mine@7" in run.out
    assert (repo.path / "app.py").read_text() == TEXT
    assert (repo.path / "config.py").read_text() == BY_RULE.replace("yaml.load", "yaml.safe_load")


def test_a_hook_does_not_apply_a_models_fix_in_a_file_that_a_rule_fixes(repo: Repo, server: Mender) -> None:
    """Proposing again for what is left of the file asks no model either."""
    repo.commit({"nootropic.toml": configured(server.url)})
    repo.stage({"app.py": TEXT + BY_RULE})
    repo.bot("hook", "--fix")
    written = (repo.path / "app.py").read_text()
    assert "yaml.safe_load" in written
    assert "pickle.loads(data)" in written


def test_a_hook_applies_a_models_fix_where_it_is_wanted(repo: Repo, server: Mender) -> None:
    repo.commit({"nootropic.toml": configured(server.url, more="[hook]\napply_model_fixes = true")})
    repo.stage({"app.py": TEXT})
    run = repo.bot("hook", "--fix")
    assert (repo.path / "app.py").read_text() == FIXED
    assert run.code == 1
    assert "fixed 1 in app.py" in run.out


def test_a_hook_without_a_model(repo: Repo, server: Mender) -> None:
    repo.commit({"nootropic.toml": configured(server.url)})
    repo.stage({"app.py": TEXT})
    run = repo.bot("hook", "--no-model")
    assert "pickle-load" in run.out
    assert "model" not in run.out + run.err
    assert not server.seen


def test_a_hook_does_not_wait_for_a_slow_model(repo: Repo, server: Mender) -> None:
    """Its time is over when its budget is: the finding is shown all the same."""
    repo.commit({"nootropic.toml": configured(server.url)})
    repo.stage({"app.py": TEXT, "other.py": TEXT})
    repo.bot("hook", "--no-model")  # The engine's part is remembered, so the budget is the model's.
    server.misbehave(*[hang] * 20)
    begin = time.monotonic()
    run = repo.bot("hook", env={"NOOTROPIC_HOOK_BUDGET_SECONDS": "3"})
    assert time.monotonic() - begin < 9
    assert run.out.count("pickle-load") >= 2
    assert len(model_notes(run)) == 1


# Servers that fail (F22).


@pytest.mark.parametrize(
    "step",
    [
        status(500, "oops"),
        status(503, {"error": {"message": "loading"}}),
        status(401, {"error": {"message": "no key"}}),
        status(429, {"error": {"message": "slow down"}}, {"retry-after": "3600"}),
        raw(b"not json"),
        raw(b""),
        raw(b"\xff\xfe\x00", "text/html"),
        says({"choices": []}),
        says([1, 2]),
        answers(None),
        answers(""),
        answers("I think you should use json."),
        answers('{"edits": [{"line": 99, "text": "x"}]}'),
        answers('{"edits": [{"line": 1, "text": "pass"}]}'),
        answers("[" * 50_000),
        hang,
        reset,
        cut_body,
        drip(),
    ],
    ids=[
        "500", "503", "401", "429", "text", "nothing", "bytes", "no choices", "a list", "null", "empty", "prose",
        "another line", "a deletion", "deep", "hang", "reset", "cut", "drip",
    ],
)  # fmt: skip
def test_findings_are_shown_whatever_the_server_does(repo: Repo, server: Mender, step: Step) -> None:
    repo.commit({"app.py": TEXT, "config.py": BY_RULE, "nootropic.toml": configured(server.url, timeout=0.7)})
    plain = repo.review("--all", "--no-model")
    server.misbehave(*[step] * 50)
    run = repo.review("--all")
    found = suggestions(run)
    assert found["app.py"] is None
    assert found["config.py"] is not None
    assert run.code == plain.code
    assert len(model_notes(run)) <= 1
    assert run.report["complete"]


def test_a_server_that_is_down_is_said_once(repo: Repo) -> None:
    url = f"http://127.0.0.1:{unused_port()}/v1"
    repo.commit({"app.py": TEXT, "b.py": TEXT, "c.py": OTHER, "nootropic.toml": configured(url)})
    run = repo.review("--all")
    assert set(suggestions(run).values()) == {None}
    assert len(run.report["findings"]) == 3
    (note,) = model_notes(run)
    assert "mine" in note
    assert run.code == repo.review("--all", "--no-model").code


def test_a_server_that_comes_back_is_asked_again(repo: Repo, server: Mender) -> None:
    repo.commit({"app.py": TEXT, "nootropic.toml": configured(server.url, timeout=2)})
    server.misbehave(*[status(500, "oops")] * 4)
    assert suggestions(repo.review("--all"))["app.py"] is None
    server.misbehave()
    while server.next_step() is not mend:
        pass
    assert suggestions(repo.review("--all"))["app.py"] is not None


def test_a_budget_holds_over_runs(repo: Repo, server: Mender) -> None:
    budget = "[models.budget]\ntokens_per_day = 300\n"
    repo.commit({"app.py": TEXT, "nootropic.toml": configured(server.url) + budget})
    assert suggestions(repo.review("--all"))["app.py"] is not None
    repo.commit({"other.py": OTHER})
    run = repo.review("--all")
    assert suggestions(run)["other.py"] is None
    assert suggestions(run)["app.py"] is not None
    (note,) = model_notes(run)
    assert "budget of 300 tokens is used up" in note
    assert len(server.bodies("chat/completions")) == 1


def test_a_model_of_the_configuration_that_is_not_installed(repo: Repo) -> None:
    repo.commit({"app.py": TEXT, "nootropic.toml": '[models]\norder = ["qwen2.5-coder-1.5b", "no-such-model"]\n'})
    run = repo.review("--all")
    assert suggestions(run) == {"app.py": None}
    assert run.code == repo.review("--all", "--no-model").code
    assert 1 <= len(model_notes(run)) <= 2
    assert "models pull" in run.err


def test_a_cloud_is_not_asked_unless_it_is_allowed(repo: Repo) -> None:
    settings = '[models]\norder = ["far"]\n[backend.far]\nkind = "openai"\nmodel = "gpt-x"\n'
    repo.commit({"app.py": TEXT, "nootropic.toml": settings})
    run = repo.review("--all", env={"OPENAI_API_KEY": "sk-never-shown"})
    assert suggestions(run) == {"app.py": None}
    (note,) = model_notes(run)
    assert "allow_cloud" in note
    assert "sk-never-shown" not in run.out + run.err


def test_a_damaged_lock_is_an_error_of_use(repo: Repo) -> None:
    repo.commit({"app.py": TEXT, "nootropic.lock": "version = \n"})
    run = repo.bot("review", "--all")
    assert run.code == 2
    assert "nootropic.lock" in run.err
    # Where no model is wanted, nobody asks for it.
    assert repo.bot("review", "--all", "--no-model").code != 2


def test_another_group_is_asked_where_nothing_was_proved(repo: Repo) -> None:
    repo.commit({"app.py": TEXT, "other.py": TEXT.replace("load(", "fetch(").replace("pickle.fetch", "pickle.load")})
    wrong, right = says_edits((1, "return pickle.loads(data, x=1)")), says_edits((1, "return json.loads(data)"))
    small = Scripted([wrong, right], name="small@1")
    large = Scripted([right], name="large@1")
    reviewed = review_with(repo, [group(small), group(large)])
    made = {finding.path: finding.suggestion for finding in reviewed.findings("pickle-load")}
    assert {path: s and (s.model, s.verified) for path, s in made.items()} == {
        "app.py": ("large@1", True),
        "other.py": ("small@1", True),
    }
    assert (len(small.requests), len(large.requests)) == (2, 1)
    assert not reviewed.notes
