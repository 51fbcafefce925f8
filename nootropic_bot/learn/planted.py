"""Calls of unsafe functions put in the place of real calls, around the real arguments; both sides are written here.

What is left of the real code are its arguments, its place and its surroundings. A call is planted only where it can
stand: `subprocess.run` where the result is thrown away, a subtraction where it does not come apart.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nootropic_bot.learn.material import segment_of
from nootropic_bot.learn.mutations import Mutation, nodes_of
from nootropic_bot.pynames import dotted

_TIMEOUT_CALLS = (
    "requests.get",
    "requests.post",
    "requests.put",
    "requests.head",
    "requests.delete",
    "requests.request",
    "urllib.request.urlopen",
    "urlopen",
)
_REQUESTING = (".get", ".post", ".fetch", ".request", ".call", ".send")


@dataclass(frozen=True, slots=True)
class _Plant:
    """One call: the real argument takes the place of `@`.

    `flagged`: the part of `unsafe` that is flagged, empty for all of it. `statement`: the call must be all of a
    statement. `is_sum`: it binds looser than a call.
    """

    rule_id: str
    unsafe: str
    safe: str
    imports: tuple[str, ...] = ()
    flagged: str = ""
    statement: bool = False
    is_sum: bool = False


def _opens() -> Iterator[_Plant]:
    rule = "open-without-encoding"
    for unsafe in ("open(@)", 'open(@, "w")', "open(@, 'a')", 'open(@, "r")', "open(@, 'w+')", 'open(@, mode="w")'):
        yield _Plant(rule, unsafe, unsafe[:-1] + ', encoding="utf-8")')
    for receiver in ("@", '(@ / "new.txt")', '@.joinpath("a", "b.cfg")', "(self.root / @)", "Path(@)"):
        for text in ("text", '"new"', "''", '"[main]\\nkey = 1\\n"', "json.dumps(data, indent=2)", "str(value)"):
            yield _Plant(rule, f"{receiver}.write_text({text})", f'{receiver}.write_text({text}, encoding="utf-8")')
    for path in ("path", "self._path", '(tmp_path / "data.json")', "Path(name)"):
        yield _Plant(rule, f"{path}.write_text(@)", f'{path}.write_text(@, encoding="utf-8")')
    yield _Plant(rule, "io.open(@, 'wt')", "io.open(@, 'wt', encoding=\"utf-8\")", ("import io",))
    paths = ("from pathlib import Path",)
    for path in ("Path(@)", "(@ / name)", "@"):
        reading = f"{path}.read_text()", f'{path}.read_text(encoding="utf-8")'
        yield _Plant("path-read-without-encoding", *reading, paths)


def _times() -> Iterator[_Plant]:
    rule = "naive-datetime-now"
    from_class, module = ("from datetime import datetime, timedelta",), ("import datetime",)
    yield _Plant(rule, "datetime.fromtimestamp(@)", "datetime.fromtimestamp(@, timezone.utc)", from_class)
    longer = "datetime.datetime.fromtimestamp(@)", "datetime.datetime.fromtimestamp(@, datetime.timezone.utc)"
    yield _Plant(rule, *longer, module)
    now, aware = "datetime.now()", "datetime.now(timezone.utc)"
    yield _Plant(rule, f"@ - {now}", f"@ - {aware}", from_class, now, is_sum=True)
    now, aware = "dt.datetime.now()", "dt.datetime.now(dt.timezone.utc)"
    yield _Plant(rule, f"@ - {now}", f"@ - {aware}", ("import datetime as dt",), now, is_sum=True)
    utc = "@ - datetime.utcnow()", "@ - datetime.now(timezone.utc)"
    yield _Plant("naive-datetime-utcnow", *utc, from_class, "datetime.utcnow", is_sum=True)


def _data() -> Iterator[_Plant]:
    yaml, numpy, requests = ("import yaml",), ("import numpy as np",), ("import requests",)
    yield _Plant("yaml-unsafe-load", "yaml.load(@)", "yaml.safe_load(@)", yaml)
    loader = "yaml.load(@, Loader=yaml.Loader)", "yaml.load(@, Loader=yaml.SafeLoader)"
    yield _Plant("yaml-unsafe-loader", *loader, yaml, "yaml.Loader")
    for old, form in (("hashlib.md5(@)", ".hexdigest()"), ("hashlib.sha1(@)", ".digest()")):
        yield _Plant("weak-hash", old + form, "hashlib.sha256(@)" + form, ("import hashlib",), old)
    yield _Plant("eval-exec-use", "eval(@)", "ast.literal_eval(@)", ("import ast",))
    yield _Plant("pickle-load", "pickle.loads(@)", "json.loads(@)", ("import json", "import pickle"))
    yield _Plant("torch-load-unsafe", "torch.load(@)", "torch.load(@, weights_only=True)", ("import torch",))
    arrays = "np.load(@, allow_pickle=True)", "np.load(@, allow_pickle=False)"
    yield _Plant("numpy-allow-pickle", *arrays, numpy)
    run = "subprocess.run(@)", "subprocess.run(@, check=True)"
    yield _Plant("subprocess-unchecked-run", *run, ("import subprocess",), statement=True)
    tls = "requests.get(@, verify=False, timeout=10)", "requests.get(@, verify=True, timeout=10)"
    yield _Plant("tls-verify-disabled", *tls, requests, "False")
    unpack = "tar.extractall(@)", 'tar.extractall(@, filter="data")'
    yield _Plant("tar-extract-unfiltered", *unpack, ("import tarfile",), statement=True)
    connect = "socket.create_connection(@)", "socket.create_connection(@, timeout=30)"
    yield _Plant("socket-without-timeout", *connect, ("import socket",))


_PLANTS: Sequence[_Plant] = (*_opens(), *_times(), *_data())
# Where a sum can stand without parentheses of its own, and what can be the argument of any of these calls.
_LOOSE = ast.Assign | ast.AnnAssign | ast.Return | ast.Expr | ast.keyword | ast.Call | ast.Tuple | ast.List | ast.If
_ARGUMENT = ast.Name | ast.Attribute | ast.Subscript | ast.Call


def planted(tree: ast.Module, lines: Sequence[str], random_: random.Random) -> Iterator[Mutation]:
    """One planted call for each real call that bears one."""
    for node, parent in nodes_of(tree):
        if not isinstance(node, ast.Call) or isinstance(parent, ast.Await | ast.Raise):
            continue
        name, text = dotted(node.func), segment_of(lines, node)
        if text is None or not name or not text.startswith(name + "("):
            continue
        if name.endswith(_REQUESTING) and node.args and "timeout" not in text:
            yield from _request(node, text, name, random_)
        yield from _call(node, parent, lines, random_)


def _request(node: ast.Call, text: str, name: str, random_: random.Random) -> Iterator[Mutation]:
    """A call like an HTTP request becomes one without a time-out, whose fix adds it."""
    arguments = text[len(name) :]
    if arguments.rstrip(") ").endswith(",") or len(node.args) > 2:  # A third one may be the time-out.
        return
    if any(each.arg is None for each in node.keywords) or not all(isinstance(each, _TAKEN) for each in node.args):
        return
    call = random_.choice(_TIMEOUT_CALLS)
    unsafe = call + arguments
    where = node.lineno, node.col_offset, node.end_col_offset or 0
    first = call.partition(".")[0]
    imported = {"urlopen": "from urllib.request import urlopen", "urllib": "import urllib.request"}
    imports = (imported.get(first, f"import {first}"),)
    yield Mutation("http-call-without-timeout", *where, unsafe, f"{unsafe[:-1]}, timeout=30)", imports=imports)


_TAKEN = _ARGUMENT | ast.Constant | ast.BinOp | ast.JoinedStr | ast.Dict


def _call(node: ast.Call, parent: ast.AST, lines: Sequence[str], random_: random.Random) -> Iterator[Mutation]:
    """One of the calls of the table in place of a real call, around its argument."""
    if len(node.args) != 1 or node.keywords or not isinstance(node.args[0], _ARGUMENT):
        return
    argument, plant = segment_of(lines, node.args[0]), random_.choice(_PLANTS)
    is_alone = isinstance(parent, ast.Expr)
    if argument is None or argument == "self" or (plant.statement and not is_alone):
        return
    is_called = isinstance(parent, ast.Call) and parent.func is node
    if plant.is_sum and (is_called or not isinstance(parent, _LOOSE)):
        return
    unsafe, safe = plant.unsafe.replace("@", argument), plant.safe.replace("@", argument)
    where = node.lineno, node.col_offset, node.end_col_offset or 0
    if not plant.flagged:
        yield Mutation(plant.rule_id, *where, unsafe, safe, imports=plant.imports)
        return
    flagged = plant.flagged.replace("@", argument)
    start = unsafe.rindex(flagged)
    flag = (node.lineno, node.col_offset + start), start + len(flagged)
    yield Mutation(plant.rule_id, *where, unsafe, safe, *flag, imports=plant.imports)
