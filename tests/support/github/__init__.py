"""The parts of `tests/support/github_server.py`."""
