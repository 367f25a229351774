"""Points over the density they should have."""

from __future__ import annotations

import pytest
import torch

from gan_lab.data.sources.points import Grid, Ring
from gan_lab.pictures.scatter import DOT, Scatter

FAR = torch.tensor([0.9, -0.9]).view(1, 2, 1, 1)


def redness(picture: torch.Tensor) -> torch.Tensor:
    """Where samples are: red well above blue."""
    return picture[0].int() - picture[2].int() > 60


def test_a_sample_is_drawn_where_it_lies_y_upwards() -> None:
    picture = Scatter(Grid(), size=200)(FAR)
    assert picture.shape == (3, 200, 200)
    assert picture.dtype == torch.uint8
    rows, columns = redness(picture).nonzero().T
    assert columns.float().mean().item() == pytest.approx(0.95 * 200 - 0.5, abs=0.5)
    assert rows.float().mean().item() == pytest.approx(0.95 * 200 - 0.5, abs=0.5)
    assert 4 <= len(rows) <= 12  # a dot of 3 pixels


def test_the_density_is_shaded_where_the_modes_are() -> None:
    mixture = Ring()
    empty = Scatter(mixture, size=300)(FAR[:0]).int()
    assert not redness(empty).any()
    blue = empty[2] - empty[0] > 60
    x, y = (mixture.centres / mixture.extent).T
    columns, rows = ((x + 1) / 2 * 300).astype(int), ((1 - y) / 2 * 300).astype(int)
    assert blue[rows, columns].all()
    assert blue.sum().item() < 8 * 100
    assert (empty[:, 20, 20] == 255).all()


def test_a_sample_outside_is_drawn_on_the_edge_and_one_that_is_no_number_too() -> None:
    odd = torch.tensor([[5.0, 0.3], [float("nan"), 0.2]]).view(2, 2, 1, 1)
    picture = Scatter(Grid(), size=200)(odd)
    assert redness(picture)[:, -4:].any()


def test_gradients_and_the_input_are_left_alone() -> None:
    images = FAR.clone().requires_grad_()
    scatter = Scatter(Grid(), size=64)
    first = scatter(images)
    assert torch.equal(scatter(images), first)
    assert not torch.equal(scatter(FAR[:0]), first)
    assert torch.equal(images, FAR)


def test_many_dots_are_opaque() -> None:
    picture = Scatter(Grid(), size=64, dot=9)(FAR.expand(50, 2, 1, 1))
    expected = torch.tensor([round(255 - (255 - channel) * 215 / 255) for channel in DOT])
    torch.testing.assert_close(picture[:, 60, 60].int(), expected.int(), atol=1, rtol=0)


@pytest.mark.parametrize("wrong", [{"size": 8}, {"dot": 0}])
def test_wrong_sizes_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Scatter(Ring(), **wrong)
