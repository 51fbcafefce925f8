"""Secrets never reach the disk: every detector's own pattern is a source of secrets here, ordinary text is left alone."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.plugins.base import BasePlugin, RegexBasedDetector
from detect_secrets.plugins.high_entropy_strings import HighEntropyStringsPlugin
from detect_secrets.plugins.ip_public import IPPublicDetector
from detect_secrets.plugins.jwt import JwtTokenDetector
from detect_secrets.plugins.keyword import QUOTES_REQUIRED_DENYLIST_REGEX_TO_GROUP, KeywordDetector
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from nootropic_bot.state.redact import count_secrets, find_secrets, is_suspicious, redact, redact_text
from nootropic_bot.state.schema import Draft
from tests.support.repo import PROJECT, Repo
from tests.support.state import drafts, git, store_at

# What is shorter can't be told from ordinary text (`password = "x"`).
LEAST = 4
TOKEN = "ghp_" + "a1B2c3D4e5F6" * 3
_CLASSES: Iterable[Any] = get_mapping_from_secret_type_to_class().values()
DETECTORS: dict[str, BasePlugin] = {kind.__name__: kind() for kind in _CLASSES if kind is not IPPublicDetector}
PATTERNS = [
    (name, number, pattern)
    for name, detector in sorted(DETECTORS.items())
    # A web token has to hold real JSON: it has a test of its own.
    if isinstance(detector, RegexBasedDetector) and not isinstance(detector, JwtTokenDetector)
    for number, pattern in enumerate(detector.denylist)
]
KEYWORDS = list(enumerate(QUOTES_REQUIRED_DENYLIST_REGEX_TO_GROUP))
# The text around a secret: code, prose, other lines.
_BEFORE = st.sampled_from(["", " ", "x = ", "see\n", "# ", "call(", "a:b,c=", "ü", "\t\r\n"])
_AFTER = st.sampled_from(["", " ", "\n", ")", ";", ", and more", "\nnext = 1\n"])


def reported(detector: BasePlugin, line: str) -> set[str]:
    """What a detector itself says about a line of a Python file: as `detect-secrets scan` would."""
    if isinstance(detector, KeywordDetector):
        found: Iterable[str] = detector.analyze_string(
            line, denylist_regex_to_group=QUOTES_REQUIRED_DENYLIST_REGEX_TO_GROUP
        )
    elif isinstance(detector, HighEntropyStringsPlugin):
        strings = detector.analyze_string(line)
        found = [text for text in strings if detector.calculate_shannon_entropy(text) > detector.entropy_limit]
    else:
        found = list(detector.analyze_string(line))
        if isinstance(detector, RegexBasedDetector) and any(len(secret) < LEAST for secret in found):
            # The detector answers with a group of its pattern, the `ghp` of `ghp_…`; meant is the whole.
            found = [match.group() for pattern in detector.denylist for match in pattern.finditer(line)]
    return set(found)


def assert_nothing_survives(text: str) -> None:
    """Whatever any detector reports of `text` is taken out of it, and what is left holds no secret."""
    secrets = {
        secret
        for line in text.splitlines()
        for detector in DETECTORS.values()
        for secret in reported(detector, line)
        if len(secret) >= LEAST
    }
    assume(secrets)
    assert is_suspicious(text)
    clean, count = redact_text(text)
    assert count >= 1
    marked = re.sub(r"\[redacted: [^\]]*\]", "", clean)
    assert not [secret for secret in secrets if secret in marked]
    assert redact_text(clean) == (clean, 0), "what was taken out once is out"


# Found are all


def test_there_are_detectors_of_all_three_sorts() -> None:
    assert len(DETECTORS) >= 25
    assert len(PATTERNS) >= 40
    assert {"KeywordDetector", "Base64HighEntropyString", "HexHighEntropyString"} <= set(DETECTORS)


def base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


@given(st.dictionaries(st.text(max_size=5), st.integers() | st.text(), max_size=3), st.binary(max_size=64), _AFTER)
@settings(deadline=None)
def test_a52_any_web_token_does_not_survive(claims: dict[str, object], signature: bytes, after: str) -> None:
    header = base64url(b'{"alg":"HS256","typ":"JWT"}')
    assert header.startswith("eyJ")
    token = f"{header}.{base64url(json.dumps(claims).encode())}.{base64url(signature)}"
    assert_nothing_survives(f"Bearer {token}{after}")
    clean, _count = redact_text(f"Bearer {token}{after}")
    assert clean == f"Bearer [redacted: JSON Web Token]{after}"


@pytest.mark.parametrize("pattern", [pytest.param(p, id=f"{name}-{number}") for name, number, p in PATTERNS])
def test_a52_what_a_pattern_describes_does_not_survive(pattern: re.Pattern[str]) -> None:
    @given(_BEFORE, st.from_regex(pattern), _AFTER)
    @settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
    def check(before: str, token: str, after: str) -> None:
        assert_nothing_survives(f"{before}{token}{after}")

    check()


@pytest.mark.parametrize("pattern", [pytest.param(p, id=str(number)) for number, p in KEYWORDS])
def test_a52_what_a_name_gives_away_does_not_survive(pattern: re.Pattern[str]) -> None:
    @given(_BEFORE, st.from_regex(pattern), _AFTER)
    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
    def check(before: str, token: str, after: str) -> None:
        assert_nothing_survives(f"{before}{token}{after}")

    check()


@pytest.mark.parametrize("name", ["Base64HighEntropyString", "HexHighEntropyString"])
def test_a52_quoted_noise_does_not_survive(name: str) -> None:
    detector = DETECTORS[name]
    assert isinstance(detector, HighEntropyStringsPlugin)

    @given(st.text(alphabet=detector.charset, min_size=8, max_size=80), st.sampled_from("'\""), _BEFORE, _AFTER)
    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
    def check(noise: str, quote: str, before: str, after: str) -> None:
        assume(detector.calculate_shannon_entropy(noise) > detector.entropy_limit)
        assert_nothing_survives(f"{before}{quote}{noise}{quote}{after}")

    check()


KEY = (
    "-----BEGIN {0}PRIVATE KEY-----\n"
    "MIIEowIBAAKCAQEAx5Vn0pYV6zv2mYkq0wUwJ1v3Q2m8n7b6v5c4x3z2a1s0d9f8\n"
    "g7h6j5k4l3Pq+oW/eR\n\n"
    "tYuIoP==\n"
    "-----END {0}PRIVATE KEY-----"
)


@pytest.mark.parametrize("sort", ["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "])
def test_a52_a_private_key_goes_with_its_body(sort: str) -> None:
    text = f"before = 1\nkey = '''\n{KEY.format(sort)}\n'''\nafter = 2\n"
    clean, count = redact_text(text)
    assert clean == "before = 1\nkey = '''\n[redacted: Private Key]\n'''\nafter = 2\n"
    assert count == 1


def test_a52_a_private_key_without_an_end_goes_to_the_end() -> None:
    clean, count = redact_text("before = 1\n" + KEY.format("RSA ").partition("-----END")[0])
    assert (clean.strip(), count) == ("before = 1\n[redacted: Private Key]", 1)


def test_a52_two_private_keys_are_two_secrets() -> None:
    other = KEY.format("EC ").replace("MIIE", "MHcC")
    clean, count = redact_text(f"{KEY.format('RSA ')}\nbetween\n{other}\n")
    assert (clean, count) == ("[redacted: Private Key]\nbetween\n[redacted: Private Key]\n", 2)


def test_a52_a_web_token_goes_with_its_signature() -> None:
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
    clean, count = redact_text(f"Authorization: Bearer {token} and more")
    assert (clean, count) == ("Authorization: Bearer [redacted: JSON Web Token] and more", 1)


@pytest.mark.parametrize(
    ("text", "expected", "count"),
    [
        (f"{TOKEN}", "[redacted: GitHub Token]", 1),
        (f"a {TOKEN} b {TOKEN} c", "a [redacted: GitHub Token] b [redacted: GitHub Token] c", 2),
        ("https://me:hunter22@example.org/x", "https://me:[redacted: Basic Auth Credentials]@example.org/x", 1),
        ('password = "hunter22"', 'password = "[redacted: Secret Keyword]"', 1),
        ("no secret at all", "no secret at all", 0),
        ("", "", 0),
    ],
)
def test_a52_the_count_is_the_number_of_places(text: str, expected: str, count: int) -> None:
    assert redact_text(text) == (expected, count)


def test_a52_a_secret_that_is_a_word_of_our_mark_spoils_no_other_mark() -> None:
    clean, count = redact_text(f'api_key = "redacted"; token = {TOKEN}')
    assert TOKEN not in clean
    assert count == 2
    assert clean.count("[redacted: ") == 2
    assert "[[" not in clean


# Left alone is the rest

ORDINARY = (
    "password = read_password()",
    "password: str | None = None",
    "def check_password(self, password: str, *, key: bytes = b'') -> bool:",
    'token = request.headers.get("X-Token")',
    "for token in tokenize.generate_tokens(readline):",
    "key = lambda item: (item.priority, item.name)",
    'os.environ["API_KEY"]',
    'parser.add_argument("--password-file", help="where the password is read from")',
    "secret = secrets.token_hex(16)",
    'return sorted(found, key=lambda pair: (-len(pair[0]), pair), reverse=True)["keyword"]',
    "raise KeyError(key) from None",
    "if not hmac.compare_digest(token, expected_token):",
    "commit 3f786850e387550fdab836ed7e6dc881de23001b",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "d41d8cd98f00b204e9800998ecf8427e  empty.bin",
    "src/nootropic_bot/critique/scope.py",
    "/usr/lib/python3/dist-packages/cryptography/hazmat/primitives/keywrap.py",
    "C:\\Users\\someone\\AppData\\Local\\Programs",
    "tests/keys/test_public_key_parsing.py",
    "https://example.org/path/to/page.html?query=value&other=1#fragment",
    "https://docs.python.org/3/library/secrets.html#secrets.token_urlsafe",
    "git@github.com:owner/repository.git",
    "ssh://git@example.org:22/repository.git",
    "https://user@example.org/repository",
    "This YAML call builds Python objects from tags in the document, so a crafted document can run code.",
    "Use a password manager; never write a password, a key or a token into the code.",
    "The key idea is to pass the token by reference and to begin early.",
    "import yaml\n\n\ndef load(text):\n    return yaml.safe_load(text)\n",
    "subprocess.run([sys.executable, '-m', 'pytest'], check=True, shell=False)",
    'cursor.execute("SELECT name FROM users WHERE id = ?", (user_id,))',
    "assert response.status_code == 200, response.text",
    "x = {'name': 'value', 'path': '/tmp', 'size': 4096}",
    "logging.getLogger(__name__).warning('skipped %s', path)",
    "yaml-unsafe-load",
    "python.lang.security.audit.subprocess-shell-true",
    "00000000-0000-4000-8000-000000000000",
    "192.0.2.17 - - [10/Oct/2000:13:55:36 -0700] GET /index.html HTTP/1.0 200 2326",
    "from cryptography.hazmat.primitives.ciphers.aead import AESGCM",
    "résumé – naïve “quotes” 日本語 \u2028 \x00 \t end",
    "semgrep 1.182.0 (native engine), Python 3.12.4, git version 2.45.1",
    "ask-us about the us-east-1 region, or ask us-2 for it",
    "monkey passed the keyboard, bypassing the turnkey hockey tokens",
)


def test_there_are_forty_ordinary_texts() -> None:
    assert len(set(ORDINARY)) >= 40


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert redact_text(text) == (text, 0)
    assert find_secrets(text) == set()
    data = {"text": text, "list": [text, {"deep": text}]}
    assert redact([Draft("note", data)]) == ([Draft("note", data)], 0)


def test_all_ordinary_text_at_once_is_left_alone() -> None:
    together = "\n".join(ORDINARY)
    assert redact_text(together) == (together, 0)


# In records


def test_a52_nested_values_are_looked_through() -> None:
    data = {"text": f"x {TOKEN}", "deep": {"list": ["plain", [{"more": TOKEN}], 7, None, True, 1.5]}, "n": 3}
    found, count = redact([Draft("note", data), Draft("note", {"text": "plain"})])
    mark = "[redacted: GitHub Token]"
    expected = {"text": f"x {mark}", "deep": {"list": ["plain", [{"more": mark}], 7, None, True, 1.5]}, "n": 3}
    assert found == [Draft("note", {**expected, "redacted": 2}), Draft("note", {"text": "plain"})]
    assert count == 2
    assert count_secrets(data) == 2
    assert data["text"] == f"x {TOKEN}", "the caller's data is not changed"


def test_a52_a_tuple_is_looked_through() -> None:
    found, count = redact([Draft("note", {"text": "", "parts": ("a", TOKEN)})])
    assert (found[0].data["parts"], count) == (["a", "[redacted: GitHub Token]"], 1)


def test_a52_the_name_of_a_field_is_looked_at() -> None:
    """A mapping's keys are text from outside as much as its values."""
    data = {"name": "x", "status": "y", "metrics": {TOKEN: 1.0}}
    found, count = redact([Draft("experiment", data)])
    assert TOKEN not in json.dumps(found[0].data)
    assert count == 1


