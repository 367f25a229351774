"""Each game of another kind trains, goes on bit for bit, is sampled, shows its panel and is watched, like any other."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from gan_lab.algorithms.stage import Stage
from gan_lab.errors import ConfigError
from gan_lab.sampling.request import Request
from gan_lab.sampling.sampler import all_images
from gan_lab.sampling.trained import load
from gan_lab.storage import checkpoint
from gan_lab.training.assemble import assemble
from gan_lab.training.run import Run
from tests.compose import composed
from tests.conftest import TINY, equal, whole
from tests.toys import games
from tests.training.test_rounds import play, recording

TOYS = Path(__file__).parent / "configs"
TRUST = "trust=[tests.toys.games,tests.toys.networks]"
GAMES = ("toy_translation", "toy_cycle", "toy_pyramid", "toy_growing")
STAGED = "loss.adversarial_from=4"
COLUMNS = {
    "toy_translation": {"input", "made", "target"},
    "toy_cycle": {"a", "ab", "aba"},
    "toy_pyramid": {"samples"},
    "toy_growing": {"samples"},
}
LINES = {"Pyramid": 22, "Growing": 12}  # at most, without docstring and blank lines


def ready(folder: Path, *overrides: str, state: Any = None) -> Run:
    return assemble(composed(*TINY, *overrides, configs=TOYS), folder, state)[0]


@pytest.mark.parametrize("game", [*GAMES, *(f"{pairs} {STAGED}" for pairs in GAMES[:2])])
def test_three_and_three_rounds_are_six(game: str, tmp_path: Path) -> None:
    """With pools, and before the players play against each other."""
    words = f"model={game}".split()
    straight = ready(tmp_path, *words)
    play(straight, 6)
    first = ready(tmp_path, *words)
    play(first, 3)
    path = checkpoint.save(tmp_path / "checkpoints", first.state_dict(), 1)
    second = ready(tmp_path, *words, state=checkpoint.load(path))
    play(second, 3)
    one, two = straight.state_dict(), second.state_dict()
    for part in ("networks", "ema", "optimizers", "algorithm", "stream", "images_seen"):
        assert equal(one[part], two[part]), part


@pytest.mark.parametrize("game", GAMES)
def test_everybody_moves_and_only_in_its_own_move(game: str, tmp_path: Path) -> None:
    run = ready(tmp_path, f"model={game}")
    before = {role: [p.detach().clone() for p in net.parameters()] for role, net in run.algorithm.networks.items()}
    run.play()
    assert all(torch.isfinite(value) for value in run.metrics.values())
    for role, network in run.algorithm.networks.items():
        moved = [not torch.equal(p, q) for p, q in zip(network.parameters(), before[role], strict=True)]
        assert any(moved), role
    players = {role.partition("_")[0] for role in run.algorithm.networks}
    assert {f"gradient_norm/{player}" for player in players} <= set(run.metrics)


@pytest.mark.parametrize("game", GAMES)
def test_it_shows_what_it_does(game: str, tmp_path: Path) -> None:
    run = ready(tmp_path, f"model={game}")
    play(run, 5)
    columns = run.sampler().panel(run.stream.peek(4), 0)
    assert set(columns) == COLUMNS[game]
    assert {tuple(images.shape) for images in columns.values()} == {(4, 1, 16, 16)}


@pytest.mark.parametrize("game", [*GAMES[2:], *whole(GAMES[:2])])
def test_the_command_line(game: str, gan_lab: Callable[..., int], here: Path) -> None:
    """Trains with everything that watches, is stopped and taken up, sampled and examined."""
    common = (f"--config-dir={TOYS}", f"model={game}", "trainer=debug", "trainer.batch_size=4", "metrics=[]")
    assert gan_lab("train", *common, "callbacks.health.every=2", "trainer.max_steps=4", "hydra.run.dir=run") == 0
    more = ("trainer.max_steps=6", TRUST)
    assert gan_lab("train", f"--config-dir={TOYS}", "resume=run", *more) == 0
    summary = json.loads(Path("run/summary.json").read_text())
    assert (summary["state"], summary["step"]) == ("finished", 6)
    assert Path("run/samples/step-00000006.png").exists()
    logged = [json.loads(line) for line in Path("run/metrics.jsonl").read_text().splitlines()]
    assert any("health/diversity" in line for line in logged)
    measured = "[psnr,fid]" if game == "toy_translation" else "[fid]"
    assert gan_lab("evaluate", "run=run", f"metrics={measured}", "extractor=pixels", "n=12", TRUST) == 0
    found = json.loads(Path("run/summary.json").read_text())["metrics"]
    assert {name.partition("/")[0] for name in found} == set(measured.strip("[]").split(","))
    assert gan_lab("doctor", "run", TRUST) == 0
    trained = load("run", trust=["tests.toys.games", "tests.toys.networks"])
    if "input" in trained.sampler.takes:
        given = torch.linspace(-1, 1, 3).view(3, 1, 1, 1).expand(3, 1, 16, 16)
        assert all_images(trained.sampler, Request(3, input=given)).shape == (3, 1, 16, 16)
        with pytest.raises(ConfigError, match=r"^codes: this generator has no latents"):
            trained.sampler.codes(1, 0)
    else:
        assert gan_lab("sample", "run=run", "n=3", "out=out", TRUST) == 0
        assert len(list(Path("out").glob("*.png"))) == 4


def test_two_stages_are_one_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pixels alone, then the game: another key of the captured round, and one checkpoint."""
    monkeypatch.setattr("gan_lab.training.rounds.AHEAD", 1)  # the second stage would be waited for
    run = ready(tmp_path, "model=toy_translation", "loss.adversarial_from=3", "loss.regularizers.l1.weight=10")
    graphs = recording(run)
    told = []
    for _ in range(8):
        run.play()
        told.append(set(run.metrics))
    assert all("loss/discriminator" not in names and "loss/generator/l1" in names for names in told[:3])
    assert all("loss/discriminator" in names and "loss/generator/adversarial" in names for names in told[3:])
    assert len(graphs) == 2


