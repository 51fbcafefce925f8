"""Models: how long a fix takes with the bundled one, and how fast llama.cpp runs under our hands.

The peer is llama.cpp's own `llama-bench`, built from the source distribution of the llama-cpp-python that is installed,
on the same file, threads and batch. The file has the shape of Qwen2.5-Coder-1.5B and random weights: speed needs no real
ones (decoding reads every weight once a token, whatever its value).
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.bench.corpus import git
from tests.bench.timing import BOT, Program, interleave
from tests.support.shaped_gguf import QWEN_1_5B, SMALL, build_shaped_gguf

_TEN = """\
import hashlib
import pickle


def read_all(parts):
    found = []
"""


def measure_fixes(runs: int) -> dict[str, object]:
    """A fix with the bundled model: generation alone, with its proof, and ten findings in one file."""
    from nootropic_bot.config import Config
    from nootropic_bot.models.factory import open_model

    model = open_model("bundled", Config(), os.environ)
    seconds = []
    try:
        requests = [*_requests()]
        model.generate(requests[0])
        for request in requests * max(runs // 2, 1):
            started = time.perf_counter()
            model.generate(request)
            seconds.append(time.perf_counter() - started)
    finally:
        model.close()
    with tempfile.TemporaryDirectory(prefix="nootropic-bench-") as scratch:
        one = _repository(Path(scratch) / "one", 1)
        ten = _repository(Path(scratch) / "ten", 10)
        programs = {
            "one finding": Program((*BOT, "review", "--format", "json"), one, prepare=lambda: _forget(one)),
            "one finding, no model": Program(
                (*BOT, "review", "--no-model", "--format", "json"), one, prepare=lambda: _forget(one)
            ),
            "ten findings": Program((*BOT, "review", "--format", "json"), ten, prepare=lambda: _forget(ten)),
            "ten findings, no model": Program(
                (*BOT, "review", "--no-model", "--format", "json"), ten, prepare=lambda: _forget(ten)
            ),
        }
        series = interleave(programs, runs)
        stages = {"one": _stages(one), "ten": _stages(ten)}
    return {
        "generation": {
            "fixes": len(seconds),
            "median_ms": round(1000 * statistics.median(seconds), 1),
            "max_ms": round(1000 * max(seconds), 1),
            "target": "median <= 50",
        },
        **{name: each.data() for name, each in series.items()},
        "stages": stages,
        "targets": {"one finding, generation and proof": "<= 1.0 s", "ten findings in one file": "<= 2.0 s"},
    }


def _requests() -> Sequence[object]:
    """One request for each rule's first example that teaches."""
    from nootropic_bot.learn.expansion import fill, simple_values
    from nootropic_bot.learn.teachable import lessons, open_critic
    from nootropic_bot.models.base import Request
    from nootropic_bot.models.fixer import END, encode
    from nootropic_bot.records import Match
    from nootropic_bot.source import decode
    from nootropic_bot.window import window_of

    made = []
    for lesson in lessons(open_critic()):
        template = lesson.template
        filled = fill(template, simple_values(template.example)) if template is not None else None
        if template is None or filled is None:
            continue
        source = decode("case.py", filled.unsafe.encode())
        window = window_of(source, Match(template.rule.id, filled.start, filled.end, 0, 0, template.rule.message, ""))
        if window is not None:
            prompt = encode(template.rule.message, window)
            made.append(Request(prompt=prompt, max_tokens=192, stop=(END,), shared_prefix=2))
    return made


def _repository(folder: Path, findings: int) -> Path:
    folder.mkdir()
    git(folder, "init", "--quiet")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", "empty")
    lines = [f"    found.append(pickle.loads(parts[{number}]))\n" for number in range(findings)]
    (folder / "module.py").write_text(_TEN + "".join(lines) + "    return found\n", encoding="utf-8")
    return folder


def _forget(repository: Path) -> None:
    """Forget proofs and answers, but not what the engine found: the finding itself is measured elsewhere."""
    import shutil

    for name in ("proofs", "answers"):
        shutil.rmtree(repository / ".git" / "nootropic" / name, ignore_errors=True)


def _stages(repository: Path) -> dict[str, object]:
    _forget(repository)
    out = subprocess.run([*BOT, "review", "--format", "json"], cwd=repository, capture_output=True, check=False).stdout
    summary: dict[str, object] = json.loads(out)["summary"]
    return summary


