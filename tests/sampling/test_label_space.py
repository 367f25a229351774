"""Which labels a generator is asked by: classes in turn, attributes as often as in the data."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gan_lab.engine.seeding import generator_of
from gan_lab.errors import ConfigError
from gan_lab.sampling.label_space import Attributes, Classes, label_space
from gan_lab.wrappers.build import build_network

SPACE = Attributes({"smiling": 0.25, "hat": 0.0, "young": 1.0})


def test_classes() -> None:
    assert Classes().in_turn(3) is None
    assert Classes().drawn(3, torch.Generator()) is None
    assert Classes(2).in_turn(5).tolist() == [0, 1, 0, 1, 0]  # type: ignore[union-attr]
    assert sorted(Classes(3).drawn(100, torch.Generator()).unique().tolist()) == [0, 1, 2]  # type: ignore[union-attr]
    assert Classes(3).fit(torch.tensor([0, 2]))
    assert not any(space.fit(torch.tensor([0, 2])) for space in (Classes(2), Classes(), SPACE))
    assert {name: label.tolist() for name, label in Classes(2).columns(3, 10).items()} == {"0": [0] * 3, "1": [1] * 3}
    assert list(Classes(30).columns(1, 4)) == ["0", "9", "19", "29"]


def test_attributes_are_there_as_often_as_in_the_data() -> None:
    drawn = SPACE.drawn(4000, generator_of("test"))
    assert (drawn.shape, drawn.dtype) == ((4000, 3), torch.int64)
    shares = drawn.double().mean(0).tolist()
    assert shares[1:] == [0, 1]
    assert abs(shares[0] - 0.25) < 0.03  # 4 standard deviations
    assert torch.equal(SPACE.in_turn(7), SPACE.in_turn(100)[:7])
    assert SPACE.fit(drawn)
    assert not SPACE.fit(drawn[:, :2])
    assert not Classes(3).fit(drawn)


def test_columns_are_with_and_without_and_share_their_others() -> None:
    columns = SPACE.columns(6, 4)
    assert list(columns) == ["smiling", "-smiling", "hat", "-hat"]
    drawn = SPACE.in_turn(6)
    for name, labels in columns.items():
        place = ["smiling", "hat"].index(name.removeprefix("-"))
        assert labels[:, place].tolist() == [int(name[0] != "-")] * 6
        others = [other for other in range(3) if other != place]
        assert torch.equal(labels[:, others], drawn[:, others])


class LooksUp(nn.Module):
    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.of_label = nn.Embedding(num_classes, 2)


def test_a_network_knows_what_its_labels_are() -> None:
    shares = {"a": 0.5, "b": 0.25}
    node = {"_target_": "gan_lab.models.cdcgan.Generator", "image_shape": [1, 8, 8], "latent_dim": 2, "width": 2}
    config = {"model": {"generator": {**node, "num_classes": 2}}, "attributes": shares}
    assert label_space(build_network(config, "generator")) == Attributes(shares)
    assert label_space(build_network({**config, "attributes": None}, "generator")) == Classes(2)
    assert label_space(nn.Identity()) == Classes(0)
    config["model"] = {"generator": {"_target_": f"{__name__}.LooksUp", "num_classes": 2}}
    with pytest.raises(ConfigError, match=r"LooksUp\): its nn.Embedding takes classes, and this data has attributes"):
        build_network(config, "generator")
    build_network({"model": config["model"]}, "generator")
