"""Whether a device computes faster in bf16 than in fp32: asked of its flags, and only else of a stopwatch, once."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import time
from pathlib import Path

import torch

from gan_lab.errors import GanLabError
from gan_lab.storage.files import write_text
from gan_lab.storage.root import data_root

CPUINFO = Path("/proc/cpuinfo")
UNITS = {"avx512_bf16", "amx_bf16", "avx_ne_convert", "bf16", "svebf16"}  # as Linux names them
WORTH = 1.15  # from so many times the speed on, bf16 is taken
HOPELESS = 3.0  # where bf16 is so many times slower, it is emulated, and nothing more need be measured


def pick_precision(precision: str, device: torch.device) -> tuple[str, str]:
    """The precision to compute in and the reason, in words."""
    if precision != "auto":
        return precision, "as asked"
    if device.type == "cuda":
        native = torch.cuda.get_device_capability(device) >= (8, 0) or torch.version.hip is not None
        return ("bf16", "this GPU computes in bf16") if native else ("fp32", "this GPU has no bf16 units")
    if device.type != "cpu":
        return "fp32", f"bf16 is not used on {device.type}"
    if not may_have_units():
        return "fp32", "this CPU has no bf16 units"
    gain = remembered_gain()
    return ("bf16" if gain > WORTH else "fp32"), f"bf16 runs a convolution {gain:.2g}x as fast as fp32 on this CPU"


def cpu_facts() -> dict[str, str]:
    """What Linux tells of the first core, by name; nothing elsewhere."""
    try:
        first = CPUINFO.read_text(errors="replace").split("\n\n")[0]
    except OSError:
        return {}
    pairs = (line.partition(":") for line in first.splitlines())
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def may_have_units() -> bool:
    """Whether this CPU may compute in bf16: false where it, or what torch may use of it, is known to have no units."""
    facts = cpu_facts()
    flags = set((facts.get("flags") or facts.get("features") or "").split())
    if flags:
        found = flags & UNITS
        return bool(found) and (found != {"avx512_bf16"} or torch.backends.cpu.get_cpu_capability() == "AVX512")
    x86 = platform.machine().lower() in ("x86_64", "amd64")
    return not x86 or torch.backends.cpu.get_cpu_capability() == "AVX512"


def remembered_gain() -> float:
    """`bf16_gain`, measured once for each kind of machine, version of torch and number of threads."""
    path = data_root() / "bf16.json"
    kind = cpu_facts().get("model name") or platform.processor() or platform.machine()
    limits = [
        f"{name}={os.environ[name]}" for name in ("ONEDNN_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY") if name in os.environ
    ]
    key = ", ".join([kind, f"torch {torch.__version__}", f"{torch.get_num_threads()} threads", *limits])
    known = read(path)
    if key not in known:
        known[key] = bf16_gain()
        with contextlib.suppress(GanLabError):  # it is measured again
            write_text(path, json.dumps(known, indent=2) + "\n")
    return known[key]


def read(path: Path) -> dict[str, float]:
    """The gains by machine that a file holds; what is none is left out."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    pairs = stored.items() if isinstance(stored, dict) else ()
    return {key: gain for key, gain in pairs if isinstance(gain, float) and gain > 0}


def bf16_gain(repeats: int = 12) -> float:
    """How many times faster this CPU runs a DCGAN-sized convolution, forward and backward, in bf16 than in fp32."""
    times: dict[torch.dtype, list[float]] = {torch.float32: [], torch.bfloat16: []}
    for _ in range(repeats + 1):  # in turns, and the best of each: others may want the CPU too
        for dtype, seconds in times.items():
            images = torch.ones(32, 64, 16, 16, dtype=dtype).to(memory_format=torch.channels_last).requires_grad_()
            kernel = torch.full((128, 64, 4, 4), 0.01, dtype=dtype).to(memory_format=torch.channels_last)
            start = time.perf_counter()
            torch.nn.functional.conv2d(images, kernel.requires_grad_(), stride=2, padding=1).sum().backward()
            seconds.append(time.perf_counter() - start)
        single, half = (min(seconds[1:], default=0.0) for seconds in times.values())  # the first pays for a beginning
        if half > HOPELESS * single:
            break
    return single / half
