"""The recipe of the Wasserstein GAN: what the paper prescribes, and that the critic keeps to its bound."""

from __future__ import annotations

from pathlib import Path

import torch

from tests.compose import composed, tiny_run


def test_what_the_paper_prescribes() -> None:
    config = composed("model=wgan")
    assert config["algorithm"]["critic_steps"] == 5
    assert config["loss"]["adversarial"]["_target_"].endswith(".Wasserstein")
    assert config["loss"]["regularizers"] == {}
    assert config["loss"]["constraints"]["weight_clipping"]["bound"] == 0.01
    for player in ("generator", "discriminator"):
        optimizer = config["optimizer"][player]
        assert (optimizer["_target_"], optimizer["lr"]) == ("torch.optim.RMSprop", 5e-5)


def test_every_weight_of_the_critic_stays_within_the_bound(tmp_path: Path) -> None:
    """Three rounds of five moves; the generator's weights, which nobody clips, lie beyond it."""
    run = tiny_run(tmp_path, "model=wgan")
    critic, generator = run.algorithm.networks["discriminator"], run.algorithm.networks["generator"]
    for _ in range(3):
        run.play()
    bound = torch.tensor(0.01)
    for name, parameter in critic.named_parameters():
        assert parameter.abs().max() <= bound, name
        assert parameter.count_nonzero() == parameter.numel(), name
    assert max(float(p.detach().abs().max()) for p in critic.parameters()) == float(bound)
    assert max(float(p.detach().abs().max()) for p in generator.parameters()) > float(bound)
