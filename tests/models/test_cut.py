"""The authors' networks in numbers: parameters, what is seen where, receptive fields; and the projections."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.functional import pad
from torch.testing import assert_close

from gan_lab.errors import ConfigError
from gan_lab.models.cut import Discriminator, Generator, Projector, encoded, looks

SHAPE = (3, 256, 256)


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def small(blocks: int = 6) -> Generator:
    torch.manual_seed(0)
    network = Generator((3, 16, 24), (3, 16, 24), width=4, blocks=blocks)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.2)
    return network


def test_parameters() -> None:
    """As many as CycleGAN's networks have, whose strides have become filters without weights."""
    assert count(Generator(SHAPE, SHAPE)) == 11_378_179
    assert count(Generator((3, 128, 256), (3, 128, 256))) == count(Generator(SHAPE, SHAPE, blocks=6)) == 7_837_699
    assert count(Discriminator(SHAPE)) == 2_764_737
    assert count(Projector(SHAPE)) == 560_384


def test_what_the_encoder_sees() -> None:
    """The reflected image, the convolutions in front of their norms, and two residual blocks."""
    network, images = small(), torch.rand(2, 3, 16, 24)
    made, seen = network.translate(images)
    assert made.shape == images.shape
    assert [tuple(each.shape[1:]) for each in seen] == [(3, 22, 30), (8, 16, 24), (16, 8, 12), (16, 4, 6), (16, 4, 6)]
    assert [each.shape[1] for each in seen] == encoded(3, 4, 6)
    assert torch.equal(seen[0], pad(images, (3, 3, 3, 3), mode="reflect"))
    normed = torch.nn.functional.instance_norm(network.first(seen[0])).relu()
    assert_close(seen[1], network.down[0](normed))  # its sign is not cut off
    assert_close(seen[2], network.down[1](network.blur(torch.nn.functional.instance_norm(seen[1]).relu())))
    after = network.blur(torch.nn.functional.instance_norm(seen[2]).relu())
    for number, block in enumerate(network.blocks[:5], 1):
        after = block(after)
        if number in (1, 5):
            assert_close(seen[3 if number == 1 else 4], after)
    assert_close(made, network.last(network.up(network.blocks[5](after))))


def test_features_are_what_is_seen_on_the_way_and_nothing_is_decoded() -> None:
    network, images = small(), torch.rand(2, 3, 16, 24)
    expected = network.translate(images)[1]
    network.up, network.last = nn.Identity(), nn.Identity()
    network.blocks[5] = nn.Identity()
    found = network.features(images)
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize(("blocks", "after"), [(9, [1, 5]), (5, [1, 5]), (3, [1, 3]), (1, [1]), (0, [])])
def test_shallow_encoders_are_looked_at_where_they_are(blocks: int, after: list[int]) -> None:
    assert looks(blocks) == after
    network = small(blocks)
    assert len(network.features(torch.rand(1, 3, 16, 24))) == len(network.translate(torch.rand(1, 3, 16, 24))[1])
    assert [each.shape[1] for each in network.features(torch.rand(1, 3, 16, 24))] == encoded(3, 4, blocks)


def test_the_map_of_scores_and_its_receptive_field() -> None:
    """30 x 30 at 256 pixels, each of 84: the filters see 14 pixels more than strides do."""
    with torch.no_grad():
        assert Discriminator(SHAPE, width=4)(torch.rand(1, *SHAPE)).scores.shape == (1, 1, 30, 30)
    network = Discriminator((1, 128, 128), width=1).double()
    for module in (*network.layers, network.to_score):
        if isinstance(module, nn.Conv2d):
            nn.init.ones_(module.weight)
    network.layers = nn.Sequential(*(each for each in network.layers if not isinstance(each, nn.InstanceNorm2d)))
    image = torch.rand(1, 1, 128, 128, dtype=torch.float64, requires_grad=True)
    scores = network(image).scores
    scores[0, 0, scores.shape[2] // 2, scores.shape[3] // 2].backward()
    assert image.grad is not None
    seen = image.grad[0, 0].nonzero()
    assert (seen.max(0).values - seen.min(0).values + 1).tolist() == [84, 84]


def test_projections_are_of_length_1_at_their_own_places() -> None:
    torch.manual_seed(0)
    network = Projector((3, 8, 8), width=1, blocks=1, dim=5)
    maps = [torch.randn(2, channels, 4, 3) for channels in encoded(3, 1, 1)]
    places = [torch.tensor([1, 5, 11])] * len(maps)
    for layer, seen, found in zip(network.layers, maps, network(maps, places), strict=True):
        assert found.shape == (2, 3, 5)
        assert_close(found.norm(dim=-1), torch.ones(2, 3))
        for index, (row, column) in enumerate([(0, 1), (1, 2), (3, 2)]):
            expected = layer(seen[1, :, row, column])
            assert_close(found[1, index], expected / expected.norm())


def test_weights_begin_as_in_the_authors_code() -> None:
    """Xavier's deviation is sqrt(2 / (fan in + fan out))."""
    torch.manual_seed(0)
    for network in (Generator((3, 64, 64), (3, 64, 64), blocks=1), Discriminator((3, 64, 64)), Projector((3, 8, 8))):
        for module in network.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                area = module.weight[0, 0].numel()
                expected = 0.02 * (2 / (area * sum(module.weight.shape[:2]))) ** 0.5
                assert float(module.weight.detach().std()) == pytest.approx(expected, rel=0.15)
                assert module.bias is not None
                assert not module.bias.any()


def test_refusals() -> None:
    with pytest.raises(
        ConfigError, match=r"model.generator: it encodes images \(3x16x16\) as it does inputs \(1x16x16\)"
    ):
        Generator((3, 16, 16), (1, 16, 16))
    for sides in ((18, 16), (4, 4)):
        with pytest.raises(ValueError, match="multiples of 4 of at least 8"):
            Generator((3, *sides), (3, *sides))
    with pytest.raises(ValueError, match="with depth 3 the sides of images must be at least 24, not 16 x 32"):
        Discriminator((3, 16, 32), depth=3)
    assert [len(Discriminator((3, side, side), width=1).layers) for side in (6, 12, 23, 24, 64)] == [6, 10, 10, 14, 14]
    assert Discriminator((3, 24, 24), width=1)(torch.rand(1, 3, 24, 24)).scores.shape == (1, 1, 1, 1)
