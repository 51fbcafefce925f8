"""Critique: which files to look at, what the engine and our own decoder say of them, and what of it is in scope.

`targets.py` chooses blobs, `source` (an edge) decodes them, `semgrep.py` runs the engine over a clean export,
`normalize.py` adds what no pattern can see, `cache.py` remembers, `scope.py` gives findings their identity.
"""
