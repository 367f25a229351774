"""EGBAD's discriminator: the paper's sizes, and that it looks at both, image and latent."""

from __future__ import annotations

import torch

from gan_lab.models.egbad import Discriminator


def test_the_papers_sizes() -> None:
    """Its appendix, MNIST: two convolutions of 64 channels, 512 of the latent, 1024 of both."""
    network = Discriminator([1, 28, 28], latent_dim=200)
    assert network.of_latent.weight.shape == (512, 200)
    assert network.of_both.weight.shape == (1024, 64 * 7 * 7 + 512)
    critique = network(torch.zeros(2, 1, 28, 28), torch.zeros(2, 200))
    assert critique.scores.shape == (2,)
    assert critique.features is not None
    assert critique.features.shape == (2, 1024)


def test_it_judges_the_image_beside_its_latent() -> None:
    network = Discriminator([1, 16, 16], latent_dim=8, width=4).eval()
    image, latent = torch.rand(1, 1, 16, 16, requires_grad=True), torch.rand(1, 8, requires_grad=True)
    network(image, latent).scores.sum().backward()
    for each in (image, latent):
        assert each.grad is not None
        assert each.grad.abs().sum() > 0
