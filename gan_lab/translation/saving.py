"""Photos to files: PNG with all their bits, or what is smaller and keeps less."""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from gan_lab.data.photo import Photo, in_eight, to_image
from gan_lab.pictures.png import encode_sixteen

FORMATS = ("png", "jpg", "webp")
QUALITY = 95  # of what loses something


def encode(photo: Photo, kind: str, note: Mapping[str, str]) -> bytes:
    """The bytes of a file. A PNG carries `note` as text; the others have 8 bits, and a JPEG shows what is transparent
    on white."""
    if kind == "png" and photo.colours.dtype == np.uint16:
        alpha = [] if photo.alpha is None else [photo.alpha[..., None]]
        return encode_sixteen(np.concatenate((photo.colours, *alpha), 2), note, photo.profile)
    alpha_in_eight = None if photo.alpha is None else in_eight(photo.alpha)
    image = to_image(Photo(in_eight(photo.colours), alpha_in_eight, photo.profile))
    file = io.BytesIO()
    if kind == "png":
        info = PngInfo()
        for key, value in note.items():
            info.add_text(key, value)
        image.save(file, "PNG", pnginfo=info, icc_profile=photo.profile, compress_level=4)
    elif kind == "jpg":
        _on_white(image).save(file, "JPEG", quality=QUALITY, subsampling=0, icc_profile=photo.profile)
    else:
        image.save(file, "WEBP", quality=QUALITY, icc_profile=photo.profile)
    return file.getvalue()


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode not in ("LA", "RGBA"):
        return image
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image.convert("RGBA")).convert(image.mode[:-1])
