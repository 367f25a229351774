"""Blocks computed twice: the same numbers to the last bit, in less memory."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gan_lab.config import build
from gan_lab.data.dataset import build_dataset
from gan_lab.distributed.world import World, world
from gan_lab.errors import ConfigError
from gan_lab.layers.spectral_norm import spectral_norm
from gan_lab.models.resnet import Discriminator, Generator
from gan_lab.training.assemble import assemble, fill_from_data
from gan_lab.training.memory.dry_round import dry_round
from gan_lab.wrappers import activation_checkpointing
from gan_lab.wrappers.activation_checkpointing import OFFERING, ActivationCheckpointing, Before, recomputable
from gan_lab.wrappers.build import build_network
from tests.compose import choices, composed, tiny_run, variants
from tests.conftest import TINY, equal, whole

WITH = "activation_checkpointing"
GROWING = ("algorithm.stages.stable_images=4", "algorithm.stages.fade_images=8")


def played(folder: Path, rounds: int, *overrides: str) -> dict[str, Any]:
    """Everything there is after some rounds, and the figures of each."""
    run = tiny_run(folder, *overrides)
    figures = []
    for _ in range(rounds):
        run.play()
        figures.append(dict(run.metrics))
    gradients = {r: [p.grad for p in n.parameters()] for r, n in run.algorithm.networks.items()}
    return {**run.algorithm.state_dict(), "figures": figures, "gradients": gradients, "rng": torch.get_rng_state()}


@pytest.mark.parametrize(
    "overrides",
    [
        ["model=wgan_gp_resnet"],  # a gradient penalty: blocks are differentiated twice
        ["model=r3gan", "precision=bf16"],
        ["model=sngan"],  # BatchNorm, with a scale for every class; power iterations
        ["model=progressive", *GROWING],  # blocks that are not there yet, a fade, a penalty
        ["model=stylegan", *GROWING],  # noise and mixed styles are drawn
        *whole([["model=sagan"], ["model=biggan_cifar"], ["model=r3gan"]]),
        ["model=r3gan", "loss/regularizers=[r1,path_length]", "trainer.accumulation=2"],
    ],
    ids=" ".join,
)
def test_the_same_to_the_last_bit(overrides: list[str], tmp_path: Path) -> None:
    plain, twice = (played(tmp_path, 3, *overrides, *extra) for extra in ([], [f"+technique=[{WITH}]"]))
    assert [part for part in plain if not equal(plain[part], twice[part])] == []


@pytest.mark.parametrize("others", ["several_discriminators,spectral_norm", "unrolled"])
def test_beside_other_techniques(others: str, tmp_path: Path) -> None:
    common = ["model=wgan_gp_resnet", "algorithm.critic_steps=1"]
    common += ["algorithm.unroll_steps=2"] if others == "unrolled" else []
    plain, *twice = (
        played(tmp_path, 2, *common, f"+technique=[{names}]")
        for names in (others, f"{others},{WITH}", f"{WITH},{others}")
    )
    for each in twice:
        assert [part for part in plain if not equal(plain[part], each[part])] == []


def test_it_takes_less_memory(tmp_path: Path) -> None:
    common = ["model=biggan_cifar", "algorithm.critic_steps=1"]
    plain, twice = (dry_round(tiny_run(tmp_path, *common, *extra), 16, 1) for extra in ([], [f"+technique=[{WITH}]"]))
    assert twice < 0.7 * plain


class Block(nn.Module):
    """Draws, normalises and has two layers."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(6, 6), spectral_norm(nn.Linear(6, 6))
        self.norm, self.drop = nn.BatchNorm1d(6), nn.Dropout(0.5)
        self.passes = 0

    def forward(self, features: Tensor, shift: Tensor | None = None) -> Tensor:
        self.passes += 1
        features = self.drop(self.norm(self.one(features))) + torch.randn_like(features)
        return self.two(features.tanh()) + (0 if shift is None else shift)


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([Block(), Block()])

    def forward(self, features: Tensor) -> Tensor:
        for block in self.blocks:
            features = block(features, features.mean(0))
        return features


