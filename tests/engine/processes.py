"""Games played by one process and by several, on this machine, and how far they are apart."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor, multiprocessing
from torch import distributed as dist

from gan_lab.data.batch import Batch
from gan_lab.engine import engine
from gan_lab.training.assemble import assemble
from gan_lab.training.run import Run
from tests.compose import composed

TOYS = Path(__file__).parent.parent / "toys" / "configs"
SMALL = ("trainer=debug", "logger={}", "callbacks={}")
SGD = (  # Adam makes of a gradient near 0, which rounding decides, a step as long as any
    "optimizer=sgd",
    *("optimizer.generator.lr=1e-3", "optimizer.generator.momentum=0"),
    *("optimizer.discriminator.lr=1e-3", "optimizer.discriminator.momentum=0"),
)
T = TypeVar("T")


class Played(NamedTuple):
    """What came of some rounds: the gradients of every move, the figures of every round, the last weights and the state
    of the CPU's generator."""

    gradients: list[list[Tensor]]
    figures: list[dict[str, float]]
    weights: list[Tensor]
    random: Tensor
    state: dict[str, Any]


def config_of(*overrides: str) -> dict[str, Any]:
    """The configuration of a small game without anybody who watches. Composing takes longer than playing: the parent
    does it for all."""
    return composed(*SMALL, *SGD, *overrides, configs=TOYS if "model=toy" in " ".join(overrides) else None)


def play(folder: Path, config: dict[str, Any], rounds: int, double: bool, state: Any = None) -> Played:
    """Play a game from its first round, or from a checkpoint's `state`, in float64 or float32."""
    with precision(double), gradients() as moves:
        run, _ = assemble(copy.deepcopy(config), folder, state)
        if double:
            in_double(run)
        figures = []
        for _ in range(rounds):
            run.play()
            figures.append({name: float(value) for name, value in run.metrics.items()})
        after = copy.deepcopy(run.state_dict())
        values = [value for part in ("networks", "ema") for net in after[part].values() for value in net.values()]
        weights = [value for value in values if isinstance(value, Tensor)]
        return Played(moves, figures, weights, torch.get_rng_state(), after)


@contextmanager
def gradients() -> Iterator[list[list[Tensor]]]:
    """The gradients of every move in here, those of parameters without one left out."""
    moves: list[list[Tensor]] = []
    step = engine.optimizers.step

    def told(optimizer: torch.optim.Optimizer) -> None:
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        moves.append([p.grad.clone() for p in parameters if p.grad is not None])
        step(optimizer)

    engine.optimizers.step = told
    try:
        yield moves
    finally:
        engine.optimizers.step = step


@contextmanager
def precision(double: bool) -> Iterator[None]:
    """In float64 whatever is made by default is so, and what is cast to float32 stays as it is."""
    cast = Tensor.float
    if double:
        torch.set_default_dtype(torch.float64)
        Tensor.float = lambda self: self if self.dtype == torch.float64 else cast(self)  # type: ignore[method-assign, assignment, misc]
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)
        Tensor.float = cast  # type: ignore[method-assign]


def in_double(run: Run) -> None:
    """The pictures of a batch are float64 from now on."""
    made = run.stream.batch

    def batch(drawn: Any) -> Batch:
        columns = made(drawn)
        return Batch(*(c.double() if c is not None and c.is_floating_point() else c for c in columns))

    run.stream.batch = batch  # type: ignore[method-assign]


def apart(one: Sequence[Tensor], other: Sequence[Tensor]) -> float:
    """The largest difference of two lists of tensors, relative to the largest number of all."""
    assert [t.shape for t in one] == [t.shape for t in other]
    most = max((float((a.double() - b.double()).abs().max()) for a, b in zip(one, other, strict=True) if a.numel()))
    return most / max(max(float(a.double().abs().max()) for a in one if a.numel()), 1e-30)


def several(size: int, folder: Path, work: Callable[[Path], T]) -> list[T]:
    """What `work(folder)` returns in each of `size` processes of one group, which all begin now."""
    folder.mkdir(parents=True, exist_ok=True)
    multiprocessing.spawn(_begin, (size, folder, work), nprocs=size)
    return [torch.load(folder / f"rank-{rank}.pt", weights_only=False) for rank in range(size)]


def _begin(rank: int, size: int, folder: Path, work: Callable[[Path], Any]) -> None:
    torch.set_num_threads(1)
    store = dist.FileStore(str(folder / "meeting"), size)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=size)
    try:
        torch.save(work(folder), folder / f"rank-{rank}.pt")
    finally:
        dist.destroy_process_group()
