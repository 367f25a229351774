"""Seeds and the state of every random number generator that training may draw from.

Both are needed for exact resumption: a seed starts the streams, the state continues them. All of the state is tensors
and plain values, so that a checkpoint loads with `weights_only=True` (NumPy's own state is an array that it refuses).
"""

from __future__ import annotations

import hashlib
import random
from typing import Any

import numpy as np
import torch


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and torch on every device. `seed` is in [0, 2**32)."""
    random.seed(seed)
    np.random.seed(seed)  # users' own transforms draw from the global generator
    torch.manual_seed(seed)


def generator_of(words: str) -> torch.Generator:
    """A generator of the CPU that these words alone decide."""
    seed = hashlib.sha256(words.encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(seed[:8], "big") >> 1)


def random_state() -> dict[str, Any]:
    """The state of every generator, ready for a checkpoint."""
    name, keys, position, has_gauss, cached = np.random.get_state(legacy=True)
    state: dict[str, Any] = {
        "python": random.getstate(),
        "numpy": (
            name,
            torch.from_numpy(np.asarray(keys).astype(np.int64)),
            int(position),
            int(has_gauss),
            float(cached),
        ),
        "torch": torch.get_rng_state(),
    }
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        state["cuda"] = torch.cuda.get_rng_state_all()
    if torch.backends.mps.is_available():
        state["mps"] = torch.mps.get_rng_state()
    return state


def restore_random_state(state: dict[str, Any]) -> None:
    """Put every generator back where `random_state` found it; a device that is not here is passed over."""
    random.setstate(_tuples(state["python"]))
    name, keys, position, has_gauss, cached = state["numpy"]
    np.random.set_state((name, keys.numpy().astype(np.uint32), position, has_gauss, cached))
    torch.set_rng_state(state["torch"])
    if "cuda" in state and torch.cuda.is_available():
        for device, device_state in enumerate(state["cuda"][: torch.cuda.device_count()]):
            torch.cuda.set_rng_state(device_state, device)
    if "mps" in state and torch.backends.mps.is_available():
        torch.mps.set_rng_state(state["mps"])


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, (list, tuple)) else value
