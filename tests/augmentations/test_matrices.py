"""Products and the matrices of the plane against torch's own."""

from __future__ import annotations

import math

import torch
from torch.testing import assert_close

from gan_lab.augmentations.matrices import compose, matrix, octaves, rotation, scaling, shift, sometimes


def test_compose_is_the_matrix_product() -> None:
    torch.manual_seed(0)
    a, b, c = torch.randn(3, 5, 4, 4, dtype=torch.float64)
    assert_close(compose(a, b, c), a @ b @ c)


def test_compose_keeps_its_digits_under_autocast() -> None:
    a, b = torch.randn(2, 5, 3, 3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        product = compose(a, b)
    assert_close(product, a @ b)


def test_octaves_are_powers_of_two() -> None:
    assert_close(octaves(torch.tensor([-2.0, 0.0, 0.5, 3.0])), torch.tensor([0.25, 1.0, math.sqrt(2), 8.0]))


def test_what_they_do_to_a_point() -> None:
    point = torch.tensor([2.0, 3.0, 1.0])
    one = torch.ones(1)
    assert_close(scaling(2 * one, -one)[0] @ point, torch.tensor([4.0, -3.0, 1.0]))
    assert_close(rotation(0 * one, one)[0] @ point, torch.tensor([-3.0, 2.0, 1.0]))
    assert_close(shift(5 * one, -one)[0] @ point, torch.tensor([7.0, 2.0, 1.0]))
    turn = torch.tensor([0.3])
    there_and_back = compose(rotation(turn.cos(), turn.sin()), rotation(turn.cos(), -turn.sin()))
    assert_close(there_and_back[0], torch.eye(3))


def test_matrix_takes_numbers_and_tensors() -> None:
    assert_close(matrix([[torch.tensor([1.0, 2.0]), 0.0], [3.0, 4.0]])[1], torch.tensor([[2.0, 0.0], [3.0, 4.0]]))


def test_sometimes_is_p_of_the_time() -> None:
    torch.manual_seed(0)
    values = torch.full((10_000,), 5.0)
    for p in (0.0, 0.25, 1.0):
        drawn = sometimes(torch.tensor(p), values, 1.0)
        assert_close((drawn == 5.0).float().mean(), torch.tensor(p), atol=5 * math.sqrt(p * (1 - p) / 10_000), rtol=0)
        assert set(drawn.tolist()) <= {1.0, 5.0}
