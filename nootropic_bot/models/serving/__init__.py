"""Models behind servers: what all protocols share (`served.py`), and each protocol (`openai_wire.py` …)."""
