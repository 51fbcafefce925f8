"""Propose: candidate fixes for findings, from an explicit ladder of proposers (`base.py`)."""
