"""Pins by hash what the actions install: `python .ci/lock_actions.py` writes the files anew (needs `uv`).

A job with a token that may write must not run whatever a registry serves that day, nor more than it needs: what posts
and answers gets neither the scanner nor what a model needs. `actions/wheel/`: llama-cpp-python, and what builds that.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
RUNTIME = "llama-cpp-python"
SCANNER = "semgrep"
# What a wheel of llama.cpp is built with; its own list, which says no versions that matter.
BUILD_RUNTIME = ["scikit-build-core[pyproject]>=0.9.2", "cmake>=3.21", "ninja"]


def wanted() -> dict[Path, tuple[list[str], list[str]]]:
    """File → (requirements, further options of uv)."""
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    needs = project["project"]
    extras = needs["optional-dependencies"]
    both = [*needs["dependencies"], *project["build-system"]["requires"]]
    posting = [*(each for each in both if not each.startswith(SCANNER)), *extras["github"]]
    actions = ROOT / "actions"
    return {
        actions / "review" / "requirements.txt": ([*both, *extras["local"]], ["--no-emit-package", RUNTIME]),
        actions / "publish" / "requirements.txt": (posting, []),
        actions / "wheel" / "requirements.txt": (extras["local"], ["--no-deps", "--no-binary", RUNTIME]),
        actions / "wheel" / "build-requirements.txt": (BUILD_RUNTIME, []),
    }


def main() -> int:
    """Write every file; 1 when uv can't."""
    for path, (requirements, options) in wanted().items():
        command = [
            *("uv", "pip", "compile", "-", "--output-file", str(path), "--quiet", "--upgrade"),
            *("--universal", "--generate-hashes", "--python-version", "3.10", "--no-annotate"),
            *("--custom-compile-command", "python .ci/lock_actions.py", *options),
        ]
        done = subprocess.run(command, input="\n".join(requirements), text=True, check=False)
        if done.returncode:
            print(f"uv could not pin {path.relative_to(ROOT)}", file=sys.stderr)
            return 1
        print(f"pinned {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
