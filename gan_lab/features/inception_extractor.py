"""The Inception network as an extractor: where its weights come from."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from gan_lab.data.dataset import Dataset
from gan_lab.errors import GanLabError
from gan_lab.features.extractor import NO_DOWNLOAD, Extracted, Extractor, colours
from gan_lab.features.inception import InceptionNetwork, load_weights
from gan_lab.storage.published import published

FILE = "pt_inception-2015-12-05-6726825d.pth"
URL = f"https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/{FILE}"
HASH = FILE[-12:-4]
WHAT = "extractor: the Inception weights"


class Inception(Extractor):
    """The network that published FIDs and Inception Scores are taken with (`gan_lab.features.inception`): 2048 pooled
    features and 1008 class probabilities of images resized to 299 as TensorFlow 1 does.

    `weights` is a file; null looks for the standard one under the data root and downloads it, checked by its hash.
    """

    name = "inception"
    resizer = "tf299"
    classes = 1008

    def __init__(self, weights: str | None = None) -> None:
        self.weights = weights

    def prepare(self, data: Dataset, device: torch.device) -> None:
        path = Path(self.weights).expanduser() if self.weights else published(URL, HASH, WHAT, NO_DOWNLOAD)
        if not path.is_file():
            raise GanLabError(f"extractor.weights: there is no file {path}; leave it out to download the weights")
        self.network = InceptionNetwork()
        digest = load_weights(self.network, path)
        self.network.to(device).eval().requires_grad_(False)
        self.device = device
        self.identity, self.standard = digest[:12], digest.startswith(HASH)

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Extracted:
        features, probabilities = self.network(colours(images).to(self.device))
        return Extracted(features.float().cpu(), probabilities.float().cpu())
