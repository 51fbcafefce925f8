"""The stage that shows a report where people review changes. Start with `plan.py`, then `poster.py` and `forge.py`."""
