"""Names and limits shared by every layer. A limit says where it comes from."""

from __future__ import annotations

TOOL_NAME = "nootropic-bot"

# The JSON of `review --format json` is a public interface; this number changes when a reader would break.
SCHEMA_VERSION = 1

CONFIG_FILE = "nootropic.toml"
PYPROJECT_FILE = "pyproject.toml"
PYPROJECT_TABLE = "nootropic"
MODEL_LOCK_FILE = "nootropic.lock"

# Where a checkout of a job comes from; the configuration may share the state with another one.
REMOTE = "origin"
# Names of this machine itself, the only one that is talked to without encryption.
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

# Where the actions of a release are; `init --github --actions OWNER/NAME` names a copy.
HOME_REPOSITORY = "nootropic-bot/nootropic-bot"

# git's well-known empty tree (SHA-1 and SHA-256 object formats): the base of a repository's first commit.
EMPTY_TREE = {
    "sha1": "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    "sha256": "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}

SEVERITIES = ("error", "warning", "info")
PYTHON_SUFFIXES = (".py", ".pyi")

# A fix never touches these, whatever its source (row A23 of the attack corpus).
FORBIDDEN_DIRECTORIES = (".git", ".github", ".gitlab", ".circleci")
LOCK_FILES = frozenset(
    {
        "Cargo.lock",
        "Gemfile.lock",
        "Pipfile.lock",
        "composer.lock",
        "go.sum",
        "nootropic.lock",
        "package-lock.json",
        "pdm.lock",
        "pnpm-lock.yaml",
        "poetry.lock",
        "uv.lock",
        "yarn.lock",
    }
)
# Text that silences a checker; a fix may not add it (row A24).
SILENCING_MARKS = ("nosem", "noqa", "type: ignore", "pylint:", "nosec", "pyright:", "mypy:", "ruff:")
