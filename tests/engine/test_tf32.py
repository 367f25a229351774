"""TF32 is switched for the whole process, so who switches it puts it back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from gan_lab.engine.tf32 import allow_tf32, without_tf32


def flags() -> tuple[bool, bool]:
    return torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    matmul, cudnn = flags()
    yield
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = matmul, cudnn


@pytest.mark.parametrize("before", [(True, True), (False, True), (True, False)])
def test_it_is_off_inside_and_afterwards_as_it_was(before: tuple[bool, bool]) -> None:
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before
    with pytest.raises(KeyError), without_tf32():
        assert flags() == (False, False)
        raise KeyError
    assert flags() == before


def test_both_libraries_are_told() -> None:
    for allowed in (True, False):
        allow_tf32(allowed)
        assert flags() == (allowed, allowed)
