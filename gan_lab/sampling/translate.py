"""Pictures as Python has them, translated: tensors, arrays, Pillow's images; one or many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from gan_lab.data.photo import Photo, of_image, to_image
from gan_lab.errors import ConfigError
from gan_lab.sampling.photo_translator import PhotoTranslator

DTYPES = (np.uint8, np.uint16)


def translate(translator: PhotoTranslator, images: Any, masks: Any, label: int | None, seed: int) -> Any:
    """See `gan_lab.sampling.trained.Trained.translate`."""
    if isinstance(images, Tensor):
        return _tensor(translator, images, masks, label, seed)
    if not isinstance(images, Sequence):
        return translate(translator, [images], None if masks is None else [masks], label, seed)[0]
    if masks is not None and len(masks) != len(images):
        raise ConfigError(f"mask: {len(masks)} of them for {len(images)} images; there must be as many")
    found = []
    for place, image in enumerate(images):
        hole = None if masks is None else hole_of(masks[place])
        made = translator(_photo(image), hole, label, seed)
        found.append(to_image(made) if isinstance(image, Image.Image) else _array(made, image.ndim))
    return found


def hole_of(mask: Any) -> NDArray[np.bool_]:
    """`(H, W)`, true where a mask is not 0. Raises ConfigError for another shape."""
    if isinstance(mask, Image.Image):
        mask = mask.convert("L")
    hole: NDArray[np.bool_] = np.asarray(mask) != 0
    if hole.ndim != 2:
        raise ConfigError(f"mask: has the shape {hole.shape}; (H, W) is wanted")
    return hole


def _tensor(translator: PhotoTranslator, images: Tensor, masks: Any, label: int | None, seed: int) -> Tensor:
    if not images.is_floating_point() or images.dim() not in (3, 4):
        raise ConfigError(f"images: a tensor is (N, C, H, W) in [-1, 1], this one {tuple(images.shape)} {images.dtype}")
    if images.dim() == 3:
        return _tensor(translator, images[None], None if masks is None else masks[None], label, seed)[0]
    if (masks is not None) != translator.takes_mask:
        raise ConfigError(f"mask: {'not wanted by' if masks is not None else 'missing;'} this run")
    holes = None if masks is None else torch.as_tensor(np.asarray(masks) != 0).view(len(images), 1, *images.shape[2:])
    made = [
        translator.images(image[None].float().cpu(), None if holes is None else holes[place, None].float(), label, seed)
        for place, image in enumerate(images)
    ]
    return torch.cat(made)


def _photo(image: Any) -> Photo:
    if isinstance(image, Image.Image):
        return of_image(image)
    if not isinstance(image, np.ndarray) or image.dtype not in DTYPES or image.ndim not in (2, 3):
        kind = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise ConfigError(f"images: arrays (H, W, C) of uint8 or uint16, or images of Pillow's, and not {kind}")
    values = image if image.ndim == 3 else image[..., None]
    if not 1 <= values.shape[2] <= 4:
        raise ConfigError(f"images: {values.shape[2]} channels; 1 to 4 are wanted, as (H, W, C)")
    colours, alpha = (values[..., :-1], values[..., -1]) if values.shape[2] in (2, 4) else (values, None)
    return Photo(colours, alpha)


def _array(photo: Photo, dimensions: int) -> NDArray[Any]:
    if photo.alpha is not None:
        return np.concatenate((photo.colours, photo.alpha[..., None]), 2)
    return photo.colours[..., 0] if dimensions == 2 and photo.colours.shape[2] == 1 else photo.colours
