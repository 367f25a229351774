"""Where and how the arithmetic is done: device, precision, memory layout, and the descent step that players share."""

from __future__ import annotations

import contextlib
import functools
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from gan_lab.distributed.processes import TIMEOUT
from gan_lab.distributed.world import World, own_device, world
from gan_lab.engine import optimizers
from gan_lab.engine.determinism import be_deterministic
from gan_lab.engine.graphs import CudaGraphs, Graphs
from gan_lab.engine.layout import pick_channels_last
from gan_lab.engine.precision import pick_precision
from gan_lab.engine.switches import check_switches
from gan_lab.engine.tf32 import allow_tf32
from gan_lab.engine.whole_batch import whole_batch
from gan_lab.errors import ConfigError
from gan_lab.layers.convolutions import as_products

log = logging.getLogger(__name__)

Terms = dict[str, Tensor]
ModuleT = TypeVar("ModuleT", bound=nn.Module)


class Engine:
    """Places networks, casts, and minimizes.

    `device`: `auto` (CUDA, else Apple's MPS, else CPU) or a torch device. `precision`: `fp32`, `bf16` (autocast;
    weights and optimizers stay in fp32) or `auto`, which takes bf16 where it is faster on this device: on CUDA where
    the card computes in it, on a CPU where a timed convolution says so (`gan_lab.engine.precision`). `description`
    tells in words what was chosen. `channels_last` lays images and kernels out as NHWC; `auto`: where that is faster
    (`gan_lab.engine.layout`). `threads` bounds the CPU threads; null leaves torch's choice. `products`: on a CPU,
    convolutions are matrix products where that is faster, with equal numbers to rounding (`gan_lab.layers.products`).
    `capture`: `auto` records rounds as CUDA graphs where
    there is CUDA, `off` plays every kernel on its own, `check` compares the first replay of each with the round itself
    (`gan_lab.training.replays`). `compile`: `on` compiles the networks' forward passes (`torch.compile`); `auto` is
    off, because that takes half a minute and was not seen to pay for itself. `tf32`: whether fp32 products may be
    computed in TF32 on CUDA; `auto`: where the precision is bf16 anyway. `deterministic`: two runs on one CUDA device
    are equal bit for bit, where torch has such kernels, for some speed.

    `world` are the processes of torch.distributed's default group, where it has been initialised before: `processes`
    on each of `nodes` machines, which meet at `rendezvous` and begin again so many `restarts`, wait for one another
    `timeout` seconds, and compare their weights every `compare_every` rounds (0: never). They are started before there
    is an engine (`gan_lab.training.launch`). On CUDA each takes a device of its own while there are enough.
    """

    def __init__(
        self,
        device: str = "auto",
        precision: str = "auto",
        channels_last: bool | str = "auto",
        threads: int | None = None,
        products: bool = True,
        capture: str = "auto",
        compile: str = "auto",
        tf32: str = "auto",
        deterministic: bool = False,
        processes: int | str = 1,
        nodes: int = 1,
        rendezvous: str | None = None,
        restarts: int = 0,
        timeout: float = TIMEOUT,
        compare_every: int = 1000,
    ) -> None:
        if precision not in ("auto", "fp32", "bf16"):
            raise ConfigError(f"precision: {precision!r} is not one of auto, fp32, bf16")
        switches = {"capture": capture, "compile": compile, "tf32": tf32, "deterministic": deterministic}
        check_switches({**switches, "channels_last": channels_last})
        self.world = World.of_default_group()
        if self.world.size > 1 and compile == "on":
            raise ConfigError("engine.compile: a compiled network draws for itself; several processes need compile=off")
        if threads is not None:
            torch.set_num_threads(threads)
        self.device = own_device(pick_device(device), self.world)
        self.precision, reason = pick_precision(precision, self.device)
        if precision == "auto":  # a stopwatch may have decided
            self.precision, reason = self.world.agree((self.precision, reason))
        self.channels_last = self.world.agree(pick_channels_last(channels_last, self.device, self.precision))
        self.products = products and self.channels_last and self.device.type == "cpu"
        self.compile = compile == "on"
        if not self.compile:
            optimizers.leave_compiler_out()
        self.capture = capture != "off" and self.device.type == "cuda" and self.world.capturable
        self.checks_replays = capture == "check"
        self.compare_every = compare_every
        self._reason = reason
        be_deterministic(deterministic)
        if self.device.type == "cuda":
            torch.backends.cudnn.benchmark = not deterministic  # every round has the same shapes
            allow_tf32(tf32 == "on" or (tf32 == "auto" and self.precision == "bf16"))

    @property
    def reads_numbers(self) -> bool:
        """Whether scheduled numbers are to lie in tensors, because rounds may be recorded here."""
        return self.device.type == "cuda"

    @property
    def description(self) -> str:
        """In words, what was chosen."""
        words = f"device {self.device}, precision {self.precision} ({self._reason})"
        if self.world.size > 1:
            words += f", process {self.world.rank + 1} of {self.world.size}"
        if self.device.type == "cuda":
            words += ", rounds captured as CUDA graphs" if self.capture else ", rounds played kernel by kernel"
        return words

    def place(self, module: ModuleT) -> ModuleT:
        """Move a network to the device, its kernels laid out as the images are."""
        module = module.to(self.device)
        if self.channels_last:
            module = module.to(memory_format=torch.channels_last)
        return as_products(module) if self.products else module

    def compiled(self, module: ModuleT) -> ModuleT:
        """The network, its call compiled in place where that was asked for."""
        if self.compile:
            module.compile(dynamic=False)
        return module

    def uncompiled(self, module: nn.Module) -> Callable[..., Any]:
        """The network for whoever differentiates it twice, which compiled code does not let them."""
        return module.forward if self.compile else module

    def graphs(self, players: Mapping[str, torch.optim.Optimizer]) -> Graphs | None:
        """What records rounds on this device, if anything does and the players' optimizers bear it; else it is said."""
        uncaptured = [name for name, each in players.items() if not optimizers.can_be_captured(each)]
        if self.capture and uncaptured:
            self.capture = False
            log.warning(
                "rounds are not captured as CUDA graphs: optimizer.%s (%s) is not capturable, its count of steps would "
                "stand still; they are played kernel by kernel (optimizer=adam can be captured)",
                uncaptured[0],
                type(players[uncaptured[0]]).__name__,
            )
        return CudaGraphs(self.device) if self.capture else None

    def whole_batch(self, images: int, pieces: int) -> contextlib.AbstractContextManager[None]:
        """A round is played in here: by all processes as by one, each with `images` images of a batch in `pieces`."""
        return contextlib.nullcontext() if self.world.size == 1 else whole_batch(self.world, images, pieces)

    @contextlib.contextmanager
    def own_stream(self) -> Iterator[None]:
        """Rounds and whatever reads their results run in here, dry ones too: on CUDA, on the one stream that a process
        has for them on a device, because that can be captured, and libraries keep memory for each stream."""
        if self.device.type != "cuda":
            yield
            return
        stream = _stream(self.device)
        stream.wait_stream(torch.cuda.current_stream(self.device))
        with torch.cuda.stream(stream):
            yield
        torch.cuda.current_stream(self.device).wait_stream(stream)

    def autocast(self) -> contextlib.AbstractContextManager[Any]:
        """The precision of forward passes; losses are taken from scores cast back to fp32."""
        if self.precision == "fp32":
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, dtype=torch.bfloat16)

    def optimizer(self, factory: Callable[..., torch.optim.Optimizer], module: nn.Module) -> torch.optim.Optimizer:
        """Call an optimizer partial with the player's parameters: see `gan_lab.engine.optimizers.build`."""
        parameters = [p for p in module.parameters() if p.requires_grad]
        return optimizers.build(factory, parameters, self.device, self.reads_numbers)

    def minimize(self, pieces: Sequence[Callable[[], Terms]], optimizer: torch.optim.Optimizer) -> tuple[Terms, Tensor]:
        """One descent step of one player on the mean, over `pieces` of a batch, of the sum of the terms.

        Each piece is a closure that runs the forward pass and returns named 0-d terms. Gradients flow to the player's
        own parameters and nowhere else, so nobody toggles `requires_grad` and only the mover moves. Where several
        processes play the round the mean is over all of them. Returns the terms, averaged and detached, and the norm of
        the whole gradient; nothing is read back from the device.
        """
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        for parameter in parameters:
            parameter.grad = None
        share = 1.0 / len(pieces)
        mean: Terms = {}
        for piece in pieces:
            with self.autocast():
                terms = piece()
            total = torch.stack([term.float() for term in terms.values()]).sum()
            (total * share).backward(inputs=parameters)
            for name, term in {**terms, "": total}.items():
                part = term.detach() * share
                mean[name] = mean[name] + part if name in mean else part
        if world().size > 1:
            mean = world().reduce_gradients(parameters, mean)
        norm = total_norm([p.grad for p in parameters if p.grad is not None])
        optimizers.step(optimizer)
        return mean, norm


@functools.cache
def _stream(device: torch.device) -> torch.cuda.Stream:
    return torch.cuda.Stream(device)


def total_norm(gradients: Sequence[Tensor]) -> Tensor:
    """The norm of all gradients as one vector. On a CPU a dot product is the quickest way to a sum of squares."""
    if not gradients or gradients[0].device.type != "cpu":
        return torch.nn.utils.get_total_norm(gradients)
    flat = [(g if g.is_contiguous() or g.dim() != 4 else g.permute(0, 2, 3, 1)).flatten() for g in gradients]
    return torch.stack(list(map(torch.dot, flat, flat))).sum().sqrt()


def pick_device(device: str) -> torch.device:
    """`auto` or a device that exists here. Raises ConfigError otherwise."""
    if device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        found = torch.device(device)
        torch.empty(0, device=found)
    except Exception as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(
            f"device: {device!r} cannot be used here ({reason}); device=auto takes the best there is"
        ) from error
    return found
