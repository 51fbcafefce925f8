"""Verify: what a proposal must pass before it is shown as a fix (`proof.py`), always on a copy."""
