"""One module a verb; each has `command`. What several verbs share is in `shared.py`."""
