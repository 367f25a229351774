"""A linear term on the statistic is the statistic before the last layer."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from gan_lab.layers.critique import Critique
from gan_lab.models import patchgan
from gan_lab.wrappers.batch_statistics import BatchStatistics
from tests.wrappers.stand_ins import Linear, Plain, factory

SHAPE = [2, 3, 4]


class FirstTwo(BatchStatistics):
    """Each image's first two features, less the batch's mean."""

    def statistic(self, features: Tensor) -> Tensor:
        two = features.flatten(1)[:, :2]
        return two - two.mean(0)

    def joined(self, features: Tensor, statistic: Tensor) -> Tensor:
        return torch.cat([features.flatten(1), statistic], 1)


@pytest.mark.parametrize("outputs", [0, 3])
@pytest.mark.parametrize("keep_map", [False, True])
def test_scores_are_those_of_a_longer_last_layer(outputs: int, keep_map: bool) -> None:
    wrapper = FirstTwo(factory(Linear, SHAPE, outputs=outputs, keep_map=keep_map), SHAPE, 2)
    last: nn.Linear = wrapper.inside.to_score  # type: ignore[assignment]
    longer = nn.Linear(26, outputs or 1)
    with torch.no_grad():
        longer.weight.copy_(torch.cat([last.weight, wrapper.to_score.weight], 1))
        longer.bias.copy_(last.bias)
    critique = wrapper(torch.randn(5, *SHAPE))
    scores, features = critique.scores, critique.features
    assert features.shape == (5, 26)
    assert_close(scores, longer(features) if outputs else longer(features).squeeze(1))


def test_a_map_of_scores_gets_the_same_number_everywhere() -> None:
    class Patches(Linear):
        def forward(self, images: Tensor, label: Tensor | None = None) -> Critique:
            critique = super().forward(images)
            return replace(critique, scores=critique.scores.view(-1, 1, 1, 1).expand(-1, 1, 2, 3))

    wrapper = FirstTwo(factory(Patches, SHAPE), SHAPE, 2)
    images = torch.randn(5, *SHAPE)
    added = wrapper(images).scores - wrapper.inside(images).scores
    assert added.shape == (5, 1, 2, 3)
    expected = wrapper.to_score(wrapper.statistic(images)).view(5, 1, 1, 1)
    assert_close(added, expected.expand(5, 1, 2, 3))


def test_first_weights_are_those_of_a_layer_that_reads_both() -> None:
    torch.manual_seed(0)
    bound = torch.cat([FirstTwo(factory(Linear, SHAPE), SHAPE, 2).to_score.weight.detach() for _ in range(200)])
    assert bound.abs().max() <= 26**-0.5
    assert_close(bound.std(), torch.tensor((1 / 3 / 26) ** 0.5), rtol=0.15, atol=0)


def test_class_logits_and_classes_are_kept() -> None:
    wrapper = FirstTwo(factory(Linear, SHAPE, num_classes=4), SHAPE, 2)
    assert wrapper.num_classes == 4
    assert wrapper(torch.randn(2, *SHAPE), torch.tensor([0, 1])).class_logits.shape == (2, 4)


def test_what_an_image_was_made_from_is_told() -> None:
    """Where it is asked how many features there are, too."""
    inside = partial(patchgan.Discriminator, (1, 16, 16), (3, 8, 8), width=2, patch=1, normalization="none")
    wrapper = FirstTwo(inside, [1, 16, 16], 2).eval()
    images, inputs = torch.randn(2, 1, 16, 16), torch.randn(2, 3, 8, 8)
    assert wrapper.condition_shape == (3, 8, 8)
    wrapper.to_score.weight.data.zero_()
    assert_close(wrapper(images, inputs).scores, wrapper.inside(images, inputs).scores)
    assert not torch.equal(wrapper(images, inputs).scores, wrapper(images, inputs.flip(0)).scores)


def test_plain_scores_are_refused() -> None:
    with pytest.raises(
        ValueError, match=r"\(Plain\) returns plain scores; it must return gan_lab.layers.critique.Critique"
    ):
        FirstTwo(factory(Plain, SHAPE), SHAPE, 2)
