"""Which of the words that were typed a training is started with."""

from __future__ import annotations

import pytest

from gan_lab.errors import ConfigError
from gan_lab.tuning.typed import for_training, whole


def test_its_own_keys_stay_behind() -> None:
    words = ["model=gan", "trials=3", "~space.seed", "+space.a.low=1", "+technique=[lecam]", "workers=2"]
    assert for_training(words, ("trials", "space", "workers")) == ["model=gan", "+technique=[lecam]"]


@pytest.mark.parametrize("value", [0, -1, True, 1.5, "3", None])
def test_a_number_of_things(value: object) -> None:
    assert whole({"n": 2}, "n") == 2
    with pytest.raises(ConfigError, match="n: .* is not a whole number of at least 1"):
        whole({"n": value}, "n")
