"""Networks that grow: one size on all sides, what is forgotten where, exactly resumed anywhere, recorded stage by
stage, and measured at the data's size."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.functional import avg_pool2d

from gan_lab.algorithms.growing import growing_parts
from gan_lab.algorithms.stage import Stage
from gan_lab.callbacks.health import Health
from gan_lab.errors import ConfigError
from gan_lab.sampling.request import Request
from gan_lab.sampling.sampler import all_images
from gan_lab.sampling.trained import load
from gan_lab.storage import checkpoint
from gan_lab.training.assemble import assemble
from gan_lab.training.run import Run
from gan_lab.training.trainer import fit
from tests.compose import composed
from tests.conftest import TINY, equal, whole
from tests.training.test_rounds import pair, play, recording

TWO = ("algorithm.stages.stable_images=8", "algorithm.stages.fade_images=12")  # rounds of 4: three whole, two fading
THREE = ("algorithm.stages.stable_images=8", "algorithm.stages.fade_images=16")  # three and three
GROWING = ["model=progressive", *whole(["model=stylegan"])]


def ready(folder: Path, *words: str, state: Any = None) -> Run:
    return assemble(composed(*TINY, *words), folder, state)[0]


def standing(run: Run) -> tuple[int, bool]:
    (found,) = {(part.level, part.fading) for part in run.algorithm.parts}  # type: ignore[attr-defined]
    return found


@pytest.mark.parametrize("model", GROWING)
def test_everybody_is_of_one_size(model: str, tmp_path: Path) -> None:
    """Networks, the average and the real images; a share of a fade is what of its images was shown."""
    run = ready(tmp_path, model, *TWO, "algorithm.stages.start=0")
    stood, shares = [], []
    for _ in range(11):
        run.play()
        stood.append(standing(run))
        shares.append({round(float(part.share), 4) for part in run.algorithm.parts})  # type: ignore[attr-defined]
        view = run.algorithm.views(run.stream.peek(2))[""]
        assert view.image.shape[-1] == 4 << standing(run)[0]
    assert stood == [*[(0, False)] * 3, *[(1, True)] * 2, *[(1, False)] * 3, *[(2, True)] * 2, (2, False)]
    assert shares == [{1.0}, {1.0}, {1.0}, {0.3333}, {0.6667}, {1.0}, {1.0}, {1.0}, {0.3333}, {0.6667}, {1.0}]
    assert len(run.algorithm.parts) == 3  # type: ignore[attr-defined]


@pytest.mark.parametrize("model", GROWING)
def test_going_on_anywhere_is_not_having_stopped(model: str, tmp_path: Path) -> None:
    """In the middle of a fade, at its beginning, at its end, and between them."""
    straight, states = ready(tmp_path, model, *TWO, "algorithm.stages.start=0"), []
    for _ in range(10):
        run_state = checkpoint.save(tmp_path / f"{len(states)}", straight.state_dict(), 1)
        states.append(checkpoint.load(run_state))
        straight.play()
    for done in (3, 4, 5, 9):
        again = ready(tmp_path, model, *TWO, "algorithm.stages.start=0", state=states[done])
        play(again, 10 - done)
        one, two = straight.state_dict(), again.state_dict()
        for part in ("networks", "ema", "optimizers", "algorithm", "stream", "images_seen"):
            assert equal(one[part], two[part]), (done, part)


def test_a_rollback_to_another_stage(tmp_path: Path) -> None:
    """The state of the last round before a fade, loaded in it: the same rounds again."""
    run = ready(tmp_path, "model=progressive", *TWO)
    play(run, 3)
    state = checkpoint.load(checkpoint.save(tmp_path, run.state_dict(), 1))
    told = play(run, 4)
    run.load_state_dict(state)
    assert play(run, 4) == told


def test_moments_are_forgotten_at_both_edges_of_a_fade_and_averages_not(tmp_path: Path) -> None:
    run = ready(tmp_path, "model=progressive", *TWO)
    counts, averages = [], []
    for _ in range(11):
        before = [p.clone() for p in run.algorithm.averages["generator"].module.parameters()]
        run.play()
        steps = {
            float(state["step"])
            for optimizer in run.algorithm.optimizers.values()
            for state in optimizer.state.values()
        }
        counts.append(steps)
        after = run.algorithm.averages["generator"].module.parameters()
        averages.append(max(float((p - q).abs().max()) for p, q in zip(before, after, strict=True)))
    assert counts == [{n} for n in (1, 2, 3, 1, 2, 1, 2, 3, 1, 2, 1)]
    assert max(averages) < 0.01  # a step of Adam at most: nothing jumps


@pytest.mark.parametrize("model", GROWING)
def test_every_stage_is_recorded(model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each fade is one kind of round, each size another: two rounds kernel by kernel, then replays, to the last bit."""
    eager, recorded = pair(tmp_path, " ".join((model, *THREE, "algorithm.stages.start=0")), monkeypatch)
    graphs = recording(recorded)
    assert play(recorded, 15) == play(eager, 15)
    assert [graph.replays for graph in graphs] == [1] * 5
    for part in ("networks", "ema", "optimizers"):
        assert equal(recorded.state_dict()[part], eager.state_dict()[part]), part


