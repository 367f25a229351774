"""GANomaly's generator: images again, by way of a code that may be given."""

from __future__ import annotations

import pytest
import torch

from gan_lab.models.ganomaly import Generator


def test_images_by_way_of_codes() -> None:
    generator = Generator([1, 16, 16], [1, 16, 16], latent_dim=5, width=4).eval()
    images = torch.rand(3, 1, 16, 16)
    code = generator.encoder(images)
    assert code.shape == (3, 5)
    made = generator(images)
    assert made.shape == images.shape
    torch.testing.assert_close(made, generator.decoder(code))
    assert torch.equal(generator(images, code=torch.zeros(3, 5)), generator.decoder(torch.zeros(3, 5)))


def test_inputs_of_another_shape() -> None:
    with pytest.raises(ValueError, match="input_shape"):
        Generator([1, 16, 16], [1, 8, 8])
