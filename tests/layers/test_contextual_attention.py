"""Contextual attention against an explicit loop over places, and what it must never copy."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from gan_lab.layers.contextual_attention import ContextualAttention, coherent


def features(n: int = 2, channels: int = 3, height: int = 8, width: int = 12) -> Tensor:
    return torch.randn(n, channels, height, width, generator=torch.Generator().manual_seed(0))


def around(values: Tensor, row: int, column: int, before: int, after: int) -> Tensor:
    """The patch of `(C, H, W)` from `before` places before a place to `after` behind it; zeros beyond the edge."""
    patch = torch.zeros(len(values), before + after, before + after)
    for i in range(-before, after):
        for j in range(-before, after):
            if 0 <= row + i < values.shape[1] and 0 <= column + j < values.shape[2]:
                patch[:, i + before, j + before] = values[:, row + i, column + j]
    return patch


def by_loops(image: Tensor, mask: Tensor, scale: float) -> Tensor:
    """One image; the mask is as large as its features."""
    _, height, width = image.shape
    small = image[:, ::2, ::2]
    places = [(row, column) for row in range(height // 2) for column in range(width // 2)]
    patches = [around(small, *place, 1, 2).flatten() for place in places]
    missing = [
        around(mask[:, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2], 0, 0, 0, 2) for row, column in places
    ]
    holes = torch.tensor([bool(each.any()) for each in missing]).view(height // 2, width // 2).float()[None]
    known = [not around(holes, *place, 1, 2).any() for place in places]

    def index(place: tuple[int, int]) -> int | None:
        return places.index(place) if place in places else None

    def score(a: int | None, b: int | None) -> float:
        if a is None or b is None:
            return 0.0
        return float(patches[a] @ (patches[b] / patches[b].norm()))

    def beside(a: int | None, step: int, by_rows: bool) -> int | None:
        """The place one further, in the order of a page, or of columns."""
        if a is None:
            return None
        order = places if by_rows else sorted(places, key=lambda place: place[::-1])
        there = order.index(places[a]) + step
        return index(order[there]) if 0 <= there < len(order) else None

    def along(a: int | None, b: int | None) -> float:
        return sum(score(beside(a, step, True), beside(b, step, True)) if step else score(a, b) for step in (-1, 0, 1))

    total, count = torch.zeros(len(image), height + 2, width + 2), torch.zeros(height + 2, width + 2)
    for a, (row, column) in enumerate(places):
        scores = []
        for b in range(len(places)):
            steps = [(a, b) if not step else (beside(a, step, False), beside(b, step, False)) for step in (-1, 0, 1)]
            there = [pair for pair in steps if None not in pair]
            scores.append(scale * sum(along(*pair) for pair in there) if known[b] else -torch.inf)
        shares = torch.tensor(scores).softmax(0)
        laid = sum(share * around(image, 2 * i, 2 * j, 1, 3) for share, (i, j) in zip(shares, places, strict=True))
        total[:, 2 * row : 2 * row + 4, 2 * column : 2 * column + 4] += laid
        count[2 * row : 2 * row + 4, 2 * column : 2 * column + 4] += 1
    return (total / count)[:, 1:-1, 1:-1]


def test_against_loops() -> None:
    x = features()
    mask = torch.zeros(2, 1, 8, 12)
    mask[0, :, 3:5, 9:12] = 1
    mask[1, :, 6:, :2] = 1
    found = ContextualAttention(scale=0.5)(x, mask)
    for image, its_mask, made in zip(x, mask, found, strict=True):
        assert_close(made, by_loops(image, its_mask, 0.5), atol=1e-4, rtol=1e-4)


def test_what_is_missing_is_copied_nowhere() -> None:
    x = torch.zeros(1, 2, 16, 16)
    mask = torch.zeros(1, 1, 64, 64)  # of the picture, four times as large
    mask[..., 20:40, 24:44] = 1
    x[..., 5:10, 6:11] = 100
    attention = ContextualAttention()
    assert not attention(x, mask).any()
    assert attention(x, torch.zeros_like(mask)).any()


def test_where_all_is_missing_all_places_count_alike() -> None:
    x, mask = features(), torch.ones(2, 1, 8, 12)
    assert_close(ContextualAttention()(x, mask), ContextualAttention(scale=0.0)(x, 1 - mask))


def test_a_pattern_goes_on_into_the_hole() -> None:
    """Stripes of period 4 with their known neighbourhood: what was zeroed comes back from elsewhere."""
    stripes = torch.tensor([1.0, 1, -1, -1]).repeat(8).expand(1, 1, 32, 32)
    x = torch.cat((stripes, stripes.transpose(2, 3)), 1).clone()
    mask = torch.zeros(1, 1, 32, 32)
    mask[..., 14:16, 14:16] = 1
    damaged = x * (1 - mask)
    made = ContextualAttention(scale=100.0)(damaged, mask)
    assert_close(made[..., 14:16, 14:16], x[..., 14:16, 14:16], atol=1e-3, rtol=0)


@pytest.mark.parametrize("size", [(1, 3), (3, 1)])
def test_neighbours_ask_together(size: tuple[int, int]) -> None:
    """On a line the pages run along rows and columns alike: every diagonal is added twice."""
    scores = torch.zeros(1, 3, 3)
    scores[0, 1, 1] = 1
    assert torch.equal(coherent(scores, *size)[0], torch.diag(torch.tensor([2.0, 3.0, 2.0])))


def test_it_has_gradients_and_refuses_odd_sides() -> None:
    x = features().requires_grad_()
    mask = torch.zeros(2, 1, 8, 12)
    mask[..., :4, :4] = 1
    ContextualAttention()(x, mask).square().sum().backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()
    assert x.grad.abs().sum() > 0
    with pytest.raises(ValueError, match="7x12 features, both sides must be even"):
        ContextualAttention()(x[:, :, :7], mask)
