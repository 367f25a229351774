"""What was typed for `tune` and `ablate`, parted into what is theirs and what their trainings are started with."""

from __future__ import annotations

from collections.abc import Sequence

from gan_lab.command_line.overrides import add_plus, own_overrides, read, without_absent
from gan_lab.errors import ConfigError


def all_words() -> list[str]:
    """The overrides of this call, those of the folder that it goes on with among them, without Hydra's settings."""
    from hydra.core.hydra_config import HydraConfig

    return own_overrides(list(HydraConfig.get().overrides.task))


def for_training(words: Sequence[str], own: Sequence[str]) -> list[str]:
    """The words that are not about the keys `own`."""
    return [word for word in words if read(word).key.partition(".")[0] not in own]


def flags() -> list[str]:
    """The user's own folder of configs, for the trainings too."""
    from hydra.core.hydra_config import HydraConfig

    sources = HydraConfig.get().runtime.config_sources
    return [f"--config-dir={source.path}" for source in sources if source.provider == "command-line"]


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

    from gan_lab.command_line.choices import Choices
    from gan_lab.command_line.explain import explain

    running = GlobalHydra.instance().hydra
    assert running is not None
    GlobalHydra.instance().clear()
    try:
        return explain(error, Choices("train", dict(flag.split("=", 1) for flag in flags()), overrides))
    finally:
        GlobalHydra.instance().clear()
        GlobalHydra.instance().initialize(running)