def measure_runtime(runs: int, *, full: bool) -> dict[str, object]:
    """Tokens a second beside `llama-bench`, and the second question under the same beginning beside the first."""
    from nootropic_bot.models.base import Request
    from nootropic_bot.models.llama_cpp import LlamaCpp, cores

    with tempfile.TemporaryDirectory(prefix="nootropic-bench-") as scratch:
        path = build_shaped_gguf(Path(scratch) / "shaped.gguf", QWEN_1_5B if full else SMALL)
        peer = _llama_bench(Path(scratch))
        threads = cores()
        model = LlamaCpp(path, name="shaped@1", threads=threads, context=1024, gpu_layers=0)
        try:
            ours, firsts, seconds = [], [], []
            model.generate(Request(prompt=("warm",), max_tokens=2, timeout=600))
            for run in range(runs):
                ours.append(_generation_speed(model, run))
                first, second = _two_questions(model, run)
                firsts.append(first)
                seconds.append(second)
        finally:
            model.close()
        theirs = [_peer_speed(peer, path, threads) for _run in range(runs)]
    speed = statistics.median(ours) / statistics.median(theirs)
    prefix = statistics.median(seconds) / statistics.median(firsts)
    return {
        "shape": "Qwen2.5-Coder-1.5B" if full else "small",
        "threads": threads,
        "tokens a second": round(statistics.median(ours), 2),
        "llama-bench, tokens a second": round(statistics.median(theirs), 2),
        "generation": {"ratio": round(speed, 3), "to": "llama-bench", "target": ">= 0.9", "met": speed >= 0.9},
        "second question": {"ratio": round(prefix, 3), "to": "the first", "target": "<= 0.6", "met": prefix <= 0.6},
    }


def _generation_speed(model: object, run: int) -> float:
    """Tokens a second of the answer alone: the time of 65 tokens less that of one."""
    from nootropic_bot.models.base import Request
    from nootropic_bot.models.llama_cpp import LlamaCpp

    assert isinstance(model, LlamaCpp)

    def ask(tokens: int) -> float:
        started = time.perf_counter()
        model.generate(Request(prompt=(f"{run} def read(path):\n",), max_tokens=tokens, timeout=600, temperature=1.0))
        return time.perf_counter() - started

    ask(1)
    return 64 / (ask(65) - ask(1))


def _two_questions(model: object, run: int) -> tuple[float, float]:
    """Seconds of two questions that begin alike, as two findings of one rule do: about 340 shared tokens, 75 of their own.

    The model's vocabulary is the bytes, so a character is a token.
    """
    from nootropic_bot.models.base import Request
    from nootropic_bot.models.llama_cpp import LlamaCpp

    assert isinstance(model, LlamaCpp)
    shared = f"rule {run}: " + "the value is put into the text of this statement, so whoever supplies it decides. " * 4
    taken = []
    for own in ("first = cursor.execute(query % name)\n" * 2, "other = connection.execute(text + word)\n" * 2):
        started = time.perf_counter()
        model.generate(Request(prompt=(shared, own), max_tokens=16, timeout=600, shared_prefix=1, temperature=1.0))
        taken.append(time.perf_counter() - started)
    return taken[0], taken[1]


def _llama_bench(folder: Path) -> Path:
    """`llama-bench` of the same llama.cpp, compiled once and kept in the working folder."""
    version = importlib.metadata.version("llama-cpp-python")
    kept = Path("bench-results").absolute() / f"llama-bench-{version}" / "bin" / "llama-bench"
    if kept.is_file():
        return kept
    wanted = f"llama-cpp-python=={version}"
    fetch = ["pip", "download", "--quiet", "--no-deps", "--no-binary", "llama-cpp-python", wanted]
    subprocess.run([sys.executable, "-m", *fetch, "--dest", str(folder)], check=True)
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        archive.extractall(folder, filter="data")
    source = next(folder.glob("llama_cpp_python-*/vendor/llama.cpp"))
    build = kept.parent.parent
    options = ["-DGGML_NATIVE=ON", "-DLLAMA_CURL=OFF", "-DLLAMA_BUILD_TESTS=OFF", "-DLLAMA_BUILD_SERVER=OFF"]
    subprocess.run(["cmake", "-S", source, "-B", build, "-DCMAKE_BUILD_TYPE=Release", *options], check=True)
    subprocess.run(["cmake", "--build", build, "--target", "llama-bench", "-j", "2"], check=True)
    return kept


def _peer_speed(peer: Path, model: Path, threads: int) -> float:
    command = [
        str(peer),
        "-m",
        str(model),
        "-t",
        str(threads),
        "-p",
        "0",
        "-n",
        "64",
        "-r",
        "1",
        "-ngl",
        "0",
        "-o",
        "json",
    ]
    out = subprocess.run(command, capture_output=True, check=True).stdout
    return float(json.loads(out)[0]["avg_ts"])
