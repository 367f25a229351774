"""What the files of a run say about its health, in lines: the alarms of its looks, and a look at its checkpoint."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gan_lab.command_line.console import command, shown
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.health.alarm import Alarm
from gan_lab.health.history import alarms, judged, looks
from gan_lab.health.machine import report_line
from gan_lab.health.rules import advice
from gan_lab.health.signals import Signals
from gan_lab.loggers.jsonl import read_lines
from gan_lab.records.record import Record

LITTLE = ((600, 0.12), (300, 0.05))  # from which step on what share of the data's variety is little
SHOWN = (
    *("diversity", "accuracy", "discriminator_pull", "generator_pull", "gradient_ratio", "dead", "saturated"),
    *("checkerboard", "influence", "input_distance", "target_distance", "input_correlation", "target_correlation"),
)


def report_run(folder: Path, checkpoint: str = "last", trust: Sequence[str] = ()) -> list[str]:
    """One line for each thing: `ok`, `note` or `bad`, what it is, and what to do. Raises ConfigError for no run."""
    record = Record(folder, str(folder))
    if not folder.is_dir() or not (record.summary or record.text):
        raise ConfigError(f"run={folder}: not a run folder (it has neither config.yaml nor summary.json)")
    lines = [standing(record)]
    history, told, rates = looks(folder), alarms(folder), learning_rates(record)
    named = {alarm.name for alarm in told}
    told += [alarm for alarm in judged(history, rates) if alarm.name not in named]
    broken = not_a_number(folder, rates)
    if broken is not None and all(alarm.name != "divergence" for alarm in told):
        told.append(broken)
    lines += [
        report_line("bad", alarm.name, alarm.line().partition(f"health: {alarm.name}")[2].strip(" :")) for alarm in told
    ]
    lines.append(latest(history))
    lines += of_checkpoint(folder, checkpoint, trust, [alarm.name for alarm in told])
    bad = sum(each.startswith("bad") for each in lines)
    return [*lines, f"{bad} found" if bad else "nothing is wrong that this looks for"]


def learning_rates(record: Record) -> dict[str, float]:
    """By role, from the stored configuration."""
    found = {role: record.settings.get(f"optimizer.{role}.lr") for role in ("generator", "discriminator")}
    return {role: float(rate) for role, rate in found.items() if isinstance(rate, (int, float))}


def standing(record: Record) -> str:
    """How the run stands."""
    summary = record.summary
    told = f"{record.state} at step {summary.get('step', '?')} of {summary.get('max_steps', '?')}"
    if error := record.get("error"):
        return report_line("bad", "run", f"{told}: {error}")
    if record.state == "interrupted":
        return report_line("bad", "run", f"{told}, without a word; {command('train', f'resume={shown(record.path)}')}")
    ended = summary.get("ended")
    return report_line("ok", "run", told + (f": {ended}" if ended else ""))


def latest(history: Sequence[Signals]) -> str:
    """The latest look, in numbers."""
    if not history:
        return report_line(
            "note", "signals", "none in metrics.jsonl: callbacks.health.every was 0, or the run is too short"
        )
    look = history[-1]
    values = look._asdict()
    words = [f"{name} {values[name]:.3g}" for name in SHOWN if not math.isnan(values[name])]
    return report_line("ok", "signals", f"step {look.step}: {', '.join(words)}")


def not_a_number(folder: Path, rates: Mapping[str, float]) -> Alarm | None:
    """A figure that is none, in a run that nobody watched."""
    try:
        for record in read_lines(folder / "metrics.jsonl"):
            for name, value in record.items():
                number = math.nan if value is None else value
                if not isinstance(number, (int, float)) or math.isfinite(number):
                    continue
                if name.startswith(("loss/", "gradient_norm/")):
                    step = record["step"]
                    return Alarm("divergence", step, step, f"{name} is {number}", advice("divergence", rates))
    except OSError:
        pass
    return None


def of_checkpoint(folder: Path, which: str, trust: Sequence[str], told: Sequence[str]) -> list[str]:
    """Whether the weights are numbers, whether its samples differ, and whether the data has the classes it should."""
    if which == "last" and not any((folder / "checkpoints").glob("*.pt")):
        return [report_line("note", "checkpoint", "none was written yet")]
    from gan_lab.sampling.trained import find_checkpoint

    try:
        path, state = find_checkpoint(folder, which)
    except ConfigError:
        raise
    except GanLabError as error:
        return [report_line("bad", "checkpoint", str(error))]
    bad = not_finite(state)
    if bad:
        saw = f"{shown(path)}: {bad[0]} is not finite{f', nor {len(bad) - 1} more' if len(bad) > 1 else ''}"
        return [
            report_line(
                "bad",
                "checkpoint",
                f"{saw}; go on from an earlier one: {command('train', f'resume={shown(path.parent)}/step-...pt')}",
            )
        ]
    lines = [report_line("ok", "checkpoint", f"{shown(path)}: step {state['step']}, all weights are finite")]
    try:
        return [*lines, *of_samples(path, state, trust, told)]
    except GanLabError as error:
        return [*lines, report_line("note", "samples", f"not looked at: {error}")]


def not_finite(state: Mapping[str, Any]) -> list[str]:
    """The names of the tensors of networks and averages that hold a number that is none."""
    import torch

    return [
        f"{part}.{role}.{name}"
        for part in ("networks", "ema")
        for role, tensors in state[part].items()
        for name, tensor in tensors.items()
        if isinstance(tensor, torch.Tensor) and tensor.is_floating_point() and not bool(tensor.isfinite().all())
    ]


def of_samples(path: Path, state: Mapping[str, Any], trust: Sequence[str], told: Sequence[str]) -> list[str]:
    """The variety of 64 samples of the averaged generator, against that of the data's which it is asked by, where the
    data is packed on this machine."""
    config = state["config"]
    from gan_lab.config import build, check_targets
    from gan_lab.data.dataset import build_dataset
    from gan_lab.health.labels import check_labels
    from gan_lab.health.variety import check_variety, distance, spread
    from gan_lab.sampling.sampler import all_images
    from gan_lab.sampling.trained import load

    sampler, degradation = load(path, device="cpu", trust=trust).sampler, config.get("degradation")
    check_targets({"dataset": config["dataset"], "degradation": degradation}, trust)
    dataset = build_dataset(config["dataset"])
    if not dataset.folder.exists():
        return [
            report_line("note", "samples", f"not compared: {config['dataset']['name']} is not packed on this machine")
        ]
    store = dataset.store
    lines = []
    if "one_class" not in told and "missing_classes" not in told and (alarm := check_labels(config, store)) is not None:
        lines.append(report_line("bad", alarm.name, alarm.line().partition(": ")[2].partition(": ")[2]))
    real = dataset.samples(build(degradation, "degradation") if degradation else None).peek(min(64, len(store)))
    samples = all_images(sampler, sampler.request_for(real, seed=0))
    if (alarm := check_variety(store)) is not None or not (scale := spread(real.image)):
        if alarm is not None and alarm.name not in told:
            lines.append(report_line("bad", alarm.name, alarm.line().partition(": ")[2].partition(": ")[2]))
        return [*lines, report_line("note", "samples", "not compared: the data has no variety")]
    share = float(distance(samples)) / scale
    little = next((least for step, least in LITTLE if state["step"] >= step), 0.0)
    kind = "bad" if share < little and "collapse" not in told else "ok"
    nodes = {role: node for role, node in config["optimizer"].items() if isinstance(node, dict)}
    rates = {role: node["lr"] for role, node in nodes.items() if isinstance(node.get("lr"), float)}
    saw = f"averaged generator: {share:.2f} of the data's variety"
    return [*lines, report_line(kind, "samples", saw + (f"; try {advice('collapse', rates)}" if kind == "bad" else ""))]
