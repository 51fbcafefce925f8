"""Learning: training pairs from the rule pack (`pairs.py`), the bundled model (`pretrain.py`, `export.py`), figures."""
