"""A device for tests: tensors without contents that live apart from the CPU.

A round played on it shows, on a machine without an accelerator, what a round on one must not do: read a number back,
choose by a tensor's contents, mix in tensors of the CPU. It is torch's fake tensors on the meta device.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch._functorch import config
from torch._subclasses.fake_tensor import FakeTensorMode

from gan_lab.training.run import Run

DEVICE = torch.device("meta")


@contextmanager
def contentless() -> Iterator[None]:
    """Tensors made in here have no contents."""
    real = torch.autocast
    without = lambda kind, *args, **more: nullcontext() if kind == DEVICE.type else real(kind, *args, **more)  # noqa: E731
    torch.autocast = without  # type: ignore[assignment, misc]
    try:
        with config.patch(fake_tensor_allow_meta=True), FakeTensorMode(allow_non_fake_inputs=False):
            yield
    finally:
        torch.autocast = real  # type: ignore[misc]


def move(run: Run) -> None:
    """Put everything that a round of `run` touches on the device, to be called among `contentless` tensors.

    The optimizers' own steps are left out: torch's capturable ones run on nothing but real accelerators.
    """
    algorithm = run.algorithm
    moved: dict[int, Tensor] = {}
    parts = [*algorithm.networks.values(), *(ema._module for ema in algorithm.averages.values())]
    for module in [*parts, algorithm.augmentation]:  # type: ignore[attr-defined]
        _move(module, moved)
    for regularizer in algorithm.regularizers.values():
        for network in (value for value in vars(regularizer).values() if isinstance(value, nn.Module)):
            _move(network, moved)
    for ema in algorithm.averages.values():
        ema.weight, ema._on_host = _empty(ema.weight), False
    for optimizer in algorithm.optimizers.values():
        for group in optimizer.param_groups:
            group["params"] = [moved[id(parameter)] for parameter in group["params"]]
            group["lr"] = torch.empty((), device=DEVICE)
        optimizer.step = lambda closure=None: None  # type: ignore[method-assign, assignment]
    algorithm._rates = {}
    algorithm.schedule_step = lambda step, images=0: None  # type: ignore[method-assign]
    run.engine.device = DEVICE
    stream = run.stream
    stream.device = DEVICE
    for pictures in (stream.images, stream.inputs):
        if pictures is not None:
            assert pictures._resident is not None
            pictures._resident = _empty(pictures._resident)
    if (captions := stream._captions) is not None:
        captions._tokens, captions._counts = _empty(captions._tokens), _empty(captions._counts)
    stream._labels = None if stream._labels is None else _empty(stream._labels)
    if isinstance(stream.degradation, nn.Module):
        _move(stream.degradation, moved)
    stream.draw = lambda: stream_drawn(run)  # type: ignore[method-assign]


def stream_drawn(run: Run) -> Any:
    """A draw of the stream, on the device."""
    from gan_lab.data.stream import Drawn

    order, n = run.stream._order, run.plan.batch_size
    numbers = torch.empty(n, dtype=torch.int64, device=DEVICE)
    return Drawn(
        indices=numbers,
        flips=torch.empty(n, dtype=torch.bool, device=DEVICE) if order.flip else None,
        turns=numbers if order.turn else None,
        which=numbers if order.captions else None,
        corners=None if order.corners is None else torch.empty(n, 2, dtype=torch.int64, device=DEVICE),
    )


def _move(module: nn.Module, moved: dict[int, Tensor]) -> None:
    for part in module.modules():
        for name, parameter in part._parameters.items():
            if parameter is not None:
                if id(parameter) not in moved:
                    moved[id(parameter)] = nn.Parameter(_empty(parameter), parameter.requires_grad)
                part._parameters[name] = moved[id(parameter)]  # type: ignore[assignment]
        for name, buffer in part._buffers.items():
            if buffer is not None:
                part._buffers[name] = _empty(buffer)


def _empty(tensor: Tensor) -> Tensor:
    return torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device=DEVICE)
