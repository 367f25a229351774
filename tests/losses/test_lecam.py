"""Averages of scores and what is paid against them, by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from gan_lab.layers.critique import Critique
from gan_lab.losses.lecam import LeCam
from gan_lab.losses.regularizers import Turn

IMAGES = torch.zeros(2, 1, 2, 2)


def turn(real: list[float], fake: list[float]) -> Turn:
    critiques = {"real_critique": Critique(torch.tensor(real)), "fake_critique": Critique(torch.tensor(fake))}
    return Turn(real=IMAGES, fake=IMAGES, critic=lambda x: x, **critiques)


def averages(term: LeCam) -> tuple[Tensor, Tensor]:
    state = term.state_dict()
    return state["real"], state["fake"]


def test_by_hand() -> None:
    """Averages 2 and -1 after the first turn; 2.5 and -1.5 after the second, at decay 0.75."""
    term = LeCam(decay=0.75, start=0)
    # (1 + 1)^2, (3 + 1)^2 -> 10; (2 + 1)^2, (2 + 1)^2 -> 9
    assert_close(term(turn([1.0, 3.0], [-1.0, -1.0])), torch.tensor(10.0 + 9.0))
    # (4 + 1.5)^2; (-3 - 2.5)^2
    assert_close(term(turn([4.0, 4.0], [-3.0, -3.0])), torch.tensor(30.25 + 30.25))
    assert_close(averages(term), (torch.tensor(2.5), torch.tensor(-1.5)))


def test_nothing_is_paid_before_the_start_and_the_averages_are_the_latest() -> None:
    term = LeCam(decay=0.5, start=2)
    for real in ([1.0, 1.0], [5.0, 5.0]):
        assert_close(term(turn(real, [0.0, 0.0])), torch.tensor(0.0))
        assert_close(averages(term)[0], torch.tensor(real[0]))
    assert_close(term(turn([7.0, 7.0], [0.0, 0.0])), torch.tensor(49.0 + 36.0))  # the average is 5 + (7 - 5) / 2
    assert_close(averages(term)[0], torch.tensor(6.0))


def test_one_sided() -> None:
    """Real below the fake average and fake above the real one cost nothing."""
    crossed = turn([-1.0, 3.0], [2.0, 2.0])  # averages 1 and 2
    assert_close(LeCam(start=0, one_sided=True)(crossed), torch.tensor(0.5 + 0.0))
    assert_close(LeCam(start=0)(crossed), torch.tensor((9.0 + 1.0) / 2 + 1.0))


def test_the_averages_carry_no_gradient() -> None:
    real, fake = torch.tensor([1.0, 3.0]).requires_grad_(), torch.tensor([0.0, 0.0]).requires_grad_()
    table = Turn(IMAGES, IMAGES, lambda x: x, real_critique=Critique(real), fake_critique=Critique(fake))
    LeCam(start=0)(table).backward()
    assert_close(real.grad, torch.tensor([1.0, 3.0]))  # 2 (D - 0) / 2
    assert_close(fake.grad, torch.tensor([-2.0, -2.0]))  # 2 (0 - 2) / 2


def test_settings() -> None:
    for decay in (-0.1, 1.0):
        with pytest.raises(ValueError, match="decay must lie in"):
            LeCam(decay=decay)
    with pytest.raises(ValueError, match="start must be at least 0"):
        LeCam(start=-1)
