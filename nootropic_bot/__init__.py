"""nootropic-bot: finds problems with Semgrep, proposes fixes locally, and shows only what it proved."""

__version__ = "0.1.0"
