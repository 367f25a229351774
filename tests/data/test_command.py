from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from omegaconf import DictConfig, OmegaConf
from PIL import Image

from gan_lab.config import CONFIG_DIR
from gan_lab.data.command import main
from gan_lab.data.store import CARD, IMAGES
from gan_lab.errors import ConfigError, GanLabError

from .conftest import cifar_like, write_zip


def config(action: str | None, dataset: str = "digits", **given: Any) -> DictConfig:
    node = OmegaConf.load(CONFIG_DIR / "dataset" / f"{dataset}.yaml")
    keys = {"action": action, "from": None, "force": False, "out": None} | given
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
    main(config("list"))
    text = capsys.readouterr().out
    assert "nothing is packed yet" in text
    assert "not packed yet: cifar10, digits, fashion_mnist, mnist (" in text
    main(config("pack"))
    (root / "downloads").mkdir()
    (root / ".digits-16x16x1-0.host.1.tmp").mkdir()
    capsys.readouterr()
    main(config("list"))
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[:2] == ["name", "shape"]
    assert lines[2].split()[:5] == ["digits", "16x16", "gray", "1797", "10"]
    assert lines[3] == "not packed yet: cifar10, fashion_mnist, mnist (gan-lab data pack dataset=NAME)"
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


def test_inspect_finds_changed_pixels(root: Path) -> None:
    main(config("pack"))
    path = stored(root)[0].parent / IMAGES
    path.write_bytes(b"\1" + path.read_bytes()[1:])
    with pytest.raises(GanLabError, match="not those that were packed"):
        main(config("inspect"))


def test_wrong_words_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^action=pcak: choose pack, list, inspect$"):
        main(config("pcak"))
    with pytest.raises(GanLabError, match=r"^out=.*sheet\.nothing: the contact sheet cannot be written"):
        main(config("inspect", out=str(tmp_path / "sheet.nothing")))
