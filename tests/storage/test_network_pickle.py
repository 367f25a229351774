"""Files of StyleGAN2-ADA: their networks as tensors by name."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from gan_lab.errors import ConfigError, GanLabError
from gan_lab.storage.inert_pickle import Thing
from gan_lab.storage.network_pickle import read_network_pickle, tensors
from tests.importing.files import dumped, module, write


def test_networks_and_what_is_theirs(tmp_path: Path) -> None:
    one, other = {"a.b.weight": torch.ones(2), "a.w_avg": torch.zeros(3)}, {"a.b.weight": torch.zeros(2)}
    found = read_network_pickle(write(tmp_path / "n.pkl", G=one, G_ema=other, D=one))
    assert found.weights["G"].keys() == one.keys()
    generator, discriminator = found.of("generator"), found.of("discriminator")
    assert generator is not None
    assert discriminator is not None
    assert torch.equal(generator["a.b.weight"], other["a.b.weight"])
    assert torch.equal(discriminator["a.b.weight"], one["a.b.weight"])
    assert found.of("other") is None


def test_without_an_average_the_generator_itself(tmp_path: Path) -> None:
    found = read_network_pickle(write(tmp_path / "n.pkl", G={"a": torch.ones(2)}))
    assert found.of("generator") == found.weights["G"]
    assert found.of("discriminator") is None


def test_what_networks_were_made_with(tmp_path: Path) -> None:
    path = tmp_path / "n.pkl"
    path.write_bytes(dumped({"G_ema": module("Generator", {"a": torch.ones(1)}, z_dim=4, more={"deep": 5})}))
    found = read_network_pickle(path)
    assert (found.argument("G_ema", "z_dim"), found.argument("G_ema", "more", "deep")) == (4, 5)
    assert found.argument("G_ema", "z_dim", "deep") is None
    assert found.argument("D", "z_dim") is None


def test_refusals(tmp_path: Path) -> None:
    path = tmp_path / "n.pkl"
    with pytest.raises(ConfigError, match=r"n.pkl: cannot be read \(No such file"):
        read_network_pickle(path)
    for content in ([], {"D": module("D", {"a": torch.ones(1)})}, {"G_ema": torch.ones(2)}):
        path.write_bytes(dumped(content))
        with pytest.raises(GanLabError, match="holds no G_ema"):
            read_network_pickle(path)
    path.write_bytes(b"\x80\x03(cdnnlib.tflib.network\nNetwork\nq\x00")
    with pytest.raises(GanLabError, match="authors' TensorFlow code"):
        read_network_pickle(path)
    broken = module("G", {"a.b": torch.ones(1)})
    del broken.state["_modules"]["a"].state["_buffers"]
    path.write_bytes(dumped({"G_ema": broken}))
    with pytest.raises(GanLabError, match=r"a\. is not a tree of modules"):
        read_network_pickle(path)


def test_a_network_that_holds_itself() -> None:
    parts: dict[str, object] = {"_parameters": {}, "_buffers": {}}
    network = Thing("network", {**parts, "_modules": {}})
    network.state["_modules"]["again"] = network
    with pytest.raises(GanLabError, match=r"again\. is not a tree of modules"):
        list(tensors(network, Path("n.pkl")))
