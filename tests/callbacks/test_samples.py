"""Pictures of samples: what a configuration gets wrong is told at once (what fails later is in `test_metrics.py`)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import TINY


@pytest.mark.parametrize(
    ("override", "key"),
    [("callbacks.samples.count=0", "callbacks.samples.count"), ("+dataset.picture={_target_: a.b}", "dataset: ")],
)
def test_a_mistake_in_the_configuration_ends_a_run_at_its_start(
    override: str, key: str, gan_lab: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert gan_lab("train", *TINY, override, "hydra.run.dir=run") == 2
    said = capsys.readouterr().err
    assert key in said
    assert said.count("\n") == 1
