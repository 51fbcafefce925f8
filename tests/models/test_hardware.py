"""The hardware probe, on machines recorded as files and outputs; and the settings that follow from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from nootropic_bot.errors import EnvironmentFault
from nootropic_bot.models.hardware import Gpu, Hardware, probe
from nootropic_bot.models.profiles import profile_for
from nootropic_bot.models.registry import Entry, builtin
from nootropic_bot.process import Completed

GIB = 1 << 30

CPUINFO = "".join(
    f"processor\t: {n}\nmodel name\t: AMD Ryzen 9 5900X 12-Core Processor\nphysical id\t: 0\ncore id\t\t: {n % 12}\n\n"
    for n in range(24)
)
MEMINFO = "MemTotal:       65782328 kB\nMemFree:         1234567 kB\nMemAvailable:   48000000 kB\n"

M1_MAX = """machdep.cpu.brand_string: Apple M1 Max
hw.physicalcpu: 10
hw.logicalcpu: 10
hw.perflevel0.physicalcpu: 8
hw.memsize: 68719476736
"""
VM_STAT = """Mach Virtual Memory Statistics: (page size of 16384 bytes)
Pages free:                             1000000.
Pages active:                           1200000.
Pages inactive:                         1000000.
Pages speculative:                        50000.
Pages throttled:                              0.
Pages wired down:                        300000.
Pages purgeable:                          50000.
"""


class Tools:
    """Stands in for the programs of a machine: what they print, by their first word."""

    def __init__(self, outputs: Mapping[str, Completed | str]) -> None:
        self.outputs = outputs
        self.called: list[str] = []

    def __call__(self, args: Sequence[str]) -> Completed:
        self.called.append(args[0])
        if args[0] not in self.outputs:
            raise EnvironmentFault(f"`{args[0]}` was not found")
        done = self.outputs[args[0]]
        return Completed(0, done.encode(), b"") if isinstance(done, str) else done


def machine(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in {"proc/cpuinfo": CPUINFO, "proc/meminfo": MEMINFO, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def linux(
    root: Path, files: Mapping[str, str] | None = None, tools: Tools | None = None, allowed: int = 24
) -> Hardware:
    return probe(
        root=machine(root, files or {}),
        run=tools or Tools({}),
        system="Linux",
        machine="x86_64",
        affinity=lambda: allowed,
    )


def test_a_plain_linux_machine(tmp_path: Path) -> None:
    found = linux(tmp_path)
    assert found.cpu == "AMD Ryzen 9 5900X 12-Core Processor"
    assert (found.cores, found.threads) == (12, 24)
    assert found.memory == 65782328 * 1024
    assert found.available == 48000000 * 1024
    assert found.gpus == ()
    assert found.notes == ()


def test_an_affinity_mask_counts(tmp_path: Path) -> None:
    found = linux(tmp_path, allowed=4)
    assert (found.cores, found.threads) == (2, 4)


def test_a_container_of_cgroup_version_2(tmp_path: Path) -> None:
    files = {
        "proc/self/cgroup": "0::/system.slice/job\n",
        "sys/fs/cgroup/system.slice/job/cpu.max": "max 100000\n",
        "sys/fs/cgroup/system.slice/cpu.max": "250000 100000\n",
        "sys/fs/cgroup/system.slice/job/memory.max": f"{8 * GIB}\n",
        "sys/fs/cgroup/system.slice/job/memory.current": f"{5 * GIB}\n",
        "sys/fs/cgroup/system.slice/job/memory.stat": f"anon 1\ninactive_file {2 * GIB}\n",
        "sys/fs/cgroup/system.slice/memory.max": "max\n",
    }
    found = linux(tmp_path, files)
    assert (found.cores, found.threads) == (1, 2)
    assert found.memory == 8 * GIB
    assert found.available == 5 * GIB


def test_a_container_of_cgroup_version_1(tmp_path: Path) -> None:
    files = {
        "proc/self/cgroup": "4:memory:/docker/abc\n2:cpu,cpuacct:/docker/abc\n0::/\n",
        "sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us": "400000\n",
        "sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us": "100000\n",
        "sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes": f"{4 * GIB}\n",
        "sys/fs/cgroup/memory/docker/abc/memory.usage_in_bytes": f"{3 * GIB}\n",
        "sys/fs/cgroup/memory/docker/abc/memory.stat": f"total_inactive_file {GIB}\n",
    }
    found = linux(tmp_path, files)
    assert found.threads == 4
    assert (found.memory, found.available) == (4 * GIB, 2 * GIB)


def test_no_limit_is_no_limit(tmp_path: Path) -> None:
    files = {
        "proc/self/cgroup": "4:memory:/\n2:cpu:/\n",
        "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
        "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
    }
    found = linux(tmp_path, files)
    assert (found.threads, found.memory) == (24, 65782328 * 1024)


@pytest.mark.parametrize("group", ["0::/../../etc\n", "garbage\n", "0::\n", "\n"])
def test_odd_control_groups_do_no_harm(tmp_path: Path, group: str) -> None:
    assert linux(tmp_path, {"proc/self/cgroup": group}).threads == 24


def test_less_than_one_core_is_one(tmp_path: Path) -> None:
    files = {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "20000 100000\n"}
    assert linux(tmp_path, files).threads == 1


def test_a_machine_that_says_nothing(tmp_path: Path) -> None:
    found = probe(root=tmp_path, run=Tools({}), system="Linux", machine="riscv64", affinity=lambda: 3)
    assert (found.cpu, found.cores, found.threads, found.memory) == ("riscv64", 3, 3, 0)


def test_cuda_from_nvidia_smi(tmp_path: Path) -> None:
    tools = Tools({"nvidia-smi": "NVIDIA H100 80GB HBM3, 81559, 80994\nNVIDIA L4, 23034, 22000\n"})
    found = linux(tmp_path, tools=tools)
    assert found.gpus[0] == Gpu("cuda", "NVIDIA H100 80GB HBM3", 81559 << 20, 80994 << 20)
    assert found.gpu == found.gpus[0]


def test_a_gpu_that_shares_the_memory_of_the_machine(tmp_path: Path) -> None:
    found = linux(tmp_path, tools=Tools({"nvidia-smi": "NVIDIA GB10, [N/A], [N/A]\n"}))
    assert found.gpus[0].memory == found.memory
    assert found.gpus[0].free == found.available


def test_a_broken_driver_is_noted(tmp_path: Path) -> None:
    said = b"NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n"
    found = linux(tmp_path, tools=Tools({"nvidia-smi": Completed(9, said, b"")}))
    assert found.gpus == ()
    assert "couldn't communicate" in found.notes[0]
    slow = linux(tmp_path, tools=Tools({"nvidia-smi": Completed(-9, b"", b"", timed_out=True)}))
    assert slow.gpus == ()
    assert "ten seconds" in slow.notes[0]


@pytest.mark.parametrize("text", ["", "\n", "no devices were found", "a, b, c", ",,"])
def test_nonsense_from_nvidia_smi_does_no_harm(tmp_path: Path, text: str) -> None:
    assert all(gpu.free == 0 or gpu.memory for gpu in linux(tmp_path, tools=Tools({"nvidia-smi": text})).gpus)


def mac(sysctl: str = M1_MAX, machine: str = "arm64", vm_stat: str = VM_STAT) -> Hardware:
    # sysctl does not know `iogpu.wired_limit_mb` on older systems: it fails, and prints the rest.
    tools = Tools({"sysctl": Completed(1, sysctl.encode(), b"sysctl: unknown oid"), "vm_stat": vm_stat})
    return probe(run=tools, system="Darwin", machine=machine)


def test_m1_max() -> None:
    found = mac()
    assert found.cpu == "Apple M1 Max"
    assert (found.cores, found.threads) == (8, 10)  # the fast cores only
    assert found.memory == 64 * GIB
    assert found.available == 2_100_000 * 16384
    assert found.gpus == (Gpu("metal", "Apple M1 Max", 48 * GIB, 2_100_000 * 16384),)
    assert found.notes == ()


def test_metal_may_take_two_thirds_of_a_small_machine_or_what_the_user_set() -> None:
    small = M1_MAX.replace("68719476736", str(32 * GIB))
    assert mac(small).gpus[0].memory == 32 * GIB * 2 // 3
    assert mac(M1_MAX + "iogpu.wired_limit_mb: 57344\n").gpus[0].memory == 56 * GIB
    assert mac(M1_MAX + "iogpu.wired_limit_mb: 0\n").gpus[0].memory == 48 * GIB


def test_a_mac_with_intel_has_no_metal_for_us() -> None:
    intel = (
        "machdep.cpu.brand_string: Intel(R) Core(TM) i7\nhw.physicalcpu: 4\nhw.logicalcpu: 8\nhw.memsize: 17179869184\n"
    )
    found = mac(intel, "x86_64", "nonsense")
    assert found.gpus == ()
    assert (found.cores, found.threads, found.available) == (4, 8, 16 * GIB)


def test_the_key_tells_kinds_of_machines_apart(tmp_path: Path) -> None:
    one = linux(tmp_path)
    assert one.key == linux(tmp_path).key
    assert one.key != linux(tmp_path, allowed=4).key
    assert one.key != mac().key
    assert len(one.key) == 16


def test_this_machine() -> None:
    found = probe()
    assert found.cores >= 1
    assert found.threads >= found.cores
    assert 0 < found.available <= found.memory


# Profiles.


def entry(name: str) -> Entry:
    return next(each for each in builtin() if each.name == name)


SMALL = entry("qwen2.5-coder-1.5b")
LARGE = entry("qwen2.5-coder-7b")


def with_gpu(kind: str, free: float, name: str = "GPU") -> Hardware:
    size = int(free * GIB)
    return Hardware("Linux", "x86_64", "CPU", 16, 32, 64 * GIB, 32 * GIB, (Gpu(kind, name, size, size),))  # type: ignore[arg-type]


def test_profile_of_m1_max() -> None:
    found = profile_for(mac(), LARGE)
    assert (found.name, found.threads, found.gpu_layers) == ("metal", 8, -1)
    assert (found.context, found.batch, found.mmap, found.mlock) == (8192, 512, True, False)
    assert any("fast cores" in reason for reason in found.why)


def test_profile_of_cuda() -> None:
    found = profile_for(with_gpu("cuda", 24), LARGE)
    assert (found.name, found.threads, found.gpu_layers, found.context) == ("cuda", 4, -1, 8192)


def test_what_does_not_fit_goes_to_the_gpu_in_part() -> None:
    found = profile_for(with_gpu("cuda", 3), LARGE)
    assert 0 < found.gpu_layers < LARGE.layers
    assert found.threads == 16
    less = profile_for(with_gpu("cuda", 2), LARGE)
    assert less.gpu_layers < found.gpu_layers
    assert profile_for(with_gpu("cuda", 0.2), LARGE).gpu_layers == 0


def test_metal_takes_all_or_nothing() -> None:
    assert profile_for(with_gpu("metal", 3), LARGE).gpu_layers == 0
    assert profile_for(with_gpu("metal", 3), LARGE).name == "cpu"


def test_profile_of_a_cpu(tmp_path: Path) -> None:
    found = profile_for(linux(tmp_path, allowed=4), SMALL)
    assert (found.name, found.threads, found.gpu_layers, found.context, found.batch) == ("cpu", 2, 0, 4096, 128)
    assert profile_for(linux(tmp_path), SMALL).batch == 512


def test_the_context_shrinks_to_what_memory_allows_and_the_model_has() -> None:
    tight = Hardware("Linux", "x86_64", "CPU", 2, 2, 8 * GIB, int(1.5 * GIB))
    assert profile_for(tight, SMALL).context < 4096
    assert profile_for(with_gpu("cuda", 24), entry("bundled")).context <= entry("bundled").context


def test_a_tiny_model_stays_on_the_cpu() -> None:
    tiny = Entry(
        "bundled", "1", "fixer", "f.gguf", size_bytes=7 << 20, context=1024, layers=6, kv_heads=4, head_size=64
    )
    assert profile_for(mac(), tiny).gpu_layers == 0


def test_what_the_user_sets_wins() -> None:
    found = profile_for(mac(), LARGE, context=1000, threads=3, gpu_layers=5)
    assert (found.context, found.threads, found.gpu_layers) == (1000, 3, 5)
    assert profile_for(mac(), LARGE, gpu_layers=0).name == "cpu"


def test_a_runtime_without_gpu_support_uses_none() -> None:
    for hardware in (mac(), with_gpu("cuda", 24)):
        found = profile_for(hardware, LARGE, has_offload=False)
        assert (found.name, found.gpu_layers, found.context) == ("cpu", 0, 4096)
        assert found.threads == hardware.cores
        assert any("built without support" in reason for reason in found.why)
        assert not any("there is none" in reason for reason in found.why)


def test_the_context_is_never_longer_than_the_models_own() -> None:
    assert profile_for(mac(), LARGE, context=LARGE.context + 1).context == LARGE.context