def test_a_stage_without_anything_to_minimise_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^loss.adversarial_from: until round 3 the generator has nothing"):
        ready(tmp_path, "model=toy_translation", "loss.adversarial_from=3", "loss/regularizers=[]")
    with pytest.raises(ConfigError, match=r"^loss.adversarial_from: until round 3"):
        ready(tmp_path, "model=toy_translation", "loss.adversarial_from=3", "+loss.regularizers.l1.begin=2")


def test_a_regularizer_may_begin_late(tmp_path: Path) -> None:
    run = ready(tmp_path, "model=toy_translation", "+loss.regularizers.l1.begin=2")
    assert ["l1" in run.algorithm.due(step) for step in range(4)] == [False, False, True, True]


def test_growing_networks_grow(tmp_path: Path) -> None:
    """8 images in batches of 2 at half the size; then batches of 4, and a fade over 16 images; captured apart."""
    eager = ready(tmp_path, "model=toy_growing")
    sizes, fades = [], []
    for _ in range(10):
        eager.play()
        sizes.append(eager.stream.batch_size)
        fades.append(float(eager.algorithm.networks["generator"].fade))  # type: ignore[arg-type]
    assert sizes == [2] * 4 + [4] * 6
    assert fades == [0.0] * 5 + [0.25, 0.5, 0.75, 1.0, 1.0]
    assert eager.images_seen == 4 * 2 + 6 * 4
    assert eager.rounds.stage == Stage()
    recorded = ready(tmp_path, "model=toy_growing")
    graphs = recording(recorded)
    play(recorded, 10)
    assert len(graphs) == 2
    assert equal(eager.state_dict()["networks"], recorded.state_dict()["networks"])


def test_what_a_generator_has_grown_to_is_in_its_weights(tmp_path: Path) -> None:
    for rounds, size in ((2, 8), (6, 16)):
        run = ready(tmp_path / str(rounds), "model=toy_growing")
        play(run, rounds)
        checkpoint.save(run.checkpoints, run.state_dict(), 1)
        trained = load(run.folder, trust=["tests.toys.games", "tests.toys.networks"])
        assert trained.sample(2).shape == (2, 1, size, size)
        assert equal(trained.sample(2), all_images(run.sampler(), Request(2)))


def test_a_player_needs_what_moves_it_and_nothing_moves_nobody(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^optimizer.discriminator: missing; model.discriminator has nothing"):
        ready(tmp_path, "model=toy_translation", "~optimizer.discriminator")
    critic = "+optimizer.critic={_target_: torch.optim.SGD, _partial_: true, lr: 0.1}"
    with pytest.raises(ConfigError, match=r"^optimizer.critic: there is no network model.critic"):
        ready(tmp_path, "model=toy_translation", critic)


def test_a_pair_that_the_game_has_not_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^loss.regularizers.cycle.pair: 'cycle' is not in this game \(target\)"):
        ready(tmp_path, "model=toy_translation", "loss/regularizers=[cycle]")


@pytest.mark.parametrize("name", sorted(LINES))
def test_they_are_short(name: str) -> None:
    source = inspect.getsource(getattr(games, name)).splitlines()
    counted = [line for line in source if line.strip() and not line.strip().startswith(('"""', "#", "@"))]
    assert len(counted) - 1 <= LINES[name], len(counted) - 1
