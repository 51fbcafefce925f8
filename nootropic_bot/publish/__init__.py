"""The stage that shows a report where people review changes: `plan.py`, then `poster.py`, over `../forge.py`."""
