"""Where random numbers come from: one seed for everything before the first round, and one for each round.

What a round draws is a function of the run's seed and of the round's number, and of nothing that happened before. So no
state of a generator is part of a checkpoint, whoever looks at a run between two rounds may draw what they like, and
every process of a run draws the same.
"""

from __future__ import annotations

import hashlib
import random

import numpy as np
import torch


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and torch on every device. `seed` is in [0, 2**32)."""
    random.seed(seed)
    np.random.seed(seed)  # users' own transforms draw from the global generator
    torch.manual_seed(seed)


def generator_of(words: str) -> torch.Generator:
    """A generator of the CPU that these words alone decide."""
    return torch.Generator().manual_seed(_number(words))


def round_seed(seed: int, step: int) -> int:
    """What the generators of the round after `step` rounds start from, in [0, 2**63): decided by both numbers alone."""
    return _number(f"{seed} {step} round")


def seed_round(seed: int, step: int, device: torch.device) -> None:
    """Let torch's default generators, the CPU's and that of `device`, begin the round after `step` rounds.

    Not to be called while a graph is captured: a replay draws from what the generator was given before it.
    """
    start = round_seed(seed, step)
    torch.default_generator.manual_seed(start)
    if device.type == "cuda":
        index = torch.cuda.current_device() if device.index is None else device.index
        torch.cuda.default_generators[index].manual_seed(start)
    elif device.type == "mps":
        torch.mps.manual_seed(start)


def _number(words: str) -> int:
    """A number in [0, 2**63) that these words alone decide."""
    return int.from_bytes(hashlib.sha256(words.encode()).digest()[:8], "big") >> 1
