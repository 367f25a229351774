"""`gan-lab bench`: how fast a round is, against the tutorials' loop and against what the machine can do."""

from __future__ import annotations

import copy
import logging
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan_lab.command_line.console import shown
from gan_lab.errors import ConfigError

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from gan_lab.run import Run

log = logging.getLogger(__name__)

OTHERS = ("textbook", "eager")
EAGER = {"capture": "off", "compile": "off", "products": False}


def main(cfg: DictConfig) -> float:
    """The Hydra task. Returns images per second."""
    from hydra.core.hydra_config import HydraConfig

    from gan_lab.train import settings

    hydra = HydraConfig.get()
    folder = Path(cfg.out) if cfg.out else Path(hydra.runtime.output_dir)
    config = settings(cfg)
    check(config)
    found = bench(config, folder, dict(hydra.runtime.choices)["model"], " ".join(hydra.overrides.task))
    rate: float = found["sides"]["gan-lab"]["images_per_second"][0]
    return rate


def check(config: dict[str, Any]) -> None:
    """Raise ConfigError for what cannot be measured."""
    if config["against"] not in OTHERS:
        raise ConfigError(f"against: {config['against']!r} is not one of {', '.join(OTHERS)}")
    if not isinstance(config["blocks"], int) or config["blocks"] < 1:
        raise ConfigError(f"blocks: {config['blocks']!r} is not a whole number of at least 1")
    if not isinstance(config["seconds"], (int, float)) or not config["seconds"] > 0:
        raise ConfigError(f"seconds: {config['seconds']!r} is not a number above 0")


def bench(config: dict[str, Any], folder: Path, model: str, command: str) -> dict[str, Any]:
    """Measure, report, and write `bench.json` (with `profile`, a trace and tables too) into `folder`."""
    from gan_lab.assemble import assemble
    from gan_lab.benchmark import measuring, report
    from gan_lab.benchmark.ceilings import ceilings
    from gan_lab.benchmark.textbook import textbook
    from gan_lab.callbacks.summary import installed
    from gan_lab.files import write_json
    from gan_lab.memory import taken_by

    nowhere = Path(tempfile.gettempdir())
    plain = {**copy.deepcopy(config), "engine": {**config["engine"], **EAGER}}
    run, _ = assemble(config, nowhere)
    device = run.engine.device
    with run.engine.working():
        images = run.trainer.batch_size * run.algorithm.batches_per_round
        flops = counted_flops(copy.deepcopy(plain), nowhere) / images
        log.info("compute   %s, %s", report.hardware(device), run.engine.why)
        limit = ceilings(device, precision_of(run))
        if config["against"] == "textbook":
            other: Callable[[], object] = textbook(run)
        else:
            eager, _ = assemble(plain, nowhere)
            other = lambda: eager.trainer.round(eager)  # noqa: E731
        sides: dict[str, Callable[[], object]] = {
            "gan-lab": lambda: run.trainer.round(run),
            config["against"]: other,
        }
        peaks = {name: taken_by(_several(step, 3), device) for name, step in sides.items()}
        waited = run.stream.waited
        blocks = config["blocks"]

        def tell(index: int, times: dict[str, float]) -> None:
            rates = ", ".join(f"{name} {images / value:,.0f} images/s" for name, value in times.items())
            log.info("%s %s", "warm up  " if index == 0 else f"{f'{index}/{blocks}':<9}", rates)

        times = measuring.alternate(sides, blocks, config["seconds"], device, tell)
        waited = run.stream.waited - waited
        rate = measuring.spread([images / value for value in times["gan-lab"]])
        found = {
            "command": f"gan-lab bench {command}".strip(),
            "date": report.today(),
            "hardware": report.hardware(device),
            "versions": installed(),
            "model": model,
            "dataset": run.store.name,
            "image_shape": list(run.store.shape),
            "batch_size": run.trainer.batch_size,
            "images_per_round": images,
            "precision": run.engine.precision,
            "against": config["against"],
            "sides": {
                name: {
                    "images_per_second": list(measuring.spread([images / value for value in values])),
                    "milliseconds": list(measuring.spread([1e3 * value for value in values])),
                    "peak_bytes": peaks[name],
                    "seconds_per_round": values,
                }
                for name, values in times.items()
            },
            "ratio": list(measuring.ratios(times["gan-lab"], times[config["against"]])),
            "flops_per_image": flops,
            "flops": flops * rate.median,
            "ceilings": limit._asdict(),
            "share_of_matmul": flops * rate.median / limit.matmul,
            "wait_share": waited / max(config["seconds"] * (blocks + 1), 1e-9),
        }
        if config["profile"]:
            from gan_lab.benchmark.tracing import profile

            found["profile"] = profile(run, folder, limit.matmul)
    run.stream.close()
    for line in report.words(found):
        log.info(line)
    log.info("\n%s\n%s", report.HEADER, report.row(found))
    write_json(folder / "bench.json", found)
    log.info("written   %s", shown(folder / "bench.json"))
    return found


def counted_flops(config: dict[str, Any], folder: Path) -> float:
    """FLOPs of the products and convolutions of a round with every lazy regularizer due, counted as torch launches
    them; what works element by element is not counted."""
    from gan_lab.assemble import assemble
    from gan_lab.benchmark.flops import counted

    config["engine"]["precision"] = config["precision"] = "fp32"
    run, _ = assemble(config, folder)
    return float(counted(lambda: run.trainer.round(run)))


def precision_of(run: Run) -> Any:
    """The type that products are computed in."""
    import torch

    return torch.bfloat16 if run.engine.precision == "bf16" else torch.float32


def _several(step: Callable[[], object], count: int) -> Callable[[], None]:
    def play() -> None:
        for _ in range(count):
            step()

    return play
