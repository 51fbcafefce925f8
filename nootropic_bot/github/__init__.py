"""GitHub as a forge. Start with `client.py`, the one place that carries out a call."""
