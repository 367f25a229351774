"""Parts of a network that compute in full precision, whatever the precision around them."""

from __future__ import annotations

import contextlib
from typing import Any

import torch


def precision_of(device: torch.device, reduced: bool) -> contextlib.AbstractContextManager[Any]:
    """`reduced`: as the engine says; else in the precision of the tensors."""
    return contextlib.nullcontext() if reduced else torch.autocast(device.type, enabled=False)
