"""What is put around components, and what has nothing to be put around."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.compose import tiny_run


@pytest.mark.parametrize("model", ["edsr", "cyclegan", "gan_small"])
def test_what_does_nothing_is_said(model: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A network's own name, `discriminator_ab`, is one of a discriminator."""
    tiny_run(tmp_path, f"model={model}", "+technique=[spectral_norm]")
    line = "wrappers.discriminator: this game has no discriminator, so spectral_norm does nothing"
    assert (line in caplog.messages) == (model == "edsr")
