"""What a process knows of the others without asking them: which rows are its own. The rest is in `engine`."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from gan_lab.distributed.world import World, world
from gan_lab.engine.whole_batch import whole_batch
from gan_lab.layers.dropout import Dropout

PIECE, RANKS = 3, 2


def images(rows: int) -> Tensor:
    return torch.ones(rows, 2, 4, 5).contiguous(memory_format=torch.channels_last)


def test_one_process_says_nothing_and_copies_nothing() -> None:
    alone, tensor = World(), torch.ones(4, 2)
    assert (alone.rank, alone.size, alone.is_main) == (0, 1, True)
    assert all(play(tensor) is tensor for play in (alone.total, alone.mean, alone.gather, alone.share))
    assert alone.agree("word") == "word"
    assert alone.any(False) is False
    assert alone.reduce_gradients([tensor], {"loss": tensor}) == {"loss": tensor}


def test_shares_are_those_of_every_piece() -> None:
    """A batch of 2 pieces of 6 images, 3 of each rank's: of each piece the first half is rank 0's."""
    batch = torch.arange(12)
    for rank, own in ((0, [0, 1, 2, 6, 7, 8]), (1, [3, 4, 5, 9, 10, 11])):
        with World(rank, RANKS).playing(PIECE, 2):
            assert world().share(batch).tolist() == own
            assert world().share(batch[:6]).tolist() == own[:3]
    assert World(1, RANKS).share(batch).tolist() == [6, 7, 8, 9, 10, 11]


def test_what_counts_as_images() -> None:
    with World(0, RANKS).playing(4, 2):
        assert [world().blocks(rows) for rows in (4, 8, 16, 20, 1, 6)] == [1, 2, 4, 0, 0, 0]
        with world().rows(2):
            assert [world().blocks(rows) for rows in (2, 4, 8, 10, 1)] == [1, 2, 4, 0, 0]
    assert world().blocks(4) == 0


def test_between_rounds_a_process_is_alone() -> None:
    several = World(1, RANKS)
    with pytest.raises(ZeroDivisionError), several.playing(PIECE):
        assert world() is several
        raise ZeroDivisionError
    assert world().size == 1
    assert several.piece == 0


# each asks for random numbers for so many images, as a layer, a loss or an augmentation would
DRAWS: dict[str, Callable[[int], Tensor]] = {
    "rand": lambda n: torch.rand(n, 3),
    "randn of a list": lambda n: torch.randn([n, 1, 1, 1]),
    "randint": lambda n: torch.randint(-3, 4, (n, 1)),
    "randint below": lambda n: torch.randint(7, (n,)),
    "rand_like": lambda n: torch.rand_like(images(n)),
    "randn_like": lambda n: torch.randn_like(images(n)),
    "randint_like": lambda n: torch.randint_like(images(n), 9),
    "normal_": lambda n: torch.empty(n, 7).normal_(generator=None),
    "uniform_": lambda n: torch.empty(n, 7).uniform_(-1, 1),
    "bernoulli_": lambda n: torch.empty(n, 7).bernoulli_(0.5),
    "exponential_": lambda n: torch.empty(n).exponential_(),
    "bernoulli": lambda n: torch.bernoulli(torch.full((n, 3), 0.5)),
    "normal of tensors": lambda n: torch.normal(torch.zeros(n, 3), torch.ones(n, 3)),
    "normal of numbers": lambda n: torch.normal(0.0, 1.0, (n, 3)),
    "multinomial": lambda n: torch.multinomial(torch.ones(n, 5), 2),
    "dropout": lambda n: functional.dropout(images(n), 0.5),
    "dropout2d": lambda n: nn.Dropout2d(0.5)(images(n)),
    "alpha_dropout": lambda n: functional.alpha_dropout(images(n), 0.5, training=True),
    "native_dropout": lambda n: torch.native_dropout(images(n), 0.25, True)[0],
    "our dropout": lambda n: Dropout(0.5)(images(n)),
    "gumbel": lambda n: functional.gumbel_softmax(torch.ones(n, 4)),
}


@pytest.mark.parametrize("blocks", [1, 2])
@pytest.mark.parametrize("name", DRAWS)
def test_a_rank_keeps_its_rows_of_the_whole(name: str, blocks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The numbers that one process would draw for all images, in their layout, and a generator that stands where its
    would; where two pieces lie side by side, as real and generated images do, a rank has its rows of each."""
    monkeypatch.setattr(World, "gather", lambda self, own: torch.cat([own] * self.size))
    torch.manual_seed(5)
    whole, after = DRAWS[name](blocks * PIECE * RANKS), torch.randn(3)
    for rank in range(RANKS):
        torch.manual_seed(5)
        with whole_batch(World(rank, RANKS), PIECE, 1):
            drawn, own = DRAWS[name](blocks * PIECE), world().share(whole)
        assert torch.equal(torch.randn(3), after)
        assert torch.equal(drawn, own)
        assert drawn.stride() == DRAWS[name](blocks * PIECE).stride()


def test_a_number_for_the_whole_batch_is_everybodys() -> None:
    for shape in ((), (1,), (5, PIECE)):
        torch.manual_seed(5)
        expected = torch.randn(shape)
        for rank in range(RANKS):
            torch.manual_seed(5)
            with whole_batch(World(rank, RANKS), PIECE, 1):
                assert torch.equal(torch.randn(shape), expected)


def test_a_named_generator_is_left_alone() -> None:
    expected = torch.randn(PIECE, generator=torch.Generator().manual_seed(1))
    with whole_batch(World(1, RANKS), PIECE, 1):
        assert torch.equal(torch.randn(PIECE, generator=torch.Generator().manual_seed(1)), expected)
        assert torch.equal(torch.empty(PIECE).normal_(generator=torch.Generator().manual_seed(1)), expected)
