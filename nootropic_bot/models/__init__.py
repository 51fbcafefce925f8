"""Models: one interface over runtimes (`base.py`), where they come from (`registry.py`), who is asked (`router.py`)."""
