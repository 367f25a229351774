"""The YAML of models, losses, regularizers and optimizers, composed by Hydra and built."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from gan_lab.algorithms.averaging import ExponentialMovingAverage
from gan_lab.algorithms.latents import Normal
from gan_lab.algorithms.schedules import Constant, Cosine, LinearDecay
from gan_lab.config import CONFIG_DIR, build, settings
from gan_lab.losses import adversarial
from gan_lab.losses.regularizers import R1, R2, GradientPenalty
from tests.compose import models_from_images

PRIMARY = """
hydra:
  searchpath: ["file://{configs}"]
defaults:
  - _self_
  - loss: non_saturating
  - augmentation: none
  - optimizer: adam
  - algorithm: noise_to_image
  - text_encoder: null
  - model: dcgan
dataset:
  image_shape: [3, 32, 32]
  num_classes: 10
trainer:
  max_steps: 100
"""
JOINT = ("egbad",)  # a discriminator of latents, too: tests/models/test_egbad.py
PYRAMIDS = ("lapgan", "lapgan_conditional")  # of networks a level: tests/algorithms/test_pyramid.py
Compose = Callable[..., DictConfig]


def names(group: str) -> list[str]:
    return sorted(path.stem for path in (CONFIG_DIR / group).glob("*.yaml"))


@pytest.fixture
def composed(tmp_path: Path) -> Compose:
    (tmp_path / "primary.yaml").write_text(PRIMARY.format(configs=CONFIG_DIR))

    def run(*overrides: str) -> DictConfig:
        with initialize_config_dir(str(tmp_path), version_base="1.3"):
            return compose("primary", list(overrides))

    return run


@pytest.mark.parametrize("model", sorted({*names("model")} - {*models_from_images()} - {*PYRAMIDS, *JOINT}))
def test_models(model: str, composed: Compose) -> None:
    """Every model builds at the tiny width of `trainer=debug`, and its networks fit each other."""
    config = composed(f"model={model}", "+width=4")
    latent = build(config.algorithm.latent, "algorithm.latent")
    reads = "encoder" in config.model.generator
    if reads:
        for node in config.model.values():
            node.encoder.num_tokens = 20
    networks = {role: build(node, f"model.{role}") for role, node in config.model.items()}
    labels = torch.tensor([[1, 2], [9, 0], [3, 3]]) if reads else torch.tensor([0, 9, 3])
    images = networks["generator"](latent(3, "cpu"), labels)
    assert images.shape == (3, 3, 32, 32)
    assert len(networks["discriminator"](images, labels).scores) == 3
    read = sum(p.numel() for p in networks["discriminator"].encoder.parameters()) if reads else 0
    assert sum(p.numel() for p in networks["discriminator"].parameters()) - read < 250_000  # the width arrived


@pytest.mark.parametrize(
    ("model", "roles"),
    [
        ("gan", {"generator": 128, "discriminator": 256}),
        ("gan_small", {"generator": 128, "discriminator": 128}),
        ("dcgan", {"generator": 64, "discriminator": 64}),
        ("wgan_gp", {"generator": 64, "discriminator": 64}),
        ("wgan_gp_resnet", {"generator": 128, "discriminator": 128}),
    ],
)
def test_widths_without_a_common_one(model: str, roles: dict[str, int], composed: Compose) -> None:
    assert {role: node.width for role, node in composed(f"model={model}").model.items()} == roles


@pytest.mark.parametrize(
    ("model", "rate", "schedule"), [("wgan_gp", 1e-4, Constant), ("wgan_gp_resnet", 2e-4, LinearDecay)]
)
def test_what_the_wgan_gp_paper_prescribes(model: str, rate: float, schedule: type, composed: Compose) -> None:
    config = composed(f"model={model}")
    assert config.algorithm.critic_steps == 5
    assert isinstance(build(config.loss.adversarial), adversarial.Wasserstein)
    penalty = build(config.loss.regularizers.gradient_penalty)
    assert (type(penalty), penalty.weight, penalty.every, penalty.target) == (GradientPenalty, 10.0, 1, 1.0)
    for player in ("generator", "discriminator"):
        optimizer = build(config.optimizer[player])([torch.nn.Parameter(torch.zeros(1))])
        assert type(optimizer) is torch.optim.Adam
        assert (optimizer.defaults["lr"], tuple(optimizer.defaults["betas"])) == (rate, (0.0, 0.9))
    falls = build(config.optimizer.schedule)
    assert type(falls) is schedule
    assert (falls.factor(50), falls.factor(100)) == ((0.5, 0.0) if model == "wgan_gp_resnet" else (1.0, 1.0))


def test_what_the_user_types_wins_over_the_model(composed: Compose) -> None:
    config = composed("model=wgan_gp", "loss=hinge", "optimizer=sgd", "algorithm.critic_steps=2")
    assert isinstance(build(config.loss.adversarial), adversarial.Hinge)
    assert config.loss.regularizers == {}
    assert build(config.optimizer.generator).func is torch.optim.SGD
    assert config.algorithm.critic_steps == 2


LOSSES = {
    "minimax": adversarial.Minimax,
    "non_saturating": adversarial.NonSaturating,
    "least_squares": adversarial.LeastSquares,
    "wasserstein": adversarial.Wasserstein,
    "wasserstein_gp": adversarial.Wasserstein,
    "hinge": adversarial.Hinge,
    "relativistic": adversarial.Relativistic,
    "relativistic_average": adversarial.RelativisticAverage,
    "relativistic_r1_r2": adversarial.Relativistic,
}
PENALTIES = {"wasserstein_gp": ["gradient_penalty"], "relativistic_r1_r2": ["r1", "r2"]}


@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_losses(loss: str, composed: Compose) -> None:
    config = composed(f"loss={loss}")
    assert type(build(config.loss.adversarial)) is LOSSES[loss]
    assert list(config.loss.regularizers) == PENALTIES.get(loss, [])


def test_the_clipped_critic(composed: Compose) -> None:
    config = composed("loss=wasserstein_clipped")
    clipping = build(config.loss.constraints.weight_clipping)
    assert (type(build(config.loss.adversarial)), clipping.bound, clipping.player) == (
        adversarial.Wasserstein,
        0.01,
        "discriminator",
    )
    assert composed("loss=wasserstein").loss.constraints == {}


@pytest.mark.parametrize("loss", ["minimax", "non_saturating", "least_squares"])
def test_label_smoothing_can_be_typed(loss: str, composed: Compose) -> None:
    config = composed(f"loss={loss}", "loss.adversarial.label_smoothing=0.1", "loss.adversarial.two_sided=true")
    scores = torch.tensor([1.0])
    expected = LOSSES[loss](0.1, two_sided=True).discriminator(scores, scores)  # type: ignore[call-arg]
    assert torch.equal(build(config.loss.adversarial).discriminator(scores, scores), expected)


@pytest.mark.parametrize(
    ("typed", "kinds"),
    [
        ("[r1,r2]", [R1, R2]),
        ("[r2]", [R2]),
        ("[gradient_penalty,r1]", [GradientPenalty, R1]),
        ("[]", []),
    ],
)
@pytest.mark.parametrize("loss", ["wasserstein_gp", "hinge"])
def test_typed_regularizers_replace(loss: str, typed: str, kinds: list[type], composed: Compose) -> None:
    config = composed(f"loss={loss}", f"loss/regularizers={typed}")
    assert [type(build(node)) for node in config.loss.regularizers.values()] == kinds


def test_a_models_regularizers_can_be_emptied(composed: Compose) -> None:
    assert composed("model=wgan_gp", "loss/regularizers=[]").loss.regularizers == {}


def test_regularizers_take_weight_and_every(composed: Compose) -> None:
    config = composed("loss/regularizers=[r1]", "loss.regularizers.r1.weight=0.5", "loss.regularizers.r1.every=16")
    penalty = build(config.loss.regularizers.r1)
    assert (penalty.weight, penalty.every) == (0.5, 16)


TWO_TIME_SCALES = ("adam_ttur", "adam_biggan", "adam_context_encoder", "adam_stylegan3", "sgd_lapgan")
WARMED_UP = ("adam_points",)


@pytest.mark.parametrize("optimizer", names("optimizer"))
def test_optimizers(optimizer: str, composed: Compose) -> None:
    """Both players' optimizers build and move a weight; the discriminator follows the generator's learning rate, but
    for those whose point is two of them."""
    config = composed(f"optimizer={optimizer}", "optimizer.generator.lr=0.125", "+loss.adversarial_from=1")
    for player in ("generator", "discriminator"):
        weight = torch.nn.Parameter(torch.ones(1))
        opt = build(settings(config)["optimizer"][player], f"optimizer.{player}")([weight])
        assert (opt.defaults["lr"] == 0.125) == (player == "generator" or optimizer not in TWO_TIME_SCALES)
        weight.grad = torch.ones(1)
        opt.step()
        assert weight.item() < 1.0
    schedule = build(config.optimizer.schedule)
    assert (schedule.factor(0) == 1.0) == (optimizer not in WARMED_UP)
    assert max(map(schedule.factor, range(config.trainer.max_steps))) == 1.0, "the rate that is set is reached"


def test_two_time_scales(composed: Compose) -> None:
    config = composed("optimizer.generator.lr=1e-4", "optimizer.discriminator.lr=4e-4")
    lr = [
        build(config.optimizer[player])([torch.nn.Parameter(torch.zeros(1))]).defaults["lr"]
        for player in ("generator", "discriminator")
    ]
    assert lr == [1e-4, 4e-4]


@pytest.mark.parametrize(
    ("schedule", "kind", "halfway"),
    [("constant", Constant, 1.0), ("linear", LinearDecay, 0.5), ("cosine", Cosine, None)],
)
def test_schedules(schedule: str, kind: type, halfway: Any, composed: Compose) -> None:
    built = build(composed(f"optimizer/schedule={schedule}").optimizer.schedule)
    assert type(built) is kind
    if halfway is not None:
        assert built.factor(50) == halfway
    else:
        assert [built.factor(4), built.factor(5), built.factor(100)] == [1.0, 1.0, 0.0]  # 5 rounds of warm-up in 100


def test_the_algorithms_parts(composed: Compose) -> None:
    config = composed("algorithm.ema.decay=0.5")
    latent = build(config.algorithm.latent)
    assert (type(latent), latent.dim) == (Normal, config.model.generator.latent_dim)
    average = build(config.algorithm.ema)(torch.nn.Linear(2, 2))
    assert (type(average), average.decay, average.warmup) == (ExponentialMovingAverage, 0.5, True)
