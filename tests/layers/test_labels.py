"""Labels are passed on where there are classes, missed where they are missing, dropped where there are none."""

from __future__ import annotations

import pytest
import torch

from gan_lab.layers.labels import require_label


def test_labels() -> None:
    label = torch.arange(3)
    assert require_label(label, 5) is label
    assert require_label(label, 0) is None
    assert require_label(None, 0) is None
    with pytest.raises(ValueError, match="knows 5 classes: call it with a label for every sample"):
        require_label(None, 5)
