"""torch is told once, and told back only what it was told here."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import torch

from gan_lab.engine.determinism import be_deterministic
from gan_lab.engine.engine import Engine


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    yield
    be_deterministic(False)
    torch.use_deterministic_algorithms(False)
    os.environ.pop("CUBLAS_WORKSPACE_CONFIG", None)


def test_a_run_asks_for_it_and_the_next_does_not() -> None:
    Engine("cpu", "fp32", deterministic=True)
    assert torch.are_deterministic_algorithms_enabled()
    assert torch.is_deterministic_algorithms_warn_only_enabled()
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    Engine("cpu", "fp32")
    assert not torch.are_deterministic_algorithms_enabled()


def test_what_somebody_else_asked_for_stays() -> None:
    torch.use_deterministic_algorithms(True)
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":16:8"
    be_deterministic(False)
    assert torch.are_deterministic_algorithms_enabled()
    be_deterministic(True)
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":16:8"
