"""Downloads against a real server that misbehaves on command, and what a pull makes of them (row A48)."""

from __future__ import annotations

import hashlib
import os
import ssl
import subprocess
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from nootropic_bot.errors import EnvironmentFault, NootropicError, RemoteError, UsageError
from nootropic_bot.models.download import Limits, download
from nootropic_bot.models.https import check_url
from nootropic_bot.models.pull import entry_of, parse_sha256, pull
from nootropic_bot.models.registry import Entry, installed_models
from tests.models.fileserver import Step, answer, file, model_bytes, serve, silence

BODY = model_bytes(300_000)
DIGEST = hashlib.sha256(BODY).hexdigest()


class Clock:
    """Sleeps without sleeping."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def fetch(tmp_path: Path, url: str, clock: Clock | None = None, **more: object) -> bytes:
    part = tmp_path / "model.part"
    download(url, part, sleep=(clock or Clock()).sleep, **more)  # type: ignore[arg-type]
    return part.read_bytes()


def test_a_file_comes_whole_and_progress_is_told(tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    with serve(file(BODY)) as server:
        assert fetch(tmp_path, server.url, report=lambda done, total: heard.append((done, total))) == BODY
    assert heard[-1] == (len(BODY), len(BODY))
    assert len(heard) > 1
    assert server.asked("Accept-Encoding") == ["identity"]
    assert server.asked("Range") == [None]


def test_a_cut_connection_goes_on_where_it_ended(tmp_path: Path) -> None:
    clock = Clock()
    with serve(file(BODY, cut=1000), file(BODY, cut=2000), file(BODY)) as server:
        assert fetch(tmp_path, server.url, clock) == BODY
    assert server.asked("Range") == [None, "bytes=1000-", "bytes=3000-"]
    assert server.asked("If-Range") == [None, '"one"', '"one"']
    assert len(clock.slept) == 2
    assert max(clock.slept) < 2


def test_a_second_run_goes_on_too(tmp_path: Path) -> None:
    with serve(file(BODY, cut=1000), silence) as server:
        with pytest.raises(RemoteError) as error:
            fetch(tmp_path, server.url)
        assert "goes on from there" in (error.value.remedy or "")
        assert (tmp_path / "model.part").stat().st_size == 1000
        server.script[:] = [file(BODY)]
        assert fetch(tmp_path, server.url) == BODY
        assert server.asked("Range")[-1] == "bytes=1000-"


def test_a_whole_part_is_not_fetched_again(tmp_path: Path) -> None:
    with serve(file(BODY)) as server:
        fetch(tmp_path, server.url)
        assert fetch(tmp_path, server.url) == BODY
        assert server.asked("Range") == [None, f"bytes={len(BODY)}-"]  # answered by 416


def test_a_server_that_knows_no_ranges_sends_all_of_it_again(tmp_path: Path) -> None:
    with serve(file(BODY, cut=1000, ranges=False), file(BODY, ranges=False)) as server:
        assert fetch(tmp_path, server.url) == BODY


@pytest.mark.parametrize("obeys_if_range", [True, False])
def test_a_file_that_changed_is_fetched_from_its_beginning(tmp_path: Path, obeys_if_range: bool) -> None:
    other = model_bytes(len(BODY), fill=b"others! ")

    def careless(handler: object) -> None:
        # Ignores If-Range: the rest of another file, with its own ETag.
        if handler.headers.get("If-Range"):  # type: ignore[attr-defined]
            del handler.headers["If-Range"]  # type: ignore[attr-defined]
        file(other, etag='"two"')(handler)  # type: ignore[arg-type]

    second = file(other, etag='"two"') if obeys_if_range else careless
    with serve(file(BODY, cut=1000), second) as server:
        assert fetch(tmp_path, server.url) == other


@pytest.mark.parametrize(
    "lie",
    [
        {"Content-Range": "bytes 0-299999/300000"},
        {"Content-Range": "bytes 1000-299999/299999"},
        {"Content-Range": "nonsense"},
        {},
    ],
    ids=["another start", "another length", "nonsense", "none"],
)
def test_a_wrong_range_is_not_appended(tmp_path: Path, lie: dict[str, str]) -> None:
    with serve(file(BODY, cut=1000), answer(206, lie, b"x" * 10), file(BODY)) as server:
        assert fetch(tmp_path, server.url) == BODY


def test_a_part_longer_than_the_file_is_thrown_away(tmp_path: Path) -> None:
    with serve(file(BODY)) as server:
        fetch(tmp_path, server.url)
        server.script[:] = [file(BODY[:5000])]
        assert fetch(tmp_path, server.url) == BODY[:5000]


def test_a_part_without_validator_is_not_continued(tmp_path: Path) -> None:
    with serve(file(BODY, cut=1000, etag=None), file(BODY, etag=None)) as server:
        assert fetch(tmp_path, server.url) == BODY
    assert server.asked("Range") == [None, None]


def test_a_weak_etag_is_no_validator_but_a_date_is(tmp_path: Path) -> None:
    date = {"Last-Modified": "Sat, 29 Oct 1994 19:43:31 GMT"}
    with serve(file(BODY, cut=1000, etag='W/"x"', headers=date), file(BODY, etag='W/"x"', headers=date)) as server:
        assert fetch(tmp_path, server.url) == BODY
    assert server.asked("If-Range") == [None, date["Last-Modified"]]


def test_the_part_of_another_address_is_not_continued(tmp_path: Path) -> None:
    with serve(file(BODY)) as server:
        fetch(tmp_path, server.url)
        assert fetch(tmp_path, server.url.replace("/m/", "/n/")) == BODY
    assert server.asked("Range") == [None, None]


@pytest.mark.parametrize("damage", [b"", b"{", b'{"url": 1}', b'"text"'])
def test_a_damaged_note_beside_a_part_starts_it_again(tmp_path: Path, damage: bytes) -> None:
    with serve(file(BODY)) as server:
        fetch(tmp_path, server.url)
        (tmp_path / "model.part.json").write_bytes(damage)
        assert fetch(tmp_path, server.url) == BODY
    assert server.asked("Range") == [None, None]


@pytest.mark.parametrize("code", [500, 502, 503, 504])
def test_a_server_error_is_tried_again_with_growing_pauses(tmp_path: Path, code: int) -> None:
    clock = Clock()
    with serve(answer(code), answer(code), file(BODY)) as server:
        assert fetch(tmp_path, server.url, clock) == BODY
    assert clock.slept == [1.0, 2.0]


def test_a_server_that_stays_broken_is_given_up(tmp_path: Path) -> None:
    clock = Clock()
    with serve(answer(503)) as server, pytest.raises(RemoteError, match="answered 503"):
        fetch(tmp_path, server.url, clock)
    assert len(server.requests) == 4
    assert sum(clock.slept) < 10


def test_a_server_that_drips_is_given_up_at_last(tmp_path: Path) -> None:
    with serve(file(BODY, cut=1)) as server, pytest.raises(RemoteError):
        fetch(tmp_path, server.url)
    assert len(server.requests) == 50


def test_retry_after_is_obeyed_in_seconds_and_as_a_date(tmp_path: Path) -> None:
    clock = Clock()
    date = {"Retry-After": "Thu, 01 Jan 1970 00:01:00 GMT"}
    with serve(answer(429, {"Retry-After": "7"}), answer(429, date), file(BODY)) as server:
        assert fetch(tmp_path, server.url, clock, now=lambda: 50.0) == BODY
    assert clock.slept == [7.0, 10.0]


def test_a_long_wait_is_left_to_the_user(tmp_path: Path) -> None:
    clock = Clock()
    with serve(answer(429, {"Retry-After": "86400"})) as server, pytest.raises(RemoteError, match="86400 seconds"):
        fetch(tmp_path, server.url, clock)
    assert clock.slept == []
    with serve(answer(429, {"Retry-After": "soon"}), file(BODY)) as server:
        assert fetch(tmp_path, server.url, clock) == BODY


@pytest.mark.parametrize(
    ("code", "said"),
    [(404, "no such file"), (410, "no such file"), (401, "account"), (403, "account"), (400, "400"), (416, "416")],
)
def test_a_refusal_is_final_and_explained(tmp_path: Path, code: int, said: str) -> None:
    with serve(answer(code)) as server, pytest.raises(RemoteError, match=said) as error:
        fetch(tmp_path, server.url)
    assert error.value.exit_code == 5
    assert len(server.requests) == 1


def test_nobody_listens(tmp_path: Path) -> None:
    with serve(file(BODY)) as server:
        url = server.url
    with pytest.raises(RemoteError, match="can't be reached"):
        fetch(tmp_path, url)


def test_a_redirect_is_followed_with_its_range(tmp_path: Path) -> None:
    with serve(file(BODY, cut=1000), file(BODY)) as store:
        codes = [answer(code, {"Location": store.url}) for code in (302, 308)]
        with serve(*codes) as hub:
            assert fetch(tmp_path, hub.url) == BODY
    assert store.asked("Range") == [None, "bytes=1000-"]


@pytest.mark.parametrize(
    "target",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1/x.gguf",
        "http://example.com/x.gguf",
        "https://user:hunter2@example.com/x.gguf?signature=hunter2",
        "data:text/plain,x",
    ],
)
def test_a_redirect_to_an_unsafe_address_is_not_followed(tmp_path: Path, target: str) -> None:
    with serve(answer(302, {"Location": target})) as server, pytest.raises(RemoteError) as error:
        fetch(tmp_path, server.url)
    assert "hunter2" not in str(error.value)
    assert "passwd" not in str(error.value)
    assert not (tmp_path / "model.part").exists()


def test_a_circle_of_redirects_ends(tmp_path: Path) -> None:
    with serve(answer(302, {"Location": "/m/model-q8_0.gguf"})) as server, pytest.raises(RemoteError):
        fetch(tmp_path, server.url)
    assert len(server.requests) < 15


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/x.gguf",
        "file:///etc/passwd",
        "ftp://example.com/x.gguf",
        "https:///x.gguf",
        "https://[::1/x.gguf",
        "https://user@example.com/x.gguf",
        "https://example.com:port/x.gguf",
        "https://exa mple.com/x.gguf",
        "https://example.com/\x1b[31m.gguf",
        "https://exämple.com/x.gguf",
        "x.gguf",
        "",
    ],
)
def test_addresses_that_are_refused(url: str) -> None:
    with pytest.raises(UsageError):
        check_url(url)


@pytest.mark.parametrize("secret", ["?token=s3cret", "?", "#s3cret", "?a=1#b", "#"])
def test_what_may_be_a_secret_is_not_kept(secret: str) -> None:
    for address in ("https://example.com/m.gguf", "hf:owner/repo/m.gguf"):
        with pytest.raises(UsageError) as error:
            entry_of(address + secret, "mine", None)
        assert "s3cret" not in str(error.value)
    with pytest.raises(UsageError, match="lock files") as error:
        check_url("https://example.com/m.gguf" + secret)
    assert "leave out" in (error.value.remedy or "")
    assert "s3cret" not in str(error.value)


def test_where_a_redirect_leads_may_be_signed(tmp_path: Path) -> None:
    with serve(file(BODY)) as server:
        there = answer(302, {"Location": f"{server.url}?signature=s3cret"})
        server.script[:] = [there, file(BODY)]
        assert fetch(tmp_path, server.url) == BODY
        assert "s3cret" in server.requests[1][0]
    assert "s3cret" not in (tmp_path / "model.part.json").read_text()


def test_a_cut_is_seen_where_only_the_registry_knows_the_length(tmp_path: Path) -> None:
    cut, whole = file(BODY, length=False, cut=1000), file(BODY, length=False)
    with serve(cut, whole) as server:
        assert fetch(tmp_path, server.url, limits=Limits(size=len(BODY))) == BODY
    assert server.asked("Range") == [None, "bytes=1000-"]


_MANY = "9" * 5000


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Length": _MANY},
        {"Content-Range": f"bytes {_MANY}-{_MANY}/{_MANY}"},
        {"Retry-After": _MANY},
        {"Retry-After": f"Mon, 1 Jan {_MANY} 00:00:00 GMT"},
        {"Retry-After": "Mon, 1 Jan 99999999999 00:00:00 GMT"},
    ],
    ids=lambda headers: next(iter(headers)),
)
@pytest.mark.parametrize("code", [200, 206, 416, 503])
def test_numbers_of_thousands_of_digits(tmp_path: Path, code: int, headers: dict[str, str]) -> None:
    with serve(file(BODY, cut=1000), answer(code, headers)) as server, pytest.raises(RemoteError):
        fetch(tmp_path, server.url)


@pytest.mark.parametrize("proxy", ["http:/bad", "http://", "http://x:port", "http://[::1", ":/", "http://u:s3cret@"])
def test_a_proxy_that_is_no_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("https_proxy", proxy)
    with pytest.raises(UsageError, match="HTTPS_PROXY is no address") as error:
        fetch(tmp_path, "https://example.invalid/m.gguf")
    assert "s3cret" not in str(error.value)
    with serve(file(BODY)) as server:  # Reached without it.
        assert fetch(tmp_path, server.url) == BODY


def test_a_proxy_that_is_not_used_may_be_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://")
    monkeypatch.setenv("no_proxy", "other.invalid,.example.invalid")
    with pytest.raises(RemoteError, match="can't be reached"):
        fetch(tmp_path, "https://hub.example.invalid:8443/m.gguf")


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:1", "127.0.0.1:1", "http://u:p@127.0.0.1:1/"])
def test_a_proxy_as_it_may_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("https_proxy", proxy)
    with pytest.raises(RemoteError, match="can't be reached"):
        fetch(tmp_path, "https://example.invalid/m.gguf")


def test_a_compressed_answer_is_refused(tmp_path: Path) -> None:
    with (
        serve(file(BODY, headers={"Content-Encoding": "gzip"})) as server,
        pytest.raises(RemoteError, match="compress"),
    ):
        fetch(tmp_path, server.url)


def test_a_length_that_nobody_states_is_refused_unless_it_is_known(tmp_path: Path) -> None:
    with serve(file(BODY, length=False)) as server:
        with pytest.raises(RemoteError, match="how long"):
            fetch(tmp_path, server.url)
        assert fetch(tmp_path, server.url, limits=Limits(size=len(BODY))) == BODY


def test_another_size_than_expected_is_refused_before_it_comes(tmp_path: Path) -> None:
    with serve(file(BODY)) as server, pytest.raises(RemoteError, match="offers a file of 300000 bytes"):
        fetch(tmp_path, server.url, limits=Limits(size=10))
    assert not (tmp_path / "model.part").exists()


def test_more_than_allowed_is_refused(tmp_path: Path) -> None:
    with serve(file(BODY)) as server, pytest.raises(RemoteError, match="not fetched"):
        fetch(tmp_path, server.url, limits=Limits(max_bytes=1000))
    with serve(file(BODY, length=False)) as server, pytest.raises(RemoteError, match="more than"):
        fetch(tmp_path, server.url, limits=Limits(size=1000))


def test_a_full_disk_is_seen_before(tmp_path: Path) -> None:
    with serve(file(BODY)) as server, pytest.raises(EnvironmentFault, match="GiB left") as error:
        fetch(tmp_path, server.url, limits=Limits(free=lambda _folder: 1000))
    assert "NOOTROPIC_MODELS" in (error.value.remedy or "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_disk_that_fills_up_while_writing(tmp_path: Path) -> None:
    (tmp_path / "model.part").symlink_to("/dev/full")
    with serve(file(BODY)) as server, pytest.raises(EnvironmentFault, match="No space left"):
        fetch(tmp_path, server.url)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that nobody signed, made for this run."""
    folder = tmp_path_factory.mktemp("certificate")
    args = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -addext subjectAltName=IP:127.0.0.1 -batch"
    try:
        subprocess.run(
            ["openssl", *args.split(), "-keyout", "key.pem", "-out", "cert.pem"],
            cwd=folder,
            check=True,
            capture_output=True,
        )
    except FileNotFoundError:
        pytest.skip("no openssl here")
    return folder


