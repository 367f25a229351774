"""Networks that nobody moves: their weights are buffers, so that no optimizer finds them."""

from __future__ import annotations

from torch import nn


def freeze(network: nn.Module, stored: bool) -> None:
    """Make buffers of all weights, in place. `stored`: a checkpoint holds them; else neither them nor the buffers that
    there are (statistics of BatchNorm)."""
    for module in network.modules():
        for name, parameter in list(module.named_parameters(recurse=False)):
            delattr(module, name)
            module.register_buffer(name, parameter.detach())
        if not stored:
            module._non_persistent_buffers_set.update(module._buffers)
