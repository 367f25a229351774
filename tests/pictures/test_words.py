from __future__ import annotations

from gan_lab.pictures.words import written


def test_words_are_ink_in_lines() -> None:
    pictures = written(["", "a red heart", "a red heart " * 5, "word" * 30])
    assert pictures.shape == (4, 3, 64, 128)
    assert float(pictures.min()) < -0.9
    assert bool((pictures[0] == 1).all())
    rows = [int((picture[0] < 0).any(1).nonzero().max()) for picture in pictures[1:3]]
    assert rows[0] < 14 < rows[1]
