"""Makes docs/pull-request.png: what the bot writes on a pull request, played against the server of the tests.

python docs/make_pull_request_picture.py [--page FILE]

Every text is the program's own: our workflows analyse and post on a GitHub of the tests' own, GitHub's own parser turns
the Markdown into HTML, and a browser draws it. `--page` keeps the HTML. Needs Chromium and a
font with coloured emoji (Debian: `chromium fonts-noto-core fonts-noto-color-emoji`).
"""

from __future__ import annotations

import html
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.support import story
from tests.support.gfm import render
from tests.support.github import records as r
from tests.support.github_server import GitHubServer

WIDTH, SCALE = 920, 1.25
# The page says how high it is, so that nothing has to be cut off the picture.
_MEASURE = "<script>document.body.dataset.height = document.documentElement.scrollHeight</script>"
_HEIGHT = re.compile(r'data-height="(\d+)"')
_ALERT = re.compile(r"<blockquote>\s*<p>\[!(\w+)\](?:<br />)?")
_SUGGESTION = re.compile(r'<pre lang="suggestion"><code>(.*?)</code></pre>', re.DOTALL)
_DIFF = re.compile(r'<pre lang="diff"><code>(.*?)</code></pre>', re.DOTALL)
_HUNK_LINES = 4
STYLE = Path(__file__).with_name("pull-request.css")


def comment(login: str, body: str, *, is_bot: bool = False, old: Iterable[str] = (), is_wide: bool = False) -> str:
    """A comment as a box. `old`: the lines that a suggestion in it replaces."""
    mark = '<span class="bot">bot</span>' if is_bot else ""
    name = html.escape(login.removesuffix("[bot]"))
    head = f'<div class="head"><b>{name}</b>{mark} commented</div>'
    kind = "box" if is_wide else "box inner"
    return f'<div class="{kind}">{head}<div class="body">{markdown(body, old)}</div></div>'


def markdown(body: str, old: Iterable[str] = ()) -> str:
    """Markdown as GitHub shows it, with the blocks that its pages draw in a way of their own."""
    text = _ALERT.sub(lambda found: f'<blockquote class="alert"><p><b>{found[1].capitalize()}</b><br>', render(body))
    text = _SUGGESTION.sub(lambda found: _suggestion(found[1], old), text)
    return _DIFF.sub(lambda found: f"<pre>{''.join(_colored(found[1]))}</pre>", text)


def _suggestion(new: str, old: Iterable[str]) -> str:
    rows = [f'<tr class="minus"><td>- {html.escape(line)}</td></tr>' for line in old]
    rows += [f'<tr class="plus"><td>+ {line}</td></tr>' for line in new.removesuffix("\n").split("\n")]
    table = f'<table class="code">{"".join(rows)}</table>'
    button = '<div class="apply"><span>Commit suggestion</span></div>'
    return f'<div class="suggested"><div>Suggested change</div>{table}{button}</div>'


def _colored(diff: str) -> Iterator[str]:
    kinds = {"-": "minus", "+": "plus", "@": "at"}
    for line in diff.splitlines():
        kind = kinds.get(line[:1], "")
        yield f'<span class="{kind}" style="display: block">{line or " "}</span>'


def thread(found: r.Thread, source: str) -> str:
    """A comment on lines: the end of its hunk, the comment and its replies. `source`: the file as it was then."""
    anchor = found.anchor
    last = anchor.line or 1
    lines = source.split("\n")[(anchor.start_line or last) - 1 : last]
    hunk = anchor.hunk.splitlines()[-max(_HUNK_LINES, len(lines)) :]
    kinds = {"-": "minus", "+": "plus", "@": "at"}
    rows = "".join(f'<tr class="{kinds.get(line[:1], "")}"><td>{html.escape(line)}</td></tr>' for line in hunk)
    said = "".join(
        comment(each.user.login, each.body, is_bot=each.user.type == "Bot", old=lines) for each in found.comments
    )
    head = f'<div class="head path">{html.escape(anchor.path)}</div>'
    return f'<div class="box">{head}<table class="code">{rows}</table>{said}</div>'


def page(pull: r.PullRequest, parts: Iterable[str]) -> str:
    """A whole page."""
    title = f"<h1>{html.escape(pull.title)} <span>#{pull.number}</span></h1>"
    where = f"<code>{pull.base_branch}</code> from <code>{pull.head_owner.login}:{pull.head_branch}</code>"
    state = f'<p><span class="state">Open</span><b>{pull.user.login}</b> wants to merge into {where}</p>'
    head = f'<meta charset="utf-8"><style>{STYLE.read_text(encoding="utf-8")}</style>'
    return f"<!doctype html><html><head>{head}</head><body>{title}{state}{''.join(parts)}{_MEASURE}</body></html>"


def played(folder: Path) -> str:
    """The page of a fork's pull request after the first review, and what a maintainer asks then."""
    with GitHubServer(folder / "github") as server:
        place = story.set_up(server, folder / "machine")
        pull = place.open("reports", fork="eve", title="Share reports", **{story.PATH: story.OPENED})
        place.analyse(pull)
        place.publish(pull)
        chosen = [story.review_comment(pull, rule).thread for rule in (story.UNSAFE, story.TOKEN, story.DEFAULT)]
        posted = [thread(each, story.OPENED) for each in chosen]
        (summary,) = story.replies(pull)
        identity = chosen[-1].comments[0].body.partition("/nootropic fp ")[2].partition(" ")[0]
        said = f"/nootropic fp {identity} the cache is meant to be shared"
        place.say(pull, said)
        (review,) = pull.reviews
        return page(
            pull,
            [
                comment(review.user.login, review.body, is_bot=True, is_wide=True),
                *posted[:2],
                comment("github-actions", summary, is_bot=True, is_wide=True),
                comment("mona", said, is_wide=True),
                comment("github-actions", story.replies(pull)[-1], is_bot=True, is_wide=True),
            ],
        )


def draw(source: Path, target: Path) -> None:
    """A picture of a page, as high as the page is."""
    found = _HEIGHT.search(_browse(source, "--dump-dom"))
    if found is None:
        raise SystemExit("error: the browser did not say how high the page is")
    _browse(
        source, f"--screenshot={target}", f"--force-device-scale-factor={SCALE}", f"--window-size={WIDTH},{found[1]}"
    )


def _browse(source: Path, *options: str) -> str:
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        raise SystemExit("error: there is no Chromium\n→ install the package `chromium`")
    headless = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--window-size={WIDTH},100"]
    command = [browser, *headless, *options, source.as_uri()]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main() -> None:
    """Play the story and draw it."""
    os.environ.setdefault("NOOTROPIC_MODEL", "0")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "page.html")
        source.write_text(played(Path(folder)), encoding="utf-8")
        if sys.argv[1:2] == ["--page"] and len(sys.argv) == 3:
            shutil.copy(source, sys.argv[2])
        draw(source, Path(__file__).with_name("pull-request.png"))


if __name__ == "__main__":
    main()
