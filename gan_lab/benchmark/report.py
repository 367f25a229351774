"""What a benchmark found, as words, as a row of markdown, and as json."""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from gan_lab.benchmark.measuring import Block, Spread, ratios, spread

HEADER = (
    "| model | dataset | batch | precision | against | img/s | ms a round | ratio | MiB a round takes "
    "| GFLOP/img | of matmul | waiting | hardware | torch | date | command |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|"
)


def hardware(device: torch.device) -> str:
    """What the rounds ran on."""
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)}; {processor()}, {os.cpu_count()} cores"
    return f"{processor()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads"


def processor() -> str:
    """The processor's name and the widest instructions that torch uses of it."""
    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            name = next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), name)
    except OSError:
        pass
    return f"{name} ({torch.backends.cpu.get_cpu_capability()})"


def figures(
    played: Mapping[str, Sequence[Block]], ours: str, other: str, images: int, peaks: Mapping[str, int]
) -> dict[str, Any]:
    """What the blocks say of both sides, and of one against the other. `images` are a round's."""
    times = {name: [each.each for each in blocks] for name, blocks in played.items()}
    sides = {
        name: {
            "images_per_second": list(spread([images / value for value in values])),
            "milliseconds": list(spread([1e3 * value for value in values])),
            "peak_bytes": peaks[name],
            "seconds_per_round": values,
        }
        for name, values in times.items()
    }
    return {"sides": sides, "ratio": list(ratios(times[ours], times[other]))}


def row(found: Mapping[str, Any]) -> str:
    """One row below `HEADER`."""
    ours, theirs = found["sides"]["gan-lab"], found["sides"][found["against"]]
    cells = [
        found["model"],
        f"{found['dataset']} {'x'.join(str(side) for side in found['image_shape'])}",
        str(found["batch_size"]),
        found["precision"],
        found["against"],
        f"{ours['images_per_second'][0]:,.0f} against {theirs['images_per_second'][0]:,.0f}",
        f"{Spread(*ours['milliseconds']):.3g}",
        f"{Spread(*found['ratio']):.2f}",
        f"{ours['peak_bytes'] / 2**20:,.0f} against {theirs['peak_bytes'] / 2**20:,.0f}",
        f"{found['flops_per_image'] / 1e9:.3g}",
        f"{found['share_of_matmul']:.0%}",
        f"{found['wait_share']:.1%}",
        found["hardware"],
        found["versions"]["torch"],
        found["date"],
        f"`{found['command']}`",
    ]
    return f"| {' | '.join(cells)} |"


def words(found: Mapping[str, Any]) -> list[str]:
    """The same for reading."""
    lines = []
    for name, side in found["sides"].items():
        speed, milliseconds = Spread(*side["images_per_second"]), Spread(*side["milliseconds"])
        peak = side["peak_bytes"] / 2**20
        lines.append(f"{name:<9} {speed:,.0f} images/s, {milliseconds:.3g} ms a round, {peak:,.0f} MiB for tensors")
    lines.append(f"ratio     {Spread(*found['ratio']):.2f}")
    matmul, copy = found["ceilings"]["matmul"], found["ceilings"]["copy"]
    per_image, rate = found["flops_per_image"] / 1e9, found["flops"] / 1e9
    lines.append(
        f"limit     {per_image:.3g} GFLOP an image (products and convolutions, counted), {rate:,.0f} GFLOP/s: "
        f"{found['share_of_matmul']:.0%} of this machine's matrix product in {found['ceilings']['arithmetic']} "
        f"({matmul / 1e9:,.0f} GFLOP/s; copying {copy / 1e9:,.0f} GB/s)"
    )
    lines.append(f"data      {found['wait_share']:.1%} of the time spent waiting for it")
    return lines


def today() -> str:
    return datetime.date.today().isoformat()
