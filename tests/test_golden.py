"""Twenty steps of a game, against the curve on file: a refactor that changes a number is not a refactor.

`python tests/test_golden.py` writes the curves anew, for a change that means to change them.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import pytest

from gan_lab.training.run import Run
from tests.compose import tiny_run

GOLDEN = Path(__file__).parent / "golden"
GAMES = {
    "noise_to_image-dcgan": ("model=dcgan",),
    # without dropout, whose random numbers change between versions of torch
    "noise_to_image-gan": ("model=gan", "loss=minimax", "model.discriminator.dropout=0.0"),
    "noise_to_image-wgan_gp": ("model=wgan_gp", "trainer.accumulation=2"),
    "noise_to_image-relativistic": ("model=dcgan", "loss=relativistic", "loss/regularizers=[r1,r2]"),
    # labels, projection, spectral norm, five critic steps, rates that fall
    "noise_to_image-sngan": ("model=sngan", "algorithm.critic_steps=2"),
    # hierarchical latents, a shared embedding, attention, orthogonal initialisation
    "noise_to_image-biggan": ("model=biggan", "algorithm.critic_steps=1"),
    # schedules of rates, penalties, augmentation and average that move, classes as vectors
    "noise_to_image-r3gan": ("model=r3gan", "loss.regularizers.r1.schedule.weight.steps=80"),
    "noise_to_image-diffaugment": ("model=dcgan", "+technique=[diffaugment]"),
    "unrolled-gan": ("model=gan", "algorithm=unrolled", "model.discriminator.dropout=0.0", "algorithm.unroll_steps=2"),
}
KEYS = ("loss/discriminator", "loss/generator", "gradient_norm/generator", "gradient_norm/discriminator")


def checksum(run: Run) -> float:
    """One number that every averaged weight moves: the sum of their sizes."""
    tensors = (tensor for ema in run.algorithm.averages.values() for tensor in ema.state_dict().values())
    return float(sum(tensor.double().abs().sum() for tensor in tensors))


def curve(folder: Path, *overrides: str) -> list[list[float]]:
    """The figures of twenty rounds and, last, the checksum of the averaged weights, a row a step."""
    run = tiny_run(folder, *overrides)
    rows = []
    for _ in range(20):
        run.play()
        rows.append([*(float(run.metrics[key]) for key in KEYS), checksum(run)])
    return rows


@pytest.mark.parametrize("game", sorted(GAMES))
def test_curve(game: str, tmp_path: Path) -> None:
    expected = json.loads((GOLDEN / f"{game}.json").read_text())
    for step, (row, want) in enumerate(zip(curve(tmp_path, *GAMES[game]), expected, strict=True), 1):
        rounding = max(2e-3, 5e-4 * 1.2**step)  # machines round differently, and a game amplifies it, round by round
        assert row[:-1] == pytest.approx(want[:-1], rel=rounding, abs=1e-4), f"step {step}"
        assert row[-1] == pytest.approx(want[-1], rel=1e-5), f"averaged weights at step {step}"


if __name__ == "__main__":
    for name in sys.argv[1:] or GAMES:
        rows = [[round(value, 6) for value in row] for row in curve(Path(tempfile.mkdtemp()), *GAMES[name])]
        (GOLDEN / f"{name}.json").write_text(json.dumps(rows) + "\n")
