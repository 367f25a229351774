"""What one of several processes decides alone, between two rounds, and how the others hear of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import torch
from torch import Tensor

from gan_lab.errors import GanLabError
from gan_lab.training.interruption import Interruption
from gan_lab.training.run import Run


def agree(run: Run, interruption: Interruption) -> None:
    """After a round: a signal that any process was sent is every one's, and what the callbacks of the first have
    decided (the run ends, or goes back) holds for all. That costs the largest of two numbers, and a message where there
    is something to say. Every `engine.compare_every` rounds weights are compared.

    A process that fails says nothing of it here: others may be in the middle of a round, where they hear that it is
    gone.
    """
    world = run.engine.world
    signal, decided = world.most(interruption.sent or 0, int(bool(run.stop_reason or run.rollback)))
    interruption.hear(signal)
    if decided:
        run.stop_reason, run.rollback = world.agree((run.stop_reason, run.rollback))
    if run.due(run.engine.compare_every):
        compare_weights(run)


def compare_weights(run: Run) -> None:
    """Raise GanLabError where the processes do not have the same weights, averages or statistics, to the last bit."""
    first, *others = run.engine.world.all(dict(fingerprints(run)))
    for rank, theirs in enumerate(others, 1):
        for role, fingerprint in first.items():
            if theirs[role] != fingerprint:
                raise GanLabError(
                    f"the weights of {role} in process {rank} are not those of process 0 after step {run.step}: a part "
                    "of the game is played differently there (other hardware, or a class of your own that couples "
                    "images?); one process can go on from the last checkpoint (resume=RUN engine.processes=1)"
                )


def fingerprints(run: Run) -> Iterator[tuple[str, str]]:
    """By role, a hash of a network and of its average."""
    game = run.algorithm
    for role, network in game.networks.items():
        modules = [network, game.averages[role].module] if role in game.averages else [network]
        tensors = (value for module in modules for value in module.state_dict().values() if isinstance(value, Tensor))
        digest = hashlib.blake2b(digest_size=16)
        for tensor in tensors:
            digest.update(tensor.detach().cpu().flatten().view(torch.uint8).numpy().data)
        yield role, digest.hexdigest()
