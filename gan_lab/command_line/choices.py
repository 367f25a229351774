"""What can be typed behind a verb: the config groups on disk, and the keys of the composed config."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from gan_lab import config
from gan_lab.command_line.overrides import quote, read
from gan_lab.command_line.verbs import VERBS


class Choices:
    """One command line, and what could have stood there. Groups are read off the folders, without Hydra."""

    def __init__(self, verb: str, flags: dict[str, str], overrides: Sequence[str] = ()) -> None:
        self.verb = verb
        self.overrides = overrides
        self.extra = Path(flags["--config-dir"]).absolute() if "--config-dir" in flags else None

    def groups(self) -> dict[str, list[str]]:
        """The verb's config groups with their choices; Hydra's own (`hydra/...`) left out."""
        found: dict[str, set[str]] = {}
        takes, without = VERBS[self.verb].groups, VERBS[self.verb].without
        for root in filter(None, (config.CONFIG_DIR, self.extra)):
            for path in root.rglob("*.yaml"):
                group = path.parent.relative_to(root).as_posix()
                taken = group not in without if takes is None else group in takes
                if group != "." and not is_hydra(group) and taken:
                    found.setdefault(group, set()).add(path.stem)
        return {group: sorted(found[group]) for group in sorted(found)}

    def config(self, without: str = "") -> dict[str, Any]:
        """The config of all that was typed but the override of the key `without`, references unresolved.

        Where that does not compose either (a second mistake, a sweep), the plain config.
        """
        from hydra import compose, initialize_config_dir
        from hydra.errors import HydraException
        from omegaconf import OmegaConf
        from omegaconf.errors import OmegaConfBaseException

        from gan_lab.command_line.presets import presets_give_way

        rest = [word for word in self.overrides if read(word).key != without]
        search = [f"hydra.searchpath=[{quote(f'file://{self.extra}')}]"] if self.extra else []
        with presets_give_way(), initialize_config_dir(str(config.CONFIG_DIR), version_base="1.3"):
            for overrides in ([*search, *rest], []):
                try:
                    composed = OmegaConf.to_container(compose(self.verb, overrides, return_hydra_config=True))
                except (HydraException, OmegaConfBaseException, ValueError):
                    continue
                if isinstance(composed, dict):
                    return {str(key): value for key, value in composed.items()}
        return {}


def is_hydra(key: str) -> bool:
    return key.startswith("hydra")


def dotted(node: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every key below `node`, branches too, as `(dotted key, value)`."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield f"{prefix}{name}", value
            yield from dotted(value, f"{prefix}{name}.")
