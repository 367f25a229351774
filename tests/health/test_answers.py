"""How images stand to their inputs, in closed form; and that a bad generator is named and a good one is not."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from gan_lab.data.batch import Batch
from gan_lab.degradations.resize import resize
from gan_lab.health.answers import apart, as_images, compare, correlations, nearest
from gan_lab.health.history import judged
from gan_lab.health.probe import Probe
from tests.compose import tiny_run

Make = Callable[[Tensor, Tensor], Tensor]
INPUT = torch.tensor([0.0, 0.0, 1.0, 1.0]).view(2, 1, 1, 2) * torch.tensor([1.0, 0.5])  # (0, 0), (1, 0.5)
IMAGE = torch.tensor([3.0, 4.0, 1.0, -1.5]).view(2, 1, 1, 2)


def floats(found: Mapping[str, Tensor]) -> dict[str, float]:
    return {name: pytest.approx(float(value), abs=1e-6) for name, value in found.items()}


def test_distances() -> None:
    assert float(apart(INPUT, IMAGE)) == (5.0 + 2.0) / 2
    assert float(nearest(INPUT, IMAGE)) == pytest.approx((math.sqrt(1 + 1.5**2) + 2.0) / 2)


def test_correlations() -> None:
    ramp = torch.arange(6.0).view(1, 1, 2, 3)
    others = torch.cat((3 * ramp + 1, -ramp, torch.ones_like(ramp), ramp.roll(3, 3)))
    flat = torch.arange(6.0)
    assert correlations(ramp, others).tolist() == [
        pytest.approx([1.0, -1.0, 0.0, float(torch.corrcoef(torch.stack((flat, others[3].flatten())))[0, 1])])
    ]


def test_pairs_are_measured_by_what_was_wanted() -> None:
    batch = Batch(IMAGE, input=INPUT)
    made = INPUT + 0.25 * (IMAGE - INPUT)
    expected = {"input_distance": 0.25, "target_distance": 0.75, "input_correlation": 0.0, "target_correlation": 0.5}
    expected["input_correlation"] = float(correlations(made, INPUT).diagonal().mean())
    assert floats(compare(made, batch, paired=True)) == expected


def test_others_by_the_nearest_and_by_any() -> None:
    batch = Batch(IMAGE, input=INPUT)
    far = float(nearest(INPUT, IMAGE))
    assert floats(compare(IMAGE, batch, paired=False)) == {
        "input_distance": 3.5 / far,
        "input_correlation": 0.5,  # of two: one is the same everywhere, the other falls as its input does
        "target_correlation": float(correlations(IMAGE, INPUT).mean()),
    }


def test_inputs_that_are_what_is_wanted_are_no_measure() -> None:
    found = compare(INPUT, Batch(INPUT, input=INPUT.clone()), paired=True)
    assert set(found) == {"input_correlation", "target_correlation"}


@pytest.mark.parametrize(("channels", "of"), [(1, 3), (3, 3), (4, 3), (2, 1)])
def test_inputs_as_images(channels: int, of: int) -> None:
    given = torch.rand(2, channels, 4, 4)
    found = as_images(Batch(torch.rand(2, of, 4, 4), input=given))
    assert found is not None
    assert torch.equal(found, given[:, :of].expand(2, of, 4, 4))


def test_smaller_inputs_are_enlarged_and_others_are_none() -> None:
    found = as_images(Batch(torch.zeros(2, 3, 8, 8), input=torch.full((2, 3, 4, 4), 0.3)))
    torch.testing.assert_close(found, torch.full((2, 3, 8, 8), 0.3))
    assert as_images(Batch(torch.zeros(2, 3, 8, 8), input=torch.zeros(2, 12, 8, 8))) is None
    assert as_images(Batch(torch.zeros(2, 3, 8, 8))) is None


class Answers(nn.Module):
    """A generator of what a function makes of its inputs, and of the images of the data."""

    def __init__(self, make: Make) -> None:
        super().__init__()
        self.make, self.images = make, torch.empty(0)

    def forward(self, input: Tensor, label: Tensor | None = None) -> Tensor:
        return self.make(input, self.images)


def enlarged(given: Tensor) -> Tensor:
    return resize(given, 16, 16)


BOARD = 1.0 - 2.0 * ((torch.arange(16)[:, None] + torch.arange(16)) % 2)
PAIRS = ("model=pix2pix", "degradation=noise", "degradation.sigma=60")
NO_GAME = (
    *("model=edsr", "model.generator.blocks=1"),
    *("degradation=downscale", "degradation.scale=2"),
)
APART = ("model=cyclegan", "degradation=noise", "degradation.sigma=60", "dataset.aligned=false")
CASES: dict[str, tuple[tuple[str, ...], Make, str | None]] = {
    "right": (PAIRS, lambda x, y: y, None),
    "right, nobody judges": (NO_GAME, lambda x, y: y, None),
    "right, without pairs": (APART, lambda x, y: y, None),
    "on the way": (NO_GAME, lambda x, y: 0.8 * enlarged(x) + 0.2 * y, None),
    "copied": (PAIRS, lambda x, y: x, "copied_input"),
    "copied, nobody judges": (NO_GAME, lambda x, y: 0.97 * enlarged(x) + 0.03 * y, "copied_input"),
    "copied, without pairs": (APART, lambda x, y: x, "copied_input"),
    "ignored": (PAIRS, lambda x, y: y[:1].expand_as(y), "ignored_input"),
    "ignored, nobody judges": (NO_GAME, lambda x, y: y.mean(0, keepdim=True) + 0.1 * y, "ignored_input"),
    "inverted": (PAIRS, lambda x, y: -y, "inverted"),
    "inverted, without pairs": (APART, lambda x, y: -x, "inverted"),
    "a checkerboard": (PAIRS, lambda x, y: 0.5 * y + 0.45 * BOARD, "checkerboard"),
}


def alarms_of(folder: Path, make: Make, *overrides: str, inverted: bool = False) -> list[str]:
    """What is told of a run whose generator stays like that, and whose discriminator sees it."""
    run = tiny_run(folder, *overrides)
    generator = Answers(make)
    for average in run.algorithm.averages.values():
        average._same, average._module = None, generator
    for duel in run.algorithm.duels.values():
        duel.generator = generator
    probe = Probe(run)
    if inverted:
        probe.batch = probe.batch._replace(input=-probe.batch.image)
    generator.images = probe.batch.image
    look = probe.look(run)._replace(accuracy=0.95, discriminator_pull=0.5, dead=0.0)
    assert look.finite == 1.0
    return [alarm.name for alarm in judged([look._replace(step=step) for step in range(100, 700, 100)])]


@pytest.mark.parametrize("case", CASES)
def test_a_bad_generator_is_named(case: str, tmp_path: Path) -> None:
    overrides, make, name = CASES[case]
    assert alarms_of(tmp_path, make, *overrides) == ([] if name is None else [name])


def test_negatives_that_are_wanted_are_right(tmp_path: Path) -> None:
    for overrides in (PAIRS, APART):
        assert alarms_of(tmp_path, lambda x, y: -x, *overrides, inverted=True) == []
