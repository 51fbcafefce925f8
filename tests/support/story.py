"""The story of one pull request: the files that it changes and what its author makes of them afterwards."""

from __future__ import annotations

from pathlib import Path

from nootropic_bot.workflowfiles import path_of, workflows
from tests.support.action_runner import Machine
from tests.support.github import records as r
from tests.support.github_server import GitHubServer
from tests.support.place import HOSTED, Place

PATH = "reports.py"
BEFORE = '''"""Reports that people upload."""

import yaml


def read(path):
    with open(path, encoding="utf-8") as stream:
        return yaml.safe_load(stream)
'''
# Four problems: two whose fix is one line, one whose fix adds an import as well, one whose fix adds lines.
OPENED = '''"""Reports that people upload."""

import random

import yaml


def read(path):
    with open(path, encoding="utf-8") as stream:
        return yaml.load(stream, Loader=yaml.Loader)


def title(report):
    if report.get("title") == None:
        return "(no title)"
    return report["title"].strip()


def share(report):
    token = "".join(random.choice("bcdfghjkmnpq") for _ in range(20))
    return f"/shared/{token}/{report['id']}"


def rows(report, seen={}):
    if report["id"] not in seen:
        seen[report["id"]] = [row for row in report["rows"] if row]
    return seen[report["id"]]
'''
UNSAFE, NONE, TOKEN, DEFAULT = "yaml-unsafe-loader", "none-comparison", "insecure-random", "mutable-default-argument"


def pushed_over(text: str) -> str:
    """The file with other code where the token was made."""
    old = '    token = "".join(random.choice("bcdfghjkmnpq") for _ in range(20))\n    return f"/shared/{token}/{report[\'id\']}"\n'
    new = "    return f\"/reports/{report['id']}\"\n"
    assert old in text
    return text.replace(old, new).replace("import random\n\n", "")


def edited(text: str) -> str:
    """The file with what the author made of the suggestion for the comparison with None."""
    old, new = 'if report.get("title") == None:', 'if report.get("title") is None or not report["title"].strip():'
    assert old in text
    return text.replace(old, new)


def set_up(server: GitHubServer, folder: Path) -> Place:
    """A repository of `octo` with our workflows on `main`; `mona` may write there, `eve` owns a fork."""
    repository = server.create_repository("octo/app")
    place = Place(server, repository, Machine(server, repository, folder), "")
    place.main = server.commit(repository, "main", {PATH: BEFORE, **workflows(HOSTED)}, "first")
    server.add_person("mona", repository, "write")
    server.add_workflow(repository, path_of("review"), "nootropic review")
    return place


def review_comment(pull: r.PullRequest, rule: str) -> r.ReviewComment:
    """The bot's comment on lines that names a rule."""
    (found,) = [each for each in pull.review_comments() if f"`{rule}`" in each.body and not each.is_reply]
    return found


def replies(pull: r.PullRequest) -> list[str]:
    """What the bot wrote in the conversation."""
    return [each.body for each in pull.comments if each.user.type == "Bot"]


def file_at_head(place: Place, pull: r.PullRequest) -> str:
    """The file as the pull request has it now."""
    place.server.sync()
    assert pull.head_repository is not None
    return pull.head_repository.git.run("show", f"{pull.head}:{PATH}").decode()
