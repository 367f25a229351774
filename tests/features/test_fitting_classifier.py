"""The small network that the classifier and the classification accuracy score train."""

from __future__ import annotations

import numpy as np
import torch

from gan_lab.features.fitting_classifier import Labelled, Network, distinct_parts, fitted, right, steps_for

CPU = torch.device("cpu")


def shades(n: int = 200) -> Labelled:
    """Images of one gray each, dark or bright."""
    labels = np.arange(n) % 2
    random = np.random.default_rng(0)
    images = (random.integers(0, 80, (n, 1, 8, 8)) + 160 * labels[:, None, None, None]).astype(np.uint8)
    return Labelled(images, labels, 2, 1, 32, CPU)


def test_steps_by_hand() -> None:
    assert [steps_for(count) for count in (1, 3840, 6400, 19200, 10**6)] == [300, 300, 500, 1500, 1500]


def test_labels_of_parts() -> None:
    """425 in base 10 is 4, 2, 5; the images come in the order of their places."""
    images = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 2, 2)
    data = Labelled(images, np.array([425, 31]), 10, 3, 32, CPU)
    seen, labels = data.batch(np.array([1, 0]))
    assert labels.tolist() == [4, 2, 5, 0, 3, 1]
    torch.testing.assert_close(seen, torch.from_numpy(images).view(6, 1, 2, 2).float() / 127.5 - 1)


def test_every_part_once() -> None:
    """Of the images aba, labelled 121, and cbd, labelled 325: a is of class 1, b of 2, c of 3, d of 5."""
    a, b, c, d = np.arange(4 * 4, dtype=np.uint8).reshape(4, 2, 2)
    data = Labelled(np.array([[a, b, a], [c, b, d]]), np.array([121, 325]), 10, 3, 32, CPU)
    found = distinct_parts(data)
    assert np.array_equal(found.images, np.array([[a], [b], [c], [d]]))
    assert (found.labels.tolist(), found.parts, found.classes) == ([1, 2, 3, 5], 1, 10)


def test_floats_are_taken_as_they_are() -> None:
    images = np.linspace(-1, 1, 2 * 4, dtype=np.float32).reshape(2, 1, 2, 2)
    seen, _ = Labelled(images, np.array([0, 1]), 2, 1, 32, CPU).batch(np.array([0, 1]))
    assert np.array_equal(seen.numpy(), images)


def test_it_learns_and_leaves_no_trace() -> None:
    """Separable classes are told apart, the same seed gives the same weights, and the global generator is untouched."""
    data = shades()
    before = torch.random.get_rng_state()
    with torch.no_grad():  # whoever measures may be in here
        one, two = (
            fitted(data, np.arange(150), 30, 7, torch.Generator().manual_seed(7)).state_dict() for _ in range(2)
        )
    assert torch.equal(before, torch.random.get_rng_state())
    assert all(torch.equal(one[name], two[name]) for name in one)
    network = Network(1, 2)
    network.load_state_dict(one)
    found = right(network.eval(), data, np.arange(150, 200))
    assert found.shape == (50, 1)
    assert found.all()
