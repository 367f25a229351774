"""What a metric may know of the data: its store, and what its source says of its modes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from gan_lab.config import build
from gan_lab.data.sources.points import Mixture
from gan_lab.data.sources.source import Source
from gan_lab.data.sources.stacked import Stacked
from gan_lab.data.store import Store


class Data(NamedTuple):
    """A packed store, the source that its images came from (None: a folder or a file), and the dataset's configuration,
    which tells how to read other images in the same way (None: it is not known)."""

    store: Store
    source: Source | None
    dataset: Mapping[str, Any] | None = None

    @property
    def mixture(self) -> Mixture | None:
        """The Gaussians that points were drawn from."""
        return self.source if isinstance(self.source, Mixture) else None

    @property
    def stacked(self) -> bool:
        """Whether the channels are images of their own."""
        return isinstance(self.source, Stacked)

    @property
    def parts(self) -> int:
        """How many images an image is made of."""
        return self.store.shape[0] if self.stacked else 1

    @property
    def classes_of_part(self) -> int:
        """How many classes a part has; 0 for data without labels."""
        classes: int = self.store.num_classes or 0
        return round(float(classes ** (1 / self.parts)))


def data_of(config: Mapping[str, Any], store: Store) -> Data:
    """The data of a run with this configuration, whose store is open already."""
    return Data(store, build(config["dataset"], "dataset").source, config["dataset"])
