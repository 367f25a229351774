"""What a regularizer remembers survives a checkpoint bit for bit."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from gan_lab.layers.critique import Critique
from gan_lab.losses.historical_averaging import HistoricalAveraging
from gan_lab.losses.lecam import LeCam
from gan_lab.losses.memory import Remembering
from gan_lab.losses.path_length import PathLength
from gan_lab.losses.regularizers import Turn
from gan_lab.storage import checkpoint
from tests.conftest import equal, records

MAKERS = [lambda: LeCam(start=2), PathLength, HistoricalAveraging]


def turns(n: int) -> list[Turn]:
    torch.manual_seed(0)
    made = []
    for _ in range(n):
        network, images = nn.Linear(3, 4).to(torch.float32), torch.randn(5, 1, 2, 2)
        critiques = {name: Critique(torch.randn(5)) for name in ("real_critique", "fake_critique")}
        generator = network.forward
        latent = torch.randn(5, 3)
        made.append(
            Turn(
                images,
                images,
                critic=lambda x: x.flatten(1).sum(1),
                latent=latent,
                generator=lambda z, forward=generator: forward(z).view(-1, 1, 2, 2),
                mover=network,
                **critiques,
            )
        )
    return made


def play(term: Remembering, table: list[Turn]) -> list[Tensor]:
    values = []
    for index, turn in enumerate(table):
        torch.manual_seed(index + len(values))
        values.append(term(turn).detach())
    return values


@pytest.mark.parametrize("make", MAKERS)
def test_it_goes_on_bit_for_bit(make: type[Remembering]) -> None:
    table = turns(8)
    straight = make()
    first = play(straight, table[:5])
    file = io.BytesIO()
    torch.save(straight.state_dict(), file)
    expected = play(straight, table[5:])
    file.seek(0)
    resumed = make()
    resumed.load_state_dict(torch.load(file, weights_only=True))
    assert all(torch.equal(a, b) for a, b in zip(play(resumed, table[5:]), expected, strict=True))
    for name, tensor in straight.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], tensor), name
    anew = play(make(), table[5:])
    assert not all(torch.equal(a, b) for a, b in zip(anew, expected, strict=True))  # the memory matters
    assert all(torch.isfinite(value) for value in first)


@pytest.mark.parametrize("make", MAKERS)
def test_what_is_loaded_is_a_copy_and_stays_where_it_is(make: type[Remembering]) -> None:
    term, other = make(), make()
    assert term.state_dict() == {}
    table = turns(2)
    play(term, table[:1])
    before = {name: tensor.data_ptr() for name, tensor in term.state_dict().items()}
    other.load_state_dict(term.state_dict())
    kept = {name: tensor.clone() for name, tensor in other.state_dict().items()}
    play(term, table[1:])
    assert {name: tensor.data_ptr() for name, tensor in term.state_dict().items()} == before  # changed in place
    assert all(torch.equal(tensor, kept[name]) for name, tensor in other.state_dict().items())


def test_a_run_goes_on_byte_for_byte(trained: Callable[..., Path], gan_lab: Callable[..., int]) -> None:
    """Every technique that remembers or draws, several discriminator moves a round, a lazy term and a schedule."""
    common = (
        "model=gan",
        "+technique=[top_k,historical_averaging,latent_consistency,lecam,path_length,consistency,dragan]",
        "loss.regularizers.lecam.begin=2",
        "wrappers.adversarial.top_k.schedule.fraction.steps=32",
        "algorithm.critic_steps=2",
        "trainer.sample_every=0",
        "trainer.log_every=1",
    )
    straight = trained("straight", *common, "trainer.max_steps=7", "trainer.checkpoint_every=0")
    halved = trained("halved", *common, "trainer.max_steps=3", "trainer.checkpoint_every=0")
    assert gan_lab("train", "resume=halved", "trainer.max_steps=7") == 0
    a, b = (checkpoint.load(run / "checkpoints" / "last.pt") for run in (straight, halved))
    for key in ("networks", "ema", "optimizers", "algorithm"):
        assert equal(a[key], b[key]), key
    assert records(straight) == records(halved)
    remembered = a["algorithm"]["regularizers"]
    assert remembered["lecam"]["turns"] == 10  # two a round, of the last five
    assert remembered["historical_generator"]["turns"] == 7
    assert remembered["path_length"]["length"] > 0
