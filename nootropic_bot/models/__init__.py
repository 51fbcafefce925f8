"""Models: one interface over local runtimes (`base.py`), where they come from (`registry.py`), who is asked (`router.py`)."""
