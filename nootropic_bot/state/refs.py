"""Where the state lies: the names of its refs, here and on a remote.

    here                                 on the remote
    refs/nootropic/log/<writer>          refs/nootropic/log/<writer>      one writer's records, written by it alone
    refs/nootropic/base                  refs/nootropic/base              compacted records
    refs/nootropic/remote/…                                               what the remote had when last seen

With `state.namespace = "heads/nootropic"` the remote's names begin with `refs/heads/nootropic` instead; here nothing
changes. All names have a fixed depth (row F4), and a name that is not of this form is not ours and left alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

LOCAL = "refs/nootropic"
BASE = f"{LOCAL}/base"
TRACKED = f"{LOCAL}/remote"
TRACKED_BASE = f"{TRACKED}/base"
TRACKED_LOG = f"{TRACKED}/log/"
# What a rewritten remote ref holds now, while its old records are being saved.
INCOMING = f"{LOCAL}/incoming/"

_OURS = re.compile(rf"{LOCAL}(?:/remote)?/(?:base|log/[0-9a-f]{{16}})|{INCOMING}[0-9a-f]{{16}}")
_SUBJECT = re.compile(r"nootropic state: segment (\d{1,15}), clock (\d{1,16})(, closed)?")


def is_ours(name: str) -> bool:
    """Whether a local ref is part of the state."""
    return _OURS.fullmatch(name) is not None


def is_base(name: str) -> bool:
    """Whether a ref of the state holds compacted records."""
    return name.endswith("/base")


def is_log(name: str) -> bool:
    """Whether a ref of the state is one of this clone's own logs."""
    return name.startswith(f"{LOCAL}/log/")


def is_tracked(name: str) -> bool:
    """Whether a ref tells what the remote had."""
    return name.startswith(f"{TRACKED}/")


@dataclass(frozen=True, slots=True)
class Tip:
    """What the subject of a log's last commit says: how many segments, the last clock, and that no more will come."""

    segments: int
    clock: int
    closed: bool

    def subject(self) -> str:
        """The subject line. CI systems that watch branches skip such a commit."""
        return f"nootropic state: segment {self.segments}, clock {self.clock}{', closed' * self.closed} [skip ci]"

    @classmethod
    def parse(cls, subject: str) -> Tip:
        """From a subject line; one that is not ours is an open log that says nothing."""
        found = _SUBJECT.match(subject)
        return cls(int(found[1]), int(found[2]), bool(found[3])) if found else cls(0, 0, False)


@dataclass(frozen=True, slots=True)
class Namespace:
    """The remote's names; `prefix` is `refs/nootropic`, or a folder below `refs/heads`."""

    prefix: str

    @property
    def base(self) -> str:
        """The remote's base ref."""
        return f"{self.prefix}/base"

    def log(self, writer: str) -> str:
        """The remote's ref of a writer."""
        return f"{self.prefix}/log/{writer}"

    def patterns(self) -> tuple[str, str]:
        """For `git ls-remote`."""
        return self.base, f"{self.prefix}/log/*"

    def tracked(self, remote_refs: Mapping[str, str]) -> dict[str, str]:
        """The remote's refs by the names they have here; others are left out."""
        found = {}
        for name, oid in remote_refs.items():
            if name.startswith(f"{self.prefix}/"):
                here = f"{TRACKED}/{name[len(self.prefix) + 1 :]}"
                if is_ours(here):
                    found[here] = oid
        return found

    def on_remote(self, tracked: str) -> str:
        """The remote's name of a tracked ref."""
        return f"{self.prefix}/{tracked[len(TRACKED) + 1 :]}"
