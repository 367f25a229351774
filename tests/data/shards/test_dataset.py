from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch

from gan_lab.config import build
from gan_lab.data.dataset import Dataset, build_dataset
from gan_lab.data.held_out import held_out
from gan_lab.data.moved import of_run
from gan_lab.data.shards.dataset import ShardDataset
from gan_lab.data.shards.places import Place
from gan_lab.data.shards.shard import Encoded
from gan_lab.data.shards.tar import Tar
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.metrics.inputs import card_of
from gan_lab.storage import checkpoint
from gan_lab.training.assemble import assemble
from tests.compose import composed
from tests.conftest import TINY, equal
from tests.data.conftest import encoded, write_tree

from .conftest import picture, write_shards

SMALL = ("dataset=shards", "dataset.image_shape=[3,8,8]", "dataset.buffer=10", "dataset.sample=12")
PARTS = ("networks", "ema", "optimizers", "stream")


def dataset(path: Any, **changes: Any) -> Dataset:
    node = composed(*SMALL)["dataset"]
    return build_dataset({**node, "path": path, **changes})


def test_the_store_is_a_sample_and_a_card_says_so(tmp_path: Path) -> None:
    data = dataset(write_shards(tmp_path, (30, 20)))
    assert isinstance(data, ShardDataset)
    assert (len(data.store), data.store.card["sample_of"], data.store.shape) == (12, 50, (3, 8, 8))
    assert card_of(data.store, "train").items() >= {"count": 12, "sample_of": 50}.items()
    assert "12 of the images of shards file://" in data.store.card["source"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("classes", [1]),
        ("held_out", 0.1),
        ("patch", {"size": 4, "stride": 4}),
        ("balance", "uniform"),
        ("aligned", False),
    ],
)
def test_what_only_packed_images_have_is_refused(key: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=rf"dataset\.{key}="):
        dataset("x.tar", **{key: value})


@pytest.mark.parametrize("key", ["buffer", "sample"])
def test_numbers_are_checked(key: str) -> None:
    with pytest.raises(ConfigError, match=rf"dataset\.{key}"):
        dataset("x.tar", **{key: 0})


def test_classes_are_checked(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"dataset\.num_classes=5: shards has 3 classes"):
        _ = dataset(write_shards(tmp_path, (9,)), num_classes=5).store


def test_a_run_is_looked_at_where_its_shards_are_gone(tmp_path: Path) -> None:
    """By its sample, which is here; it cannot go on."""
    path = write_shards(tmp_path, (9, 9))
    data = dataset(path)
    state = {"sha256": data.store.sha256}
    for file in tmp_path.glob("*.tar"):
        file.unlink()
    other = build_dataset(of_run({**composed(*SMALL)["dataset"], "path": path}, state, {}))
    assert other.store.sha256 == data.store.sha256
    with pytest.raises(GanLabError, match="2 of 2 shards are not there"):
        other.index  # type: ignore[attr-defined]  # noqa: B018


def test_images_beside_it_are_held_out(tmp_path: Path) -> None:
    data = dataset(write_shards(tmp_path / "s", (9,)))
    folder = write_tree(tmp_path / "test", {f"cat/{n}.png": encoded(picture(200 + n)) for n in range(3)})
    found, split = held_out(data, str(folder), "held_out")
    assert (split, len(found.store), found.store.shape) == ("path", 3, (3, 8, 8))


def test_two_rounds_and_two_are_four(tmp_path: Path) -> None:
    """Through a checkpoint in the middle of a shard."""
    words = ("trainer=debug", "trainer.batch_size=4", "model=cdcgan", *SMALL)
    words = (*words, f"dataset.path='{write_shards(tmp_path / 's', (7, 30, 6))}'", "dataset.flip=true")
    straight, _ = assemble(composed(*words), tmp_path)
    first, _ = assemble(composed(*words), tmp_path)
    for _ in range(4):
        straight.play()
    for _ in range(2):
        first.play()
    path = checkpoint.save(tmp_path / "checkpoints", first.state_dict(), 1)
    second, _ = assemble(composed(*words), tmp_path, checkpoint.load(path))
    for _ in range(2):
        second.play()
    one, two = straight.state_dict(), second.state_dict()
    assert not [part for part in PARTS if not equal(one[part], two[part])]
    assert one["stream"]["position"] == 16 or one["stream"]["position"] % 43
    for run in (straight, first, second):
        run.stream.close()


def test_a_shard_that_goes_missing_ends_a_run_which_can_go_on(
    trained: Any, gan_lab: Any, here: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_shards(here / "s", (100, 100, 100))
    words = (
        *SMALL,
        f"dataset.path={path}",
        "trainer.max_steps=6",
        "trainer.checkpoint_every=2",
        "trainer.batch_size=32",
    )
    whole, read, asked = trained("whole", *words), Tar.read, list[str]()

    def fail(self: Tar, place: Place, *rest: Any) -> list[Encoded]:
        asked.append(place.path)
        if len(asked) == 4:
            raise FileNotFoundError("it is gone")
        return read(self, place, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(Tar, "read", fail)
        assert gan_lab("train", *TINY, *words, "hydra.run.dir=part") == 1
    told = capsys.readouterr().err.strip().splitlines()[-1]
    assert re.search(rf"{asked[3]}: samples \d+ to \d+ cannot be read \(it is gone\)", told)
    assert checkpoint.load(here / "part/checkpoints/last.pt")["step"] in (2, 4)
    assert gan_lab("train", "resume=part") == 0
    one, two = (checkpoint.load(run / "checkpoints/last.pt") for run in (whole, here / "part"))
    assert not [part for part in PARTS if not equal(one[part], two[part])]


@pytest.mark.whole
def test_two_processes_train_what_one_does(trained: Any, here: Path) -> None:
    path = write_shards(here / "s", (100, 30))
    words = (*SMALL, f"dataset.path={path}", "trainer.max_steps=3", "precision=fp32", "optimizer=sgd", "device=cpu")
    one, two = (trained(name, *words, f"engine.processes={count}") for name, count in (("one", 1), ("two", 2)))
    a, b = (checkpoint.load(run / "checkpoints/last.pt") for run in (one, two))
    assert a["stream"] == b["stream"]
    for role, network in a["networks"].items():
        for key, value in network.items():
            torch.testing.assert_close(value, b["networks"][role][key], rtol=1e-4, atol=1e-6)


def test_building_touches_nothing(root: Path) -> None:
    build(composed("dataset=shards", "dataset.path=nowhere.tar")["dataset"], "dataset")
    assert not root.exists()
