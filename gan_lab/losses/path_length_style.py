"""A step in the space of styles changes the image by as much everywhere (Karras et al. 2019, arXiv:1912.04958)."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_lab.distributed.world import world
from gan_lab.errors import ConfigError
from gan_lab.layers.higher_order import twice_differentiable
from gan_lab.losses.path_length import PathLength
from gan_lab.losses.regularizers import Turn


class StylePathLength(PathLength):
    """E[(||J^T y|| - a)^2], J^T y = grad_w <G(w), y>, w the styles of every layer (section 3.2, equation 4).

    As in the authors' code: on half of the batch (every other latent), through the mapping network anew, with styles
    mixed; the length is the root of the sum over a style's numbers, of the mean over the layers; y ~ N(0, I) is divided
    by sqrt(H W), for which the weight is 2 and the interval 4. a is a moving average of the lengths that starts at 0
    and moves by `decay` of the difference, before it is compared with.

    Deviations: the latents are those of the round, where the authors' code draws others; a counts as a constant, whose
    hundredth of a gradient is kept there; the penalty joins the loss of its round (`gan_lab.losses.regularizers`), so
    that Adam's rate and betas stay. Raises ConfigError for a generator without styles.
    """

    def __call__(self, turn: Turn) -> Tensor:
        generator = turn.mover
        if generator is None or not hasattr(generator, "synthesise"):
            raise ConfigError(
                f"loss.regularizers: {type(self).__name__} is of styles, which this generator has not; take "
                "loss/regularizers=[path_length], or a model with styles (model=stylegan2)"
            )
        assert turn.latent is not None
        latent, label = turn.latent[::2].detach(), None if turn.labels is None else turn.labels[::2]
        with twice_differentiable(), world().rows(len(latent)):
            styles = generator.style(latent, label)  # type: ignore[operator]
            images = generator.synthesise(styles).float()  # type: ignore[operator]
            noise = torch.randn_like(images) / (images.shape[-2] * images.shape[-1]) ** 0.5
            (gradient,) = torch.autograd.grad((images * noise).sum(), styles, create_graph=True)  # (N, num_ws, D)
        lengths = torch.linalg.vector_norm(gradient.flatten(1), dim=1)
        return self.compared(lengths / styles.shape[1] ** 0.5, turn)
