"""There and back again: closed forms, what is left out, and one pass in the place of two."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from gan_lab.algorithms.cycle import Cycle
from gan_lab.data.batch import Batch
from gan_lab.engine.engine import Engine
from gan_lab.errors import ConfigError
from gan_lab.losses.adversarial import LeastSquares
from gan_lab.losses.distances import L1
from gan_lab.losses.reconstruction import Reconstruction
from gan_lab.losses.regularizers import Regularizer
from gan_lab.models import patchgan, translator
from tests.algorithms.games import parts

SHAPE = (1, 16, 16)
PAIRS = {"cycle": Reconstruction("cycle", L1(), 10.0), "identity": Reconstruction("identity", L1(), 5.0)}


class Same(nn.Module):
    """Returns what it is given, and counts."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.ones(()))
        self.asked: list[int] = []

    def forward(self, input: Tensor, label: Tensor | None = None) -> Tensor:
        self.asked.append(len(input))
        return self.factor * input


class Half(nn.Module):
    """A discriminator that is never sure."""

    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.tensor(0.5))

    def forward(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        return 0.0 * images + self.bias


def batch(seed: int = 0) -> Batch:
    random = torch.Generator().manual_seed(seed)
    image, input = (torch.rand(2, *SHAPE, generator=random) * 2 - 1 for _ in range(2))
    return Batch(image, input=input)


def game(regularizers: Mapping[str, Regularizer] = PAIRS, pieces: int = 1) -> Cycle:
    nets = {f"generator_{side}": Same() for side in ("ab", "ba")}
    judges = {f"discriminator_{side}": Half() for side in ("ab", "ba")}
    optimizer = partial(torch.optim.SGD, lr=0.0)
    return Cycle(
        parts({**nets, **judges}, optimizer, loss=LeastSquares(), regularizers=regularizers, accumulation=pieces)
    )


@pytest.mark.parametrize("pieces", [1, 2])
def test_networks_that_change_nothing_pay_nothing(pieces: int) -> None:
    """Cycle and identity are 0; with D = 1/2 both discriminators pay 1/4, and both generators half of 1/4."""
    algorithm = game(pieces=pieces)
    metrics = algorithm.train_step([batch()], algorithm.all_due())
    for side in ("ab", "ba"):
        assert float(metrics[f"loss/generator/cycle_{side}"]) == 0.0
        assert float(metrics[f"loss/generator/identity_{side}"]) == 0.0
        assert_close(metrics[f"loss/discriminator/adversarial_{side}"], torch.tensor(0.25))
        assert_close(metrics[f"loss/generator/adversarial_{side}"], torch.tensor(0.125))


def test_what_no_regularizer_is_due_for_is_not_made() -> None:
    """One pass there; the identity shares it where both images fit together; one pass back."""
    for regularizers, passes in ((PAIRS, [2, 2, 2]), ({"cycle": PAIRS["cycle"]}, [2, 2]), ({}, [2])):
        algorithm = game(regularizers)
        algorithm.train_step([batch()], algorithm.all_due())
        for side in ("ab", "ba"):
            assert algorithm.networks[f"generator_{side}"].asked == passes
    early = game()
    early.train_step([batch()], ("cycle", "identity"))
    assert all(not pool.state_dict() for pool in early.pools.values())  # nobody is shown anything yet


def test_together_is_apart() -> None:
    """With InstanceNorm, in one pass or in two: the same losses and gradients."""
    torch.manual_seed(0)
    nets: dict[str, nn.Module] = {}
    for side in ("ab", "ba"):
        nets[f"generator_{side}"] = translator.Generator(SHAPE, SHAPE, width=4, blocks=1)
        nets[f"discriminator_{side}"] = patchgan.Discriminator(SHAPE, width=4, normalization="instance")
    found = []
    for together in (True, False):
        algorithm = Cycle(parts(copy.deepcopy(nets), partial(torch.optim.SGD, lr=0.1), regularizers=PAIRS))
        assert all(algorithm.together.values())
        algorithm.together = dict.fromkeys(algorithm.together, together)
        metrics = algorithm.train_step([batch()], algorithm.all_due())
        found.append((metrics, [p.detach() for net in algorithm.networks.values() for p in net.parameters()]))
    assert_close(found[0][0], found[1][0], rtol=1e-4, atol=1e-5)
    assert_close(found[0][1], found[1][1], rtol=1e-4, atol=1e-5)


def test_batch_norm_keeps_them_apart() -> None:
    nets: dict[str, nn.Module] = {}
    for side in ("ab", "ba"):
        nets[f"generator_{side}"] = translator.Generator(SHAPE, SHAPE, width=4, blocks=1, normalization="batch")
        nets[f"discriminator_{side}"] = Half()
    assert not any(Cycle(parts(nets)).together.values())


def test_the_discriminators_see_the_generators_images_of_this_round_through_the_pool() -> None:
    algorithm = game()
    seen: dict[str, Tensor] = {}
    for side, pool in algorithm.pools.items():
        exchange = pool.exchange
        pool.exchange = lambda images, side=side, exchange=exchange: seen.setdefault(side, exchange(images))  # type: ignore[method-assign, misc]
    given = batch()
    algorithm.train_step([given], algorithm.all_due())
    assert given.input is not None
    assert_close(seen["ab"], given.input)  # made of a, judged as b
    assert_close(seen["ba"], given.image)


def test_it_goes_both_ways() -> None:
    nets = {f"generator_{side}": nn.Identity() for side in ("ab", "ba")}
    sampler = Cycle.sampler(nets, {}, Engine(device="cpu", precision="fp32"))
    assert sampler.directions == ("a2b", "b2a")
    assert [sampler.of(way).network for way in sampler.directions] == list(nets.values())
    with pytest.raises(ConfigError, match="^direction=up: this run goes a2b and b2a$"):
        sampler.of("up")
