"""What every test shares: a data root of its own, and the command line called in this process from an empty folder."""

from __future__ import annotations

import json
import logging
import os
import pickle
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra._internal.config_repository import IConfigRepository
from hydra.core.default_element import ResultDefault
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.plugins.config_source import ConfigSource

from gan_lab.cli import main
from gan_lab.command_line.presets import PresetLoader
from gan_lab.config import CONFIG_DIR
from tests.vgg import write_narrow_weights

pytest_plugins = ["tests.command_line.fixtures", "tests.tuning.fixtures"]
TINY = ("trainer=debug", "trainer.batch_size=4")


def whole(cases: Iterable[Any]) -> list[Any]:
    """Cases that are left to GAN_LAB_TESTS=all."""
    return [pytest.param(case, marks=pytest.mark.whole) for case in cases]


def in_part(cases: Iterable[Any], share: int) -> list[Any]:
    """One case in `share`; the others are left to GAN_LAB_TESTS=all."""
    return [case if place % share == 0 else whole([case])[0] for place, case in enumerate(cases)]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is marked `whole` is left to GAN_LAB_TESTS=all, so that everybody can wait for the rest."""
    if os.environ.get("GAN_LAB_TESTS") != "all":
        for item in items:
            if item.get_closest_marker("whole"):
                item.add_marker(pytest.mark.skip(reason="GAN_LAB_TESTS=all plays it"))


@pytest.fixture(scope="session", autouse=True)
def own_data_root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Stores are packed once a session, whichever worker of it asks first, never in the user's cache, and VGG's weights
    lie there, narrow and random; tiny networks are fastest on one thread."""
    before = os.environ.get("GAN_LAB_DATA")
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "data"
    folder.mkdir(exist_ok=True)
    os.environ["GAN_LAB_DATA"] = str(folder)
    write_narrow_weights(folder)
    torch.set_num_threads(1)
    yield folder
    if before is None:
        del os.environ["GAN_LAB_DATA"]
    else:
        os.environ["GAN_LAB_DATA"] = before


@pytest.fixture(scope="session", autouse=True)
def read_once() -> Iterator[None]:
    """Hydra reads every YAML file of a composition anew, which took a third of what composing takes, and tests compose
    thousands of times: here a file that did not change is read once."""
    (files,) = (kind for kind in Plugins.instance().discover(ConfigSource) if kind.scheme() == "file")
    before, known = files.load_config, dict[Any, bytes]()

    def load_config(source: ConfigSource, config_path: str) -> Any:
        path = Path(source.path, source._normalize_file_name(config_path))
        if not path.is_file():
            return before(source, config_path)
        there = path.stat()
        key = source.provider, source.path, config_path, there.st_ino, there.st_mtime_ns, there.st_size
        if key not in known:
            known[key] = pickle.dumps(before(source, config_path))
        return pickle.loads(known[key])  # a fifth of what deepcopy takes

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "load_config", load_config)
        yield


@pytest.fixture(scope="session", autouse=True)
def presets_known() -> Iterator[None]:
    """What a preset of ours is alone is composed once, not beside every composition that something is typed over."""
    before, known = PresetLoader._before, dict[Any, Any]()

    def known_before(loader: PresetLoader, preset: ResultDefault, primary: str, repo: IConfigRepository) -> Any:
        ours = all(source.scheme() != "file" or Path(source.path) == CONFIG_DIR for source in repo.get_sources())
        if not ours:
            return before(loader, preset, primary, repo)
        if (preset.config_path, primary) not in known:
            known[preset.config_path, primary] = before(loader, preset, primary, repo)
        return known[preset.config_path, primary]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PresetLoader, "_before", known_before)
        yield


@pytest.fixture(autouse=True)
def no_command_line_of_before() -> None:
    """Hydra remembers the last command line of this process: a test is not to see that of an earlier one."""
    HydraConfig.instance().cfg = None


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data root of this test, which does not exist yet."""
    folder = tmp_path / "root"
    monkeypatch.setenv("GAN_LAB_DATA", str(folder))
    return folder


@pytest.fixture
def logging_as_before() -> Iterator[None]:
    """A command sets up logging for its process: its files, and a standard output that is this test's only."""
    root, ours = logging.getLogger(), logging.getLogger("gan_lab")
    before = root.handlers[:], root.level, ours.level
    yield
    for handler in root.handlers:
        if handler not in before[0]:
            handler.close()
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    ours.setLevel(before[2])


@pytest.fixture
def gan_lab(here: Path, logging_as_before: None) -> Callable[..., int]:
    """`gan_lab("train", "model=gan")` -> exit code, as the installed command would give it."""
    return lambda *argv: main([str(word) for word in argv])


@pytest.fixture
def trained(gan_lab: Callable[..., int], here: Path) -> Callable[..., Path]:
    """`trained("run", "model=gan", ...)` -> the folder of a tiny finished run."""

    def train(name: str, *overrides: str) -> Path:
        assert gan_lab("train", *TINY, *overrides, f"hydra.run.dir={name}") == 0
        return here / name

    return train


def records(run: Path) -> list[dict[str, Any]]:
    """The lines of a run's metrics.jsonl without what depends on the clock."""
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    varying = ("time", "system/images_per_second", "system/wait_share", "system/memory_peak")
    return [{k: v for k, v in line.items() if k not in varying} for line in lines]


def equal(a: Any, b: Any) -> bool:
    """Whether two checkpoints (or parts) are the same, tensors byte for byte."""
    if isinstance(a, torch.Tensor):
        return isinstance(b, torch.Tensor) and a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(equal(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(equal, a, b))
    return bool(a == b)
