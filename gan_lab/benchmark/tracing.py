"""Where a round's time goes: a trace, the dearest operators, and the layers against the machine's ceiling."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import torch
from torch.profiler import ProfilerActivity

from gan_lab.algorithms.duel import column
from gan_lab.benchmark.layers import layer_speeds, table
from gan_lab.command_line.console import shown
from gan_lab.training.run import Run

log = logging.getLogger(__name__)

ROUNDS, OPERATORS = 3, 12
TRACE = "bench.pt.trace.json.gz"  # TensorBoard's profiler looks for this ending


def profile(run: Run, folder: Path, ceiling: float) -> dict[str, Any]:
    """Play some rounds under torch's profiler. Writes a trace, which ui.perfetto.dev and TensorBoard's profiler open,
    and `layers.md`; returns what bench.json keeps."""
    activities = [ProfilerActivity.CPU]
    if run.engine.device.type == "cuda":
        activities.append(ProfilerActivity.CUDA)
    with run.rounds.eagerly(), torch.profiler.profile(activities=activities) as seen:
        for _ in range(ROUNDS):
            run.play()
    seen.export_chrome_trace(str(folder / TRACE))
    key = "self_cuda_time_total" if len(activities) > 1 else "self_cpu_time_total"
    key = key.replace("cuda", "device")
    averages = sorted(seen.key_averages(), key=lambda event: -getattr(event, key))
    total = sum(getattr(event, key) for event in averages) or 1.0
    dearest = [
        {"operator": e.key, "ms": getattr(e, key) / ROUNDS / 1e3, "share": getattr(e, key) / total, "calls": e.count}
        for e in averages[:OPERATORS]
    ]
    log.info("\nthe dearest operators, in ms a round")
    for each in dearest:
        log.info("  %8.2f  %5.1f%%  %s", each["ms"], 100 * each["share"], each["operator"])
    told: dict[str, Any] = {"operators": dearest}
    for duel in run.algorithm.duels.values():
        batch = run.stream.next()
        inputs = {"generator": (duel.source(batch, None), column(batch, duel.generator_condition))}
        inputs["discriminator"] = (batch.image, column(batch, duel.condition))
        networks = {"generator": duel.generator, "discriminator": duel.discriminator}
        speeds = layer_speeds(networks, inputs, run.engine)
        (folder / "layers.md").write_text(table(speeds, ceiling) + "\n")
        log.info("\n%s", table(speeds, ceiling))
        told["layers"] = [each._asdict() for each in speeds]
    log.info("trace     %s (open it at ui.perfetto.dev)", shown(folder / TRACE))
    return told
