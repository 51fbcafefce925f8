"""`models list|probe|pull|use|rollback|bench` as a user runs them, with files from a server on this machine."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nootropic_bot.models.registry import BUNDLED, builtin
from tests.models.fileserver import Server, answer, file, model_bytes, serve
from tests.support.repo import PROJECT, Repo, Run, run_bot

BODY = model_bytes(50_000)
DIGEST = hashlib.sha256(BODY).hexdigest()
OTHER = model_bytes(60_000, b"other model ")
BUNDLED_FILE = PROJECT / "nootropic_bot" / "models" / "bundled" / next(e.file for e in builtin() if e.name == BUNDLED)


@pytest.fixture
def server() -> Iterator[Server]:
    with serve(file(BODY)) as running:
        yield running


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NOOTROPIC_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "models"


def pull(repo: Repo, server: Server, name: str = "mine", *more: str) -> Run:
    return repo.bot("models", "pull", server.url, "--name", name, *more)


def listed(repo: Repo, *args: str) -> dict[str, dict[str, Any]]:
    run = repo.bot("models", "list", "--format", "json", *args)
    assert run.code == 0, run.err
    return {model["name"]: model for model in json.loads(run.out)}


def test_the_list_names_every_model_and_what_is_here(repo: Repo, home: Path) -> None:
    run = repo.bot("models", "list")
    assert run.code == 0, run.err
    lines = run.out.splitlines()
    assert [line.split()[0] for line in lines[1:] if line.startswith(" ")]
    for entry in builtin():
        assert entry.name in run.out
    bundled = next(line for line in lines if "bundled" in line)
    assert bundled.startswith("1.")
    assert ("not installed" in bundled) != BUNDLED_FILE.exists()
    assert all("not installed" in line for line in lines[1:] if "bundled" not in line)


def test_the_list_for_machines(repo: Repo, home: Path) -> None:
    model = listed(repo)["qwen2.5-coder-1.5b"]
    assert model["installed"] is False
    assert model["licence"] == "Apache-2.0"
    assert {term["name"] for term in model["terms"]} == {"accuracy", "throughput", "memory", "cost"}
    assert model["measured"] is None
    text = repo.bot("models", "list", "--format", "yaml").out
    assert "- name: " in text


def test_why_explains_each_term(repo: Repo, home: Path) -> None:
    out = repo.bot("models", "list", "--why").out
    assert "accuracy" in out
    assert "(published)" in out
    assert "(estimate)" in out
    assert "tokens a second" in out


def test_the_weights_of_the_configuration_count(repo: Repo, home: Path) -> None:
    repo.write("nootropic.toml", "[models.weights]\naccuracy = 0\nthroughput = 1\nmemory = 0\ncost = 0\n")
    models = [m for m in listed(repo).values() if m["name"] != BUNDLED]
    assert models[0]["size_bytes"] == min(model["size_bytes"] for model in models)


def test_outside_of_a_repository(tmp_path: Path, home: Path, server: Server) -> None:
    assert run_bot("models", "list", cwd=tmp_path).code == 0
    assert run_bot("models", "probe", cwd=tmp_path).code == 0
    assert run_bot("models", "pull", server.url, "--name", "mine", cwd=tmp_path).code == 0
    run = run_bot("models", "use", "mine", cwd=tmp_path)
    assert run.code == 2
    assert "repository" in run.err


def test_probe_says_what_suits_this_machine(repo: Repo, home: Path) -> None:
    run = repo.bot("models", "probe")
    assert run.code == 0, run.err
    for word in ("processor", "memory", "GPU", "runtime", "score", "threads"):
        assert word in run.out
    data = json.loads(repo.bot("models", "probe", "--format", "json").out)
    assert data["hardware"]["threads"] >= 1
    assert data["profile"]["threads"] >= 1
    assert data["recommended"]["licence_note"] == ""


def test_pull_then_list(repo: Repo, home: Path, server: Server) -> None:
    run = pull(repo, server, "mine", "--sha256", DIGEST)
    assert run.code == 0, run.err
    assert f"mine@{DIGEST[:12]} installed: {home / DIGEST / 'model-q8_0.gguf'}" in run.out
    assert "trusted" not in run.err
    assert "models use mine" in run.out
    assert (home / DIGEST / "model-q8_0.gguf").read_bytes() == BODY
    assert listed(repo, "--installed")["mine"]["origin"] == server.url


def test_pull_twice_has_nothing_to_do(repo: Repo, home: Path, server: Server) -> None:
    pull(repo, server)
    again = pull(repo, server)
    assert again.code == 0
    assert "is there already, whole" in again.out
    assert len(server.requests) == 1
    by_name = repo.bot("models", "pull", "mine")
    assert by_name.code == 0
    assert "is there already" in by_name.out


def test_the_first_use_is_said(repo: Repo, home: Path, server: Server) -> None:
    run = pull(repo, server)
    assert run.code == 0
    assert f"its SHA-256 {DIGEST} was not known before: it is trusted because it came first" in run.err
    assert listed(repo)["mine"]["trusted_on_first_use"] is True


def test_pull_for_machines(repo: Repo, home: Path, server: Server) -> None:
    data = json.loads(pull(repo, server, "mine", "--format", "json").out)
    assert data["model"]["sha256"] == DIGEST
    assert data["trusted_on_first_use"] is True
    assert data["was_there"] is False


def test_nothing_but_lines_goes_to_a_stderr_that_is_no_terminal(repo: Repo, home: Path, server: Server) -> None:
    assert "\r" not in pull(repo, server).err


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("pull", "qwen2.5-coder-1.5"), 2, "perhaps you meant qwen2.5-coder-1.5b"),
        (("pull", "nothing-like-it"), 2, "models list"),
        (("pull", "bundled"), 2, "comes with the package"),
        (("pull", "http://example.com/x.gguf"), 2, "https://"),
        (("pull", "https://example.com/x.bin"), 2, "no model file"),
        (("pull", "hf:owner/repo"), 2, "hf:owner/repo/file.gguf"),
        (("pull", "qwen2.5-coder-1.5b", "--name", "x"), 2, "--name needs a URL"),
        (("pull", "qwen2.5-coder-1.5b", "--sha256", "0" * 64), 2, "the registry says"),
        (("pull", "qwen2.5-coder-1.5b", "--sha256", "xyz"), 2, "64 hexadecimal digits"),
        (("pull", "https://example.com/x.gguf", "--name", "bundled"), 2, "another model"),
        (("use", "qwn2.5-coder-7b"), 2, "perhaps you meant qwen2.5-coder-7b"),
        (("use", "qwen2.5-coder-7b"), 3, "models pull qwen2.5-coder-7b"),
        (("use", "starcoder2-3b"), 3, "models pull starcoder2-3b"),
        (("rollback",), 2, "nothing to go back to"),
        (("pull", "https://example.com/x.gguf?token=x"), 2, "lock files"),
        (("bench", "nothing-like-it"), 2, "there is no model"),
        (("bench", "qwen2.5-coder-7b"), 3, "not installed"),
    ],
)
def test_what_can_not_be_done_says_why(repo: Repo, home: Path, args: tuple[str, ...], code: int, said: str) -> None:
    run = repo.bot("models", *args)
    assert run.code == code, run.err
    assert said in run.err


@pytest.mark.parametrize(
    ("step", "code", "said"),
    [
        (answer(404), 5, "no such file"),
        (answer(403), 5, "account"),
        (answer(429, {"Retry-After": "9999"}), 5, "9999 seconds"),
        (file(b"<html>sign in</html>"), 3, "a web page"),
        (file(OTHER), 3, "is not the file"),
    ],
)
def test_what_the_server_does_wrong(repo: Repo, home: Path, step: Any, code: int, said: str) -> None:
    digest = () if said == "a web page" else ("--sha256", DIGEST)
    with serve(step) as server:
        run = pull(repo, server, "mine", *digest)
    assert run.code == code, run.err
    assert said in run.err
    assert "mine" not in listed(repo)


def test_an_interrupted_pull_goes_on(repo: Repo, home: Path) -> None:
    with serve(file(BODY)) as server:
        release = threading.Event()

        def hang(handler: Any) -> None:
            file(BODY, cut=20_000)(handler)
            handler.wfile.flush()
            release.wait(60)

        server.script[:] = [hang, file(BODY)]
        args = [sys.executable, "-m", "nootropic_bot", "models", "pull", server.url, "--name", "mine"]
        env = {**os.environ, "PYTHONPATH": str(PROJECT)}
        with subprocess.Popen(args, cwd=repo.path, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
            part = None
            for _try in range(600):
                part = next(home.glob("partial/*.part"), None)
                if part and part.stat().st_size:
                    break
                time.sleep(0.05)
            running.send_signal(signal.SIGINT)
            _out, err = running.communicate(timeout=60)
        release.set()
        assert running.returncode == 130
        assert b"the same command goes on from there" in err
        assert b"Traceback" not in err
        assert part is not None
        kept = part.stat().st_size
        assert kept > 0
        assert pull(repo, server).code == 0
        assert server.asked("Range") == [None, f"bytes={kept}-"]


def test_use_pins_and_rollback_takes_back(repo: Repo, home: Path, server: Server) -> None:
    repo.write("nootropic.toml", '# ours\nexclude = ["gen/**"]\n\n[models]\norder = ["bundled"] # first\n')
    pull(repo, server)
    run = repo.bot("models", "use", "mine")
    assert run.code == 0, run.err
    assert "nootropic.lock and nootropic.toml; commit both" in run.out
    text = (repo.path / "nootropic.toml").read_text()
    assert text == '# ours\nexclude = ["gen/**"]\n\n[models]\norder = ["mine", "bundled"] # first\n'
    lock = (repo.path / "nootropic.lock").read_text()
    assert f'sha256 = "{DIGEST}"' in lock
    assert f'url = "{server.url}"' in lock
    assert listed(repo)["mine"]["order"] == 1
    assert listed(repo)["mine"]["locked_sha256"] == DIGEST

    again = repo.bot("models", "use", "mine")
    assert again.code == 0
    assert "nothing to do" in again.out
    assert "written" not in again.out
    assert (repo.path / "nootropic.lock").read_text() == lock

    back = repo.bot("models", "rollback")
    assert back.code == 0, back.err
    assert "back to bundled" in back.out
    assert 'order = ["bundled"] # first' in (repo.path / "nootropic.toml").read_text()
    assert repo.bot("models", "rollback").code == 2


def test_use_without_any_configuration_writes_one(repo: Repo, home: Path, server: Server) -> None:
    pull(repo, server)
    data = json.loads(repo.bot("models", "use", "mine", "--format", "json").out)
    assert data["order"] == ["mine", "bundled"]
    assert data["configuration"] == "written"
    assert (repo.path / "nootropic.toml").read_text() == '[models]\norder = ["mine", "bundled"]\n'


@pytest.mark.parametrize(
    "files",
    [
        {"pyproject.toml": '[tool.nootropic.models]\norder = ["bundled"]\n'},
        {"nootropic.toml": '[models]\norder = [\n  "bundled",\n]\n'},
    ],
    ids=["pyproject", "several lines"],
)
def test_a_configuration_that_is_not_simple_is_left_alone(
    repo: Repo, home: Path, server: Server, files: dict[str, str]
) -> None:
    for name, text in files.items():
        repo.write(name, text)
    pull(repo, server)
    run = repo.bot("models", "use", "mine")
    assert run.code == 0, run.err
    assert 'set in [models]: order = ["mine", "bundled"]' in run.out
    for name, text in files.items():
        assert (repo.path / name).read_text() == text
    assert (repo.path / "nootropic.lock").exists()


def test_the_lock_of_a_colleague_decides_what_is_pulled(repo: Repo, home: Path, server: Server) -> None:
    pull(repo, server)
    assert repo.bot("models", "use", "mine").code == 0
    for path in sorted(home.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    fresh = repo.bot("models", "pull", "mine")
    assert fresh.code == 0, fresh.err
    assert "trusted" not in fresh.err  # the lock knows the hash
    for path in sorted(home.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    server.script[:] = [file(OTHER)]
    replaced = repo.bot("models", "pull", "mine")
    assert replaced.code == 5
    assert "expected are 50000" in replaced.err


@pytest.mark.parametrize("file_name", ["nootropic.lock", "nootropic.toml"])
@pytest.mark.parametrize("value", ["[" * 100_000, "9" * 5000], ids=["nested", "digits"])
def test_a_file_that_no_parser_takes_is_a_usage_error(repo: Repo, home: Path, file_name: str, value: str) -> None:
    repo.write(file_name, f"version = {value}\n")
    for verb in ("list", "rollback"):
        run = repo.bot("models", verb)
        assert run.code == 2, run.err
        assert file_name in run.err


def test_a_project_file_of_others_need_not_be_toml(repo: Repo, home: Path, server: Server) -> None:
    repo.write("pyproject.toml", "not [ toml\n")
    pull(repo, server)
    run = repo.bot("models", "use", "mine")
    assert run.code == 0, run.err
    assert "nootropic.toml; commit both" in run.out


@pytest.mark.parametrize(
    ("variable", "value", "args"),
    [
        ("NOOTROPIC_MODELS", "~nouser/x", ("list",)),
        ("HTTPS_PROXY", "http:/bad", ("pull", "qwen2.5-coder-0.5b")),
    ],
)
def test_an_environment_that_is_wrong_is_said(
    repo: Repo, home: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, args: tuple[str, ...]
) -> None:
    monkeypatch.setenv(variable, value)
    monkeypatch.delenv(variable.lower(), raising=False)
    run = repo.bot("models", *args)
    assert run.code == 2, run.err
    assert variable in run.err


def test_bench_without_any_model(repo: Repo, home: Path) -> None:
    repo.write("nootropic.toml", "[models]\norder = []\n")
    run = repo.bot("models", "bench")
    assert run.code == 2, run.err
    assert "`[models] order` is empty" in run.err
    assert "name the model" in run.err


def test_the_same_bytes_under_two_names(repo: Repo, home: Path, server: Server) -> None:
    for name in ("one", "two"):
        assert pull(repo, server, name).code == 0
    assert {"one", "two"} <= set(listed(repo, "--installed"))


def test_a_damaged_lock_is_a_usage_error(repo: Repo, home: Path) -> None:
    repo.write("nootropic.lock", "version = 99\n")
    run = repo.bot("models", "list")
    assert run.code == 2
    assert "nootropic.lock is of version 99" in run.err


def test_a_damaged_model_is_not_used(repo: Repo, home: Path, server: Server) -> None:
    pull(repo, server)
    (home / DIGEST / "model-q8_0.gguf").write_bytes(BODY[:100])
    run = repo.bot("models", "use", "mine")
    assert run.code == 3
    assert "truncated" in run.err
    assert not (repo.path / "nootropic.lock").exists()
    assert pull(repo, server).code == 0
    assert repo.bot("models", "use", "mine").code == 0


def test_a_backend_that_is_a_server_needs_no_file(repo: Repo, home: Path) -> None:
    repo.write("nootropic.toml", '[backend.desk]\nkind = "openai_compatible"\nurl = "http://127.0.0.1:1/v1"\n')
    run = repo.bot("models", "use", "desk")
    assert run.code == 0, run.err
    assert 'order = ["desk", "bundled"]' in (repo.path / "nootropic.toml").read_text()
    assert "desk" not in (repo.path / "nootropic.lock").read_text().partition("[[")[2].partition("[[previous]]")[0]


def test_hidden_characters_of_a_lock_reach_no_terminal(repo: Repo, home: Path) -> None:
    repo.write(
        "nootropic.lock", 'version = 1\n[[model]]\nname = "a\\u001b[31m"\nversion = "1"\nfile = "a.gguf"\nsize = 1\n'
    )
    run = repo.bot("models", "list")
    assert run.code == 2
    assert "\x1b" not in run.err


def test_listing_reaches_no_network_and_loads_no_runtime(repo: Repo, home: Path) -> None:
    code = (
        "import sys\n"
        "from nootropic_bot.cli import main\n"
        "try:\n    main(['models', 'list'])\n"
        "except SystemExit:\n    pass\n"
        "bad = {'llama_cpp', 'numpy', 'ssl', 'urllib.request'} & set(sys.modules)\n"
        "assert not bad, bad\n"
    )
    env = {**os.environ, "PYTHONPATH": str(PROJECT)}
    done = subprocess.run([sys.executable, "-c", code], cwd=repo.path, env=env, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("llama_cpp", "gguf")), reason="needs llama-cpp-python and gguf"
)
def test_bench_measures_a_real_model_and_the_list_shows_it(repo: Repo, home: Path, tmp_path: Path) -> None:
    from tests.support.tiny_gguf import build_tiny_gguf

    body = build_tiny_gguf(tmp_path / "tiny.gguf", context=2048).read_bytes()
    with serve(file(body)) as server:
        assert pull(repo, server, "tiny").code == 0
    run = repo.bot("models", "bench", "tiny", "--rounds", "2", "--format", "json")
    assert run.code == 0, run.err
    figures = json.loads(run.out)
    assert figures["speed"] > 0
    assert figures["prompt_speed"] > 0
    assert figures["sha256"] == hashlib.sha256(body).hexdigest()
    assert figures["fix_rate"] is None
    tiny = listed(repo)["tiny"]
    assert tiny["measured"]["speed"] == figures["speed"]
    basis = {term["name"]: term["basis"] for term in tiny["terms"]}
    assert basis["throughput"] == "measured"
    # A fix rate that was measured stays.
    (path,) = (tmp_path / "cache" / "nootropic-bot" / "figures").glob("*.json")
    known = json.loads(path.read_text())
    known[figures["sha256"]]["fix_rate"] = 0.5
    path.write_text(json.dumps(known))
    run = repo.bot("models", "bench", "tiny", "--rounds", "1")
    assert "tokens a second" in run.out, run.err
    assert listed(repo)["tiny"]["measured"]["fix_rate"] == 0.5


def test_bench_of_a_damaged_file_never_reaches_the_parser(repo: Repo, home: Path, server: Server) -> None:
    pull(repo, server)
    path = home / DIGEST / "model-q8_0.gguf"
    path.write_bytes(BODY[:-1] + b"?")
    run = repo.bot("models", "bench", "mine")
    assert run.code == 3
    assert "is not the file it should be" in run.err
    assert "models pull mine" in run.err
