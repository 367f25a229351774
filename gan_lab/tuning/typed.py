"""What was typed for `tune` and `ablate`: theirs, what their trainings are started with, what `resume=` stands for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gan_lab.command_line.console import config_flags
from gan_lab.command_line.overrides import add_plus, merge, own_overrides, quote, read, unquote, without_absent
from gan_lab.command_line.stored_overrides import COMPUTING, admitted, is_among, is_run
from gan_lab.errors import ConfigError
from gan_lab.storage.files import read_json

FILES = {"tune": "study.json", "ablate": "ablation.json"}
MORE = {"tune": ("trials", "pruner"), "ablate": ("seeds", "techniques", "show")}


def all_words() -> list[str]:
    """The overrides of this call, those of the folder that it goes on with among them, without Hydra's settings."""
    from hydra.core.hydra_config import HydraConfig

    return own_overrides(list(HydraConfig.get().overrides.task))


def for_training(words: Sequence[str], own: Sequence[str]) -> list[str]:
    """The words that are not about the keys `own`."""
    return [word for word in words if read(word).key.partition(".")[0] not in own]


def to_start(base: Sequence[str], own: Sequence[str], run: Path) -> list[str]:
    """The overrides that one of several trainings is started with: those typed for all, and those that make it this
    one. A run that has begun keeps both, but for how it is computed."""
    if is_run(run):
        return [*(word for word in base if is_among(read(word).key, COMPUTING)), f"resume={quote(str(run))}"]
    return [*base, *own, f"hydra.run.dir={quote(str(run))}"]


def check_composes(words: Sequence[str], what: str) -> None:
    """Raise ConfigError where `gan-lab train` could not even read these overrides; `what` says whose they are."""
    from hydra.core.global_hydra import GlobalHydra
    from hydra.errors import HydraException
    from hydra.types import RunMode
    from omegaconf.errors import OmegaConfBaseException

    loader = GlobalHydra.instance().config_loader()
    overrides = without_absent(add_plus(words))
    try:
        loader.load_configuration("train", overrides=overrides, run_mode=RunMode.RUN)
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(f"{what}: {_explained(error, overrides)}") from error


def _explained(error: Exception, overrides: Sequence[str]) -> str:
    """What was probably meant is found by composing apart from the task that runs."""
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.hydra_config import HydraConfig

    from gan_lab.command_line.choices import Choices
    from gan_lab.command_line.explain import explain

    running = GlobalHydra.instance().hydra
    assert running is not None
    GlobalHydra.instance().clear()
    try:
        return explain(
            error, Choices("train", dict(flag.split("=", 1) for flag in config_flags(HydraConfig.get())), overrides)
        )
    finally:
        GlobalHydra.instance().clear()
        GlobalHydra.instance().initialize(running)


def take_up(verb: str, words: Sequence[str]) -> list[str]:
    """The overrides with which to go on: the folder's, then `words`, then the folder; without resume= just `words`.

    As with a run, the stored overrides are data that anybody may have written, and are admitted under the same rules.
    What is typed beside `resume=` may not change what is compared: only how it is computed, and how much of it.
    """
    value = next((unquote(read(word).value or "") for word in words if read(word).key == "resume"), "")
    if value in ("", "null"):
        return list(words)
    folder = Path(value).expanduser().absolute()
    typed = [word for word in words if read(word).key != "resume"]
    file = folder / FILES[verb]
    stored = read_json(file).get("overrides")
    if stored is None:
        what = "is not the folder of such a call (no " + FILES[verb] + ")" if folder.exists() else "does not exist"
        raise ConfigError(f"resume={value} {what}")
    free = ("workers", *COMPUTING, *MORE[verb])
    for word in typed:
        if not is_among(read(word).key, free):
            raise ConfigError(
                f"{word}: cannot change once begun; start anew, or leave it out (may change: {', '.join(free)})"
            )
    own = [f"resume={quote(str(folder))}", f"hydra.run.dir={quote(str(folder))}"]
    return [*merge(admitted(file, stored, typed), typed), *own]
