"""What CI looks for in actions and workflows: the real tools. What they must refuse: `tests/attacks/test_workflows.py`."""

from __future__ import annotations

from pathlib import Path

from tests.support.lint import lint, lint_sample


def test_all_that_we_ship_and_write_passes() -> None:
    done = lint()
    assert done.is_good, done.text


def test_a_good_sample_passes(tmp_path: Path) -> None:
    """So that the bad ones fail for what is wrong with them."""
    done = lint_sample(tmp_path, "issue_comment", "run: echo good")
    assert done.is_good, done.text


def test_what_github_would_not_accept_is_found(tmp_path: Path) -> None:
    done = lint_sample(tmp_path, "pull_request", "runs: 'true'")
    assert not done.is_good
    assert done.says(r"Schema validation errors were encountered.*sample\.yml"), done.text


def test_what_would_not_do_what_it_says_is_found(tmp_path: Path) -> None:
    done = lint_sample(tmp_path, "pull_request", "run: 'true'\n  if: needs.other.result == 'success'")
    assert not done.is_good
    assert done.says('property "other" is not defined')
