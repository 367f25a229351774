"""Models that are nothing without classes."""

from __future__ import annotations

from types import ModuleType

import pytest
import torch

from gan_lab.models import cdcgan, cgan


@pytest.mark.parametrize("classes", [None, 0])
@pytest.mark.parametrize("model", [cgan, cdcgan], ids=lambda model: model.__name__)
def test_data_without_classes_is_refused(model: ModuleType, classes: int | None) -> None:
    for make in (
        lambda: model.Generator((1, 16, 16), 6, num_classes=classes),
        lambda: model.Discriminator((1, 16, 16), num_classes=classes),
    ):
        with pytest.raises(ValueError, match="needs labels: choose a dataset with classes"):
            make()


@pytest.mark.parametrize("model", [cgan, cdcgan], ids=lambda model: model.__name__)
def test_a_missing_label_is_refused(model: ModuleType) -> None:
    with pytest.raises(ValueError, match="call it with a label"):
        model.Generator((1, 16, 16), 6, 8, num_classes=3)(torch.randn(2, 6))
    with pytest.raises(ValueError, match="call it with a label"):
        model.Discriminator((1, 16, 16), 8, num_classes=3)(torch.randn(2, 1, 16, 16))
