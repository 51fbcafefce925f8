"""The state: all that the bot knows, kept in the git repository as immutable records.

Read `schema.py`, then `store.py`.
"""