def _tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    return context


def test_an_invalid_certificate_is_refused_at_once(tmp_path: Path, certificate: Path) -> None:
    clock = Clock()
    with (
        serve(file(BODY), tls=_tls(certificate)) as server,
        pytest.raises(RemoteError, match="certificate") as error,
    ):
        fetch(tmp_path, server.url, clock)
    assert "SSL_CERT_FILE" in (error.value.remedy or "")
    assert clock.slept == []
    assert not (tmp_path / "model.part").exists()


def test_encryption_is_never_left_again(tmp_path: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    with serve(file(BODY)) as plain, serve(file(BODY), tls=_tls(certificate)) as server:
        assert fetch(tmp_path, server.url) == BODY
        server.script[:] = [answer(302, {"Location": plain.url})]
        with pytest.raises(RemoteError, match="not encrypted"):
            fetch(tmp_path, server.url.replace("/m/", "/n/"))
        assert plain.requests == []


# What a pull makes of it.


def entry(url: str, sha256: str | None = DIGEST) -> Entry:
    return replace(entry_of(url, "mine", sha256), size_bytes=len(BODY) if sha256 else 0)


def test_a_pull_installs_under_the_hash(tmp_path: Path) -> None:
    with serve(file(BODY)) as server:
        done = pull(entry(server.url), tmp_path)
    assert not done.was_there
    assert done.model.path == tmp_path / DIGEST / "model-q8_0.gguf"
    assert done.model.path.read_bytes() == BODY
    assert not done.model.on_first_use
    assert [model.entry.name for model in installed_models(tmp_path, tmp_path)] == ["mine"]
    assert [path.suffix for path in (tmp_path / "partial").iterdir()] == [".lock"]


def test_a_second_pull_has_nothing_to_do(tmp_path: Path) -> None:
    with serve(file(BODY)) as server:
        first = pull(entry(server.url), tmp_path)
        second = pull(entry(server.url), tmp_path)
        assert len(server.requests) == 1
    assert second.was_there
    assert second.model.path == first.model.path


def test_the_same_bytes_under_two_names(tmp_path: Path) -> None:
    with serve(file(BODY)) as server:
        for name in ("one", "two"):
            pull(entry_of(server.url, name, None), tmp_path)
    assert [model.entry.name for model in installed_models(tmp_path, tmp_path)] == ["one", "two"]


def test_the_first_pull_pins_what_nobody_knows(tmp_path: Path) -> None:
    with serve(file(BODY)) as server:
        done = pull(entry(server.url, None), tmp_path)
        assert done.model.on_first_use
        assert done.model.sha256 == DIGEST
        assert done.model.entry.version == DIGEST[:12]
        assert pull(entry(server.url, None), tmp_path).was_there


def test_what_the_hub_states_is_checked(tmp_path: Path) -> None:
    with serve(file(BODY)) as store:
        good = answer(302, {"Location": store.url, "X-Linked-ETag": f'"{DIGEST}"'})
        bad = answer(302, {"Location": store.url, "X-Linked-ETag": f'"{"0" * 64}"'})
        with serve(bad, good) as hub:
            with pytest.raises(EnvironmentFault, match=r"stated by 127\.0\.0\.1"):
                pull(entry(hub.url, None), tmp_path)
            assert pull(entry(hub.url, None), tmp_path).model.sha256 == DIGEST


def test_a_wrong_file_is_refused_and_removed(tmp_path: Path) -> None:
    evil = file(model_bytes(len(BODY), b"evil"))
    with serve(evil) as server, pytest.raises(EnvironmentFault, match="is not the file") as error:
        pull(entry(server.url), tmp_path)
    assert error.value.exit_code == 3
    assert not list(tmp_path.glob("*/*.gguf"))
    assert not list(tmp_path.glob("partial/*.part"))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<!DOCTYPE html><html>please log in</html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS"),
        (b"PK\x03\x04" + b"x" * 100, "no GGUF"),
        (b"GGUF" + (99).to_bytes(4, "little") + b"x" * 100, "version"),
    ],
)
def test_what_is_no_model_is_not_installed(tmp_path: Path, body: bytes, said: str) -> None:
    with serve(file(body)) as server, pytest.raises(EnvironmentFault, match=said):
        pull(entry(server.url, None), tmp_path)
    assert not list(tmp_path.glob("*/*.gguf"))


