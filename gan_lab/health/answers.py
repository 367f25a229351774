"""How images stand to the inputs that they were made of: whether they are those, or their negatives."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize

from gan_lab.data.batch import Batch
from gan_lab.degradations.resize import resize
from gan_lab.health.variety import LEAST


def compare(made: Tensor, batch: Batch, paired: bool) -> dict[str, Tensor]:
    """What `gan_lab.health.signals` has of images `(N, C, H, W)` made of the inputs of a batch, each 0-d. `paired`:
    image and input of a sample belong together. Empty for inputs that no image can be compared with."""
    given, wanted = as_images(batch), batch.image.float()
    if given is None:
        return {}
    far = apart(given, wanted) if paired else nearest(given, wanted)
    alike = correlations(wanted, given)
    found = {
        "input_correlation": correlations(made, given).diagonal().mean(),
        "target_correlation": alike.diagonal().mean() if paired else alike.mean(),
    }
    if float(far) <= LEAST * wanted[0].numel() ** 0.5:  # the inputs are what is wanted
        return found
    return (
        found
        | {"input_distance": apart(made, given) / far}
        | ({"target_distance": apart(made, wanted) / far} if paired else {})
    )


def as_images(batch: Batch) -> Tensor | None:
    """The inputs in the size and channels of the images, `(N, C, H, W)`: resized by a cubic kernel, gray in every
    channel, without a mask behind the others. None for other channels (classes of pixels)."""
    given, image = batch.input, batch.image
    channels = image.shape[1]
    if given is None or given.shape[1] not in (1, channels, channels + 1):
        return None
    given = given[:, :channels].float().expand_as(image[:, :, :1, :1].expand(-1, -1, *given.shape[2:]))
    return given if given.shape == image.shape else resize(given, *image.shape[2:])


def apart(images: Tensor, others: Tensor) -> Tensor:
    """The mean Euclidean distance of each image from the other of the same number, 0-d."""
    far: Tensor = (images.float() - others).flatten(1).norm(dim=1)
    return far.mean()


def nearest(images: Tensor, others: Tensor) -> Tensor:
    """The mean Euclidean distance of each image from the nearest of the others, 0-d."""
    mode = "donot_use_mm_for_euclid_dist"
    least: Tensor = torch.cdist(images.flatten(1), others.flatten(1), compute_mode=mode).amin(1)
    return least.mean()


def correlations(images: Tensor, others: Tensor) -> Tensor:
    """Pearson's, over all values of an image, of each of `(N, ...)` with each of `(M, ...)`: `(N, M)`; 0 with one that
    has one value everywhere."""
    flat = [each.float().flatten(1) for each in (images, others)]
    rows, columns = (normalize(each - each.mean(1, keepdim=True), dim=1) for each in flat)
    found: Tensor = rows @ columns.T
    return found
