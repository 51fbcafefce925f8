"""Markdown as GitHub shows it in comments: GitHub's own parser, with the options that its pages use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

import cmarkgfm
from cmarkgfm.cmark import Options

# HTML is passed on (a sanitizer comes behind it on GitHub), a line end breaks the line, and a block says its language.
_OPTIONS = Options.CMARK_OPT_UNSAFE | Options.CMARK_OPT_HARDBREAKS | Options.CMARK_OPT_GITHUB_PRE_LANG
_EMPTY = frozenset({"br", "hr", "img", "input"})


def render(text: str) -> str:
    """A comment's HTML, before GitHub sanitizes it: what was not meant to be HTML shows."""
    html: str = cmarkgfm.github_flavored_markdown_to_html(text, options=_OPTIONS)
    return html


@dataclass
class Page(HTMLParser):
    """What is on a page. `blocks`: the languages of code blocks; `prose`: the text outside of code, line by line;
    `unbalanced`: end tags that close nothing open; `open`: what is not closed at the end."""

    tags: Counter[str] = field(default_factory=Counter)
    links: list[str] = field(default_factory=list)
    attributes: set[tuple[str, str]] = field(default_factory=set)
    blocks: list[str] = field(default_factory=list)
    code: list[str] = field(default_factory=list)
    prose: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    unbalanced: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    @classmethod
    def of(cls, text: str) -> Page:
        """The page of a text in Markdown."""
        page = cls()
        page.feed(render(text))
        page.close()
        return page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes |= {(tag, name) for name, _value in attrs}
        given = dict(attrs)
        if tag == "a":
            self.links.append(given.get("href") or "")
        if tag == "pre":
            self.blocks.append(given.get("lang") or "")
            self.code.append("")
        if tag not in _EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open and self.open[-1] == tag:
            self.open.pop()
        elif tag not in _EMPTY:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        if "pre" in self.open:
            self.code[-1] += data
        elif "code" not in self.open:
            self.prose.append(data)

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def code_of(self, language: str) -> Iterator[str]:
        """The text of the blocks of a language."""
        return (code for given, code in zip(self.blocks, self.code, strict=True) if given == language)
