"""Rounds of proposing and proving: a change that leaves something in its statement is gone on with, and not for ever."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nootropic_bot.critique.critic import Critic, Deadline
from nootropic_bot.learn.corpus import CodeFile
from nootropic_bot.learn.evaluate import Question, Result, ask, natural
from nootropic_bot.learn.teachable import open_critic
from nootropic_bot.models.scripted import Scripted, Step
from tests.support.models import group, review_with, says
from tests.support.repo import Repo

_TWO = '''\
def render(page, parts=list(range(3)), filters=dict(a=page_size)):
    """One page."""
    return page.join(parts, filters)
'''
_FIRST = says((1, "def render(page, parts=None, filters=dict(a=page_size)):"), (2, _GUARD := '    """One page."""'))
