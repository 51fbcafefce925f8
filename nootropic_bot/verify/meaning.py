"""Whether a model's fix still means what the statement meant.

A scanner is content when the flagged form is gone, and a small model may reach that by turning a condition round, by
leaving out what stood beside it, or by calling what does not exist. The modules named here each know some ways that
were seen in real code or found by people who looked for them; what they don't know, they let pass. They look only at
fixes of models: a rule's own fix was read by the rule's author.

conditions   conditions and exceptions, guards of defaults, awaiting
arguments    arguments, values in texts, defaults, decorators
calls        functions of the standard library: that they exist, and take what they are given; values are not called
credentials  credentials in the source: that they leave it
opened       what a new `with` opens: as often as before, and read before it is closed
"""

from __future__ import annotations

from nootropic_bot.verify.arguments import changed_arguments
from nootropic_bot.verify.calls import wrong_call
from nootropic_bot.verify.case import Case
from nootropic_bot.verify.conditions import changed_conditions
from nootropic_bot.verify.credentials import kept_credential
from nootropic_bot.verify.opened import opened_wrongly


def changed_meaning(case: Case) -> str | None:
    """What a fix makes of the statement that it should not, as a sentence; None where nothing was found."""
    return (
        changed_conditions(case)
        or changed_arguments(case)
        or wrong_call(case)
        or kept_credential(case)
        or opened_wrongly(case)
    )