def twins() -> tuple[Network, Network]:
    torch.manual_seed(0)
    network = Network()
    twin = ActivationCheckpointing()(lambda: copy.deepcopy(network))
    assert isinstance(twin, Network)
    return network, twin


def penalised(network: Network) -> dict[str, Any]:
    """What a gradient penalty over two passes leaves behind."""
    torch.manual_seed(1)
    images = torch.randn(5, 6, requires_grad=True)
    first, second = network(images), network(images.detach() + 1)
    (gradient,) = torch.autograd.grad(first.sum(), images, create_graph=True)
    (gradient.norm(dim=1).square().mean() + second.square().mean()).backward()
    gradients = [p.grad for p in network.parameters()]
    return {"gradients": gradients, "buffers": dict(network.named_buffers()), "next": torch.randn(3)}


def test_drawing_normalising_blocks_under_a_penalty() -> None:
    network, twin = twins()
    assert equal(penalised(network), penalised(twin))
    assert [block.passes for block in network.blocks] == [2, 2]
    # once forward each; again for the penalty's gradient; again for the loss
    assert [block.passes for block in twin.blocks] == [5, 5]


@pytest.mark.parametrize("training", [True, False])
def test_without_gradients_nothing_is_done(training: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    network, twin = twins()
    monkeypatch.setattr(activation_checkpointing, "checkpoint", None)
    results = []
    for each in (network.train(training), twin.train(training)):
        torch.manual_seed(2)
        with torch.no_grad():
            results.append((each(torch.ones(4, 6)), dict(each.named_buffers())))
    assert equal(*results)
    assert [block.passes for block in twin.blocks] == [1, 1]


def test_a_copy_computes_with_its_own_weights() -> None:
    _, twin = twins()
    other = copy.deepcopy(twin).eval()
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.zero_()
    other(torch.ones(4, 6)).sum().backward()
    assert all(p.grad is None for p in twin.parameters())
    assert all(p.grad is not None and p.grad.isfinite().all() for p in other.parameters())
    assert list(other.state_dict()) == list(Network().state_dict())


def test_a_network_says_itself_what_is_worth_it() -> None:
    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.last = nn.Linear(2, 2), nn.Linear(2, 2)
            self.blocks = nn.Sequential(Block())

        @property
        def recomputed(self) -> list[nn.Module]:
            return [self.first]

    own = Own()
    assert list(recomputable(own)) == [own.first]
    resnet = Discriminator([1, 16, 16], width=4)
    assert list(recomputable(nn.ModuleList([resnet, nn.Linear(2, 2)]))) == list(resnet.blocks)
    assert len(list(recomputable(Generator([1, 32, 32], 8, width=4)))) == 3


def test_networks_without_blocks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"generator.*models\.dcgan\.Generator\) has no blocks .* leave it out"
    ) as error:
        tiny_run(tmp_path, "model=dcgan", f"+technique=[{WITH}]")
    assert "\n" not in str(error.value)


def test_the_models_that_have_blocks_are_those_named(tmp_path: Path) -> None:
    offering = []
    for model in [name for name in choices("model") if name not in variants()]:
        config = composed(*TINY, f"model={model}")
        node = config["degradation"]
        fill_from_data(config, build_dataset(config["dataset"]), build(node, "degradation") if node else None)
        if all(any(True for _ in recomputable(build_network(config, role))) for role in config["model"]):
            offering.append(model)
    assert ", ".join(offering) == OFFERING


def test_only_one_player(tmp_path: Path) -> None:
    config = composed(*TINY, "model=r3gan", f"+technique=[{WITH}]", f"wrappers.generator.{WITH}=null")
    networks = assemble(config, tmp_path)[0].algorithm.networks
    replaced = {role: ["forward" in vars(b) for b in recomputable(network)] for role, network in networks.items()}
    assert not any(replaced["generator"])
    assert all(replaced["discriminator"])


def test_what_is_computed_again_inside_a_pack_knows_its_rows() -> None:
    """Several processes share random numbers out by rows, and a pack's are fewer than the images."""
    with World(0, 2).playing(4):
        with world().rows(2):
            before = Before(nn.Linear(1, 1))
        for _ in range(2):
            with before:
                assert world().piece == 2
            assert world().piece == 4
