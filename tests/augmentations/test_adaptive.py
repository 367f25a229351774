"""The pipeline as a whole, and the walk of p in closed form."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from gan_lab.augmentations.adaptive import KNOWN, AdaptiveAugmentation
from tests.compose import tiny_run


def test_p_0_is_exactly_the_identity() -> None:
    for shape in ((1, 28, 28), (3, 12, 9), (3, 64, 64)):
        images = torch.randn(4, *shape)
        assert torch.equal(AdaptiveAugmentation(shape, KNOWN)(images), images)


@pytest.mark.parametrize("categories", [[name] for name in KNOWN])
def test_p_1_changes_every_image_differently(categories: list[str]) -> None:
    torch.manual_seed(0)
    image = torch.randn(1, 3, 16, 16)
    augmented = AdaptiveAugmentation((3, 16, 16), categories, p=1.0)(image.expand(6, -1, -1, -1))
    assert augmented.shape == (6, 3, 16, 16)
    assert len({tuple(one.flatten().tolist()) for one in augmented}) == 6


@pytest.mark.parametrize("category", KNOWN)
def test_a_strength_multiplies_p(category: str) -> None:
    """Of 4,000 images of noise, the share that changes; and with strength 0 none does."""
    images = torch.randn(4000, 3, 4, 4, generator=torch.Generator().manual_seed(0))

    def changed(**strength: float) -> float:
        torch.manual_seed(1)
        augment = AdaptiveAugmentation((3, 4, 4), [category], p=0.2, strength={category: strength["by"]})
        return float((augment(images) != images).flatten(1).any(1).float().mean())

    assert changed(by=0.0) == 0.0
    weak, strong = changed(by=0.25), changed(by=1.0)
    assert 3.2 < strong / weak < 4.0  # several transformations with p each; a chance that adds up to less than 4 times


def test_strengths_of_what_is_there() -> None:
    augment = AdaptiveAugmentation((3, 4, 4), ["blit", "colour"], strength={"colour": 0.5})
    assert augment.strength == {"blit": 1.0, "colour": 0.5}
    for wrong in ({"noise": 0.5}, {"blit": 1.5}, {"blit": -0.1}):
        with pytest.raises(ValueError, match="strength is a number in .0, 1. for one of blit, .*, cutout, not"):
            AdaptiveAugmentation((3, 4, 4), ["blit", "colour"], strength=wrong)


@pytest.mark.parametrize("shape", [(1, 4, 5), (3, 2, 3)])
def test_derivatives_of_both_orders(shape: tuple[int, int, int]) -> None:
    augment = AdaptiveAugmentation(shape, p=0.8)

    def squared(images: Tensor) -> Tensor:
        torch.manual_seed(3)
        return augment(images).square()

    images = torch.randn(1, *shape, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(squared, images)
    assert torch.autograd.gradgradcheck(squared, images)


def test_autocast_does_not_blur_positions() -> None:
    images, augment = torch.randn(4, 3, 32, 32), AdaptiveAugmentation((3, 32, 32), p=1.0)
    torch.manual_seed(0)
    plain = augment(images)
    torch.manual_seed(0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert_close(augment(images), plain)


def walk(augment: AdaptiveAugmentation, scores: Tensor, looks: int) -> list[float]:
    values = []
    for _ in range(looks):
        augment.adapt(scores)
        values.append(round(float(augment.p), 6))
    return values


def test_p_rises_by_the_images_seen_over_speed() -> None:
    """Every 4 looks at 10 images, 40 of 400: +0.1."""
    augment = AdaptiveAugmentation((3, 8, 8), p=0.0, speed=400)
    assert walk(augment, torch.ones(10), 9) == [0.0, 0.0, 0.0, 0.1, 0.1, 0.1, 0.1, 0.2, 0.2]
    assert float(augment.figures["augmentation/r"]) == 1.0


def test_p_falls_where_scores_are_negative_and_stays_in_bounds() -> None:
    augment = AdaptiveAugmentation((3, 8, 8), p=0.25, speed=400, interval=1)
    assert walk(augment, -torch.ones(40), 4) == [0.15, 0.05, 0.0, 0.0]
    assert walk(augment, torch.ones(160), 4) == [0.4, 0.8, 1.0, 1.0]


def test_r_is_the_mean_sign_over_the_looks() -> None:
    """Signs 1 and 1/2 of 8 and 2 images: r = (8 + 1) / 10 = 0.9, above 0.85; alone the second would be below."""
    augment = AdaptiveAugmentation((1, 8, 8), target=0.85, interval=2, speed=100, p=0.5)
    augment.adapt(torch.full((8,), 30.0))
    augment.adapt(torch.tensor([[1.0, 2.0], [3.0, -4.0]]))
    assert_close(augment.r, torch.tensor(0.9))
    assert_close(augment.p, torch.tensor(0.6))
    augment.adapt(torch.tensor([1.0, -1.0]))
    augment.adapt(torch.tensor([1.0, -1.0]))  # the looks before are forgotten: r = 0
    assert_close(augment.p, torch.tensor(0.56))


def test_at_its_target_p_stays() -> None:
    augment = AdaptiveAugmentation((1, 8, 8), target=0.5, interval=1, speed=100, p=0.5)
    augment.adapt(torch.tensor([1.0, 1.0, 1.0, -1.0]))
    assert float(augment.p) == 0.5


def test_a_fixed_p_stays_and_is_no_state() -> None:
    augment = AdaptiveAugmentation((1, 8, 8), p=0.3, target=None)
    assert walk(augment, torch.ones(100), 8) == [0.3] * 8
    assert not augment.state_dict()
    assert list(augment.figures) == ["augmentation/p"]


def test_the_walk_goes_on_from_a_state() -> None:
    first = AdaptiveAugmentation((1, 8, 8), speed=400)
    walk(first, torch.ones(10), 6)
    second = AdaptiveAugmentation((1, 8, 8), speed=400)
    second.load_state_dict(first.state_dict())
    assert walk(second, torch.ones(10), 2) == walk(first, torch.ones(10), 2) == [0.1, 0.2]


def test_p_moves_in_a_run_and_in_its_checkpoint(tmp_path: Path) -> None:
    run = tiny_run(
        tmp_path,
        "model=dcgan",
        "+technique=[adaptive_augmentation]",
        "augmentation.adaptive.interval=1",
        "augmentation.adaptive.target=-0.99",
        "augmentation.adaptive.speed=40",
        "augmentation.adaptive.p=0.2",
    )
    augment = run.algorithm.augmentation.adaptive  # type: ignore[attr-defined]
    run.algorithm.augmentation.adapt(torch.ones(4))
    assert_close(run.state_dict()["augmentation"]["adaptive.p"], torch.tensor(0.3))
    run.play()
    assert int(augment.looks) == 2


def test_refusals() -> None:
    shape = (3, 8, 8)
    for categories in ("bgc", [], ["filter"]):
        with pytest.raises(ValueError, match="categories must be a list of blit, geometry, colour"):
            AdaptiveAugmentation(shape, categories)
    with pytest.raises(ValueError, match="p is a probability"):
        AdaptiveAugmentation(shape, p=1.5)
    with pytest.raises(ValueError, match="target is a mean of signs"):
        AdaptiveAugmentation(shape, target=1.0)
    for settings in ({"interval": 0}, {"speed": 0.0}):
        with pytest.raises(ValueError, match="interval must be at least 1 and speed positive"):
            AdaptiveAugmentation(shape, **settings)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="too small to augment"):
        AdaptiveAugmentation((2, 1, 1))
