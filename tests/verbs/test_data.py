from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from omegaconf import DictConfig, OmegaConf
from PIL import Image

from gan_lab.config import CONFIG_DIR
from gan_lab.data.card import CARD, IMAGES
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.verbs.data import main
from tests.data.conftest import cifar_like, encoded, noise, write_zip

pytestmark = pytest.mark.usefixtures("root")


def config(
    action: str | None, dataset: str = "digits", settings: dict[str, Any] | None = None, **given: Any
) -> DictConfig:
    node = OmegaConf.merge(OmegaConf.load(CONFIG_DIR / "dataset" / f"{dataset}.yaml"), settings or {})
    keys = {"action": action, "from": None, "force": False, "out": None, "stores": []} | given
    return OmegaConf.create({"dataset": node, **keys})


def stored(root: Path) -> list[Path]:
    return sorted(root.glob(f"*/{CARD}"))


def test_pack_says_what_it_made(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(config("pack"))
    text = capsys.readouterr().out
    assert text.startswith("packed digits in ")
    assert "1797 of 16x16 gray, 10 classes, 449 KiB" in text
    assert str(stored(root)[0].parent) in text
    assert "  3 183 ####" in text
    before = stored(root)[0].stat().st_mtime_ns
    main(config("pack"))
    assert capsys.readouterr().out.startswith("digits is packed already (force=true packs it again)")
    assert stored(root)[0].stat().st_mtime_ns == before
    main(config("pack", force=True))
    assert capsys.readouterr().out.startswith("packed digits in ")
    assert stored(root)[0].stat().st_mtime_ns > before


def test_pack_from_a_zip(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_zip(tmp_path / "cifar.zip", cifar_like())
    main(config("pack", "cifar10", **{"from": str(path)}))
    text = capsys.readouterr().out
    assert "20 of 32x32 RGB, 10 classes, 60 KiB" in text
    assert f"zip {path}, train/ as its train split" in text
    assert "  airplane   2 ####" in text


def test_pack_a_folder_from(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_zip(tmp_path / "mine.zip", cifar_like())
    for first_word in ("packed folder in ", "folder is packed already "):
        main(config("pack", "folder", **{"from": str(path)}))
        assert capsys.readouterr().out.startswith(first_word)


def test_list(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nodes = {path.stem: OmegaConf.load(path) for path in (CONFIG_DIR / "dataset").glob("*.yaml")}
    ready = sorted(name for name, node in nodes.items() if "source" in node)
    assert {"digits", "mnist", "cifar10"} <= set(ready)
    main(config("list"))
    text = capsys.readouterr().out
    assert "nothing is packed yet" in text
    assert f"not packed yet: {', '.join(ready)} (gan-lab data pack dataset=NAME)" in text
    main(config("pack"))
    (root / "downloads").mkdir()
    (root / ".digits-16x16x1-0.host.1.tmp").mkdir()
    capsys.readouterr()
    main(config("list"))
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[:2] == ["name", "shape"]
    assert lines[2].split()[:5] == ["digits", "16x16", "gray", "1797", "10"]
    ready.remove("digits")
    assert lines[3] == f"not packed yet: {', '.join(ready)} (gan-lab data pack dataset=NAME)"
    assert len(lines) == 4


def test_list_tells_of_a_damaged_store(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(config("pack"))
    (stored(root)[0].parent / IMAGES).write_bytes(b"")
    capsys.readouterr()
    main(config("list"))
    assert "images.u8 has 0 bytes instead of 460032; repack it" in capsys.readouterr().out


def test_inspect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    main(config("inspect"))
    text = capsys.readouterr().out
    assert "1797 of 16x16 gray" in text
    assert "pixels   mean 0.3130, std 0.3560 per channel" in text
    assert "repeats  0 exact duplicates" in text
    assert f"sheet    {tmp_path / 'digits.png'}" in text
    with Image.open(tmp_path / "digits.png") as sheet:
        assert sheet.height == 660
    main(config("inspect", out=str(tmp_path / "new" / "sheet.png")))
    assert (tmp_path / "new" / "sheet.png").is_file()
    main(config("inspect", out=str(tmp_path / "new")))
    assert (tmp_path / "new" / "digits.png").is_file()


def test_inspect_shows_near_duplicates_and_rare_classes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    scene = Image.fromarray(np.random.default_rng(0).integers(0, 256, (6, 6, 3), np.uint8)).resize((64, 64))
    members = {f"common/{index:02d}.png": encoded(noise(64, 64, seed=index)) for index in range(22)}
    members |= {"rare/a.png": encoded(scene), "rare/b.jpg": encoded(scene, "JPEG", quality=80)}
    path = write_zip(tmp_path / "mine.zip", members)
    main(config("inspect", "folder", {"path": str(path)}, out=str(tmp_path)))
    text = capsys.readouterr().out
    sheet = tmp_path / "folder-near-duplicates.png"
    assert f"alike    1 near duplicates (22 and 23), see {sheet}\n" in text
    assert "balance  the largest class (common) has 11.0 times the images of the smallest (rare)\n" in text
    assert "         a conditional model will know the small ones badly: add to them, or see dataset.balance\n" in text
    with Image.open(sheet) as pair:
        assert pair.height == 66


def test_inspect_names_empty_classes_and_a_balanced_set_needs_no_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    members = {f"{name}/{seed}.png": encoded(noise(64, 64, seed=seed)) for seed, name in enumerate("aabbb")}
    path = write_zip(tmp_path / "mine.zip", members | {"c/9.png": b"words"})
    main(config("inspect", "folder", {"path": str(path), "max_corrupt": 1}))
    text = capsys.readouterr().out
    assert "balance  the largest class (b) has 1.5 times the images of the smallest (a)\n" in text
    assert "         1 classes are empty: c\n" in text
    assert "conditional model" not in text
    assert "alike    no near duplicates\n" in text


def test_inspect_of_points_draws_them_as_their_dataset_says(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    main(config("inspect", "ring"))
    text = capsys.readouterr().out
    assert " of 1x1x2 float32, 8 classes" in text
    assert "values   mean " in text
    assert "alike" not in text
    with Image.open(tmp_path / "ring.png") as sheet:
        assert sheet.mode == "RGB"
    (tmp_path / "ring.png").unlink()
    without = config("inspect", "ring")
    without.dataset.picture = None
    main(without)
    assert (
        "sheet    none: ring holds no gray or RGB pixels, and dataset.picture is not set\n" in capsys.readouterr().out
    )
    assert not (tmp_path / "ring.png").exists()


def test_inspect_finds_changed_pixels(root: Path) -> None:
    main(config("pack"))
    path = stored(root)[0].parent / IMAGES
    path.write_bytes(b"\1" + path.read_bytes()[1:])
    with pytest.raises(GanLabError, match="not those that were packed"):
        main(config("inspect"))


def test_wrong_words_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^action=pcak: choose pack, list, inspect, remove$"):
        main(config("pcak"))
    with pytest.raises(GanLabError, match=r"^out=.*sheet\.nothing: the contact sheet cannot be written"):
        main(config("inspect", out=str(tmp_path / "sheet.nothing")))
    with pytest.raises(ConfigError, match=r"^out: is empty"):
        main(config("inspect", out=""))


def test_list_names_stores_by_the_folder_and_remove_takes_that_name(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("birds", "fish"):
        main(config("pack", "folder", {"path": str(write_zip(tmp_path / f"{name}.zip", cifar_like(1)))}))
    capsys.readouterr()
    main(config("list"))
    lines = capsys.readouterr().out.splitlines()
    assert sorted(line.split()[0] for line in lines[2:4]) == ["folder/birds.zip", "folder/fish.zip"]
    size = sum(path.stat().st_size for path in stored(root)[0].parent.iterdir())
    main(config("remove", stores=["folder/birds.zip"]))
    assert capsys.readouterr().out.endswith(f", {size / 1024:.0f} KiB freed\n")
    assert len(stored(root)) == 1
    main(config("remove", "folder", {"path": str(tmp_path / "fish.zip")}))
    assert stored(root) == []
    with pytest.raises(ConfigError, match=r"^dataset=folder: nothing is packed with these settings$"):
        main(config("remove", "folder", {"path": str(tmp_path / "fish.zip")}))
    with pytest.raises(ConfigError, match=r"^stores=x: only remove takes names of stores"):
        main(config("pack", stores=["x"]))


def test_remove_from_the_command_line(root: Path, gan_lab: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert gan_lab("data", "pack", "dataset=digits") == 0
    capsys.readouterr()
    assert gan_lab("data", "remove") == 2  # the dataset that is there by default is not what was meant
    assert "stores: say which" in capsys.readouterr().err
    assert gan_lab("data", "remove", "digitz") == 2
    assert "nearest: digits" in capsys.readouterr().err
    assert len(stored(root)) == 1
    assert gan_lab("data", "remove", "digits") == 0
    assert "removed digits-16x16x1-" in capsys.readouterr().out
    assert gan_lab("data", "pack", "dataset=digits") == 0
    assert gan_lab("data", "remove", "dataset=digits") == 0
    assert stored(root) == []


def test_remove_takes_both_sets_of_two(root: Path, tmp_path: Path) -> None:
    pictures = {f"train{side}/0.png": encoded(noise(8, 8, seed=n)) for n, side in enumerate("AB")}
    both = {"path": str(write_zip(tmp_path / "x.zip", pictures)), "image_shape": [3, 8, 8]}
    main(config("pack", "unpaired", both))
    assert len(stored(root)) == 2
    main(config("remove", "unpaired", both))
    assert stored(root) == []
