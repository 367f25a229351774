"""A round that leaves no trace, played to see how much memory it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gan_lab.algorithms.base import Algorithm
from gan_lab.data.batch import Batch
from gan_lab.engine.shortage import is_shortage
from gan_lab.training.memory.available import taken_by
from gan_lab.training.run import Run
from gan_lab.training.without_trace import rounds_without_trace


@dataclass(frozen=True)
class Line:
    """Bytes of a round by the images of its pieces, as far as dry rounds tell.

    What a round takes is a part that does not ask for the batch (gradients, the optimizer's state) and a part that
    grows with it (activations): fixed + slope * images. At its peak it is the largest of several such sums, a convex
    function, so the line goes on from the two largest sizes that were tried (from nothing, where it was one). `ready`:
    the bytes of one image in each of the round's batches, which lies ready until its piece is played; two pieces of
    that were measured.
    """

    points: tuple[tuple[int, int], ...]  # (images of a piece, bytes)
    ready: int

    def of(self, images: int, pieces: int = 1) -> int:
        """The bytes of a round in so many pieces of `images`."""
        (fewer, low), (more, high) = self.points[-2:]
        piece = high + max(high - low, 0) * (images - more) // (more - fewer)
        return piece + max(pieces - 2, 0) * images * self.ready


def round_bytes(run: Run, batch_size: int, pieces: int = 1) -> int:
    """The bytes that a round of `batch_size` images in `pieces` takes beside what is taken now, by dry rounds of fewer
    images. The run is left exactly as it was."""
    piece = batch_size // pieces
    return fit_line(run, min(pieces, 2), piece).of(piece, pieces)


def fit_line(run: Run, pieces: int, largest: int, room: int | None = None, unit: int = 1) -> Line:
    """Dry rounds of `pieces` (1 or 2) of growing size, doubled from 2 images (from `unit`, if that is more) until the
    line is straight, at most to half of `largest`, and while the next is sure to take at most half of `room` bytes. All
    together cost at most about as much as one round of `largest`. The run is left exactly as it was.

    Raises Exceeded, or what says that memory ran out, where not even the first fits.
    """
    ready = run.algorithm.batches_per_round * sum(part.nbytes for part in run.stream.peek(1) if part is not None)
    points = [(0, 0)]
    images = max(unit, 2)
    while len(points) < 3 or (images <= largest // 2 and not _is_straight(points)):
        if room is not None and len(points) >= 3 and Line(tuple(points), ready).of(images) > room // 2:
            break
        try:
            points.append((images, dry_round(run, images * pieces, pieces, room)))
        except (MemoryError, RuntimeError) as error:
            if len(points) < 2 or not is_shortage(error):
                raise
            break
        images *= 2
    return Line(tuple(points), ready)


def _is_straight(points: list[tuple[int, int]]) -> bool:
    """Whether the latest point was foreseen, and most of its bytes grow with the batch: no other sum is to overtake."""
    (fewer, low), (more, high) = points[-2:]
    foreseen = len(points) > 3 and abs(Line(tuple(points[:-1]), 0).of(more) - high) <= 0.02 * high
    return foreseen and (high - low) / (more - fewer) * more > 0.5 * high


def dry_round(run: Run, batch_size: int, pieces: int, limit: int | None = None, held: bool = False) -> int:
    """Play one round of `batch_size` images in `pieces`, every regularizer begun and due, and tell the most bytes that
    it takes at one time beside what is taken now; `held`: see `taken_by`. The run is left exactly as it was: see
    `rounds_without_trace`.

    Raises Exceeded beyond `limit` where tensors are counted, elsewhere what the device says when its memory runs out.
    """
    game = run.algorithm
    batches = _batches(run, batch_size)
    with run.engine.own_stream(), rounds_without_trace(run), _cut(game, pieces):
        return taken_by(lambda: game.train_step(batches(), game.all_due()), run.engine.device, limit, held)


@contextmanager
def _cut(game: Algorithm, pieces: int) -> Iterator[None]:
    """Let a game cut its batches into so many pieces, as if it had been made for it."""
    before, game.accumulation = game.accumulation, pieces
    try:
        yield
    finally:
        game.accumulation = before


def _batches(run: Run, batch_size: int) -> Callable[[], list[Batch]]:
    """Makes a round's batches, where and as the stream has them."""
    return lambda: [run.stream.peek(batch_size) for _ in range(run.algorithm.batches_per_round)]
