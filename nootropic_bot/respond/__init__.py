"""Respond: what people ask of the bot in comments (`grammar.py`), and what is done about it."""
