"""Pictures one after the other: an animated WebP, which needs Pillow alone, or an MP4 by PyAV."""

from __future__ import annotations

import io
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import pad

from gan_lab.errors import ConfigError
from gan_lab.storage.files import write_whole

LEAST = 256  # pixels of the longer side of a film: codecs smear what is smaller
DESCRIPTION, SOFTWARE = 0x010E, 0x0131  # of EXIF


def enlarged(frames: Tensor, least: int = LEAST) -> Tensor:
    """uint8 `(T, 3, H, W)`, every pixel repeated until the longer side has at least so many."""
    times = -(-least // max(frames.shape[2:]))
    return frames.repeat_interleave(times, 2).repeat_interleave(times, 3) if times > 1 else frames


def write_webp(path: Path, frames: Tensor, fps: float, note: str) -> None:
    """uint8 `(T, 3, H, W)` as an animated WebP without loss that begins again for ever and carries `note`."""
    pictures = [Image.fromarray(frame.permute(1, 2, 0).contiguous().numpy()) for frame in enlarged(frames)]
    exif = Image.Exif()
    exif[DESCRIPTION], exif[SOFTWARE] = note, "gan-lab"
    buffer = io.BytesIO()
    pictures[0].save(
        buffer,
        "WEBP",
        save_all=True,
        append_images=pictures[1:],
        duration=round(1000 / fps),
        loop=0,
        lossless=True,
        method=2,
        exif=exif,
    )
    write_whole(path, lambda file: file.write(buffer.getvalue()))


def require_av() -> None:
    """Raise ConfigError, in one line, where PyAV is not installed."""
    try:
        import av  # noqa: F401
    except ImportError as error:
        raise ConfigError("mp4: writing it takes PyAV: pip install 'gan-lab[video]'") from error


def write_mp4(path: Path, frames: Tensor, fps: float, note: str) -> None:
    """The same as H.264 in yuv420p, which every browser plays: white fills what sides lack to an even number."""
    import av

    whole = even(enlarged(frames))
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as film:
        film.metadata["title"] = note
        stream = film.add_stream("libx264", rate=Fraction(fps).limit_denominator(1000))
        stream.height, stream.width = whole.shape[2:]
        stream.pix_fmt = "yuv420p"
        for frame in arrays(whole):
            film.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        film.mux(stream.encode())
    write_whole(path, lambda file: file.write(buffer.getvalue()))


def even(frames: Tensor) -> Tensor:
    """uint8 `(T, 3, H, W)` with sides of even numbers."""
    height, width = frames.shape[2:]
    return pad(frames, (0, width % 2, 0, height % 2), value=255)


def arrays(frames: Tensor) -> Sequence[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]:
    """Each `(H, W, 3)`."""
    return [frame.permute(1, 2, 0).contiguous().numpy() for frame in frames.to(torch.uint8)]