def test_an_installed_file_that_was_damaged_is_fetched_again(tmp_path: Path) -> None:
    with serve(file(BODY)) as server:
        path = pull(entry(server.url), tmp_path, cache=tmp_path / "cache").model.path
        path.write_bytes(BODY[:-1] + b"?")
        assert not pull(entry(server.url), tmp_path, cache=tmp_path / "cache").was_there
    assert path.read_bytes() == BODY


def test_a_truncated_one_too(tmp_path: Path) -> None:
    with serve(file(BODY)) as server:
        path = pull(entry(server.url), tmp_path).model.path
        path.write_bytes(BODY[:1000])
        assert not pull(entry(server.url), tmp_path).was_there
    assert path.read_bytes() == BODY


def test_two_pulls_at_once_fetch_once(tmp_path: Path) -> None:
    started, go_on = threading.Event(), threading.Event()

    def slowly(handler: object) -> None:
        started.set()
        assert go_on.wait(20)
        file(BODY)(handler)  # type: ignore[arg-type]

    notes: list[str] = []

    def waited(text: str) -> None:
        notes.append(text)
        go_on.set()

    with serve(slowly) as server:
        first = threading.Thread(target=pull, args=(entry(server.url), tmp_path))
        first.start()
        assert started.wait(20)
        second = pull(entry(server.url), tmp_path, note=waited)
        first.join()
        assert len(server.requests) == 1
    assert second.was_there
    assert notes == ["another pull of this model is under way; waiting for it"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with serve(file(BODY)) as server, pytest.raises(EnvironmentFault, match="can't be used"):
        pull(entry(server.url), tmp_path / "home")


def test_a_home_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    with serve(file(BODY)) as server, pytest.raises(EnvironmentFault, match="can't be used") as error:
        pull(entry(server.url), tmp_path / "home")
    assert "NOOTROPIC_MODELS" in (error.value.remedy or "")


def test_addresses_of_the_hub() -> None:
    found = entry_of("hf:Qwen/Some-Repo-GGUF/some-q4_k_m.gguf", None, None)
    assert found.url == "https://huggingface.co/Qwen/Some-Repo-GGUF/resolve/main/some-q4_k_m.gguf"
    assert found.name == "some-q4_k_m"
    deep = entry_of("hf:a/b/sub/x.gguf", "mine", DIGEST.upper())
    assert deep.url == "https://huggingface.co/a/b/resolve/main/sub/x.gguf"
    assert (deep.name, deep.sha256) == ("mine", DIGEST)


def _call(address: str, name: str | None = None, sha256: str | None = None) -> Callable[[], Entry]:
    return lambda: entry_of(address, name, sha256)


@pytest.mark.parametrize(
    "call",
    [
        _call("hf:owner/repo"),
        _call("hf:owner/../x.gguf"),
        _call("hf:owner/repo/x.gguf?evil"),
        _call("https://example.com/"),
        _call("https://example.com/model.bin"),
        _call("https://example.com/model-00001-of-00002.gguf"),
        _call("https://example.com/..%2f..%2f.gguf"),
        _call("https://example.com/-x.gguf"),
        _call("https://example.com/x.gguf", name="../x"),
        _call("https://example.com/x.gguf", name="a b"),
        _call("https://example.com/x.gguf", sha256="abc"),
        _call("http://example.com/x.gguf"),
    ],
)
def test_what_can_not_be_pulled(call: Callable[[], Entry]) -> None:
    with pytest.raises(UsageError):
        call()


def test_a_hash_as_people_paste_it() -> None:
    assert parse_sha256(None) is None
    assert parse_sha256(f" sha256:{DIGEST.upper()}\n") == DIGEST


def test_every_failure_says_something(tmp_path: Path) -> None:
    steps: list[Step] = [silence, answer(500), answer(404), file(b"x", headers={"Content-Encoding": "br"})]
    for step in steps:
        with serve(step) as server, pytest.raises(NootropicError) as error:
            fetch(tmp_path, server.url)
        assert "127.0.0.1" in error.value.message