def test_a_count_that_a_record_brings_is_added_to() -> None:
    """A fix from which the recorder took a secret already, with another one in its path."""
    found, _count = redact([Draft("suggestion", {"redacted": 2, "path": f"docs/{TOKEN}.py"})])
    assert found[0].data["redacted"] == 3


def test_a52_no_secret_is_in_any_object_of_the_repository(repo: Repo) -> None:
    secrets = [TOKEN, KEY.format("RSA ").splitlines()[1], "hunter2hunter2"]
    texts = [f"a {TOKEN} b", KEY.format("RSA "), 'db_password = "hunter2hunter2"']
    with store_at(repo.path) as store:
        appended = store.append([Draft("note", {"text": text}) for text in texts])
        store.index.update()
    assert appended.redacted == 3
    objects = git(repo.path, "cat-file", "--batch-all-objects", "--batch")
    assert "[redacted: GitHub Token]" in objects
    files = b"".join(path.read_bytes() for path in (repo.path / ".git/nootropic").rglob("*") if path.is_file())
    for secret in secrets:
        assert secret not in objects
        assert secret.encode() not in files


# What it costs


def run_python(code: str, *args: str) -> str:
    """Run code in a process of its own; what it prints."""
    env = {**os.environ, "PYTHONPATH": str(PROJECT)}
    done = subprocess.run([sys.executable, "-c", code, *args], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


_APPEND = """
import sys
from pathlib import Path
from tests.support.state import note, run, finding, suggestion, outcome, triage, cost, store_at
drafts = [make(seed) for seed in range(3) for make in (run, finding, suggestion, outcome, triage, cost, note)]
loaded = "detect_secrets" in sys.modules
with store_at(Path(sys.argv[1])) as store:
    store.append(drafts)
    print(loaded, "detect_secrets" in sys.modules, "requests" in sys.modules)
    from nootropic_bot.state.schema import Draft
    store.append([Draft("note", {"text": "token ghp_" + "a1B2c3D4e5F6" * 3})])
    print("detect_secrets" in sys.modules)
"""


def test_ordinary_records_do_not_load_the_detectors(repo: Repo) -> None:
    assert run_python(_APPEND, str(repo.path)).split("\n") == ["False False False", "True"]


_WITHOUT_SOCKETS = """
import json
import socket
import sys


def refuse(*_args, **_named):
    print("the network was asked for")
    raise SystemExit(3)


class Unplugged(socket.socket):  # Can be made and bound, as a library does to see whether there is IPv6.
    connect = connect_ex = sendto = sendmsg = refuse


socket.socket = Unplugged
socket.create_connection = socket.getaddrinfo = socket.gethostbyname = refuse
try:
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(("192.0.2.1", 80))
except SystemExit:
    print("guarded")
from nootropic_bot.state.redact import redact_text
for text in json.loads(sys.argv[1]):
    print(redact_text(text)[1])
"""


def test_no_service_is_asked_about_a_token() -> None:
    texts = [
        TOKEN,
        "AKIA" + "IOSFODNN7EXAMPLQ aws_secret_access_key = 'wJalrXUtnFEMIK7MDENGbPxRfiCYzzzzzzzzKEYz'",
        "xoxb-" + "263594206564-2343594206574-FGqddMF8t08v8N7Oq4i57vs1",
        "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc",
        "cloudant_password = '" + "0123456789abcdef" * 4 + "'",
        "SK" + "0123456789abcdef" * 2,
        "0123456789abcdef" * 2 + "-us12",
    ]
    said = run_python(_WITHOUT_SOCKETS, json.dumps(texts)).split("\n")
    assert said[:2] == ["the network was asked for", "guarded"]
    assert len(said) == 2 + len(texts)
    assert all(int(count) >= 1 for count in said[2:])


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("x" * 50_000 + '\npassword = "hunter22"', id="long word"),
        pytest.param("x" * 50_000 + ' password = "hunter22"', id="long word in the same line"),
        pytest.param("key " * 6_000 + '\npassword = "hunter22"', id="names without values"),
        pytest.param("key " * 6_000, id="names alone"),
        pytest.param("keyword=" * 10_000 + "'x'", id="names in one word"),
        pytest.param("-" * 50_000 + '\npassword = "hunter22" begin ', id="dashes"),
        pytest.param("BEGIN " * 12_000 + "PRIVATE", id="beginnings of keys"),
        pytest.param("a:b@" * 20_000 + "://", id="beginnings of addresses"),
        pytest.param("'" + "a" * 22 + "', " * 5_000, id="quotes"),
        pytest.param("eyJ" * 30_000, id="beginnings of tokens"),
        pytest.param("eyJ." * 30_000, id="beginnings of tokens with dots"),
        pytest.param("ghp_" * 30_000, id="beginnings of other tokens"),
    ],
)
def test_a44_a_long_line_takes_no_long_time(text: str) -> None:
    """The text is that of a pull request, at worst made for it; a record has room for a megabyte."""
    redact_text('password = "hunter22"')  # The import is not measured.
    assert within(1.5, lambda: redact_text(text))


def within(seconds: float, action: Callable[[], object]) -> bool:
    started = time.process_time()
    action()
    return time.process_time() - started < seconds


def test_many_ordinary_records_take_no_long_time() -> None:
    made = drafts(0, 5_000)
    assert within(5, lambda: redact(made))
