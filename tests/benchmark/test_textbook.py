"""The tutorials' loop against ours: the same game, step for step, when both see the same images and latents."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close
from torch.utils._python_dispatch import _get_current_dispatch_mode

from gan_lab.benchmark.published import as_published
from gan_lab.benchmark.textbook import Images, Players, critic, gradient_penalty, loader, textbook
from gan_lab.engine.seeding import seed_round
from gan_lab.errors import ConfigError
from gan_lab.training.memory.available import Counted
from gan_lab.training.run import Run
from tests.compose import tiny_run


def same(run: Run) -> Iterator[tuple[Tensor, Tensor]]:
    """The batches that `run` sees, from a second stream."""
    import copy

    stream = copy.copy(run.stream)
    while True:
        images, labels, *_ = stream.next()
        yield images, torch.zeros(len(images), dtype=torch.int64) if labels is None else labels


def both(run: Run, rounds: int) -> tuple[list[float], list[float]]:
    step = textbook(run, same(run))
    theirs, ours = [], []
    for _ in range(rounds):
        seed_round(run.config["seed"], run.step, run.engine.device)
        theirs += step()
        run.play()
        ours += [float(run.metrics["loss/discriminator"]), float(run.metrics["loss/generator"])]
    return theirs, ours


@pytest.mark.parametrize(
    ("model", "loss"),
    [
        ("dcgan", ["loss=non_saturating"]),
        ("gan_small", ["loss=non_saturating"]),
        (
            "gan_small",
            ["loss=non_saturating", "loss.adversarial.label_smoothing=0.1", "loss.adversarial.two_sided=true"],
        ),
        ("gan_small", ["loss=minimax"]),
        ("gan_small", ["loss=least_squares"]),
        ("lsgan", []),
        ("cdcgan", ["loss=non_saturating"]),
    ],
)
def test_two_passes(model: str, loss: list[str], tmp_path: Path) -> None:
    theirs, ours = both(tiny_run(tmp_path, "precision=fp32", f"model={model}", *loss), 5)
    assert theirs == pytest.approx(ours, rel=1e-4)


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop"])
@pytest.mark.parametrize("loss", ["hinge", "wasserstein_clipped"])
def test_hinge_and_clipping(loss: str, optimizer: str, tmp_path: Path) -> None:
    """One critic step with a fresh latent, then the generator with another."""
    once = ("algorithm.critic_steps=1", "algorithm.reuse_fake=false", f"optimizer={optimizer}", "precision=fp32")
    run = tiny_run(tmp_path, "model=wgan_gp", f"loss={loss}", *once)
    theirs, ours = both(run, 4)
    assert theirs == pytest.approx(ours, rel=1e-3, abs=1e-4)


def test_networks_that_grow_at_their_whole_size(tmp_path: Path) -> None:
    """Penalty and drift included; a smaller size is another round."""
    theirs, ours = both(tiny_run(tmp_path, "model=progressive", "algorithm.stages.start=2", "precision=fp32"), 3)
    assert theirs == pytest.approx(ours, rel=1e-3, abs=1e-4)
    with pytest.raises(ConfigError, match=r"^algorithm.stages.start: .* with algorithm.stages.start=2$"):
        textbook(tiny_run(tmp_path, "model=progressive"))


def test_the_optimizer_is_the_recipes_as_it_comes(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, "model=gan_small", "optimizer=adam", "optimizer.generator.betas=[0.3,0.9]")
    players = Players(run, same(run))
    group = players.optimizer_generator.param_groups[0]
    assert type(players.optimizer_generator) is torch.optim.Adam
    assert (group["betas"], group["fused"], group["foreach"]) == ((0.3, 0.9), None, None)
    assert group["lr"] == run.algorithm.optimizers["generator"].param_groups[0]["lr"]


def test_the_penalty_of_a_linear_critic(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, "model=wgan_gp")
    players = Players(run, same(run))
    linear = nn.Linear(256, 1, bias=False)
    players.scores = lambda images, labels: linear(images.flatten(1))  # type: ignore[method-assign]
    real = torch.randn(4, 1, 16, 16)
    norm = linear.weight.detach().norm()
    assert_close(gradient_penalty(players, real, torch.randn_like(real), None, 1.0), (norm - 1) ** 2)
    first, second = critic(Players(run, same(run)))()
    assert torch.isfinite(torch.tensor([first, second])).all()


@pytest.mark.parametrize("model", ["dcgan", "gan", "progressive", "wgan_gp_resnet"])
def test_the_published_form_computes_the_same(model: str, tmp_path: Path) -> None:
    algorithm = (run := tiny_run(tmp_path, f"model={model}")).algorithm
    latent, images = torch.randn(6, algorithm.latent.dim), torch.randn(6, 1, 16, 16)  # type: ignore[attr-defined]
    for role, given in (("generator", latent), ("discriminator", images)):
        ours = algorithm.networks[role].eval()
        theirs = as_published(ours, run).eval()
        a, b = ours(given), theirs(given)
        assert_close(*((x if isinstance(x, Tensor) else x.scores) for x in (b, a)), rtol=1e-4, atol=1e-5)
        names = {type(module).__name__ for module in theirs.modules()}
        assert not names & {"Projection", "Readout", "Dropout" if role == "none" else "-"}
        assert not any("forward" in vars(module) for module in theirs.modules())


@pytest.mark.parametrize(
    ("overrides", "what"),
    [
        (["model=rpgan"], "loss.regularizers.r1"),
        (["model=gan_small", "loss=relativistic"], "loss.adversarial Relativistic"),
        (["model=gan_small", "algorithm=unrolled"], "algorithm Unrolled"),
        (["model=dcgan", "+technique=[diffaugment]"], "an augmentation"),
    ],
)
def test_a_game_without_a_tutorial_is_refused(overrides: list[str], what: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"no loop with {what}; measure against=eager"):
        textbook(tiny_run(tmp_path, *overrides))


def test_the_loader_gives_normalised_images(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, "model=gan_small")
    image, label = Images(run.store)[3]
    assert_close(image, run.store.read([3])[0])
    assert run.store.labels is not None
    assert label == run.store.labels[3]
    images, labels = next(loader(run.store, 8))
    assert images.shape == (8, 1, 16, 16)
    assert labels.shape == (8,)


def test_what_surrounds_the_loop_does_not_reach_its_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that is forked under a counter of memory would count for as long as it lives, and be slow."""

    def under_a_mode(self: Images, index: int) -> tuple[Tensor, int]:
        return torch.zeros(1), 0 if _get_current_dispatch_mode() is None else -1

    monkeypatch.setattr(Images, "__getitem__", under_a_mode)
    data = loader(tiny_run(tmp_path, "model=gan_small").store, 4)
    with Counted():
        _, labels = next(data)
    assert (labels >= 0).all()