def test_batches_and_rates_follow_the_size(tmp_path: Path) -> None:
    words = ("algorithm.stages.batch_limits=[[8,3],[16,2]]", "algorithm.stages.rates=[[8,2.0],[16,0.5]]")
    run = ready(
        tmp_path, "model=progressive", "algorithm.stages.stable_images=4", "algorithm.stages.fade_images=4", *words
    )
    sizes, rates = [], []
    for _ in range(10):
        run.play()
        sizes.append(run.stream.batch_size)
        rates.append(run.algorithm.learning_rates()["generator"])
    assert sizes == [4, 4, 3, 3, 2, 2, 2, 2, 2, 2]
    assert rates == [1e-3] * 2 + [2e-3] * 2 + [5e-4] * 6
    assert run.images_seen == sum(sizes)
    assert run.algorithm.stage(5) == Stage(3, 8, True)


def test_pictures_and_samples_have_the_size_of_the_data(tmp_path: Path) -> None:
    run = ready(tmp_path, "model=progressive", *TWO)
    play(run, 4)
    made = all_images(run.sampler(), Request(3))
    assert made.shape == (3, 1, 16, 16)
    module = run.algorithm.averages["generator"].module
    native = module(run.sampler().codes(3, 0)).clamp(-1, 1)
    assert torch.equal(avg_pool2d(made, 2), native)
    assert {tuple(each.shape) for each in run.sampler().panel(run.stream.peek(4), 0).values()} == {(4, 1, 16, 16)}
    checkpoint.save(run.checkpoints, run.state_dict(), 1)
    assert torch.equal(load(run.folder).sample(3), made)


def test_who_watches_sees_the_size_of_the_stage(tmp_path: Path) -> None:
    """From before the first round on; and a run that is too short says so."""
    run = ready(tmp_path, "model=progressive", *TWO, "trainer.max_steps=4")
    seen: list[torch.Size] = []

    class Watching(Health):
        def on_fit_start(self, run: Run) -> None:
            seen.append(run.algorithm.views(run.stream.peek(1))[""].image.shape)

    fit(run, [Watching()])
    assert seen == [(1, 1, 4, 4)]
    assert run.algorithm.shortfall(40, 10) is None
    told = run.algorithm.shortfall(39, 10)
    assert told is not None
    assert told.startswith("algorithm.stages: this run ends at 16x16 of 16x16 pixels: it shows at most 39 images")


def test_a_run_that_is_too_short_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        fit(ready(tmp_path, "model=progressive", "trainer.max_steps=1"), [])
    assert "ends at 4x4 of 16x16 pixels: it shows at most 4 images, and to grow takes 3,200,000" in caplog.text


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("model=dcgan", "algorithm=growing"), r"algorithm: Growing needs networks that grow, and model.generator"),
        (
            ("model=progressive", "algorithm.stages.batch_limits=[[8,3]]", "trainer.accumulation=2"),
            r"algorithm.stages.batch_limits: 3 images are not 2 equal shares",
        ),
        (("model=progressive", "dataset.image_shape=[1,18,18]"), "does not halve down"),
        (("model=progressive", "+algorithm.speed=3"), "takes no speed"),
    ],
)
def test_refusals(words: tuple[str, ...], reason: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=reason) as refusal:
        ready(tmp_path, *words)
    assert "\n" not in str(refusal.value)


def test_whole_networks_play_other_games(tmp_path: Path) -> None:
    run = ready(tmp_path, "model=progressive", "algorithm=noise_to_image")
    run.play()
    assert all(not part.behind for part in growing_parts(run.algorithm.networks["generator"]))
    assert all_images(run.sampler(), Request(1)).shape == (1, 1, 16, 16)
