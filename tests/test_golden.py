"""Twenty steps of a game, against the curve on file: a refactor that changes a number is not a refactor.

`python tests/test_golden.py` writes the curves anew, for a change that means to change them.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest

from tests.compose import tiny_run

GOLDEN = Path(__file__).parent / "golden"
GAMES = {
    "noise_to_image-dcgan": ("model=dcgan",),
    # without dropout, whose random numbers change between versions of torch
    "noise_to_image-gan": ("model=gan", "loss=minimax", "model.discriminator.dropout=0.0"),
    "noise_to_image-wgan_gp": ("model=wgan_gp", "trainer.accumulation=2"),
    "noise_to_image-relativistic": ("model=dcgan", "loss=relativistic", "loss/regularizers=[r1,r2]"),
}
KEYS = ("loss/discriminator", "loss/generator", "gradient_norm/generator")


def curve(folder: Path, *overrides: str) -> list[list[float]]:
    """The figures of twenty rounds, a row a step."""
    run = tiny_run(folder, *overrides)
    rows = []
    for _ in range(20):
        run.trainer.round(run)
        rows.append([float(run.metrics[key]) for key in KEYS])
    return rows


@pytest.mark.parametrize("game", sorted(GAMES))
def test_curve(game: str, tmp_path: Path) -> None:
    expected = json.loads((GOLDEN / f"{game}.json").read_text())
    for step, (row, want) in enumerate(zip(curve(tmp_path, *GAMES[game]), expected, strict=True), 1):
        assert row == pytest.approx(want, rel=2e-3, abs=1e-4), f"step {step}"  # other machines round differently


if __name__ == "__main__":
    for name, overrides in GAMES.items():
        rows = [[round(value, 6) for value in row] for row in curve(Path(tempfile.mkdtemp()), *overrides)]
        (GOLDEN / f"{name}.json").write_text(json.dumps(rows) + "\n")
