"""Which of the words that were typed a training is started with."""

from __future__ import annotations

from gan_lab.tuning.typed import for_training


def test_its_own_keys_stay_behind() -> None:
    words = ["model=gan", "trials=3", "~space.seed", "+space.a.low=1", "+technique=[lecam]", "workers=2"]
    assert for_training(words, ("trials", "space", "workers")) == ["model=gan", "+technique=[lecam]"]
