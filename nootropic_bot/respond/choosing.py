"""What a person means by the beginning of an id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nootropic_bot.records import Finding
from nootropic_bot.respond.patching import Fix, proved


class Unclear(Exception):
    """A beginning that fits nothing, or several; `fitting` are those, `known` is all there is, by id what each is."""

    def __init__(self, given: str, fitting: Mapping[str, str], known: Mapping[str, str]) -> None:
        super().__init__(given)
        self.given = given
        self.fitting = dict(fitting)
        self.known = dict(known)


def the_one(given: str, ids: Mapping[str, str]) -> str:
    """The id that begins like that; `ids` says of each what it is.

    Raises:
        Unclear: there is none, or there are several.
    """
    fitting = {each: ids[each] for each in sorted(ids) if each.startswith(given)}
    if given in fitting:
        return given
    if len(fitting) != 1:
        raise Unclear(given, fitting, {each: ids[each] for each in sorted(ids)})
    return next(iter(fitting))


def the_finding(given: str, findings: Sequence[Finding]) -> Finding:
    """The finding whose id, or whose suggestion's id, begins like that; raises `Unclear`."""
    by_id = {finding.id: finding for finding in findings}
    by_id |= {finding.suggestion.id: finding for finding in findings if finding.suggestion is not None}
    fitting = {by_id[each].id for each in by_id if each.startswith(given)}
    if len(fitting) == 1:
        return by_id[fitting.pop()]
    places = {each: f"{found.rule_id} at {found.path}:{found.start.line}" for each, found in by_id.items()}
    # To somebody who asks for nothing that there is, each finding is named once.
    known = {finding.id: places[finding.id] for finding in findings}
    return by_id[the_one(given, places if fitting else known)]


def the_fix(given: str, findings: Sequence[Finding]) -> Fix:
    """The proved fix whose suggestion's id, or whose finding's id, begins like that; raises `Unclear`."""
    fixes = proved(findings)
    found = the_finding(given, [fix.finding for fix in fixes])
    return next(fix for fix in fixes if fix.finding is found)
