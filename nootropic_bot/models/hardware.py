"""What this machine has for a model: cores, memory, a GPU. Read from the system's own files and tools.

In a container the machine's figures mislead: the cores that may be used are the affinity mask's and the cgroup's quota,
the memory is the cgroup's limit. Nothing is imported but the standard library, and nothing here runs longer than ten
seconds; what can't be read is left out and noted.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nootropic_bot import process
from nootropic_bot.errors import EnvironmentFault

Runner = Callable[[Sequence[str]], process.Completed]

_SYSCTL = ("machdep.cpu.brand_string", "hw.physicalcpu", "hw.logicalcpu", "hw.perflevel0.physicalcpu", "hw.memsize")
_WIRED_LIMIT = "iogpu.wired_limit_mb"
_NVIDIA = ("nvidia-smi", "--query-gpu=name,memory.total,memory.free", "--format=csv,noheader,nounits")
_UNLIMITED = 1 << 60  # cgroup v1 says "no limit" with a number near 2^63
_MIB = 1 << 20
_GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU; memory in bytes. `free` is what it had left when it was looked at."""

    kind: Literal["metal", "cuda"]
    name: str
    memory: int
    free: int


@dataclass(frozen=True, slots=True)
class Hardware:
    """One machine; memory in bytes, 0 where unknown.

    `cores`: physical ones that may be used (of a chip with two kinds: the fast ones). `threads`: logical ones.
    """

    system: str
    machine: str
    cpu: str
    cores: int
    threads: int
    memory: int
    available: int
    gpus: tuple[Gpu, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def gpu(self) -> Gpu | None:
        """The one with the most free memory."""
        return max(self.gpus, key=lambda gpu: gpu.free, default=None)

    @property
    def key(self) -> str:
        """Names machines of this kind: measured figures are kept under it. Holds no host name and no serial number."""
        parts = (self.system, self.machine, self.cpu, str(self.cores), *(gpu.name for gpu in self.gpus))
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _run(args: Sequence[str]) -> process.Completed:
    return process.run(args, timeout=10)


def _affinity() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def probe(
    *,
    root: Path = Path("/"),
    run: Runner = _run,
    system: str | None = None,
    machine: str | None = None,
    affinity: Callable[[], int] = _affinity,
) -> Hardware:
    """Look at this machine; the arguments stand in for it in tests."""
    system, machine = system or platform.system(), machine or platform.machine()
    return _macos(run, machine) if system == "Darwin" else _linux(root, run, system, machine, affinity())


def _macos(run: Runner, machine: str) -> Hardware:
    notes: list[str] = []
    values = dict(
        re.findall(r"^([\w.]+): (.*)$", _output(run, ("sysctl", *_SYSCTL, _WIRED_LIMIT), notes), re.MULTILINE)
    )
    memory = _int(values.get("hw.memsize"))
    cpu = values.get("machdep.cpu.brand_string", machine)
    threads = _int(values.get("hw.logicalcpu")) or 1
    cores = _int(values.get("hw.perflevel0.physicalcpu")) or _int(values.get("hw.physicalcpu")) or threads
    available = _macos_available(_output(run, ("vm_stat",), notes)) or memory
    gpus: tuple[Gpu, ...] = ()
    if machine == "arm64":
        limit = _int(values.get(_WIRED_LIMIT)) * _MIB or _metal_share(memory)
        gpus = (Gpu("metal", cpu, limit, min(limit, available)),)
    return Hardware("Darwin", machine, cpu, cores, threads, memory, available, gpus, tuple(notes))


def _metal_share(memory: int) -> int:
    """What Metal recommends to use at most of unified memory: two thirds up to 36 GB, three quarters above.

    As llama.cpp prints it (`recommendedMaxWorkingSetSize`) on such machines; Apple documents no rule.
    """
    return memory * 2 // 3 if memory <= 36 * _GIB else memory * 3 // 4


def _macos_available(text: str) -> int:
    page = _int(next(iter(re.findall(r"page size of (\d+) bytes", text)), None))
    counts = dict(re.findall(r"^Pages ([\w ]+):\s+(\d+)\.", text, re.MULTILINE))
    return page * sum(_int(counts.get(kind)) for kind in ("free", "inactive", "speculative", "purgeable"))


def _linux(root: Path, run: Runner, system: str, machine: str, allowed: int) -> Hardware:
    notes: list[str] = []
    info = _text(root / "proc/cpuinfo")
    models = re.findall(r"^(?:model name|Hardware|cpu model)\s*:\s*(.+)$", info, re.MULTILINE)
    groups = _cgroups(root)
    quota = min((q for q in (_cpu_quota(folder) for folder in groups["cpu"]) if q), default=float(allowed))
    threads = max(1, min(allowed, int(quota)))
    meminfo = dict(re.findall(r"^(\w+):\s+(\d+) kB$", _text(root / "proc/meminfo"), re.MULTILINE))
    memory, available = _int(meminfo.get("MemTotal")) * 1024, _int(meminfo.get("MemAvailable")) * 1024
    for folder in groups["memory"]:
        limit, used = _memory_limit(folder)
        if limit:
            memory = min(memory or limit, limit)
            available = min(available or limit, max(limit - used, 0))
    gpus = _cuda(run, notes, memory, available)
    cpu = models[0].strip() if models else machine
    return Hardware(system, machine, cpu, _cores(info, threads), threads, memory, available, gpus, tuple(notes))


def _cores(info: str, threads: int) -> int:
    """Physical cores among the usable threads: two threads of one core share what a model needs most."""
    places = set(re.findall(r"^physical id\s*:\s*(\d+)$.*?^core id\s*:\s*(\d+)$", info, re.MULTILINE | re.DOTALL))
    logical = len(re.findall(r"^processor\s*:", info, re.MULTILINE))
    if not places or logical <= len(places):
        return threads
    return max(1, threads * len(places) // logical)


def _cgroups(root: Path) -> Mapping[str, list[Path]]:
    """The folders of this process's control groups, from its own up to the top: each of them may set a limit."""
    mount = root / "sys/fs/cgroup"
    found: dict[str, list[Path]] = {"cpu": [], "memory": []}
    for line in _text(root / "proc/self/cgroup").splitlines():
        _number, _sep, rest = line.partition(":")
        controllers, _sep, path = rest.partition(":")
        for kind, folders in found.items():
            if not controllers:
                top = mount
            elif kind in controllers.split(","):
                top = next((mount / name for name in (controllers, kind) if (mount / name).is_dir()), mount / kind)
            else:
                continue
            inner = [part for part in path.split("/") if part not in ("", ".", "..")]
            folders.extend(top.joinpath(*inner[:depth]) for depth in range(len(inner), -1, -1))
    return found


def _cpu_quota(folder: Path) -> float:
    """Cores' worth of time, 0 for as many as there are."""
    words = _text(folder / "cpu.max").split()
    if not words:
        words = [_text(folder / f"cpu.cfs_{name}_us").strip() or "-1" for name in ("quota", "period")]
    quota, period = _int(words[0]), _int(words[1]) if len(words) > 1 else 0
    return max(quota / period, 1.0) if quota > 0 and period > 0 else 0.0


def _memory_limit(folder: Path) -> tuple[int, int]:
    """(limit, used) in bytes, (0, 0) without a limit. Cached files don't count: the kernel gives them up."""
    for limit_name, used_name, cached in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        limit = _int(_text(folder / limit_name).strip())
        if 0 < limit < _UNLIMITED:
            stat = dict(re.findall(r"^(\w+) (\d+)$", _text(folder / "memory.stat"), re.MULTILINE))
            return limit, max(_int(_text(folder / used_name).strip()) - _int(stat.get(cached)), 0)
    return 0, 0


def _cuda(run: Runner, notes: list[str], memory: int, available: int) -> tuple[Gpu, ...]:
    gpus = []
    for line in _output(run, _NVIDIA, notes).splitlines():
        name, *sizes = (part.strip() for part in line.rsplit(",", 2))
        if len(sizes) != 2:
            continue
        # A GPU that shares the machine's memory (Jetson, GB10) says "[N/A]".
        total, free = (_int(size) * _MIB for size in sizes)
        gpus.append(Gpu("cuda", name, total or memory, free or (0 if total else available)))
    return tuple(gpus)


def _output(run: Runner, args: Sequence[str], notes: list[str]) -> str:
    try:
        done = run(args)
    except EnvironmentFault:
        return ""  # It is not there: a machine without that tool.
    if done.timed_out:
        notes.append(f"`{args[0]}` did not answer within ten seconds")
    elif done.returncode and args[0] != "sysctl":  # sysctl fails for one unknown name, and prints the others.
        reason = done.error_text or done.stdout.decode("utf-8", "replace").strip()[-200:]
        notes.append(f"`{args[0]}` is there but failed: {' '.join(reason.split())[:200]}")
        return ""
    return done.stdout.decode("utf-8", "replace")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _int(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.lstrip("-").isdigit() else 0
