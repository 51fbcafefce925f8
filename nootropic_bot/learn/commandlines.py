"""Commands put together for a shell, and the same as lists of arguments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nootropic_bot.learn.strings import WAYS, Draw, Hole, Part, Written, as_text, call, joined, merged, words

_PROGRAMS = words(
    "git ls cp mv rm tar gzip ffmpeg convert chmod chown mount umount ping curl wget docker kubectl make pip npm rsync "
    "ssh scp systemctl service ip iptables mysql psql redis-cli nmap openssl unzip zip find grep du df kill useradd dd "
    "lsof python node java gcc cmake pdftotext pandoc sox inkscape gs nvidia-smi adb xdg-open hg svn tesseract soffice "
    "montage"
)
_WORDS = words(
    "-l -a -r -f -v -n -p --force --quiet --all --no-cache -rf -xzf -czf -i -y --depth 1 -o -d --user status log pull "
    "push clone checkout add commit show build run exec install start stop restart -q 644 755 root -t 10 /tmp "
    "/etc/hosts origin HEAD master"
)


def _literal(way: str, parts: Sequence[Part], quote: str) -> str:
    """One argument: a plain string, a bare expression, or an f-string of both."""
    if len(parts) == 1 and isinstance(parts[0], Hole):
        return as_text(parts[0]) if way == "+" else parts[0].text
    if all(isinstance(part, str) for part in parts):
        return quote + "".join(str(part) for part in parts) + quote
    return joined("f", parts, quote)


@dataclass(frozen=True, slots=True)
class _Command:
    """A command line as written, as arguments, and, where only a shell can run it, what follows them (else empty)."""

    parts: list[Part]
    arguments: list[list[Part]]
    tail: str

    def quoted_by_code(self) -> list[Part]:
        """The parts for a shell when each value goes through `shlex.quote`: no quotes of their own."""
        spaced = [part for argument in self.arguments for part in (" ", *argument)]
        return merged([*spaced[1:], self.tail])


_TAILS = (" | grep -v done", " > out.txt", " && echo ok", " 2>&1", " || true", " *.log", "; sync")


def _command(draw: Draw) -> _Command:
    arguments: list[list[Part]] = [[draw.word(_PROGRAMS)]]
    for _word in range(draw.random_.randint(0, 3)):
        arguments.append([draw.word(_WORDS)])
    for _hole in range(draw.random_.choice((1, 1, 1, 2, 2, 3))):
        hole = draw.hole()
        place = draw.random_.randint(1, len(arguments))
        argument: list[Part] = [hole]
        if draw.chance(0.2):
            argument = [draw.word(("--output=", "--file=", "/var/lib/", "user@", "if=", "--name=")), hole]
        elif draw.chance(0.15):
            argument = [hole, draw.word((".txt", "/data", ".png", ":/tmp"))]
        arguments.insert(place, argument)
    parts: list[Part] = []
    for number, argument in enumerate(arguments):
        quote = "'" if draw.chance(0.15) and any(isinstance(p, Hole) for p in argument) else ""
        parts += [" " * bool(number) + quote, *argument, quote]
    tail = draw.word(_TAILS) if draw.chance(0.12) else ""
    return _Command(merged([*parts, tail]), arguments, tail)


def _quote_for(draw: Draw, command: _Command) -> str:
    has_single = any("'" in part for part in command.parts if isinstance(part, str))
    return '"' if has_single else draw.word(('"', '"', "'"))


def _forms(draw: Draw, command: _Command, quote: str) -> tuple[str, str]:
    """The command as built from strings, and as it should be: a list, or quoted where only a shell can run it."""
    way = draw.word(WAYS)
    unsafe = joined(way, command.parts, quote)
    if command.tail:
        return unsafe, joined(way, command.quoted_by_code(), quote, "shlex.quote({})")
    return unsafe, "[" + ", ".join(_literal(way, argument, quote) for argument in command.arguments) + "]"


def shell_call(draw: Draw) -> Written:
    """A function of `subprocess` with `shell=True`."""
    command = _command(draw)
    bad, good = _forms(draw, command, _quote_for(draw, command))
    style = draw.word(("subprocess", "subprocess", "sp", ""))
    function = draw.word(("run", "call", "check_call", "check_output", "Popen"))
    called = f"{style}.{function}" if style else function
    imported = {
        "subprocess": "import subprocess",
        "sp": "import subprocess as sp",
        "": f"from subprocess import {function}, PIPE",
    }[style]
    pipe = f"stdout={style}.PIPE" if style else "stdout=PIPE"
    choices = ["text=True", "cwd=" + draw.name(), "env=" + draw.name(), "timeout=60"]
    choices += [pipe] * (function != "check_output")
    choices = [each for each in choices if function != "Popen" or not each.startswith("timeout")]
    more = draw.random_.sample(choices, draw.random_.randint(0, 2)) + ["check=True"] * (function == "run")
    before = draw.random_.randint(0, len(more))
    unsafe = [bad, *more[:before], "shell=True", *more[before:]]
    safe = [good, *unsafe[1:]] if command.tail else [good, *more]
    return call(draw, "subprocess-shell-true", (called, called), unsafe, safe, (imported,))


def system_call(draw: Draw) -> Written:
    """`os.system`."""
    command = _command(draw)
    unsafe, safe = _forms(draw, command, _quote_for(draw, command))
    called = "os.system", "os.system" if command.tail else "subprocess.call"
    return call(draw, "os-system-command", called, [unsafe], [safe], ("import os", "import subprocess"))
