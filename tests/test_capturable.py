"""What a captured round must be: nothing in it waits for the device, and what it changes stays where it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from gan_lab.losses.top_k import TopK
from gan_lab.training.run import Run
from tests.compose import choices, tiny_run, unpaired_regularizers, variants
from tests.conftest import in_part, whole
from tests.device import contentless, move

CASES = [
    *(f"model={name}" for name in choices("model")),
    *(f"technique=[{name}]" for name in choices("technique")),
    *(f"loss/regularizers=[{name}]" for name in unpaired_regularizers()),
    *(f"augmentation={name}" for name in choices("augmentation")),
    *(f"degradation={name}" for name in choices("degradation")),
    "dataset.crop=[8,8]",
    "dataset.turn=true",
    "algorithm.encoder_from=1",
]
WITH = {
    "loss/regularizers=[auxiliary_classifier]": "model=acgan",
    "loss/regularizers=[autoencoding]": "model=fastgan",
    "loss/regularizers=[path_length_style]": "model=stylegan2",
    "loss/regularizers=[matching_aware]": "model=gan_cls",
    "technique=[conditioning_augmentation]": "model=gan_cls",
    "algorithm.encoder_from=1": "model=fanogan",
    "technique=[activation_checkpointing]": "model=wgan_gp_resnet",
}

MODELS = [case for case in CASES if case.startswith("model=") and case.removeprefix("model=") not in variants()]
SOME_MODELS = [*in_part(MODELS, 3), *whole(case for case in CASES if case not in MODELS)]


def run_of(case: str, folder: Path, *more: str) -> Run:
    model = [] if case.startswith("model=") else [WITH.get(case, "model=dcgan")]
    case = f"+{case}" if case.startswith("technique") else case
    return tiny_run(folder, *model, case, *more)


@pytest.mark.parametrize("case", SOME_MODELS)
def test_a_round_never_waits_for_the_device(case: str, tmp_path: Path) -> None:
    run = run_of(case, tmp_path)
    with contentless():
        move(run)
        run.play()
        assert run.metrics["loss/generator"].device.type == "meta"
        run.play()  # of another kind, where the second is


@pytest.mark.parametrize("wrong", ["item", "float", "nonzero", "cpu"])
def test_waiting_is_noticed(wrong: str, tmp_path: Path) -> None:
    run = run_of("model=gan_small", tmp_path)
    reads = {
        "item": lambda scores: scores.mean().item(),
        "float": lambda scores: float(scores.mean()),
        "nonzero": lambda scores: scores[scores > 0],
        "cpu": lambda scores: scores + torch.ones(len(scores)),  # a tensor of the CPU among those of the device
    }
    duel: Any = run.algorithm.duels[""]
    duel._adapt = reads[wrong]
    with contentless():
        move(run)
        with pytest.raises(Exception, match=r"meta|aten"):
            run.play()


@pytest.mark.parametrize("case", SOME_MODELS)
def test_what_a_graph_remembers_stays_as_it_is(case: str, tmp_path: Path) -> None:
    """A graph works on the memory that it was recorded with, and with its numbers: after the first rounds no state may
    move elsewhere, and the plain numbers of rounds of one kind are the same."""
    run = run_of(case, tmp_path)
    seen: dict[Any, dict[str, Any]] = {}
    where: dict[str, int] = {}
    for step in range(4):
        run.algorithm.schedule_step(step, run.images_seen)
        kind = run.algorithm.round_key(step)
        run.play()
        found = dict(numbers(run.algorithm, "algorithm", set()))
        assert seen.setdefault(kind, found) == found
        if step == 1:
            where = dict(places(run.algorithm.state_dict()))
    assert dict(places(run.algorithm.state_dict())) == where


def places(state: Any, path: str = "") -> Iterator[tuple[str, int]]:
    """Where every tensor of a state lies."""
    if isinstance(state, Tensor):
        yield path, state.data_ptr()
    elif isinstance(state, dict):
        for name, value in state.items():
            yield from places(value, f"{path}.{name}")


def numbers(thing: Any, path: str, met: set[int]) -> Iterator[tuple[str, Any]]:
    """Every plain number, and every flag, in the attributes of our own objects."""
    if isinstance(thing, (bool, int, float, str)) or thing is None:
        yield path, thing
        return
    if id(thing) in met:
        return
    met.add(id(thing))
    if isinstance(thing, dict):
        for name, value in thing.items():
            yield from numbers(value, f"{path}.{name}", met)
    elif isinstance(thing, (list, tuple)):
        for index, value in enumerate(thing):
            yield from numbers(value, f"{path}.{index}", met)
    elif type(thing).__module__.startswith(("gan_lab.", "torch.nn.modules")):
        if isinstance(thing, TopK):
            yield f"{path}.kept", str(thing.in_effect())
        for name, value in vars(thing).items():
            if (type(thing).__name__, name) not in HOST:
                yield from numbers(value, f"{path}.{name}", met)


HOST = {
    ("ExponentialMovingAverage", "_weight"),  # the device has its own copy
    ("ExponentialMovingAverage", "half_life"),  # of which that is computed
    ("TopK", "fraction"),  # what it comes to counts, and is looked at in its place
}
