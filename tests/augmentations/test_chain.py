"""Parts in order, reached by name, heard and told together."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from gan_lab.augmentations.chain import Chain
from gan_lab.augmentations.instance_noise import InstanceNoise
from tests.compose import composed, tiny_run


class Affine(nn.Module):
    def __init__(self, scale: float, offset: float) -> None:
        super().__init__()
        self.scale, self.offset = scale, offset
        self.heard: list[Tensor] = []

    def forward(self, images: Tensor) -> Tensor:
        return images * self.scale + self.offset

    def adapt(self, real_scores: Tensor) -> None:
        self.heard.append(real_scores)

    @property
    def figures(self) -> dict[str, Tensor]:
        return {f"scale_{self.scale}": torch.tensor(self.scale)}


def test_no_part_is_the_identity() -> None:
    images = torch.randn(2, 3, 4, 4)
    chain = Chain()
    chain.adapt(torch.ones(2))
    assert chain(images) is images
    assert (chain.figures, dict(chain.state_dict())) == ({}, {})


def test_parts_in_their_order() -> None:
    chain = Chain(first=Affine(2.0, 0.0), gone=None, second=Affine(1.0, 3.0))
    assert_close(chain(torch.ones(1, 1, 2, 2)), torch.full((1, 1, 2, 2), 5.0))
    assert [name for name, _ in chain.named_children()] == ["first", "second"]


def test_parts_hear_the_scores_and_report() -> None:
    parts = Affine(2.0, 0.0), Affine(3.0, 0.0)
    chain = Chain(one=parts[0], plain=nn.Identity(), two=parts[1])
    scores = torch.randn(4)
    chain.adapt(scores)
    assert all(part.heard == [scores] for part in parts)
    assert {name: float(value) for name, value in chain.figures.items()} == {"scale_2.0": 2.0, "scale_3.0": 3.0}


def test_refusals() -> None:
    with pytest.raises(ValueError, match="noise: an augmentation is a torch.nn.Module, not float"):
        Chain(noise=0.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'adapt' cannot name an augmentation"):
        Chain(adapt=nn.Identity())


def test_techniques_add_up(tmp_path: Path) -> None:
    names = "[diffaugment,adaptive_augmentation,instance_noise]"
    run = tiny_run(tmp_path, "model=dcgan", f"+technique={names}", "trainer.max_steps=4")
    chain = run.algorithm.augmentation  # type: ignore[attr-defined]
    assert list(chain.figures) == ["augmentation/p", "augmentation/r"]
    assert [name for name, _ in chain.named_children()] == ["diffaugment", "adaptive", "instance_noise"]
    noise: list[float] = []
    for _ in range(5):
        run.algorithm.schedule_step(len(noise))
        noise.append(float(chain.instance_noise.std))
    assert_close(noise, [0.1, 0.075, 0.05, 0.025, 0.0])
    run.play()
    assert all(torch.isfinite(value) for value in run.metrics.values())


def test_a_technique_beside_a_chosen_augmentation() -> None:
    node = composed("augmentation=instance_noise", "+technique=[diffaugment]")["augmentation"]
    assert list(node) == ["_target_", "instance_noise", "diffaugment"]
    assert isinstance(Chain(noise=InstanceNoise()).noise, InstanceNoise)
