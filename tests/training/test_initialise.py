"""A run that begins with the weights of a file: whose they are, how they may be nested and called, what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gan_lab.errors import ConfigError, GanLabError
from gan_lab.models import stylegan2, stylegan2_discriminator
from gan_lab.models.rrdb import Generator
from gan_lab.storage.checkpoint import KEYS
from gan_lab.training.assemble import assemble
from gan_lab.training.initialise import initialise, read_weights
from tests.compose import composed
from tests.conftest import TINY
from tests.importing import files

SHAPES = ((3, 32, 32), (3, 8, 8))


def rrdb(seed: int, width: int = 4) -> Generator:
    torch.manual_seed(seed)
    return Generator(*SHAPES, width=width, blocks=2, growth=3)


def old_names(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Written down by hand, from the published file of ESRGAN."""
    top = {
        "conv_first": "0",
        "conv_up1": "3",
        "conv_up2": "6",
        "conv_hr": "8",
        "conv_last": "10",
        "conv_body": "1.sub.2",
    }
    found = {}
    for name, value in weights.items():
        place, _, kind = name.rpartition(".")
        if place.startswith("body."):
            _, block, dense, conv = place.split(".")
            place = f"1.sub.{block}.{dense.upper()}.{conv}.0"
        found[f"model.{top.get(place, place)}.{kind}"] = value
    return found


def same(one: nn.Module, two: nn.Module) -> bool:
    pairs = zip(one.state_dict().values(), two.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("form", ["bare", "nested", "twice", "prefix", "own", "old"])
def test_however_they_are_called(form: str, tmp_path: Path) -> None:
    theirs, ours = rrdb(0), rrdb(1)
    bare = theirs.exported.state_dict()
    states: dict[str, Any] = {
        "bare": bare,
        "nested": {"params_ema": bare, "params": rrdb(2).exported.state_dict()},
        "twice": {"iter": 3, "state_dict": {"params": bare}},
        "prefix": {f"module.{name}": value for name, value in bare.items()},
        "own": theirs.state_dict(),
        "old": old_names(bare),
    }
    torch.save(states[form], tmp_path / "weights.pth")
    initialise({"generator": ours}, str(tmp_path / "weights.pth"))
    assert same(theirs, ours)


def test_safetensors(tmp_path: Path) -> None:
    safetensors = pytest.importorskip("safetensors.torch")
    theirs, ours = rrdb(0), rrdb(1)
    safetensors.save_file(theirs.exported.state_dict(), tmp_path / "weights.safetensors")
    initialise({"generator": ours}, {"generator": tmp_path / "weights.safetensors", "discriminator": None})
    assert same(theirs, ours)


def test_refusals(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save(rrdb(0, width=5).exported.state_dict(), path)
    with pytest.raises(
        ConfigError, match="does not fit model.generator: conv_first.weight is 5x3x3x3 in the file and 4x3x3x3"
    ):
        initialise({"generator": rrdb(1)}, path)
    with pytest.raises(ConfigError, match=r"^initialise.critic: there is no network model.critic; it has generator$"):
        initialise({"generator": rrdb(1)}, {"critic": path})
    with pytest.raises(ConfigError, match=r"^initialise=.*none.pth: no such file$"):
        initialise({}, tmp_path / "none.pth")
    with pytest.raises(ConfigError, match=r"^initialise=.*: weights end in .pth"):
        initialise({}, tmp_path)
    more = {**rrdb(0).exported.state_dict(), "extra.weight": torch.zeros(1)}
    torch.save(more, path)
    with pytest.raises(ConfigError, match="the network has no extra.weight, which the file has"):
        initialise({"generator": rrdb(1)}, path)
    torch.save({"conv_first.weight": more["conv_first.weight"]}, path)
    with pytest.raises(ConfigError, match=r"the file has no conv_first.bias, but conv_first.weight and so on"):
        initialise({"generator": rrdb(1)}, path)
    torch.save({"params": {"a": 3}}, path)
    with pytest.raises(GanLabError, match="holds no weights of a network"):
        read_weights(path)
    path.write_bytes(b"nothing")
    with pytest.raises(GanLabError, match=r"cannot be read as weights .*; nothing in it was run"):
        read_weights(path)


def test_a_run_begins_with_them_and_its_average_too(tmp_path: Path) -> None:
    words = [*TINY, "model=gan"]
    first, _ = assemble(composed(*words, "seed=1"), tmp_path)
    torch.save(first.algorithm.networks["generator"].state_dict(), tmp_path / "weights.pt")
    config = composed(*words, "seed=2", f"initialise={tmp_path / 'weights.pt'}")
    run, _ = assemble(config, tmp_path)
    assert same(run.algorithm.networks["generator"], first.algorithm.networks["generator"])
    assert same(run.algorithm.averages["generator"].module, first.algorithm.networks["generator"])
    assert not same(run.algorithm.networks["discriminator"], first.algorithm.networks["discriminator"])


def test_a_checkpoint_of_another_run_and_a_run_that_goes_on(tmp_path: Path) -> None:
    """Of a checkpoint the averaged generator; who goes on needs the file no more."""
    words = [*TINY, "model=gan"]
    first, _ = assemble(composed(*words, "seed=1"), tmp_path)
    first.play()
    torch.save(first.state_dict(), tmp_path / "last.pt")
    averaged = first.algorithm.averages["generator"].module
    config = composed(*words, "seed=2", f"initialise={tmp_path / 'last.pt'}")
    run, _ = assemble(config, tmp_path)
    assert same(run.algorithm.networks["generator"], averaged)
    (tmp_path / "last.pt").unlink()
    again, _ = assemble(config, tmp_path, run.state_dict())
    assert same(again.algorithm.networks["generator"], averaged)


def test_a_network_pickle_gives_each_role_its_own(tmp_path: Path) -> None:
    torch.manual_seed(0)
    channels = {4: 4, 8: 4}
    published = {"G_ema": files.generator(channels), "D": files.discriminator(channels)}
    path = files.write(tmp_path / "network.pkl", **published)
    of_generator = {"style_dim": 5, "depth": 2}
    networks: dict[str, nn.Module] = {
        "generator": stylegan2.Generator((3, 8, 8), 6, width=4, full=8, **of_generator),
        "discriminator": stylegan2_discriminator.Discriminator((3, 8, 8), width=4, full=8),
    }
    initialise(networks, dict.fromkeys(networks, path))
    generator, discriminator = (network.state_dict() for network in networks.values())
    assert torch.equal(generator["synthesis.start"], published["G_ema"]["synthesis.b4.const"].permute(1, 2, 0))
    assert torch.equal(discriminator["to_score.weight"], published["D"]["b4.out.weight"])
    with pytest.raises(ConfigError, match=r"the file has no mapping.layers.2.weight"):
        initialise({"generator": stylegan2.Generator((3, 8, 8), 6, width=4, full=8, style_dim=5, depth=3)}, path)
    other = {**published["G_ema"], "synthesis.b8.conv0.resample_filter": torch.eye(4)}
    with pytest.raises(ConfigError, match=r"is not the filter"):
        initialise(networks, files.write(path, G_ema=other))
    with pytest.raises(GanLabError, match="holds no weights of a network"):
        initialise(networks, {"discriminator": path})


def test_a_checkpoint_whose_networks_are_none_is_refused(tmp_path: Path) -> None:
    """Not what `get` of a list raises."""
    torch.save({**dict.fromkeys(KEYS), "ema": [torch.zeros(1)], "networks": {}}, tmp_path / "x.pt")
    with pytest.raises(GanLabError, match="no weights of a network"):
        read_weights(tmp_path / "x.pt")
