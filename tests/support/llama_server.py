"""llama-cpp-python's own server in a process of its own, serving a GGUF file on 127.0.0.1."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from tests.support.model_server import unused_port

# The server ends itself when this process is gone, however that ended: then the pipe to its standard input closes.
_PROGRAM = """
import os, runpy, sys, threading

def end_with_parent():
    sys.stdin.buffer.read()
    os._exit(0)

threading.Thread(target=end_with_parent, daemon=True).start()
sys.argv[0] = "llama_cpp.server"
runpy.run_module("llama_cpp.server", run_name="__main__")
"""
_START_SECONDS = 60.0


@contextlib.contextmanager
def serve_gguf(model: Path, log: Path, *, context: int = 4096, key: str | None = None) -> Iterator[str]:
    """The base URL of a server of that model, for as long as the block lasts; `log` gets what it prints."""
    port = unused_port()
    options = {
        "model": str(model),
        "host": "127.0.0.1",
        "port": str(port),
        "chat_format": "chatml",
        "n_ctx": str(context),
        "n_threads": "2",
        "embedding": "true",
        **({"api_key": key} if key else {}),
    }
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    with log.open("wb") as printed:
        process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, *arguments], stdin=subprocess.PIPE, stdout=printed, stderr=printed
        )
        try:
            url = f"http://127.0.0.1:{port}/v1"
            _wait_until_up(url, process, log)
            yield url
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            assert process.stdin is not None
            process.stdin.close()


def _wait_until_up(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    pause = threading.Event()
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            with direct.open(f"{url}/models", timeout=5):
                return
        except urllib.error.HTTPError as error:  # It is there, and wants its key.
            error.close()
            return
        except OSError:
            pause.wait(0.05)
    raise AssertionError(f"the server did not start:\n{log.read_text()[-2000:]}")
